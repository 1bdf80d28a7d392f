//! The audit trail: every change leaves a sealed row, and whatever is done to the rows behind the
//! server's back is found.

use scopegate_server::testing::domain::audit::{Report, prune, verify};
use scopegate_server::testing::model::audit::{Actor, AuditKey, Head, Row};
use scopegate_server::testing::model::secret_key::SecretKey;
use scopegate_server::testing::store::{Store, TokenRecord, Trail};

use super::{delete, put};
use crate::support::database::Database;

on_both!(
    every_change_is_a_row
    what_is_not_committed_leaves_none
    a_row_that_is_refused_refuses_the_change
    tampering_with_a_column_is_found
    missing_moved_and_cut_rows_are_found
    rows_outside_the_chain_are_found
    a_head_set_back_is_found
    a_head_of_a_deleted_row_is_not_compared
    another_key_is_named
    a_former_key_seals_no_later_row
    old_rows_leave_a_checkpoint
    rows_that_do_not_verify_are_not_deleted
    times_do_not_run_backwards
    writers_at_once_leave_one_chain
);

fn key(last: u8) -> AuditKey {
    let mut bytes = [7; 32];
    bytes[31] = last;
    AuditKey::new(&SecretKey::read(&bytes).unwrap())
}

/// A store that seals with a key that the test knows.
async fn open(database: &Database) -> Store {
    open_with(database, key(0)).await
}

async fn open_with(database: &Database, key: AuditKey) -> Store {
    let trail = Trail { key, listener: std::sync::Arc::new(|_| {}) };
    Store::open(database.folder.path(), database.url.as_deref(), trail).await.unwrap()
}

async fn rows(store: &Store) -> Vec<Row> {
    store.read().await.unwrap().audit_after(0, 1000).await.unwrap()
}

/// Rows as `number actor operation kind name`, those of the first start left out.
async fn lines(store: &Store) -> Vec<String> {
    let rows = rows(store).await.into_iter().filter(|row| row.entry.actor.kind != "server");
    rows.map(|row| {
        let entry = row.entry;
        format!(
            "{} {} {} {}",
            entry.actor.name, entry.operation, entry.object.kind, entry.object.name
        )
    })
    .collect()
}

async fn report(store: &Store) -> Report {
    verify(store, &[key(0)], None).await.unwrap()
}

#[track_caller]
fn says(report: &Report, faults: &[&str]) {
    let found: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    assert_eq!(found, faults);
}

async fn every_change_is_a_row(database: Database) {
    let store = open(&database).await;
    let by_apply = store.by(Actor::command("apply"));
    put(&by_apply, &["First", "Second"]).await;
    put(&by_apply, &["First"]).await;
    delete(&store.by(Actor::command("other")), "second").await;
    let expected = [
        "apply create token First",
        "apply create token Second",
        "apply update token First",
        "other delete token Second",
    ];
    assert_eq!(lines(&store).await, expected);
    let mut write = store.write().await.unwrap();
    let same: TokenRecord = write.find("first").await.unwrap().unwrap();
    write.put(&same).await.unwrap();
    write.commit().await.unwrap();
    let last = rows(&store).await.pop().unwrap().entry;
    assert_eq!(last.operation, "delete", "a put that changes nothing is no change");
    assert!(last.before.unwrap().contains(r#""enabled":true"#));
    assert_eq!(last.after, None);
    let report = report(&store).await;
    says(&report, &[]);
    assert_eq!(report.rows, report.last.number.unsigned_abs());
}

async fn what_is_not_committed_leaves_none(database: Database) {
    let store = open(&database).await;
    let before = rows(&store).await.len();
    let mut write = store.write().await.unwrap();
    let token = super::token(&write, "Nobody");
    write.put(&token).await.unwrap();
    drop(write);
    assert_eq!(rows(&store).await.len(), before);
    says(&report(&store).await, &[]);
}

async fn a_row_that_is_refused_refuses_the_change(database: Database) {
    let store = open(&database).await;
    // The next number is taken.
    database.sql("insert into audit select number + 1, at, actor_kind, actor, provider, address, correlation_id, operation, object_kind, object, before, after, revision, key_id, seal from audit order by number desc limit 1").await;
    let mut write = store.write().await.unwrap();
    let token = super::token(&write, "Nobody");
    write.put(&token).await.unwrap();
    assert!(write.commit().await.is_err());
    assert!(store.changes(0).await.unwrap().tokens.is_empty());
}

/// A row in the middle, which the tests tamper with, and its number.
async fn filled(database: &Database) -> (Store, i64) {
    let store = open(database).await;
    for name in ["First", "Second", "Third", "Fourth"] {
        put(&store.by(Actor::command("apply")), &[name]).await;
    }
    let last = report(&store).await.last.number;
    (store, last - 2)
}

async fn tampering_with_a_column_is_found(database: Database) {
    let (store, number) = filled(&database).await;
    for (column, value) in [
        ("at", "at + 1"),
        ("actor_kind", "'server'"),
        ("actor", "'somebody'"),
        ("provider", "'ci'"),
        ("address", "'127.0.0.1'"),
        ("correlation_id", "'x'"),
        ("operation", "'delete'"),
        ("object_kind", "'scope_map'"),
        ("object", "'Other'"),
        ("before", "'{}'"),
        ("after", "null"),
        ("revision", "revision + 1"),
        ("key_id", "'0000000000000000'"),
        ("seal", "'00'"),
    ] {
        database
            .sql(&format!("create table kept as select * from audit where number = {number}"))
            .await;
        database.sql(&format!("update audit set {column} = {value} where number = {number}")).await;
        let found = report(&store).await;
        assert_eq!(found.faults.len(), 1, "{column}: {:?}", found.faults);
        says(&found, &[&format!("row {number} was altered")]);
        database
            .sql(&format!("delete from audit where number = {number}; insert into audit select * from kept; drop table kept"))
            .await;
        says(&report(&store).await, &[]);
    }
}

async fn missing_moved_and_cut_rows_are_found(database: Database) {
    let (store, number) = filled(&database).await;
    let (next, last) = (number + 1, number + 2);
    let head = report(&store).await.last;
    let swap = format!(
        "update audit set number = -1 where number = {number};
         update audit set number = {number} where number = {next};
         update audit set number = {next} where number = -1"
    );
    database.sql(&swap).await;
    let moved = [
        format!("row {number} was sealed as row {next}"),
        format!("row {next} was sealed as row {number}"),
    ];
    let found = report(&store).await;
    assert!(
        moved.iter().any(|line| found.faults.iter().any(|fault| fault.to_string() == *line)),
        "{found:?}"
    );
    database.sql(&swap).await;
    says(&report(&store).await, &[]);

    database.sql(&format!("delete from audit where number = {last}")).await;
    says(
        &report(&store).await,
        &[&format!("the trail ends with row {next}, and row {last} was written")],
    );
    // With the head set back, only a head from elsewhere tells.
    database
        .sql(&format!("update audit_head set number = {next}, seal = (select seal from audit where number = {next})"))
        .await;
    says(&report(&store).await, &[]);
    let known = verify(&store, &[key(0)], Some(&head)).await.unwrap();
    says(&known, &[&format!("the trail ends with row {next}, and row {last} was written")]);
    // And a change that is written after the cut has the same number, and another seal.
    put(&store, &["Fifth"]).await;
    let known = verify(&store, &[key(0)], Some(&head)).await.unwrap();
    says(&known, &[&format!("row {last} is not the one that the head names")]);

    database.sql(&format!("delete from audit where number = {number}")).await;
    says(&report(&store).await, &[&format!("row {number} is missing")]);
}

/// Copies a row under another number, as the management API would show it.
async fn plant(database: &Database, number: i64, copy_of: i64) {
    let columns = "at, actor_kind, actor, provider, address, correlation_id, operation, object_kind, object, before, after, revision, key_id, seal";
    database
        .sql(&format!(
            "insert into audit (number, {columns}) select {number}, {columns} from audit where number = {copy_of}"
        ))
        .await;
}

/// Deletes rows as if all were old: how many went, and what kept the others.
async fn prune_all(store: &Store) -> (u64, Option<String>) {
    let now = rows(store).await.pop().unwrap().entry.at;
    let pruned = prune(store, &[key(0)], now + 1, now).await.unwrap();
    (pruned.deleted, pruned.stopped.map(|(number, fault)| format!("{number}: {fault}")))
}

async fn rows_outside_the_chain_are_found(database: Database) {
    let (store, number) = filled(&database).await;
    for outside in [0, -1, i64::MIN] {
        plant(&database, outside, number).await;
        let fault = format!(
            "1 rows with numbers from {outside} to {outside} are not of the trail, which begins after row 0"
        );
        says(&report(&store).await, &[&fault]);
        database.sql(&format!("delete from audit where number = {outside}")).await;
    }
    prune_all(&store).await;
    let deleted = report(&store).await.checkpoint.unwrap().number;
    for outside in [1, deleted] {
        plant(&database, outside, deleted + 1).await;
    }
    let fault = format!(
        "2 rows with numbers from 1 to {deleted} are not of the trail, which begins after row {deleted}"
    );
    says(&report(&store).await, &[&fault]);
}

async fn a_head_set_back_is_found(database: Database) {
    let (store, number) = filled(&database).await;
    let last = report(&store).await.last.number;
    database.sql(&format!("update audit_head set number = {number}, seal = (select seal from audit where number = {number})")).await;
    let fault = format!("the head in the database names row {number}, and row {last} is there");
    says(&report(&store).await, &[&fault]);
}

async fn a_head_of_a_deleted_row_is_not_compared(database: Database) {
    let (store, number) = filled(&database).await;
    let all = rows(&store).await;
    let head_of = |number: i64| {
        let row = all.iter().find(|row| row.number == number).unwrap();
        Head { number, seal: row.seal.clone() }
    };
    prune_all(&store).await;
    let deleted = report(&store).await.checkpoint.unwrap().number;
    let fault = format!(
        "row {number}, which the head names, cannot be compared: rows up to {deleted} are deleted"
    );
    for (head, faults) in [
        (head_of(number), vec![fault]),
        (head_of(deleted), vec![]),
        (
            Head { number: deleted, ..head_of(number) },
            vec![format!("row {deleted} is not the one that the head names")],
        ),
    ] {
        let found = verify(&store, &[key(0)], Some(&head)).await.unwrap();
        says(&found, &faults.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

async fn another_key_is_named(database: Database) {
    let (store, _) = filled(&database).await;
    let last = report(&store).await.last.number;
    let found = verify(&store, &[key(1)], None).await.unwrap();
    says(&found, &[&format!("rows 1 to {last} were sealed with another key, {}", key(0).id())]);
    let found = verify(&store, &[key(1), key(0)], None).await.unwrap();
    says(&found, &[]);
}

async fn a_former_key_seals_no_later_row(database: Database) {
    let (store, _) = filled(&database).await;
    let keys = [key(1), key(0)];
    let newer = open_with(&database, key(1)).await;
    put(&newer, &["Fifth"]).await;
    let found = verify(&store, &keys, None).await.unwrap();
    says(&found, &[]);
    let first = found.last.number + 1;
    put(&store, &["Sixth", "Seventh"]).await;
    let fault = format!(
        "rows {first} to {} were sealed with a former key, {}, after a row of a newer key",
        first + 1,
        key(0).id()
    );
    says(&verify(&store, &keys, None).await.unwrap(), &[&fault]);
    let now = rows(&store).await.pop().unwrap().entry.at;
    let pruned = prune(&newer, &keys, now + 1, now).await.unwrap();
    assert_eq!((pruned.deleted, pruned.stopped.unwrap().0), ((first - 1).unsigned_abs(), first));
}

async fn old_rows_leave_a_checkpoint(database: Database) {
    let (store, _) = filled(&database).await;
    let last = report(&store).await.last.number;
    let now = rows(&store).await.pop().unwrap().entry.at;
    let pruned = prune(&store, &[key(0)], now - 3600, now).await.unwrap();
    assert_eq!(pruned.deleted, 0, "nothing is old");
    assert_eq!(prune_all(&store).await, (last.unsigned_abs(), None));
    let found = report(&store).await;
    says(&found, &[]);
    assert_eq!((found.rows, found.checkpoint.unwrap().number), (1, last));
    let prune = rows(&store).await.pop().unwrap();
    assert_eq!((prune.entry.operation.as_str(), prune.number), ("prune", last + 1));
    // What was deleted without a checkpoint is missing.
    database.sql("update audit_checkpoint set number = number - 1").await;
    let found = report(&store).await;
    says(&found, &["the checkpoint was altered", &format!("row {last} is missing")]);
}

async fn rows_that_do_not_verify_are_not_deleted(database: Database) {
    let (store, number) = filled(&database).await;
    let last = number + 2;
    database.sql(&format!("update audit set at = 1, actor = 'x' where number = {number}")).await;
    let altered = Some(format!("{number}: row {number} was altered"));
    let before = (number - 1).unsigned_abs();
    assert_eq!(prune_all(&store).await, (before, altered.clone()));
    assert_eq!(prune_all(&store).await, (0, altered), "and again");
    let found = report(&store).await;
    assert_eq!(found.checkpoint.unwrap().number, number - 1);
    assert!(found.faults.iter().any(|fault| fault.to_string().contains("was altered")));

    // Old by a time that was not sealed, from the first row on.
    let database = database.another().await;
    let (store, _) = filled(&database).await;
    database.sql("update audit set at = 1").await;
    let pruned = prune(&store, &[key(0)], 1000, 2000).await.unwrap();
    assert_eq!((pruned.deleted, pruned.stopped.unwrap().0), (0, 1));
    let pruned = prune(&store, &[key(1)], i64::MAX, 2000).await.unwrap();
    assert_eq!((pruned.deleted, pruned.stopped.unwrap().0), (0, 1), "without the key");

    // Rows outside the chain stay, and so does all else.
    let database = database.another().await;
    let (store, _) = filled(&database).await;
    plant(&database, 0, last).await;
    assert_eq!(prune_all(&store).await.0, 0);
    database.sql("delete from audit where number = 0; update audit_head set number = 2").await;
    let head = "3: the head in the database names row 2, and row 3 is there";
    assert_eq!(prune_all(&store).await, (0, Some(head.into())));
}

async fn times_do_not_run_backwards(database: Database) {
    let (store, _) = filled(&database).await;
    let row = rows(&store).await.pop().unwrap();
    let mut later = row.clone();
    // The tolerance for clocks, a sign-in that waited, and a row that is too old.
    for (kind, before, faults) in [
        ("registry", 300, 0),
        ("management", 4000, 0),
        ("registry", 301, 1),
        ("registry", 400, 1),
        ("registry", 0, 1),
    ] {
        later.entry.at = row.entry.at - before;
        later.entry.object.kind = kind.into();
        store.append_audit(vec![later.entry.clone()]).await.unwrap();
        assert_eq!(report(&store).await.faults.len(), faults, "{before}");
    }
    let (from, to) = (row.number + 3, row.number + 4);
    let fault =
        |to| format!("rows {from} to {to} are more than 300 seconds older than a row before them");
    says(&report(&store).await, &[&fault(to)]);
    let stopped = Some(format!("{from}: {}", fault(from)));
    assert_eq!(prune_all(&store).await, ((from - 1).unsigned_abs(), stopped));
}

async fn writers_at_once_leave_one_chain(database: Database) {
    let stores = [open(&database).await, open(&database).await];
    let before = report(&stores[0]).await.rows;
    let writers = (0..8).map(|writer| {
        let store = stores[writer % 2].by(Actor::command(&format!("writer {writer}")));
        tokio::spawn(async move {
            for turn in 0..5 {
                put(&store, &[&format!("token-{writer}-{turn}")]).await;
                store.append_audit(Vec::new()).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let found = report(&stores[1]).await;
    says(&found, &[]);
    assert_eq!(found.rows, before + 40);
    assert_ne!(found.last, Head::default());
}

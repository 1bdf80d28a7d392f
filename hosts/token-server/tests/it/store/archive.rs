//! Moving the oldest rows of the trail into a file: what pruning stops at goes with them, and what
//! was wrong is in the row that is left.

use scopegate_server::testing::domain::audit::{Archived, archive, prune, verify};
use scopegate_server::testing::model::audit::{Actor, AuditKey, Row};
use scopegate_server::testing::model::secret_key::SecretKey;
use scopegate_server::testing::store::{Store, Trail};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::put;
use crate::support::database::Database;

on_both!(
    rows_that_do_not_verify_go_into_a_file
    every_row_is_in_the_file_as_it_is_stored
    what_cannot_be_moved_stays
    a_snapshot_sees_no_later_cut
);

fn key() -> AuditKey {
    let mut bytes = [7; 32];
    bytes[0] = 1;
    AuditKey::new(&SecretKey::read(&bytes).unwrap())
}

/// A store with five rows or more, and the number of the one before the last.
async fn filled(database: &Database) -> (Store, i64) {
    let trail = Trail { key: key(), listener: std::sync::Arc::new(|_| {}) };
    let store = Store::open(database.folder.path(), database.url.as_deref(), trail).await.unwrap();
    for name in ["First", "Second", "Third", "Fourth"] {
        put(&store.by(Actor::command("apply")), &[name]).await;
    }
    let last = rows(&store).await.pop().unwrap().number;
    (store, last - 1)
}

async fn rows(store: &Store) -> Vec<Row> {
    store.read().await.unwrap().audit_after(i64::MIN, 1000).await.unwrap()
}

async fn faults(store: &Store) -> Vec<String> {
    let report = verify(store, &[key()], None).await.unwrap();
    report.faults.iter().map(ToString::to_string).collect()
}

async fn moved(database: &Database, store: &Store, until: i64) -> Result<Archived, String> {
    let file = database.folder.path().join(format!("until {until}"));
    let store = store.by(Actor::command("audit archive"));
    let now = rows(&store).await.pop().unwrap().entry.at;
    archive(&store, &[key()], &file, until, now).await.map_err(|error| format!("{error:#}"))
}

fn lines(database: &Database, until: i64) -> Vec<Value> {
    let text = std::fs::read_to_string(database.folder.path().join(format!("until {until}")));
    text.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn rows_that_do_not_verify_go_into_a_file(database: Database) {
    let (store, number) = filled(&database).await;
    database.sql(&format!("update audit set actor = 'x' where number = {number}")).await;
    database.sql("update audit set number = -5 where number = 1").await;
    let found = faults(&store).await;
    assert_eq!(found.len(), 3, "{found:?}");
    let stopped = prune(&store, &[key()], i64::MAX, 5000).await.unwrap();
    assert_eq!(stopped.deleted, 0);

    let archived = moved(&database, &store, number).await.unwrap();
    assert_eq!(archived.faults, found);
    assert_eq!(faults(&store).await, [""; 0], "what is left is whole");
    let left = rows(&store).await.pop().unwrap().entry;
    assert_eq!((left.operation.as_str(), left.actor.name.as_str()), ("archive", "audit archive"));
    let after: Value = serde_json::from_str(&left.after.unwrap()).unwrap();
    assert_eq!(
        after,
        json!({
            "until": archived.until.to_string(),
            "rows": number,
            "sha256": archived.digest,
            "faults": found,
        })
    );
    let pruned = prune(&store, &[key()], i64::MAX, left.at).await.unwrap();
    assert_eq!((pruned.deleted, pruned.stopped), (2, None), "pruning goes on");
}

async fn every_row_is_in_the_file_as_it_is_stored(database: Database) {
    let (store, number) = filled(&database).await;
    let before = rows(&store).await;
    let archived = moved(&database, &store, number).await.unwrap();
    assert_eq!((archived.rows, archived.faults.len()), (number.unsigned_abs(), 0));
    let path = database.folder.path().join(format!("until {number}"));
    let digest = Sha256::digest(std::fs::read(path).unwrap());
    assert_eq!(archived.digest, hex(&digest));
    let found = lines(&database, number);
    assert_eq!(found[0], json!({ "after": "0:" }));
    for (line, row) in found[1..].iter().zip(&before) {
        assert_eq!(line["number"], row.number);
        assert_eq!(line["seal"], row.seal.as_str());
        assert_eq!(line["after"].as_str(), row.entry.after.as_deref());
    }
    let last = rows(&store).await.pop().unwrap().number;
    moved(&database, &store, last).await.unwrap();
    let found = lines(&database, last);
    assert_eq!(found[0], json!({ "after": archived.until.to_string() }), "one follows another");
    assert_eq!(faults(&store).await, [""; 0]);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn what_cannot_be_moved_stays(database: Database) {
    let (store, number) = filled(&database).await;
    let before = rows(&store).await;
    let file = |until: i64| database.folder.path().join(format!("until {until}"));
    for until in [i64::MIN, 0, number + 2, i64::MAX] {
        let error = moved(&database, &store, until).await.unwrap_err();
        assert!(error.ends_with(&format!("the trail has no row {until}")), "{error}");
        assert!(!file(until).exists());
    }
    std::fs::write(file(number), "mine").unwrap();
    let error = moved(&database, &store, number).await.unwrap_err();
    assert!(error.contains("exists"), "{error}");
    assert_eq!(std::fs::read(file(number)).unwrap(), b"mine");
    assert_eq!(rows(&store).await, before);
}

async fn a_snapshot_sees_no_later_cut(database: Database) {
    let (store, number) = filled(&database).await;
    let mut read = store.snapshot().await.unwrap();
    assert_eq!(read.audit_checkpoint().await.unwrap(), None);
    moved(&database, &store, number).await.unwrap();
    let seen = read.audit_after(0, 1000).await.unwrap();
    assert_eq!(seen.first().map(|row| row.number), Some(1));
    assert_eq!(read.audit_checkpoint().await.unwrap(), None);
    assert_eq!(rows(&store).await.first().map(|row| row.number), Some(number + 1));
}

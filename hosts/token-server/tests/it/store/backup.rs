//! Backups: written while servers write, restored into a database of either kind, and what was
//! revoked since does not come back. What others have written into a backup runs nothing.

use std::path::{Path, PathBuf};

use scopegate_server::testing::clock;
use scopegate_server::testing::domain::audit::{Report, prune, verify};
use scopegate_server::testing::domain::edit::registry::{self, RegistryEdit};
use scopegate_server::testing::domain::edit::scope_maps::{self, ScopeMapEdit};
use scopegate_server::testing::domain::restore::{Options, Restored, restore};
use scopegate_server::testing::model::audit::{Actor, AuditKey, Head};
use scopegate_server::testing::model::secret_key::SecretKey;
use scopegate_server::testing::store::{ScopeMapRecord, Store, TokenRecord, Trail};

use super::{delete, put, token};
use crate::support::database::Database;

on_both!(
    a_backup_goes_into_a_database_of_either_kind
    every_table_is_in_a_backup
    what_was_changed_since_comes_back_disabled
    a_database_that_is_not_empty_is_kept
    a_backup_is_consistent_while_others_write
    a_file_with_another_schema_is_refused
    a_backup_that_no_server_can_read_is_refused
    keys_that_were_replaced_since_stay_replaced
    keys_that_no_server_can_read_are_refused
    after_another_restore_everything_is_disabled
    rights_of_a_map_that_was_deleted_since_do_not_come_back
    a_trail_that_begins_behind_the_backup_goes_on_from_it
    a_trail_that_does_not_go_on_stays_and_asks
);

/// What seals the trails of these tests.
fn key() -> AuditKey {
    let mut bytes = [7; 32];
    bytes[0] = 1;
    AuditKey::new(&SecretKey::read(&bytes).unwrap())
}

async fn open(database: &Database) -> Store {
    let trail = Trail { key: key(), listener: std::sync::Arc::new(|_| {}) };
    Store::open(database.folder.path(), database.url.as_deref(), trail).await.unwrap()
}

async fn report(store: &Store) -> Report {
    report_behind(store, None).await
}

/// The same, with a row that must be in the trail.
async fn report_behind(store: &Store, known: Option<&Head>) -> Report {
    verify(store, &[key()], known).await.unwrap()
}

/// Deletes every row of the trail.
async fn prune_all(store: &Store) -> u64 {
    let now = clock::now();
    prune(store, &[key()], now + 1, now).await.unwrap().deleted
}

async fn back_up(store: &Store, database: &Database) -> PathBuf {
    let path = database.folder.path().join("a backup?.db");
    store.back_up(&path).await.unwrap();
    path
}

async fn restored(
    store: &Store,
    database: &Database,
    path: &Path,
    options: Options,
) -> anyhow::Result<Restored> {
    restore(store, path, database.folder.path(), options).await
}

/// The tokens as `name` or `name (disabled)`, in order.
async fn tokens(store: &Store) -> Vec<String> {
    let tokens = store.changes(0).await.unwrap().tokens;
    let mut names: Vec<String> = tokens
        .into_iter()
        .map(|token| token.name + if token.enabled { "" } else { " (disabled)" })
        .collect();
    names.sort();
    names
}

async fn put_map(store: &Store, name: &str, action: &str) {
    let action = action.strip_prefix("repositories/").unwrap();
    put_maps(store, name, &[action]).await;
}

/// Makes or changes a map, by the ends of its actions.
async fn put_maps(store: &Store, name: &str, actions: &[&str]) {
    let mut write = store.write().await.unwrap();
    let actions = actions.iter().map(|action| format!("repositories/{action}")).collect();
    let edit = ScopeMapEdit { description: None, actions: Some(actions) };
    scope_maps::put(&mut write, name, edit).await.unwrap();
    write.commit().await.unwrap();
}

async fn a_backup_goes_into_a_database_of_either_kind(database: Database) {
    let store = open(&database).await;
    put_map(&store, "first-map", "repositories/a/content/read").await;
    put(&store.by(Actor::command("apply")), &["First", "Second"]).await;
    let (path, before) = (back_up(&store, &database).await, report(&store).await);
    for other in [Database::sqlite(), Database::postgres().await] {
        let there = open(&other).await;
        let done = restored(&there, &other, &path, Options::default()).await.unwrap();
        assert_eq!(tokens(&there).await, ["First", "Second"]);
        let [from, to] = [&store, &there].map(|store| store.changes(0));
        let (from, to) = (from.await.unwrap(), to.await.unwrap());
        assert_eq!(format!("{:?}", from.scope_maps), format!("{:?}", to.scope_maps));
        assert_eq!((from.registry.rid, from.keys), (to.registry.rid, to.keys));
        assert_ne!(from.registry.epoch, to.registry.epoch);
        assert!(to.registry.revision > from.registry.revision);
        assert!(done.since.is_none(), "nobody knows here what was changed since");
        let after = report(&there).await;
        assert_eq!(after.faults, []);
        assert_eq!(after.rows, before.rows + 2, "the trail goes on");
        // And the database works.
        put(&there, &["Third"]).await;
        assert_eq!(delete(&there, "third").await, done.revision + 2);
    }
}

async fn every_table_is_in_a_backup(database: Database) {
    let store = open(&database).await;
    drop(store);
    let tables = if database.url.is_some() {
        "select count(*) from information_schema.tables where table_schema = 'public' and table_name not like '\\_sqlx%'"
    } else {
        "select count(*) from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\' and name not like '\\_sqlx%' escape '\\'"
    };
    assert_eq!(database.number(tables).await, Store::tables_of_a_backup());
}

async fn what_was_changed_since_comes_back_disabled(database: Database) {
    let store = open(&database).await;
    put_maps(&store, "first-map", &["a/content/read", "a/content/write"]).await;
    put_map(&store, "second-map", "repositories/a/content/write").await;
    put(&store, &["Kept", "Deleted", "Disabled", "Regenerated"]).await;
    let path = back_up(&store, &database).await;
    delete(&store, "deleted").await;
    for name in ["Disabled", "Regenerated"] {
        let mut write = store.write().await.unwrap();
        let enabled = name != "Disabled";
        let token = TokenRecord { enabled, ..token(&write, name) };
        write.put(&token).await.unwrap();
        write.commit().await.unwrap();
    }
    let mut write = store.write().await.unwrap();
    let edit = RegistryEdit { authentication_as_arm: Some(false), ..RegistryEdit::default() };
    registry::patch(&mut write, edit).await.unwrap();
    write.commit().await.unwrap();
    put_maps(&store, "first-map", &["*/content/delete", "a/content/read"]).await;
    put_map(&store, "new-map", "repositories/a/content/read").await;
    put(&store, &["New"]).await;
    let replaces = Options { replaces: true, as_it_was: false };
    let done = restored(&store, &database, &path, replaces).await.unwrap();
    let expected = ["Deleted (disabled)", "Disabled (disabled)", "Kept", "Regenerated (disabled)"];
    assert_eq!(tokens(&store).await, expected);
    let disabled: Vec<_> = done.disabled.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(disabled, ["first-map", "Deleted", "Disabled", "Regenerated", ""]);
    assert_eq!(done.since.unwrap().len(), 7, "what was lost is said");
    let mut read = store.read().await.unwrap();
    assert!(!read.registry().await.unwrap().authentication_as_arm);
    for (name, actions) in [
        ("first-map", &["repositories/a/content/read"][..]),
        ("second-map", &["repositories/a/content/write"]),
    ] {
        let map: ScopeMapRecord = read.find(name).await.unwrap().unwrap();
        assert_eq!(map.actions, actions, "{name}");
    }
    assert!(read.find::<ScopeMapRecord>("new-map").await.unwrap().is_none());
    assert_eq!(report(&store).await.faults, []);
    // As it was, when that is what is wanted: the trail still tells.
    let as_it_was = Options { replaces: true, as_it_was: true };
    restored(&store, &database, &path, as_it_was).await.unwrap();
    assert_eq!(tokens(&store).await, ["Deleted", "Disabled", "Kept", "Regenerated"]);
    let registry = store.read().await.unwrap().registry().await.unwrap();
    assert!(registry.authentication_as_arm);
    assert_eq!(report(&store).await.faults, []);
}

async fn a_database_that_is_not_empty_is_kept(database: Database) {
    let store = open(&database).await;
    put(&store, &["First"]).await;
    let path = back_up(&store, &database).await;
    put(&store, &["Second"]).await;
    let folder = database.folder.path();
    let newer = folder.join("newer.db");
    std::fs::copy(&path, &newer).unwrap();
    crate::support::database::run(
        &format!("sqlite://{}", newer.display()),
        "update _sqlx_migrations set version = 9999 where version = (select max(version) from _sqlx_migrations)",
    )
    .await;
    std::fs::write(folder.join("text.db"), "not a database").unwrap();
    for (file, replaces, says) in [
        ("a backup?.db", false, "the database is not empty"),
        ("missing.db", true, "cannot read the backup"),
        ("text.db", true, "cannot read the backup"),
        ("newer.db", true, "newer version"),
    ] {
        let options = Options { replaces, as_it_was: false };
        let error = restored(&store, &database, &folder.join(file), options).await.unwrap_err();
        assert!(format!("{error:#}").contains(says), "{file}: {error:#}");
    }
    assert_eq!(tokens(&store).await, ["First", "Second"]);
    let error = store.back_up(&path).await.unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
    assert!(store.back_up(&folder.join("no/such/folder")).await.is_err());
    let left = std::fs::read_dir(folder).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name().into_string().unwrap();
        name.contains("partial") || name.starts_with(".restore")
    });
    assert_eq!(left.count(), 0);
}

async fn a_backup_is_consistent_while_others_write(database: Database) {
    let store = open(&database).await;
    let writer = store.by(Actor::command("writer"));
    let writing = tokio::spawn(async move {
        for number in 0..60 {
            put(&writer, &[&format!("first-{number}"), &format!("second-{number}")]).await;
        }
    });
    let path = back_up(&store, &database).await;
    writing.await.unwrap();
    let other = database.another().await;
    let there = open(&other).await;
    restored(&there, &other, &path, Options::default()).await.unwrap();
    assert_eq!(tokens(&there).await.len() % 2, 0, "half a change is in it");
    assert_eq!(report(&there).await.faults, []);
}

const REPLACES: Options = Options { replaces: true, as_it_was: false };

/// A copy of a backup in which these statements ran.
async fn edited(path: &Path, statements: &str) -> PathBuf {
    let copy = path.with_file_name("edited.db");
    std::fs::copy(path, &copy).unwrap();
    let url = format!("sqlite://{}", copy.display());
    crate::support::database::run(&url, statements).await;
    copy
}

/// Each would run what the author of the file wrote, or be read as something else.
async fn a_file_with_another_schema_is_refused(database: Database) {
    let store = open(&database).await;
    put(&store, &["First"]).await;
    let path = back_up(&store, &database).await;
    let injected = database.folder.path().join("injected");
    let attach = format!(
        "drop table revoked_tokens; create table revoked_tokens (\"jti, expires_at, revision) values ('1', 2, 3);
         attach '{}' as other; create table other.x (a); --\" text, b text);
         insert into revoked_tokens values ('x', 'y')",
        injected.display()
    );
    for statements in [
        attach.as_str(),
        "create view endless as with recursive n (i) as (select 1 union all select i + 1 from n) select i from n",
        "create trigger t after insert on _sqlx_migrations begin delete from audit; end",
        "create trigger t after delete on tokens begin delete from audit; end",
        "drop table writes; create view writes as select 1 as revision, 'x' as id",
        "alter table tokens add column more text default 'x'",
        "create index more on tokens (upper(name))",
        "create table more (a)",
        "drop table backup; create table backup (made_at bigint not null default 1)",
        "drop table _sqlx_migrations",
        "drop table _sqlx_migrations; create view _sqlx_migrations as select 1 as version",
    ] {
        let file = edited(&path, statements).await;
        let error = restored(&store, &database, &file, REPLACES).await.unwrap_err();
        let error = format!("{error:#}");
        assert!(
            error.contains("its schema is not this program's") || error.contains("not a backup"),
            "{statements}: {error}"
        );
    }
    assert!(!injected.exists());
    assert_eq!(tokens(&store).await, ["First"]);
    restored(&store, &database, &path, REPLACES).await.unwrap();
}

async fn a_backup_that_no_server_can_read_is_refused(database: Database) {
    let store = open(&database).await;
    put_map(&store, "first-map", "repositories/a/content/read").await;
    put(&store, &["First"]).await;
    let path = back_up(&store, &database).await;
    for statements in [
        "update registry set revision = 9223372036854775807",
        "update registry set revision = -1",
        "update audit_head set number = -9223372036854775808",
        "update scope_maps set actions = 'no list'",
        "update tokens set passwords = '[17]'",
        "update tokens set generation = 'text'",
        "update scope_maps set actions = '[\"no action\"]'",
        "update tokens set generation = 1000",
        "update scope_maps set generation = 1000",
        "update registry set admin_generation = 1000",
        "update registry set anonymous_generation = 1000",
    ] {
        let file = edited(&path, statements).await;
        let refused = restored(&store, &database, &file, REPLACES).await;
        assert!(refused.is_err(), "{statements}");
        assert_eq!(tokens(&store).await, ["First"], "{statements}");
    }
    assert_eq!(report(&store).await.faults, []);
}

async fn keys_that_were_replaced_since_stay_replaced(database: Database) {
    let store = open(&database).await;
    let insert = |kid: &str| {
        format!(
            "insert into signing_keys values ('{kid}', 'ES256', 'private', 'certificate', 1, 1)"
        )
    };
    database.sql(&insert("old")).await;
    put(&store, &["First"]).await;
    let path = back_up(&store, &database).await;
    let mut write = store.write().await.unwrap();
    write.delete_key("old").await.unwrap();
    write.commit().await.unwrap();
    database.sql(&insert("new")).await;
    for as_it_was in [false, true] {
        let options = Options { replaces: true, as_it_was };
        restored(&store, &database, &path, options).await.unwrap();
        let old = "select count(*) from signing_keys where kid = 'old'";
        assert_eq!(database.number(old).await, 0, "a key that may be in other hands is back");
        assert_eq!(database.number("select count(*) from signing_keys").await, 1);
    }
}

async fn rights_of_a_map_that_was_deleted_since_do_not_come_back(database: Database) {
    let store = open(&database).await.by(Actor::command("apply"));
    put_map(&store, "deleted-map", "repositories/a/content/write").await;
    let path = back_up(&store, &database).await;
    let mut write = store.write().await.unwrap();
    assert!(write.delete::<ScopeMapRecord>("deleted-map").await.unwrap());
    write.commit().await.unwrap();
    let done = restored(&store, &database, &path, REPLACES).await.unwrap();
    let disabled: Vec<_> = done.disabled.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(disabled, ["deleted-map"]);
    let map = async || {
        let map = store.read().await.unwrap().find::<ScopeMapRecord>("deleted-map").await;
        map.unwrap().unwrap().actions
    };
    assert_eq!(map().await, Vec::<String>::new());
    let as_it_was = Options { as_it_was: true, ..REPLACES };
    restored(&store, &database, &path, as_it_was).await.unwrap();
    assert_eq!(map().await, ["repositories/a/content/write"]);
}

/// As it does when rows are kept for a time, and the backup is older.
async fn a_trail_that_begins_behind_the_backup_goes_on_from_it(database: Database) {
    let store = open(&database).await;
    put(&store, &["First", "Second"]).await;
    let path = back_up(&store, &database).await;
    assert!(prune_all(&store).await > 0);
    delete(&store, "first").await;
    let done = restored(&store, &database, &path, REPLACES).await.unwrap();
    let since = done
        .since
        .unwrap()
        .into_iter()
        .map(|row| row.entry.operation + " " + &row.entry.object.name);
    assert_eq!(since.collect::<Vec<_>>(), ["prune ", "delete First"]);
    assert_eq!(tokens(&store).await, ["First (disabled)", "Second"]);
    assert_eq!(report(&store).await.faults, []);
}

/// Of a sibling with the same keys, or where rows behind the backup are deleted already.
async fn a_trail_that_does_not_go_on_stays_and_asks(database: Database) {
    let (store, other) = (open(&database).await, database.another().await);
    let sibling = open(&other).await;
    put(&sibling, &["Sibling"]).await;
    let of_sibling = back_up(&sibling, &other).await;
    let owner = store.by(Actor::command("apply"));
    put(&owner, &["First"]).await;
    delete(&owner, "first").await;
    let older = back_up(&store, &database).await;
    put(&store, &["Second"]).await;
    prune_all(&store).await;
    delete(&owner, "second").await;
    for path in [&of_sibling, &older] {
        for replaces in [false, true] {
            // No token is left; a trail is.
            let options = Options { replaces, as_it_was: false };
            let error = restored(&store, &database, path, options).await.unwrap_err().to_string();
            let says = if replaces { "does not go on" } else { "not empty" };
            assert!(error.contains(says), "{error}");
        }
        let last = store.read().await.unwrap().audit_head().await.unwrap();
        let as_it_was = Options { as_it_was: true, ..REPLACES };
        restored(&store, &database, path, as_it_was).await.unwrap();
        let report = report_behind(&store, Some(&last)).await;
        assert_eq!(report.faults, [], "a row of the trail was deleted");
    }
    assert_eq!(tokens(&store).await, Vec::<String>::new());
}

async fn keys_that_no_server_can_read_are_refused(database: Database) {
    let store = open(&database).await;
    put(&store, &["First"]).await;
    let path = back_up(&store, &database).await;
    let empty = database.another().await;
    let store = open(&empty).await;
    for statements in [
        "insert into signing_keys values ('kid', 'ES256', 'private', 'certificate', 1, 1)",
        "insert into signing_keys values ('kid', 'ES256', 'scopegate-sealed:v1:x:y', 'z', 1, 1)",
        "insert into signing_authority (private_key, certificate) values ('private', 'certificate')",
    ] {
        let file = edited(&path, statements).await;
        let refused = restored(&store, &empty, &file, Options::default()).await;
        let error = format!("{:#}", refused.unwrap_err());
        assert!(error.starts_with("the backup holds what no server can read: "), "{error}");
        assert!(tokens(&store).await.is_empty(), "{statements}");
    }
    restored(&store, &empty, &path, Options::default()).await.unwrap();
}

/// The trail has one row for a restore, which may have taken anything away.
async fn after_another_restore_everything_is_disabled(database: Database) {
    let store = open(&database).await;
    put(&store, &["First"]).await;
    let first = back_up(&store, &database).await;
    let older = first.with_file_name("older.db");
    std::fs::rename(&first, &older).unwrap();
    put(&store, &["Second"]).await;
    put_map(&store, "some-map", "repositories/a/content/write").await;
    let later = back_up(&store, &database).await;
    for as_it_was in [false, true] {
        restored(&store, &database, &older, Options { as_it_was, ..REPLACES }).await.unwrap();
        let done = restored(&store, &database, &later, REPLACES).await.unwrap();
        assert_eq!(tokens(&store).await, ["First (disabled)", "Second (disabled)"]);
        let disabled: Vec<_> = done.disabled.iter().map(|object| object.name.as_str()).collect();
        assert_eq!(disabled, ["some-map", "First", "Second"]);
    }
    assert_eq!(report(&store).await.faults, []);
}

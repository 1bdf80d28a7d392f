//! Backups: written while servers write, restored into a database of either kind, and what was
//! revoked since does not come back.

use std::path::{Path, PathBuf};

use scopegate_server::testing::domain::audit::{Report, verify};
use scopegate_server::testing::domain::edit::scope_maps::{self, ScopeMapEdit};
use scopegate_server::testing::domain::restore::{Options, Restored, restore};
use scopegate_server::testing::model::audit::{Actor, AuditKey};
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
);

async fn open(database: &Database) -> Store {
    let mut bytes = [7; 32];
    bytes[0] = 1;
    let key = AuditKey::new(&SecretKey::read(&bytes).unwrap());
    let trail = Trail { key, listener: std::sync::Arc::new(|_| {}) };
    Store::open(database.folder.path(), database.url.as_deref(), trail).await.unwrap()
}

async fn report(store: &Store) -> Report {
    let mut bytes = [7; 32];
    bytes[0] = 1;
    verify(store, &[AuditKey::new(&SecretKey::read(&bytes).unwrap())], None).await.unwrap()
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
    let mut write = store.write().await.unwrap();
    let edit = ScopeMapEdit { description: None, actions: Some(vec![action.into()]) };
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
    put_map(&store, "first-map", "repositories/a/content/write").await;
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
    put_map(&store, "first-map", "repositories/a/content/read").await;
    put(&store, &["New"]).await;
    let replaces = Options { replaces: true, as_it_was: false };
    let done = restored(&store, &database, &path, replaces).await.unwrap();
    let expected = ["Deleted (disabled)", "Disabled (disabled)", "Kept", "Regenerated (disabled)"];
    assert_eq!(tokens(&store).await, expected);
    let disabled: Vec<_> = done.disabled.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(disabled, ["Deleted", "Disabled", "Regenerated"]);
    assert_eq!(done.since.unwrap().len(), 5, "what was lost is said");
    let mut read = store.read().await.unwrap();
    for (name, action) in [("first-map", "read"), ("second-map", "write")] {
        let map: ScopeMapRecord = read.find(name).await.unwrap().unwrap();
        assert_eq!(map.actions, [format!("repositories/a/content/{action}")], "{name}");
    }
    assert_eq!(report(&store).await.faults, []);
    // As it was, when that is what is wanted: the trail still tells.
    let as_it_was = Options { replaces: true, as_it_was: true };
    restored(&store, &database, &path, as_it_was).await.unwrap();
    assert_eq!(tokens(&store).await, ["Deleted", "Disabled", "Kept", "Regenerated"]);
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

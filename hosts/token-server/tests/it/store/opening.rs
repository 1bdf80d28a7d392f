//! How a database is opened: a fresh one, a newer one, an earlier one, and none.

use std::collections::BTreeSet;
use std::sync::Arc;

use scopegate_server::testing::domain::policy::Policy;
use scopegate_server::testing::model::password::PasswordDigest;
use scopegate_server::testing::store;

use crate::support::database::Database;

use super::snapshots::{BUILT_IN, RUNTIME};

on_both! {
    a_fresh_database_has_the_system_defined_maps
    a_newer_database_is_refused
    two_processes_open_a_fresh_database_at_once
}

async fn a_fresh_database_has_the_system_defined_maps(database: Database) {
    let store = database.open().await.unwrap();
    let changes = store.changes(0).await.unwrap();
    assert!(changes.is_everything);
    let maps: BTreeSet<_> = changes.scope_maps.iter().map(|map| map.key.as_str()).collect();
    let expected = [
        "_repositories_admin",
        "_repositories_pull",
        "_repositories_pull_metadata_read",
        "_repositories_push",
        "_repositories_push_metadata_write",
    ];
    assert_eq!(maps, BTreeSet::from(expected));
    let registry = changes.registry;
    assert_eq!((registry.rid.len(), registry.tenant.len()), (32, 36));
    assert!(!registry.admin_enabled && !registry.anonymous_pull);
    // Opened again, it is the same registry, and nothing is written.
    let again = database.open().await.unwrap().changes(0).await.unwrap().registry;
    assert_eq!((again.rid, again.revision), (registry.rid, registry.revision));
}

async fn a_newer_database_is_refused(database: Database) {
    drop(database.open().await.unwrap());
    database
        .sql("insert into _sqlx_migrations (version, description, success, checksum, execution_time) select 9000, 'later', success, checksum, 0 from _sqlx_migrations where version = 1")
        .await;
    let error = format!("{:#}", database.open().await.unwrap_err());
    assert!(error.contains("is of a newer version of this program"), "{error}");
    assert!(error.contains("9000") && !error.contains("scopegate@"), "{error}");
}

async fn two_processes_open_a_fresh_database_at_once(database: Database) {
    for _ in 0..5 {
        let fresh = database.another().await;
        let open = |_| {
            let (folder, url) = (fresh.folder.path().to_owned(), fresh.url.clone());
            tokio::spawn(async move { store::open(&folder, url.as_deref()).await })
        };
        let mut registries = BTreeSet::new();
        for opened in [1, 2, 3, 4].map(open) {
            let store = opened.await.unwrap().unwrap();
            registries.insert(store.changes(0).await.unwrap().registry.rid);
        }
        assert_eq!(registries.len(), 1);
        assert_eq!(fresh.number("select count(*) from scope_maps").await, 5);
    }
}

/// A database as the earliest version left it: SQLite was all that it knew. Its passwords are
/// `secret-one` and `secret-two`.
async fn database_of_the_first_schema() -> Database {
    let database = Database::sqlite();
    let digest = |password: &str| {
        let json = serde_json::to_string(&PasswordDigest::of(password)).unwrap();
        json.trim_matches('"').to_uppercase()
    };
    let (one, two) = (digest("secret-one"), digest("secret-two"));
    database.sql(include_str!("../../../migrations/sqlite/0001_policy.sql")).await;
    database
        .sql(&format!(
            "insert into registry values (1, '0123456789abcdef0123456789abcdef');
             insert into scope_maps values ('Reader-Map', 'reads', 100), ('empty-map', '', 101);
             insert into rules values ('reader-map', 1, 'repositories/b/content/read'), ('READER-map', 0, 'repositories/a/content/read');
             insert into tokens values ('Reader', 'reader-MAP', 1, 102), ('Mapless', null, 0, 103), ('Silent', 'empty-map', 1, 104);
             insert into passwords values ('READER', 'password2', x'{two}', 105, 2000000000), ('reader', 'password1', x'{one}', 106, null),
                ('mapless', 'password1', x'{one}', 107, null);"
        ))
        .await;
    record_first_migration(&database).await;
    database
}

#[tokio::test]
async fn the_first_schema_is_migrated_with_its_scope_maps() {
    let database = database_of_the_first_schema().await;
    let changes = database.open().await.unwrap().changes(0).await.unwrap();
    assert_eq!(changes.registry.rid, "0123456789abcdef0123456789abcdef");
    assert_eq!((changes.registry.tenant.len(), changes.registry.subscription.len()), (36, 36));
    let actions = |key: &str| {
        changes.scope_maps.iter().find(|map| map.key == key).map(|map| map.actions.join(" "))
    };
    let reader = "repositories/a/content/read repositories/b/content/read";
    assert_eq!(actions("reader-map").as_deref(), Some(reader));
    assert_eq!(actions("empty-map").as_deref(), Some(""));
    assert_eq!(changes.scope_maps.len(), 7);
}

#[tokio::test]
async fn the_first_schema_is_migrated_with_its_tokens_and_passwords() {
    let database = database_of_the_first_schema().await;
    let changes = database.open().await.unwrap().changes(0).await.unwrap();
    let policy = Policy::new(Arc::clone(&BUILT_IN)).apply(changes, &RUNTIME).unwrap();
    for (name, password, now, expected) in [
        ("Reader", "secret-one", i64::MAX, true),
        ("Reader", "secret-two", 1_999_999_999, true),
        ("Reader", "secret-two", 2_000_000_000, false),
        ("Reader", "secret-three", 0, false),
        ("Mapless", "secret-one", 0, true),
        ("Mapless", "secret-two", 0, false),
        ("Silent", "secret-one", 0, false),
    ] {
        let accepted = policy.token(name).unwrap().accepts(&PasswordDigest::of(password), now);
        assert_eq!(accepted.is_some(), expected, "{name} {password} {now}");
    }
    let map = |name: &str| policy.token(name).unwrap().scope_map.as_deref().map(ToOwned::to_owned);
    assert_eq!((map("Reader").as_deref(), map("Mapless")), (Some("reader-map"), None));
    assert!(policy.token("Reader").unwrap().enabled && !policy.token("Mapless").unwrap().enabled);
    assert_eq!(policy.token("READER").unwrap().name, "Reader");
}

/// Notes that the first step is done, in the words of the library that does them.
async fn record_first_migration(database: &Database) {
    let migrator = sqlx::migrate!("migrations/sqlite");
    let first = migrator.iter().next().unwrap();
    let checksum: String = first.checksum.iter().map(|byte| format!("{byte:02x}")).collect();
    database
        .sql(&format!(
            "create table _sqlx_migrations (version bigint primary key, description text not null,
                installed_on timestamp not null default current_timestamp, success boolean not null,
                checksum blob not null, execution_time bigint not null);
             insert into _sqlx_migrations (version, description, success, checksum, execution_time)
             values ({}, 'policy', true, x'{checksum}', 1)",
            first.version
        ))
        .await;
}

#[tokio::test]
async fn an_address_of_no_database_is_refused_without_its_secret() {
    let folder = tempfile::tempdir().unwrap();
    for url in ["", "nowhere", "mysql://root@localhost/x", "postgres://secret-name@127.0.0.1:1/x"] {
        let error = format!("{:#}", store::open(folder.path(), Some(url)).await.unwrap_err());
        assert!(!error.contains("secret-name"), "{error}");
    }
}

//! Changes since a revision: they are consecutive, whole, and everything for a reader that is too
//! far behind.

use std::collections::BTreeMap;
use std::time::Duration;

use scopegate_server::testing::domain::edit::registry::RegistryEdit;
use scopegate_server::testing::domain::edit::scope_maps::ScopeMapEdit;
use scopegate_server::testing::domain::edit::service_principals::ServicePrincipalEdit;
use scopegate_server::testing::domain::edit::{registry, scope_maps, service_principals};
use scopegate_server::testing::store::{
    History, Known, RecordKey, Revision, ServicePrincipalRecord, Store, TokenRecord,
};

use crate::support::OWNER;
use crate::support::database::Database;

use super::{changed, delete, put, token, words};

on_both! {
    revisions_are_consecutive_and_seen_in_order
    a_write_that_is_dropped_leaves_nothing
    writes_wait_for_each_other
    what_is_deleted_is_told_until_it_comes_back
    stale_readers_get_a_full_snapshot
    readers_of_a_restored_database_get_a_full_snapshot
    fault_9_a_restored_database_is_known_by_its_writes
    another_process_tells_its_news
}

/// Two write at once while one reads what is new, again and again. What it has put together in the
/// end is what there is.
async fn revisions_are_consecutive_and_seen_in_order(database: Database) {
    let store = database.open().await.unwrap();
    let start = store.changes(0).await.unwrap().registry.revision;
    let writers = ["first", "other"].map(|who| tokio::spawn(write_and_delete(store.clone(), who)));
    let mut known = BTreeMap::new();
    let mut seen = start;
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        follow(&store, &mut seen, &mut known).await;
    }
    follow(&store, &mut seen, &mut known).await;
    let mut revisions = Vec::new();
    for writer in writers {
        revisions.extend(writer.await.unwrap());
    }
    revisions.sort_unstable();
    assert_eq!(revisions, (start + 1..=seen).collect::<Vec<_>>());
    let everything = store.changes(0).await.unwrap();
    let expected: BTreeMap<_, _> =
        everything.tokens.into_iter().map(|token| (token.key, token.revision)).collect();
    assert_eq!(known, expected);
}

/// Writes, deletes and drops what it has written; tells the revisions that it has committed.
async fn write_and_delete(store: Store, who: &str) -> Vec<Revision> {
    let mut revisions = Vec::new();
    for round in 0..40_u64 {
        let mut write = store.write().await.unwrap();
        let name = format!("{who}-{}", round % 7);
        if round % 3 == 2 {
            write.delete::<TokenRecord>(&name).await.unwrap();
        } else {
            let token = token(&write, &name);
            write.put(&token).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(round % 3)).await;
        if round % 5 != 4 {
            revisions.push(write.commit().await.unwrap());
        }
    }
    revisions
}

async fn a_write_that_is_dropped_leaves_nothing(database: Database) {
    let store = database.open().await.unwrap();
    let before = put(&store, &["stays"]).await;
    let mut write = store.write().await.unwrap();
    assert_eq!(write.revision(), before + 1);
    let token = token(&write, "vanishes");
    write.put(&token).await.unwrap();
    write.delete::<TokenRecord>("stays").await.unwrap();
    registry::patch(
        &mut write,
        RegistryEdit {
            admin_enabled: Some(true),
            anonymous_pull: Some(true),
            authentication_as_arm: Some(false),
        },
    )
    .await
    .unwrap();
    drop(write);
    let changes = store.changes(0).await.unwrap();
    assert_eq!(words(&changes), "everything stays");
    assert_eq!(changes.registry.revision, before);
    assert!(!changes.registry.admin_enabled && !changes.registry.anonymous_pull);
    assert!(changes.registry.authentication_as_arm);
    // Nor does it hold anybody up.
    assert_eq!(put(&store, &["next"]).await, before + 1);
}

async fn writes_wait_for_each_other(database: Database) {
    let store = database.open().await.unwrap();
    let other = database.open().await.unwrap();
    let first = store.write().await.unwrap();
    let second = tokio::spawn(async move { other.write().await.unwrap().revision() });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!second.is_finished());
    // An open write is not visible, and readers do not wait for it.
    assert_eq!(store.changes(0).await.unwrap().registry.revision, first.revision() - 1);
    let revision = first.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), revision + 1);
}

async fn what_is_deleted_is_told_until_it_comes_back(database: Database) {
    let store = database.open().await.unwrap();
    let one = put(&store, &["alpha", "beta"]).await;
    let two = delete(&store, "alpha").await;
    let three = put(&store, &["alpha"]).await;
    let four = delete(&store, "beta").await;
    let mut write = store.write().await.unwrap();
    assert!(!write.delete::<TokenRecord>("nobody").await.unwrap());
    scope_maps::put(&mut write, "some-map", ScopeMapEdit::default()).await.unwrap();
    service_principals::put(&mut write, OWNER, ServicePrincipalEdit::default()).await.unwrap();
    let five = write.commit().await.unwrap();
    let mut write = store.write().await.unwrap();
    assert!(scope_maps::delete(&mut write, "Some-Map").await.unwrap());
    assert!(write.delete::<ServicePrincipalRecord>(&OWNER.to_uppercase()).await.unwrap());
    let six = write.commit().await.unwrap();
    let client = format!("-client:{OWNER} -map:some-map");
    for (since, expected) in [
        (one, format!("-beta {client} alpha")),
        // A re-created record has no tombstone, neither for readers that have seen the deletion nor
        // for others.
        (two, format!("-beta {client} alpha")),
        (three, format!("-beta {client}")),
        (four, client.clone()),
        (five, client.clone()),
        (six, String::new()),
        (0, format!("everything -beta {client} alpha")),
    ] {
        assert_eq!(changed(&store, since).await, expected, "{since}");
    }
}

async fn stale_readers_get_a_full_snapshot(database: Database) {
    let store = database.open().await.unwrap();
    put(&store, &["alpha", "beta", "gamma"]).await;
    let old = delete(&store, "alpha").await;
    // As many writes as departures are listed for.
    database.sql("update registry set revision = revision + 99999").await;
    let before = put(&store, &["delta"]).await;
    let new = delete(&store, "beta").await;
    assert_eq!(new, old + 100_001);
    for (since, expected) in [
        (old - 1, "everything -beta delta gamma"),
        (old, "everything -beta delta gamma"),
        (old + 1, "-beta delta"),
        (before, "-beta"),
        (new, ""),
    ] {
        assert_eq!(changed(&store, since).await, expected, "{since}");
    }
    assert_eq!(database.number("select count(*) from departures").await, 1);
}

async fn readers_of_a_restored_database_get_a_full_snapshot(database: Database) {
    let store = database.open().await.unwrap();
    let old = put(&store, &["alpha"]).await;
    let seen = put(&store, &["beta"]).await;
    database
        .sql(&format!(
            "delete from tokens where key = 'beta'; update registry set revision = {old}"
        ))
        .await;
    assert_eq!(changed(&store, seen).await, "everything alpha");
    assert_eq!(changed(&store, i64::MAX).await, "everything alpha");
    assert_eq!(changed(&store, -1).await, "everything alpha");
    assert_eq!(changed(&store, old).await, "");
}

/// Its revision is lower, or it was written past the one that was read: either way it is another
/// history, and gets another epoch.
async fn fault_9_a_restored_database_is_known_by_its_writes(database: Database) {
    let store = database.open().await.unwrap();
    let old = put(&store, &["alpha"]).await;
    put(&store, &["beta"]).await;
    let known = Known::from(&store.changes(0).await.unwrap().registry);
    let history = async |known: &Known| store.changes_since(known).await.unwrap().history;
    assert_eq!(history(&known).await, History::Same);
    put(&store, &["gamma"]).await;
    assert_eq!(history(&known).await, History::Same);
    database
        .sql(&format!(
            "delete from tokens where key <> 'alpha'; update registry set revision = {old};
             delete from writes where revision > {old}"
        ))
        .await;
    assert_eq!(history(&known).await, History::PutBack);
    for name in ["other-1", "other-2", "other-3"] {
        put(&store, &[name]).await;
    }
    assert_eq!(history(&known).await, History::PutBack);
    let epoch = store.begin_epoch(Some(&known)).await.unwrap().unwrap();
    // Another server that has seen the same is too late, and that is well.
    assert_eq!(store.begin_epoch(Some(&known)).await.unwrap(), None);
    let changes = store.changes_since(&known).await.unwrap();
    assert_eq!((changes.history, changes.is_everything), (History::AnotherEpoch, true));
    assert_eq!(changes.registry.epoch, epoch);
    assert!(epoch != known.epoch && changes.registry.revision > known.revision);
    let known = Known::from(&changes.registry);
    assert_eq!(history(&known).await, History::Same);
    assert!(store.begin_epoch(None).await.unwrap().is_some_and(|next| next != epoch));
    assert_eq!(history(&known).await, History::AnotherEpoch);
}

async fn another_process_tells_its_news(database: Database) {
    let store = database.open().await.unwrap();
    let other = database.open().await.unwrap();
    let mut news = store.change_listener().await.unwrap();
    let quiet = tokio::time::timeout(Duration::from_millis(500), news.wait()).await;
    assert!(quiet.is_err(), "nothing happened");
    drop(other.write().await.unwrap());
    let quiet = tokio::time::timeout(Duration::from_millis(500), news.wait()).await;
    assert!(quiet.is_err(), "nothing was committed");
    put(&other, &["alpha"]).await;
    // The promise is one second, for the way through the whole server.
    tokio::time::timeout(Duration::from_millis(900), news.wait()).await.unwrap().unwrap();
}

async fn follow(store: &Store, seen: &mut Revision, known: &mut BTreeMap<String, Revision>) {
    let changes = store.changes(*seen).await.unwrap();
    let revision = changes.registry.revision;
    assert!(!changes.is_everything && revision >= *seen);
    for token in changes.tokens {
        assert!((*seen + 1..=revision).contains(&token.revision));
        known.insert(token.key, token.revision);
    }
    for departure in changes.tombstones {
        assert!((*seen + 1..=revision).contains(&departure.revision));
        let RecordKey::Token(key) = departure.what else { panic!("{departure:?}") };
        known.remove(&key);
    }
    *seen = revision;
}

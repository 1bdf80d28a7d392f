//! What must hold of the database: the same of both kinds.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "what fails ends the test"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use proptest::prelude::*;
use scopegate_runtime::{Limits, Runtime};
use scopegate_server::testing::domain::edit::registry::RegistryEdit;
use scopegate_server::testing::domain::edit::scope_maps::ScopeMapEdit;
use scopegate_server::testing::domain::edit::service_principals::ServicePrincipalEdit;
use scopegate_server::testing::domain::edit::tokens::{Passwords, TokenEdit};
use scopegate_server::testing::domain::edit::{
    identities, passwords, registry, scope_maps, service_principals, tokens,
};
use scopegate_server::testing::domain::policy::{BuiltIn, Policy};
use scopegate_server::testing::model::password::PasswordDigest;
use scopegate_server::testing::store::{
    Changes, History, Known, KnownNetwork, Page, PasswordName, RecordKey, Revision,
    RevokedIdentity, Store, TokenRecord, Write,
};

use support::database::Database;

const CLIENT: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";

/// Runs each test on both databases.
macro_rules! on_both {
    ($($test:ident)*) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(Database::sqlite()).await;
            })*
        }

        mod postgres {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(Database::postgres().await).await;
            })*
        }
    };
}

on_both! {
    a_fresh_database
    revisions_are_consecutive_and_seen_in_order
    a_write_that_is_dropped_leaves_nothing
    writes_wait_for_each_other
    departures
    whoever_is_behind_what_departures_tell_gets_everything
    a_database_that_was_put_back_gives_everything
    pages
    pages_while_rows_come_and_go
    names_are_one_in_any_case
    known_networks_are_kept_and_forgotten
    a_map_that_a_token_has_cannot_go
    columns_that_hold_nonsense_are_errors
    a_newer_database_is_refused
    two_processes_open_a_fresh_database_at_once
    another_process_tells_its_news
    increments_add_up_to_everything
    providers_that_change_have_a_new_generation
    fault_9_a_database_that_was_put_back_is_known_by_its_writes
}

fn token(write: &Write, name: &str) -> TokenRecord {
    TokenRecord {
        key: name.to_lowercase(),
        name: name.into(),
        scope_map: None,
        enabled: true,
        passwords: Vec::new(),
        created_at: 0,
        revision: 0,
        generation: write.revision(),
    }
}

async fn put(store: &Store, names: &[&str]) -> Revision {
    let mut write = store.write().await.unwrap();
    for name in names {
        let token = token(&write, name);
        write.put_token(&token).await.unwrap();
    }
    write.commit().await.unwrap()
}

async fn delete(store: &Store, name: &str) -> Revision {
    let mut write = store.write().await.unwrap();
    assert!(write.delete(&RecordKey::Token(name.into())).await.unwrap());
    write.commit().await.unwrap()
}

/// What changed, in words: `everything`, tokens by name, `-` and what is gone.
fn words(changes: &Changes) -> String {
    let mut words: Vec<String> = changes.tokens.iter().map(|token| token.name.clone()).collect();
    words.extend(changes.departures.iter().map(|departure| match &departure.what {
        RecordKey::ScopeMap(key) => format!("-map:{key}"),
        RecordKey::Token(key) => format!("-{key}"),
        RecordKey::ServicePrincipal(key) => format!("-client:{key}"),
    }));
    words.sort();
    if changes.is_everything {
        words.insert(0, "everything".into());
    }
    words.join(" ")
}

async fn changed(store: &Store, since: Revision) -> String {
    words(&store.changes(since).await.unwrap())
}

async fn a_fresh_database(database: Database) {
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

/// They make no revision, the latest time of each stays, and those of before some time go.
async fn known_networks_are_kept_and_forgotten(database: Database) {
    let store = database.open().await.unwrap();
    let revision = store.changes(0).await.unwrap().registry.revision;
    let known = |client: &str, network: &str, right_at| KnownNetwork {
        client: client.to_owned(),
        network: network.parse().unwrap(),
        right_at,
    };
    let first = [known("a", "192.0.2.1", 100), known("a", "2001:db8::", 200)];
    store.keep_known_networks(&first, 0).await.unwrap();
    let second = [known("b", "192.0.2.1", 250), known("a", "2001:db8::", 300)];
    store.keep_known_networks(&second, 150).await.unwrap();
    let store = database.open().await.unwrap();
    let read = async |since, most| store.known_networks(since, most).await.unwrap();
    assert_eq!(read(0, 10).await, [second[1].clone(), second[0].clone()]);
    assert_eq!(read(0, 1).await, [second[1].clone()]);
    assert_eq!(read(250, 10).await, [second[1].clone()]);
    assert_eq!(store.changes(0).await.unwrap().registry.revision, revision);
}

/// A provider that is new, changed or gone has a new generation, in one write; the same providers
/// again write nothing.
async fn providers_that_change_have_a_new_generation(database: Database) {
    let store = database.open().await.unwrap();
    let keep = async |providers: &[(&str, &str)]| {
        let each = providers.iter().map(|(name, print)| ((*name).to_owned(), (*print).to_owned()));
        identities::keep_providers(&store, &each.collect()).await.unwrap()
    };
    let known = async || {
        let changes = store.changes(0).await.unwrap();
        let revision = changes.registry.revision;
        let mut each: Vec<_> = changes
            .providers
            .iter()
            .map(|p| {
                let state = if p.is_gone() { "gone" } else { p.fingerprint.as_str() };
                format!("{} {state} {} {}", p.name, p.generation == revision, p.revoked == revision)
            })
            .collect();
        each.sort();
        each.join(", ")
    };
    assert!(!keep(&[]).await);
    assert!(keep(&[("one", "a"), ("two", "a")]).await);
    assert_eq!(known().await, "one a true false, two a true false");
    let before = store.changes(0).await.unwrap().registry.revision;
    assert!(!keep(&[("one", "a"), ("two", "a")]).await);
    assert_eq!(store.changes(0).await.unwrap().registry.revision, before);
    assert!(keep(&[("one", "b"), ("two", "a")]).await);
    assert_eq!(known().await, "one b true false, two a false false");
    assert!(keep(&[("two", "a")]).await);
    assert_eq!(known().await, "one gone true true, two a false false");
    assert!(keep(&[("one", "b"), ("two", "a")]).await);
    assert_eq!(known().await, "one b true false, two a false false");
    let mut write = store.write().await.unwrap();
    identities::revoke(&mut write, "one", "Octo").await.unwrap();
    assert!(identities::revoke(&mut write, "none", "octo").await.is_err());
    let revision = write.commit().await.unwrap();
    let revoked = store.changes(before).await.unwrap().revoked_identities;
    let expected = RevokedIdentity { provider: "one".into(), subject: "octo".into(), revision };
    assert_eq!(revoked, [expected]);
}

/// Two write at once while one reads what is new, again and again. What it has put together in the
/// end is what there is.
async fn revisions_are_consecutive_and_seen_in_order(database: Database) {
    const ROUNDS: usize = 40;
    let store = database.open().await.unwrap();
    let start = store.changes(0).await.unwrap().registry.revision;
    let writers = ["first", "other"].map(|who| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut revisions = Vec::new();
            for round in 0..ROUNDS {
                let mut write = store.write().await.unwrap();
                let name = format!("{who}-{}", round % 7);
                if round % 3 == 2 {
                    write.delete(&RecordKey::Token(name)).await.unwrap();
                } else {
                    let token = token(&write, &name);
                    write.put_token(&token).await.unwrap();
                }
                tokio::time::sleep(Duration::from_millis(round as u64 % 3)).await;
                if round % 5 != 4 {
                    revisions.push(write.commit().await.unwrap());
                }
            }
            revisions
        })
    });
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

async fn follow(store: &Store, seen: &mut Revision, known: &mut BTreeMap<String, Revision>) {
    let changes = store.changes(*seen).await.unwrap();
    let revision = changes.registry.revision;
    assert!(!changes.is_everything && revision >= *seen);
    for token in changes.tokens {
        assert!((*seen + 1..=revision).contains(&token.revision));
        known.insert(token.key, token.revision);
    }
    for departure in changes.departures {
        assert!((*seen + 1..=revision).contains(&departure.revision));
        let RecordKey::Token(key) = departure.what else { panic!("{departure:?}") };
        known.remove(&key);
    }
    *seen = revision;
}

async fn a_write_that_is_dropped_leaves_nothing(database: Database) {
    let store = database.open().await.unwrap();
    let before = put(&store, &["stays"]).await;
    let mut write = store.write().await.unwrap();
    assert_eq!(write.revision(), before + 1);
    let token = token(&write, "vanishes");
    write.put_token(&token).await.unwrap();
    write.delete(&RecordKey::Token("stays".into())).await.unwrap();
    registry::patch(
        &mut write,
        RegistryEdit { admin_enabled: Some(true), anonymous_pull: Some(true) },
    )
    .await
    .unwrap();
    drop(write);
    let changes = store.changes(0).await.unwrap();
    assert_eq!(words(&changes), "everything stays");
    assert_eq!(changes.registry.revision, before);
    assert!(!changes.registry.admin_enabled && !changes.registry.anonymous_pull);
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
    // What is being written is not seen, and nobody who reads waits for it.
    assert_eq!(store.changes(0).await.unwrap().registry.revision, first.revision() - 1);
    let revision = first.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), revision + 1);
}

async fn departures(database: Database) {
    let store = database.open().await.unwrap();
    let one = put(&store, &["alpha", "beta"]).await;
    let two = delete(&store, "alpha").await;
    let three = put(&store, &["alpha"]).await;
    let four = delete(&store, "beta").await;
    let mut write = store.write().await.unwrap();
    assert!(!write.delete(&RecordKey::Token("nobody".into())).await.unwrap());
    scope_maps::put(&mut write, "some-map", ScopeMapEdit::default()).await.unwrap();
    service_principals::put(&mut write, CLIENT, ServicePrincipalEdit::default()).await.unwrap();
    let five = write.commit().await.unwrap();
    let mut write = store.write().await.unwrap();
    assert!(scope_maps::delete(&mut write, "Some-Map").await.unwrap());
    assert!(service_principals::delete(&mut write, &CLIENT.to_uppercase()).await.unwrap());
    let six = write.commit().await.unwrap();
    let client = format!("-client:{CLIENT} -map:some-map");
    for (since, expected) in [
        (one, format!("-beta {client} alpha")),
        // What came back is not gone, for whoever has seen it go and for whoever has not.
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

async fn whoever_is_behind_what_departures_tell_gets_everything(database: Database) {
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

async fn a_database_that_was_put_back_gives_everything(database: Database) {
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
async fn fault_9_a_database_that_was_put_back_is_known_by_its_writes(database: Database) {
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

/// The order is that of bytes, whatever language the database speaks.
async fn pages(database: Database) {
    let names = [
        "_______", "------", "-a-b-", "00000", "10000", "2-000", "a-b-c", "a_b_c", "aaaaa",
        "Ab-cd", "ABCDE", "zzzzz", "Zz-zz",
    ];
    let store = database.open().await.unwrap();
    put(&store, &names).await;
    let mut expected: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    expected.sort();
    let mut read = store.read().await.unwrap();
    for limit in [1, 2, 5, 13, 14, Page::MAX] {
        let mut page = Page { limit, ..Page::first() };
        let mut keys = Vec::new();
        loop {
            let tokens = read.tokens(&page).await.unwrap();
            assert!(tokens.len() <= usize::try_from(limit).unwrap());
            let Some(last) = tokens.last() else { break };
            page.after.clone_from(&last.key);
            keys.extend(tokens.into_iter().map(|token| token.key));
        }
        assert_eq!(keys, expected, "{limit}");
    }
    let maps = read.scope_maps(&Page::first()).await.unwrap();
    assert!(maps.is_sorted_by_key(|map| map.key.clone()) && maps.len() == 5);
    assert!(read.service_principals(&Page::first()).await.unwrap().is_empty());
}

async fn pages_while_rows_come_and_go(database: Database) {
    let store = database.open().await.unwrap();
    put(&store, &["b", "d", "f", "h"]).await;
    let mut read = store.read().await.unwrap();
    let mut keys = async |after: &str| {
        let page = Page { after: after.into(), limit: 2 };
        let tokens = read.tokens(&page).await.unwrap();
        tokens.into_iter().map(|token| token.key).collect::<String>()
    };
    assert_eq!(keys("").await, "bd");
    put(&store, &["a", "e"]).await;
    delete(&store, "d").await;
    delete(&store, "f").await;
    assert_eq!(keys("d").await, "eh");
    assert_eq!(keys("h").await, "");
}

async fn names_are_one_in_any_case(database: Database) {
    let store = database.open().await.unwrap();
    let mut write = store.write().await.unwrap();
    scope_maps::put(&mut write, "My_Map", ScopeMapEdit::default()).await.unwrap();
    let edit = TokenEdit { scope_map: Some("MY_MAP".into()), ..TokenEdit::default() };
    tokens::put(&mut write, "My-Token", "registry", edit).await.unwrap();
    tokens::put(&mut write, "MY-TOKEN", "registry", TokenEdit::default()).await.unwrap();
    service_principals::put(&mut write, &CLIENT.to_uppercase(), ServicePrincipalEdit::default())
        .await
        .unwrap();
    write.commit().await.unwrap();
    let mut read = store.read().await.unwrap();
    for name in ["my-token", "My-Token", "MY-TOKEN"] {
        let token = read.token(name).await.unwrap().unwrap();
        assert_eq!((token.key.as_str(), token.name.as_str()), ("my-token", "My-Token"));
        assert_eq!(token.scope_map.as_deref(), Some("my_map"));
    }
    for client in [CLIENT, &CLIENT.to_uppercase()] {
        let client = read.service_principal(client).await.unwrap().unwrap();
        assert_eq!((client.key, client.name), (CLIENT.to_owned(), CLIENT.to_uppercase()));
    }
    assert_eq!(read.scope_map("mY_mAP").await.unwrap().unwrap().name, "My_Map");
    assert!(read.token("my-toke%").await.unwrap().is_none());
}

async fn a_map_that_a_token_has_cannot_go(database: Database) {
    let store = database.open().await.unwrap();
    let mut write = store.write().await.unwrap();
    scope_maps::put(&mut write, "some-map", ScopeMapEdit::default()).await.unwrap();
    let record = TokenRecord { scope_map: Some("some-map".into()), ..token(&write, "alpha") };
    write.put_token(&record).await.unwrap();
    // By the database itself, whatever the edits check before.
    assert!(write.delete(&RecordKey::ScopeMap("some-map".into())).await.is_err());
    drop(write);
    let mut write = store.write().await.unwrap();
    let record = TokenRecord { scope_map: Some("no-map".into()), ..token(&write, "alpha") };
    assert!(write.put_token(&record).await.is_err());
}

/// Whoever edits the database by hand gets an error that says where, and the servers keep what they
/// have.
async fn columns_that_hold_nonsense_are_errors(database: Database) {
    let store = database.open().await.unwrap();
    let mut write = store.write().await.unwrap();
    let edit = TokenEdit { scope_map: Some("_repositories_pull".into()), ..TokenEdit::default() };
    tokens::put(&mut write, "alpha", "registry", edit).await.unwrap();
    service_principals::put(&mut write, CLIENT, ServicePrincipalEdit::default()).await.unwrap();
    write.commit().await.unwrap();
    let digest =
        format!("[{{\"name\":\"password1\",\"sha256\":\"{}\",\"createdAt\":0}}]", "0".repeat(64));
    for (table, column, good, nonsense) in [
        (
            "tokens",
            "passwords",
            "[]",
            &[
                "",
                "[",
                "{}",
                "null",
                "[{}]",
                "[1]",
                "[{\"name\":\"password3\",\"sha256\":\"\",\"createdAt\":0}]",
                &digest.replace("0\"", "g\""),
            ][..],
        ),
        ("tokens", "passwords", digest.as_str(), &[&digest[1..]]),
        ("scope_maps", "actions", "[]", &["", "[1]", "\"a\"", "[[]]"]),
        (
            "service_principals",
            "roles",
            "[\"Owner\"]",
            &["", "[1]", "[\"King\"]", "[\"Owner\",\"\"]"],
        ),
        ("service_principals", "scope_maps", "[]", &["x", "{}"]),
        ("service_principals", "secrets", "[]", &["x", "{}"]),
        ("registry", "admin_passwords", "[]", &["x", "{}", "[{}]"]),
    ] {
        let set = |value: &str| format!("update {table} set {column} = '{value}'");
        for value in nonsense {
            database.sql(&set(value)).await;
            let error = store.changes(0).await.expect_err(&set(value));
            assert!(!error.to_string().is_empty());
        }
        database.sql(&set(good)).await;
        store.changes(0).await.unwrap_or_else(|error| panic!("{}: {error}", set(good)));
    }
    database
        .sql("insert into departures (kind, key, revision) values ('planet', 'pluto', 2)")
        .await;
    assert!(store.changes(0).await.is_err());
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
            tokio::spawn(async move { Store::open(&folder, url.as_deref()).await })
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

async fn another_process_tells_its_news(database: Database) {
    let store = database.open().await.unwrap();
    let other = database.open().await.unwrap();
    let mut news = store.news().await.unwrap();
    let quiet = tokio::time::timeout(Duration::from_millis(500), news.wait()).await;
    assert!(quiet.is_err(), "nothing happened");
    drop(other.write().await.unwrap());
    let quiet = tokio::time::timeout(Duration::from_millis(500), news.wait()).await;
    assert!(quiet.is_err(), "nothing was committed");
    put(&other, &["alpha"]).await;
    // The promise is one second, for the way through the whole server.
    tokio::time::timeout(Duration::from_millis(900), news.wait()).await.unwrap().unwrap();
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    Runtime::with_cache(cache, Limits::default()).unwrap()
});
static BUILT_IN: LazyLock<Arc<BuiltIn>> =
    LazyLock::new(|| Arc::new(BuiltIn::compile(&RUNTIME).unwrap()));

const MAPS: [&str; 3] = ["Map-one", "map_two", "MAP-3"];
const TOKENS: [&str; 4] = ["Alpha", "beta-", "GAMMA", "delta"];
const CLIENTS: [&str; 2] = [CLIENT, "administrator"];
const ACTIONS: [&str; 3] = [
    "repositories/*/content/read",
    "repositories/a/content/write",
    "repositories/a/*/metadata/read",
];

/// One edit. Numbers choose among the few names that there are; what they choose may not exist.
#[derive(Clone, Debug)]
enum Edit {
    Map {
        map: usize,
        actions: Vec<usize>,
    },
    Token {
        token: usize,
        map: Option<usize>,
        enabled: Option<bool>,
        keep: Option<bool>,
    },
    Password {
        token: usize,
        which: Option<bool>,
    },
    Client {
        client: usize,
        maps: Vec<usize>,
        owner: bool,
    },
    Settings {
        admin: Option<bool>,
        anonymous: Option<bool>,
    },
    Delete {
        kind: usize,
        which: usize,
    },
    /// So many writes by others that departures are forgotten.
    Age,
}

fn edit() -> impl Strategy<Value = Edit> {
    let any_bool = || proptest::option::of(any::<bool>());
    prop_oneof![
        4 => (0..3_usize, prop::collection::vec(0..3_usize, 0..3)).prop_map(|(map, actions)| Edit::Map { map, actions }),
        4 => (0..4_usize, proptest::option::of(0..3_usize), any_bool(), any_bool())
            .prop_map(|(token, map, enabled, keep)| Edit::Token { token, map, enabled, keep }),
        2 => (0..4_usize, any_bool()).prop_map(|(token, which)| Edit::Password { token, which }),
        3 => (0..2_usize, prop::collection::vec(0..3_usize, 0..3), any::<bool>())
            .prop_map(|(client, maps, owner)| Edit::Client { client, maps, owner }),
        1 => (any_bool(), any_bool()).prop_map(|(admin, anonymous)| Edit::Settings { admin, anonymous }),
        5 => (0..3_usize, 0..4_usize).prop_map(|(kind, which)| Edit::Delete { kind, which }),
        1 => Just(Edit::Age),
    ]
}

impl Edit {
    /// Writes it, unless it is refused.
    async fn carry_out(&self, database: &Database, store: &Store) {
        if matches!(self, Self::Age) {
            database.sql("update registry set revision = revision + 60000").await;
            return;
        }
        let mut write = store.write().await.unwrap();
        if self.write(&mut write).await {
            write.commit().await.unwrap();
        }
    }

    async fn write(&self, write: &mut Write) -> bool {
        match self.clone() {
            Self::Map { map, actions } => {
                let actions = actions.iter().map(|action| ACTIONS[*action].to_owned()).collect();
                let edit = ScopeMapEdit { actions: Some(actions), ..ScopeMapEdit::default() };
                scope_maps::put(write, MAPS[map], edit).await.is_ok()
            }
            Self::Token { token, map, enabled, keep } => {
                let keep = keep.map(|first| vec![password(first)]).map(Passwords::Keep);
                let scope_map = map.map(|map| MAPS[map].to_owned());
                let edit = TokenEdit { scope_map, enabled, passwords: keep };
                tokens::put(write, TOKENS[token], "registry", edit).await.is_ok()
            }
            Self::Password { token, which } => {
                let which = which.map(password);
                passwords::generate(write, TOKENS[token], which, None).await.is_ok()
            }
            Self::Client { client, maps, owner } => {
                let edit = ServicePrincipalEdit {
                    roles: Some(owner.then(|| "Owner".to_owned()).into_iter().collect()),
                    scope_maps: Some(maps.iter().map(|map| MAPS[*map].to_owned()).collect()),
                    ..ServicePrincipalEdit::default()
                };
                service_principals::put(write, CLIENTS[client], edit).await.is_ok()
            }
            Self::Settings { admin, anonymous } => {
                let edit = RegistryEdit { admin_enabled: admin, anonymous_pull: anonymous };
                registry::patch(write, edit).await.is_ok()
            }
            Self::Delete { kind: 0, which } => {
                scope_maps::delete(write, MAPS[which % 3]).await.is_ok()
            }
            Self::Delete { kind: 1, which } => tokens::delete(write, TOKENS[which]).await.is_ok(),
            Self::Delete { which, .. } => {
                service_principals::delete(write, CLIENTS[which % 2]).await.is_ok()
            }
            Self::Age => true,
        }
    }
}

fn password(first: bool) -> PasswordName {
    if first { PasswordName::Password1 } else { PasswordName::Password2 }
}

/// Everything that a snapshot tells, as text.
fn told(policy: &Policy) -> String {
    let maps = MAPS.map(|name| policy.scope_map(name));
    let tokens = TOKENS.map(|name| policy.token(name));
    let clients = CLIENTS.map(|name| policy.service_principal(name));
    let generations =
        clients.map(|client| client.map(|client| (client.generation, client.secrets.len())));
    let mut departures: Vec<_> =
        policy.departures().map(|departure| format!("{departure:?}")).collect();
    departures.sort();
    let counts = (policy.tokens().len(), policy.service_principals().len());
    let registry = &policy.registry;
    format!(
        "{registry:#?}\n{maps:#?}\n{tokens:#?}\n{clients:#?}\n{generations:?}\n{departures:#?}\n{counts:?}"
    )
}

/// Whether both accept the same passwords; digests are not printed.
fn have_the_same_passwords(one: &Policy, other: &Policy) -> bool {
    TOKENS.iter().filter_map(|name| one.token(name).zip(other.token(name))).all(|(one, other)| {
        one.passwords
            .iter()
            .zip(&other.passwords)
            .all(|(one, other)| one.digest.matches(&other.digest))
    })
}

async fn increments_add_up_to_everything(database: Database) {
    let store = database.open().await.unwrap();
    let handle = tokio::runtime::Handle::current();
    let cases = if database.url.is_some() { 12 } else { 32 };
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    });
    let edits = prop::collection::vec((edit(), any::<bool>()), 1..25);
    // Cases follow each other in one database: each begins where the last one ended.
    let result = tokio::task::block_in_place(|| {
        runner.run(&edits, |edits| {
            handle.block_on(async {
                let start = store.changes(0).await.unwrap();
                let mut policy = Policy::new(Arc::clone(&BUILT_IN)).apply(start, &RUNTIME).unwrap();
                let last = edits.len() - 1;
                for (index, (edit, is_read)) in edits.iter().enumerate() {
                    edit.carry_out(&database, &store).await;
                    if *is_read || index == last {
                        policy = caught_up(&store, &policy).await;
                    }
                }
                let everything = store.changes(0).await.unwrap();
                let fresh = Policy::new(Arc::clone(&BUILT_IN)).apply(everything, &RUNTIME).unwrap();
                prop_assert_eq!(told(&policy), told(&fresh));
                prop_assert!(have_the_same_passwords(&policy, &fresh));
                Ok(())
            })
        })
    });
    result.unwrap();
}

/// The next snapshot, as the server makes it.
async fn caught_up(store: &Store, policy: &Policy) -> Policy {
    let changes = store.changes(policy.revision()).await.unwrap();
    if changes.registry.revision == policy.revision() {
        return policy.clone();
    }
    policy.apply(changes, &RUNTIME).unwrap()
}

/// A database as the earliest version left it: SQLite was all that it knew.
#[tokio::test]
async fn the_schema_of_the_earlier_version_is_brought_up_to_date() {
    let database = Database::sqlite();
    let digest = |password: &str| {
        let json = serde_json::to_string(&PasswordDigest::of(password)).unwrap();
        json.trim_matches('"').to_uppercase()
    };
    let (one, two) = (digest("secret-one"), digest("secret-two"));
    database.sql(include_str!("../migrations/sqlite/0001_policy.sql")).await;
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
    let store = database.open().await.unwrap();
    let changes = store.changes(0).await.unwrap();
    assert_eq!(changes.registry.rid, "0123456789abcdef0123456789abcdef");
    assert_eq!((changes.registry.tenant.len(), changes.registry.subscription.len()), (36, 36));
    let actions = |key: &str| {
        changes.scope_maps.iter().find(|map| map.key == key).map(|map| map.actions.join(" "))
    };
    let reader = "repositories/a/content/read repositories/b/content/read";
    assert_eq!(actions("reader-map").as_deref(), Some(reader));
    assert_eq!(actions("empty-map").as_deref(), Some(""));
    assert_eq!(changes.scope_maps.len(), 7);
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
async fn addresses_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    for url in ["", "nowhere", "mysql://root@localhost/x", "postgres://secret-name@127.0.0.1:1/x"] {
        let error = format!("{:#}", Store::open(folder.path(), Some(url)).await.unwrap_err());
        assert!(!error.contains("secret-name"), "{error}");
    }
}

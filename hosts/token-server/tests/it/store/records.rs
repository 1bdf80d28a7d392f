//! Records: how they are listed, named and checked.

use scopegate_server::testing::domain::edit::scope_maps::ScopeMapEdit;
use scopegate_server::testing::domain::edit::service_principals::ServicePrincipalEdit;
use scopegate_server::testing::domain::edit::tokens::TokenEdit;
use scopegate_server::testing::domain::edit::{identities, scope_maps, service_principals, tokens};
use scopegate_server::testing::model::password_user::ReservedNames;
use scopegate_server::testing::store::{
    KnownNetwork, Page, RevokedIdentity, ScopeMapRecord, ServicePrincipalRecord, TokenRecord,
};

use crate::support::OWNER;
use crate::support::database::Database;

use super::{delete, put, token};

on_both! {
    pages_are_in_the_order_of_bytes
    a_page_is_right_while_rows_come_and_go
    names_are_one_in_any_case
    known_networks_are_kept_and_forgotten
    providers_that_change_have_a_new_generation
    a_scope_map_that_a_token_has_cannot_be_deleted
    columns_that_hold_nonsense_are_errors
}

/// The order is that of bytes, whatever language the database speaks.
async fn pages_are_in_the_order_of_bytes(database: Database) {
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
            let tokens = read.page::<TokenRecord>(&page).await.unwrap();
            assert!(tokens.len() <= usize::try_from(limit).unwrap());
            let Some(last) = tokens.last() else { break };
            page.after.clone_from(&last.key);
            keys.extend(tokens.into_iter().map(|token| token.key));
        }
        assert_eq!(keys, expected, "{limit}");
    }
    let maps = read.page::<ScopeMapRecord>(&Page::first()).await.unwrap();
    assert!(maps.is_sorted_by_key(|map| map.key.clone()) && maps.len() == 5);
    assert!(read.page::<ServicePrincipalRecord>(&Page::first()).await.unwrap().is_empty());
}

async fn a_page_is_right_while_rows_come_and_go(database: Database) {
    let store = database.open().await.unwrap();
    put(&store, &["b", "d", "f", "h"]).await;
    let mut read = store.read().await.unwrap();
    let mut keys = async |after: &str| {
        let page = Page { after: after.into(), limit: 2 };
        let tokens = read.page::<TokenRecord>(&page).await.unwrap();
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
    tokens::put(&mut write, "My-Token", &ReservedNames::new("registry"), edit).await.unwrap();
    tokens::put(&mut write, "MY-TOKEN", &ReservedNames::new("registry"), TokenEdit::default())
        .await
        .unwrap();
    service_principals::put(&mut write, &OWNER.to_uppercase(), ServicePrincipalEdit::default())
        .await
        .unwrap();
    write.commit().await.unwrap();
    let mut read = store.read().await.unwrap();
    for name in ["my-token", "My-Token", "MY-TOKEN"] {
        let token: TokenRecord = read.find(name).await.unwrap().unwrap();
        assert_eq!((token.key.as_str(), token.name.as_str()), ("my-token", "My-Token"));
        assert_eq!(token.scope_map.as_deref(), Some("my_map"));
    }
    for client in [OWNER, &OWNER.to_uppercase()] {
        let client: ServicePrincipalRecord = read.find(client).await.unwrap().unwrap();
        assert_eq!((client.key, client.name), (OWNER.to_owned(), OWNER.to_uppercase()));
    }
    let map: ScopeMapRecord = read.find("mY_mAP").await.unwrap().unwrap();
    assert_eq!(map.name, "My_Map");
    assert!(read.find::<TokenRecord>("my-toke%").await.unwrap().is_none());
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
    store.save_known_networks(&first, 0).await.unwrap();
    let second = [known("b", "192.0.2.1", 250), known("a", "2001:db8::", 300)];
    store.save_known_networks(&second, 150).await.unwrap();
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

async fn a_scope_map_that_a_token_has_cannot_be_deleted(database: Database) {
    let store = database.open().await.unwrap();
    let mut write = store.write().await.unwrap();
    scope_maps::put(&mut write, "some-map", ScopeMapEdit::default()).await.unwrap();
    let record = TokenRecord { scope_map: Some("some-map".into()), ..token(&write, "alpha") };
    write.put(&record).await.unwrap();
    // By the database itself, whatever the edits check before.
    assert!(write.delete::<ScopeMapRecord>("some-map").await.is_err());
    drop(write);
    let mut write = store.write().await.unwrap();
    let record = TokenRecord { scope_map: Some("no-map".into()), ..token(&write, "alpha") };
    assert!(write.put(&record).await.is_err());
}

/// A database that was edited by hand gives an error that says where, and the servers keep what
/// they have.
async fn columns_that_hold_nonsense_are_errors(database: Database) {
    let store = database.open().await.unwrap();
    let mut write = store.write().await.unwrap();
    let edit = TokenEdit { scope_map: Some("_repositories_pull".into()), ..TokenEdit::default() };
    tokens::put(&mut write, "alpha", &ReservedNames::new("registry"), edit).await.unwrap();
    service_principals::put(&mut write, OWNER, ServicePrincipalEdit::default()).await.unwrap();
    write.commit().await.unwrap();
    for column in columns() {
        for value in &column.nonsense {
            let set = column.set(value);
            database.sql(&set).await;
            let error = store.changes(0).await.expect_err(&set);
            assert!(!error.to_string().is_empty());
        }
        let set = column.set(&column.good);
        database.sql(&set).await;
        store.changes(0).await.unwrap_or_else(|error| panic!("{set}: {error}"));
    }
    database
        .sql("insert into departures (kind, key, revision) values ('planet', 'pluto', 2)")
        .await;
    assert!(store.changes(0).await.is_err());
}

/// A column, a value that it may hold, and values that it may not.
struct Column {
    table: &'static str,
    name: &'static str,
    good: String,
    nonsense: Vec<String>,
}

impl Column {
    fn new(table: &'static str, name: &'static str, good: &str, nonsense: &[&str]) -> Self {
        let nonsense = nonsense.iter().map(|value| (*value).to_owned()).collect();
        Self { table, name, good: good.to_owned(), nonsense }
    }

    fn set(&self, value: &str) -> String {
        format!("update {} set {} = '{value}'", self.table, self.name)
    }
}

fn columns() -> [Column; 7] {
    let digest =
        format!("[{{\"name\":\"password1\",\"sha256\":\"{}\",\"createdAt\":0}}]", "0".repeat(64));
    let no_digest = digest.replace("0\"", "g\"");
    let third = "[{\"name\":\"password3\",\"sha256\":\"\",\"createdAt\":0}]";
    let passwords = ["", "[", "{}", "null", "[{}]", "[1]", third, &no_digest];
    let (roles, clients) = (["", "[1]", "[\"King\"]", "[\"Owner\",\"\"]"], "service_principals");
    [
        Column::new("tokens", "passwords", "[]", &passwords),
        Column::new("tokens", "passwords", &digest, &[&digest[1..]]),
        Column::new("scope_maps", "actions", "[]", &["", "[1]", "\"a\"", "[[]]"]),
        Column::new(clients, "roles", "[\"Owner\"]", &roles),
        Column::new(clients, "scope_maps", "[]", &["x", "{}"]),
        Column::new(clients, "secrets", "[]", &["x", "{}"]),
        Column::new("registry", "admin_passwords", "[]", &["x", "{}", "[{}]"]),
    ]
}

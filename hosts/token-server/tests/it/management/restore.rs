//! Databases that are restored under a running server, and databases that two servers share.

use std::collections::BTreeSet;

use scopegate_server::testing::domain::edit::tokens::{self, TokenEdit};
use scopegate_server::testing::model::password_user::ReservedNames;
use scopegate_server::testing::store;
use serde_json::{Value, json};

use crate::support::database::{Database, run};
use crate::support::management::{BUNDLE_2, Registry, client, delete, get, patch, put};
use crate::support::{REGISTRY, Server, Setup, basic};

/// Puts the database back to a revision before the token `later`.
async fn put_back(registry: &Registry, url: Option<&str>, revision: i64) {
    let file = format!("sqlite://{}", registry.server.folder.path().join("scopegate.db").display());
    let statements = format!(
        "delete from tokens where key = 'later'; update registry set revision = {revision};
         delete from writes where revision > {revision}"
    );
    run(url.unwrap_or(&file), &statements).await;
}

/// Another process writes into the database, a token of the same name among others, until it is
/// past what the server has seen.
async fn write_past(registry: &Registry, url: Option<&str>, seen: i64) {
    let store = store::open(registry.server.folder.path(), url).await.unwrap();
    let mut revision = 0;
    while revision <= seen {
        let mut write = store.write().await.unwrap();
        let edit =
            TokenEdit { scope_map: Some("_repositories_push".into()), ..TokenEdit::default() };
        tokens::put(&mut write, "later", &ReservedNames::new("registry"), edit).await.unwrap();
        revision = write.commit().await.unwrap();
    }
    registry.server.catch_up().await;
}

/// Audit, row 9: a backup is restored under a running server, and written past what the server has
/// seen. Nothing that was issued meanwhile opens anything, not to the server and not to an edge.
async fn tokens_from_before_a_restore_open_nothing(url: Option<&str>) {
    let registry = Registry::on(url).await;
    registry.make_token("early", "_repositories_pull").await;
    let [early, _] = registry.passwords("early").await;
    let (text, before) = (registry.newest_bundle().await, registry.revision());
    let held = registry.edge(&text, None);
    registry.make_token("later", "_repositories_push").await;
    let [later, _] = registry.passwords("later").await;
    let refresh = registry.refresh_token("later", &later).await;
    let claims = registry.access("later", &later).await;
    let held = registry.edge(&registry.newest_bundle().await, Some(&held));
    assert!(held.holder(&claims).is_some());
    let epoch = registry.server.app.policy().registry.epoch.clone();
    let seen = registry.revision();

    put_back(&registry, url, before).await;
    write_past(&registry, url, seen).await;
    assert!(registry.server.app.policy().registry.epoch != epoch && registry.revision() > seen);
    assert_eq!(registry.opens(&refresh).await, "401");
    assert_eq!(registry.login("later", &later).await, 401);
    assert_eq!(registry.login("early", &early).await, 200);
    // The client credentials' token for management is of the old epoch too.
    assert_eq!(registry.owner(&get("")).await.status, 401);
    let edge = basic(client("EdgeReader"), registry.secret("EdgeReader"));
    let text =
        registry.send_with(Some(&edge), &get("bundle"), &[("accept", BUNDLE_2)]).await.text();
    let fresh = registry.edge(&text, Some(&held));
    assert!(fresh.holder(&claims).is_none());
    assert!(fresh.holder(&registry.access("early", &early).await).is_some());
}

#[tokio::test]
async fn fault_9_tokens_from_before_a_restore_open_nothing_on_sqlite() {
    tokens_from_before_a_restore_open_nothing(None).await;
}

#[tokio::test]
async fn fault_9_tokens_from_before_a_restore_open_nothing_on_postgres() {
    let database = Database::postgres().await;
    tokens_from_before_a_restore_open_nothing(database.url.as_deref()).await;
}

/// Two servers on one database.
async fn two_servers() -> (Registry, Server, Database) {
    let database = Database::postgres().await;
    let one = Registry::on(database.url.as_deref()).await;
    let other = Server::bare(Setup { url: database.url.clone(), ..Setup::default() }).await;
    (one, other, database)
}

#[tokio::test]
async fn two_servers_on_one_database_obey_each_other() {
    let (one, other, _database) = two_servers().await;
    one.make_token("reader", "_repositories_pull").await;
    let [password, _] = one.passwords("reader").await;
    let login = async || {
        other.catch_up().await;
        let basic = basic("reader", &password);
        other.get("/oauth2/token?scope=repository:a:pull", Some(&basic)).await
    };
    assert_eq!(login().await.verified_access(&other), "repository:a:pull");
    one.must(patch("tokens/reader", json!({"properties": {"status": "disabled"}}))).await;
    assert_eq!(login().await.status, 401);
}

#[tokio::test]
async fn two_servers_on_one_database_have_one_feed() {
    let (one, other, _database) = two_servers().await;
    one.make_token("reader", "_repositories_pull").await;
    other.catch_up().await;
    let sorted = |body: &Value| {
        let changed = body["changed"].as_array().unwrap().iter();
        changed.map(Value::to_string).collect::<BTreeSet<_>>()
    };
    let generations = format!("{REGISTRY}/generations");
    let shown = other.get(&generations, one.authorization("Owner")).await;
    let expected = one.must(get("generations")).await;
    assert_eq!(shown.body["revision"], expected["revision"]);
    assert_eq!(sorted(&shown.body), sorted(&expected));
}

/// For management at once.
#[tokio::test]
async fn a_client_that_one_server_deletes_manages_at_no_other() {
    let (one, other, _database) = two_servers().await;
    let owner = one.authorization("Owner");
    let path = format!("servicePrincipals/{}", client("Owner"));
    one.must(put(&path, json!({"displayName": "x", "roles": ["Owner"]}))).await;
    assert_eq!(other.get(REGISTRY, owner).await.status, 200);
    one.must(delete(&path)).await;
    assert_eq!(other.get(REGISTRY, owner).await.status, 401);
}

//! Every token of a principal is revoked by hand: those that are out end, and nothing else of it
//! changes.

use scopegate_server::testing::clock;

use crate::support::bearer;
use crate::support::database::Database;
use crate::support::management::{
    OTHER_CLIENT, Registry, get, map_on_a, password_of, patch, post, put,
};
use crate::support::{Server, Setup};
use serde_json::json;

const ALL: &str = "repository:a:pull,push";

/// A principal: its path, its name in the feed, its name and its password.
struct Row {
    path: String,
    feed: String,
    name: String,
    password: String,
}

impl Row {
    fn new(path: String, feed: String, name: &str, password: &str) -> Self {
        Self { path, feed, name: name.to_owned(), password: password.to_owned() }
    }
}

async fn principals(registry: &Registry) -> Vec<Row> {
    registry.must(put("scopeMaps/some-map", map_on_a(&["read", "write"]))).await;
    registry.make_token("Reader", "some-map").await;
    let [password, _] = registry.passwords("Reader").await;
    let client = format!("servicePrincipals/{OTHER_CLIENT}");
    registry.must(put(&client, json!({"scopeMaps": ["some-map"], "roles": ["Reader"]}))).await;
    let secret = registry.must(post(format!("{client}/secrets"), json!({}))).await;
    let secret = secret["secret"].as_str().unwrap();
    registry.set_admin(true).await;
    let made = registry.must(post("listCredentials", "")).await;
    vec![
        Row::new("tokens/READER".into(), "token:reader".into(), "Reader", &password),
        Row::new(client, format!("service_principal:{OTHER_CLIENT}"), OTHER_CLIENT, secret),
        Row::new("admin".into(), "admin:registry".into(), "registry", &password_of(&made, 0)),
    ]
}

/// Its tokens end, for this server and at every edge that hears the feed; its password makes new
/// ones, with the same access.
#[tokio::test]
async fn everything_of_a_principal() {
    let registry = Registry::start().await;
    let server = &registry.server;
    let rows = principals(&registry).await;
    for (index, Row { path, feed, name, password }) in rows.iter().enumerate() {
        let refresh = registry.refresh_token(name, password).await;
        let access = server.renew(&refresh, ALL).await.access_token();
        let mut others = Vec::new();
        for other in rows.iter().skip(index + 1) {
            others.push(registry.refresh_token(&other.name, &other.password).await);
        }
        assert_eq!(registry.opens(&refresh).await, ALL, "{path}");
        let since = registry.revision();
        registry.must(post(format!("{path}/revoke"), "")).await;
        assert_eq!(registry.feed(since).await, (since + 1, feed.clone()), "{path}");
        assert_eq!(registry.opens(&refresh).await, "401", "{path}");
        assert!(!server.accepts(&access, clock::now()), "{path}");
        assert_eq!(server.by_null_guid(&access, ALL).await.status, 401, "{path}");
        let again = registry.refresh_token(name, password).await;
        assert_eq!(registry.opens(&again).await, ALL, "{path}");
        for other in &others {
            assert_eq!(registry.opens(other).await, ALL, "{path}");
        }
    }
}

#[tokio::test]
async fn tokens_for_management_end_with_their_principal() {
    let registry = Registry::start().await;
    let row = principals(&registry).await.remove(1);
    let server = &registry.server;
    let token = server.client_credentials(&row.name, &row.password).await.access_token();
    assert_eq!(server.manage(&bearer(&token)).await.status, 200);
    registry.must(post(format!("{}/revoke", row.path), "")).await;
    assert_eq!(server.manage(&bearer(&token)).await.status, 401);
    let token = server.client_credentials(&row.name, &row.password).await.access_token();
    assert_eq!(server.manage(&bearer(&token)).await.status, 200);
}

#[tokio::test]
async fn anonymous_tokens() {
    let registry = Registry::start().await;
    registry.must(patch("", json!({"properties": {"anonymousPullEnabled": true}}))).await;
    let pull = async || registry.server.renew("", "repository:a:pull").await.access_token();
    let token = pull().await;
    assert!(registry.server.accepts(&token, clock::now()));
    let since = registry.revision();
    registry.must(post("anonymous/revoke", "")).await;
    assert_eq!(registry.feed(since).await.1, "anonymous:acr_anon_pull");
    assert!(!registry.server.accepts(&token, clock::now()));
    assert!(registry.server.accepts(&pull().await, clock::now()));
}

/// Each needs what another change of the same object needs.
#[tokio::test]
async fn who_may() {
    let registry = Registry::start().await;
    principals(&registry).await;
    let client = format!("servicePrincipals/{OTHER_CLIENT}/revoke");
    for (role, manages, gives_roles) in [
        ("AcrPull", 403, 403),
        ("EdgeReader", 403, 403),
        ("Reader", 403, 403),
        ("Contributor", 204, 403),
        ("Owner", 204, 204),
        ("nobody", 401, 401),
    ] {
        for (path, expected) in [
            ("tokens/reader/revoke", manages),
            ("admin/revoke", manages),
            ("anonymous/revoke", manages),
            (&client, gives_roles),
        ] {
            let answer = registry.send(registry.authorization(role), &post(path, "")).await;
            assert_eq!(answer.status, expected, "{role} {path}");
        }
    }
    for path in ["tokens/nobody/revoke", "servicePrincipals/nobody/revoke"] {
        assert_eq!(registry.owner(&post(path, "")).await.status, 404, "{path}");
    }
    assert_eq!(registry.owner(&get("admin/revoke")).await.status, 405);
}

#[tokio::test]
async fn two_servers_on_one_database() {
    let database = Database::postgres().await;
    let one = Registry::on(database.url.as_deref()).await;
    let other = Server::bare(Setup { url: database.url.clone(), ..Setup::default() }).await;
    let row = principals(&one).await.remove(0);
    let refresh = one.refresh_token(&row.name, &row.password).await;
    other.catch_up().await;
    assert_eq!(other.renew(&refresh, ALL).await.status, 200);
    one.must(post("tokens/Reader/revoke", "")).await;
    other.catch_up().await;
    assert_eq!(other.renew(&refresh, ALL).await.status, 401);
}

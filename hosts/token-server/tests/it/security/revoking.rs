//! `POST /oauth2/revoke`: who may revoke what, what it ends, and what it costs.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use scopegate_api::claims::PrincipalKind;
use scopegate_server::testing::clock;
use scopegate_server::testing::config::{Limits, Rate};
use scopegate_server::testing::domain::guard::FAILURE_COST;
use scopegate_server::testing::domain::issue::Subject;
use serde_json::json;

use crate::support::database::Database;
use crate::support::{
    Answer, NULL_GUID, OWNER, PULL, Provider, SERVICE, Server, Setup, basic, encoded,
};

const REVOKE: &str = "/oauth2/revoke";
const BINDINGS: &str = "[{match: {groups: readers}, scopeMaps: [reader-map]}]";

async fn revoke(server: &Server, token: &str) -> Answer {
    server.post(REVOKE, &[("token", token)]).await
}

async fn revoke_as(server: &Server, authorization: &str, token: &str) -> StatusCode {
    server.post_raw(REVOKE, Some(authorization), &encoded(&[("token", token)])).await.status
}

/// Every way in which a refresh token is used.
async fn uses(server: &Server, token: &str) -> [StatusCode; 5] {
    let from_proxy = axum::http::Request::get("/authz/nginx")
        .header("x-original-method", "GET")
        .header("x-original-uri", "/v2/samples/a/manifests/v1")
        .header("x-scopegate-content-type", "none")
        .header("authorization", basic(NULL_GUID, token))
        .extension(axum::extract::ConnectInfo(std::net::SocketAddr::from(([127, 0, 0, 1], 4711))));
    let target = format!("/oauth2/token?service={SERVICE}&scope={PULL}");
    [
        server.renew(token, PULL).await.status,
        server.by_null_guid(token, PULL).await.status,
        server.get(&target, Some(&basic(NULL_GUID, token))).await.status,
        server.exchange(&format!("{NULL_GUID}:{token}")).await.status,
        server.send(from_proxy.body(axum::body::Body::empty()).unwrap()).await.status,
    ]
}

#[tokio::test]
async fn a_revoked_refresh_token_opens_nothing_and_others_stay() {
    let provider = Provider::start().await;
    let server = provider.server(BINDINGS).await;
    let secret = server.put_client(OWNER, "Owner").await;
    let identity = async || {
        let token = provider.token("octo", &["readers"]);
        server.exchange(&token).await.refresh_token()
    };
    let pairs = [
        [server.login("Reader", "secret-one").await, server.login("Reader", "secret-one").await],
        [server.login(OWNER, &secret).await, server.login(OWNER, &secret).await],
        [identity().await, identity().await],
    ];
    for [one, other] in &pairs {
        let before = uses(&server, one).await;
        // A refresh token is no access token of a provider.
        assert_eq!(before.map(|status| status.as_u16()), [200, 200, 200, 401, 200]);
        let revoked = revoke(&server, one).await;
        assert_eq!((revoked.status, revoked.body), (StatusCode::OK, json!({})));
        assert_eq!(uses(&server, one).await, [StatusCode::UNAUTHORIZED; 5]);
        assert_eq!(uses(&server, other).await, before);
        // Again is as well.
        assert_eq!(revoke(&server, one).await.status, StatusCode::OK);
    }
    assert_eq!(server.by_password("Reader", "secret-one", PULL).await.access(), [PULL]);
}

/// RFC 7009, section 2.1: credentials that are sent must be right, and the token's principal's.
#[tokio::test]
async fn who_holds_a_token_may_revoke_it() {
    let server = Server::start().await;
    let secret = server.put_client(OWNER, "Owner").await;
    for (authorization, form, status) in [
        (None, vec![], 200),
        (None, vec![("token_type_hint", "refresh_token")], 200),
        (None, vec![("token_type_hint", "access_token")], 200),
        (None, vec![("token_type_hint", "other")], 200),
        (None, vec![("client_id", "docker")], 200),
        (None, vec![("client_id", "Reader"), ("client_secret", "secret-one")], 200),
        (None, vec![("client_id", "READER"), ("client_secret", "secret-one")], 200),
        (None, vec![("client_id", OWNER), ("client_secret", &secret)], 403),
        (Some(basic(OWNER, &secret)), vec![], 403),
        (None, vec![("client_id", OWNER), ("client_secret", "wrong")], 401),
        (Some(basic("Reader", "secret-one")), vec![], 200),
        (Some(basic("Reader", "wrong")), vec![], 401),
        (Some("Bearer x".to_owned()), vec![], 401),
        (Some(basic(OWNER, &secret)), vec![("client_id", OWNER), ("client_secret", &secret)], 400),
        (None, vec![("client_secret", &secret)], 400),
    ] {
        let token = server.login("Reader", "secret-one").await;
        let form = [&[("token", token.as_str())], form.as_slice()].concat();
        let answer = server.post_raw(REVOKE, authorization.as_deref(), &encoded(&form)).await;
        let error = match status {
            200 => None,
            403 => Some("invalid_grant"),
            401 => Some("invalid_client"),
            _ => Some("invalid_request"),
        };
        assert_eq!(answer.body["error"].as_str(), error, "{form:?}");
        let status = if status == 403 { 400 } else { status };
        assert_eq!(answer.status, status, "{authorization:?} {form:?}");
        assert_eq!(answer.challenge.is_some(), status == 401);
        let renewed = server.renew(&token, PULL).await.status;
        assert_eq!(renewed == 401, status == 200, "{authorization:?} {form:?}");
    }
}

/// A client with credentials revokes no token of another, and does not learn whether it was
/// revoked. An identity is told apart by its provider and its subject.
#[tokio::test]
async fn a_client_with_credentials_revokes_its_own_tokens() {
    let provider = Provider::start().await;
    let server = provider.server(BINDINGS).await;
    let secret = server.put_client(OWNER, "Owner").await;
    let identity = async |subject: &str| {
        server.exchange(&provider.token(subject, &["readers"])).await.refresh_token()
    };
    // Of each principal: what authenticates it, and a token of its own.
    let all = [
        (basic("Reader", "secret-one"), server.login("Reader", "secret-one").await),
        (basic(OWNER, &secret), server.login(OWNER, &secret).await),
        (basic(NULL_GUID, &identity("Reader").await), identity("Reader").await),
        (basic(NULL_GUID, &identity("reader").await), identity("reader").await),
        (basic(NULL_GUID, &identity("octo").await), identity("octo").await),
    ];
    let refuse = async |of: usize| {
        let mut seen = BTreeSet::new();
        for (index, (authorization, _)) in all.iter().enumerate().filter(|(index, _)| *index != of)
        {
            let form = encoded(&[("token", &all[of].1)]);
            let answer = server.post_raw(REVOKE, Some(authorization), &form).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{of} by {index}");
            assert_eq!(answer.body["error"], "invalid_grant", "{of} by {index}");
            seen.insert(format!("{:?}", answer.seen()));
        }
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen
    };
    for (index, (authorization, token)) in all.iter().enumerate() {
        let revision = server.app.policy().revision();
        let before = refuse(index).await;
        assert_eq!(server.app.policy().revision(), revision);
        assert_eq!(server.renew(token, PULL).await.status, StatusCode::OK, "{index}");
        assert_eq!(revoke_as(&server, authorization, token).await, StatusCode::OK, "{index}");
        assert_eq!(server.renew(token, PULL).await.status, StatusCode::UNAUTHORIZED, "{index}");
        assert_eq!(refuse(index).await, before);
    }
}

/// A stranger learns nothing: whatever is no refresh token of ours is answered as one that was
/// revoked, and leaves no row.
#[tokio::test]
async fn other_tokens() {
    let (server, other) = (Server::start().await, Server::start().await);
    let secret = server.put_client(OWNER, "Owner").await;
    let refresh = server.login("Reader", "secret-one").await;
    let expired = Subject::new("Reader", PrincipalKind::Token, 1);
    let expired = server.app.issuer.refresh_token(&expired, "r", clock::now() - 20_000).unwrap();
    let revision = server.app.policy().revision();
    let mut seen = BTreeSet::new();
    for token in [
        other.login("Reader", "secret-one").await,
        format!("{refresh}A"),
        refresh.replace(".eyJ", ".eyK"),
        expired,
        "x".repeat(10_000),
        "a.b.c".to_owned(),
        "\u{0}".to_owned(),
        "p\u{e4}ss".to_owned(),
    ] {
        let answer = revoke(&server, &token).await;
        assert_eq!(answer.status, StatusCode::OK, "{token}");
        seen.insert(format!("{:?}", answer.seen()));
    }
    seen.insert(format!(
        "{:?}",
        revoke(&server, &server.login("Reader", "secret-one").await).await.seen()
    ));
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(server.app.policy().revision(), revision + 1);
    for token in
        [server.reader().await, server.client_credentials(OWNER, &secret).await.access_token()]
    {
        let answer = revoke(&server, &token).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.body["error"], "unsupported_token_type");
    }
    assert_eq!(server.app.policy().revision(), revision + 1);
}

#[tokio::test]
async fn malformed_requests() {
    let server = Server::start().await;
    let token = server.login("Reader", "secret-one").await;
    for (query, form) in [
        ("", String::new()),
        ("", "token=".to_owned()),
        ("", "token=a&token=b".to_owned()),
        ("", format!("token={token}&token_type_hint=a&token_type_hint=b")),
        ("", format!("token={token}&client_id=a&client_id=b")),
        ("", format!("refresh_token={token}")),
        ("?token=x", format!("token={token}")),
        ("?refresh_token=x", format!("token={token}")),
        ("?client_secret=x", format!("token={token}")),
    ] {
        let answer = server.post_raw(&format!("{REVOKE}{query}"), None, &form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query} {form}");
        assert_eq!(answer.body["error"], "invalid_request", "{query} {form}");
        assert!(!answer.text().contains(&token));
    }
    assert_eq!(server.get(REVOKE, None).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(server.renew(&token, PULL).await.status, StatusCode::OK);
}

/// A forged token costs its address as much as a wrong password: a signature is checked for each.
#[tokio::test]
async fn guesses_cost_their_address() {
    let rate = Rate { rate: 0.001, burst: 3 * (FAILURE_COST + 1) };
    for (token, tries) in [("forged", 3), ("", 30)] {
        let limits = Limits { per_address: rate, ..Limits::default() };
        let server = Server::with(Setup { limits, ..Setup::default() }).await;
        for _ in 0..tries {
            assert_ne!(revoke(&server, token).await.status, StatusCode::TOO_MANY_REQUESTS);
        }
        let last = revoke(&server, token).await;
        assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS, "{token}");
    }
}

/// Each revocation is a row and a revision: one principal has few of them at once, and the others
/// do not wait for it.
#[tokio::test]
async fn a_principal_fills_no_table() {
    let server = Server::start().await;
    let secret = server.put_client(OWNER, "Owner").await;
    let mut refused = 0;
    for _ in 0..80 {
        let token = server.login("Reader", "secret-one").await;
        let answer = revoke(&server, &token).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            refused += 1;
            assert_eq!(answer.body["error"], "slow_down");
            assert!(answer.headers.contains_key("retry-after"));
        }
    }
    assert!(refused > 5, "{refused}");
    let token = server.login(OWNER, &secret).await;
    assert_eq!(revoke(&server, &token).await.status, StatusCode::OK);
    assert_eq!(server.renew(&token, PULL).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(revoke_as(&server, &basic("Reader", "secret-one"), "x").await, StatusCode::OK);
}

/// A subject of a provider may be the name of a token.
#[tokio::test]
async fn an_identity_uses_up_its_own_revocations() {
    let provider = Provider::start().await;
    let server = provider.server(BINDINGS).await;
    let mut statuses = BTreeSet::new();
    let identity = provider.token("Reader", &["readers"]);
    let mut tokens = Vec::new();
    for _ in 0..5 {
        tokens.push(server.login("Reader", "secret-one").await);
    }
    for _ in 0..80 {
        let token = server.exchange(&identity).await.refresh_token();
        statuses.insert(revoke(&server, &token).await.status);
    }
    assert!(statuses.contains(&StatusCode::TOO_MANY_REQUESTS), "{statuses:?}");
    for token in tokens {
        assert_eq!(revoke(&server, &token).await.status, StatusCode::OK);
    }
}

/// One server revokes, and the other obeys; after a restart too.
async fn every_server_obeys(database: Database) {
    let setup = || Setup { url: database.url.clone(), ..Setup::default() };
    let one = Server::with(setup()).await;
    let other = one.another(setup()).await;
    let [token, stays] =
        [one.login("Reader", "secret-one").await, one.login("Reader", "secret-one").await];
    assert_eq!(other.renew(&token, PULL).await.status, StatusCode::OK);
    assert_eq!(revoke(&one, &token).await.status, StatusCode::OK);
    other.catch_up().await;
    let third = one.another(setup()).await;
    for server in [&one, &other, &third] {
        assert_eq!(server.renew(&token, PULL).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(server.renew(&stays, PULL).await.status, StatusCode::OK);
    }
    assert_eq!(revoke(&other, &stays).await.status, StatusCode::OK);
    one.catch_up().await;
    assert_eq!(one.renew(&stays, PULL).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn every_server_obeys_on_sqlite() {
    every_server_obeys(Database::sqlite()).await;
}

#[tokio::test]
async fn every_server_obeys_on_postgres() {
    every_server_obeys(Database::postgres().await).await;
}

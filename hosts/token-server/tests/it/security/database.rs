//! When the database is asked, and what holds while it is gone.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use scopegate_server::testing::clock;

use crate::support::{
    DISABLED, OWNER, PULL, PULLER, REGISTRY, Server, Setup, authorized, basic, bearer,
};

/// A client that is not authenticated causes no work in the database: it is gone here, and only the
/// right credentials get a 503.
#[tokio::test]
async fn management_authenticates_before_it_reads_the_database() {
    let server = Server::start().await;
    let secret = server.put_client(OWNER, "Owner").await;
    let ask = async |secret: &str| server.client_credentials(OWNER, secret).await;
    let token = ask(&secret).await.access_token();
    server.app.readiness.lose(clock::now());
    for (authorization, expected) in [
        (None, 401),
        (Some(basic(OWNER, "wrong")), 401),
        (Some(basic("administrator", "wrong")), 401),
        (Some("Basic !!!".to_owned()), 401),
        (Some("Bearer forged".to_owned()), 401),
        (Some(format!("Bearer {token}x")), 401),
        (Some(basic(OWNER, &secret)), 503),
        (Some(bearer(&token)), 503),
    ] {
        for target in [REGISTRY, "/subscriptions"] {
            let answer = server.get(target, authorization.as_deref()).await;
            assert_eq!(answer.status, expected, "{target} {authorization:?}");
        }
    }
    assert_eq!(ask("wrong").await.status, 401);
    assert_eq!(ask(&secret).await.status, 503);
}

/// What another process made a moment ago is good at once; but guesses do not cause a read of the
/// database each.
#[tokio::test]
async fn new_credentials_are_good_at_once_and_guesses_do_not_read_the_database() {
    let server = Server::start().await;
    let other = server.another(Setup::default()).await;
    let secret = other.put_client(OWNER, "Owner").await;
    assert_eq!(server.get(REGISTRY, Some(&basic(OWNER, &secret))).await.status, 200);
    let puller = other.put_client(PULLER, "AcrPull").await;
    assert_eq!(server.client_credentials(PULLER, &puller).await.status, 200);
    let late = other.put_client(DISABLED, "Owner").await;
    server.app.second_looks.charge((), 100);
    let late = basic(DISABLED, &late);
    assert_eq!(server.get(REGISTRY, Some(&late)).await.status, 401);
    server.catch_up().await;
    assert_eq!(server.get(REGISTRY, Some(&late)).await.status, 200);
}

#[tokio::test]
async fn a_snapshot_that_is_too_old_decides_nothing() {
    let server = Server::with(Setup { serve_for: Duration::ZERO, ..Setup::default() }).await;
    let refresh = server.login("Reader", "secret-one").await;
    server.app.readiness.lose(clock::now());
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for answer in [
        server.by_password("Reader", "secret-one", PULL).await,
        server.by_password("Reader", "wrong", PULL).await,
        server.renew(&refresh, PULL).await,
        server.renew("", PULL).await,
        server.exchange("Reader:secret-one").await,
    ] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        answer.check_refusal();
    }
}

/// RFC 7009, section 2.2.1: what cannot be written is not said to be revoked.
#[tokio::test]
async fn nothing_is_revoked_without_the_database() {
    let server = Server::start().await;
    let refresh = server.login("Reader", "secret-one").await;
    let revoke = async |token: &str| server.post("/oauth2/revoke", &[("token", token)]).await;
    server.app.readiness.lose(clock::now());
    let answer = revoke(&refresh).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.body["error"], "temporarily_unavailable");
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(revoke("forged").await.status, StatusCode::OK);
    assert_eq!(server.renew(&refresh, PULL).await.status, StatusCode::OK);
    server.catch_up().await;
    assert_eq!(revoke(&refresh).await.status, StatusCode::OK);
    assert_eq!(server.renew(&refresh, PULL).await.status, StatusCode::UNAUTHORIZED);
}

/// `/authz` is an edge: it does not know what was revoked since the database is gone, and admits
/// nothing by what it knew a minute ago. Tokens, which open nothing here, go on being issued.
#[tokio::test]
async fn authz_without_the_database_admits_for_a_minute() {
    let serve_for = Duration::from_secs(24 * 60 * 60);
    let server = Server::with(Setup { serve_for, ..Setup::default() }).await;
    let token = bearer(&server.by_password("Reader", "secret-one", PULL).await.access_token());
    let password = basic("Reader", "secret-one");
    let ask = async |kind: &str, authorization: Option<&str>| {
        let target = "/v2/samples/a/manifests/v1";
        let request = Request::get(format!("/authz/{kind}"))
            .header("x-original-method", "GET")
            .header("x-original-uri", target)
            .header("x-forwarded-method", "GET")
            .header("x-forwarded-uri", target)
            .header("x-scopegate-content-type", "none")
            .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))));
        server.send(authorized(request, authorization).body(Body::empty()).unwrap()).await.status
    };
    let readiness = &server.app.readiness;
    // The clock goes on, or is set back.
    for (age, forward, nginx) in
        [(0, 200, 200), (55, 200, 200), (62, 503, 403), (3600, 503, 403), (-3600, 503, 403)]
    {
        readiness.confirm(server.app.policy().revision(), 1, clock::now() - age);
        readiness.lose(clock::now());
        for authorization in [&token, &password] {
            assert_eq!(ask("forward", Some(authorization)).await, forward, "{age} {authorization}");
            assert_eq!(ask("nginx", Some(authorization)).await, nginx, "{age} {authorization}");
        }
        // What needs no knowledge of anybody.
        assert_eq!(ask("forward", None).await, 401, "{age}");
        assert_eq!(server.get("/v2/", Some(&token)).await.status, 200, "{age}");
        assert_eq!(server.by_password("Reader", "secret-one", PULL).await.status, 200, "{age}");
    }
    server.catch_up().await;
    assert_eq!(ask("forward", Some(&token)).await, 200);
}

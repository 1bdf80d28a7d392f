//! The server's routes, over a real database and the real engine, without a port.

use std::path::Path;
use std::sync::Arc;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use scopegate_server::testing::app::watch::follow;
use scopegate_server::testing::domain::seed::apply_file;
use scopegate_server::testing::model::password_user::ReservedNames;
use scopegate_server::testing::store;
use serde_json::{Value, json};

use crate::support::{NULL_GUID, Server, basic, bearer, seed};

#[tokio::test]
async fn a_challenge_names_realm_and_service() {
    let server = Server::start().await;
    let answer = server.get("/v2/", None).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        answer.challenge.as_deref(),
        Some(r#"Bearer realm="https://r.test/oauth2/token",service="r.test""#)
    );
    assert_eq!(
        answer.body,
        json!({"errors": [{"code": "UNAUTHORIZED", "message": "authentication required", "detail": null}]})
    );
    let token = server.get("/oauth2/token", Some(&basic("Reader", "secret-one"))).await.body;
    let token = token["access_token"].as_str().unwrap().to_owned();
    let answer = server.get("/v2/", Some(&bearer(&token))).await;
    assert_eq!((answer.status, answer.challenge), (StatusCode::OK, None));
    let answer = server.get("/v2/", Some(&bearer(&token[1..]))).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.challenge.unwrap().ends_with(r#",error="invalid_token""#));
}

#[tokio::test]
async fn scopes_arrive_in_every_form() {
    let server = Server::start().await;
    let expected = "repository:samples/a:pull repository:samples/b:pull";
    for query in [
        "?service=r.test&scope=repository:samples/a:pull,push&scope=repository:samples/b:pull",
        "?scope=repository%3Asamples%2Fa%3Apull+repository:samples/b:*",
        "?account=Reader&client_id=docker&offline_token=true&unknown=1&scope=repository:samples/a:pull%20oops&scope=repository:samples/b:pull,fly&scope=repository:other:pull",
    ] {
        let answer = server
            .get(&format!("/oauth2/token{query}"), Some(&basic("reader", "secret-one")))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{query}");
        assert_eq!(answer.verified_access(&server), expected, "{query}");
        assert_eq!(answer.body["refresh_token"], Value::Null);
        let claims = answer.verified_claims(&server);
        assert_eq!(claims["sub"], "Reader");
        assert_eq!(claims["aud"], "r.test");
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap(), 3600);
        assert_eq!(answer.body["expires_in"], 3600);
    }
    for form in [
        "grant_type=password&username=Reader&password=secret-one&scope=repository:samples/a:pull+repository:samples/b:pull",
        "scope=repository:samples/a:pull&service=r.test&grant_type=password&scope=repository:samples/b:pull&username=READER&password=secret-one",
    ] {
        assert_eq!(server.grant(form).await.verified_access(&server), expected, "{form}");
    }
}

#[tokio::test]
async fn claims_stand_in_their_documented_order() {
    let server = Server::start().await;
    let query = "/oauth2/token?scope=registry:catalog:*&scope=repository:a:metadata_read";
    let answer = server.get(query, Some(&basic("Admin-1", "secret-two"))).await;
    let token = answer.body["access_token"].as_str().unwrap();
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let text = String::from_utf8(payload).unwrap();
    let order = [
        "jti",
        "sub",
        "nbf",
        "exp",
        "iat",
        "iss",
        "aud",
        "version",
        "rid",
        "access",
        "roles",
        "grant_type",
    ];
    let places: Vec<_> =
        order.iter().map(|key| text.find(&format!("\"{key}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
    assert!(text.contains(r#""version":"2.0""#));
    assert_eq!(answer.verified_access(&server), "registry:catalog:* repository:a:metadata_read");
}

#[tokio::test]
async fn wrong_credentials_get_no_token() {
    let server = Server::start().await;
    for authorization in [
        None,
        Some(basic("Reader", "secret-two")),
        Some(basic("Reader", "wrong")),
        Some(basic("Reader", "")),
        Some(basic("Nobody", "secret-one")),
        Some(basic("Disabled", "secret-one")),
        Some(basic(NULL_GUID, "secret-one")),
        Some("Basic !!!".to_owned()),
        Some(format!("Basic {}", STANDARD.encode("no colon"))),
        Some("Bearer x".into()),
        Some("Basic".into()),
    ] {
        let answer = server
            .get("/oauth2/token?scope=repository:samples/a:pull", authorization.as_deref())
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{authorization:?}");
        assert_eq!(answer.body["errors"][0]["message"], "authentication required");
        assert_eq!(answer.challenge.as_deref(), Some(r#"Basic realm="scopegate""#));
    }
    let anonymous = server.grant("grant_type=password&scope=repository:samples/a:pull").await;
    assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_refused() {
    let server = Server::start().await;
    let many = format!("/oauth2/token?scope={}", "repository:a:pull+".repeat(129));
    for target in
        ["/oauth2/token?service=other", "/oauth2/token?service=r.test&service=other", &many]
    {
        let answer = server.get(target, Some(&basic("Reader", "secret-one"))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{target}");
    }
    for form in [
        "",
        "grant_type=magic",
        "grant_type=refresh_token",
        "grant_type=password&username=Reader",
        "grant_type=password&username=Reader&username=Admin-1&password=secret-one",
    ] {
        assert_eq!(server.grant(form).await.status, StatusCode::BAD_REQUEST, "{form}");
    }
    let huge = format!("grant_type=password&scope={}", "a".repeat(100_000));
    assert_eq!(server.grant(&huge).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_token_without_a_map_logs_in_and_opens_nothing() {
    let server = Server::start().await;
    let answer = server
        .get("/oauth2/token?scope=repository:a:pull", Some(&basic("Mapless", "secret-one")))
        .await;
    assert_eq!((answer.status, answer.verified_access(&server).as_str()), (StatusCode::OK, ""));
}

#[tokio::test]
async fn a_refresh_token_opens_what_its_token_may_now() {
    let server = Server::start().await;
    let grant = "grant_type=password&username=Reader&password=secret-one";
    assert_eq!(server.grant(grant).await.body["refresh_token"], Value::Null);
    let answer = server.grant(&format!("{grant}&access_type=offline")).await;
    let refresh = answer.body["refresh_token"].as_str().unwrap().to_owned();
    let access = answer.body["access_token"].as_str().unwrap().to_owned();

    let scope = "scope=repository:samples/a:pull,push";
    let by_grant = format!("grant_type=refresh_token&refresh_token={refresh}&{scope}");
    assert_eq!(server.grant(&by_grant).await.verified_access(&server), "repository:samples/a:pull");
    let null_guid = basic(NULL_GUID, &refresh);
    let target = format!("/oauth2/token?offline_token=true&{scope}");
    let answer = server.get(&target, Some(&null_guid)).await;
    assert_eq!(answer.verified_access(&server), "repository:samples/a:pull");
    assert_eq!(answer.body["refresh_token"], refresh);

    let with_access = format!("grant_type=refresh_token&refresh_token={access}");
    assert_eq!(server.grant(&with_access).await.status, StatusCode::UNAUTHORIZED);

    // Rights are read when a token is issued: what changes counts at once.
    server.apply(&seed("repositories/samples/*/content/write")).await.unwrap();
    assert_eq!(server.grant(&by_grant).await.verified_access(&server), "repository:samples/a:push");
    server.apply("tokens: [{name: Reader, status: disabled}]").await.unwrap();
    assert_eq!(server.grant(&by_grant).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn changes_of_another_process_are_noticed() {
    let server = Server::start().await;
    let watching = tokio::spawn(follow(Arc::clone(&server.app)));
    let other = store::open(server.folder.path(), None).await.unwrap();
    let path = server.folder.path().join("other.yaml");
    std::fs::write(
        &path,
        "scopeMaps: [{name: reader-map, actions: [repositories/new/content/read]}]",
    )
    .unwrap();
    apply_file(&other, &path, &ReservedNames::new("registry")).await.unwrap();
    let mut access = String::new();
    for _ in 0..50 {
        let answer = server
            .get("/oauth2/token?scope=repository:new:pull", Some(&basic("Reader", "secret-one")))
            .await;
        access = answer.verified_access(&server);
        if !access.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    watching.abort();
    assert_eq!(access, "repository:new:pull");
}

#[tokio::test]
async fn a_bad_seed_changes_nothing() {
    let server = Server::start().await;
    let passwords = |names: &[&str]| {
        let sha256 = "0".repeat(64);
        let all: Vec<_> =
            names.iter().map(|name| format!("{{name: {name}, sha256: {sha256}}}")).collect();
        format!("tokens: [{{name: Reader, passwords: [{}]}}]", all.join(", "))
    };
    assert_eq!(server.apply(&passwords(&["password2"])).await.unwrap(), 0);
    server.apply(&seed("repositories/samples/*/content/read")).await.unwrap();
    for seed in [
        passwords(&["password"]).as_str(),
        &passwords(&["password1", "password1"]),
        &passwords(&["password2", "password1", "password2"]),
        "scopeMaps: [{name: reader-map, actions: ['repositories/a*/content/read']}]",
        "scopeMaps: [{name: _mine, actions: []}]",
        "scopeMaps: [{name: ab, actions: []}]",
        "tokens: [{name: a b}]",
        "scopeMaps: [{name: reader-map, actions: []}]\ntokens: [{name: Reader, scopeMap: missing-map}]",
        "tokens: [{name: Reader, passwords: [{name: password3, sha256: ''}]}]",
        "colour: red",
        "scopeMaps: 7",
    ] {
        assert!(server.apply(seed).await.is_err(), "{seed}");
    }
    let answer = server
        .get("/oauth2/token?scope=repository:samples/a:pull", Some(&basic("Reader", "secret-one")))
        .await;
    assert_eq!(answer.verified_access(&server), "repository:samples/a:pull");
}

#[tokio::test]
async fn a_password_is_generated_once() {
    let server = Server::start().await;
    let seed = "tokens: [{name: Fresh-1, scopeMap: admin-map}]";
    assert_eq!(server.apply(seed).await.unwrap(), 1);
    assert_eq!(server.apply(seed).await.unwrap(), 0);
}

#[tokio::test]
async fn the_public_keys_are_published() {
    let server = Server::start().await;
    let jwks = server.get("/.well-known/jwks.json", None).await.body;
    assert_eq!(jwks["keys"][0]["kid"], server.app.issuer.ring().newest_kid());
    assert!(jwks["keys"][0].get("d").is_none());
    let ring = server.app.issuer.ring();
    assert!(ring.bundle().starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(server.get("/.well-known/token-signing.pem", None).await.status, StatusCode::OK);
    assert_eq!(server.get("/elsewhere", None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("scopegate.db"),
        "not a database, but long enough to look at",
    )
    .unwrap();
    let error = store::open(folder.path(), None).await.unwrap_err();
    assert!(format!("{error:#}").contains("scopegate.db"), "{error:#}");
    assert!(store::open(Path::new("/proc/nowhere"), None).await.is_err());
}

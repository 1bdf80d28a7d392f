//! What a browser may send to management, and what it may do with an answer.

use axum::http::header;
use serde_json::json;

use crate::support::management::{
    Call, OTHER_CLIENT, Registry, client, delete, expect_refusal, expect_status, get, patch, post,
    put,
};

const JSON: (&str, &str) = ("content-type", "application/json");

/// Requests to every kind of address of management.
fn every_address(registry: &Registry) -> Vec<Call> {
    let (id, subscription) = (registry.id(), format!("/subscriptions/{}", registry.subscription()));
    vec![
        get(""),
        get("tokens"),
        get("bundle"),
        get("generations"),
        get(format!("{id}/scopeMaps")),
        get("/subscriptions"),
        get(&subscription),
        get(format!("{subscription}/resources")),
        get(format!("{subscription}/providers/Microsoft.ContainerRegistry/registries")),
        put("scopeMaps/some-map", ""),
        patch(&id, ""),
        delete("scopeMaps/some-map"),
        post("listCredentials", ""),
        post(format!("{id}/regenerateCredential"), ""),
        post(format!("{id}/generateCredentials"), ""),
        post(format!("servicePrincipals/{OTHER_CLIENT}/secrets"), ""),
    ]
}

/// Audit, row 3: what a page of another site makes a browser send is refused at every address of
/// management, before it changes anything.
#[tokio::test]
async fn a_request_of_another_site_is_refused() {
    let registry = Registry::start().await;
    let owner = registry.authorization("Owner");
    let before = registry.revision();
    for call in every_address(&registry) {
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "none"),
            ("origin", "https://other.test"),
            ("origin", "https://r.test:8443"),
            ("origin", "http://r.test"),
            ("origin", "null"),
        ] {
            let headers = [JSON, (name, value), ("host", "other.test")];
            let answer = registry.send_with(owner, &call, &headers).await;
            expect_refusal(&answer, &format!("{call} {name}: {value}"), 403, "another site");
            assert_eq!(answer.body["error"]["code"], "CrossOriginRequest");
        }
    }
    assert_eq!(registry.revision(), before);
}

#[tokio::test]
async fn a_request_of_the_same_site_or_of_no_browser_is_answered() {
    let registry = Registry::start().await;
    for headers in [
        &[JSON][..],
        &[JSON, ("sec-fetch-site", "same-origin"), ("origin", "https://r.test")],
        &[JSON, ("origin", "https://r.test"), ("host", "inside.test")],
    ] {
        let call = put("scopeMaps/some-map", r#"{"properties": {}}"#);
        let made = registry.send_with(registry.authorization("Owner"), &call, headers).await;
        assert!(made.status.is_success(), "{headers:?}: {}", made.body);
    }
}

const CHOSEN_SECRET: &str = r#"{"secret": "what an attacker knows"}"#;

fn secrets() -> String {
    format!("servicePrincipals/{}/secrets", client("AcrPull"))
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let registry = Registry::start().await;
    let owner = registry.authorization("Owner");
    let before = registry.revision();
    for kind in [
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "",
    ] {
        for call in [post(secrets(), CHOSEN_SECRET), post("listCredentials", CHOSEN_SECRET)] {
            let answer = registry.send_with(owner, &call, &[("content-type", kind)]).await;
            expect_refusal(&answer, &format!("{call} {kind}"), 415, "application/json");
        }
    }
    assert_eq!(registry.revision(), before);
}

#[tokio::test]
async fn a_body_that_is_json_or_empty_is_read() {
    let registry = Registry::start().await;
    for (headers, body) in [
        (&[("content-type", "application/json; charset=utf-8")][..], CHOSEN_SECRET),
        (&[("content-type", "text/plain"), ("content-length", "0")], ""),
        (&[], ""),
    ] {
        let call = post(secrets(), body);
        let answer = registry.send_with(registry.authorization("Owner"), &call, headers).await;
        expect_status(&answer, &format!("{headers:?}"), 200);
    }
}

/// What `az login` and container clients ask is no management: forms are taken, and no browser adds
/// credentials there.
#[tokio::test]
async fn the_authority_and_the_token_endpoint_take_forms_from_any_site() {
    let registry = Registry::start().await;
    let (owner, secret) = (client("Owner"), registry.secret("Owner"));
    let authority = format!(
        "grant_type=client_credentials&client_id={owner}&client_secret={secret}&scope=https://r.test/.default"
    );
    let password = format!("grant_type=password&username={owner}&password={secret}");
    let tenant = &registry.server.app.policy().registry.tenant;
    for call in [
        post(registry.server.authority(), authority),
        post("/oauth2/token", password),
        get("/metadata/endpoints"),
        get(format!("/{tenant}/v2.0/.well-known/openid-configuration")),
    ] {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "cross-site"),
            ("origin", "null"),
        ];
        let answer = registry.send_with(None, &call, &headers).await;
        expect_status(&answer, &call, 200);
    }
}

/// No cache keeps a password, no page frames an answer, no browser takes one for something else.
#[tokio::test]
async fn answers_say_what_a_browser_may_do_with_them() {
    let registry = Registry::start().await;
    registry.make_token("some-token", "_repositories_pull").await;
    registry.set_admin(true).await;
    let token = json!({"tokenId": registry.token_id("some-token")});
    let (keep, store_nothing) = ("", "no-store");
    for (call, status, cached) in [
        (post("generateCredentials", token), 200, store_nothing),
        (post("listCredentials", ""), 200, store_nothing),
        (post("regenerateCredential", r#"{"name": "password"}"#), 200, store_nothing),
        (post(secrets(), ""), 200, store_nothing),
        (get("tokens"), 200, store_nothing),
        (get("bundle"), 200, store_nothing),
        (get("tokens/no-such-token"), 404, store_nothing),
        (get("/oauth2/token"), 401, store_nothing),
        (get("/v2/"), 401, keep),
        (get("/openapi.json"), 200, store_nothing),
        (get("/.well-known/jwks.json"), 200, store_nothing),
        (get("/.well-known/token-signing.pem"), 200, keep),
        (get("/nothing"), 404, store_nothing),
    ] {
        let answer = registry.owner(&call).await;
        expect_status(&answer, &call, status);
        assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{call}");
        let policy = "default-src 'none'; frame-ancestors 'none'";
        assert_eq!(answer.header(header::CONTENT_SECURITY_POLICY), policy, "{call}");
        assert_eq!(answer.header(header::CACHE_CONTROL), cached, "{call}");
        let asks_for_password = answer.challenge.is_some_and(|it| it.starts_with("Basic"));
        assert!(!asks_for_password || call.path == "/oauth2/token");
    }
}

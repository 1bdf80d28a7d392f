//! Service principals: what happens to a client happens to the tokens that it has.

use axum::http::Method;
use scopegate_server::testing::clock;
use serde_json::{Value, json};

use crate::support::management::{
    Call, OTHER_CLIENT, Registry, SECRET, delete, expect_refusal, get, post, put,
};
use crate::support::{PULL, basic, bearer, claims};

const CLIENT: &str = "servicePrincipals/00000000-0000-4000-8000-000000000009";

fn secrets() -> String {
    format!("{CLIENT}/secrets")
}

/// The statuses of a client's token and of its secret after a change.
struct Change {
    call: Call,
    by_token: u16,
    by_secret: u16,
}

impl Change {
    fn new(method: Method, rest: &str, body: &Value, [by_token, by_secret]: [u16; 2]) -> Self {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Self { call: Call::new(method, format!("{CLIENT}{rest}"), body), by_token, by_secret }
    }
}

#[tokio::test]
async fn a_client_that_loses_something_loses_its_tokens() {
    let registry = Registry::start().await;
    for change in [
        Change::new(
            Method::PUT,
            "",
            &json!({"displayName": "x", "roles": ["Reader", "AcrPull"]}),
            [200, 200],
        ),
        Change::new(Method::POST, "/secrets", &json!({}), [200, 200]),
        Change::new(Method::PUT, "", &json!({"roles": []}), [401, 403]),
        Change::new(Method::PUT, "", &json!({"roles": ["AcrPull"]}), [401, 403]),
        Change::new(Method::PUT, "", &json!({"enabled": false}), [401, 401]),
        Change::new(Method::DELETE, "/secrets", &Value::Null, [401, 401]),
        Change::new(Method::DELETE, "", &Value::Null, [401, 401]),
    ] {
        registry.must(put(CLIENT, json!({"enabled": true, "roles": ["Reader"]}))).await;
        registry.must(post(secrets(), json!({"secret": SECRET}))).await;
        let token = bearer(&registry.bearer(OTHER_CLIENT, SECRET, "https://r.test").await);
        assert_eq!(registry.send(Some(&token), &get("tokens")).await.status, 200);
        let row = change.call.to_string();
        registry.must(change.call).await;
        let now = registry.send(Some(&token), &get("tokens")).await.status;
        assert_eq!(now, change.by_token, "{row}");
        let now = registry.send(Some(&basic(OTHER_CLIENT, SECRET)), &get("tokens")).await.status;
        assert_eq!(now, change.by_secret, "{row}");
        registry.owner(&delete(CLIENT)).await;
    }
}

#[tokio::test]
async fn of_three_secrets_the_two_last_are_good() {
    let registry = Registry::start().await;
    registry.must(put(CLIENT, json!({"roles": ["Reader"]}))).await;
    for number in 1..=3 {
        let body = json!({"secret": format!("{SECRET} {number}")});
        let answer = registry.must(post(secrets(), body)).await;
        assert_eq!(answer, json!({"clientId": OTHER_CLIENT}));
    }
    for (number, expected) in [(1, 401), (2, 200), (3, 200)] {
        let authorization = basic(OTHER_CLIENT, &format!("{SECRET} {number}"));
        let answer = registry.send(Some(&authorization), &get("")).await;
        assert_eq!(answer.status, expected, "{number}");
    }
}

#[tokio::test]
async fn roles_and_scope_maps_are_kept_once() {
    let registry = Registry::start().await;
    registry.must(put("scopeMaps/abcde", json!({"properties": {}}))).await;
    let body = json!({"roles": ["Owner", "Reader", "Owner"], "scopeMaps": ["ABCDE", "abcde"]});
    let client = registry.must(put(CLIENT, body)).await;
    assert_eq!(
        (&client["roles"], &client["scopeMaps"]),
        (&json!(["Owner", "Reader"]), &json!(["abcde"]))
    );
}

#[tokio::test]
async fn a_secret_that_is_easy_to_guess_is_refused() {
    let registry = Registry::start().await;
    let body = json!({"roles": ["Reader"], "displayName": "violin quarry otter"});
    registry.must(put(CLIENT, body)).await;
    for (secret, says) in [
        ("too short", "a secret has 16 to 256 characters"),
        ("aaaaaaaaaaaaaaaaaaaa", "too easy to guess (Repeats like"),
        ("password password", "too easy to guess"),
        // The names of the client and of the registry are the first guesses.
        ("violin quarry otter", "too easy to guess"),
        (OTHER_CLIENT, "too easy to guess"),
        ("registry r.test registry", "too easy to guess"),
    ] {
        let call = post(secrets(), json!({ "secret": secret }));
        let answer = registry.owner(&call).await;
        expect_refusal(&answer, &call, 400, says);
        assert!(!answer.body.to_string().contains(secret), "{}", answer.body);
    }
    let client = registry.must(get(CLIENT)).await;
    assert_eq!(client["secrets"], 0);
    registry.must(post(secrets(), json!({"secret": "lantern marble pigeon sofa"}))).await;
}

/// A secret that expires takes with it what it made: no token is good for longer, not by way of
/// `az login` either.
#[tokio::test]
async fn no_token_outlives_its_secret() {
    let registry = Registry::start().await;
    registry.must(put(CLIENT, json!({"roles": ["Reader", "AcrPull"]}))).await;
    let end = clock::now() + 1000;
    let expiry = clock::rfc3339(end);
    let made = registry.must(post(secrets(), json!({ "expiry": expiry }))).await;
    assert_eq!(made["expiry"], expiry);
    let secret = made["secret"].as_str().unwrap();
    let server = &registry.server;
    let login = server.login(OTHER_CLIENT, secret).await;
    let audience = "https://r.test";
    let az = registry.bearer(OTHER_CLIENT, secret, audience).await;
    let for_exchange =
        registry.bearer(OTHER_CLIENT, secret, "https://containerregistry.azure.net").await;
    let exchanged = server.exchange(&for_exchange).await.refresh_token();
    for (what, token) in [
        ("access token", server.by_password(OTHER_CLIENT, secret, PULL).await.access_token()),
        ("refresh token", login.clone()),
        ("renewed", server.renew(&login, PULL).await.access_token()),
        ("of az", az.clone()),
        ("of az, exchanged", exchanged.clone()),
        ("of az, exchanged and renewed", server.renew(&exchanged, PULL).await.access_token()),
    ] {
        assert!(claims(&token)["exp"].as_i64().unwrap() <= end, "{what}");
    }
    // Another secret without an expiry changes nothing; both are shown.
    registry.must(post(secrets(), json!({"secret": SECRET}))).await;
    let client = registry.must(get(CLIENT)).await;
    assert_eq!(client["secretExpiries"], json!([expiry, null]));
    let renewed = server.renew(&exchanged, PULL).await.access_token();
    assert!(claims(&renewed)["exp"].as_i64().unwrap() <= end);
    let unbound = server.by_password(OTHER_CLIENT, SECRET, PULL).await.access_token();
    assert!(claims(&unbound)["exp"].as_i64().unwrap() > end);
    // It is removed, and with it what it made.
    registry.must(delete(secrets())).await;
    for token in [&login, &exchanged] {
        assert_eq!(server.renew(token, PULL).await.status, 401);
    }
    assert_eq!(registry.send(Some(&bearer(&az)), &get("")).await.status, 401);
}

#[tokio::test]
async fn an_expired_secret_opens_nothing() {
    let registry = Registry::start().await;
    registry.must(put(CLIENT, json!({"roles": ["Reader", "AcrPull"]}))).await;
    let past = json!({"expiry": "2020-01-01T00:00:00Z"});
    let call = post(secrets(), past);
    expect_refusal(&registry.owner(&call).await, &call, 400, "the expiry is past");
    let call = post(secrets(), json!({"expiry": "soon"}));
    expect_refusal(&registry.owner(&call).await, &call, 400, "`expiry` is not a time");
    let end = clock::now() + 3;
    let body = json!({"secret": SECRET, "expiry": clock::rfc3339(end)});
    registry.must(post(secrets(), body)).await;
    let server = &registry.server;
    let statuses = async || {
        let management = registry.send(Some(&basic(OTHER_CLIENT, SECRET)), &get("")).await.status;
        let token = server.by_password(OTHER_CLIENT, SECRET, PULL).await.status;
        (management.as_u16(), token.as_u16())
    };
    let refresh = server.login(OTHER_CLIENT, SECRET).await;
    assert_eq!(statuses().await, (200, 200));
    while clock::now() < end {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    // Also where a right secret is remembered, and where clocks may differ by a minute.
    assert_eq!(statuses().await, (401, 401));
    assert_eq!(server.renew(&refresh, PULL).await.status, 401);
    assert_eq!(registry.must(get(CLIENT)).await["secrets"], 1);
}

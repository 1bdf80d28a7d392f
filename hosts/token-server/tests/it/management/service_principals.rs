//! Service principals: what happens to a client happens to the tokens that it has.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::management::{Call, OTHER_CLIENT, Registry, SECRET, delete, get, post, put};
use crate::support::{basic, bearer};

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
        assert_eq!(registry.send(Some(&token), &get("")).await.status, 200);
        let row = change.call.to_string();
        registry.must(change.call).await;
        let now = registry.send(Some(&token), &get("")).await.status;
        assert_eq!(now, change.by_token, "{row}");
        let now = registry.send(Some(&basic(OTHER_CLIENT, SECRET)), &get("")).await.status;
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

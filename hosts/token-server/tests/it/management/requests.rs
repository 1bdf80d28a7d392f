//! Requests that cannot be read, and what is said about them.

use serde_json::{Value, json};

use crate::support::management::{
    Call, Registry, expect_refusal, expect_status, get, patch, post, put,
};

async fn check(rows: impl IntoIterator<Item = (Call, u16, &'static str)>) {
    let registry = Registry::start().await;
    registry.make_token("some-token", "_repositories_pull").await;
    for (call, status, says) in rows {
        expect_refusal(&registry.owner(&call).await, &call, status, says);
    }
}

#[tokio::test]
async fn a_scope_map_that_cannot_be_read_is_refused() {
    let map = |body: &str| put("scopeMaps/some-map", body);
    let big = format!("{{\"properties\":{{\"description\":\"{}\"}}}}", "x".repeat(300_000));
    check([
        (map(""), 400, "missing field `properties`"),
        (map("null"), 400, "expected an object"),
        (map("{"), 400, "line 1"),
        (map("not json"), 400, "line 1 column"),
        (map("\u{feff}{}"), 400, "line 1"),
        (map("{\"properties\":[1]}"), 400, "cannot be read"),
        (map("{\"properties\":{\"actions\":\"x\"}}"), 400, "expected a sequence"),
        (map("{\"properties\":{\"actions\":[null]}}"), 400, "expected a string"),
        (map("{\"properties\":{},\"properties\":{}}"), 400, "duplicate field"),
        (map(&"[".repeat(100_000)), 400, "cannot be read"),
        (map(&big), 413, "262144 bytes"),
    ])
    .await;
}

#[tokio::test]
async fn an_edit_with_a_wrong_value_is_refused() {
    let token = "tokens/some-token";
    let passwords = |passwords: Value| {
        patch(token, json!({"properties": {"credentials": {"passwords": passwords}}}))
    };
    let asleep = json!({"properties": {"status": "asleep"}});
    let yes = json!({"properties": {"adminUserEnabled": "yes"}});
    let three = "expected one of `password`, `password1`, `password2`";
    check([
        (put(token, asleep), 400, "expected `enabled` or `disabled`"),
        (passwords(json!([{"name": "password3"}])), 400, three),
        (passwords(json!([{}])), 400, "missing field `name`"),
        (post("generateCredentials", ""), 400, "missing field `tokenId`"),
        (post("regenerateCredential", ""), 400, "missing field `name`"),
        (post("regenerateCredential", "{\"name\":\"password9\"}"), 400, "expected one of"),
        (patch("", yes), 400, "expected a boolean"),
    ])
    .await;
}

#[tokio::test]
async fn a_wrong_query_is_refused() {
    check([
        (get("tokens?$top=0"), 400, "`$top` is a number from 1 to 500"),
        (get("tokens?$top=-1"), 400, "`$top`"),
        (get("tokens?$top=501"), 400, "`$top`"),
        (get("tokens?$top=many"), 400, "`$top`"),
        (get("tokens?$top="), 400, "`$top`"),
        (get("tokens?$top=1&$top=2"), 400, "the query cannot be read"),
        (get("generations?since=x"), 400, "the query cannot be read"),
    ])
    .await;
}

const IN_TEN_YEARS: &str = "2036-01-01T00:00:00Z";

fn generate(registry: &Registry, name: &Value, expiry: &Value) -> Call {
    let id = registry.token_id("some-token");
    post("generateCredentials", json!({"tokenId": id, "name": name, "expiry": expiry}))
}

#[tokio::test]
async fn a_password_expires_when_its_maker_says_or_never() {
    let registry = Registry::start().await;
    registry.make_token("some-token", "_repositories_pull").await;
    for (name, expiry, expected) in [
        (json!("password1"), json!(IN_TEN_YEARS), Some(IN_TEN_YEARS)),
        (json!("password1"), json!("2036-01-01T01:00:00.994606+01:00"), Some(IN_TEN_YEARS)),
        (Value::Null, Value::Null, None),
        (json!("password2"), json!("9999-12-31T23:59:59.999999+00:00"), None),
        (json!("password2"), json!("9999-12-31T23:59:59Z"), None),
    ] {
        let call = generate(&registry, &name, &expiry);
        let answer = registry.owner(&call).await;
        expect_status(&answer, &call, 200);
        assert_eq!(answer.body["passwords"][0]["expiry"].as_str(), expected, "{expiry}");
    }
}

#[tokio::test]
async fn an_expiry_that_is_past_or_no_time_is_refused() {
    let registry = Registry::start().await;
    registry.make_token("some-token", "_repositories_pull").await;
    for (name, expiry, says) in [
        ("password1", json!("2020-01-01T00:00:00Z"), "the expiry is past"),
        ("password1", json!("0001-01-01T00:00:00Z"), "the expiry is past"),
        ("password1", json!("tomorrow"), "is not a time"),
        ("password1", json!("2036-01-01"), "is not a time"),
        ("password1", json!(""), "is not a time"),
        ("password1", json!("2036-13-01T00:00:00Z"), "is not a time"),
        ("password", Value::Null, "no `password`"),
    ] {
        let call = generate(&registry, &json!(name), &expiry);
        expect_refusal(&registry.owner(&call).await, &call, 400, says);
    }
}

//! Names, and how long things may be.

use serde_json::{Value, json};

use crate::support::management::{Call, Registry, expect, patch, post, properties, put};

const CLIENT: &str = "servicePrincipals/3f2504e0-4f89-41d3-9a0c-0305e82c3301";

/// A request, its status, and what a refusal says.
type Row = (Call, u16, &'static str);

async fn check(rows: Vec<Row>) {
    let registry = Registry::start().await;
    for (call, status, says) in rows {
        expect(&registry.owner(&call).await, &call, status, says);
    }
}

fn token(name: &str) -> Call {
    put(format!("tokens/{name}"), json!({"properties": {}}))
}

fn map(name: &str, of: &Value) -> Call {
    put(format!("scopeMaps/{name}"), properties(of))
}

#[tokio::test]
async fn the_name_of_a_token_is_bounded_and_nobody_elses() {
    let guid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    check(vec![
        (token("abcde"), 201, ""),
        (token(&"a".repeat(50)), 201, ""),
        (token("-----"), 201, ""),
        (token("abcd"), 400, "5 to 50"),
        (token(&"a".repeat(51)), 400, "5 to 50"),
        (token("under_score"), 400, "letters, digits"),
        (token("with%20space"), 400, "letters, digits"),
        (token("with%2Fslash"), 400, "letters, digits"),
        (token("%C3%A4%C3%A4%C3%A4%C3%A4"), 400, "letters, digits"),
        (token("%FF%FF%FF%FF%FF"), 400, ""),
        (token(guid), 400, "client ids"),
        (token(&guid.replace('-', "").to_uppercase()), 400, "client ids"),
        (token("Administrator"), 400, "client ids"),
        (token("REGISTRY"), 400, "registry's own name"),
        (token("registry2"), 201, ""),
    ])
    .await;
}

#[tokio::test]
async fn the_name_of_a_scope_map_is_bounded() {
    let empty = json!({});
    check(vec![
        (map("abcde", &empty), 201, ""),
        (map(&"a".repeat(50), &empty), 201, ""),
        (map("with_under-score", &empty), 201, ""),
        (map("abcd", &empty), 400, "scope map `abcd`"),
        (map(&"a".repeat(51), &empty), 400, "scope map"),
        (map("with.dot", &empty), 400, "scope map"),
        (map("_mine_alone", &empty), 409, "system-defined"),
    ])
    .await;
}

/// `count` rules.
fn rules(count: usize) -> Value {
    let rules: Vec<_> = (0..count).map(|n| format!("repositories/r{n}/content/read")).collect();
    json!({"actions": rules})
}

#[tokio::test]
async fn descriptions_and_rules_are_bounded() {
    let text = |length: usize| json!({"description": "ü".repeat(length)});
    let path = "p".repeat(240);
    let huge: Vec<_> =
        (0..500).map(|n| format!("repositories/{path}/{n}/metadata/write")).collect();
    check(vec![
        (map("described", &text(256)), 201, ""),
        (map("described", &text(257)), 400, "256"),
        (patch("scopeMaps/described", properties(&text(257))), 400, "256"),
        (map("full-map", &rules(500)), 201, ""),
        (map("full-map", &rules(501)), 400, "500"),
        (patch("scopeMaps/full-map", properties(&rules(501))), 400, "500"),
        (map("huge-map", &json!({"actions": huge})), 201, ""),
    ])
    .await;
}

#[tokio::test]
async fn a_rule_that_is_none_is_named() {
    let with =
        |rule: &str| map("wrong-map", &json!({"actions": ["repositories/a/content/read", rule]}));
    let starred = "actions[1] `repositories/a*/content/read`";
    check(vec![
        (with("repositories/a*/content/read"), 400, starred),
        (with("repositories/a/content/fly"), 400, "actions[1]"),
        (with(""), 400, "actions[1] ``"),
        (with("repositories/a//b/content/read"), 400, "("),
    ])
    .await;
}

#[tokio::test]
async fn a_client_has_a_guid_and_roles_that_there_are() {
    let client = |name: &str| put(format!("servicePrincipals/{name}"), "{}");
    let named = |length: usize| put(CLIENT, json!({"displayName": "x".repeat(length)}));
    let no_role = "there is no role `King`; use AcrPull";
    let no_map = json!({"scopeMaps": ["no-such-map"]});
    check(vec![
        (named(256), 200, ""),
        (named(257), 400, "256"),
        (put(CLIENT, json!({"roles": ["King"]})), 400, no_role),
        (put(CLIENT, no_map), 400, "there is no scope map"),
        (client("some-client"), 400, "use a GUID"),
        (client("3f2504e04f8941d39a0c0305e82c3301"), 400, "use a GUID"),
        (client("00000000-0000-0000-0000-000000000000"), 400, "use a GUID"),
    ])
    .await;
}

#[tokio::test]
async fn a_chosen_secret_is_bounded_and_looks_like_no_generated_one() {
    let secret = |secret: String| post(format!("{CLIENT}/secrets"), json!({"secret": secret}));
    check(vec![
        (put(CLIENT, "{}"), 200, ""),
        (secret(format!("sgp_{}", "A".repeat(43))), 400, "looks like a generated one"),
        (secret(format!("sgp_{}", "A".repeat(32))), 400, "looks like a generated one"),
        (secret("x".repeat(15)), 400, "16 to 256"),
        (secret("x".repeat(257)), 400, "16 to 256"),
        (secret("k3-Vw9pQz7mXt2Lb".to_owned()), 200, ""),
        (secret(format!("otter violin quarry lamp {}", "x".repeat(231))), 200, ""),
    ])
    .await;
}

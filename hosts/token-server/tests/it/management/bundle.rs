//! The bundle for edges: what it grants is what the server itself grants, and a change is in it at
//! once.

use std::collections::BTreeSet;

use scopegate_api::claims::{AccessClaims, PrincipalKind};
use scopegate_core::{ActionSet, Settings};
use scopegate_edge::policy::Policy;
use serde_json::{Value, json};

use crate::support::management::{Registry, client, delete, patch, properties, put};

const READ: &str = "repositories/team/*/content/read";
const WRITE: &str = "repositories/team/*/content/write";

/// A registry with a token `Writer`, and its password.
async fn registry_with_writer() -> (Registry, String) {
    let registry = Registry::start().await;
    registry.set_admin(true).await;
    registry.must(put("scopeMaps/Team-map", actions(&[READ, WRITE]))).await;
    registry.make_token("Writer", "team-map").await;
    let [password, _] = registry.passwords("Writer").await;
    (registry, password)
}

fn actions(actions: &[&str]) -> Value {
    properties(&json!({ "actions": actions }))
}

/// The newest bundle, as an edge reads it beside the one that it holds.
async fn fetch(registry: &Registry, held: Option<&Policy>) -> Policy {
    let (text, _) = registry.bundle(None).await;
    registry.edge(&text.unwrap(), held)
}

/// What is left of a token that asks for three things, as a host decides it; `-` for nothing.
fn granted(policy: &Policy, claims: &AccessClaims) -> String {
    let holder = policy.holder(claims).unwrap();
    let grants = holder.grants(claims, &Settings::default());
    let on = |name: &str| {
        let actions = grants.iter().filter(|grant| grant.name == name).map(|grant| grant.actions);
        match actions.fold(ActionSet::NONE, ActionSet::union).to_string() {
            none if none.is_empty() => "-".to_owned(),
            some => some,
        }
    };
    ["team/app", "other", "catalog"].map(on).join(" ")
}

#[tokio::test]
async fn an_edge_grants_what_the_server_grants() {
    let (registry, password) = registry_with_writer().await;
    let policy = fetch(&registry, None).await;
    let writer = registry.access("Writer", &password).await;
    let puller = registry.access(client("AcrPull"), registry.secret("AcrPull")).await;
    let anonymous = AccessClaims {
        sub: "acr_anon_pull".into(),
        principal: Some(PrincipalKind::Anonymous),
        ..writer.clone()
    };
    assert_eq!(granted(&policy, &writer), "pull,push - -");
    assert_eq!(granted(&policy, &puller), "pull pull *");
    assert_eq!(granted(&policy, &anonymous), "- - -");
}

#[tokio::test]
async fn an_unchanged_bundle_is_not_sent_again() {
    let (registry, _) = registry_with_writer().await;
    let (_, tag) = registry.bundle(None).await;
    let unchanged = match registry.bundle(Some(&tag)).await {
        // A minute may end between two questions, and not between three.
        (Some(_), next) => registry.bundle(Some(&next)).await.0,
        (None, _) => None,
    };
    assert_eq!(unchanged, None);
    registry.must(patch("scopeMaps/Team-map", actions(&[READ]))).await;
    let (changed, newer) = registry.bundle(Some(&tag)).await;
    assert_ne!(newer, tag);
    registry.edge(&changed.unwrap(), None);
}

#[tokio::test]
async fn a_map_that_loses_a_rule_ends_tokens_and_bounds_new_ones() {
    let (registry, password) = registry_with_writer().await;
    let first = fetch(&registry, None).await;
    let before = registry.access("Writer", &password).await;
    registry.must(patch("scopeMaps/Team-map", actions(&[READ]))).await;
    let second = fetch(&registry, Some(&first)).await;
    assert!(second.holder(&before).is_none(), "a token from before the change");
    let after = registry.access("Writer", &password).await;
    assert_eq!(granted(&second, &after), "pull - -");
    // The tables decide, whatever the token says.
    let claims = AccessClaims { access: before.access, ..after };
    assert_eq!(granted(&second, &claims), "pull - -");
}

#[tokio::test]
async fn a_disabled_or_deleted_token_holds_nothing_at_an_edge() {
    let (registry, password) = registry_with_writer().await;
    let first = fetch(&registry, None).await;
    let claims = registry.access("Writer", &password).await;
    registry.must(patch("tokens/Writer", json!({"properties": {"status": "disabled"}}))).await;
    let disabled = fetch(&registry, Some(&first)).await;
    assert!(disabled.holder(&claims).is_none());
    let forged = AccessClaims { generation: Some(u64::MAX >> 1), ..claims };
    assert_eq!(granted(&disabled, &forged), "- - -", "whoever is disabled has no scope map");
    registry.must(delete("tokens/Writer")).await;
    let deleted = fetch(&registry, Some(&disabled)).await;
    assert!(deleted.holder(&forged).is_none(), "whoever is gone");
}

/// Maps that are equal are written once, and the roles' are there for the principals that have
/// them.
#[tokio::test]
async fn equal_tables_are_written_once() {
    let (registry, _) = registry_with_writer().await;
    registry.make_token("Other", "team-map").await;
    let (text, _) = registry.bundle(None).await;
    let bundle: Value = registry.open(&text.unwrap());
    let is_other = |principal: &&Value| principal["sub"] == "other";
    let other = bundle["principals"].as_array().unwrap().iter().find(is_other).unwrap();
    assert_eq!(other["tables"].as_array().unwrap().len(), 1);
    let tables = bundle["tables"].as_array().unwrap();
    let distinct: BTreeSet<_> = tables.iter().map(Value::to_string).collect();
    assert_eq!(distinct.len(), tables.len());
}

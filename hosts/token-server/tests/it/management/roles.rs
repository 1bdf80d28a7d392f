//! What each role may do.

use serde_json::{Value, json};

use crate::support::management::{
    Call, OTHER_CLIENT, Registry, client, delete, expect, get, patch, post, put,
};
use crate::support::{REGISTRY, basic};

/// `EdgeReader` has a test of its own.
const ROLES: [&str; 5] = ["nobody", "AcrPull", "Reader", "Contributor", "Owner"];

/// The statuses of a request, in the order of [`ROLES`].
type Statuses = [u16; 5];

const READ: Statuses = [401, 403, 200, 200, 200];
const CHANGED: Statuses = [401, 403, 403, 200, 200];
const MADE: Statuses = [401, 403, 403, 201, 200];
const DELETED: Statuses = [401, 403, 403, 204, 204];
const GIVEN: Statuses = [401, 403, 403, 403, 200];

/// A registry with one record of each kind.
async fn registry() -> Registry {
    let registry = Registry::start().await;
    registry.set_admin(true).await;
    let empty = json!({"properties": {}});
    registry.must(put("scopeMaps/first-map", &empty)).await;
    registry.must(put("tokens/first-token", &empty)).await;
    registry.must(put(other_client(""), "")).await;
    registry
}

fn other_client(rest: &str) -> String {
    format!("servicePrincipals/{OTHER_CLIENT}{rest}")
}

/// Sends a request in each role; under the long path too, where a second time changes nothing.
async fn check(registry: &Registry, call: Call, expected: Statuses) {
    let is_repeatable = matches!(call.method.as_str(), "GET" | "PATCH");
    let long = call.target().replace(REGISTRY, &registry.id());
    let mut calls = vec![call.clone()];
    if is_repeatable && !call.path.starts_with('/') {
        calls.push(Call { path: long, ..call });
    }
    for (role, expected) in ROLES.into_iter().zip(expected) {
        for call in &calls {
            let answer = registry.send(registry.authorization(role), call).await;
            expect(&answer, &format!("{role}: {call}"), expected, "");
        }
    }
}

#[tokio::test]
async fn a_reader_reads_everything_and_a_puller_nothing() {
    let registry = registry().await;
    for call in [
        get("scopeMaps"),
        get("scopeMaps/first-map"),
        get("tokens"),
        get("tokens/first-token"),
        get("servicePrincipals"),
        get(other_client("")),
        get("generations"),
        get("bundle"),
    ] {
        check(&registry, call, READ).await;
    }
    check(&registry, get(""), [401, 200, 200, 200, 200]).await;
    check(&registry, get("scopeMaps/no-such-map"), [401, 403, 404, 404, 404]).await;
}

/// What `az acr login` asks before it logs in.
fn looks_up(registry: &Registry) -> [Call; 4] {
    let (id, subscription) = (registry.id(), registry.subscription());
    let list = id.strip_suffix("/registry").unwrap();
    [
        get(format!("/subscriptions/{subscription}/resources")),
        get(list),
        get(format!(
            "/subscriptions/{subscription}/providers/Microsoft.ContainerRegistry/registries"
        )),
        get(id),
    ]
}

/// The only value of a list, or the body itself.
fn only(body: &Value) -> &Value {
    body.get("value").map_or(body, |list| &list[0])
}

#[tokio::test]
async fn a_client_with_access_finds_the_registry_and_nothing_more_of_it() {
    let registry = registry().await;
    let settings = registry.must(get("")).await;
    check(&registry, get("/subscriptions"), [401, 200, 200, 200, 200]).await;
    for call in looks_up(&registry) {
        check(&registry, call.clone(), [401, 200, 200, 200, 200]).await;
        let seen = registry.send(registry.authorization("AcrPull"), &call).await.body;
        let seen = only(&seen);
        assert_eq!((&seen["id"], &seen["name"]), (&settings["id"], &settings["name"]), "{call}");
        if !call.path.ends_with("/resources") {
            let found = json!({"loginServer": "r.test", "provisioningState": "Succeeded"});
            assert_eq!(seen["properties"], found, "{call}");
        }
    }
}

/// A scope map is access, too. A principal without any finds nothing, one that was disabled or
/// deleted is unknown.
#[tokio::test]
async fn who_finds_the_registry() {
    let registry = registry().await;
    for (properties, expected) in [
        (json!({"roles": ["AcrPull"]}), "found"),
        (json!({"roles": ["AcrPush"]}), "found"),
        (json!({"roles": ["AcrPull", "EdgeReader"]}), "found"),
        (json!({"scopeMaps": ["first-map"]}), "found"),
        (json!({}), "none"),
        (json!({"roles": ["EdgeReader"]}), "403"),
        (json!({"roles": ["AuditReader"]}), "403"),
        (json!({"roles": ["EdgeReader"], "scopeMaps": ["first-map"]}), "403"),
        (json!({"roles": ["AcrPull"], "enabled": false}), "401"),
    ] {
        registry.must(delete(other_client(""))).await;
        registry.must(put(other_client(""), &properties)).await;
        let secret = registry.must(post(other_client("/secrets"), json!({}))).await;
        let by_secret = basic(OTHER_CLIENT, secret["secret"].as_str().unwrap());
        for call in looks_up(&registry) {
            let answer = registry.send(Some(&by_secret), &call).await;
            let seen = match answer.status.as_u16() {
                200 if only(&answer.body)["name"] == "registry" => "found".to_owned(),
                200 => "none".to_owned(),
                403 if expected == "none" => "none".to_owned(),
                status => status.to_string(),
            };
            assert_eq!(seen, expected, "{properties}: {call}: {}", answer.body);
        }
    }
}

/// A token that found the registry finds nothing any more.
#[tokio::test]
async fn a_disabled_client_finds_no_registry() {
    let registry = registry().await;
    let path = format!("servicePrincipals/{}", client("AcrPull"));
    let disabled = json!({"roles": ["AcrPull"], "enabled": false});
    registry.must(put(path, &disabled)).await;
    for call in looks_up(&registry) {
        let answer = registry.send(registry.authorization("AcrPull"), &call).await;
        expect(&answer, &call, 401, "");
    }
}

#[tokio::test]
async fn a_contributor_changes_what_an_owner_does_but_no_roles() {
    let registry = registry().await;
    let empty = json!({"properties": {}});
    let token = json!({"tokenId": registry.token_id("first-token")});
    for (call, expected) in [
        (patch("", &empty), CHANGED),
        (put("scopeMaps/second-map", &empty), MADE),
        (patch("scopeMaps/second-map", &empty), CHANGED),
        (delete("scopeMaps/no-such-map"), DELETED),
        (put("tokens/second-token", &empty), MADE),
        (patch("tokens/second-token", &empty), CHANGED),
        (delete("tokens/no-such-token"), DELETED),
        (post("generateCredentials", &token), CHANGED),
        (post("listCredentials", ""), CHANGED),
        (post("regenerateCredential", json!({"name": "password"})), CHANGED),
        (put(other_client(""), json!({})), GIVEN),
        (post(other_client("/secrets"), json!({})), GIVEN),
        (delete(other_client("/secrets")), [401, 403, 403, 403, 204]),
        (delete(other_client("")), GIVEN),
    ] {
        check(&registry, call, expected).await;
    }
}

/// Audit, row 10: an edge reads what it needs with a role that gives nothing else, no repository
/// and no resource.
#[tokio::test]
async fn fault_10_an_edge_reads_its_feeds_and_nothing_else() {
    let registry = Registry::start().await;
    registry.must(put("scopeMaps/first-map", json!({"properties": {}}))).await;
    let (id, edge) = (registry.id(), client("EdgeReader"));
    let by_secret = basic(edge, registry.secret("EdgeReader"));
    let authorizations = [registry.authorization("EdgeReader").unwrap(), &by_secret];
    for (call, expected) in reads_of_an_edge(&id).into_iter().chain(refusals_of_an_edge(&registry))
    {
        for authorization in authorizations {
            let answer = registry.send(Some(authorization), &call).await;
            assert_eq!(answer.status, expected, "{call}: {}", answer.body);
        }
    }
    let target =
        "/oauth2/token?service=r.test&scope=repository:a:pull,metadata_read%20registry:catalog:*";
    let answer = registry.server.get(target, Some(&by_secret)).await;
    assert_eq!(answer.verified_access(&registry.server), "");
}

fn reads_of_an_edge(id: &str) -> Vec<(Call, u16)> {
    let paths = ["generations".into(), "bundle".into()];
    let long = [format!("{id}/generations"), format!("{id}/bundle")];
    paths.into_iter().chain(long).map(|path: String| (get(path), 200)).collect()
}

fn refusals_of_an_edge(registry: &Registry) -> Vec<(Call, u16)> {
    let (id, subscription) = (registry.id(), registry.subscription());
    let edge = client("EdgeReader");
    let calls = [
        get(""),
        get("scopeMaps"),
        get("scopeMaps/first-map"),
        get("tokens"),
        get("servicePrincipals"),
        get(format!("servicePrincipals/{edge}")),
        get(id),
        get("/subscriptions"),
        get(format!("/subscriptions/{subscription}")),
        get(format!("/subscriptions/{subscription}/resources")),
        patch("", "{}"),
        put("scopeMaps/other-map", "{}"),
        delete("scopeMaps/first-map"),
        post("listCredentials", "{}"),
        post(format!("servicePrincipals/{edge}/secrets"), "{}"),
    ];
    calls.into_iter().map(|call| (call, 403)).collect()
}

//! Ids and paths of what there is not, or of another registry.

use serde_json::json;

use crate::support::management::{
    Call, OTHER_CLIENT, Registry, delete, expect_refusal, expect_status, get, patch, post, put,
};

#[tokio::test]
async fn the_id_of_another_registry_is_refused() {
    let registry = Registry::start().await;
    let (id, subscription) = (registry.id(), registry.subscription());
    for other in [
        id.replace(&subscription, OTHER_CLIENT),
        id.replace("scopegate/", "other/"),
        id.replace("/registry", "/registry2"),
    ] {
        let answer = registry.owner(&get(&other)).await;
        expect_refusal(&answer, &other, 404, "there is no ");
        for id in [&other, &format!("{other}/tokens")] {
            let map = format!("{id}/scopeMaps/_repositories_pull");
            let body = json!({"properties": {"scopeMapId": map}});
            let answer = registry.owner(&put("tokens/some-token", body)).await;
            expect_refusal(&answer, id, 400, "is not an id like");
        }
    }
}

/// The path of a list of registries, in a resource group or in all.
fn registries(subscription: &str, group: &str) -> String {
    format!("/subscriptions/{subscription}{group}/providers/Microsoft.ContainerRegistry/registries")
}

#[tokio::test]
async fn registries_are_listed_by_resource_group() {
    let registry = Registry::start().await;
    let subscription = registry.subscription();
    for group in ["", "/resourceGroups/scopegate", "/resourceGroups/SCOPEGATE"] {
        let body = registry.must(get(registries(&subscription, group))).await;
        assert_eq!(body["value"][0]["name"], "registry", "{group}");
    }
}

/// Requests for what there is not.
fn calls_to_nothing(registry: &Registry) -> Vec<Call> {
    let (id, subscription) = (registry.id(), registry.subscription());
    let empty = json!({"properties": {}});
    vec![
        get(registries(&subscription, "/resourceGroups/other")),
        get(registries(OTHER_CLIENT, "")),
        get(format!("/subscriptions/{OTHER_CLIENT}")),
        get(format!("/subscriptions/{OTHER_CLIENT}/resources")),
        get(format!("/subscriptions/{subscription}/elsewhere/and/on")),
        get(format!("{id}/webhooks")),
        post(format!("{id}/importImage"), ""),
        get("webhooks"),
        get("/registries/other"),
        get("tokens/no-such-token"),
        patch("tokens/no-such-token", &empty),
        get("scopeMaps/no-such-map"),
        patch("scopeMaps/no-such-map", &empty),
        get(format!("servicePrincipals/{OTHER_CLIENT}")),
        post(format!("servicePrincipals/{OTHER_CLIENT}/secrets"), ""),
        delete(format!("servicePrincipals/{OTHER_CLIENT}/secrets")),
    ]
}

#[tokio::test]
async fn what_there_is_not_is_not_found() {
    let registry = Registry::start().await;
    for call in calls_to_nothing(&registry) {
        let answer = registry.owner(&call).await;
        expect_refusal(&answer, &call, 404, "there is no");
        assert_eq!(answer.body["error"]["code"], "ResourceNotFound");
    }
}

#[tokio::test]
async fn an_id_is_read_in_any_case_and_never_in_part() {
    let registry = Registry::start().await;
    registry.make_token("some-token", "_REPOSITORIES_pull").await;
    let id = registry.id();
    for (token_id, status) in [
        (format!("{id}/tokens/some-token"), 200),
        (format!("{}/TOKENS/SOME-token", id.to_uppercase()), 200),
        (format!("{id}/tokens/no-such-token"), 404),
        (format!("{id}/tokens/"), 400),
        (format!("{id}/tokens/some-token/x"), 400),
        (format!("{id}/scopeMaps/some-token"), 400),
        (format!("{}/tokens/some-token", id.replace("/registry", "/registrx")), 400),
        ("some-token".into(), 400),
        ("ä".repeat(200), 400),
        (String::new(), 400),
    ] {
        let call = post("generateCredentials", json!({"tokenId": token_id}));
        expect_status(&registry.owner(&call).await, &token_id, status);
    }
}

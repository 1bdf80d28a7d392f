//! What `az` asks before it logs in, and how it finds the registry.

use serde_json::json;

use crate::support::management::{Registry, expect_status, get};

#[tokio::test]
async fn the_endpoints_are_told_to_anybody() {
    let registry = Registry::start().await;
    for path in [
        "/metadata/endpoints",
        "//metadata/endpoints",
        "/metadata/endpoints?api-version=2022-09-01",
    ] {
        let answer = registry.server.get(path, None).await;
        expect_status(&answer, &path, 200);
        assert_eq!(answer.body["resourceManager"], "https://r.test");
        assert_eq!(answer.body["authentication"]["loginEndpoint"], "https://r.test");
        assert_eq!(answer.body["suffixes"]["acrLoginServer"], "test");
    }
}

#[tokio::test]
async fn the_registry_is_found_by_its_subscription() {
    let registry = Registry::start().await;
    let subscription = registry.subscription();
    let list = registry.must(get("/subscriptions")).await;
    assert_eq!(list["value"][0]["subscriptionId"], subscription);
    let one = registry.must(get(format!("/subscriptions/{subscription}"))).await;
    assert_eq!(one, list["value"][0]);
    let filter = "$filter=resourceType%20eq%20%27Microsoft.ContainerRegistry/registries%27&api-version=2024-11-01";
    let resources = format!("/subscriptions/{subscription}/resources?{filter}");
    let found = registry.must(get(resources)).await;
    assert_eq!(
        (&found["value"][0]["id"], &found["value"][0]["name"]),
        (&json!(registry.id()), &json!("registry"))
    );
    let shown = registry.must(get(format!("{}?api-version=1", registry.id()))).await;
    assert_eq!(shown["properties"]["provisioningState"], "Succeeded");
}

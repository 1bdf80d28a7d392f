//! Scope maps: how they are written, changed and deleted.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::management::{
    Call, OTHER_CLIENT, Registry, delete, expect_refusal, expect_status, get, properties, put,
};

#[tokio::test]
async fn a_scope_map_is_shown_as_it_counts() {
    let registry = Registry::start().await;
    let written = registry.must(put("scopeMaps/My_Map", json!({
        "id": "/elsewhere", "name": "other-name", "type": "x", "location": "moon",
        "properties": {
            "description": "Mine", "type": "SystemDefined", "creationDate": "1999-01-01T00:00:00Z", "colour": "red",
            "actions": ["Repositories/B/Content/Read", "repositories/a/*/metadata/write", "repositories/b/content/read"],
        },
    }))).await;
    let id = registry.map_id("My_Map");
    assert_eq!((&written["id"], &written["name"]), (&json!(id), &json!("My_Map")));
    let properties = &written["properties"];
    assert_eq!(properties["type"], "UserDefined");
    assert_eq!(properties["provisioningState"], "Succeeded");
    assert_ne!(properties["creationDate"], "1999-01-01T00:00:00Z");
    let actions = json!(["repositories/b/content/read", "repositories/a/*/metadata/write"]);
    assert_eq!(properties["actions"], actions);
    assert_eq!(registry.must(get("scopeMaps/MY_MAP")).await, written);
}

#[tokio::test]
async fn patch_keeps_what_it_does_not_name_and_put_does_not() {
    let registry = Registry::start().await;
    let actions = json!(["repositories/b/content/read", "repositories/a/*/metadata/write"]);
    let first = json!({"description": "Mine", "actions": actions});
    registry.must(put("scopeMaps/My_Map", properties(&first))).await;
    let other = json!(["repositories/c/content/read"]);
    for (method, edit, description, expected) in [
        (Method::PATCH, json!({"description": "Ours"}), "Ours", &actions),
        (Method::PATCH, json!({"actions": null, "description": null}), "Ours", &actions),
        (Method::PATCH, json!({"actions": []}), "Ours", &json!([])),
        (Method::PUT, json!({"actions": other}), "", &other),
        (Method::PUT, json!({"description": "Again"}), "Again", &json!([])),
    ] {
        let now = registry.must(Call::new(method, "scopeMaps/my_map", properties(&edit))).await;
        assert_eq!(now["properties"]["description"], description, "{edit}");
        assert_eq!(&now["properties"]["actions"], expected, "{edit}");
    }
}

#[tokio::test]
async fn a_system_defined_map_cannot_be_changed() {
    let registry = Registry::start().await;
    let rules = properties(&json!({"actions": ["repositories/r0/content/read"]}));
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        for name in ["_repositories_pull", "_Repositories_Admin"] {
            let call = Call::new(method.clone(), format!("scopeMaps/{name}"), &rules);
            let answer = registry.owner(&call).await;
            expect_refusal(&answer, &call, 409, "system-defined and cannot be changed");
        }
    }
    let list = registry.must(get("scopeMaps")).await;
    let is_system_defined = |map: &&Value| map["properties"]["type"] == "SystemDefined";
    let maps = list["value"].as_array().unwrap();
    assert!(maps.iter().all(|map| map["properties"]["type"].is_string()));
    assert_eq!(maps.iter().filter(is_system_defined).count(), 5);
}

async fn expect_in_use_by(registry: &Registry, user: &str) {
    let answer = registry.owner(&delete("scopeMaps/my_map")).await;
    expect_refusal(&answer, &user, 409, &format!("is used by `{user}`"));
}

#[tokio::test]
async fn a_scope_map_in_use_cannot_be_deleted() {
    let registry = Registry::start().await;
    registry.must(put("scopeMaps/my_map", json!({"properties": {}}))).await;
    registry.make_token("some-token", "my_map").await;
    let client = format!("servicePrincipals/{OTHER_CLIENT}");
    registry.must(put(&client, json!({"scopeMaps": ["my_map"]}))).await;
    expect_in_use_by(&registry, "some-token").await;
    expect_status(&registry.owner(&delete("tokens/some-token")).await, &"token", 200);
    expect_in_use_by(&registry, OTHER_CLIENT).await;
    registry.must(put(&client, json!({"scopeMaps": []}))).await;
    for status in [200, 204] {
        expect_status(&registry.owner(&delete("scopeMaps/My_map")).await, &"map", status);
    }
    let answer = registry.owner(&get("scopeMaps/my_map")).await;
    expect_refusal(&answer, &"map", 404, "there is no scope map");
}

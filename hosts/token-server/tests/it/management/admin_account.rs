//! The admin account: its two passwords, and the switch that turns it on.

use serde_json::json;

use crate::support::management::{Registry, expect_refusal, password_of, patch, post};

#[tokio::test]
async fn a_disabled_admin_account_has_no_passwords() {
    let registry = Registry::start().await;
    let answer = registry.owner(&post("listCredentials", "")).await;
    expect_refusal(&answer, &"off", 409, "--admin-enabled true");
    let regenerate = post("regenerateCredential", json!({"name": "password"}));
    expect_refusal(&registry.owner(&regenerate).await, &"off", 409, "disabled");
}

#[tokio::test]
async fn passwords_are_shown_once() {
    let registry = Registry::start().await;
    registry.set_admin(true).await;
    let first = registry.must(post("listCredentials", "")).await;
    assert_eq!(first["username"], "registry");
    let (one, two) = (password_of(&first, 0), password_of(&first, 1));
    let again = registry.must(post("listCredentials", json!({}))).await;
    for index in [0, 1] {
        assert_eq!(again["passwords"][index]["name"], first["passwords"][index]["name"]);
        assert!(again["passwords"][index].get("value").is_none());
    }
    assert_eq!(
        [registry.login("registry", &one).await, registry.login("REGISTRY", &two).await],
        [200, 200]
    );
}

#[tokio::test]
async fn a_disabled_admin_account_cannot_log_in() {
    let registry = Registry::start().await;
    registry.set_admin(true).await;
    let first = registry.must(post("listCredentials", "")).await;
    let again = registry.must(post("listCredentials", json!({}))).await;
    let second = json!({"name": "password2", "value": "mine"});
    let renewed = registry.must(post("regenerateCredential", second)).await;
    assert_eq!(renewed["passwords"][0], again["passwords"][0]);
    let unknown = post("regenerateCredential", json!({"name": "password1"}));
    expect_refusal(&registry.owner(&unknown).await, &"1", 400, "no `password1`");
    let passwords = [password_of(&first, 0), password_of(&first, 1), password_of(&renewed, 1)];
    for (is_enabled, expected) in
        [(true, [200, 401, 200]), (false, [401, 401, 401]), (true, [200, 401, 200])]
    {
        let shown = registry.set_admin(is_enabled).await;
        assert_eq!(shown["properties"]["adminUserEnabled"], is_enabled);
        let mut statuses = Vec::new();
        for password in &passwords {
            statuses.push(registry.login("registry", password).await);
        }
        assert_eq!(statuses, expected);
    }
}

#[tokio::test]
async fn a_setting_that_is_left_out_stays() {
    let registry = Registry::start().await;
    let edit = json!({"adminUserEnabled": true, "loginServer": "evil.test"});
    let shown = registry.must(patch("", json!({"properties": edit}))).await;
    assert_eq!(shown["properties"]["loginServer"], "r.test");
    let edit = json!({"anonymousPullEnabled": true});
    let shown = registry.must(patch("", json!({"properties": edit}))).await;
    assert_eq!(
        (&shown["properties"]["adminUserEnabled"], &shown["properties"]["anonymousPullEnabled"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(registry.server.get("/oauth2/token", None).await.status, 200);
}

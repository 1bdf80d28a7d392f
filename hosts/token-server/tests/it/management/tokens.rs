//! Tokens and their passwords: what `az acr token` does, on both databases.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::database::Database;
use crate::support::management::{
    Registry, delete, expect_refusal, expect_status, get, map_on_a, password_of, patch, post,
    properties, put,
};

/// Runs each test on both databases.
macro_rules! on_both {
    ($($test:ident)*) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::Registry::start().await).await;
            })*
        }

        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                let database = super::Database::postgres().await;
                super::$test(super::Registry::on(database.url.as_deref()).await).await;
            })*
        }
    };
}

on_both! {
    a_new_token_has_no_password_that_its_maker_chose
    a_generated_password_replaces_the_one_of_its_name
    no_answer_shows_a_password_again
    an_edit_keeps_what_it_does_not_name
    a_token_that_is_made_again_has_none_of_its_passwords
}

/// The names of a token's passwords, as management shows them; never with a value.
#[track_caller]
fn names(token: &Value) -> String {
    let passwords = token["properties"]["credentials"]["passwords"].as_array().unwrap();
    assert!(passwords.iter().all(|password| password.get("value").is_none()));
    let names: Vec<_> =
        passwords.iter().map(|password| password["name"].as_str().unwrap()).collect();
    names.join(" ")
}

async fn generate(registry: &Registry, name: Option<&str>) -> Value {
    let mut body =
        json!({"tokenId": registry.token_id("my-token"), "value": "chosen by the caller"});
    if let Some(name) = name {
        body["name"] = json!(name);
    }
    registry.must(post("generateCredentials", body)).await
}

async fn a_new_token_has_no_password_that_its_maker_chose(registry: Registry) {
    let pull = registry.map_id("_repositories_pull");
    let made = registry.must(put("tokens/My-Token", json!({"properties": {
        "status": "enabled", "scopeMapId": pull, "roles": ["Owner"], "principal": "admin", "generation": 0,
        "credentials": {"certificates": [{"name": "certificate1"}], "passwords": [{"name": "password1", "value": "chosen by the caller", "sha256": "00"}]},
    }}))).await;
    assert_eq!((&made["name"], names(&made).as_str()), (&json!("My-Token"), ""));
    assert_eq!(made["properties"]["scopeMapId"], pull);
    assert_eq!(registry.login("My-Token", "chosen by the caller").await, 401);
}

async fn a_generated_password_replaces_the_one_of_its_name(registry: Registry) {
    registry.make_token("My-Token", "_repositories_pull").await;
    let both = generate(&registry, None).await;
    assert_eq!(both["username"], "My-Token");
    let (one, two) = (password_of(&both, 0), password_of(&both, 1));
    assert!(one != two && one.len() == 36);
    let again = generate(&registry, Some("password2")).await;
    // The new one stands first, as `az` reads it; the other one has no value.
    assert_eq!(again["passwords"][0]["name"], "password2");
    assert_eq!(again["passwords"][1]["name"], "password1");
    assert!(again["passwords"][1].get("value").is_none());
    let new_two = password_of(&again, 0);
    for (password, expected) in [(&one, 200), (&two, 401), (&new_two, 200)] {
        assert_eq!(registry.login("MY-token", password).await, expected);
    }
}

/// Nothing shows a value again, nor a digest.
async fn no_answer_shows_a_password_again(registry: Registry) {
    registry.make_token("My-Token", "_repositories_pull").await;
    let both = generate(&registry, None).await;
    let again = generate(&registry, Some("password2")).await;
    let secrets = [password_of(&both, 0), password_of(&both, 1), password_of(&again, 0)];
    for path in
        ["tokens/my-token", "tokens", "", "scopeMaps", "generations", "bundle", "/openapi.json"]
    {
        let answer = registry.owner(&get(path)).await;
        assert_eq!(answer.status, 200, "{path}");
        let mut text = answer.text();
        if let Some(payload) = text.split('.').nth(1).filter(|_| path.ends_with("bundle")) {
            text = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        }
        for secret in secrets.iter().map(String::as_str).chain(["sha256", "$argon2"]) {
            assert!(!text.contains(secret), "{path}");
        }
    }
}

/// What a token is after an edit.
struct Edited {
    edit: Value,
    map: &'static str,
    status: &'static str,
    passwords: &'static str,
}

impl Edited {
    fn new(edit: Value, map: &'static str, status: &'static str, passwords: &'static str) -> Self {
        Self { edit, map, status, passwords }
    }
}

/// Edits of one token, one after the other.
fn edits(other_map: &str) -> [Edited; 9] {
    let (pull, other, both) = ("_repositories_pull", "other-map", "password1 password2");
    let keep = |passwords: Value| json!({"credentials": {"passwords": passwords}});
    let neither = json!({"scopeMapId": null, "credentials": null});
    let second = json!([{"name": "password2", "value": "mine"}]);
    let named = json!([{"name": "password1"}, {"name": "password2"}]);
    [
        Edited::new(json!({}), pull, "enabled", both),
        Edited::new(json!({"status": "enabled"}), pull, "enabled", both),
        Edited::new(json!({"status": "disabled"}), pull, "disabled", both),
        Edited::new(neither, pull, "disabled", both),
        Edited::new(json!({"status": "enabled", "scopeMapId": other_map}), other, "enabled", both),
        Edited::new(json!({"credentials": {"certificates": []}}), other, "enabled", both),
        Edited::new(keep(second), other, "enabled", "password2"),
        Edited::new(keep(named), other, "enabled", "password2"),
        Edited::new(keep(json!([])), other, "enabled", ""),
    ]
}

async fn an_edit_keeps_what_it_does_not_name(registry: Registry) {
    registry.must(put("scopeMaps/other-map", map_on_a(&["read"]))).await;
    registry.make_token("My-Token", "_repositories_pull").await;
    let two = password_of(&generate(&registry, None).await, 1);
    for Edited { edit, map, status, passwords } in edits(&registry.map_id("OTHER-map")) {
        let token = registry.must(patch("tokens/my-token", properties(&edit))).await;
        assert_eq!(registry.must(get("tokens/my-token")).await, token);
        assert_eq!(token["properties"]["scopeMapId"], registry.map_id(map), "{edit}");
        assert_eq!(token["properties"]["status"], status, "{edit}");
        assert_eq!(names(&token), passwords, "{edit}");
        let good = if status == "enabled" && passwords.contains('2') { 200 } else { 401 };
        assert_eq!(registry.login("my-token", &two).await, good, "{edit}");
    }
    let missing = json!({"properties": {"scopeMapId": registry.map_id("no-such-map")}});
    let answer = registry.owner(&patch("tokens/my-token", missing)).await;
    expect_refusal(&answer, &"map", 400, "there is no scope map `no-such-map`");
}

async fn a_token_that_is_made_again_has_none_of_its_passwords(registry: Registry) {
    registry.make_token("My-Token", "_repositories_pull").await;
    let [one, _] = registry.passwords("my-token").await;
    assert_eq!(registry.login("my-token", &one).await, 200);
    for (status, row) in [(200, "once"), (204, "twice")] {
        expect_status(&registry.owner(&delete("tokens/MY-TOKEN")).await, &row, status);
    }
    registry.must(put("tokens/my-token", json!({"properties": {}}))).await;
    assert_eq!(registry.login("my-token", &one).await, 401);
}

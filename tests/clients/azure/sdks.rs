//! The Azure SDKs' registry clients, one table of calls for all of them.

use serde_json::{Value, json};

use super::{ALL, Scene};
use crate::drivers::sdk::{Credential, Sdk};
use crate::software::provider::{AUDIENCE, Provider};
use crate::software::server::{Administrator, seed};

/// An SDK gives a scope-map token's name and password to the exchange, and may do what the token
/// may.
#[test]
fn sdks_with_a_scope_map_token() {
    for sdk in Sdk::all() {
        let rules: [(&str, &[&str]); 2] = [("team/hello", ALL), ("team/other", &["content/read"])];
        let scene = Scene::new(&seed(&rules), None);
        let token = format!("MyToken:{}", scene.password());
        sdk_walk(sdk, &scene, &Credential::Token(&token));
    }
}

/// An SDK goes from page to page by the links alone.
#[test]
fn sdks_page_by_time() {
    let scene = Scene::new(&seed(&[("team/hello", ALL)]), None);
    for tag in ["v3", "v4", "v5", "v6", "v7"] {
        scene.front.put("team/hello", tag);
    }
    let token = format!("MyToken:{}", scene.password());
    for sdk in Sdk::all() {
        let outcomes =
            sdk.call(&scene.front, &Credential::Token(&token), &[&["pages", "team/hello"]]);
        assert_eq!(outcomes, [Ok(json!([3, 3, 1]))], "{sdk:?}");
    }
}

/// What a client that may do everything in `team/hello`, and nothing but read in `team/other`,
/// finds.
#[track_caller]
pub(super) fn sdk_walk(sdk: Sdk, scene: &Scene, who: &Credential<'_>) {
    let digest = scene.front.put("team/hello", "v1");
    let table: [(&[&str], Result<Value, u64>); 12] = [
        (&["repositories"], Err(401)),
        (&["repository", "team/hello"], Ok(json!(2))),
        (&["repository", "team/other"], Err(401)),
        (&["tag", "team/hello", "v1"], Ok(json!(digest))),
        (&["manifest", "team/hello", "v1"], Ok(json!(digest))),
        (&["lock", "team/hello", "v1"], Ok(json!(false))),
        (&["untag", "team/hello", "v1"], Err(405)),
        (&["unlock", "team/hello", "v1"], Ok(json!(true))),
        (&["untag", "team/hello", "v2"], Ok(Value::Null)),
        (&["tags", "team/hello"], Ok(json!(["v1"]))),
        (&["delete", "team/other"], Err(401)),
        (&["delete", "team/hello"], Ok(Value::Null)),
    ];
    let calls: Vec<_> = table.iter().map(|(call, _)| *call).collect();
    let outcomes = sdk.call(&scene.front, who, &calls);
    for ((call, expected), outcome) in table.iter().zip(outcomes) {
        assert_eq!(outcome, *expected, "{sdk:?} {call:?}");
    }
}

/// An SDK without a credential may pull, once that is allowed, and nothing else.
#[test]
fn sdks_without_a_credential() {
    let scene = Scene::new("{}", None);
    let digest = scene.front.put("team/hello", "v1");
    let administrator = scene.server.administrator();
    for sdk in Sdk::all() {
        let calls: [&[&str]; 2] =
            [&["manifest", "team/hello", "v1"], &["untag", "team/hello", "v1"]];
        if !sdk.repeats_refusals() {
            allow_anonymous_pull(&administrator, &scene, false);
            assert_eq!(sdk.call(&scene.front, &Credential::Anonymous, &calls[..1]), [Err(401)]);
        }
        allow_anonymous_pull(&administrator, &scene, true);
        let outcomes = sdk.call(&scene.front, &Credential::Anonymous, &calls);
        assert_eq!(outcomes, [Ok(json!(digest)), Err(401)], "{sdk:?}");
    }
}

#[track_caller]
fn allow_anonymous_pull(administrator: &Administrator, scene: &Scene, allowed: bool) {
    let change = json!({ "properties": { "anonymousPullEnabled": allowed } });
    let answer = administrator.ask("PATCH", &scene.server.url(), "", Some(&change)).unwrap();
    assert_eq!(answer.0, 200, "{}", answer.1);
}

/// `azure-identity` logs in to our own authority with a client's secret.
#[test]
fn azure_identity_with_a_secret() {
    let scene = Scene::new("{}", None);
    let who = scene.server.administrator();
    let credential =
        Credential::Secret { tenant: &who.tenant, client: &who.client_id, secret: &who.secret };
    let calls: [&[&str]; 2] = [&["repositories"], &["tags", "team/hello"]];
    let outcomes = Sdk::Python.call(&scene.front, &credential, &calls);
    assert_eq!(outcomes, [Ok(json!(["team/hello", "team/other"])), Ok(json!(["v1", "v2"]))]);
    let wrong = Credential::Secret { tenant: &who.tenant, client: &who.client_id, secret: "wrong" };
    assert_eq!(Sdk::Python.call(&scene.front, &wrong, &calls[..1]), [Err(0)]);
}

/// An SDK brings a token of another provider, whose claims say what it may do here, or that it may
/// do nothing.
#[test]
fn sdks_with_a_token_of_a_provider() {
    let provider = Provider::start();
    let token = provider.token();
    let rules: [(&str, &[&str]); 1] = [("team/hello", &["content/read", "metadata/read"])];
    let of_team = |team: &str| {
        let config = format!(
            "providers:
  - name: company
    issuer: {}
    audiences: [{AUDIENCE}]
    bindings:
      - match: {{team: {team}}}
        scopeMaps: [MyScopeMap]
",
            provider.issuer()
        );
        Scene::new(&seed(&rules), Some(config))
    };
    let scene = of_team("core");
    let digest = scene.front.put("team/hello", "v1");
    let calls: [&[&str]; 3] =
        [&["manifest", "team/hello", "v1"], &["untag", "team/hello", "v1"], &["repositories"]];
    let nobody = of_team("sales");
    for sdk in Sdk::all() {
        let outcomes = sdk.call(&scene.front, &Credential::Token(&token), &calls);
        assert_eq!(outcomes, [Ok(json!(digest)), Err(401), Err(401)], "{sdk:?}");
        if sdk.repeats_refusals() {
            continue;
        }
        let outcomes = sdk.call(&nobody.front, &Credential::Token(&token), &calls[..1]);
        assert_eq!(outcomes, [Err(401)], "{sdk:?}");
    }
}

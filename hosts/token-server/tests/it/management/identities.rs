//! Identities of providers: which edit ends their tokens, and how they are revoked.

use scopegate_api::claims::{AccessClaims, IdentityClaims, PrincipalKind};
use scopegate_server::testing::clock;
use scopegate_server::testing::domain::identity::Providers;
use scopegate_server::testing::domain::issue::Subject;
use serde_json::{Value, json};

use crate::support::management::{Registry, delete, map_on_a, post, put};

const PULL: &str = "repository:a:pull";
const PUSH: &str = "repository:a:push";

/// A registry with a provider `ci`, which binds teams to scope maps.
async fn registry(bindings: Value) -> Registry {
    let config = json!([{
        "name": "ci", "issuer": "https://ci.test", "audiences": ["r.test"], "bindings": bindings,
    }]);
    let providers = Providers::open(&serde_json::from_value::<Vec<_>>(config).unwrap()).unwrap();
    Registry::with_providers(providers).await
}

/// A registry whose team `one` may pull.
async fn registry_of_one_team() -> Registry {
    let registry = registry(json!([{"match": {"team": "one"}, "scopeMaps": ["map-one"]}])).await;
    registry.must(put("scopeMaps/map-one", map_on_a(&["read"]))).await;
    registry
}

/// A refresh token of an identity in team `one`.
fn refresh_token(registry: &Registry, sub: &str, generation: i64) -> String {
    let claims = [("team".to_owned(), json!("one"))].into_iter().collect();
    let identity = IdentityClaims { provider: "ci".into(), claims, origin: None };
    let subject = Subject {
        identity: Some(&identity),
        ..Subject::new(sub, PrincipalKind::Identity, generation.unsigned_abs())
    };
    registry.server.app.issuer.refresh_token(&subject, "rid", clock::now()).unwrap()
}

fn refresh_token_now(registry: &Registry, sub: &str) -> String {
    refresh_token(registry, sub, registry.revision())
}

async fn revoke(registry: &Registry, whom: &str) {
    registry.must(post(format!("identities/{whom}/revoke"), "")).await;
}

/// The server does not know which identities there are: all have one generation, which a map that
/// any is bound to raises, by losing something or by going. A token that is issued afterwards has
/// it, or else it would be refused for ever.
#[tokio::test]
async fn identities_have_one_generation() {
    let registry = registry(json!([
        {"match": {"team": "one"}, "scopeMaps": ["Map-one"]},
        {"match": {"team": "two"}, "scopeMaps": ["map-two"]},
    ]))
    .await;
    for name in ["map-one", "map-two", "map-three"] {
        registry.must(put(format!("scopeMaps/{name}"), map_on_a(&["read"]))).await;
    }
    let refresh = refresh_token(&registry, "somebody", 0);
    let write = |name: &str| put(format!("scopeMaps/{name}"), map_on_a(&["write"]));
    for (edit, raised, opens) in [
        (write("map-three"), "", PULL),
        (write("map-two"), "identity:*", PULL),
        (write("map-one"), "identity:*", PUSH),
        (delete("scopeMaps/map-two"), "identity:*", PUSH),
        (delete("scopeMaps/map-one"), "identity:*", ""),
    ] {
        let (since, _) = registry.feed(0).await;
        let row = edit.to_string();
        registry.must(edit).await;
        let (now, feed) = registry.feed(since).await;
        assert_eq!(feed, raised, "{row}");
        let answer = registry.server.renew(&refresh, "repository:a:pull,push").await;
        assert_eq!(answer.verified_access(&registry.server), opens, "{row}");
        let claims = answer.verified_claims(&registry.server);
        let generation = claims["generation"].as_i64().unwrap();
        assert_eq!(generation == now, !raised.is_empty(), "{row}");
    }
}

#[tokio::test]
async fn a_role_that_may_not_change_things_revokes_nobody() {
    let registry = registry_of_one_team().await;
    for (role, expected) in [("Reader", 403), ("EdgeReader", 403), ("AcrPull", 403)] {
        for path in ["identities/ci/Octo/revoke", "identities/ci/revoke"] {
            let answer = registry.send(registry.authorization(role), &post(path, "")).await;
            assert_eq!(answer.status, expected, "{role}");
        }
    }
    for path in ["identities/none/Octo/revoke", "identities/none/revoke"] {
        assert_eq!(registry.owner(&post(path, "")).await.status, 404);
    }
}

/// Feed and bundle of version 2 say whose tokens end, those of version 1 have all identities as
/// one.
#[tokio::test]
async fn one_identity_is_revoked_without_the_others() {
    let registry = registry_of_one_team().await;
    let [octo, other] = ["Octo", "repo:o/other"].map(|sub| refresh_token_now(&registry, sub));
    let since = registry.feed(0).await.0;
    assert_eq!(registry.opens(&octo).await, PULL);
    revoke(&registry, "ci/Octo").await;
    assert_eq!(registry.opens(&octo).await, "401");
    assert_eq!(registry.opens(&other).await, PULL);
    assert_eq!(registry.feed(since).await.1, "identity:*");
    let newest = registry.newest_feed(since).await;
    let (revision, version) = (&newest["revision"], &newest["version"]);
    let one =
        json!({"principal": "identity", "provider": "ci", "sub": "octo", "generation": revision});
    assert_eq!((version, &newest["changed"]), (&json!(2), &json!([one])));
    // A subject may hold slashes.
    revoke(&registry, "ci/repo:o%2Fother").await;
    assert_eq!(registry.opens(&other).await, "401");
    assert_eq!(registry.opens(&refresh_token_now(&registry, "third")).await, PULL);
}

#[tokio::test]
async fn all_identities_of_a_provider_are_revoked_at_once() {
    let registry = registry_of_one_team().await;
    revoke(&registry, "ci/Octo").await;
    let third = refresh_token_now(&registry, "third");
    assert_eq!(registry.opens(&third).await, PULL);
    let since = registry.feed(0).await.0;
    revoke(&registry, "ci").await;
    assert_eq!(registry.opens(&third).await, "401");
    let newest = registry.newest_feed(since).await;
    let revision = &newest["revision"];
    let all =
        json!({"principal": "identity", "provider": "ci", "sub": null, "generation": revision});
    assert_eq!(newest["changed"], json!([all]));
    assert_eq!(registry.opens(&refresh_token_now(&registry, "Octo")).await, PULL);
}

#[tokio::test]
async fn an_edge_knows_the_identities_of_a_provider_from_the_revocation_on() {
    let registry = registry_of_one_team().await;
    revoke(&registry, "ci/Octo").await;
    revoke(&registry, "ci").await;
    let policy = registry.edge(&registry.newest_bundle().await, None);
    let now = registry.revision();
    for (provider, generation, is_good) in [
        (Some("ci"), now, true),
        (Some("ci"), now - 1, false),
        (Some("other"), now, false),
        (None, now, false),
    ] {
        let claims = AccessClaims {
            sub: "octo".into(),
            principal: Some(PrincipalKind::Identity),
            provider: provider.map(ToOwned::to_owned),
            generation: Some(generation.unsigned_abs()),
            ..registry.some_claims()
        };
        assert_eq!(policy.holder(&claims).is_some(), is_good, "{provider:?} {generation}");
    }
}

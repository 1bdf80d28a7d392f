//! Which credentials open management, and which open nothing there.

use serde_json::{Value, json};

use crate::support::management::{
    Registry, SECRET, client, expect_refusal, expect_status, get, patch, put,
};
use crate::support::{NULL_GUID, basic, bearer};

const CHALLENGE: &str = "Bearer realm=\"scopegate management\"";

/// Management refuses these credentials.
async fn check_refused(registry: &Registry, authorizations: &[Option<String>]) {
    for authorization in authorizations {
        for call in [get(""), put("scopeMaps/some-map", ""), get("/subscriptions")] {
            let answer = registry.send(authorization.as_deref(), &call).await;
            expect_refusal(&answer, &format!("{authorization:?}"), 401, "authentication required");
            assert_eq!(answer.challenge.as_deref(), Some(CHALLENGE));
        }
    }
}

/// The tokens of the client that owns the registry: for container clients to exchange, and for
/// management.
async fn bearers(registry: &Registry) -> [String; 2] {
    let owner = client("Owner");
    let secret = registry.secret("Owner");
    let exchangeable = registry.bearer(owner, secret, "https://containerregistry.azure.net").await;
    [exchangeable, registry.bearer(owner, secret, "https://r.test").await]
}

#[tokio::test]
async fn wrong_or_malformed_credentials_are_refused() {
    let registry = Registry::start().await;
    registry.choose_secret("Owner").await;
    let owner = client("Owner");
    let good = basic(owner, SECRET);
    expect_status(&registry.send(Some(&good), &get("")).await, &"Basic", 200);
    let malformed = ["", "Basic", "Basic !!!", "Digest x", "Bearer", "Bearer ", "Bearer x.y.z"];
    let mut authorizations = vec![
        None,
        Some(basic(owner, "")),
        Some(basic(owner, "a secret for everybodx")),
        Some(basic("administrator", SECRET)),
        Some(basic("registry", SECRET)),
    ];
    authorizations.extend(malformed.map(|text| Some(text.to_owned())));
    check_refused(&registry, &authorizations).await;
}

#[tokio::test]
async fn credentials_for_repositories_are_refused() {
    let registry = Registry::start().await;
    registry.make_token("some-token", "_repositories_pull").await;
    let [password, _] = registry.passwords("some-token").await;
    let (owner, secret) = (client("Owner"), registry.secret("Owner"));
    let grant =
        format!("grant_type=password&username={owner}&password={secret}&access_type=offline");
    let issued = registry.form("/oauth2/token", &grant).await;
    let [exchangeable, management] = bearers(&registry).await;
    let refused = [
        basic("some-token", &password),
        basic(NULL_GUID, &management),
        bearer(&issued.access_token()),
        bearer(&issued.refresh_token()),
        bearer(&exchangeable),
        format!("Bearer {management}x"),
        format!("Bearer {management} {management}"),
    ];
    check_refused(&registry, &refused.map(Some)).await;
}

#[tokio::test]
async fn a_token_for_management_opens_no_repository() {
    let registry = Registry::start().await;
    let [exchangeable, management] = bearers(&registry).await;
    for token in [&management, &exchangeable] {
        assert_eq!(registry.login(NULL_GUID, token).await, 401);
        let refresh = format!("grant_type=refresh_token&refresh_token={token}");
        assert_eq!(registry.form("/oauth2/token", &refresh).await.status, 401);
    }
    // In exchange it is taken while the registry says so, as it is at the service.
    for (status, by_management) in
        [(Value::Null, 200), (json!("disabled"), 401), (json!("enabled"), 200)]
    {
        let policy = json!({"azureADAuthenticationAsArmPolicy": {"status": status}});
        registry.must(patch("", json!({"properties": {"policies": policy}}))).await;
        let shown = registry.must(get("")).await;
        let expected = if status.is_null() { json!("enabled") } else { status };
        let policy = &shown["properties"]["policies"]["azureADAuthenticationAsArmPolicy"];
        assert_eq!(policy["status"], expected);
        for (token, expected) in [(&exchangeable, 200), (&management, by_management)] {
            let form = format!("grant_type=access_token&service=r.test&access_token={token}");
            assert_eq!(registry.form("/oauth2/exchange", &form).await.status, expected);
        }
    }
    let unknown = json!({"azureADAuthenticationAsArmPolicy": {"status": "perhaps"}});
    let refused = patch("", json!({"properties": {"policies": unknown}}));
    assert_eq!(registry.owner(&refused).await.status, 400);
}

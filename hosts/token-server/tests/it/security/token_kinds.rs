//! A token of one kind is refused as one of another, and one without our claims is refused.

use axum::http::StatusCode;
use scopegate_server::testing::domain::edit::registry::{self, RegistryEdit};
use serde_json::json;

use crate::support::management::{Registry, client, post, put};
use crate::support::{
    AUDIENCE, Answer, OWNER, PULL, Provider, SERVICE, Server, Setup, bearer, claims,
};

/// A server, and a token of each kind.
struct Kinds {
    server: Server,
    refresh: String,
    access: String,
    management: String,
}

impl Kinds {
    async fn start() -> Self {
        let server = Server::start().await;
        let secret = server.put_client(OWNER, "Owner").await;
        let refresh = server.login("Reader", "secret-one").await;
        let access = server.reader().await;
        let management = server.client_credentials(OWNER, &secret).await.access_token();
        Self { server, refresh, access, management }
    }
}

#[track_caller]
fn is_refused(answer: &Answer, what: &str) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
}

#[tokio::test]
async fn kinds_of_tokens_are_kept_apart() {
    let Kinds { server, refresh, access, management } = Kinds::start().await;
    assert_eq!(server.manage(&bearer(&management)).await.status, StatusCode::OK);
    for (what, token) in [("refresh", &refresh), ("management", &management)] {
        is_refused(&server.get("/v2/", Some(&bearer(token))).await, what);
    }
    for (what, token) in [("refresh", &refresh), ("access", &access)] {
        is_refused(&server.manage(&bearer(token)).await, what);
    }
    for (what, token) in [("access", &access), ("management", &management)] {
        is_refused(&server.renew(token, PULL).await, what);
    }
    for (what, token) in [("refresh", &refresh), ("access", &access)] {
        is_refused(&server.exchange(token).await, what);
    }
    is_refused(&server.by_null_guid(&management, PULL).await, "management");
}

/// As other issuers and earlier versions wrote them.
#[tokio::test]
async fn a_token_without_our_claims_is_refused() {
    let Kinds { server, refresh, access, .. } = Kinds::start().await;
    for token in [&refresh, &access] {
        for name in ["principal", "generation"] {
            let mut claims = claims(token);
            claims.as_object_mut().unwrap().remove(name);
            let token = server.sign(&claims);
            is_refused(&server.renew(&token, PULL).await, name);
            is_refused(&server.by_null_guid(&token, PULL).await, name);
        }
    }
}

#[tokio::test]
async fn an_identity_that_says_nothing_of_its_provider_is_refused() {
    let Kinds { server, refresh, .. } = Kinds::start().await;
    let mut claims = claims(&refresh);
    claims["principal"] = json!("identity");
    is_refused(&server.renew(&server.sign(&claims), PULL).await, "identity");
}

/// Where a token of the authority is taken: for management, and in exchange. Every claim that says
/// what it is for is confused with every other.
#[tokio::test]
async fn tokens_of_the_authority_are_taken_by_audience_and_tenant() {
    const MANAGEMENT: &str = "https://tokens.test:5001";
    let setup = Setup { public_url: MANAGEMENT.into(), ..Setup::default() };
    let server = Server::with(setup).await;
    let secret = server.put_client(OWNER, "Owner").await;
    let form = format!(
        "grant_type=client_credentials&client_id={OWNER}&client_secret={secret}&scope={MANAGEMENT}/.default"
    );
    let issued = server.post_raw(&server.authority(), None, &form).await.access_token();
    let tenant = server.app.policy().registry.tenant.clone();
    let (upper, other) = (tenant.to_uppercase(), "00000000-0000-4000-8000-00000000000a");
    let audiences = [
        json!(MANAGEMENT),
        json!(AUDIENCE),
        json!(SERVICE),
        json!("https://r.test"),
        json!("https://tokens.test:5001/"),
        json!("bundle:r.test"),
        json!([MANAGEMENT, AUDIENCE]),
        json!(""),
        json!(null),
    ];
    for is_enabled in [true, false] {
        set_authentication_as_arm(&server, is_enabled).await;
        for audience in &audiences {
            for tid in [json!(tenant), json!(upper), json!(other), json!(""), json!(null)] {
                let mut claims = claims(&issued);
                (claims["aud"], claims["tid"]) = (audience.clone(), tid.clone());
                let token = server.sign(&claims);
                let is_ours = tid == json!(tenant) || tid == json!(upper);
                let manages = is_ours && *audience == MANAGEMENT;
                let exchanges = is_ours && *audience == AUDIENCE || manages && is_enabled;
                let found = (
                    server.manage(&bearer(&token)).await.status == StatusCode::OK,
                    server.exchange(&token).await.status == StatusCode::OK,
                );
                assert_eq!(found, (manages, exchanges), "{audience} {tid} {is_enabled}");
                let opens = server.by_password("token", &token, PULL).await.status;
                assert_eq!(opens == StatusCode::OK, exchanges, "{audience} {tid} {is_enabled}");
                is_refused(&server.get("/v2/", Some(&bearer(&token))).await, "at the registry");
                is_refused(&server.renew(&token, PULL).await, "as a refresh token");
                is_refused(&server.by_null_guid(&token, PULL).await, "as a password");
            }
        }
    }
}

/// Tokens of the other kinds are no tokens of the authority, whatever their audience.
#[tokio::test]
async fn other_kinds_are_not_taken_in_exchange_under_any_audience() {
    let Kinds { server, refresh, access, .. } = Kinds::start().await;
    for token in [&refresh, &access] {
        for audience in [SERVICE, AUDIENCE, "https://r.test"] {
            let mut claims = claims(token);
            claims["aud"] = json!(audience);
            let token = server.sign(&claims);
            is_refused(&server.exchange(&token).await, audience);
            is_refused(&server.manage(&bearer(&token)).await, audience);
        }
    }
    let provider = Provider::start().await;
    let bound = provider.server("[{match: {groups: owners}, roles: [Owner]}]").await;
    for (audience, status) in [(AUDIENCE, 200), ("https://r.test", 401), (SERVICE, 401)] {
        let mut claims = provider.claims("octo", &["owners"]);
        claims["aud"] = json!(audience);
        let token = provider.key.sign("k1", &claims);
        assert_eq!(bound.exchange(&token).await.status, status, "{audience}");
        assert_eq!(bound.manage(&bearer(&token)).await.status, status, "{audience}");
    }
}

/// What a token for management is exchanged for is its principal's own, and ends with it.
#[tokio::test]
async fn a_token_for_management_is_exchanged_for_its_own_rights_only() {
    for (change, exchanged) in [
        (json!({"enabled": false}), 401),
        (json!({"roles": []}), 401),
        (json!({"displayName": "x"}), 200),
    ] {
        let registry = Registry::start().await;
        let token = registry.authorization("AcrPull").unwrap().strip_prefix("Bearer ").unwrap();
        let refresh = registry.server.exchange(token).await.refresh_token();
        assert_eq!(registry.opens(&refresh).await, "repository:a:pull");
        let path = format!("servicePrincipals/{}", client("AcrPull"));
        registry.must(put(&path, &change)).await;
        assert_eq!(registry.server.exchange(token).await.status, exchanged, "{change}");
    }
    let registry = Registry::start().await;
    let token = registry.authorization("AcrPull").unwrap().strip_prefix("Bearer ").unwrap();
    let edge = registry.authorization("EdgeReader").unwrap().strip_prefix("Bearer ").unwrap();
    let nothing = registry.server.exchange(edge).await.refresh_token();
    assert_eq!(registry.opens(&nothing).await, "");
    for (name, value) in [
        ("exp", json!(1)),
        ("nbf", json!(u32::MAX)),
        ("epoch", json!("other")),
        ("epoch", json!(null)),
        ("generation", json!(0)),
        ("sub", json!("00000000-0000-4000-8000-00000000000f")),
        ("iss", json!("other")),
        ("secret", json!("other")),
    ] {
        let mut claims = claims(token);
        claims[name] = value;
        is_refused(&registry.server.exchange(&registry.server.sign(&claims)).await, name);
    }
    let refresh = registry.server.exchange(token).await.refresh_token();
    let path = format!("servicePrincipals/{}", client("AcrPull"));
    registry.must(post(format!("{path}/revoke"), "")).await;
    is_refused(&registry.server.exchange(token).await, "revoked");
    assert_eq!(registry.opens(&refresh).await, "401");
}

async fn set_authentication_as_arm(server: &Server, is_enabled: bool) {
    let mut write = server.write().await;
    let edit = RegistryEdit { authentication_as_arm: Some(is_enabled), ..RegistryEdit::default() };
    registry::patch(&mut write, edit).await.unwrap();
    server.commit(write).await;
}

//! A token of one kind is refused as one of another, and one without our claims is refused.

use axum::http::StatusCode;
use serde_json::json;

use crate::support::{Answer, OWNER, PULL, Server, bearer, claims};

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
    for (what, token) in [("refresh", &refresh), ("access", &access), ("management", &management)] {
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

//! Refresh tokens of a provider.

use std::sync::atomic::Ordering;

use jsonwebtoken::Algorithm;
use scopegate_server::testing::domain::identity::{IdentityError, Providers, Redeemed};
use serde_json::json;

use super::fake::{Answer, Fake};
use super::{Key, NOW, refused, unavailable};

const REFRESH_TOKEN: &str = "the-refresh-token";

/// A provider that knows our client by a secret.
struct Redeeming {
    fake: Fake,
    providers: Providers,
    /// A good token, and one for another audience.
    good: String,
    other: String,
}

impl Redeeming {
    async fn start() -> Self {
        let key = Key::new(Algorithm::ES256, "k");
        let fake = Fake::start(&[&key]).await;
        let secret = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(secret.path(), "s3cret\n").unwrap();
        let file = secret.path().display();
        let providers = fake.providers(&format!("clientId: registry, clientSecretFile: {file}"));
        let good = key.sign(&fake.claims());
        let mut claims = fake.claims();
        claims["aud"] = json!("another");
        let other = key.sign(&claims);
        Self { fake, providers, good, other }
    }

    async fn redeem(&self, refresh_token: &str) -> Result<Redeemed, IdentityError> {
        let provider = self.providers.redeemer(Some("any-tenant")).unwrap();
        provider.redeem(refresh_token, NOW).await
    }
}

#[tokio::test]
async fn a_refresh_token_is_redeemed_for_the_token_that_is_for_us() {
    let redeeming = Redeeming::start().await;
    let (good, other) = (&redeeming.good, &redeeming.other);
    for answer in [
        json!({"access_token": good}),
        json!({"access_token": "opaque", "id_token": good}),
        json!({"access_token": other, "id_token": good}),
        json!({"id_token": good}),
    ] {
        redeeming.fake.answer_token(Answer::Json(200, answer.clone()));
        let identity = redeeming.redeem(REFRESH_TOKEN).await;
        assert_eq!(identity.unwrap().identity.subject, "octo", "{answer}");
    }
    let sent = redeeming.fake.state.sent.lock().unwrap()[0].clone();
    assert_eq!(sent.0, "Basic cmVnaXN0cnk6czNjcmV0");
    assert_eq!(sent.1, "grant_type=refresh_token&refresh_token=the-refresh-token");
}

/// A provider that rotates its refresh tokens has made the former one useless.
#[tokio::test]
async fn a_new_refresh_token_is_its_owners() {
    let redeeming = Redeeming::start().await;
    let too_long = "x".repeat(1 << 17);
    for (new, expected) in [
        (json!("the-next-one"), Some("the-next-one")),
        (json!(REFRESH_TOKEN), None),
        (json!(""), None),
        (json!(too_long), None),
        (json!(null), None),
    ] {
        let answer = json!({"access_token": redeeming.good, "refresh_token": new});
        redeeming.fake.answer_token(Answer::Json(200, answer));
        let redeemed = redeeming.redeem(REFRESH_TOKEN).await.unwrap();
        assert!(!format!("{redeemed:?}").contains("next-one"));
        assert_eq!(redeemed.into_refresh_token().as_deref(), expected);
    }
}

#[tokio::test]
async fn a_refresh_token_that_the_provider_refuses_is_refused() {
    let redeeming = Redeeming::start().await;
    for (answer, reason) in [
        (
            Answer::Json(400, json!({"error": "invalid_grant"})),
            "the provider refuses the refresh token",
        ),
        (
            Answer::Json(200, json!({"access_token": "opaque"})),
            "the token doesn't have three parts",
        ),
        (
            Answer::Json(200, json!({"access_token": redeeming.other})),
            "the token is for another audience",
        ),
    ] {
        redeeming.fake.answer_token(answer);
        refused(redeeming.redeem(REFRESH_TOKEN).await, reason);
    }
    assert_nothing_was_sent_elsewhere(&redeeming);
    refused(redeeming.redeem("").await, "no refresh token, or one that is too long");
    assert!(redeeming.fake.providers("").redeemer(None).is_none());
}

#[tokio::test]
async fn a_provider_that_answers_otherwise_is_unavailable() {
    let redeeming = Redeeming::start().await;
    for (answer, says) in [
        (Answer::Json(200, json!({})), "granted no token"),
        (Answer::Json(401, json!({"error": "invalid_client"})), "refuses our client"),
        (Answer::Json(500, json!({"error": "invalid_grant"})), "500"),
        (Answer::Status(429), "429"),
        (Answer::Redirect("/elsewhere".into()), "307"),
        (Answer::Html("<p>Welcome".into()), "not JSON"),
        (Answer::Html(" ".repeat(300_000)), "longer than 262144 bytes"),
    ] {
        redeeming.fake.answer_token(answer);
        unavailable(redeeming.redeem(REFRESH_TOKEN).await, says);
    }
    assert_nothing_was_sent_elsewhere(&redeeming);
}

/// Secrets stay where they belong.
#[track_caller]
fn assert_nothing_was_sent_elsewhere(redeeming: &Redeeming) {
    assert_eq!(redeeming.fake.state.elsewhere.load(Ordering::SeqCst), 0);
}

//! The keys of a provider: every kind, keys that come and go, and how often they are asked for.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Algorithm, Header, encode};
use scopegate_server::testing::domain::identity::{BETWEEN_ATTEMPTS, Identity, STALE_AFTER};
use serde_json::json;

use super::fake::{Answer, Fake};
use super::{Key, NOW, refused};

#[tokio::test]
async fn a_token_of_every_kind_of_key_is_verified() {
    let all = [
        Key::new(Algorithm::RS256, "rs"),
        Key::new(Algorithm::PS256, "ps"),
        Key::new(Algorithm::ES256, "es"),
        Key::new(Algorithm::ES384, "es-384"),
        Key::new(Algorithm::EdDSA, "ed"),
    ];
    let fake = Fake::start(&all.iter().collect::<Vec<_>>()).await;
    let providers = fake.providers("algorithms: [RS256, PS256, ES256, ES384, EdDSA]");
    let mut claims = fake.claims();
    claims["tid"] = json!("tenant-1");
    claims["azp"] = json!("app-1");
    for key in &all {
        let identity = providers.identify(&key.sign(&claims), NOW).await.unwrap();
        let expected = Identity {
            provider: "fake".into(),
            subject: "octo".into(),
            tenant: Some("tenant-1".into()),
            appid: Some("app-1".into()),
            claims: serde_json::from_value(claims.clone()).unwrap(),
        };
        assert_eq!(identity, expected);
    }
    assert_eq!(fake.fetches(), 1, "the keys are kept");

    // Only what the configuration allows.
    let narrow = fake.providers("algorithms: [ES256]");
    refused(
        narrow.identify(&all[0].sign(&claims), NOW).await,
        "the token's algorithm is not allowed",
    );
    assert_eq!(fake.fetches(), 1, "and nobody is asked for the others");
}

#[tokio::test]
async fn a_token_that_names_no_key_is_verified_by_the_only_one() {
    let (one, other) = (Key::new(Algorithm::ES256, "one"), Key::new(Algorithm::ES256, "other"));
    let fake = Fake::start(&[&one]).await;
    let providers = fake.providers("");
    let nameless =
        |key: &Key| encode(&Header::new(Algorithm::ES256), &fake.claims(), &key.signing).unwrap();
    assert!(providers.identify(&nameless(&one), NOW).await.is_ok());
    refused(
        providers.identify(&nameless(&other), NOW + 1).await,
        "the token's key is not the provider's",
    );
    // A key that takes the place of the first is found without a name.
    fake.publish(&[&other]);
    assert!(providers.identify(&nameless(&other), NOW + BETWEEN_ATTEMPTS).await.is_ok());
    fake.publish(&[&one, &other]);
    let later = NOW + STALE_AFTER + BETWEEN_ATTEMPTS + 1;
    providers.refresh(later).await;
    refused(
        providers.identify(&nameless(&one), later).await,
        "the token names no key, and several fit",
    );
}

#[tokio::test]
async fn a_new_key_is_found_and_a_withdrawn_one_forgotten() {
    let (old, new) = (Key::new(Algorithm::ES256, "old"), Key::new(Algorithm::RS256, "new"));
    let fake = Fake::start(&[&old]).await;
    let providers = fake.providers("");
    let [old_token, new_token] = [&old, &new].map(|key| key.sign(&fake.claims()));
    assert!(providers.identify(&old_token, NOW).await.is_ok());

    fake.publish(&[&old, &new]);
    refused(providers.identify(&new_token, NOW + 1).await, "the token's key is not the provider's");
    assert!(providers.identify(&new_token, NOW + BETWEEN_ATTEMPTS).await.is_ok(), "at once");
    assert!(providers.identify(&old_token, NOW + BETWEEN_ATTEMPTS).await.is_ok());

    // A key that is withdrawn serves until the next refresh, which is every ten minutes.
    fake.publish(&[&new]);
    let renewed = NOW + BETWEEN_ATTEMPTS + STALE_AFTER;
    providers.refresh(renewed).await;
    assert!(providers.identify(&old_token, renewed).await.is_ok(), "not stale yet");
    providers.refresh(renewed + 1).await;
    refused(
        providers.identify(&old_token, renewed + 2).await,
        "the token's key is not the provider's",
    );
    assert!(providers.identify(&new_token, renewed + 2).await.is_ok());
}

#[tokio::test]
async fn keys_are_there_before_the_first_token() {
    let key = Key::new(Algorithm::ES256, "k");
    let fake = Fake::start(&[&key]).await;
    let providers = fake.providers("");
    let fresh = tokio::time::timeout(Duration::from_secs(20), async {
        tokio::select! {
            () = providers.keep_fresh(|| NOW) => unreachable!("it goes on for ever"),
            () = async { while fake.fetches() == 0 { tokio::task::yield_now().await } } => {}
        }
    });
    fresh.await.expect("nobody asked for the keys");
    assert!(providers.identify(&key.sign(&fake.claims()), NOW).await.is_ok());
    assert_eq!(fake.fetches(), 1);
}

#[tokio::test]
async fn made_up_kids_do_not_hammer_the_provider() {
    let key = Key::new(Algorithm::ES256, "k");
    let fake = Fake::start(&[&key]).await;
    fake.answer_jwks(Answer::After(50));
    let providers = Arc::new(fake.providers(""));
    let forged: Vec<String> = (0..40)
        .map(|number| {
            let mut header = key.header();
            header.kid = Some(format!("made-up-{number}"));
            encode(&header, &fake.claims(), &key.signing).unwrap()
        })
        .collect();
    let storm = async |now: i64| {
        let mut storm = tokio::task::JoinSet::new();
        for token in forged.clone() {
            let providers = Arc::clone(&providers);
            storm.spawn(async move { providers.identify(&token, now).await });
        }
        for result in storm.join_all().await {
            refused(result, "the token's key is not the provider's");
        }
    };
    storm(NOW).await;
    assert_eq!(fake.fetches(), 1, "one request for all of them, the first look included");
    for second in 1..=20 {
        storm(NOW + second).await;
        assert!(providers.identify(&key.sign(&fake.claims()), NOW + second).await.is_ok());
    }
    assert_eq!(fake.fetches(), 5, "one every five seconds");
}

#[tokio::test]
async fn a_caller_that_hangs_up_does_not_keep_the_others_waiting() {
    let key = Key::new(Algorithm::ES256, "k");
    let fake = Fake::start(&[&key]).await;
    fake.answer_jwks(Answer::After(300));
    let providers = fake.providers("");
    let token = key.sign(&fake.claims());
    let hung_up = tokio::time::timeout(Duration::from_millis(50), providers.identify(&token, NOW));
    assert!(hung_up.await.is_err());
    assert!(providers.identify(&token, NOW).await.is_ok());
    assert_eq!(fake.fetches(), 1);
}

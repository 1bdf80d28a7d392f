//! Providers that are down, slow, or lie.

use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jsonwebtoken::Algorithm;
use scopegate_server::testing::domain::identity::{BETWEEN_ATTEMPTS, KEPT_FOR, STALE_AFTER};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::support::AUDIENCE;

use super::fake::{Answer, Fake};
use super::{Key, NOW, providers, unavailable};

#[tokio::test]
async fn known_keys_outlive_the_provider_for_an_hour() {
    let (key, other) = (Key::new(Algorithm::ES256, "k"), Key::new(Algorithm::ES256, "other"));
    let fake = Fake::start(&[&key]).await;
    let providers = fake.providers("");
    let [token, unknown] = [&key, &other].map(|key| key.sign(&fake.claims()));
    assert!(providers.identify(&token, NOW).await.is_ok());

    fake.answer_discovery(Answer::Status(503));
    for age in [STALE_AFTER, STALE_AFTER + 1, KEPT_FOR] {
        providers.refresh(NOW + age).await;
        assert!(providers.identify(&token, NOW + age).await.is_ok(), "{age}");
    }
    // Whether this key is the provider's is unknown now.
    unavailable(providers.identify(&unknown, NOW + KEPT_FOR).await, "503");
    unavailable(providers.identify(&token, NOW + KEPT_FOR + 1).await, "503");
    let before = fake.state.discoveries.load(Ordering::SeqCst);
    unavailable(providers.identify(&token, NOW + KEPT_FOR + 2).await, "503");
    let after = fake.state.discoveries.load(Ordering::SeqCst);
    assert!(after <= before + 1);

    fake.answer_discovery(Answer::Right);
    let renewed = NOW + KEPT_FOR + 2 * BETWEEN_ATTEMPTS;
    assert!(providers.identify(&token, renewed).await.is_ok());
    // A request that is overtaken by others asks no more; a clock that was set back makes us ask
    // again.
    let before = fake.fetches();
    assert!(providers.identify(&token, renewed - 10).await.is_ok());
    assert_eq!(fake.fetches(), before);
    assert!(providers.identify(&token, renewed - 11).await.is_ok());
    assert_eq!(fake.fetches(), before + 1);
}

#[tokio::test]
async fn a_slow_provider_keeps_no_request_waiting() {
    let key = Key::new(Algorithm::ES256, "k");
    let fake = Fake::start(&[&key]).await;
    let providers = Arc::new(fake.providers(""));
    let token = key.sign(&fake.claims());
    assert!(providers.identify(&token, NOW).await.is_ok());

    fake.answer_discovery(Answer::After(60_000));
    let later = NOW + STALE_AFTER + 1;
    let start = Instant::now();
    let refreshing = tokio::spawn({
        let providers = Arc::clone(&providers);
        async move { providers.refresh(later).await }
    });
    tokio::task::yield_now().await;
    assert!(providers.identify(&token, later).await.is_ok());
    assert!(start.elapsed() < Duration::from_secs(2), "requests do not wait for it");
    refreshing.await.unwrap();

    let start = Instant::now();
    unavailable(providers.identify(&token, NOW + KEPT_FOR + 1).await, "timed out");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[tokio::test]
async fn an_answer_that_never_ends_is_given_up() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        while stream.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let key = Key::new(Algorithm::ES256, "k");
    let claims = json!({"iss": issuer, "aud": AUDIENCE, "sub": "octo", "exp": NOW + 60});
    let start = Instant::now();
    unavailable(providers(&issuer, "").identify(&key.sign(&claims), NOW).await, "timed out");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_unavailable() {
    let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let key = Key::new(Algorithm::ES256, "k");
    let claims = json!({"iss": issuer, "aud": AUDIENCE, "sub": "octo", "exp": NOW + 60});
    let error = providers(&issuer, "").identify(&key.sign(&claims), NOW).await;
    assert_eq!(
        error.as_ref().unwrap_err().to_string(),
        "the identity provider is not available, try again"
    );
    unavailable(error, "refused");
}

#[tokio::test]
async fn a_wrong_discovery_document_is_refused() {
    let key = Key::new(Algorithm::ES256, "k");
    let fake = Fake::start(&[&key]).await;
    let token = key.sign(&fake.claims());
    let with = |name: &str, value: Value| {
        let mut document = fake.state.document();
        document[name] = value;
        Answer::Json(200, document)
    };
    for (answer, says) in [
        (
            with("issuer", json!("https://other.example\n")),
            r#"calls itself "https://other.example\n""#,
        ),
        (with("issuer", json!(format!("{}/", fake.issuer))), "calls itself"),
        (with("jwks_uri", json!("http://192.0.2.1/jwks")), "jwks_uri is not at https"),
        (with("jwks_uri", json!("file:///etc/passwd")), "jwks_uri is not at https"),
        (with("jwks_uri", Value::Null), "not the JSON expected"),
        (with("token_endpoint", json!("ftp://127.0.0.1/")), "token_endpoint is not at https"),
        (Answer::Redirect("/elsewhere".into()), "307"),
        (Answer::Status(404), "404"),
        (Answer::Status(204), "204"),
        (Answer::Html("<p>Welcome".into()), "not the JSON expected"),
        (Answer::Html(" ".repeat(300_000)), "longer than 262144 bytes"),
        (Answer::Json(200, json!([])), "not the JSON expected"),
    ] {
        fake.answer_discovery(answer);
        unavailable(fake.providers("").identify(&token, NOW).await, says);
    }
    assert_eq!(fake.fetches(), 0);
    assert_eq!(fake.state.elsewhere.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_wrong_key_set_is_refused() {
    let key = Key::new(Algorithm::ES256, "k");
    let fake = Fake::start(&[&key]).await;
    let token = key.sign(&fake.claims());
    let secret = json!({"kty": "oct", "k": "c2VjcmV0", "kid": "k", "alg": "HS256"});
    for (answer, says) in [
        (Answer::Redirect("/elsewhere".into()), "307"),
        (Answer::Status(500), "500"),
        (Answer::Html("<p>Welcome".into()), "not the JSON expected"),
        (
            Answer::Json(200, json!({"keys": [], "more": " ".repeat(300_000)})),
            "longer than 262144 bytes",
        ),
        (Answer::Json(200, json!({"keys": vec![key.jwk.clone(); 101]})), "more than 100 keys"),
        (Answer::Json(200, json!({"keys": []})), "no verification key"),
        (Answer::Json(200, json!({"keys": [secret]})), "no verification key"),
        (Answer::Json(200, json!({})), "not the JSON expected"),
    ] {
        fake.answer_jwks(answer);
        unavailable(fake.providers("").identify(&token, NOW).await, says);
    }
    assert_eq!(fake.state.elsewhere.load(Ordering::SeqCst), 0);
    // What we cannot use does not spoil the rest.
    let keys = json!({"keys": [secret, {"kty": "of-tomorrow"}, 7, key.jwk]});
    fake.answer_jwks(Answer::Json(200, keys));
    assert!(fake.providers("").identify(&token, NOW).await.is_ok());
}

//! Identities over HTTP: against a provider of our own that does everything wrong, and against a
//! real one.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "what fails ends the test"
)]

use std::fmt::Debug;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::KeyPair;
use scopegate_server::testing::clock;
use scopegate_server::testing::config::providers::ProviderConfig;
use scopegate_server::testing::domain::identity::{
    BETWEEN_ATTEMPTS, Identity, IdentityError, KEPT_FOR, Providers, STALE_AFTER,
};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

const NOW: i64 = 1_800_000_000;
const AUDIENCE: &str = "https://containerregistry.azure.net";

/// A key of a provider, or of somebody who would like to be one.
struct Key {
    signing: EncodingKey,
    algorithm: Algorithm,
    kid: &'static str,
    /// The public half.
    jwk: Value,
    /// The public half in PEM, which is what attackers take for a secret.
    public_pem: String,
}

impl Key {
    fn new(algorithm: Algorithm, kid: &'static str) -> Self {
        let (kind, read): (_, fn(&[u8]) -> _) = match algorithm {
            Algorithm::ES256 => (&rcgen::PKCS_ECDSA_P256_SHA256, EncodingKey::from_ec_pem),
            Algorithm::ES384 => (&rcgen::PKCS_ECDSA_P384_SHA384, EncodingKey::from_ec_pem),
            Algorithm::EdDSA => (&rcgen::PKCS_ED25519, EncodingKey::from_ed_pem),
            _ => (&rcgen::PKCS_RSA_SHA256, EncodingKey::from_rsa_pem),
        };
        let pair = KeyPair::generate_for(kind).unwrap();
        let signing = read(pair.serialize_pem().as_bytes()).unwrap();
        let mut jwk = match algorithm {
            Algorithm::EdDSA => {
                let x = URL_SAFE_NO_PAD.encode(pair.public_key_raw());
                json!({"kty": "OKP", "crv": "Ed25519", "x": x})
            }
            _ => json!(Jwk::from_encoding_key(&signing, algorithm).unwrap()),
        };
        jwk["kid"] = json!(kid);
        Self { signing, algorithm, kid, jwk, public_pem: pair.public_key_pem() }
    }

    fn header(&self) -> Header {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.kid.to_owned());
        header
    }

    fn sign(&self, claims: &Value) -> String {
        encode(&self.header(), claims, &self.signing).unwrap()
    }
}

/// What an endpoint of the stand-in answers.
#[derive(Clone)]
enum Answer {
    /// What it should.
    Right,
    /// What it should, after this many milliseconds.
    After(u64),
    /// This status, and nothing else.
    Status(u16),
    /// This JSON, with a status.
    Json(u16, Value),
    /// This text as HTML.
    Html(String),
    /// Ask there.
    Redirect(String),
}

/// A provider for faults.
struct Fake {
    issuer: String,
    state: Arc<FakeState>,
}

struct FakeState {
    issuer: String,
    keys: Mutex<Vec<Value>>,
    discovery: Mutex<Answer>,
    jwks: Mutex<Answer>,
    token: Mutex<Answer>,
    discoveries: AtomicUsize,
    fetches: AtomicUsize,
    elsewhere: AtomicUsize,
    /// What the token endpoint was sent: its `Authorization` and its form.
    sent: Mutex<Vec<(String, String)>>,
}

impl Fake {
    async fn start(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let state = FakeState::new(issuer.clone(), keys);
        let app = routes(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { issuer, state }
    }

    /// The same behind TLS, with a certificate of this authority.
    async fn start_tls(keys: &[&Key], authority: &Authority) -> Self {
        let (certificate, key) = authority.certify();
        let tls = axum_server::tls_rustls::RustlsConfig::from_pem(certificate, key).await.unwrap();
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let issuer = format!("https://{}", listener.local_addr().unwrap());
        let state = FakeState::new(issuer.clone(), keys);
        let app = routes(Arc::clone(&state)).into_make_service();
        let server = axum_server::from_tcp_rustls(listener, tls).unwrap();
        tokio::spawn(async move { server.serve(app).await });
        Self { issuer, state }
    }

    fn providers(&self, more: &str) -> Providers {
        providers(&self.issuer, more)
    }

    /// Good claims.
    fn claims(&self) -> Value {
        json!({
            "iss": self.issuer, "aud": AUDIENCE, "sub": "octo",
            "iat": NOW, "nbf": NOW, "exp": NOW + 24 * 3600,
        })
    }

    fn publish(&self, keys: &[&Key]) {
        *self.state.keys.lock().unwrap() = keys.iter().map(|key| key.jwk.clone()).collect();
    }

    fn answer_discovery(&self, answer: Answer) {
        *self.state.discovery.lock().unwrap() = answer;
    }

    fn answer_jwks(&self, answer: Answer) {
        *self.state.jwks.lock().unwrap() = answer;
    }

    fn answer_token(&self, answer: Answer) {
        *self.state.token.lock().unwrap() = answer;
    }

    /// How often the keys were asked for.
    fn fetches(&self) -> usize {
        self.state.fetches.load(Ordering::SeqCst)
    }
}

impl FakeState {
    fn new(issuer: String, keys: &[&Key]) -> Arc<Self> {
        Arc::new(Self {
            issuer,
            keys: Mutex::new(keys.iter().map(|key| key.jwk.clone()).collect()),
            discovery: Mutex::new(Answer::Right),
            jwks: Mutex::new(Answer::Right),
            token: Mutex::new(Answer::Status(404)),
            discoveries: AtomicUsize::new(0),
            fetches: AtomicUsize::new(0),
            elsewhere: AtomicUsize::new(0),
            sent: Mutex::default(),
        })
    }

    fn document(&self) -> Value {
        json!({
            "issuer": self.issuer,
            "jwks_uri": format!("{}/jwks", self.issuer),
            "token_endpoint": format!("{}/token", self.issuer),
        })
    }
}

fn routes(state: Arc<FakeState>) -> Router {
    let discovery = async |State(state): State<Arc<FakeState>>| {
        state.discoveries.fetch_add(1, Ordering::SeqCst);
        let answer = state.discovery.lock().unwrap().clone();
        respond(answer, state.document()).await
    };
    let jwks = async |State(state): State<Arc<FakeState>>| {
        state.fetches.fetch_add(1, Ordering::SeqCst);
        let answer = state.jwks.lock().unwrap().clone();
        let keys = json!({ "keys": *state.keys.lock().unwrap() });
        respond(answer, keys).await
    };
    let token = async |State(state): State<Arc<FakeState>>, headers: HeaderMap, body: Bytes| {
        let authorization = headers.get(header::AUTHORIZATION);
        let authorization = authorization.map_or("", |value| value.to_str().unwrap()).to_owned();
        let form = String::from_utf8(body.to_vec()).unwrap();
        state.sent.lock().unwrap().push((authorization, form));
        let answer = state.token.lock().unwrap().clone();
        respond(answer, json!({})).await
    };
    let elsewhere = async |State(state): State<Arc<FakeState>>| {
        state.elsewhere.fetch_add(1, Ordering::SeqCst);
        axum::Json(state.document())
    };
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(jwks))
        .route("/token", post(token))
        .route("/elsewhere", get(elsewhere).post(elsewhere))
        .with_state(state)
}

async fn respond(answer: Answer, right: Value) -> Response {
    match answer {
        Answer::Right => axum::Json(right).into_response(),
        Answer::After(milliseconds) => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            axum::Json(right).into_response()
        }
        Answer::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Answer::Json(status, value) => {
            (StatusCode::from_u16(status).unwrap(), axum::Json(value)).into_response()
        }
        Answer::Html(text) => axum::response::Html(text).into_response(),
        Answer::Redirect(to) => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response()
        }
    }
}

fn providers(issuer: &str, more: &str) -> Providers {
    let yaml = format!("[{{name: fake, issuer: '{issuer}', audiences: ['{AUDIENCE}'], {more}}}]");
    let configs: Vec<ProviderConfig> = serde_saphyr::from_str(&yaml).unwrap();
    Providers::open(&configs).unwrap()
}

#[track_caller]
fn refused<T: Debug>(result: Result<T, IdentityError>, expected: &str) {
    match result {
        Err(IdentityError::NotAuthenticated(reason)) => {
            assert_eq!(reason.sentence(), expected);
        }
        other => panic!("{other:?} instead of: {expected}"),
    }
}

#[track_caller]
fn unavailable<T: Debug>(result: Result<T, IdentityError>, says: &str) {
    match result {
        Err(IdentityError::Unavailable(reason)) => {
            assert!(reason.starts_with("provider `fake`: "), "{reason}");
            assert!(reason.contains(says), "{reason}");
        }
        other => panic!("{other:?} instead of: {says}"),
    }
}

// ── good tokens ──

#[tokio::test]
async fn every_kind_of_key() {
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
async fn a_token_without_kid() {
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
async fn a_private_authority() {
    // Beside the other hosts' tests there are two of them in the library, and it does not choose.
    scopegate_host::tls::install_provider();
    let (ours, other) = (Authority::new(), Authority::new());
    let key = Key::new(Algorithm::ES256, "k");
    let fake = Fake::start_tls(&[&key], &ours).await;
    let token = key.sign(&fake.claims());
    let trusting = |authority: &Authority| format!("caFile: {}", authority.file.path().display());
    assert!(fake.providers(&trusting(&ours)).identify(&token, NOW).await.is_ok());
    unavailable(fake.providers(&trusting(&other)).identify(&token, NOW).await, "certificate");
    unavailable(fake.providers("").identify(&token, NOW).await, "certificate");
}

/// A certificate authority that no system knows.
struct Authority {
    issuer: rcgen::Issuer<'static, KeyPair>,
    file: tempfile::NamedTempFile,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), certificate.pem()).unwrap();
        Self { issuer: rcgen::Issuer::new(params, key), file }
    }

    /// A certificate for loopback, and its key.
    fn certify(&self) -> (Vec<u8>, Vec<u8>) {
        let key = KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem().into_bytes(), key.serialize_pem().into_bytes())
    }
}

// ── bad tokens ──

#[tokio::test]
async fn forged_tokens() {
    let (good, rsa) = (Key::new(Algorithm::ES256, "good"), Key::new(Algorithm::RS256, "rsa"));
    let evil = Key::new(Algorithm::ES256, "good");
    let fake = Fake::start(&[&good, &rsa]).await;
    let providers = fake.providers("");
    let claims = fake.claims();
    let token = good.sign(&claims);
    assert!(providers.identify(&token, NOW).await.is_ok());

    let payload = token.split('.').nth(1).unwrap();
    let signature = token.split('.').nth(2).unwrap();
    let header = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut with_jwk = evil.header();
    with_jwk.jwk = serde_json::from_value(evil.jwk.clone()).unwrap();
    with_jwk.jku = Some(format!("{}/elsewhere", fake.issuer));
    let with_jwk = encode(&with_jwk, &claims, &evil.signing).unwrap();
    let hmac = |secret: &[u8]| {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("rsa".into());
        encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap()
    };
    let mut other_claims = claims.clone();
    other_claims["sub"] = json!("admin");
    let other_payload = URL_SAFE_NO_PAD.encode(other_claims.to_string());
    let rsa_signs_as_es = {
        let message = format!("{}.{payload}", header(json!({"alg": "ES256", "kid": "rsa"})));
        format!("{message}.{signature}")
    };
    let none = header(json!({"alg": "none", "kid": "good"}));

    for (what, token, reason) in [
        ("another's key with the same kid", evil.sign(&claims), "the signature is not the key's"),
        ("a key in the header", with_jwk, "the signature is not the key's"),
        ("no signature", format!("{none}.{payload}."), "the token's algorithm is none, or unknown"),
        (
            "none, and a signature",
            format!("{none}.{payload}.{signature}"),
            "the token's algorithm is none, or unknown",
        ),
        (
            "a public key as a secret",
            hmac(rsa.public_pem.as_bytes()),
            "the token's algorithm is not allowed",
        ),
        (
            "a modulus as a secret",
            hmac(rsa.jwk["n"].as_str().unwrap().as_bytes()),
            "the token's algorithm is not allowed",
        ),
        (
            "an algorithm of another type of key",
            rsa_signs_as_es,
            "the algorithm does not fit the key",
        ),
        ("other claims", token.replace(payload, &other_payload), "the signature is not the key's"),
        (
            "a signature cut off",
            token[..token.len() - 4].to_owned(),
            "the signature is not the key's",
        ),
        ("an empty signature", token.replace(signature, ""), "the signature is not the key's"),
        (
            "no signature part",
            token.replace(&format!(".{signature}"), ""),
            "the token has not three parts",
        ),
    ] {
        match providers.identify(&token, NOW).await {
            Err(IdentityError::NotAuthenticated(said)) => {
                assert_eq!(said.sentence(), reason, "{what}");
            }
            other => panic!("{what}: {other:?}"),
        }
    }
    assert_eq!(fake.fetches(), 1, "a forgery asks nobody");
    assert_eq!(fake.state.elsewhere.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn wrong_claims_ask_nobody() {
    let key = Key::new(Algorithm::ES256, "k");
    let fake = Fake::start(&[&key]).await;
    let providers = fake.providers("");
    for (name, value, reason) in [
        ("aud", json!("https://other.example"), "the token is for another audience"),
        ("iss", json!("https://other.example"), "the token's issuer is no provider of ours"),
        ("iss", json!(format!("{}/", fake.issuer)), "the token's issuer is no provider of ours"),
        ("exp", json!(NOW - 60), "the token has expired"),
        ("exp", Value::Null, "one of the token's times is no number"),
        ("nbf", json!(NOW + 61), "the token is not valid yet"),
        ("iat", json!(NOW + 61), "the token was issued in the future"),
    ] {
        let mut claims = fake.claims();
        claims[name] = value;
        refused(providers.identify(&key.sign(&claims), NOW).await, reason);
    }
    assert_eq!(fake.state.discoveries.load(Ordering::SeqCst), 0);
}

// ── keys that come and go ──

#[tokio::test]
async fn rotation() {
    let (old, new) = (Key::new(Algorithm::ES256, "old"), Key::new(Algorithm::RS256, "new"));
    let fake = Fake::start(&[&old]).await;
    let providers = fake.providers("");
    let [old_token, new_token] = [&old, &new].map(|key| key.sign(&fake.claims()));
    assert!(providers.identify(&old_token, NOW).await.is_ok());

    fake.publish(&[&old, &new]);
    refused(providers.identify(&new_token, NOW + 1).await, "the token's key is not the provider's");
    assert!(providers.identify(&new_token, NOW + BETWEEN_ATTEMPTS).await.is_ok(), "at once");
    assert!(providers.identify(&old_token, NOW + BETWEEN_ATTEMPTS).await.is_ok());

    // A key that is withdrawn serves until somebody looks, which is every ten minutes.
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
async fn who_hangs_up_does_not_keep_the_others_waiting() {
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

// ── providers that are down, slow, or lie ──

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
    // Whether this key is the provider's, nobody knows now.
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
async fn a_slow_provider() {
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
async fn an_answer_that_never_ends() {
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
async fn nobody_there() {
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
async fn wrong_discovery_documents() {
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
async fn wrong_key_sets() {
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
        (Answer::Json(200, json!({"keys": []})), "no key that can verify"),
        (Answer::Json(200, json!({"keys": [secret]})), "no key that can verify"),
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

// ── refresh tokens ──

#[tokio::test]
async fn redeeming() {
    let key = Key::new(Algorithm::ES256, "k");
    let fake = Fake::start(&[&key]).await;
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "s3cret\n").unwrap();
    let providers = fake
        .providers(&format!("clientId: registry, clientSecretFile: {}", secret.path().display()));
    let provider = providers.redeemer(Some("any-tenant")).unwrap();
    let good = key.sign(&fake.claims());
    let mut claims = fake.claims();
    claims["aud"] = json!("another");
    let other = key.sign(&claims);

    for answer in [
        json!({"access_token": good}),
        json!({"access_token": "opaque", "id_token": good}),
        json!({"access_token": other, "id_token": good}),
        json!({"id_token": good}),
    ] {
        fake.answer_token(Answer::Json(200, answer.clone()));
        let identity = provider.redeem("the-refresh-token", NOW).await;
        assert_eq!(identity.unwrap().subject, "octo", "{answer}");
    }
    let sent = fake.state.sent.lock().unwrap()[0].clone();
    assert_eq!(sent.0, "Basic cmVnaXN0cnk6czNjcmV0");
    assert_eq!(sent.1, "grant_type=refresh_token&refresh_token=the-refresh-token");

    let refuses = "the provider refuses the refresh token";
    let three_parts = "the token has not three parts";
    for (answer, expected) in [
        (Answer::Json(400, json!({"error": "invalid_grant"})), Err(refuses)),
        (Answer::Json(200, json!({"access_token": "opaque"})), Err(three_parts)),
        (
            Answer::Json(200, json!({"access_token": other})),
            Err("the token is for another audience"),
        ),
        (Answer::Json(200, json!({})), Ok("granted no token")),
        (Answer::Json(401, json!({"error": "invalid_client"})), Ok("refuses our client")),
        (Answer::Json(500, json!({"error": "invalid_grant"})), Ok("500")),
        (Answer::Status(429), Ok("429")),
        (Answer::Redirect("/elsewhere".into()), Ok("307")),
        (Answer::Html("<p>Welcome".into()), Ok("no JSON")),
        (Answer::Html(" ".repeat(300_000)), Ok("longer than 262144 bytes")),
    ] {
        fake.answer_token(answer);
        let result = provider.redeem("the-refresh-token", NOW).await;
        match expected {
            Err(reason) => refused(result, reason),
            Ok(says) => unavailable(result, says),
        }
    }
    assert_eq!(fake.state.elsewhere.load(Ordering::SeqCst), 0, "secrets stay where they belong");
    refused(provider.redeem("", NOW).await, "no refresh token, or one that is too long");
    assert!(fake.providers("").redeemer(None).is_none());
}

// ── a real provider ──

/// `oidc-provider`, which ends with its test.
struct OidcProvider {
    process: Child,
    issuer: String,
    refresh_token: String,
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl OidcProvider {
    fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients");
        let installed = folder.join("node_modules/oidc-provider").is_dir();
        assert!(installed, "oidc-provider is not installed: run `cargo xtask setup`");
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut process = Command::new("node")
            .arg("oidc-provider.mjs")
            .current_dir(folder)
            .env("PORT", port.to_string())
            .env("JWK", private_jwk().to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node is not installed: run `cargo xtask setup`");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let refresh_token = lines.next().expect("the provider does not start").unwrap();
        Self { process, issuer: format!("http://127.0.0.1:{port}"), refresh_token }
    }

    async fn client_credentials(&self) -> String {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request =
            client.post(format!("{}/token", self.issuer)).basic_auth("svc", Some("svc-secret"));
        let form = [("grant_type", "client_credentials"), ("scope", "registry")];
        let answer: Value = request.form(&form).send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}

fn private_jwk() -> Value {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let secret: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().unwrap();
    let [4, point @ ..] = pair.public_key().as_ref() else { panic!("no uncompressed point") };
    let (x, y) = point.split_at(32);
    let [d, x, y] = [secret.as_ref(), x, y].map(|part| URL_SAFE_NO_PAD.encode(part));
    json!({
        "kty": "EC", "crv": "P-256", "x": x, "y": y, "d": d, "kid": "k", "alg": "ES256", "use": "sig",
    })
}

#[tokio::test]
async fn the_real_oidc_provider() {
    let op = OidcProvider::start();
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "dev/secret: with + and %\n").unwrap();
    let more = format!(
        "clientId: dev, clientSecretFile: {},
         bindings: [{{match: {{/realm_access/roles: builder, tid: tenant-1}}, roles: [AcrPull],
                      rules: ['repositories/{{team}}/*/content/write']}}]",
        secret.path().display()
    );
    let providers = providers(&op.issuer, &more);

    let token = op.client_credentials().await;
    let identity = providers.identify(&token, clock::now()).await.unwrap();
    assert_eq!(identity.subject, "svc");
    assert_eq!(identity.tenant.as_deref(), Some("tenant-1"));
    assert_eq!(identity.appid.as_deref(), Some("svc"));

    let provider = providers.by_name(&identity.provider).unwrap();
    let bound = provider.bind(&identity.claims);
    let rules: Vec<_> = bound.rules.iter().map(ToString::to_string).collect();
    assert_eq!(rules, ["repositories/core/*/content/write"]);
    assert_eq!(bound.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(), ["AcrPull"]);
    let mentioned = provider.mentioned(&identity.claims).unwrap();
    assert_eq!(mentioned.keys().collect::<Vec<_>>(), ["realm_access", "team", "tid"]);
    assert_eq!(provider.bind(&mentioned), bound);

    let provider = providers.redeemer(None).unwrap();
    let identity = provider.redeem(&op.refresh_token, clock::now()).await.unwrap();
    assert_eq!((identity.subject.as_str(), identity.appid.as_deref()), ("octo", Some("dev")));
    refused(
        provider.redeem("made-up", clock::now()).await,
        "the provider refuses the refresh token",
    );
    // Tokens are for an hour at most, and this one is for ten minutes.
    refused(providers.identify(&token, clock::now() + 3600).await, "the token has expired");
}

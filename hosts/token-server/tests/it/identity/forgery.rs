//! Forged tokens and wrong claims are refused, without a request to the provider.

use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use scopegate_server::testing::domain::identity::IdentityError;
use serde_json::{Value, json};

use super::fake::Fake;
use super::{Key, NOW, refused};

/// Tokens that are nearly good, and why each is refused.
struct Forger<'a> {
    good: &'a Key,
    rsa: &'a Key,
    evil: Key,
    claims: Value,
    /// A header that brings a key, and says where others are.
    elsewhere: String,
}

type Forgeries = Vec<(&'static str, String, &'static str)>;

const NOT_THE_KEYS: &str = "the signature is not the key's";
const NO_ALGORITHM: &str = "the token's algorithm is `none` or unknown";
const NOT_ALLOWED: &str = "the token's algorithm is not allowed";

fn header(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

impl Forger<'_> {
    fn parts(&self) -> (String, String, String) {
        let token = self.good.sign(&self.claims);
        let (payload, signature) = (token.split('.').nth(1), token.split('.').nth(2));
        (payload.unwrap().to_owned(), signature.unwrap().to_owned(), token.clone())
    }

    fn with_other_keys(&self) -> Forgeries {
        let mut with_jwk = self.evil.header();
        with_jwk.jwk = serde_json::from_value(self.evil.jwk.clone()).unwrap();
        with_jwk.jku = Some(self.elsewhere.clone());
        let with_jwk = encode(&with_jwk, &self.claims, &self.evil.signing).unwrap();
        let same_kid = self.evil.sign(&self.claims);
        vec![
            ("another's key with the same kid", same_kid, NOT_THE_KEYS),
            ("a key in the header", with_jwk, NOT_THE_KEYS),
        ]
    }

    fn with_other_algorithms(&self) -> Forgeries {
        let (payload, signature, _) = self.parts();
        let hmac = |secret: &[u8]| {
            let mut header = Header::new(Algorithm::HS256);
            header.kid = Some("rsa".into());
            encode(&header, &self.claims, &EncodingKey::from_secret(secret)).unwrap()
        };
        let none = header(&json!({"alg": "none", "kid": "good"}));
        let rsa_signs_as_es = header(&json!({"alg": "ES256", "kid": "rsa"}));
        let modulus = self.rsa.jwk["n"].as_str().unwrap();
        vec![
            ("no signature", format!("{none}.{payload}."), NO_ALGORITHM),
            ("none, and a signature", format!("{none}.{payload}.{signature}"), NO_ALGORITHM),
            ("a public key as a secret", hmac(self.rsa.public_pem.as_bytes()), NOT_ALLOWED),
            ("a modulus as a secret", hmac(modulus.as_bytes()), NOT_ALLOWED),
            (
                "an algorithm of another type of key",
                format!("{rsa_signs_as_es}.{payload}.{signature}"),
                "the algorithm does not fit the key",
            ),
        ]
    }

    fn in_other_shapes(&self) -> Forgeries {
        let (payload, signature, token) = self.parts();
        let mut other_claims = self.claims.clone();
        other_claims["sub"] = json!("admin");
        let other_payload = URL_SAFE_NO_PAD.encode(other_claims.to_string());
        let cut_off = token[..token.len() - 4].to_owned();
        let two_parts = token.replace(&format!(".{signature}"), "");
        vec![
            ("other claims", token.replace(&payload, &other_payload), NOT_THE_KEYS),
            ("a signature cut off", cut_off, NOT_THE_KEYS),
            ("an empty signature", token.replace(&signature, ""), NOT_THE_KEYS),
            ("no signature part", two_parts, "the token doesn't have three parts"),
        ]
    }
}

#[tokio::test]
async fn forged_tokens_are_refused_with_the_reason() {
    let (good, rsa) = (Key::new(Algorithm::ES256, "good"), Key::new(Algorithm::RS256, "rsa"));
    let fake = Fake::start(&[&good, &rsa]).await;
    let providers = fake.providers("");
    let (evil, claims) = (Key::new(Algorithm::ES256, "good"), fake.claims());
    let elsewhere = format!("{}/elsewhere", fake.issuer);
    let forger = Forger { good: &good, rsa: &rsa, evil, claims, elsewhere };
    assert!(providers.identify(&good.sign(&forger.claims), NOW).await.is_ok());
    let mut forgeries = forger.with_other_keys();
    forgeries.extend(forger.with_other_algorithms());
    forgeries.extend(forger.in_other_shapes());
    for (what, token, reason) in forgeries {
        match providers.identify(&token, NOW).await {
            Err(IdentityError::NotAuthenticated(cause)) => {
                assert_eq!(cause.sentence(), reason, "{what}");
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
        ("iss", json!("https://other.example"), "the token's issuer is not a provider of ours"),
        ("iss", json!(format!("{}/", fake.issuer)), "the token's issuer is not a provider of ours"),
        ("exp", json!(NOW - 60), "the token has expired"),
        ("exp", Value::Null, "one of the token's times is not a number"),
        ("nbf", json!(NOW + 61), "the token is not valid yet"),
        ("iat", json!(NOW + 61), "the token was issued in the future"),
    ] {
        let mut claims = fake.claims();
        claims[name] = value;
        refused(providers.identify(&key.sign(&claims), NOW).await, reason);
    }
    assert_eq!(fake.state.discoveries.load(Ordering::SeqCst), 0);
}

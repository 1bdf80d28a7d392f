//! Tokens, verified once and remembered.
//!
//! Whether claims are accepted is the rule of [`accept`](mod@scopegate_edge::accept).
//!
//! A signature costs tens of microseconds and a digest less than one, so what was verified is kept
//! under the digest of the token: in a bounded cache, never longer than the token is valid or its
//! key is known. Whether it was revoked is asked each time.

use std::sync::Arc;

use quick_cache::sync::Cache;
use scopegate_api::claims::{AccessClaims, UntagClaim};
use scopegate_edge::bearer::MAX_TOKEN;
use scopegate_edge::{Epoch, Expected, accept};
use sha2::{Digest as _, Sha256};

use crate::jws::{Signed, open};
use crate::keys::{Key, Keys};

/// How many tokens are remembered.
const CACHE_SLOTS: usize = 16 * 1024;

/// A token that is good.
#[derive(Debug)]
pub(crate) struct Verified {
    /// What it says.
    pub(crate) claims: AccessClaims,
    /// In which repositories it removes tags, where that takes `metadata_write`.
    pub(crate) untag: UntagClaim,
    kid: String,
    key: Arc<Key>,
}

/// Verifies the tokens for one service.
#[derive(Debug)]
pub(crate) struct Tokens {
    issuer: String,
    service: String,
    keys: Arc<Keys>,
    remembered: Cache<[u8; 32], Arc<Verified>>,
}

impl Tokens {
    /// A verifier that remembers nothing yet.
    #[must_use]
    pub(crate) fn new(issuer: String, service: String, keys: Arc<Keys>) -> Self {
        Self { issuer, service, keys, remembered: Cache::new(CACHE_SLOTS) }
    }

    /// The token, if it is good at this time; `None` for one that is forged, not in time, of
    /// another kind, or for another audience.
    pub(crate) async fn verify(&self, token: &str, now: u64) -> Option<Arc<Verified>> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some(verified) = self.remembered.get(&digest) {
            if self.is_still_good(&verified, now) {
                return Some(verified);
            }
            self.remembered.remove(&digest);
        }
        let verified = Arc::new(self.verify_anew(token, now).await?);
        self.remembered.insert(digest, Arc::clone(&verified));
        Some(verified)
    }

    fn is_still_good(&self, verified: &Verified, now: u64) -> bool {
        let is_accepted = self.expected(now).check(&verified.claims).is_ok();
        is_accepted && self.keys.still_has(&verified.kid, &verified.key)
    }

    async fn verify_anew(&self, token: &str, now: u64) -> Option<Verified> {
        let Signed { payload, kid, key } = open(token, &self.keys).await?;
        let claims = accept(&payload, &self.expected(now)).ok()?;
        Some(Verified { claims, untag: UntagClaim::read(&payload), kid, key })
    }

    fn expected(&self, now: u64) -> Expected<'_> {
        let (issuer, service) = (self.issuer.as_str(), self.service.as_str());
        Expected { issuer, service, epoch: Epoch::Unknown, now }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::Header as Made;
    use serde_json::{Value, json};

    use super::*;
    use crate::signer::{Signer, header};

    const NOW: u64 = 1_800_000_000;

    /// A verifier that knows the key of a signer.
    struct Verifier {
        signer: Signer,
        tokens: Tokens,
    }

    impl Verifier {
        fn new() -> Self {
            let signer = Signer::new();
            let tokens = Tokens::new("i".into(), "s".into(), signer.keys());
            Self { signer, tokens }
        }

        fn sign(&self, header: &Made, claims: &Value) -> String {
            self.signer.sign(header, claims)
        }
    }

    fn claims() -> Value {
        json!({ "jti": "j", "sub": "t", "nbf": NOW, "exp": NOW + 3600, "iat": NOW, "iss": "i", "aud": "s", "version": "1.0", "rid": "r",
            "access": [{ "type": "repository", "name": "a", "actions": ["pull"] }], "roles": [], "grant_type": "access_token" })
    }

    #[tokio::test]
    async fn a_good_token_is_remembered_while_it_is_good() {
        let verifier = Verifier::new();
        let token = verifier.sign(&header(), &claims());
        for (now, is_good) in [(NOW, true), (NOW + 3659, true), (NOW + 3660, false), (NOW, true)] {
            assert_eq!(verifier.tokens.verify(&token, now).await.is_some(), is_good, "{now}");
        }
        assert_eq!(verifier.tokens.remembered.len(), 1);
    }

    #[tokio::test]
    async fn what_is_not_good() {
        let (verifier, other) = (Verifier::new(), Verifier::new());
        let with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            verifier.sign(&header(), &claims)
        };
        let good = verifier.sign(&header(), &claims());
        let (message, signature) = good.rsplit_once('.').unwrap();
        let (head, payload) = message.split_once('.').unwrap();
        let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"k"}"#);
        let hmac = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","kid":"k"}"#);
        for (what, token) in [
            ("another's key", other.sign(&header(), &claims())),
            ("another kid", verifier.sign(&Made { kid: Some("x".into()), ..header() }, &claims())),
            ("no kid", verifier.sign(&Made { kid: None, ..header() }, &claims())),
            ("another audience", with("aud", json!("x"))),
            ("a list of audiences", with("aud", json!(["s"]))),
            ("another issuer", with("iss", json!("x"))),
            ("a refresh token", with("grant_type", json!("refresh_token"))),
            ("too long a life", with("exp", json!(NOW + 20_000))),
            ("not yet", with("nbf", json!(NOW + 61))),
            ("no signature", format!("{unsigned}.{payload}.")),
            ("an algorithm of secrets", format!("{hmac}.{payload}.{signature}")),
            ("another payload", format!("{head}.{payload}A.{signature}")),
            ("four parts", format!("{good}.x")),
            ("padding", format!("{message}.{signature}=")),
            ("nothing", String::new()),
            ("too long", "x".repeat(MAX_TOKEN + 1)),
        ] {
            assert!(verifier.tokens.verify(&token, NOW).await.is_none(), "{what}");
        }
        assert!(verifier.tokens.verify(&good, NOW).await.is_some());
    }

    /// A key that the token brings with it counts for nothing.
    #[tokio::test]
    async fn a_key_in_the_header_is_not_looked_at() {
        let (verifier, other) = (Verifier::new(), Verifier::new());
        let header = Made { jwk: serde_json::from_value(other.signer.jwk()).unwrap(), ..header() };
        let token = other.sign(&header, &claims());
        assert!(verifier.tokens.verify(&token, NOW).await.is_none());
        assert!(other.tokens.verify(&token, NOW).await.is_some());
    }
}

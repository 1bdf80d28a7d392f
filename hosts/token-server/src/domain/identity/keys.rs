//! The public keys of a provider, and which of them a token is signed with.
//!
//! Which keys of a set may verify is the rule of [`scopegate_edge::jwks`]. A provider's differ from
//! an issuer's of ours: they may be for other algorithms, share an id, or have none. Follows RFC
//! 7518 (the `alg` of a key) and OpenID Connect Core 10.1: a token without a `kid` is
//! possible only where a single key is of the type that its algorithm wants, whatever algorithms
//! the others are named for.

use std::str::FromStr as _;

use jsonwebtoken::Algorithm;
use scopegate_edge::jwks::{self, PublishedKey};
use scopegate_host::keys::VerifyingKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::jwt::Jwt;

/// The keys of a provider.
#[derive(Debug)]
pub(crate) struct KeySet(Vec<Key>);

/// The verdict of a key set on a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// One of the keys has signed it.
    Signed,
    /// None of the keys has signed it, and a newer set would not help; the text is for the log.
    Forged(&'static str),
    /// The set does not hold the key. A newer set may.
    UnknownKey,
}

#[derive(Debug)]
struct Key {
    kid: Option<String>,
    /// The one algorithm that it is named for.
    algorithm: Option<String>,
    verifying: VerifyingKey,
}

/// A key set as it is published.
#[derive(Deserialize, Serialize)]
pub(crate) struct PublishedKeys {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads the keys that can verify.
    ///
    /// # Errors
    ///
    /// When there are more than 100 keys, or none that can verify.
    pub(crate) fn read(published: PublishedKeys) -> Result<Self, String> {
        let text = serde_json::to_vec(&published).unwrap_or_default();
        let keys = jwks::read(&text).map_err(|error| format!("the key set has {error}"))?;
        let keys: Vec<Key> = keys.into_iter().filter_map(Key::new).collect();
        if keys.is_empty() {
            return Err("the key set has no verification key".to_owned());
        }
        Ok(Self(keys))
    }

    /// Whether one of the keys signed this token.
    pub(crate) fn check(&self, jwt: &Jwt<'_>) -> Verdict {
        match &jwt.kid {
            Some(kid) => self.check_with_id(kid, jwt),
            None => self.check_without_id(jwt),
        }
    }

    fn check_with_id(&self, kid: &str, jwt: &Jwt<'_>) -> Verdict {
        let named: Vec<&Key> = self.0.iter().filter(|key| key.has_id(kid)).collect();
        if named.is_empty() {
            return Verdict::UnknownKey;
        }
        // Some providers give keys of different types the same id.
        let mut fitting = named.into_iter().filter(|key| key.fits(jwt.algorithm)).peekable();
        if fitting.peek().is_none() {
            return Verdict::Forged("the algorithm does not fit the key");
        }
        if fitting.any(|key| key.signed(jwt)) { Verdict::Signed } else { FORGED }
    }

    fn check_without_id(&self, jwt: &Jwt<'_>) -> Verdict {
        let mut of_type = self.0.iter().filter(|key| key.verifying.is_for(jwt.algorithm));
        match (of_type.next(), of_type.next()) {
            (Some(key), None) if key.fits(jwt.algorithm) && key.signed(jwt) => Verdict::Signed,
            (Some(_), Some(_)) => Verdict::Forged("the token names no key, and several fit"),
            // Without an id there is no other sign that the provider has changed its key.
            _ => Verdict::UnknownKey,
        }
    }
}

const FORGED: Verdict = Verdict::Forged("the signature is not the key's");

impl Key {
    /// A key that may verify; `None` where its numbers are no key to the library.
    fn new(published: PublishedKey) -> Option<Self> {
        let PublishedKey { kid, algorithm, material } = published;
        Some(Self { kid, algorithm, verifying: VerifyingKey::new(material)? })
    }

    fn has_id(&self, kid: &str) -> bool {
        self.kid.as_deref() == Some(kid)
    }

    /// Whether this key may be used with `algorithm`: its type must be right, and its own `alg`,
    /// when it has one.
    fn fits(&self, algorithm: Algorithm) -> bool {
        let named = self.algorithm.as_deref();
        self.verifying.is_for(algorithm)
            && named.is_none_or(|named| Algorithm::from_str(named) == Ok(algorithm))
    }

    fn signed(&self, jwt: &Jwt<'_>) -> bool {
        self.verifying.signed(jwt.algorithm, jwt.message, jwt.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The keys of RFC 7517 A.1 and RFC 8037 A.2.
    fn elliptic(more: Value) -> Value {
        with(
            json!({
                "kty": "EC", "crv": "P-256",
                "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
                "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
            }),
            more,
        )
    }

    fn edwards(more: Value) -> Value {
        with(
            json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
            more,
        )
    }

    fn rsa(more: Value) -> Value {
        with(json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}), more)
    }

    fn with(mut key: Value, more: Value) -> Value {
        key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        key
    }

    #[test]
    fn keys_and_algorithms() {
        let all = [
            Algorithm::HS256,
            Algorithm::RS256,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::ES256,
            Algorithm::ES384,
            Algorithm::EdDSA,
        ];
        for (key, fitting) in [
            (elliptic(json!({})), "ES256"),
            (elliptic(json!({"alg": "ES256", "use": "sig", "key_ops": ["verify"]})), "ES256"),
            (elliptic(json!({"alg": "ES384"})), ""),
            (elliptic(json!({"alg": "RS256"})), ""),
            (elliptic(json!({"alg": "of-tomorrow"})), ""),
            (elliptic(json!({"use": "enc"})), "unused"),
            (elliptic(json!({"use": "other"})), "unused"),
            (elliptic(json!({"key_ops": ["deriveKey"]})), "unused"),
            (elliptic(json!({"crv": "secp256k1"})), "unused"),
            (elliptic(json!({"kty": "of-tomorrow"})), "unused"),
            (elliptic(json!({"kid": 7})), "unused"),
            (edwards(json!({})), "EdDSA"),
            (edwards(json!({"crv": "P-256"})), "unused"),
            // A point of order 1: everybody signs with it.
            (edwards(json!({"x": "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})), "unused"),
            (rsa(json!({})), "RS256 RS512 PS256"),
            (rsa(json!({"alg": "PS256"})), "PS256"),
            (json!({"kty": "oct", "k": "c2VjcmV0"}), "unused"),
            (json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}), "unused"),
            (json!("no key"), "unused"),
        ] {
            let fits = match KeySet::read(PublishedKeys { keys: vec![key.clone()] }) {
                Err(_) => "unused".to_owned(),
                Ok(KeySet(keys)) => {
                    let read = &keys[0];
                    let fits = all.into_iter().filter(|algorithm| read.fits(*algorithm));
                    fits.map(|algorithm| format!("{algorithm:?}")).collect::<Vec<_>>().join(" ")
                }
            };
            assert_eq!(fits, fitting, "{key}");
        }
    }

    #[test]
    fn a_token_without_kid_where_several_keys_fit_is_refused() {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let several = Verdict::Forged("the token names no key, and several fit");
        let (one, two) = (json!({"kid": "one"}), json!({"kid": "two"}));
        let named = |kid: &str, alg: &str| json!({"kid": kid, "alg": alg});
        for (algorithm, keys, expected) in [
            ("ES256", vec![elliptic(one.clone())], Verdict::UnknownKey),
            ("ES256", vec![elliptic(one.clone()), elliptic(two.clone())], several),
            ("ES256", vec![elliptic(json!({})), elliptic(json!({}))], several),
            ("ES256", vec![elliptic(one.clone()), edwards(two.clone())], Verdict::UnknownKey),
            ("RS256", vec![rsa(named("one", "RS256")), rsa(two.clone())], several),
            ("RS256", vec![rsa(named("one", "RS256")), rsa(named("two", "RS512"))], several),
            ("RS256", vec![rsa(one), rsa(json!({"use": "enc"}))], Verdict::UnknownKey),
        ] {
            let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{algorithm}"}}"#));
            let token = format!("{header}.e30.AAAA");
            let set = KeySet::read(PublishedKeys { keys: keys.clone() }).unwrap();
            assert_eq!(set.check(&Jwt::parse(&token).unwrap()), expected, "{keys:?}");
        }
    }

    #[test]
    fn sets() {
        for (keys, error) in [
            (vec![elliptic(json!({}))], None),
            (vec![json!({"kty": "oct", "k": "AA"}), elliptic(json!({}))], None),
            (vec![], Some("the key set has no verification key")),
            (vec![json!({"kty": "oct", "k": "AA"})], Some("the key set has no verification key")),
            (vec![elliptic(json!({})); 101], Some("the key set has more than 100 keys")),
        ] {
            let read = KeySet::read(PublishedKeys { keys });
            assert_eq!(read.err().as_deref(), error);
        }
    }
}

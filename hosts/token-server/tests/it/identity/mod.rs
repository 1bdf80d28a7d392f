//! Identities over HTTP: against a provider of our own that does everything wrong, and against a
//! real one.

mod fake;
mod faults;
mod forgery;
mod keys;
mod real_provider;
mod redeeming;
mod tls;

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::KeyPair;
use scopegate_server::testing::config::providers::ProviderConfig;
use scopegate_server::testing::domain::identity::{IdentityError, Providers};
use serde_json::{Value, json};

use crate::support::AUDIENCE;

/// The time of the tests.
pub(super) const NOW: i64 = 1_800_000_000;

/// A key of a provider, or of an attacker who forges its tokens.
pub(super) struct Key {
    pub(super) signing: EncodingKey,
    pub(super) algorithm: Algorithm,
    pub(super) kid: &'static str,
    /// The public half.
    pub(super) jwk: Value,
    /// The public half in PEM, which is what attackers take for a secret.
    pub(super) public_pem: String,
}

impl Key {
    pub(super) fn new(algorithm: Algorithm, kid: &'static str) -> Self {
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

    pub(super) fn header(&self) -> Header {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.kid.to_owned());
        header
    }

    pub(super) fn sign(&self, claims: &Value) -> String {
        encode(&self.header(), claims, &self.signing).unwrap()
    }
}

pub(super) fn providers(issuer: &str, more: &str) -> Providers {
    let yaml = format!("[{{name: fake, issuer: '{issuer}', audiences: ['{AUDIENCE}'], {more}}}]");
    let configs: Vec<ProviderConfig> = serde_saphyr::from_str(&yaml).unwrap();
    Providers::open(&configs).unwrap()
}

#[track_caller]
pub(super) fn refused<T: Debug>(result: Result<T, IdentityError>, expected: &str) {
    match result {
        Err(IdentityError::NotAuthenticated(reason)) => {
            assert_eq!(reason.sentence(), expected);
        }
        other => panic!("{other:?} instead of: {expected}"),
    }
}

#[track_caller]
pub(super) fn unavailable<T: Debug>(result: Result<T, IdentityError>, says: &str) {
    match result {
        Err(IdentityError::Unavailable(reason)) => {
            assert!(reason.starts_with("provider `fake`: "), "{reason}");
            assert!(reason.contains(says), "{reason}");
        }
        other => panic!("{other:?} instead of: {says}"),
    }
}

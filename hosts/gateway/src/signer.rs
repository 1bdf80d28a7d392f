//! For tests: an issuer's key, and what it signs.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};

use crate::config::KeySource;
use crate::keys::Keys;

pub(crate) struct Signer(KeyPair);

impl Signer {
    pub(crate) fn new() -> Self {
        Self(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap())
    }

    pub(crate) fn sign(&self, header: &Header, payload: &Value) -> String {
        encode(header, payload, &EncodingKey::from_ec_der(&self.0.serialize_der())).unwrap()
    }

    /// The public half.
    pub(crate) fn jwk(&self) -> Value {
        let point = self.0.public_key_raw().to_vec();
        let [x, y] = [&point[1..33], &point[33..]].map(|half| URL_SAFE_NO_PAD.encode(half));
        json!({ "kty": "EC", "crv": "P-256", "kid": "k", "x": x, "y": y })
    }

    /// What a gateway reads that knows this key alone.
    pub(crate) fn keys(&self) -> Arc<Keys> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), json!({ "keys": [self.jwk()] }).to_string()).unwrap();
        let source = KeySource::File(file.path().to_owned());
        Arc::new(Keys::new(&source, reqwest::Client::new()).unwrap())
    }
}

pub(crate) fn header() -> Header {
    Header { kid: Some("k".into()), ..Header::new(Algorithm::ES256) }
}

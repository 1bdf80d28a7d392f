//! For tests: an issuer's key, what it signs, and a client.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use scopegate_host::client::Client;
use scopegate_host::tls::install_provider;
use serde_json::{Value, json};
use url::Url;

use crate::client::MAX_LIST;
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
        let nowhere = Url::parse("http://127.0.0.1:1/").unwrap();
        Arc::new(Keys::new(&source, client(&nowhere)).unwrap())
    }
}

pub(crate) fn header() -> Header {
    Header { kid: Some("k".into()), ..Header::new(Algorithm::ES256) }
}

pub(crate) fn client(url: &Url) -> Client {
    // Two of its providers are in the program; another test may have chosen already.
    install_provider();
    crate::client::client(url, None, MAX_LIST).unwrap()
}

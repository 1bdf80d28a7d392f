//! A token, decoded.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::domain::keys::Algorithm;
use crate::domain::keys::public_key::PublicKey;

/// A decoded token. Nothing in it is trusted.
pub(super) struct Token {
    pub(super) header: Value,
    pub(super) claims: Value,
    pub(super) message: String,
    pub(super) signature: Vec<u8>,
}

impl Token {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (message, signature) = text.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let object =
            |part: &str| serde_json::from_slice(&decode(part)?).ok().filter(Value::is_object);
        Some(Self {
            header: object(header)?,
            claims: object(claims)?,
            message: message.to_owned(),
            signature: decode(signature)?,
        })
    }

    pub(super) fn in_header(&self, name: &str) -> Option<&str> {
        self.header.get(name)?.as_str()
    }

    /// Whether this key signed it, for the algorithms that we support.
    pub(super) fn is_signed_with(&self, key: &PublicKey) -> bool {
        let algorithm = key.algorithm().map(Algorithm::as_str);
        if algorithm != self.in_header("alg") {
            return true;
        }
        let key = key.verifying();
        key.is_some_and(|key| key.verify_sig(self.message.as_bytes(), &self.signature).is_ok())
    }
}

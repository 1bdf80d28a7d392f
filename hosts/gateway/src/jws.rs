//! What the issuer signed: header, payload and signature, in the compact form of RFC 7515.
//!
//! Of a header only `alg`, `kid` and `crit` are read: nothing may bring its own key, so `jwk`, `jku`, `x5u` and `x5c` are not even looked at.
//!
//! Left out: what a payload means, which is for whoever asked for it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::keys::{Key, Keys};

/// A payload whose signature is good.
#[derive(Debug)]
pub struct Signed {
    /// The payload.
    pub payload: Vec<u8>,
    /// The id of the key.
    pub kid: String,
    /// The key.
    pub key: Arc<Key>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    crit: Option<IgnoredAny>,
}

/// The payload of `text`, if one of the keys signed it.
pub async fn open(text: &str, keys: &Keys) -> Option<Signed> {
    let (message, signature) = text.rsplit_once('.')?;
    let (header, payload) = message.split_once('.')?;
    let Header { alg, kid, crit } = serde_json::from_slice(&decode(header)?).ok()?;
    if crit.is_some() {
        return None;
    }
    let key = keys.find_or_read(&kid).await?;
    if !key.signed(&alg, message, signature) {
        return None;
    }
    Some(Signed { payload: decode(payload)?, kid, key })
}

fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

//! What the issuer signed, opened.
//!
//! Left out: what a payload means, which is for the caller.

use std::sync::Arc;

use scopegate_edge::jws::Jws;

use crate::keys::{Key, Keys};

/// A payload whose signature is good.
#[derive(Debug)]
pub(crate) struct Signed {
    /// The payload.
    pub(crate) payload: Vec<u8>,
    /// The id of the key.
    pub(crate) kid: String,
    /// The key.
    pub(crate) key: Arc<Key>,
}

/// The payload of `text`, if one of the keys signed it.
pub(crate) async fn open(text: &str, keys: &Keys) -> Option<Signed> {
    let jws = Jws::read(text).ok()?;
    let kid = jws.kid.as_ref()?;
    let key = keys.find_or_read(kid).await?;
    if !key.signed(&jws.algorithm, jws.message, jws.signature) {
        return None;
    }
    Some(Signed { payload: jws.payload()?, kid: jws.kid?, key })
}

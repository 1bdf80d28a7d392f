//! The public keys of the issuer, as Envoy's own verification wants them.
//!
//! Which keys of a set verify, and with which algorithm, is the rule of [`scopegate_edge::jwks`].
//! Follows RFC 5280 and 5480 for the form in which a key is handed on.
//!
//! Left out: Ed25519, which Envoy verifies in `jwt_authn` but not for a filter.

pub(crate) use scopegate_edge::jwks::Algorithm;
use scopegate_edge::jwks::{KeySetError, Material, issuer_keys};
use scopegate_edge::jws::decode;

use crate::der;

/// A public key, and the one algorithm that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Its algorithm.
    pub(crate) algorithm: Algorithm,
    /// The key as a `SubjectPublicKeyInfo`, in DER.
    pub(crate) der: Vec<u8>,
}

/// The keys of this moment, each with its id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys(Vec<(String, Key)>);

impl Keys {
    /// Reads a key set; nothing when it is invalid. A set in which a key id is ambiguous has no
    /// keys.
    #[must_use]
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let keys = match issuer_keys(text) {
            Err(KeySetError::Unreadable) => return None,
            keys => keys.unwrap_or_default(),
        };
        let known = keys.into_iter().filter_map(|(kid, algorithm, material)| {
            Some((kid, Key { algorithm, der: encode(&material)? }))
        });
        Some(Self(known.collect()))
    }

    /// The key with this id.
    #[must_use]
    pub(crate) fn find(&self, kid: &str) -> Option<&Key> {
        self.0.iter().find(|(own, _)| own == kid).map(|(_, key)| key)
    }

    /// Whether there is none.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A key in DER; nothing for one that Envoy does not verify with.
fn encode(material: &Material) -> Option<Vec<u8>> {
    let coordinate = |text| decode(text)?.try_into().ok();
    match material {
        Material::P256 { x, y } => Some(der::p256(&coordinate(x)?, &coordinate(y)?)),
        Material::Rsa { n, e } => Some(der::rsa(&decode(n)?, &decode(e)?)),
        Material::P384 { .. } | Material::Ed25519 { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EC: &str = r#"{"kty":"EC","crv":"P-256","kid":"a","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;
    const ED: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"e","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    #[test]
    fn sets() {
        let n = ["u", &"A".repeat(343)].concat();
        let rsa = format!(r#"{{"kty":"RSA","kid":"r","n":"{n}","e":"AQAB"}}"#);
        for (keys, expected) in [
            (EC, Some(1)),
            (&format!("{EC},{rsa}"), Some(2)),
            // One that Envoy does not verify with does no harm to the others.
            (&format!("{EC},{ED}"), Some(1)),
            (ED, Some(0)),
            (&format!("{EC},{EC}"), Some(0)),
            ("", Some(0)),
            ("<html>", None),
        ] {
            let set = format!(r#"{{"keys":[{keys}]}}"#);
            assert_eq!(Keys::read(set.as_bytes()).map(|keys| keys.0.len()), expected, "{keys}");
        }
    }
}

//! The public keys of the issuer, as Envoy's own verification wants them.
//!
//! Follows RFC 7517 (key sets), RFC 7518 (which key an algorithm wants), and RFC 5280 and 5480 for
//! the form in which a key is handed on.
//!
//! A key is used with one algorithm, which its type fixes and its own `alg` may not contradict.
//! Keys that cannot be used (other types, for encryption, secrets, without an id) are passed over,
//! because an issuer may publish them for others. A text that is no set leaves the last one in
//! place; a set replaces it, also by nothing: what an issuer does not publish any more is no key.
//!
//! Left out: Ed25519, which Envoy verifies in `jwt_authn` but not for a filter.

use scopegate_api::jws::decode;

use crate::der;
use crate::pairs::{Pairs, Written};

/// The most keys in one set.
const MOST: usize = 100;
/// The shortest modulus of RSA, in bytes: what RFC 7518 wants at least.
const SHORTEST_MODULUS: usize = 256;

/// A public key, and the one algorithm that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// The key as a `SubjectPublicKeyInfo`, in DER.
    pub der: Vec<u8>,
}

/// How something is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256, with SHA-256.
    Es256,
    /// RSA, PKCS #1 v1.5, with SHA-256.
    Rs256,
}

impl Algorithm {
    /// Its name in `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

/// The keys of this moment, each with its id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(Vec<(String, Key)>);

impl Keys {
    /// Reads a set; nothing when it is none. There is no key in one with more than a hundred, or
    /// with two of one id, of which nobody could tell which is meant.
    ///
    /// ```
    /// # use scopegate_envoy_filter::keys::Keys;
    /// assert!(Keys::read(br#"{"keys": []}"#).unwrap().is_empty());
    /// assert!(Keys::read(b"<html>").is_none());
    /// ```
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        let set = Written::json(text)?;
        let keys = Pairs::read(Pairs::read(&set.0)?.get("keys")?)?;
        let mut known: Vec<(String, Key)> = Vec::new();
        for (kid, key) in keys.items().filter_map(read) {
            if known.len() == MOST || known.iter().any(|(other, _)| *other == kid) {
                return Some(Self::default());
            }
            known.push((kid, key));
        }
        Some(Self(known))
    }

    /// The key with this id.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&Key> {
        self.0.iter().find(|(own, _)| own == kid).map(|(_, key)| key)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The id of a published key, and the key; nothing for one that cannot be used.
fn read(bytes: &[u8]) -> Option<(String, Key)> {
    let published = Pairs::read(bytes)?;
    let part = |name| decode(&published.text(name)?);
    let key = match published.get("kty")? {
        b"EC" if published.get("crv") == Some(b"P-256") => {
            let coordinate = |name| part(name)?.try_into().ok();
            let der = der::p256(&coordinate("x")?, &coordinate("y")?);
            Key { algorithm: Algorithm::Es256, der }
        }
        b"RSA" => {
            let (modulus, exponent) = (part("n")?, part("e")?);
            if modulus.len() < SHORTEST_MODULUS {
                return None;
            }
            Key { algorithm: Algorithm::Rs256, der: der::rsa(&modulus, &exponent) }
        }
        _ => return None,
    };
    let is_for_signatures = published.get("use").is_none_or(|usage| usage == b"sig");
    let is_of_its_type =
        published.get("alg").is_none_or(|alg| alg == key.algorithm.name().as_bytes());
    (is_for_signatures && is_of_its_type).then_some((published.text("kid")?, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EC: &str = r#"{"kty":"EC","crv":"P-256","kid":"a","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;

    fn count(keys: &[String]) -> Option<usize> {
        let set = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
        Keys::read(set.as_bytes()).map(|keys| keys.0.len())
    }

    #[test]
    fn sets() {
        let with = |more: &str| EC.replace(r#""kid":"a""#, more);
        let rsa = |bytes: usize| {
            let modulus = "A".repeat(bytes * 4 / 3);
            format!(r#"{{"kty":"RSA","kid":"r","n":"{modulus}","e":"AQAB"}}"#)
        };
        let ec = EC.to_owned();
        for (keys, expected) in [
            (vec![ec.clone()], Some(1)),
            (vec![ec.clone(), with(r#""kid":"b","use":"sig","alg":"ES256""#)], Some(2)),
            (vec![ec.clone(), rsa(258)], Some(2)),
            (vec![ec.clone(), rsa(255)], Some(1)),
            (vec![ec.clone(), "{}".to_owned(), with(r#""kid":"b","use":"enc""#)], Some(1)),
            (vec![ec.clone(), with(r#""kid":"b","alg":"ES384""#)], Some(1)),
            (vec![ec.clone(), with(r#""kid":"b","alg":"RS256""#)], Some(1)),
            (vec![ec.clone(), with(r#""kid":"b""#).replace("256", "384")], Some(1)),
            (vec![ec.clone(), with(r#""kid":"b","x":"AAAA""#)], None),
            (vec![EC.replace("MKBC", "M+BC")], Some(0)),
            (vec![EC.replace("MKBC", "")], Some(0)),
            (vec![r#"{"kty":"oct","kid":"a","k":"AAAA"}"#.to_owned()], Some(0)),
            (vec![r#"{"kty":"OKP","crv":"Ed25519","kid":"a","x":"AAAA"}"#.to_owned()], Some(0)),
            (vec![EC.replace(r#""kid":"a","#, "")], Some(0)),
            (vec![ec.clone(), with(r#""kid":"b""#), ec.clone()], Some(0)),
            ((0..100).map(|n| with(&format!(r#""kid":"{n}""#))).collect(), Some(100)),
            ((0..101).map(|n| with(&format!(r#""kid":"{n}""#))).collect(), Some(0)),
            (vec![], Some(0)),
        ] {
            assert_eq!(count(&keys), expected, "{keys:?}");
        }
        for text in ["[]", "{}", r#"{"keys": 1}"#, "<html>", ""] {
            assert_eq!(Keys::read(text.as_bytes()), None, "{text}");
        }
    }

    /// Whatever a set says, it is read or it is not.
    #[test]
    fn no_set_traps() {
        let set =
            format!(r#"{{"keys":[{EC},{{"kty":"RSA","n":"{}","e":"AQAB"}}]}}"#, "A".repeat(344));
        for place in 0..set.len() {
            let _ = Keys::read(&set.as_bytes()[..place]);
            for bit in 0..8 {
                let mut other = set.clone().into_bytes();
                other[place] ^= 1 << bit;
                let _ = Keys::read(&other);
            }
        }
        let deep = "[".repeat(100_000);
        assert_eq!(Keys::read(deep.as_bytes()), None);
    }
}

//! Which keys of a published set verify, and with which algorithm.
//!
//! Follows RFC 7517 (key sets), RFC 7518 (which key an algorithm wants) and RFC 8037 (Ed25519). A
//! key is used with the algorithms that its type fixes and its own `alg` does not contradict; what
//! a token says of algorithms has to agree, and what else it says of keys is not looked at.
//!
//! Keys that cannot be used are passed over, because an issuer may publish them for others: other
//! types, for encryption, for something else than verifying, secrets. A text that is no set leaves
//! the last one in place; a set replaces it, also by nothing: what an issuer does not publish any
//! more is no key.
//!
//! Left out: the key as a library of cryptography wants it, and whether its numbers are a key; but
//! points of Ed25519 that libraries take, and by which anybody signs, are none.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::json::{self, Document, Object, Value, Values};
use crate::jws::decode;

/// The most keys in one set, used or not.
pub const MAX_KEYS: usize = 100;
/// The shortest modulus of RSA, in bytes: what RFC 7518 wants at least.
const MIN_MODULUS: usize = 256;

/// A public key that may verify signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedKey<T = String> {
    /// Its id.
    pub kid: Option<T>,
    /// The one algorithm that it is named for.
    pub algorithm: Option<T>,
    /// Its numbers.
    pub material: Material<T>,
}

/// The numbers of a key, in base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Material<T = String> {
    /// A point of the curve P-256.
    P256 {
        /// Its first coordinate.
        x: T,
        /// Its second coordinate.
        y: T,
    },
    /// A point of the curve P-384.
    P384 {
        /// Its first coordinate.
        x: T,
        /// Its second coordinate.
        y: T,
    },
    /// A key of RSA.
    Rsa {
        /// The modulus.
        n: T,
        /// The exponent.
        e: T,
    },
    /// A key of Ed25519.
    Ed25519 {
        /// The point.
        x: T,
    },
}

/// The algorithms of a token of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256, with SHA-256.
    Es256,
    /// RSA, PKCS #1 v1.5, with SHA-256.
    Rs256,
    /// Ed25519.
    EdDsa,
}

/// Why a text gives no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySetError {
    /// It is no key set: the last one stays.
    Unreadable,
    /// It has more than [`MAX_KEYS`] keys.
    TooMany,
    /// Two keys have one id, so that it is ambiguous which of them is meant.
    Duplicate,
    /// None of its keys can verify.
    NoKey,
}

impl KeySetError {
    /// Its name in the corpus and at the boundary of the module.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable_keys",
            Self::TooMany => "too_many_keys",
            Self::Duplicate => "duplicate_key",
            Self::NoKey => "no_key",
        }
    }
}

impl fmt::Display for KeySetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "not a JSON Web Key Set",
            Self::TooMany => "more than 100 keys",
            Self::Duplicate => "duplicate key id",
            Self::NoKey => "no verification key",
        })
    }
}

impl core::error::Error for KeySetError {}

/// The keys of a set that may verify signatures.
///
/// # Errors
///
/// [`KeySetError::Unreadable`], [`KeySetError::TooMany`].
pub fn read(text: &[u8]) -> Result<Vec<PublishedKey>, KeySetError> {
    let set = KeySet::read(text)?;
    Ok(set.keys().filter_map(PublishedKey::read).map(PublishedKey::into_owned).collect())
}

/// A text that is a set of keys.
pub(crate) struct KeySet(Document);

/// A key of an issuer of ours.
pub(crate) type IssuerKey<T> = (T, Algorithm, Material<T>);

impl KeySet {
    pub(crate) fn read(text: &[u8]) -> Result<Self, KeySetError> {
        let set = Self(json::read(text).ok_or(KeySetError::Unreadable)?);
        let keys = set.0.object().and_then(|set| set.field("keys")?.list());
        let count = keys.ok_or(KeySetError::Unreadable)?.count();
        if count > MAX_KEYS { Err(KeySetError::TooMany) } else { Ok(set) }
    }

    fn keys(&self) -> Values<'_> {
        self.0.object().and_then(|set| set.field("keys")?.list()).unwrap_or_default()
    }

    /// As [`issuer_keys`].
    pub(crate) fn of_issuer(&self) -> Result<Vec<IssuerKey<&str>>, KeySetError> {
        let mut keys: Vec<IssuerKey<&str>> = Vec::new();
        for key in self.keys() {
            let Some(key) = PublishedKey::read(key).and_then(PublishedKey::of_issuer) else {
                continue;
            };
            if keys.iter().any(|(other, ..)| *other == key.0) {
                return Err(KeySetError::Duplicate);
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(KeySetError::NoKey) } else { Ok(keys) }
    }
}

/// The keys of an issuer of ours: each has an id of its own, and one algorithm.
///
/// ```
/// use scopegate_edge::jwks::{Algorithm, KeySetError, issuer_keys};
///
/// let set = br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
/// let [(kid, algorithm, _)] = &issuer_keys(set)?[..] else { panic!() };
/// assert_eq!((kid.as_str(), *algorithm), ("a", Algorithm::EdDsa));
/// assert_eq!(issuer_keys(br#"{"keys": []}"#), Err(KeySetError::NoKey));
/// # Ok::<(), KeySetError>(())
/// ```
///
/// # Errors
///
/// See [`KeySetError`]: all but [`KeySetError::Unreadable`] mean that there is no key.
pub fn issuer_keys(text: &[u8]) -> Result<Vec<(String, Algorithm, Material)>, KeySetError> {
    let set = KeySet::read(text)?;
    let owned = |(kid, algorithm, material): IssuerKey<&str>| {
        (kid.to_owned(), algorithm, material.into_owned())
    };
    Ok(set.of_issuer()?.into_iter().map(owned).collect())
}

impl<'d> PublishedKey<&'d str> {
    fn read(key: Value<'d>) -> Option<Self> {
        let key = key.object()?;
        let usage = key.optional("use", Value::text)?;
        let verifies = key.optional("key_ops", has_verify)?.unwrap_or(true)
            && usage.is_none_or(|usage| usage == "sig");
        verifies.then_some(())?;
        Some(Self {
            kid: key.optional("kid", Value::text)?,
            algorithm: key.optional("alg", Value::text)?,
            material: Material::read(key)?,
        })
    }

    /// Its id and its one algorithm; `None` where it has no id, and where its type and its own
    /// `alg` disagree.
    fn of_issuer(self) -> Option<IssuerKey<&'d str>> {
        let algorithm = match self.material {
            Material::P256 { .. } => Algorithm::Es256,
            Material::Ed25519 { .. } => Algorithm::EdDsa,
            Material::Rsa { n, e } if is_long(&decode(n)?) && is_exponent(&decode(e)?) => {
                Algorithm::Rs256
            }
            Material::Rsa { .. } | Material::P384 { .. } => return None,
        };
        let is_named = self.algorithm.is_none_or(|name| name == algorithm.name());
        let kid = self.kid.filter(|kid| is_named && !kid.is_empty())?;
        Some((kid, algorithm, self.material))
    }

    fn into_owned(self) -> PublishedKey {
        PublishedKey {
            kid: self.kid.map(str::to_owned),
            algorithm: self.algorithm.map(str::to_owned),
            material: self.material.into_owned(),
        }
    }
}

/// Whether "verify" is among the operations of a key; `None` for anything but a list of texts.
fn has_verify(operations: Value<'_>) -> Option<bool> {
    let mut has_verify = false;
    for operation in operations.list()? {
        has_verify |= operation.text()? == "verify";
    }
    Some(has_verify)
}

/// Whether a modulus has the length that RFC 7518 wants. Zeros before it are no part of a number
/// (section 2): a short one could be filled up with them.
fn is_long(modulus: &[u8]) -> bool {
    modulus.len() >= MIN_MODULUS && modulus.first() != Some(&0)
}

/// Whether a number is an exponent of RSA: odd, and not 1, by which every signature is its message.
fn is_exponent(number: &[u8]) -> bool {
    number != [1] && number.first() != Some(&0) && number.last().is_some_and(|last| last % 2 == 1)
}

/// The points of Ed25519 whose order is 1, 2, 4 or 8, in every encoding but for the sign: y is 0,
/// 1, p − 1, p (which is 0), p + 1 (1), or one of the two of order 8, for p = 2^255 − 19.
///
/// Under such a key the signature 01 00 … 00 is good for every message, or for one in eight,
/// without the private key. Libraries follow RFC 8032, section 5.1.7, which does not refuse them.
/// The list is the one of libsodium (`ge25519_has_small_order` in `ed25519_ref10.c`), explained in
/// section 2 of "Taming the many EdDSAs", <https://eprint.iacr.org/2020/1244>.
const SMALL_ORDER: [[u8; 32]; 7] = [
    near(0x00, [0, 0]),
    near(0x01, [0, 0]),
    near(0xec, [0xff, 0x7f]),
    near(0xed, [0xff, 0x7f]),
    near(0xee, [0xff, 0x7f]),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// A number near 0 or p: its lowest byte, those in the middle, and the highest.
const fn near(lowest: u8, [middle, highest]: [u8; 2]) -> [u8; 32] {
    let mut number = [middle; 32];
    number[0] = lowest;
    number[31] = highest;
    number
}

fn is_of_small_order(mut point: Vec<u8>) -> bool {
    if let Some(last) = point.last_mut() {
        // The highest bit is the sign of the other coordinate.
        *last &= 0x7f;
    }
    SMALL_ORDER.iter().any(|small| *small == *point)
}

impl<'d> Material<&'d str> {
    fn read(key: Object<'d>) -> Option<Self> {
        let (kind, curve) = (key.text("kty")?, key.optional("crv", Value::text)?);
        Some(match (kind, curve.unwrap_or_default()) {
            ("EC", "P-256") => {
                Self::P256 { x: number(key, "x", Some(32))?, y: number(key, "y", Some(32))? }
            }
            ("EC", "P-384") => {
                Self::P384 { x: number(key, "x", Some(48))?, y: number(key, "y", Some(48))? }
            }
            ("OKP", "Ed25519") => {
                let x = number(key, "x", Some(32))?;
                (!decode(x).is_some_and(is_of_small_order)).then_some(Self::Ed25519 { x })?
            }
            ("RSA", _) => Self::Rsa { n: number(key, "n", None)?, e: number(key, "e", None)? },
            _ => return None,
        })
    }

    fn into_owned(self) -> Material {
        match self {
            Self::P256 { x, y } => Material::P256 { x: x.to_owned(), y: y.to_owned() },
            Self::P384 { x, y } => Material::P384 { x: x.to_owned(), y: y.to_owned() },
            Self::Rsa { n, e } => Material::Rsa { n: n.to_owned(), e: e.to_owned() },
            Self::Ed25519 { x } => Material::Ed25519 { x: x.to_owned() },
        }
    }
}

/// A number of a key in base64url, of this many bytes where a curve says how many.
fn number<'d>(key: Object<'d>, name: &str, length: Option<usize>) -> Option<&'d str> {
    let (text, bytes) = (key.text(name)?, decode(key.text(name)?)?);
    length.is_none_or(|length| bytes.len() == length).then_some(text)
}

impl Algorithm {
    /// Its name in `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec;

    use super::*;

    const EC: &str = r#"{"kty":"EC","crv":"P-256","kid":"a","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;
    const ED: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"e","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn rsa(bytes: usize) -> String {
        let n = ["u", &"A".repeat((bytes * 4).div_ceil(3) - 1)].concat();
        format!(r#"{{"kty":"RSA","kid":"r","n":"{n}","e":"AQAB"}}"#)
    }

    #[track_caller]
    fn count(keys: &[String]) -> Result<usize, KeySetError> {
        let set = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
        issuer_keys(set.as_bytes()).map(|keys| keys.len())
    }

    #[test]
    fn keys() {
        let with = |more: &str| EC.replace(r#""kid":"a""#, more);
        for (key, expected) in [
            (EC.into(), Some(Algorithm::Es256)),
            (ED.into(), Some(Algorithm::EdDsa)),
            (rsa(258), Some(Algorithm::Rs256)),
            (rsa(255), None),
            // Zeros before a short modulus, and exponents by which others sign.
            (rsa(258).replacen("\"u", "\"A", 1), None),
            (rsa(258).replace("AQAB", "AQ"), None),
            (rsa(258).replace("AQAB", "AQAA"), None),
            (rsa(258).replace("AQAB", "Aw"), Some(Algorithm::Rs256)),
            (
                with(r#""kid":"a","use":"sig","alg":"ES256","key_ops":["verify"]"#),
                Some(Algorithm::Es256),
            ),
            (with(r#""kid":"a","use":null,"alg":null,"key_ops":null"#), Some(Algorithm::Es256)),
            (with(r#""kid":"a","use":"enc""#), None),
            (with(r#""kid":"a","use":["sig"]"#), None),
            (with(r#""kid":"a","key_ops":["deriveKey"]"#), None),
            (with(r#""kid":"a","key_ops":"verify""#), None),
            (with(r#""kid":"a","alg":"ES384""#), None),
            (with(r#""kid":"a","alg":"RS256""#), None),
            (with(r#""kid":"a","alg":"of-tomorrow""#), None),
            (with(r#""kid":7"#), None),
            (with(r#""kid":"""#), None),
            (with(r#""use":"sig""#), None),
            (EC.replace("P-256", "secp256k1"), None),
            (EC.replace("P-256", "P-384"), None),
            (EC.replace("MKBC", "M+BC"), None),
            (EC.replace("MKBC", ""), None),
            (ED.replace("Ed25519", "P-256"), None),
            (ED.replace("OKP", "EC"), None),
            (r#"{"kty":"oct","kid":"a","k":"AAAA"}"#.into(), None),
            ("{}".into(), None),
            ("7".into(), None),
        ] {
            // Another key in the set is used all the same.
            let set =
                format!(r#"{{"keys":[{key},{}]}}"#, EC.replace(r#""kid":"a""#, r#""kid":"z""#));
            let keys = issuer_keys(set.as_bytes()).unwrap();
            let first =
                keys.first().filter(|(kid, ..)| kid != "z").map(|(_, algorithm, _)| *algorithm);
            assert_eq!(
                (first, keys.len()),
                (expected, 1 + usize::from(expected.is_some())),
                "{key}"
            );
        }
    }

    /// Each by the number that it is, of every order and every encoding; and their neighbours,
    /// which are keys or no points, as the library finds.
    #[test]
    fn points_of_small_order_are_no_keys() {
        let ff = "ff".repeat(30);
        let number = |lowest: &str, rest: &str| [lowest, rest].concat();
        let (zeros, high) = ("00".repeat(31), [&ff, "7f"].concat());
        let order_8 = [
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        ];
        for (point, is_key) in [
            (number("00", &zeros), false),
            (number("01", &zeros), false),
            (number("ec", &high), false),
            (number("ed", &high), false),
            (number("ee", &high), false),
            (order_8[0].into(), false),
            (order_8[1].into(), false),
            (number("02", &zeros), true),
            (number("eb", &high), true),
            (number("ef", &high), true),
            (order_8[0].replace("26e8", "27e8"), true),
        ] {
            let digits = point.as_bytes().chunks(2).map(|digits| str::from_utf8(digits).unwrap());
            let mut point: Vec<u8> =
                digits.map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect();
            for sign in [0, 0x80] {
                point[31] = (point[31] & 0x7f) | sign;
                let x = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, &point);
                let key = ED.replace("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", &x);
                let expected = if is_key { Ok(1) } else { Err(KeySetError::NoKey) };
                assert_eq!(count(core::slice::from_ref(&key)), expected, "{point:02x?}");
                // A provider's too.
                let set = format!(r#"{{"keys":[{key}]}}"#);
                assert_eq!(
                    read(set.as_bytes()).unwrap().len(),
                    usize::from(is_key),
                    "{point:02x?}"
                );
            }
        }
    }

    #[test]
    fn sets() {
        let with = |kid: usize| EC.replace(r#""kid":"a""#, &format!(r#""kid":"{kid}""#));
        for (keys, expected) in [
            (vec![EC.into()], Ok(1)),
            (vec![EC.into(), ED.into()], Ok(2)),
            (vec![], Err(KeySetError::NoKey)),
            (vec!["{}".into()], Err(KeySetError::NoKey)),
            (vec![EC.into(), ED.into(), EC.into()], Err(KeySetError::Duplicate)),
            ((0..100).map(with).collect(), Ok(100)),
            ((0..101).map(with).collect(), Err(KeySetError::TooMany)),
            (vec!["{}".into(); 101], Err(KeySetError::TooMany)),
        ] {
            assert_eq!(count(&keys), expected, "{} keys", keys.len());
        }
        for text in [
            "[]",
            "{}",
            r#"{"keys":1}"#,
            r#"{"keys":[],"keys":[]}"#,
            r#"{"keys":[{"kid":"a","kid":"a"}]}"#,
            "<html>",
            "",
        ] {
            assert_eq!(issuer_keys(text.as_bytes()), Err(KeySetError::Unreadable), "{text}");
        }
    }

    /// A provider may publish keys of types that are not supported.
    #[test]
    fn keys_of_others() {
        let long = "A".repeat(64);
        let other = format!(r#"{{"kty":"EC","crv":"P-384","x":"{long}","y":"{long}"}}"#);
        let set = format!(r#"{{"keys":[{other},{}]}}"#, rsa(255));
        assert_eq!(read(set.as_bytes()).unwrap().len(), 2);
        assert_eq!(issuer_keys(set.as_bytes()), Err(KeySetError::NoKey));
    }

    #[test]
    fn no_set_panics() {
        let set = format!(r#"{{"keys":[{EC},{}]}}"#, rsa(258));
        for place in 0..set.len() {
            assert!(issuer_keys(&set.as_bytes()[..place]).is_err());
            for bit in 0..8 {
                let mut other = set.clone().into_bytes();
                other[place] ^= 1 << bit;
                let _ = issuer_keys(&other);
            }
        }
    }
}

//! The public half of a key: its ids, its JWK, and verification.
//!
//! Follows RFC 7517 and RFC 7518 (JWK), RFC 8037 (Ed25519 in it), RFC 7638 (thumbprints), and
//! libtrust, whose fingerprint is the id by which CNCF distribution 2.8 finds a key; version 3
//! finds it by the same id in a JWKS.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey as Parsed;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::store::Algorithm;

#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Its type and parameters.
    pub kind: Kind,
    der: Vec<u8>,
}

/// The type of a key, with its parameters as in a JWK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A point on P-256.
    P256 {
        /// 32 bytes, base64url.
        x: String,
        /// 32 bytes, base64url.
        y: String,
    },
    /// An RSA key.
    Rsa {
        /// The modulus, base64url.
        n: String,
        /// The exponent, base64url.
        e: String,
    },
    /// An Ed25519 key.
    Ed25519 {
        /// 32 bytes, base64url.
        x: String,
    },
    /// A key on another curve. We make none; a registry may trust one.
    OtherEc,
    /// A key of a type that registries do not support.
    Other,
}

impl PublicKey {
    /// Reads a `SubjectPublicKeyInfo` in DER.
    #[must_use]
    pub fn read(der: &[u8]) -> Option<Self> {
        let (rest, info) = SubjectPublicKeyInfo::from_der(der).ok()?;
        rest.is_empty().then(|| Self { kind: Kind::of(&info), der: der.to_vec() })
    }

    /// The `SubjectPublicKeyInfo` in DER.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The algorithm that we sign with such a key.
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        match self.kind {
            Kind::P256 { .. } => Some(Algorithm::Es256),
            Kind::Rsa { .. } => Some(Algorithm::Rs256),
            Kind::Ed25519 { .. } => Some(Algorithm::EdDsa),
            Kind::OtherEc | Kind::Other => None,
        }
    }

    /// libtrust's id of the key: the first 240 bits of the SHA-256 of its DER form, in base 32, in
    /// groups of four.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.der)
    }

    /// The id of RFC 7638.
    #[must_use]
    pub fn thumbprint(&self) -> Option<String> {
        // The members in the order of their names, without blanks; base64url needs no escapes.
        let members = match &self.kind {
            Kind::P256 { x, y } => format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#),
            Kind::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            Kind::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
            Kind::OtherEc | Kind::Other => return None,
        };
        Some(URL_SAFE_NO_PAD.encode(Sha256::digest(members)))
    }

    /// The key as a JWK, without `kid` and the other metadata.
    #[must_use]
    pub fn jwk(&self) -> Option<Value> {
        match &self.kind {
            Kind::P256 { x, y } => Some(json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })),
            Kind::Rsa { n, e } => Some(json!({ "kty": "RSA", "n": n, "e": e })),
            Kind::Ed25519 { x } => Some(json!({ "kty": "OKP", "crv": "Ed25519", "x": x })),
            Kind::OtherEc | Kind::Other => None,
        }
    }

    /// The key, prepared for verifying signatures as RFC 7518 writes them.
    #[must_use]
    pub fn verifying(&self) -> Option<ParsedPublicKey> {
        match self.algorithm()? {
            Algorithm::Es256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.der),
            Algorithm::Rs256 => ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.der),
            Algorithm::EdDsa => ParsedPublicKey::new(&ED25519, &self.der),
        }
        .ok()
    }
}

/// By its id.
impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.fingerprint()).finish()
    }
}

/// What X.509 calls Ed25519, in RFC 8410.
const ED25519_ID: &str = "1.3.101.112";
/// What X.509 calls P-256, in RFC 5480.
const P256_ID: &str = "1.2.840.10045.3.1.7";

impl Kind {
    fn of(info: &SubjectPublicKeyInfo<'_>) -> Self {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        if info.algorithm.algorithm.to_id_string() == ED25519_ID {
            return Self::Ed25519 { x: encode(&info.subject_public_key.data) };
        }
        match info.parsed() {
            Ok(Parsed::RSA(key)) => Self::Rsa {
                n: encode(without_zeros(key.modulus)),
                e: encode(without_zeros(key.exponent)),
            },
            // An uncompressed point: one byte 4, then both coordinates of 32 bytes.
            Ok(Parsed::EC(point)) => match point.data() {
                [4, point @ ..] if point.len() == 64 && is_p256(info) => {
                    let (x, y) = point.split_at(32);
                    Self::P256 { x: encode(x), y: encode(y) }
                }
                _ => Self::OtherEc,
            },
            _ => Self::Other,
        }
    }
}

fn is_p256(info: &SubjectPublicKeyInfo<'_>) -> bool {
    let curve = info.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
    curve.is_some_and(|curve| curve.to_id_string() == P256_ID)
}

/// DER puts a zero before a number whose first bit is set; a JWK does not.
fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn fingerprint(public_key_der: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digest = Sha256::digest(public_key_der);
    let mut text = String::new();
    // Five bytes are eight digits, so 30 bytes are exactly 48.
    for group in digest.chunks_exact(5).take(6) {
        let bits = group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for digit in (0..8).rev() {
            let index = (bits >> (5 * digit)) as usize & 31;
            if !text.is_empty() && text.len() % 5 == 4 {
                text.push(':');
            }
            text.push(ALPHABET.get(index).copied().map_or('A', char::from));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// The digest and the base 32 of these bytes were computed with coreutils' `sha256sum` and
    /// `base32`.
    #[test]
    fn fingerprints_are_those_of_libtrust() {
        assert_eq!(
            fingerprint(b"scopegate"),
            "52G5:TGS3:ZARZ:USMS:W6KH:7MRB:Q5SU:KXL4:UR4M:3URU:FQ3D:LXZ7",
        );
    }

    #[track_caller]
    fn key(base64: &str) -> PublicKey {
        PublicKey::read(&STANDARD.decode(base64).unwrap()).unwrap()
    }

    /// The keys were made, and their fingerprints computed, with `openssl`, `sha256sum` and
    /// `base32`.
    #[test]
    fn keys_of_every_kind() {
        for (der, algorithm, id) in [
            (
                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYLOfhBqbUNrAY0XjBHuUrbNLQsNCo8QwhcfN3NrPmukeEZl93yN26jqZw+W4UPmMARlkql6fxu0nkZbU4ZMoNg==",
                Algorithm::Es256,
                "ZVWK:CQ7B:VP7E:SZIY:GL5W:OX5D:NX74:65KD:CXDP:PJ7U:743U:7ZXT",
            ),
            (
                "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu0lp36bjtHxIMEbxEeC53X2UPz+oqhR6bAJgpQSFav64RhQZlCRdWxuC0F7KNzARi+8Irs8MDVQy3KeiZs5E+40h8btVCRPd2YH1mdHr1QMW7oIjQJADTN0aleUp136Jb405FQv0M//UaxZLu+CF/2lHxqVDabsbCUYnGavKOtGJ/gJppcn0bvkkRyqyqb7r8BU+eN11s9sptOd5ayO8d3gFsevd5x0XvI3pZereMm1NEWUli/S2udYmJ2jpmFJqBK3w6tvUXCjmqPT+zoAm+hxDbSGx69lQE+6GVQ18BvcwJLaiQvg1hEF2W/47tYQiGFAnGn6crBY8Vrc9VQEUwQIDAQAB",
                Algorithm::Rs256,
                "47VY:7YFI:FW2B:LRM6:VFXJ:CO45:JBLI:MGSD:AZJW:4QT4:RNRU:W7IS",
            ),
            (
                "MCowBQYDK2VwAyEA6tuYEYlDziZVL+x1yDJ0hHzUryosKw/ZQjaXHrsyOAs=",
                Algorithm::EdDsa,
                "JMGO:RZU7:BNJF:EQ44:YCJJ:HNGF:5S6O:XHPB:GIAF:EC6M:ZN3X:FITL",
            ),
        ] {
            let key = key(der);
            assert_eq!((key.algorithm(), key.fingerprint().as_str()), (Some(algorithm), id));
            assert!(key.verifying().is_some() && key.jwk().is_some());
        }
    }

    #[test]
    fn keys_that_are_none() {
        for der in ["", "AAAA", "MCowBQYDK2VwAyEA"] {
            assert_eq!(PublicKey::read(&STANDARD.decode(der).unwrap()), None, "{der}");
        }
    }

    /// A point on secp256k1 is as long as one on P-256.
    #[test]
    fn another_curve_is_not_taken_for_ours() {
        let key = key(
            "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEMXbPdawaNqgGvyfH73igtLw6ChBkJCsXv0uVmLVAR3vqAFzG7Y4T++EJIg9sNMGRwK6AJD9uMgLkXXp3QIyZng==",
        );
        assert_eq!((&key.kind, key.thumbprint(), key.jwk()), (&Kind::OtherEc, None, None));
    }

    /// The examples of RFC 7638, section 3.1, and RFC 8037, appendix A.3.
    #[test]
    fn thumbprints() {
        let rsa = Kind::Rsa {
            n: "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw".into(),
            e: "AQAB".into(),
        };
        let ed25519 = Kind::Ed25519 { x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into() };
        for (kind, id) in [
            (rsa, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
            (ed25519, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
        ] {
            assert_eq!(PublicKey { kind, der: Vec::new() }.thumbprint().unwrap(), id);
        }
    }
}

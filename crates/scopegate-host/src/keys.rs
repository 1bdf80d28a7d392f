//! Public keys that verify signatures.
//!
//! Follows RFC 7518 and RFC 8037: which type of key an algorithm wants. Whatever a token says, a
//! key verifies no signature of an algorithm for another type.
//!
//! Left out: which keys of a set may verify, which is the rule of [`scopegate_edge::jwks`]; which
//! algorithms a host accepts; keys of our own, which the token server prepares from DER.

use jsonwebtoken::crypto::verify;
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use scopegate_edge::jwks::Material;

/// A public key.
#[derive(Clone, Debug)]
pub struct VerifyingKey {
    material: Material,
    decoding: DecodingKey,
}

impl VerifyingKey {
    /// The key of these numbers; `None` where they are no key to the library.
    #[must_use]
    pub fn new(material: Material) -> Option<Self> {
        let decoding = match &material {
            Material::Rsa { n, e } => DecodingKey::from_rsa_components(n, e),
            Material::P256 { x, y } | Material::P384 { x, y } => {
                DecodingKey::from_ec_components(x, y)
            }
            Material::Ed25519 { x } => DecodingKey::from_ed_components(x),
        };
        Some(Self { material, decoding: decoding.ok()? })
    }

    /// Whether a key of this type may be used with `algorithm`.
    #[must_use]
    pub fn is_for(&self, algorithm: Algorithm) -> bool {
        match self.material {
            Material::Rsa { .. } => algorithm.family() == AlgorithmFamily::Rsa,
            Material::P256 { .. } => algorithm == Algorithm::ES256,
            Material::P384 { .. } => algorithm == Algorithm::ES384,
            Material::Ed25519 { .. } => algorithm == Algorithm::EdDSA,
        }
    }

    /// Whether this key signed `message` with `algorithm`. The signature is in base64url.
    #[must_use]
    pub fn signed(&self, algorithm: Algorithm, message: &str, signature: &str) -> bool {
        self.is_for(algorithm)
            && verify(signature, message.as_bytes(), &self.decoding, algorithm).unwrap_or(false)
    }
}

/// By the numbers.
impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.material == other.material
    }
}

impl Eq for VerifyingKey {}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key, its algorithm, and a message with its signature: RFC 7515 A.3, and RFC 8037 A.4.
    fn examples() -> [(VerifyingKey, Algorithm, &'static str, &'static str); 2] {
        let p256 = Material::P256 {
            x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU".to_owned(),
            y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0".to_owned(),
        };
        let ed25519 =
            Material::Ed25519 { x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned() };
        [
            (
                VerifyingKey::new(p256).unwrap(),
                Algorithm::ES256,
                "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
            ),
            (
                VerifyingKey::new(ed25519).unwrap(),
                Algorithm::EdDSA,
                "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
                "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
            ),
        ]
    }

    #[test]
    fn a_signature_is_of_one_key_one_algorithm_and_one_message() {
        for (key, own, ..) in examples() {
            for (_, algorithm, message, signature) in examples() {
                assert_eq!(key.signed(own, message, signature), own == algorithm, "{own:?}");
                assert_eq!(key.signed(algorithm, message, signature), own == algorithm, "{own:?}");
                assert!(!key.signed(own, message.get(1..).unwrap(), signature));
                assert!(!key.signed(own, message, signature.get(4..).unwrap()));
                assert!(!key.signed(own, message, &[signature, "="].concat()));
                assert!(!key.signed(own, message, ""));
            }
        }
    }

    /// A signature with a secret that is the public key, RFC 8725 section 2.1.
    #[test]
    fn no_key_is_a_secret() {
        for (key, _, message, signature) in examples() {
            for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                assert!(!key.is_for(algorithm) && !key.signed(algorithm, message, signature));
            }
        }
    }

    #[test]
    fn numbers_that_are_no_key() {
        for material in [
            Material::Ed25519 { x: "!".to_owned() },
            Material::P256 { x: "AQAB".to_owned(), y: "=".to_owned() },
            Material::Rsa { n: "AQAB".to_owned(), e: "a b".to_owned() },
        ] {
            assert_eq!(VerifyingKey::new(material.clone()), None, "{material:?}");
        }
    }
}

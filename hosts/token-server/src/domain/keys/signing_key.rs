//! One key that signs and verifies, in every form in which it is used.
//!
//! Follows RFC 7515 (the header of a token) and RFC 7518 (signatures). The key is prepared once,
//! and so is the header of its tokens: signing costs the signature and little else.
//!
//! Tokens carry libtrust's fingerprint as `kid`, the only one that CNCF distribution 2.8 accepts
//! without a certificate in every token; version 3 finds the key by the same `kid` in the JWKS.

use anyhow::{Context as _, bail, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, ParsedPublicKey,
    RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, PublicKeyData as _, RsaKeySize,
};
use serde_json::{Value, json};

use crate::domain::keys::authority::Authority;
use crate::domain::keys::certificate::Certificate;
use crate::domain::keys::public_key::PublicKey;
use crate::store::{Algorithm, KeyRecord, RsaSize};

/// A key that signs and verifies.
pub struct SigningKey {
    kid: String,
    algorithm: Algorithm,
    created_at: i64,
    signs_from: i64,
    pair: Pair,
    verifying: ParsedPublicKey,
    header: String,
    header_with_certificate: String,
    jwk: Value,
    certificate: Certificate,
    certificate_text: String,
}

/// The private half, prepared.
enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// The times of a key, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// When it is made.
    pub created_at: i64,
    /// When it begins to sign.
    pub signs_from: i64,
    /// When its certificate ends.
    pub certified_until: i64,
}

impl SigningKey {
    /// Makes a key, as a record.
    ///
    /// # Errors
    ///
    /// When the operating system has no randomness to give.
    pub fn generate(
        algorithm: Algorithm,
        size: RsaSize,
        times: Times,
        authority: &Authority,
    ) -> anyhow::Result<KeyRecord> {
        let pair = match (algorithm, size) {
            (Algorithm::Es256, _) => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
            (Algorithm::EdDsa, _) => KeyPair::generate_for(&PKCS_ED25519),
            (Algorithm::Rs256, RsaSize::Bits2048) => {
                KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
            }
            (Algorithm::Rs256, RsaSize::Bits3072) => {
                KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072)
            }
        }?;
        record(&pair, algorithm, times, authority)
    }

    /// The same key with a new certificate, for one whose certificate ends before it does.
    ///
    /// # Errors
    ///
    /// When the record's key is invalid.
    pub fn certify_again(
        record: &KeyRecord,
        certified_until: i64,
        authority: &Authority,
    ) -> anyhow::Result<KeyRecord> {
        let pair = KeyPair::from_pem(&record.private_key)
            .with_context(|| format!("the key {} is not a key", record.kid))?;
        let certificate =
            authority.certify(&pair, &record.kid, record.created_at, certified_until)?;
        Ok(KeyRecord { certificate, ..record.clone() })
    }

    /// Reads a key and prepares it.
    ///
    /// # Errors
    ///
    /// When the record's key is invalid or of another algorithm, or its id or certificate is
    /// another key's.
    pub fn read(record: &KeyRecord) -> anyhow::Result<Self> {
        let KeyRecord { kid, algorithm, created_at, signs_from, .. } = record.clone();
        let der = KeyPair::from_pem(&record.private_key)
            .with_context(|| format!("the key {kid} is not a key"))?
            .serialize_der();
        let pair = Pair::read(algorithm, &der)
            .with_context(|| format!("the key {kid} is not of type {algorithm}"))?;
        let certificate = Self::read_certificate(record)?;
        let public_key = certificate.public_key.clone();
        let jwk = public_key.jwk().context("a key without a JWK")?;
        let verifying = public_key.verifying().context("a public key that verifies nothing")?;
        let x5c = STANDARD.encode(certificate.as_der());
        let key = Self {
            jwk: with_use(jwk, algorithm, &kid, &x5c),
            header: encode_header(&json!({ "alg": algorithm, "typ": "JWT", "kid": kid })),
            header_with_certificate: encode_header(
                &json!({ "alg": algorithm, "typ": "JWT", "kid": kid, "x5c": [x5c] }),
            ),
            certificate,
            certificate_text: record.certificate.clone(),
            kid,
            algorithm,
            created_at,
            signs_from,
            pair,
            verifying,
        };
        ensure!(key.is_whole(), "the key {} has the id or the certificate of another key", key.kid);
        Ok(key)
    }

    /// Reads a key's certificate, which needs no private key.
    ///
    /// # Errors
    ///
    /// When the record's certificate is none, or the record has the id of another key.
    pub(crate) fn read_certificate(record: &KeyRecord) -> anyhow::Result<Certificate> {
        let kid = &record.kid;
        let certificate = Certificate::read_pem(&record.certificate)
            .with_context(|| format!("the certificate of the key {kid} is invalid"))?;
        let is_own = *kid == certificate.public_key.fingerprint();
        ensure!(is_own, "the key {kid} has the id or the certificate of another key");
        Ok(certificate)
    }

    /// The id that tokens carry.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// When it was made, in seconds since 1970.
    #[must_use]
    pub fn created_at(&self) -> i64 {
        self.created_at
    }

    /// When it begins to sign, in seconds since 1970.
    #[must_use]
    pub fn signs_from(&self) -> i64 {
        self.signs_from
    }

    /// The public key as a JSON web key.
    #[must_use]
    pub fn jwk(&self) -> &Value {
        &self.jwk
    }

    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Its certificate, as its record has it.
    pub(super) fn certificate_text(&self) -> &str {
        &self.certificate_text
    }

    /// Signs a payload: header, payload and signature as a token carries them.
    ///
    /// # Errors
    ///
    /// [`Unspecified`] when the key cannot sign.
    pub fn sign(&self, payload: &[u8], with_certificate: bool) -> Result<String, Unspecified> {
        let header = if with_certificate { &self.header_with_certificate } else { &self.header };
        // The longest signature, of 3072 bits, is 512 digits long.
        let length = header.len() + payload.len().div_ceil(3) * 4 + 2 + 512;
        let mut token = String::with_capacity(length);
        token.push_str(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let push = |token: &mut String, signature: &[u8]| {
            token.push('.');
            URL_SAFE_NO_PAD.encode_string(signature, token);
        };
        match &self.pair {
            Pair::Ec(pair) => {
                // Digested separately, because a context for both steps costs more than the digest.
                let signature = pair.sign_digest(&digest(&SHA256, token.as_bytes()))?;
                push(&mut token, signature.as_ref());
            }
            Pair::Ed(pair) => {
                let signature = pair.try_sign(token.as_bytes())?;
                push(&mut token, signature.as_ref());
            }
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    token.as_bytes(),
                    &mut signature,
                )?;
                push(&mut token, &signature);
            }
        }
        Ok(token)
    }

    /// Whether this key signed the message.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifying.verify_sig(message, signature).is_ok()
    }

    /// Whether the private half belongs to the public one.
    fn is_whole(&self) -> bool {
        let token = self.sign(b"{}", false).unwrap_or_default();
        token.rsplit_once('.').is_some_and(|(message, signature)| {
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
            self.verifies(message.as_bytes(), &signature)
        })
    }
}

/// Leaves the private half out.
impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .field("signs_from", &self.signs_from)
            .finish_non_exhaustive()
    }
}

impl Pair {
    fn read(algorithm: Algorithm, der: &[u8]) -> anyhow::Result<Self> {
        Ok(match algorithm {
            Algorithm::Es256 => {
                Self::Ec(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)?)
            }
            Algorithm::Rs256 => Self::Rsa(RsaKeyPair::from_pkcs8(der)?),
            Algorithm::EdDsa => Self::Ed(Ed25519KeyPair::from_pkcs8(der)?),
        })
    }
}

/// The record of a key, with a certificate.
pub(super) fn record(
    pair: &KeyPair,
    algorithm: Algorithm,
    times: Times,
    authority: &Authority,
) -> anyhow::Result<KeyRecord> {
    let Some(public_key) = PublicKey::read(&pair.subject_public_key_info()) else {
        bail!("the key has no public half");
    };
    let kid = public_key.fingerprint();
    let certificate = authority.certify(pair, &kid, times.created_at, times.certified_until)?;
    Ok(KeyRecord {
        kid,
        algorithm,
        private_key: pair.serialize_pem(),
        certificate,
        created_at: times.created_at,
        signs_from: times.signs_from,
    })
}

fn encode_header(header: &Value) -> String {
    URL_SAFE_NO_PAD.encode(header.to_string())
}

fn with_use(mut jwk: Value, algorithm: Algorithm, kid: &str, x5c: &str) -> Value {
    if let Value::Object(members) = &mut jwk {
        members.insert("use".into(), "sig".into());
        members.insert("alg".into(), algorithm.as_str().into());
        members.insert("kid".into(), kid.into());
        members.insert("x5c".into(), json!([x5c]));
    }
    jwk
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::Jwk;
    use jsonwebtoken::{DecodingKey, Validation, decode};

    use super::*;

    const NOW: i64 = 1_800_000_000;
    const TIMES: Times = Times { created_at: NOW, signs_from: NOW, certified_until: NOW + 1000 };

    fn authority() -> Authority {
        Authority::read(&Authority::generate("test", 1_800_000_000).unwrap()).unwrap()
    }

    fn generate(algorithm: Algorithm, size: RsaSize) -> KeyRecord {
        SigningKey::generate(algorithm, size, TIMES, &authority()).unwrap()
    }

    /// A key's tokens are verified by another library, which knows nothing but the JWK.
    #[test]
    fn tokens_are_verified_by_the_published_key() {
        for (algorithm, size) in [
            (Algorithm::Es256, RsaSize::Bits2048),
            (Algorithm::Rs256, RsaSize::Bits2048),
            (Algorithm::Rs256, RsaSize::Bits3072),
            (Algorithm::EdDsa, RsaSize::Bits2048),
        ] {
            let record = generate(algorithm, size);
            let key = SigningKey::read(&record).unwrap();
            let jwk: Jwk = serde_json::from_value(key.jwk().clone()).unwrap();
            assert_eq!(jwk.common.key_id.as_deref(), Some(key.kid()));
            let mut validation = Validation::new(algorithm.as_str().parse().unwrap());
            validation.set_audience(&["a"]);
            validation.validate_exp = false;
            for with_certificate in [false, true] {
                let payload = br#"{"aud":"a","exp":1}"#;
                let token = key.sign(payload, with_certificate).unwrap();
                let decoding = DecodingKey::from_jwk(&jwk).unwrap();
                let decoded = decode::<Value>(&token, &decoding, &validation).unwrap();
                assert_eq!(decoded.claims["aud"], "a");
                assert_eq!(decoded.header.kid.as_deref(), Some(key.kid()));
                let x5c = decoded.header.x5c_der().unwrap();
                let certificate = key.certificate().as_der().to_vec();
                assert_eq!(x5c, with_certificate.then(|| vec![certificate]));
            }
        }
    }

    #[test]
    fn no_private_member_is_published() {
        for algorithm in [Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa] {
            let key = SigningKey::read(&generate(algorithm, RsaSize::Bits2048)).unwrap();
            for member in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert_eq!(key.jwk().get(member), None, "{algorithm} {member}");
            }
        }
    }

    #[test]
    fn a_certificate_can_be_made_again() {
        let authority = authority();
        let record = generate(Algorithm::EdDsa, RsaSize::Bits2048);
        let again = SigningKey::certify_again(&record, NOW + 5000, &authority).unwrap();
        assert_eq!(Certificate::read_pem(&again.certificate).unwrap().not_after, NOW + 5000);
        assert_eq!(KeyRecord { certificate: record.certificate.clone(), ..again.clone() }, record);
        assert!(SigningKey::read(&again).is_ok());
    }

    #[track_caller]
    fn refused(record: &KeyRecord, expected: &str) {
        let error = SigningKey::read(record).unwrap_err().to_string();
        assert_eq!(error.replace(&record.kid, "KID"), expected);
    }

    #[test]
    fn invalid_records() {
        let record = generate(Algorithm::Es256, RsaSize::Bits2048);
        let other = generate(Algorithm::Es256, RsaSize::Bits2048);
        let rsa = generate(Algorithm::Rs256, RsaSize::Bits2048);
        let mixed = "the key KID has the id or the certificate of another key";
        refused(
            &KeyRecord { private_key: "x".into(), ..record.clone() },
            "the key KID is not a key",
        );
        refused(
            &KeyRecord { private_key: rsa.private_key, ..record.clone() },
            "the key KID is not of type ES256",
        );
        refused(
            &KeyRecord { algorithm: Algorithm::EdDsa, ..record.clone() },
            "the key KID is not of type EdDSA",
        );
        refused(
            &KeyRecord { certificate: String::new(), ..record.clone() },
            "the certificate of the key KID is invalid",
        );
        refused(&KeyRecord { certificate: other.certificate, ..record.clone() }, mixed);
        refused(&KeyRecord { private_key: other.private_key, ..record.clone() }, mixed);
        refused(&KeyRecord { kid: other.kid, ..record }, mixed);
    }
}

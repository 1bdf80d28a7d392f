//! The signing key, its public forms, its id.
//!
//! One ES256 key, made at the first start and kept in the data folder. Its public half is served as a JWKS and as a certificate, which
//! is what CNCF distribution 2.8 wants in its `rootcertbundle`. The `kid` is libtrust's fingerprint, the only one that version 2.8
//! accepts without a certificate chain in every token; version 3 finds the key by the same `kid` in the JWKS.
//!
//! Left out: rotation.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The signing key in every form that somebody needs.
pub struct Keys {
    /// Signs.
    pub signing: EncodingKey,
    /// Verifies what the server itself signed.
    pub verifying: DecodingKey,
    /// The id that tokens carry.
    pub kid: String,
    /// The public key as a JSON web key set.
    pub jwks: Value,
    /// The public key as a certificate, PEM.
    pub certificate: String,
}

impl Keys {
    /// Reads the key of a data folder, or makes one there. `issuer` becomes the name in the certificate.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read or written, or a file in it is no key.
    pub fn open(folder: &Path, issuer: &str) -> anyhow::Result<Self> {
        let path = folder.join("signing-key.pem");
        let generate = || Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?.serialize_pem());
        let pem = read_or_make(&path, generate)?;
        let pair =
            KeyPair::from_pem(&pem).with_context(|| format!("{} is no key", path.display()))?;
        if !pair.is_compatible(&PKCS_ECDSA_P256_SHA256) {
            bail!("{} is no P-256 key", path.display());
        }
        let certificate =
            read_or_make(&folder.join("signing-cert.pem"), || certify(&pair, issuer))?;
        Self::from_pair(&pair, certificate)
    }

    fn from_pair(pair: &KeyPair, certificate: String) -> anyhow::Result<Self> {
        // An uncompressed point: one byte 4, then both coordinates of 32 bytes.
        let [4, point @ ..] = pair.public_key_raw() else {
            bail!("the public key is no uncompressed point");
        };
        let (x, y) = point.split_at_checked(32).context("the public key is too short")?;
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let kid = fingerprint(&pair.subject_public_key_info());
        let key = json!({
            "kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": "ES256", "kid": kid,
        });
        Ok(Self {
            signing: EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes())?,
            verifying: DecodingKey::from_ec_components(&x, &y)?,
            kid,
            jwks: json!({ "keys": [key] }),
            certificate,
        })
    }
}

/// Leaves the private half out.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// libtrust's id of a key: the first 240 bits of the SHA-256 of its DER form, in base 32, in groups of four.
fn fingerprint(public_key_der: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digest = Sha256::digest(public_key_der);
    let mut text = String::new();
    // Five bytes are eight digits, and 30 bytes make 48 of them without a rest.
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

fn certify(pair: &KeyPair, issuer: &str) -> anyhow::Result<String> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, issuer);
    Ok(params.self_signed(pair)?.pem())
}

/// The text of a file, which is made when it is missing: readable by its owner alone, and whole or not at all.
fn read_or_make(
    path: &Path,
    make: impl FnOnce() -> anyhow::Result<String>,
) -> anyhow::Result<String> {
    match fs::read_to_string(path) {
        Ok(text) => return Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
    let text = make()?;
    let partial = path.with_extension(format!("{}.partial", std::process::id()));
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // A link fails when another server was faster; its file is the one to use then.
        let made = fs::hard_link(&partial, path);
        fs::remove_file(&partial)?;
        match made {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => fs::read_to_string(path),
            made => made.map(|()| text.clone()),
        }
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let first = Keys::open(folder.path(), "issuer").unwrap();
        let second = Keys::open(folder.path(), "issuer").unwrap();
        assert_eq!(first.kid, second.kid);
        assert_eq!(first.certificate, second.certificate);
        let groups: Vec<_> = first.kid.split(':').collect();
        assert_eq!((groups.len(), groups.iter().all(|group| group.len() == 4)), (12, true));
    }

    /// The digest and the base 32 of these bytes were computed with coreutils' `sha256sum` and `base32`.
    #[test]
    fn fingerprints_are_those_of_libtrust() {
        assert_eq!(
            fingerprint(b"scopegate"),
            "52G5:TGS3:ZARZ:USMS:W6KH:7MRB:Q5SU:KXL4:UR4M:3URU:FQ3D:LXZ7",
        );
    }

    #[test]
    fn the_key_is_readable_by_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        Keys::open(folder.path(), "issuer").unwrap();
        let mode =
            fs::metadata(folder.path().join("signing-key.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_broken_key_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("signing-key.pem"), "not a key").unwrap();
        let error = Keys::open(folder.path(), "issuer").unwrap_err();
        assert!(error.to_string().ends_with("signing-key.pem is no key"), "{error}");
    }
}

//! The key that an earlier version kept in its data folder.
//!
//! It was an ES256 key in `signing-key.pem`, and registries trust it: it is imported with its id,
//! so that they need no change.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, bail};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};

use crate::domain::keys::authority::Authority;
use crate::domain::keys::rotation::Rotation;
use crate::domain::keys::signing_key::{Times, record};
use crate::store::{Algorithm, KeyRecord};

/// The file's name.
pub(crate) const FILE: &str = "signing-key.pem";

/// The key of a data folder, with a certificate of the authority; `None` when the folder has none.
/// The file stays as it is.
///
/// # Errors
///
/// When the file cannot be read, or is not a key. A broken file is never replaced: registries may
/// trust its key.
pub(crate) fn import(
    folder: &Path,
    authority: &Authority,
    rotation: Rotation,
    now: i64,
) -> anyhow::Result<Option<KeyRecord>> {
    let path = folder.join(FILE);
    let pem = match fs::read_to_string(&path) {
        Ok(pem) => pem,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let pair =
        KeyPair::from_pem(&pem).with_context(|| format!("{} is not a key", path.display()))?;
    if !pair.is_compatible(&PKCS_ECDSA_P256_SHA256) {
        bail!("{} is not a P-256 key", path.display());
    }
    let pair = in_pkcs8(&pair).with_context(|| format!("{} is not a key", path.display()))?;
    let certified_until = rotation.certified_until(now);
    let times = Times { created_at: now, signs_from: now, certified_until };
    record(&pair, Algorithm::Es256, times, authority).map(Some)
}

/// The same key as PKCS #8: a key that an operator supplied may be in the form of RFC 5915.
fn in_pkcs8(pair: &KeyPair) -> anyhow::Result<KeyPair> {
    let (algorithm, der) = (&ECDSA_P256_SHA256_FIXED_SIGNING, pair.serialized_der());
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, der)
        .or_else(|_| EcdsaKeyPair::from_private_key_der(algorithm, der))?;
    Ok(KeyPair::try_from(pair.to_pkcs8v1()?.as_ref())?)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer as _, EcPrivateKeyRfc5915Der};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use rcgen::PublicKeyData as _;

    use super::*;
    use crate::domain::keys::public_key::PublicKey;
    use crate::domain::keys::signing_key::SigningKey;

    const ROTATION: Rotation = Rotation {
        every: std::time::Duration::from_secs(90 * 86_400),
        ahead: std::time::Duration::from_secs(86_400),
    };

    fn import_file(content: Option<&str>) -> anyhow::Result<Option<KeyRecord>> {
        let folder = tempfile::tempdir().unwrap();
        if let Some(content) = content {
            fs::write(folder.path().join(FILE), content).unwrap();
        }
        let authority =
            Authority::read(&Authority::generate("test", 1_800_000_000).unwrap()).unwrap();
        let imported = import(folder.path(), &authority, ROTATION, 1_800_000_000);
        let after = fs::read_to_string(folder.path().join(FILE)).ok();
        assert_eq!(after.as_deref(), content, "the file stays as it is");
        imported
    }

    #[test]
    fn a_key_is_taken_over_with_its_id() {
        let pair = KeyPair::generate().unwrap();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let rfc5915: EcPrivateKeyRfc5915Der<'_> =
            EcdsaKeyPair::from_pkcs8(algorithm, pair.serialized_der())
                .unwrap()
                .private_key()
                .as_der()
                .unwrap();
        let rfc5915 = STANDARD.encode(rfc5915.as_ref());
        let rfc5915 =
            format!("-----BEGIN EC PRIVATE KEY-----\n{rfc5915}\n-----END EC PRIVATE KEY-----\n");
        let kid = PublicKey::read(&pair.subject_public_key_info()).unwrap().fingerprint();
        for pem in [pair.serialize_pem(), rfc5915] {
            let record = import_file(Some(&pem)).unwrap().unwrap();
            assert_eq!(record.kid, kid);
            assert_eq!((record.created_at, record.signs_from), (1_800_000_000, 1_800_000_000));
            assert!(record.private_key.starts_with("-----BEGIN PRIVATE KEY-----"));
            assert!(SigningKey::read(&record).is_ok());
        }
    }

    #[test]
    fn a_folder_without_a_key() {
        assert_eq!(import_file(None).unwrap(), None);
    }

    #[test]
    fn a_broken_key_is_not_replaced() {
        let other_curve = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        for (content, expected) in [
            ("not a key", "signing-key.pem is not a key"),
            ("", "signing-key.pem is not a key"),
            (&*other_curve.serialize_pem(), "signing-key.pem is not a P-256 key"),
        ] {
            let error = import_file(Some(content)).unwrap_err().to_string();
            assert!(error.ends_with(expected), "{error}");
        }
    }
}

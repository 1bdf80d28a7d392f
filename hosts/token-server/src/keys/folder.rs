//! Keys in files of the data folder: the authority, and one ES256 key that signs for ever.
//!
//! Left out: rotation, which needs a place that all servers of a registry share.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use crate::keys::import::{FILE, import};
use crate::keys::signing_key::Times;
use crate::keys::{Algorithm, Authority, AuthorityRecord, Ring, Rotation, RsaSize, SigningKey};

/// One key for ever.
const ROTATION: Rotation = Rotation { every: Duration::MAX, ahead: Duration::ZERO };

/// Reads the keys of a data folder, or makes them there, and writes the bundle for registries beside them.
///
/// # Errors
///
/// When the folder cannot be read or written, or a file in it is no key.
pub fn open(folder: &Path, issuer: &str, now: i64) -> anyhow::Result<Ring> {
    let pem = read_or_make(&folder.join("signing-authority.pem"), || {
        let AuthorityRecord { private_key, certificate } = Authority::generate(issuer)?;
        Ok(private_key + &certificate)
    })?;
    let record = AuthorityRecord { private_key: pem.clone(), certificate: pem };
    // Each is the first of its kind in the text.
    let authority = Authority::read(&record)?;
    read_or_make(&folder.join(FILE), || {
        let times = Times {
            created_at: now,
            signs_from: now,
            certified_until: ROTATION.certified_until(now),
        };
        let key = SigningKey::generate(Algorithm::Es256, RsaSize::default(), times, &authority)?;
        Ok(key.private_key)
    })?;
    let records: Vec<_> = import(folder, &authority, ROTATION, now)?.into_iter().collect();
    let ring = Ring::read(&records, authority.certificate())?;
    let bundle = folder.join("signing-cert.pem");
    let partial = write_partial(&bundle, ring.bundle())?;
    fs::rename(partial, &bundle).with_context(|| format!("cannot write {}", bundle.display()))?;
    Ok(ring)
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
    let partial = write_partial(path, &text)?;
    // A link fails when another server was faster; its file is the one to use then.
    let made = match fs::hard_link(&partial, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => fs::read_to_string(path),
        made => made.map(|()| text),
    };
    fs::remove_file(&partial).and(made).with_context(|| format!("cannot write {}", path.display()))
}

fn write_partial(path: &Path, text: &str) -> anyhow::Result<PathBuf> {
    let partial = path.with_extension(format!("{}.partial", std::process::id()));
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().with_context(|| format!("cannot write {}", partial.display()))?;
    Ok(partial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let first = open(folder.path(), "issuer", 1).unwrap();
        let second = open(folder.path(), "issuer", 2).unwrap();
        assert_eq!(first.newest_kid(), second.newest_kid());
        for file in ["signing-key.pem", "signing-authority.pem"] {
            let mode = fs::metadata(folder.path().join(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        let bundle = fs::read_to_string(folder.path().join("signing-cert.pem")).unwrap();
        assert_eq!(bundle, second.bundle());
        assert!(!bundle.contains("PRIVATE"));
    }

    #[test]
    fn a_broken_key_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("signing-key.pem"), "not a key").unwrap();
        let error = open(folder.path(), "issuer", 1).unwrap_err();
        assert!(error.to_string().ends_with("signing-key.pem is no key"), "{error}");
    }
}

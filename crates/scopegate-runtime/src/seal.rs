//! A folder's seal: tells machine code that this host left in a folder from code that anybody else
//! put there.
//!
//! Follows RFC 2104: HMAC with SHA-256. The key is a file beside the code, made when the folder has
//! none, and readable by its owner alone. A folder or a key that another user owns, or may write,
//! has no seal, and its code is not run.
//!
//! Left out: root and this host's own user, who can change the program itself; the folders above,
//! and systems other than Unix, where nothing is kept.

use std::path::{Path, PathBuf};
use std::{fs, io};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The length of a tag, and of the key.
const LENGTH: usize = 32;
const KEY: &str = "engine.key";

/// What seals the code of one folder.
pub(crate) struct Seal(Hmac<Sha256>);

impl Seal {
    /// The seal of a folder, which is made when there is none; `None` where another user could have
    /// made it.
    pub(crate) fn open(folder: &Path) -> Option<Self> {
        Hmac::new_from_slice(&key(folder)?).ok().map(Self)
    }

    /// Code with its tag before it.
    pub(crate) fn seal(&self, code: &[u8]) -> Vec<u8> {
        let tag = self.0.clone().chain_update(code).finalize().into_bytes();
        [&tag[..], code].concat()
    }

    /// The code that was sealed; `None` when a byte of it is another one.
    pub(crate) fn open_sealed<'s>(&self, sealed: &'s [u8]) -> Option<&'s [u8]> {
        let (tag, code) = sealed.split_at_checked(LENGTH)?;
        self.0.clone().chain_update(code).verify_slice(tag).ok().map(|()| code)
    }
}

#[cfg(unix)]
fn key(folder: &Path) -> Option<Vec<u8>> {
    use std::os::unix::fs::MetadataExt as _;
    let path = folder.join(KEY);
    let fresh = Fresh::make(folder).ok()?;
    let us = fs::symlink_metadata(&fresh.0).ok()?.uid();
    // Of several hosts that start at once, one makes the key.
    let _ = fs::hard_link(&fresh.0, &path);
    let is_safe = |path: &Path, others: u32| {
        let metadata = fs::symlink_metadata(path).ok();
        metadata.filter(|it| it.uid() == us && it.mode() & others == 0)
    };
    is_safe(folder, 0o022).filter(fs::Metadata::is_dir)?;
    is_safe(&path, 0o077).filter(fs::Metadata::is_file)?;
    fs::read(path).ok().filter(|key| key.len() == LENGTH)
}

#[cfg(not(unix))]
fn key(_: &Path) -> Option<Vec<u8>> {
    None
}

/// A new key, under a name that no host reads. Its owner is this process's user.
#[cfg(unix)]
struct Fresh(PathBuf);

#[cfg(unix)]
impl Fresh {
    #[expect(clippy::disallowed_methods, reason = "a key is made here")]
    fn make(folder: &Path) -> io::Result<Self> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let mut bytes = [0; LENGTH + 8];
        getrandom::fill(&mut bytes)?;
        let (key, name) = bytes.split_at(LENGTH);
        let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
        let fresh = Self(folder.join(format!("{KEY}.{name}.partial")));
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600).open(&fresh.0)?.write_all(key)?;
        Ok(fresh)
    }
}

#[cfg(unix)]
impl Drop for Fresh {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_sealed_opens_by_the_same_key_alone() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let sealed = Seal::open(folder.path()).unwrap().seal(b"machine code");
        let seal = Seal::open(folder.path()).unwrap();
        assert_eq!(seal.open_sealed(&sealed), Some(&b"machine code"[..]));
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert_eq!(seal.open_sealed(&changed), None, "byte {index}");
        }
        for shorter in [&sealed[..sealed.len() - 1], &sealed[..LENGTH], &sealed[..7], b""] {
            assert_eq!(seal.open_sealed(shorter), None);
        }
        assert_eq!(Seal::open(other.path()).unwrap().open_sealed(&sealed), None);
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.collect::<Vec<_>>(), [KEY]);
    }

    #[test]
    fn where_others_may_write_there_is_no_seal() {
        for (folder_mode, key_mode, expected) in [
            (0o700, 0o600, true),
            (0o755, 0o400, true),
            (0o777, 0o600, false),
            (0o1777, 0o600, false),
            (0o770, 0o600, false),
            (0o700, 0o640, false),
            (0o700, 0o606, false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            assert!(Seal::open(folder.path()).is_some());
            chmod(folder.path(), folder_mode);
            chmod(&folder.path().join(KEY), key_mode);
            let seal = Seal::open(folder.path());
            assert_eq!(seal.is_some(), expected, "{folder_mode:o} {key_mode:o}");
        }
    }

    #[test]
    fn a_key_that_is_none_seals_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (key, elsewhere) = (folder.path().join(KEY), folder.path().join("elsewhere"));
        fs::write(&elsewhere, [7; LENGTH]).unwrap();
        chmod(&elsewhere, 0o600);
        symlink(&elsewhere, &key).unwrap();
        assert!(Seal::open(folder.path()).is_none(), "a link");
        fs::remove_file(&key).unwrap();
        fs::write(&key, b"short").unwrap();
        chmod(&key, 0o600);
        assert!(Seal::open(folder.path()).is_none(), "a short key");
        assert!(Seal::open(&folder.path().join("missing")).is_none());
    }
}

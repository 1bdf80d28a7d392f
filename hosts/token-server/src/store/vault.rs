//! The encryption of private keys in the database.
//!
//! ```text
//! sealed   = "scopegate-sealed:v1:" key-id ":" base64url(nonce ciphertext tag)
//! key-id   = 16 hexadecimal digits of the key that encrypts
//! aad      = "scopegate-sealed:v1", the table and the row's identity, each after its length
//! identity = kid and algorithm of a signing key; "authority" for the authority
//! ```
//!
//! AES-256-GCM with a random nonce. A sealed text opens in its own row only: a copy in another row
//! is refused, and so is one under another algorithm. The key id tells a wrong key from a broken
//! text. A text without the prefix is a private key that is not encrypted.
//!
//! Left out: certificates and times, which are public, and write access to the database, which is
//! every right anyway.

use std::collections::BTreeSet;
use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::keys::{AuthorityRecord, KeyRecord, KeysRecord};
use crate::model::secret_key::SecretKey;

/// The beginning of every sealed text, of any version.
const SEALED: &str = "scopegate-sealed:";
/// The beginning of a sealed text of this version.
const PREFIX: &str = "scopegate-sealed:v1:";
/// What the key that encrypts is derived for.
const PURPOSE: &str = "scopegate sealed private keys v1";

/// The keys that encrypt and decrypt private keys. Without any, private keys are stored as they
/// are.
#[derive(Debug, Default)]
pub struct Vault {
    /// The key that encrypts; it decrypts, too.
    current: Option<Sealer>,
    /// Keys that only decrypt.
    previous: Vec<Sealer>,
}

struct Sealer {
    id: String,
    key: RandomizedNonceKey,
}

/// Why a private key could not be decrypted, or encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealError {
    /// It is encrypted with a key that is not here; this is its id.
    UnknownKey(String),
    /// The text is cut, changed, or another row's.
    Broken,
    /// It was encrypted by a newer version of this program.
    Newer,
    /// The key does not encrypt.
    Unusable,
}

/// The signing keys as the database has them: private keys may be sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredKeys(KeysRecord);

impl Vault {
    /// The keys: one that encrypts, if any, and former ones that decrypt.
    ///
    /// # Errors
    ///
    /// [`SealError::Unusable`] when the library does not take a key.
    pub fn new(current: Option<&SecretKey>, previous: &[SecretKey]) -> Result<Self, SealError> {
        Ok(Self {
            current: current.map(Sealer::new).transpose()?,
            previous: previous.iter().map(Sealer::new).collect::<Result<_, _>>()?,
        })
    }

    /// The id of the key that encrypts, if any.
    #[must_use]
    pub fn current_id(&self) -> Option<&str> {
        self.current.as_ref().map(|sealer| sealer.id.as_str())
    }

    /// Whether it decrypts what the key with this id has encrypted.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.key(id).is_some()
    }

    /// Whether a stored private key is as this vault would store it.
    fn is_current(&self, stored: &str) -> bool {
        sealed_with(stored) == self.current_id()
    }

    /// Decrypts the private key of a signing key.
    ///
    /// # Errors
    ///
    /// [`SealError`] when its key is not here, or the text is not the one of this row.
    pub fn open_key(&self, stored: &KeyRecord) -> Result<KeyRecord, SealError> {
        let private_key = self.open(&of_key(stored), &stored.private_key)?;
        Ok(KeyRecord { private_key, ..stored.clone() })
    }

    /// Decrypts the private key of the authority.
    ///
    /// # Errors
    ///
    /// As [`open_key`](Self::open_key).
    fn open_authority(&self, stored: &AuthorityRecord) -> Result<AuthorityRecord, SealError> {
        let private_key = self.open(&OF_AUTHORITY, &stored.private_key)?;
        Ok(AuthorityRecord { private_key, ..stored.clone() })
    }

    /// The private key of a signing key, as it is to be stored.
    pub(super) fn seal_key(&self, key: &KeyRecord) -> Result<String, SealError> {
        self.seal(&of_key(key), &key.private_key)
    }

    /// The private key of the authority, as it is to be stored.
    pub(super) fn seal_authority(&self, authority: &AuthorityRecord) -> Result<String, SealError> {
        self.seal(&OF_AUTHORITY, &authority.private_key)
    }

    fn seal(&self, identity: &[&str], private_key: &str) -> Result<String, SealError> {
        let Some(Sealer { id, key }) = &self.current else { return Ok(private_key.to_owned()) };
        let mut text = private_key.as_bytes().to_vec();
        let nonce = key.seal_in_place_append_tag(Aad::from(associated(identity)), &mut text);
        let nonce = nonce.map_err(|_| SealError::Unusable)?;
        let bytes = [nonce.as_ref().as_slice(), &text].concat();
        Ok(format!("{PREFIX}{id}:{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    fn open(&self, identity: &[&str], stored: &str) -> Result<String, SealError> {
        if !stored.starts_with(SEALED) {
            return Ok(stored.to_owned());
        }
        let rest = stored.strip_prefix(PREFIX).ok_or(SealError::Newer)?;
        let (id, text) = rest.split_once(':').ok_or(SealError::Broken)?;
        let key = self.key(id).ok_or_else(|| SealError::UnknownKey(id.to_owned()))?;
        let mut bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| SealError::Broken)?;
        let (nonce, text) = bytes.split_at_mut_checked(NONCE_LEN).ok_or(SealError::Broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Broken)?;
        let opened = key.open_in_place(nonce, Aad::from(associated(identity)), text);
        let opened = opened.map_err(|_| SealError::Broken)?;
        std::str::from_utf8(opened).map(ToOwned::to_owned).map_err(|_| SealError::Broken)
    }

    fn key(&self, id: &str) -> Option<&RandomizedNonceKey> {
        let mut all = self.current.iter().chain(&self.previous);
        all.find(|sealer| sealer.id == id).map(|sealer| &sealer.key)
    }
}

impl Sealer {
    fn new(key: &SecretKey) -> Result<Self, SealError> {
        let derived = key.derive(PURPOSE);
        let prepared = RandomizedNonceKey::new(&AES_256_GCM, derived.as_slice());
        Ok(Self { id: key.id(), key: prepared.map_err(|_| SealError::Unusable)? })
    }
}

/// Leaves the key out.
impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sealer").field(&self.id).finish()
    }
}

impl StoredKeys {
    pub(super) fn new(stored: KeysRecord) -> Self {
        Self(stored)
    }

    /// The records. Their private keys may be sealed; everything else is readable.
    #[must_use]
    pub fn records(&self) -> &KeysRecord {
        &self.0
    }

    /// Decrypts the private keys.
    ///
    /// # Errors
    ///
    /// [`SealError`] for the first one that cannot be decrypted.
    pub fn open(&self, vault: &Vault) -> Result<KeysRecord, SealError> {
        Ok(KeysRecord {
            keys: self.0.keys.iter().map(|key| vault.open_key(key)).collect::<Result<_, _>>()?,
            authority: self.0.authority.as_ref().map(|it| vault.open_authority(it)).transpose()?,
        })
    }

    /// The ids of the keys that encrypt the private keys.
    #[must_use]
    pub fn sealed_with(&self) -> BTreeSet<&str> {
        self.private_keys().filter_map(sealed_with).collect()
    }

    /// Whether a private key is not encrypted although the vault has a key for it.
    #[must_use]
    pub fn has_plain(&self, vault: &Vault) -> bool {
        vault.current.is_some() && self.private_keys().any(|stored| !stored.starts_with(SEALED))
    }

    /// The records whose private keys are to be encrypted again, decrypted: those that the current
    /// key does not encrypt.
    pub(super) fn to_be_sealed(&self, vault: &Vault) -> Result<KeysRecord, SealError> {
        let Self(stored) = self;
        let keys = stored.keys.iter().filter(|key| !vault.is_current(&key.private_key));
        let authority = stored.authority.iter().find(|it| !vault.is_current(&it.private_key));
        Ok(KeysRecord {
            keys: keys.map(|key| vault.open_key(key)).collect::<Result<_, _>>()?,
            authority: authority.map(|it| vault.open_authority(it)).transpose()?,
        })
    }

    fn private_keys(&self) -> impl Iterator<Item = &str> {
        let keys = self.0.keys.iter().map(|key| key.private_key.as_str());
        keys.chain(self.0.authority.as_ref().map(|authority| authority.private_key.as_str()))
    }
}

/// The id of the key that encrypts a stored private key; `None` for one that is not encrypted.
fn sealed_with(stored: &str) -> Option<&str> {
    stored.strip_prefix(PREFIX)?.split(':').next()
}

const OF_AUTHORITY: [&str; 2] = ["signing_authority", "authority"];

fn of_key(key: &KeyRecord) -> [&str; 3] {
    ["signing_keys", &key.kid, key.algorithm.as_str()]
}

/// The associated data of a row. Each part comes after its length, so that no two rows have the
/// same.
fn associated(identity: &[&str]) -> Vec<u8> {
    let parts = [PREFIX].into_iter().chain(identity.iter().copied());
    parts.flat_map(|part| [&part.len().to_be_bytes(), part.as_bytes()].concat()).collect()
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey(id) => {
                write!(f, "a private key is encrypted with the key {id}, which is not configured")
            }
            Self::Broken => f.write_str("an encrypted private key is damaged, or is another row's"),
            Self::Newer => f.write_str("a private key was encrypted by a newer version"),
            Self::Unusable => f.write_str("private keys cannot be encrypted"),
        }
    }
}

impl std::error::Error for SealError {}

impl From<SealError> for sqlx::Error {
    fn from(error: SealError) -> Self {
        Self::Decode(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Algorithm;

    fn secret() -> SecretKey {
        SecretKey::generate().unwrap()
    }

    fn vault(current: &SecretKey, previous: &[SecretKey]) -> Vault {
        Vault::new(Some(current), previous).unwrap()
    }

    fn key(kid: &str, private_key: &str) -> KeyRecord {
        KeyRecord {
            kid: kid.into(),
            algorithm: Algorithm::Es256,
            private_key: private_key.into(),
            certificate: "public".into(),
            created_at: 1,
            signs_from: 2,
        }
    }

    fn sealed(vault: &Vault, key: &KeyRecord) -> KeyRecord {
        KeyRecord { private_key: vault.seal_key(key).unwrap(), ..key.clone() }
    }

    #[test]
    fn what_is_sealed_is_opened_with_its_key() {
        let (one, other) = (secret(), secret());
        let (first, second) = (vault(&one, &[]), vault(&other, &[]));
        let record = key("a", "PRIVATE KEY");
        let stored = sealed(&first, &record);
        assert!(stored.private_key.starts_with(&format!("scopegate-sealed:v1:{}:", one.id())));
        assert!(!stored.private_key.contains("PRIVATE"), "{stored:?}");
        assert_ne!(stored, sealed(&first, &record), "a nonce is used twice");
        assert_eq!(first.open_key(&stored), Ok(record.clone()));
        for vault in [&second, &Vault::default()] {
            assert_eq!(vault.open_key(&stored), Err(SealError::UnknownKey(one.id())));
        }
        let both = vault(&other, &[one]);
        assert_eq!(both.open_key(&stored), Ok(record.clone()));
        assert!(sealed(&both, &record).private_key.contains(&other.id()));
        assert_eq!(second.open_key(&record), Ok(record), "not every row is sealed yet");
    }

    #[test]
    fn a_sealed_text_opens_in_its_own_row() {
        let vault = vault(&secret(), &[]);
        let stored = sealed(&vault, &key("a", "PRIVATE KEY"));
        let with_text = |text: String| KeyRecord { private_key: text, ..stored.clone() };
        let text = &stored.private_key;
        let last = if text.ends_with('A') { "E" } else { "A" };
        for other in [
            KeyRecord { kid: "b".into(), ..stored.clone() },
            KeyRecord { algorithm: Algorithm::EdDsa, ..stored.clone() },
            with_text(format!("{text}AAAA")),
            with_text(text.get(..text.len() - 4).unwrap().to_owned()),
            with_text(text.replacen(text.get(37..41).unwrap(), "AAAA", 1)),
            with_text(format!("{}{last}", text.get(..text.len() - 1).unwrap())),
            with_text(format!("{PREFIX}{}:", vault.current_id().unwrap())),
            with_text(PREFIX.to_owned()),
        ] {
            assert_eq!(vault.open_key(&other), Err(SealError::Broken), "{}", other.private_key);
        }
        let newer = with_text(text.replacen("v1", "v2", 1));
        assert_eq!(vault.open_key(&newer), Err(SealError::Newer));
        let (private_key, certificate) = (text.clone(), String::new());
        let authority = AuthorityRecord { private_key, certificate };
        assert_eq!(vault.open_authority(&authority), Err(SealError::Broken));
    }

    #[test]
    fn what_the_current_key_does_not_encrypt_is_sealed_anew() {
        let (old, new) = (secret(), secret());
        let (before, both) = (vault(&old, &[]), vault(&new, &[old]));
        let keys = vec![
            key("plain", "p"),
            sealed(&before, &key("old", "o")),
            sealed(&both, &key("new", "n")),
        ];
        let stored = StoredKeys(KeysRecord { keys, authority: None });
        assert_eq!(stored.sealed_with().len(), 2);
        assert!(stored.has_plain(&both) && !stored.has_plain(&Vault::default()));
        let kids = |keys: KeysRecord| keys.keys.into_iter().map(|key| key.kid).collect::<Vec<_>>();
        assert_eq!(kids(stored.to_be_sealed(&both).unwrap()), ["plain", "old"]);
        assert!(before.open_key(&stored.0.keys[2]).is_err());
        assert!(stored.open(&before).is_err() && stored.open(&both).is_ok());
    }
}

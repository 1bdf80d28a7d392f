//! The record of a secret of a service principal.
//!
//! ```text
//! "$argon2id$…"                                             a secret that does not expire
//! {"id": "9f86…", "hash": "$argon2id$…", "expiresAt": 1…}   one that does
//! ```
//!
//! Earlier versions wrote the first form only, and read no other.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A secret: never itself, only its hash.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Form", into = "Form")]
pub struct SecretRecord {
    /// argon2id, in the form of PHC.
    pub hash: String,
    /// When it expires; never, when absent.
    pub expiry: Option<SecretExpiry>,
}

/// When a secret expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretExpiry {
    /// Tells this secret from the others of its service principal, in the tokens that it makes.
    pub id: String,
    /// Seconds since 1970.
    pub at: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Hash(String),
    Expiring(Expiring),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Expiring {
    id: String,
    hash: String,
    expires_at: i64,
}

impl SecretRecord {
    /// A new secret.
    #[must_use]
    pub fn new(hash: String, expires_at: Option<i64>) -> Self {
        let id = || Uuid::new_v4().simple().to_string();
        Self { hash, expiry: expires_at.map(|at| SecretExpiry { id: id(), at }) }
    }

    /// When it expires, in seconds since 1970; `None` for never.
    #[must_use]
    pub fn expires_at(&self) -> Option<i64> {
        self.expiry.as_ref().map(|expiry| expiry.at)
    }

    /// Whether it has not expired yet.
    #[must_use]
    pub fn is_in_time(&self, now: i64) -> bool {
        self.expires_at().is_none_or(|at| now < at)
    }
}

/// Leaves the hash out.
impl fmt::Debug for SecretRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretRecord").field("expiry", &self.expiry).finish_non_exhaustive()
    }
}

impl From<Form> for SecretRecord {
    fn from(form: Form) -> Self {
        match form {
            Form::Hash(hash) => Self { hash, expiry: None },
            Form::Expiring(Expiring { id, hash, expires_at }) => {
                Self { hash, expiry: Some(SecretExpiry { id, at: expires_at }) }
            }
        }
    }
}

impl From<SecretRecord> for Form {
    fn from(SecretRecord { hash, expiry }: SecretRecord) -> Self {
        match expiry {
            None => Self::Hash(hash),
            Some(SecretExpiry { id, at }) => Self::Expiring(Expiring { id, hash, expires_at: at }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_earlier_versions_are_read_and_written_as_they_were() {
        for text in [r#""$argon2id$x""#, r#"{"id":"a","hash":"$argon2id$x","expiresAt":7}"#] {
            let record: SecretRecord = serde_json::from_str(text).unwrap();
            assert_eq!(record.hash, "$argon2id$x");
            assert_eq!(serde_json::to_string(&record).unwrap(), text);
            assert!(!format!("{record:?}").contains("argon2id"));
        }
        for text in ["7", "{}", r#"{"hash":"x"}"#] {
            assert!(serde_json::from_str::<SecretRecord>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_secret_ends_at_its_expiry() {
        let record = SecretRecord::new("x".into(), Some(100));
        assert!(record.is_in_time(99) && !record.is_in_time(100));
        assert!(SecretRecord::new("x".into(), None).is_in_time(i64::MAX));
    }
}

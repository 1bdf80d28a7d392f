//! Codes (RFC 6749, section 4.1.2): random, good once and for a minute.
//!
//! The database has a digest of each code and what it stands for. One request takes a code out, and
//! uses it up also where the rest of that request is wrong.
//!
//! Left out: ending the tokens of a code that is used twice. The second use gets nothing, and a
//! verifier is needed for either.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::person::Person;
use super::pkce;
use crate::store::{LoginCode, Store};

/// How long a code is good, in seconds.
const LIFETIME: i64 = 60;
/// How many codes a person may have.
const MAX_CODES: i64 = 8;

/// What a code stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub person: Person,
    /// What the client has to show again.
    pub redirect_uri: String,
    pub code_challenge: String,
    pub scope: String,
    pub nonce: Option<String>,
    /// The epoch of the database.
    pub epoch: Option<String>,
}

/// A code could not be stored or taken out; the text is for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodeError(pub String);

impl Grant {
    /// Makes a code.
    ///
    /// # Errors
    ///
    /// [`CodeError`] when the database cannot be written.
    pub(crate) async fn store(&self, store: &Store, now: i64) -> Result<String, CodeError> {
        let code = pkce::random().map_err(failed)?;
        let person = format!("{}/{}", self.person.identity.provider, self.person.subject);
        let stored = LoginCode {
            digest: digest(&code),
            person: person.to_ascii_lowercase(),
            expires_at: now.saturating_add(LIFETIME),
            content: serde_json::to_string(self).map_err(failed)?,
        };
        store.put_login_code(&stored, MAX_CODES, now).await.map_err(failed)?;
        Ok(code)
    }

    /// Takes out what a code stands for; `None` for a code that is unknown, used or expired.
    ///
    /// # Errors
    ///
    /// [`CodeError`] when the database cannot be written.
    pub(crate) async fn take(
        code: &str,
        store: &Store,
        now: i64,
    ) -> Result<Option<Self>, CodeError> {
        let taken = store.take_login_code(&digest(code)).await.map_err(failed)?;
        let taken = taken.filter(|taken| now < taken.expires_at);
        taken.map(|taken| serde_json::from_str(&taken.content).map_err(failed)).transpose()
    }
}

fn digest(code: &str) -> String {
    Sha256::digest(code).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn failed(error: impl ToString) -> CodeError {
    CodeError(error.to_string())
}

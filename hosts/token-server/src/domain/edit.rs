//! The changes that management may make, and their effect on issued tokens.
//!
//! Follows the limits and names of Azure Container Registry. Management and the seed file make
//! changes only through these functions. A change that removes rights gives its principal a new
//! generation; the edge refuses tokens of an older one, and they can no longer be refreshed.

pub mod identities;
pub mod passwords;
pub mod registry;
pub(crate) mod revoke;
pub mod scope_maps;
pub mod service_principals;
pub mod tokens;

use std::fmt;

use crate::store::{Record, Write};

pub(crate) type Result<T> = std::result::Result<T, EditError>;

/// Why a change was refused.
#[derive(Debug)]
pub enum EditError {
    /// The request is invalid; the text says what is valid.
    Invalid(String),
    /// The record does not exist.
    NotFound(String),
    /// The record is in use, or read-only.
    Conflict(String),
    /// The limit of records is reached.
    Full(String),
    /// The operating system has no randomness to give.
    Randomness,
    /// The database cannot be read or written; the cause is for the log alone.
    Database(sqlx::Error),
}

/// The record with this name, in any case.
///
/// # Errors
///
/// [`EditError::NotFound`] when there is none.
pub(crate) async fn find<R: Record>(write: &mut Write, name: &str) -> Result<R> {
    write.find(name).await?.ok_or_else(|| EditError::not_found::<R>(name))
}

impl EditError {
    pub(crate) fn not_found<R: Record>(name: &str) -> Self {
        let kind = R::KIND.replace('_', " ");
        Self::NotFound(format!("there is no {kind} `{name}`"))
    }
}

impl From<sqlx::Error> for EditError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(text)
            | Self::NotFound(text)
            | Self::Conflict(text)
            | Self::Full(text) => f.write_str(text),
            Self::Randomness => f.write_str("the operating system gives no randomness"),
            Self::Database(error) => write!(f, "the database does not answer: {error}"),
        }
    }
}

impl std::error::Error for EditError {}

//! What people may change, and what a change means for tokens already issued.
//!
//! Follows the limits and names of Azure Container Registry. Management and the seed file change
//! things by these functions and by no others. A change that takes something away gives its
//! principal a new generation; tokens of an older one are refused at the edge and can no longer be
//! renewed.

pub mod identities;
pub mod passwords;
pub mod registry;
pub mod scope_maps;
pub mod service_principals;
pub mod tokens;

use std::fmt;

/// Why a change was refused.
#[derive(Debug)]
pub enum EditError {
    /// What is asked for is not valid; the text says what would be.
    Invalid(String),
    /// What is to be changed does not exist.
    NotFound(String),
    /// It is used, or may not be changed at all.
    Conflict(String),
    /// There are as many as there may be.
    Full(String),
    /// The operating system has no randomness to give.
    Randomness,
    /// The database cannot be read or written; the cause is for the log alone.
    Database(sqlx::Error),
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

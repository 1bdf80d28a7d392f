//! Why authentication failed.

use scopegate_host::rate::TooMany;

use crate::domain::identity::IdentityError;
use crate::domain::reason::Reason;

/// Why credentials do not authenticate a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthError {
    /// The credentials are refused.
    Refused(Reason),
    /// Too many requests in this name.
    TooMany(TooMany),
    /// The engine has no free instance, or failed; the text is for the log.
    Engine(String),
    /// A dependency does not answer; the text is for the log.
    Unavailable(String),
}

impl From<Reason> for AuthError {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

impl From<TooMany> for AuthError {
    fn from(error: TooMany) -> Self {
        Self::TooMany(error)
    }
}

impl From<IdentityError> for AuthError {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::NotAuthenticated(reason) => Self::Refused(reason),
            IdentityError::Unavailable(text) => Self::Unavailable(text),
        }
    }
}

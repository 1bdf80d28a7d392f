//! A challenge, read.

use alloc::borrow::ToOwned;
use alloc::string::String;

use scopegate_core::challenge::{Challenge as CoreChallenge, Scheme};
use serde::Serialize;

/// One challenge of a `WWW-Authenticate` header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Challenge {
    /// `Bearer`, `Basic`, or what else stands there.
    pub scheme: String,
    /// Where to ask for a token.
    pub realm: String,
    /// The registry that the token is for.
    pub service: Option<String>,
    /// The scopes to ask for, separated by spaces.
    pub scope: Option<String>,
    /// Why the request was not let through with the token that it had.
    pub error: Option<String>,
}

impl From<CoreChallenge> for Challenge {
    fn from(challenge: CoreChallenge) -> Self {
        let CoreChallenge { scheme, realm, service, scope, error } = challenge;
        let scheme = match scheme {
            Scheme::Bearer => "Bearer".to_owned(),
            Scheme::Basic => "Basic".to_owned(),
            Scheme::Other(name) => name,
        };
        Self { scheme, realm, service, scope, error: error.map(|error| error.as_str().to_owned()) }
    }
}

//! The answer of a token endpoint.
//!
//! Follows <https://github.com/distribution/distribution/blob/main/docs/content/spec/auth/token.md>
//! and `oauth.md` beside it. Azure's clients read `access_token`, old docker reads `token`; without
//! `expires_in` clients assume 60 seconds and ask again and again.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// The answer of a token endpoint. Its token is a text, or JSON that is already serialised.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenResponse<Token = String> {
    /// The access token.
    pub access_token: Token,
    /// The same again, for clients of the older specification.
    pub token: Token,
    /// How long it is valid, in seconds from `issued_at`.
    pub expires_in: u64,
    /// When it was issued, RFC 3339.
    pub issued_at: String,
    /// A refresh token, when one was asked for and may be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

/// Leaves the tokens out: what is logged must open nothing.
impl<Token> core::fmt::Debug for TokenResponse<Token> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TokenResponse")
            .field("expires_in", &self.expires_in)
            .field("issued_at", &self.issued_at)
            .field("has_refresh_token", &self.refresh_token.is_some())
            .finish_non_exhaustive()
    }
}

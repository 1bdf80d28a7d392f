//! The answer of a token endpoint.
//!
//! Follows <https://github.com/distribution/distribution/blob/main/docs/content/spec/auth/token.md>
//! and `oauth.md` beside it. Azure's clients read `access_token`, some others read `token` alone;
//! without `expires_in` clients assume 60 seconds and ask again and again. Azure Container Registry
//! answers with `access_token` alone, and so does a host that does as the service.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// The answer of a token endpoint. Its token is a text, or JSON that is already serialised.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenResponse<Token = String> {
    /// The access token.
    pub access_token: Token,
    /// The same again, for clients of the older specification.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// How long it is valid, in seconds from `issued_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// When it was issued, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<String>,
    /// A refresh token, when one was asked for and may be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

/// Without a condition on the type of the token, which `Default` would bring.
const fn none<Token>() -> Option<Token> {
    None
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_whole_answers() {
        for text in [
            r#"{"access_token":"a"}"#,
            r#"{"access_token":"a","refresh_token":"r"}"#,
            r#"{"access_token":"a","token":"a","expires_in":3600,"issued_at":"2026-11-22T04:21:54Z"}"#,
        ] {
            let answer: TokenResponse = serde_json::from_str(text).unwrap();
            assert_eq!(answer.access_token, "a");
            assert_eq!(serde_json::to_string(&answer).unwrap(), text);
        }
        assert!(serde_json::from_str::<TokenResponse>(r#"{"token":"a"}"#).is_err());
    }
}

//! The credentials that a client presents.
//!
//! Follows RFC 7617,
//! <https://github.com/distribution/distribution/blob/main/docs/content/spec/auth/oauth.md>, and
//! Azure Container Registry, whose clients send a token as the password of the user
//! `00000000-0000-0000-0000-000000000000`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::reason::Reason;

/// The user name that says "the password is a token".
pub(crate) const NULL_GUID: &str = "00000000-0000-0000-0000-000000000000";

/// The credentials of a client.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A name and a password.
    Password {
        /// The name of a principal, or the null GUID.
        name: String,
        /// Its password or secret, or a token of ours.
        password: String,
    },
    /// A refresh token.
    Refresh(String),
    /// Nothing.
    None,
}

impl Credentials {
    /// Reads the value of an `Authorization` header.
    ///
    /// # Errors
    ///
    /// For a header that is not Basic, or not base 64, or holds no colon.
    pub fn basic(header: &[u8]) -> Result<Self, Reason> {
        let (scheme, rest) = header.split_at_checked(6).unwrap_or((header, &[]));
        if !scheme.eq_ignore_ascii_case(b"basic ") {
            return Err(Reason::NotBasic);
        }
        let text =
            STANDARD.decode(rest.trim_ascii()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or(Reason::NotBase64)?;
        let (name, password) = text.split_once(':').ok_or(Reason::NoColon)?;
        Ok(Self::Password { name: name.into(), password: password.into() })
    }
}

/// Leaves the secrets out.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Password",
            Self::Refresh(_) => "Refresh",
            Self::None => "None",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic() {
        let password = |name: &str, password: &str| {
            Some(Credentials::Password { name: name.into(), password: password.into() })
        };
        for (header, expected) in [
            ("Basic YTpi", password("a", "b")),
            ("bAsIc  YTpi ", password("a", "b")),
            ("Basic YTpiOmM=", password("a", "b:c")),
            ("Basic Og==", password("", "")),
            ("Basic YTpi!", None),
            ("Basic YQ==", None),
            ("Basic /////w==", None),
            ("Basic", None),
            ("Bearer YTpi", None),
            ("", None),
        ] {
            assert_eq!(Credentials::basic(header.as_bytes()).ok(), expected, "{header}");
        }
    }
}

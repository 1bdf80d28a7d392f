//! The token in an `Authorization`.
//!
//! Follows RFC 6750, section 2.1. The scheme has no case. One blank follows it: no client writes
//! more, and two readers could disagree where a token begins.
//!
//! Left out: other schemes.

/// The scheme and the blank before a token.
const SCHEME: &[u8] = b"bearer ";
/// The longest token, in bytes: room for four hundred repositories. No server before a host takes a
/// longer line.
pub const MAX_TOKEN: usize = 32 * 1024;

/// The token in the value of an `Authorization`; `None` where it holds something else.
///
/// ```
/// # use scopegate_edge::bearer::token;
/// assert_eq!(token(b"Bearer a.b.c"), Some("a.b.c"));
/// assert_eq!(token(b"Basic a"), None);
/// ```
#[must_use]
pub fn token(authorization: &[u8]) -> Option<&str> {
    let (scheme, token) = authorization.split_at_checked(SCHEME.len())?;
    let is_token = scheme.eq_ignore_ascii_case(SCHEME) && token.len() <= MAX_TOKEN;
    is_token.then(|| core::str::from_utf8(token.trim_ascii_end()).ok()).flatten()
}

/// Whether the scheme is `Bearer`, whatever follows it.
#[must_use]
pub fn is_bearer(authorization: &[u8]) -> bool {
    let scheme = authorization.split(|byte| *byte == b' ').next().unwrap_or_default();
    scheme.eq_ignore_ascii_case(b"bearer")
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn values() {
        for (value, expected) in [
            ("Bearer a", Some("a")),
            ("bearer a.b.c", Some("a.b.c")),
            ("BEARER a ", Some("a")),
            ("Bearer  a", Some(" a")),
            ("Bearer ", Some("")),
            ("Bearer", None),
            ("Bearer\ta", None),
            ("Bearera", None),
            ("Basic a", None),
            ("", None),
        ] {
            assert_eq!(token(value.as_bytes()), expected, "{value:?}");
        }
        assert_eq!(token(b"Bearer \xff"), None);
        let long = vec![b'x'; MAX_TOKEN + 1];
        assert_eq!(token(&[b"Bearer ", long.as_slice()].concat()), None);
        assert!(token(&[b"Bearer ", &long[1..]].concat()).is_some());
    }

    #[test]
    fn schemes() {
        for (value, expected) in [
            ("Bearer a", true),
            ("bearer", true),
            ("Bearer\ta", false),
            ("Basic a", false),
            ("", false),
        ] {
            assert_eq!(is_bearer(value.as_bytes()), expected, "{value:?}");
        }
    }
}

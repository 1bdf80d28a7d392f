//! `If-None-Match` and `Accept`: which representation a client has, and which it accepts.
//!
//! Follows RFC 9110 (sections 12.5.1 and 13.1.2).

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Whether a client has a representation already, by its entity tag (RFC 9110, section 13.1.2).
#[must_use]
pub(crate) fn has(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    let tag = tag.as_bytes();
    let tag = tag.strip_prefix(b"W/").unwrap_or(tag);
    values(asked, &header::IF_NONE_MATCH)
        .map(|known| known.strip_prefix("W/").unwrap_or(known))
        .any(|known| known == "*" || known.as_bytes() == tag)
}

/// Whether a client names a media type in `Accept`. Ranges (`*/*`) select the default
/// representation.
#[must_use]
pub(crate) fn accepts(asked: &HeaderMap, media_type: &str) -> bool {
    values(asked, &header::ACCEPT).any(|item| {
        item.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(media_type))
    })
}

/// The items of a header that is a list.
pub(crate) fn values<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'h str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags() {
        for (value, known) in [
            ("\"one\"", true),
            ("W/\"one\"", true),
            ("\"two\", \"one\"", true),
            ("*", true),
            ("\"two\"", false),
            ("one", false),
            ("", false),
        ] {
            let asked =
                HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(value))]);
            for tag in ["\"one\"", "W/\"one\""] {
                assert_eq!(has(&asked, &HeaderValue::from_static(tag)), known, "{value} {tag}");
            }
        }
    }
}

//! What is refused before anything is decided: requests that two readers could take apart in two
//! ways.
//!
//! Follows RFC 9112 (§2.2, §3, §5, §6) where it says what a server may refuse, and refuses it: the
//! proxy in front, this one and the registry behind must agree where a request ends and what it
//! says. The head is looked at as it came, before a library has made one out of two.
//!
//! Left out: the path, which is the engine's.

use memchr::memchr;

/// Why a head is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadError {
    /// A line that ends with anything but CR LF, continues the one before, or is no header.
    Line,
    /// A target that does not begin with a slash, or is no text.
    Target,
    /// A header that may stand there once, twice.
    Repeated,
    /// A body whose end can be read in two ways.
    Body,
    /// No host.
    Host,
}

impl HeadError {
    /// What a client is told.
    #[must_use]
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::Line => "ambiguous header",
            Self::Target => "the request target is not a path",
            Self::Repeated => "duplicate header",
            Self::Body => "ambiguous end of the body",
            Self::Host => "the host is missing",
        }
    }
}

/// Headers that may stand once: the library in front, or the registry, could take either of two.
const ONCE: [&[u8]; 14] = [
    b"host",
    b"authorization",
    b"content-length",
    b"content-range",
    b"content-type",
    b"docker-content-digest",
    b"expect",
    b"if-modified-since",
    b"if-range",
    b"if-unmodified-since",
    b"range",
    b"transfer-encoding",
    b"user-agent",
    b"x-ms-client-request-id",
];

/// The target of a request, if its head can be read in one way only.
///
/// # Errors
///
/// See [`HeadError`].
pub(crate) fn target(head: &[u8]) -> Result<&str, HeadError> {
    let mut lines = lines(head)?.into_iter();
    let target = request_line(lines.next().unwrap_or_default())?;
    let headers = lines.map(header).collect::<Result<Vec<_>, _>>()?;
    if ONCE.iter().any(|name| values(&headers, name).count() > 1) {
        return Err(HeadError::Repeated);
    }
    let value = |name: &'static [u8]| values(&headers, name).next();
    let (length, encoding) = (value(b"content-length"), value(b"transfer-encoding"));
    let is_length = |length: &[u8]| !length.is_empty() && length.iter().all(u8::is_ascii_digit);
    if length.is_some_and(|length| !is_length(length) || encoding.is_some())
        || encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"chunked"))
    {
        return Err(HeadError::Body);
    }
    if value(b"host").is_none_or(<[u8]>::is_empty) {
        return Err(HeadError::Host);
    }
    Ok(target)
}

/// The values of the headers of this name, in lower case.
fn values<'h>(
    headers: &[(&'h [u8], &'h [u8])],
    name: &'static [u8],
) -> impl Iterator<Item = &'h [u8]> {
    let same = headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
    same.map(|(_, value)| *value)
}

/// The lines of a head, without the empty one at its end. Each of them ends with CR LF, and no
/// other control character stands anywhere.
fn lines(head: &[u8]) -> Result<Vec<&[u8]>, HeadError> {
    let mut rest = head.strip_suffix(b"\r\n\r\n").ok_or(HeadError::Line)?;
    let mut lines = Vec::with_capacity(16);
    while let Some((line, after)) = memchr(b'\n', rest).and_then(|end| rest.split_at_checked(end)) {
        lines.push(line.strip_suffix(b"\r").ok_or(HeadError::Line)?);
        rest = after.get(1..).unwrap_or_default();
    }
    lines.push(rest);
    if lines.iter().all(|line| is_plain(line)) { Ok(lines) } else { Err(HeadError::Line) }
}

/// Whether no control character but a tab is in it. All bytes are looked at, and none is looked
/// for: sixteen at once, which takes a head with a token a third of the time.
fn is_plain(line: &[u8]) -> bool {
    !line.iter().fold(false, |any, byte| any | (byte.is_ascii_control() && *byte != b'\t'))
}

fn request_line(line: &[u8]) -> Result<&str, HeadError> {
    let mut words = line.split(|byte| *byte == b' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(_), Some(target), Some(b"HTTP/1.1" | b"HTTP/1.0"), None)
            if target.starts_with(b"/") =>
        {
            std::str::from_utf8(target).map_err(|_| HeadError::Target)
        }
        _ => Err(HeadError::Target),
    }
}

/// The name and the value of a header.
fn header(line: &[u8]) -> Result<(&[u8], &[u8]), HeadError> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or(HeadError::Line)?;
    let (name, value) = line.split_at_checked(colon).ok_or(HeadError::Line)?;
    let is_token = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    if name.is_empty() || !name.iter().all(is_token) {
        return Err(HeadError::Line);
    }
    Ok((name, value.get(1..).unwrap_or_default().trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A head with these lines after the request line, written with `|` for CR LF.
    fn read(line: &str, headers: &str) -> Result<String, HeadError> {
        let head = format!("{line}|{headers}||").replace('|', "\r\n");
        target(head.as_bytes()).map(ToOwned::to_owned)
    }

    #[test]
    fn heads() {
        use HeadError::{Body, Host, Line, Repeated};
        for (headers, expected) in [
            ("Host: r", Ok(())),
            ("host:r|Accept: a|Accept: b", Ok(())),
            ("Host: r|Content-Length: 5", Ok(())),
            ("Host: r|Transfer-Encoding: Chunked", Ok(())),
            ("Accept: a", Err(Host)),
            ("Host: ", Err(Host)),
            ("Host: r|Host: r", Err(Repeated)),
            ("Host: r|Authorization: Bearer a|authorization: Bearer b", Err(Repeated)),
            ("Host: r|Content-Length: 5|Content-Length: 5", Err(Repeated)),
            ("Host: r|Content-Type: a/b|content-type: c/d", Err(Repeated)),
            ("Host: r|Range: bytes=0-1|Range: bytes=2-3", Err(Repeated)),
            ("Host: r|Content-Length: 5|Transfer-Encoding: chunked", Err(Body)),
            ("Host: r|Content-Length: 5, 5", Err(Body)),
            ("Host: r|Content-Length: +5", Err(Body)),
            ("Host: r|Content-Length: 0x5", Err(Body)),
            ("Host: r|Content-Length:", Err(Body)),
            ("Host: r|Transfer-Encoding: gzip, chunked", Err(Body)),
            ("Host: r|Transfer-Encoding: chunked, identity", Err(Body)),
            ("Host: r|Transfer-Encoding: xchunked", Err(Body)),
            ("Host: r|Transfer-Encoding: chunked|Transfer-Encoding: identity", Err(Repeated)),
            ("Host: r|Transfer-Encoding : chunked", Err(Line)),
            ("Host: r| Transfer-Encoding: chunked", Err(Line)),
            ("Host: r|X: a|\tb", Err(Line)),
            ("Host: r|nonsense", Err(Line)),
            ("Host: r|: x", Err(Line)),
            ("Host: r|X: a\nY: b", Err(Line)),
            ("Host: r|X: a\rY: b", Err(Line)),
            ("Host: r|X: a\r", Err(Line)),
            ("Host: r|X: a\0", Err(Line)),
            ("Host: r|X\u{e9}: a", Err(Line)),
        ] {
            assert_eq!(read("GET /v2/ HTTP/1.1", headers).map(drop), expected, "{headers:?}");
        }
    }

    #[test]
    fn request_lines() {
        for line in [
            "GET https://r/v2/ HTTP/1.1",
            "GET r:443 HTTP/1.1",
            "GET * HTTP/1.1",
            "GET  /v2/ HTTP/1.1",
            "GET /v2/ x HTTP/1.1",
            "GET /v2/",
            "GET /v2/ HTTP/2.0",
            "",
        ] {
            assert_eq!(read(line, "Host: r"), Err(HeadError::Target), "{line}");
        }
        assert_eq!(read("GET /v2/%2e?x=#y HTTP/1.0", "Host: r"), Ok("/v2/%2e?x=#y".to_owned()));
        assert_eq!(target(b"GET /v2/ HTTP/1.1\nHost: r\n\n"), Err(HeadError::Line));
        assert_eq!(target(b"GET /\xff HTTP/1.1\r\nHost: r\r\n\r\n"), Err(HeadError::Target));
    }
}

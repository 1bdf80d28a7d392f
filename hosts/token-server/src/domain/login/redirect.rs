//! Addresses on the client's own machine, where its browser brings the code.
//!
//! Follows RFC 8252 (sections 7.3 and 8.3): a native app listens on a loopback address, at a port
//! of its own choice, and no app is registered. So any path is good, and no other host.
//!
//! ```text
//! address  = "http://" host [ ":" port ] [ path ] [ "?" query ]
//! host     = "localhost" / "127.0.0.1" / "[::1]"
//! port     = 1 to 65535, without a leading zero
//! path     = "/" and letters of RFC 3986, without "#"
//! ```
//!
//! The text is compared letter by letter and never repaired, so no two readers see two hosts.
//!
//! Left out: `https` and schemes of apps, which no client here uses, and addresses with a fragment
//! or a user name.

use url::Url;

/// The longest address, in bytes. It has to fit into a cookie with everything else.
const MAX: usize = 256;

/// An address on the client's own machine, as the client wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RedirectUri {
    text: String,
    url: Url,
}

impl RedirectUri {
    /// Reads an address.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("http://").filter(|_| text.len() <= MAX)?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, below) = rest.split_at_checked(end)?;
        let port = ["localhost", "127.0.0.1", "[::1]"]
            .iter()
            .find_map(|host| authority.strip_prefix(host))?;
        let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&b);
        if !is_port(port) || !below.bytes().all(is_letter) {
            return None;
        }
        Some(Self { text: text.to_owned(), url: Url::parse(text).ok()? })
    }

    /// As the client wrote it.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The source for a content security policy that lets a form go there. A policy has no spelling
    /// for an address of IPv6.
    #[must_use]
    pub(crate) fn source(&self) -> String {
        match self.url.host_str() {
            Some(host) if !host.starts_with('[') => {
                let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
                format!("http://{host}{port}")
            }
            _ => "http:".into(),
        }
    }

    /// The address with more parameters in its query.
    #[must_use]
    pub(crate) fn with(&self, parameters: &[(&str, &str)]) -> String {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        url.into()
    }
}

/// Whether a text is empty, or a colon and a port.
fn is_port(text: &str) -> bool {
    let Some(port) = text.strip_prefix(':') else { return text.is_empty() };
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
    is_number && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for text in [
            "http://localhost",
            "http://localhost:8400",
            "http://localhost:65535/",
            "http://127.0.0.1:8400/callback",
            "http://[::1]:8400/a/b?c=d&e",
            "http://localhost/?x",
            "http://localhost?x=http://evil.example",
            "http://localhost:1//evil.example",
            "http://localhost/@evil.example",
        ] {
            let read = RedirectUri::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(read.as_str(), text);
            let host = read.url.host_str().unwrap();
            assert!(matches!(host, "localhost" | "127.0.0.1" | "[::1]"), "{text} {host}");
            assert!(read.url.username().is_empty() && read.url.fragment().is_none(), "{text}");
        }
    }

    #[test]
    fn others() {
        let long = format!("http://localhost/{}", "a".repeat(MAX));
        for text in [
            "",
            "localhost",
            "http://",
            "http:///",
            "http:/localhost",
            "http:localhost",
            "HTTP://localhost",
            "https://localhost",
            "http://LOCALHOST",
            "http://localhost.",
            "http://localhost.evil.example",
            "http://localhost:80.evil.example",
            "http://localhost:80@evil.example",
            "http://localhost@evil.example",
            "http://user@localhost",
            "http://user:password@localhost",
            "http://evil.example#@localhost",
            "http://evil.example/http://localhost",
            "http://localhost#fragment",
            "http://localhost/#fragment",
            "http://localhost\\@evil.example",
            "http://localhost\\.evil.example",
            "http://localhost:",
            "http://localhost:0",
            "http://localhost:080",
            "http://localhost:65536",
            "http://localhost:+80",
            "http://localhost:8 0",
            "http://localhost ",
            " http://localhost",
            "http://localhost/\r\nSet-Cookie: a=b",
            "http://localhost/\"><script>",
            "http://localhost/\u{202e}",
            "http://127.0.0.2",
            "http://127.1",
            "http://0127.0.0.1",
            "http://2130706433",
            "http://0x7f000001",
            "http://0.0.0.0",
            "http://[::]",
            "http://::1",
            "http://[0:0:0:0:0:0:0:1]",
            "http://[::ffff:127.0.0.1]",
            "http://[::1%25lo]",
            "http://[::1].evil.example",
            "http://\u{ff4c}ocalhost",
            "http://evil.example",
            "//localhost",
            "javascript:alert(1)",
            "app://localhost",
            &long,
        ] {
            assert_eq!(RedirectUri::parse(text), None, "{text}");
        }
    }

    #[test]
    fn where_a_form_may_go() {
        for (text, source, with) in [
            ("http://localhost", "http://localhost", "http://localhost/?code=a%26b"),
            ("http://localhost:80/", "http://localhost", "http://localhost/?code=a%26b"),
            (
                "http://127.0.0.1:8400/x?y=z",
                "http://127.0.0.1:8400",
                "http://127.0.0.1:8400/x?y=z&code=a%26b",
            ),
            ("http://[::1]:8400/", "http:", "http://[::1]:8400/?code=a%26b"),
        ] {
            let read = RedirectUri::parse(text).unwrap();
            assert_eq!(read.source(), source, "{text}");
            assert_eq!(read.with(&[("code", "a&b")]), with, "{text}");
        }
    }
}

//! Which index of charts is asked for at `/helm/v1/<name>/index.yaml`, and the address that opens
//! it without a credential.
//!
//! Left out: making an index ([`data_plane`](crate::data_plane)), and what a
//! [`ticket`](crate::ticket) is.

use http::{HeaderMap, header};
use scopegate_core::route::{Endpoint, Route};
use scopegate_edge::bearer;
use url::Url;

use crate::config::{ChartIndex, Config};
use crate::ticket::PARAMETER;

/// The index that a request asks for, if the configuration says where it is.
#[must_use]
pub(crate) fn source<'c>(route: &Route<'_>, config: &'c Config) -> Option<&'c ChartIndex> {
    let path =
        route.path.strip_prefix("/helm/v1/").filter(|_| route.endpoint == Endpoint::HelmIndex);
    config.helm_index.get(path?.strip_suffix("/index.yaml")?)
}

/// What the client calls this registry, if that can stand in an address.
#[must_use]
pub(crate) fn host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    let is_host = !host.is_empty() && host.len() <= 255 && host.bytes().all(is_part);
    is_host.then_some(host)
}

/// The token that a request presents as itself, and not by a password.
#[must_use]
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(header::AUTHORIZATION)?.as_bytes();
    bearer::token(authorization).filter(|_| bearer::is_bearer(authorization))
}

/// The address of a path with a ticket. It is that of the realm, where the client calls both by one
/// name: what is before the gateway may have TLS when the gateway itself has none.
#[must_use]
pub(crate) fn address(
    host: &str,
    is_secure: bool,
    realm: &Url,
    path: &str,
    ticket: &str,
) -> String {
    let is_realm = realm.authority().eq_ignore_ascii_case(host);
    let is_secure = is_secure || (is_realm && realm.scheme() == "https");
    let scheme = if is_secure { "https" } else { "http" };
    format!("{scheme}://{host}{path}?{PARAMETER}={ticket}")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn hosts() {
        for (text, expected) in [
            ("registry.example:5000", true),
            ("[::1]:5000", true),
            ("", false),
            ("a/b", false),
            ("a\"b", false),
            ("u@a", false),
            ("a b", false),
            (&"a".repeat(256), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_str(text).unwrap());
            assert_eq!(host(&headers), expected.then_some(text), "{text}");
        }
        assert_eq!(host(&HeaderMap::new()), None);
    }

    #[test]
    fn addresses() {
        let realm = Url::parse("https://registry.example/oauth2/token").unwrap();
        for (host, is_secure, expected) in [
            ("registry.example", false, "https://registry.example/p?ticket=t"),
            ("Registry.example", true, "https://Registry.example/p?ticket=t"),
            ("127.0.0.1:5000", false, "http://127.0.0.1:5000/p?ticket=t"),
            ("127.0.0.1:5000", true, "https://127.0.0.1:5000/p?ticket=t"),
        ] {
            assert_eq!(address(host, is_secure, &realm, "/p", "t"), expected);
        }
    }
}

//! What a client may not send on, and what an answer may not bring back.
//!
//! Where a request came from is what the connection says, never what the client says. The token ends here: the registry behind trusts the
//! gateway, and has no use for it. Headers that are for one connection are Pingora's business.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use pingora_core::Result;
use pingora_http::{RequestHeader, ResponseHeader};
use url::Url;

/// What comes with every answer to `az`, and stands in every line of the log.
pub const CORRELATION: &str = "x-ms-correlation-request-id";
/// What old clients look for.
const API_VERSION: &str = "docker-distribution-api-version";
/// What scripts in browsers may read.
const EXPOSED: &str = "Docker-Content-Digest, WWW-Authenticate, Link, X-Ms-Correlation-Request-Id";

/// Beginnings of names that tell where a request came from or what it was.
const FORWARDED: [&str; 3] = ["x-forwarded-", "x-original-", "x-scopegate-"];
/// Whole names of that kind, and what the token ends in.
const REMOVED: [&str; 8] = [
    "authorization",
    "cookie",
    "forwarded",
    "proxy",
    "x-real-ip",
    "x-client-ip",
    "x-rewrite-url",
    "x-http-method-override",
];

/// Who is on the other end, and how it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The client's address.
    pub address: Option<IpAddr>,
    /// Whether it came over TLS.
    pub is_secure: bool,
    /// The id of the request.
    pub correlation_id: String,
}

/// Takes from a request what it must not bring to the registry, and says where it came from.
///
/// # Errors
///
/// When a value cannot be a header, which none of ours is.
pub fn forward(request: &mut RequestHeader, origin: &Origin) -> Result<()> {
    for name in removed(&request.headers) {
        request.remove_header(&name);
    }
    let host = request.headers.get(header::HOST).cloned();
    if let Some(host) = host {
        request.insert_header("x-forwarded-host", host)?;
    }
    if let Some(address) = origin.address {
        request.insert_header("x-forwarded-for", address.to_string())?;
    }
    let scheme = if origin.is_secure { "https" } else { "http" };
    request.insert_header("x-forwarded-proto", scheme)?;
    request.insert_header(CORRELATION, origin.correlation_id.as_str())
}

fn removed(headers: &HeaderMap) -> Vec<HeaderName> {
    let is_removed = |name: &&HeaderName| {
        // `x_forwarded_for` is the same to whoever makes variables of headers.
        let name = name.as_str().replace('_', "-");
        REMOVED.contains(&name.as_str()) || FORWARDED.iter().any(|start| name.starts_with(start))
    };
    headers.keys().filter(is_removed).cloned().collect()
}

/// Completes the headers of an answer, the registry's or ours.
///
/// # Errors
///
/// When a value cannot be a header, which none of ours is.
pub fn complete(answer: &mut ResponseHeader, origin: &Origin) -> Result<()> {
    answer.insert_header(API_VERSION, "registry/2.0")?;
    answer.insert_header(CORRELATION, origin.correlation_id.as_str())?;
    answer.insert_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")?;
    answer.insert_header(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED)?;
    if origin.is_secure {
        let forever = "max-age=31536000; includeSubDomains";
        answer.insert_header(header::STRICT_TRANSPORT_SECURITY, forever)?;
    }
    Ok(())
}

/// Where an answer leads, as a client may follow it: to the registry by way of the gateway, so without a host; elsewhere as it is.
#[must_use]
pub fn location(value: &HeaderValue, host: Option<&HeaderValue>, upstream: &Url) -> Option<String> {
    let url = Url::parse(value.to_str().ok()?).ok()?;
    let authority = url.authority().as_bytes();
    let is_ours = host.is_some_and(|host| host.as_bytes() == authority)
        || upstream.authority().as_bytes() == authority;
    let query = url.query().map(|query| ["?", query].concat()).unwrap_or_default();
    is_ours.then(|| [url.path(), &query].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(is_secure: bool) -> Origin {
        let address = "203.0.113.9".parse().ok();
        Origin { address, is_secure, correlation_id: "c".into() }
    }

    #[test]
    fn what_a_client_says_of_itself_is_not_sent_on() {
        let mut request = RequestHeader::build("GET", b"/v2/", None).unwrap();
        for (name, value) in [
            ("Host", "r"),
            ("Authorization", "Bearer x"),
            ("X-Forwarded-For", "10.0.0.1"),
            ("X-Forwarded-Proto", "https"),
            ("X_Forwarded_Host", "evil"),
            ("X-Forwarded-Anything", "x"),
            ("X-Original-URI", "/v2/secret/manifests/x"),
            ("X-Scopegate-Target", "/v2/secret"),
            ("Forwarded", "for=10.0.0.1"),
            ("X-Real-IP", "10.0.0.1"),
            ("Cookie", "a=b"),
            ("Accept", "application/json"),
        ] {
            request.append_header(name, value).unwrap();
        }
        forward(&mut request, &origin(false)).unwrap();
        let mut left: Vec<String> = request
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        left.sort();
        assert_eq!(
            left,
            [
                "accept: application/json",
                "host: r",
                "x-forwarded-for: 203.0.113.9",
                "x-forwarded-host: r",
                "x-forwarded-proto: http",
                "x-ms-correlation-request-id: c",
            ]
        );
    }

    #[test]
    fn locations() {
        let upstream = Url::parse("http://127.0.0.1:5002").unwrap();
        let host = HeaderValue::from_static("registry.example:5000");
        for (value, expected) in [
            (
                "http://registry.example:5000/v2/a/blobs/uploads/1?_state=x",
                Some("/v2/a/blobs/uploads/1?_state=x"),
            ),
            ("https://registry.example:5000/v2/a/", Some("/v2/a/")),
            ("http://127.0.0.1:5002/v2/a/", Some("/v2/a/")),
            ("https://storage.example/blob?signature=x", None),
            ("http://registry.example/v2/", None),
            ("/v2/a/blobs/uploads/1", None),
        ] {
            let value = HeaderValue::from_static(value);
            let got = location(&value, Some(&host), &upstream);
            assert_eq!(got.as_deref(), expected, "{value:?}");
        }
    }

    #[test]
    fn answers() {
        for (is_secure, count) in [(false, 4), (true, 5)] {
            let mut answer = ResponseHeader::build(200, None).unwrap();
            complete(&mut answer, &origin(is_secure)).unwrap();
            assert_eq!(answer.headers.len(), count);
        }
    }
}

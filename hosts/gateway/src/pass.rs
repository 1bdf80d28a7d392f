//! What the token server is sent, where the gateway is its address too, and what comes back.
//!
//! A policy of its own: the registry is sent what it reads and nothing else, and its answers are
//! restrained; the token server is ours, decides by itself, and is sent all but what is for one
//! connection (RFC 9110, 7.6.1) and what says where a request came from. The gateway says that, and
//! shows in `X-Scopegate-Gateway` that it may. Answers come back as they are, but for what is for
//! one connection: the token server's `Content-Security-Policy` is the playground's.
//!
//! Nothing here decides about the registry, and no answer of the token server to a passed request
//! opens anything at the gateway.
//!
//! Left out: which requests these are, which is [`address`](crate::address)'s; how many requests a
//! client may send, which the token server counts by the address that it is told here.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use pingora_core::Result;
use pingora_core::protocols::tls::CaType;
use pingora_core::upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy, Peer as _};
use pingora_core::utils::tls::{WrappedX509, parse_x509};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::Session;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use scopegate_api::errors::RegistryErrors;
use scopegate_host::correlation::CORRELATION;
use scopegate_host::forwarded::GATEWAY;
use scopegate_host::peers::{Peers, Slot};
use serde_json::json;
use url::Url;

use crate::address::Area;
use crate::body::{self, BodyError};
use crate::config::Timeouts;
use crate::headers::{Origin, say_origin};

/// The longest body that is passed: the token server's own limit for management. That for tokens
/// is lower, and is the token server's to apply.
pub(crate) const MAX_BODY: usize = 256 * 1024;
/// The longest body that is read before the token server is connected to, in bytes: as much as the
/// HTTP library keeps of one. No form for a token is longer.
pub(crate) const MAX_KEPT: usize = 64 * 1024;
/// How long a connection is kept for the next request. The token server closes one that is idle for
/// ten seconds, and a POST on a connection that is being closed is lost.
const KEPT_FOR: Duration = Duration::from_secs(5);

/// Fields for one connection, in lower case. `Transfer-Encoding` is one as well; the HTTP library
/// reads and writes it.
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
];
/// What `Connection` cannot name: the ends of a body, and the host.
const NEVER_NAMED: [&str; 3] = ["content-length", "host", "transfer-encoding"];
/// Fields that say where a request came from, or with which certificate, or what another proxy has
/// decided.
const FORWARDED: [&str; 8] = [
    "cf-connecting-ip",
    "client-ip",
    "forwarded",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-real-ip",
];
/// Beginnings of such names.
const FORWARDED_PREFIXES: [&str; 9] = [
    "ssl-client-",
    "x-accel-",
    "x-client-cert",
    "x-envoy-",
    "x-forwarded",
    "x-original-",
    "x-rewrite-",
    "x-scopegate-",
    "x-ssl-",
];

/// The token server behind this address.
pub(crate) struct TokenServer {
    address: SocketAddr,
    url: Url,
    authorities: Option<Arc<CaType>>,
    shown: HeaderValue,
    has_management: bool,
}

impl std::fmt::Debug for TokenServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenServer").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl TokenServer {
    /// Gets ready to pass requests. `shown` are the credentials of this gateway.
    ///
    /// # Errors
    ///
    /// When the host has no address, or the file of the authorities holds no certificate.
    pub(crate) fn new(
        url: &Url,
        authorities: Option<&Path>,
        shown: HeaderValue,
        has_management: bool,
    ) -> anyhow::Result<Self> {
        let authorities = authorities.map(read_authorities).transpose()?;
        Ok(Self { address: resolve(url)?, url: url.clone(), authorities, shown, has_management })
    }

    /// Whether its management is passed too.
    #[must_use]
    pub(crate) const fn has_management(&self) -> bool {
        self.has_management
    }

    /// Where a request is sent.
    #[must_use]
    pub(crate) fn peer(&self, times: Timeouts) -> HttpPeer {
        let name = self.url.host_str().unwrap_or_default();
        let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        let mut peer = HttpPeer::new(self.address, self.url.scheme() == "https", name);
        if let Some(options) = peer.get_mut_peer_options() {
            options.connection_timeout = Some(times.connect);
            options.total_connection_timeout = Some(times.connect);
            options.read_timeout = Some(times.upstream);
            options.write_timeout = Some(times.upstream);
            options.idle_timeout = Some(KEPT_FOR);
            options.ca.clone_from(&self.authorities);
            options.http_upstream_request_policy = HttpUpstreamRequestPolicy::deny_upgrades();
        }
        peer
    }

    /// Takes from a request what does not go on, and says where it came from and who says so.
    ///
    /// # Errors
    ///
    /// When a value cannot be a header, which none of ours is.
    pub(crate) fn forward(&self, request: &mut RequestHeader, origin: &Origin) -> Result<()> {
        for name in withheld(&request.headers) {
            request.remove_header(&name);
        }
        say_origin(request, origin)?;
        request.insert_header(GATEWAY, self.shown.clone())
    }
}

/// The address of a host, as it resolves now.
///
/// # Errors
///
/// When it does not resolve.
pub(crate) fn resolve(url: &Url) -> anyhow::Result<SocketAddr> {
    let host = url.host_str().context("no host")?;
    let port = url.port_or_known_default().context("no port")?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let found = (host, port).to_socket_addrs().with_context(|| format!("`{host}`"))?;
    found.into_iter().next().with_context(|| format!("`{host}` has no address"))
}

fn read_authorities(path: &Path) -> anyhow::Result<Arc<CaType>> {
    let at = || path.display().to_string();
    let read = CertificateDer::pem_file_iter(path).with_context(at)?;
    let read = read.collect::<std::result::Result<Vec<_>, _>>().with_context(at)?;
    ensure!(!read.is_empty(), "{} holds no certificate", path.display());
    // Pingora's own parser ends the program at bytes that are no certificate.
    let mut store = rustls::RootCertStore::empty();
    for certificate in &read {
        store.add(certificate.clone()).with_context(at)?;
    }
    let wrapped = read.iter().map(|der| WrappedX509::new(der.to_vec(), parse_x509));
    Ok(wrapped.collect::<Vec<_>>().into())
}

/// What of a request does not go on.
fn withheld(headers: &HeaderMap) -> Vec<HeaderName> {
    let mut names = for_one_connection(headers);
    let is_forwarded = |name: &&HeaderName| {
        // Software that makes variables of fields takes one for the other.
        let name = name.as_str().replace('_', "-");
        FORWARDED.contains(&name.as_str())
            || FORWARDED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    };
    names.extend(headers.keys().filter(is_forwarded).cloned());
    names
}

/// The fields that are for one connection: the known ones, and those that `Connection` names.
fn for_one_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let lines = headers.get_all(header::CONNECTION).iter();
    let named: Vec<String> = lines
        .flat_map(|line| line.to_str().unwrap_or_default().split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !NEVER_NAMED.contains(&name.as_str()))
        .collect();
    let is_hop = |name: &&HeaderName| {
        HOP_BY_HOP.contains(&name.as_str()) || named.iter().any(|named| named == name.as_str())
    };
    headers.keys().filter(is_hop).cloned().collect()
}

/// Takes from an answer of the token server what was for its connection, and gives it the id of the
/// request if it has none.
///
/// # Errors
///
/// When a value cannot be a header, which none of ours is.
pub(crate) fn restrain(answer: &mut ResponseHeader, origin: &Origin) -> Result<()> {
    for name in for_one_connection(&answer.headers) {
        answer.remove_header(&name);
    }
    if !answer.headers.contains_key(CORRELATION) {
        answer.insert_header(CORRELATION, origin.correlation_id.as_str())?;
    }
    Ok(())
}

/// Reads a body before the token server is connected to: a client that sends slowly would hold a
/// connection there, and those of a gateway are few. A longer one, whose length is declared, goes
/// on as it comes, and takes a slot of its client's.
///
/// # Errors
///
/// When the client goes away; the inner one is to be answered.
pub(crate) async fn receive(
    session: &mut Session,
    address: Option<IpAddr>,
    bodies: Arc<Peers>,
    timeouts: Timeouts,
) -> Result<std::result::Result<Option<Slot>, PassError>> {
    let length = session.req_header().headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    match length {
        Some(length) if length > MAX_BODY => Ok(Err(PassError::TooLarge)),
        Some(length) if length > MAX_KEPT => {
            let address = address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
            Ok(bodies.admit(address).await.map(Some).ok_or(PassError::TooMany))
        }
        _ => {
            // It is sent from there when the token server is connected to.
            session.as_downstream_mut().enable_retry_buffering();
            Ok(match body::read(session, MAX_KEPT, timeouts).await? {
                Ok(_) => Ok(None),
                Err(BodyError::TooLong) => Err(PassError::TooLarge),
                Err(BodyError::Slow) => Err(PassError::Slow),
            })
        }
    }
}

/// Why a request was not passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PassError {
    /// Its path could be read in two ways.
    Ambiguous,
    /// Its body is longer than any that the token server takes.
    TooLarge,
    /// Its body does not come in time.
    Slow,
    /// The client sends too many long bodies at a time.
    TooMany,
    /// The token server does not answer.
    Unreachable,
    /// Its answer is none.
    Broken,
}

impl PassError {
    /// The status.
    #[must_use]
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::Ambiguous => 400,
            Self::TooLarge => 413,
            Self::Slow => 408,
            Self::TooMany => 429,
            Self::Unreachable => 503,
            Self::Broken => 502,
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::Ambiguous => "the path has escapes or empty segments, which it cannot have here",
            Self::TooLarge => "the body is too large",
            Self::Slow => "the request does not come in time",
            Self::TooMany => "too many requests, try again later",
            Self::Unreachable => "the token server does not answer, try again",
            Self::Broken => "bad gateway: the token server gave no usable answer",
        }
    }

    /// The codes of a registry, of Azure Resource Manager, and of OAuth (RFC 6749, 5.2).
    const fn codes(self) -> [&'static str; 3] {
        match self {
            Self::Ambiguous => ["UNSUPPORTED", "InvalidRequest", "invalid_request"],
            Self::TooLarge => ["UNSUPPORTED", "RequestContentTooLarge", "invalid_request"],
            Self::Slow => ["UNSUPPORTED", "RequestTimeout", "invalid_request"],
            Self::TooMany => ["TOOMANYREQUESTS", "TooManyRequests", "temporarily_unavailable"],
            Self::Unreachable | Self::Broken => {
                ["UNAVAILABLE", "ServiceUnavailable", "temporarily_unavailable"]
            }
        }
    }

    /// The type and the text of the answer, in the form that clients of this area read.
    #[must_use]
    pub(crate) fn body(self, area: Area) -> (&'static str, Vec<u8>) {
        const JSON: &str = "application/json; charset=utf-8";
        let ([registry, azure, oauth], message) = (self.codes(), self.message());
        let json = match area {
            Area::Tokens => serde_json::to_vec(&RegistryErrors::one(registry, message)),
            Area::Management => {
                serde_json::to_vec(&json!({"error": {"code": azure, "message": message}}))
            }
            Area::Authority => {
                serde_json::to_vec(&json!({"error": oauth, "error_description": message}))
            }
            Area::Page => {
                return ("text/plain; charset=utf-8", format!("{message}\n").into_bytes());
            }
        };
        (JSON, json.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        let address = "203.0.113.9".parse().ok();
        Origin { address, is_secure: true, correlation_id: "c".into() }
    }

    fn token_server() -> TokenServer {
        let url = Url::parse("http://127.0.0.1:5001").unwrap();
        TokenServer::new(&url, None, HeaderValue::from_static("Basic ours"), true).unwrap()
    }

    /// The fields that go on, in order.
    fn sent(headers: &[(&'static str, &str)]) -> Vec<String> {
        let mut request = RequestHeader::build("GET", b"/oauth2/token", None).unwrap();
        for (name, value) in headers {
            request.append_header(*name, *value).unwrap();
        }
        token_server().forward(&mut request, &origin()).unwrap();
        lines(&request.headers)
    }

    fn lines(headers: &HeaderMap) -> Vec<String> {
        let line = |(name, value): (&HeaderName, &HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        let mut lines: Vec<String> = headers.iter().map(line).collect();
        lines.sort();
        lines
    }

    const OURS: [&str; 4] = [
        "x-forwarded-for: 203.0.113.9",
        "x-forwarded-proto: https",
        "x-ms-correlation-request-id: c",
        "x-scopegate-gateway: Basic ours",
    ];

    #[test]
    fn what_a_client_says_of_its_origin_is_not_passed() {
        for (name, value) in [
            ("X-Scopegate-Gateway", "Basic theirs"),
            ("X_Scopegate_Gateway", "Basic theirs"),
            ("X-Scopegate-Target", "/v2/"),
            ("X-Forwarded-For", "10.0.0.1"),
            ("X_Forwarded_For", "10.0.0.1"),
            ("X-Forwarded-Proto", "http"),
            ("X-Forwarded-Host", "evil"),
            ("X-Forwarded-Client-Cert", "x"),
            ("Forwarded", "for=10.0.0.1"),
            ("X-Real-IP", "10.0.0.1"),
            ("True-Client-IP", "10.0.0.1"),
            ("CF-Connecting-IP", "10.0.0.1"),
            ("X-Client-IP", "10.0.0.1"),
            ("X-Client-Cert", "x"),
            ("X-Original-URI", "/v2/"),
            ("X-Ms-Correlation-Request-Id", "theirs"),
            ("Via", "1.1 x"),
            ("Connection", "close, x-forwarded-for, X-Scopegate-Gateway"),
            ("Keep-Alive", "timeout=5"),
            ("Proxy-Authorization", "Basic x"),
            ("Proxy-Connection", "close"),
            ("TE", "trailers"),
            ("Trailer", "x"),
            ("Upgrade", "h2c"),
        ] {
            assert_eq!(sent(&[(name, value)]), OURS, "{name}");
        }
        assert_eq!(sent(&[("Connection", "x-hop"), ("X-Hop", "1")]), OURS);
    }

    #[test]
    fn all_else_is_passed() {
        let passed = [
            ("Accept", "a"),
            ("Accept", "b"),
            ("Authorization", "Bearer x"),
            ("Content-Length", "5"),
            ("Content-Type", "application/json"),
            ("Cookie", "a=b"),
            ("If-None-Match", "\"x\""),
            ("Origin", "https://evil.example"),
            ("Sec-Fetch-Site", "cross-site"),
            ("X-Ms-Client-Request-Id", "i"),
            ("X-Client-SKU", "MSAL.Python"),
        ];
        let mut expected: Vec<String> = passed
            .iter()
            .map(|(name, value)| format!("{}: {value}", name.to_ascii_lowercase()))
            .chain(OURS.map(ToOwned::to_owned))
            .collect();
        expected.sort();
        assert_eq!(sent(&passed), expected);
        // A client that has these taken away would make a body of another length.
        let framed = sent(&[("Content-Length", "5"), ("Connection", "Content-Length, Host")]);
        assert!(framed.contains(&"content-length: 5".to_owned()), "{framed:?}");
    }

    #[test]
    fn an_answer_comes_back_as_it_is() {
        let mut answer = ResponseHeader::build(200, None).unwrap();
        for (name, value) in [
            ("Connection", "close, x-hop"),
            ("X-Hop", "1"),
            ("Keep-Alive", "timeout=5"),
            ("Upgrade", "h2c"),
            ("Content-Security-Policy", "default-src 'none'; script-src 'self'"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Set-Cookie", "__Host-a=b"),
        ] {
            answer.append_header(name, value).unwrap();
        }
        restrain(&mut answer, &origin()).unwrap();
        let expected = [
            "content-security-policy: default-src 'none'; script-src 'self'",
            "cross-origin-opener-policy: same-origin",
            "set-cookie: __Host-a=b",
            "x-ms-correlation-request-id: c",
        ];
        assert_eq!(lines(&answer.headers), expected);
    }

    #[test]
    fn errors_have_the_form_of_their_area() {
        let message = "the token server does not answer, try again";
        for (area, kind, expected) in [
            (
                Area::Tokens,
                "application/json",
                format!(
                    r#"{{"errors":[{{"code":"UNAVAILABLE","message":"{message}","detail":null}}]}}"#
                ),
            ),
            (
                Area::Management,
                "application/json",
                format!(r#"{{"error":{{"code":"ServiceUnavailable","message":"{message}"}}}}"#),
            ),
            (
                Area::Authority,
                "application/json",
                format!(r#"{{"error":"temporarily_unavailable","error_description":"{message}"}}"#),
            ),
            (Area::Page, "text/plain", format!("{message}\n")),
        ] {
            let (own_kind, body) = PassError::Unreachable.body(area);
            assert!(own_kind.starts_with(kind), "{area:?}: {own_kind}");
            assert_eq!(String::from_utf8(body).unwrap(), expected, "{area:?}");
        }
    }
}

//! Which header fields go on to the registry, and what becomes of those of its answer.
//!
//! The engine's lists decide ([`scopegate_core::headers`]): a header that is not on the list of
//! requests is not forwarded, and an answer loses what a browser would obey. Where a request came
//! from is what the connection says, never what the client says. The token ends here: the registry
//! behind trusts the gateway, and has no use for it. On HTTP/1.1 names are spelt as the service
//! spells them, `Www-Authenticate` and `Link`, because scripts look for them so.

use std::collections::BTreeSet;
use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use pingora_core::Result;
use pingora_http::{RequestHeader, ResponseHeader};
use scopegate_core::headers::{ANSWER_ADDED, is_passed_on, is_sent_on};
use scopegate_host::answer::{API_VERSION, EXPOSED, REGISTRY_2, STRICT_TRANSPORT};
use scopegate_host::correlation::CORRELATION;
use scopegate_host::forwarded::FORWARDED_FOR;
use url::Url;

/// What an owner may not add to the list: names by which software behind learns who asks, from
/// where, or for what.
const NEVER_ADDED: [&str; 27] = [
    "authorization",
    "cf-connecting-ip",
    "client-ip",
    "connection",
    "cookie",
    "forwarded",
    "keep-alive",
    "proxy",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "remote-user",
    "te",
    "trailer",
    "true-client-ip",
    "upgrade",
    "via",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-real-ip",
    "x-remote-user",
    "x-sendfile",
    "x-user",
    "x-zot-api-client",
];
/// Beginnings of such names.
const NEVER_ADDED_PREFIXES: [&str; 13] = [
    "remote-",
    "ssl-client-",
    "x-accel-",
    "x-auth-",
    "x-client-cert",
    "x-envoy-",
    "x-forwarded",
    "x-harbor-",
    "x-original-",
    "x-remote-",
    "x-rewrite-",
    "x-scopegate-",
    "x-ssl-",
];

/// Whether an owner may have a header field sent on that is not on the engine's list: none that
/// tells who asks, from where, or with which method, and none that is for one connection. The name
/// is in lower case.
#[must_use]
pub(crate) fn may_be_added(name: &str) -> bool {
    !NEVER_ADDED.contains(&name)
        && !NEVER_ADDED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !name.contains('_')
}

/// Who is on the other end, and how it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The client's address.
    pub(crate) address: Option<IpAddr>,
    /// Whether it came over TLS.
    pub(crate) is_secure: bool,
    /// The id of the request.
    pub(crate) correlation_id: String,
}

/// What goes on beside the target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent<'a> {
    /// The `Content-Type` that the engine set; none is sent without one.
    pub(crate) content_type: Option<&'a str>,
    /// Names that the owner added to the engine's list, in lower case.
    pub(crate) added: &'a [String],
    /// Where the request came from.
    pub(crate) origin: &'a Origin,
}

/// Takes from a request what does not go on, sets the type of its body, and says where it came
/// from.
///
/// # Errors
///
/// When a value cannot be a header, which none of ours is.
pub(crate) fn forward(request: &mut RequestHeader, sent: Sent<'_>) -> Result<()> {
    let Sent { content_type, added, origin } = sent;
    for name in withheld(&request.headers, added) {
        request.remove_header(&name);
    }
    match content_type {
        Some(content_type) => request.insert_header(header::CONTENT_TYPE, content_type)?,
        None => drop(request.remove_header(&header::CONTENT_TYPE)),
    }
    say_origin(request, origin)
}

/// Says where a request came from: as the connection says.
///
/// # Errors
///
/// When a value cannot be a header, which none of ours is.
pub(crate) fn say_origin(request: &mut RequestHeader, origin: &Origin) -> Result<()> {
    let host = request.headers.get(header::HOST).cloned();
    if let Some(host) = host {
        request.insert_header("x-forwarded-host", host)?;
    }
    if let Some(address) = origin.address {
        request.insert_header(FORWARDED_FOR, address.to_string())?;
    }
    let scheme = if origin.is_secure { "https" } else { "http" };
    request.insert_header("x-forwarded-proto", scheme)?;
    request.insert_header(CORRELATION, origin.correlation_id.as_str())
}

/// The header fields that the registry is sent with a body that was read here.
///
/// # Errors
///
/// As [`forward`].
pub(crate) fn with_body(request: &RequestHeader, sent: Sent<'_>) -> Result<HeaderMap> {
    const OF_THE_CONNECTION: [&str; 6] = [
        "accept-encoding",
        "content-length",
        "expect",
        "host",
        "transfer-encoding",
        "x-forwarded-host",
    ];
    let mut request = request.clone();
    forward(&mut request, sent)?;
    let mut headers = request.headers.clone();
    for name in OF_THE_CONNECTION {
        headers.remove(name);
    }
    Ok(headers)
}

fn withheld(headers: &HeaderMap, added: &[String]) -> Vec<HeaderName> {
    let is_withheld = |name: &&HeaderName| {
        !is_sent_on(name.as_str()) && !added.iter().any(|added| added == name.as_str())
    };
    headers.keys().filter(is_withheld).cloned().collect()
}

/// Whether every reader finds the same end of an answer (RFC 9112, 6.3): chunks, or one length in
/// digits, and no other protocol.
#[must_use]
pub(crate) fn is_framed(answer: &ResponseHeader) -> bool {
    let only = |name| {
        let mut values = answer.headers.get_all(name).iter();
        (values.next(), values.next().is_none())
    };
    let is_number =
        |value: &HeaderValue| !value.is_empty() && value.as_bytes().iter().all(u8::is_ascii_digit);
    let is_chunked = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"chunked");
    match (only(header::TRANSFER_ENCODING), only(header::CONTENT_LENGTH)) {
        _ if answer.status == StatusCode::SWITCHING_PROTOCOLS => false,
        ((None, _), (None, _)) => true,
        ((Some(encoding), true), (None, _)) => is_chunked(encoding),
        ((None, _), (Some(length), true)) => is_number(length),
        _ => false,
    }
}

/// Takes from an answer of the registry what a browser would obey.
pub(crate) fn restrain(answer: &mut ResponseHeader) {
    let withheld: Vec<HeaderName> =
        answer.headers.keys().filter(|name| !is_passed_on(name.as_str())).cloned().collect();
    for name in withheld {
        answer.remove_header(&name);
    }
}

/// Completes the headers of an answer, the registry's or ours.
///
/// # Errors
///
/// When a value cannot be a header, which none of ours is.
pub(crate) fn complete(answer: &mut ResponseHeader, origin: &Origin) -> Result<()> {
    set(answer, API_VERSION.as_str(), REGISTRY_2)?;
    set(answer, CORRELATION.as_str(), &origin.correlation_id)?;
    for (name, value) in ANSWER_ADDED {
        set(answer, name, value)?;
    }
    set(answer, header::ACCESS_CONTROL_EXPOSE_HEADERS.as_str(), EXPOSED)?;
    if origin.is_secure {
        set(answer, header::STRICT_TRANSPORT_SECURITY.as_str(), STRICT_TRANSPORT)?;
    }
    Ok(())
}

/// Sets a header field of an answer, its name spelt as the service spells it.
///
/// # Errors
///
/// When name or value cannot be a header, which none of ours is.
pub(crate) fn set(answer: &mut ResponseHeader, name: &str, value: &str) -> Result<()> {
    answer.insert_header(spelt(name), value)
}

/// Spells the names of all header fields of an answer as the service spells them, also those of the
/// registry. What is spelt so already, as programs in Go spell it, is left alone.
///
/// # Errors
///
/// When a name or a value cannot be a header, which none of them is: they were one.
pub(crate) fn spell(answer: &mut ResponseHeader) -> Result<()> {
    let is_spelt = |name: &[u8]| {
        let starts = std::iter::once(&b'-').chain(name);
        starts.zip(name).all(|(before, byte)| *byte == spelt_after(*before, *byte))
    };
    let others = answer.case_header_iter().filter(|(name, _)| !is_spelt(name.as_slice()));
    let names: BTreeSet<String> = others
        .map(|(name, _)| String::from_utf8_lossy(name.as_slice()).to_ascii_lowercase())
        .collect();
    for name in names {
        let values: Vec<HeaderValue> = answer.headers.get_all(&name).iter().cloned().collect();
        answer.remove_header(name.as_str());
        for value in values {
            answer.append_header(spelt(&name), value)?;
        }
    }
    Ok(())
}

/// A name as the service spells it: `Www-Authenticate`.
fn spelt(name: &str) -> String {
    let starts = std::iter::once(b'-').chain(name.bytes());
    starts.zip(name.bytes()).map(|(before, byte)| char::from(spelt_after(before, byte))).collect()
}

/// A letter of a name as the service spells it, by the one before: a word begins with a capital.
const fn spelt_after(before: u8, letter: u8) -> u8 {
    if before == b'-' { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
}

/// Where an answer leads, as a client may follow it: to the registry by way of the gateway, so
/// without a host; elsewhere as it is.
#[must_use]
pub(crate) fn location(
    value: &HeaderValue,
    host: Option<&HeaderValue>,
    upstream: &Url,
) -> Option<String> {
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
    fn header_fields_that_a_configuration_may_add() {
        for (name, expected) in
            [("x-trace-id", true), ("x-forwarded-user", false), ("via", false), ("x_trace", false)]
        {
            assert_eq!(may_be_added(name), expected, "{name}");
        }
    }

    #[test]
    fn answers_without_a_clear_end() {
        use header::{CONTENT_LENGTH as LENGTH, TRANSFER_ENCODING as ENCODING};
        for (status, headers, expected) in [
            (200, &[][..], true),
            (200, &[(LENGTH, "0")], true),
            (200, &[(LENGTH, "12")], true),
            (200, &[(ENCODING, "chunked")], true),
            (200, &[(ENCODING, "Chunked")], true),
            (103, &[], true),
            (101, &[], false),
            (200, &[(LENGTH, "3, 3")], false),
            (200, &[(LENGTH, "3"), (LENGTH, "3")], false),
            (200, &[(LENGTH, "+3")], false),
            (200, &[(LENGTH, "0x3")], false),
            (200, &[(LENGTH, "")], false),
            (200, &[(ENCODING, "identity")], false),
            (200, &[(ENCODING, "identity"), (LENGTH, "5")], false),
            (200, &[(ENCODING, "chunked"), (LENGTH, "5")], false),
            (200, &[(ENCODING, "gzip, chunked")], false),
            (200, &[(ENCODING, "chunked"), (ENCODING, "chunked")], false),
        ] {
            let mut answer = ResponseHeader::build(status, None).unwrap();
            for (name, value) in headers {
                answer.append_header(name, *value).unwrap();
            }
            assert_eq!(is_framed(&answer), expected, "{status} {headers:?}");
        }
    }

    /// The header fields that go on, in order.
    fn sent(headers: &[(&'static str, &str)], content_type: Option<&str>) -> Vec<String> {
        let mut request = RequestHeader::build("GET", b"/v2/", None).unwrap();
        for (name, value) in headers {
            request.append_header(*name, *value).unwrap();
        }
        let (added, origin) = (["x-trace-id".to_owned()], origin(false));
        forward(&mut request, Sent { content_type, added: &added, origin: &origin }).unwrap();
        let mut left: Vec<String> = request
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        left.sort();
        left
    }

    #[test]
    fn what_is_not_on_the_list_is_not_sent_on() {
        let ours = [
            "x-forwarded-for: 203.0.113.9",
            "x-forwarded-proto: http",
            "x-ms-correlation-request-id: c",
        ];
        for (name, value) in [
            ("Authorization", "Bearer x"),
            ("X-Forwarded-For", "10.0.0.1"),
            ("X-Forwarded-Proto", "https"),
            ("X_Forwarded_Host", "evil"),
            ("X-Original-URI", "/v2/secret/manifests/x"),
            ("X-Scopegate-Gateway", "x"),
            ("Forwarded", "for=10.0.0.1"),
            ("X-Real-IP", "10.0.0.1"),
            ("True-Client-IP", "10.0.0.1"),
            ("X-Remote-User", "admin"),
            ("X-Client-Cert", "x"),
            ("X-Accel-Redirect", "/secret"),
            ("X-Method-Override", "DELETE"),
            ("Via", "1.1 x"),
            ("Cookie", "a=b"),
            ("Content_Type", "multipart/form-data"),
            ("Content-Type", "multipart/form-data"),
            ("Connection", "x-forwarded-for"),
            ("Referer", "x"),
        ] {
            assert_eq!(sent(&[(name, value)], None), ours, "{name}");
        }
        let goes_on =
            [("Accept", "a"), ("Accept", "b"), ("Range", "bytes=0-1"), ("X-Trace-Id", "1")];
        let left = sent(&goes_on, None);
        let expected = ["accept: a", "accept: b", "range: bytes=0-1"].iter().chain(&ours);
        assert_eq!(left, expected.chain(&["x-trace-id: 1"]).copied().collect::<Vec<_>>());
    }

    #[test]
    fn the_type_of_a_body_is_the_one_that_was_set() {
        let types = [("Content-Type", "multipart/form-data"), ("Content-Type", "text/plain")];
        let left = sent(&types, Some("application/octet-stream"));
        assert_eq!(left[0], "content-type: application/octet-stream");
        assert_eq!(left.len(), 4);
    }

    #[test]
    fn an_answer_loses_what_a_browser_would_obey() {
        let mut answer = ResponseHeader::build(200, None).unwrap();
        for (name, value) in [
            ("Set-Cookie", "a=b"),
            ("Clear-Site-Data", "*"),
            ("Service-Worker-Allowed", "/"),
            ("Refresh", "0;url=/"),
            ("Access-Control-Allow-Origin", "*"),
            ("Docker-Content-Digest", "sha256:x"),
        ] {
            answer.append_header(name, value).unwrap();
        }
        restrain(&mut answer);
        assert_eq!(answer.headers.keys().collect::<Vec<_>>(), ["docker-content-digest"]);
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
        for (is_secure, count) in [(false, 5), (true, 6)] {
            let mut answer = ResponseHeader::build(200, None).unwrap();
            complete(&mut answer, &origin(is_secure)).unwrap();
            assert_eq!(answer.headers.len(), count);
            assert_eq!(answer.headers["content-security-policy"], "sandbox; default-src 'none'");
            let mut written = Vec::new();
            answer.header_to_h1_wire(&mut written);
            let written = String::from_utf8(written).unwrap();
            assert!(written.contains("Docker-Distribution-Api-Version: registry/2.0"), "{written}");
        }
    }

    /// Scripts of the service look for these spellings, by `grep` and `sed`.
    #[test]
    fn names_are_spelt_as_the_service_spells_them() {
        let mut answer = ResponseHeader::build(200, None).unwrap();
        for (name, value) in [
            ("www-authenticate", "Bearer"),
            ("LINK", "</v2/_catalog?last=b&n=1&orderby=>; rel=\"next\""),
            ("ETag", "x"),
            ("Location", "/v2/a"),
            ("docker-content-digest", "sha256:x"),
            ("x-ms-correlation-request-id", "c"),
            ("set-cookie", "a=b"),
            ("Content-Type", "text/plain"),
            ("Set-cookie", "c=d"),
        ] {
            answer.append_header(name, value).unwrap();
        }
        spell(&mut answer).unwrap();
        let mut written = Vec::new();
        answer.header_to_h1_wire(&mut written);
        let written = String::from_utf8(written).unwrap();
        let mut lines: Vec<&str> = written.lines().collect();
        lines.sort_unstable();
        let expected = [
            "Content-Type: text/plain",
            "Docker-Content-Digest: sha256:x",
            "Etag: x",
            "Link: </v2/_catalog?last=b&n=1&orderby=>; rel=\"next\"",
            "Location: /v2/a",
            "Set-Cookie: a=b",
            "Set-Cookie: c=d",
            "Www-Authenticate: Bearer",
            "X-Ms-Correlation-Request-Id: c",
        ];
        assert_eq!(lines, expected);
    }
}

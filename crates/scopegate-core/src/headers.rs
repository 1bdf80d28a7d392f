//! Which header fields of a request reach the registry behind an edge, and which of its answer
//! reach the client.
//!
//! A registry must read no parameter that was not decided about, wherever it reads parameters from.
//! This is what the handlers of CNCF distribution (2.7.1 to 3.1.2), zot (2.1), Harbor (2.0 and
//! later) and Quay (3.x) read of a request, and what becomes of it here:
//!
//! | read from | by | what | here |
//! |---|---|---|---|
//! | path | all | name, reference, digest, upload | read by [`route`](mod@crate::route), sent in its one spelling |
//! | query | distribution, Harbor, Quay: `mount` and `from`; zot: `mount`, whatever `from` says | another repository | decided, or taken out ([`admission`](crate::admission)) |
//! | query | all: `digest`, `n`, `last`, `artifactType`; distribution: `_state`; zot: `tag` of a manifest; Quay: `next_page` | within the repository of the path | sent on |
//! | query | proxies that fetch what they lack: `ns` (containerd sends it), `origin` (crane) | another registry | taken out |
//! | query, `;` between two pairs | programs of Go before 1.17, such as distribution 2.7.1 | any of these | refused |
//! | query, `_method` | Beego's controllers, on which Harbor is built | another method | refused |
//! | urlencoded body of POST, PUT, PATCH | Go's `FormValue`, which distribution asks for `mount`, `from`, `digest` and `_state`; Beego, werkzeug | the same, and the body wins over the query | no type of a form is sent |
//! | multipart body of any method | the same; the query wins | the same | no type of a form is sent |
//! | `Content-Type` | all: of a manifest; zot, distribution: of an upload | how the body is read | set, see below |
//! | `X-HTTP-Method-Override` and its kin | middleware before a registry | another method | refused |
//! | `Host`, `X-Forwarded-Host`, `X-Forwarded-Proto`, `Forwarded` | distribution, Harbor, Quay | where `Location` and challenges lead | `Host` is sent on, the others are the edge's own |
//! | `X-Forwarded-For`, `X-Real-Ip` | distribution: logs, events, its filter of addresses; zot: policies; Quay | who asks | the edge's own |
//! | `Authorization`, `Cookie`, `X-ZOT-API-CLIENT`, `X-Harbor-CSRF-Token` | zot, Harbor, Quay | who asks | not sent |
//! | the hop count of zot's cluster | zot, which ends when it is there | | not sent |
//! | `Content-Range`, `Content-Length`, `Range` | all | which part of a blob | sent on |
//! | `Accept`, `If-None-Match`, `If-Range` and its kin | all | which form of a manifest, and whether at all | sent on |
//! | `User-Agent` | Harbor, zot, Quay: events, policies, old clients | which program asks | sent on |
//!
//! The type of a body is **set**, and no form is ever recognised: what a form is, its reader says,
//! and readers differ. (Go takes `application/x-www-form-urlencoded; bad`, the first of two lines,
//! and multipart with GET.)
//!
//! | request | type |
//! |---|---|
//! | `POST`, `PATCH`, `PUT` of an upload | `application/octet-stream` |
//! | `PUT` of a manifest | its media type, where that is JSON's or a vendor's, without parameters; else `application/octet-stream` |
//! | `PATCH` below `/acr/v1` | `application/json` |
//! | any other | none |
//!
//! An answer loses what a browser would obey, because the bytes of a registry are anybody's.
//!
//! Left out: the header fields that an edge writes itself (`X-Forwarded-*`, the id of a request);
//! everything hop by hop, which is the business of its HTTP library; what a registry does without
//! being asked: zot with `dedupe` copies a blob into a repository for any client that asks there
//! for its digest, unless its own access control is on.

use crate::error::{Error, ErrorKind};
use crate::lean::text::cut;
use crate::route::{Endpoint, Route};

/// The header fields of a request that are sent on, in lower case and in order. `content-type` is
/// sent as [`Forward::content_type`](crate::admission::Forward::content_type) says.
pub const REQUEST: [&str; 26] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "content-digest",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "docker-content-digest",
    "docker-distribution-api-version",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
    "repr-digest",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "user-agent",
    "want-content-digest",
    "want-repr-digest",
    "x-ms-client-request-id",
];

/// The header fields of an answer that are not passed on, in lower case. So are all whose names
/// begin with [`ANSWER_WITHHELD_PREFIX`].
pub const ANSWER_WITHHELD: [&str; 9] = [
    "alt-svc",
    "clear-site-data",
    "nel",
    "refresh",
    "report-to",
    "reporting-endpoints",
    "service-worker-allowed",
    "set-cookie",
    "strict-transport-security",
];

/// How the header fields begin by which a server opens its answers to pages of other origins.
pub const ANSWER_WITHHELD_PREFIX: &str = "access-control-";

/// What every answer of a registry gets, so that a browser which is led to it obeys nothing in it.
pub const ANSWER_ADDED: [(&str, &str); 2] = [
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "sandbox; default-src 'none'"),
];

/// Uploads: bytes, whatever a client calls them.
const OCTET_STREAM: &str = "application/octet-stream";
const JSON: &str = "application/json";

/// Whether a header field of a request is sent on. Its name is in lower case.
///
/// ```
/// use scopegate_core::headers::is_sent_on;
///
/// assert!(is_sent_on("range"));
/// assert!(!is_sent_on("x-forwarded-host") && !is_sent_on("content_type"));
/// ```
#[must_use]
pub fn is_sent_on(name: &str) -> bool {
    REQUEST.binary_search(&name).is_ok()
}

/// Whether a header field of an answer is passed on. Its name is in lower case.
///
/// ```
/// use scopegate_core::headers::is_passed_on;
///
/// assert!(is_passed_on("docker-content-digest"));
/// assert!(!is_passed_on("set-cookie") && !is_passed_on("access-control-allow-origin"));
/// ```
#[must_use]
pub fn is_passed_on(name: &str) -> bool {
    !ANSWER_WITHHELD.contains(&name) && !name.starts_with(ANSWER_WITHHELD_PREFIX)
}

/// The header fields by which a client names another method than the one of its request.
const METHOD_OVERRIDES: [&str; 3] =
    ["x-http-method", "x-http-method-override", "x-method-override"];

/// The header fields of a request that a decision depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent<'a> {
    /// The value of `Content-Type`, as it came.
    content_type: Option<&'a [u8]>,
}

impl<'a> Sent<'a> {
    /// Reads the header fields of a request: names in any case, values as they came.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::HeaderRepeated`] for two lines of `Content-Type`, and for one with a comma in
    /// it, which says the same (RFC 9110, 5.3); [`ErrorKind::MethodOverride`] for
    /// `X-HTTP-Method-Override: DELETE`.
    pub(crate) fn read(
        headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<Self, Error> {
        let mut sent = Self::default();
        for (name, value) in headers {
            if METHOD_OVERRIDES.iter().any(|other| is_named(name, other)) {
                return Err(Error::new(ErrorKind::MethodOverride, 0));
            }
            if is_named(name, "content-type")
                && (sent.content_type.replace(value).is_some() || value.contains(&b','))
            {
                return Err(Error::new(ErrorKind::HeaderRepeated, 0));
            }
        }
        Ok(sent)
    }

    /// The `Content-Type` that a registry is sent with a request, if any: the table of this module.
    pub(crate) fn content_type(self, method: &str, route: &Route<'_>) -> Option<&'a str> {
        match (route.endpoint, method) {
            (Endpoint::StartUpload | Endpoint::Upload, "POST" | "PATCH" | "PUT") => {
                Some(OCTET_STREAM)
            }
            (Endpoint::Manifest, "PUT") => {
                Some(self.content_type.and_then(media_type).unwrap_or(OCTET_STREAM))
            }
            (_, "PATCH") => Some(JSON),
            _ => None,
        }
    }
}

/// Whether a field has this name, in any case. An underscore is a hyphen to software that makes
/// variables of header fields (CGI).
fn is_named(name: &[u8], expected: &str) -> bool {
    let same = |(byte, expected): (&u8, u8)| {
        byte.eq_ignore_ascii_case(&expected) || (*byte == b'_' && expected == b'-')
    };
    name.len() == expected.len() && name.iter().zip(expected.bytes()).all(same)
}

/// The media type of a manifest, without parameters: JSON, or a vendor's. `None` for any other,
/// forms among them.
///
/// Follows RFC 6838, 4.2. That no form is one of these is a property of the rule and not of a list
/// of forms: the types of forms have neither a vendor's prefix nor the suffix of JSON.
fn media_type(value: &[u8]) -> Option<&str> {
    const MAX_SUBTYPE_LEN: usize = 127;
    let text = core::str::from_utf8(value).ok()?;
    let (essence, _) = cut(text, b';').unwrap_or((text, ""));
    let essence = essence.trim_matches([' ', '\t']);
    let (kind, subtype) = cut(essence, b'/')?;
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b);
    let has = |part: Option<&str>, expected: &str| {
        part.is_some_and(|part| part.eq_ignore_ascii_case(expected))
    };
    let is_json = subtype.eq_ignore_ascii_case("json")
        || has(subtype.get(subtype.len().saturating_sub(5)..), "+json");
    let is_vendor = has(subtype.get(..4), "vnd.");
    let is_manifest = kind.eq_ignore_ascii_case("application")
        && subtype.len() <= MAX_SUBTYPE_LEN
        && subtype.bytes().all(is_name)
        && (is_json || is_vendor);
    is_manifest.then_some(essence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::{Settings, route};

    #[track_caller]
    fn sets(request: &str, headers: &[(&str, &str)], expected: Result<Option<&str>, ErrorKind>) {
        let (method, target) = request.split_once(' ').unwrap();
        let route = route(method, target, &Settings::default()).unwrap();
        let bytes = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let set = Sent::read(bytes).map(|sent| sent.content_type(method, &route));
        assert_eq!(set.map_err(Error::kind), expected, "{request} {headers:?}");
    }

    #[test]
    fn the_type_of_a_body_is_set() {
        let octets = Some("application/octet-stream");
        for form in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
            let headers = [("Content-Type", form)];
            sets("POST /v2/a/blobs/uploads/", &headers, Ok(octets));
            sets("PATCH /v2/a/blobs/uploads/u", &headers, Ok(octets));
            sets("PUT /v2/a/blobs/uploads/u?digest=x", &headers, Ok(octets));
            sets("PUT /v2/a/manifests/v1", &headers, Ok(octets));
            sets("PATCH /acr/v1/a/_tags/v1", &headers, Ok(Some("application/json")));
            for other in [
                "GET /v2/a/manifests/v1",
                "HEAD /v2/",
                "GET /v2/a/blobs/uploads/u",
                "DELETE /v2/a/blobs/uploads/u",
                "PUT /acr/v1/a/_metadata/k",
                "PUT /helm/v1/a/_blobs/c.tgz",
            ] {
                sets(other, &headers, Ok(None));
            }
        }
        sets("POST /v2/a/blobs/uploads/", &[], Ok(octets));
    }

    #[test]
    fn a_manifest_keeps_its_media_type() {
        let kept = [
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.v1+prettyjws",
            "application/json",
            "Application/Vnd.Oci.Image.Index.v1+JSON",
            "application/x+json",
        ];
        for value in kept {
            sets("PUT /v2/a/manifests/v1", &[("content-type", value)], Ok(Some(value)));
        }
        let spaced = "application/json ; charset=utf-8";
        sets("PUT /v2/a/manifests/v1", &[("content-type", spaced)], Ok(Some("application/json")));
        for value in [
            "application/x-www-form-urlencoded",
            "application/x-url-encoded",
            "application/vnd.a b",
            "application/vnd.a/b",
            "application/vnd.caf\u{e9}",
            "application/+jso",
            "text/vnd.a+json",
            "multipart/vnd.a+json",
            "application",
            "/json",
            ";",
            "application/vnd.a\n",
        ] {
            let octets = Some("application/octet-stream");
            sets("PUT /v2/a/manifests/v1", &[("content-type", value)], Ok(octets));
        }
    }

    #[test]
    fn what_two_readers_could_read_in_two_ways_is_refused() {
        let json = "application/json";
        for headers in [
            &[("Content-Type", json), ("content-type", json)][..],
            &[("Content-Type", json), ("Content_Type", json)],
            &[("Content-Type", "application/json, application/x-www-form-urlencoded")],
        ] {
            sets("GET /v2/", headers, Err(ErrorKind::HeaderRepeated));
        }
        for name in ["X-HTTP-Method-Override", "x-http-method", "X_METHOD_OVERRIDE"] {
            sets("GET /v2/", &[(name, "")], Err(ErrorKind::MethodOverride));
        }
        sets("GET /v2/", &[("X-HTTP-Methods", "PUT"), ("Accept", "a, b")], Ok(None));
    }

    #[test]
    fn lists_are_in_order_and_in_lower_case() {
        assert!(REQUEST.is_sorted());
        let names = REQUEST.iter().chain(&ANSWER_WITHHELD);
        assert!(names.into_iter().all(|name| *name == name.to_ascii_lowercase()));
    }

    /// What is set is set again: a host that says what it will send gets the same answer.
    #[test]
    fn setting_twice_is_setting_once() {
        for value in ["application/vnd.a+json;x=y", "multipart/form-data", ""] {
            for request in ["PUT /v2/a/manifests/v1", "POST /v2/a/blobs/uploads/", "GET /v2/"] {
                let (method, target) = request.split_once(' ').unwrap();
                let route = route(method, target, &Settings::default()).unwrap();
                let set = |value: &'static str| {
                    let headers = [(&b"content-type"[..], value.as_bytes())];
                    Sent::read(headers).unwrap().content_type(method, &route)
                };
                let once = set(value);
                assert_eq!(once.map_or(once, set), once, "{request} {value}");
            }
        }
    }
}

//! One HTTP request at the edge: what is forwarded, or what is answered instead.
//!
//! This is all that a proxy before a registry has to decide, in one place, so that every proxy
//! decides the same: the request is read ([`route`](mod@crate::route),
//! [`headers`](mod@crate::headers)), the access of its token is compared with what it needs
//! ([`verify`](mod@crate::verify)), and a client without that access gets a challenge
//! ([`challenge`](mod@crate::challenge)). What goes on is all of the request that a registry reads
//! a parameter from: the method, the target and the type of the body, as the engine writes them. A
//! host sends these and no others. The answers are those of Azure Container Registry and of
//! <https://github.com/distribution/distribution/blob/main/registry/auth/token/accesscontroller.go>:
//! `401`, never `403`.
//!
//! A mount without the right to pull from its source is no refusal: the request goes on as a plain
//! upload, which is what the distribution specification has a registry do that cannot mount, and
//! the client sends the blob. So does a mount that names no source, because a registry that looks
//! for the blob everywhere would give what no decision allowed.
//!
//! Left out: which other header fields are sent on, which a host takes from
//! [`headers`](mod@crate::headers); whether a token is genuine, in time, not revoked, and meant for
//! this service. The host finds that out first.

use alloc::borrow::Cow;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::access::RequiredScope;
use crate::challenge::{Challenge, ChallengeError, error_body, unauthorized_body};
use crate::error::{Error, ErrorKind};
use crate::headers::Sent;
use crate::lean::text::{cut, pieces};
use crate::route::{Endpoint, Route, Settings, has_key, route};
use crate::verify::{Grant, verify};

/// A request, as far as a registry reads parameters from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a, H> {
    /// The method, as in the request line.
    pub method: &'a str,
    /// The path with its query, as in the request line.
    pub target: &'a str,
    /// Names and values of the header fields, a pair for each line, in any case and order. All may
    /// be given; what matters is `Content-Type` and what names another method.
    pub headers: H,
}

/// Where clients of this registry get their tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority<'a> {
    /// The address of the token endpoint.
    pub realm: &'a str,
    /// Whom tokens are for.
    pub service: &'a str,
}

/// The credential of a request, as the host found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential<G> {
    /// Nothing.
    Absent,
    /// An unacceptable token: forged, expired, revoked, or for another audience.
    Invalid,
    /// A token that is good, with what it grants.
    Valid(G),
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission<'a> {
    /// It goes on to the registry.
    Forward(Forward<'a>),
    /// It is answered here.
    Refusal(Refusal),
}

/// A request that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward<'a> {
    /// What it is, and what it needed.
    pub route: Route<'a>,
    /// The target to send: the canonical path, and the query. Borrowed where that is what came in,
    /// byte for byte.
    pub target: Cow<'a, str>,
    /// The `Content-Type` to send instead of the client's; `None`: send none.
    pub content_type: Option<&'a str>,
}

/// An answer instead of the registry's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status: 401 without the access that is needed, 400, 404 or 405 for a request that
    /// the API does not have.
    pub status: u16,
    /// The value of `WWW-Authenticate`, with a 401.
    pub challenge: Option<String>,
    /// The body, JSON with a line feed at its end. A HEAD gets none of it, but its headers.
    pub body: String,
    /// What the request needs and the token does not hold, for logs; nothing when the request could
    /// not be read.
    pub missing: Vec<RequiredScope<'static>>,
}

/// Decides about a request.
///
/// ```
/// use scopegate_core::admission::{Admission, Authority, Credential, Request, admit};
/// use scopegate_core::verify::Grant;
///
/// let authority = Authority { realm: "https://r.example/oauth2/token", service: "r.example" };
/// let token = Credential::Valid([Grant::read("repository:team/app:pull").unwrap()]);
/// let decide = |method, target| {
///     let headers = [(&b"Content-Type"[..], &b"application/x-www-form-urlencoded"[..])];
///     admit(Request { method, target, headers }, token, authority, &Default::default())
/// };
///
/// let Admission::Forward(forward) = decide("GET", "/v2/team%2Fapp/manifests/v1") else { panic!() };
/// assert_eq!(forward.target, "/v2/team/app/manifests/v1");
/// assert_eq!(forward.content_type, None);
/// let Admission::Refusal(refusal) = decide("PUT", "/v2/team/app/manifests/v1") else { panic!() };
/// assert_eq!(refusal.status, 401);
/// assert_eq!(refusal.missing[0].to_string(), "repository:team/app:push");
/// ```
pub fn admit<'a, 'g, H, G>(
    request: Request<'a, H>,
    credential: Credential<G>,
    authority: Authority<'_>,
    settings: &Settings,
) -> Admission<'a>
where
    H: IntoIterator<Item = (&'a [u8], &'a [u8])>,
    G: IntoIterator<Item = Grant<'g>> + Clone,
{
    let Request { method, target, headers } = request;
    let read = route(method, target, settings)
        .and_then(|route| Ok((Sent::read(headers)?.content_type(method, &route), route)));
    let (content_type, route) = match read {
        Ok(read) => read,
        Err(error) => return Admission::Refusal(Refusal::unreadable(error)),
    };
    let grants = match credential {
        Credential::Absent => return Admission::Refusal(Refusal::new(&route, authority, None)),
        Credential::Invalid => {
            let error = Some(ChallengeError::InvalidToken);
            return Admission::Refusal(Refusal::new(&route, authority, error));
        }
        Credential::Valid(grants) => grants,
    };
    let (_, query) = cut(target, b'?').unwrap_or((target, ""));
    let withheld = match verify(grants, &route.scopes, settings.profile) {
        Ok(()) if names_no_source(&route, query) => Withheld::Mount,
        Ok(()) => Withheld::OtherRegistries,
        Err(missing) if misses_only_the_source(&route, &missing) => Withheld::Mount,
        Err(missing) => {
            let mut refusal =
                Refusal::new(&route, authority, Some(ChallengeError::InsufficientScope));
            refusal.missing = missing.iter().map(owned).collect();
            return Admission::Refusal(refusal);
        }
    };
    let target = target_without(withheld, target, query, &route);
    Admission::Forward(Forward { route, target, content_type })
}

/// What is taken out of a query.
#[derive(Clone, Copy)]
enum Withheld {
    /// What names another registry: `ns` of containerd, `origin` of crane. Proxies that fetch what
    /// they lack may read them.
    OtherRegistries,
    /// That, and the blob to mount with its source.
    Mount,
}

impl Withheld {
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::OtherRegistries => &["ns", "origin"],
            Self::Mount => &["ns", "origin", "mount", "from"],
        }
    }

    fn holds(self, pair: &str) -> bool {
        self.keys().iter().any(|key| has_key(pair, key))
    }
}

/// The canonical path with what is left of the query.
fn target_without<'a>(
    withheld: Withheld,
    target: &'a str,
    query: &str,
    route: &Route<'a>,
) -> Cow<'a, str> {
    let is_whole = !pieces(query, b'&').any(|pair| withheld.holds(pair));
    if is_whole && matches!(route.path, Cow::Borrowed(_)) && !target.ends_with('?') {
        return Cow::Borrowed(target);
    }
    let mut whole = route.path.clone().into_owned();
    let mut separator = '?';
    let is_kept = |pair: &&str| !pair.is_empty() && !withheld.holds(pair);
    for pair in pieces(query, b'&').filter(is_kept) {
        whole.push(separator);
        whole.push_str(pair);
        separator = '&';
    }
    Cow::Owned(whole)
}

/// Whether this is an upload that names no source, whatever else its query says. An empty one is
/// none.
fn names_no_source(route: &Route<'_>, query: &str) -> bool {
    let names_one = |pair: &str| {
        let (_, value) = cut(pair, b'=').unwrap_or((pair, ""));
        has_key(pair, "from") && !value.is_empty()
    };
    route.endpoint == Endpoint::StartUpload && !pieces(query, b'&').any(names_one)
}

/// Whether the token may upload, and only not pull from where it wants to mount.
fn misses_only_the_source(route: &Route<'_>, missing: &[RequiredScope<'_>]) -> bool {
    match (route.endpoint, route.scopes.as_slice(), missing) {
        (Endpoint::StartUpload, [_, source], [one]) => one.name == source.name,
        _ => false,
    }
}

impl Refusal {
    fn new(route: &Route<'_>, authority: Authority<'_>, error: Option<ChallengeError>) -> Self {
        let Authority { realm, service } = authority;
        Self {
            status: 401,
            challenge: Some(Challenge::bearer(realm, service, &route.scopes, error).to_string()),
            body: unauthorized_body("authentication required", &route.scopes),
            missing: route.scopes.iter().map(owned).collect(),
        }
    }

    fn unreadable(error: Error) -> Self {
        let kind = error.kind();
        let (status, code) = status_and_code(kind);
        let body = error_body(code, kind.message(), kind.hint());
        Self { status, challenge: None, body, missing: Vec::new() }
    }
}

/// The one mapping of errors of a route to answers.
///
/// A reference that cannot exist does not exist: that is what registries answer, and what the
/// conformance tests of the distribution specification ask for.
const fn status_and_code(kind: ErrorKind) -> (u16, &'static str) {
    match kind {
        ErrorKind::PathUnknown => (404, "UNSUPPORTED"),
        ErrorKind::MethodUnknown => (405, "UNSUPPORTED"),
        ErrorKind::ReferenceInvalid => (404, "MANIFEST_UNKNOWN"),
        ErrorKind::PathAmbiguous
        | ErrorKind::QueryAmbiguous
        | ErrorKind::QueryCharacter
        | ErrorKind::MethodOverride
        | ErrorKind::HeaderRepeated => (400, "UNSUPPORTED"),
        _ => (400, "NAME_INVALID"),
    }
}

fn owned(scope: &RequiredScope<'_>) -> RequiredScope<'static> {
    let name = Cow::Owned(scope.name.clone().into_owned());
    RequiredScope { resource_type: scope.resource_type, name, actions: scope.actions }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTHORITY: Authority<'_> = Authority { realm: "https://r/t", service: "r" };
    const BASE: &str = r#"Bearer realm="https://r/t",service="r""#;

    /// What becomes of a request with a token that holds these entries: `-` is no token, `!` one
    /// that is no good.
    fn decide(token: &str, method: &str, target: &str) -> String {
        let grants: Vec<_> = token.split(' ').filter_map(Grant::read).collect();
        let credential = match token {
            "-" => Credential::Absent,
            "!" => Credential::Invalid,
            _ => Credential::Valid(grants.iter().copied()),
        };
        let request = Request { method, target, headers: [] };
        match admit(request, credential, AUTHORITY, &Settings::default()) {
            Admission::Forward(forward) => forward.target.into_owned(),
            Admission::Refusal(refusal) => {
                let challenge = refusal.challenge.unwrap_or_default().replace(BASE, "");
                assert!(refusal.body.ends_with("}]}\n"), "{}", refusal.body);
                alloc::format!("{}{challenge}", refusal.status)
            }
        }
    }

    #[test]
    fn requests() {
        let upload = "/v2/a/blobs/uploads/";
        let (pull, push, all) =
            ("repository:a:pull", "repository:a:pull,push", "repository:a:* repository:b:*");
        for (token, method, target, expected) in [
            ("-", "GET", "/v2/", "401"),
            ("!", "GET", "/v2/", r#"401,error="invalid_token""#),
            ("", "GET", "/v2", "/v2/"),
            ("-", "GET", "/v2/a/manifests/x", r#"401,scope="repository:a:pull""#),
            (pull, "GET", "/v2/%61/manifests/x?n=%2F", "/v2/a/manifests/x?n=%2F"),
            (pull, "HEAD", "/v2/a/manifests/x?", "/v2/a/manifests/x"),
            (
                pull,
                "PUT",
                "/v2/a/manifests/x",
                r#"401,scope="repository:a:pull,push",error="insufficient_scope""#,
            ),
            (all, "GET", "/v2/a//manifests/x", "400"),
            (all, "GET", "/v2/A/manifests/x", "400"),
            (all, "GET", "/v3", "404"),
            (all, "GET", "/v2/a/manifests/.x", "404"),
            (all, "POST", "/v2/a/manifests/x", "405"),
            ("-", "POST", "/v2/a/manifests/x", "405"),
            (all, "GET", "/v2/a/tags/list?n=1\r\nX: y", "400"),
            (all, "GET", "/v2/a/tags/list?n=\u{e9}", "400"),
            (push, "POST", upload, upload),
            (pull, "GET", "/v2/a/manifests/x?ns=docker.io&y&", "/v2/a/manifests/x?y"),
            (pull, "GET", "/v2/a/manifests/x?n%73=docker.io", "/v2/a/manifests/x"),
        ] {
            assert_eq!(decide(token, method, target), expected, "{token} {method} {target}");
        }
    }

    #[test]
    fn mounts() {
        let both = "repository:a:pull,push repository:b:pull";
        let push = "repository:a:pull,push";
        let needs =
            r#"401,scope="repository:a:pull,push repository:b:pull",error="insufficient_scope""#;
        for (token, query, expected) in [
            (both, "?mount=D&from=b", "?mount=D&from=b"),
            (push, "?mount=D&from=b", ""),
            (push, "?mount=D&from=a", "?mount=D&from=a"),
            (push, "?mount=D", ""),
            (both, "?mount=D", ""),
            (push, "?mount=D&x=1&&from=b&y", "?x=1&y"),
            (push, "?%6dount=D&%66rom=b", ""),
            (push, "?digest=D", "?digest=D"),
            (both, "?mount=D&from=", ""),
            (both, "?x=1;mount=D;from=b", "400"),
            (both, "?mount=D&from=b&origin=other.example", "?mount=D&from=b"),
            (both, "?mount=D&from=b&ns=", "?mount=D&from=b"),
            ("repository:b:pull", "?mount=D&from=b", needs),
            ("repository:a:push repository:b:pull", "?mount=D&from=b", needs),
            ("repository:a:pull", "?mount=D&from=b", needs),
            ("", "?mount=D&from=b", needs),
            (both, "?mount=D&from=b&from=a", "400"),
        ] {
            let target = ["/v2/a/blobs/uploads/", query].concat();
            let path = if expected.starts_with(['4']) { "" } else { "/v2/a/blobs/uploads/" };
            let expected = [path, expected].concat();
            assert_eq!(decide(token, "POST", &target), expected, "{token} {target}");
        }
    }

    #[test]
    fn header_fields_are_part_of_the_request() {
        let token = || Credential::Valid(Grant::read("repository:a:pull,push"));
        for (name, value, expected) in [
            ("content-type", "application/x-www-form-urlencoded", Ok("application/octet-stream")),
            ("accept", "text/plain, text/html", Ok("application/octet-stream")),
            ("content-type", "a/b, c/d", Err(400)),
            ("x-http-method-override", "GET", Err(400)),
        ] {
            let headers = [(name.as_bytes(), value.as_bytes())];
            let request = Request { method: "POST", target: "/v2/a/blobs/uploads/", headers };
            let set = match admit(request, token(), AUTHORITY, &Settings::default()) {
                Admission::Forward(forward) => Ok(forward.content_type.unwrap_or("none")),
                Admission::Refusal(refusal) => Err(refusal.status),
            };
            assert_eq!(set, expected, "{name}: {value}");
        }
    }

    #[test]
    fn a_refusal_names_what_is_missing() {
        let token = [Grant::read("repository:a:pull").unwrap()];
        let request = Request { method: "PUT", target: "/v2/a/manifests/x", headers: [] };
        let Admission::Refusal(refusal) =
            admit(request, Credential::Valid(token), AUTHORITY, &Settings::default())
        else {
            panic!("a manifest was put with pull alone");
        };
        assert_eq!(refusal.missing[0].to_string(), "repository:a:push");
        assert!(refusal.body.contains(r#"{"Type":"repository","Name":"a","Action":"push"}"#));
    }
}

//! The request to decide about, as its proxy states it.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri, header};

/// The path that Envoy prepends to the original one, and the header with the whole original target.
const ENVOY: &str = "/authz/envoy";
const TARGET: &str = "x-scopegate-target";

/// The principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proxy {
    Nginx,
    Forward,
    Envoy,
}

/// The header with the `Content-Type` that the proxy will forward, and its value for none.
const CONTENT_TYPE: &str = "x-scopegate-content-type";
const NO_CONTENT_TYPE: &str = "none";

/// A request to decide about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) method: String,
    pub(super) target: String,
    /// The type of the forwarded body.
    content_type: Option<String>,
    /// Whether the proxy forwards the canonical target instead of the original one.
    rewrites: bool,
}

/// Why a request is refused, independent of its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QuestionError {
    /// A header that is missing, repeated, or not text.
    Request,
    /// The same for Envoy's target, or a target that differs from the address.
    Target,
    /// The same for the type of the body.
    ContentType,
    /// The proxy would forward another type than the engine sets.
    OtherContentType,
    /// The registry could read a different request from the forwarded one.
    OtherTarget,
}

impl QuestionError {
    /// The message for the client; the first four are for the operator of the proxy.
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::Request => "the request to decide on is missing, or sent twice",
            Self::Target => {
                "the proxy does not say in X-Scopegate-Target what it was asked for; set it to %REQ(:path)%"
            }
            Self::ContentType => {
                "the proxy does not say in X-Scopegate-Content-Type what it sends on"
            }
            Self::OtherContentType => "the proxy sends on another Content-Type than is decided",
            Self::OtherTarget => "ambiguous request",
        }
    }
}

impl Question {
    pub(super) fn read(proxy: Proxy, parts: &Parts) -> Result<Self, QuestionError> {
        let headers = &parts.headers;
        let request = match proxy {
            Proxy::Nginx => original(headers, "x-original-method", "x-original-uri"),
            Proxy::Forward => original(headers, "x-forwarded-method", "x-forwarded-uri"),
            Proxy::Envoy => {
                let target = whole_target(parts).ok_or(QuestionError::Target)?;
                Some((parts.method.as_str().to_owned(), target))
            }
        };
        let (method, target) = request.ok_or(QuestionError::Request)?;
        let content_type = stated_type(headers).ok_or(QuestionError::ContentType)?;
        // Envoy's query is the client's.
        let rewrites = proxy != Proxy::Envoy && parts.uri.query() == Some("rewrites=true");
        Ok(Self { method, target, content_type, rewrites })
    }

    /// The forwarded header fields that are known here: those of the call, and the type of the body
    /// that the proxy states.
    pub(super) fn headers<'h>(
        &'h self,
        received: &'h HeaderMap,
    ) -> impl Iterator<Item = (&'h [u8], &'h [u8])> {
        let others = received.iter().filter(|(name, _)| *name != header::CONTENT_TYPE);
        let others = others.map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        let stated = self.content_type.as_deref();
        others.chain(stated.map(|stated| (&b"content-type"[..], stated.as_bytes())))
    }

    /// Whether a registry reads the allowed request from what the proxy forwards.
    pub(super) fn may_go_on_as(
        &self,
        target: &str,
        content_type: Option<&str>,
    ) -> Result<(), QuestionError> {
        if self.content_type.as_deref() != content_type {
            return Err(QuestionError::OtherContentType);
        }
        let ((path, query), (own_path, own_query)) = (parts(target), parts(&self.target));
        let is_same = path == own_path && pairs(query).eq(pairs(own_query));
        if self.rewrites || is_same { Ok(()) } else { Err(QuestionError::OtherTarget) }
    }
}

fn original(
    headers: &HeaderMap,
    method: &'static str,
    target: &'static str,
) -> Option<(String, String)> {
    Some((one(headers, method)?, one(headers, target)?))
}

/// The value of a header that occurs once and is text.
fn one(headers: &HeaderMap, name: &'static str) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map(ToOwned::to_owned).ok(),
        _ => None,
    }
}

/// The type of the body that the proxy states. The call carries that type itself too, as the
/// forwarded request will: otherwise a client could state it where the proxy's operator forgot to,
/// or have the proxy drop the type (`Connection`).
fn stated_type(headers: &HeaderMap) -> Option<Option<String>> {
    let stated = one(headers, CONTENT_TYPE)?;
    let mut own = headers.get_all(header::CONTENT_TYPE).iter();
    let stated = (stated != NO_CONTENT_TYPE).then_some(stated);
    let is_own = own.next().map(HeaderValue::as_bytes) == stated.as_deref().map(str::as_bytes);
    (is_own && own.next().is_none()).then_some(stated)
}

/// The original target at Envoy. The HTTP library cuts an address off at its `#`, so Envoy sends
/// the whole in a header. The two must agree up to there: otherwise a client could set the header
/// where Envoy does not.
fn whole_target(parts: &Parts) -> Option<String> {
    let target = one(&parts.headers, TARGET)?;
    let before_fragment = target.split('#').next().unwrap_or_default();
    (behind_prefix(&parts.uri)? == before_fragment).then_some(target)
}

fn behind_prefix(uri: &Uri) -> Option<&str> {
    uri.path_and_query().map_or("", |target| target.as_str()).strip_prefix(ENVOY)
}

fn parts(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

/// The parameters, as every reader of a query parses them.
fn pairs(
    query: &str,
) -> impl Iterator<Item = (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)> {
    form_urlencoded::parse(query.as_bytes())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn read(
        proxy: Proxy,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Result<Question, QuestionError> {
        let request = headers
            .iter()
            .fold(Request::put(target), |request, (name, value)| request.header(*name, *value));
        Question::read(proxy, &request.body(()).unwrap().into_parts().0)
    }

    const NONE: (&str, &str) = ("X-Scopegate-Content-Type", "none");

    #[test]
    fn each_proxy_says_it_in_its_own_way() {
        let list = "/v2/a/tags/list?n=1";
        let nginx = [NONE, ("X-Original-Method", "GET"), ("X-Original-URI", list)];
        let forward = [NONE, ("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", list)];
        let stated = |proxy, target, headers: &[_]| {
            let Question { method, target, rewrites, .. } = read(proxy, target, headers).unwrap();
            format!("{method} {target} {rewrites}")
        };
        for (proxy, target, headers, expected) in [
            (Proxy::Nginx, "/authz/nginx", &nginx[..], "GET /v2/a/tags/list?n=1 false"),
            (Proxy::Nginx, "/authz/nginx?rewrites=true", &nginx, "GET /v2/a/tags/list?n=1 true"),
            (Proxy::Nginx, "/authz/nginx?rewrites=1", &nginx, "GET /v2/a/tags/list?n=1 false"),
            (
                Proxy::Forward,
                "/authz/forward?rewrites=true",
                &forward,
                "GET /v2/a/tags/list?n=1 true",
            ),
            (
                Proxy::Envoy,
                "/authz/envoy/v2/a%2fb//?x=%41",
                &[NONE, ("X-Scopegate-Target", "/v2/a%2fb//?x=%41")],
                "PUT /v2/a%2fb//?x=%41 false",
            ),
            (
                Proxy::Envoy,
                "/authz/envoy/v2/?rewrites=true",
                &[NONE, ("X-Scopegate-Target", "/v2/?rewrites=true")],
                "PUT /v2/?rewrites=true false",
            ),
        ] {
            assert_eq!(stated(proxy, target, headers), expected);
        }
        let twice = [NONE, nginx[1], nginx[1], nginx[2]];
        for (proxy, headers) in [
            (Proxy::Nginx, &forward[..]),
            (Proxy::Nginx, &nginx[..2]),
            (Proxy::Nginx, &twice),
            (Proxy::Forward, &nginx),
        ] {
            let refused = read(proxy, "/authz/x", headers);
            assert_eq!(refused, Err(QuestionError::Request), "{proxy:?} {headers:?}");
        }
    }

    /// The part from `#` on was cut off before the decision, but would reach the registry.
    #[test]
    fn a_fragment_is_decided_about() {
        let name = "X-Scopegate-Target";
        for (uri, stated, expected) in [
            ("/authz/envoy/v2/a#b", &[(name, "/v2/a#b")][..], Ok("/v2/a#b")),
            ("/authz/envoy/v2/a?x#b?y", &[(name, "/v2/a?x#b?y")], Ok("/v2/a?x#b?y")),
            ("/authz/envoy/v2/a", &[(name, "/v2/a")], Ok("/v2/a")),
            ("/authz/envoy/v2/a", &[], Err(QuestionError::Target)),
            ("/authz/envoy/v2/a", &[(name, "/v2/a"), (name, "/v2/a")], Err(QuestionError::Target)),
            ("/authz/envoy/v2/a", &[(name, "/v2/b")], Err(QuestionError::Target)),
            ("/authz/envoy/v2/a?x", &[(name, "/v2/a")], Err(QuestionError::Target)),
            ("/authz/envoy/v2/a", &[(name, "")], Err(QuestionError::Target)),
        ] {
            let headers: Vec<_> = stated.iter().chain([&NONE]).copied().collect();
            let target = read(Proxy::Envoy, uri, &headers).map(|question| question.target);
            assert_eq!(target, expected.map(ToOwned::to_owned), "{uri} {stated:?}");
        }
    }

    #[test]
    fn a_proxy_says_what_it_sends_on() {
        let ask = |headers: &[(&'static str, &'static str)]| {
            let headers: Vec<_> =
                headers.iter().copied().chain([("X-Scopegate-Target", "/v2/")]).collect();
            read(Proxy::Envoy, "/authz/envoy/v2/", &headers)
        };
        let json = ("X-Scopegate-Content-Type", "application/json");
        let form = ("Content-Type", "multipart/form-data");
        let bytes = ("X-Scopegate-Content-Type", "\u{e9}");
        for headers in
            [&[][..], &[json], &[json, json], &[NONE, json], &[bytes], &[json, form], &[NONE, form]]
        {
            assert_eq!(ask(headers), Err(QuestionError::ContentType), "{headers:?}");
        }
        let own = ("Content-Type", "application/json");
        assert!(ask(&[json, own]).is_ok());
        assert!(ask(&[json, own, own]).is_err());
        for (stated, set, expected) in [
            (json, Some("application/json"), Ok(())),
            (NONE, None, Ok(())),
            (json, None, Err(QuestionError::OtherContentType)),
            (NONE, Some("application/json"), Err(QuestionError::OtherContentType)),
            (json, Some("application/octet-stream"), Err(QuestionError::OtherContentType)),
        ] {
            let headers = [stated, own];
            let question = ask(&headers[..1 + usize::from(stated == json)]).unwrap();
            assert_eq!(question.may_go_on_as("/v2/", set), expected, "{stated:?} {set:?}");
        }
    }

    #[test]
    fn what_a_registry_would_read_otherwise_does_not_go_on() {
        let other = Err(QuestionError::OtherTarget);
        for (target, canonical, expected) in [
            ("/v2/a/manifests/v1", "/v2/a/manifests/v1", Ok(())),
            ("/v2/%61/manifests/v1", "/v2/a/manifests/v1", other),
            (
                "/v2/a/blobs/uploads/?mount=sha256%3Aab&from=team%2Fb",
                "/v2/a/blobs/uploads/?mount=sha256:ab&from=team/b",
                Ok(()),
            ),
            ("/v2/a/blobs/uploads/?mount=sha256:ab", "/v2/a/blobs/uploads/", other),
            (
                "/v2/a/blobs/uploads/?mount=sha256:ab&from=b",
                "/v2/a/blobs/uploads/?mount=sha256:ab&from=c",
                other,
            ),
            ("/v2/_catalog?n=1&n=2", "/v2/_catalog?n=2&n=1", other),
        ] {
            for (rewrites, expected) in [(false, expected), (true, Ok(()))] {
                let (method, target) = (String::new(), target.to_owned());
                let question = Question { method, target, content_type: None, rewrites };
                assert_eq!(question.may_go_on_as(canonical, None), expected, "{question:?}");
            }
        }
    }
}

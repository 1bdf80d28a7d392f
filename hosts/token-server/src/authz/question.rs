//! The request that is asked about, as its proxy says it.

use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};

/// The path that Envoy puts before the original one.
const ENVOY: &str = "/authz/envoy";

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proxy {
    Nginx,
    Forward,
    Envoy,
}

/// A request that is decided about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) method: String,
    pub(super) target: String,
    /// Whether the proxy sends on what it is told to, in place of what it was sent.
    rewrites: bool,
}

/// Nothing that could be decided about: a header that is not there, stands twice, or is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoQuestion;

impl Question {
    pub(super) fn read(proxy: Proxy, parts: &Parts) -> Result<Self, NoQuestion> {
        let (method, target) = match proxy {
            Proxy::Nginx => original(&parts.headers, "x-original-method", "x-original-uri")?,
            Proxy::Forward => original(&parts.headers, "x-forwarded-method", "x-forwarded-uri")?,
            Proxy::Envoy => (parts.method.as_str().to_owned(), behind_prefix(&parts.uri)?),
        };
        // Envoy's query is the client's.
        let rewrites = proxy != Proxy::Envoy && parts.uri.query() == Some("rewrites=true");
        Ok(Self { method, target, rewrites })
    }

    /// Whether a registry that is sent what the proxy sends reads the request that may go on.
    pub(super) fn may_go_on_as(&self, canonical: &str) -> bool {
        let ((path, query), (own_path, own_query)) = (parts(canonical), parts(&self.target));
        self.rewrites || (path == own_path && pairs(query).eq(pairs(own_query)))
    }
}

fn original(
    headers: &HeaderMap,
    method: &'static str,
    target: &'static str,
) -> Result<(String, String), NoQuestion> {
    Ok((one(headers, method)?, one(headers, target)?))
}

fn one(headers: &HeaderMap, name: &'static str) -> Result<String, NoQuestion> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map(ToOwned::to_owned).map_err(|_| NoQuestion),
        _ => Err(NoQuestion),
    }
}

fn behind_prefix(uri: &Uri) -> Result<String, NoQuestion> {
    let whole = uri.path_and_query().map_or("", |target| target.as_str());
    whole.strip_prefix(ENVOY).map(ToOwned::to_owned).ok_or(NoQuestion)
}

fn parts(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

/// The parameters as every reader of a query reads them.
fn pairs(
    query: &str,
) -> impl Iterator<Item = (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)> {
    form_urlencoded::parse(query.as_bytes())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn read(proxy: Proxy, target: &str, headers: &[(&str, &str)]) -> Result<Question, NoQuestion> {
        let request = headers
            .iter()
            .fold(Request::put(target), |request, (name, value)| request.header(*name, *value));
        Question::read(proxy, &request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn each_proxy_says_it_in_its_own_way() {
        let nginx = [("X-Original-Method", "GET"), ("X-Original-URI", "/v2/a/tags/list?n=1")];
        let forward = [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/v2/a/tags/list?n=1")];
        let said = |proxy, target, headers: &[_]| {
            let Question { method, target, rewrites } = read(proxy, target, headers).unwrap();
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
            (Proxy::Envoy, "/authz/envoy/v2/a%2fb//?x=%41", &[], "PUT /v2/a%2fb//?x=%41 false"),
            (Proxy::Envoy, "/authz/envoy/v2/?rewrites=true", &[], "PUT /v2/?rewrites=true false"),
        ] {
            assert_eq!(said(proxy, target, headers), expected);
        }
        let twice = [nginx[0], nginx[0], nginx[1]];
        for (proxy, headers) in [
            (Proxy::Nginx, &forward[..]),
            (Proxy::Nginx, &nginx[..1]),
            (Proxy::Nginx, &twice),
            (Proxy::Forward, &nginx),
        ] {
            assert_eq!(read(proxy, "/authz/x", headers), Err(NoQuestion), "{proxy:?} {headers:?}");
        }
    }

    #[test]
    fn what_a_registry_would_read_otherwise_does_not_go_on() {
        for (target, canonical, expected) in [
            ("/v2/a/manifests/v1", "/v2/a/manifests/v1", true),
            ("/v2/%61/manifests/v1", "/v2/a/manifests/v1", false),
            (
                "/v2/a/blobs/uploads/?mount=sha256%3Aab&from=team%2Fb",
                "/v2/a/blobs/uploads/?mount=sha256:ab&from=team/b",
                true,
            ),
            ("/v2/a/blobs/uploads/?mount=sha256:ab", "/v2/a/blobs/uploads/", false),
            (
                "/v2/a/blobs/uploads/?mount=sha256:ab&from=b",
                "/v2/a/blobs/uploads/?mount=sha256:ab&from=c",
                false,
            ),
            ("/v2/_catalog?n=1&n=2", "/v2/_catalog?n=2&n=1", false),
        ] {
            for (rewrites, expected) in [(false, expected), (true, true)] {
                let question = Question { method: String::new(), target: target.into(), rewrites };
                assert_eq!(question.may_go_on_as(canonical), expected, "{target} {rewrites}");
            }
        }
    }
}

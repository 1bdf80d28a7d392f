//! The headers of every answer.
//!
//! Registry clients look for `Docker-Distribution-Api-Version`, `az` prints
//! `X-Ms-Correlation-Request-Id` with every error, browsers need `Access-Control-Expose-Headers` to
//! show any of it. Which ids of a client are used is the rule of [`scopegate_host::correlation`].

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use scopegate_host::answer::{self, API_VERSION};
use scopegate_host::correlation::{self, CORRELATION, guid};
use scopegate_host::forwarded::client_address;
use scopegate_host::networks::Networks;

use crate::app::Listener;
use crate::http::context::Context;
use crate::http::gateways::Gateways;

const CLIENT_REQUEST: HeaderName = HeaderName::from_static("x-ms-client-request-id");
const RETURN_CLIENT_REQUEST: HeaderName = HeaderName::from_static("x-ms-return-client-request-id");

const REGISTRY_2: HeaderValue = HeaderValue::from_static(answer::REGISTRY_2);
const EXPOSED: HeaderValue = HeaderValue::from_static(answer::EXPOSED);
const STRICT_TRANSPORT: HeaderValue = HeaderValue::from_static(answer::STRICT_TRANSPORT);
/// The default content security policy: a browser may show an answer, but not in a frame.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// How clients reach this server.
#[derive(Clone, Debug, Default)]
pub struct Reached {
    /// Over TLS, here or at a proxy.
    pub is_secure: bool,
    pub trusted_proxies: Networks,
    /// The gateways whose credentials are accepted, where the server accepts any.
    pub gateways: Option<Arc<Gateways>>,
    /// By which of its listeners.
    pub listener: Listener,
}

/// Adds the [`Context`] of a request, and completes the headers of its answer.
pub(crate) async fn complete(
    reached: &Reached,
    mut request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let context = context_of(reached, peer(&request), request.headers()).await;
    let is_registry = is_registry(request.uri().path());
    let client_request = client_request(request.headers());
    let correlation_id = context.correlation_id.parse().ok();
    request.extensions_mut().insert(context);
    let mut response = next(request).await;
    let headers = response.headers_mut();
    if is_registry {
        headers.insert(API_VERSION, REGISTRY_2);
    }
    if let Some(value) = correlation_id {
        headers.insert(CORRELATION, value);
    }
    if let Some(value) = client_request {
        headers.insert(CLIENT_REQUEST, value);
    }
    if reached.is_secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT);
    }
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(POLICY);
    response
}

fn peer(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip())
}

async fn context_of(reached: &Reached, peer: IpAddr, headers: &HeaderMap) -> Context {
    let is_from_gateway = match &reached.gateways {
        Some(gateways) => gateways.have_sent(peer, headers).await,
        None => false,
    };
    let address = client_address(peer, headers, &reached.trusted_proxies, is_from_gateway);
    Context {
        address,
        is_forwarded: address != peer.to_canonical(),
        listener: reached.listener,
        certificate: None,
        correlation_id: Arc::from(correlation::id(headers).to_string()),
    }
}

/// The registry's own paths, with everything below them.
fn is_registry(path: &str) -> bool {
    ["/v2", "/acr/v1"].iter().any(|root| {
        path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// The client's id of its request, when it is to be sent back.
fn client_request(headers: &HeaderMap) -> Option<HeaderValue> {
    let asked = headers.get(RETURN_CLIENT_REQUEST)?;
    if !asked.as_bytes().eq_ignore_ascii_case(b"true") {
        return None;
    }
    guid(headers, &CLIENT_REQUEST)?;
    headers.get(CLIENT_REQUEST).cloned()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::response::IntoResponse as _;

    use super::*;

    const GUID: &str = "7d3f1c2e-0000-4a5b-8c9d-0123456789ab";

    /// The headers of an answer, and the context that its handler saw.
    async fn completed(reached: Reached, request: Request) -> (HeaderMap, Context) {
        let mut known = None;
        let response = complete(&reached, request, async |request| {
            known = Some(Context::of(request.extensions()));
            ().into_response()
        });
        (response.await.headers().clone(), known.unwrap())
    }

    async fn answer(path: &str, is_secure: bool, sent: &[(&str, &str)]) -> HeaderMap {
        let reached = Reached { is_secure, ..Reached::default() };
        let request = sent
            .iter()
            .fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
        let (headers, known) = completed(reached, request.body(Body::empty()).unwrap()).await;
        assert_eq!(headers[CORRELATION], *known.correlation_id, "the handler knows another id");
        headers
    }

    #[tokio::test]
    async fn every_answer_has_them() {
        let headers = answer("/oauth2/token", false, &[]).await;
        assert_eq!(headers[CORRELATION].len(), 36);
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], POLICY);
        assert_eq!(headers[header::ACCESS_CONTROL_EXPOSE_HEADERS], EXPOSED);
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        assert!(!headers.contains_key(CLIENT_REQUEST));
        let headers = answer("/", true, &[]).await;
        assert_eq!(headers[header::STRICT_TRANSPORT_SECURITY], STRICT_TRANSPORT);
    }

    #[tokio::test]
    async fn the_version_is_for_the_registry() {
        for (path, expected) in [
            ("/v2", true),
            ("/v2/", true),
            ("/v2/_catalog", true),
            ("/acr/v1/_catalog", true),
            ("/v2x", false),
            ("/oauth2/token", false),
            ("/x/v2/", false),
        ] {
            let headers = answer(path, false, &[]).await;
            assert_eq!(headers.contains_key(API_VERSION), expected, "{path}");
        }
    }

    #[tokio::test]
    async fn ids_of_a_client() {
        let asked = ("x-ms-return-client-request-id", "true");
        for (name, value, taken) in [
            ("x-ms-correlation-request-id", GUID, true),
            ("x-ms-correlation-request-id", "7d3f1c2e00004a5b8c9d0123456789ab", false),
            ("x-ms-correlation-request-id", "not a guid, but thirty-six characters", false),
            ("x-ms-correlation-request-id", "", false),
            ("x-ms-client-request-id", GUID, true),
            ("x-ms-client-request-id", "{7d3f1c2e-0000-4a5b-8c9d-0123456789ab}", false),
            ("x-ms-client-request-id", "x", false),
        ] {
            let headers = answer("/", false, &[(name, value), asked]).await;
            let came_back = headers.get(name).is_some_and(|answer| answer == value);
            assert_eq!(came_back, taken, "{name}: {value}");
        }
        let headers = answer("/", false, &[("x-ms-client-request-id", GUID)]).await;
        assert!(!headers.contains_key(CLIENT_REQUEST), "nobody asked for it");
    }

    #[tokio::test]
    async fn the_address_is_the_one_that_a_proxy_saw() {
        for (proxies, expected) in [(&[][..], "192.0.2.9"), (&["192.0.2.9"], "203.0.113.1")] {
            let trusted_proxies = Networks::parse(proxies.iter().copied()).unwrap();
            let reached = Reached { trusted_proxies, ..Reached::default() };
            let peer: SocketAddr = "192.0.2.9:4711".parse().unwrap();
            let request = Request::get("/")
                .header("x-forwarded-for", "127.0.0.1, 203.0.113.1")
                .extension(ConnectInfo(peer))
                .body(Body::empty())
                .unwrap();
            let (_, known) = completed(reached, request).await;
            assert_eq!(known.address.to_string(), expected);
        }
    }
}

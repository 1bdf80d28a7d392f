//! The registry's host as clients see it: HTTPS, with our server, our gateway and a real registry
//! behind it.
//!
//! Requests for a token, or to the management API, reach our server, and requests for the
//! registry's own calls, `/v2` and `/acr/v1`, our gateway before CNCF distribution. All of them
//! arrive unmodified.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum_server::Handle;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::authority::Authority;
use super::gateway::Gateway;
use super::registry::Registry;
use super::server::Server;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The port that goes without saying.
pub(crate) const HTTPS: u16 = 443;

/// A host that serves as long as its test.
pub(crate) struct Front {
    port: u16,
    certificate: std::path::PathBuf,
    registry: Registry,
    handle: Handle<SocketAddr>,
    // Dropped after the handle: what still runs ends with it.
    runtime: Option<Runtime>,
    gateway: Gateway,
    _index: TempDir,
}

/// What every request needs.
struct Shared {
    server: String,
    gateway: String,
    client: reqwest::Client,
}

/// What clients call a registry that will listen on `port`.
pub(crate) fn host(port: u16) -> String {
    if port == HTTPS { "localhost".to_owned() } else { format!("localhost:{port}") }
}

impl Front {
    /// Starts in front of `server`, which knows it by [`host`].
    pub(crate) fn start(port: u16, authority: &Authority, server: &Server) -> Self {
        Self::before(Registry::open(), port, authority, server)
    }

    /// The same in front of this registry.
    pub(crate) fn before(
        registry: Registry,
        port: u16,
        authority: &Authority,
        server: &Server,
    ) -> Self {
        Self::with(registry, port, authority, server, "")
    }

    /// The same with more lines of the gateway's configuration.
    pub(crate) fn with(
        registry: Registry,
        port: u16,
        authority: &Authority,
        server: &Server,
        more: &str,
    ) -> Self {
        let index = tempfile::tempdir().unwrap();
        let more = format!(
            "realm: https://{}/oauth2/token\nauthorities: {}\nindex: {{data: {}, freshFor: 1ms}}\n{more}",
            host(port),
            authority.certificate().display(),
            index.path().display()
        );
        let gateway = Gateway::before(registry.port(), server, &more);
        // Not through a proxy, and no answer of our server is followed elsewhere.
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let behind = format!("http://{}", gateway.host());
        let shared = Arc::new(Shared { server: server.url(), gateway: behind, client });
        let routes = Router::new().fallback(answer).with_state(shared);
        let runtime = Runtime::new().unwrap();
        let tls = runtime.block_on(authority.for_axum());
        let handle = Handle::new();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let serving = axum_server::bind_rustls(address, tls)
            .handle(handle.clone())
            .serve(routes.into_make_service());
        runtime.spawn(serving);
        runtime.block_on(handle.listening()).expect("the front cannot listen");
        let (certificate, runtime) = (authority.certificate(), Some(runtime));
        Self { port, certificate, registry, handle, runtime, gateway, _index: index }
    }

    /// What clients call the registry.
    pub(crate) fn host(&self) -> String {
        host(self.port)
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.host())
    }

    /// Where the gateway itself is.
    pub(crate) fn gateway(&self) -> String {
        format!("http://{}", self.gateway.host())
    }

    /// What clients have to trust.
    pub(crate) fn certificate(&self) -> &std::path::Path {
        &self.certificate
    }

    /// Puts an image into the registry that differs from every other, behind the gateway; gives its
    /// digest.
    pub(crate) fn put(&self, repository: &str, tag: &str) -> String {
        let url = |path: &str| format!("http://{}/v2/{repository}/{path}", self.registry.host());
        let client = reqwest::blocking::Client::new();
        let started = client.post(url("blobs/uploads/")).send().unwrap();
        let place = started.headers()[header::LOCATION].to_str().unwrap().to_owned();
        let digest = sha256("{}");
        let uploaded = client.put(format!("{place}&digest={digest}")).body("{}").send().unwrap();
        assert_eq!(uploaded.status(), 201);
        let config = json!({ "mediaType": "application/vnd.oci.empty.v1+json", "digest": digest, "size": 2 });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config,
            "layers": [],
            "annotations": { "org.opencontainers.image.ref.name": format!("{repository}:{tag}") },
        });
        let (text, address) = (manifest.to_string(), url(&format!("manifests/{tag}")));
        let pushed = client.put(address).header(header::CONTENT_TYPE, MANIFEST).body(text.clone());
        assert_eq!(pushed.send().unwrap().status(), 201);
        sha256(&text)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.handle.shutdown();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, 1 << 20).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = parts.uri.path();
    // The challenge of `/v2/` itself is our server's.
    let is_data = path.starts_with("/v2/") && path != "/v2/" || path.starts_with("/acr/v1/");
    let to = if is_data { &shared.gateway } else { &shared.server };
    shared.forward(to, parts, body).await
}

impl Shared {
    /// Hands a request on as it came.
    async fn forward(&self, to: &str, parts: Parts, body: Bytes) -> Response {
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let url = format!("{to}{target}");
        let sent = self.client.request(parts.method, url).headers(of_hop(parts.headers)).body(body);
        let Ok(response) = sent.send().await else {
            return StatusCode::BAD_GATEWAY.into_response();
        };
        let (status, headers) = (response.status(), of_hop(response.headers().clone()));
        match response.bytes().await {
            Ok(body) => (status, headers, Body::from(body)).into_response(),
            Err(_) => StatusCode::BAD_GATEWAY.into_response(),
        }
    }
}

/// The headers without those that concern one connection only.
fn of_hop(mut headers: HeaderMap) -> HeaderMap {
    for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH] {
        headers.remove(name);
    }
    headers
}

fn sha256(text: &str) -> String {
    let hex: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

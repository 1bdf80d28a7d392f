//! What the tests of the server's routes share: a server over a real database and the real engine,
//! without a port.

#![allow(dead_code, reason = "each test program uses some of it")]

pub(crate) mod database;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use scopegate_core::Catalog;
use scopegate_host::networks::Networks;
use scopegate_runtime::{Limits as EngineLimits, Runtime};
use scopegate_server::testing::app::watch::catch_up;
use scopegate_server::testing::app::{App, Settings};
use scopegate_server::testing::clock;
use scopegate_server::testing::config::{Authz, Limits};
use scopegate_server::testing::domain::edit::identities::keep_providers;
use scopegate_server::testing::domain::identity::Providers;
use scopegate_server::testing::domain::issue::Issuer;
use scopegate_server::testing::domain::keys::{Algorithm, Keeper, Rotation, RsaSize};
use scopegate_server::testing::domain::seed::apply_file;
use scopegate_server::testing::http::headers::Reached;
use scopegate_server::testing::http::routes::routes;
use scopegate_server::testing::http::serve::layered;
use scopegate_server::testing::store::Store;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

/// SHA-256 of `secret-one` and `secret-two`.
const ONE: &str = "ea77193cc4e6f18656f3130e296203880c4b9b3772afc855211b82fdd46e9185";
const TWO: &str = "cebdf378f2d2bd60d3e3693349e8f20f329daf11a276f849996f0a6377e2155b";

pub(crate) fn seed(reader_rules: &str) -> String {
    format!(
        r#"
scopeMaps:
  - {{name: reader-map, actions: [{reader_rules}]}}
  - {{name: admin-map, actions: [repositories/*/content/read, repositories/*/metadata/read]}}
tokens:
  - name: Reader
    scopeMap: reader-map
    passwords:
      - {{name: password1, sha256: {ONE}}}
      - {{name: password2, sha256: {TWO}, expiry: 2020-01-01T00:00:00Z}}
  - {{name: Admin-1, scopeMap: ADMIN-map, passwords: [{{name: password2, sha256: {TWO}}}]}}
  - {{name: Disabled, scopeMap: admin-map, status: disabled, passwords: [{{name: password1, sha256: {ONE}}}]}}
  - {{name: Mapless, passwords: [{{name: password1, sha256: {ONE}}}]}}
"#
    )
}

pub(crate) struct Server {
    pub(crate) app: Arc<App>,
    pub(crate) folder: TempDir,
}

impl Server {
    /// A server with a SQLite of its own, and the seed of the tests.
    pub(crate) async fn start() -> Self {
        let server = Self::bare(None, Limits::default(), Providers::default()).await;
        server.apply(&seed("repositories/samples/*/content/read")).await.unwrap();
        catch_up(&server.app).await.unwrap();
        server
    }

    /// A server that nobody has written anything into.
    pub(crate) async fn bare(url: Option<&str>, limits: Limits, providers: Providers) -> Self {
        Self::over(tempfile::tempdir().unwrap(), url, limits, providers).await
    }

    /// A server over what a data folder holds.
    pub(crate) async fn over(
        folder: TempDir,
        url: Option<&str>,
        limits: Limits,
        providers: Providers,
    ) -> Self {
        let store = Store::open(folder.path(), url).await.unwrap();
        keep_providers(&store, providers.fingerprints()).await.unwrap();
        let keeper = Keeper {
            folder: folder.path().into(),
            issuer: "test-issuer".into(),
            algorithm: Algorithm::Es256,
            size: RsaSize::default(),
            rotation: Rotation { every: Duration::MAX, ahead: Duration::ZERO },
        };
        let ring = keeper.tend(&store, clock::now()).await.unwrap();
        // Compiled once for all tests; the folder is ours.
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let runtime = Runtime::with_cache(cache, EngineLimits::default()).unwrap();
        let issuer = Issuer::new("test-issuer".into(), "r.test".into(), false, ring);
        let settings = Settings {
            registry_name: "registry".into(),
            public_url: "https://r.test".into(),
            catalog: Catalog::Root,
            is_managed: true,
            authz: Authz { peers: Networks::parse(["127.0.0.0/8"]).unwrap(), ..Authz::default() },
            has_playground: true,
            serve_for: Duration::from_secs(60),
            limits,
        };
        let app = App::new(settings, runtime, issuer, providers, store);
        let server = Self { app: Arc::new(app.unwrap()), folder };
        catch_up(&server.app).await.unwrap();
        server
    }

    pub(crate) async fn apply(&self, seed: &str) -> anyhow::Result<usize> {
        let path = self.folder.path().join("seed.yaml");
        std::fs::write(&path, seed).unwrap();
        apply_file(&self.app.store, &path, "registry").await.map(|generated| generated.len())
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let router = layered(routes(Arc::clone(&self.app)), &self.app.guard, Reached::default());
        let response = router.oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let challenge = response.headers().get(header::WWW_AUTHENTICATE);
        let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 22).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, headers, challenge, bytes, body }
    }

    pub(crate) async fn get(&self, target: &str, authorization: Option<String>) -> Answer {
        let mut request = Request::get(target);
        if let Some(value) = authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, form: &str) -> Answer {
        let request = Request::post("/oauth2/token?api-version=2021-07-01")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .unwrap();
        self.send(request).await
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) challenge: Option<String>,
    pub(crate) bytes: Bytes,
    /// What the bytes are as JSON; null when they are none.
    pub(crate) body: Value,
}

impl Answer {
    /// The claims of the access token, which the server itself must know again.
    #[track_caller]
    pub(crate) fn claims(&self, server: &Server) -> Value {
        let token = self.body["access_token"].as_str().unwrap();
        assert_eq!(self.body["token"], token);
        let now = scopegate_server::testing::clock::now();
        assert!(server.app.issuer.verify_access(token, now).is_some());
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        serde_json::from_slice(&payload).unwrap()
    }

    #[track_caller]
    pub(crate) fn access(&self, server: &Server) -> String {
        let access = self.claims(server)["access"].clone();
        let entries = access.as_array().unwrap().iter().map(|entry| {
            let actions: Vec<_> =
                entry["actions"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
            format!(
                "{}:{}:{}",
                entry["type"].as_str().unwrap(),
                entry["name"].as_str().unwrap(),
                actions.join(",")
            )
        });
        entries.collect::<Vec<_>>().join(" ")
    }
}

pub(crate) fn basic(name: &str, password: &str) -> Option<String> {
    Some(format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))
}

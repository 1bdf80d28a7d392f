//! A server without a port, an identity provider on loopback, and forged tokens.

#![allow(dead_code, reason = "each test program uses some of it")]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use scopegate_core::Catalog;
use scopegate_host::networks::Networks;
use scopegate_runtime::{Limits as EngineLimits, Runtime};
use scopegate_server::testing::app::watch::catch_up;
use scopegate_server::testing::app::{App, Settings};
use scopegate_server::testing::clock;
use scopegate_server::testing::config::providers::ProviderConfig;
use scopegate_server::testing::config::{Limits, Rate};
use scopegate_server::testing::domain::edit::identities::keep_providers;
use scopegate_server::testing::domain::edit::scope_maps::{self, ScopeMapEdit};
use scopegate_server::testing::domain::edit::service_principals::{self, ServicePrincipalEdit};
use scopegate_server::testing::domain::identity::Providers;
use scopegate_server::testing::domain::issue::Issuer;
use scopegate_server::testing::domain::keys::{self, Keeper, Rotation, RsaSize};
use scopegate_server::testing::domain::seed::apply_file;
use scopegate_server::testing::http::gateways::Gateways;
use scopegate_server::testing::http::headers::Reached;
use scopegate_server::testing::http::routes::routes;
use scopegate_server::testing::http::serve::layered;
use scopegate_server::testing::store::Store;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

pub(crate) const SERVICE: &str = "r.test";
pub(crate) const ISSUER: &str = "test-issuer";
pub(crate) const PUBLIC_URL: &str = "https://r.test";
pub(crate) const AUDIENCE: &str = "https://containerregistry.azure.net";
pub(crate) const NULL_GUID: &str = "00000000-0000-0000-0000-000000000000";
/// Service principals: one that owns the registry, one that may pull, one that is disabled.
pub(crate) const OWNER: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
pub(crate) const PULLER: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3302";
pub(crate) const DISABLED: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3303";

/// `secret-one` is `ONE`'s, `secret-two` is `TWO`'s.
const SEED: &str = "
scopeMaps:
  - {name: reader-map, actions: [repositories/samples/*/content/read]}
  - {name: writer-map, actions: [repositories/samples/*/content/write]}
  - {name: empty-map, actions: []}
tokens:
  - name: Reader
    scopeMap: reader-map
    passwords:
      - {name: password1, sha256: ONE}
      - {name: password2, sha256: TWO, expiry: 2020-01-01T00:00:00Z}
  - {name: Writer, scopeMap: writer-map, passwords: [{name: password1, sha256: TWO}]}
  - {name: Disabled, scopeMap: reader-map, status: disabled, passwords: [{name: password1, sha256: ONE}]}
  - {name: Mapless, passwords: [{name: password1, sha256: ONE}]}
  - {name: Nothing, scopeMap: empty-map, passwords: [{name: password1, sha256: ONE}]}
";

fn seed() -> String {
    SEED.replace("ONE", "ea77193cc4e6f18656f3130e296203880c4b9b3772afc855211b82fdd46e9185")
        .replace("TWO", "cebdf378f2d2bd60d3e3693349e8f20f329daf11a276f849996f0a6377e2155b")
}

/// What differs between the servers of the tests.
pub(crate) struct Setup {
    pub(crate) providers: Providers,
    pub(crate) limits: Limits,
    pub(crate) serve_for: Duration,
    pub(crate) trusted_proxies: Networks,
}

/// Whoever tries everything must not be stopped before the end; the tests of limits set their own.
pub(crate) fn unlimited() -> Limits {
    let rate = Rate { rate: 0.0, burst: 1 };
    Limits { per_address: rate, per_principal: rate, ..Limits::default() }
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            providers: Providers::default(),
            limits: unlimited(),
            serve_for: Duration::from_secs(60),
            trusted_proxies: Networks::default(),
        }
    }
}

pub(crate) struct Server {
    pub(crate) app: Arc<App>,
    pub(crate) folder: Arc<TempDir>,
    trusted_proxies: Networks,
    gateways: Arc<Gateways>,
}

impl Server {
    /// Whether an access token opens anything at `/authz`.
    pub(crate) fn accepts(&self, token: &str, now: i64) -> bool {
        let policy = self.app.policy();
        self.app.authenticator(&policy).by_access_token(token, now).is_ok()
    }

    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let server = Self::open(Arc::new(tempfile::tempdir().unwrap()), setup).await;
        server.apply(&seed()).await.unwrap();
        server
    }

    /// Another server on the same database.
    pub(crate) async fn another(&self, setup: Setup) -> Self {
        Self::open(Arc::clone(&self.folder), setup).await
    }

    async fn open(folder: Arc<TempDir>, setup: Setup) -> Self {
        let store = Store::open(folder.path(), None).await.unwrap();
        keep_providers(&store, setup.providers.fingerprints()).await.unwrap();
        let keeper = Keeper {
            folder: folder.path().into(),
            issuer: ISSUER.into(),
            algorithm: keys::Algorithm::Es256,
            size: RsaSize::default(),
            rotation: Rotation { every: Duration::MAX, ahead: Duration::ZERO },
        };
        let ring = keeper.tend(&store, clock::now()).await.unwrap();
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let runtime = Runtime::with_cache(cache, EngineLimits::default()).unwrap();
        let issuer = Issuer::new(ISSUER.into(), SERVICE.into(), false, ring);
        let settings = Settings {
            registry_name: "registry".into(),
            public_url: PUBLIC_URL.into(),
            catalog: Catalog::Root,
            is_managed: true,
            authz: scopegate_server::testing::config::Authz::default(),
            has_playground: false,
            serve_for: setup.serve_for,
            limits: setup.limits,
        };
        let app = App::new(settings, runtime, issuer, setup.providers, store);
        let trusted_proxies = setup.trusted_proxies.clone();
        let app = Arc::new(app.unwrap());
        let gateways = Arc::new(Gateways::new(Arc::clone(&app), false));
        let server = Self { app, folder, trusted_proxies, gateways };
        catch_up(&server.app).await.unwrap();
        server
    }

    pub(crate) async fn apply(&self, seed: &str) -> anyhow::Result<()> {
        let path = self.folder.path().join("seed.yaml");
        std::fs::write(&path, seed).unwrap();
        apply_file(&self.app.store, &path, "registry").await?;
        catch_up(&self.app).await
    }

    /// Makes or changes a scope map.
    pub(crate) async fn put_map(&self, name: &str, actions: Vec<String>) {
        let mut write = self.app.store.write().await.unwrap();
        let edit = ScopeMapEdit { description: None, actions: Some(actions) };
        scope_maps::put(&mut write, name, edit).await.unwrap();
        scopegate_server::testing::app::watch::commit(&self.app, write).await.unwrap();
    }

    /// Makes or changes a service principal, and gives it a secret.
    pub(crate) async fn put_client(&self, id: &str, role: &str, enabled: bool) -> String {
        let mut write = self.app.store.write().await.unwrap();
        let edit = ServicePrincipalEdit {
            enabled: Some(enabled),
            roles: Some(vec![role.to_owned()]),
            ..ServicePrincipalEdit::default()
        };
        service_principals::put(&mut write, id, edit).await.unwrap();
        let secret = service_principals::generate_secret(&mut write, id).await.unwrap();
        scopegate_server::testing::app::watch::commit(&self.app, write).await.unwrap();
        secret
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let router = layered(routes(Arc::clone(&self.app)), &self.app.guard, self.reached());
        let response = router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let body = String::from_utf8(body.into()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) fn reached(&self) -> Reached {
        Reached {
            is_secure: true,
            trusted_proxies: self.trusted_proxies.clone(),
            gateways: Some(Arc::clone(&self.gateways)),
        }
    }

    pub(crate) async fn get(&self, target: &str, authorization: Option<&str>) -> Answer {
        let mut request = Request::get(target);
        if let Some(value) = authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A request from an address, through proxies or pretending to.
    pub(crate) async fn get_from(
        &self,
        peer: &str,
        forwarded: &str,
        target: &str,
        basic: &str,
    ) -> Answer {
        let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
        let request = Request::get(target)
            .header("x-forwarded-for", forwarded)
            .header(header::AUTHORIZATION, basic)
            .extension(ConnectInfo(peer));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A request that a gateway sends for a client, or somebody who says that it is one.
    pub(crate) async fn get_by(
        &self,
        peer: &str,
        client: &str,
        gateway: &str,
        target: &str,
        basic: &str,
    ) -> Answer {
        let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
        let request = Request::get(target)
            .header("x-forwarded-for", client)
            .header("x-scopegate-gateway", gateway)
            .header(header::AUTHORIZATION, basic)
            .extension(ConnectInfo(peer));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, target: &str, form: &[(&str, &str)]) -> Answer {
        self.post_raw(target, None, &encoded(form)).await
    }

    pub(crate) async fn post_raw(
        &self,
        target: &str,
        authorization: Option<&str>,
        form: &str,
    ) -> Answer {
        let mut request =
            Request::post(target).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(value) = authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    /// A refresh token in exchange for what is shown as a provider's access token.
    pub(crate) async fn exchange(&self, access_token: &str) -> Answer {
        let form =
            [("grant_type", "access_token"), ("service", SERVICE), ("access_token", access_token)];
        self.post("/oauth2/exchange", &form).await
    }

    /// An access token for a refresh token.
    pub(crate) async fn renew(&self, refresh_token: &str, scope: &str) -> Answer {
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("scope", scope)];
        self.post("/oauth2/token", &form).await
    }

    /// An access token for a token as the password of the null GUID.
    pub(crate) async fn by_null_guid(&self, token: &str, scope: &str) -> Answer {
        self.by_password(NULL_GUID, token, scope).await
    }

    pub(crate) async fn by_password(&self, name: &str, password: &str, scope: &str) -> Answer {
        let form = [
            ("grant_type", "password"),
            ("username", name),
            ("password", password),
            ("scope", scope),
        ];
        self.post("/oauth2/token", &form).await
    }

    /// Signs any claims with the server's own key.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.app.issuer.sign(claims, clock::now()).unwrap()
    }
}

pub(crate) fn encoded(form: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

pub(crate) fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    #[track_caller]
    pub(crate) fn text(&self, name: &str) -> String {
        let value = self.json()[name].as_str().map(str::to_owned);
        value.unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    #[track_caller]
    pub(crate) fn refresh_token(&self) -> String {
        self.text("refresh_token")
    }

    #[track_caller]
    pub(crate) fn access_token(&self) -> String {
        self.text("access_token")
    }

    /// What the access token holds, one `type:name:action` each, sorted.
    #[track_caller]
    pub(crate) fn access(&self) -> Vec<String> {
        access(&claims(&self.access_token()))
    }

    /// A refusal as registries write it, with words.
    #[track_caller]
    pub(crate) fn check_refusal(&self) {
        let body = self.json();
        let message = body["errors"][0]["message"].as_str();
        let code = body["errors"][0]["code"].as_str();
        let said = message.is_some_and(|message| message.len() > 10) && code.is_some();
        assert!(
            said && self.headers[header::CONTENT_TYPE] == "application/json; charset=utf-8",
            "{self:?}"
        );
    }

    /// Everything that a client sees, but for what is new in every answer.
    pub(crate) fn seen(&self) -> (StatusCode, Vec<(String, String)>, String) {
        let new = ["x-ms-correlation-request-id", "date"];
        let headers = self.headers.iter().filter(|(name, _)| !new.contains(&name.as_str()));
        let text = |value: &axum::http::HeaderValue| value.to_str().unwrap().to_owned();
        let mut headers: Vec<_> =
            headers.map(|(name, value)| (name.to_string(), text(value))).collect();
        headers.sort();
        (self.status, headers, self.body.clone())
    }
}

/// The claims of a token, unverified.
#[track_caller]
pub(crate) fn claims(token: &str) -> Value {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

pub(crate) fn access(claims: &Value) -> Vec<String> {
    let mut held = Vec::new();
    for entry in claims["access"].as_array().unwrap() {
        for action in entry["actions"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            held.push(format!(
                "{}:{}:{}",
                text(&entry["type"]),
                text(&entry["name"]),
                text(action)
            ));
        }
    }
    held.sort();
    held
}

/// A key of a provider, or of somebody who would like to be one.
pub(crate) struct Key {
    signing: EncodingKey,
    pub(crate) jwk: Value,
}

impl Key {
    pub(crate) fn new(kid: &str) -> Self {
        let pair = rcgen::KeyPair::generate().unwrap();
        let signing = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
        let mut jwk = json!(Jwk::from_encoding_key(&signing, Algorithm::ES256).unwrap());
        jwk["kid"] = json!(kid);
        Self { signing, jwk }
    }

    pub(crate) fn sign(&self, kid: &str, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(kid.to_owned());
        encode(&header, claims, &self.signing).unwrap()
    }

    /// Signs under a header of any kind.
    pub(crate) fn sign_under(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", part(header), part(claims));
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &self.signing, Algorithm::ES256)
                .unwrap();
        format!("{message}.{signature}")
    }
}

pub(crate) fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token with a symmetric signature.
pub(crate) fn sign_hs256(kid: &str, claims: &Value, secret: &[u8]) -> String {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(kid.to_owned());
    encode(&header, claims, &EncodingKey::from_secret(secret)).unwrap()
}

/// An identity provider.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    pub(crate) key: Key,
    fetches: Arc<AtomicUsize>,
    grants: Arc<AtomicUsize>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let (key, fetches) = (Key::new("k1"), Arc::new(AtomicUsize::new(0)));
        let document = json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}/jwks"),
            "token_endpoint": format!("{issuer}/token"),
        });
        let (keys, count) = (json!({"keys": [key.jwk]}), Arc::clone(&fetches));
        let jwks = move || {
            count.fetch_add(1, Ordering::SeqCst);
            async move { axum::Json(keys) }
        };
        let grants = Arc::new(AtomicUsize::new(0));
        let granted = Arc::clone(&grants);
        let token = move || {
            granted.fetch_add(1, Ordering::SeqCst);
            async { (StatusCode::BAD_REQUEST, axum::Json(json!({"error": "invalid_grant"}))) }
        };
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(|| async { axum::Json(document) }))
            .route("/jwks", get(jwks))
            .route("/token", post(token));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { issuer, key, fetches, grants }
    }

    /// How often it refused a refresh token.
    pub(crate) fn grants(&self) -> usize {
        self.grants.load(Ordering::SeqCst)
    }

    /// The same that redeems refresh tokens, or rather refuses each.
    pub(crate) fn redeeming(&self) -> Providers {
        let issuer = &self.issuer;
        let yaml =
            format!("[{{name: ci, issuer: '{issuer}', audiences: ['{AUDIENCE}'], clientId: us}}]");
        let configs: Vec<ProviderConfig> = serde_saphyr::from_str(&yaml).unwrap();
        Providers::open(&configs).unwrap()
    }

    /// How often its keys were asked for.
    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    pub(crate) fn providers(&self, bindings: &str) -> Providers {
        let issuer = &self.issuer;
        let yaml = format!(
            "[{{name: ci, issuer: '{issuer}', audiences: ['{AUDIENCE}'], bindings: {bindings}}}]"
        );
        let configs: Vec<ProviderConfig> = serde_saphyr::from_str(&yaml).unwrap();
        Providers::open(&configs).unwrap()
    }

    pub(crate) fn claims(&self, sub: &str, groups: &[&str]) -> Value {
        let now = clock::now();
        json!({
            "iss": self.issuer, "aud": AUDIENCE, "sub": sub, "groups": groups,
            "iat": now, "nbf": now, "exp": now + 3600,
        })
    }

    pub(crate) fn token(&self, sub: &str, groups: &[&str]) -> String {
        self.key.sign("k1", &self.claims(sub, groups))
    }
}

//! A server without a port, and the ways to ask it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::request::Builder;
use axum::http::{Request, header};
use scopegate_core::Catalog;
use scopegate_core::route::Untag;
use scopegate_host::networks::Networks;
use scopegate_host::setting::Compatibility;
use scopegate_runtime::{Limits as EngineLimits, Runtime};
use scopegate_server::testing::app::watch::{catch_up, commit};
use scopegate_server::testing::app::{App, Listener, Settings};
use scopegate_server::testing::clock;
use scopegate_server::testing::config::{Authz, Limits};
use scopegate_server::testing::domain::edit::identities::keep_providers;
use scopegate_server::testing::domain::edit::scope_maps::{self, ScopeMapEdit};
use scopegate_server::testing::domain::edit::service_principals::{self, ServicePrincipalEdit};
use scopegate_server::testing::domain::identity::Providers;
use scopegate_server::testing::domain::issue::Issuer;
use scopegate_server::testing::domain::keys::{Algorithm, Keeper, Rotation, RsaSize};
use scopegate_server::testing::domain::lifetimes::backdated;
use scopegate_server::testing::domain::seed::apply_file;
use scopegate_server::testing::http::gateways::Gateways;
use scopegate_server::testing::http::headers::Reached;
use scopegate_server::testing::http::routes::routes;
use scopegate_server::testing::http::serve::layered;
use scopegate_server::testing::model::password_user::ReservedNames;
use scopegate_server::testing::store::{self, Store, Write};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::{
    AUDIENCE, Answer, ISSUER, NULL_GUID, PUBLIC_URL, REGISTRY, SERVICE, TOKEN, basic, encoded,
    unlimited,
};

/// `secret-one` is `ONE`'s, `secret-two` is `TWO`'s.
const SEED: &str = "
scopeMaps:
  - {name: reader-map, actions: [RULES]}
  - {name: writer-map, actions: [repositories/samples/*/content/write]}
  - {name: admin-map, actions: [repositories/*/content/read, repositories/*/metadata/read]}
  - {name: empty-map, actions: []}
tokens:
  - name: Reader
    scopeMap: reader-map
    passwords:
      - {name: password1, sha256: ONE}
      - {name: password2, sha256: TWO, expiry: 2020-01-01T00:00:00Z}
  - {name: Writer, scopeMap: writer-map, passwords: [{name: password1, sha256: TWO}]}
  - {name: Admin-1, scopeMap: ADMIN-map, passwords: [{name: password2, sha256: TWO}]}
  - {name: Disabled, scopeMap: admin-map, status: disabled, passwords: [{name: password1, sha256: ONE}]}
  - {name: Mapless, passwords: [{name: password1, sha256: ONE}]}
  - {name: Nothing, scopeMap: empty-map, passwords: [{name: password1, sha256: ONE}]}
";

/// The scope maps and tokens of the tests; `Reader` has these rules.
pub(crate) fn seed(rules: &str) -> String {
    SEED.replace("RULES", rules)
        .replace("ONE", "ea77193cc4e6f18656f3130e296203880c4b9b3772afc855211b82fdd46e9185")
        .replace("TWO", "cebdf378f2d2bd60d3e3693349e8f20f329daf11a276f849996f0a6377e2155b")
}

/// What differs between the servers of the tests.
pub(crate) struct Setup {
    /// The database; none for a SQLite of its own.
    pub(crate) url: Option<String>,
    pub(crate) providers: Providers,
    pub(crate) limits: Limits,
    pub(crate) serve_for: Duration,
    pub(crate) trusted_proxies: Networks,
    pub(crate) has_playground: bool,
    pub(crate) public_url: String,
    /// What removing a tag takes at `/authz`.
    pub(crate) untag: Untag,
    pub(crate) compatibility: Compatibility,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            url: None,
            providers: Providers::default(),
            limits: unlimited(),
            // No test's server follows the database, and a test may last on a busy machine.
            serve_for: Duration::from_secs(3600),
            trusted_proxies: Networks::default(),
            has_playground: false,
            public_url: PUBLIC_URL.into(),
            untag: Untag::default(),
            compatibility: Compatibility::None,
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
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// A server with the scope maps and tokens of the tests.
    pub(crate) async fn with(setup: Setup) -> Self {
        let server = Self::bare(setup).await;
        server.apply(&seed("repositories/samples/*/content/read")).await.unwrap();
        server
    }

    /// A server with an empty database.
    pub(crate) async fn bare(setup: Setup) -> Self {
        Self::over(tempfile::tempdir().unwrap(), setup).await
    }

    /// A server over what a data folder holds.
    pub(crate) async fn over(folder: TempDir, setup: Setup) -> Self {
        Self::open(Arc::new(folder), setup).await
    }

    /// Another server on the same database.
    pub(crate) async fn another(&self, setup: Setup) -> Self {
        Self::open(Arc::clone(&self.folder), setup).await
    }

    async fn open(folder: Arc<TempDir>, setup: Setup) -> Self {
        let store = store::open(folder.path(), setup.url.as_deref()).await.unwrap();
        keep_providers(&store, setup.providers.fingerprints()).await.unwrap();
        let mut issuer = Self::issuer(folder.path(), &store).await;
        issuer.backdated = backdated(setup.compatibility);
        // Compiled once for all tests; the folder is ours.
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let runtime = Runtime::with_cache(cache, EngineLimits::default()).unwrap();
        let settings = Settings {
            registry_name: "registry".into(),
            public_url: setup.public_url,
            management_url: None,
            catalog: Catalog::Root,
            is_managed: true,
            authz: Authz {
                peers: Networks::parse(["127.0.0.0/8"]).unwrap(),
                untag: setup.untag,
                ..Authz::default()
            },
            compatibility: setup.compatibility,
            has_playground: setup.has_playground,
            serve_for: setup.serve_for,
            limits: setup.limits,
        };
        let app = App::new(settings, runtime, issuer, setup.providers, store);
        let app = Arc::new(app.unwrap());
        let gateways = Arc::new(Gateways::new(Arc::clone(&app), false));
        let server = Self { app, folder, trusted_proxies: setup.trusted_proxies, gateways };
        server.catch_up().await;
        server
    }

    async fn issuer(folder: &Path, store: &Store) -> Issuer {
        let keeper = Keeper {
            folder: folder.into(),
            issuer: ISSUER.into(),
            algorithm: Algorithm::Es256,
            size: RsaSize::default(),
            rotation: Rotation { every: Duration::MAX, ahead: Duration::ZERO },
        };
        let ring = keeper.reconcile(store, clock::now()).await.unwrap();
        Issuer::new(ISSUER.into(), SERVICE.into(), false, ring)
    }

    /// Reads what has been written into the database.
    pub(crate) async fn catch_up(&self) {
        catch_up(&self.app).await.unwrap();
    }

    pub(crate) async fn write(&self) -> Write {
        self.app.store.write().await.unwrap()
    }

    pub(crate) async fn commit(&self, write: Write) {
        commit(&self.app, write).await.unwrap();
    }

    /// Applies a seed; says how many passwords it generated.
    pub(crate) async fn apply(&self, seed: &str) -> anyhow::Result<usize> {
        let path = self.folder.path().join("seed.yaml");
        std::fs::write(&path, seed).unwrap();
        let generated = apply_file(&self.app.store, &path, &ReservedNames::new("registry")).await?;
        catch_up(&self.app).await?;
        Ok(generated.len())
    }

    /// Makes or changes a scope map.
    pub(crate) async fn put_map(&self, name: &str, actions: Vec<String>) {
        let mut write = self.write().await;
        let edit = ScopeMapEdit { description: None, actions: Some(actions) };
        scope_maps::put(&mut write, name, edit).await.unwrap();
        self.commit(write).await;
    }

    /// Makes or changes a service principal, and gives it a secret.
    pub(crate) async fn put_client(&self, id: &str, role: &str) -> String {
        self.edit_client(id, Some(true), role).await
    }

    /// Makes or changes one that is disabled, and gives it a secret.
    pub(crate) async fn put_disabled_client(&self, id: &str, role: &str) -> String {
        self.edit_client(id, Some(false), role).await
    }

    async fn edit_client(&self, id: &str, enabled: Option<bool>, role: &str) -> String {
        let mut write = self.write().await;
        let roles = Some(vec![role.to_owned()]);
        let edit = ServicePrincipalEdit { enabled, roles, ..ServicePrincipalEdit::default() };
        service_principals::put(&mut write, id, edit).await.unwrap();
        let secret = service_principals::generate_secret(&mut write, id, None).await.unwrap();
        self.commit(write).await;
        secret
    }

    /// Whether an access token opens anything at `/authz`.
    pub(crate) fn accepts(&self, token: &str, now: i64) -> bool {
        let policy = self.app.policy();
        self.app.authenticator(&policy).by_access_token(token, now).is_ok()
    }

    /// Signs any claims with the server's own key.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.app.issuer.sign(claims, clock::now()).unwrap()
    }

    pub(crate) fn reached(&self) -> Reached {
        Reached {
            is_secure: true,
            trusted_proxies: self.trusted_proxies.clone(),
            gateways: Some(Arc::clone(&self.gateways)),
            listener: Listener::Public,
        }
    }
}

/// The ways to ask.
impl Server {
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let router = layered(routes(Arc::clone(&self.app)), &self.app.guard, self.reached());
        let response = router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 22).await.unwrap();
        Answer::new(parts.status, parts.headers, bytes)
    }

    pub(crate) async fn get(&self, target: &str, authorization: Option<&str>) -> Answer {
        let request = authorized(Request::get(target), authorization);
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
        let request = from(Request::get(target), peer, forwarded);
        let request = authorized(request, Some(basic));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A request that a gateway, or a client that claims to be one, sends for a client.
    pub(crate) async fn get_by(
        &self,
        peer: &str,
        client: &str,
        gateway: &str,
        target: &str,
        basic: &str,
    ) -> Answer {
        let request = from(Request::get(target), peer, client);
        let request = authorized(request.header("x-scopegate-gateway", gateway), Some(basic));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A form to the token endpoint, as clients of ACR send it.
    pub(crate) async fn grant(&self, form: &str) -> Answer {
        self.post_raw(&format!("{TOKEN}?api-version=2021-07-01"), None, form).await
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
        let request = authorized(Request::post(target), authorization)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
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
        self.post(TOKEN, &form).await
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
        self.post(TOKEN, &form).await
    }

    /// The path of the built-in authority.
    pub(crate) fn authority(&self) -> String {
        format!("/{}/oauth2/v2.0/token", self.app.policy().registry.tenant)
    }

    /// A token for management from the built-in authority.
    pub(crate) async fn client_credentials(&self, client: &str, secret: &str) -> Answer {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_secret", secret),
            ("scope", "https://r.test/.default"),
        ];
        self.post(&self.authority(), &form).await
    }

    /// A token of the built-in authority for the registry.
    pub(crate) async fn registry_token(&self, client: &str, secret: &str) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_secret", secret),
            ("scope", &format!("{AUDIENCE}/.default")),
        ];
        self.post(&self.authority(), &form).await.access_token()
    }

    /// Asks management for the registry itself.
    pub(crate) async fn manage(&self, authorization: &str) -> Answer {
        self.get(REGISTRY, Some(authorization)).await
    }

    /// A refresh token for a name and a password.
    pub(crate) async fn login(&self, name: &str, password: &str) -> String {
        self.exchange(&format!("{name}:{password}")).await.refresh_token()
    }

    /// An access token of `Reader`.
    pub(crate) async fn reader(&self) -> String {
        self.by_password("Reader", "secret-one", super::PULL).await.access_token()
    }

    /// What `Reader` gets at the token endpoint for its password.
    pub(crate) async fn get_as_reader(&self, target: &str) -> Answer {
        self.get(target, Some(&basic("Reader", "secret-one"))).await
    }
}

pub(crate) fn authorized(request: Builder, authorization: Option<&str>) -> Builder {
    authorization
        .into_iter()
        .fold(request, |request, value| request.header(header::AUTHORIZATION, value))
}

/// A request from an address, which says that it goes on for others.
fn from(request: Builder, peer: &str, forwarded: &str) -> Builder {
    let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
    request.header("x-forwarded-for", forwarded).extension(ConnectInfo(peer))
}

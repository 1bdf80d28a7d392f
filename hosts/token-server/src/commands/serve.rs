//! `scopegate-server serve`

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::app::upkeep::keep;
use crate::app::watch::{catch_up, follow};
use crate::app::{App, Listener, Settings};
use crate::app::{audit, known_networks};
use crate::clock;
use crate::config::management::Management;
use crate::config::{Config, Serve, reached_at};
use crate::domain::edit::identities::keep_providers;
use crate::domain::identity::Providers;
use crate::domain::issue::Issuer;
use crate::domain::lifetimes::backdated;
use crate::domain::seed::apply_file;
use crate::http::gateways::Gateways;
use crate::http::headers::Reached;
use crate::http::health;
use crate::http::routes::{management_routes, routes};
use crate::http::serve::{self as http, Bounds, layered, stopped};
use crate::http::tls::Tls;
use crate::model::audit::Actor;
use crate::store::{Store, remove_working_copies};
use crate::telemetry::{Telemetry, metrics};
use anyhow::{Context as _, bail};
use axum::Router;
use scopegate_host::files::raise_limit;
use scopegate_runtime::{ENGINE_SHA256, Limits, Runtime};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::secrets::open_with_keys;
use super::{former_audit_keys, keep as keep_generated, keeper};

/// Serves until the process is asked to end.
pub(crate) async fn serve(flags: Serve) -> anyhow::Result<()> {
    let config = Config::load(&flags.source, &flags.flags())?;
    let telemetry = Telemetry::start(&config)?;
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    check_files(&config);
    let tls = Tls::open(config.tls.as_ref(), None)?;
    let management_tls = management_tls(&config.management)?;
    // From here on SIGHUP does not end the process: a client that waits for a port may send it.
    let watches: Vec<_> =
        [&tls, &management_tls].into_iter().flatten().cloned().map(Tls::watch).collect();
    let providers = Providers::open(&config.providers)?;
    let store = open_with_keys(&config, Actor::server()).await?;
    if let Err(error) = remove_working_copies(&config.data) {
        tracing::warn!(%error, "cannot remove what an interrupted restore has left");
    }
    audit::warn_of_another_key(&store).await?;
    let keep_rows = kept_rows(&config)?;
    if let Some(seed) = &config.seed {
        let store = store.by(Actor { name: "seed".into(), ..Actor::server() });
        keep_generated(&apply_file(&store, seed, &config.reserved_names()).await?, &config.data)?;
    }
    let in_name = store.by(Actor { name: "configuration".into(), ..Actor::server() });
    if keep_providers(&in_name, providers.fingerprints()).await? {
        tracing::info!("the identity providers have changed; tokens of changed ones are revoked");
    }
    // The ports are opened last: a client that waits for them may read the certificate as soon as
    // the server answers.
    let prepared = Prepared::new(&config, providers, store).await?;
    let ports = Ports::open(&config).await?;
    let app = prepared.into_app(&config, &ports).await?;
    let mut background = background(&config, &app, &telemetry, keep_rows);
    for watch in watches {
        background.spawn(watch);
    }
    let serving = ports.serve(&config, &app, &telemetry, (tls, management_tls));
    tokio::select! {
        ended = serving => ended?,
        // None of these ever returns; without one, the server would decide from stale data.
        ended = background.join_next() => bail!("a part of the server has failed: {ended:?}"),
    }
    background.shutdown().await;
    if let Err(error) = known_networks::save(&app).await {
        tracing::warn!(%error, "cannot save the known networks");
    }
    if let Err(error) = audit::save(&app, true).await {
        tracing::warn!(%error, "cannot write sign-ins to the audit trail");
    }
    telemetry.stop().await;
    Ok(())
}

/// The TLS of management's own address.
fn management_tls(management: &Management) -> anyhow::Result<Option<Tls>> {
    if management.own_address().is_none() {
        return Ok(None);
    }
    Tls::open(management.tls.as_ref(), management.client_certificates.as_ref())
}

/// How long rows of the audit trail are kept, with the keys by which they are verified then.
fn kept_rows(config: &Config) -> anyhow::Result<Option<audit::Keep>> {
    let Some(keep_for) = config.audit.keep_for else { return Ok(None) };
    Ok(Some(audit::Keep { keep_for, former: former_audit_keys(config)? }))
}

/// What runs beside the requests.
fn background(
    config: &Config,
    app: &Arc<App>,
    telemetry: &Telemetry,
    keep_rows: Option<audit::Keep>,
) -> JoinSet<()> {
    let mut background = JoinSet::new();
    background.spawn(follow(Arc::clone(app)));
    background.spawn(keep(keeper(config), Arc::clone(app)));
    background.spawn(keep_fresh(Arc::clone(app)));
    background.spawn(known_networks::run(Arc::clone(app)));
    background.spawn(audit::write_sign_ins(Arc::clone(app)));
    background.spawn(audit::keep(Arc::clone(app), keep_rows));
    background.spawn(metrics::run(telemetry.metrics.clone()));
    background
}

/// The open ports.
struct Ports {
    public: TcpListener,
    management: Option<TcpListener>,
    metrics: Option<TcpListener>,
}

impl Ports {
    async fn open(config: &Config) -> anyhow::Result<Self> {
        let public = listen(config.listen).await?;
        let optional = async |address: Option<SocketAddr>| match address {
            Some(address) => listen(address).await.map(Some),
            None => Ok(None),
        };
        let management = optional(config.management.own_address()).await?;
        let metrics = optional(config.metrics.listen).await?;
        Ok(Self { public, management, metrics })
    }

    async fn serve(
        self,
        config: &Config,
        app: &Arc<App>,
        telemetry: &Telemetry,
        (tls, management_tls): (Option<Tls>, Option<Tls>),
    ) -> io::Result<()> {
        let operator = health::routes(Arc::clone(&app.readiness));
        let counters = health::counters(telemetry.metrics.clone(), Arc::clone(&app.readiness));
        let bounds = Bounds::new(&app.guard);
        let router = router(config, Arc::clone(app), operator.clone(), counters.clone());
        let public = http::serve(self.public, tls, router, bounds.clone(), stopped());
        let management = async {
            let Some(listener) = self.management else { return Ok(()) };
            let bounds = Bounds::new(app.guard_of(Listener::Management));
            let router = management_router(config, Arc::clone(app));
            http::serve(listener, management_tls, router, bounds, stopped()).await
        };
        let metrics = async {
            let Some(listener) = self.metrics else { return Ok(()) };
            http::serve(listener, None, operator.merge(counters), bounds, stopped()).await
        };
        tokio::try_join!(public, management, metrics).map(drop)
    }
}

/// The steps before serving that take time or may fail.
struct Prepared {
    runtime: Runtime,
    issuer: Issuer,
    providers: Providers,
    store: Store,
}

impl Prepared {
    async fn new(config: &Config, providers: Providers, store: Store) -> anyhow::Result<Self> {
        let keeper = keeper(config);
        let ring = keeper.reconcile(&store, clock::now()).await?;
        keeper.write_bundle(&ring)?;
        let (name, service) = (config.issuer().to_owned(), config.registry.service.clone());
        let mut issuer = Issuer::new(name, service, config.tokens.x5c, ring);
        issuer.backdated = backdated(config.compatibility);
        Ok(Self {
            runtime: Runtime::with_cache(&config.data, Limits::default())?,
            issuer,
            providers,
            store,
        })
    }

    async fn into_app(self, config: &Config, ports: &Ports) -> anyhow::Result<Arc<App>> {
        let address = ports.public.local_addr()?;
        let public_url = reached_at(config.public_url.as_ref(), config.tls.is_some(), address);
        let management = ports.management.as_ref().map(TcpListener::local_addr).transpose()?;
        let Management { public_url: management_url, tls, .. } = &config.management;
        let management_url =
            management.map(|address| reached_at(management_url.as_ref(), tls.is_some(), address));
        let settings = Settings {
            registry_name: config.registry.name.clone(),
            public_url,
            management_url,
            catalog: config.catalog,
            is_managed: config.management.enabled,
            has_playground: config.playground,
            serve_for: config.snapshot.serve_for,
            authz: config.authz.clone(),
            compatibility: config.compatibility,
            limits: config.limits.clone(),
        };
        let Self { runtime, issuer, providers, store } = self;
        let app = Arc::new(App::new(settings, runtime, issuer, providers, store)?);
        catch_up(&app).await?;
        known_networks::load(&app).await?;
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            engine_sha256 = ENGINE_SHA256,
            %address,
            management = management.map(tracing::field::display),
            service = app.issuer.service,
            kid = app.issuer.ring().newest_kid(),
            "serving"
        );
        Ok(app)
    }
}

/// Warns when the process's file limit is below the configured connections and those that may wait.
fn check_files(config: &Config) {
    let listeners = if config.management.own_address().is_some() { 2 } else { 1 };
    let connections = u64::try_from(config.limits.connections).unwrap_or(u64::MAX);
    let wanted = connections.saturating_mul(2).saturating_mul(listeners);
    if let Some(files) = raise_limit().filter(|files| *files < wanted) {
        tracing::warn!(
            files,
            wanted,
            "this process may have fewer files open than limits.connections asks for; raise its limit (ulimit -n)"
        );
    }
}

/// The router of the public address, within its limits.
fn router(config: &Config, app: Arc<App>, operator: Router, counters: Router) -> Router {
    let guard = Arc::clone(&app.guard);
    let gateways = Gateways::new(Arc::clone(&app), config.tls.is_some());
    let mut router = routes(app).merge(operator);
    if config.metrics.public {
        router = router.merge(counters);
    }
    let reached = Reached {
        is_secure: config.is_secure(),
        trusted_proxies: config.limits.trusted_proxies.clone(),
        gateways: Some(Arc::new(gateways)),
        listener: Listener::Public,
    };
    layered(router, &guard, reached)
}

/// The router of management's own address, within its limits. No gateway of ours sends requests
/// there.
fn management_router(config: &Config, app: Arc<App>) -> Router {
    let guard = Arc::clone(app.guard_of(Listener::Management));
    let reached = Reached {
        is_secure: config.management.is_secure(),
        trusted_proxies: config.limits.trusted_proxies.clone(),
        gateways: None,
        listener: Listener::Management,
    };
    layered(management_routes(app), &guard, reached)
}

/// Keeps the keys of identity providers fresh. Never returns.
async fn keep_fresh(app: Arc<App>) {
    app.providers.keep_fresh(clock::now).await;
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

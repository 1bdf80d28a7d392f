//! `scopegate-server serve`

use std::net::SocketAddr;
use std::sync::Arc;

use crate::app::upkeep::keep;
use crate::app::watch::{catch_up, follow};
use crate::app::{App, Settings};
use crate::app::{audit, known_networks};
use crate::clock;
use crate::config::{Config, Serve};
use crate::domain::edit::identities::keep_providers;
use crate::domain::identity::Providers;
use crate::domain::issue::Issuer;
use crate::domain::seed::apply_file;
use crate::http::gateways::Gateways;
use crate::http::headers::Reached;
use crate::http::health;
use crate::http::routes::routes;
use crate::http::serve::{self as http, Bounds, layered, stopped};
use crate::http::tls::server_config;
use crate::model::audit::Actor;
use crate::store::Store;
use crate::telemetry::{Telemetry, metrics};
use anyhow::{Context as _, bail};
use axum::Router;
use scopegate_host::files::raise_limit;
use scopegate_host::tls::{Certificate, POLL_INTERVAL};
use scopegate_runtime::{ENGINE_SHA256, Limits, Runtime};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::secrets::open_with_keys;
use super::{keep as keep_generated, keeper};

/// Serves until the process is asked to end.
pub(crate) async fn serve(flags: Serve) -> anyhow::Result<()> {
    let config = Config::load(&flags.source, &flags.flags())?;
    let telemetry = Telemetry::start(&config)?;
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    check_files(&config);
    let certificate = config.tls.clone().map(Certificate::open).transpose()?.map(Arc::new);
    let tls = certificate.clone().map(server_config).transpose()?;
    let providers = Providers::open(&config.providers)?;
    let store = open_with_keys(&config, Actor::server()).await?;
    audit::warn_of_another_key(&store).await?;
    if let Some(seed) = &config.seed {
        let store = store.by(Actor { name: "seed".into(), ..Actor::server() });
        keep_generated(&apply_file(&store, seed, &config.registry.name).await?, &config.data)?;
    }
    let in_name = store.by(Actor { name: "configuration".into(), ..Actor::server() });
    if keep_providers(&in_name, providers.fingerprints()).await? {
        tracing::info!("the identity providers have changed; tokens of changed ones are revoked");
    }
    // The ports are opened last: a client that waits for them may read the certificate as soon as
    // the server answers.
    let prepared = Prepared::new(&config, providers, store).await?;
    let listener = listen(config.listen).await?;
    let metrics_listener = match config.metrics.listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let app = prepared.into_app(&config, listener.local_addr()?).await?;
    let mut background = JoinSet::new();
    background.spawn(follow(Arc::clone(&app)));
    background.spawn(keep(keeper(&config), Arc::clone(&app)));
    background.spawn(keep_fresh(Arc::clone(&app)));
    background.spawn(known_networks::run(Arc::clone(&app)));
    background.spawn(audit::write_sign_ins(Arc::clone(&app)));
    background.spawn(audit::keep(Arc::clone(&app), config.audit.keep_for));
    background.spawn(metrics::run(telemetry.metrics.clone()));
    if let Some(certificate) = certificate {
        background.spawn(async move { certificate.watch(POLL_INTERVAL).await });
    }
    let operator = health::routes(Arc::clone(&app.readiness));
    let counters = health::counters(telemetry.metrics.clone(), Arc::clone(&app.readiness));
    let bounds = Bounds::new(&app.guard);
    let router = router(&config, Arc::clone(&app), operator.clone(), counters.clone());
    let main = http::serve(listener, tls, router, bounds.clone(), stopped());
    let serving = async {
        match metrics_listener {
            Some(listener) => {
                let router = operator.merge(counters);
                let aside = http::serve(listener, None, router, bounds, stopped());
                tokio::try_join!(main, aside).map(drop)
            }
            None => main.await,
        }
    };
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
        let service = config.registry.service.clone();
        Ok(Self {
            runtime: Runtime::with_cache(&config.data, Limits::default())?,
            issuer: Issuer::new(config.issuer.clone(), service, config.tokens.x5c, ring),
            providers,
            store,
        })
    }

    async fn into_app(self, config: &Config, address: SocketAddr) -> anyhow::Result<Arc<App>> {
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let public_url = config.public_url.as_ref().map(ToString::to_string);
        let public_url = public_url.unwrap_or_else(|| format!("{scheme}://{address}"));
        let settings = Settings {
            registry_name: config.registry.name.clone(),
            public_url: public_url.trim_end_matches('/').to_owned(),
            catalog: config.catalog,
            is_managed: config.management.enabled,
            has_playground: config.playground,
            serve_for: config.snapshot.serve_for,
            authz: config.authz.clone(),
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
            service = app.issuer.service,
            kid = app.issuer.ring().newest_kid(),
            "serving"
        );
        Ok(app)
    }
}

/// Warns when the process's file limit is below the configured connections and those that may wait.
fn check_files(config: &Config) {
    let wanted = u64::try_from(config.limits.connections).unwrap_or(u64::MAX).saturating_mul(2);
    if let Some(files) = raise_limit().filter(|files| *files < wanted) {
        tracing::warn!(
            files,
            wanted,
            "this process may have fewer files open than limits.connections asks for; raise its limit (ulimit -n)"
        );
    }
}

/// The router of the main address, within its limits.
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
    };
    layered(router, &guard, reached)
}

/// Keeps the keys of identity providers fresh. Never returns.
async fn keep_fresh(app: Arc<App>) {
    app.providers.keep_fresh(clock::now).await;
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

//! All of it, running: the proxy, and what reads keys and revocations beside it.
//!
//! SIGTERM lets requests in flight end, and SIGINT does not.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusHandle;
use pingora_core::listeners::tls::TlsSettings;
use pingora_core::server::configuration::ServerConf;
use pingora_core::server::{Server, ShutdownWatch};
use pingora_core::services::background::{BackgroundService, background_service};
use pingora_proxy::http_proxy_service;
use tokio::time::{MissedTickBehavior, interval};

use crate::admin;
use crate::client::client;
use crate::config::Config;
use crate::feed::Feed;
use crate::keys::Keys;
use crate::password::Passwords;
use crate::proxy::{Gateway, Proxy, now};
use crate::revocation::Revoked;
use crate::tls::{Certificate, LOOK_EVERY};
use crate::token::Tokens;

/// How often the keys are read.
const KEYS_EVERY: Duration = Duration::from_secs(60);
/// How often they are while none is known.
const FIRST_KEYS_EVERY: Duration = Duration::from_millis(500);
/// How often revocations are.
const REVOCATIONS_EVERY: Duration = Duration::from_secs(1);
/// How long requests in flight may take to end, in seconds.
const GRACE: u64 = 30;

/// Serves until the process is told to end.
///
/// # Errors
///
/// When something that the configuration names cannot be had.
pub fn serve(config: Config) -> anyhow::Result<()> {
    let metrics = admin::recorder()?;
    let feed = |feed| Feed::new(feed, "revocations", &config);
    let feed = config.revocations.as_ref().map(feed).transpose()?;
    let (listen, admin) = (config.listen, config.admin);
    let certificate = config.tls.clone().map(Certificate::open).transpose().context("tls")?;
    let certificate = certificate.map(Arc::new);
    is_free(listen)?;
    let gateway = Arc::new(gateway(config)?);
    let mut server = Server::new_with_opt_and_conf(None, conf());
    server.bootstrap();
    let mut proxy = http_proxy_service(&server.configuration, Proxy(Arc::clone(&gateway)));
    match &certificate {
        None => proxy.add_tcp(&listen.to_string()),
        Some(certificate) => {
            // The files are ours to read: Pingora's own reader ends the thread that serves, and nothing else.
            let mut settings = TlsSettings::intermediate("", "")
                .map_err(|error| anyhow::anyhow!("tls: {error}"))?;
            settings.set_cert_resolver(Arc::<Certificate>::clone(certificate));
            proxy.add_tls_with_settings(&listen.to_string(), None, settings);
        }
    }
    server.add_service(proxy);
    tracing::info!(%listen, is_secure = certificate.is_some(), "listening");
    let beside = Beside { gateway, feed, certificate, admin, metrics };
    server.add_service(background_service("keys, revocations, certificate, admin", beside));
    server.run_forever()
}

/// Whether the address can be listened on: Pingora finds out in a thread that ends then, while the process goes on and serves nobody.
fn is_free(listen: SocketAddr) -> anyhow::Result<()> {
    std::net::TcpListener::bind(listen).map(drop).with_context(|| format!("listen: {listen}"))
}

/// What requests share, made from the configuration.
///
/// # Errors
///
/// When something that it names cannot be had.
pub fn gateway(config: Config) -> anyhow::Result<Gateway> {
    let authorities = config.authorities.as_deref();
    let asking = client(&config.realm, authorities)?;
    let keys = Arc::new(Keys::new(&config.keys, asking.clone()).context("keys")?);
    let tokens = Tokens::new(config.issuer.clone(), config.service.clone(), Arc::clone(&keys));
    let passwords = config
        .passwords
        .then(|| Passwords::new(asking, config.realm.clone(), config.service.clone()));
    let revoked = config.revocations.as_ref();
    let revoked = revoked.map(|revocations| Arc::new(Revoked::new(revocations.serve_for)));
    Ok(Gateway {
        upstream: config.upstream_address()?,
        client: client(&config.upstream, authorities)?,
        keys,
        tokens,
        passwords,
        revoked,
        config,
    })
}

fn conf() -> ServerConf {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    ServerConf {
        threads,
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(GRACE),
        ..ServerConf::default()
    }
}

/// What runs beside the proxy.
struct Beside {
    gateway: Arc<Gateway>,
    feed: Option<Feed>,
    certificate: Option<Arc<Certificate>>,
    admin: Option<SocketAddr>,
    metrics: PrometheusHandle,
}

#[async_trait]
impl BackgroundService for Beside {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        tokio::select! {
            () = self.read_keys() => {}
            () = self.read_revocations() => {}
            () = self.read_certificate() => {}
            () = self.serve_admin() => {}
            _ = shutdown.changed() => {}
        }
    }
}

impl Beside {
    async fn read_keys(&self) {
        loop {
            self.gateway.keys.read().await;
            let has_any = self.gateway.keys.has_any();
            tokio::time::sleep(if has_any { KEYS_EVERY } else { FIRST_KEYS_EVERY }).await;
        }
    }

    async fn read_revocations(&self) {
        let (Some(feed), Some(revoked)) = (&self.feed, &self.gateway.revoked) else {
            return std::future::pending().await;
        };
        let mut tick = interval(REVOCATIONS_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            match feed.generations(revoked.revision()).await {
                Ok(news) => revoked.hear(news, i64::try_from(now()).unwrap_or(i64::MAX)),
                Err(reason) => tracing::warn!(url = %feed.url, reason, "no revocations are heard"),
            }
        }
    }

    async fn read_certificate(&self) {
        match &self.certificate {
            Some(certificate) => certificate.watch(LOOK_EVERY).await,
            None => std::future::pending().await,
        }
    }

    async fn serve_admin(&self) {
        let Some(listen) = self.admin else { return std::future::pending().await };
        let served = admin::serve(listen, Arc::clone(&self.gateway), self.metrics.clone()).await;
        if let Err(error) = served {
            tracing::error!(error = format!("{error:#}"), "no metrics");
        }
        // The traffic goes on without.
        std::future::pending::<()>().await;
    }
}

//! All of it, running: the proxy, and what reads keys, revocations and the policy beside it.
//!
//! SIGTERM lets requests in flight end, and SIGINT does not ([`drain`](crate::drain)).

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use metrics_exporter_prometheus::PrometheusHandle;
use pingora_core::listeners::tls::TlsSettings;
use pingora_core::server::configuration::ServerConf;
use pingora_core::server::{RunArgs, Server, ShutdownWatch};
use pingora_core::services::background::{BackgroundService, background_service};
use pingora_core::services::listening::Service;
use pingora_proxy::http_proxy;
use scopegate_host::client::header::WWW_AUTHENTICATE;
use scopegate_host::client::{Client, MAX_DOCUMENT, is_loopback};
use scopegate_host::files::raise_limit;
use scopegate_host::peers::Peers;
use scopegate_host::setting::SecretUrl;
use scopegate_host::tls::{Certificate, POLL_INTERVAL};
use tokio::runtime::Builder;
use tokio::time::{Interval, MissedTickBehavior, interval};
use url::Url;

use crate::admin;
use crate::body;
use crate::bundle::Bundles;
use crate::client::{MAX_LIST, client};
use crate::config::{Config, Limits, Secret};
use crate::data_plane::{DataPlane, MAX_MANIFEST, Parts};
use crate::drain::{DRAIN_TIMEOUT, Work, Working, draining};
use crate::feed::Feed;
use crate::head::InTime;
use crate::index::{Index, folder};
use crate::keys::Keys;
use crate::pass::{TokenServer, resolve};
use crate::password::Passwords;
use crate::peers::Counted;
use crate::proxy::{Gateway, Proxy, now};
use crate::revocation::RevocationFeed;
use crate::status::Status;
use crate::ticket::Tickets;
use crate::token::Tokens;

/// How often the keys are read.
const KEYS_INTERVAL: Duration = Duration::from_secs(60);
/// How often they are while none is known.
const FIRST_KEYS_INTERVAL: Duration = Duration::from_millis(500);
/// How often the token server is asked what is new.
const FEED_INTERVAL: Duration = Duration::from_secs(1);
/// How long a request that wants a newer policy waits for others that do.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(100);
/// How long what is in the way of ending may take then, in seconds: a question to a name server.
const SHUTDOWN_TIMEOUT: u64 = 2;

/// Serves until the process is told to end.
///
/// # Errors
///
/// When something that the configuration names cannot be had.
pub(crate) fn serve(config: Config) -> anyhow::Result<()> {
    let metrics = admin::recorder()?;
    let feed = feed(&config)?;
    let (listen, admin) = (config.listen, config.admin);
    let certificate = config.tls.clone().map(Certificate::open).transpose().context("tls")?;
    let certificate = certificate.map(Arc::new);
    let work = Work::default();
    is_free(listen).or_else(|_| {
        // Another one that ends closes it first of all.
        std::thread::sleep(Duration::from_secs(1));
        is_free(listen)
    })?;
    check_files(config.limits.connections);
    // The index's connections live as long as the process, and so does what drives them.
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.context("cannot start a thread")?;
    if let Some(certificate) = certificate.clone() {
        // Before the port is open: a client that waits for it may send SIGHUP.
        let _in_runtime = runtime.enter();
        runtime.spawn(certificate.watch(POLL_INTERVAL));
    }
    let _folder = runtime.block_on(folder(&config))?;
    let lists = lists(&config)?;
    let data_plane = runtime.block_on(data_plane(&config, lists.clone(), &work))?;
    let tickets = match data_plane.as_ref().filter(|_| config.generates_indexes()) {
        Some(data_plane) => Some(runtime.block_on(tickets(data_plane))?),
        None => None,
    };
    let gateway = Arc::new(Gateway { data_plane, tickets, ..gateway(config, lists)? });
    let mut server = Server::new_with_opt_and_conf(None, conf());
    server.bootstrap();
    let app = Arc::new(http_proxy(&server.configuration, Proxy(Arc::clone(&gateway))));
    let app = Arc::new(InTime { app, timeouts: gateway.config.timeouts });
    let counted = Counted { app, peers: Arc::clone(&gateway.peers) };
    let working = Working { app: Arc::new(counted), work: work.clone() };
    let mut proxy = Service::new("registry".to_owned(), working);
    match &certificate {
        None => proxy.add_tcp(&listen.to_string()),
        Some(certificate) => {
            // The files are ours to read: Pingora's own reader ends the thread that serves, and
            // nothing else.
            let mut settings = TlsSettings::intermediate("", "")
                .map_err(|error| anyhow::anyhow!("tls: {error}"))?;
            settings.set_cert_resolver(Arc::<Certificate>::clone(certificate));
            proxy.add_tls_with_settings(&listen.to_string(), None, settings);
        }
    }
    let (proxy, signals) = draining(proxy, work);
    server.add_service(proxy);
    tracing::info!(%listen, is_secure = certificate.is_some(), "listening");
    let background = Background { gateway, feed, admin, metrics };
    server.add_service(background_service("keys, feed, admin", background));
    server.run(RunArgs { shutdown_signal: Box::new(signals) });
    Ok(())
}

/// Looks through the whole registry, and fills the index.
///
/// # Errors
///
/// When there is no index, or it or the registry cannot be had.
pub(crate) fn crawl(config: &Config) -> anyhow::Result<()> {
    let index = config.index.as_ref().context("index: not configured")?;
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let data_plane =
            data_plane(config, lists(config)?, &Work::default()).await?.context("index")?;
        let crawled = data_plane.crawl(index.crawl_rate).await;
        crawled.map_err(|trouble| anyhow::anyhow!("{trouble:?}"))
    })
}

/// Whether the address can be listened on: Pingora finds out in a thread that ends then, while the
/// process goes on and serves no requests.
fn is_free(listen: SocketAddr) -> anyhow::Result<()> {
    std::net::TcpListener::bind(listen).map(drop).with_context(|| format!("listen: {listen}"))
}

/// Whether this process may have as many connections open as are configured: one to the client and
/// one to the registry for each, and as many more that wait.
fn check_files(connections: usize) {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_mul(3);
    if let Some(files) = raise_limit().filter(|files| *files < wanted) {
        tracing::warn!(
            files,
            wanted,
            "this process may have fewer files open than limits.connections asks for; raise its limit (ulimit -n)"
        );
    }
}

/// The folder of the index, for this process alone, where no database is shared.
async fn folder(config: &Config) -> anyhow::Result<Option<File>> {
    let index = config.index.as_ref().filter(|index| index.database_url.is_none());
    let Some(folder) = index.and_then(|index| index.data.as_deref()) else { return Ok(None) };
    let wait_for = DRAIN_TIMEOUT.saturating_add(Duration::from_secs(SHUTDOWN_TIMEOUT));
    folder::take(folder, wait_for).await.context("index").map(Some)
}

/// What asks the registry for lists: one client, because what holds back long answers is its own.
fn lists(config: &Config) -> anyhow::Result<Client> {
    client(&config.upstream, config.authorities.as_deref(), MAX_LIST)
}

/// The data plane, where the configuration has an index.
async fn data_plane(
    config: &Config,
    lists: Client,
    work: &Work,
) -> anyhow::Result<Option<Arc<DataPlane>>> {
    let Some(settings) = &config.index else { return Ok(None) };
    let url = settings.database_url.as_ref().map(SecretUrl::expose);
    // A database has nothing in a folder.
    let folder = settings.data.as_deref().unwrap_or_else(|| Path::new("."));
    let authorities = config.authorities.as_deref();
    Ok(Some(DataPlane::new(Parts {
        index: Index::open(folder, url).await.context("index")?,
        lists,
        documents: client(&config.upstream, authorities, MAX_MANIFEST)?,
        upstream: config.upstream.clone(),
        service: config.service.clone(),
        fresh_for: settings.fresh_for,
        wait_for: settings.wait_for,
        write_once: settings.write_once.clone(),
        write_timeout: config.timeouts.upstream,
        work: work.clone(),
    })))
}

/// What opens an index of charts, with the key that all gateways of an index have.
async fn tickets(data_plane: &DataPlane) -> anyhow::Result<Tickets> {
    let key = data_plane.ticket_key(&Tickets::new_key()?).await.context("index")?;
    Tickets::new(&key)
}

/// What requests share, made from the configuration.
///
/// # Errors
///
/// When something that it names cannot be had.
pub(crate) fn gateway(config: Config, lists: Client) -> anyhow::Result<Gateway> {
    let authorities = config.authorities.as_deref();
    let endpoint = config.token_endpoint();
    let asking = client(&endpoint, authorities, MAX_DOCUMENT)?;
    let keys = Arc::new(Keys::new(&config.keys, asking.clone()).context("keys")?);
    let tokens = Tokens::new(config.issuer().to_owned(), config.service.clone(), Arc::clone(&keys));
    let shown = shown(&config, &endpoint)?;
    let token_server = token_server(&config, shown.as_ref())?;
    let service = config.service.clone();
    let passwords = config.passwords.then(|| Passwords::new(asking, endpoint, service, shown));
    let Limits { connections, connections_per_peer, exempt_peers } = config.limits.clone();
    let [bodies, bodies_per_peer] = body::AT_ONCE;
    let bodies = Peers::new(bodies, bodies_per_peer, vec![exempt_peers.clone()]);
    let peers = Peers::new(connections, connections_per_peer, vec![exempt_peers]).handing_over();
    Ok(Gateway {
        peers: Arc::new(peers),
        bodies: Arc::new(bodies),
        upstream: resolve(&config.upstream).context("upstream")?,
        client: lists,
        status: status(&config, &keys),
        data_plane: None,
        tickets: None,
        keys,
        tokens,
        passwords,
        token_server,
        config,
    })
}

/// What the token server is shown with every request for a client, so that it counts the client and
/// not this gateway: who this is.
fn shown(config: &Config, endpoint: &Url) -> anyhow::Result<Option<HeaderValue>> {
    let Some((field, user, secret_file)) = config.credentials() else { return Ok(None) };
    if !is_private(endpoint) {
        tracing::warn!(
            "the realm is plain HTTP, so the token server is not shown who asks, and counts all clients as one; use https"
        );
        return Ok(None);
    }
    let secret = Secret::read(secret_file).with_context(|| format!("{field}.secretFile"))?;
    let text = STANDARD.encode(format!("{user}:{}", secret.expose()));
    let mut value = HeaderValue::try_from(format!("Basic {text}"))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// The token server behind this address, where there is one.
fn token_server(
    config: &Config,
    shown: Option<&HeaderValue>,
) -> anyhow::Result<Option<TokenServer>> {
    let (Some(own), Some(shown)) = (&config.token_server, shown) else { return Ok(None) };
    let authorities = config.authorities.as_deref();
    let server = TokenServer::new(&own.url, authorities, shown.clone(), own.management);
    server.context("tokenServer").map(Some)
}

/// Whether what is sent to an address cannot be read on the way: over TLS, or within this machine.
fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || is_loopback(url)
}

fn status(config: &Config, keys: &Arc<Keys>) -> Status {
    let (issuer, service) = (config.issuer().to_owned(), config.service.clone());
    match (&config.revocations, &config.bundle) {
        (Some(feed), _) => Status::Revocations(RevocationFeed::new(feed.serve_for)),
        (None, Some(feed)) => {
            Status::Policy(Bundles::new(issuer, service, Arc::clone(keys), feed.serve_for))
        }
        (None, None) => Status::Expiry,
    }
}

/// What the token server is asked each second, where it is.
fn feed(config: &Config) -> anyhow::Result<Option<Feed>> {
    let (field, feed) = match (&config.revocations, &config.bundle) {
        (Some(feed), _) => ("revocations", feed),
        (None, Some(feed)) => ("bundle", feed),
        (None, None) => return Ok(None),
    };
    Feed::new(feed, field, config).map(Some)
}

fn conf() -> ServerConf {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    ServerConf {
        threads,
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(SHUTDOWN_TIMEOUT),
        ..ServerConf::default()
    }
}

/// What runs beside the proxy.
struct Background {
    gateway: Arc<Gateway>,
    feed: Option<Feed>,
    admin: Option<SocketAddr>,
    metrics: PrometheusHandle,
}

#[async_trait]
impl BackgroundService for Background {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        tokio::select! {
            () = self.read_keys() => {}
            () = self.read_feed() => {}
            () = self.serve_admin() => {}
            () = self.compare_realms() => {}
            () = self.follow_index() => {}
            _ = shutdown.changed() => {}
        }
    }
}

impl Background {
    async fn read_keys(&self) {
        loop {
            self.gateway.keys.read().await;
            let has_any = self.gateway.keys.has_any();
            tokio::time::sleep(if has_any { KEYS_INTERVAL } else { FIRST_KEYS_INTERVAL }).await;
        }
    }

    async fn read_feed(&self) {
        let Some(feed) = &self.feed else { return std::future::pending().await };
        let mut tick = interval(FEED_INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut tag, mut keys_epoch) = (None, None);
        loop {
            self.next_question(&mut tick).await;
            let fetched = match &self.gateway.status {
                Status::Expiry => Ok(()),
                Status::Revocations(known) => {
                    fetch_generations(feed, known, &self.gateway.keys, &mut keys_epoch).await
                }
                Status::Policy(bundles) => fetch_bundle(feed, bundles, &mut tag).await,
            };
            if let Err(reason) = fetched {
                tracing::warn!(url = %feed.url, reason, "revocation feed fetch failed");
            }
        }
    }

    /// Waits until the token server is to be asked: each second, and when a request waits for a
    /// newer policy, which is at most ten times a second.
    async fn next_question(&self, tick: &mut Interval) {
        let Status::Policy(bundles) = &self.gateway.status else {
            tick.tick().await;
            return;
        };
        tokio::select! {
            _ = tick.tick() => {}
            () = async {
                bundles.wanted().await;
                tokio::time::sleep(BETWEEN_QUESTIONS).await;
            } => {}
        }
    }

    /// Says where the token server sends clients elsewhere than this gateway does: they would ask
    /// it for tokens around the one address.
    async fn compare_realms(&self) {
        let config = &self.gateway.config;
        let base = config.token_server.as_ref().and_then(|own| own.url.join("/v2/").ok());
        if let (Some(base), Ok(client)) =
            (base, client(&config.realm, config.authorities.as_deref(), MAX_DOCUMENT))
        {
            let theirs = loop {
                match realm_at(&client, &base).await {
                    Ok(realm) => break realm,
                    Err(_) => tokio::time::sleep(FEED_INTERVAL).await,
                }
            };
            if theirs.as_deref() != Some(config.realm.as_str()) {
                let (theirs, ours) = (theirs.unwrap_or_default(), config.realm.as_str());
                tracing::warn!(
                    theirs,
                    ours,
                    "the token server's realm is another one; its publicUrl is to be this gateway's address"
                );
            }
        }
        std::future::pending::<()>().await;
    }

    async fn follow_index(&self) {
        let (Some(data_plane), Some(index)) =
            (&self.gateway.data_plane, &self.gateway.config.index)
        else {
            return std::future::pending().await;
        };
        tokio::join!(
            data_plane.follow_restrictions(),
            data_plane.follow_untags(),
            data_plane.begin(index.crawl_rate)
        );
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

/// The realm of the challenge at an address, where it has one.
async fn realm_at(client: &Client, base: &Url) -> Result<Option<String>, String> {
    let answer = client.send(client.get(base)).await?;
    let challenge = answer.headers.get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    let realm = challenge.and_then(|text| text.split_once("realm=\"")?.1.split('"').next());
    Ok(realm.map(ToOwned::to_owned))
}

/// `keys_epoch` is the epoch in which the keys were read last: a key that leaked is replaced with a
/// new epoch.
async fn fetch_generations(
    feed: &Feed,
    known: &RevocationFeed,
    keys: &Keys,
    keys_epoch: &mut Option<String>,
) -> Result<(), String> {
    let update = feed.generations(known.revision()).await?;
    known.ingest(update, now()).map_err(|error| error.to_string())?;
    let epoch = known.epoch();
    if epoch != *keys_epoch && keys.read().await {
        *keys_epoch = epoch;
    }
    Ok(())
}

/// `tag` is that of the bundle that was taken last.
async fn fetch_bundle(
    feed: &Feed,
    bundles: &Bundles,
    tag: &mut Option<String>,
) -> Result<(), String> {
    let question = bundles.begin();
    let taken = take_bundle(feed, bundles, tag).await;
    bundles.end(question);
    taken
}

async fn take_bundle(
    feed: &Feed,
    bundles: &Bundles,
    tag: &mut Option<String>,
) -> Result<(), String> {
    match feed.bundle(tag.as_deref()).await? {
        None => bundles.confirm(now()),
        Some((text, new)) => {
            bundles.ingest(&text, now()).await?;
            *tag = Some(new);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_the_gateway_goes_where_nobody_reads_it() {
        for (realm, expected) in [
            ("https://registry.example/oauth2/token", true),
            ("http://localhost:5001/oauth2/token", true),
            ("http://127.0.0.1:5001/oauth2/token", true),
            ("http://[::1]:5001/oauth2/token", true),
            ("http://registry.example/oauth2/token", false),
            ("http://localhost.example/oauth2/token", false),
            ("http://10.0.0.1/oauth2/token", false),
        ] {
            assert_eq!(is_private(&Url::parse(realm).unwrap()), expected, "{realm}");
        }
    }
}

//! `scopegate-server`: reads its command line and starts.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser as _;
use scopegate_runtime::{Limits, Runtime, engine_digest};
use scopegate_server::app::App;
use scopegate_server::clock;
use scopegate_server::config::{Apply, Cli, Command, Config, Serve};
use scopegate_server::guard::Guard;
use scopegate_server::headers::Reached;
use scopegate_server::health::{self, Readiness};
use scopegate_server::issue::Issuer;
use scopegate_server::keys::Keys;
use scopegate_server::routes::routes;
use scopegate_server::seed::{Generated, apply_file};
use scopegate_server::serve::{self, Bounds, layered, stopped};
use scopegate_server::store::Store;
use scopegate_server::telemetry::{Telemetry, metrics};
use scopegate_server::tls::{LOOK_EVERY, Tls, install_provider};
use scopegate_server::watch::{refresh, watch};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> ExitCode {
    install_provider();
    let ended = match Cli::parse().command {
        Command::Serve(flags) => serve(*flags).await,
        Command::Apply(flags) => apply(flags).await,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", in_one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and what caused it. Some libraries repeat the cause in the error; it is said once.
fn in_one_line(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |said, cause| match cause.to_string() {
        cause if said.contains(&cause) => said,
        cause if said.is_empty() => cause,
        cause => format!("{said}: {cause}"),
    })
}

async fn apply(flags: Apply) -> anyhow::Result<()> {
    let config = Config::load(&flags.source, &[])?;
    let store = Store::open(&config.data).await?;
    print(&apply_file(&store, &flags.file).await?)
}

async fn serve(flags: Serve) -> anyhow::Result<()> {
    let config = Config::load(&flags.source, &flags.flags())?;
    let telemetry = Telemetry::start(&config)?;
    let tls = config.tls.clone().map(Tls::open).transpose()?;
    let store = Store::open(&config.data).await?;
    if let Some(seed) = &config.seed {
        print(&apply_file(&store, seed).await?)?;
    }
    let runtime = Runtime::with_cache(&config.data, Limits::default())?;
    let keys = Keys::open(&config.data, &config.issuer)?;
    // The ports come last: whoever is waiting for them may read the certificate as soon as somebody answers.
    let listener = listen(config.listen).await?;
    let metrics_listener = match config.metrics.listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let address = listener.local_addr()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let public_url = match &config.public_url {
        Some(url) => url.to_string(),
        None => format!("{scheme}://{address}"),
    };
    let service = config.registry.service.clone();
    let issuer = Issuer { issuer: config.issuer.clone(), service, keys };
    let app = Arc::new(App::new(runtime, issuer, &public_url, config.catalog));
    refresh(&app, &store).await?;
    let readiness = Arc::new(Readiness::new(config.snapshot.serve_for));
    readiness.confirm(0, app.policy().token_count(), clock::now());
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        engine_sha256 = engine_digest(),
        %address,
        service = app.issuer.service,
        kid = app.issuer.keys.kid,
        "serving"
    );
    let mut background = JoinSet::new();
    background.spawn(watch(Arc::clone(&app), store));
    background.spawn(metrics::keep_up(telemetry.metrics.clone()));
    if let Some(tls) = tls.clone() {
        background.spawn(tls.watch(LOOK_EVERY));
    }
    let guard = Arc::new(Guard::new(config.limits.clone()));
    let bounds = Bounds::new(&config.limits);
    let operator = health::routes(Arc::clone(&readiness));
    let counters = metrics::routes(telemetry.metrics.clone(), readiness);
    let mut router = routes(app).merge(operator.clone());
    if config.metrics.public {
        router = router.merge(counters.clone());
    }
    let reached =
        Reached { is_secure: config.is_secure(), trusted_proxies: config.limits.trusted_proxies };
    let router = layered(router, &guard, reached);
    let main = serve::serve(listener, tls.map(|tls| tls.config()), router, bounds, stopped());
    match metrics_listener {
        Some(listener) => {
            let router = operator.merge(counters);
            let aside = serve::serve(listener, None, router, bounds, stopped());
            tokio::try_join!(main, aside)?;
        }
        None => main.await?,
    }
    background.shutdown().await;
    telemetry.stop().await;
    Ok(())
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// Prints generated passwords, one JSON object a line: the only time that anybody sees them.
fn print(generated: &[Generated]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for password in generated {
        writeln!(out, "{}", serde_json::to_string(password)?)?;
    }
    Ok(())
}

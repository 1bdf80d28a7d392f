//! `scopegate-server`: reads its command line and starts.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser as _;
use scopegate_runtime::{Limits, Runtime, engine_digest};
use scopegate_server::app::{App, Parts};
use scopegate_server::clock;
use scopegate_server::config::{Apply, Cli, Command, Serve, Where};
use scopegate_server::edit::service_principals::{ADMINISTRATOR, reset_administrator};
use scopegate_server::identity::Providers;
use scopegate_server::issue::Issuer;
use scopegate_server::keys::keeper::keep;
use scopegate_server::keys::{Algorithm, Keeper, Rotation, RsaSize};
use scopegate_server::routes::routes;
use scopegate_server::seed::{Generated, apply_file};
use scopegate_server::store::Store;
use scopegate_server::watch::{catch_up, follow};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Signing keys follow each other every ninety days, and are published a day before they sign.
const ROTATION: Rotation =
    Rotation { every: Duration::from_secs(90 * 86_400), ahead: Duration::from_secs(86_400) };
/// How long tokens are still issued when the database is gone.
const SERVE_FOR: Duration = Duration::from_secs(86_400);

#[tokio::main]
async fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Serve(config) => serve(config).await,
        Command::Administrator(place) => administrator(place).await,
        Command::Apply(config) => apply(config).await,
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

async fn apply(config: Apply) -> anyhow::Result<()> {
    let store = open(&config.place).await?;
    print(&apply_file(&store, &config.file, &config.registry_name).await?)
}

/// Gives the local administrator a new secret, and says what `az login` needs.
async fn administrator(place: Where) -> anyhow::Result<()> {
    let store = open(&place).await?;
    let mut write = store.write().await?;
    let secret = reset_administrator(&mut write).await?;
    let registry = write.registry().await?;
    write.commit().await?;
    let said = serde_json::json!({
        "clientId": ADMINISTRATOR,
        "secret": secret,
        "tenant": registry.tenant,
        "subscription": registry.subscription,
    });
    writeln!(std::io::stdout().lock(), "{said}")?;
    Ok(())
}

async fn open(place: &Where) -> anyhow::Result<Store> {
    Store::open(&place.data, place.database_url.as_deref()).await
}

async fn serve(config: Serve) -> anyhow::Result<()> {
    start_log(config.log_json);
    let store = Store::open(&config.data, config.database_url.as_deref()).await?;
    if let Some(seed) = &config.seed {
        print(&apply_file(&store, seed, &config.registry_name).await?)?;
    }
    let runtime = Runtime::with_cache(&config.data, Limits::default())?;
    let keeper = Keeper {
        folder: config.data.clone(),
        issuer: config.issuer.clone(),
        algorithm: Algorithm::default(),
        size: RsaSize::default(),
        rotation: ROTATION,
    };
    let ring = keeper.tend(&store, clock::now()).await?;
    keeper.write_bundle(&ring)?;
    // The port comes last: whoever is waiting for it may read the certificate as soon as somebody answers.
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    let public_url = config.public_url.unwrap_or_else(|| format!("http://{address}"));
    let app = Arc::new(App::new(Parts {
        runtime,
        issuer: Issuer::new(config.issuer, config.service, false, ring),
        registry_name: config.registry_name,
        public_url,
        catalog: config.catalog,
        providers: Providers::default(),
        store,
        serve_for: SERVE_FOR,
    })?);
    catch_up(&app).await?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        engine_sha256 = engine_digest(),
        %address,
        service = app.issuer.service,
        kid = app.issuer.ring().newest_kid(),
        "serving"
    );
    let following = tokio::spawn(follow(Arc::clone(&app)));
    let keeping = tokio::spawn(keep(keeper, Arc::clone(&app)));
    axum::serve(listener, routes(app)).with_graceful_shutdown(stopped()).await?;
    following.abort();
    keeping.abort();
    Ok(())
}

fn start_log(as_json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if as_json { log.json().init() } else { log.with_ansi(false).init() }
}

/// Prints generated passwords, one JSON object a line: the only time that anybody sees them.
fn print(generated: &[Generated]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for password in generated {
        writeln!(out, "{}", serde_json::to_string(password)?)?;
    }
    Ok(())
}

/// Resolves when the process is asked to end.
async fn stopped() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

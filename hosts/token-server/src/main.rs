//! `scopegate-server`: reads its command line and starts.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser as _;
use scopegate_runtime::{Limits, Runtime, engine_digest};
use scopegate_server::app::App;
use scopegate_server::config::{Apply, Cli, Command, Config, Serve};
use scopegate_server::issue::Issuer;
use scopegate_server::keys::Keys;
use scopegate_server::routes::routes;
use scopegate_server::seed::{Generated, apply_file};
use scopegate_server::store::Store;
use scopegate_server::watch::{refresh, watch};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
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
    start_log(config.log.json);
    let store = Store::open(&config.data).await?;
    if let Some(seed) = &config.seed {
        print(&apply_file(&store, seed).await?)?;
    }
    let runtime = Runtime::with_cache(&config.data, Limits::default())?;
    let keys = Keys::open(&config.data, &config.issuer)?;
    // The port comes last: whoever is waiting for it may read the certificate as soon as somebody answers.
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    let public_url =
        config.public_url.map_or_else(|| format!("http://{address}"), |url| url.to_string());
    let issuer = Issuer { issuer: config.issuer, service: config.registry.service, keys };
    let app = Arc::new(App::new(runtime, issuer, &public_url, config.catalog));
    refresh(&app, &store).await?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        engine_sha256 = engine_digest(),
        %address,
        service = app.issuer.service,
        kid = app.issuer.keys.kid,
        "serving"
    );
    let watching = tokio::spawn(watch(Arc::clone(&app), store));
    axum::serve(listener, routes(app)).with_graceful_shutdown(stopped()).await?;
    watching.abort();
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

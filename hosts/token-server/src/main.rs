//! `scopegate-server`: reads its command line and starts.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser as _;
use scopegate_runtime::{Limits, Runtime};
use scopegate_server::app::{App, Parts};
use scopegate_server::clock;
use scopegate_server::config::{
    Administrator, Apply, Cli, Command, Config, Doctor, Keys, SecretUrl, Serve,
};
use scopegate_server::doctor::{Registry, Server, Verdict, diagnose};
use scopegate_server::edit::service_principals::{ADMINISTRATOR, reset_administrator};
use scopegate_server::headers::Reached;
use scopegate_server::health;
use scopegate_server::identity::Providers;
use scopegate_server::issue::Issuer;
use scopegate_server::keys::keeper::keep;
use scopegate_server::keys::{Keeper, Rotation, RsaSize};
use scopegate_server::routes::routes;
use scopegate_server::seed::{Generated, apply_file};
use scopegate_server::serve::{self, Bounds, layered, stopped};
use scopegate_server::store::Store;
use scopegate_server::telemetry::{Telemetry, metrics};
use scopegate_server::tls::{LOOK_EVERY, Tls, install_provider};
use scopegate_server::watch::{catch_up, follow};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    install_provider();
    let ended = match Cli::parse().command {
        Command::Serve(flags) => serve(*flags).await,
        Command::Administrator(flags) => administrator(flags).await,
        Command::Keys(command) => keys(command).await,
        Command::Doctor(flags) => doctor(flags).await,
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
    let store = open(&config).await?;
    print(&apply_file(&store, &flags.file, &config.registry.name).await?)?;
    // Beside the passwords, which may go into a file.
    eprintln!("{} is in the database now", flags.file.display());
    Ok(())
}

/// Gives the local administrator a new secret, and says what `az login` needs.
async fn administrator(flags: Administrator) -> anyhow::Result<()> {
    let store = open(&Config::load(&flags.source, &[])?).await?;
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

async fn keys(command: Keys) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    match command {
        Keys::List(flags) => {
            let config = Config::load(&flags.source, &[])?;
            let ring = keeper(&config).tend(&open(&config).await?, clock::now()).await?;
            for key in ring.keys() {
                let from = clock::rfc3339(key.signs_from());
                writeln!(out, "{} {} signs from {from}", key.kid(), key.algorithm())?;
            }
        }
        Keys::Rotate(flags) => {
            let config = Config::load(&flags.source, &[])?;
            let after = if flags.at_once { Duration::ZERO } else { config.tokens.publish_ahead };
            let store = open(&config).await?;
            let keeper = keeper(&config);
            let kid = keeper.rotate(&store, after, clock::now()).await?;
            // A registry may be restarted before the server looks the next time.
            keeper.write_bundle(&keeper.tend(&store, clock::now()).await?)?;
            writeln!(out, "{kid}")?;
        }
    }
    Ok(())
}

/// Says what makes a registry refuse a token; tells by its exit code whether anything does.
async fn doctor(flags: Doctor) -> anyhow::Result<()> {
    let config = Config::load(&flags.source, &flags.flags())?;
    let token = if flags.token.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())?
    } else {
        std::fs::read_to_string(&flags.token)
            .with_context(|| format!("cannot read {}", flags.token.display()))?
    };
    let registry = flags.registry.as_deref().map(Registry::read).transpose()?;
    let ring = keeper(&config).tend(&open(&config).await?, clock::now()).await?;
    let public_url = config.public_url.as_ref().map(ToString::to_string).unwrap_or_default();
    let server = Server {
        issuer: &config.issuer,
        service: &config.registry.service,
        public_url: public_url.trim_end_matches('/'),
        ring: Some(&ring),
    };
    let mut findings = diagnose(&token, &server, registry.as_ref(), clock::now());
    findings.retain(|finding| match flags.version.as_deref() {
        Some("2.8") => finding.verdict != Verdict::RefusedBy3,
        Some("3") => finding.verdict != Verdict::RefusedBy2,
        _ => true,
    });
    let mut out = std::io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    anyhow::ensure!(
        findings.iter().all(|finding| finding.verdict == Verdict::Possible),
        "a registry refuses this token"
    );
    if findings.is_empty() {
        writeln!(out, "nothing is wrong with this token")?;
    }
    Ok(())
}

async fn open(config: &Config) -> anyhow::Result<Store> {
    Store::open(&config.data, config.database_url.as_ref().map(SecretUrl::expose)).await
}

fn keeper(config: &Config) -> Keeper {
    Keeper {
        folder: config.data.clone(),
        issuer: config.issuer.clone(),
        algorithm: config.tokens.algorithm,
        size: RsaSize::default(),
        rotation: Rotation {
            every: config.tokens.rotate_every,
            ahead: config.tokens.publish_ahead,
        },
    }
}

async fn serve(flags: Serve) -> anyhow::Result<()> {
    let config = Config::load(&flags.source, &flags.flags())?;
    let telemetry = Telemetry::start(&config)?;
    let tls = config.tls.clone().map(Tls::open).transpose()?;
    let providers = Providers::open(&config.providers)?;
    let store = open(&config).await?;
    if let Some(seed) = &config.seed {
        print(&apply_file(&store, seed, &config.registry.name).await?)?;
    }
    let runtime = Runtime::with_cache(&config.data, Limits::default())?;
    let keeper = keeper(&config);
    let ring = keeper.tend(&store, clock::now()).await?;
    keeper.write_bundle(&ring)?;
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
    let app = Arc::new(App::new(Parts {
        runtime,
        issuer: Issuer::new(config.issuer.clone(), service, config.tokens.x5c, ring),
        registry_name: config.registry.name.clone(),
        public_url,
        catalog: config.catalog,
        providers,
        store,
        is_managed: config.management.enabled,
        serve_for: config.snapshot.serve_for,
        limits: config.limits.clone(),
    })?);
    catch_up(&app).await?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        engine_sha256 = app.engine,
        %address,
        service = app.issuer.service,
        kid = app.issuer.ring().newest_kid(),
        "serving"
    );
    let mut background = JoinSet::new();
    background.spawn(follow(Arc::clone(&app)));
    background.spawn(keep(keeper, Arc::clone(&app)));
    background.spawn(keep_fresh(Arc::clone(&app)));
    background.spawn(metrics::keep_up(telemetry.metrics.clone()));
    if let Some(tls) = tls.clone() {
        background.spawn(tls.watch(LOOK_EVERY));
    }
    let (guard, readiness) = (Arc::clone(&app.guard), Arc::clone(&app.readiness));
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

/// Keeps the keys of identity providers fresh. Never returns.
async fn keep_fresh(app: Arc<App>) {
    app.providers.keep_fresh(clock::now).await;
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

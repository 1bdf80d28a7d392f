//! `scopegate-gateway`: reads its configuration and serves.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use scopegate_gateway::config::Config;
use scopegate_gateway::{serve, telemetry};

/// A reverse proxy before a registry: what a token may do, decided where the traffic passes.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// The configuration; examples/gateway.yaml has every value.
    #[arg(long, default_value = "gateway.yaml")]
    config: PathBuf,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    // Only a second choice is refused, and this is the first.
    scopegate_host::tls::install_provider();
    let config = Config::read(&cli.config)?;
    telemetry::start(config.log)?;
    serve::serve(config)
}

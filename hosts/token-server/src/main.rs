//! `scopegate-server`: reads its command line and does what it says.

mod commands;

use std::process::ExitCode;

use clap::Parser as _;
use scopegate_server::config::{Cli, Command};
use scopegate_server::http::tls::install_provider;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    install_provider();
    let ended = match Cli::parse().command {
        Command::Serve(flags) => commands::serve(*flags).await,
        Command::Administrator(flags) => commands::administrator(flags).await,
        Command::Keys(command) => commands::keys(command).await,
        Command::Doctor(flags) => commands::doctor(flags).await,
        Command::Restore(flags) => commands::restore(flags).await,
        Command::Apply(flags) => commands::apply(flags).await,
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

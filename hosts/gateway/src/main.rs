//! `scopegate-gateway`: a reverse proxy before a registry that lets through what a token may do,
//! and answers the rest itself.
//!
//! Life of a request: [`request`] refuses what two readers could read in two ways, [`token`] and
//! [`password`] find the credential, [`scopegate_edge::decide`] decides, and [`proxy`] forwards the
//! canonical request or answers.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration |
//! | [`address`] | which requests go to the token server, where this is its address too |
//! | [`pass`] | what the token server is sent then, and what comes back |
//! | [`request`] | what is refused before anything is decided |
//! | [`peers`] | how many connections one client may have |
//! | [`head`] | how long the head of a request may take |
//! | [`keys`] | the public keys of the issuer |
//! | [`jws`] | what the issuer signed |
//! | [`token`] | tokens, verified once and remembered |
//! | [`password`] | names and passwords, asked about at the token server |
//! | [`feed`] | what the token server tells of itself |
//! | [`revocation`] | what the revocation feed has said |
//! | [`bundle`] | the policy of the registry, held here |
//! | [`status`] | where the status of tokens is known from |
//! | [`proxy`] | the request and the answer, between client and registry |
//! | [`headers`] | what a client may not send on, and what an answer may not bring back |
//! | [`listing`] | the repositories and the tags, page by page |
//! | [`body`] | bodies that are read whole, within a length and a time |
//! | [`call`] | a call of the data plane as it is received |
//! | [`data_plane`] | the registry's own data plane, `/acr/v1`, over any registry |
//! | [`index`] | what a registry does not know of its artifacts |
//! | [`charts`] | which index of charts is asked for, and by which address |
//! | [`ticket`] | the address of an index of charts that opens without a credential |
//! | [`admin`] | metrics, and whether the gateway lives and is ready |
//! | [`telemetry`] | the log and the decision log |
//! | [`drain`] | ending without cutting requests off |
//! | [`client`] | asking the token server |
//! | [`serve`](mod@serve) | all of it, running |
//!
//! Left out: which tokens, scopes and paths are good, which `scopegate-edge` and the engine decide;
//! storage, which is the registry's; issuing, which is the token server's.

mod address;
mod admin;
mod body;
mod bundle;
mod call;
mod charts;
mod client;
mod compatibility;
mod config;
mod data_plane;
mod drain;
mod feed;
mod head;
mod headers;
mod index;
mod jws;
mod keys;
mod listing;
mod pass;
mod password;
mod peers;
mod proxy;
mod request;
mod revocation;
mod serve;
#[cfg(test)]
mod signer;
mod status;
mod telemetry;
mod ticket;
mod token;
mod untag;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;

/// A reverse proxy before a registry: what a token may do, decided where the traffic passes.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// The configuration; examples/gateway.yaml has every value.
    #[arg(long, global = true, default_value = "gateway.yaml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Command {
    /// Look through the whole registry and fill the index. What was not finished goes on.
    Crawl,
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
    match cli.command {
        None => serve::serve(config),
        Some(Command::Crawl) => serve::crawl(&config),
    }
}

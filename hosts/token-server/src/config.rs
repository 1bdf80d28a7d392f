//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use scopegate_core::Catalog;

/// A token server for container registries.
#[derive(Debug, Parser)]
#[command(name = "scopegate-server", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve tokens.
    Serve(Serve),
    /// Make the local administrator, or give it a new secret.
    Administrator(Where),
    /// Write scope maps and tokens from a file into the database, also of a server that runs.
    Apply(Apply),
}

/// `scopegate-server serve`
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// The folder of the database and the signing key. Made when it is missing.
    #[arg(long, default_value = "scopegate-data")]
    pub data: PathBuf,
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:5001")]
    pub listen: SocketAddr,
    /// A PostgreSQL, when more than one server is to share what they know: `postgres://user:password@host/database`.
    #[arg(long)]
    pub database_url: Option<String>,
    /// The registry's own name, which is the user name of its admin.
    #[arg(long, default_value = "registry")]
    pub registry_name: String,
    /// The registry that tokens are for; what it calls its `service`.
    #[arg(long, default_value = "registry.local")]
    pub service: String,
    /// Who signs; what the registry calls its `issuer`.
    #[arg(long, default_value = "scopegate")]
    pub issuer: String,
    /// The address under which clients reach this server, for challenges. By default the address that it listens on.
    #[arg(long)]
    pub public_url: Option<String>,
    /// Scope maps and tokens to write into the database before serving.
    #[arg(long)]
    pub seed: Option<PathBuf>,
    /// Who may list the repositories of the registry: root, never or filtered.
    #[arg(long, default_value = "root", value_parser = parse_catalog)]
    pub catalog: Catalog,
    /// Log as JSON, one object a line.
    #[arg(long)]
    pub log_json: bool,
}

/// Where the database is.
#[derive(Clone, Debug, Args)]
pub struct Where {
    /// The folder of the database.
    #[arg(long, default_value = "scopegate-data")]
    pub data: PathBuf,
    /// A PostgreSQL, when the servers have one.
    #[arg(long)]
    pub database_url: Option<String>,
}

/// `scopegate-server apply`
#[derive(Clone, Debug, Args)]
pub struct Apply {
    /// Where the database is.
    #[command(flatten)]
    pub place: Where,
    /// The registry's own name, which no token may have.
    #[arg(long, default_value = "registry")]
    pub registry_name: String,
    /// The file, JSON or YAML.
    pub file: PathBuf,
}

fn parse_catalog(text: &str) -> Result<Catalog, String> {
    Catalog::parse(text).ok_or_else(|| "root, never or filtered".to_owned())
}

//! The commands of the program, one module each.

mod administrator;
mod apply;
mod audit;
mod backup;
mod doctor;
mod keys;
mod restore;
mod revoke;
mod secrets;
mod serve;

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Parser as _;
use scopegate_host::database::make_folder;
use scopegate_host::setting::SecretUrl;
use scopegate_host::tls::install_provider;

use crate::config::{Cli, Command, Config, KeySource};
use crate::domain::keys::{Keeper, Rotation, RsaSize};
use crate::domain::seed::Generated;
use crate::http::serve::stopped;
use crate::model::audit::{Actor, AuditKey};
use crate::store::{Store, TokenRecord, Trail, folder};
use crate::telemetry;

/// Runs the command that the command line names.
pub async fn run() -> ExitCode {
    install_provider();
    let ended = match Cli::parse().command {
        Command::Serve(flags) => serve::serve(*flags).await,
        Command::Administrator(flags) => administrator::administrator(flags).await,
        Command::Keys(command) => keys::keys(command).await,
        Command::Audit(command) => unless_stopped(audit::audit(command)).await,
        Command::Doctor(flags) => doctor::doctor(flags).await,
        Command::Backup(flags) => unless_stopped(backup::backup(flags)).await,
        Command::Restore(flags) => unless_stopped(restore::restore(flags)).await,
        Command::Revoke(flags) => revoke::revoke(flags).await,
        Command::Apply(flags) => apply::apply(flags).await,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", in_one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// Runs a command that has files to remove when it is asked to end.
async fn unless_stopped(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::select! {
        ended = command => ended,
        () = stopped() => bail!("stopped before it was done"),
    }
}

/// An error and its causes. Some libraries repeat the cause in the error; it is printed once.
fn in_one_line(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |message, cause| match cause.to_string() {
        cause if message.contains(&cause) => message,
        cause if message.is_empty() => cause,
        cause => format!("{message}: {cause}"),
    })
}

/// Opens the database, to write in an actor's name.
async fn open(config: &Config, actor: Actor) -> anyhow::Result<Store> {
    folder::check(&config.data)?;
    let listener = telemetry::audit::listener(config.audit.syslog.clone());
    let trail = Trail { key: audit_key(config)?, listener };
    let url = config.database_url.as_ref().map(SecretUrl::expose);
    Ok(Store::open(&config.data, url, trail).await?.by(actor))
}

/// The key that seals the audit trail: the configured one, or that of a file in the data folder.
fn audit_key(config: &Config) -> anyhow::Result<AuditKey> {
    let key = match &config.audit.key {
        Some(source) => source.load()?,
        None => {
            let about = || format!("cannot make {}", config.data.display());
            make_folder(&config.data).with_context(about)?;
            KeySource::load_or_create(&config.data.join("audit.key"))?
        }
    };
    Ok(AuditKey::new(&key))
}

/// The former keys of the audit trail, the newest first.
fn former_audit_keys(config: &Config) -> anyhow::Result<Vec<AuditKey>> {
    let former = config.audit.previous_keys.iter();
    former.map(|source| Ok(AuditKey::new(&source.load()?))).collect()
}

fn keeper(config: &Config) -> Keeper {
    Keeper {
        folder: config.data.clone(),
        issuer: config.issuer().to_owned(),
        algorithm: config.tokens.algorithm,
        size: RsaSize::default(),
        rotation: Rotation {
            every: config.tokens.rotate_every,
            ahead: config.tokens.publish_ahead,
        },
    }
}

/// The scope-map tokens under user names whose password would be a token.
async fn taken_names(config: &Config, store: &Store) -> anyhow::Result<Vec<String>> {
    let mut read = store.read().await?;
    let mut names = Vec::new();
    for name in config.reserved_names().password_users() {
        names.extend(read.find::<TokenRecord>(name).await?.map(|token| token.name));
    }
    Ok(names)
}

/// Prints generated passwords, one JSON object a line. They are shown only here.
fn print(generated: &[Generated]) -> anyhow::Result<()> {
    write_lines(&mut std::io::stdout().lock(), generated)
}

/// Writes generated passwords into a file of the data folder: a server's output may be a log.
fn keep(generated: &[Generated], folder: &Path) -> anyhow::Result<()> {
    if generated.is_empty() {
        return Ok(());
    }
    let path = folder.join("generated-passwords.jsonl");
    let mut options = OpenOptions::new();
    let mut file = options.append(true).create(true).mode(0o600).open(&path)?;
    write_lines(&mut file, generated)?;
    tracing::warn!(path = %path.display(), "passwords were generated; take them from the file and delete it");
    Ok(())
}

fn write_lines(out: &mut impl Write, generated: &[Generated]) -> anyhow::Result<()> {
    for password in generated {
        writeln!(out, "{}", serde_json::to_string(password)?)?;
    }
    Ok(())
}

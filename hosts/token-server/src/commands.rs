//! What the program does, one module for each of its commands.

mod administrator;
mod apply;
mod doctor;
mod keys;
mod restore;
mod serve;

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use scopegate_server::config::{Config, SecretUrl};
use scopegate_server::domain::keys::{Keeper, Rotation, RsaSize};
use scopegate_server::domain::seed::Generated;
use scopegate_server::store::Store;
use scopegate_server::store::folder;

pub(crate) use administrator::administrator;
pub(crate) use apply::apply;
pub(crate) use doctor::doctor;
pub(crate) use keys::keys;
pub(crate) use restore::restore;
pub(crate) use serve::serve;

async fn open(config: &Config) -> anyhow::Result<Store> {
    folder::check(&config.data)?;
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

/// Prints generated passwords, one JSON object a line: the only time that anybody sees them.
fn print(generated: &[Generated]) -> anyhow::Result<()> {
    write_lines(&mut std::io::stdout().lock(), generated)
}

/// Keeps generated passwords in a file of the data folder. What a server prints may be a log.
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

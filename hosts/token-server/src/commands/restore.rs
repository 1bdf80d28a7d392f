//! `scopegate-server restore`

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{open, taken_names};
use crate::clock::rfc3339;
use crate::config::{Config, Restore};
use crate::domain::restore::{Options, Restored, restore as restore_backup};
use crate::model::audit::{Actor, Row};
use crate::model::password_user::taken;
use crate::store::Store;

/// Restores a backup, or begins a new epoch of a database that was restored by other means.
pub(crate) async fn restore(flags: Restore) -> anyhow::Result<()> {
    let config = Config::load(&flags.source, &[])?;
    let store = open(&config, Actor::command("restore")).await?;
    let output = match &flags.file {
        Some(file) => {
            let options = Options { replaces: flags.replace, as_it_was: flags.as_it_was };
            restored(&store, file, &config.data, options).await?
        }
        None => begin_epoch(&store).await?,
    };
    writeln!(std::io::stdout().lock(), "{output:#}")?;
    for name in taken_names(&config, &store).await? {
        eprintln!("warning: {}", taken(&name));
    }
    Ok(())
}

/// Tokens and feeds from before the restore are refused from then on.
async fn begin_epoch(store: &Store) -> anyhow::Result<Value> {
    let epoch = store.begin_epoch(None).await?.context("no epoch was made")?;
    let revision = store.read().await?.registry().await?.revision;
    Ok(json!({ "epoch": epoch, "revision": revision }))
}

async fn restored(
    store: &Store,
    file: &Path,
    folder: &Path,
    options: Options,
) -> anyhow::Result<Value> {
    let Restored { about, epoch, revision, since, disabled } =
        restore_backup(store, file, folder, options).await?;
    let made_at = rfc3339(about.made_at);
    let lost = match &since {
        Some(since) => json!(since.iter().map(change).collect::<Vec<_>>()),
        None => json!(format!(
            "not known here: every change since {made_at}; the log has them, under the target `audit`, from number {} on",
            about.head.number.saturating_add(1)
        )),
    };
    Ok(json!({
        "epoch": epoch,
        "revision": revision,
        "madeAt": made_at,
        "head": about.head.to_string(),
        "lost": lost,
        "disabled": disabled,
    }))
}

fn change(row: &Row) -> Value {
    json!({
        "number": row.number,
        "at": rfc3339(row.entry.at),
        "operation": row.entry.operation,
        "object": row.entry.object,
        "actor": row.entry.actor.name,
    })
}

//! `scopegate-server restore`

use std::io::Write as _;

use crate::config::{Config, Restore};
use anyhow::Context as _;

use crate::model::audit::Actor;

use super::open;

/// Begins a new epoch of a restored database, so that tokens and feeds from before the restore are
/// refused.
pub(crate) async fn restore(flags: Restore) -> anyhow::Result<()> {
    let store = open(&Config::load(&flags.source, &[])?, Actor::command("restore")).await?;
    let epoch = store.begin_epoch(None).await?.context("no epoch was made")?;
    let revision = store.read().await?.registry().await?.revision;
    let output = serde_json::json!({ "epoch": epoch, "revision": revision });
    writeln!(std::io::stdout().lock(), "{output}")?;
    Ok(())
}

//! `scopegate-server restore`

use std::io::Write as _;

use crate::config::{Config, Restore};
use anyhow::Context as _;

use super::open;

/// Makes a new epoch of a database that was put back, so that nothing from before it is taken for
/// something of now.
pub(crate) async fn restore(flags: Restore) -> anyhow::Result<()> {
    let store = open(&Config::load(&flags.source, &[])?).await?;
    let epoch = store.begin_epoch(None).await?.context("no epoch was made")?;
    let revision = store.read().await?.registry().await?.revision;
    let said = serde_json::json!({ "epoch": epoch, "revision": revision });
    writeln!(std::io::stdout().lock(), "{said}")?;
    Ok(())
}

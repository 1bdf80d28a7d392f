//! `scopegate-server backup`

use std::io::Write as _;

use super::open;
use crate::clock::rfc3339;
use crate::config::{Backup, Config};
use crate::model::audit::Actor;

/// Writes a backup.
pub(crate) async fn backup(flags: Backup) -> anyhow::Result<()> {
    let store = open(&Config::load(&flags.source, &[])?, Actor::command("backup")).await?;
    let about = store.back_up(&flags.file).await?;
    let output = serde_json::json!({
        "file": flags.file,
        "madeAt": rfc3339(about.made_at),
        "revision": about.revision,
        "head": about.head.to_string(),
    });
    writeln!(std::io::stdout().lock(), "{output:#}")?;
    Ok(())
}

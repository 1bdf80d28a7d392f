//! `scopegate-server apply`

use crate::config::{Apply, Config};
use crate::domain::seed::apply_file;

use crate::model::audit::Actor;

use super::{open, print};

/// Applies a file to the database.
pub(crate) async fn apply(flags: Apply) -> anyhow::Result<()> {
    let config = Config::load(&flags.source, &[])?;
    let store = open(&config, Actor::command("apply")).await?;
    print(&apply_file(&store, &flags.file, &config.reserved_names()).await?)?;
    // On standard error: the passwords on standard output may go into a file.
    eprintln!("{} is in the database now", flags.file.display());
    Ok(())
}

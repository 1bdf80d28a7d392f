//! `scopegate-server keys`

use std::io::Write as _;

use crate::clock;
use crate::config::{Config, Keys};
use crate::domain::keys::Keeper;

use crate::model::audit::Actor;

use super::{keeper, open};

/// Lists the signing keys, or makes a new one.
pub(crate) async fn keys(command: Keys) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    match command {
        Keys::List(flags) => {
            let config = Config::load(&flags.source, &[])?;
            for key in Keeper::read(&open(&config, Actor::command("keys")).await?).await?.keys() {
                let from = clock::rfc3339(key.signs_from());
                writeln!(out, "{} {} signs from {from}", key.kid(), key.algorithm())?;
            }
        }
        Keys::Rotate(flags) => {
            let config = Config::load(&flags.source, &[])?;
            let (store, keeper, now) = (
                open(&config, Actor::command("keys rotate")).await?,
                keeper(&config),
                clock::now(),
            );
            let ring = if flags.at_once {
                keeper.replace(&store, now).await?
            } else {
                keeper.rotate(&store, now).await?
            };
            // A registry may be restarted before the server's next check.
            keeper.write_bundle(&ring)?;
            writeln!(out, "{}", ring.newest_kid())?;
        }
    }
    Ok(())
}

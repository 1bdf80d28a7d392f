//! `scopegate-server keys`

use std::io::Write as _;

use crate::clock;
use crate::config::{Config, KeySource, Keys};
use crate::domain::keys::Keeper;

use crate::model::audit::Actor;

use super::keeper;
use super::secrets::{encrypt_again, open_for_new_keys, open_with_keys};

/// Lists the signing keys, makes a new one, or encrypts them with another key.
pub(crate) async fn keys(command: Keys) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    match command {
        Keys::List(flags) => {
            let config = Config::load(&flags.source, &[])?;
            let store = open_with_keys(&config, Actor::command("keys list")).await?;
            for key in Keeper::read(&store).await?.keys() {
                let from = clock::rfc3339(key.signs_from());
                writeln!(out, "{} {} signs from {from}", key.kid(), key.algorithm())?;
            }
        }
        Keys::Rotate(flags) => {
            let config = Config::load(&flags.source, &[])?;
            let (keeper, now) = (keeper(&config), clock::now());
            let actor = Actor::command("keys rotate");
            let ring = if flags.at_once {
                keeper.replace(&open_for_new_keys(&config, actor).await?, now).await?
            } else {
                keeper.rotate(&open_with_keys(&config, actor).await?, now).await?
            };
            // A registry may be restarted before the server's next check.
            keeper.write_bundle(&ring)?;
            writeln!(out, "{}", ring.newest_kid())?;
        }
        Keys::Reencrypt(flags) => {
            let config = Config::load(&flags.source, &[])?;
            let old: Vec<_> = flags.old.into_iter().map(KeySource::File).collect();
            let (id, changed) = encrypt_again(&config, &old).await?;
            writeln!(out, "{changed} private keys were encrypted with the key {id}")?;
        }
    }
    Ok(())
}

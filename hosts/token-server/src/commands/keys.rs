//! `scopegate-server keys`

use std::io::Write as _;
use std::time::Duration;

use scopegate_server::clock;
use scopegate_server::config::{Config, Keys};

use super::{keeper, open};

/// Lists the signing keys, or makes a new one.
pub(crate) async fn keys(command: Keys) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    match command {
        Keys::List(flags) => {
            let config = Config::load(&flags.source, &[])?;
            let ring = keeper(&config).tend(&open(&config).await?, clock::now()).await?;
            for key in ring.keys() {
                let from = clock::rfc3339(key.signs_from());
                writeln!(out, "{} {} signs from {from}", key.kid(), key.algorithm())?;
            }
        }
        Keys::Rotate(flags) => {
            let config = Config::load(&flags.source, &[])?;
            let after = if flags.at_once { Duration::ZERO } else { config.tokens.publish_ahead };
            let store = open(&config).await?;
            let keeper = keeper(&config);
            let kid = keeper.rotate(&store, after, clock::now()).await?;
            // A registry may be restarted before the server looks the next time.
            keeper.write_bundle(&keeper.tend(&store, clock::now()).await?)?;
            writeln!(out, "{kid}")?;
        }
    }
    Ok(())
}

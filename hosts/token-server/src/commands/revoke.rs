//! `scopegate-server revoke`

use std::io::Write as _;

use crate::config::{Config, Revoke};
use crate::domain::edit::{identities, revoke};

use super::open;
use crate::model::audit::Actor;

/// Ends every token of a principal, an identity or a provider, with the database alone. A running
/// server obeys at once.
pub(crate) async fn revoke(whom: Revoke) -> anyhow::Result<()> {
    let store = open(&Config::load(whom.source(), &[])?, Actor::command("revoke")).await?;
    let mut write = store.write().await?;
    match &whom {
        Revoke::Token(flags) => revoke::token(&mut write, &flags.name).await?,
        Revoke::ServicePrincipal(flags) => {
            revoke::service_principal(&mut write, &flags.name).await?;
        }
        Revoke::Admin(_) => revoke::admin(&mut write).await?,
        Revoke::Anonymous(_) => revoke::anonymous(&mut write).await?,
        Revoke::Identity(flags) => {
            identities::revoke(&mut write, &flags.provider, &flags.subject).await?;
        }
        Revoke::Provider(flags) => identities::revoke_provider(&mut write, &flags.name).await?,
    }
    let revision = write.commit().await?;
    writeln!(std::io::stdout().lock(), "{}", serde_json::json!({ "revision": revision }))?;
    Ok(())
}

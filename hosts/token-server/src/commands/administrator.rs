//! `scopegate-server administrator`

use std::io::Write as _;

use jiff::Timestamp;

use crate::config::{Administrator, Config};
use crate::domain::edit::service_principals::reset_administrator;
use crate::model::client_id::ADMINISTRATOR;

use crate::model::audit::Actor;

use super::open;

/// Gives the local administrator a new secret, and prints what `az login` needs.
pub(crate) async fn administrator(flags: Administrator) -> anyhow::Result<()> {
    let store = open(&Config::load(&flags.source, &[])?, Actor::command("administrator")).await?;
    let mut write = store.write().await?;
    let secret = reset_administrator(&mut write, flags.expiry.map(Timestamp::as_second)).await?;
    let registry = write.registry().await?;
    write.commit().await?;
    let mut output = serde_json::json!({
        "clientId": ADMINISTRATOR,
        "secret": secret,
        "tenant": registry.tenant,
        "subscription": registry.subscription,
    });
    if let (Some(expiry), Some(fields)) = (flags.expiry, output.as_object_mut()) {
        fields.insert("expiry".to_owned(), expiry.to_string().into());
    }
    writeln!(std::io::stdout().lock(), "{output}")?;
    Ok(())
}

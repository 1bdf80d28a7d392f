//! `scopegate-server audit`

use std::io::Write as _;

use anyhow::{Context as _, ensure};

use super::{audit_key, former_audit_keys, open};
use crate::config::{AuditCommand, AuditVerify, Config};
use crate::domain::audit::verify::verify;
use crate::model::audit::{Actor, Head};

/// Verifies the audit trail.
pub(crate) async fn audit(command: AuditCommand) -> anyhow::Result<()> {
    let AuditCommand::Verify(AuditVerify { source, head }) = command;
    let config = Config::load(&source, &[])?;
    let known = head.as_deref().map(|text| {
        Head::parse(text).with_context(|| format!("--head {text} is not of the form NUMBER:SEAL"))
    });
    let known = known.transpose()?;
    let mut keys = vec![audit_key(&config)?];
    keys.append(&mut former_audit_keys(&config)?);
    let report =
        verify(&open(&config, Actor::command("audit")).await?, &keys, known.as_ref()).await?;
    let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    let output = serde_json::json!({
        "isWhole": faults.is_empty(),
        "rows": report.rows,
        "deletedUntil": report.checkpoint.map(|head| head.number),
        "head": report.last.to_string(),
        "faults": faults,
    });
    writeln!(std::io::stdout().lock(), "{output:#}")?;
    ensure!(faults.is_empty(), "the audit trail is not whole: {}", faults.join("; "));
    Ok(())
}

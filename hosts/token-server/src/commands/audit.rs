//! `scopegate-server audit`

use std::io::Write as _;

use anyhow::{Context as _, ensure};

use super::{audit_key, former_audit_keys, open};
use crate::clock;
use crate::config::{AuditArchive, AuditCommand, AuditVerify, Config};
use crate::domain::audit::{archive, verify};
use crate::model::audit::{Actor, AuditKey, Head};

pub(crate) async fn audit(command: AuditCommand) -> anyhow::Result<()> {
    match command {
        AuditCommand::Verify(flags) => verify(flags).await,
        AuditCommand::Archive(flags) => archive(flags).await,
    }
}

async fn verify(AuditVerify { source, head }: AuditVerify) -> anyhow::Result<()> {
    let config = Config::load(&source, &[])?;
    let known = head.as_deref().map(|text| {
        Head::parse(text).with_context(|| format!("--head {text} is not of the form NUMBER:SEAL"))
    });
    let known = known.transpose()?;
    let keys = keys(&config)?;
    let store = open(&config, Actor::command("audit verify")).await?;
    let report = verify::verify(&store, &keys, known.as_ref()).await?;
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

async fn archive(AuditArchive { source, file, until }: AuditArchive) -> anyhow::Result<()> {
    let config = Config::load(&source, &[])?;
    let keys = keys(&config)?;
    let store = open(&config, Actor::command("audit archive")).await?;
    let archived = archive::archive(&store, &keys, &file, until, clock::now()).await?;
    let output = serde_json::json!({
        "file": file,
        "sha256": archived.digest,
        "rows": archived.rows,
        "deletedUntil": archived.until.number,
        "faults": archived.faults,
    });
    writeln!(std::io::stdout().lock(), "{output:#}")?;
    Ok(())
}

/// The keys that have sealed the trail, the newest first.
fn keys(config: &Config) -> anyhow::Result<Vec<AuditKey>> {
    let mut keys = vec![audit_key(config)?];
    keys.append(&mut former_audit_keys(config)?);
    Ok(keys)
}

//! `scopegate-server doctor`

use std::io::Write as _;
use std::path::Path;

use crate::clock;
use crate::config::{Config, Doctor};
use crate::domain::doctor::{Finding, Registry, Server, Verdict, diagnose};
use crate::domain::keys::Keeper;
use anyhow::Context as _;

use crate::model::audit::Actor;
use crate::model::password_user::taken as warning;
use crate::store::Store;

use super::secrets::open_with_keys;
use super::taken_names;

/// Prints why a registry refuses a token; the exit code says whether one does.
pub(crate) async fn doctor(flags: Doctor) -> anyhow::Result<()> {
    let config = Config::load(&flags.source, &flags.flags())?;
    let token = read(&flags.token)?;
    let registry = flags.registry.as_deref().map(Registry::read).transpose()?;
    let store = open_with_keys(&config, Actor::command("doctor")).await?;
    let ring = Keeper::read(&store).await?;
    let public_url = config.public_url.as_ref().map(ToString::to_string).unwrap_or_default();
    let server = Server {
        issuer: config.issuer(),
        service: &config.registry.service,
        public_url: public_url.trim_end_matches('/'),
        ring: Some(&ring),
    };
    let mut findings = diagnose(&token, &server, registry.as_ref(), clock::now());
    findings.retain(|finding| concerns(finding, flags.version.as_deref()));
    findings.extend(taken(&config, &store).await?);
    let mut out = std::io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    anyhow::ensure!(
        findings.iter().all(|finding| finding.verdict == Verdict::Possible),
        "a registry refuses this token"
    );
    if findings.is_empty() {
        writeln!(out, "nothing is wrong with this token")?;
    }
    Ok(())
}

/// Scope-map tokens under user names whose password would be a token.
async fn taken(config: &Config, store: &Store) -> anyhow::Result<Vec<Finding>> {
    let finding = |name: String| {
        Finding {
        verdict: Verdict::Possible,
        what: warning(&name),
        why: "a name and a password have one meaning, so tokens of a provider or of the authority are refused under it".into(),
        fix: format!("give the clients of `{name}` another scope-map token, and delete it"),
    }
    };
    Ok(taken_names(config, store).await?.into_iter().map(finding).collect())
}

/// The token, from a file or from the standard input.
fn read(path: &Path) -> anyhow::Result<String> {
    if path.as_os_str() == "-" {
        return Ok(std::io::read_to_string(std::io::stdin())?);
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn concerns(finding: &Finding, version: Option<&str>) -> bool {
    match version {
        Some("2.8") => finding.verdict != Verdict::RefusedBy3,
        Some("3") => finding.verdict != Verdict::RefusedBy2,
        _ => true,
    }
}

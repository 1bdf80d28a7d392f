//! Five documents about Azure Container Registry, typed line by line against our own: each command,
//! script and sample as it stands, with only its variables filled in.
//!
//! `documents/statements.json` has every statement, and the reason of each that differs on purpose;
//! `docs/acr.md` says the same for people.
//!
//! | module | holds |
//! |---|---|
//! | [`statements`] | the list, and how a statement is checked |
//! | [`scene`], [`shell`] | what is typed at, and where it is typed |
//! | [`integration`] | "Azure Container Registry integration with Azure Active Directory" |
//! | [`basic`] | "Azure Container Registry's support of getting Bearer token using Basic …" |
//! | [`ways`] | "Authenticating using Azure Container Registry" |
//! | [`libraries`] | "How to Authenticate an Azure ContainerRegistryClient …" |
//! | [`permissions`] | "Create a token with repository-scoped permissions" |

mod basic;
mod integration;
mod libraries;
mod permissions;
mod scene;
mod shell;
mod statements;
mod ways;

use std::process::Command;

use crate::software::process::run;
use crate::software::server::scripts;

/// A script of the documents with its variables filled in.
#[track_caller]
pub(crate) fn filled(script: &str, values: &[(&str, &str)]) -> String {
    let mut command = Command::new("bash");
    command.arg(scripts().join("documents/filled.sh")).arg(script);
    run(command.args(values.iter().map(|(name, value)| format!("{name}={value}"))))
}

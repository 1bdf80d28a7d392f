//! The access that a principal gets of the requested scopes: the engine's answer, bounded by the
//! principal's token.

use std::fmt;

use scopegate_api::abi::Failure;
use scopegate_api::claims::UntagClaim;
use scopegate_api::decision::DecisionReport;
use scopegate_core::{Catalog, Settings};
use scopegate_runtime::{Error as EngineError, PolicyTable, Runtime};

use crate::domain::principal::Principal;
use crate::telemetry::metrics;

/// How many repositories are asked about at once: their longest names are far below the engine's
/// limit for the scopes of a request.
const ASKED_AT_ONCE: usize = 32;

/// Why a decision failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecisionError {
    /// Too many scopes, or one that is too long.
    TooManyScopes,
    /// The engine has no free instance, or failed; the text is for the log.
    Engine(String),
}

/// Decides with the engine.
#[derive(Clone, Copy, Debug)]
pub struct Decider<'a> {
    /// The engine.
    pub runtime: &'a Runtime,
    /// Who may list repositories.
    pub catalog: Catalog,
}

impl Decider<'_> {
    /// The access that a principal gets of these scopes.
    ///
    /// # Errors
    ///
    /// [`DecisionError`] for more scopes than the engine accepts at once, and when the engine
    /// fails.
    pub fn decide(
        self,
        principal: &Principal,
        scopes: &[&str],
    ) -> Result<DecisionReport, DecisionError> {
        let mut report = self.unbounded(principal, scopes)?;
        if let Some(ceiling) = &principal.ceiling {
            report.narrow(&ceiling.access);
        }
        Ok(report)
    }

    /// The repositories of the claim `untag` of a decided request: what the engine grants of
    /// [`UntagClaim::scopes`]. A token that is a ceiling has its own claim as the bound.
    ///
    /// # Errors
    ///
    /// [`DecisionError`] when the engine fails.
    pub fn untag(
        self,
        principal: &Principal,
        report: &DecisionReport,
    ) -> Result<Vec<String>, DecisionError> {
        let scopes = UntagClaim::scopes(report);
        let mut repositories = Vec::new();
        for scopes in scopes.chunks(ASKED_AT_ONCE) {
            let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
            let granted = self.unbounded(principal, &scopes)?.access;
            repositories.extend(granted.into_iter().map(|entry| entry.name));
        }
        if let Some(ceiling) = &principal.ceiling {
            repositories.retain(|name| ceiling.untag.contains(name));
        }
        Ok(repositories)
    }

    /// The access by the principal's scope maps alone.
    fn unbounded(
        self,
        principal: &Principal,
        scopes: &[&str],
    ) -> Result<DecisionReport, DecisionError> {
        let tables: Vec<&PolicyTable> = principal.tables.iter().collect();
        let report = self.runtime.claims(&tables, scopes, &self.settings());
        report.map_err(|error| match error {
            EngineError::Refused(Failure::Refused(_)) => DecisionError::TooManyScopes,
            error => failed(&error),
        })
    }

    /// The rules that granted these scopes; empty when the engine fails.
    #[must_use]
    pub fn rules(self, principal: &Principal, granted: &[String]) -> Vec<String> {
        let tables: Vec<&PolicyTable> = principal.tables.iter().collect();
        let scopes: Vec<&str> = granted.iter().map(String::as_str).collect();
        self.runtime.rules(&tables, &scopes, &self.settings()).unwrap_or_default()
    }

    fn settings(self) -> Settings {
        Settings { catalog: self.catalog }
    }
}

/// Counts a failure of the engine.
pub(crate) fn failed(error: &impl fmt::Display) -> DecisionError {
    metrics::engine_failed();
    DecisionError::Engine(error.to_string())
}

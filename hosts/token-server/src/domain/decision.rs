//! What a principal gets of what is asked for: the engine's answer, within the bounds of the token
//! that the principal came with.

use std::fmt;

use scopegate_api::abi::Failure;
use scopegate_api::decision::DecisionReport;
use scopegate_core::{Catalog, Settings};
use scopegate_runtime::{Error as EngineError, PolicyTable, Runtime};

use crate::domain::principal::Principal;
use crate::telemetry::metrics;

/// Why nothing was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecisionError {
    /// Too many scopes, or one that is too long.
    TooManyScopes,
    /// The engine has no instance free, or failed; the text is for the log.
    Engine(String),
}

/// What decides.
#[derive(Clone, Copy, Debug)]
pub struct Decider<'a> {
    /// The engine.
    pub runtime: &'a Runtime,
    /// Who may list repositories.
    pub catalog: Catalog,
}

impl Decider<'_> {
    /// What a principal gets of these scopes.
    ///
    /// # Errors
    ///
    /// [`DecisionError`] for more scopes than the engine takes at once, and for an engine that
    /// fails.
    pub fn decide(
        self,
        principal: &Principal,
        scopes: &[&str],
    ) -> Result<DecisionReport, DecisionError> {
        let tables: Vec<&PolicyTable> = principal.tables.iter().collect();
        let report = self.runtime.claims(&tables, scopes, &self.settings());
        let mut report = report.map_err(|error| match error {
            EngineError::Refused(Failure::Refused(_)) => DecisionError::TooManyScopes,
            error => failed(&error),
        })?;
        if let Some(at_most) = &principal.at_most {
            report.narrow(&at_most.access);
        }
        Ok(report)
    }

    /// The rules that granted these scopes; none where the engine fails.
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

/// Counts an engine that has failed.
pub(crate) fn failed(error: &impl fmt::Display) -> DecisionError {
    metrics::engine_failed();
    DecisionError::Engine(error.to_string())
}

//! A decision as data: what was granted, what was denied, and what was no scope at all.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use scopegate_core::claims::Claims;
use scopegate_core::scope::InvalidScope as CoreInvalidScope;
use scopegate_core::{Error, ScopeList};
use serde::{Deserialize, Serialize};

use crate::access::AccessEntry;

/// The decision on all the scopes of a request, in the order of the request.
///
/// ```
/// use scopegate_api::decision::DecisionReport;
/// use scopegate_core::{ScopeList, ScopeMap, Settings, Table, claims};
///
/// let table = Table::compile([&ScopeMap::parse(["repositories/app/content/read"]).unwrap()]).unwrap();
/// let request = ScopeList::parse(["repository:app:pull,push", "oops"]).unwrap();
/// let report = DecisionReport::new(&request, &claims([&table], &request, &Settings::default()));
/// assert_eq!(
///     serde_json::to_string(&report)?,
///     concat!(
///         r#"{"access":[{"type":"repository","name":"app","actions":["pull"]}],"#,
///         r#""denied":[{"type":"repository","name":"app","actions":["push"]}],"#,
///         r#""invalid":[{"scope":"oops","message":"a scope with fewer than two colons: write `type:name:actions`","position":4}]}"#,
///     )
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct DecisionReport {
    /// What may be had.
    pub access: Vec<AccessEntry>,
    /// What was asked for and may not be had.
    pub denied: Vec<AccessEntry>,
    /// What is no scope.
    pub invalid: Vec<InvalidScope>,
}

/// A piece of a request that is no scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct InvalidScope {
    /// The piece, as it was sent.
    pub scope: String,
    /// What is wrong with it, and what would be right.
    pub message: String,
    /// The first offending byte of the piece.
    pub position: usize,
}

impl DecisionReport {
    /// The report on a decided request.
    #[must_use]
    pub fn new(request: &ScopeList<'_>, claims: &Claims<'_>) -> Self {
        Self {
            access: claims.access.iter().map(AccessEntry::from).collect(),
            denied: claims.denied.iter().map(AccessEntry::from).collect(),
            invalid: request.invalid.iter().map(InvalidScope::from).collect(),
        }
    }
}

impl InvalidScope {
    /// The report on one piece.
    #[must_use]
    pub fn new(scope: &str, error: Error) -> Self {
        Self {
            scope: scope.to_owned(),
            message: [error.kind().message(), ": ", error.kind().hint()].concat(),
            position: error.position(),
        }
    }
}

impl From<&CoreInvalidScope<'_>> for InvalidScope {
    fn from(invalid: &CoreInvalidScope<'_>) -> Self {
        Self::new(invalid.text, invalid.error)
    }
}

//! A decision as data: what was granted, what was denied, and what was no scope at all.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use scopegate_core::claims::Claims;
use scopegate_core::scope::InvalidScope as CoreInvalidScope;
use scopegate_core::{Action, ActionSet, Error, ScopeList};
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
///         r#""invalid":[{"scope":"oops","message":"missing colon: use `type:name:actions`","position":4}]}"#,
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
    /// The invalid scopes.
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

    /// Denies what was granted and is beyond an upper bound, such as the entries of the token that
    /// a client presents for another one.
    pub fn narrow(&mut self, bound: &[AccessEntry]) {
        for entry in &mut self.access {
            let entries = bound.iter().filter(|bound| bound.is_on_resource_of(entry));
            let held = entries.filter_map(AccessEntry::grant);
            let held = held.fold(ActionSet::NONE, |held, grant| held.union(grant.actions));
            let is_held = |action: &String| Action::parse(action).is_some_and(|a| held.contains(a));
            let (kept, missing) = entry.actions.drain(..).partition(is_held);
            entry.actions = kept;
            deny(&mut self.denied, entry, missing);
        }
        self.access.retain(|entry| !entry.actions.is_empty());
    }
}

fn deny(denied: &mut Vec<AccessEntry>, entry: &AccessEntry, actions: Vec<String>) {
    if actions.is_empty() {
        return;
    }
    match denied.iter_mut().find(|denied| denied.is_on_resource_of(entry)) {
        Some(known) => known.actions.extend(actions),
        None => denied.push(AccessEntry {
            resource_type: entry.resource_type.clone(),
            name: entry.name.clone(),
            actions,
        }),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn narrows(held: &str, granted: &str, expected: &str, denied: &str) {
        let entry = |text: &str| {
            let mut parts = text.split(':').map(ToOwned::to_owned);
            let mut next = || parts.next().unwrap();
            let (resource_type, name) = (next(), next());
            let actions = next().split(',').map(ToOwned::to_owned).collect();
            AccessEntry { resource_type, name, actions }
        };
        let entries = |text: &str| text.split_whitespace().map(entry).collect::<Vec<_>>();
        let mut report = DecisionReport { access: entries(granted), ..Default::default() };
        report.narrow(&entries(held));
        assert_eq!((report.access, report.denied), (entries(expected), entries(denied)));
    }

    #[test]
    fn nothing_beyond_a_bound_is_granted() {
        let both = "repository:a:pull,push";
        narrows("repository:a:pull", both, "repository:a:pull", "repository:a:push");
        narrows("repository:a:push repository:a:pull", both, both, "");
        narrows("repository:a:pull", "repository:b:pull", "", "repository:b:pull");
        narrows("repository:a:pull", "registry:a:pull", "", "registry:a:pull");
        narrows("image:a:pull,fly", "repository:a:pull", "", "repository:a:pull");
        narrows("", "registry:catalog:*", "", "registry:catalog:*");
        narrows("registry:catalog:*", "registry:catalog:*", "registry:catalog:*", "");
        // A name is literal: a held `*` is that name and no pattern. So is an action.
        narrows("repository:*:pull", "repository:a:pull", "", "repository:a:pull");
        narrows("repository:a:*", "repository:a:pull", "", "repository:a:pull");
    }
}

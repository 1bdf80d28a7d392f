//! The summary of a refresh token's access, for people. No decision uses it.

use scopegate_core::{Action, ActionSet, Table};

use super::Principal;

/// The names that the service uses, each with its actions.
const NAMES: [(&str, &[Action]); 5] = [
    ("read", &[Action::Pull, Action::MetadataRead]),
    ("write", &[Action::Push, Action::MetadataWrite]),
    ("delete", &[Action::Delete]),
    ("deleted/read", &[Action::DeletedRead]),
    ("deleted/restore/action", &[Action::DeletedRestore]),
];

impl Principal {
    /// The names that apply to at least one repository.
    #[must_use]
    pub fn summary(&self) -> Vec<String> {
        let granted = self.granted_anywhere();
        let applies = |actions: &[Action]| actions.iter().any(|action| granted.contains(*action));
        let names = NAMES.iter().filter(|(_, actions)| applies(actions));
        names.map(|(name, _)| (*name).to_owned()).collect()
    }

    fn granted_anywhere(&self) -> ActionSet {
        let tables = self.tables.iter().filter_map(|table| Table::load(table.as_bytes()).ok());
        tables.fold(ActionSet::NONE, |granted, table| granted.union(table.anywhere()))
    }
}

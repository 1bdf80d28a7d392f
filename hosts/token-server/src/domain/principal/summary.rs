//! What a refresh token says about its holder: a summary for people. Nobody decides by it.

use scopegate_core::{Action, ActionSet, Table};

use super::Principal;

/// The words of the service, each with the actions that it stands for.
const WORDS: [(&str, &[Action]); 5] = [
    ("read", &[Action::Pull, Action::MetadataRead]),
    ("write", &[Action::Push, Action::MetadataWrite]),
    ("delete", &[Action::Delete]),
    ("deleted/read", &[Action::DeletedRead]),
    ("deleted/restore/action", &[Action::DeletedRestore]),
];

impl Principal {
    /// The words that apply to any repository at all.
    #[must_use]
    pub fn summary(&self) -> Vec<String> {
        let granted = self.granted_anywhere();
        let applies = |actions: &[Action]| actions.iter().any(|action| granted.contains(*action));
        let words = WORDS.iter().filter(|(_, actions)| applies(actions));
        words.map(|(word, _)| (*word).to_owned()).collect()
    }

    fn granted_anywhere(&self) -> ActionSet {
        let tables = self.tables.iter().filter_map(|table| Table::load(table.as_bytes()).ok());
        tables.fold(ActionSet::NONE, |granted, table| granted.union(table.anywhere()))
    }
}

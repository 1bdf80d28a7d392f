//! Reasons, near misses and edits against the decision and the referee.

use std::collections::BTreeSet;
use std::slice;

use scopegate_core::analysis::is_subset;
use scopegate_core::explain::{
    Edit, Explanation, Miss, MissKind, NamedTable, Reason, Replacement, RuleRef, Substitute,
    replacements,
};
use scopegate_core::{
    Pattern, Permission, RepositoryName, ResourceName, ResourceType, Scope, ScopeMap, Settings,
    Table, decide, explain,
};

use super::{compiled, settings};
use crate::naive;

/// A scope map with a name, which no other map of the principal has.
#[derive(Clone, Debug)]
pub struct NamedMap {
    /// The name; with a leading `_` it is one that users cannot change.
    pub name: String,
    /// The action strings.
    pub rules: Vec<String>,
}

/// `explain` and `decide` agree, and every rule that is named is to the point.
pub fn agrees_with_the_decision(maps: &[NamedMap], scope: &str) {
    each_case(maps, scope, |case, explanation| {
        case.reasons_are_the_decision(explanation);
        for reason in &explanation.reasons {
            case.rules_are_all_that_grant(reason);
            case.misses_are_near_and_do_not_grant(reason);
        }
        assert!(explanation.to_string().lines().count() >= explanation.reasons.len().max(1));
    });
}

/// Every edit flips the decision, and no smaller one does.
pub fn edits_are_enough_and_not_too_much(maps: &[NamedMap], scope: &str) {
    each_case(maps, scope, |case, explanation| {
        case.edits_are_there_when_one_can_help(explanation);
        for edit in &explanation.edits {
            case.edit_is_enough(edit);
            case.no_smaller_edit_is(edit);
            case.edit_is_narrow(edit);
        }
        let named: Vec<_> = case.named().collect();
        let replacements = replacements(&named, &case.scope, &case.settings);
        case.replacements_are_there_when_no_edit_is(explanation, &replacements);
        for replacement in &replacements {
            case.replacement_is_enough(replacement);
        }
    });
}

fn each_case(maps: &[NamedMap], scope: &str, check: impl Fn(&Case<'_>, &Explanation<'_>)) {
    let Ok(scope) = Scope::parse(scope) else { return };
    let tables: Vec<_> = maps.iter().map(|map| compiled(&map.rules)).collect();
    for settings in settings() {
        let case = Case { maps, tables: &tables, scope, settings };
        let named: Vec<_> = case.named().collect();
        check(&case, &explain(&named, &scope, &settings));
    }
}

struct Case<'c> {
    maps: &'c [NamedMap],
    tables: &'c [Table<Vec<u8>>],
    scope: Scope<'c>,
    settings: Settings,
}

impl Case<'_> {
    fn named(&self) -> impl Iterator<Item = NamedTable<'_, Vec<u8>>> {
        self.maps.iter().zip(self.tables).map(|(map, table)| NamedTable { name: &map.name, table })
    }

    /// The repository that the scope is about, when it is about one.
    fn repository(&self) -> Option<RepositoryName<'_>> {
        match (self.scope.resource_type, self.scope.name) {
            (ResourceType::Repository, ResourceName::Repository(name)) => Some(name),
            _ => None,
        }
    }

    /// Every rule of every map, each once.
    fn rules(&self) -> BTreeSet<Named> {
        let named = |map: &NamedMap, rule: &str| (map.name.clone(), rule.to_ascii_lowercase());
        let rules = self.maps.iter().map(|map| map.rules.iter().map(move |rule| named(map, rule)));
        rules.flatten().collect()
    }

    /// What the referee grants over these rules.
    fn granted(&self, rules: &[String]) -> BTreeSet<String> {
        let catalog = self.settings.catalog.as_str();
        let answer = naive::decide(rules, catalog, &self.scope.to_string());
        answer.expect("a scope").0.into_iter().collect()
    }

    /// What the referee grants once these rules are added.
    fn granted_with(&self, more: Vec<String>) -> BTreeSet<String> {
        let rules = self.maps.iter().flat_map(|map| map.rules.iter().cloned());
        self.granted(&rules.chain(more).collect::<Vec<_>>())
    }

    fn reasons_are_the_decision(&self, explanation: &Explanation<'_>) {
        let decision = decide(self.tables, &self.scope, &self.settings);
        assert_eq!(explanation.decision, decision);
        let known = self.scope.wanted();
        let expected =
            known.iter().map(|action| (action.to_string(), decision.granted.contains(action)));
        let unknown = self.scope.unknown_actions().map(|word| (word.to_owned(), false));
        let said = explanation.reasons.iter().map(|reason| (reason.action.clone(), reason.granted));
        assert!(said.eq(expected.chain(unknown)), "{}", self.scope);
    }

    /// A granted action names every rule that alone would grant it, and no other; a denied one
    /// names none.
    fn rules_are_all_that_grant(&self, reason: &Reason) {
        let alone = |rule: &Named| self.granted(slice::from_ref(&rule.1)).contains(&reason.action);
        let expected: BTreeSet<Named> = self.rules().into_iter().filter(alone).collect();
        let named: BTreeSet<Named> = reason.rules.iter().map(referred).collect();
        assert_eq!(named, expected, "{reason:?}");
        assert_eq!(reason.rules.len(), expected.len(), "a rule is named twice");
        assert_eq!(reason.granted, !named.is_empty(), "{reason:?}");
    }

    /// At most three rules that exist, the nearest first, and each misses in the way that is said.
    fn misses_are_near_and_do_not_grant(&self, reason: &Reason) {
        assert!(reason.misses.len() <= 3 && (reason.misses.is_empty() || !reason.granted));
        assert!(reason.misses.is_sorted_by_key(|miss| miss.why));
        let rules = self.rules();
        for miss in &reason.misses {
            assert!(rules.contains(&referred(&miss.rule)), "{miss:?}");
            assert!(
                is_near(miss, &reason.action, self.repository()),
                "{miss:?} for {}",
                self.scope
            );
        }
    }

    /// One edit for each map that can be changed, when rules can change anything at all. For a name
    /// with a host there is none: opening the whole registry for a stray port is no advice.
    fn edits_are_there_when_one_can_help(&self, explanation: &Explanation<'_>) {
        let hosted = matches!(self.scope.name, ResourceName::Hosted { .. });
        let helpful = self.best() != self.granted_with(Vec::new()) && !hosted;
        let changeable = self.maps.iter().filter(|map| helpful && !map.name.starts_with('_'));
        let named = explanation.edits.iter().map(|edit| &edit.scope_map);
        assert!(named.eq(changeable.map(|map| &map.name)), "{:?}", explanation.edits);
    }

    /// Everything that any rules at all can grant.
    fn best(&self) -> BTreeSet<String> {
        let permissions = Permission::ALL.into_iter().filter(|it| it.in_scope_maps());
        self.granted_with(
            permissions.map(|permission| format!("repositories/*/{permission}")).collect(),
        )
    }

    /// A map is replaced where it could help and cannot be edited, and where no other map can be
    /// edited.
    fn replacements_are_there_when_no_edit_is(
        &self,
        explanation: &Explanation<'_>,
        replacements: &[Replacement],
    ) {
        let hosted = matches!(self.scope.name, ResourceName::Hosted { .. });
        let helpful = self.best() != self.granted_with(Vec::new()) && !hosted;
        let expected: BTreeSet<_> = self
            .maps
            .iter()
            .filter(|map| helpful && explanation.edits.is_empty() && map.name.starts_with('_'))
            .map(|map| map.name.as_str())
            .collect();
        let named = replacements.iter().map(|it| it.scope_map.as_str());
        assert_eq!(named.collect::<BTreeSet<_>>(), expected, "{replacements:?}");
    }

    /// The map that is taken instead grants all that any edit could, beside what the other maps
    /// grant; and a system-defined one grants whatever the replaced one did.
    fn replacement_is_enough(&self, replacement: &Replacement) {
        let rules = match &replacement.with {
            Substitute::UserDefined(map) => added(map),
            Substitute::SystemDefined(name) => {
                let rules = system_rules(name);
                self.grants_no_less(&replacement.scope_map, &rules);
                rules
            }
        };
        let others = self.maps.iter().filter(|map| map.name != replacement.scope_map);
        let others = others.flat_map(|map| map.rules.iter().cloned());
        let granted = self.granted(&others.chain(rules).collect::<Vec<_>>());
        assert!(granted.is_superset(&self.best()), "{replacement:?}");
    }

    fn grants_no_less(&self, replaced: &str, rules: &[String]) {
        let replaced = self.named().find(|map| map.name == replaced).expect("a map of ours");
        let result = is_subset(replaced.table, &compiled(rules));
        assert!(result.is_ok(), "{result:?}");
    }

    /// The edit, made in the map that it names, grants everything that any edit can; to the engine
    /// as to the referee.
    fn edit_is_enough(&self, edit: &Edit) {
        assert_eq!(self.granted_with(added(edit)), self.best(), "{edit:?}");
        let tables: Vec<_> = self.maps.iter().map(|map| self.edited(map, edit)).collect();
        let decision = decide(&tables, &self.scope, &self.settings);
        let granted = decision.granted.iter().map(|action| action.to_string());
        assert_eq!(granted.collect::<BTreeSet<_>>(), self.best(), "{edit:?}");
    }

    fn edited(&self, map: &NamedMap, edit: &Edit) -> Table<Vec<u8>> {
        let more = if map.name == edit.scope_map { added(edit) } else { Vec::new() };
        compiled(&[map.rules.clone(), more].concat())
    }

    /// Without any one of its permissions the edit leaves something denied.
    fn no_smaller_edit_is(&self, edit: &Edit) {
        assert!(!edit.permissions.is_empty());
        for index in 0..edit.permissions.len() {
            let mut smaller = added(edit);
            let dropped = smaller.remove(index);
            assert_ne!(self.granted_with(smaller), self.best(), "{dropped} is needless");
        }
    }

    /// An edit for one repository is about no other; it is about all of them only where nothing
    /// less helps.
    fn edit_is_narrow(&self, edit: &Edit) {
        let pattern = Pattern::parse(&edit.pattern).expect("a pattern");
        if let Some(name) = self.repository() {
            assert_eq!(pattern, Pattern::Exact(name));
        } else if pattern == Pattern::Root && !self.map_is_empty(&edit.scope_map) {
            let narrower = Edit { pattern: "a".to_owned(), ..edit.clone() };
            assert_ne!(self.granted_with(added(&narrower)), self.best(), "{edit:?}");
        }
    }

    /// Whether a map names no repository that an edit could be about.
    fn map_is_empty(&self, name: &str) -> bool {
        self.named().any(|map| map.name == name && map.table.entries().next().is_none())
    }
}

/// The rules that an edit adds.
fn added(edit: &Edit) -> Vec<String> {
    let rule = |permission| format!("repositories/{}/{permission}", edit.pattern);
    edit.permissions.iter().map(rule).collect()
}

/// The rules of a system-defined map.
fn system_rules(name: &str) -> Vec<String> {
    let mut maps = ScopeMap::system_defined();
    let is_named = |map: &ScopeMap| map.name.as_ref().is_some_and(|it| it.as_str() == name);
    let map = maps.find(is_named).expect("a system-defined map");
    map.rules.iter().map(ToString::to_string).collect()
}

/// A rule, behind the name of its map.
type Named = (String, String);

fn referred(rule: &RuleRef) -> Named {
    (rule.scope_map.clone(), format!("repositories/{}/{}", rule.pattern, rule.permission))
}

/// Whether a rule misses the repository as is said of it; without a repository the request is about
/// all of them.
fn is_near(miss: &Miss, action: &str, repository: Option<RepositoryName<'_>>) -> bool {
    let pattern = Pattern::parse(&miss.rule.pattern).expect("a pattern");
    let grants_action = miss.rule.permission.action().as_str() == action;
    let Some(name) = repository else {
        return miss.why == MissKind::NotEverywhere && pattern != Pattern::Root;
    };
    match (miss.why, pattern) {
        (MissKind::OtherAction, pattern) => !grants_action && pattern.matches(name),
        (MissKind::PrefixItself, Pattern::Prefix(prefix)) => grants_action && prefix == name,
        (MissKind::NameAbove, Pattern::Exact(above)) => {
            grants_action && name.ancestors().any(|ancestor| ancestor == above)
        }
        (MissKind::OtherRepository, pattern) => grants_action && !pattern.matches(name),
        _ => false,
    }
}

//! Lint, subset, equivalence and difference, against every name that could tell two maps apart.

use std::collections::BTreeSet;

use scopegate_core::analysis::{Difference, Finding, FindingKind, difference, is_subset, lint};
use scopegate_core::{Action, ActionSet, Pattern, Permission, Rule, Table};

use super::{compiled, decision, map, neighbourhood, repository};

/// The old rules and the new ones.
type Tables = (Table<Vec<u8>>, Table<Vec<u8>>);

/// Two maps differ exactly where the analysis says, and every witness is one.
pub fn is_exact(old: &[String], new: &[String]) {
    let tables = (compiled(old), compiled(new));
    let differences = difference(&tables.0, &tables.1);
    for difference in &differences {
        witness_differs(difference, old, new);
    }
    let names = names(old, new);
    for name in &names {
        let (lost, gained) = changes(&tables, name);
        let class = differences
            .iter()
            .any(|it| (it.lost, it.gained) == (lost, gained) && covers(&it.pattern, name));
        assert_eq!(class, !(lost.is_empty() && gained.is_empty()), "{name}: {differences:?}");
    }
    subset_is_exact(&tables, &names);
}

fn subset_is_exact(tables: &Tables, names: &BTreeSet<String>) {
    let more = names.iter().find(|name| !changes(tables, name).0.is_empty());
    match (is_subset(&tables.0, &tables.1), more) {
        (Ok(()), None) => {}
        (Err(difference), Some(_)) => {
            assert_eq!(changes(tables, &difference.witness).0, difference.gained);
            assert!(!difference.gained.is_empty());
        }
        (found, expected) => panic!("{found:?}, but {expected:?} is the witness"),
    }
}

/// The witness is a repository of its class, and the referee grants there what the difference says.
fn witness_differs(difference: &Difference, old: &[String], new: &[String]) {
    let Difference { pattern, witness, gained, lost } = difference;
    assert!(covers(pattern, witness), "{difference}");
    let (before, after) = (granted(old, witness), granted(new, witness));
    assert_eq!(*gained, after.difference(before), "{difference}");
    assert_eq!(*lost, before.difference(after), "{difference}");
    assert!(!(gained.is_empty() && lost.is_empty()));
}

/// What a repository loses and gains between the two tables.
fn changes((old, new): &Tables, name: &str) -> (ActionSet, ActionSet) {
    let (before, after) = (old.granted(repository(name)), new.granted(repository(name)));
    (before.difference(after), after.difference(before))
}

fn covers(pattern: &str, name: &str) -> bool {
    Pattern::parse(pattern).expect("a pattern").matches(repository(name))
}

/// All names of up to three components out of an alphabet with one more letter than rules use, and
/// all around the rules.
fn names(old: &[String], new: &[String]) -> BTreeSet<String> {
    let mut names = neighbourhood(map(old).rules.iter().chain(&map(new).rules));
    let mut level = vec![String::new()];
    for _ in 0..3 {
        level = level
            .iter()
            .flat_map(|name| ["a/", "b/", "z/"].map(|end| format!("{name}{end}")))
            .collect();
        names.extend(level.iter().map(|name| name.trim_end_matches('/').to_owned()));
    }
    names
}

/// What lint calls needless can go without any effect, all of it at once, and then nothing else
/// can.
pub fn lint_finds_what_is_needless(rules: &[String]) {
    use FindingKind::{Covered, GrantsNothing, Redundant};
    let mut rest = map(rules).rules;
    let whole = table_of(&rest);
    let findings = lint(&map(rules)).expect("rules that fit a table");
    // From the end, so that places in the map stay what they are.
    for finding in findings.iter().rev() {
        if let (Redundant | Covered | GrantsNothing, Some(index)) = (finding.kind, finding.rule) {
            rest.remove(index);
        }
    }
    assert_eq!(difference(&whole, &table_of(&rest)), [], "{findings:?} in {rules:?}");
    for index in 0..rest.len() {
        let mut fewer = rest.clone();
        let rule = fewer.remove(index);
        assert_ne!(difference(&whole, &table_of(&fewer)), [], "{rule} is needless in {rules:?}");
    }
}

/// What lint says of a rule is so on every repository that the rule covers, or on some and not on
/// others where it says partly; and it says so wherever it is. The referee grants, and the names
/// are all that could make a difference.
pub fn lint_is_never_false(rules: &[String]) {
    let map = map(rules);
    let names = names(rules, &[]);
    let findings = lint(&map).expect("rules that fit a table");
    for (index, rule) in map.rules.iter().enumerate() {
        let Some((pattern, permission)) = rule.grant() else { continue };
        let kinds: Vec<_> = kinds_of(&findings, index).collect();
        assert_eq!(kinds.contains(&FindingKind::RootWildcard), {
            let is_said_before = kinds.contains(&FindingKind::Redundant);
            pattern == Pattern::Root && !is_said_before
        });
        let needless = [FindingKind::Redundant, FindingKind::Covered];
        if kinds.iter().any(|kind| needless.contains(kind)) {
            continue;
        }
        let Some((needed, [everywhere, somewhere])) = needs(permission) else { continue };
        let covered = names.iter().filter(|name| pattern.matches(repository(name)));
        let (helped, lacking): (Vec<_>, Vec<_>) =
            covered.partition(|name| granted(rules, name).contains(needed));
        let context = format!("{rule} in {rules:?}: with {helped:?}, without {lacking:?}");
        let is_everywhere = helped.is_empty() && !lacking.is_empty();
        assert_eq!(kinds.contains(&everywhere), is_everywhere, "{context}");
        let is_somewhere = !helped.is_empty() && !lacking.is_empty();
        assert_eq!(kinds.contains(&somewhere), is_somewhere, "{context}");
    }
}

/// What lint finds about one rule.
fn kinds_of(findings: &[Finding], rule: usize) -> impl Iterator<Item = FindingKind> {
    findings.iter().filter(move |finding| finding.rule == Some(rule)).map(|finding| finding.kind)
}

/// What a permission is little use without, and what lint calls the lack of it everywhere and
/// somewhere.
fn needs(permission: Permission) -> Option<(Action, [FindingKind; 2])> {
    use FindingKind::{
        PullPartlyWithoutMetadataRead, PullWithoutMetadataRead, PushPartlyWithoutPull,
        PushWithoutPull,
    };
    match permission {
        Permission::ContentWrite => Some((Action::Pull, [PushWithoutPull, PushPartlyWithoutPull])),
        Permission::ContentRead => {
            Some((Action::MetadataRead, [PullWithoutMetadataRead, PullPartlyWithoutMetadataRead]))
        }
        _ => None,
    }
}

/// What the referee grants on a repository.
fn granted(rules: &[String], name: &str) -> ActionSet {
    decision::refereed(rules, name).split(',').filter_map(Action::parse).collect()
}

fn table_of(rules: &[Rule]) -> Table<Vec<u8>> {
    Table::compile_rules(rules).expect("rules that fit a table")
}

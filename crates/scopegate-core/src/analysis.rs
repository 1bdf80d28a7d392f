//! Exact reasoning on maps: lint, subset, equivalence, and differences with a witness repository.
//!
//! Patterns are exact names and prefixes, so the names of all repositories fall into finitely many classes on which every map of a
//! comparison is constant: each name that a rule mentions, what lies below it and is mentioned nowhere, and everything else. One
//! witness for each class is enough to compare maps exactly; nothing here is sampled.
//!
//! Left out: who uses which repository in fact, which only a decision log knows.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::action::{Action, ActionSet, Permission};
use crate::error::Error;
use crate::name::RepositoryName;
use crate::pattern::Pattern;
use crate::scope_map::{Rule, ScopeMap};
use crate::table::{Entry, Table};

/// Something about a map that its owner may not have meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The rule that it is about, by its place in the map; `None` when it is about the map as a whole.
    pub rule: Option<usize>,
    /// The other rule that makes it so, by its place in the map.
    pub because_of: Option<usize>,
}

/// What can be odd about a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// Every push begins with a pull, so `content/write` alone pushes nothing.
    PushWithoutPull,
    /// Tools that list tags before they pull fail without `metadata/read`.
    PullWithoutMetadataRead,
    /// The same rule stands twice.
    Redundant,
    /// A wider rule grants the same.
    Covered,
    /// The rule covers every repository, those that do not exist yet among them.
    RootWildcard,
    /// The map has more rules than a registry accepts.
    TooManyRules,
    /// The rule is for a connected registry and grants nothing here.
    GrantsNothing,
}

impl FindingKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::PushWithoutPull,
        Self::PullWithoutMetadataRead,
        Self::Redundant,
        Self::Covered,
        Self::RootWildcard,
        Self::TooManyRules,
        Self::GrantsNothing,
    ];

    /// The stable, `snake_case` name of this kind.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PushWithoutPull => "push_without_pull",
            Self::PullWithoutMetadataRead => "pull_without_metadata_read",
            Self::Redundant => "redundant",
            Self::Covered => "covered",
            Self::RootWildcard => "root_wildcard",
            Self::TooManyRules => "too_many_rules",
            Self::GrantsNothing => "grants_nothing",
        }
    }

    /// What it means, in a few words.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::PushWithoutPull => {
                "a push also pulls, so content/write does nothing without content/read"
            }
            Self::PullWithoutMetadataRead => "pulling works, listing tags needs metadata/read too",
            Self::Redundant => "the same rule stands here twice",
            Self::Covered => "a wider rule grants this already",
            Self::RootWildcard => "covers every repository, also those that do not exist yet",
            Self::TooManyRules => "a registry accepts at most 500 actions in one scope map",
            Self::GrantsNothing => "is for a connected registry and grants nothing here",
        }
    }

    /// Whether the map does not do what it says, as opposed to doing it with a remark.
    #[must_use]
    pub const fn is_error(self) -> bool {
        matches!(self, Self::PushWithoutPull | Self::TooManyRules)
    }
}

/// Looks for what the owner of a map may not have meant, in the order of the rules.
///
/// ```
/// use scopegate_core::ScopeMap;
/// use scopegate_core::analysis::{FindingKind, lint};
///
/// let map = ScopeMap::parse(["repositories/app/content/write"])?;
/// assert_eq!(lint(&map)?[0].kind, FindingKind::PushWithoutPull);
/// # Ok::<(), scopegate_core::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`Table::compile`].
pub fn lint(map: &ScopeMap) -> Result<Vec<Finding>, Error> {
    let table = Table::compile([map])?;
    let mut first = BTreeMap::new();
    for (index, rule) in map.rules.iter().enumerate() {
        first.entry(rule.clone()).or_insert(index);
    }
    let mut findings = Vec::new();
    for (index, rule) in map.rules.iter().enumerate() {
        let about = |kind, because_of| Finding { kind, rule: Some(index), because_of };
        let Some((pattern, permission)) = rule.grant() else {
            findings.push(about(FindingKind::GrantsNothing, None));
            continue;
        };
        if let Some((kind, other)) = repeated(&first, index, pattern, permission) {
            findings.push(about(kind, Some(other)));
            continue;
        }
        let kinds = [
            lacks_pull(&table, pattern, permission),
            lacks_metadata_read(&table, pattern, permission),
            (pattern == Pattern::Root).then_some(FindingKind::RootWildcard),
        ];
        findings.extend(kinds.into_iter().flatten().map(|kind| about(kind, None)));
    }
    if map.rules.len() > ScopeMap::MAX_RULES {
        findings.push(Finding { kind: FindingKind::TooManyRules, rule: None, because_of: None });
    }
    Ok(findings)
}

/// Whether another rule makes this one needless: an equal one before it, or a wider one anywhere. `first` has the first place of
/// each rule.
fn repeated(
    first: &BTreeMap<Rule, usize>,
    index: usize,
    pattern: Pattern<'_>,
    permission: Permission,
) -> Option<(FindingKind, usize)> {
    let place = |pattern| first.get(&Rule::granting(pattern, permission)).copied();
    if let Some(earlier) = place(pattern).filter(|earlier| *earlier < index) {
        return Some((FindingKind::Redundant, earlier));
    }
    wider(pattern).into_iter().filter_map(place).min().map(|other| (FindingKind::Covered, other))
}

/// The patterns that cover more than this one, and this one too.
fn wider(pattern: Pattern<'_>) -> Vec<Pattern<'_>> {
    let (Pattern::Exact(name) | Pattern::Prefix(name)) = pattern else {
        return Vec::new();
    };
    name.ancestors().map(Pattern::Prefix).chain([Pattern::Root]).collect()
}

fn lacks_pull<B: AsRef<[u8]>>(
    table: &Table<B>,
    pattern: Pattern<'_>,
    permission: Permission,
) -> Option<FindingKind> {
    let lacks = permission == Permission::ContentWrite
        && !granted_on(table, pattern).contains(Action::Pull);
    lacks.then_some(FindingKind::PushWithoutPull)
}

fn lacks_metadata_read<B: AsRef<[u8]>>(
    table: &Table<B>,
    pattern: Pattern<'_>,
    permission: Permission,
) -> Option<FindingKind> {
    let lacks = permission == Permission::ContentRead
        && !granted_on(table, pattern).contains(Action::MetadataRead);
    lacks.then_some(FindingKind::PullWithoutMetadataRead)
}

/// What a table grants on a repository of a pattern that no narrower rule is about.
fn granted_on<B: AsRef<[u8]>>(table: &Table<B>, pattern: Pattern<'_>) -> ActionSet {
    match pattern {
        Pattern::Root => table.root(),
        Pattern::Exact(name) => table.granted(name),
        Pattern::Prefix(prefix) => {
            let own = table.entries_on(prefix).into_iter().find(|entry| entry.name == prefix);
            let below = own.map_or(ActionSet::NONE, |entry| entry.below);
            let above = prefix.ancestors().fold(table.root(), |granted, above| {
                let entry = table.entries_on(above).into_iter().find(|entry| entry.name == above);
                granted.union(entry.map_or(ActionSet::NONE, |entry| entry.below))
            });
            below.union(above)
        }
    }
}

/// A class of repositories on which two sets of maps grant different things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The repositories of the class: a name, or what lies below a prefix and is mentioned by no rule.
    pub pattern: String,
    /// A repository of the class, to try it with.
    pub witness: String,
    /// What the second set grants there and the first does not.
    pub gained: ActionSet,
    /// What the first set grants there and the second does not.
    pub lost: ActionSet,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.pattern)?;
        if !self.gained.is_empty() {
            write!(f, " gains {}", self.gained)?;
        }
        if !self.lost.is_empty() {
            write!(f, " loses {}", self.lost)?;
        }
        write!(f, " (for example `{}`)", self.witness)
    }
}

/// Every class of repositories on which `new` grants something else than `old`.
///
/// ```
/// use scopegate_core::analysis::difference;
/// use scopegate_core::{ScopeMap, Table};
///
/// let old = Table::compile([&ScopeMap::parse(["repositories/a/content/read"])?])?;
/// let new = Table::compile([&ScopeMap::parse(["repositories/a/*/content/read"])?])?;
/// let differences: Vec<String> = difference(&old, &new).iter().map(ToString::to_string).collect();
/// assert_eq!(differences, ["a loses pull (for example `a`)", "a/* gains pull (for example `a/a`)"]);
/// # Ok::<(), scopegate_core::Error>(())
/// ```
#[must_use]
pub fn difference<A, B>(old: &Table<A>, new: &Table<B>) -> Vec<Difference>
where
    A: AsRef<[u8]>,
    B: AsRef<[u8]>,
{
    classes(&[&keys(old), &keys(new)])
        .into_iter()
        .filter_map(|(pattern, witness)| {
            let name = RepositoryName::parse(&witness).ok()?;
            let (before, after) = (old.granted(name), new.granted(name));
            (before != after).then(|| Difference {
                gained: after.difference(before),
                lost: before.difference(after),
                pattern,
                witness: witness.clone(),
            })
        })
        .collect()
}

/// Whether `small` grants nothing, anywhere, that `large` does not; otherwise a repository where it does.
///
/// # Errors
///
/// The first class of repositories on which `small` grants more.
pub fn is_subset<A, B>(small: &Table<A>, large: &Table<B>) -> Result<(), Difference>
where
    A: AsRef<[u8]>,
    B: AsRef<[u8]>,
{
    let beyond = |difference: &Difference| !difference.gained.is_empty();
    difference(large, small).into_iter().find(beyond).map_or(Ok(()), Err)
}

/// Whether two tables grant the same on every repository.
#[must_use]
pub fn is_equivalent<A, B>(one: &Table<A>, other: &Table<B>) -> bool
where
    A: AsRef<[u8]>,
    B: AsRef<[u8]>,
{
    difference(one, other).is_empty()
}

/// The rules that a table was compiled from, each once and sorted: the shortest map that grants the same by the same patterns.
#[must_use]
pub fn rules<B: AsRef<[u8]>>(table: &Table<B>) -> Vec<Rule> {
    let root = (Pattern::Root, table.root());
    let entries: Vec<_> = table.entries().collect();
    core::iter::once(root)
        .chain(entries.into_iter().flat_map(Entry::patterns))
        .flat_map(|(pattern, actions)| {
            let permissions: Vec<_> = actions.iter().filter_map(Permission::granting).collect();
            permissions.into_iter().map(move |permission| Rule::granting(pattern, permission))
        })
        .collect()
}

/// A class of repositories that rules tell apart from all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// The repositories of the class: a name, `prefix/*` for what lies below and no rule mentions, `*` for what no rule mentions at all.
    pub pattern: String,
    /// A repository of the class, to try it with.
    pub witness: String,
}

/// The classes of repositories that these tables together tell apart: on all repositories of a class they grant the same.
///
/// ```
/// use scopegate_core::analysis::repositories;
/// use scopegate_core::{ScopeMap, Table};
///
/// let table = Table::compile([&ScopeMap::parse(["repositories/team/*/content/read"])?])?;
/// let witnesses: Vec<String> = repositories(&[table]).into_iter().map(|class| class.witness).collect();
/// assert_eq!(witnesses, ["a", "team", "team/a"]);
/// # Ok::<(), scopegate_core::Error>(())
/// ```
#[must_use]
pub fn repositories<B: AsRef<[u8]>>(tables: &[Table<B>]) -> Vec<Class> {
    let keys: Vec<_> = tables.iter().map(keys).collect();
    let classes = classes(&keys.iter().collect::<Vec<_>>());
    classes.into_iter().map(|(pattern, witness)| Class { pattern, witness }).collect()
}

fn keys<B: AsRef<[u8]>>(table: &Table<B>) -> BTreeSet<String> {
    table.entries().map(|entry| entry.name.as_str().to_owned()).collect()
}

/// The classes of repositories that the rules on these names tell apart, each with a witness.
fn classes(keys: &[&BTreeSet<String>]) -> Vec<(String, String)> {
    let all: BTreeSet<&str> =
        keys.iter().flat_map(|keys| keys.iter()).map(String::as_str).collect();
    let mut classes = Vec::new();
    classes.extend(unmentioned("", &all).map(|witness| ("*".to_owned(), witness)));
    for key in &all {
        classes.push(((*key).to_owned(), (*key).to_owned()));
        classes.extend(unmentioned(key, &all).map(|witness| (format!("{key}/*"), witness)));
    }
    classes
}

/// A name directly below `prefix` that is not among `all`; `None` when the names that fit are all taken.
fn unmentioned(prefix: &str, all: &BTreeSet<&str>) -> Option<String> {
    let start = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    // One more candidate than there are names to avoid: one of them must be free, if it fits.
    (0..)
        .map(component)
        .take_while(|component| {
            start.len().saturating_add(component.len()) <= RepositoryName::MAX_LEN
        })
        .filter(|component| RepositoryName::parse(component).is_ok())
        .take(all.len().saturating_add(1))
        .map(|component| format!("{start}{component}"))
        .find(|name| !all.contains(name.as_str()))
}

/// Every text of a component's letters in order of length, those that are no component among them: `a` to `z`, `0` to `9`, the
/// separators, then two characters, and so on.
fn component(number: usize) -> String {
    const ALPHABET: &[u8; 39] = b"abcdefghijklmnopqrstuvwxyz0123456789-_.";
    let mut reversed = Vec::new();
    let mut rest = number;
    loop {
        let digit = rest.checked_rem(ALPHABET.len()).and_then(|digit| ALPHABET.get(digit));
        reversed.push(char::from(*digit.unwrap_or(&b'a')));
        match rest.checked_div(ALPHABET.len()).and_then(|higher| higher.checked_sub(1)) {
            Some(higher) => rest = higher,
            None => return reversed.into_iter().rev().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn map(rules: &[&str]) -> ScopeMap {
        ScopeMap::parse(rules.iter().copied()).unwrap()
    }

    fn table(rules: &[&str]) -> Table<Vec<u8>> {
        Table::compile([&map(rules)]).unwrap()
    }

    #[track_caller]
    fn finds(rules: &[&str], expected: &[(FindingKind, usize, Option<usize>)]) {
        let findings = lint(&map(rules)).unwrap();
        let expected: Vec<_> = expected
            .iter()
            .map(|(kind, rule, because_of)| Finding {
                kind: *kind,
                rule: Some(*rule),
                because_of: *because_of,
            })
            .collect();
        assert_eq!(findings, expected);
    }

    #[test]
    fn lints() {
        use FindingKind::{
            Covered, GrantsNothing, PullWithoutMetadataRead, PushWithoutPull, Redundant,
            RootWildcard,
        };
        let read = "repositories/a/content/read";
        let list = "repositories/a/metadata/read";
        finds(&[read, list], &[]);
        finds(&[read], &[(PullWithoutMetadataRead, 0, None)]);
        finds(&["repositories/a/content/write"], &[(PushWithoutPull, 0, None)]);
        finds(&["repositories/a/content/write", read, list], &[]);
        finds(
            &["repositories/a/*/content/write", "repositories/a/content/read", list],
            &[(PushWithoutPull, 0, None)],
        );
        finds(
            &[
                "repositories/a/b/*/content/write",
                "repositories/a/*/content/read",
                "repositories/a/*/metadata/read",
            ],
            &[],
        );
        finds(&[read, list, read], &[(Redundant, 2, Some(0))]);
        finds(
            &["repositories/a/b/metadata/read", "repositories/a/*/metadata/read"],
            &[(Covered, 0, Some(1))],
        );
        finds(
            &["repositories/*/metadata/read", list],
            &[(RootWildcard, 0, None), (Covered, 1, Some(0))],
        );
        finds(&["gateway/g/config/read"], &[(GrantsNothing, 0, None)]);
    }

    #[test]
    fn a_map_may_be_too_large() {
        let mut large = map(&[]);
        for number in 0..501 {
            let text = format!("repositories/app{number}/metadata/read");
            large.rules.push(Rule::parse(&text).unwrap());
        }
        let findings = lint(&large).unwrap();
        assert_eq!(
            findings,
            [Finding { kind: FindingKind::TooManyRules, rule: None, because_of: None }]
        );
    }

    #[track_caller]
    fn differs(old: &[&str], new: &[&str], expected: &[&str]) {
        let differences = difference(&table(old), &table(new));
        let printed: Vec<_> = differences.iter().map(ToString::to_string).collect();
        assert_eq!(printed, expected);
    }

    #[test]
    fn differences() {
        let read = "repositories/a/content/read";
        differs(&[read], &[read], &[]);
        differs(&[], &[read], &["a gains pull (for example `a`)"]);
        differs(&[read], &[], &["a loses pull (for example `a`)"]);
        differs(
            &["repositories/*/content/read"],
            &["repositories/a/*/content/read"],
            &["* loses pull (for example `b`)", "a loses pull (for example `a`)"],
        );
        differs(
            &["repositories/a/*/content/read"],
            &["repositories/a/*/content/write", "repositories/a/a/content/read"],
            &[
                "a/* gains push loses pull (for example `a/b`)",
                "a/a gains push (for example `a/a`)",
                "a/a/* gains push loses pull (for example `a/a/a`)",
            ],
        );
    }

    #[test]
    fn equivalence_sees_through_spelling() {
        let one = table(&["repositories/a/*/content/read", "repositories/a/b/content/read"]);
        let other = table(&["repositories/a/*/content/read", "repositories/a/b/*/content/read"]);
        assert!(is_equivalent(&one, &other));
        assert!(!is_equivalent(&one, &table(&["repositories/a/b/content/read"])));
    }

    #[test]
    fn subsets_have_witnesses() {
        let small = table(&["repositories/a/b/content/read"]);
        let large = table(&["repositories/a/*/content/read"]);
        assert_eq!(is_subset(&small, &large), Ok(()));
        assert_eq!(is_subset(&large, &small).unwrap_err().witness, "a/a");
    }

    #[test]
    fn a_class_may_have_no_room() {
        let prefix = "a".repeat(253);
        let mut keys: BTreeSet<&str> = BTreeSet::new();
        let names: Vec<_> =
            (0..36).map(|number| format!("{prefix}/{}", component(number))).collect();
        keys.extend(names.iter().map(String::as_str));
        assert_eq!(unmentioned(&prefix, &keys), None);
        keys.remove(names[7].as_str());
        assert_eq!(unmentioned(&prefix, &keys).as_ref(), names.get(7));
    }

    #[test]
    fn tables_give_their_rules_back() {
        let rules_of = |texts: &[&str]| -> Vec<String> {
            rules(&table(texts)).iter().map(ToString::to_string).collect()
        };
        let texts = [
            "repositories/*/content/read",
            "repositories/a/metadata/read",
            "repositories/a/*/content/write",
            "repositories/a/b/content/delete",
        ];
        assert_eq!(rules_of(&texts), texts);
    }

    #[test]
    fn components_are_distinct() {
        let all: BTreeSet<_> = (0..5000).map(component).collect();
        assert_eq!(all.len(), 5000);
        assert_eq!(component(39), "aa");
    }
}

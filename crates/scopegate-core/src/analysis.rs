//! Exact reasoning on maps: lint, subset, and differences with a witness repository.
//!
//! Patterns are exact names and prefixes, so the names of all repositories fall into finitely many
//! classes on which every map of a comparison is constant: each name that a rule mentions, what
//! lies below it and is mentioned nowhere, and everything else. One witness for each class is
//! enough to compare maps exactly; nothing here is sampled.
//!
//! Left out: who uses which repository in fact, which only a decision log knows.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::action::{Action, ActionSet, Permission};
use crate::error::Error;
use crate::lean::sort::sorted;
use crate::lean::text::write_all;
use crate::name::RepositoryName;
use crate::pattern::Pattern;
use crate::scope_map::{Rule, ScopeMap};
use crate::table::{Entry, Table, View};

/// Something about a map that its owner may not have meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The rule that it is about, by its index in the map; `None` when it is about the map as a
    /// whole.
    pub rule: Option<usize>,
    /// The other rule that makes it so, by its index in the map.
    pub because_of: Option<usize>,
}

/// What can be odd about a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// Every push begins with a pull, so `content/write` alone pushes nothing, on no repository of
    /// the rule.
    PushWithoutPull,
    /// The same on some repositories of the rule, while another rule gives `content/read` on
    /// others.
    PushPartlyWithoutPull,
    /// Tools that list tags before they pull fail without `metadata/read`, on every repository of
    /// the rule.
    PullWithoutMetadataRead,
    /// The same on some repositories of the rule, while another rule gives `metadata/read` on
    /// others.
    PullPartlyWithoutMetadataRead,
    /// The same rule is there twice.
    Redundant,
    /// A wider rule grants the same.
    Covered,
    /// The rule covers every repository, those that do not exist yet among them.
    RootWildcard,
    /// The map has more rules than a registry accepts.
    TooManyRules,
    /// The rule only for connected registries; no effect here.
    GrantsNothing,
}

impl FindingKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::PushWithoutPull,
        Self::PushPartlyWithoutPull,
        Self::PullWithoutMetadataRead,
        Self::PullPartlyWithoutMetadataRead,
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
            Self::PushPartlyWithoutPull => "push_partly_without_pull",
            Self::PullWithoutMetadataRead => "pull_without_metadata_read",
            Self::PullPartlyWithoutMetadataRead => "pull_partly_without_metadata_read",
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
            Self::PushWithoutPull => "push won't work: it also needs content/read",
            Self::PushPartlyWithoutPull => "push works only where another rule grants content/read",
            Self::PullWithoutMetadataRead => "can pull, but can't list tags without metadata/read",
            Self::PullPartlyWithoutMetadataRead => {
                "can pull, but lists tags only where another rule grants metadata/read"
            }
            Self::Redundant => "duplicate rule",
            Self::Covered => "redundant: a wider rule already grants this",
            Self::RootWildcard => "applies to all repositories, including future ones",
            Self::TooManyRules => "over the limit of 500 rules per scope map",
            Self::GrantsNothing => "only for connected registries; no effect here",
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
    let (by_grant, names) = (ByGrant::of(&map.rules), mentioned(&[table.view()]));
    let mut findings = Vec::new();
    for (index, rule) in map.rules.iter().enumerate() {
        let mut find = |kind, because_of| {
            findings.push(Finding { kind, rule: Some(index), because_of });
        };
        let Some(grant) = rule.grant() else {
            find(FindingKind::GrantsNothing, None);
            continue;
        };
        if let Some((kind, other)) = repeated(&by_grant, index, grant) {
            find(kind, Some(other));
            continue;
        }
        if let Some(kind) = lacking(table.view(), &names, grant) {
            find(kind, None);
        }
        if grant.0 == Pattern::Root {
            find(FindingKind::RootWildcard, None);
        }
    }
    if map.rules.len() > ScopeMap::MAX_RULES {
        findings.push(Finding { kind: FindingKind::TooManyRules, rule: None, because_of: None });
    }
    Ok(findings)
}

/// What a rule covers and what it grants there.
type Grant<'m> = (Pattern<'m>, Permission);

/// Some rules, to be found by what they grant.
struct ByGrant<'m> {
    rules: &'m [Rule],
    /// The indices of the rules, in the order of what they grant.
    order: Vec<usize>,
}

impl<'m> ByGrant<'m> {
    fn of(rules: &'m [Rule]) -> Self {
        let key = |index: usize| rules.get(index).map(Rule::grant);
        Self { rules, order: sorted(rules.len(), &|one, other| key(one).cmp(&key(other))) }
    }

    /// The index of the first rule that grants exactly this.
    fn first_granting(&self, grant: Grant<'_>) -> Option<usize> {
        let granted = |index: &usize| self.rules.get(*index).and_then(Rule::grant);
        let start = self.order.partition_point(|index| granted(index) < Some(grant));
        self.order.get(start).copied().filter(|index| granted(index) == Some(grant))
    }
}

/// Whether another rule makes this one needless: an equal one before it, or a wider one anywhere.
fn repeated(rules: &ByGrant<'_>, index: usize, grant: Grant<'_>) -> Option<(FindingKind, usize)> {
    if let Some(earlier) = rules.first_granting(grant).filter(|earlier| *earlier < index) {
        return Some((FindingKind::Redundant, earlier));
    }
    let (pattern, permission) = grant;
    let (Pattern::Exact(name) | Pattern::Prefix(name)) = pattern else {
        return None;
    };
    let mut wider = rules.first_granting((Pattern::Root, permission));
    for above in name.ancestors() {
        let covering = rules.first_granting((Pattern::Prefix(above), permission));
        wider = covering.into_iter().chain(wider).min();
    }
    wider.map(|other| (FindingKind::Covered, other))
}

/// What a rule needs in addition that the table does not grant, everywhere or somewhere; `names`
/// are those that the table mentions.
fn lacking(
    table: View<'_>,
    names: &[RepositoryName<'_>],
    (pattern, permission): Grant<'_>,
) -> Option<FindingKind> {
    use FindingKind::{
        PullPartlyWithoutMetadataRead, PullWithoutMetadataRead, PushPartlyWithoutPull,
        PushWithoutPull,
    };
    let (needed, everywhere, somewhere) = match permission {
        Permission::ContentWrite => (Action::Pull, PushWithoutPull, PushPartlyWithoutPull),
        Permission::ContentRead => {
            (Action::MetadataRead, PullWithoutMetadataRead, PullPartlyWithoutMetadataRead)
        }
        _ => return None,
    };
    // What is granted below a prefix is granted on all that lies there.
    if granted_by_pattern(table, pattern).contains(needed) {
        return None;
    }
    let below = names_below(names, pattern);
    let grants = |granted: ActionSet| granted.contains(needed);
    let helped = below.iter().any(|name| {
        grants(table.granted(*name)) || grants(granted_by_pattern(table, Pattern::Prefix(*name)))
    });
    if !helped {
        return Some(everywhere);
    }
    let has_room = || unmentioned(&prefix_text(pattern), names).is_some();
    let lacks = |name: &RepositoryName<'_>| !grants(table.granted(*name));
    (has_room() || below.iter().any(lacks)).then_some(somewhere)
}

/// Those of some sorted names that lie below a prefix, or all of them below the root.
fn names_below<'n, 'a>(
    names: &'n [RepositoryName<'a>],
    pattern: Pattern<'_>,
) -> &'n [RepositoryName<'a>] {
    if let Pattern::Exact(_) = pattern {
        return &[];
    }
    let prefix = prefix_text(pattern);
    let start = names.partition_point(|name| name.as_str() < prefix.as_str());
    let from = names.get(start..).unwrap_or_default();
    let end = from.partition_point(|name| name.as_str().starts_with(&*prefix));
    from.get(..end).unwrap_or_default()
}

/// What the names that a pattern covers begin with.
fn prefix_text(pattern: Pattern<'_>) -> String {
    let mut text = pattern.to_string();
    if text.ends_with('*') {
        text.pop();
    }
    text
}

/// What a table grants on a repository of a pattern that no narrower rule is about.
fn granted_by_pattern(table: View<'_>, pattern: Pattern<'_>) -> ActionSet {
    match pattern {
        Pattern::Root => table.root(),
        Pattern::Exact(name) => table.granted(name),
        Pattern::Prefix(prefix) => {
            let entries = table.entries_on(prefix);
            entries.iter().fold(table.root(), |granted, entry| granted.union(entry.below))
        }
    }
}

/// A class of repositories on which two sets of maps grant different things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The repositories of the class: a name, or what lies below a prefix and is mentioned by no
    /// rule.
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
        f.write_str(&self.pattern)?;
        for (verb, actions) in [(" gains ", self.gained), (" loses ", self.lost)] {
            if !actions.is_empty() {
                f.write_str(verb)?;
                actions.fmt(f)?;
            }
        }
        write_all(f, &[" (for example `", &self.witness, "`)"])
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
    differences(old.view(), new.view())
}

fn differences(old: View<'_>, new: View<'_>) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (pattern, witness) in classes(&mentioned(&[old, new])) {
        let Ok(name) = RepositoryName::parse(&witness) else { continue };
        let (before, after) = (old.granted(name), new.granted(name));
        if before != after {
            let (gained, lost) = (after.difference(before), before.difference(after));
            differences.push(Difference { pattern, witness, gained, lost });
        }
    }
    differences
}

/// Whether `small` grants nothing, anywhere, that `large` does not; otherwise a repository where it
/// does.
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

/// The rules that a table was compiled from, each once and sorted: the shortest map that grants the
/// same by the same patterns.
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
    /// The repositories of the class: a name, `prefix/*` for what lies below and no rule mentions,
    /// `*` for what no rule mentions at all.
    pub pattern: String,
    /// A repository of the class, to try it with.
    pub witness: String,
}

/// The classes of repositories that these tables together tell apart: on all repositories of a
/// class they grant the same.
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
    let views: Vec<_> = tables.iter().map(Table::view).collect();
    classes(&mentioned(&views))
        .into_iter()
        .map(|(pattern, witness)| Class { pattern, witness })
        .collect()
}

/// The names that the rules of these tables mention, sorted, each once.
fn mentioned<'t>(tables: &[View<'t>]) -> Vec<RepositoryName<'t>> {
    let mut entries = Vec::new();
    for table in tables {
        entries.append(&mut table.entries());
    }
    let name = |index: usize| entries.get(index).map(|entry| entry.name);
    let mut names = Vec::new();
    for index in sorted(entries.len(), &|one, other| name(one).cmp(&name(other))) {
        names.extend(name(index).filter(|next| names.last() != Some(next)));
    }
    names
}

/// The classes of repositories that the rules on these names tell apart, as a pattern and a witness
/// each.
fn classes(names: &[RepositoryName<'_>]) -> Vec<(String, String)> {
    let mut classes = Vec::new();
    add_unmentioned(&mut classes, Pattern::Root, names);
    for name in names {
        classes.push((name.as_str().to_owned(), name.as_str().to_owned()));
        add_unmentioned(&mut classes, Pattern::Prefix(*name), names);
    }
    classes
}

/// Adds the class of what a pattern covers and no rule mentions, unless no name is left for it.
fn add_unmentioned(
    classes: &mut Vec<(String, String)>,
    pattern: Pattern<'_>,
    names: &[RepositoryName<'_>],
) {
    let witness = unmentioned(&prefix_text(pattern), names);
    classes.extend(witness.map(|witness| (pattern.to_string(), witness)));
}

/// A name of one component more than `start` that is not among `names`; `None` when those that fit
/// are all taken.
fn unmentioned(start: &str, names: &[RepositoryName<'_>]) -> Option<String> {
    for number in 0.. {
        let mut name = start.to_owned();
        push_component(&mut name, number);
        if name.len() > RepositoryName::MAX_LEN {
            return None;
        }
        if let Ok(parsed) = RepositoryName::parse(&name)
            && names.binary_search(&parsed).is_err()
        {
            return Some(name);
        }
    }
    None
}

/// Every text of a component's letters in order of length, those that are no component among them:
/// `a` to `z`, `0` to `9`, the separators, then two characters, and so on.
fn push_component(text: &mut String, number: usize) {
    const LETTERS: &[u8; 39] = b"abcdefghijklmnopqrstuvwxyz0123456789-_.";
    if let Some(longer) = (number / 39).checked_sub(1) {
        push_component(text, longer);
    }
    let letter = LETTERS.get(number % 39);
    text.push(char::from(*letter.unwrap_or(&b'a')));
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::format;

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
            Covered, GrantsNothing, PullPartlyWithoutMetadataRead, PullWithoutMetadataRead,
            PushPartlyWithoutPull, PushWithoutPull, Redundant, RootWildcard,
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
        // A push to `a/b` works by the first rule.
        finds(
            &["repositories/a/*/content/write", "repositories/a/b/content/read", list],
            &[(PushPartlyWithoutPull, 0, None), (PullWithoutMetadataRead, 1, None)],
        );
        finds(
            &["repositories/a/*/content/write", "repositories/a/b/*/content/read"],
            &[(PushPartlyWithoutPull, 0, None), (PullWithoutMetadataRead, 1, None)],
        );
        finds(
            &["repositories/*/content/write", "repositories/a/b/content/read"],
            &[
                (PushPartlyWithoutPull, 0, None),
                (RootWildcard, 0, None),
                (PullWithoutMetadataRead, 1, None),
            ],
        );
        finds(
            &["repositories/a/*/content/read", "repositories/a/b/metadata/read"],
            &[(PullPartlyWithoutMetadataRead, 0, None)],
        );
        // `a-b` and `ab` lie beside `a/`, and not below it.
        finds(
            &[
                "repositories/a/*/content/write",
                "repositories/a-b/metadata/read",
                "repositories/ab/c/metadata/read",
                "repositories/ab/c/content/read",
            ],
            &[(PushWithoutPull, 0, None)],
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
    fn lint_of_a_prefix_without_room() {
        let prefix = "a".repeat(253);
        let below = (0..36).map(|number| format!("repositories/{prefix}/{}", component(number)));
        let mut texts: Vec<_> = below.map(|text| text + "/content/read").collect();
        texts.push(format!("repositories/{prefix}/*/content/write"));
        let kinds = |texts: &[String]| -> Vec<_> {
            let map = ScopeMap::parse(texts.iter().map(String::as_str)).unwrap();
            let of_the_last = |finding: &Finding| finding.rule == Some(texts.len() - 1);
            let findings = lint(&map).unwrap().into_iter().filter(of_the_last);
            findings.map(|finding| finding.kind).collect()
        };
        assert_eq!(kinds(&texts), []);
        assert_eq!(kinds(&texts[1..]), [FindingKind::PushPartlyWithoutPull]);
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
        assert_eq!(difference(&one, &other), []);
        assert_ne!(difference(&one, &table(&["repositories/a/b/content/read"])), []);
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
        let start = format!("{}/", "a".repeat(253));
        let mut texts: Vec<_> =
            (0..36).map(|number| format!("{start}{}", component(number))).collect();
        texts.sort_unstable();
        let mut names: Vec<_> =
            texts.iter().map(|text| RepositoryName::parse(text).unwrap()).collect();
        assert_eq!(unmentioned(&start, &names), None);
        let free = names.remove(7);
        assert_eq!(unmentioned(&start, &names).as_deref(), Some(free.as_str()));
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

    fn component(number: usize) -> String {
        let mut text = String::new();
        push_component(&mut text, number);
        text
    }

    #[test]
    fn components_are_distinct() {
        let all: BTreeSet<_> = (0..5000).map(component).collect();
        assert_eq!(all.len(), 5000);
        assert_eq!(component(39), "aa");
    }
}

//! The same decision with its reasons: the rules that gave each action, the near misses, and the
//! smallest edits.
//!
//! "denied: requested access to the resource is denied" is where this module begins. For each
//! action that was asked for it names the rules that grant it; for each that was refused, the rules
//! that come closest and what is wrong with them; and for the whole, the smallest change to a scope
//! map that would allow it, also as the `az acr scope-map update` command that makes it.
//! System-defined maps are read-only, so for those it names the maps to give the token instead.
//!
//! Everything is read from compiled tables, so that every host that decides can also explain.
//!
//! Left out: reasons that are not about rules: a disabled token, a wrong password, a time that has
//! passed.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::fmt;

use crate::access::ResourceType;
use crate::action::{Action, ActionList, ActionSet, Permission};
use crate::decide::{Catalog, Decision, Settings, granted_on};
use crate::lean::text::{pieces, write_all};
use crate::name::RepositoryName;
use crate::pattern::Pattern;
use crate::scope::{ResourceName, Scope};
use crate::scope_map::{Rule, system_defined};
use crate::table::{Entry, Key, Table, View};

/// One scope map of a principal: its table, and what people call it.
#[derive(Debug)]
pub struct NamedTable<'t, B: AsRef<[u8]>> {
    /// The name of the map, empty when it has none.
    pub name: &'t str,
    /// Its compiled rules.
    pub table: &'t Table<B>,
}

/// Why a scope is granted or denied.
#[derive(Clone, Debug)]
pub struct Explanation<'a> {
    /// The scope that was asked for.
    pub scope: Scope<'a>,
    /// What [`decide`](crate::decide()) says.
    pub decision: Decision,
    /// One reason for each action of the decision, in the order of the request, and one for each
    /// unknown action after them.
    pub reasons: Vec<Reason>,
    /// The smallest edits, one for each scope map that can be edited. Each of them alone allows
    /// everything that an edit can allow.
    pub edits: Vec<Edit>,
}

/// Why one action is granted or denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The action, as it was asked for.
    pub action: String,
    /// Whether it may be had.
    pub granted: bool,
    /// The rules that grant it; none when it is denied.
    pub rules: Vec<RuleRef>,
    /// The rules that come closest, the closest first; none when it is granted.
    pub misses: Vec<Miss>,
}

/// A rule of one of the principal's scope maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRef {
    /// The name of the map.
    pub scope_map: String,
    /// What the rule covers.
    pub pattern: String,
    /// What the rule grants.
    pub permission: Permission,
}

/// `my-map: repositories/app/content/read`; the rule alone when its map has no name.
impl fmt::Display for RuleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope_map, pattern, permission } = self;
        let separator = if scope_map.is_empty() { "" } else { ": " };
        let permission = permission.as_str();
        write_all(f, &[scope_map, separator, "repositories/", pattern, "/", permission])
    }
}

/// A rule that does not grant an action, and nearly does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// The rule.
    pub rule: RuleRef,
    /// What is wrong with it.
    pub why: MissKind,
}

/// What is wrong with a rule that nearly grants an action; the closest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MissKind {
    /// It is `team/*` and the repository is `team`: a prefix does not cover itself.
    PrefixItself,
    /// It is `team` and the repository lies below: an exact name covers nothing else.
    NameAbove,
    /// It covers the repository and grants another action.
    OtherAction,
    /// It grants the action on a repository whose name begins alike.
    OtherRepository,
    /// It grants the action on some repositories, and the request is about the registry or about
    /// all of them.
    NotEverywhere,
}

impl MissKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::PrefixItself,
        Self::NameAbove,
        Self::OtherAction,
        Self::OtherRepository,
        Self::NotEverywhere,
    ];

    /// The stable, `snake_case` name of this kind.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::OtherAction => "other_action",
            Self::PrefixItself => "prefix_itself",
            Self::NameAbove => "name_above",
            Self::OtherRepository => "other_repository",
            Self::NotEverywhere => "not_everywhere",
        }
    }

    /// What is wrong, in a few words.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::OtherAction => "covers it, but grants another action",
            Self::PrefixItself => "covers repositories below this name, not the name itself",
            Self::NameAbove => "covers the name above, not repositories below it",
            Self::OtherRepository => "different repository",
            Self::NotEverywhere => "doesn't cover all repositories",
        }
    }
}

/// A change to a scope map: permissions to add on one repository or pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The name of the map to change.
    pub scope_map: String,
    /// The repository or pattern to add permissions on.
    pub pattern: String,
    /// The permissions to add.
    pub permissions: Vec<Permission>,
}

impl Edit {
    /// The rules to add, one for each permission.
    #[must_use]
    pub fn rules(&self) -> Vec<Rule> {
        let Ok(pattern) = Pattern::parse(&self.pattern) else { return Vec::new() };
        self.permissions.iter().map(|permission| Rule::granting(pattern, *permission)).collect()
    }

    /// The command that makes this change, ready for a shell.
    ///
    /// `registry` is the name of the registry. Where it or the map's name is not known, the command
    /// has a variable in its place.
    ///
    /// ```
    /// use scopegate_core::Permission;
    /// use scopegate_core::explain::Edit;
    ///
    /// let edit = Edit {
    ///     scope_map: "MyScopeMap".into(),
    ///     pattern: "samples/nginx".into(),
    ///     permissions: vec![Permission::ContentRead, Permission::ContentWrite],
    /// };
    /// assert_eq!(
    ///     edit.az_command(Some("myregistry")),
    ///     "az acr scope-map update --name MyScopeMap --registry myregistry --add-repository samples/nginx content/read content/write"
    /// );
    /// ```
    #[must_use]
    pub fn az_command(&self, registry: Option<&str>) -> String {
        self.az_scope_map("update", "--add-repository", registry)
    }

    /// The command that makes a map of one's own, which holds this and nothing else.
    fn az_create_command(&self, registry: Option<&str>) -> String {
        self.az_scope_map("create", "--repository", registry)
    }

    fn az_scope_map(&self, verb: &str, option: &str, registry: Option<&str>) -> String {
        let mut command = String::from("az acr scope-map ");
        command.push_str(verb);
        command.push_str(" --name ");
        // A map's name may begin with a hyphen, and would be taken for an option.
        if self.scope_map.starts_with('-') {
            command.pop();
            command.push('=');
        }
        push_argument(&mut command, &self.scope_map, "$SCOPE_MAP");
        command.push_str(" --registry ");
        push_argument(&mut command, registry.unwrap_or_default(), "$REGISTRY");
        command.push(' ');
        command.push_str(option);
        command.push(' ');
        push_argument(&mut command, &self.pattern, "$REPOSITORY");
        for permission in &self.permissions {
            command.push(' ');
            command.push_str(permission.as_str());
        }
        command
    }
}

/// A scope map to give a token instead of a system-defined one. It allows everything that an edit
/// could allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The map, which is read-only.
    pub scope_map: String,
    /// The map to take instead.
    pub with: Substitute,
}

/// What replaces a system-defined map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Substitute {
    /// Another system-defined map, which grants whatever the first one did.
    SystemDefined(&'static str),
    /// A map of one's own: permissions on one repository or pattern, and on nothing else. Its name
    /// is free.
    UserDefined(Edit),
}

impl Replacement {
    /// The commands that make this change, ready for a shell, in their order.
    ///
    /// `registry` is the name of the registry. Where it is not known, the command has a variable in
    /// its place, as it has for the token.
    ///
    /// ```
    /// use scopegate_core::explain::{Replacement, Substitute};
    ///
    /// let replacement = Replacement {
    ///     scope_map: "_repositories_pull".into(),
    ///     with: Substitute::SystemDefined("_repositories_pull_metadata_read"),
    /// };
    /// assert_eq!(
    ///     replacement.az_commands(Some("myregistry")),
    ///     ["az acr token update --name $TOKEN --registry myregistry --scope-map _repositories_pull_metadata_read"]
    /// );
    /// ```
    #[must_use]
    pub fn az_commands(&self, registry: Option<&str>) -> Vec<String> {
        let mut commands = Vec::new();
        let name = match &self.with {
            Substitute::SystemDefined(name) => *name,
            Substitute::UserDefined(map) => {
                commands.push(map.az_create_command(registry));
                ""
            }
        };
        let mut update = String::from("az acr token update --name $TOKEN --registry ");
        push_argument(&mut update, registry.unwrap_or_default(), "$REGISTRY");
        update.push_str(" --scope-map ");
        push_argument(&mut update, name, "$SCOPE_MAP");
        commands.push(update);
        commands
    }
}

/// One argument of a shell command, quoted where a shell would interpret it.
fn push_argument(command: &mut String, argument: &str, unknown: &str) {
    let is_safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/');
    if argument.is_empty() {
        command.push_str(unknown);
    } else if argument.bytes().all(is_safe) {
        command.push_str(argument);
    } else {
        let mut separator = "'";
        for piece in pieces(argument, b'\'') {
            command.push_str(separator);
            command.push_str(piece);
            separator = r"'\''";
        }
        command.push('\'');
    }
}

/// How many near misses a reason names.
const MAX_MISSES: usize = 3;

/// Explains one scope over the scope maps of one principal.
///
/// ```
/// use scopegate_core::explain::{NamedTable, explain};
/// use scopegate_core::{Scope, ScopeMap, Settings, Table};
///
/// let map = ScopeMap::parse(["repositories/samples/hello-world/content/write"])?;
/// let table = Table::compile([&map])?;
/// let scope = Scope::parse("repository:samples/nginx:push")?;
/// let explanation = explain(&[NamedTable { name: "MyScopeMap", table: &table }], &scope, &Settings::default());
/// assert_eq!(
///     explanation.to_string(),
///     "can't push to `samples/nginx`: no rule covers it; closest rule: `samples/hello-world`\n"
/// );
/// assert_eq!(
///     explanation.edits[0].az_command(None),
///     "az acr scope-map update --name MyScopeMap --registry $REGISTRY --add-repository samples/nginx content/write"
/// );
/// # Ok::<(), scopegate_core::Error>(())
/// ```
#[must_use]
pub fn explain<'a, B: AsRef<[u8]>>(
    maps: &[NamedTable<'_, B>],
    scope: &Scope<'a>,
    settings: &Settings,
) -> Explanation<'a> {
    Question { maps: &views(maps), scope, settings }.answer()
}

/// What to give a token instead of read-only maps, the least first; none where an edit helps, or
/// nothing does.
///
/// Beside [`explain`], and not in what it answers, because it is for people: it would be six
/// kilobytes of the WebAssembly module.
///
/// ```
/// use scopegate_core::explain::{NamedTable, Substitute, replacements};
/// use scopegate_core::{Scope, ScopeMap, Settings, Table};
///
/// let table = Table::compile([&ScopeMap::parse(["repositories/*/content/read"])?])?;
/// let scope = Scope::parse("repository:app:metadata_read")?;
/// let maps = [NamedTable { name: "_repositories_pull", table: &table }];
/// let least = &replacements(&maps, &scope, &Settings::default())[0];
/// assert_eq!(least.with, Substitute::SystemDefined("_repositories_pull_metadata_read"));
/// # Ok::<(), scopegate_core::Error>(())
/// ```
#[must_use]
pub fn replacements<B: AsRef<[u8]>>(
    maps: &[NamedTable<'_, B>],
    scope: &Scope<'_>,
    settings: &Settings,
) -> Vec<Replacement> {
    let maps = views(maps);
    let question = Question { maps: &maps, scope, settings };
    let decision = question.decision();
    if question.edits(decision.denied).is_empty() {
        question.replacements(decision.denied)
    } else {
        Vec::new()
    }
}

fn views<'q, B: AsRef<[u8]>>(maps: &'q [NamedTable<'_, B>]) -> Vec<Map<'q>> {
    maps.iter().map(|map| Map { name: map.name, table: map.table.view() }).collect()
}

/// One scope map, wherever its table is stored.
struct Map<'q> {
    name: &'q str,
    table: View<'q>,
}

/// What is asked, and of which scope maps.
struct Question<'q, 'a> {
    maps: &'q [Map<'q>],
    scope: &'q Scope<'a>,
    settings: &'q Settings,
}

impl<'q, 'a> Question<'q, 'a> {
    fn answer(&self) -> Explanation<'a> {
        let decision = self.decision();
        let mut reasons = Vec::new();
        for action in self.scope.wanted().iter() {
            reasons.push(self.reason(action, decision.granted.contains(action)));
        }
        reasons.extend(self.scope.unknown_actions().map(|action| Reason::bare(action, false)));
        Explanation { scope: *self.scope, decision, reasons, edits: self.edits(decision.denied) }
    }

    fn decision(&self) -> Decision {
        let (tables, scope) = (self.maps.iter().map(|map| map.table), self.scope);
        let granted = granted_on(tables, scope.resource_type, scope.name, self.settings);
        Decision::of(scope.wanted(), granted)
    }

    fn reason(&self, action: Action, granted: bool) -> Reason {
        let mut reason = Reason::bare(action.as_str(), granted);
        match self.needed(action) {
            Some(needed) if granted => reason.rules = self.granting(needed),
            Some(needed) => reason.misses = self.nearest(needed),
            None => {}
        }
        reason
    }

    /// The permission that a rule must give so that `action` may be had; `None` when no rule can
    /// help.
    fn needed(&self, action: Action) -> Option<Permission> {
        if self.scope.resource_type != ResourceType::Registry {
            return Permission::granting(action);
        }
        match (self.scope.name.as_str(), action, self.settings.catalog) {
            ("catalog", Action::Any, Catalog::Root | Catalog::Filtered) => {
                Some(Permission::MetadataRead)
            }
            ("deleted_catalog", Action::Any, _) => Some(Permission::DeletedRead),
            _ => None,
        }
    }

    /// Whether rules on any repository count, and not only those on `*`.
    fn is_filtered_catalog(&self) -> bool {
        self.scope.resource_type == ResourceType::Registry
            && self.scope.name.as_str() == "catalog"
            && self.settings.catalog == Catalog::Filtered
    }

    /// The rules that give `needed` on what the scope names.
    fn granting(&self, needed: Permission) -> Vec<RuleRef> {
        let mut rules = Vec::new();
        for map in self.maps {
            if map.table.root().contains(needed.action()) {
                rules.push(rule(map.name, Pattern::Root, needed));
            }
            let patterns = match repository(self.scope) {
                Some(name) => covering(map.table, name),
                None if self.is_filtered_catalog() => patterns(&map.table.entries()),
                None => Vec::new(),
            };
            for (pattern, actions) in patterns {
                if actions.contains(needed.action()) {
                    rules.push(rule(map.name, pattern, needed));
                }
            }
        }
        rules
    }

    /// The rules that come closest to giving `needed`, the closest first.
    fn nearest(&self, needed: Permission) -> Vec<Miss> {
        let mut nearest = Nearest::default();
        for (map_index, map) in self.maps.iter().enumerate() {
            if let Some(name) = repository(self.scope) {
                nearest.add_covering(map, map_index, name);
            }
            map.table.each_granting(needed.action(), |key| {
                nearest.add_granting(map, map_index, key, needed, repository(self.scope));
            });
        }
        nearest.misses()
    }

    /// The smallest edits that allow what was denied, as far as a scope map can: one for each map
    /// that users may change.
    fn edits(&self, denied: ActionList) -> Vec<Edit> {
        let permissions = self.needed_in_maps(denied.iter());
        let mut edits = Vec::new();
        for map in self.maps {
            if permissions.is_empty() || map.name.starts_with('_') {
                continue;
            }
            let Some(pattern) = self.edit_pattern(map.table) else { continue };
            let (scope_map, permissions) = (map.name.to_owned(), permissions.clone());
            edits.push(Edit { scope_map, pattern, permissions });
        }
        edits
    }

    /// The permissions that a scope map must give so that these actions may be had, as far as one
    /// can.
    fn needed_in_maps(&self, actions: impl Iterator<Item = Action>) -> Vec<Permission> {
        let needed = actions.filter_map(|action| self.needed(action));
        needed.filter(|needed| needed.in_scope_maps()).collect()
    }

    /// What to take instead of each read-only map: the system-defined maps that grant what it
    /// grants and what was denied, the least first, and then a map of one's own, which does so on
    /// what the scope is about.
    fn replacements(&self, denied: ActionList) -> Vec<Replacement> {
        let missing = self.needed_in_maps(denied.iter());
        let mut replacements = Vec::new();
        for map in self.maps {
            if missing.is_empty() || !map.name.starts_with('_') {
                continue;
            }
            let Some(pattern) = self.edit_pattern(map.table) else { continue };
            let wanted = granted_anywhere(map.table).union(actions_of(&missing));
            let with_all = larger_system_maps(wanted).into_iter().map(Substitute::SystemDefined);
            let permissions = wanted.iter().filter_map(Permission::granting);
            let permissions = permissions.filter(|permission| permission.in_scope_maps()).collect();
            let own = Edit { scope_map: String::new(), pattern, permissions };
            for with in with_all.chain([Substitute::UserDefined(own)]) {
                replacements.push(Replacement { scope_map: map.name.to_owned(), with });
            }
        }
        replacements
    }

    /// The narrowest pattern on which permissions help the scope.
    fn edit_pattern(&self, table: View<'_>) -> Option<String> {
        if let Some(name) = repository(self.scope) {
            return Some(name.as_str().to_owned());
        }
        if self.is_filtered_catalog() {
            // Any one repository will do: the map's first, so that nothing new is named.
            let patterns = patterns(&table.entries());
            return Some(patterns.first().map_or(Pattern::Root, |(first, _)| *first).to_string());
        }
        // Only `*` covers a name with a host, but opening the whole registry for a stray port is no
        // advice to give.
        (!matches!(self.scope.name, ResourceName::Hosted { .. })).then(|| "*".to_owned())
    }
}

/// Everything that a table grants on some repository.
fn granted_anywhere(table: View<'_>) -> ActionSet {
    let entries = table.entries();
    entries
        .iter()
        .fold(table.root(), |granted, entry| granted.union(entry.exact).union(entry.below))
}

/// The system-defined maps that grant all of this, the least first.
fn larger_system_maps(wanted: ActionSet) -> Vec<&'static str> {
    let mut larger = Vec::new();
    for size in 1..=Permission::ALL.len() {
        for (name, permissions) in system_defined() {
            if permissions.len() == size && actions_of(permissions).is_superset(wanted) {
                larger.push(name);
            }
        }
    }
    larger
}

fn actions_of(permissions: &[Permission]) -> ActionSet {
    permissions.iter().map(|permission| permission.action()).collect()
}

impl Reason {
    fn bare(action: &str, granted: bool) -> Self {
        Self { action: action.to_owned(), granted, rules: Vec::new(), misses: Vec::new() }
    }
}

/// The repository that a scope is about, when it is about one.
fn repository<'a>(scope: &Scope<'a>) -> Option<RepositoryName<'a>> {
    match (scope.resource_type, scope.name) {
        (ResourceType::Repository, ResourceName::Repository(name)) => Some(name),
        _ => None,
    }
}

/// The patterns of some entries, with what they grant.
fn patterns<'t>(entries: &[Entry<'t>]) -> Vec<(Pattern<'t>, ActionSet)> {
    let mut patterns = Vec::new();
    for &Entry { name, exact, below } in entries {
        patterns.push((Pattern::Exact(name), exact));
        patterns.push((Pattern::Prefix(name), below));
    }
    patterns.retain(|(_, actions)| !actions.is_empty());
    patterns
}

/// The patterns of a table that cover `name`, with what they grant; the root wildcard is not among
/// them.
fn covering<'t>(table: View<'t>, name: RepositoryName<'_>) -> Vec<(Pattern<'t>, ActionSet)> {
    let mut covering = patterns(&table.entries_on(name));
    covering.retain(|(pattern, _)| pattern.matches(name));
    covering
}

fn rule(scope_map: &str, pattern: Pattern<'_>, permission: Permission) -> RuleRef {
    RuleRef { scope_map: scope_map.to_owned(), pattern: pattern.to_string(), permission }
}

/// The rules that came closest so far, the closest first; of equally close ones, those of the first
/// map, the first by name.
#[derive(Default)]
struct Nearest<'q>(Vec<Near<'q>>);

/// A rule that comes close.
struct Near<'q> {
    scope_map: &'q str,
    /// The index of the map among the principal's.
    map_index: usize,
    pattern: Pattern<'q>,
    permission: Permission,
    distance: Distance,
}

/// How close a rule comes: what is wrong with it, and how many bytes the names begin with alike.
type Distance = (MissKind, Reverse<usize>);

impl<'q> Near<'q> {
    /// The order among equally close ones.
    fn tie_break(&self) -> (usize, bool, &'q str, bool) {
        match self.pattern {
            Pattern::Root => (self.map_index, true, "", false),
            Pattern::Exact(name) => (self.map_index, false, name.as_str(), false),
            Pattern::Prefix(name) => (self.map_index, false, name.as_str(), true),
        }
    }
}

impl<'q> Nearest<'q> {
    fn add(&mut self, near: Near<'q>) {
        let order = |near: &Near<'q>| (near.distance, near.tie_break());
        let index = self.0.partition_point(|other| order(other) <= order(&near));
        self.0.insert(index, near);
        self.0.truncate(MAX_MISSES);
    }

    /// Whether there are closer rules enough. Most rules of a map are told apart by this, before
    /// anything else is done with them.
    fn has_closer(&self, distance: Distance) -> bool {
        self.0.get(MAX_MISSES.saturating_sub(1)).is_some_and(|last| last.distance < distance)
    }

    /// The rules of a map that cover `name` and grant other actions.
    fn add_covering(&mut self, map: &Map<'q>, map_index: usize, name: RepositoryName<'_>) {
        let mut patterns = covering(map.table, name);
        patterns.push((Pattern::Root, map.table.root()));
        for (pattern, actions) in patterns {
            for permission in actions.iter().filter_map(Permission::granting) {
                let (scope_map, distance) = (map.name, (MissKind::OtherAction, Reverse(0)));
                self.add(Near { scope_map, map_index, pattern, permission, distance });
            }
        }
    }

    /// A rule that gives the permission, on what does not cover the repository.
    fn add_granting(
        &mut self,
        map: &Map<'q>,
        map_index: usize,
        key: Key<'q>,
        permission: Permission,
        repository: Option<RepositoryName<'_>>,
    ) {
        let distance = match repository {
            None => (MissKind::NotEverywhere, Reverse(0)),
            Some(name) => how_missed(key, name.as_str().as_bytes()),
        };
        if distance == (MissKind::OtherRepository, Reverse(0)) || self.has_closer(distance) {
            return;
        }
        let (scope_map, pattern) = (map.name, key.pattern());
        self.add(Near { scope_map, map_index, pattern, permission, distance });
    }

    fn misses(mut self) -> Vec<Miss> {
        // Rules that cover the repository say more than rules on others do.
        if self.0.first().is_some_and(|first| first.distance.0 < MissKind::OtherRepository) {
            self.0.retain(|near| near.distance.0 < MissKind::OtherRepository);
        }
        let mut misses = Vec::new();
        for Near { scope_map, pattern, permission, distance: (why, _), .. } in self.0 {
            misses.push(Miss { rule: rule(scope_map, pattern, permission), why });
        }
        misses
    }
}

/// Why a rule does not cover `name`, and how near it comes.
fn how_missed(key: Key<'_>, name: &[u8]) -> Distance {
    let alike = key.name.iter().zip(name).take_while(|(a, b)| a == b).count();
    let why = match name.get(alike) {
        _ if alike < key.name.len() => MissKind::OtherRepository,
        None if key.is_prefix => MissKind::PrefixItself,
        Some(b'/') if !key.is_prefix => MissKind::NameAbove,
        _ => MissKind::OtherRepository,
    };
    (why, Reverse(alike))
}

/// One sentence for each action.
impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reasons.is_empty() {
            let remark = "`, so nothing is granted\n";
            return write_all(f, &["no action requested on `", self.scope.name.as_str(), remark]);
        }
        for reason in &self.reasons {
            Sentence { explanation: self, reason }.fmt(f)?;
            f.write_str("\n")?;
        }
        Ok(())
    }
}

/// What one does with an action on a repository.
const VERBS: [(&str, &str); 5] = [
    ("pull", "pull "),
    ("push", "push to "),
    ("delete", "delete from "),
    ("metadata_read", "read the metadata of "),
    ("metadata_write", "change the metadata of "),
];

struct Sentence<'e> {
    explanation: &'e Explanation<'e>,
    reason: &'e Reason,
}

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reason { granted, rules, .. } = self.reason;
        f.write_str(if *granted { "can " } else { "can't " })?;
        self.write_deed(f)?;
        f.write_str(": ")?;
        if *granted {
            return write_list(f, "granted by ", &rules.iter().collect::<Vec<_>>());
        }
        self.write_denial(f)
    }
}

impl Sentence<'_> {
    fn write_deed(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scope { resource_type, name, .. } = self.explanation.scope;
        let action = self.reason.action.as_str();
        if (resource_type, name.as_str(), action) == (ResourceType::Registry, "catalog", "*") {
            return f.write_str("list the repositories");
        }
        if let Some((_, verb)) = VERBS.iter().find(|(known, _)| *known == action) {
            f.write_str(verb)?;
        } else {
            // An unknown action is whatever a client sent, line feeds included; it must not pass
            // for a sentence of its own.
            f.write_str("use ")?;
            for character in action.chars() {
                fmt::Display::fmt(&character.escape_default(), f)?;
            }
            f.write_str(" on ")?;
        }
        match (resource_type, name) {
            (ResourceType::Repository, ResourceName::Any) => f.write_str("every repository"),
            (ResourceType::Repository, name) => write_all(f, &["`", name.as_str(), "`"]),
            (other, name) => write_all(f, &[other.as_str(), " `", name.as_str(), "`"]),
        }
    }

    fn write_denial(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = &self.explanation.scope;
        let Some(nearest) = self.reason.misses.first() else {
            return f.write_str(self.without_misses());
        };
        let (name, pattern) = (scope.name.as_str(), nearest.rule.pattern.as_str());
        let permission = nearest.rule.permission.as_str();
        match nearest.why {
            MissKind::OtherAction => {
                let covering = self.reason.misses.iter().filter(|miss| miss.why == nearest.why);
                let rules: Vec<&RuleRef> = covering.map(|miss| &miss.rule).collect();
                write_list(f, "covered only for other actions, by ", &rules)
            }
            MissKind::PrefixItself => {
                let covers = " covers repositories below `";
                write_all(f, &["`", pattern, "` ", permission, covers, name])?;
                write_all(f, &["`, not `", name, "` itself"])
            }
            MissKind::NameAbove => {
                let covers = " covers only this name; use `";
                write_all(f, &["`", pattern, "` ", permission, covers, pattern])?;
                f.write_str("/*` for repositories below it")
            }
            MissKind::OtherRepository => {
                write_all(f, &["no rule covers it; closest rule: `", pattern, "`"])
            }
            MissKind::NotEverywhere => {
                let closest = "this needs a rule on `*`; closest rule: `";
                write_all(f, &[closest, pattern, "` ", permission])
            }
        }
    }

    fn without_misses(&self) -> &'static str {
        let scope = &self.explanation.scope;
        match scope.resource_type {
            _ if Action::parse(&self.reason.action).is_none() => "unknown action",
            ResourceType::Repository if repository(scope).is_some() => "no rule covers it",
            ResourceType::Registry if scope.name.as_str() == "catalog" => {
                "this needs metadata/read on `*`, and a registry that allows listing"
            }
            ResourceType::Registry => "scope maps can't grant access to it",
            _ => "this needs a rule on `*`",
        }
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, before: &str, rules: &[&RuleRef]) -> fmt::Result {
    for (index, rule) in rules.iter().enumerate() {
        let separator = if index == 0 { before } else { ", " };
        write_all(f, &[separator, "`", &rule.pattern, "` ", rule.permission.as_str()])?;
        if !rule.scope_map.is_empty() {
            write_all(f, &[" in ", &rule.scope_map])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope_map::{Role, ScopeMap};
    use alloc::{format, vec};

    fn said(maps: &[(&str, &[&str])], scope: &str, settings: &Settings) -> (String, Vec<String>) {
        let tables: Vec<_> = maps
            .iter()
            .map(|(name, rules)| {
                let map = ScopeMap::parse(rules.iter().copied()).unwrap();
                (*name, Table::compile([&map]).unwrap())
            })
            .collect();
        let named: Vec<_> = tables.iter().map(|(name, table)| NamedTable { name, table }).collect();
        let explanation = explain(&named, &Scope::parse(scope).unwrap(), settings);
        let commands = explanation.edits.iter().map(|edit| edit.az_command(Some("r"))).collect();
        (explanation.to_string(), commands)
    }

    #[track_caller]
    fn says(rules: &[&str], scope: &str, sentences: &[&str], edit: Option<&str>) {
        let (text, commands) = said(&[("my-map", rules)], scope, &Settings::default());
        assert_eq!(text.lines().collect::<Vec<_>>(), sentences, "{scope}");
        let edit = edit.map(|edit| {
            ["az acr scope-map update --name my-map --registry r --add-repository ", edit].concat()
        });
        assert_eq!(commands, edit.into_iter().collect::<Vec<_>>(), "{scope}");
    }

    #[test]
    fn granted() {
        says(
            &[
                "repositories/*/content/read",
                "repositories/a/*/content/read",
                "repositories/a/b/content/read",
                "repositories/a/b/content/write",
            ],
            "repository:a/b:pull,push",
            &[
                "can pull `a/b`: granted by `*` content/read in my-map, `a/*` content/read in my-map, `a/b` content/read in my-map",
                "can push to `a/b`: granted by `a/b` content/write in my-map",
            ],
            None,
        );
    }

    #[test]
    fn right_repository_wrong_action() {
        says(
            &["repositories/a/content/read", "repositories/b/content/write"],
            "repository:a:push",
            &["can't push to `a`: covered only for other actions, by `a` content/read in my-map"],
            Some("a content/write"),
        );
    }

    #[test]
    fn right_prefix_wrong_depth() {
        says(
            &["repositories/team/*/content/read"],
            "repository:team:pull",
            &[
                "can't pull `team`: `team/*` content/read covers repositories below `team`, not `team` itself",
            ],
            Some("team content/read"),
        );
        says(
            &["repositories/team/content/read"],
            "repository:team/app:pull",
            &[
                "can't pull `team/app`: `team` content/read covers only this name; use `team/*` for repositories below it",
            ],
            Some("team/app content/read"),
        );
        says(
            &["repositories/*/content/read", "repositories/team/*/content/write"],
            "repository:team:push",
            &[
                "can't push to `team`: `team/*` content/write covers repositories below `team`, not `team` itself",
            ],
            Some("team content/write"),
        );
    }

    #[test]
    fn other_repositories() {
        says(
            &[
                "repositories/samples/hello-world/content/write",
                "repositories/sandbox/content/write",
                "repositories/other/content/write",
            ],
            "repository:samples/nginx:pull,push",
            &[
                "can't pull `samples/nginx`: no rule covers it",
                "can't push to `samples/nginx`: no rule covers it; closest rule: `samples/hello-world`",
            ],
            Some("samples/nginx content/read content/write"),
        );
    }

    #[test]
    fn the_whole_registry() {
        let rules = ["repositories/a/metadata/read", "repositories/a/content/read"];
        says(
            &rules,
            "registry:catalog:*",
            &[
                "can't list the repositories: this needs a rule on `*`; closest rule: `a` metadata/read",
            ],
            Some("'*' metadata/read"),
        );
        says(
            &rules,
            "repository:*:pull",
            &[
                "can't pull every repository: this needs a rule on `*`; closest rule: `a` content/read",
            ],
            Some("'*' content/read"),
        );
        says(
            &rules,
            "artifact-repository:repo:pull",
            &[
                "can't pull artifact-repository `repo`: this needs a rule on `*`; closest rule: `a` content/read",
            ],
            Some("'*' content/read"),
        );
        let filtered = Settings { catalog: Catalog::Filtered };
        let (text, _) = said(&[("my-map", &rules)], "registry:catalog:*", &filtered);
        assert_eq!(text, "can list the repositories: granted by `a` metadata/read in my-map\n");
    }

    #[test]
    fn no_edit_can_help() {
        for (scope, sentence) in [
            ("repository:a:fly", "can't use fly on `a`: unknown action"),
            ("repository:a:deleted_read", "can't use deleted_read on `a`: no rule covers it"),
            (
                "registry:other:*",
                "can't use * on registry `other`: scope maps can't grant access to it",
            ),
            ("repository:r:5000/a:pull", "can't pull `r:5000/a`: this needs a rule on `*`"),
            ("repository:a:", "no action requested on `a`, so nothing is granted"),
        ] {
            says(&[], scope, &[sentence], None);
        }
        let never = Settings { catalog: Catalog::Never };
        let (_, commands) = said(&[("my-map", &[])], "registry:catalog:*", &never);
        assert_eq!(commands, Vec::<String>::new());
    }

    #[test]
    fn an_unknown_action_is_not_a_sentence() {
        says(
            &[],
            "repository:a:x\n`b`\tis\tgranted\tpush",
            &[r"can't use x\n`b`\tis\tgranted\tpush on `a`: unknown action"],
            None,
        );
    }

    #[test]
    fn each_map_that_can_be_edited_has_an_edit() {
        let maps: [(&str, &[&str]); 3] = [("one-map", &[]), ("_system", &[]), ("", &[])];
        let (_, commands) = said(&maps, "repository:a:pull", &Settings::default());
        assert_eq!(
            commands,
            [
                "az acr scope-map update --name one-map --registry r --add-repository a content/read",
                "az acr scope-map update --name $SCOPE_MAP --registry r --add-repository a content/read",
            ]
        );
    }

    #[track_caller]
    fn replaces(rules: &[&str], scope: &str, expected: &[&[&str]]) {
        let table = Table::compile([&ScopeMap::parse(rules.iter().copied()).unwrap()]).unwrap();
        let named = [NamedTable { name: "_system", table: &table }];
        let replacements =
            replacements(&named, &Scope::parse(scope).unwrap(), &Settings::default());
        let commands: Vec<_> = replacements.iter().map(|it| it.az_commands(Some("r"))).collect();
        assert_eq!(commands, expected, "{scope}");
    }

    #[test]
    fn a_map_that_nobody_can_change_is_replaced() {
        let pull = "repositories/*/content/read";
        let update = "az acr token update --name $TOKEN --registry r --scope-map";
        let with_map = |name: &str| [update, " ", name].concat();
        let [read, write, admin] = [
            "_repositories_pull_metadata_read",
            "_repositories_push_metadata_write",
            "_repositories_admin",
        ]
        .map(with_map);
        let own = with_map("$SCOPE_MAP");
        let create = "az acr scope-map create --name $SCOPE_MAP --registry r --repository";
        replaces(
            &[pull],
            "repository:charts/web:metadata_read",
            &[
                &[&read],
                &[&write],
                &[&admin],
                &[&format!("{create} charts/web content/read metadata/read"), &own],
            ],
        );
        replaces(
            &[pull],
            "repository:a:pull,push",
            &[
                &[&with_map("_repositories_push")],
                &[&write],
                &[&admin],
                &[&format!("{create} a content/read content/write"), &own],
            ],
        );
        replaces(
            &[pull],
            "registry:catalog:*",
            &[
                &[&read],
                &[&write],
                &[&admin],
                &[&format!("{create} '*' content/read metadata/read"), &own],
            ],
        );
        // What grants more than is asked takes nothing away.
        replaces(
            &[pull, "repositories/*/content/delete"],
            "repository:a:metadata_read",
            &[&[&admin], &[&format!("{create} a content/read content/delete metadata/read"), &own]],
        );
        for granted_or_hopeless in ["a:pull", "a:fly", "a:deleted_read", "host:5000/a:push"] {
            replaces(&[pull], &format!("repository:{granted_or_hopeless}"), &[]);
        }
    }

    #[test]
    fn a_name_is_never_taken_for_an_option() {
        let maps: [(&str, &[&str]); 1] = [("-my-map", &[])];
        let (_, commands) = said(&maps, "repository:a:pull", &Settings::default());
        assert!(commands[0].starts_with("az acr scope-map update --name=-my-map --registry r "));
    }

    #[test]
    fn roles_explain_soft_delete() {
        let table = Table::compile([&Role::Owner.scope_map()]).unwrap();
        let maps = [NamedTable { name: "Owner", table: &table }];
        let scope = Scope::parse("registry:deleted_catalog:*").unwrap();
        let explanation = explain(&maps, &scope, &Settings::default());
        assert_eq!(
            explanation.reasons[0].rules,
            vec![RuleRef {
                scope_map: "Owner".into(),
                pattern: "*".into(),
                permission: Permission::DeletedRead,
            }]
        );
    }
}

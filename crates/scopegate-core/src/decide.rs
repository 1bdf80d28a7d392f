//! Request × table → granted and denied actions. The hot path: no allocation, no panic, one pass
//! over the name.
//!
//! A principal is a set of scope maps, so a decision is made over any number of tables: what one of
//! them grants is granted.
//!
//! | a scope on | is granted |
//! |---|---|
//! | a repository | what the rules that cover the name grant; `*` asks for the five actions that a scope map can grant |
//! | the name `*`, or a name with a host | what rules on the root wildcard `*` grant |
//! | `registry:catalog` | `*`, as the [`Catalog`] setting says |
//! | `registry:deleted_catalog` | `*`, where the root wildcard grants `deleted_read` |
//! | an artifact repository | what the root wildcard grants: a rule on a repository of the same name must not reach it |
//!
//! Left out: who the principal is, and whether its token is enabled or expired.

use core::str::{self, Utf8Error};

use crate::access::{Access, Requested, ResourceType};
use crate::action::{Action, ActionList, ActionSet};
use crate::error::Error;
use crate::fast_path::FastScope;
use crate::scope::{ResourceName, Scope};
use crate::table::{FewPrefixes, Table, View};

/// What a host may set about decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Who may list the repositories of the registry.
    pub catalog: Catalog,
}

/// Who may list the repositories of the registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Catalog {
    /// Principals that may read the metadata of every repository: `metadata/read` on `*`.
    #[default]
    Root = 0,
    /// No principal.
    Never = 1,
    /// Principals that may read the metadata of some repository. Only for a registry behind a
    /// gateway that leaves the others out of the list.
    Filtered = 2,
}

impl Catalog {
    /// Every setting.
    pub const ALL: [Self; 3] = [Self::Root, Self::Never, Self::Filtered];

    /// The name of this setting.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Never => "never",
            Self::Filtered => "filtered",
        }
    }

    /// The setting with this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|catalog| catalog.as_str() == text)
    }
}

/// The known actions of a scope, split in two. Both lists keep the order of the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// What was asked for and may be had.
    pub granted: ActionList,
    /// What was asked for and may not be had.
    pub denied: ActionList,
}

/// Decides one scope, or all that a request asks of one resource, over the tables of one principal.
///
/// ```
/// use scopegate_core::{Scope, ScopeMap, Settings, Table, decide};
///
/// let map = ScopeMap::parse(["repositories/samples/*/content/read"])?;
/// let table = Table::compile([&map])?;
/// let decision = decide([&table], &Scope::parse("repository:samples/nginx:push,pull")?, &Settings::default());
/// assert_eq!(decision.granted.to_string(), "pull");
/// assert_eq!(decision.denied.to_string(), "push");
/// # Ok::<(), scopegate_core::Error>(())
/// ```
#[must_use]
#[inline]
pub fn decide<'t, B: AsRef<[u8]> + 't, U>(
    tables: impl IntoIterator<Item = &'t Table<B>>,
    scope: &Access<ResourceName<'_>, Requested<U>>,
    settings: &Settings,
) -> Decision {
    let tables = tables.into_iter().map(Table::view);
    Decision::of(scope.wanted(), granted_on(tables, scope.resource_type, scope.name, settings))
}

/// Reads a scope and decides it: [`Scope::parse`] and [`decide`], quicker for the scopes that
/// clients send.
///
/// ```
/// use scopegate_core::{ScopeMap, Settings, Table, decide_text};
///
/// let map = ScopeMap::parse(["repositories/samples/*/content/read"])?;
/// let table = Table::compile([&map])?;
/// let decision = decide_text([&table], "repository:samples/nginx:pull,push", &Settings::default())?;
/// assert_eq!(decision.granted.to_string(), "pull");
/// # Ok::<(), scopegate_core::Error>(())
/// ```
///
/// # Errors
///
/// As [`Scope::parse`].
#[inline]
pub fn decide_text<'t, B: AsRef<[u8]> + 't>(
    tables: impl IntoIterator<Item = &'t Table<B>> + Clone,
    scope: &str,
    settings: &Settings,
) -> Result<Decision, Error> {
    match decide_fast(tables.clone(), scope.as_bytes()) {
        Some(decision) => Ok(decision),
        None => decide_full(tables, scope, settings),
    }
}

/// The same for bytes that may be no text. Scopes that clients usually send are decided without
/// asking whether they are.
///
/// # Errors
///
/// The outer error for bytes that are not UTF-8; the inner one as [`Scope::parse`].
#[inline]
pub fn decide_bytes<'t, B: AsRef<[u8]> + 't>(
    tables: impl IntoIterator<Item = &'t Table<B>> + Clone,
    scope: &[u8],
    settings: &Settings,
) -> Result<Result<Decision, Error>, Utf8Error> {
    match decide_fast(tables.clone(), scope) {
        Some(decision) => Ok(Ok(decision)),
        None => str::from_utf8(scope).map(|scope| decide_full(tables, scope, settings)),
    }
}

/// Decides a scope that the fast path missed.
#[cold]
fn decide_full<'t, B: AsRef<[u8]> + 't>(
    tables: impl IntoIterator<Item = &'t Table<B>>,
    scope: &str,
    settings: &Settings,
) -> Result<Decision, Error> {
    Ok(decide(tables, &Scope::parse_full(scope)?, settings))
}

/// Decides a scope of the fast path, which no setting concerns, in the one pass over its name that
/// the look-up makes. `None` is inconclusive; fall back to the full parser.
#[inline]
fn decide_fast<'t, B: AsRef<[u8]> + 't>(
    tables: impl IntoIterator<Item = &'t Table<B>>,
    scope: &[u8],
) -> Option<Decision> {
    let FastScope { name, actions } = FastScope::read(scope)?;
    let mut allowed = ActionSet::NONE;
    let (mut prefixes, mut seed) = (FewPrefixes::NONE, 0);
    for table in tables.into_iter().map(Table::view) {
        // Nearly all tables have the same seed.
        if prefixes.is_empty() || seed != table.seed() {
            seed = table.seed();
            if !prefixes.read(name, seed) {
                return None;
            }
        }
        allowed = allowed.union(table.granted_by(name, &prefixes));
    }
    // Without any table the name was not scanned.
    (!prefixes.is_empty()).then(|| Decision::of(actions, allowed))
}

impl Decision {
    #[inline]
    pub(crate) fn of(wanted: ActionList, allowed: ActionSet) -> Self {
        let (granted, denied) = wanted.split(allowed);
        Self { granted, denied }
    }
}

/// Everything that may be had on a resource, asked for or not.
#[inline]
pub(crate) fn granted_on<'t>(
    tables: impl Iterator<Item = View<'t>>,
    resource_type: ResourceType,
    name: ResourceName<'_>,
    settings: &Settings,
) -> ActionSet {
    tables.fold(ActionSet::NONE, |allowed, table| {
        allowed.union(match resource_type {
            ResourceType::Repository => table.granted(name),
            ResourceType::ArtifactRepository => table.root(),
            ResourceType::Registry => on_registry(table, name, settings),
        })
    })
}

/// `*` or nothing: the registry itself knows no other action.
fn on_registry(table: View<'_>, name: ResourceName<'_>, settings: &Settings) -> ActionSet {
    let listed = match (name.as_str(), settings.catalog) {
        ("catalog", Catalog::Root) => table.root().contains(Action::MetadataRead),
        ("catalog", Catalog::Filtered) => table.anywhere().contains(Action::MetadataRead),
        ("deleted_catalog", _) => table.root().contains(Action::DeletedRead),
        _ => false,
    };
    if listed { ActionSet::of(Action::Any) } else { ActionSet::NONE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope_map::{Role, ScopeMap};
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    fn decided(map: &ScopeMap, scope: &str, catalog: Catalog) -> String {
        let table = Table::compile([map]).unwrap();
        let decision = decide([&table], &Scope::parse(scope).unwrap(), &Settings { catalog });
        format!("{} | {}", decision.granted, decision.denied)
    }

    #[track_caller]
    fn decides(rules: &[&str], scope: &str, expected: &str) {
        let map = ScopeMap::parse(rules.iter().copied()).unwrap();
        assert_eq!(decided(&map, scope, Catalog::Root), expected, "{scope}");
    }

    #[test]
    fn repositories() {
        let rules = ["repositories/a/*/content/read", "repositories/a/b/content/delete"];
        for (scope, expected) in [
            ("repository:a/b:push,delete,pull", "delete,pull | push"),
            ("repository:a/b:*", "pull,delete | push,metadata_read,metadata_write"),
            ("repository:a/b:", " | "),
            ("repository:a:pull", " | pull"),
            ("repository:*:pull", " | pull"),
            ("repository:reg:5000/a/b:pull", " | pull"),
            ("artifact-repository:a/b:pull", " | pull"),
        ] {
            decides(&rules, scope, expected);
        }
    }

    #[test]
    fn the_root_wildcard() {
        let rules = ["repositories/*/content/read"];
        for (scope, expected) in [
            ("repository:*:pull,push", "pull | push"),
            ("repository:reg:5000/a/b:pull", "pull | "),
            ("artifact-repository:repo:pull,push", "pull | push"),
            ("registry:catalog:*", " | *"),
        ] {
            decides(&rules, scope, expected);
        }
    }

    #[test]
    fn the_catalog() {
        let root = ["repositories/*/metadata/read"];
        let some = ["repositories/a/metadata/read"];
        for (rules, catalog, expected) in [
            (root, Catalog::Root, "* | "),
            (root, Catalog::Never, " | *"),
            (root, Catalog::Filtered, "* | "),
            (some, Catalog::Root, " | *"),
            (some, Catalog::Never, " | *"),
            (some, Catalog::Filtered, "* | "),
        ] {
            let map = ScopeMap::parse(rules).unwrap();
            assert_eq!(decided(&map, "registry:catalog:*", catalog), expected);
        }
        decides(&root, "registry:catalog:pull", " | pull");
        decides(&root, "registry:other:*", " | *");
        decides(&root, "registry:*:*", " | *");
        decides(&root, "registry:deleted_catalog:*", " | *");
    }

    #[test]
    fn soft_deleted_things_belong_to_roles() {
        let scope = "repository:a:deleted_read,deleted_restore";
        assert_eq!(
            decided(&Role::Owner.scope_map(), scope, Catalog::Root),
            "deleted_read,deleted_restore | "
        );
        let catalog =
            decided(&Role::Contributor.scope_map(), "registry:deleted_catalog:*", Catalog::Never);
        assert_eq!(catalog, "* | ");
        decides(&["repositories/*/content/read"], scope, " | deleted_read,deleted_restore");
    }

    /// The fast path decides as the full parser does, and leaves to it what it does not know.
    #[test]
    fn scopes_of_the_fast_path() {
        let map =
            ScopeMap::parse(["repositories/a/*/content/read", "repositories/a__b/*/content/read"]);
        let table = Table::compile([&map.unwrap()]).unwrap();
        for (scope, is_fast) in [
            ("repository:a/b:pull", true),
            ("repository:a/b:pull,push", true),
            ("repository:a/b:push,pull", true),
            ("repository:b-c.d_e/f:pull", true),
            ("repository:a__b/c:pull", false),
            ("repository:a/b:pull,pull", false),
            ("repository:a/b:delete", false),
            ("repository:a//b:pull", false),
            ("repository:/a:pull", false),
            ("repository:a/:pull", false),
            ("repository::pull", false),
            ("repository:pull", false),
            ("repository:*:pull", false),
            ("repository:r:5000/a:pull", false),
            ("repository:caf\u{e9}:pull", false),
            ("repository(plugin):a/b:pull", false),
            ("registry:catalog:*", false),
            ("", false),
        ] {
            let decided = decide_fast([&table], scope.as_bytes());
            assert_eq!(decided.is_some(), is_fast, "{scope}");
            let parsed =
                Scope::parse(scope).map(|scope| decide([&table], &scope, &Settings::default()));
            if is_fast {
                assert_eq!(decided, parsed.ok(), "{scope}");
            }
            let settings = Settings::default();
            assert_eq!(decide_text([&table], scope, &settings), parsed, "{scope}");
            assert_eq!(decide_bytes([&table], scope.as_bytes(), &settings), Ok(parsed), "{scope}");
            assert_eq!(decide_fast([&table; 0], scope.as_bytes()), None, "{scope}");
        }
    }

    /// The eight deepest prefixes are looked up first, and all of them where none of those has a
    /// rule.
    #[test]
    fn names_of_many_components() {
        for depth in 1..=40 {
            let name = alloc::vec!["ab"; depth].join("/");
            for above in 1..=depth {
                let prefix = alloc::vec!["ab"; above].join("/");
                let scope = format!("repository:{name}:pull");
                let below = if above < depth { "pull | " } else { " | pull" };
                decides(&[&format!("repositories/{prefix}/*/content/read")], &scope, below);
                let exactly = if above == depth { "pull | " } else { " | pull" };
                decides(&[&format!("repositories/{prefix}/content/read")], &scope, exactly);
            }
        }
    }

    #[test]
    fn several_tables_add_up() {
        let tables: Vec<_> = ["repositories/a/content/read", "repositories/a/content/write"]
            .map(|rule| Table::compile([&ScopeMap::parse([rule]).unwrap()]).unwrap())
            .into();
        let scope = Scope::parse("repository:a:pull,push,delete").unwrap();
        let decision = decide(&tables, &scope, &Settings::default());
        assert_eq!(format!("{} | {}", decision.granted, decision.denied), "pull,push | delete");
    }
}

//! Request × table → granted and denied actions. The hot path: no allocation, no panic, one pass over the name.
//!
//! A principal is a set of scope maps, so a decision is made over any number of tables: what one of them grants is granted.
//!
//! | a scope on | is granted |
//! |---|---|
//! | a repository | what the rules that cover the name grant; `*` asks for the five actions that a scope map can grant |
//! | the name `*`, or a name with a host | what rules on the root wildcard `*` grant |
//! | `registry:catalog` | `*`, as the [`Catalog`] setting says |
//! | `registry:deleted_catalog` | `*`, to whom the root wildcard grants `deleted_read` |
//! | an artifact repository | what the root wildcard grants: a rule on a repository of the same name must not reach it |
//!
//! Left out: who the principal is, and whether its token is enabled or expired.

use crate::action::{Action, ActionList, ActionSet};
use crate::scope::{MergedScope, ResourceName, ResourceType, Scope};
use crate::table::{Table, View};

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
    /// Whoever may read the metadata of every repository: `metadata/read` on `*`.
    #[default]
    Root = 0,
    /// Nobody.
    Never = 1,
    /// Whoever may read the metadata of some repository. Only for a registry behind a gateway that leaves the others out of the list.
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

/// Decides one scope over the tables of one principal.
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
pub fn decide<'t, B: AsRef<[u8]> + 't>(
    tables: impl IntoIterator<Item = &'t Table<B>>,
    scope: &Scope<'_>,
    settings: &Settings,
) -> Decision {
    decide_views(tables.into_iter().map(Table::view), scope, settings)
}

/// The same, wherever the tables are stored.
#[inline]
pub(crate) fn decide_views<'t>(
    tables: impl Iterator<Item = View<'t>>,
    scope: &Scope<'_>,
    settings: &Settings,
) -> Decision {
    Decision::of(scope.wanted(), allowed(tables, scope.resource_type, scope.name, settings))
}

/// The same for a merged scope.
#[must_use]
pub(crate) fn decide_merged<'t>(
    tables: impl Iterator<Item = View<'t>>,
    scope: &MergedScope<'_>,
    settings: &Settings,
) -> Decision {
    Decision::of(scope.wanted(), allowed(tables, scope.resource_type, scope.name, settings))
}

impl Decision {
    #[inline]
    fn of(wanted: ActionList, allowed: ActionSet) -> Self {
        Self { granted: wanted.within(allowed), denied: wanted.without(allowed) }
    }
}

/// Everything that may be had on a resource, asked for or not.
#[inline]
pub(crate) fn allowed<'t>(
    tables: impl Iterator<Item = View<'t>>,
    resource_type: ResourceType,
    name: ResourceName<'_>,
    settings: &Settings,
) -> ActionSet {
    tables.fold(ActionSet::NONE, |allowed, table| {
        allowed.union(match resource_type {
            ResourceType::Repository => table.granted_on(name),
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

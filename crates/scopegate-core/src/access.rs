//! Access: some actions on one resource, the form that all sides of a decision share.
//!
//! | type | name | actions | what it is |
//! |---|---|---|---|
//! | [`Scope`](crate::Scope) | [`ResourceName`](crate::ResourceName) | [`Requested`], unknown ones unread | one requested scope |
//! | [`MergedScope`](crate::scope::MergedScope) | [`ResourceName`](crate::ResourceName) | [`Requested`], unknown ones by name | all that a request asks of one resource |
//! | [`AccessEntry`](crate::claims::AccessEntry) | [`ResourceName`](crate::ResourceName) | [`ActionList`] | what a token is given |
//! | [`DeniedEntry`](crate::claims::DeniedEntry) | [`ResourceName`](crate::ResourceName) | [`Requested`], unknown ones by name | what a token is not given |
//! | [`RequiredScope`] | text | [`ActionList`] | what an HTTP request needs |
//! | [`Grant`](crate::verify::Grant) | text | [`ActionSet`] | what a verified token holds |
//!
//! Names of scopes are parsed, because rules cover them. Names in tokens and in requests are text,
//! because they are compared and nothing else.
//!
//! Left out: reading and comparing, which the modules of these types do.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt::{self, Display as _};

use crate::action::{Action, ActionList, ActionSet};
use crate::lean::text::write_all;

/// What kind of thing a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ResourceType {
    /// A repository of images and other artifacts.
    Repository = 0,
    /// The registry itself; `registry:catalog:*` is the right to list repositories.
    Registry = 1,
    /// The chart repository of Helm 2, as `/helm/v1` serves it.
    ArtifactRepository = 2,
}

impl ResourceType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::Repository, Self::Registry, Self::ArtifactRepository];

    /// The name of this type in scopes and claims.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Repository => "repository",
            Self::Registry => "registry",
            Self::ArtifactRepository => "artifact-repository",
        }
    }

    /// The type with this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|resource_type| resource_type.as_str() == text)
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Some actions on one resource. It prints as a scope: `repository:app:pull,push`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access<N, A = ActionList> {
    /// What kind of thing the resource is.
    pub resource_type: ResourceType,
    /// Its name.
    pub name: N,
    /// The actions.
    pub actions: A,
}

/// A scope that an HTTP request needs: a token must hold all of its actions, which are in the order
/// of the challenge.
pub type RequiredScope<'a> = Access<Cow<'a, str>>;

/// The actions of a request: those that a decision can grant, and others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requested<U> {
    /// The known actions, in the order of their first appearance.
    pub known: ActionList,
    /// The unknown actions. They are never granted.
    pub unknown: U,
}

impl<N, U> Access<N, Requested<U>> {
    /// The known actions with `*` spelled out: on a repository the five that a scope map can grant,
    /// on the registry `*` itself.
    #[must_use]
    #[inline]
    pub fn wanted(&self) -> ActionList {
        spelled_out(self.resource_type, self.actions.known)
    }
}

/// Actions on a resource of this type with `*` spelled out, as [`Access::wanted`].
#[inline]
pub(crate) fn spelled_out(resource_type: ResourceType, actions: ActionList) -> ActionList {
    if !actions.contains(Action::Any) {
        return actions;
    }
    match resource_type {
        ResourceType::Registry => ActionList::of(&[Action::Any]),
        ResourceType::Repository | ResourceType::ArtifactRepository => {
            let beside = actions.set().difference(ActionSet::of(Action::Any));
            ActionSet::REPOSITORY.union(beside).into()
        }
    }
}

impl<N: AsRef<str>> fmt::Display for Access<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_access(f, self.resource_type, self.name.as_ref(), self.actions, &[])
    }
}

impl<N: AsRef<str>> fmt::Display for Access<N, Requested<Vec<&str>>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Requested { known, unknown } = &self.actions;
        write_access(f, self.resource_type, self.name.as_ref(), *known, unknown)
    }
}

/// Once in a module, and not for each kind of names and actions.
fn write_access(
    f: &mut fmt::Formatter<'_>,
    resource_type: ResourceType,
    name: &str,
    known: ActionList,
    unknown: &[&str],
) -> fmt::Result {
    write_all(f, &[resource_type.as_str(), ":", name, ":"])?;
    known.fmt(f)?;
    let mut separator = if known.is_empty() { "" } else { "," };
    for action in unknown {
        write_all(f, &[separator, action])?;
        separator = ",";
    }
    Ok(())
}

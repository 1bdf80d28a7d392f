//! Scopes of the form that clients usually send: on a repository, for pulling or pushing.
//!
//! Nearly every scope is one of these. Comparing its beginning and its end with what stands there
//! usually is quicker than looking for colons and commas: a decision takes a third less time. What
//! is not seen at once is left to the grammar of [`scope`](mod@crate::scope).
//!
//! Left out: whether what stands between is a name.

use crate::action::{Action, ActionList};

/// A scope on a repository.
pub(crate) struct Plain<'a> {
    /// What stands where the name should.
    pub(crate) name: &'a [u8],
    pub(crate) actions: ActionList,
}

/// What docker, podman, skopeo and containerd ask for when they pull and push.
const ENDINGS: [(&[u8], ActionList); 3] = [
    (b":pull", ActionList::of(&[Action::Pull])),
    (b":pull,push", ActionList::of(&[Action::Pull, Action::Push])),
    (b":push,pull", ActionList::of(&[Action::Push, Action::Pull])),
];

impl<'a> Plain<'a> {
    /// What such a scope begins with.
    pub(crate) const PREFIX: &'static str = "repository:";

    /// The scope, where that is seen at once; its name is still to be checked. Nothing says
    /// nothing.
    #[inline]
    pub(crate) fn read(scope: &'a [u8]) -> Option<Self> {
        let rest = scope.strip_prefix(Self::PREFIX.as_bytes())?;
        ENDINGS.iter().find_map(|(ending, actions)| {
            Some(Self { name: rest.strip_suffix(*ending)?, actions: *actions })
        })
    }
}

//! The actions of a token, the permissions of a scope map, and the mapping between the two.
//!
//! A token says `pull`; a scope map says `content/read`. They name the same right one to one, in
//! two vocabularies that both come from Azure Container Registry:
//! <https://learn.microsoft.com/azure/container-registry/container-registry-token-based-repository-permissions>.
//!
//! Left out: `read`, `write` and other names in role summaries, and the actions of content trust
//! and quarantine, which no scope asks for.

use core::fmt;

/// One action of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Action {
    /// Read manifests and blobs.
    Pull = 0,
    /// Upload blobs and manifests.
    Push = 1,
    /// Delete manifests, tags, blobs or the whole repository.
    Delete = 2,
    /// List tags and manifests, read attributes.
    MetadataRead = 3,
    /// Change attributes, which is how things are locked.
    MetadataWrite = 4,
    /// List what was soft-deleted.
    DeletedRead = 5,
    /// Restore what was soft-deleted.
    DeletedRestore = 6,
    /// `*`: in a request, whatever may be had; in a token for `registry:catalog`, the right to
    /// list.
    Any = 7,
}

impl Action {
    /// Every action, in canonical order.
    pub const ALL: [Self; 8] = [
        Self::Pull,
        Self::Push,
        Self::Delete,
        Self::MetadataRead,
        Self::MetadataWrite,
        Self::DeletedRead,
        Self::DeletedRestore,
        Self::Any,
    ];

    /// The action with this name, in exactly this spelling.
    ///
    /// ```
    /// use scopegate_core::Action;
    ///
    /// assert_eq!(Action::parse("metadata_read"), Some(Action::MetadataRead));
    /// assert_eq!(Action::parse("PULL"), None);
    /// ```
    #[must_use]
    #[inline]
    pub fn parse(name: &str) -> Option<Self> {
        Self::from_bytes(name.as_bytes())
    }

    #[inline]
    pub(crate) fn from_bytes(name: &[u8]) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str().as_bytes() == name)
    }

    /// The name of this action in scopes and claims.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
            Self::MetadataRead => "metadata_read",
            Self::MetadataWrite => "metadata_write",
            Self::DeletedRead => "deleted_read",
            Self::DeletedRestore => "deleted_restore",
            Self::Any => "*",
        }
    }

    const fn bit(self) -> u16 {
        1 << (self as u8)
    }

    fn from_index(index: u32) -> Option<Self> {
        Self::ALL.get(index as usize).copied()
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of actions: one bit each, so that the union over a thousand rules is an `or`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ActionSet(u16);

impl ActionSet {
    /// No action.
    pub const NONE: Self = Self(0);

    /// What `*` asks for on a repository: the five actions that a scope map can grant.
    pub const REPOSITORY: Self = Self(
        Action::Pull.bit()
            | Action::Push.bit()
            | Action::Delete.bit()
            | Action::MetadataRead.bit()
            | Action::MetadataWrite.bit(),
    );

    /// What a rule can grant: the five, and the two of soft delete that only roles hold.
    pub const GRANTABLE: Self =
        Self(Self::REPOSITORY.0 | Action::DeletedRead.bit() | Action::DeletedRestore.bit());

    /// The set of one action.
    #[must_use]
    #[inline]
    pub const fn of(action: Action) -> Self {
        Self(action.bit())
    }

    /// The set with these bits; `None` when a bit means nothing.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Option<Self> {
        if bits & !(Self::GRANTABLE.0 | Action::Any.bit()) == 0 { Some(Self(bits)) } else { None }
    }

    /// The set with those of these bits that a rule can grant.
    #[inline]
    pub(crate) const fn grantable(bits: u16) -> Self {
        Self(bits & Self::GRANTABLE.0)
    }

    /// One bit per action, in canonical order from bit 0.
    #[must_use]
    #[inline]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Actions of either set.
    #[must_use]
    #[inline]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Actions of both sets.
    #[must_use]
    #[inline]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Actions of this set that `other` lacks.
    #[must_use]
    #[inline]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether `action` is in the set.
    #[must_use]
    #[inline]
    pub const fn contains(self, action: Action) -> bool {
        self.0 & action.bit() != 0
    }

    /// Whether every action of `other` is in the set.
    #[must_use]
    #[inline]
    pub const fn is_superset(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether no action is in the set.
    #[must_use]
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The actions, in canonical order.
    pub fn iter(self) -> impl Iterator<Item = Action> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let action = Action::from_index(rest.trailing_zeros())?;
            rest &= rest.wrapping_sub(1);
            Some(action)
        })
    }
}

impl FromIterator<Action> for ActionSet {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        actions.into_iter().fold(Self::NONE, |set, action| set.union(Self::of(action)))
    }
}

impl fmt::Display for ActionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_joined(f, self.iter())
    }
}

impl fmt::Debug for ActionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

/// Actions in the order in which they were asked for, each once.
///
/// There are eight actions, so a list fits in the eight nibbles of a `u32`: the first action in the
/// lowest nibble, each as its number plus one, zero after the last. That integer is also how a list
/// crosses the WebAssembly boundary.
///
/// ```
/// use scopegate_core::{Action, ActionList};
///
/// let list: ActionList = [Action::Push, Action::Pull, Action::Push].into_iter().collect();
/// assert_eq!(list.to_string(), "push,pull");
/// assert_eq!(list.packed(), 0x12);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ActionList {
    packed: u32,
    /// INVARIANT: holds exactly the actions of `packed`.
    set: ActionSet,
}

impl ActionList {
    /// No action.
    pub const NONE: Self = Self { packed: 0, set: ActionSet::NONE };

    /// The list of these actions.
    pub(crate) const fn of(mut actions: &[Action]) -> Self {
        let mut list = Self::NONE;
        while let [first, rest @ ..] = actions {
            list.push(*first);
            actions = rest;
        }
        list
    }

    /// Appends `action` unless the list has it.
    #[inline]
    pub const fn push(&mut self, action: Action) {
        if self.contains(action) {
            return;
        }
        let shift = self.len().wrapping_mul(4);
        self.packed |= (action as u32).wrapping_add(1).wrapping_shl(shift);
        self.set = self.set.union(ActionSet::of(action));
    }

    /// The actions of this list that are in `set`, and those that are not, both in the order of
    /// this list.
    #[must_use]
    #[inline]
    pub const fn split(self, set: ActionSet) -> (Self, Self) {
        let mut within = 0;
        let mut without = 0;
        // The last action first, which is in the highest nibble that is not zero.
        let mut rest = self.packed.wrapping_shl(self.packed.leading_zeros() & !3);
        while rest != 0 {
            let nibble = rest >> 28;
            // A nibble is the number of an action plus one, and so one more than its bit in a set.
            if (set.0 as u32) << 1 >> nibble & 1 != 0 {
                within = within << 4 | nibble;
            } else {
                without = without << 4 | nibble;
            }
            rest <<= 4;
        }
        let (within_set, without_set) = (self.set.intersection(set), self.set.difference(set));
        (Self { packed: within, set: within_set }, Self { packed: without, set: without_set })
    }

    /// The actions of this list that are not in `set`, in the order of this list.
    #[must_use]
    #[inline]
    pub const fn without(self, set: ActionSet) -> Self {
        self.split(set).1
    }

    /// Whether `action` is in the list.
    #[must_use]
    #[inline]
    pub const fn contains(self, action: Action) -> bool {
        self.set.contains(action)
    }

    /// The same actions without their order.
    #[must_use]
    #[inline]
    pub const fn set(self) -> ActionSet {
        self.set
    }

    /// Whether the list is empty.
    #[must_use]
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.packed == 0
    }

    /// How many actions the list has, at most 8.
    #[must_use]
    #[inline]
    pub const fn len(self) -> u32 {
        (u32::BITS.wrapping_sub(self.packed.leading_zeros())).div_ceil(4)
    }

    /// The actions, in order.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = Action> {
        let mut rest = self.packed;
        core::iter::from_fn(move || {
            let action = Action::from_index((rest & 0xf).checked_sub(1)?)?;
            rest >>= 4;
            Some(action)
        })
    }

    /// The list as one integer.
    #[must_use]
    #[inline]
    pub const fn packed(self) -> u32 {
        self.packed
    }

    /// The list that [`ActionList::packed`] gave; `None` for any other integer.
    #[must_use]
    #[inline]
    pub fn from_packed(packed: u32) -> Option<Self> {
        let mut set = ActionSet::NONE;
        let mut rest = packed;
        while rest != 0 {
            let index = (rest & 0xf).checked_sub(1)?;
            let action = Action::from_index(index)?;
            if set.contains(action) {
                return None;
            }
            set = set.union(ActionSet::of(action));
            rest >>= 4;
        }
        Some(Self { packed, set })
    }
}

impl FromIterator<Action> for ActionList {
    #[inline]
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        let mut list = Self::NONE;
        for action in actions {
            list.push(action);
        }
        list
    }
}

impl From<ActionSet> for ActionList {
    fn from(set: ActionSet) -> Self {
        set.iter().collect()
    }
}

impl fmt::Display for ActionList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_joined(f, self.iter())
    }
}

impl fmt::Debug for ActionList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

fn write_joined(f: &mut fmt::Formatter<'_>, actions: impl Iterator<Item = Action>) -> fmt::Result {
    for (index, action) in actions.enumerate() {
        if index > 0 {
            f.write_str(",")?;
        }
        f.write_str(action.as_str())?;
    }
    Ok(())
}

/// One permission of a scope map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// `content/read`
    ContentRead,
    /// `content/write`
    ContentWrite,
    /// `content/delete`
    ContentDelete,
    /// `metadata/read`
    MetadataRead,
    /// `metadata/write`
    MetadataWrite,
    /// `deleted/read`, which roles hold and no scope map may.
    DeletedRead,
    /// `deleted/restore`, which roles hold and no scope map may.
    DeletedRestore,
}

impl Permission {
    /// Every permission, in canonical order.
    pub const ALL: [Self; 7] = [
        Self::ContentRead,
        Self::ContentWrite,
        Self::ContentDelete,
        Self::MetadataRead,
        Self::MetadataWrite,
        Self::DeletedRead,
        Self::DeletedRestore,
    ];

    /// The permission that a scope map may name so.
    ///
    /// ```
    /// use scopegate_core::Permission;
    ///
    /// assert_eq!(Permission::parse("content/read"), Some(Permission::ContentRead));
    /// assert_eq!(Permission::parse("deleted/read"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .filter(|permission| permission.in_scope_maps())
            .find(|permission| permission.as_str() == text)
    }

    /// Whether a scope map may name this permission; the others belong to roles.
    #[must_use]
    pub const fn in_scope_maps(self) -> bool {
        !matches!(self, Self::DeletedRead | Self::DeletedRestore)
    }

    /// The name of this permission in a scope map.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContentRead => "content/read",
            Self::ContentWrite => "content/write",
            Self::ContentDelete => "content/delete",
            Self::MetadataRead => "metadata/read",
            Self::MetadataWrite => "metadata/write",
            Self::DeletedRead => "deleted/read",
            Self::DeletedRestore => "deleted/restore",
        }
    }

    /// The action that this permission grants.
    #[must_use]
    pub const fn action(self) -> Action {
        match self {
            Self::ContentRead => Action::Pull,
            Self::ContentWrite => Action::Push,
            Self::ContentDelete => Action::Delete,
            Self::MetadataRead => Action::MetadataRead,
            Self::MetadataWrite => Action::MetadataWrite,
            Self::DeletedRead => Action::DeletedRead,
            Self::DeletedRestore => Action::DeletedRestore,
        }
    }

    /// The permission that grants `action`; `None` for `*`, which no single permission grants.
    #[must_use]
    pub fn granting(action: Action) -> Option<Self> {
        Self::ALL.iter().copied().find(|permission| permission.action() == action)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn actions_print_what_they_parse() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.as_str()), Some(action));
        }
        for name in ["", "PULL", "pull ", "content/read", "deleted/read", "**"] {
            assert_eq!(Action::parse(name), None, "{name}");
        }
    }

    #[test]
    fn permissions_and_actions_map_one_to_one() {
        for permission in Permission::ALL {
            assert_eq!(Permission::granting(permission.action()), Some(permission));
            let parsed = permission.in_scope_maps().then_some(permission);
            assert_eq!(Permission::parse(permission.as_str()), parsed);
        }
        assert_eq!(Permission::granting(Action::Any), None);
    }

    #[test]
    fn a_list_keeps_order_and_drops_repetition() {
        let all: ActionList = Action::ALL.into_iter().rev().chain(Action::ALL).collect();
        assert_eq!(all.len(), 8);
        assert_eq!(
            all.to_string(),
            "*,deleted_restore,deleted_read,metadata_write,metadata_read,delete,push,pull"
        );
        assert_eq!(all.split(ActionSet::of(Action::Push)).0.to_string(), "push");
        assert_eq!(all.without(ActionSet::GRANTABLE).to_string(), "*");
    }

    #[test]
    fn only_real_lists_unpack() {
        let list: ActionList = [Action::Push, Action::Any].into_iter().collect();
        assert_eq!(ActionList::from_packed(list.packed()), Some(list));
        for packed in [0x11, 0x9, 0xf, 0x101, 0xffff_ffff] {
            assert_eq!(ActionList::from_packed(packed), None, "{packed:#x}");
        }
    }

    #[test]
    fn bits_without_meaning_are_refused() {
        assert_eq!(ActionSet::from_bits(0x1f), Some(ActionSet::REPOSITORY));
        assert_eq!(ActionSet::from_bits(0x100), None);
    }
}

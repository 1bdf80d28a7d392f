//! Who sends a request to management, and what its roles permit there.
//!
//! A manager is a principal with roles, or the holder of a client certificate. The latter is no
//! [`Principal`], so no token of the registry can be issued to it.

use scopegate_core::scope_map::Role;

use super::Principal;
use super::certificate::Holder;

/// Who sends a request to management.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manager {
    /// Its kind, as in logs: that of a principal, or `certificate`.
    pub kind: &'static str,
    /// Its name among its kind.
    pub name: String,
    roles: Vec<Role>,
}

impl From<Principal> for Manager {
    fn from(principal: Principal) -> Self {
        let kind = principal.kind_name();
        Self { kind, name: principal.subject, roles: principal.roles }
    }
}

impl From<&Holder> for Manager {
    fn from(holder: &Holder) -> Self {
        Self { kind: "certificate", name: holder.name.clone(), roles: holder.roles.clone() }
    }
}

impl Manager {
    /// Whether it may read management.
    #[must_use]
    pub(crate) fn may_read_management(&self) -> bool {
        self.roles.contains(&Role::Reader) || self.may_manage()
    }

    /// Whether it may read generations and the bundle. A role that reads management may.
    #[must_use]
    pub(crate) fn may_read_edge_feeds(&self) -> bool {
        self.roles.contains(&Role::EdgeReader) || self.may_read_management()
    }

    /// Whether it may only read generations and the bundle.
    #[must_use]
    pub(crate) fn is_edge_reader_only(&self) -> bool {
        self.roles == [Role::EdgeReader]
    }

    /// Whether it may change scope maps and tokens.
    #[must_use]
    pub(crate) fn may_manage(&self) -> bool {
        self.roles.contains(&Role::Contributor) || self.may_give_roles()
    }

    /// Whether it may give roles to others.
    #[must_use]
    pub(crate) fn may_give_roles(&self) -> bool {
        self.roles.contains(&Role::Owner)
    }
}

//! Who sends a request to management, and what its roles permit there.
//!
//! A manager is a principal with roles, or the holder of a client certificate. The latter is no
//! [`Principal`], so no token of the registry can be issued to it.

use scopegate_core::scope_map::Role;

use super::Principal;
use super::certificate::Holder;
use crate::model::audit::Actor;

/// Who sends a request to management.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manager {
    /// Its kind, as in logs: that of a principal, or `certificate`.
    pub kind: &'static str,
    /// Its name among its kind.
    pub name: String,
    /// The provider of an identity.
    pub provider: Option<String>,
    roles: Vec<Role>,
    /// Whether its scope maps, roles among them, give it anything in the registry: exchange is for
    /// such principals only.
    is_in_registry: bool,
}

impl From<Principal> for Manager {
    fn from(principal: Principal) -> Self {
        let kind = principal.kind_name();
        let is_in_registry = !principal.tables.is_empty();
        let Principal { subject: name, provider, roles, .. } = principal;
        Self { kind, name, provider, roles, is_in_registry }
    }
}

impl From<&Holder> for Manager {
    fn from(holder: &Holder) -> Self {
        let (name, roles) = (holder.name.clone(), holder.roles.clone());
        Self { kind: "certificate", name, provider: None, roles, is_in_registry: false }
    }
}

impl Manager {
    /// Who it is in the audit trail.
    #[must_use]
    pub(crate) fn to_actor(&self) -> Actor {
        Actor {
            kind: self.kind.to_owned(),
            name: self.name.clone(),
            provider: self.provider.clone(),
            ..Actor::default()
        }
    }

    /// Whether it may read management.
    #[must_use]
    pub(crate) fn may_read_management(&self) -> bool {
        self.roles.contains(&Role::Reader) || self.may_manage()
    }

    /// Whether it may read where the registry is, and nothing else of it: its name and its login
    /// server, which `az acr login` looks up for all who pull.
    #[must_use]
    pub(crate) fn may_find_registry(&self) -> bool {
        self.may_read_management() || (self.is_in_registry && !self.has_only_narrow_roles())
    }

    /// Whether it may read generations and the bundle. A role that reads management may.
    #[must_use]
    pub(crate) fn may_read_edge_feeds(&self) -> bool {
        self.roles.contains(&Role::EdgeReader) || self.may_read_management()
    }

    /// Whether it may read the audit trail.
    #[must_use]
    pub(crate) fn may_read_audit(&self) -> bool {
        self.roles.contains(&Role::AuditReader) || self.may_give_roles()
    }

    /// Whether each of its roles is for one thing that is not the registry itself: what edges read,
    /// or the audit trail.
    #[must_use]
    pub(crate) fn has_only_narrow_roles(&self) -> bool {
        let is_narrow = |role: &Role| matches!(role, Role::EdgeReader | Role::AuditReader);
        !self.roles.is_empty() && self.roles.iter().all(is_narrow)
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

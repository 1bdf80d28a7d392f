//! What the audit trail shows of a record: everything that a person may have changed, and no
//! secret.
//!
//! The generation tells whether the change ended tokens, a replaced password among others. Of a
//! salted hash there is a fingerprint, which tells it from another one; of a password's digest
//! there is none, because a guess could be checked by it.

use serde_json::{Value, json};

use super::keys::{AuthorityRecord, KeyRecord};
use super::records::{
    PasswordRecord, ProviderRecord, RegistryRecord, ScopeMapRecord, ServicePrincipalRecord,
    TokenRecord,
};
use super::secret::SecretRecord;
use crate::model::audit::{Shown, fingerprint};

impl Shown for ScopeMapRecord {
    fn shown(&self) -> Value {
        json!({
            "description": self.description,
            "actions": self.actions,
            "generation": self.generation,
        })
    }
}

impl Shown for TokenRecord {
    fn shown(&self) -> Value {
        json!({
            "scopeMap": self.scope_map,
            "enabled": self.enabled,
            "passwords": passwords(&self.passwords),
            "generation": self.generation,
        })
    }
}

impl Shown for ServicePrincipalRecord {
    fn shown(&self) -> Value {
        let secret = |secret: &SecretRecord| json!({ "hash": fingerprint(&secret.hash), "expiresAt": secret.expires_at() });
        let secrets: Vec<Value> = self.secrets.iter().map(secret).collect();
        json!({
            "displayName": self.display_name,
            "enabled": self.enabled,
            "roles": self.roles,
            "scopeMaps": self.scope_maps,
            "secrets": secrets,
            "generation": self.generation,
        })
    }
}

impl Shown for RegistryRecord {
    fn shown(&self) -> Value {
        json!({
            "tenant": self.tenant,
            "subscription": self.subscription,
            "adminEnabled": self.admin_enabled,
            "adminPasswords": passwords(&self.admin_passwords),
            "adminGeneration": self.admin_generation,
            "anonymousPull": self.anonymous_pull,
            "anonymousGeneration": self.anonymous_generation,
            "authenticationAsArm": self.authentication_as_arm,
        })
    }
}

impl Shown for ProviderRecord {
    fn shown(&self) -> Value {
        json!({
            "configuration": self.fingerprint,
            "generation": self.generation,
            "revoked": self.revoked,
        })
    }
}

impl Shown for KeyRecord {
    fn shown(&self) -> Value {
        json!({
            "algorithm": self.algorithm,
            "createdAt": self.created_at,
            "signsFrom": self.signs_from,
            "certificate": fingerprint(&self.certificate),
        })
    }
}

impl Shown for AuthorityRecord {
    fn shown(&self) -> Value {
        json!({ "certificate": fingerprint(&self.certificate) })
    }
}

fn passwords(passwords: &[PasswordRecord]) -> Vec<Value> {
    let shown = |password: &PasswordRecord| {
        json!({
            "name": password.name,
            "createdAt": password.created_at,
            "expiresAt": password.expires_at,
        })
    };
    passwords.iter().map(shown).collect()
}

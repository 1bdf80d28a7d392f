//! Scope maps and principals from a file.
//!
//! ```yaml
//! registry:
//!   adminUserEnabled: false
//!   anonymousPullEnabled: false
//! scopeMaps:
//!   - name: MyScopeMap
//!     description: Sample scope map
//!     actions: [repositories/samples/*/content/read]
//! tokens:
//!   - name: MyToken
//!     scopeMap: MyScopeMap
//!     status: enabled                  # or disabled; left out: as it is
//!     passwords:                       # left out: one is generated, and printed once
//!       - name: password1
//!         sha256: 9f86d081…
//!         expiry: 2027-01-01T00:00:00Z
//! servicePrincipals:
//!   - clientId: 3f2504e0-4f89-41d3-9a0c-0305e82c3301
//!     displayName: deployer            # without a secret, one is generated, and printed once
//!     roles: [AcrPull]
//!     scopeMaps: [MyScopeMap]
//!     secretExpiry: 2027-01-01T00:00:00Z   # of the generated secret; left out: never
//! ```
//!
//! Records in the file are created or changed to match it; all others stay. The whole file is
//! applied, or nothing. The format is ours, so an unknown field is an error.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::domain::edit::registry::RegistryEdit;
use crate::domain::edit::scope_maps::ScopeMapEdit;
use crate::domain::edit::service_principals::ServicePrincipalEdit;
use crate::domain::edit::tokens::{Passwords, TokenEdit};
use crate::domain::edit::{passwords, registry, scope_maps, service_principals, tokens};
use crate::model::password::PasswordDigest;
use crate::model::password_user::ReservedNames;
use crate::store::{
    PasswordName, PasswordRecord, ServicePrincipalRecord, Store, TokenRecord, Write,
};

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Seed {
    /// Settings of the registry.
    #[serde(default)]
    pub registry: SeedRegistry,
    /// Maps to create or change.
    #[serde(default)]
    pub scope_maps: Vec<SeedScopeMap>,
    /// Tokens to create or change.
    #[serde(default)]
    pub tokens: Vec<SeedToken>,
    /// Service principals to create or change.
    #[serde(default)]
    pub service_principals: Vec<SeedServicePrincipal>,
}

/// Settings of the registry in the file. What is left out stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SeedRegistry {
    /// Whether the admin account opens anything.
    pub admin_user_enabled: Option<bool>,
    /// Whether anonymous clients may pull.
    pub anonymous_pull_enabled: Option<bool>,
}

/// A scope map in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedScopeMap {
    /// The name, 5 to 50 letters, digits, `-` and `_`.
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub actions: Vec<String>,
}

/// A token in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SeedToken {
    /// The name, 5 to 50 letters, digits and `-`.
    pub name: String,
    /// The map; a token without one opens nothing.
    pub scope_map: Option<String>,
    /// Whether its passwords open anything; left out, it stays as it is, and a new token is
    /// enabled. So a file that is applied at each start does not re-enable a disabled token.
    pub status: Option<Status>,
    /// Its passwords; left out, a token without any gets a generated one.
    pub passwords: Option<Vec<SeedPassword>>,
}

/// Whether a token's passwords open anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// They do.
    Enabled,
    /// They do not.
    Disabled,
}

/// A password in the file: its digest, never itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedPassword {
    /// Which of the two.
    pub name: PasswordName,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: PasswordDigest,
    /// When it expires, RFC 3339.
    pub expiry: Option<Timestamp>,
}

/// A service principal in the file. Its secrets are never in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SeedServicePrincipal {
    /// The client id, a GUID.
    pub client_id: String,
    #[serde(default)]
    pub display_name: String,
    #[serde(default)]
    pub roles: Vec<String>,
    #[serde(default)]
    pub scope_maps: Vec<String>,
    /// When the secret expires that is generated for it, RFC 3339.
    pub secret_expiry: Option<Timestamp>,
}

/// A generated password or secret, which is shown only here.
#[derive(Serialize)]
#[serde(rename_all = "camelCase", untagged)]
pub enum Generated {
    /// Of a token.
    Password {
        /// The token's name, which is the user name of clients.
        token: String,
        /// Which of the two passwords.
        name: PasswordName,
        /// The password.
        value: String,
    },
    /// Of a service principal.
    Secret {
        #[serde(rename = "clientId")]
        client_id: String,
        secret: String,
        /// When it expires; never, when absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        expiry: Option<Timestamp>,
    },
}

/// Leaves the secrets out.
impl std::fmt::Debug for Generated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Password",
            Self::Secret { .. } => "Secret",
        })
    }
}

/// Applies a file to the database. No token is created under a reserved name.
///
/// # Errors
///
/// When the file cannot be read or holds an invalid rule, name or digest, or the database cannot be
/// written. Nothing is changed then.
pub async fn apply_file(
    store: &Store,
    path: &Path,
    reserved: &ReservedNames,
) -> anyhow::Result<Vec<Generated>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    // Without the snippet that the library shows: it may hold digests. The file is the operator's,
    // and as large as the registry, so it has no budget.
    let options = serde_saphyr::options! { budget: None };
    let seed: Seed = serde_saphyr::from_str_with_options(&text, options)
        .map_err(|error| anyhow::anyhow!("{}: {}", path.display(), error.without_snippet()))?;
    let mut write = store.write().await?;
    let generated =
        seed.apply(&mut write, reserved).await.with_context(|| path.display().to_string())?;
    write.commit().await?;
    Ok(generated)
}

impl Seed {
    async fn apply(
        &self,
        write: &mut Write,
        reserved: &ReservedNames,
    ) -> anyhow::Result<Vec<Generated>> {
        let mut generated = Vec::new();
        registry::patch(write, self.registry.edit()).await?;
        for map in &self.scope_maps {
            let about = || format!("scope map `{}`", map.name);
            scope_maps::put(write, &map.name, map.edit()).await.with_context(about)?;
        }
        for token in &self.tokens {
            let about = || format!("token `{}`", token.name);
            tokens::put(write, &token.name, reserved, token.edit()).await.with_context(about)?;
            generated.extend(token.first_password(write).await.with_context(about)?);
        }
        for principal in &self.service_principals {
            let about = || format!("service principal `{}`", principal.client_id);
            service_principals::put(write, &principal.client_id, principal.edit())
                .await
                .with_context(about)?;
            generated.extend(principal.first_secret(write).await.with_context(about)?);
        }
        Ok(generated)
    }
}

impl SeedRegistry {
    fn edit(&self) -> RegistryEdit {
        RegistryEdit {
            admin_enabled: self.admin_user_enabled,
            anonymous_pull: self.anonymous_pull_enabled,
            ..RegistryEdit::default()
        }
    }
}

impl SeedScopeMap {
    fn edit(&self) -> ScopeMapEdit {
        ScopeMapEdit {
            description: Some(self.description.clone()),
            actions: Some(self.actions.clone()),
        }
    }
}

impl SeedToken {
    fn edit(&self) -> TokenEdit {
        let passwords = self.passwords.as_ref();
        TokenEdit {
            scope_map: self.scope_map.clone(),
            enabled: self.status.map(|status| status == Status::Enabled),
            passwords: passwords
                .map(|all| Passwords::Set(all.iter().map(SeedPassword::record).collect())),
        }
    }

    /// Generates a password for a token that has none, in the file or in the database.
    async fn first_password(&self, write: &mut Write) -> anyhow::Result<Option<Generated>> {
        let token: Option<TokenRecord> = write.find(&self.name).await?;
        if self.passwords.is_some() || token.is_some_and(|token| !token.passwords.is_empty()) {
            return Ok(None);
        }
        let first = Some(PasswordName::Password1);
        let (token, generated) = passwords::generate(write, &self.name, first, None).await?;
        Ok(generated.into_iter().next().map(|password| Generated::Password {
            token: token.name,
            name: password.name,
            value: password.value,
        }))
    }
}

impl SeedPassword {
    fn record(&self) -> PasswordRecord {
        PasswordRecord {
            name: self.name,
            sha256: self.sha256,
            created_at: clock::now(),
            expires_at: self.expiry.map(Timestamp::as_second),
        }
    }
}

impl SeedServicePrincipal {
    fn edit(&self) -> ServicePrincipalEdit {
        ServicePrincipalEdit {
            display_name: Some(self.display_name.clone()),
            enabled: None,
            roles: Some(self.roles.clone()),
            scope_maps: Some(self.scope_maps.clone()),
        }
    }

    /// Generates a secret for a service principal that has none.
    async fn first_secret(&self, write: &mut Write) -> anyhow::Result<Option<Generated>> {
        let known: Option<ServicePrincipalRecord> = write.find(&self.client_id).await?;
        if known.is_some_and(|principal| !principal.secrets.is_empty()) {
            return Ok(None);
        }
        let (client_id, expiry) = (&self.client_id, self.secret_expiry);
        let until = expiry.map(Timestamp::as_second);
        let secret = service_principals::generate_secret(write, client_id, until).await?;
        Ok(Some(Generated::Secret { client_id: client_id.clone(), secret, expiry }))
    }
}

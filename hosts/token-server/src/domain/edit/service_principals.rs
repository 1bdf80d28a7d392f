//! Service principals: clients with an id and a secret, with roles and scope maps.
//!
//! The local administrator is one of them: its client id is `administrator`, its role Owner, and it
//! needs no identity provider.

use scopegate_core::scope_map::Role;
use uuid::Uuid;

use super::{EditError, find, scope_maps};
use crate::clock;
use crate::domain::principal::secret;
use crate::model::client_id::ADMINISTRATOR;
use crate::model::password;
use crate::store::{SecretRecord, ServicePrincipalRecord, Write};

/// The maximum number of secrets of one client: one can be replaced while the other is in use.
pub const MAX_SECRETS: usize = 2;

/// A change. A field that is left out stays; a new service principal is enabled, and has no role,
/// map or secret.
#[derive(Clone, Debug, Default)]
pub struct ServicePrincipalEdit {
    pub display_name: Option<String>,
    /// Whether its secrets open anything.
    pub enabled: Option<bool>,
    /// Names of roles.
    pub roles: Option<Vec<String>>,
    /// Names of scope maps.
    pub scope_maps: Option<Vec<String>>,
}

/// Creates a service principal or changes the one with this client id.
///
/// # Errors
///
/// [`EditError::Invalid`] for a client id that is not a GUID, and for an unknown role or map.
pub async fn put(
    write: &mut Write,
    client_id: &str,
    edit: ServicePrincipalEdit,
) -> Result<ServicePrincipalRecord, EditError> {
    let mut principal = match write.find(client_id).await? {
        Some(principal) => principal,
        None => new(write, client_id)?,
    };
    if change(write, &mut principal, edit).await? {
        principal.generation = write.revision();
    }
    principal.revision = write.revision();
    write.put(&principal).await?;
    Ok(principal)
}

/// Generates a secret for a client, shown only here. When it has two already, the older one is
/// removed.
///
/// # Errors
///
/// [`EditError::NotFound`] for an unknown client; [`EditError::Invalid`] for an expiry in the past.
pub async fn generate_secret(
    write: &mut Write,
    client_id: &str,
    expires_at: Option<i64>,
) -> Result<String, EditError> {
    let value = password::generate().map_err(|_| EditError::Randomness)?;
    let principal = find(write, client_id).await?;
    keep_secret(write, principal, &value, expires_at).await?;
    Ok(value)
}

/// Gives a client a chosen secret. When it has two already, the older one is removed. `names` are
/// those of the registry, which are easy to guess.
///
/// # Errors
///
/// [`EditError::NotFound`] for an unknown client; [`EditError::Invalid`] for a secret that is too
/// short, too long or too easy to guess, and for an expiry in the past.
pub async fn add_secret(
    write: &mut Write,
    client_id: &str,
    value: &str,
    expires_at: Option<i64>,
    names: &[&str],
) -> Result<(), EditError> {
    let principal: ServicePrincipalRecord = find(write, client_id).await?;
    let own = [principal.name.as_str(), principal.display_name.as_str()];
    let names: Vec<_> = own.iter().chain(names).copied().collect();
    secret::check_strength(value, &names).map_err(EditError::Invalid)?;
    keep_secret(write, principal, value, expires_at).await
}

async fn keep_secret(
    write: &mut Write,
    mut principal: ServicePrincipalRecord,
    value: &str,
    expires_at: Option<i64>,
) -> Result<(), EditError> {
    if expires_at.is_some_and(|expiry| expiry <= clock::now()) {
        return Err(EditError::Invalid("the expiry is past".into()));
    }
    let hash = secret::hash(value).ok_or(EditError::Randomness)?;
    while principal.secrets.len() >= MAX_SECRETS {
        principal.secrets.remove(0);
        principal.generation = write.revision();
    }
    principal.secrets.push(SecretRecord::new(hash, expires_at));
    Ok(write.put(&principal).await?)
}

/// Removes every secret of a client.
///
/// # Errors
///
/// [`EditError::NotFound`] for an unknown client.
pub async fn delete_secrets(write: &mut Write, client_id: &str) -> Result<(), EditError> {
    let mut principal: ServicePrincipalRecord = find(write, client_id).await?;
    principal.secrets.clear();
    principal.generation = write.revision();
    Ok(write.put(&principal).await?)
}

/// Replaces all secrets of the local administrator with a new one; creates the administrator if
/// missing.
///
/// # Errors
///
/// When the database cannot be written, and for an expiry in the past.
pub async fn reset_administrator(
    write: &mut Write,
    expires_at: Option<i64>,
) -> Result<String, EditError> {
    let edit = ServicePrincipalEdit {
        display_name: Some("local administrator".into()),
        enabled: Some(true),
        roles: Some(vec![Role::Owner.as_str().into()]),
        scope_maps: None,
    };
    put(write, ADMINISTRATOR, edit).await?;
    delete_secrets(write, ADMINISTRATOR).await?;
    generate_secret(write, ADMINISTRATOR, expires_at).await
}

fn new(write: &Write, client_id: &str) -> Result<ServicePrincipalRecord, EditError> {
    let key = client_id.to_ascii_lowercase();
    let is_guid = Uuid::try_parse(&key).is_ok_and(|guid| guid.to_string() == key && !guid.is_nil());
    if !is_guid && key != ADMINISTRATOR {
        return Err(EditError::Invalid(format!(
            "client id `{client_id}`: use a GUID like 3f2504e0-4f89-41d3-9a0c-0305e82c3301"
        )));
    }
    Ok(ServicePrincipalRecord {
        key,
        name: client_id.to_owned(),
        display_name: String::new(),
        enabled: true,
        roles: Vec::new(),
        scope_maps: Vec::new(),
        secrets: Vec::new(),
        created_at: clock::now(),
        revision: write.revision(),
        generation: write.revision(),
    })
}

/// Changes a service principal; returns whether the change removes rights.
async fn change(
    write: &mut Write,
    principal: &mut ServicePrincipalRecord,
    edit: ServicePrincipalEdit,
) -> Result<bool, EditError> {
    let mut takes_away = false;
    if let Some(display_name) = edit.display_name {
        scope_maps::check_text("displayName", &display_name)?;
        if display_name.chars().count() > 256 {
            return Err(EditError::Invalid("a display name has at most 256 characters".into()));
        }
        principal.display_name = display_name;
    }
    if let Some(enabled) = edit.enabled {
        takes_away |= principal.enabled && !enabled;
        principal.enabled = enabled;
    }
    if let Some(roles) = edit.roles {
        let roles = canonical_roles(&roles)?;
        takes_away |= principal.roles.iter().any(|old| !roles.contains(old));
        principal.roles = roles;
    }
    if let Some(maps) = edit.scope_maps {
        let mut keys = Vec::new();
        for map in maps {
            let key = scope_maps::find_key(write, &map).await?;
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        takes_away |= principal.scope_maps.iter().any(|old| !keys.contains(old));
        principal.scope_maps = keys;
    }
    Ok(takes_away)
}

/// The names of the roles, each once.
fn canonical_roles(roles: &[String]) -> Result<Vec<String>, EditError> {
    let known = || Role::ALL.map(Role::as_str).join(", ");
    let mut canonical = Vec::new();
    for role in roles {
        let parsed = Role::parse(role).ok_or_else(|| {
            EditError::Invalid(format!("there is no role `{role}`; use {}", known()))
        })?;
        let name = parsed.as_str().to_owned();
        if !canonical.contains(&name) {
            canonical.push(name);
        }
    }
    Ok(canonical)
}

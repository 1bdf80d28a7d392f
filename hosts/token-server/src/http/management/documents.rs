//! The JSON of resources, as in Azure Resource Manager.
//!
//! Read-only fields are ignored when a client sends them back with a change of another field.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::resource::{Ids, REGISTRY_TYPE};
use crate::app::App;
use crate::clock::rfc3339;
use crate::store::{
    PasswordName, PasswordRecord, RegistryRecord, ScopeMapRecord, SecretRecord,
    ServicePrincipalRecord, TokenRecord,
};

/// The constant `provisioningState`: every change completes within its request.
const SUCCEEDED: &str = "Succeeded";

/// A registry in a list of resources of any type.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegistrySummary {
    id: String,
    name: String,
    r#type: &'static str,
    location: &'static str,
    sku: Sku,
}

/// The limits of a registry: those of the largest ones of the service.
#[derive(Debug, Serialize, ToSchema)]
struct Sku {
    name: &'static str,
    tier: &'static str,
}

const SKU: Sku = Sku { name: "Premium", tier: "Premium" };

/// A registry.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegistryResource {
    #[serde(flatten)]
    summary: RegistrySummary,
    properties: RegistryProperties,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum RegistryProperties {
    Settings(RegistrySettings),
    Address(RegistryAddress),
}

/// What all see who have access to the registry.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RegistryAddress {
    login_server: String,
    provisioning_state: &'static str,
}

/// What those see who may read management.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RegistrySettings {
    #[serde(flatten)]
    address: RegistryAddress,
    creation_date: String,
    admin_user_enabled: bool,
    anonymous_pull_enabled: bool,
    policies: RegistryPolicies,
    data_endpoint_enabled: bool,
    public_network_access: &'static str,
    role_assignment_mode: &'static str,
    zone_redundancy: &'static str,
}

/// A change to a registry. A field that is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
pub(crate) struct RegistryPatch {
    /// The settings.
    #[serde(default)]
    pub properties: RegistryPatchProperties,
}

/// Settings of a registry.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "an object", rename_all = "camelCase")]
pub(crate) struct RegistryPatchProperties {
    /// Whether the admin account opens anything.
    pub admin_user_enabled: Option<bool>,
    /// Whether anonymous clients may pull.
    pub anonymous_pull_enabled: Option<bool>,
    /// Other settings.
    pub policies: Option<RegistryPolicies>,
}

impl RegistryPatchProperties {
    /// Whether a token for management is to be taken in exchange, where that is said.
    pub(crate) fn authentication_as_arm(&self) -> Option<bool> {
        let policy = self.policies.as_ref()?.authentication_as_arm.as_ref()?;
        policy.status.map(|status| status == PolicyStatus::Enabled)
    }
}

/// Settings of a registry that the service calls policies.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
pub(crate) struct RegistryPolicies {
    /// Whether a token for management is taken in exchange.
    #[serde(rename = "azureADAuthenticationAsArmPolicy")]
    authentication_as_arm: Option<Policy>,
}

/// A setting.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
struct Policy {
    status: Option<PolicyStatus>,
}

/// Whether a setting is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum PolicyStatus {
    Enabled,
    Disabled,
}

impl RegistryPolicies {
    fn new(registry: &RegistryRecord) -> Self {
        let is_enabled = registry.authentication_as_arm;
        let status = if is_enabled { PolicyStatus::Enabled } else { PolicyStatus::Disabled };
        Self { authentication_as_arm: Some(Policy { status: Some(status) }) }
    }
}

/// A scope map.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScopeMapResource {
    id: String,
    name: String,
    r#type: String,
    properties: ScopeMapProperties,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ScopeMapProperties {
    /// `UserDefined` or `SystemDefined`.
    r#type: &'static str,
    description: String,
    actions: Vec<String>,
    creation_date: String,
    provisioning_state: &'static str,
}

/// A scope map to create or change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
pub(crate) struct ScopeMapBody {
    /// The properties to write.
    pub properties: ScopeMapBodyProperties,
}

/// The properties of a scope map to write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
pub(crate) struct ScopeMapBodyProperties {
    /// What it is for, at most 256 characters.
    pub description: Option<String>,
    /// At most 500 actions like `repositories/samples/*/content/read`.
    pub actions: Option<Vec<String>>,
}

/// A scope-map token.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenResource {
    id: String,
    name: String,
    r#type: String,
    properties: TokenProperties,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TokenProperties {
    creation_date: String,
    provisioning_state: &'static str,
    scope_map_id: Option<String>,
    status: TokenStatus,
    credentials: TokenCredentials,
}

/// Whether a token's passwords open anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TokenStatus {
    /// They do.
    Enabled,
    /// They do not.
    Disabled,
}

#[derive(Debug, Serialize, ToSchema)]
struct TokenCredentials {
    /// Always empty: tokens have passwords.
    certificates: Vec<String>,
    passwords: Vec<PasswordDocument>,
}

/// A password. The value is only in the answer that creates it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PasswordDocument {
    /// Which of the two.
    pub name: &'static str,
    /// The password itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// When it was made, RFC 3339.
    pub creation_time: String,
    /// When it expires, RFC 3339; never, when null.
    pub expiry: Option<String>,
}

/// A token to create or change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
pub(crate) struct TokenBody {
    /// The properties to write.
    pub properties: TokenBodyProperties,
}

/// The properties of a token to write. A field that is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(expecting = "an object", rename_all = "camelCase")]
pub(crate) struct TokenBodyProperties {
    /// The id of its scope map.
    pub scope_map_id: Option<String>,
    /// Whether its passwords open anything.
    pub status: Option<TokenStatus>,
    /// Passwords that stay; the others are removed.
    pub credentials: Option<TokenCredentialsBody>,
}

/// Passwords that stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
pub(crate) struct TokenCredentialsBody {
    /// Their names.
    pub passwords: Option<Vec<NamedPassword>>,
}

/// A password by its name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
pub(crate) struct NamedPassword {
    /// `password1` or `password2` of a token; `password` or `password2` of the admin.
    #[schema(value_type = String)]
    pub name: PasswordName,
}

/// Which passwords to generate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(expecting = "an object", rename_all = "camelCase")]
pub(crate) struct GenerateBody {
    /// The id of the token.
    pub token_id: String,
    /// `password1` or `password2`; both, when left out.
    #[schema(value_type = Option<String>)]
    pub name: Option<PasswordName>,
    /// When they expire, RFC 3339; never, when left out.
    pub expiry: Option<String>,
}

/// A user name and its passwords.
#[derive(Serialize, ToSchema)]
pub(crate) struct CredentialsDocument {
    /// The user name of clients.
    pub username: String,
    /// The passwords.
    pub passwords: Vec<PasswordDocument>,
}

/// A service principal.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServicePrincipalResource {
    id: String,
    /// The client id.
    client_id: String,
    display_name: String,
    enabled: bool,
    roles: Vec<String>,
    scope_maps: Vec<String>,
    /// How many secrets it has, of two.
    secrets: usize,
    /// When each secret expires, the older one first; null for never.
    secret_expiries: Vec<Option<String>>,
    creation_date: String,
}

/// A service principal to create or change. A field that is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "an object", rename_all = "camelCase")]
pub(crate) struct ServicePrincipalBody {
    /// Its display name.
    pub display_name: Option<String>,
    /// Whether its secrets open anything.
    pub enabled: Option<bool>,
    /// Names of roles: AcrPull, AcrPush, AcrDelete, Reader, Contributor, Owner, EdgeReader.
    pub roles: Option<Vec<String>>,
    /// Names of scope maps.
    pub scope_maps: Option<Vec<String>>,
}

/// A chosen secret.
#[derive(Default, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
pub(crate) struct SecretBody {
    /// 16 to 256 characters that are not easy to guess; one is generated when this is left out.
    pub secret: Option<String>,
    /// When it expires, RFC 3339; never, when left out.
    pub expiry: Option<String>,
}

/// A secret, in the one answer that shows it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecretDocument {
    /// The client id.
    pub client_id: String,
    /// The secret, when it was generated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// When it expires; never, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry: Option<String>,
}

impl RegistrySummary {
    /// The registry's.
    #[must_use]
    pub(crate) fn new(app: &App) -> Self {
        Self {
            id: Ids::new(app).registry().to_owned(),
            name: app.settings.registry_name.clone(),
            r#type: REGISTRY_TYPE,
            location: "local",
            sku: SKU,
        }
    }
}

impl RegistryResource {
    /// The document of the registry.
    #[must_use]
    pub(crate) fn new(app: &App, registry: &RegistryRecord) -> Self {
        Self {
            summary: RegistrySummary::new(app),
            properties: RegistryProperties::Settings(RegistrySettings {
                address: RegistryAddress::new(app),
                creation_date: rfc3339(registry.created_at),
                admin_user_enabled: registry.admin_enabled,
                anonymous_pull_enabled: registry.anonymous_pull,
                policies: RegistryPolicies::new(registry),
                data_endpoint_enabled: false,
                public_network_access: "Enabled",
                role_assignment_mode: "LegacyRegistryPermissions",
                zone_redundancy: "Disabled",
            }),
        }
    }

    /// The same for those who may only find it.
    #[must_use]
    pub(crate) fn found(app: &App) -> Self {
        Self {
            summary: RegistrySummary::new(app),
            properties: RegistryProperties::Address(RegistryAddress::new(app)),
        }
    }
}

impl RegistryAddress {
    fn new(app: &App) -> Self {
        Self { login_server: app.issuer.service.clone(), provisioning_state: SUCCEEDED }
    }
}

impl ScopeMapResource {
    /// The document of a scope map.
    #[must_use]
    pub(crate) fn new(ids: &Ids, map: ScopeMapRecord) -> Self {
        let is_system_defined = map.name.starts_with('_');
        Self {
            id: ids.child("scopeMaps", &map.name),
            r#type: format!("{REGISTRY_TYPE}/scopeMaps"),
            name: map.name,
            properties: ScopeMapProperties {
                r#type: if is_system_defined { "SystemDefined" } else { "UserDefined" },
                description: map.description,
                actions: map.actions,
                creation_date: rfc3339(map.created_at),
                provisioning_state: SUCCEEDED,
            },
        }
    }
}

impl TokenResource {
    /// The document of a token. `scope_map` is its map's name in its original case.
    #[must_use]
    pub(crate) fn new(ids: &Ids, token: TokenRecord, scope_map: Option<&str>) -> Self {
        let status = if token.enabled { TokenStatus::Enabled } else { TokenStatus::Disabled };
        Self {
            id: ids.child("tokens", &token.name),
            r#type: format!("{REGISTRY_TYPE}/tokens"),
            name: token.name,
            properties: TokenProperties {
                creation_date: rfc3339(token.created_at),
                provisioning_state: SUCCEEDED,
                scope_map_id: scope_map.map(|name| ids.child("scopeMaps", name)),
                status,
                credentials: TokenCredentials {
                    certificates: Vec::new(),
                    passwords: token.passwords.iter().map(PasswordDocument::known).collect(),
                },
            },
        }
    }
}

impl PasswordDocument {
    /// A password without its value.
    #[must_use]
    pub(crate) fn known(password: &PasswordRecord) -> Self {
        Self {
            name: password.name.as_str(),
            value: None,
            creation_time: rfc3339(password.created_at),
            expiry: password.expires_at.map(rfc3339),
        }
    }
}

impl ServicePrincipalResource {
    /// The document of a service principal.
    #[must_use]
    pub(crate) fn new(ids: &Ids, principal: ServicePrincipalRecord) -> Self {
        Self {
            id: ids.child("servicePrincipals", &principal.name),
            client_id: principal.name,
            display_name: principal.display_name,
            enabled: principal.enabled,
            roles: principal.roles,
            scope_maps: principal.scope_maps,
            secrets: principal.secrets.len(),
            secret_expiries: expiries(&principal.secrets),
            creation_date: rfc3339(principal.created_at),
        }
    }
}

fn expiries(secrets: &[SecretRecord]) -> Vec<Option<String>> {
    secrets.iter().map(|secret| secret.expires_at().map(rfc3339)).collect()
}

/// Leaves the value out.
impl std::fmt::Debug for PasswordDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordDocument").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Leaves the values out.
impl std::fmt::Debug for CredentialsDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialsDocument")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Says nothing.
impl std::fmt::Debug for SecretBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretBody(…)")
    }
}

/// Leaves the secret out.
impl std::fmt::Debug for SecretDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretDocument").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

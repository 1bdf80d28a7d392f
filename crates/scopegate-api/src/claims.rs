//! The claims of access and refresh tokens, in the order in which Azure Container Registry writes them.
//!
//! Follows recorded tokens of the service and <https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md>. Clients read only `exp` of a
//! refresh token and `access` of an access token; everything else is for people and logs.
//!
//! Left out: signing, which is the token server's, and every claim that no client reads and no reader of ours needs.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::access::AccessEntry;

/// The claims of an access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Unique for each token.
    pub jti: String,
    /// Who it is for: the name of the scope-map token.
    pub sub: String,
    /// Not valid before, in seconds since 1970.
    pub nbf: u64,
    /// Not valid from, in seconds since 1970.
    pub exp: u64,
    /// Issued at, in seconds since 1970.
    pub iat: u64,
    /// Who issued it.
    pub iss: String,
    /// The registry that it is for. One string: CNCF distribution 2.8 refuses a list.
    pub aud: String,
    /// [`VERSION`], or [`METADATA_VERSION`] when an action on metadata is granted.
    pub version: String,
    /// The registry's own id.
    pub rid: String,
    /// What may be done.
    pub access: Vec<AccessEntry>,
    /// Always empty here; the service writes it.
    pub roles: Vec<String>,
    /// `access_token`
    pub grant_type: GrantType,
}

/// The claims of a refresh token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshClaims {
    /// Unique for each token.
    pub jti: String,
    /// Who it is for.
    pub sub: String,
    /// Not valid before, in seconds since 1970.
    pub nbf: u64,
    /// Not valid from, in seconds since 1970.
    pub exp: u64,
    /// Issued at, in seconds since 1970.
    pub iat: u64,
    /// Who issued it.
    pub iss: String,
    /// The registry that it is for.
    pub aud: String,
    /// [`VERSION`]
    pub version: String,
    /// The registry's own id.
    pub rid: String,
    /// `refresh_token`
    pub grant_type: GrantType,
    /// What the holder might do at the time of issue. Information only: rights are read again whenever an access token is issued.
    pub permissions: Permissions,
    /// Always empty here; the service writes it.
    pub roles: Vec<String>,
}

/// What kind of token it is. A token of one kind is never accepted in the place of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// It opens repositories.
    AccessToken,
    /// It gets access tokens.
    RefreshToken,
}

/// A summary of what the holder of a refresh token might do. The keys are capitalised, as the service writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permissions {
    /// `read`, `write` and `delete`, as far as they apply anywhere.
    #[serde(rename = "Actions", alias = "actions", default)]
    pub actions: Vec<String>,
    /// Always null here: there are no rules that take away.
    #[serde(rename = "NotActions", alias = "notActions", default)]
    pub not_actions: Option<Vec<String>>,
}

/// The version of a token that opens content or the catalog.
pub const VERSION: &str = "1.0";
/// The version of a token that opens metadata.
pub const METADATA_VERSION: &str = "2.0";

/// The version that the service writes beside this access.
#[must_use]
pub fn version(access: &[AccessEntry]) -> &'static str {
    let is_metadata = |action: &String| action.starts_with("metadata_");
    if access.iter().flat_map(|entry| &entry.actions).any(is_metadata) {
        METADATA_VERSION
    } else {
        VERSION
    }
}

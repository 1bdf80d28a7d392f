//! Policy for the edge: the compiled scope maps of a registry, who has which, and which tokens have
//! ended.
//!
//! The token server signs a [`Bundle`] as it signs tokens (RFC 7515, compact form), for an audience
//! that no token has: neither is ever taken for the other. A host that has one does not only ask
//! what a token was given; it asks what its holder may have at this moment, and grants what both
//! say. That is never more than either of them alone.
//!
//! | in a bundle | means |
//! |---|---|
//! | `epoch` | the epoch of the database, in version 2; a host takes one that it never held with any revision, and none that it has left |
//! | `revision` | the last change that it knows; a host takes no older one of the same epoch than it holds |
//! | `nbf`, `exp` | minutes apart: an attacker cannot keep an old bundle from being replaced for long |
//! | `tables` | compiled scope maps, each once |
//! | `principals` | all principals. One that is not listed is deleted, and has no rights |
//!
//! Version 2, which is asked for by [`MEDIA_TYPE`] in `Accept`, lists each provider of identities,
//! and those that were revoked by themselves. Version 1 has one entry for all identities, and is
//! served for one release.
//!
//! Left out: what a bundle gives the holder of a token, which is the rule of `scopegate-edge`;
//! passwords and their digests, which no edge needs.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::claims::PrincipalKind;

/// The newest form.
pub const VERSION: u32 = 2;
/// The form of the release before, in which all identities are one.
pub const FIRST_VERSION: u32 = 1;
/// What is asked for in `Accept`, and what the answer is then.
pub const MEDIA_TYPE: &str = "application/vnd.scopegate.bundle.v2+jose";

/// The audience of the bundles of a registry.
///
/// ```
/// # use scopegate_api::bundle::audience;
/// assert_eq!(audience("registry.example"), "bundle:registry.example");
/// ```
#[must_use]
pub fn audience(service: &str) -> String {
    format!("bundle:{service}")
}

/// The document, as it is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Who issued it.
    pub iss: String,
    /// The [`audience`] of the registry's service.
    pub aud: String,
    /// Not valid before, in seconds since 1970.
    pub nbf: u64,
    /// Not valid from, in seconds since 1970.
    pub exp: u64,
    /// [`VERSION`], or [`FIRST_VERSION`].
    pub version: u32,
    /// The epoch of the database, in version 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// The last change that it knows.
    pub revision: i64,
    /// Compiled scope maps, base64url without padding.
    pub tables: Vec<String>,
    /// Everybody there is.
    pub principals: Vec<Listed>,
}

/// A principal in a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// What kind of principal, as the token's claim `principal` has it.
    pub principal: PrincipalKind,
    /// The `provider` of its tokens, for an identity in version 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The `sub` of its tokens in lower case; all of the kind, or of the provider, when null.
    pub sub: Option<String>,
    /// The oldest generation of its tokens that is still good.
    pub generation: i64,
    /// Its scope maps, by their places in `tables`; null where only its tokens say what it may do,
    /// because a provider's claims decide it.
    pub tables: Option<Vec<usize>>,
}

/// A compiled table as a bundle has it.
#[must_use]
pub fn encode(table: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(table)
}

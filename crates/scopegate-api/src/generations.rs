//! Which tokens are revoked: what the token server tells verifiers of tokens.
//!
//! Every token says whom it is for and that principal's generation. The list says which principals
//! have a newer one. A verifier that asks with the revision of the last answer gets what changed
//! since.
//!
//! Version 2, which is asked for by [`MEDIA_TYPE`] in `Accept`, tells identities apart by their
//! provider and their subject, and names the epoch of the database: a database that is restored
//! gets another one, in which tokens and revisions of the one before mean nothing. Version 1 has
//! one generation for all identities and no epoch, and is served for one release.
//!
//! Left out: what the list says of a token, which is the rule of `scopegate-edge`.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::claims::PrincipalKind;

/// What is asked for in `Accept`, and what the answer is then.
pub const MEDIA_TYPE: &str = "application/vnd.scopegate.generations.v2+json";
/// The newest version.
pub const VERSION: u32 = 2;

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Generations {
    /// [`VERSION`]; 1 when left out.
    #[serde(default = "first_version", skip_serializing_if = "is_first_version")]
    pub version: u32,
    /// The epoch of the database, in version 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// Ask for what comes after this the next time.
    pub revision: i64,
    /// Whether what was known before is to be forgotten, because this is everything.
    pub is_everything: bool,
    /// Principals with a generation newer than was asked for.
    pub changed: Vec<Generation>,
}

/// A principal's generation. Tokens of an older one are not good any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// What kind of principal, as the token's claim `principal` has it.
    pub principal: PrincipalKind,
    /// The `provider` of its tokens, for an identity in version 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The `sub` of its tokens in lower case; all of the kind, or of the provider, when null.
    pub sub: Option<String>,
    /// The oldest generation that is still good.
    pub generation: i64,
}

fn first_version() -> u32 {
    1
}

fn is_first_version(version: &u32) -> bool {
    *version == 1
}

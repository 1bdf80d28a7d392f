//! Which tokens are not good any more: what the token server tells whoever verifies tokens.
//!
//! Every token says whom it is for and that principal's generation. The list says which principals have a newer one. Whoever asks with the
//! revision of the last answer gets what is new.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::claims::PrincipalKind;

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Generations {
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
    /// The `sub` of its tokens in lower case; all of the kind, when null.
    pub sub: Option<String>,
    /// The oldest generation that is still good.
    pub generation: i64,
}

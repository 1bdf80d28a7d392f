//! Which tokens are not good any more: what the token server tells whoever verifies tokens.
//!
//! Every token says whom it is for and that principal's generation. The list says which principals have a newer one. Whoever asks with the
//! revision of the last answer gets what is new.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::claims::{AccessClaims, PrincipalKind};

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

/// What a verifier has heard so far.
///
/// ```
/// use scopegate_api::claims::PrincipalKind;
/// use scopegate_api::generations::{Generation, Generations, Revoked};
///
/// let mut revoked = Revoked::default();
/// let reader = Generation { principal: PrincipalKind::Token, sub: Some("reader".into()), generation: 3 };
/// revoked.hear(Generations { revision: 5, is_everything: true, changed: vec![reader] });
/// assert_eq!(revoked.oldest(PrincipalKind::Token, "Reader"), 3);
/// assert_eq!(revoked.oldest(PrincipalKind::Token, "other"), 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    revision: i64,
    of_everybody: BTreeMap<PrincipalKind, i64>,
    of_one: BTreeMap<(PrincipalKind, String), i64>,
}

impl Revoked {
    /// The last change that is known: what to ask the feed with.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// Takes what the feed says.
    pub fn hear(&mut self, news: Generations) {
        if news.is_everything {
            *self = Self::default();
        }
        self.revision = news.revision;
        for changed in news.changed {
            let generation = match changed.sub {
                Some(sub) => self.of_one.entry((changed.principal, sub)).or_default(),
                None => self.of_everybody.entry(changed.principal).or_default(),
            };
            *generation = changed.generation.max(*generation);
        }
    }

    /// The oldest generation of this principal that is still good.
    #[must_use]
    pub fn oldest(&self, principal: PrincipalKind, sub: &str) -> i64 {
        let of_one = self.of_one.get(&(principal, sub.to_ascii_lowercase()));
        let of_everybody = self.of_everybody.get(&principal);
        of_one.max(of_everybody).copied().unwrap_or_default()
    }

    /// Whether a token is still good. One that does not say whom it is for and of which generation it is could not be revoked, and is not.
    #[must_use]
    pub fn allows(&self, claims: &AccessClaims) -> bool {
        let (Some(principal), Some(generation)) = (claims.principal, claims.generation) else {
            return false;
        };
        let oldest = self.oldest(principal, &claims.sub);
        i64::try_from(generation).is_ok_and(|generation| generation >= oldest)
    }
}

//! Which tokens are not good any more: what the token server tells whoever verifies tokens.
//!
//! Every token says whom it is for and that principal's generation. The list says which principals
//! have a newer one. Whoever asks with the revision of the last answer gets what is new.
//!
//! Version 2, which is asked for by [`MEDIA_TYPE`] in `Accept`, tells identities apart by their
//! provider and their subject, and names the epoch of the database: a database that is put back
//! gets another one, in which tokens and revisions of the one before mean nothing. Version 1 has
//! one generation for all identities and no epoch, and is served for one release.
//!
//! Left out: what outlives the process. A verifier that starts takes the first epoch that it hears.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::claims::{AccessClaims, PrincipalKind};

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

/// What a verifier has heard so far.
///
/// ```
/// use scopegate_api::claims::PrincipalKind;
/// use scopegate_api::generations::{Generation, Generations, Revoked};
///
/// let mut revoked = Revoked::default();
/// let reader = Generation { principal: PrincipalKind::Token, provider: None, sub: Some("reader".into()), generation: 3 };
/// let epoch = Some("first".into());
/// assert!(revoked.hear(Generations { version: 2, epoch, revision: 5, is_everything: true, changed: vec![reader] }));
/// assert_eq!(revoked.oldest(PrincipalKind::Token, None, "Reader"), 3);
/// assert_eq!(revoked.oldest(PrincipalKind::Token, None, "other"), 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    version: u32,
    epoch: Option<String>,
    /// The epochs before this one. None of them is taken again.
    left: BTreeSet<String>,
    revision: i64,
    /// All of a kind, or all of a provider.
    of_everybody: BTreeMap<(PrincipalKind, Option<String>), i64>,
    of_one: BTreeMap<(PrincipalKind, Option<String>, String), i64>,
}

impl Revoked {
    /// The last change that is known: what to ask the feed with.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// Whether an answer says nothing new.
    #[must_use]
    pub fn has(&self, news: &Generations) -> bool {
        let is_same = self.version == news.version && self.epoch == news.epoch;
        is_same && self.revision == news.revision && !news.is_everything && news.changed.is_empty()
    }

    /// Takes what the feed says; tells whether it may be decided by now. It is refused when it is
    /// of an epoch that was left, or older than what is known of this epoch. An increment on
    /// something else than what is known is no answer: the next one is to be everything.
    pub fn hear(&mut self, news: Generations) -> bool {
        let is_same = self.version == news.version && self.epoch == news.epoch;
        // Whoever knows epochs takes nothing that says none: a server of the release before has no
        // part in this.
        let is_left = match &news.epoch {
            Some(epoch) => self.left.contains(epoch),
            None => self.epoch.is_some(),
        };
        if is_left || (is_same && news.epoch.is_some() && news.revision < self.revision) {
            return false;
        }
        if !is_same && !news.is_everything {
            self.revision = 0;
            return false;
        }
        if news.is_everything {
            let mut left = core::mem::take(&mut self.left);
            left.extend(self.epoch.take().filter(|_| !is_same));
            *self = Self { version: news.version, epoch: news.epoch, left, ..Self::default() };
        }
        self.revision = news.revision;
        for Generation { principal, provider, sub, generation: newer } in news.changed {
            let generation = match sub {
                Some(sub) => self.of_one.entry((principal, provider, sub)).or_default(),
                None => self.of_everybody.entry((principal, provider)).or_default(),
            };
            *generation = newer.max(*generation);
        }
        true
    }

    /// The oldest generation of this principal that is still good.
    #[must_use]
    pub fn oldest(&self, principal: PrincipalKind, provider: Option<&str>, sub: &str) -> i64 {
        let provider = provider.map(ToOwned::to_owned);
        let of_kind = self.of_everybody.get(&(principal, None));
        let of_provider = self.of_everybody.get(&(principal, provider.clone()));
        let of_one = self.of_one.get(&(principal, provider, sub.to_ascii_lowercase()));
        of_one.max(of_provider).max(of_kind).copied().unwrap_or_default()
    }

    /// Whether a token is still good. One that does not say whom it is for and of which generation
    /// it is could not be revoked, and is not. Nor is one of another epoch, or an identity's that
    /// names no provider, where the feed tells them apart.
    #[must_use]
    pub fn allows(&self, claims: &AccessClaims) -> bool {
        let (Some(principal), Some(generation)) = (claims.principal, claims.generation) else {
            return false;
        };
        if self.epoch.is_some() && self.epoch != claims.epoch {
            return false;
        }
        // Only identities have providers; a name of one in another token says nothing.
        let provider = claims.provider.as_deref().filter(|_| principal == PrincipalKind::Identity);
        if principal == PrincipalKind::Identity && provider.is_none() && self.version >= VERSION {
            return false;
        }
        let oldest = self.oldest(principal, provider, &claims.sub);
        i64::try_from(generation).is_ok_and(|generation| generation >= oldest)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn token(provider: Option<&str>, sub: &str, generation: u64) -> AccessClaims {
        let mut claims = json!({ "jti": "j", "sub": sub, "nbf": 1, "exp": 2, "iat": 1, "iss": "i", "aud": "s", "version": "1.0",
            "rid": "r", "access": [], "roles": [], "grant_type": "access_token", "principal": "identity", "generation": generation });
        if let Some(provider) = provider {
            claims["provider"] = json!(provider);
        }
        from_value(claims).unwrap()
    }

    #[test]
    fn identities_are_told_apart_by_their_provider() {
        let feed = json!({ "version": 2, "revision": 9, "isEverything": true, "changed": [
            { "principal": "identity", "provider": "gone", "sub": null, "generation": 9 },
            { "principal": "identity", "provider": "ci", "sub": null, "generation": 3 },
            { "principal": "identity", "provider": "ci", "sub": "octo", "generation": 7 },
        ] });
        let mut revoked = Revoked::default();
        revoked.hear(from_value(feed).unwrap());
        for (provider, sub, generation, is_good) in [
            (Some("ci"), "other", 3, true),
            (Some("ci"), "other", 2, false),
            (Some("ci"), "Octo", 6, false),
            (Some("ci"), "Octo", 7, true),
            (Some("gone"), "octo", 8, false),
            (Some("second"), "octo", 0, true),
            (None, "octo", 100, false),
        ] {
            let claims = token(provider, sub, generation);
            assert_eq!(revoked.allows(&claims), is_good, "{provider:?} {sub} {generation}");
        }
    }

    /// A database that was put back is another epoch: its revisions may be lower, and tokens from
    /// before are refused.
    #[test]
    fn fault_9_an_epoch_that_was_left_is_refused() {
        let news = |epoch: &str, revision: i64, is_everything: bool| {
            from_value(json!({ "version": 2, "epoch": epoch, "revision": revision, "isEverything": is_everything, "changed": [] }))
                .unwrap()
        };
        let mut revoked = Revoked::default();
        for (epoch, revision, is_everything, is_taken, known) in [
            ("a", 15, true, true, 15),
            ("a", 16, false, true, 16),
            // Another server of the same epoch that is behind, or a database that was put back and
            // not told so.
            ("a", 5, true, false, 16),
            // A new epoch has to be heard from its beginning.
            ("b", 6, false, false, 0),
            ("b", 6, true, true, 6),
            ("b", 7, false, true, 7),
            ("a", 99, true, false, 7),
            ("a", 99, false, false, 7),
            ("c", 1, true, true, 1),
            ("b", 99, true, false, 1),
        ] {
            let taken = revoked.hear(news(epoch, revision, is_everything));
            assert_eq!((taken, revoked.revision()), (is_taken, known), "{epoch} {revision}");
        }
        let of = |epoch: Option<&str>| AccessClaims {
            epoch: epoch.map(ToOwned::to_owned),
            ..token(Some("ci"), "octo", 100)
        };
        assert!(revoked.allows(&of(Some("c"))));
        assert!(!revoked.allows(&of(Some("a"))) && !revoked.allows(&of(None)));
    }

    /// A server of the release before writes neither providers nor a version.
    #[test]
    fn version_1_has_all_identities_as_one() {
        let feed = json!({ "revision": 9, "isEverything": true, "changed": [
            { "principal": "identity", "sub": null, "generation": 3 },
        ] });
        let mut revoked = Revoked::default();
        revoked.hear(from_value(feed).unwrap());
        assert!(
            revoked.allows(&token(None, "octo", 3))
                && revoked.allows(&token(Some("ci"), "octo", 3))
        );
        assert!(
            !revoked.allows(&token(None, "octo", 2))
                && !revoked.allows(&token(Some("ci"), "octo", 2))
        );
    }
}

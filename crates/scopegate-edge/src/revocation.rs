//! The revocation feed, and what it says of a token.
//!
//! The token server lists the generations of principals ([`scopegate_api::generations`]): a token
//! of an older one is revoked. A token says whom it is for and of which generation it is. One that
//! does not say so could not be revoked, and is refused wherever revocations are known.
//!
//! A database that was restored is of another epoch, in which tokens and revisions of the one
//! before mean nothing. An epoch that was never known is taken with any revision, and one that was
//! left is not taken again.
//!
//! Left out: anything that outlives the process. A verifier that starts takes the first epoch that
//! the feed names.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use scopegate_api::claims::{AccessClaims, PrincipalKind};
use scopegate_api::generations::{Generation, Generations, VERSION};

use crate::accept::principal;
use crate::json::{self, Document, Object, Value};

/// An answer of the feed; `None` for an invalid text.
#[must_use]
pub fn read(text: &[u8]) -> Option<Generations> {
    Some(Update::read(&json::read(text)?)?.into_owned())
}

/// An answer of the feed, with the texts where they were read.
pub(crate) struct Update<'d> {
    version: u32,
    epoch: Option<&'d str>,
    revision: i64,
    is_everything: bool,
    changed: Vec<Change<'d>>,
}

#[derive(Clone, Copy)]
struct Change<'d> {
    principal: PrincipalKind,
    provider: Option<&'d str>,
    sub: Option<&'d str>,
    generation: i64,
}

impl<'d> Update<'d> {
    pub(crate) fn read(document: &'d Document) -> Option<Self> {
        let object = document.object()?;
        let mut changed = Vec::new();
        for value in object.field("changed")?.list()? {
            changed.push(Change::read(value)?);
        }
        Some(Self {
            version: match object.field("version") {
                None => 1,
                // A later version may mean something else by the same fields.
                Some(version) => {
                    let version = u32::try_from(version.number()?).ok()?;
                    (1..=VERSION).contains(&version).then_some(version)?
                }
            },
            epoch: object.optional("epoch", name)?,
            revision: count(object, "revision")?,
            is_everything: object.field("isEverything")?.boolean()?,
            changed,
        })
    }

    fn of(generations: &'d Generations) -> Self {
        let Generations { version, epoch, revision, is_everything, changed } = generations;
        Self {
            version: *version,
            epoch: epoch.as_deref(),
            revision: *revision,
            is_everything: *is_everything,
            changed: changed.iter().map(Change::of).collect(),
        }
    }

    fn into_owned(self) -> Generations {
        Generations {
            version: self.version,
            epoch: self.epoch.map(str::to_owned),
            revision: self.revision,
            is_everything: self.is_everything,
            changed: self.changed.into_iter().map(Change::into_owned).collect(),
        }
    }
}

impl<'d> Change<'d> {
    fn read(value: Value<'d>) -> Option<Self> {
        let object = value.object()?;
        Some(Self {
            principal: object.field("principal").and_then(principal)?,
            provider: object.optional("provider", provider)?,
            sub: object.optional("sub", Value::text)?,
            generation: count(object, "generation")?,
        })
    }

    fn of(generation: &'d Generation) -> Self {
        let Generation { principal, provider, sub, generation } = generation;
        Self {
            principal: *principal,
            provider: provider.as_deref(),
            sub: sub.as_deref(),
            generation: *generation,
        }
    }

    fn into_owned(self) -> Generation {
        Generation {
            principal: self.principal,
            provider: self.provider.map(str::to_owned),
            sub: self.sub.map(str::to_owned),
            generation: self.generation,
        }
    }
}

fn name(value: Value<'_>) -> Option<&str> {
    value.text().filter(|name| !name.is_empty())
}

fn provider(value: Value<'_>) -> Option<&str> {
    value.text().filter(|name| !name.contains('\0'))
}

fn count(object: Object<'_>, name: &str) -> Option<i64> {
    i64::try_from(object.number(name)?).ok()
}

/// Why an answer of the feed is not taken. What was known before stays, and refuses the same as
/// before: what is not taken changes at most what is asked next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedError {
    /// It is no list of generations.
    Unreadable,
    /// It is older than what is known, or of an epoch that was left.
    Older,
    /// It says what changed since something that is not known. The next answer is to be everything.
    Incomplete,
}

impl FeedError {
    /// Its name in the corpus and at the boundary of the module.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable_feed",
            Self::Older => "older_feed",
            Self::Incomplete => "incomplete_feed",
        }
    }
}

impl fmt::Display for FeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "the answer is not a list of generations",
            Self::Older => "the feed is older than what is known, or of an epoch that was left",
            Self::Incomplete => "the feed is of another epoch, and has to be read whole",
        })
    }
}

impl core::error::Error for FeedError {}

/// What a verifier knows of revoked tokens.
///
/// ```
/// use scopegate_api::claims::PrincipalKind;
/// use scopegate_edge::revocation::{Revocations, read};
///
/// let feed = br#"{"version": 2, "epoch": "first", "revision": 5, "isEverything": true,
///     "changed": [{"principal": "token", "sub": "reader", "generation": 3}]}"#;
/// let mut revocations = Revocations::default();
/// revocations.ingest(read(feed).unwrap())?;
/// assert_eq!(revocations.oldest(PrincipalKind::Token, None, "Reader"), 3);
/// assert_eq!(revocations.oldest(PrincipalKind::Token, None, "other"), 0);
/// # Ok::<(), scopegate_edge::revocation::FeedError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revocations {
    version: u32,
    epoch: Option<String>,
    /// The epochs before this one. None of them is taken again.
    left: Vec<String>,
    /// INVARIANT: lower than before only with another epoch, or where the feed has none.
    revision: i64,
    /// Whether the next answer has to be everything. What is known stays until then.
    is_incomplete: bool,
    /// The oldest good generation: of one principal, or of all of a kind or of a provider.
    oldest: BTreeMap<String, i64>,
}

/// A kind of principal, its provider and its subject as one text: a map of texts takes 3 KB less of
/// a module than one of three fields. No provider's name has a NUL.
fn key(kind: PrincipalKind, provider: Option<&str>, sub: Option<&str>) -> String {
    let kind = match kind {
        PrincipalKind::Token => "t",
        PrincipalKind::Admin => "a",
        PrincipalKind::ServicePrincipal => "s",
        PrincipalKind::Identity => "i",
        PrincipalKind::Anonymous => "n",
    };
    let (separator, sub) = sub.map_or(("", ""), |sub| ("\0", sub));
    [kind, provider.unwrap_or_default(), separator, sub].concat()
}

impl Revocations {
    /// What to ask the feed with: the last change that is known, or 0 where everything is wanted.
    #[must_use]
    pub fn revision(&self) -> i64 {
        if self.is_incomplete { 0 } else { self.revision }
    }

    /// The epoch of the feed, once one is known. Another one is a sign to read the issuer's keys
    /// again: they may have been replaced with it.
    #[must_use]
    pub fn epoch(&self) -> Option<&str> {
        self.epoch.as_deref()
    }

    /// Whether an answer says nothing new.
    #[must_use]
    pub fn has(&self, update: &Generations) -> bool {
        let is_same = self.version == update.version && self.epoch == update.epoch;
        is_same
            && self.revision == update.revision
            && !self.is_incomplete
            && !update.is_everything
            && update.changed.is_empty()
    }

    /// Takes an answer of the feed.
    ///
    /// # Errors
    ///
    /// [`FeedError::Older`], [`FeedError::Incomplete`].
    pub fn ingest(&mut self, update: Generations) -> Result<(), FeedError> {
        self.take(&Update::of(&update))
    }

    /// As [`ingest`](Self::ingest).
    pub(crate) fn take(&mut self, update: &Update<'_>) -> Result<(), FeedError> {
        let is_same_epoch = self.epoch.as_deref() == update.epoch;
        // After an answer with an epoch, an answer without one is refused: a server of the release
        // before cannot follow epochs.
        let is_left = match update.epoch {
            Some(epoch) => self.left.iter().any(|left| left == epoch),
            None => self.epoch.is_some(),
        };
        let is_behind = is_same_epoch && update.epoch.is_some() && update.revision < self.revision;
        if is_left || is_behind {
            return Err(FeedError::Older);
        }
        // Another version names the same principals in another way.
        let is_same = is_same_epoch && self.version == update.version;
        if !is_same && !update.is_everything {
            self.is_incomplete = true;
            return Err(FeedError::Incomplete);
        }
        if update.is_everything {
            if !is_same_epoch {
                self.left.extend(self.epoch.take());
                self.epoch = update.epoch.map(str::to_owned);
            }
            self.version = update.version;
            self.oldest = BTreeMap::new();
        }
        self.revision = update.revision;
        self.is_incomplete = false;
        for Change { principal, provider, sub, generation: newer } in &update.changed {
            let generation = self.oldest.entry(key(*principal, *provider, *sub)).or_default();
            *generation = (*newer).max(*generation);
        }
        Ok(())
    }

    /// The oldest generation of this principal that is still good.
    #[must_use]
    pub fn oldest(&self, principal: PrincipalKind, provider: Option<&str>, sub: &str) -> i64 {
        let of = |provider: Option<&str>, sub: Option<&str>| {
            self.oldest.get(&key(principal, provider, sub)).copied().unwrap_or_default()
        };
        let of_one = of(provider, Some(&sub.to_ascii_lowercase()));
        of_one.max(of(provider, None)).max(of(None, None))
    }

    /// Whether a token is revoked. One that does not say whom it is for and of which generation it
    /// is could not be, and counts as revoked. So does one of another epoch, and an identity's that
    /// names no provider, where the feed tells them apart.
    #[must_use]
    pub fn has_revoked(&self, claims: &AccessClaims) -> bool {
        let (Some(principal), Some(generation)) = (claims.principal, claims.generation) else {
            return true;
        };
        if self.epoch.is_some() && self.epoch != claims.epoch {
            return true;
        }
        // Only identities have providers; a name of one in another token says nothing.
        let provider = claims.provider.as_deref().filter(|_| principal == PrincipalKind::Identity);
        let is_unnamed = provider.is_none_or(|name| name.contains('\0'));
        if principal == PrincipalKind::Identity && is_unnamed && self.version >= VERSION {
            return true;
        }
        let oldest = self.oldest(principal, provider, &claims.sub);
        i64::try_from(generation).map_or(true, |generation| generation < oldest)
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;
    use alloc::string::ToString as _;
    use alloc::vec;

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
        let mut revoked = Revocations::default();
        revoked.ingest(from_value(feed).unwrap()).unwrap();
        for (provider, sub, generation, is_good) in [
            (Some("ci"), "other", 3, true),
            (Some("ci"), "other", 2, false),
            (Some("ci"), "Octo", 6, false),
            (Some("ci"), "Octo", 7, true),
            (Some("gone"), "octo", 8, false),
            (Some("second"), "octo", 0, true),
            (None, "octo", 100, false),
            // No name is another one.
            (Some("ci\0octo"), "octo", 100, false),
            (Some("second\0octo"), "octo", 100, false),
        ] {
            let claims = token(provider, sub, generation);
            assert_eq!(!revoked.has_revoked(&claims), is_good, "{provider:?} {sub} {generation}");
        }
    }

    /// A database that was restored is another epoch: its revisions may be lower, and tokens from
    /// before are refused.
    #[test]
    fn fault_9_an_epoch_that_was_left_is_refused() {
        let news = |epoch: &str, revision: i64, is_everything: bool| {
            from_value(json!({ "version": 2, "epoch": epoch, "revision": revision, "isEverything": is_everything, "changed": [] }))
                .unwrap()
        };
        let mut revoked = Revocations::default();
        for (epoch, revision, is_everything, is_taken, known) in [
            ("a", 15, true, true, 15),
            ("a", 16, false, true, 16),
            // Another server of the same epoch that is behind, or a database that was restored
            // without a new epoch.
            ("a", 5, true, false, 16),
            // A new epoch has to be read from its beginning.
            ("b", 6, false, false, 0),
            ("b", 6, true, true, 6),
            ("b", 7, false, true, 7),
            ("a", 99, true, false, 7),
            ("a", 99, false, false, 7),
            ("c", 1, true, true, 1),
            ("b", 99, true, false, 1),
        ] {
            let taken = revoked.ingest(news(epoch, revision, is_everything)).is_ok();
            assert_eq!((taken, revoked.revision()), (is_taken, known), "{epoch} {revision}");
        }
        let of = |epoch: Option<&str>| AccessClaims {
            epoch: epoch.map(ToOwned::to_owned),
            ..token(Some("ci"), "octo", 100)
        };
        assert!(!revoked.has_revoked(&of(Some("c"))));
        assert!(revoked.has_revoked(&of(Some("a"))) && revoked.has_revoked(&of(None)));
    }

    type Row<'a> = (u32, &'a str, i64, bool, Result<(), FeedError>, i64);

    /// Takes answers one after the other: version, epoch, revision, whether it is everything,
    /// whether it is taken, and what is asked next. Everything up to revision 500 names the
    /// reader's generation 1, and after that 900.
    #[track_caller]
    fn check_answers(rows: &[Row<'_>]) {
        let mut revoked = Revocations::default();
        for (version, epoch, revision, is_everything, expected, next) in rows {
            let generation = if *revision > 500 { 900 } else { 1 };
            let changed =
                json!([{ "principal": "token", "sub": "reader", "generation": generation }]);
            let update = json!({ "version": version, "epoch": epoch, "revision": revision,
                "isEverything": is_everything, "changed": changed });
            let before = revoked.clone();
            let taken = revoked.ingest(read(update.to_string().as_bytes()).unwrap());
            assert_eq!((taken, revoked.revision()), (*expected, *next), "{update}");
            let oldest = |known: &Revocations| known.oldest(PrincipalKind::Token, None, "reader");
            let stays = taken.is_err() || revoked.epoch == before.epoch;
            assert!(!stays || oldest(&revoked) >= oldest(&before), "{update}");
        }
    }

    /// What to ask with and what is known are two things: an answer of another epoch does not open
    /// the way for an older one of this.
    #[test]
    fn a_refused_answer_does_not_forget_the_revision() {
        let (older, incomplete) = (Err(FeedError::Older), Err(FeedError::Incomplete));
        check_answers(&[
            (2, "a", 1000, true, Ok(()), 1000),
            (2, "a", 500, true, older, 1000),
            (2, "other", 1001, false, incomplete, 0),
            (2, "a", 500, true, older, 0),
            (2, "a", 500, false, older, 0),
            (2, "a", 1000, true, Ok(()), 1000),
            (2, "other", 1001, false, incomplete, 0),
            // Of this epoch, and all that changed since what is known.
            (2, "a", 1001, false, Ok(()), 1001),
            (2, "a", 1000, false, older, 1001),
            // The same by way of another version.
            (1, "a", 1002, false, incomplete, 0),
            (2, "a", 500, true, older, 0),
            (1, "a", 500, true, older, 0),
            (2, "a", 1002, true, Ok(()), 1002),
            (2, "other", 1, true, Ok(()), 1),
            (2, "a", 2000, true, older, 1),
            (2, "a", 2000, false, older, 1),
        ]);
    }

    /// Two versions in turn, of servers before and after an upgrade, are one epoch.
    #[test]
    fn another_version_leaves_no_epoch() {
        let (older, incomplete) = (Err(FeedError::Older), Err(FeedError::Incomplete));
        check_answers(&[
            (2, "a", 600, true, Ok(()), 600),
            (1, "a", 600, true, Ok(()), 600),
            (2, "a", 600, false, incomplete, 0),
            (2, "a", 599, true, older, 0),
            (2, "a", 600, true, Ok(()), 600),
            (2, "a", 601, false, Ok(()), 601),
            (1, "a", 602, true, Ok(()), 602),
            (2, "b", 600, true, Ok(()), 600),
            (1, "a", 603, true, older, 600),
            (2, "b", 600, false, Ok(()), 600),
        ]);
    }

    /// An answer that says nothing new is one to take while everything is wanted.
    #[test]
    fn nothing_new_ends_the_wait_for_everything() {
        let news = |epoch: &str, is_everything: bool| {
            let update = json!({ "version": 2, "epoch": epoch, "revision": 9,
                "isEverything": is_everything, "changed": [] });
            read(update.to_string().as_bytes()).unwrap()
        };
        let mut revoked = Revocations::default();
        revoked.ingest(news("a", true)).unwrap();
        assert!(revoked.has(&news("a", false)));
        assert_eq!(revoked.ingest(news("b", false)), Err(FeedError::Incomplete));
        assert!(!revoked.has(&news("a", false)));
        revoked.ingest(news("a", false)).unwrap();
        assert_eq!(revoked.revision(), 9);
        assert!(revoked.has(&news("a", false)));
    }

    /// A server of the release before writes neither providers nor a version.
    #[test]
    fn version_1_has_all_identities_as_one() {
        let feed = json!({ "revision": 9, "isEverything": true, "changed": [
            { "principal": "identity", "sub": null, "generation": 3 },
        ] });
        let mut revoked = Revocations::default();
        revoked.ingest(from_value(feed).unwrap()).unwrap();
        for provider in [None, Some("ci")] {
            assert!(!revoked.has_revoked(&token(provider, "octo", 3)), "{provider:?}");
            assert!(revoked.has_revoked(&token(provider, "octo", 2)), "{provider:?}");
        }
    }

    /// From the gateway: other words of a subject, all of a kind, and what the feed takes back.
    #[test]
    fn generations_follow_each_other() {
        let of = |principal: Option<PrincipalKind>, sub: &str, generation: Option<u64>| {
            AccessClaims { principal, generation, ..token(None, sub, 0) }
        };
        let of_token = |sub: &str, generation| of(Some(PrincipalKind::Token), sub, generation);
        let mut revoked = Revocations::default();
        for (revision, is_everything, sub, newer, good, bad) in [
            (
                5,
                true,
                json!("reader"),
                3,
                vec![("Reader", 3), ("READER", 4), ("other", 0)],
                vec![("Reader", 2)],
            ),
            (7, false, json!("other"), 7, vec![("other", 7)], vec![("other", 6), ("reader", 2)]),
            (8, false, json!(null), 8, vec![("anybody", 8)], vec![("anybody", 7)]),
            (9, true, json!("nobody"), 1, vec![("anybody", 0)], vec![]),
        ] {
            let changed = json!([{ "principal": "token", "sub": sub, "generation": newer }]);
            let update =
                json!({ "revision": revision, "isEverything": is_everything, "changed": changed });
            let update = read(update.to_string().as_bytes()).unwrap();
            assert!(!revoked.has(&update));
            revoked.ingest(update).unwrap();
            assert_eq!(revoked.revision(), revision);
            for (sub, generation) in good {
                assert!(
                    !revoked.has_revoked(&of_token(sub, Some(generation))),
                    "{sub} {generation}"
                );
            }
            for (sub, generation) in bad {
                assert!(
                    revoked.has_revoked(&of_token(sub, Some(generation))),
                    "{sub} {generation}"
                );
            }
        }
        for claims in [
            of_token("reader", None),
            of(None, "reader", Some(9)),
            of_token("reader", Some(u64::MAX)),
        ] {
            assert!(revoked.has_revoked(&claims), "{claims:?}");
        }
        // Of A to Z alone: to other readers the Kelvin sign is a k.
        let changed = json!([{ "principal": "token", "sub": "kelvin", "generation": 4 }]);
        let update = json!({ "revision": 10, "isEverything": false, "changed": changed });
        revoked.ingest(read(update.to_string().as_bytes()).unwrap()).unwrap();
        assert!(revoked.has_revoked(&of_token("KELVIN", Some(3))));
        assert!(!revoked.has_revoked(&of_token("\u{212a}elvin", Some(3))));
    }

    /// A version 3 whose list was empty took revocations back.
    #[test]
    fn other_versions_and_an_empty_epoch_are_refused() {
        for (name, other) in [("version", json!(3)), ("version", json!(0)), ("epoch", json!(""))] {
            let mut feed = json!({ "version": 2, "epoch": "a", "revision": 9, "isEverything": true, "changed": [] });
            assert!(read(feed.to_string().as_bytes()).is_some());
            feed[name] = other;
            assert!(read(feed.to_string().as_bytes()).is_none(), "{feed}");
        }
    }

    #[test]
    fn texts_of_the_feed() {
        let whole = json!({ "version": 2, "epoch": "a", "revision": 9, "isEverything": false, "changed": [
            { "principal": "identity", "provider": "ci", "sub": "octo", "generation": 7 },
            { "principal": "token", "sub": null, "generation": 0 },
        ] });
        let same = |value: &serde_json::Value| {
            let own = read(value.to_string().as_bytes());
            assert_eq!(own, from_value(value.clone()).ok(), "{value}");
        };
        same(&whole);
        for name in ["version", "epoch", "revision", "isEverything", "changed"] {
            for other in [json!(null), json!("x"), json!(1), json!([7]), json!(false), json!(1.5)] {
                let mut value = whole.clone();
                value[name] = other;
                same(&value);
            }
            let mut value = whole.clone();
            value.as_object_mut().unwrap().remove(name);
            same(&value);
        }
        let mut nul = whole.clone();
        nul["changed"][0]["provider"] = json!("c\0i");
        for text in ["", "{}", "[]", "<html>", &nul.to_string()] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }
}

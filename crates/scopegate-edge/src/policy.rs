//! The policy bundle, and what it gives the holder of a token.
//!
//! The token server signs a bundle ([`scopegate_api::bundle`]) as it signs tokens, for an audience
//! that no token has: neither is ever taken for the other. A host that has one does not only ask
//! what a token was given; it asks what its holder may have now, and grants what both say. That is
//! never more than either of them alone. A principal that is not listed is deleted, and has no
//! rights.
//!
//! Left out: the bundle's signature, which is the host's to verify before anything here is read;
//! anything that outlives the process.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use scopegate_api::bundle::{Bundle, FIRST_VERSION, Listed, VERSION, audience};
use scopegate_api::claims::{AccessClaims, PrincipalKind};
use scopegate_core::verify::Grant;
use scopegate_core::{Action, ActionSet, RepositoryName, Settings, Table};

use crate::accept::{Expected, LEEWAY, is_over};
use crate::jws;

/// Why a bundle is refused. The one that is held stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BundleError {
    /// It is no bundle, or one of a form that is not known.
    Form,
    /// It is of another issuer, or for another registry.
    Audience,
    /// It is not valid yet, or not any more.
    Time,
    /// It is older than the one that is held.
    Older,
    /// It is of an epoch that was left: of a database before it was restored, or of a server that
    /// still has it.
    Epoch,
    /// A table in it is invalid, or a principal has a table that is not in it.
    Table,
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "the bundle cannot be read",
            Self::Audience => "the bundle is of another issuer, or for another registry",
            Self::Time => "the bundle is not valid at this time",
            Self::Older => "the bundle is older than the one that is held",
            Self::Epoch => "the bundle is of an epoch that was left; run `scopegate-server restore` if its database was put back",
            Self::Table => "the bundle holds an invalid table",
        })
    }
}

impl core::error::Error for BundleError {}

/// A bundle that was taken over: what a host decides by.
#[derive(Debug)]
pub struct Policy {
    epoch: Option<String>,
    /// The epochs before this one. None of them is taken again.
    left: BTreeSet<String>,
    revision: i64,
    exp: u64,
    tables: Vec<Table<Vec<u8>>>,
    version: u32,
    of_one: BTreeMap<(PrincipalKind, Option<String>, String), Rights>,
    /// All of a kind, or all of a provider.
    of_everybody: BTreeMap<(PrincipalKind, Option<String>), Rights>,
}

#[derive(Debug)]
struct Rights {
    generation: i64,
    /// INVARIANT: each is the index of a table of the policy.
    tables: Option<Box<[usize]>>,
}

/// The principal that a valid token is for, with its current rights.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'p> {
    policy: &'p Policy,
    tables: Option<&'p [usize]>,
}

impl Policy {
    /// Reads a bundle whose signature was verified. It must not be older than `held`, the one
    /// before, nor of an epoch that was left.
    ///
    /// Version 1 has no epochs: one that is older and yet valid when the one before is not any more
    /// comes from a server whose database was restored.
    ///
    /// # Errors
    ///
    /// [`BundleError`]: nothing of a bundle is taken when anything in it is wrong.
    pub fn read(
        payload: &[u8],
        expected: &Expected<'_>,
        held: Option<&Self>,
    ) -> Result<Self, BundleError> {
        let bundle: Bundle = serde_json::from_slice(payload).map_err(|_| BundleError::Form)?;
        if ![FIRST_VERSION, VERSION].contains(&bundle.version) {
            return Err(BundleError::Form);
        }
        if bundle.iss != expected.issuer || bundle.aud != audience(expected.service) {
            return Err(BundleError::Audience);
        }
        let has_begun = bundle.nbf <= expected.now.saturating_add(LEEWAY);
        if !has_begun || is_over(bundle.exp, expected.now) {
            return Err(BundleError::Time);
        }
        let left =
            held.map_or(Ok(BTreeSet::new()), |held| held.leave_for(&bundle, expected.now))?;
        Self::load(bundle, left)
    }

    /// The epochs that are left when a bundle replaces this one.
    fn leave_for(&self, bundle: &Bundle, now: u64) -> Result<BTreeSet<String>, BundleError> {
        if bundle.epoch == self.epoch {
            let may_go_back = self.epoch.is_none() && !self.is_in_time(now);
            let is_older = bundle.revision < self.revision && !may_go_back;
            return if is_older { Err(BundleError::Older) } else { Ok(self.left.clone()) };
        }
        // After a bundle with an epoch, a bundle without one is refused: a server of the release
        // before cannot follow epochs.
        let is_left = match &bundle.epoch {
            Some(epoch) => self.left.contains(epoch),
            None => self.epoch.is_some(),
        };
        if is_left {
            return Err(BundleError::Epoch);
        }
        Ok(self.left.iter().chain(&self.epoch).cloned().collect())
    }

    fn load(bundle: Bundle, left: BTreeSet<String>) -> Result<Self, BundleError> {
        let tables = bundle.tables.iter().map(|text| decode(text));
        let tables = tables.collect::<Option<Vec<_>>>().ok_or(BundleError::Table)?;
        let (mut of_one, mut of_everybody) = (BTreeMap::new(), BTreeMap::new());
        for Listed { principal, provider, sub, generation, tables: indices } in bundle.principals {
            let is_there = |indices: &Vec<usize>| indices.iter().all(|index| *index < tables.len());
            if !indices.as_ref().is_none_or(is_there) {
                return Err(BundleError::Table);
            }
            let rights = Rights { generation, tables: indices.map(Vec::into_boxed_slice) };
            // A principal that is listed twice would be ambiguous.
            let twice = match sub {
                Some(sub) => of_one.insert((principal, provider, sub), rights),
                None => of_everybody.insert((principal, provider), rights),
            };
            if twice.is_some() {
                return Err(BundleError::Form);
            }
        }
        let Bundle { version, epoch, revision, exp, .. } = bundle;
        Ok(Self { epoch, left, revision, exp, tables, version, of_one, of_everybody })
    }

    /// The last change that is known.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// Whether it may still be decided by, at a time in seconds since 1970.
    #[must_use]
    pub fn is_in_time(&self, now: u64) -> bool {
        !is_over(self.exp, now)
    }

    /// The holder of a verified token; `None` for a token that has ended, for a principal that is
    /// deleted, and for a token that names neither its principal nor its generation.
    #[must_use]
    pub fn holder(&self, claims: &AccessClaims) -> Option<Holder<'_>> {
        let (principal, generation) = (claims.principal?, i64::try_from(claims.generation?).ok()?);
        if self.epoch.is_some() && self.epoch != claims.epoch {
            return None;
        }
        // Only identities have providers, and only in version 2.
        let has_provider = principal == PrincipalKind::Identity && self.version >= VERSION;
        let provider = if has_provider { Some(claims.provider.clone()?) } else { None };
        let of_one = (principal, provider.clone(), claims.sub.to_ascii_lowercase());
        let of_one = self.of_one.get(&of_one);
        let rights = of_one.or_else(|| self.of_everybody.get(&(principal, provider)))?;
        let is_good = generation >= rights.generation;
        is_good.then_some(Holder { policy: self, tables: rights.tables.as_deref() })
    }
}

impl<'p> Holder<'p> {
    /// What a token of this holder grants at this moment.
    #[must_use]
    pub fn grants<'c>(&self, claims: &'c AccessClaims, settings: &Settings) -> Vec<Grant<'c>> {
        let grants = claims.grants();
        match self.tables {
            Some(indices) => {
                grants.map(|grant| grant.narrowed(self.tables(indices), settings)).collect()
            }
            None => grants.collect(),
        }
    }

    /// What this holder may do with a repository, asked for or not. Nothing for whom only tokens
    /// have rights.
    #[must_use]
    pub fn granted(&self, name: &str) -> ActionSet {
        let Ok(name) = RepositoryName::parse(name) else { return ActionSet::NONE };
        let tables = self.tables(self.tables.unwrap_or_default());
        tables.fold(ActionSet::NONE, |granted, table| granted.union(table.granted(name)))
    }

    /// Whether this holder may read what is said about a repository, and so may know that there is
    /// one of this name: what a filtered list of the repositories shows.
    #[must_use]
    pub fn may_list(&self, name: &str) -> bool {
        self.granted(name).contains(Action::MetadataRead)
    }

    /// Whether this holder may list a repository, and pull what is in it: what a generated index of
    /// charts tells, which repeats the contents of both.
    #[must_use]
    pub fn may_read(&self, name: &str) -> bool {
        self.may_list(name) && self.granted(name).contains(Action::Pull)
    }

    fn tables(&self, indices: &'p [usize]) -> impl Iterator<Item = &'p Table<Vec<u8>>> {
        indices.iter().filter_map(|index| self.policy.tables.get(*index))
    }
}

fn decode(text: &str) -> Option<Table<Vec<u8>>> {
    Table::load(jws::decode(text)?).ok()
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;
    use alloc::string::ToString;

    use scopegate_api::bundle::encode;
    use scopegate_core::{Catalog, ScopeMap};
    use serde_json::{Value, json};

    use super::*;
    use crate::accept::{Epoch, accept};

    const NOW: u64 = 1_800_000_000;
    const EXPECTED: Expected<'_> =
        Expected { issuer: "i", service: "s", epoch: Epoch::Unknown, now: NOW };

    fn table(rules: &[&str]) -> String {
        let map = ScopeMap::parse(rules.iter().copied()).unwrap();
        encode(Table::compile([&map]).unwrap().as_bytes())
    }

    fn bundle() -> Value {
        json!({
            "iss": "i", "aud": "bundle:s", "nbf": NOW, "exp": NOW + 300, "version": 1, "revision": 7,
            "tables": [
                table(&["repositories/team/*/content/read", "repositories/team/*/metadata/read"]),
                table(&["repositories/team/*/content/read", "repositories/list/*/metadata/read"]),
            ],
            "principals": [
                { "principal": "token", "sub": "reader", "generation": 3, "tables": [0] },
                { "principal": "token", "sub": "idle", "generation": 0, "tables": [] },
                { "principal": "identity", "sub": null, "generation": 5, "tables": null },
                { "principal": "token", "sub": "half", "generation": 0, "tables": [1] },
            ],
        })
    }

    fn read(bundle: &Value) -> Result<Policy, BundleError> {
        Policy::read(bundle.to_string().as_bytes(), &EXPECTED, None)
    }

    fn token(principal: &str, sub: &str, generation: u64, access: &[&str]) -> AccessClaims {
        let access: Vec<Value> = access
            .iter()
            .map(|scope| {
                let [kind, name, actions] = scope.split(':').collect::<Vec<_>>()[..] else {
                    panic!("{scope}");
                };
                let actions: Vec<&str> = actions.split(',').collect();
                json!({ "type": kind, "name": name, "actions": actions })
            })
            .collect();
        let claims = json!({ "jti": "j", "sub": sub, "nbf": 1, "exp": 2, "iat": 1, "iss": "i", "aud": "s", "version": "1.0", "rid": "r",
            "access": access, "roles": [], "grant_type": "access_token", "principal": principal, "generation": generation });
        serde_json::from_value(claims).unwrap()
    }

    #[test]
    fn tokens() {
        let policy = read(&bundle()).unwrap();
        let asked =
            ["repository:team/app:pull,push", "repository:other:pull", "registry:catalog:*"];
        for (principal, sub, generation, catalog, expected) in [
            ("token", "Reader", 3, Catalog::Root, Some("pull | - | -")),
            ("token", "READER", 9, Catalog::Filtered, Some("pull | - | *")),
            ("token", "reader", 2, Catalog::Root, None),
            ("token", "idle", 0, Catalog::Filtered, Some("- | - | -")),
            ("token", "gone", 9, Catalog::Root, None),
            ("service_principal", "reader", 9, Catalog::Root, None),
            ("identity", "anybody", 5, Catalog::Root, Some("pull,push | pull | *")),
            ("identity", "anybody", 4, Catalog::Root, None),
        ] {
            let claims = token(principal, sub, generation, &asked);
            let grants = policy.holder(&claims).map(|h| h.grants(&claims, &Settings { catalog }));
            let actions = |grant: &Grant<'_>| match grant.actions.to_string() {
                none if none.is_empty() => "-".into(),
                some => some,
            };
            let text = grants.map(|g| g.iter().map(actions).collect::<Vec<_>>().join(" | "));
            assert_eq!(text.as_deref(), expected, "{principal} {sub} {generation}");
        }
        for claims in [
            AccessClaims { principal: None, ..token("token", "reader", 9, &[]) },
            AccessClaims { generation: None, ..token("token", "reader", 9, &[]) },
        ] {
            assert!(policy.holder(&claims).is_none());
        }
    }

    #[test]
    fn identities_are_told_apart_by_their_provider() {
        let listed = |sub: Option<&str>, generation: u64| json!({ "principal": "identity", "provider": "ci", "sub": sub, "generation": generation, "tables": null });
        let mut bundle = bundle();
        bundle["version"] = json!(2);
        bundle["principals"] = json!([listed(None, 3), listed(Some("octo"), 7)]);
        let policy = read(&bundle).unwrap();
        for (provider, sub, generation, is_good) in [
            (Some("ci"), "other", 3, true),
            (Some("ci"), "other", 2, false),
            (Some("ci"), "Octo", 6, false),
            (Some("ci"), "Octo", 7, true),
            // A provider that is not listed is gone.
            (Some("gone"), "octo", 100, false),
            (None, "other", 100, false),
        ] {
            let provider = provider.map(ToOwned::to_owned);
            let claims = AccessClaims { provider, ..token("identity", sub, generation, &[]) };
            assert_eq!(policy.holder(&claims).is_some(), is_good, "{sub} {generation}");
        }
    }

    #[test]
    fn what_a_holder_may_see() {
        let policy = read(&bundle()).unwrap();
        for (principal, sub, name, expected) in [
            ("token", "reader", "team/app", "pull,metadata_read"),
            ("token", "reader", "team", ""),
            ("token", "reader", "TEAM/app", ""),
            ("token", "idle", "team/app", ""),
            ("token", "half", "team/app", "pull"),
            ("token", "half", "list/app", "metadata_read"),
            ("identity", "anybody", "team/app", ""),
        ] {
            let claims = token(principal, sub, 9, &[]);
            let granted = policy.holder(&claims).unwrap().granted(name);
            assert_eq!(granted.to_string(), expected, "{sub} {name}");
            let may_list = policy.holder(&claims).unwrap().may_list(name);
            assert_eq!(may_list, expected.contains("metadata_read"), "{sub} {name}");
            let may_read = policy.holder(&claims).unwrap().may_read(name);
            assert_eq!(may_read, expected == "pull,metadata_read", "{sub} {name}");
        }
    }

    #[test]
    fn bundles_that_are_refused() {
        let with = |field: &str, value: Value| {
            let mut bundle = bundle();
            bundle[field] = value;
            read(&bundle).err()
        };
        let principal = |tables: Value| json!([{ "principal": "token", "sub": "a", "generation": 0, "tables": tables }]);
        for (field, value, expected) in [
            ("revision", json!("8"), Some(BundleError::Form)),
            ("version", json!(0), Some(BundleError::Form)),
            ("version", json!(2), None),
            ("version", json!(3), Some(BundleError::Form)),
            ("iss", json!("x"), Some(BundleError::Audience)),
            ("aud", json!("s"), Some(BundleError::Audience)),
            ("aud", json!("bundle:x"), Some(BundleError::Audience)),
            ("nbf", json!(NOW + 60), None),
            ("nbf", json!(NOW + 61), Some(BundleError::Time)),
            ("exp", json!(NOW - 59), None),
            ("exp", json!(NOW - 60), Some(BundleError::Time)),
            ("tables", json!([]), Some(BundleError::Table)),
            ("tables", json!(["AAAA"]), Some(BundleError::Table)),
            ("tables", json!(["!"]), Some(BundleError::Table)),
            ("principals", principal(json!([0])), None),
            ("principals", principal(json!([2])), Some(BundleError::Table)),
            ("principals", principal(json!([-1])), Some(BundleError::Form)),
            ("access", json!([]), Some(BundleError::Form)),
        ] {
            assert_eq!(with(field, value.clone()), expected, "{field} {value}");
        }
        let twice = json!([bundle()["principals"][0], bundle()["principals"][0]]);
        assert_eq!(with("principals", twice), Some(BundleError::Form));
        for text in ["", "{}", "[]", "null"] {
            let read = Policy::read(text.as_bytes(), &EXPECTED, None);
            assert_eq!(read.err(), Some(BundleError::Form), "{text}");
        }
    }

    #[test]
    fn the_newer_one_is_held() {
        let held = read(&bundle()).unwrap();
        let (end, later) = (NOW + 360, NOW + 400);
        for (revision, now, expected) in [
            (7, NOW, None),
            (8, NOW, None),
            (6, NOW, Some(BundleError::Older)),
            (6, end - 1, Some(BundleError::Older)),
            (6, end, None),
        ] {
            let mut bundle = bundle();
            (bundle["revision"], bundle["exp"]) = (json!(revision), json!(later));
            let read = Policy::read(
                bundle.to_string().as_bytes(),
                &Expected { now, ..EXPECTED },
                Some(&held),
            );
            assert_eq!(read.err(), expected, "{revision} at {now}");
        }
        assert!(held.is_in_time(end - 1) && !held.is_in_time(end));
    }

    /// A database that was restored is another epoch: its revisions may be lower, and tokens from
    /// before are refused.
    #[test]
    fn fault_9_an_epoch_that_was_left_is_refused() {
        let bundle = |epoch: &str, revision: i64, exp: u64| {
            let mut bundle = bundle();
            bundle["version"] = json!(2);
            bundle["epoch"] = json!(epoch);
            bundle["revision"] = json!(revision);
            bundle["exp"] = json!(exp);
            bundle.to_string()
        };
        let mut held = Policy::read(bundle("a", 15, NOW).as_bytes(), &EXPECTED, None).unwrap();
        for (epoch, revision, expected) in [
            ("a", 16, None),
            ("a", 15, Some(BundleError::Older)),
            ("b", 3, None),
            ("a", 99, Some(BundleError::Epoch)),
            ("c", 1, None),
            ("b", 99, Some(BundleError::Epoch)),
            ("c", 2, None),
        ] {
            let text = bundle(epoch, revision, NOW + 400);
            // Also when the one that is held is not valid any more.
            for now in [NOW, NOW + 390] {
                let read =
                    Policy::read(text.as_bytes(), &Expected { now, ..EXPECTED }, Some(&held));
                assert_eq!(read.as_ref().err(), expected.as_ref(), "{epoch} {revision}");
            }
            if expected.is_none() {
                held = Policy::read(text.as_bytes(), &EXPECTED, Some(&held)).unwrap();
            }
        }
        let of = |epoch: Option<&str>| AccessClaims {
            epoch: epoch.map(ToOwned::to_owned),
            ..token("token", "reader", 9, &[])
        };
        assert!(held.holder(&of(Some("c"))).is_some());
        assert!(held.holder(&of(Some("a"))).is_none() && held.holder(&of(None)).is_none());
    }

    /// Neither is ever taken for the other.
    #[test]
    fn a_bundle_is_no_token() {
        assert!(accept(bundle().to_string().as_bytes(), &EXPECTED).is_err());
        let claims = serde_json::to_vec(&token("token", "reader", 9, &[])).unwrap();
        assert_eq!(Policy::read(&claims, &EXPECTED, None).err(), Some(BundleError::Form));
    }
}

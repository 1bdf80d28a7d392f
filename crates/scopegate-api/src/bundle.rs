//! Policy for the edge: the compiled scope maps of a registry, who has which, and which tokens have ended.
//!
//! The token server signs a [`Bundle`] as it signs tokens (RFC 7515, compact form), for an audience that no token has: neither is ever taken
//! for the other. A host that has one does not only ask what a token was given; it asks what its holder may have at this moment, and grants
//! what both say. That is never more than either of them alone.
//!
//! | in a bundle | means |
//! |---|---|
//! | `revision` | the last change that it knows; a host takes no older one than it holds |
//! | `nbf`, `exp` | minutes apart: whoever keeps an old bundle from being replaced does not do so for long |
//! | `tables` | compiled scope maps, each once |
//! | `principals` | everybody there is. Whoever is not listed is gone, and opens nothing |
//!
//! Left out: signatures, which are the host's to verify before anything here is read; passwords and their digests, which no edge needs.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scopegate_core::verify::Grant;
use scopegate_core::{ActionSet, RepositoryName, Settings, Table};
use serde::{Deserialize, Serialize};

use crate::claims::{AccessClaims, Expected, LEEWAY, PrincipalKind};

/// The only form that there is yet.
pub const VERSION: u32 = 1;

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
    /// [`VERSION`]
    pub version: u32,
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
    /// The `sub` of its tokens in lower case; all of the kind, when null.
    pub sub: Option<String>,
    /// The oldest generation of its tokens that is still good.
    pub generation: i64,
    /// Its scope maps, by their places in `tables`; null where only its tokens say what it may do, because a provider's claims decide it.
    pub tables: Option<Vec<usize>>,
}

/// A compiled table as a bundle has it.
#[must_use]
pub fn encode(table: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(table)
}

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
    /// A table in it is none, or somebody has a table that is not in it.
    Table,
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "the bundle cannot be read",
            Self::Audience => "the bundle is of another issuer, or for another registry",
            Self::Time => "the bundle is not valid at this time",
            Self::Older => "the bundle is older than the one that is held",
            Self::Table => "the bundle holds a table that is none",
        })
    }
}

impl core::error::Error for BundleError {}

/// A bundle that was taken over: what a host decides by.
#[derive(Debug)]
pub struct EdgePolicy {
    revision: i64,
    exp: u64,
    tables: Vec<Table<Vec<u8>>>,
    of_one: BTreeMap<(PrincipalKind, String), Rights>,
    of_everybody: BTreeMap<PrincipalKind, Rights>,
}

#[derive(Debug)]
struct Rights {
    generation: i64,
    /// INVARIANT: every place is one of a table.
    tables: Option<Box<[usize]>>,
}

/// Whoever a good token is for, with the rights of this moment.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'p> {
    policy: &'p EdgePolicy,
    tables: Option<&'p [usize]>,
}

impl EdgePolicy {
    /// Reads a bundle whose signature was verified. It must not be older than `held`, the one before, while that may be decided by.
    ///
    /// One that is older and yet valid when the one before is not any more comes from a server whose database was put back.
    ///
    /// # Errors
    ///
    /// [`BundleError`]: nothing of a bundle is taken when anything in it is wrong.
    pub fn read(
        payload: &[u8],
        expected: Expected<'_>,
        held: Option<&Self>,
    ) -> Result<Self, BundleError> {
        let bundle: Bundle = serde_json::from_slice(payload).map_err(|_| BundleError::Form)?;
        if bundle.version != VERSION {
            return Err(BundleError::Form);
        }
        if bundle.iss != expected.issuer || bundle.aud != audience(expected.service) {
            return Err(BundleError::Audience);
        }
        let has_begun = bundle.nbf <= expected.now.saturating_add(LEEWAY);
        if !has_begun || !is_before(bundle.exp, expected.now) {
            return Err(BundleError::Time);
        }
        let is_newer =
            |held: &Self| bundle.revision < held.revision && held.is_in_time(expected.now);
        if held.is_some_and(is_newer) {
            return Err(BundleError::Older);
        }
        Self::load(bundle)
    }

    fn load(bundle: Bundle) -> Result<Self, BundleError> {
        let tables = bundle.tables.iter().map(|text| decode(text));
        let tables = tables.collect::<Option<Vec<_>>>().ok_or(BundleError::Table)?;
        let (mut of_one, mut of_everybody) = (BTreeMap::new(), BTreeMap::new());
        for Listed { principal, sub, generation, tables: places } in bundle.principals {
            let is_there = |places: &Vec<usize>| places.iter().all(|place| *place < tables.len());
            if !places.as_ref().is_none_or(is_there) {
                return Err(BundleError::Table);
            }
            let rights = Rights { generation, tables: places.map(Vec::into_boxed_slice) };
            // Whoever is listed twice could be taken for either.
            let twice = match sub {
                Some(sub) => of_one.insert((principal, sub), rights),
                None => of_everybody.insert(principal, rights),
            };
            if twice.is_some() {
                return Err(BundleError::Form);
            }
        }
        Ok(Self { revision: bundle.revision, exp: bundle.exp, tables, of_one, of_everybody })
    }

    /// The last change that is known.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// Whether it may still be decided by, at a time in seconds since 1970.
    #[must_use]
    pub fn is_in_time(&self, now: u64) -> bool {
        is_before(self.exp, now)
    }

    /// Whom a verified token is for; `None` for a token that has ended, for whoever is gone, and for a token that says neither whom it is
    /// for nor of which generation it is.
    #[must_use]
    pub fn holder(&self, claims: &AccessClaims) -> Option<Holder<'_>> {
        let (principal, generation) = (claims.principal?, i64::try_from(claims.generation?).ok()?);
        let of_one = self.of_one.get(&(principal, claims.sub.to_ascii_lowercase()));
        let rights = of_one.or_else(|| self.of_everybody.get(&principal))?;
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
            Some(places) => {
                grants.map(|grant| grant.narrowed(self.tables(places), settings)).collect()
            }
            None => grants.collect(),
        }
    }

    /// What this holder may do with a repository, asked for or not. Nothing for whom only tokens have rights.
    #[must_use]
    pub fn granted(&self, name: &str) -> ActionSet {
        let Ok(name) = RepositoryName::parse(name) else { return ActionSet::NONE };
        let tables = self.tables(self.tables.unwrap_or_default());
        tables.fold(ActionSet::NONE, |granted, table| granted.union(table.granted(name)))
    }

    fn tables(&self, places: &'p [usize]) -> impl Iterator<Item = &'p Table<Vec<u8>>> {
        places.iter().filter_map(|place| self.policy.tables.get(*place))
    }
}

fn decode(text: &str) -> Option<Table<Vec<u8>>> {
    Table::load(URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

fn is_before(exp: u64, now: u64) -> bool {
    now < exp.saturating_add(LEEWAY)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use scopegate_core::{Catalog, ScopeMap};
    use serde_json::{Value, json};

    use super::*;

    const NOW: u64 = 1_800_000_000;
    const EXPECTED: Expected<'_> = Expected { issuer: "i", service: "s", now: NOW };

    fn table(rules: &[&str]) -> String {
        let map = ScopeMap::parse(rules.iter().copied()).unwrap();
        encode(Table::compile([&map]).unwrap().as_bytes())
    }

    fn bundle() -> Value {
        json!({
            "iss": "i", "aud": "bundle:s", "nbf": NOW, "exp": NOW + 300, "version": 1, "revision": 7,
            "tables": [table(&["repositories/team/*/content/read", "repositories/team/*/metadata/read"])],
            "principals": [
                { "principal": "token", "sub": "reader", "generation": 3, "tables": [0] },
                { "principal": "token", "sub": "idle", "generation": 0, "tables": [] },
                { "principal": "identity", "sub": null, "generation": 5, "tables": null },
            ],
        })
    }

    fn read(bundle: &Value) -> Result<EdgePolicy, BundleError> {
        EdgePolicy::read(bundle.to_string().as_bytes(), EXPECTED, None)
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
    fn what_a_holder_may_see() {
        let policy = read(&bundle()).unwrap();
        for (principal, sub, name, expected) in [
            ("token", "reader", "team/app", "pull,metadata_read"),
            ("token", "reader", "team", ""),
            ("token", "reader", "TEAM/app", ""),
            ("token", "idle", "team/app", ""),
            ("identity", "anybody", "team/app", ""),
        ] {
            let claims = token(principal, sub, 9, &[]);
            let granted = policy.holder(&claims).unwrap().granted(name);
            assert_eq!(granted.to_string(), expected, "{sub} {name}");
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
            ("version", json!(2), Some(BundleError::Form)),
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
            ("principals", principal(json!([1])), Some(BundleError::Table)),
            ("principals", principal(json!([-1])), Some(BundleError::Form)),
            ("access", json!([]), Some(BundleError::Form)),
        ] {
            assert_eq!(with(field, value.clone()), expected, "{field} {value}");
        }
        let twice = json!([bundle()["principals"][0], bundle()["principals"][0]]);
        assert_eq!(with("principals", twice), Some(BundleError::Form));
        for text in ["", "{}", "[]", "null"] {
            let read = EdgePolicy::read(text.as_bytes(), EXPECTED, None);
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
            let read = EdgePolicy::read(
                bundle.to_string().as_bytes(),
                Expected { now, ..EXPECTED },
                Some(&held),
            );
            assert_eq!(read.err(), expected, "{revision} at {now}");
        }
        assert!(held.is_in_time(end - 1) && !held.is_in_time(end));
    }

    /// Neither is ever taken for the other.
    #[test]
    fn a_bundle_is_no_token() {
        assert!(AccessClaims::read(bundle().to_string().as_bytes(), EXPECTED).is_none());
        let claims = serde_json::to_vec(&token("token", "reader", 9, &[])).unwrap();
        assert_eq!(EdgePolicy::read(&claims, EXPECTED, None).err(), Some(BundleError::Form));
    }
}

//! The whole decision about one request.
//!
//! ```text
//! claims accepted?        no: the token is invalid
//! status known freshly?   no: no decision
//! revoked?                yes: the token is invalid
//! what it opens           its entries, as far as its holder may have them, without a closed catalog
//! the request             forwarded as what, or refused how: the engine (scopegate_core::admission)
//! `/v2/`                  answered here
//! ```
//!
//! The order matters: an invalid token is 401 also while a feed is stale.
//!
//! Left out: what a host does before, to find the credential (signatures, passwords), and after
//! (lists that it filters, sending, logs).

use alloc::vec::Vec;

use scopegate_api::claims::AccessClaims;
use scopegate_core::admission::{
    Admission, Authority, Credential, Forward, Refusal, Request, admit,
};
use scopegate_core::route::{Endpoint, Settings as RouteSettings};
use scopegate_core::verify::Grant;
use scopegate_core::{Catalog, Settings};

use crate::accept::{Epoch, Expected};
use crate::catalog::is_open;
use crate::status::{Stale, StatusSource, TokenStatus};

/// One enforcement point, as it is at the time of a request.
#[derive(Clone, Copy, Debug)]
pub struct Edge<'e> {
    /// Who issues tokens.
    pub issuer: &'e str,
    /// Where clients get tokens, and for whom they are.
    pub authority: Authority<'e>,
    /// Whose rules hold where registries differ.
    pub routes: RouteSettings,
    /// Who may list the repositories.
    pub catalog: Catalog,
    /// Whether the host takes out of such a list what its reader may not see.
    pub can_filter: bool,
    /// Where the status of tokens is known from.
    pub status: StatusSource<'e>,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision<'a> {
    /// It goes on to the registry.
    Forward(Forward<'a>),
    /// It is answered with [`BASE`](crate::answer::BASE).
    Base,
    /// It is answered with a refusal.
    Refusal(Refusal),
    /// It is answered with [`UNAVAILABLE`](crate::answer::UNAVAILABLE).
    Unavailable(Stale),
}

/// A credential whose claims and status were checked; none has [`TokenStatus::Revoked`].
pub type Checked<'c, 's> = Credential<(&'c AccessClaims, TokenStatus<'s>)>;

impl<'e> Edge<'e> {
    /// Decides about a request at a time, in seconds since 1970. The signature of a token that is
    /// [`Credential::Valid`] was verified, and nothing else of it.
    pub fn decide<'a, H>(
        &self,
        request: Request<'a, H>,
        credential: Credential<&AccessClaims>,
        now: u64,
    ) -> Decision<'a>
    where
        H: IntoIterator<Item = (&'a [u8], &'a [u8])>,
    {
        match self.check(credential, now) {
            Ok(checked) => self.admit(request, checked),
            Err(stale) => Decision::Unavailable(stale),
        }
    }

    /// The second half of [`decide`](Self::decide), for a host that needs to know the first, too.
    pub fn admit<'a, H>(&self, request: Request<'a, H>, checked: Checked<'_, '_>) -> Decision<'a>
    where
        H: IntoIterator<Item = (&'a [u8], &'a [u8])>,
    {
        let grants;
        let credential = match checked {
            Credential::Absent => Credential::Absent,
            Credential::Invalid => Credential::Invalid,
            Credential::Valid((claims, status)) => {
                grants = self.grants(claims, status);
                Credential::Valid(grants.iter().copied())
            }
        };
        match admit(request, credential, self.authority, &self.routes) {
            Admission::Forward(forward) if forward.route.endpoint == Endpoint::Base => {
                Decision::Base
            }
            Admission::Forward(forward) => Decision::Forward(forward),
            Admission::Refusal(refusal) => Decision::Refusal(refusal),
        }
    }

    /// Checks a token whose signature was verified: its claims, and its status.
    ///
    /// # Errors
    ///
    /// [`Stale`]
    pub fn check<'c>(
        &self,
        credential: Credential<&'c AccessClaims>,
        now: u64,
    ) -> Result<Checked<'c, 'e>, Stale> {
        let Credential::Valid(claims) = credential else {
            let is_absent = credential == Credential::Absent;
            return Ok(if is_absent { Credential::Absent } else { Credential::Invalid });
        };
        if self.expected(now).check(claims).is_err() {
            return Ok(Credential::Invalid);
        }
        Ok(match self.status.status(claims, now)? {
            TokenStatus::Revoked => Credential::Invalid,
            status => Credential::Valid((claims, status)),
        })
    }

    /// What is expected of a token. Its epoch is compared where its status is known from.
    #[must_use]
    pub fn expected(&self, now: u64) -> Expected<'e> {
        let (issuer, service) = (self.issuer, self.authority.service);
        Expected { issuer, service, epoch: Epoch::Unknown, now }
    }

    /// What a token of this status opens here.
    fn grants<'c>(&self, claims: &'c AccessClaims, status: TokenStatus<'_>) -> Vec<Grant<'c>> {
        let mut grants = match status {
            TokenStatus::Active => claims.grants().collect(),
            TokenStatus::Revoked => Vec::new(),
            TokenStatus::Restricted(holder) => {
                holder.grants(claims, &Settings { catalog: self.catalog })
            }
        };
        grants.retain(|grant| is_open(grant.resource_type, self.catalog, self.can_filter));
        grants
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned as _;
    use alloc::format;
    use alloc::string::{String, ToString as _};

    use serde_json::{Value, json};

    use super::*;
    use crate::policy::Policy;
    use crate::revocation::{Revocations, read};
    use crate::status::Freshness;

    const NOW: u64 = 1_700_000_100;
    const PULL: &str = "/v2/app/manifests/v1";
    const INVALID: &str = "401 invalid_token";
    const INSUFFICIENT: &str = "401 insufficient_scope";

    fn edge(status: StatusSource<'_>) -> Edge<'_> {
        Edge {
            issuer: "scopegate",
            authority: Authority { realm: "https://r/oauth2/token", service: "s" },
            routes: RouteSettings::default(),
            catalog: Catalog::Root,
            can_filter: false,
            status,
        }
    }

    fn claims(change: impl FnOnce(&mut Value)) -> AccessClaims {
        let mut value = json!({
            "jti": "j", "sub": "Reader", "nbf": NOW - 100, "exp": NOW + 3500, "iat": NOW - 100,
            "iss": "scopegate", "aud": "s", "version": "1.0", "rid": "0", "roles": [], "grant_type": "access_token",
            "access": [
                {"type": "repository", "name": "app", "actions": ["pull"]},
                {"type": "registry", "name": "catalog", "actions": ["*"]},
            ],
            "principal": "token", "generation": 7,
        });
        change(&mut value);
        serde_json::from_value(value).unwrap()
    }

    /// The target that goes on, or the status and the error of an answer.
    fn decided(edge: &Edge<'_>, target: &str, credential: Credential<&AccessClaims>) -> String {
        let request = Request { method: "GET", target, headers: [] };
        match edge.decide(request, credential, NOW) {
            Decision::Forward(forward) => forward.target.into_owned(),
            Decision::Base => "base".to_owned(),
            Decision::Unavailable(stale) => stale.to_string(),
            Decision::Refusal(refusal) => {
                let challenge = refusal.challenge.unwrap_or_default();
                let error = challenge.split("error=").nth(1).unwrap_or_default().replace('"', "");
                format!("{} {error}", refusal.status).trim_end().to_owned()
            }
        }
    }

    #[test]
    fn requests() {
        let edge = edge(StatusSource::Expiry);
        for (target, token, expected) in [
            (PULL, claims(|_| ()), PULL),
            ("/v2/%61pp/manifests/v1", claims(|_| ()), PULL),
            ("/v2/x/../app/manifests/v1", claims(|_| ()), "400"),
            ("/v2/other/manifests/v1", claims(|_| ()), INSUFFICIENT),
            ("/v2/", claims(|_| ()), "base"),
            ("/v2", claims(|token| token["access"] = json!([])), "base"),
            ("/v2/_catalog", claims(|_| ()), "/v2/_catalog"),
            (PULL, claims(|token| token["iss"] = "other".into()), INVALID),
            (PULL, claims(|token| token["aud"] = "other".into()), INVALID),
            (PULL, claims(|token| token["exp"] = (NOW - 60).into()), INVALID),
            (PULL, claims(|token| token["exp"] = (NOW + 20_000).into()), INVALID),
            (PULL, claims(|token| token["nbf"] = (NOW + 61).into()), INVALID),
            (PULL, claims(|token| token["grant_type"] = "refresh_token".into()), INVALID),
            ("/v2/", claims(|token| token["iss"] = "other".into()), INVALID),
        ] {
            assert_eq!(decided(&edge, target, Credential::Valid(&token)), expected, "{target}");
        }
        for (target, absent, invalid) in
            [(PULL, "401", INVALID), ("/v2/", "401", INVALID), ("/v3", "404", "404")]
        {
            assert_eq!(decided(&edge, target, Credential::Absent), absent, "{target}");
            assert_eq!(decided(&edge, target, Credential::Invalid), invalid, "{target}");
        }
    }

    #[test]
    fn catalogs() {
        let token = claims(|_| ());
        for (catalog, can_filter, expected) in [
            (Catalog::Root, false, "/v2/_catalog"),
            (Catalog::Filtered, true, "/v2/_catalog"),
            (Catalog::Filtered, false, INSUFFICIENT),
            (Catalog::Never, false, INSUFFICIENT),
            (Catalog::Never, true, INSUFFICIENT),
        ] {
            let edge = Edge { catalog, can_filter, ..edge(StatusSource::Expiry) };
            let credential = Credential::Valid(&token);
            assert_eq!(decided(&edge, "/v2/_catalog", credential), expected, "{catalog:?}");
            assert_eq!(decided(&edge, PULL, credential), PULL, "{catalog:?}");
        }
    }

    #[test]
    fn revocations() {
        let mut revocations = Revocations::default();
        let (good, bad) = (claims(|_| ()), claims(|token| token["exp"] = 1.into()));
        let fresh = Freshness { updated_at: Some(NOW), max_age: 60 };
        let never = Freshness { updated_at: None, ..fresh };
        let silent = Freshness { updated_at: Some(NOW - 61), ..fresh };
        for freshness in [never, silent] {
            let edge = edge(StatusSource::Revocations(&revocations, freshness));
            assert_eq!(decided(&edge, PULL, Credential::Valid(&good)), "revocation feed stale");
            // Nothing has to be known for these.
            assert_eq!(decided(&edge, PULL, Credential::Valid(&bad)), INVALID);
            assert_eq!(decided(&edge, PULL, Credential::Invalid), INVALID);
            assert_eq!(decided(&edge, PULL, Credential::Absent), "401");
        }
        for (changed, expected) in [
            (json!([]), PULL),
            (json!([{"principal": "token", "sub": "reader", "generation": 9}]), INVALID),
        ] {
            let update = json!({"revision": 8, "isEverything": true, "changed": changed});
            revocations.ingest(read(update.to_string().as_bytes()).unwrap()).unwrap();
            let edge = edge(StatusSource::Revocations(&revocations, fresh));
            assert_eq!(decided(&edge, PULL, Credential::Valid(&good)), expected);
            let unnamed = claims(|token| token["generation"] = Value::Null);
            assert_eq!(decided(&edge, PULL, Credential::Valid(&unnamed)), INVALID);
        }
    }

    #[test]
    fn policies() {
        use scopegate_core::{ScopeMap, Table};
        let map = ScopeMap::parse(["repositories/other/content/read"]).unwrap();
        let table = scopegate_api::bundle::encode(Table::compile([&map]).unwrap().as_bytes());
        let bundle = json!({
            "iss": "scopegate", "aud": "bundle:s", "nbf": NOW, "exp": NOW + 300, "version": 1, "revision": 7, "tables": [table],
            "principals": [{ "principal": "token", "sub": "reader", "generation": 3, "tables": [0] }],
        });
        let fresh = Freshness { updated_at: Some(NOW), max_age: 60 };
        let expected = edge(StatusSource::Expiry).expected(NOW);
        let policy = Policy::read(bundle.to_string().as_bytes(), &expected, None).unwrap();
        let token = claims(|token| {
            token["access"] = json!([
                {"type": "repository", "name": "app", "actions": ["pull"]},
                {"type": "repository", "name": "other", "actions": ["pull"]},
            ]);
        });
        let gone = claims(|token| token["sub"] = "gone".into());
        let other = "/v2/other/manifests/v1";
        let held = StatusSource::Policy(Some(&policy), fresh);
        let silent = Freshness { updated_at: Some(NOW - 61), ..fresh };
        for (source, token, target, expected) in [
            (held, &token, other, other),
            (held, &token, PULL, INSUFFICIENT),
            (held, &gone, other, INVALID),
            (StatusSource::Policy(None, fresh), &token, other, "policy bundle stale"),
            (StatusSource::Policy(Some(&policy), silent), &token, other, "policy bundle stale"),
        ] {
            let decided = decided(&edge(source), target, Credential::Valid(token));
            assert_eq!(decided, expected, "{target}");
        }
        assert_eq!(held.check(NOW + 360), Err(Stale::Policy), "an old bundle, kept alive");
    }
}

//! What the edge is told: the compiled scope maps, who has which, and which tokens have ended, in
//! one signed document.
//!
//! The form is [`scopegate_api::bundle`]'s. A bundle is made when somebody asks for it: for a
//! revision, and for a minute, whichever ends first. Every server makes the same one in the same
//! minute, so that an edge behind a balancer is not sent it again by each of them.
//!
//! Left out: increments. Equal maps are written once, so what is sent grows with the names of the
//! principals: 50,000 of them are 5.2 MB, made in 60 ms.

use std::collections::HashMap;

use scopegate_api::bundle::{Bundle, Listed, VERSION, audience, encode};
use scopegate_api::claims::PrincipalKind;

use crate::domain::issue::{Issuer, SignError};
use crate::domain::principal::{ANONYMOUS, Directory, Principal};
use crate::domain::signed::Signed;
use crate::store::{Known, Revision};

/// How long the same bundle is given out, in seconds.
const EVERY: i64 = 60;
/// How long it may be decided by, in seconds: an edge that hears nothing more serves for so long at
/// most.
const LIFETIME: i64 = 5 * 60;

/// The minute for which a bundle is made.
#[must_use]
pub(crate) fn minute(now: i64) -> i64 {
    now.div_euclid(EVERY)
}

/// Makes and signs the bundle of a minute, in a version.
///
/// # Errors
///
/// [`SignError`] when the key cannot sign.
pub(crate) fn sign(
    directory: Directory<'_>,
    issuer: &Issuer,
    version: u32,
    now: i64,
) -> Result<Signed, SignError> {
    let Known { epoch, revision, .. } = Known::from(&directory.policy.registry);
    let minute = minute(now);
    let text = issuer.sign(&bundle(directory, issuer, version, minute), now)?;
    let tag = format!("W/\"{version}-{epoch}-{revision}-{minute}\"");
    Ok(Signed { tag, text: text.into() })
}

fn bundle(directory: Directory<'_>, issuer: &Issuer, version: u32, minute: i64) -> Bundle {
    let (policy, from) = (directory.policy, minute.saturating_mul(EVERY));
    let mut everybody = Everybody::default();
    for (key, token) in policy.tokens() {
        everybody.add(key, Principal::token(token, policy), token.enabled);
    }
    for (key, service) in policy.service_principals() {
        everybody.add(key, Principal::service_principal(service, policy), service.enabled);
    }
    let admin = directory.registry_name.to_ascii_lowercase();
    everybody.add(&admin, Principal::admin(&admin, policy), policy.registry.admin_enabled);
    everybody.add(ANONYMOUS, Principal::anonymous(policy), policy.registry.anonymous_pull);
    if version == VERSION {
        everybody.add_identities(directory);
    } else {
        everybody.add_identity(None, None, directory.identity_generation());
    }
    Bundle {
        iss: issuer.issuer.clone(),
        aud: audience(&issuer.service),
        nbf: from.unsigned_abs(),
        exp: from.saturating_add(LIFETIME).unsigned_abs(),
        version,
        epoch: (version == VERSION).then(|| policy.registry.epoch.clone()),
        revision: policy.revision(),
        tables: everybody.tables,
        principals: everybody.principals,
    }
}

/// Everybody there is, and their tables, each once.
#[derive(Default)]
struct Everybody {
    tables: Vec<String>,
    places: HashMap<Vec<u8>, usize>,
    principals: Vec<Listed>,
}

impl Everybody {
    fn add(&mut self, key: &str, principal: Principal, is_enabled: bool) {
        let tables = principal.tables.iter().filter(|_| is_enabled);
        let places = tables.map(|table| self.place(table.as_bytes())).collect();
        self.principals.push(Listed {
            principal: principal.kind,
            provider: None,
            sub: Some(key.to_owned()),
            generation: principal.generation,
            tables: Some(places),
        });
    }

    /// Each provider that there is, and whoever of it was revoked. A provider that is not listed is
    /// gone.
    fn add_identities(&mut self, directory: Directory<'_>) {
        let policy = directory.policy;
        for provider in policy.providers().filter(|provider| !provider.is_gone()) {
            let generation = directory.provider_generation(&provider.name);
            self.add_identity(Some(&provider.name), None, generation);
        }
        for (provider, subject, revision) in policy.revoked_identities() {
            if policy.provider(provider).is_none() {
                continue;
            }
            let generation = directory.provider_generation(provider).max(revision);
            self.add_identity(Some(provider), Some(subject), generation);
        }
    }

    fn add_identity(&mut self, provider: Option<&str>, sub: Option<&str>, generation: Revision) {
        self.principals.push(Listed {
            principal: PrincipalKind::Identity,
            provider: provider.map(ToOwned::to_owned),
            sub: sub.map(ToOwned::to_owned),
            generation,
            tables: None,
        });
    }

    fn place(&mut self, table: &[u8]) -> usize {
        if let Some(place) = self.places.get(table) {
            return *place;
        }
        let place = self.tables.len();
        self.tables.push(encode(table));
        self.places.insert(table.to_vec(), place);
        place
    }
}

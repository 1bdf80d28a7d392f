//! The policy for the edge in one signed document: the compiled scope maps, their principals, and
//! the revoked tokens.
//!
//! The form is [`scopegate_api::bundle`]'s. A bundle is made on request, and serves until the next
//! revision or minute. All servers make the same one in the same minute, so an edge behind a
//! balancer does not fetch it from each of them again.
//!
//! Left out: increments. Equal maps are written once, so the size grows with the names of the
//! principals: 50,000 of them are 5.2 MB, made in 60 ms.

use std::collections::HashMap;

use scopegate_api::bundle::{Bundle, Listed, VERSION, audience, encode};
use scopegate_api::claims::PrincipalKind;

use crate::domain::issue::{Issuer, SignError};
use crate::domain::principal::{ANONYMOUS, Directory, Principal};
use crate::domain::signed::Signed;
use crate::store::{Known, Revision};

/// How long the same bundle is served, in seconds.
const BUNDLE_INTERVAL: i64 = 60;
/// How long a bundle is valid, in seconds: the longest time that an edge decides without the
/// server.
const BUNDLE_LIFETIME: i64 = 5 * 60;

/// The minute of a bundle.
#[must_use]
pub(crate) fn minute(now: i64) -> i64 {
    now.div_euclid(BUNDLE_INTERVAL)
}

/// Builds and signs the bundle of the current minute, in a version of its format.
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
    let (policy, from) = (directory.policy, minute.saturating_mul(BUNDLE_INTERVAL));
    let mut listing = Listing::default();
    for (key, token) in policy.tokens() {
        listing.add(key, Principal::token(token, policy), token.enabled);
    }
    for (key, service) in policy.service_principals() {
        listing.add(key, Principal::service_principal(service, policy), service.enabled);
    }
    let admin = directory.registry_name.to_ascii_lowercase();
    listing.add(&admin, Principal::admin(&admin, policy), policy.registry.admin_enabled);
    listing.add(ANONYMOUS, Principal::anonymous(policy), policy.registry.anonymous_pull);
    if version == VERSION {
        listing.add_identities(directory);
    } else {
        listing.add_identity(None, None, directory.identity_generation());
    }
    Bundle {
        iss: issuer.issuer.clone(),
        aud: audience(&issuer.service),
        nbf: from.unsigned_abs(),
        exp: from.saturating_add(BUNDLE_LIFETIME).unsigned_abs(),
        version,
        epoch: (version == VERSION).then(|| policy.registry.epoch.clone()),
        revision: policy.revision(),
        tables: listing.tables,
        principals: listing.principals,
    }
}

/// The principals of a bundle and their tables, each table once.
#[derive(Default)]
struct Listing {
    tables: Vec<String>,
    table_indexes: HashMap<Vec<u8>, usize>,
    principals: Vec<Listed>,
}

impl Listing {
    fn add(&mut self, key: &str, principal: Principal, is_enabled: bool) {
        let tables = principal.tables.iter().filter(|_| is_enabled);
        let table_indexes = tables.map(|table| self.table_index(table.as_bytes())).collect();
        self.principals.push(Listed {
            principal: principal.kind,
            provider: None,
            sub: Some(key.to_owned()),
            generation: principal.generation,
            tables: Some(table_indexes),
        });
    }

    /// Adds each provider and its revoked identities. A provider that is not listed was removed.
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

    fn table_index(&mut self, table: &[u8]) -> usize {
        if let Some(index) = self.table_indexes.get(table) {
            return *index;
        }
        let index = self.tables.len();
        self.tables.push(encode(table));
        self.table_indexes.insert(table.to_vec(), index);
        index
    }
}

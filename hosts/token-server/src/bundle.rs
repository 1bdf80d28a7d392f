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
use std::sync::Arc;

use axum::http::HeaderValue;
use scopegate_api::bundle::{Bundle, FIRST_VERSION, Listed, VERSION, audience, encode};
use scopegate_api::claims::PrincipalKind;

use crate::app::App;
use crate::error::RouteError;
use crate::policy::Policy;
use crate::principal::{ANONYMOUS, Principal, identity_generation, provider_generation};
use crate::signed::Signed;
use crate::store::{Known, Revision};

/// How long the same bundle is given out, in seconds.
const EVERY: i64 = 60;
/// How long it may be decided by, in seconds: an edge that hears nothing more serves for so long at
/// most.
const LIFETIME: i64 = 5 * 60;

/// The bundle of this moment, in a version.
///
/// # Errors
///
/// [`RouteError::Signing`] when the key cannot sign.
pub async fn current(app: &Arc<App>, version: u32, now: i64) -> Result<Arc<Signed>, RouteError> {
    let minute = now.div_euclid(EVERY);
    let known = Known::from(&app.policy().registry);
    let making = Arc::clone(app);
    let made = match version {
        FIRST_VERSION => &app.bundles.first,
        _ => &app.bundles.second,
    };
    made.at(known, minute, move || sign(&making, version, minute, now)).await
}

fn sign(app: &App, version: u32, minute: i64, now: i64) -> Result<Signed, RouteError> {
    let policy = Arc::clone(&app.policy());
    let known = Known::from(&policy.registry);
    let (epoch, revision) = (&known.epoch, known.revision);
    let text =
        app.issuer.sign(&bundle(app, &policy, version, minute.saturating_mul(EVERY)), now)?;
    let tag = HeaderValue::try_from(format!("W/\"{version}-{epoch}-{revision}-{minute}\""))
        .map_err(|error| RouteError::Signing(error.to_string()))?;
    Ok(Signed { tag, text: text.into() })
}

fn bundle(app: &App, policy: &Policy, version: u32, from: i64) -> Bundle {
    let mut everybody = Everybody::default();
    for (key, token) in policy.tokens() {
        everybody.add(key, Principal::token(token, policy), token.enabled);
    }
    for (key, service) in policy.service_principals() {
        everybody.add(key, Principal::service_principal(service, policy), service.enabled);
    }
    let admin = app.registry_name.to_ascii_lowercase();
    everybody.add(&admin, Principal::admin(&admin, policy), policy.registry.admin_enabled);
    everybody.add(ANONYMOUS, Principal::anonymous(policy), policy.registry.anonymous_pull);
    if version == VERSION {
        everybody.add_identities(app, policy);
    } else {
        everybody.add_identity(None, None, identity_generation(app, policy));
    }
    Bundle {
        iss: app.issuer.issuer.clone(),
        aud: audience(&app.issuer.service),
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
    fn add_identities(&mut self, app: &App, policy: &Policy) {
        for provider in policy.providers().filter(|provider| !provider.is_gone()) {
            let generation = provider_generation(&provider.name, app, policy);
            self.add_identity(Some(&provider.name), None, generation);
        }
        for (provider, subject, revision) in policy.revoked_identities() {
            if policy.provider(provider).is_none() {
                continue;
            }
            let generation = provider_generation(provider, app, policy).max(revision);
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

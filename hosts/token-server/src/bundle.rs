//! What the edge is told: the compiled scope maps, who has which, and which tokens have ended, in one signed document.
//!
//! The form is [`scopegate_api::bundle`]'s. A bundle is made when somebody asks for it: for a revision, and for a minute, whichever ends
//! first. Every server makes the same one in the same minute, so that an edge behind a balancer is not sent it again by each of them.
//!
//! Left out: increments. Equal maps are written once, so what is sent grows with the names of the principals: 50,000 of them are
//! 5.2 MB, made in 60 ms.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::HeaderValue;
use scopegate_api::bundle::{Bundle, Listed, VERSION, audience, encode};
use scopegate_api::claims::PrincipalKind;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::app::App;
use crate::error::RouteError;
use crate::policy::Policy;
use crate::principal::{ANONYMOUS, Principal, identity_generation};
use crate::store::Revision;

/// How long the same bundle is given out, in seconds.
const EVERY: i64 = 60;
/// How long it may be decided by, in seconds: an edge that hears nothing more serves for so long at most.
const LIFETIME: i64 = 5 * 60;

/// A bundle, signed.
#[derive(Debug)]
pub struct Signed {
    /// What it is compared by: its revision and its minute.
    pub tag: HeaderValue,
    /// Header, payload and signature as a token carries them.
    pub text: Bytes,
    revision: Revision,
    minute: i64,
}

/// The bundle that was made last.
#[derive(Debug, Default)]
pub struct Bundles(Mutex<Option<Arc<Signed>>>);

impl Bundles {
    /// The bundle of this moment.
    ///
    /// # Errors
    ///
    /// [`RouteError::Signing`] when the key cannot sign.
    pub async fn current(&self, app: &Arc<App>, now: i64) -> Result<Arc<Signed>, RouteError> {
        let minute = now.div_euclid(EVERY);
        // Whoever comes meanwhile waits for the same one.
        let mut made = self.0.lock().await;
        let revision = app.policy().revision();
        let is_current = |made: &&Arc<Signed>| made.revision == revision && made.minute == minute;
        if let Some(current) = made.as_ref().filter(is_current) {
            return Ok(Arc::clone(current));
        }
        let app = Arc::clone(app);
        let signed = spawn_blocking(move || sign(&app, minute, now)).await;
        let signed = signed.map_err(|error| RouteError::Signing(error.to_string()))??;
        Ok(Arc::clone(made.insert(Arc::new(signed))))
    }
}

fn sign(app: &App, minute: i64, now: i64) -> Result<Signed, RouteError> {
    let policy = Arc::clone(&app.policy());
    let revision = policy.revision();
    let text = app.issuer.sign(&bundle(app, &policy, minute.saturating_mul(EVERY)), now)?;
    let tag = HeaderValue::try_from(format!("W/\"{revision}-{minute}\""))
        .map_err(|error| RouteError::Signing(error.to_string()))?;
    Ok(Signed { tag, text: text.into(), revision, minute })
}

fn bundle(app: &App, policy: &Policy, from: i64) -> Bundle {
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
    everybody.principals.push(Listed {
        principal: PrincipalKind::Identity,
        sub: None,
        generation: identity_generation(app, policy),
        tables: None,
    });
    Bundle {
        iss: app.issuer.issuer.clone(),
        aud: audience(&app.issuer.service),
        nbf: from.unsigned_abs(),
        exp: from.saturating_add(LIFETIME).unsigned_abs(),
        version: VERSION,
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
            sub: Some(key.to_owned()),
            generation: principal.generation,
            tables: Some(places),
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

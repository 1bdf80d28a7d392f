//! Which tokens are not good any more.
//!
//! Every token says whom it is for and that principal's generation. This list says which principals have a newer one, so that whoever
//! verifies tokens can refuse the older ones without waiting for them to expire. Ask with the revision of the last answer, every second or
//! so; the list is made from memory.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use scopegate_api::claims::PrincipalKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::Look;
use super::error::{ErrorResponse, ManagementError};
use crate::app::App;
use crate::policy::Policy;
use crate::principal::Principal;
use crate::store::{RecordKey, Revision};

/// Since when.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Since {
    /// The revision of the last answer; everything there is, when left out.
    #[serde(default)]
    since: Revision,
}

/// What changed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Generations {
    /// Ask for what comes after this the next time.
    pub revision: Revision,
    /// Whether what was known before is to be forgotten, because this is everything.
    pub is_everything: bool,
    /// Principals with a generation newer than was asked for.
    pub changed: Vec<Generation>,
}

/// A principal's generation. Tokens of an older one are not good any more.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Generation {
    /// What kind of principal, as the token's claim `principal` has it.
    #[schema(value_type = String)]
    pub principal: PrincipalKind,
    /// The `sub` of its tokens in lower case; all of the kind, when null.
    pub sub: Option<String>,
    /// The oldest generation that is still good.
    pub generation: Revision,
}

/// Lists principals with a new generation.
///
/// # Errors
///
/// [`ManagementError`] for whoever may not look.
#[utoipa::path(get, path = "/generations", tag = "edge", operation_id = "generations_list",
    params(Since),
    responses((status = 200, body = Generations), (status = "default", body = ErrorResponse)))]
pub async fn list(
    State(app): State<Arc<App>>,
    _: Look,
    Query(Since { since }): Query<Since>,
) -> Result<Json<Generations>, ManagementError> {
    let policy = Arc::clone(&app.policy());
    let revision = policy.revision();
    let is_everything = since < policy.registry.forgotten.max(1) || since > revision;
    let since = if is_everything { 0 } else { since };
    let changed = changed(&app, &policy, since);
    Ok(Json(Generations { revision, is_everything, changed }))
}

fn changed(app: &App, policy: &Policy, since: Revision) -> Vec<Generation> {
    let tokens = policy.tokens().map(|token| Principal::token(token, policy));
    let services =
        policy.service_principals().map(|service| Principal::service_principal(service, policy));
    let others = [Principal::admin(&app.registry_name, policy), Principal::anonymous(policy)];
    let present = tokens.chain(services).chain(others).map(|principal| Generation {
        principal: principal.kind,
        sub: Some(principal.subject.to_ascii_lowercase()),
        generation: principal.generation,
    });
    let departed = policy.departures().filter_map(|(what, revision)| departed(what, revision));
    let identities = identities(app, policy);
    let all = present.chain(departed).chain(identities);
    all.filter(|generation| generation.generation > since).collect()
}

/// Whoever was deleted has no tokens any more.
fn departed(what: &RecordKey, generation: Revision) -> Option<Generation> {
    let (principal, sub) = match what {
        RecordKey::Token(key) => (PrincipalKind::Token, key),
        RecordKey::ServicePrincipal(key) => (PrincipalKind::ServicePrincipal, key),
        RecordKey::ScopeMap(_) => return None,
    };
    Some(Generation { principal, sub: Some(sub.clone()), generation })
}

/// Nobody knows which identities there are; when a scope map that some are bound to lost something, the tokens of all are too old.
fn identities(app: &App, policy: &Policy) -> Option<Generation> {
    let maps = app.providers.scope_maps();
    let generations = maps.filter_map(|map| policy.scope_map(map)).map(|map| map.generation);
    let generation = generations.max()?;
    Some(Generation { principal: PrincipalKind::Identity, sub: None, generation })
}

//! Which tokens are not good any more.
//!
//! Every token says whom it is for and that principal's generation. This list says which principals have a newer one, so that whoever
//! verifies tokens can refuse the older ones without waiting for them to expire. Ask with the revision of the last answer, every second or
//! so; the list is made from memory.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use scopegate_api::claims::PrincipalKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::ReadFeeds;
use super::body::Query;
use super::error::{ErrorResponse, ManagementError};
use crate::app::App;
use crate::policy::Policy;
use crate::principal::{ANONYMOUS, admin_generation, identity_generation};
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
/// [`ManagementError`] for whoever may not read feeds.
#[utoipa::path(get, path = "/generations", tag = "edge", operation_id = "generations_list",
    params(Since),
    responses((status = 200, body = Generations), (status = "default", body = ErrorResponse)))]
pub async fn list(
    State(app): State<Arc<App>>,
    _: ReadFeeds,
    Query(Since { since }): Query<Since>,
) -> Result<Json<Generations>, ManagementError> {
    let policy = Arc::clone(&app.policy());
    let revision = policy.revision();
    let is_everything = policy.registry.must_be_read_whole(since);
    let since = if is_everything { 0 } else { since };
    let changed = changed(&app, &policy, since);
    Ok(Json(Generations { revision, is_everything, changed }))
}

/// Whoever has a generation newer than `since`. Generations alone are compared, so that a poll of a registry with the most tokens that
/// there may be costs little, and one after which nothing was written costs nothing.
fn changed(app: &App, policy: &Policy, since: Revision) -> Vec<Generation> {
    if since == policy.revision() {
        return Vec::new();
    }
    let mut changed = Vec::new();
    let mut note = |principal, sub: Option<&str>, generation| {
        if generation > since {
            changed.push(Generation { principal, sub: sub.map(ToOwned::to_owned), generation });
        }
    };
    for (key, token) in policy.tokens() {
        note(PrincipalKind::Token, Some(key), token.generation(policy));
    }
    for (key, service) in policy.service_principals() {
        note(PrincipalKind::ServicePrincipal, Some(key), service.generation(policy));
    }
    for (what, revision) in policy.departures() {
        match what {
            // Whoever was deleted has no tokens any more.
            RecordKey::Token(key) => note(PrincipalKind::Token, Some(key), revision),
            RecordKey::ServicePrincipal(key) => {
                note(PrincipalKind::ServicePrincipal, Some(key), revision);
            }
            RecordKey::ScopeMap(_) => {}
        }
    }
    let admin = app.registry_name.to_ascii_lowercase();
    note(PrincipalKind::Admin, Some(&admin), admin_generation(policy));
    note(PrincipalKind::Anonymous, Some(ANONYMOUS), policy.registry.anonymous_generation);
    note(PrincipalKind::Identity, None, identity_generation(app, policy));
    changed
}

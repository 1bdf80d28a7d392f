//! Passwords: of tokens, and of the admin account.
//!
//! A generated password is only in the answer to the request that created it. So `az acr credential
//! show` shows the admin's passwords the first time; later they have no value, and `az acr
//! credential renew` makes new ones. The service shows them every time, and so has to store them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use jiff::fmt::temporal::Pieces;

use super::access::Change;
use super::body::Body;
use super::documents::{CredentialsDocument, GenerateBody, NamedPassword, PasswordDocument};
use super::error::{ErrorResponse, ManagementError};
use crate::app::App;
use crate::app::watch::commit;
use crate::clock::rfc3339;
use crate::domain::edit::passwords::{self, Generated};
use crate::domain::edit::registry;
use crate::store::PasswordRecord;

/// Generates passwords of a token: the named one, or both.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; not found.
#[utoipa::path(post, path = "/generateCredentials", tag = "tokens", operation_id = "generate_credentials",
    request_body = GenerateBody,
    responses((status = 200, body = CredentialsDocument), (status = "default", body = ErrorResponse)))]
pub(crate) async fn generate(
    State(app): State<Arc<App>>,
    Change(permit): Change,
    Body(body): Body<GenerateBody>,
) -> Result<Json<CredentialsDocument>, ManagementError> {
    let name = permit.ids.name("tokens", &body.token_id)?;
    let expires_at = body.expiry.as_deref().map(expiry).transpose()?.flatten();
    let mut write = permit.store.write().await?;
    let (token, generated) = passwords::generate(&mut write, name, body.name, expires_at).await?;
    commit(&app, write).await?;
    Ok(Json(CredentialsDocument {
        username: token.name,
        passwords: documents(generated, &token.passwords),
    }))
}

/// Lists the admin's passwords; missing ones are generated.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; the account is disabled.
#[utoipa::path(post, path = "/listCredentials", tag = "registry", operation_id = "list_credentials",
    responses((status = 200, body = CredentialsDocument), (status = "default", body = ErrorResponse)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Change(permit): Change,
) -> Result<Json<CredentialsDocument>, ManagementError> {
    let mut write = permit.store.write().await?;
    let (registry, generated) = registry::admin_passwords(&mut write).await?;
    if !generated.is_empty() {
        commit(&app, write).await?;
    }
    let passwords = in_order(documents(generated, &registry.admin_passwords));
    Ok(Json(CredentialsDocument { username: app.settings.registry_name.clone(), passwords }))
}

/// Regenerates one of the admin's passwords.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; the account is disabled.
#[utoipa::path(post, path = "/regenerateCredential", tag = "registry", operation_id = "regenerate_credential",
    request_body = NamedPassword,
    responses((status = 200, body = CredentialsDocument), (status = "default", body = ErrorResponse)))]
pub(crate) async fn regenerate(
    State(app): State<Arc<App>>,
    Change(permit): Change,
    Body(body): Body<NamedPassword>,
) -> Result<Json<CredentialsDocument>, ManagementError> {
    let mut write = permit.store.write().await?;
    let (registry, generated) = registry::regenerate_admin_password(&mut write, body.name).await?;
    commit(&app, write).await?;
    let passwords = in_order(documents(vec![generated], &registry.admin_passwords));
    Ok(Json(CredentialsDocument { username: app.settings.registry_name.clone(), passwords }))
}

/// The generated passwords with their values, then the others without: clients read the first one.
fn documents(generated: Vec<Generated>, all: &[PasswordRecord]) -> Vec<PasswordDocument> {
    let is_new = |name| generated.iter().any(|password| password.name == name);
    let stayed: Vec<_> =
        all.iter().filter(|password| !is_new(password.name)).map(PasswordDocument::known).collect();
    generated.into_iter().map(PasswordDocument::from).chain(stayed).collect()
}

/// The admin's passwords, ordered by name.
fn in_order(mut passwords: Vec<PasswordDocument>) -> Vec<PasswordDocument> {
    passwords.sort_by_key(|password| password.name);
    passwords
}

/// When a password or a secret expires, in seconds since 1970. The year 9999 is how clients of the
/// service write never.
pub(super) fn expiry(text: &str) -> Result<Option<i64>, ManagementError> {
    if Pieces::parse(text).is_ok_and(|pieces| pieces.date().year() == 9999) {
        return Ok(None);
    }
    text.parse::<Timestamp>().map(|time| Some(time.as_second())).map_err(|_| {
        ManagementError::BadRequest(
            "`expiry` is not a time; write one like 2027-01-01T00:00:00Z".into(),
        )
    })
}

impl From<Generated> for PasswordDocument {
    fn from(password: Generated) -> Self {
        Self {
            name: password.name.as_str(),
            value: Some(password.value),
            creation_time: rfc3339(password.created_at),
            expiry: password.expires_at.map(rfc3339),
        }
    }
}

//! `POST /{tenant}/oauth2/v2.0/devicecode`: begins a sign-in by device code.
//!
//! The provider is asked for a code, and what it says is handed on. The device code of the answer
//! is ours, and holds the provider's.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use uuid::Uuid;

use super::{MAX_SCOPE, is_client, is_of_a_page};
use crate::app::App;
use crate::clock;
use crate::domain::identity::provider::login::DeviceAuthorization;
use crate::domain::login::device::{DeviceRequest, MAX_LIFETIME};
use crate::http::answer::json;
use crate::http::context::Context;
use crate::http::error::RouteError;
use crate::http::oauth::oauth_error::{OAuthError, invalid_request, refused};
use crate::http::oauth::parameters::Parameters;
use crate::http::oauth::tenant::{audience, check_tenant, form};

/// The answer (RFC 8628, section 3.2), with a sentence that `az` shows.
#[derive(Serialize)]
struct DeviceAnswer {
    device_code: String,
    user_code: String,
    verification_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_uri_complete: Option<String>,
    expires_in: i64,
    interval: i64,
    message: String,
}

/// `POST /{tenant}/oauth2/v2.0/devicecode`
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    context: Context,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if is_of_a_page(&headers) {
        return OAuthError::invalid("a device asks for a code, and no page").into_response();
    }
    let begun = match form(query.as_deref(), &body) {
        Ok(form) => begin(&app, &context, &tenant, &form).await,
        Err(error) => Err(error),
    };
    match begun {
        Ok(body) => json(StatusCode::OK, &body),
        Err(error) => error.into_response(),
    }
}

async fn begin(
    app: &App,
    context: &Context,
    tenant: &str,
    form: &Parameters<'_>,
) -> Result<DeviceAnswer, OAuthError> {
    check_tenant(app, tenant)?;
    let one = |name| form.one(name).map_err(invalid_request);
    let client_id = one("client_id")?.filter(|id| is_client(id));
    let client_id = client_id.ok_or(OAuthError::invalid("no client_id, a GUID"))?;
    let scope = one("scope")?.filter(|scope| scope.len() <= MAX_SCOPE);
    let scope = scope.ok_or(OAuthError::invalid("no scope, or one that is too long"))?;
    audience(app, scope)?;
    let provider = app.providers.login().ok_or(OAuthError::bad_request(
        "unauthorized_client",
        "people do not sign in at this server: no provider has `login`",
    ))?;
    let checked = app.guard_of(context.listener).check_login(context.address);
    checked.map_err(RouteError::from).map_err(refused)?;
    let now = clock::now();
    let begun = provider.begin_device(now).await.map_err(RouteError::from).map_err(refused)?;
    let DeviceAuthorization { device_code, user_code, verification_uri, .. } = begun;
    let (interval, lifetime) = (begun.interval.max(1), begun.expires_in.min(MAX_LIFETIME));
    let request = DeviceRequest {
        id: Uuid::new_v4().to_string(),
        provider: provider.name().to_owned(),
        device_code,
        interval: u32::try_from(interval).unwrap_or(u32::MAX),
        client_id: client_id.to_owned(),
        scope: scope.to_owned(),
    };
    let device_code = request.sign(&app.issuer, lifetime, now);
    let device_code = device_code.map_err(RouteError::from).map_err(refused)?;
    let message = format!(
        "To sign in, use a web browser to open the page {verification_uri} and enter the code {user_code} to authenticate."
    );
    let verification_uri_complete = begun.verification_uri_complete;
    Ok(DeviceAnswer {
        device_code,
        user_code,
        verification_uri,
        verification_uri_complete,
        expires_in: lifetime,
        interval,
        message,
    })
}

//! The built-in authority: tokens for `az login --service-principal`, from client ids and secrets.
//!
//! Follows the client credentials grant of RFC 6749 (section 4.4) and OpenID Connect Discovery as
//! far as Azure's clients need them. With it no identity provider is needed to manage a registry:
//! `administrator` is a client like any other. [`authority`] defines its tokens. Where the
//! configuration names a provider for it, people sign in too, which is [`login`](super::login)'s.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json as object};

use super::login::grants;
use super::oauth_error::{OAuthError, invalid_request, refused};
use super::parameters::Parameters;
use super::tenant::{audience, authority_of, check_tenant, form};
use crate::app::App;
use crate::app::watch::has_changed;
use crate::clock;
use crate::domain::authority;
use crate::domain::identity::provider::login::DEVICE_GRANT;
use crate::domain::principal::{AuthError, Client};
use crate::http::answer::json;
use crate::http::context::Context;
use crate::http::error::RouteError;
use crate::http::sign_ins;
use crate::model::audit::Actor;

/// `GET /{tenant}/v2.0/.well-known/openid-configuration`
pub(crate) async fn discovery(State(app): State<Arc<App>>, Path(tenant): Path<String>) -> Response {
    if let Err(error) = check_tenant(&app, &tenant) {
        return error.into_response();
    }
    let url = app.settings.management_url();
    // The keys are where registries read them.
    let public_url = &app.settings.public_url;
    let (grants, responses, methods): (&[_], &[_], &[_]) = match app.providers.login() {
        None => (&["client_credentials"], &["token"], &["client_secret_post"]),
        Some(_) => (
            &["authorization_code", "client_credentials", DEVICE_GRANT, "refresh_token"],
            &["code"],
            &["client_secret_post", "none"],
        ),
    };
    let document = object!({
        "issuer": authority_of(&app, &app.policy().registry.tenant),
        "authorization_endpoint": format!("{url}/{tenant}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{url}/{tenant}/oauth2/v2.0/token"),
        "device_authorization_endpoint": format!("{url}/{tenant}/oauth2/v2.0/devicecode"),
        "revocation_endpoint": format!("{public_url}/oauth2/revoke"),
        "jwks_uri": format!("{public_url}/.well-known/jwks.json"),
        "grant_types_supported": grants,
        "response_types_supported": responses,
        "response_modes_supported": ["form_post", "query"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported":
            ["none", "client_secret_basic", "client_secret_post"],
    });
    json(StatusCode::OK, &document)
}

/// `POST /{tenant}/oauth2/v2.0/token`
pub(crate) async fn token(
    State(app): State<Arc<App>>,
    context: Context,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let issued = match form(query.as_deref(), &body) {
        Ok(form) => issue(&app, &context, &tenant, &form).await,
        Err(error) => Err(error),
    };
    match issued {
        Ok(body) => json(StatusCode::OK, &body),
        Err(error) => {
            if error.status == StatusCode::UNAUTHORIZED {
                app.guard_of(context.listener).failed(context.address);
            }
            error.into_response()
        }
    }
}

async fn issue(
    app: &App,
    context: &Context,
    tenant: &str,
    form: &Parameters<'_>,
) -> Result<Value, OAuthError> {
    check_tenant(app, tenant)?;
    match form.one("grant_type").map_err(invalid_request)? {
        Some("client_credentials") => {}
        Some(grant) if app.providers.login().is_some() && grants::is_for_people(grant) => {
            let issued = grants::issue(app, context, grant, form).await;
            return issued.map(|body| object!(body)).map_err(OAuthError::for_people);
        }
        _ => {
            return Err(OAuthError::bad_request(
                "unsupported_grant_type",
                "use client_credentials: `az login --service-principal`",
            ));
        }
    }
    let tenant = &app.policy().registry.tenant.clone();
    let one = |name| form.one(name).map_err(invalid_request);
    let (client_id, secret) =
        (one("client_id")?.unwrap_or(""), one("client_secret")?.unwrap_or(""));
    let audience = audience(app, one("scope")?.unwrap_or(""))?;
    let client = client(app, client_id, secret, context).await;
    note_sign_in(app, client_id, &client, context);
    let client = client.map_err(refused)?;
    let now = clock::now();
    let lifetime = authority::lifetime(&client, now);
    let access_token = authority::token(&app.issuer, &client, &audience, tenant, now);
    let access_token = access_token.map_err(RouteError::from).map_err(refused)?;
    Ok(object!({
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": access_token,
    }))
}

fn note_sign_in(
    app: &App,
    client_id: &str,
    client: &Result<Client, RouteError>,
    context: &Context,
) {
    match client {
        Ok(client) => {
            let actor = Actor::service_principal(&client.service.name);
            sign_ins::signed_in(app, actor, context);
        }
        Err(RouteError::Unauthorized(reason)) => {
            sign_ins::refused(app, client_id, reason.code(), context);
        }
        Err(RouteError::TooMany(_)) => {
            sign_ins::refused(app, client_id, "too_many_requests", context);
        }
        Err(_) => {}
    }
}

/// The client with this secret, after reading the database.
async fn client(
    app: &App,
    client_id: &str,
    secret: &str,
    context: &Context,
) -> Result<Client, RouteError> {
    let (listener, address) = (context.listener, context.address);
    let policy = Arc::clone(&app.policy());
    let first = app.authenticator_at(listener, &policy);
    let first = first.by_secret(client_id, secret.to_owned(), address).await;
    let is_known = match &first {
        Ok(_) => true,
        Err(AuthError::Refused(_)) => false,
        Err(_) => return Ok(first?),
    };
    if !has_changed(app, &policy, is_known).await? {
        return Ok(first?);
    }
    let current = Arc::clone(&app.policy());
    let second = app.authenticator_at(listener, &current);
    Ok(second.by_secret(client_id, secret.to_owned(), address).await?)
}

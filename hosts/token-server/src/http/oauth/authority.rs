//! The built-in authority: tokens for `az login --service-principal`, from client ids and secrets.
//!
//! Follows the client credentials grant of RFC 6749 (section 4.4) and OpenID Connect Discovery as
//! far as Azure's clients need them. With it no identity provider is needed to manage a registry:
//! `administrator` is a client like any other. [`authority`] defines its tokens.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json as object};

use super::oauth_error::{OAuthError, invalid_request, refused};
use super::parameters::Parameters;
use crate::app::App;
use crate::app::watch::has_changed;
use crate::clock;
use crate::config::REGISTRY_AUDIENCE;
use crate::domain::authority;
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
    let document = object!({
        "issuer": format!("{url}/{tenant}/v2.0"),
        "authorization_endpoint": format!("{url}/{tenant}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{url}/{tenant}/oauth2/v2.0/token"),
        "device_authorization_endpoint": format!("{url}/{tenant}/oauth2/v2.0/devicecode"),
        "revocation_endpoint": format!("{public_url}/oauth2/revoke"),
        "jwks_uri": format!("{public_url}/.well-known/jwks.json"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": ["token"],
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
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
    // The query is ignored, and a secret in it is refused.
    let form = Parameters::of_post(query.as_deref(), &[])
        .and_then(|_| Parameters::of_post(None, &body))
        .map_err(|_| OAuthError::invalid("a secret in the query; send it in the form"));
    let issued = match form {
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
    if !form.is("grant_type", "client_credentials").map_err(invalid_request)? {
        return Err(OAuthError::bad_request(
            "unsupported_grant_type",
            "use client_credentials: `az login --service-principal`",
        ));
    }
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

/// The audience of a scope: the address that the client was given, with or without a trailing
/// slash, and `/.default`. Only that of management is for management.
fn audience(app: &App, scope: &str) -> Result<String, OAuthError> {
    let mut words = scope.split(' ').filter_map(|word| word.strip_suffix("/.default"));
    let resource = words.next().unwrap_or_default().trim_end_matches('/');
    let management = app.settings.management_url();
    if resource == management {
        return Ok(management.to_owned());
    }
    if resource == REGISTRY_AUDIENCE || is_registry(resource, &app.issuer.service) {
        return Ok(REGISTRY_AUDIENCE.to_owned());
    }
    Err(OAuthError::bad_request(
        "invalid_scope",
        "the scope is neither this server's address nor that of the registry, followed by `/.default`",
    ))
}

/// Whether a resource is the registry's own address, as `get_token("https://REGISTRY/.default")`
/// names it. Letters of hosts have no case.
fn is_registry(resource: &str, service: &str) -> bool {
    resource.strip_prefix("https://").is_some_and(|host| host.eq_ignore_ascii_case(service))
}

fn check_tenant(app: &App, tenant: &str) -> Result<(), OAuthError> {
    if app.policy().registry.tenant == tenant.to_ascii_lowercase() {
        return Ok(());
    }
    Err(OAuthError::bad_request(
        "invalid_request",
        "there is no such tenant; `scopegate-server administrator` prints the one there is",
    ))
}

#[cfg(test)]
mod tests {
    use super::is_registry;

    #[test]
    fn addresses_of_the_registry() {
        for (resource, service, expected) in [
            ("https://registry.example.com", "registry.example.com", true),
            ("https://Registry.Example.com", "registry.example.com", true),
            ("https://localhost:5000", "localhost:5000", true),
            ("https://127.0.0.1:5000", "127.0.0.1:5000", true),
            ("https://[::1]:5000", "[::1]:5000", true),
            ("https://localhost", "localhost:5000", false),
            ("https://localhost:5001", "localhost:5000", false),
            ("https://localhost:5000/v2", "localhost:5000", false),
            ("https://user@localhost:5000", "localhost:5000", false),
            ("https://evil.localhost:5000", "localhost:5000", false),
            ("https://localhost:5000.evil", "localhost:5000", false),
            ("http://localhost:5000", "localhost:5000", false),
            ("localhost:5000", "localhost:5000", false),
            ("https://", "localhost:5000", false),
            ("", "localhost:5000", false),
        ] {
            assert_eq!(is_registry(resource, service), expected, "{resource} {service}");
        }
    }
}

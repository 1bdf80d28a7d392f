//! Who may read a registry, and who may change it.
//!
//! A handler declares its required role by the type of its first argument. [`Look`] needs one of
//! the roles Reader, Contributor and Owner; [`Change`] needs Contributor or Owner; [`GiveRoles`]
//! needs Owner, because a principal that can give roles can give itself any. [`ReadFeeds`] needs
//! EdgeReader or a role that may read. Credentials are a token of [`authority`], a token of an
//! identity provider, or a client id and secret.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::error::ManagementError;
use super::resource::{GROUP, Ids};
use crate::app::App;
use crate::app::watch::has_changed;
use crate::clock;
use crate::domain::authority;
use crate::domain::edit::EditError;
use crate::domain::policy::Policy;
use crate::domain::principal::{Credentials, Principal};
use crate::domain::reason::Reason;
use crate::http::authorization::authorization;
use crate::http::context::Context;
use crate::http::error::RouteError;

/// May read management.
#[derive(Debug)]
pub(crate) struct Look(pub Ids);

/// May read generations and the bundle.
#[derive(Debug)]
pub(crate) struct ReadFeeds;

/// May change scope maps, tokens and settings.
#[derive(Debug)]
pub(crate) struct Change(pub Ids);

/// May give roles.
#[derive(Debug)]
pub(crate) struct GiveRoles(pub Ids);

impl FromRequestParts<Arc<App>> for Look {
    type Rejection = ManagementError;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, ManagementError> {
        let refused = "this needs the role Reader, Contributor or Owner";
        permitted(parts, app, Principal::may_read_management, refused).await.map(Self)
    }
}

impl FromRequestParts<Arc<App>> for ReadFeeds {
    type Rejection = ManagementError;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, ManagementError> {
        let refused = "this needs the role EdgeReader, Reader, Contributor or Owner";
        permitted(parts, app, Principal::may_read_edge_feeds, refused).await.map(|_| Self)
    }
}

impl FromRequestParts<Arc<App>> for Change {
    type Rejection = ManagementError;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, ManagementError> {
        let refused = "this needs the role Contributor or Owner";
        permitted(parts, app, Principal::may_manage, refused).await.map(Self)
    }
}

impl FromRequestParts<Arc<App>> for GiveRoles {
    type Rejection = ManagementError;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, ManagementError> {
        let refused = "this needs the role Owner";
        permitted(parts, app, Principal::may_give_roles, refused).await.map(Self)
    }
}

/// The ids of the registry, for a principal that may.
async fn permitted(
    parts: &mut Parts,
    app: &Arc<App>,
    may: impl Fn(&Principal) -> bool,
    refused: &'static str,
) -> Result<Ids, ManagementError> {
    if !may(&principal_of(parts, app).await?) {
        return Err(ManagementError::Forbidden(refused));
    }
    this_registry(parts, app).await
}

async fn principal_of(parts: &mut Parts, app: &Arc<App>) -> Result<Principal, ManagementError> {
    let Ok(context) = Context::from_request_parts(parts, app).await;
    principal(&parts.headers, &context, app).await
}

/// Authenticates a request. Wrong credentials cost their address as much as at the token endpoint.
///
/// # Errors
///
/// [`ManagementError::Unauthenticated`] without valid credentials of a principal that can have
/// roles.
pub(crate) async fn principal(
    headers: &HeaderMap,
    context: &Context,
    app: &App,
) -> Result<Principal, ManagementError> {
    let value = authorization(headers)?
        .ok_or(ManagementError::Unauthenticated(Reason::NoCredentials))?
        .as_bytes();
    let identified = identify(value, context, app).await;
    if matches!(identified, Err(ManagementError::Unauthenticated(_))) {
        app.guard.failed(context.address);
    }
    if identified.is_ok() {
        app.guard.prove(context.address);
    }
    identified
}

/// Authenticates a request that needs any role of management. An EdgeReader has none.
///
/// # Errors
///
/// The errors of [`principal`]; [`ManagementError::Forbidden`] for a principal with only
/// EdgeReader.
pub(crate) async fn manager(
    headers: &HeaderMap,
    context: &Context,
    app: &App,
) -> Result<Principal, ManagementError> {
    let principal = principal(headers, context, app).await?;
    if principal.is_edge_reader_only() {
        return Err(ManagementError::Forbidden("EdgeReader reads generations and the bundle only"));
    }
    Ok(principal)
}

/// Authenticates against the snapshot, and again after reading the database.
async fn identify(
    value: &[u8],
    context: &Context,
    app: &App,
) -> Result<Principal, ManagementError> {
    let (presented, address) = (Presented::read(value)?, context.address);
    let policy = Arc::clone(&app.policy());
    let first = presented.principal(app, &policy, address).await;
    let is_known = match &first {
        Ok(_) => true,
        Err(ManagementError::Unauthenticated(_)) => false,
        Err(_) => return first,
    };
    if !has_changed(app, &policy, is_known).await? {
        return first;
    }
    let current = Arc::clone(&app.policy());
    presented.principal(app, &current, address).await
}

/// The credentials of a request.
enum Presented<'v> {
    Secret { client_id: String, secret: String },
    Token(&'v str),
}

impl<'v> Presented<'v> {
    fn read(value: &'v [u8]) -> Result<Self, ManagementError> {
        let (scheme, token) = value.split_at_checked(7).unwrap_or((value, &[]));
        if scheme.eq_ignore_ascii_case(b"bearer ") {
            let token = std::str::from_utf8(token.trim_ascii());
            let token = token.map_err(|_| ManagementError::Unauthenticated(Reason::NotText))?;
            return Ok(Self::Token(token));
        }
        match Credentials::basic(value)? {
            Credentials::Password { name, password } => {
                Ok(Self::Secret { client_id: name, secret: password })
            }
            _ => Err(ManagementError::Unauthenticated(Reason::GatewayWithoutSecret)),
        }
    }

    async fn principal(
        &self,
        app: &App,
        policy: &Policy,
        address: IpAddr,
    ) -> Result<Principal, ManagementError> {
        let token = match self {
            Self::Secret { client_id, secret } => {
                let service =
                    app.authenticator(policy).by_secret(client_id, secret.clone(), address).await?;
                return Ok(Principal::service_principal(&service, policy));
            }
            Self::Token(token) => token,
        };
        let now = clock::now();
        if let Some(principal) =
            authority::principal(token, &app.settings.public_url, &app.issuer, policy, now)?
        {
            return Ok(principal);
        }
        let identity = app.providers.identify(token, now).await.map_err(RouteError::from)?;
        Ok(Principal::of(identity, app.directory(policy))?)
    }
}

/// The ids of the registry that a path names, which must be this one.
async fn this_registry(parts: &mut Parts, app: &Arc<App>) -> Result<Ids, ManagementError> {
    let params = RawPathParams::from_request_parts(parts, app)
        .await
        .map_err(|error| ManagementError::BadRequest(error.to_string()))?;
    let subscription = app.policy().registry.subscription.clone();
    for (name, value) in &params {
        let ours = match name {
            "registry" => app.settings.registry_name.as_str(),
            "subscription" => subscription.as_str(),
            "group" => GROUP,
            _ => continue,
        };
        if !value.eq_ignore_ascii_case(ours) {
            let message = format!("there is no {name} `{value}` here, only `{ours}`");
            return Err(EditError::NotFound(message).into());
        }
    }
    Ok(Ids::new(app))
}

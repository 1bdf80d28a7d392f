//! Who may read a registry, and who may change it.
//!
//! A handler declares its required role by the type of its first argument. [`Look`] needs one of
//! the roles Reader, Contributor and Owner; [`Change`] needs Contributor or Owner; [`GiveRoles`]
//! needs Owner, because a principal that can give roles can give itself any. [`ReadFeeds`] needs
//! EdgeReader or a role that may read. Credentials are a token of [`authority`], a token of an
//! identity provider, a client id and secret, or, at an address of its own, a client's certificate.
//!
//! A request with a certificate of a configured name and an `Authorization` has two credentials, and
//! is refused: whose rights count, and who is named in a log, would be a guess.

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
use crate::domain::principal::{Credentials, Manager, Principal};
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
        permitted(parts, app, Manager::may_read_management, refused).await.map(Self)
    }
}

impl FromRequestParts<Arc<App>> for ReadFeeds {
    type Rejection = ManagementError;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, ManagementError> {
        let refused = "this needs the role EdgeReader, Reader, Contributor or Owner";
        permitted(parts, app, Manager::may_read_edge_feeds, refused).await.map(|_| Self)
    }
}

impl FromRequestParts<Arc<App>> for Change {
    type Rejection = ManagementError;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, ManagementError> {
        let refused = "this needs the role Contributor or Owner";
        permitted(parts, app, Manager::may_manage, refused).await.map(Self)
    }
}

impl FromRequestParts<Arc<App>> for GiveRoles {
    type Rejection = ManagementError;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, ManagementError> {
        let refused = "this needs the role Owner";
        permitted(parts, app, Manager::may_give_roles, refused).await.map(Self)
    }
}

/// The ids of the registry, for a principal that may.
async fn permitted(
    parts: &mut Parts,
    app: &Arc<App>,
    may: impl Fn(&Manager) -> bool,
    refused: &'static str,
) -> Result<Ids, ManagementError> {
    if !may(&manager_of(parts, app).await?) {
        return Err(ManagementError::Forbidden(refused));
    }
    this_registry(parts, app).await
}

async fn manager_of(parts: &mut Parts, app: &Arc<App>) -> Result<Manager, ManagementError> {
    let Ok(context) = Context::from_request_parts(parts, app).await;
    authenticate(&parts.headers, &context, app).await
}

/// Authenticates a request. Wrong credentials cost their address as much as at the token endpoint.
///
/// # Errors
///
/// [`ManagementError::Unauthenticated`] without valid credentials of a principal that can have
/// roles.
pub(crate) async fn authenticate(
    headers: &HeaderMap,
    context: &Context,
    app: &App,
) -> Result<Manager, ManagementError> {
    let guard = app.guard_of(context.listener);
    let value = match (authorization(headers)?, &context.certificate) {
        (Some(_), Some(Ok(_))) => {
            let message = "a client certificate and an Authorization header; send one of them";
            return Err(ManagementError::BadRequest(message.into()));
        }
        (Some(value), _) => value.as_bytes(),
        (None, Some(Ok(holder))) => {
            guard.prove(context.address);
            return Ok(named(Manager::from(&**holder)));
        }
        (None, Some(Err(reason))) => return Err(ManagementError::Unauthenticated(*reason)),
        (None, None) => return Err(ManagementError::Unauthenticated(Reason::NoCredentials)),
    };
    let identified = identify(value, context, app).await;
    if matches!(identified, Err(ManagementError::Unauthenticated(_))) {
        guard.failed(context.address);
    }
    if identified.is_ok() {
        guard.prove(context.address);
    }
    identified.map(Manager::from).map(named)
}

/// Names the sender of the request in the log.
fn named(manager: Manager) -> Manager {
    tracing::debug!(principal = manager.kind, name = manager.name, "management");
    manager
}

/// Authenticates a request that needs any role of management. An EdgeReader has none.
///
/// # Errors
///
/// The errors of [`authenticate`]; [`ManagementError::Forbidden`] for a principal with only
/// EdgeReader.
pub(crate) async fn manager(
    headers: &HeaderMap,
    context: &Context,
    app: &App,
) -> Result<Manager, ManagementError> {
    let manager = authenticate(headers, context, app).await?;
    if manager.is_edge_reader_only() {
        return Err(ManagementError::Forbidden("EdgeReader reads generations and the bundle only"));
    }
    Ok(manager)
}

/// Authenticates against the snapshot, and again after reading the database.
async fn identify(
    value: &[u8],
    context: &Context,
    app: &App,
) -> Result<Principal, ManagementError> {
    let presented = Presented::read(value)?;
    let policy = Arc::clone(&app.policy());
    let first = presented.principal(app, &policy, context).await;
    let is_known = match &first {
        Ok(_) => true,
        Err(ManagementError::Unauthenticated(_)) => false,
        Err(_) => return first,
    };
    if !has_changed(app, &policy, is_known).await? {
        return first;
    }
    let current = Arc::clone(&app.policy());
    presented.principal(app, &current, context).await
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
        context: &Context,
    ) -> Result<Principal, ManagementError> {
        let token = match self {
            Self::Secret { client_id, secret } => {
                let authenticator = app.authenticator_at(context.listener, policy);
                let service =
                    authenticator.by_secret(client_id, secret.clone(), context.address).await?;
                return Ok(Principal::service_principal(&service, policy));
            }
            Self::Token(token) => token,
        };
        let now = clock::now();
        if let Some(principal) =
            authority::principal(token, app.settings.management_url(), &app.issuer, policy, now)?
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

//! Who may read a registry, and who may change it.
//!
//! A handler declares its required role by the type of its first argument. [`Look`] needs one of
//! the roles Reader, Contributor and Owner; [`Change`] needs Contributor or Owner; [`GiveRoles`]
//! needs Owner, because a principal that can give roles can give itself any. [`ReadFeeds`] needs
//! EdgeReader or a role that may read. [`Find`] needs any access to the registry. Credentials are
//! a token of [`authority`], a token of an identity provider, a client id and secret, or, at an
//! address of its own, a client's certificate.
//!
//! A request with a certificate of a configured name and an `Authorization` has two credentials,
//! and is refused: whose rights count, and who is named in a log, would be a guess.

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
use crate::domain::principal::{Credentials, Holder, Manager, Principal};
use crate::domain::reason::Reason;
use crate::http::authorization::authorization;
use crate::http::context::Context;
use crate::http::error::RouteError;
use crate::http::sign_ins;
use crate::store::Store;

/// May read management.
#[derive(Debug)]
pub(crate) struct Look(pub Ids);

/// May read where the registry is; with a role that may read, its settings too.
#[derive(Debug)]
pub(crate) struct Find {
    pub sees_settings: bool,
}

/// May read generations and the bundle.
#[derive(Debug)]
pub(crate) struct ReadFeeds;

/// May read the audit trail.
#[derive(Debug)]
pub(crate) struct ReadAudit;

/// May change scope maps, tokens and settings: the database is written in its name.
#[derive(Debug)]
pub(crate) struct Change(pub Permit);

/// May give roles: the database is written in its name.
#[derive(Debug)]
pub(crate) struct GiveRoles(pub Permit);

/// What an editor works with.
#[derive(Debug)]
pub(crate) struct Permit {
    pub ids: Ids,
    /// The database, in the editor's name.
    pub store: Store,
}

impl From<Change> for Permit {
    fn from(Change(permit): Change) -> Self {
        permit
    }
}

impl From<GiveRoles> for Permit {
    fn from(GiveRoles(permit): GiveRoles) -> Self {
        permit
    }
}

impl FromRequestParts<Arc<App>> for Look {
    type Rejection = ManagementError;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, ManagementError> {
        let refused = "this needs the role Reader, Contributor or Owner";
        permitted(parts, app, Manager::may_read_management, refused).await.map(|p| Self(p.ids))
    }
}

impl FromRequestParts<Arc<App>> for Find {
    type Rejection = ManagementError;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, ManagementError> {
        let Ok(context) = Context::from_request_parts(parts, app).await;
        let manager = authenticate(&parts.headers, &context, app).await?;
        if !manager.may_find_registry() {
            return Err(ManagementError::Forbidden("this needs a role or a scope map here"));
        }
        this_registry(parts, app).await?;
        Ok(Self { sees_settings: manager.may_read_management() })
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

impl FromRequestParts<Arc<App>> for ReadAudit {
    type Rejection = ManagementError;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, ManagementError> {
        let refused = "this needs the role AuditReader or Owner";
        permitted(parts, app, Manager::may_read_audit, refused).await.map(|_| Self)
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

/// The permit of a principal that may.
async fn permitted(
    parts: &mut Parts,
    app: &Arc<App>,
    may: impl Fn(&Manager) -> bool,
    refused: &'static str,
) -> Result<Permit, ManagementError> {
    let Ok(context) = Context::from_request_parts(parts, app).await;
    let manager = authenticate(&parts.headers, &context, app).await?;
    if !may(&manager) {
        return Err(ManagementError::Forbidden(refused));
    }
    let actor = manager.to_actor().by_request(context.address, &context.correlation_id);
    Ok(Permit { ids: this_registry(parts, app).await?, store: app.store.by(actor) })
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
    let value = match (authorization(headers)?, &context.certificate) {
        (Some(_), Some(Ok(_))) => {
            let message = "a client certificate and an Authorization header; send one of them";
            return Err(ManagementError::BadRequest(message.into()));
        }
        (Some(value), _) => value.as_bytes(),
        (None, Some(holder)) => return by_certificate(holder, context, app),
        (None, None) => return Err(ManagementError::Unauthenticated(Reason::NoCredentials)),
    };
    let guard = app.guard_of(context.listener);
    let presented = Presented::read(value);
    let identified = match &presented {
        Ok(presented) => identify(presented, context, app).await,
        Err(reason) => Err(ManagementError::Unauthenticated(*reason)),
    };
    let identified = identified.map(Manager::from);
    if matches!(identified, Err(ManagementError::Unauthenticated(_))) {
        guard.failed(context.address);
    }
    if identified.is_ok() {
        guard.prove(context.address);
    }
    note_sign_in(presented.ok().as_ref(), &identified, context, app);
    identified
}

/// Authenticates the holder of a client certificate, or says why the certificate is none.
fn by_certificate(
    holder: &Result<Arc<Holder>, Reason>,
    context: &Context,
    app: &App,
) -> Result<Manager, ManagementError> {
    let manager = match holder {
        Ok(holder) => Manager::from(&**holder),
        Err(reason) => {
            sign_ins::refused(app, "", reason.code(), context);
            return Err(ManagementError::Unauthenticated(*reason));
        }
    };
    app.guard_of(context.listener).prove(context.address);
    if !manager.has_only_narrow_roles() {
        sign_ins::signed_in(app, manager.to_actor(), context);
    }
    Ok(manager)
}

/// Notes for the audit trail who signed in, or failed to. The tokens of the authority were noted
/// when they were issued, and who only reads what edges need does not manage.
fn note_sign_in(
    presented: Option<&Presented<'_>>,
    identified: &Result<Manager, ManagementError>,
    context: &Context,
    app: &App,
) {
    let client_id = match presented {
        Some(Presented::Secret { client_id, .. }) => client_id,
        _ => "",
    };
    match identified {
        Ok(manager) if manager.has_only_narrow_roles() => {}
        Ok(manager) if client_id.is_empty() && manager.provider.is_none() => {}
        Ok(manager) => sign_ins::signed_in(app, manager.to_actor(), context),
        Err(ManagementError::Unauthenticated(reason)) => {
            sign_ins::refused(app, client_id, reason.code(), context);
        }
        Err(ManagementError::TooMany(_)) => {
            sign_ins::refused(app, client_id, "too_many_requests", context);
        }
        Err(_) => {}
    }
}

/// Authenticates a request that needs any role of management. EdgeReader and AuditReader are none.
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
    if manager.has_only_narrow_roles() {
        return Err(ManagementError::Forbidden(
            "EdgeReader reads generations and the bundle only, AuditReader the audit trail",
        ));
    }
    Ok(manager)
}

/// Authenticates against the snapshot, and again after reading the database.
async fn identify(
    presented: &Presented<'_>,
    context: &Context,
    app: &App,
) -> Result<Principal, ManagementError> {
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
    fn read(value: &'v [u8]) -> Result<Self, Reason> {
        let (scheme, token) = value.split_at_checked(7).unwrap_or((value, &[]));
        if scheme.eq_ignore_ascii_case(b"bearer ") {
            let token = std::str::from_utf8(token.trim_ascii());
            return token.map(Self::Token).map_err(|_| Reason::NotText);
        }
        match Credentials::basic(value)? {
            Credentials::Password { name, password } => {
                Ok(Self::Secret { client_id: name, secret: password })
            }
            _ => Err(Reason::GatewayWithoutSecret),
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
                let client =
                    authenticator.by_secret(client_id, secret.clone(), context.address).await?;
                return Ok(client.into_principal(policy));
            }
            Self::Token(token) => token,
        };
        let now = clock::now();
        if let Some(principal) = authority::principal(
            token,
            app.settings.management_url(),
            &app.issuer,
            app.directory(policy),
            None,
            now,
        )? {
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

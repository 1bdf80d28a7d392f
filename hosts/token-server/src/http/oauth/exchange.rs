//! `POST /oauth2/exchange`: the token of an identity provider for a refresh token of the registry.
//!
//! Follows <https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md> and what its clients send.
//! The three grant types are accepted: `access_token`; `refresh_token`, for which the provider is
//! asked for an access token; and `access_token_refresh_token`, which holds both and must be for
//! the same identity. Where the provider makes another refresh token in place of the one that was
//! redeemed, it is sent back as `aad_refresh_token`, because the former may be of no use any more.
//! Only the answer has it: no token of ours, no log.
//!
//! A token of our own authority is taken, too: one for the registry, and one for management while
//! [`authentication_as_arm`] is on, as at the service, because `az account get-access-token` gives
//! no other. So is the refresh token of a person who has signed in there.
//!
//! [`authentication_as_arm`]: crate::store::RegistryRecord::authentication_as_arm
//!
//! An extension: where an access token is expected, `name:password` of a scope-map token, a service
//! principal or the admin is accepted too. Azure's SDKs do not support passwords, so this lets
//! their registry clients use a scope-map token, which the service itself does not offer.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use super::parameters::Parameters;
use super::{ANOTHER_SERVICE, AuditedRequest, refresh_token};
use crate::app::App;
use crate::clock;
use crate::domain::authority::{self, Unverified};
use crate::domain::identity::IdentityError;
use crate::domain::issue::revocable::Revocable;
use crate::domain::login::person::Person;
use crate::domain::policy::Policy;
use crate::domain::principal::{Presented, Principal, Proven};
use crate::domain::reason::Reason;
use crate::http::context::Context;
use crate::http::error::RouteError;

/// The answer.
#[derive(Serialize)]
struct ExchangeResponse {
    refresh_token: String,
    /// The provider's own, where it replaces the one that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    aad_refresh_token: Option<String>,
}

/// `POST /oauth2/exchange`
///
/// # Errors
///
/// [`RouteError`] when the request is refused.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    context: Context,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, RouteError> {
    let request = AuditedRequest::new(&app, &context, &[]);
    let exchanged = match Parameters::of_post(query.as_deref(), &body) {
        Ok(parameters) => exchange(&app, &context, &parameters, &request.presented).await,
        Err(error) => Err(error),
    };
    match exchanged {
        Ok((principal, body)) => {
            let token = &body.refresh_token;
            Ok(request.granted(&principal, token, &body, |decision| decision.exchanged()))
        }
        Err(error) => Err(request.refused(error)),
    }
}

async fn exchange(
    app: &App,
    context: &Context,
    parameters: &Parameters<'_>,
    presented: &Presented,
) -> Result<(Principal, ExchangeResponse), RouteError> {
    let service = parameters
        .required("service", "no service; send the one that the challenge of /v2/ names")?;
    if service != app.issuer.service {
        return Err(RouteError::BadRequest(ANOTHER_SERVICE));
    }
    let now = clock::now();
    app.check_snapshot(now)?;
    let policy = Arc::clone(&app.policy());
    let (principal, aad_refresh_token) =
        identify(app, context, &policy, parameters, presented, now).await?;
    if principal.tables.is_empty() {
        return Err(Reason::NothingBound.into());
    }
    let rid = &policy.registry.rid;
    let refresh_token = refresh_token(app, &principal, rid, now)?;
    Ok((principal, ExchangeResponse { refresh_token, aad_refresh_token }))
}

/// The principal, and its new refresh token of the provider, where there is one.
async fn identify(
    app: &App,
    context: &Context,
    policy: &Policy,
    parameters: &Parameters<'_>,
    presented: &Presented,
    now: i64,
) -> Result<(Principal, Option<String>), RouteError> {
    let access_token = || {
        parameters
            .required("access_token", "no access_token; send the one of your identity provider")
    };
    let who = (context.address, presented);
    match parameters
        .required("grant_type", "no grant_type; send a form with grant_type=access_token")?
    {
        "access_token" => {
            Ok((by_access_token(app, policy, who, access_token()?, now).await?, None))
        }
        "refresh_token" => redeem(app, context, policy, parameters, presented, now).await,
        "access_token_refresh_token" => {
            let known = by_access_token(app, policy, who, access_token()?, now).await?;
            let (fresh, rotated) = redeem(app, context, policy, parameters, presented, now).await?;
            let provider = |principal: &Principal| {
                principal.identity.as_ref().map(|identity| identity.provider.clone())
            };
            if known.subject != fresh.subject || provider(&known) != provider(&fresh) {
                return Err(Reason::TwoIdentities.into());
            }
            Ok((fresh, rotated))
        }
        _ => Err(RouteError::BadRequest(
            "an unknown grant_type; send access_token, refresh_token or access_token_refresh_token",
        )),
    }
}

async fn by_access_token(
    app: &App,
    policy: &Policy,
    (address, presented): (IpAddr, &Presented),
    token: &str,
    now: i64,
) -> Result<Principal, RouteError> {
    // A JWT never contains a colon.
    if let Some((name, password)) = token.split_once(':') {
        let authenticator = app.authenticator(policy);
        return Ok(authenticator.by_password(name, password.to_owned(), address, now).await?);
    }
    let (management, directory) = (app.settings.management_url(), app.directory(policy));
    let known =
        authority::for_registry(token, management, &app.issuer, directory, Some(presented), now)?;
    if let Some(principal) = known {
        return Ok(principal);
    }
    let identity = app.providers.identify(token, now).await?;
    presented.note(|| Proven::by_identity(&identity));
    Ok(Principal::of(identity, app.directory(policy))?)
}

/// The identity behind a refresh token of its provider, and the one that replaces it, or the person
/// behind one of our own authority.
async fn redeem(
    app: &App,
    context: &Context,
    policy: &Policy,
    parameters: &Parameters<'_>,
    presented: &Presented,
    now: i64,
) -> Result<(Principal, Option<String>), RouteError> {
    let refresh_token = parameters
        .required("refresh_token", "no refresh_token; send the one of your identity provider")?;
    let (issuer, directory) = (&app.issuer, app.directory(policy));
    let person = Person::by_refresh_token(refresh_token, issuer, directory, Some(presented), now)?;
    if let Some((_, principal)) = person {
        return Ok((principal, None));
    }
    // Any other token of ours is no business of the provider's, of a former key either.
    let is_ours = Unverified::read(refresh_token).is_some_and(|it| it.iss == app.issuer.issuer);
    if is_ours || !matches!(app.issuer.revocable(refresh_token, now), Revocable::Foreign) {
        return Err(Reason::InvalidRefreshToken.into());
    }
    let tenant = parameters.one("tenant")?;
    let provider = app.providers.redeemer(tenant).ok_or(RouteError::BadRequest(
        "no identity provider is configured to redeem this; exchange an access_token",
    ))?;
    let attempt = app.redemptions.begin(refresh_token, context.address, Instant::now())?;
    let redeemed = provider.redeem(refresh_token, now).await;
    attempt.end(!matches!(redeemed, Err(IdentityError::NotAuthenticated(_))));
    let redeemed = redeemed?;
    let principal = Principal::of(redeemed.identity.clone(), app.directory(policy))?;
    Ok((principal, redeemed.into_refresh_token()))
}

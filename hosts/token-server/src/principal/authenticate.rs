//! Finding out who asks.
//!
//! Follows Azure Container Registry (reference: authentication options and repository-scoped
//! tokens): a scope-map token, the admin account or a service principal by name and password; an
//! identity by a refresh token that it got in exchange for its provider's token; a refresh or
//! access token of ours as the password of the null GUID; and nobody at all.
//!
//! Whatever is wrong, a client reads the same after the same time: nobody learns which names exist.
//! A name's spelling alone tells what kind of principal it is, and each kind has one way of being
//! checked, for names that exist and names that do not.

use std::net::IpAddr;
use std::sync::Arc;

use scopegate_api::claims::{AccessClaims, IdentityClaims, PrincipalKind};

use super::secret::is_one_of;
use super::{AtMost, Credentials, NULL_GUID, Principal};
use crate::app::App;
use crate::client_id::is_client_id;
use crate::clock;
use crate::error::RouteError;
use crate::guard::familiar::Familiarity;
use crate::password::{PasswordDigest, is_generated};
use crate::policy::{Password, Policy, ServicePrincipal, accepts};
use crate::store::PasswordName;

/// Who asks, and what it came with.
#[derive(Debug)]
pub struct Authenticated {
    /// Who asks.
    pub principal: Principal,
    /// The refresh token that it came with, when it came with one.
    pub refresh_token: Option<String>,
}

/// What a token of ours says about whom it is for.
struct Claimed {
    kind: Option<PrincipalKind>,
    subject: String,
    generation: Option<u64>,
    identity: Option<IdentityClaims>,
    appid: Option<String>,
    tenant: Option<String>,
    password: Option<String>,
    provider: Option<String>,
    at_most: Option<AtMost>,
}

/// Finds out who asks.
///
/// # Errors
///
/// [`RouteError::Unauthorized`] for whoever is not a principal that is enabled.
pub async fn authenticate(
    credentials: Credentials,
    app: &App,
    address: IpAddr,
    now: i64,
) -> Result<Authenticated, RouteError> {
    let policy = Arc::clone(&app.policy());
    match credentials {
        Credentials::None => anonymous(&policy).map(Authenticated::from),
        // How the JavaScript SDK says that it has none.
        Credentials::Refresh(token) if token.is_empty() => {
            anonymous(&policy).map(Authenticated::from)
        }
        Credentials::Refresh(token) => by_refresh_token(token, app, &policy, now),
        Credentials::Password { name, password } if name == NULL_GUID => {
            by_token(password, app, &policy, now)
        }
        Credentials::Password { name, password } => {
            by_password(&name, password, app, &policy, address, now).await.map(Authenticated::from)
        }
    }
}

/// Finds out who asks by a name and a password or secret.
///
/// # Errors
///
/// [`RouteError::Unauthorized`] for whoever is not a principal that is enabled.
pub async fn by_password(
    name: &str,
    password: String,
    app: &App,
    policy: &Policy,
    address: IpAddr,
    now: i64,
) -> Result<Principal, RouteError> {
    if is_client_id(name) {
        let service = by_secret(name, password, app, policy, address).await?;
        return Ok(Principal::service_principal(&service, policy));
    }
    let principal = by_digest(name, &password, app, policy, now)?;
    // What is wrong does not count against the name, or else whoever guesses at it would keep its
    // owner out.
    app.guard.check_principal(name)?;
    Ok(principal)
}

/// Finds the token or the admin with this name and password. Nobody guesses one of ours, so it may
/// be compared as often as addresses may ask.
fn by_digest(
    name: &str,
    password: &str,
    app: &App,
    policy: &Policy,
    now: i64,
) -> Result<Principal, RouteError> {
    // Digested for an unknown name too.
    let digest = PasswordDigest::of(password);
    if is_registry_name(name, app) {
        return admin(&digest, app, policy, now);
    }
    let Some(token) = policy.token(name) else {
        // Compared with as many as a token has, for the same reason.
        std::hint::black_box([&digest, &digest].map(|own| own.matches(&digest)));
        return Err(RouteError::Unauthorized("an unknown token"));
    };
    let Some(password) = token.accepts(&digest, now) else {
        return Err(RouteError::Unauthorized("a wrong or expired password"));
    };
    if !token.enabled {
        return Err(RouteError::Unauthorized("a disabled token"));
    }
    Ok(Principal { password: Some(password), ..Principal::token(token, policy) })
}

/// Finds the service principal with this client id and secret, who asks from an address.
///
/// # Errors
///
/// [`RouteError::Unauthorized`] for any but one that is enabled; [`RouteError::TooMany`] for one
/// that was not right lately from there, when too many have asked in its name.
pub async fn by_secret(
    client_id: &str,
    secret: String,
    app: &App,
    policy: &Policy,
    address: IpAddr,
) -> Result<Arc<ServicePrincipal>, RouteError> {
    let now = clock::now();
    let familiarity = app.guard.familiar.of(client_id, address, now);
    let service = policy.service_principal(client_id);
    let hashes = service.map(|service| service.secrets.clone()).unwrap_or_default();
    let is_right = is_right(client_id, secret, hashes, app, (familiarity, address)).await?;
    if !is_right {
        app.guard.familiar.was_wrong(client_id, address);
    }
    match service {
        Some(service) if is_right && service.enabled => {
            app.guard.familiar.was_right(client_id, address, now);
            Ok(Arc::clone(service))
        }
        Some(_) if is_right => Err(RouteError::Unauthorized("a disabled service principal")),
        Some(_) => Err(RouteError::Unauthorized("a wrong secret")),
        None => Err(RouteError::Unauthorized("an unknown client id")),
    }
}

/// Whether a secret is one of a client's. One that was right before is not hashed again. The limit
/// by name comes before a look at a secret that somebody may guess, and before the hashing of any.
async fn is_right(
    client_id: &str,
    secret: String,
    hashes: Vec<String>,
    app: &App,
    (familiarity, address): (Familiarity, IpAddr),
) -> Result<bool, RouteError> {
    let guard = &app.guard;
    let is_limited = familiarity == Familiarity::Unknown;
    let may_be_guessed = !is_generated(&secret);
    if is_limited && may_be_guessed {
        guard.check_principal(client_id)?;
    }
    if guard.verified.is_right(client_id, &secret, &hashes) {
        return Ok(true);
    }
    if is_limited && !may_be_guessed {
        guard.check_principal(client_id)?;
    }
    let who = (familiarity, address);
    let checked = is_one_of(secret.clone(), hashes.clone(), &guard.places, who).await;
    let is_right = checked
        .ok_or_else(|| RouteError::Unavailable("too many secrets are checked at once".into()))?;
    if is_right {
        guard.verified.remember(client_id, &secret, &hashes);
    }
    Ok(is_right)
}

/// Whether a name is the registry's own, which is the name of its admin.
#[must_use]
pub fn is_registry_name(name: &str, app: &App) -> bool {
    name.eq_ignore_ascii_case(&app.registry_name)
}

fn admin(
    password: &PasswordDigest,
    app: &App,
    policy: &Policy,
    now: i64,
) -> Result<Principal, RouteError> {
    let Some(password) = accepts(&admin_passwords(policy), password, now) else {
        return Err(RouteError::Unauthorized("a wrong password of the admin"));
    };
    if !policy.registry.admin_enabled {
        return Err(RouteError::Unauthorized("the admin account is disabled"));
    }
    Ok(Principal { password: Some(password), ..Principal::admin(&app.registry_name, policy) })
}

fn admin_passwords(policy: &Policy) -> Vec<Password> {
    policy.registry.admin_passwords.iter().map(Password::from).collect()
}

fn anonymous(policy: &Policy) -> Result<Principal, RouteError> {
    if policy.registry.anonymous_pull {
        Ok(Principal::anonymous(policy))
    } else {
        Err(RouteError::Unauthorized("no credentials"))
    }
}

/// A token as the password of the null GUID: a refresh token, or an access token, which is worth no
/// more than what it holds.
fn by_token(
    token: String,
    app: &App,
    policy: &Policy,
    now: i64,
) -> Result<Authenticated, RouteError> {
    let Some(claims) = app.issuer.verify_access(&token, now) else {
        return by_refresh_token(token, app, policy, now);
    };
    let until = i64::try_from(claims.exp).unwrap_or(now);
    // What two clocks may be apart is for tokens that are used. One that is exchanged within it
    // could be exchanged again and again, and would never end.
    if until <= now {
        return Err(RouteError::Unauthorized("an access token that has expired"));
    }
    let principal = resolve(Claimed::by_access_token(claims, until), app, policy)?;
    app.guard.check_principal(&principal.subject)?;
    Ok(principal.into())
}

/// The claims of an access token of ours whose principal has lost nothing since.
///
/// # Errors
///
/// [`RouteError::Unauthorized`] for a token that is forged, not in time, of another kind, or from
/// before something was taken away.
pub fn by_access_token(token: &str, app: &App, now: i64) -> Result<AccessClaims, RouteError> {
    let claims = app.issuer.verify_access(token, now);
    let claims = claims.ok_or(RouteError::Unauthorized("an access token that is no good"))?;
    let policy = Arc::clone(&app.policy());
    let until = i64::try_from(claims.exp).unwrap_or(now);
    let principal = resolve(Claimed::by_access_token(claims.clone(), until), app, &policy)?;
    let generation = claims.generation.and_then(|generation| i64::try_from(generation).ok());
    // What is renewed is decided anew; what is used was decided when it was issued, by scope maps
    // that may have lost something since.
    if generation.is_none_or(|generation| generation < principal.generation) {
        return Err(RouteError::Unauthorized("a token from before something was taken away"));
    }
    Ok(claims)
}

impl Claimed {
    /// An access token is worth what it holds.
    fn by_access_token(claims: AccessClaims, until: i64) -> Self {
        Self {
            kind: claims.principal,
            subject: claims.sub,
            generation: claims.generation,
            identity: None,
            appid: claims.appid,
            tenant: None,
            password: None,
            provider: claims.provider,
            at_most: Some(AtMost { access: claims.access, until }),
        }
    }
}

fn by_refresh_token(
    refresh_token: String,
    app: &App,
    policy: &Policy,
    now: i64,
) -> Result<Authenticated, RouteError> {
    let claims = app
        .issuer
        .verify_refresh(&refresh_token, now)
        .ok_or(RouteError::Unauthorized("a refresh token that is forged, expired or not ours"))?;
    let claimed = Claimed {
        kind: claims.principal,
        subject: claims.sub,
        generation: claims.generation,
        identity: claims.identity,
        appid: claims.appid,
        tenant: claims.tenant,
        password: claims.password,
        provider: None,
        at_most: None,
    };
    let password = password_of(&claimed, policy, now)?;
    let principal = Principal { password, ..resolve(claimed, app, policy)? };
    app.guard.check_principal(&principal.subject)?;
    Ok(Authenticated { principal, refresh_token: Some(refresh_token) })
}

/// The password that made a refresh token, as it is now: a refresh token ends with it. One that was
/// replaced has raised the generation.
///
/// # Errors
///
/// [`RouteError::Unauthorized`] when it has expired or was removed, and where its principal has
/// passwords and the token names none.
fn password_of(
    claimed: &Claimed,
    policy: &Policy,
    now: i64,
) -> Result<Option<Password>, RouteError> {
    let passwords = match claimed.kind {
        Some(PrincipalKind::Token) => {
            policy.token(&claimed.subject).map(|token| token.passwords.clone()).unwrap_or_default()
        }
        Some(PrincipalKind::Admin) => admin_passwords(policy),
        _ => return Ok(None),
    };
    let name = claimed.password.as_deref().and_then(PasswordName::parse);
    let made_by = passwords.into_iter().find(|password| Some(password.name) == name);
    made_by
        .filter(|password| password.is_in_time(now))
        .map(Some)
        .ok_or(RouteError::Unauthorized("the password that made the refresh token has ended"))
}

/// Finds the principal that a token of ours is for, as it is now.
fn resolve(claimed: Claimed, app: &App, policy: &Policy) -> Result<Principal, RouteError> {
    let principal = match claimed.kind {
        Some(PrincipalKind::Token) => {
            let token = policy.token(&claimed.subject);
            token.filter(|token| token.enabled).map(|token| Principal::token(token, policy))
        }
        Some(PrincipalKind::ServicePrincipal) => {
            let service = policy.service_principal(&claimed.subject);
            let service = service.filter(|service| service.enabled);
            service.map(|service| Principal::service_principal(service, policy))
        }
        Some(PrincipalKind::Admin) => {
            policy.registry.admin_enabled.then(|| Principal::admin(&app.registry_name, policy))
        }
        Some(PrincipalKind::Anonymous) => anonymous(policy).ok(),
        Some(PrincipalKind::Identity) => return resolve_identity(claimed, app, policy),
        None => None,
    };
    let principal =
        principal.ok_or(RouteError::Unauthorized("a principal that is gone or disabled"))?;
    let generation = claimed.generation.and_then(|generation| i64::try_from(generation).ok());
    if generation.is_none_or(|generation| generation < principal.renewable_from) {
        return Err(RouteError::Unauthorized("a token from before the principal was changed"));
    }
    Ok(Principal { at_most: claimed.at_most, ..principal })
}

/// An identity has what its provider's claims are bound to now; by an access token alone, which
/// does not say them, what that holds.
fn resolve_identity(claimed: Claimed, app: &App, policy: &Policy) -> Result<Principal, RouteError> {
    let principal = match (claimed.identity, claimed.at_most) {
        (Some(claims), _) => {
            let principal = Principal::identity(&claimed.subject, claims, app, policy)?;
            let generation = claimed.generation.and_then(|known| i64::try_from(known).ok());
            if generation.is_none_or(|known| known < principal.renewable_from) {
                return Err(RouteError::Unauthorized("a token of an identity that was revoked"));
            }
            principal
        }
        (None, Some(at_most)) => {
            let (subject, generation) = (&claimed.subject, claimed.generation);
            Principal::held(subject, claimed.provider, generation, at_most, app, policy)?
        }
        (None, None) => return Err(RouteError::Unauthorized("an identity that says nothing")),
    };
    Ok(Principal { appid: claimed.appid, tenant: claimed.tenant, ..principal })
}

impl From<Principal> for Authenticated {
    fn from(principal: Principal) -> Self {
        Self { principal, refresh_token: None }
    }
}

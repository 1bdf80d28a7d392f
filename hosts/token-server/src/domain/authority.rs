//! Tokens of the built-in authority: for management, and for exchange at the registry.
//!
//! They are signed with the registry's own keys, and their audience is their purpose. They carry no
//! roles; those are read when a token is used. A token for management may be taken in exchange too;
//! one for exchange never manages.
//!
//! Those of clients are issued here, and those of people by
//! [`person`](crate::domain::login::person). A claim that each kind alone has tells them apart:
//! `appid` and `identity`.

use scopegate_api::claims::PrincipalKind;
use scopegate_edge::jws::Jws;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::config::REGISTRY_AUDIENCE;
use crate::domain::issue::{Issuer, SignError};
use crate::domain::lifetimes::ACCESS_LIFETIME;
use crate::domain::login::person::PersonClaims;
use crate::domain::principal::{AuthError, Client, Directory, Presented, Principal, Proven};
use crate::domain::reason::Reason;

/// How long a token is valid at most, in seconds.
const LIFETIME: i64 = ACCESS_LIFETIME;

/// The claims of a token of either kind.
#[derive(Deserialize)]
#[serde(untagged)]
enum AuthorityClaims {
    Person(Box<PersonClaims>),
    Client(Box<ClientClaims>),
}

/// The claims of a token of a client.
#[derive(Debug, Serialize, Deserialize)]
struct ClientClaims {
    jti: String,
    sub: String,
    nbf: i64,
    exp: i64,
    iat: i64,
    iss: String,
    aud: String,
    /// The client id, under the claim name of Azure's tokens.
    appid: String,
    /// The tenant.
    tid: String,
    /// The generation of the service principal when the token was issued.
    generation: i64,
    /// The epoch of the database.
    epoch: Option<String>,
    /// The id of the client's secret, when that expires: what the token is exchanged for does not
    /// outlast it either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// What a token says of itself before its signature is verified.
#[derive(Debug, Deserialize)]
pub(crate) struct Unverified {
    pub iss: String,
    pub aud: String,
    pub exp: i64,
}

impl Unverified {
    /// Reads what a token says; `None` for a text that is no token of ours.
    #[must_use]
    pub(crate) fn read(token: &str) -> Option<Self> {
        let payload = Jws::read(token).ok()?.payload()?;
        serde_json::from_slice(&payload).ok()
    }
}

/// How long a client's token is valid, in seconds: it does not outlast the secret.
pub(crate) fn lifetime(client: &Client, now: i64) -> i64 {
    let left = client.secret.as_ref().map(|secret| secret.at.saturating_sub(now));
    left.map_or(LIFETIME, |left| left.clamp(0, LIFETIME))
}

/// Signs a token for a service principal.
///
/// # Errors
///
/// [`SignError`] when the key cannot sign.
pub(crate) fn token(
    issuer: &Issuer,
    client: &Client,
    audience: &str,
    tenant: &str,
    now: i64,
) -> Result<String, SignError> {
    let service = &client.service;
    let claims = ClientClaims {
        jti: Uuid::new_v4().to_string(),
        sub: service.name.clone(),
        nbf: now,
        exp: now.saturating_add(lifetime(client, now)),
        iat: now,
        iss: issuer.issuer.clone(),
        aud: audience.to_owned(),
        appid: service.name.clone(),
        tid: tenant.to_owned(),
        generation: service.generation,
        epoch: issuer.epoch().as_deref().cloned(),
        secret: client.secret.as_ref().map(|secret| secret.id.clone()),
    };
    issuer.sign(&claims, now)
}

/// The principal of a token for an audience, noted for the decision log where there is one; `None`
/// when this authority has not issued it.
///
/// # Errors
///
/// [`AuthError::Refused`] for a client that was deleted, disabled or changed since, for a secret
/// that has ended, and for a person who was revoked or whose sign-in has ended.
pub(crate) fn principal(
    token: &str,
    audience: &str,
    issuer: &Issuer,
    directory: Directory<'_>,
    presented: Option<&Presented>,
    now: i64,
) -> Result<Option<Principal>, AuthError> {
    match issuer.verify::<AuthorityClaims>(token, audience, now) {
        None => Ok(None),
        Some(AuthorityClaims::Person(claims)) => {
            let (_, principal) = claims.accept(issuer, directory, presented, now)?;
            Ok(Some(principal))
        }
        Some(AuthorityClaims::Client(claims)) => {
            client(*claims, issuer, directory, presented, now).map(Some)
        }
    }
}

/// The principal of a token that is good for the registry: of one for it, and of one for
/// management while [`authentication_as_arm`] is on; `None` when this authority has not issued it.
/// The audience that it claims is the one it is verified for, so that a forged one is verified
/// once.
///
/// [`authentication_as_arm`]: crate::store::RegistryRecord::authentication_as_arm
///
/// # Errors
///
/// The errors of [`principal`], and [`AuthError::Refused`] for a token for management that is not
/// taken for the registry.
pub(crate) fn for_registry(
    token: &str,
    management: &str,
    issuer: &Issuer,
    directory: Directory<'_>,
    presented: Option<&Presented>,
    now: i64,
) -> Result<Option<Principal>, AuthError> {
    let audience = Unverified::read(token).map(|claims| claims.aud);
    let Some(audience) = audience.filter(|it| it == REGISTRY_AUDIENCE || it == management) else {
        return Ok(None);
    };
    let found = principal(token, &audience, issuer, directory, presented, now)?;
    let takes_management = directory.policy.registry.authentication_as_arm;
    if found.is_some() && audience != REGISTRY_AUDIENCE && !takes_management {
        return Err(Reason::NotForExchange.into());
    }
    Ok(found)
}

/// The service principal of a token.
fn client(
    claims: ClientClaims,
    issuer: &Issuer,
    directory: Directory<'_>,
    presented: Option<&Presented>,
    now: i64,
) -> Result<Principal, AuthError> {
    let policy = directory.policy;
    if let Some(presented) = presented {
        let (name, jti) = (claims.sub.clone(), Some(claims.jti.clone()));
        let kind = PrincipalKind::ServicePrincipal;
        presented.note(|| Proven { kind, name, provider: None, jti });
    }
    let service = policy
        .service_principal(&claims.sub)
        .filter(|service| service.enabled)
        .ok_or(Reason::ClientGone)?;
    if !claims.tid.eq_ignore_ascii_case(&policy.registry.tenant) {
        return Err(Reason::OtherTenant.into());
    }
    if claims.epoch.as_ref() != issuer.epoch().as_deref() {
        return Err(Reason::OtherEpoch.into());
    }
    if claims.generation < service.generation {
        return Err(Reason::ClientChanged.into());
    }
    let secret = match &claims.secret {
        Some(id) => Some(service.secret(id, now).cloned().ok_or(Reason::PasswordEnded)?),
        None => None,
    };
    Ok(Principal { secret, ..Principal::service_principal(service, policy) })
}

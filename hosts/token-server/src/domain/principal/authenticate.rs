//! Authentication: from credentials to a principal.
//!
//! Follows Azure Container Registry (reference: authentication options and repository-scoped
//! tokens): a scope-map token, the admin account or a service principal by name and password; an
//! identity by a refresh token that it got in exchange for its provider's token; a refresh or
//! access token of ours as the password of the null GUID; and anonymous clients.
//!
//! Every failure has the same answer after the same time, so that names cannot be enumerated. The
//! syntax of a name alone selects the kind of principal, and each kind has one check, for names
//! that exist and names that do not.

use std::net::IpAddr;
use std::sync::Arc;

use scopegate_api::claims::{
    AccessClaims, IdentityClaims, PrincipalKind, RefreshClaims, UntagClaim,
};

use super::secret::find;
use super::{AuthError, Ceiling, Credentials, Directory, NULL_GUID, Presented, Principal, Proven};
use crate::clock;
use crate::domain::guard::Guard;
use crate::domain::guard::familiar::Familiarity;
use crate::domain::issue::Issuer;
use crate::domain::policy::{Password, Policy, ServicePrincipal, accepts};
use crate::domain::reason::Reason;
use crate::model::client_id::is_client_id;
use crate::model::password::{PasswordDigest, is_generated};
use crate::store::{PasswordName, SecretExpiry};

/// An authenticated principal, with its refresh token.
#[derive(Debug)]
pub struct Authenticated {
    pub principal: Principal,
    /// The refresh token that it presented, if any.
    pub refresh_token: Option<String>,
    /// When the token of a provider or of the authority expires that was its password.
    pub token_expiry: Option<i64>,
}

/// A service principal with the secret that it showed.
#[derive(Clone, Debug)]
pub struct Client {
    pub service: Arc<ServicePrincipal>,
    /// The expiry of the secret; `None` for never.
    pub secret: Option<SecretExpiry>,
}

/// Authenticates against a snapshot of the policy.
#[derive(Clone, Copy, Debug)]
pub struct Authenticator<'a> {
    /// Looks up principals.
    pub directory: Directory<'a>,
    /// Verifies our own tokens.
    pub issuer: &'a Issuer,
    /// Bounds the attempts.
    pub guard: &'a Guard,
    /// Where verified tokens are noted, for the decision log.
    pub presented: Option<&'a Presented>,
}

/// The principal that one of our tokens claims.
struct Claimed {
    kind: Option<PrincipalKind>,
    subject: String,
    generation: Option<u64>,
    identity: Option<IdentityClaims>,
    appid: Option<String>,
    tenant: Option<String>,
    password: Option<String>,
    provider: Option<String>,
    ceiling: Option<Ceiling>,
}

impl<'a> Authenticator<'a> {
    /// The same, noting which token was presented.
    #[must_use]
    pub fn noting(self, presented: &'a Presented) -> Self {
        Self { presented: Some(presented), ..self }
    }

    /// Authenticates by credentials.
    ///
    /// # Errors
    ///
    /// [`AuthError::Refused`] for invalid credentials, and for a disabled principal.
    pub async fn authenticate(
        self,
        credentials: Credentials,
        address: IpAddr,
        now: i64,
    ) -> Result<Authenticated, AuthError> {
        match credentials {
            Credentials::None => anonymous(self.directory.policy).map(Authenticated::from),
            // The JavaScript SDK sends this without credentials.
            Credentials::Refresh(token) if token.is_empty() => {
                anonymous(self.directory.policy).map(Authenticated::from)
            }
            Credentials::Refresh(token) => self.by_refresh_token(token, now),
            Credentials::Password { name, password } if name == NULL_GUID => {
                self.by_token(password, now)
            }
            Credentials::Password { name, password } => {
                self.by_password(&name, password, address, now).await.map(Authenticated::from)
            }
        }
    }

    /// Authenticates by a name and a password or secret.
    ///
    /// # Errors
    ///
    /// [`AuthError::Refused`] for invalid credentials, and for a disabled principal.
    pub async fn by_password(
        self,
        name: &str,
        password: String,
        address: IpAddr,
        now: i64,
    ) -> Result<Principal, AuthError> {
        if is_client_id(name) {
            let client = self.by_secret(name, password, address).await?;
            return Ok(client.into_principal(self.directory.policy));
        }
        let principal = self.by_digest(name, &password, now)?;
        // A failure does not count against the name: guesses would lock its owner out.
        self.guard.check_principal(name)?;
        Ok(principal)
    }

    /// Finds the token or the admin with this name and password. Generated passwords cannot be
    /// guessed, so only the limit of addresses applies.
    fn by_digest(self, name: &str, password: &str, now: i64) -> Result<Principal, AuthError> {
        // Digested for an unknown name too.
        let digest = PasswordDigest::of(password);
        if self.is_registry_name(name) {
            return self.admin(&digest, now);
        }
        let Some(token) = self.directory.policy.token(name) else {
            // Compared with as many digests as a token has, for the same reason.
            std::hint::black_box([&digest, &digest].map(|own| own.matches(&digest)));
            return Err(Reason::UnknownToken.into());
        };
        let Some(password) = token.accepts(&digest, now) else {
            return Err(Reason::WrongPassword.into());
        };
        if !token.enabled {
            return Err(Reason::TokenDisabled.into());
        }
        Ok(Principal { password: Some(password), ..Principal::token(token, self.directory.policy) })
    }

    /// Finds the service principal with this client id and secret, for a client at an address.
    ///
    /// # Errors
    ///
    /// [`AuthError::Refused`] for an unknown, disabled or wrong client; [`AuthError::TooMany`]
    /// above the limit of its name, for one without a recent success from there.
    pub async fn by_secret(
        self,
        client_id: &str,
        secret: String,
        address: IpAddr,
    ) -> Result<Client, AuthError> {
        let now = clock::now();
        let familiarity = self.guard.familiar.of(client_id, address, now);
        let service = self.directory.policy.service_principal(client_id);
        // An expired secret is a wrong one.
        let secrets = service.map(|service| service.secrets.as_slice()).unwrap_or_default();
        let secrets: Vec<_> = secrets.iter().filter(|secret| secret.is_in_time(now)).collect();
        let hashes = secrets.iter().map(|secret| secret.hash.clone()).collect();
        let found = self.find_secret(client_id, secret, hashes, (familiarity, address)).await?;
        if found.is_none() {
            self.guard.familiar.record_failure(client_id, address);
        }
        let found = found.and_then(|index| secrets.get(index));
        match (service, found) {
            (Some(service), Some(secret)) if service.enabled => {
                self.guard.familiar.record_success(client_id, address, now);
                Ok(Client { service: Arc::clone(service), secret: secret.expiry.clone() })
            }
            (Some(_), Some(_)) => Err(Reason::ClientDisabled.into()),
            (Some(_), None) => Err(Reason::WrongSecret.into()),
            (None, _) => Err(Reason::UnknownClient.into()),
        }
    }

    /// Which of a client's secrets this is, if any. One that was verified before is not hashed
    /// again. The limit by name comes before the check of a chosen secret, and before any hashing.
    async fn find_secret(
        self,
        client_id: &str,
        secret: String,
        hashes: Vec<String>,
        (familiarity, address): (Familiarity, IpAddr),
    ) -> Result<Option<usize>, AuthError> {
        let guard = &self.guard;
        let is_limited = familiarity == Familiarity::Unknown;
        let may_be_guessed = !is_generated(&secret);
        if is_limited && may_be_guessed {
            guard.check_principal(client_id)?;
        }
        if let Some(index) = guard.verified.find(client_id, &secret, &hashes) {
            return Ok(Some(index));
        }
        if is_limited && !may_be_guessed {
            guard.check_principal(client_id)?;
        }
        let who = (familiarity, address);
        let checked = find(secret.clone(), hashes.clone(), &guard.check_slots, who).await;
        let found = checked
            .ok_or_else(|| AuthError::Unavailable("too many secrets are checked at once".into()))?;
        if let Some(index) = found {
            guard.verified.insert(client_id, &secret, &hashes, index);
        }
        Ok(found)
    }

    /// Whether a name is the registry's own, which is the name of its admin.
    #[must_use]
    pub fn is_registry_name(self, name: &str) -> bool {
        name.eq_ignore_ascii_case(self.directory.registry_name)
    }

    fn admin(self, password: &PasswordDigest, now: i64) -> Result<Principal, AuthError> {
        let Some(password) = accepts(&admin_passwords(self.directory.policy), password, now) else {
            return Err(Reason::WrongAdminPassword.into());
        };
        if !self.directory.policy.registry.admin_enabled {
            return Err(Reason::AdminDisabled.into());
        }
        Ok(Principal {
            password: Some(password),
            ..Principal::admin(self.directory.registry_name, self.directory.policy)
        })
    }

    /// A token as the password of the null GUID: a refresh token, or an access token, which is
    /// bounded by its own access.
    fn by_token(self, token: String, now: i64) -> Result<Authenticated, AuthError> {
        let Some((claims, untag)) = self.issuer.verify_with_untag(&token, now) else {
            return self.by_refresh_token(token, now);
        };
        self.note_access(&claims);
        let until = i64::try_from(claims.exp).unwrap_or(now);
        // The leeway is for tokens that are used. A token exchanged within it could be exchanged
        // again and again, and would never end.
        if until <= now {
            return Err(Reason::AccessTokenExpired.into());
        }
        let principal = self.resolve(Claimed::by_access_token(claims, untag, until))?;
        self.guard.check_principal(&principal.subject)?;
        Ok(principal.into())
    }

    /// The claims of one of our access tokens whose principal has kept its rights.
    ///
    /// # Errors
    ///
    /// [`AuthError::Refused`] for a token that is forged, expired, of another type, or from before
    /// its rights were reduced.
    pub fn by_access_token(self, token: &str, now: i64) -> Result<AccessClaims, AuthError> {
        let claims = self.issuer.verify_access(token, now);
        let claims = claims.ok_or(Reason::InvalidAccessToken)?;
        self.note_access(&claims);
        let until = i64::try_from(claims.exp).unwrap_or(now);
        let claimed = Claimed::by_access_token(claims.clone(), UntagClaim::default(), until);
        let principal = self.resolve(claimed)?;
        let generation = claims.generation.and_then(|generation| i64::try_from(generation).ok());
        // A refresh decides again; an access token was decided when it was issued, by scope maps
        // that may have been reduced since.
        if generation.is_none_or(|generation| generation < principal.generation) {
            return Err(Reason::RightsReduced.into());
        }
        Ok(claims)
    }

    fn by_refresh_token(self, refresh_token: String, now: i64) -> Result<Authenticated, AuthError> {
        let claims =
            self.issuer.verify_refresh(&refresh_token, now).ok_or(Reason::InvalidRefreshToken)?;
        self.note_refresh(&claims);
        if self.directory.policy.is_revoked(&claims.jti) {
            return Err(Reason::RefreshTokenRevoked.into());
        }
        let until = i64::try_from(claims.exp).unwrap_or(now);
        let is_identity = claims.principal == Some(PrincipalKind::Identity);
        // What it gives ends with it, so the leeway would give what has ended.
        if is_identity && until <= now {
            return Err(Reason::InvalidRefreshToken.into());
        }
        let claimed = Claimed {
            kind: claims.principal,
            subject: claims.sub,
            generation: claims.generation,
            identity: claims.identity,
            appid: claims.appid,
            tenant: claims.tenant,
            password: claims.password,
            provider: None,
            ceiling: None,
        };
        let password = password_of(&claimed, self.directory.policy, now)?;
        let secret = secret_of(&claimed, self.directory.policy, now)?;
        let login_until = is_identity.then_some(until);
        let principal = Principal { password, secret, login_until, ..self.resolve(claimed)? };
        self.guard.check_principal(&principal.subject)?;
        Ok(Authenticated { principal, refresh_token: Some(refresh_token), token_expiry: None })
    }

    fn note_access(self, claims: &AccessClaims) {
        if let (Some(presented), Some(kind)) = (self.presented, claims.principal) {
            presented.note(|| Proven {
                kind,
                name: claims.sub.clone(),
                provider: claims.provider.clone(),
                jti: Some(claims.jti.clone()),
            });
        }
    }

    fn note_refresh(self, claims: &RefreshClaims) {
        if let (Some(presented), Some(kind)) = (self.presented, claims.principal) {
            let provider = claims.identity.as_ref().map(|identity| identity.provider.clone());
            presented.note(|| Proven {
                kind,
                name: claims.sub.clone(),
                provider,
                jti: Some(claims.jti.clone()),
            });
        }
    }

    /// Finds the current principal of one of our tokens.
    fn resolve(self, claimed: Claimed) -> Result<Principal, AuthError> {
        let principal = match claimed.kind {
            Some(PrincipalKind::Token) => {
                let token = self.directory.policy.token(&claimed.subject);
                token
                    .filter(|token| token.enabled)
                    .map(|token| Principal::token(token, self.directory.policy))
            }
            Some(PrincipalKind::ServicePrincipal) => {
                let service = self.directory.policy.service_principal(&claimed.subject);
                let service = service.filter(|service| service.enabled);
                service.map(|service| Principal::service_principal(service, self.directory.policy))
            }
            Some(PrincipalKind::Admin) => self
                .directory
                .policy
                .registry
                .admin_enabled
                .then(|| Principal::admin(self.directory.registry_name, self.directory.policy)),
            Some(PrincipalKind::Anonymous) => anonymous(self.directory.policy).ok(),
            Some(PrincipalKind::Identity) => return self.resolve_identity(claimed),
            None => None,
        };
        let principal = principal.ok_or(Reason::PrincipalGone)?;
        let generation = claimed.generation.and_then(|generation| i64::try_from(generation).ok());
        if generation.is_none_or(|generation| generation < principal.refresh_valid_from) {
            return Err(Reason::PrincipalChanged.into());
        }
        Ok(Principal { ceiling: claimed.ceiling, ..principal })
    }

    /// An identity has the current grants of its provider's claims; by an access token, which does
    /// not carry the claims, it has that token's access.
    fn resolve_identity(self, claimed: Claimed) -> Result<Principal, AuthError> {
        let principal = match (claimed.identity, claimed.ceiling) {
            (Some(claims), _) => {
                let principal = Principal::identity(&claimed.subject, claims, self.directory)?;
                let generation = claimed.generation.and_then(|known| i64::try_from(known).ok());
                if generation.is_none_or(|known| known < principal.refresh_valid_from) {
                    return Err(Reason::IdentityRevoked.into());
                }
                principal
            }
            (None, Some(ceiling)) => {
                let (subject, generation) = (&claimed.subject, claimed.generation);
                Principal::delegated(
                    subject,
                    claimed.provider,
                    generation,
                    ceiling,
                    self.directory,
                )?
            }
            (None, None) => return Err(Reason::IdentityWithoutClaims.into()),
        };
        Ok(Principal { appid: claimed.appid, tenant: claimed.tenant, ..principal })
    }
}

impl Claimed {
    /// An access token is bounded by its own access.
    fn by_access_token(claims: AccessClaims, untag: UntagClaim, until: i64) -> Self {
        let UntagClaim { untag } = untag;
        Self {
            kind: claims.principal,
            subject: claims.sub,
            generation: claims.generation,
            identity: None,
            appid: claims.appid,
            tenant: None,
            password: None,
            provider: claims.provider,
            ceiling: Some(Ceiling { access: claims.access, untag, until }),
        }
    }
}

fn admin_passwords(policy: &Policy) -> Vec<Password> {
    policy.registry.admin_passwords.iter().map(Password::from).collect()
}

fn anonymous(policy: &Policy) -> Result<Principal, AuthError> {
    if policy.registry.anonymous_pull {
        Ok(Principal::anonymous(policy))
    } else {
        Err(Reason::NoCredentials.into())
    }
}

/// The current state of the password that a refresh token was issued for: the refresh token ends
/// with it. A replaced password has raised the generation.
///
/// # Errors
///
/// [`AuthError::Refused`] when it has expired or was removed, and when its principal has passwords
/// but the token names none.
fn password_of(
    claimed: &Claimed,
    policy: &Policy,
    now: i64,
) -> Result<Option<Password>, AuthError> {
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
        .ok_or(Reason::PasswordEnded.into())
}

/// The same for the secret of a service principal. A token of a secret that does not expire names
/// none; a removed secret has raised the generation.
///
/// # Errors
///
/// [`AuthError::Refused`] when it has expired or was removed.
fn secret_of(
    claimed: &Claimed,
    policy: &Policy,
    now: i64,
) -> Result<Option<SecretExpiry>, AuthError> {
    let (Some(PrincipalKind::ServicePrincipal), Some(id)) = (claimed.kind, &claimed.password)
    else {
        return Ok(None);
    };
    let service = policy.service_principal(&claimed.subject);
    let secret = service.and_then(|service| service.secret(id, now));
    secret.cloned().map(Some).ok_or(Reason::PasswordEnded.into())
}

impl Client {
    /// The principal of its tokens, which do not outlast the secret.
    #[must_use]
    pub fn into_principal(self, policy: &Policy) -> Principal {
        let principal = Principal::service_principal(&self.service, policy);
        Principal { secret: self.secret, ..principal }
    }
}

impl From<Principal> for Authenticated {
    fn from(principal: Principal) -> Self {
        Self { principal, refresh_token: None, token_expiry: None }
    }
}

//! Who has signed in, and the tokens for it.
//!
//! | token | audience | good for |
//! |---|---|---|
//! | access token | management, or the registry | an hour |
//! | refresh token | one of its own | three hours, each time |
//! | ID token (OpenID Connect Core, section 2) | the client | an hour |
//!
//! None outlasts the sign-in, which ends after [`LOGIN_LIFETIME`]. They carry the claims that
//! bindings mention, so that rights are read whenever a token is used. A refresh token of ours says
//! nothing to the provider, and the provider's is not kept.
//!
//! Access tokens have no `appid`: a server of an earlier version, which knows clients alone,
//! refuses them.

use scopegate_api::claims::{IdentityClaims, PrincipalKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid, Variant, Version};

use crate::domain::identity::provider::login::SignedIn;
use crate::domain::issue::{Issuer, SignError};
use crate::domain::lifetimes::{ACCESS_LIFETIME, LOGIN_LIFETIME, REFRESH_LIFETIME};
use crate::domain::principal::{AuthError, Directory, Presented, Principal, Proven};
use crate::domain::reason::Reason;

/// A person who has signed in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Person {
    /// Its name at the provider.
    pub subject: String,
    /// The provider, and the claims that rights depend on.
    pub identity: IdentityClaims,
    /// Its generation when it signed in, or renewed its tokens.
    pub generation: u64,
    /// The names that are shown; they identify no one.
    pub username: String,
    pub name: String,
    /// The client that it signed in with.
    pub client_id: String,
    /// When it signed in, in seconds since 1970.
    pub auth_time: i64,
}

/// The claims of an access or refresh token of a person.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PersonClaims {
    jti: String,
    sub: String,
    nbf: i64,
    exp: i64,
    iat: i64,
    iss: String,
    aud: String,
    /// The client.
    azp: String,
    /// The tenant.
    tid: String,
    /// A GUID for clients that want one.
    oid: String,
    preferred_username: String,
    name: String,
    auth_time: i64,
    generation: u64,
    /// The epoch of the database.
    epoch: Option<String>,
    /// The provider and its claims.
    identity: IdentityClaims,
}

/// The claims of an ID token.
#[derive(Debug, Serialize)]
struct IdClaims<'a> {
    jti: String,
    sub: &'a str,
    nbf: i64,
    exp: i64,
    iat: i64,
    iss: &'a str,
    aud: &'a str,
    tid: &'a str,
    oid: String,
    preferred_username: &'a str,
    name: &'a str,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    ver: &'static str,
}

impl Person {
    /// A person who has just come back from its provider.
    ///
    /// # Errors
    ///
    /// [`AuthError::Refused`] for one to whom nothing is bound, and the errors of
    /// [`Principal::of`].
    pub(crate) fn new(
        signed_in: SignedIn,
        client_id: &str,
        directory: Directory<'_>,
        now: i64,
    ) -> Result<Self, AuthError> {
        let SignedIn { identity, username, name } = signed_in;
        let principal = Principal::of(identity, directory)?;
        check_rights(&principal)?;
        let identity = principal.identity.ok_or(Reason::IdentityWithoutClaims)?;
        Ok(Self {
            subject: principal.subject,
            identity,
            generation: principal.generation.unsigned_abs(),
            username,
            name,
            client_id: client_id.to_owned(),
            auth_time: now,
        })
    }

    /// The principal of a person, by what the configuration gives it now.
    ///
    /// # Errors
    ///
    /// [`AuthError::Refused`] for a sign-in that has ended, for a person who was revoked since, and
    /// for one to whom nothing is bound any more.
    pub(crate) fn principal(
        &self,
        directory: Directory<'_>,
        now: i64,
    ) -> Result<Principal, AuthError> {
        if now >= self.ends_at() {
            return Err(Reason::LoginEnded.into());
        }
        let provider = directory.providers.by_name(&self.identity.provider);
        if !provider.is_some_and(|provider| provider.signs_people_in()) {
            return Err(Reason::ProviderGone.into());
        }
        let principal = Principal::identity(&self.subject, self.identity.clone(), directory)?;
        let generation = i64::try_from(self.generation).unwrap_or(0);
        if generation < principal.refresh_valid_from {
            return Err(Reason::IdentityRevoked.into());
        }
        check_rights(&principal)?;
        Ok(Principal {
            appid: Some(self.client_id.clone()),
            tenant: Some(directory.policy.registry.tenant.clone()),
            login_until: Some(self.ends_at()),
            ..principal
        })
    }

    /// When its sign-in ends.
    fn ends_at(&self) -> i64 {
        self.auth_time.saturating_add(LOGIN_LIFETIME)
    }

    /// How long an access token is good, in seconds.
    #[must_use]
    pub(crate) fn access_lifetime(&self, now: i64) -> i64 {
        self.ends_at().saturating_sub(now).clamp(0, ACCESS_LIFETIME)
    }

    /// Signs an access token.
    ///
    /// # Errors
    ///
    /// [`SignError`] when the key cannot sign.
    pub(crate) fn access_token(
        &self,
        issuer: &Issuer,
        audience: &str,
        tenant: &str,
        now: i64,
    ) -> Result<String, SignError> {
        let lifetime = self.access_lifetime(now);
        issuer.sign(&self.claims(issuer, audience, tenant, lifetime, now), now)
    }

    /// Signs a refresh token.
    ///
    /// # Errors
    ///
    /// [`SignError`] when the key cannot sign.
    pub(crate) fn refresh_token(
        &self,
        issuer: &Issuer,
        tenant: &str,
        now: i64,
    ) -> Result<String, SignError> {
        let lifetime = self.ends_at().saturating_sub(now).clamp(0, REFRESH_LIFETIME);
        issuer.sign(&self.claims(issuer, &audience(issuer), tenant, lifetime, now), now)
    }

    /// Signs an ID token for the client. `authority` is the tenant's issuer.
    ///
    /// # Errors
    ///
    /// [`SignError`] when the key cannot sign.
    pub(crate) fn id_token(
        &self,
        issuer: &Issuer,
        (authority, tenant): (&str, &str),
        nonce: Option<&str>,
        now: i64,
    ) -> Result<String, SignError> {
        let claims = IdClaims {
            jti: Uuid::new_v4().to_string(),
            sub: &self.subject,
            nbf: now,
            exp: now.saturating_add(ACCESS_LIFETIME),
            iat: now,
            iss: authority,
            aud: &self.client_id,
            tid: tenant,
            oid: self.object_id(),
            preferred_username: &self.username,
            name: &self.name,
            auth_time: self.auth_time,
            nonce,
            ver: "2.0",
        };
        issuer.sign(&claims, now)
    }

    /// The person of a refresh token; `None` when this authority has not issued it.
    ///
    /// # Errors
    ///
    /// [`AuthError::Refused`] for a token of another tenant or epoch, and the errors of
    /// [`Person::principal`].
    pub(crate) fn by_refresh_token(
        token: &str,
        issuer: &Issuer,
        directory: Directory<'_>,
        presented: Option<&Presented>,
        now: i64,
    ) -> Result<Option<(Self, Principal)>, AuthError> {
        let claims: Option<PersonClaims> = issuer.verify(token, &audience(issuer), now);
        claims.map(|claims| claims.accept(issuer, directory, presented, now)).transpose()
    }

    /// A GUID that stands for the person at clients that want one.
    #[must_use]
    pub(crate) fn object_id(&self) -> String {
        let digest = Sha256::new()
            .chain_update(&self.identity.provider)
            .chain_update([0])
            .chain_update(&self.subject)
            .finalize();
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(digest).for_each(|(byte, digit)| *byte = digit);
        let guid = Builder::from_bytes(bytes).with_version(Version::Custom);
        guid.with_variant(Variant::RFC4122).into_uuid().to_string()
    }

    fn claims(
        &self,
        issuer: &Issuer,
        audience: &str,
        tenant: &str,
        lifetime: i64,
        now: i64,
    ) -> PersonClaims {
        PersonClaims {
            jti: Uuid::new_v4().to_string(),
            sub: self.subject.clone(),
            nbf: now,
            exp: now.saturating_add(lifetime),
            iat: now,
            iss: issuer.issuer.clone(),
            aud: audience.to_owned(),
            azp: self.client_id.clone(),
            tid: tenant.to_owned(),
            oid: self.object_id(),
            preferred_username: self.username.clone(),
            name: self.name.clone(),
            auth_time: self.auth_time,
            generation: self.generation,
            epoch: issuer.epoch().as_deref().cloned(),
            identity: self.identity.clone(),
        }
    }
}

impl PersonClaims {
    /// The person, and its principal, noted for the decision log where there is one.
    ///
    /// # Errors
    ///
    /// [`AuthError::Refused`] for a token of another tenant or epoch, and the errors of
    /// [`Person::principal`].
    pub(crate) fn accept(
        self,
        issuer: &Issuer,
        directory: Directory<'_>,
        presented: Option<&Presented>,
        now: i64,
    ) -> Result<(Person, Principal), AuthError> {
        if let Some(presented) = presented {
            presented.note(|| Proven {
                kind: PrincipalKind::Identity,
                name: self.sub.clone(),
                provider: Some(self.identity.provider.clone()),
                jti: Some(self.jti.clone()),
            });
        }
        if !self.tid.eq_ignore_ascii_case(&directory.policy.registry.tenant) {
            return Err(Reason::OtherTenant.into());
        }
        if self.epoch.as_ref() != issuer.epoch().as_deref() {
            return Err(Reason::OtherEpoch.into());
        }
        let person = Person {
            subject: self.sub,
            identity: self.identity,
            generation: self.generation,
            username: self.preferred_username,
            name: self.name,
            client_id: self.azp,
            auth_time: self.auth_time,
        };
        let principal = person.principal(directory, now)?;
        Ok((person, principal))
    }
}

/// The audience of refresh tokens.
fn audience(issuer: &Issuer) -> String {
    format!("login-refresh:{}", issuer.service)
}

/// Who has no rights at all does not sign in: it would learn the names of what there is.
fn check_rights(principal: &Principal) -> Result<(), AuthError> {
    if principal.tables.is_empty() && principal.roles.is_empty() {
        return Err(Reason::NothingBound.into());
    }
    Ok(())
}

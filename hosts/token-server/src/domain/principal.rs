//! Principals: who sends a request, with its scope maps.
//!
//! Scope-map tokens, the admin account, service principals, identities from a provider and
//! anonymous clients are all the same here: compiled scope maps, a generation, and a name. The code
//! after that is one path.

mod authenticate;
mod certificate;
mod credentials;
mod error;
mod manager;
mod presented;
pub(crate) mod secret;
mod summary;

use std::sync::Arc;

use scopegate_api::access::AccessEntry;
use scopegate_api::claims::{IdentityClaims, PrincipalKind};
use scopegate_core::scope_map::Role;
use scopegate_runtime::{PolicyTable, Runtime};

pub(crate) use authenticate::{Authenticated, Authenticator, Client};
pub(crate) use certificate::{Holder, Holders};
pub use credentials::Credentials;
pub(crate) use credentials::NULL_GUID;
pub(crate) use error::AuthError;
pub(crate) use manager::Manager;
pub(crate) use presented::{Presented, Proven};

use crate::domain::identity::{Identity, NearMiss, Provider, Providers};
use crate::domain::issue::Subject;
use crate::domain::policy::{Password, Policy, ServicePrincipal, Token};
use crate::domain::reason::Reason;
use crate::model::principal_id::PrincipalId;
use crate::store::{Revision, SecretExpiry};

/// The `sub` of an anonymous client, as in the service.
pub(crate) const ANONYMOUS: &str = "acr_anon_pull";
/// The scope map of the admin account.
const ADMIN_MAP: &str = "_repositories_admin";

/// Where principals are looked up: the policy and the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Directory<'a> {
    /// The snapshot of the policy.
    pub policy: &'a Policy,
    /// The registry's own name, which is the user name of its admin.
    pub registry_name: &'a str,
    /// The identity providers.
    pub providers: &'a Providers,
    /// The engine, which compiles the rules of bindings.
    pub runtime: &'a Runtime,
}

#[derive(Clone, Debug)]
pub struct Principal {
    /// What kind of principal.
    pub kind: PrincipalKind,
    /// Its name among its kind: the `sub` of its tokens.
    pub subject: String,
    /// Its compiled scope maps.
    pub tables: Vec<PolicyTable>,
    /// Its roles in management.
    pub roles: Vec<Role>,
    /// The revision of the last change that removed rights from it or from its scope maps.
    pub generation: Revision,
    /// The oldest generation of valid refresh tokens. A reduced scope map does not count here,
    /// because scope maps are read for each access token.
    pub refresh_valid_from: Revision,
    /// The claims of its provider.
    pub identity: Option<IdentityClaims>,
    /// The provider of the identity.
    pub provider: Option<String>,
    /// The application of its token.
    pub appid: Option<String>,
    /// The tenant of its token.
    pub tenant: Option<String>,
    /// The upper bound of its access.
    pub ceiling: Option<Ceiling>,
    /// The generated password that it used, or that its refresh token was issued for.
    pub password: Option<Password>,
    /// The expiry of the secret that it used, or that its refresh token was issued for.
    pub secret: Option<SecretExpiry>,
    /// When the sign-in of a person ends, or the refresh token that an identity has presented.
    pub login_until: Option<i64>,
}

/// The access of the access token that a client presented: tokens issued for it hold no more
/// access, and do not outlast it.
#[derive(Clone, Debug)]
pub struct Ceiling {
    pub access: Vec<AccessEntry>,
    /// The repositories of its claim `untag`.
    pub untag: Vec<String>,
    /// When it expires, in seconds since 1970.
    pub until: i64,
}

impl Principal {
    /// A scope-map token.
    #[must_use]
    pub fn token(token: &Token, policy: &Policy) -> Self {
        let mut principal = Self::new(PrincipalKind::Token, &token.name, token.generation);
        principal.generation = token.generation(policy);
        if let Some(map) = token.scope_map.as_deref() {
            principal.add_scope_map(map, policy);
        }
        principal
    }

    /// The admin account. `name` is the registry's.
    #[must_use]
    pub fn admin(name: &str, policy: &Policy) -> Self {
        let generation = policy.registry.admin_generation;
        let mut principal = Self::new(PrincipalKind::Admin, name, generation);
        principal.generation = admin_generation(policy);
        principal.add_scope_map(ADMIN_MAP, policy);
        principal
    }

    #[must_use]
    pub fn service_principal(service: &ServicePrincipal, policy: &Policy) -> Self {
        let mut principal =
            Self::new(PrincipalKind::ServicePrincipal, &service.name, service.generation);
        principal.generation = service.generation(policy);
        principal.appid = Some(service.name.clone());
        principal.tenant = Some(policy.registry.tenant.clone());
        for map in &service.scope_maps {
            principal.add_scope_map(map, policy);
        }
        for role in &service.roles {
            principal.add_role(*role, policy);
        }
        principal
    }

    /// An anonymous client.
    #[must_use]
    pub fn anonymous(policy: &Policy) -> Self {
        let generation = policy.registry.anonymous_generation;
        let mut principal = Self::new(PrincipalKind::Anonymous, ANONYMOUS, generation);
        principal.tables.push(policy.built_in.anonymous.clone());
        principal
    }

    /// An identity of a provider, with the grants that the current configuration binds its claims
    /// to.
    ///
    /// # Errors
    ///
    /// [`AuthError::Refused`] when the provider is no longer configured; [`AuthError::Unavailable`]
    /// when this server's providers are not the stored ones; [`AuthError::Engine`] when the engine
    /// fails.
    pub fn identity(
        subject: &str,
        claims: IdentityClaims,
        directory: Directory<'_>,
    ) -> Result<Self, AuthError> {
        let policy = directory.policy;
        let (provider, revoked) = directory.provider(&claims.provider)?;
        if claims.origin.as_ref().is_some_and(|origin| origin != provider.origin()) {
            return Err(Reason::ProviderChanged.into());
        }
        let bound = provider.bind(&claims.claims);
        let of_one = policy.identity_revoked(&claims.provider, subject);
        let mut principal = Self::new(PrincipalKind::Identity, subject, of_one.max(revoked));
        principal.generation = directory.provider_generation(provider.name()).max(of_one);
        principal.provider = Some(claims.provider.clone());
        for map in &bound.scope_maps {
            principal.add_scope_map(map, policy);
        }
        for role in bound.roles {
            principal.add_role(role, policy);
        }
        for left_out in &bound.left_out {
            let (rule, reason) = (&left_out.rule, &left_out.reason);
            tracing::info!(target: "decision", subject, provider = claims.provider, rule, reason, "a binding's rule does not match the claims");
        }
        for NearMiss { binding, claim, reason } in &bound.near_misses {
            let provider = &claims.provider;
            tracing::info!(
                target: "decision", subject, provider, binding, claim, reason, "a binding fails only by the type or case of a value"
            );
        }
        if !bound.rules.is_empty() {
            let rules: Vec<String> = bound.rules.iter().map(ToString::to_string).collect();
            let table =
                directory.runtime.compile(&claims.provider, rules.iter().map(String::as_str));
            principal.tables.push(table.map_err(|error| AuthError::Engine(error.to_string()))?);
        }
        principal.identity = Some(claims);
        Ok(principal)
    }

    /// The principal of an identity provider's token.
    ///
    /// # Errors
    ///
    /// The errors of [`Principal::identity`], and [`AuthError::Refused`] for claims that are too
    /// large for a refresh token.
    pub fn of(identity: Identity, directory: Directory<'_>) -> Result<Self, AuthError> {
        let (provider, _) = directory.provider(&identity.provider)?;
        let mentioned = provider.mentioned(&identity.claims)?;
        let origin = Some(provider.origin().to_owned());
        let claims = IdentityClaims { provider: identity.provider, claims: mentioned, origin };
        let principal = Self::identity(&identity.subject, claims, directory)?;
        Ok(Self { appid: identity.appid, tenant: identity.tenant, ..principal })
    }

    /// The principal of an access token without its claims: full access, bounded by the token as
    /// its [`Ceiling`].
    ///
    /// # Errors
    ///
    /// [`AuthError::Refused`] for a token that names no provider or a removed one, and for one from
    /// before its rights were reduced.
    fn delegated(
        subject: &str,
        provider: Option<String>,
        generation: Option<u64>,
        ceiling: Ceiling,
        directory: Directory<'_>,
    ) -> Result<Self, AuthError> {
        let policy = directory.policy;
        let provider = provider.ok_or(Reason::IdentityWithoutProvider)?;
        policy.provider(&provider).ok_or(Reason::ProviderGone)?;
        let of_one = policy.identity_revoked(&provider, subject);
        let oldest = directory.provider_generation(&provider).max(of_one);
        let generation = generation.and_then(|generation| i64::try_from(generation).ok());
        let generation =
            generation.filter(|generation| *generation >= oldest).ok_or(Reason::RightsReduced)?;
        let mut principal = Self::new(PrincipalKind::Identity, subject, generation);
        principal.provider = Some(provider);
        principal.ceiling = Some(ceiling);
        principal.tables.extend(policy.built_in.role(Role::Owner).cloned());
        Ok(principal)
    }

    fn new(kind: PrincipalKind, subject: &str, generation: Revision) -> Self {
        Self {
            kind,
            subject: subject.to_owned(),
            tables: Vec::new(),
            roles: Vec::new(),
            generation,
            refresh_valid_from: generation,
            identity: None,
            provider: None,
            appid: None,
            tenant: None,
            ceiling: None,
            password: None,
            secret: None,
            login_until: None,
        }
    }

    /// The latest expiry of tokens issued to it: that of the token, the password, the secret or the
    /// sign-in that it presented.
    #[must_use]
    pub fn ends_at(&self) -> Option<i64> {
        let of_token = self.ceiling.as_ref().map(|ceiling| ceiling.until);
        let of_password = self.password.and_then(|password| password.expires_at);
        let of_secret = self.secret.as_ref().map(|secret| secret.at);
        of_token.into_iter().chain(of_password).chain(of_secret).chain(self.login_until).min()
    }

    fn add_scope_map(&mut self, name: &str, policy: &Policy) {
        if let Some(map) = policy.scope_map(name) {
            self.tables.push(map.table.clone());
        }
    }

    fn add_role(&mut self, role: Role, policy: &Policy) {
        self.roles.push(role);
        self.tables.extend(policy.built_in.role(role).cloned());
    }

    /// Its kind, as in tokens and logs.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        kind_name(self.kind)
    }

    /// What tells it apart from others.
    #[must_use]
    pub(crate) fn id(&self) -> PrincipalId {
        PrincipalId::new(Some(self.kind), self.provider.as_deref(), &self.subject)
    }

    /// The subject of its tokens.
    #[must_use]
    pub fn to_subject(&self) -> Subject<'_> {
        Subject {
            appid: self.appid.as_deref(),
            tenant: self.tenant.as_deref(),
            identity: self.identity.as_ref(),
            provider: self.provider.as_deref(),
            password: self.shown_name(),
            until: self.ends_at(),
            ..Subject::new(&self.subject, self.kind, self.generation.unsigned_abs())
        }
    }

    /// The name of its password, or the id of its secret when that expires.
    fn shown_name(&self) -> Option<&str> {
        let password = self.password.map(|password| password.name.as_str());
        password.or(self.secret.as_ref().map(|secret| secret.id.as_str()))
    }

    /// Whether it may have refresh tokens: not by an access token, and not anonymously.
    #[must_use]
    pub fn is_refreshable(&self) -> bool {
        self.ceiling.is_none() && self.kind != PrincipalKind::Anonymous
    }
}

/// A kind of principal, as in tokens and logs.
#[must_use]
pub(crate) fn kind_name(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::Token => "token",
        PrincipalKind::Admin => "admin",
        PrincipalKind::ServicePrincipal => "service_principal",
        PrincipalKind::Identity => "identity",
        PrincipalKind::Anonymous => "anonymous",
    }
}

impl Token {
    /// The last change that removed rights from it or from its scope map.
    #[must_use]
    pub fn generation(&self, policy: &Policy) -> Revision {
        policy.generation(self.generation, self.scope_map.as_deref())
    }
}

impl ServicePrincipal {
    /// The last change that removed rights from it or from one of its scope maps.
    #[must_use]
    pub fn generation(&self, policy: &Policy) -> Revision {
        policy.generation(self.generation, self.scope_maps.iter().map(String::as_str))
    }
}

/// The last change that removed rights from the admin account.
#[must_use]
pub(crate) fn admin_generation(policy: &Policy) -> Revision {
    policy.generation(policy.registry.admin_generation, [ADMIN_MAP])
}

impl<'a> Directory<'a> {
    /// A provider of this server, and when all its identities were revoked. Providers that differ
    /// from the stored ones grant nothing: another server has started with others.
    fn provider(self, name: &str) -> Result<(&'a Arc<Provider>, Revision), AuthError> {
        let provider = self.providers.by_name(name).ok_or(Reason::ProviderGone)?;
        if !self.policy.has_providers(self.providers.fingerprints()) {
            let text = "the identity providers are not those kept".into();
            return Err(AuthError::Unavailable(text));
        }
        let kept = self.policy.provider(name).ok_or(Reason::ProviderGone)?;
        Ok((provider, kept.revoked))
    }

    /// The last change that removed rights from any identity of a provider, removed providers too.
    /// Identities are not enumerable, so all that were not revoked individually share this
    /// generation: a token with a lower one would be refused for ever.
    #[must_use]
    pub fn provider_generation(self, name: &str) -> Revision {
        let own = self.policy.providers().find(|provider| provider.name == name);
        let own = own.map_or(0, |provider| provider.generation);
        let maps = self.providers.by_name(name).map(|provider| provider.scope_maps());
        let keys: Vec<String> = maps.into_iter().flatten().map(str::to_ascii_lowercase).collect();
        self.policy.generation(own, keys.iter().map(String::as_str))
    }

    /// The last change that removed rights from any identity, for edges that do not tell them
    /// apart.
    #[must_use]
    pub fn identity_generation(self) -> Revision {
        let providers = self.policy.providers();
        let of_providers = providers.map(|provider| self.provider_generation(&provider.name));
        let of_identities = self.policy.revoked_identities().map(|(_, _, revision)| revision);
        of_providers.chain(of_identities).max().unwrap_or(0)
    }
}

//! The policy, as an immutable snapshot that requests read.
//!
//! A snapshot never changes; the next one replaces it whole, and shares its unchanged parts. A
//! request that began with the old one ends with it. No request waits for the database.

mod built_in;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use scopegate_core::scope_map::Role;
use scopegate_runtime::{PolicyTable, Runtime};

pub use built_in::BuiltIn;

use crate::clock;
use crate::domain::lifetimes::REVOCATION_KEPT;
use crate::model::password::PasswordDigest;
use crate::store::{
    Changes, PasswordName, PasswordRecord, ProviderRecord, RecordKey, RegistryRecord, Revision,
    RevokedIdentity, RevokedToken, ScopeMapRecord, SecretExpiry, SecretRecord,
    ServicePrincipalRecord, TokenRecord, Tombstone,
};

/// The data that decisions need.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The registry, its admin account and its anonymous access.
    pub registry: RegistryRecord,
    /// The maps that every registry has.
    pub built_in: Arc<BuiltIn>,
    scope_maps: HashMap<Arc<str>, Arc<CompiledMap>>,
    tokens: HashMap<Arc<str>, Arc<Token>>,
    service_principals: HashMap<Arc<str>, Arc<ServicePrincipal>>,
    providers: BTreeMap<String, ProviderRecord>,
    revoked_identities: HashMap<(String, String), Revision>,
    /// When each refresh token that was revoked by itself expires, by its id.
    revoked_tokens: Arc<HashMap<String, i64>>,
    tombstones: HashMap<RecordKey, Revision>,
}

/// A scope map, compiled.
#[derive(Debug)]
pub struct CompiledMap {
    /// The name, as it was given.
    pub name: String,
    /// The compiled rules.
    pub table: PolicyTable,
    /// The revision of the last change that took something away.
    pub generation: Revision,
    actions: Vec<String>,
}

/// A scope-map token.
#[derive(Debug)]
pub struct Token {
    /// The name, as it was given.
    pub name: String,
    /// Whether its passwords open anything.
    pub enabled: bool,
    /// The key of its map; a token without one opens nothing.
    pub scope_map: Option<Arc<str>>,
    /// At most two passwords.
    pub passwords: Vec<Password>,
    /// The revision of the last change that must end its tokens.
    pub generation: Revision,
}

/// A generated password.
#[derive(Clone, Copy, Debug)]
pub struct Password {
    /// Which of the two.
    pub name: PasswordName,
    pub digest: PasswordDigest,
    /// When it expires, in seconds since 1970; `None` for never.
    pub expires_at: Option<i64>,
}

pub struct ServicePrincipal {
    /// The client id, as it was given.
    pub name: String,
    /// Whether its secrets open anything.
    pub enabled: bool,
    /// Its roles, for the registry and for management.
    pub roles: Vec<Role>,
    /// Keys of its maps.
    pub scope_maps: Vec<String>,
    /// At most two.
    pub secrets: Vec<SecretRecord>,
    /// The revision of the last change that must end its tokens.
    pub generation: Revision,
}

impl Policy {
    /// Whether the identity providers with these fingerprints are the stored ones.
    #[must_use]
    pub fn has_providers(&self, fingerprints: &BTreeMap<String, String>) -> bool {
        let kept = self.providers().filter(|provider| !provider.is_gone());
        kept.map(|provider| (&provider.name, &provider.fingerprint)).eq(fingerprints.iter())
    }

    /// An empty snapshot.
    #[must_use]
    pub fn new(built_in: Arc<BuiltIn>) -> Self {
        Self {
            registry: RegistryRecord::default(),
            built_in,
            scope_maps: HashMap::new(),
            tokens: HashMap::new(),
            service_principals: HashMap::new(),
            providers: BTreeMap::new(),
            revoked_identities: HashMap::new(),
            revoked_tokens: Arc::default(),
            tombstones: HashMap::new(),
        }
    }

    /// The last write in this snapshot.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.registry.revision
    }

    /// The next snapshot. Maps whose rules stayed the same are not compiled again.
    ///
    /// # Errors
    ///
    /// When a map holds an invalid rule. No rule is dropped silently: the snapshot is complete, or
    /// the call fails.
    pub fn apply(
        &self,
        changes: Changes,
        runtime: &Runtime,
    ) -> Result<Self, scopegate_runtime::Error> {
        let mut next =
            if changes.is_everything { Self::new(self.built_in.clone()) } else { self.clone() };
        next.registry = changes.registry;
        for map in changes.scope_maps {
            let compiled = CompiledMap::new(&map, self.scope_maps.get(map.key.as_str()), runtime)?;
            next.tombstones.remove(&RecordKey::ScopeMap(map.key.clone()));
            next.scope_maps.insert(map.key.into(), Arc::new(compiled));
        }
        for token in changes.tokens {
            next.tombstones.remove(&RecordKey::Token(token.key.clone()));
            next.tokens.insert(token.key.as_str().into(), Arc::new(token.into()));
        }
        for principal in changes.service_principals {
            next.tombstones.remove(&RecordKey::ServicePrincipal(principal.key.clone()));
            next.service_principals
                .insert(principal.key.as_str().into(), Arc::new(principal.into()));
        }
        for provider in changes.providers {
            next.providers.insert(provider.name.clone(), provider);
        }
        for RevokedIdentity { provider, subject, revision } in changes.revoked_identities {
            next.revoked_identities.insert((provider, subject), revision);
        }
        next.add_revoked(changes.revoked_tokens);
        for tombstone in changes.tombstones {
            next.remove(tombstone);
        }
        let tombstone_horizon = next.registry.tombstone_horizon;
        next.tombstones.retain(|_, revision| *revision > tombstone_horizon);
        Ok(next)
    }

    /// Adds revoked refresh tokens, and forgets those that have long expired.
    fn add_revoked(&mut self, tokens: Vec<RevokedToken>) {
        if tokens.is_empty() {
            return;
        }
        let known = Arc::make_mut(&mut self.revoked_tokens);
        known.extend(tokens.into_iter().map(|token| (token.jti, token.expires_at)));
        let expired_before = clock::now().saturating_sub(REVOCATION_KEPT);
        known.retain(|_, expires_at| *expires_at >= expired_before);
    }

    fn remove(&mut self, tombstone: Tombstone) {
        match &tombstone.what {
            RecordKey::ScopeMap(key) => drop(self.scope_maps.remove(key.as_str())),
            RecordKey::Token(key) => drop(self.tokens.remove(key.as_str())),
            RecordKey::ServicePrincipal(key) => drop(self.service_principals.remove(key.as_str())),
        }
        self.tombstones.insert(tombstone.what, tombstone.revision);
    }

    /// The scope map with this name, whatever its case.
    #[must_use]
    pub fn scope_map(&self, name: &str) -> Option<&Arc<CompiledMap>> {
        self.scope_maps.get(name.to_ascii_lowercase().as_str())
    }

    /// The token with this name, whatever its case.
    #[must_use]
    pub fn token(&self, name: &str) -> Option<&Arc<Token>> {
        self.tokens.get(name.to_ascii_lowercase().as_str())
    }

    /// The service principal with this client id, whatever its case.
    #[must_use]
    pub fn service_principal(&self, client_id: &str) -> Option<&Arc<ServicePrincipal>> {
        self.service_principals.get(client_id.to_ascii_lowercase().as_str())
    }

    /// The generation of a principal with its own generation and these scope maps, by their keys:
    /// the last change that removed rights from it or from a map. The deletion of a map counts too,
    /// for principals that the configuration gives it.
    #[must_use]
    pub fn generation<'k>(
        &self,
        own: Revision,
        maps: impl IntoIterator<Item = &'k str>,
    ) -> Revision {
        maps.into_iter().map(|key| self.scope_map_generation(key)).fold(own, Revision::max)
    }

    fn scope_map_generation(&self, key: &str) -> Revision {
        match self.scope_maps.get(key) {
            Some(map) => map.generation,
            None => self.tombstones.get(&RecordKey::ScopeMap(key.to_owned())).copied().unwrap_or(0),
        }
    }

    /// All tokens with their keys, in no order.
    pub fn tokens(&self) -> impl ExactSizeIterator<Item = (&str, &Token)> {
        self.tokens.iter().map(|(key, token)| (&**key, &**token))
    }

    /// All service principals with their keys, in no order.
    pub fn service_principals(&self) -> impl ExactSizeIterator<Item = (&str, &ServicePrincipal)> {
        self.service_principals.iter().map(|(key, service)| (&**key, &**service))
    }

    /// The identity provider with this name, unless it was removed.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&ProviderRecord> {
        self.providers.get(name).filter(|provider| !provider.is_gone())
    }

    /// All identity providers, removed ones too, by name.
    pub fn providers(&self) -> impl Iterator<Item = &ProviderRecord> {
        self.providers.values()
    }

    /// The write that revoked an identity; 0 for one that was not.
    #[must_use]
    pub fn identity_revoked(&self, provider: &str, subject: &str) -> Revision {
        let key = (provider.to_owned(), subject.to_ascii_lowercase());
        self.revoked_identities.get(&key).copied().unwrap_or(0)
    }

    /// The identities that were revoked, each with its provider and in lower case, and by which
    /// write.
    pub fn revoked_identities(&self) -> impl Iterator<Item = (&str, &str, Revision)> {
        let each = self.revoked_identities.iter();
        each.map(|((provider, subject), revision)| (&**provider, &**subject, *revision))
    }

    /// Whether the refresh token with this id was revoked by itself.
    #[must_use]
    pub fn is_revoked(&self, jti: &str) -> bool {
        self.revoked_tokens.contains_key(jti)
    }

    /// What was deleted, and by which write.
    pub fn tombstones(&self) -> impl Iterator<Item = (&RecordKey, Revision)> {
        self.tombstones.iter().map(|(what, revision)| (what, *revision))
    }
}

impl CompiledMap {
    fn new(
        map: &ScopeMapRecord,
        previous: Option<&Arc<Self>>,
        runtime: &Runtime,
    ) -> Result<Self, scopegate_runtime::Error> {
        let same = previous.filter(|previous| previous.actions == map.actions);
        let table = match same {
            Some(same) => same.table.clone(),
            None => runtime.compile(&map.name, map.actions.iter().map(String::as_str))?,
        };
        let (name, actions) = (map.name.clone(), map.actions.clone());
        Ok(Self { name, table, generation: map.generation, actions })
    }
}

impl Token {
    /// The token's password that matches `password` and is valid now.
    #[must_use]
    pub fn accepts(&self, password: &PasswordDigest, now: i64) -> Option<Password> {
        accepts(&self.passwords, password, now)
    }
}

/// The one of these that matches `password` and is valid now. Every digest is compared, so that the
/// time does not depend on the match.
#[must_use]
pub(crate) fn accepts(
    passwords: &[Password],
    password: &PasswordDigest,
    now: i64,
) -> Option<Password> {
    passwords.iter().fold(None, |accepted, own| {
        let is_accepted = own.digest.matches(password) & own.is_in_time(now);
        if is_accepted { Some(*own) } else { accepted }
    })
}

impl Password {
    /// Whether it has not expired.
    #[must_use]
    pub fn is_in_time(&self, now: i64) -> bool {
        self.expires_at.is_none_or(|expiry| now < expiry)
    }
}

impl From<TokenRecord> for Token {
    fn from(record: TokenRecord) -> Self {
        Self {
            name: record.name,
            enabled: record.enabled,
            scope_map: record.scope_map.map(Into::into),
            passwords: record.passwords.iter().map(Password::from).collect(),
            generation: record.generation,
        }
    }
}

impl From<&PasswordRecord> for Password {
    fn from(record: &PasswordRecord) -> Self {
        Self { name: record.name, digest: record.sha256, expires_at: record.expires_at }
    }
}

impl From<ServicePrincipalRecord> for ServicePrincipal {
    fn from(record: ServicePrincipalRecord) -> Self {
        Self {
            name: record.name,
            enabled: record.enabled,
            roles: record.roles.iter().filter_map(|role| Role::parse(role)).collect(),
            scope_maps: record.scope_maps,
            secrets: record.secrets,
            generation: record.generation,
        }
    }
}

impl ServicePrincipal {
    /// The secret with this id, unless it has expired.
    #[must_use]
    pub fn secret(&self, id: &str, now: i64) -> Option<&SecretExpiry> {
        let expiries = self.secrets.iter().filter_map(|secret| secret.expiry.as_ref());
        let mut found = expiries.filter(|expiry| expiry.id == id && now < expiry.at);
        found.next()
    }
}

/// Leaves the hashes out.
impl fmt::Debug for ServicePrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServicePrincipal")
            .field("name", &self.name)
            .field("enabled", &self.enabled)
            .field("roles", &self.roles)
            .field("scope_maps", &self.scope_maps)
            .finish_non_exhaustive()
    }
}

//! Identities from OpenID providers: whom a foreign token identifies, and what its claims grant.
//!
//! Follows OpenID Connect Discovery 1.0, RFC 7517, RFC 7519 and RFC 8725. A token's `iss` selects
//! the provider, and that provider's keys then verify the token.
//!
//! | module | holds |
//! |---|---|
//! | [`provider`] | one provider: its tokens verified, refresh tokens redeemed |
//! | [`bindings`] | claims → scope maps, roles, rules |
//! | `password_users` | the user names under which tokens are passwords |
//! | [`claims`] | claims, and the names by which the configuration points at them |
//! | `metadata` | discovery and keys, fetched, cached and renewed |
//! | `keys` | the public keys, and which of them signed a token |
//! | `jwt` | a decoded token |
//! | `http` | requests to a provider, bounded in time and size |
//!
//! Left out: login pages and sessions (people sign in at their provider, and clients bring tokens),
//! and introspection of opaque tokens.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use serde_json::Value;
use tokio::task::JoinSet;

pub(crate) mod bindings;
pub(crate) mod claims;
mod http;
mod jwt;
mod keys;
mod metadata;
mod password_users;
pub(crate) mod provider;

pub(crate) use bindings::NearMiss;
pub use bindings::{Bindings, Bound};
pub use metadata::{BETWEEN_ATTEMPTS, KEPT_FOR, STALE_AFTER};
pub(crate) use provider::Provider;

use crate::config::providers::ProviderConfig;
use crate::domain::reason::Reason;

/// The providers that the configuration names.
#[derive(Debug, Default)]
pub struct Providers {
    list: Vec<Arc<Provider>>,
    fingerprints: BTreeMap<String, String>,
}

/// The identity of a token.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// The provider's name in the configuration. A subject is unique only together with it.
    pub provider: String,
    /// The subject: printable ASCII, at most 256 bytes.
    pub subject: String,
    /// The tenant (`tid`).
    pub tenant: Option<String>,
    /// The application (`appid`, `azp` or `client_id`).
    pub appid: Option<String>,
    /// Every claim of the token.
    pub claims: BTreeMap<String, Value>,
}

/// Why a token is not accepted.
///
/// `Display` is for clients and reveals nothing; the reason is for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityError {
    /// The token is invalid (status 401). The reason quotes nothing of the token.
    NotAuthenticated(Reason),
    /// The provider does not answer (status 503).
    Unavailable(String),
}

impl Providers {
    /// Reads the configuration and the files that it names. Makes no requests yet.
    ///
    /// # Errors
    ///
    /// When a provider's configuration is wrong, or two have the same name or issuer.
    pub fn open(configs: &[ProviderConfig]) -> anyhow::Result<Self> {
        let mut providers = Self::default();
        for config in configs {
            if providers.by_name(&config.name).is_some() {
                bail!("two providers are named `{}`: write another name", config.name);
            }
            if providers.by_issuer(&config.issuer).is_some() {
                bail!(
                    "two providers have the issuer `{}`: write its audiences and bindings into one",
                    config.issuer
                );
            }
            let provider = Provider::open(config)?;
            if provider.signs_people_in() && providers.login().is_some() {
                bail!("people sign in at two providers: write `login` at one of them");
            }
            providers.list.push(Arc::new(provider));
        }
        let each = providers.list.iter();
        providers.fingerprints =
            each.map(|p| (p.name().to_owned(), p.fingerprint().to_owned())).collect();
        Ok(providers)
    }

    /// The provider with this name, which an [`Identity`] and a refresh token carry.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Arc<Provider>> {
        self.list.iter().find(|provider| provider.name() == name)
    }

    /// The provider with this issuer.
    #[must_use]
    pub fn by_issuer(&self, issuer: &str) -> Option<&Arc<Provider>> {
        self.list.iter().find(|provider| provider.issuer() == issuer)
    }

    /// The user names under which tokens of a provider are taken as passwords; some more than once.
    pub fn password_users(&self) -> impl Iterator<Item = &str> {
        self.list.iter().flat_map(|provider| provider.password_users())
    }

    /// Whether a provider lists this user name.
    #[must_use]
    pub fn has_password_user(&self, user: &str) -> bool {
        self.list.iter().any(|provider| provider.has_password_user(user))
    }

    /// The provider whose token is the password of a user, as far as the token says.
    ///
    /// # Errors
    ///
    /// [`IdentityError::NotAuthenticated`] for a token whose provider does not list the user, and
    /// for one that is not for one audience alone.
    fn of_password<'a>(
        &'a self,
        user: &str,
        token: &'a str,
    ) -> Result<(&'a Provider, jwt::Jwt<'a>), Reason> {
        let jwt = jwt::Jwt::parse(token).map_err(Reason::MalformedToken)?;
        let provider = jwt.issuer().and_then(|issuer| self.by_issuer(issuer));
        let provider = provider.ok_or(Reason::UnknownIssuer)?;
        if !provider.has_password_user(user) {
            return Err(Reason::OtherPasswordUser);
        }
        password_users::check_one_audience(jwt.claims.get("aud"))?;
        Ok((provider, jwt))
    }

    /// The identity of a token that is the password of a user, and when the token expires.
    ///
    /// # Errors
    ///
    /// See [`IdentityError`].
    pub async fn identify_password(
        &self,
        user: &str,
        token: &str,
        now: i64,
    ) -> Result<(Identity, i64), IdentityError> {
        let (provider, jwt) =
            self.of_password(user, token).map_err(IdentityError::NotAuthenticated)?;
        provider.verify_password(jwt, now).await
    }

    /// The provider at which people sign in.
    #[must_use]
    pub(crate) fn login(&self) -> Option<&Arc<Provider>> {
        self.list.iter().find(|provider| provider.signs_people_in())
    }

    /// The fingerprint of each provider, by its name.
    #[must_use]
    pub fn fingerprints(&self) -> &BTreeMap<String, String> {
        &self.fingerprints
    }

    /// The identity of a token.
    ///
    /// # Errors
    ///
    /// See [`IdentityError`].
    pub async fn identify(&self, token: &str, now: i64) -> Result<Identity, IdentityError> {
        let jwt = jwt::Jwt::parse(token)
            .map_err(|text| IdentityError::NotAuthenticated(Reason::MalformedToken(text)))?;
        let provider = jwt.issuer().and_then(|issuer| self.by_issuer(issuer));
        let provider = provider.ok_or(IdentityError::NotAuthenticated(Reason::UnknownIssuer))?;
        provider.verify(jwt, now).await
    }

    /// The provider at which to redeem a refresh token, which does not name its issuer: the only
    /// one that redeems tokens, or else the one that `tenant` names.
    ///
    /// A refresh token is a secret between its provider and its owner, so it is never tried at
    /// several providers.
    #[must_use]
    pub fn redeemer(&self, tenant: Option<&str>) -> Option<&Arc<Provider>> {
        let mut redeeming = self.list.iter().filter(|provider| provider.redeems());
        match (redeeming.next(), redeeming.next()) {
            (Some(only), None) => Some(only),
            _ => self.by_name(tenant?).filter(|provider| provider.redeems()),
        }
    }

    /// Fetches the keys of each provider that are older than ten minutes. Failures are logged.
    pub async fn refresh(&self, now: i64) {
        let mut asking = JoinSet::new();
        for provider in &self.list {
            let provider = Arc::clone(provider);
            asking.spawn(async move {
                if let Err(error) = provider.refresh(now).await {
                    tracing::warn!(
                        provider = provider.name(),
                        reason = error.reason(),
                        "cannot refresh the provider keys"
                    );
                }
            });
        }
        while asking.join_next().await.is_some() {}
    }

    /// Keeps the keys of all providers fresh; `clock` is the time. Never returns.
    pub async fn keep_fresh(&self, clock: impl Fn() -> i64) {
        loop {
            self.refresh(clock()).await;
            tokio::time::sleep(REFRESH_INTERVAL).await;
        }
    }
}

/// How often [`Providers::keep_fresh`] checks for stale keys.
const REFRESH_INTERVAL: Duration = Duration::from_secs(30);

impl IdentityError {
    /// The text for the log, which no client reads.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::NotAuthenticated(reason) => reason.sentence(),
            Self::Unavailable(text) => text,
        }
    }
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAuthenticated(_) => "authentication required",
            Self::Unavailable(_) => "the identity provider is not available, try again",
        })
    }
}

impl std::error::Error for IdentityError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(yaml: &str) -> Result<Providers, String> {
        let configs: Vec<ProviderConfig> = serde_saphyr::from_str(yaml).unwrap();
        Providers::open(&configs).map_err(|error| format!("{error:#}"))
    }

    const TWO: &str = "- {name: one, issuer: 'https://1.example', audiences: [a], clientId: c}
- {name: two, issuer: 'https://2.example', audiences: [a]}
";

    #[test]
    fn providers_are_told_apart() {
        let same_name = "[{name: a, issuer: 'https://1.example', audiences: [a]}, {name: a, issuer: 'https://2.example', audiences: [a]}]";
        let same_issuer = "[{name: a, issuer: 'https://1.example', audiences: [a]}, {name: b, issuer: 'https://1.example', audiences: [b]}]";
        assert!(open(same_name).unwrap_err().contains("write another name"));
        assert!(open(same_issuer).unwrap_err().contains("into one"));
        assert!(open(TWO).is_ok());
        let logins = "[{name: a, issuer: 'https://1.example', audiences: [a], clientId: c, login: true}, {name: b, issuer: 'https://2.example', audiences: [b], clientId: c, login: true}]";
        assert!(open(logins).unwrap_err().contains("at one of them"));
    }

    #[test]
    fn where_refresh_tokens_go() {
        let more = format!(
            "{TWO}- {{name: three, issuer: 'https://3.example', audiences: [a], clientId: c}}\n"
        );
        for (yaml, tenant, expected) in [
            ("[]", None, None),
            ("[]", Some("one"), None),
            (TWO, None, Some("one")),
            (TWO, Some("7d0e6c4a-0000-0000-0000-000000000000"), Some("one")),
            (more.as_str(), None, None),
            (more.as_str(), Some("three"), Some("three")),
            (more.as_str(), Some("two"), None),
        ] {
            let providers = open(yaml).unwrap();
            let redeemer = providers.redeemer(tenant).map(|provider| provider.name());
            assert_eq!(redeemer, expected, "{tenant:?}");
        }
    }

    #[tokio::test]
    async fn tokens_of_strangers_ask_nobody() {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let providers = open(TWO).unwrap();
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#);
        for claims in [r#"{"iss":"https://evil.example"}"#, "{}", r#"{"iss":7}"#] {
            let token = format!("{header}.{}.AAAA", URL_SAFE_NO_PAD.encode(claims));
            let error = providers.identify(&token, 0).await.unwrap_err();
            assert_eq!(error.reason(), "the token's issuer is not a provider of ours");
            assert_eq!(error.to_string(), "authentication required");
        }
    }
}

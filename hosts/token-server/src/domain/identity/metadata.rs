//! A provider's metadata: its endpoints and its keys.
//!
//! Follows OpenID Connect Discovery 1.0 and RFC 8414. The document must name exactly the configured
//! issuer, and its addresses must be `https`; only a provider at `http` on loopback may also have
//! addresses at `http` on loopback.
//!
//! | metadata that are | serve |
//! |---|---|
//! | up to 10 minutes old | as they are |
//! | up to an hour old | as they are, while [`Cache::refresh_when_stale`] asks for newer ones |
//! | older | not at all: a request waits for a fetch, and fails when that fails |
//!
//! An unknown `kid` causes a fetch too, so that a new key works at once. Invented `kid`s cannot
//! flood the provider: one fetch runs at a time, and fetches begin at least five seconds apart.
//! Time is the callers' `now`.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use scopegate_host::client::{TIMEOUT, is_loopback};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::http::Http;
use super::keys::{KeySet, PublishedKeys};

/// The age from which metadata are refreshed, in seconds.
pub const STALE_AFTER: i64 = 10 * 60;
/// The maximum age of metadata while the provider does not answer, in seconds.
pub const KEPT_FOR: i64 = 60 * 60;
/// The minimum time between the beginnings of two attempts, in seconds.
pub const BETWEEN_ATTEMPTS: i64 = 5;

/// How far a recorded time may be ahead of `now`, in seconds: a request that waited still has the
/// time at which it began. A time further ahead is from before the clock was set back, and is
/// ignored.
const MAX_FUTURE_SKEW: i64 = 10;

/// The metadata of a provider, checked.
#[derive(Debug)]
pub(crate) struct Metadata {
    pub(crate) keys: KeySet,
    /// The token endpoint, if any.
    pub(crate) token_endpoint: Option<Url>,
    /// How clients may authenticate there; `None` when it does not say.
    pub(crate) client_authentication: Option<Vec<String>>,
    /// Where a person signs in in a browser, as the provider writes it.
    pub(crate) authorization_endpoint: Option<String>,
    /// Where a sign-in by device code begins, as the provider writes it.
    pub(crate) device_authorization_endpoint: Option<String>,
    /// Whether every answer to a browser names the issuer (RFC 9207).
    pub(crate) names_issuer: bool,
    /// The values of `prompt` that it knows; `None` when it does not say.
    pub(crate) prompts: Option<Vec<String>>,
    fetched_at: i64,
}

/// The cache of a provider's metadata.
#[derive(Debug)]
pub(crate) struct Cache {
    http: Http,
    issuer: Url,
    /// The exact text of the issuer; a URL may print differently.
    issuer_text: String,
    current: ArcSwapOption<Metadata>,
    attempt: Mutex<Attempt>,
}

/// The last fetch.
#[derive(Debug, Default)]
struct Attempt {
    began_at: Option<i64>,
    /// Why it failed, if it did.
    failure: Option<String>,
}

impl Cache {
    pub(crate) fn new(http: Http, issuer: Url, issuer_text: String) -> Self {
        let (current, attempt) = (ArcSwapOption::empty(), Mutex::default());
        Self { http, issuer, issuer_text, current, attempt }
    }

    /// The client for other requests to the provider.
    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    /// The current metadata; fetches them when there are none.
    ///
    /// # Errors
    ///
    /// When they cannot be fetched.
    pub(crate) async fn get(self: &Arc<Self>, now: i64) -> Result<Arc<Metadata>, String> {
        if let Some(known) = self.serving(now) {
            return Ok(known);
        }
        self.newer_than(None, now).await?.ok_or_else(|| "the metadata are too old".to_owned())
    }

    /// Metadata newer than insufficient ones; `None` when the last fetch was too recent to repeat.
    ///
    /// # Errors
    ///
    /// When the fetch fails.
    pub(crate) async fn newer_than(
        self: &Arc<Self>,
        seen: Option<Arc<Metadata>>,
        now: i64,
    ) -> Result<Option<Arc<Metadata>>, String> {
        let cache = Arc::clone(self);
        // In a task of its own: a client that disconnects must not cancel the fetch for the others.
        let fetch = tokio::spawn(async move { cache.ask(seen, now).await });
        fetch.await.unwrap_or_else(|_| Err("asking the provider was broken off".to_owned()))
    }

    /// Fetches metadata when the current ones are older than ten minutes, or there are none.
    ///
    /// # Errors
    ///
    /// When the fetch fails.
    pub(crate) async fn refresh_when_stale(self: &Arc<Self>, now: i64) -> Result<(), String> {
        let known = self.current.load_full();
        if known.as_ref().is_some_and(|known| known.is_within(STALE_AFTER, now)) {
            return Ok(());
        }
        self.newer_than(known, now).await.map(drop)
    }

    fn serving(&self, now: i64) -> Option<Arc<Metadata>> {
        self.current.load_full().filter(|known| known.is_within(KEPT_FOR, now))
    }

    async fn ask(
        &self,
        seen: Option<Arc<Metadata>>,
        now: i64,
    ) -> Result<Option<Arc<Metadata>>, String> {
        let mut attempt = self.attempt.lock().await;
        // Another task may have fetched them while this one waited for the lock.
        if let Some(known) = self.serving(now)
            && !seen.is_some_and(|seen| Arc::ptr_eq(&seen, &known))
        {
            return Ok(Some(known));
        }
        if attempt.began_at.is_some_and(|at| {
            (-MAX_FUTURE_SKEW..BETWEEN_ATTEMPTS).contains(&now.saturating_sub(at))
        }) {
            return attempt.failure.clone().map_or(Ok(None), Err);
        }
        attempt.began_at = Some(now);
        let fetched = tokio::time::timeout(TIMEOUT, self.fetch(now)).await;
        match fetched.unwrap_or_else(|_| Err("asking for its metadata timed out".to_owned())) {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                self.current.store(Some(Arc::clone(&metadata)));
                attempt.failure = None;
                Ok(Some(metadata))
            }
            Err(reason) => {
                attempt.failure = Some(reason.clone());
                Err(reason)
            }
        }
    }

    async fn fetch(&self, now: i64) -> Result<Metadata, String> {
        let document: Document = self.http.get(&self.discovery_url()?).await?;
        if document.issuer != self.issuer_text {
            // The other name is quoted, escaped and cut: it is untrusted.
            let other: String = document.issuer.chars().take(200).collect();
            return Err(format!("the provider calls itself {other:?}"));
        }
        let jwks_uri = self.endpoint("jwks_uri", &document.jwks_uri)?;
        let token_endpoint = document.token_endpoint.as_deref();
        let token_endpoint =
            token_endpoint.map(|url| self.endpoint("token_endpoint", url)).transpose()?;
        let published: PublishedKeys = self.http.get(&jwks_uri).await?;
        let keys = KeySet::read(published).map_err(|reason| format!("{jwks_uri}: {reason}"))?;
        Ok(Metadata {
            keys,
            token_endpoint,
            client_authentication: document.token_endpoint_auth_methods_supported,
            authorization_endpoint: document.authorization_endpoint,
            device_authorization_endpoint: document.device_authorization_endpoint,
            names_issuer: document.authorization_response_iss_parameter_supported,
            prompts: document.prompt_values_supported,
            fetched_at: now,
        })
    }

    fn discovery_url(&self) -> Result<Url, String> {
        let issuer = self.issuer_text.trim_end_matches('/');
        Url::parse(&format!("{issuer}/.well-known/openid-configuration"))
            .map_err(|error| error.to_string())
    }

    /// Reads an address of the document.
    ///
    /// # Errors
    ///
    /// When it is no address, or one that is not asked.
    pub(crate) fn endpoint(&self, name: &str, text: &str) -> Result<Url, String> {
        let url = Url::parse(text).map_err(|error| format!("{name} is not an address: {error}"))?;
        let local = self.issuer.scheme() == "http" && url.scheme() == "http" && is_loopback(&url);
        if url.scheme() != "https" && !local {
            return Err(format!("{name} is not at https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!("{name} holds a user name"));
        }
        Ok(url)
    }
}

impl Metadata {
    /// Whether they are at most `age` seconds old.
    fn is_within(&self, age: i64, now: i64) -> bool {
        (-MAX_FUTURE_SKEW..=age).contains(&now.saturating_sub(self.fetched_at))
    }
}

/// The fields of the discovery document that are used.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
    token_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    authorization_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    prompt_values_supported: Option<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn endpoint(issuer: &str, url: &str) -> Result<String, String> {
        let parsed = Url::parse(issuer).unwrap();
        let http = Http::new(&parsed, None).unwrap();
        let cache = Cache::new(http, parsed, issuer.to_owned());
        cache.endpoint("jwks_uri", url).map(String::from)
    }

    #[test]
    fn endpoints() {
        let (https, http) = ("https://i.example", "http://127.0.0.1:7000");
        for (issuer, url, error) in [
            (https, "https://keys.example/jwks", ""),
            (https, "http://keys.example/jwks", "jwks_uri is not at https"),
            (https, "http://127.0.0.1/jwks", "jwks_uri is not at https"),
            (https, "file:///etc/passwd", "jwks_uri is not at https"),
            (https, "ftp://keys.example/jwks", "jwks_uri is not at https"),
            (https, "data:application/json,{}", "jwks_uri is not at https"),
            (https, "https://me:secret@keys.example/jwks", "jwks_uri holds a user name"),
            (https, "/jwks", "jwks_uri is not an address: relative URL without a base"),
            (http, "http://127.0.0.1:7001/jwks", ""),
            (http, "http://localhost:7001/jwks", ""),
            (http, "https://keys.example/jwks", ""),
            (http, "http://169.254.169.254/jwks", "jwks_uri is not at https"),
            (http, "file:///etc/passwd", "jwks_uri is not at https"),
        ] {
            assert_eq!(endpoint(issuer, url).err().unwrap_or_default(), error, "{issuer} {url}");
        }
    }

    #[test]
    fn discovery_addresses() {
        for (issuer, expected) in [
            ("https://i.example", "https://i.example/.well-known/openid-configuration"),
            ("https://i.example/", "https://i.example/.well-known/openid-configuration"),
            (
                "https://i.example/t/v2.0",
                "https://i.example/t/v2.0/.well-known/openid-configuration",
            ),
        ] {
            let parsed = Url::parse(issuer).unwrap();
            let cache = Cache::new(Http::new(&parsed, None).unwrap(), parsed, issuer.to_owned());
            assert_eq!(cache.discovery_url().unwrap().as_str(), expected);
        }
    }
}

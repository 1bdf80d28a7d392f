//! What a provider publishes: where its keys and its token endpoint are, and the keys.
//!
//! Follows OpenID Connect Discovery 1.0 and RFC 8414. The document must name the very issuer that
//! the configuration names, and its addresses must be `https`; only a provider at `http` on this
//! machine may also have addresses at `http` on this machine.
//!
//! | metadata that are | serve |
//! |---|---|
//! | up to 10 minutes old | as they are |
//! | up to an hour old | as they are, while [`Cache::refresh_when_stale`] asks for newer ones |
//! | older | not at all: a request waits for new ones, and fails when there are none |
//!
//! A token with an unknown `kid` makes us ask too, so that a new key works at once. Whoever makes
//! up `kid`s cannot use that against the provider: one request is under way at a time, and the next
//! begins five seconds after the last one began at the earliest. Time is the callers' `now`.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::http::{Http, TIMEOUT, is_loopback};
use super::keys::{KeySet, PublishedKeys};

/// From which age on we ask for newer metadata, in seconds.
pub const STALE_AFTER: i64 = 10 * 60;
/// Up to which age metadata serve while the provider does not answer, in seconds.
pub const KEPT_FOR: i64 = 60 * 60;
/// How far the beginnings of two attempts are apart at least, in seconds.
pub const BETWEEN_ATTEMPTS: i64 = 5;

/// How far the past may lie in the future, in seconds: a request that waited for others still has
/// the time at which it began. What lies further ahead is from before the clock was set back, and
/// does not count.
const OVERTAKEN: i64 = 10;

/// What a provider publishes, read and checked.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// Its keys.
    pub(crate) keys: KeySet,
    /// Where grants are redeemed, when anywhere.
    pub(crate) token_endpoint: Option<Url>,
    /// How clients may authenticate there; `None` when it does not say.
    pub(crate) client_authentication: Option<Vec<String>>,
    fetched_at: i64,
}

/// A provider's metadata, kept as new as they need to be.
#[derive(Debug)]
pub(crate) struct Cache {
    http: Http,
    issuer: Url,
    /// The issuer to the letter; a URL may print itself in another way.
    issuer_text: String,
    current: ArcSwapOption<Metadata>,
    attempt: Mutex<Attempt>,
}

/// The last time that we asked.
#[derive(Debug, Default)]
struct Attempt {
    began_at: Option<i64>,
    /// Why it came to nothing, if it did.
    failure: Option<String>,
}

impl Cache {
    pub(crate) fn new(http: Http, issuer: Url, issuer_text: String) -> Self {
        let (current, attempt) = (ArcSwapOption::empty(), Mutex::default());
        Self { http, issuer, issuer_text, current, attempt }
    }

    /// Asks the provider other things.
    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    /// The metadata that serve now; asks for them when there are none.
    ///
    /// # Errors
    ///
    /// When there are none to be had.
    pub(crate) async fn get(self: &Arc<Self>, now: i64) -> Result<Arc<Metadata>, String> {
        if let Some(known) = self.serving(now) {
            return Ok(known);
        }
        self.newer_than(None, now).await?.ok_or_else(|| "the metadata are too old".to_owned())
    }

    /// Metadata newer than those that did not do; `None` when we asked a moment ago and there is
    /// nothing newer.
    ///
    /// # Errors
    ///
    /// When the provider does not answer as it should.
    pub(crate) async fn newer_than(
        self: &Arc<Self>,
        seen: Option<Arc<Metadata>>,
        now: i64,
    ) -> Result<Option<Arc<Metadata>>, String> {
        let cache = Arc::clone(self);
        // On its own feet: a client that hangs up must not keep the others from what it began.
        let asked = tokio::spawn(async move { cache.ask(seen, now).await });
        asked.await.unwrap_or_else(|_| Err("asking the provider was broken off".to_owned()))
    }

    /// Asks for newer metadata when those that serve are older than ten minutes, or there are none.
    ///
    /// # Errors
    ///
    /// When the provider does not answer as it should.
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
        // While we waited for our turn, somebody else may have done it.
        if let Some(known) = self.serving(now)
            && !seen.is_some_and(|seen| Arc::ptr_eq(&seen, &known))
        {
            return Ok(Some(known));
        }
        if attempt
            .began_at
            .is_some_and(|at| (-OVERTAKEN..BETWEEN_ATTEMPTS).contains(&now.saturating_sub(at)))
        {
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
            // The other name is quoted, escaped and cut: it is not ours.
            let other: String = document.issuer.chars().take(200).collect();
            return Err(format!("the provider calls itself {other:?}"));
        }
        let jwks_uri = self.endpoint("jwks_uri", &document.jwks_uri)?;
        let token_endpoint = document.token_endpoint.as_deref();
        let token_endpoint =
            token_endpoint.map(|url| self.endpoint("token_endpoint", url)).transpose()?;
        let published: PublishedKeys = self.http.get(&jwks_uri).await?;
        let keys = KeySet::read(published).map_err(|reason| format!("{jwks_uri}: {reason}"))?;
        let client_authentication = document.token_endpoint_auth_methods_supported;
        Ok(Metadata { keys, token_endpoint, client_authentication, fetched_at: now })
    }

    fn discovery_url(&self) -> Result<Url, String> {
        let issuer = self.issuer_text.trim_end_matches('/');
        Url::parse(&format!("{issuer}/.well-known/openid-configuration"))
            .map_err(|error| error.to_string())
    }

    /// An address out of the document.
    fn endpoint(&self, name: &str, text: &str) -> Result<Url, String> {
        let url = Url::parse(text).map_err(|error| format!("{name} is no address: {error}"))?;
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
        (-OVERTAKEN..=age).contains(&now.saturating_sub(self.fetched_at))
    }
}

/// The discovery document, as far as it concerns us.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
    token_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
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
            (https, "/jwks", "jwks_uri is no address: relative URL without a base"),
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

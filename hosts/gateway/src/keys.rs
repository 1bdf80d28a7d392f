//! The public keys of the issuer.
//!
//! Which keys of a set verify, and with which algorithm, is the rule of [`scopegate_edge::jwks`]. A
//! text that is no set leaves the last one in place; a set replaces it, also by nothing: what an
//! issuer does not publish any more is no key.
//!
//! Left out: the choice of keys, and whether a signature is theirs, which is the rule of
//! [`scopegate_host::keys`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use jsonwebtoken::Algorithm as Jwa;
use scopegate_edge::jwks::{Algorithm, KeySetError, issuer_keys};
use scopegate_host::client::{Client, StatusCode};
use scopegate_host::keys::VerifyingKey;
use tokio::sync::Mutex;
use url::Url;

use crate::config::KeySource;

/// How often a set is read again because a token names a key that is not in it.
const MIN_READ_INTERVAL: Duration = Duration::from_secs(5);

/// A public key, and the one algorithm that it is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Key {
    algorithm: Algorithm,
    verifying: VerifyingKey,
}

impl Key {
    /// Whether this key signed `message` with the algorithm that the token names.
    #[must_use]
    pub(crate) fn signed(&self, algorithm: &str, message: &str, signature: &str) -> bool {
        let own = match self.algorithm {
            Algorithm::Es256 => Jwa::ES256,
            Algorithm::Rs256 => Jwa::RS256,
            Algorithm::EdDsa => Jwa::EdDSA,
        };
        algorithm == self.algorithm.name() && self.verifying.signed(own, message, signature)
    }
}

/// The keys of this moment.
#[derive(Debug)]
pub(crate) struct Keys {
    known: ArcSwap<HashMap<String, Arc<Key>>>,
    source: Source,
    /// When the set was read last; held while it is read.
    read_at: Mutex<Option<Instant>>,
}

#[derive(Debug)]
enum Source {
    Published(Client, Url),
    Fixed,
}

impl Keys {
    /// Keys from a source. Those of an address are not known before [`read`](Self::read).
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or holds no verification key.
    pub(crate) fn new(source: &KeySource, client: Client) -> anyhow::Result<Self> {
        let (known, source) = match source {
            KeySource::Url(url) => (HashMap::new(), Source::Published(client, url.clone())),
            KeySource::File(path) => {
                let text = std::fs::read(path).with_context(|| path.display().to_string())?;
                let known = read(&text, &HashMap::new());
                (known.map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?, Source::Fixed)
            }
        };
        Ok(Self { known: ArcSwap::from_pointee(known), source, read_at: Mutex::new(None) })
    }

    /// The key with this id, if it is known.
    #[must_use]
    pub(crate) fn find(&self, kid: &str) -> Option<Arc<Key>> {
        self.known.load().get(kid).cloned()
    }

    /// Whether this very key is still in use.
    #[must_use]
    pub(crate) fn still_has(&self, kid: &str, key: &Arc<Key>) -> bool {
        self.known.load().get(kid).is_some_and(|known| Arc::ptr_eq(known, key))
    }

    /// Whether there is any key.
    #[must_use]
    pub(crate) fn has_any(&self) -> bool {
        !self.known.load().is_empty()
    }

    /// The key with this id. One that is not known may be in a newer set, which is read for it,
    /// though not for each such token.
    pub(crate) async fn find_or_read(&self, kid: &str) -> Option<Arc<Key>> {
        if let Some(key) = self.find(kid) {
            return Some(key);
        }
        let mut read_at = self.read_at.lock().await;
        // The task that held the lock may have read it.
        if let Some(key) = self.find(kid) {
            return Some(key);
        }
        if read_at.is_some_and(|at| at.elapsed() < MIN_READ_INTERVAL) {
            return None;
        }
        *read_at = Some(Instant::now());
        self.read_now().await;
        self.find(kid)
    }

    /// Reads the set again; tells whether it was read.
    pub(crate) async fn read(&self) -> bool {
        let mut read_at = self.read_at.lock().await;
        *read_at = Some(Instant::now());
        self.read_now().await
    }

    async fn read_now(&self) -> bool {
        let Source::Published(client, url) = &self.source else { return true };
        match fetch(client, url, &self.known.load()).await {
            Ok(known) => {
                self.known.store(Arc::new(known));
                true
            }
            Err(reason) => {
                tracing::warn!(%url, reason, "the keys cannot be read");
                false
            }
        }
    }
}

async fn fetch(
    client: &Client,
    url: &Url,
    before: &HashMap<String, Arc<Key>>,
) -> Result<HashMap<String, Arc<Key>>, String> {
    let answer = client.send(client.get(url)).await?;
    if answer.status != StatusCode::OK {
        return Err(format!("the answer is {}", answer.status));
    }
    match read(&answer.body, before) {
        Ok(known) => Ok(known),
        Err(KeySetError::Unreadable) => Err(KeySetError::Unreadable.to_string()),
        Err(reason) => {
            tracing::error!(%url, %reason, "no key of the issuer is known any more");
            Ok(HashMap::new())
        }
    }
}

/// The keys of a set. A key that was known before stays the same one, and so do the tokens that it
/// has signed.
fn read(
    text: &[u8],
    before: &HashMap<String, Arc<Key>>,
) -> Result<HashMap<String, Arc<Key>>, KeySetError> {
    let mut known = HashMap::new();
    for (kid, algorithm, material) in issuer_keys(text)? {
        let Some(verifying) = VerifyingKey::new(material) else { continue };
        let key = Key { algorithm, verifying };
        let same = before.get(&kid).filter(|same| ***same == key).cloned();
        known.insert(kid, same.unwrap_or_else(|| Arc::new(key)));
    }
    if known.is_empty() { Err(KeySetError::NoKey) } else { Ok(known) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EC: &str = r#"{"kty":"EC","crv":"P-256","kid":"a","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;

    #[test]
    fn a_key_that_stays_is_the_same() {
        let set = format!(r#"{{"keys":[{EC}]}}"#);
        let before = read(set.as_bytes(), &HashMap::new()).unwrap();
        let after = read(set.as_bytes(), &before).unwrap();
        assert!(Arc::ptr_eq(&before["a"], &after["a"]));
        let other = set.replace("MKBC", "NKBC");
        let after = read(other.as_bytes(), &before).unwrap();
        assert!(!Arc::ptr_eq(&before["a"], &after["a"]));
    }

    /// A key that the issuer does not publish any more is dropped; an invalid key set changes no
    /// keys.
    #[tokio::test]
    async fn keys_that_are_withdrawn() {
        use std::sync::Mutex as StdMutex;

        use axum::Router;
        use axum::routing::get;

        let published = Arc::new(StdMutex::new(String::new()));
        let answer = Arc::clone(&published);
        let app = Router::new().route("/", get(|| async move { answer.lock().unwrap().clone() }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let client = crate::signer::client(&url);
        let keys = Keys::new(&KeySource::Url(url), client).unwrap();
        let one = format!(r#"{{"keys":[{EC}]}}"#);
        let twice = format!(r#"{{"keys":[{EC},{EC}]}}"#);
        for (text, expected) in [
            (one.as_str(), true),
            ("<html>", true),
            ("{}", true),
            (r#"{"keys":[]}"#, false),
            (&one, true),
            (&twice, false),
            ("<html>", false),
        ] {
            text.clone_into(&mut published.lock().unwrap());
            keys.read().await;
            assert_eq!(keys.has_any(), expected, "{text}");
        }
    }
}

//! The public keys of the issuer.
//!
//! Follows RFC 7517 (key sets) and RFC 7518 (which key an algorithm wants). A key is used with one
//! algorithm, which its own type and `alg` fix; what a token says of algorithms has to agree, and
//! what else it says of keys is not looked at.
//!
//! Keys that we cannot use (other types, for encryption, secrets, without an id) are passed over,
//! because an issuer may publish them for others. A text that is no set leaves the last one in
//! place; a set replaces it, also by nothing: what an issuer does not publish any more is no key.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use jsonwebtoken::crypto::verify;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::Client;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use crate::client::send;
use crate::config::KeySource;

/// The most keys in one set.
const MOST: usize = 100;
/// How often a set is read again because a token names a key that is not in it.
const AT_MOST_EVERY: Duration = Duration::from_secs(5);

/// A public key, and the one algorithm that it is for.
#[derive(Debug)]
pub struct Key {
    algorithm: Algorithm,
    decoding: DecodingKey,
    published: Value,
}

impl Key {
    /// Reads a key and its id; nothing for one that we cannot use.
    fn read(published: Value) -> Option<(String, Self)> {
        let jwk: Jwk = serde_json::from_value(published.clone()).ok()?;
        if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
            return None;
        }
        let algorithm = algorithm_of(&jwk)?;
        let decoding = DecodingKey::from_jwk(&jwk).ok()?;
        Some((jwk.common.key_id?, Self { algorithm, decoding, published }))
    }

    /// Whether this key signed `message` with the algorithm that the token names.
    #[must_use]
    pub fn signed(&self, algorithm: &str, message: &str, signature: &str) -> bool {
        algorithm == name_of(self.algorithm)
            && verify(signature, message.as_bytes(), &self.decoding, self.algorithm)
                .unwrap_or(false)
    }
}

/// The one algorithm of a key; nothing where its type and its own `alg` disagree.
fn algorithm_of(jwk: &Jwk) -> Option<Algorithm> {
    let (algorithm, named) = match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        _ => return None,
    };
    jwk.common.key_algorithm.is_none_or(|own| own == named).then_some(algorithm)
}

const fn name_of(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::ES256 => "ES256",
        Algorithm::EdDSA => "EdDSA",
        _ => "RS256",
    }
}

/// The keys of this moment.
#[derive(Debug)]
pub struct Keys {
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

#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

impl Keys {
    /// Keys from a source. Those of an address are not known before [`read`](Self::read).
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or holds no key that can verify.
    pub fn new(source: &KeySource, client: Client) -> anyhow::Result<Self> {
        let (known, source) = match source {
            KeySource::Url(url) => (HashMap::new(), Source::Published(client, url.clone())),
            KeySource::File(path) => {
                let text = std::fs::read(path).with_context(|| path.display().to_string())?;
                let known = set(&text).and_then(|keys| usable(keys, &HashMap::new()));
                (known.map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?, Source::Fixed)
            }
        };
        Ok(Self { known: ArcSwap::from_pointee(known), source, read_at: Mutex::new(None) })
    }

    /// The key with this id, if it is known.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<Arc<Key>> {
        self.known.load().get(kid).cloned()
    }

    /// Whether this very key is still in use.
    #[must_use]
    pub fn still_has(&self, kid: &str, key: &Arc<Key>) -> bool {
        self.known.load().get(kid).is_some_and(|known| Arc::ptr_eq(known, key))
    }

    /// Whether there is any key.
    #[must_use]
    pub fn has_any(&self) -> bool {
        !self.known.load().is_empty()
    }

    /// The key with this id. One that is not known may be in a newer set, which is read for it,
    /// though not for each such token.
    pub async fn find_or_read(&self, kid: &str) -> Option<Arc<Key>> {
        if let Some(key) = self.find(kid) {
            return Some(key);
        }
        let mut read_at = self.read_at.lock().await;
        // Whoever held the lock may have read it.
        if let Some(key) = self.find(kid) {
            return Some(key);
        }
        if read_at.is_some_and(|at| at.elapsed() < AT_MOST_EVERY) {
            return None;
        }
        *read_at = Some(Instant::now());
        self.read_now().await;
        self.find(kid)
    }

    /// Reads the set again.
    pub async fn read(&self) {
        let mut read_at = self.read_at.lock().await;
        *read_at = Some(Instant::now());
        self.read_now().await;
    }

    async fn read_now(&self) {
        let Source::Published(client, url) = &self.source else { return };
        match fetch(client, url, &self.known.load()).await {
            Ok(known) => self.known.store(Arc::new(known)),
            Err(reason) => tracing::warn!(%url, reason, "the keys cannot be read"),
        }
    }
}

async fn fetch(
    client: &Client,
    url: &Url,
    before: &HashMap<String, Arc<Key>>,
) -> Result<HashMap<String, Arc<Key>>, String> {
    let (status, body) = send(client.get(url.clone())).await?;
    if status != 200 {
        return Err(format!("the answer is {status}"));
    }
    let keys = set(&body).map_err(ToOwned::to_owned)?;
    Ok(usable(keys, before).unwrap_or_else(|reason| {
        tracing::error!(%url, reason, "no key of the issuer is known any more");
        HashMap::new()
    }))
}

fn set(text: &[u8]) -> Result<Vec<Value>, &'static str> {
    let set: Published = serde_json::from_slice(text).map_err(|_| "no JSON web key set")?;
    Ok(set.keys)
}

/// The keys of a set that can be used. A key that was known before stays the same one, and so do
/// the tokens that it has signed.
fn usable(
    keys: Vec<Value>,
    before: &HashMap<String, Arc<Key>>,
) -> Result<HashMap<String, Arc<Key>>, &'static str> {
    let mut known = HashMap::new();
    for (kid, key) in keys.into_iter().filter_map(Key::read) {
        if known.len() == MOST {
            return Err("more than 100 keys");
        }
        let same = before.get(&kid).filter(|same| same.published == key.published).cloned();
        // Two keys of one id are none: nobody could tell which of them is meant.
        if known.insert(kid, same.unwrap_or_else(|| Arc::new(key))).is_some() {
            return Err("two keys of one id");
        }
    }
    if known.is_empty() { Err("no key that can verify") } else { Ok(known) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EC: &str = r#"{"kty":"EC","crv":"P-256","kid":"a","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;

    fn parse(
        text: &str,
        before: &HashMap<String, Arc<Key>>,
    ) -> Result<HashMap<String, Arc<Key>>, &'static str> {
        usable(set(text.as_bytes())?, before)
    }

    fn read(keys: &[String]) -> Result<usize, &'static str> {
        let set = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
        parse(&set, &HashMap::new()).map(|known| known.len())
    }

    #[test]
    fn sets() {
        let with = |more: &str| EC.replace(r#""kid":"a""#, more);
        let ec = EC.to_owned();
        for (keys, expected) in [
            (vec![ec.clone()], Ok(1)),
            (vec![ec.clone(), with(r#""kid":"b","use":"sig","alg":"ES256""#)], Ok(2)),
            (vec![ec.clone(), "{}".to_owned(), with(r#""kid":"b","use":"enc""#)], Ok(1)),
            (vec![ec.clone(), with(r#""kid":"b","alg":"ES384""#)], Ok(1)),
            (vec![ec.clone(), with(r#""kid":"b","crv":"P-384""#)], Ok(1)),
            (
                vec![r#"{"kty":"oct","kid":"a","k":"AAAA"}"#.to_owned()],
                Err("no key that can verify"),
            ),
            (vec![EC.replace(r#""kid":"a","#, "")], Err("no key that can verify")),
            (vec![ec.clone(), ec.clone()], Err("two keys of one id")),
            ((0..100).map(|n| with(&format!(r#""kid":"{n}""#))).collect(), Ok(100)),
            (
                (0..101).map(|n| with(&format!(r#""kid":"{n}""#))).collect(),
                Err("more than 100 keys"),
            ),
            (vec![], Err("no key that can verify")),
        ] {
            assert_eq!(read(&keys), expected, "{keys:?}");
        }
        assert_eq!(parse("[]", &HashMap::new()).err(), Some("no JSON web key set"));
    }

    #[test]
    fn a_key_that_stays_is_the_same() {
        let set = format!(r#"{{"keys":[{EC}]}}"#);
        let before = parse(&set, &HashMap::new()).unwrap();
        let after = parse(&set, &before).unwrap();
        assert!(Arc::ptr_eq(&before["a"], &after["a"]));
        let other = set.replace(r#""kid":"a""#, r#""kid":"a","use":"sig""#);
        let after = parse(&other, &before).unwrap();
        assert!(!Arc::ptr_eq(&before["a"], &after["a"]));
    }

    /// What an issuer does not publish any more is no key; what is no key set says nothing about
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
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let keys = Keys::new(&KeySource::Url(url), Client::new()).unwrap();
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

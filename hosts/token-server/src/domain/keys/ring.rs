//! All keys of the registry: which signs, which verify, which are published.
//!
//! A ring is built from records and is immutable. Which key signs depends on the time, so a key
//! begins to sign without a write.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::domain::keys::certificate::Certificate;
use crate::domain::keys::rotation::in_line;
use crate::domain::keys::signing_key::SigningKey;
use crate::store::{Algorithm, KeyRecord};

/// The keys of a registry.
#[derive(Debug)]
pub struct Ring {
    /// INVARIANT: the one that signs last comes first. Empty only in a running server that can
    /// decrypt none of the stored keys.
    keys: Vec<Arc<SigningKey>>,
    jwks: Value,
    bundle: String,
}

impl Ring {
    /// Reads the keys. `authority` is the certificate of the authority, PEM.
    ///
    /// # Errors
    ///
    /// When there is no key, or a record holds an invalid one.
    pub fn read(records: &[KeyRecord], authority: &str) -> anyhow::Result<Self> {
        ensure!(!records.is_empty(), "there is no signing key");
        Self::read_again(records, authority, None)
    }

    /// The same, reusing unchanged keys of a former ring: a key is prepared once. Without any key
    /// the ring signs and verifies nothing.
    ///
    /// # Errors
    ///
    /// When a record holds an invalid key.
    pub fn read_again(
        records: &[KeyRecord],
        authority: &str,
        former: Option<&Self>,
    ) -> anyhow::Result<Self> {
        let read = |record: &KeyRecord| match former.and_then(|ring| ring.same(record)) {
            Some(key) => Ok(key),
            None => SigningKey::read(record).map(Arc::new),
        };
        let keys =
            in_line(records).into_iter().rev().map(read).collect::<anyhow::Result<Vec<_>>>()?;
        let jwks = json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() });
        let authority = Certificate::read_pem(authority)
            .context("the authority's certificate is not a certificate")?;
        let bundle = bundle(&keys, &authority);
        Ok(Self { keys, jwks, bundle })
    }

    /// The key that signs now: the newest whose time has begun.
    #[must_use]
    pub fn signing(&self, now: i64) -> Option<&SigningKey> {
        let begun = self.keys.iter().find(|key| key.signs_from() <= now);
        // When no key's time has begun, the clock went back; every registry has the oldest key.
        begun.or(self.keys.last()).map(Arc::as_ref)
    }

    /// The key with this id. Every key of the ring verifies: old ones have signed, and the next one
    /// already signs at a server whose clock is ahead.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.kid() == kid).map(Arc::as_ref)
    }

    /// All keys, the one that signs last first.
    pub fn keys(&self) -> impl Iterator<Item = &SigningKey> {
        self.keys.iter().map(Arc::as_ref)
    }

    /// The id of the key that signs last: the current one, or the one that follows.
    #[must_use]
    pub fn newest_kid(&self) -> &str {
        self.keys.first().map_or("", |key| key.kid())
    }

    /// All keys as a JSON web key set.
    #[must_use]
    pub fn jwks(&self) -> &Value {
        &self.jwks
    }

    /// The authority and all keys as certificates, PEM: the `rootcertbundle` of CNCF distribution.
    #[must_use]
    pub fn bundle(&self) -> &str {
        &self.bundle
    }

    /// Whether it has this key, with the same certificate and time.
    #[must_use]
    pub fn has(&self, record: &KeyRecord) -> bool {
        self.same(record).is_some()
    }

    fn same(&self, record: &KeyRecord) -> Option<Arc<SigningKey>> {
        let is_same = |key: &&Arc<SigningKey>| {
            key.kid() == record.kid
                && key.algorithm() == record.algorithm
                && key.signs_from() == record.signs_from
                && key.certificate_text() == record.certificate
        };
        self.keys.iter().find(is_same).cloned()
    }
}

fn bundle(keys: &[Arc<SigningKey>], authority: &Certificate) -> String {
    // CNCF distribution 2.8 panics at its start on an Ed25519 certificate anywhere in the bundle;
    // no version needs one, since version 3 finds such a key in the JWKS, and a token that carries
    // its certificate leads to the authority.
    let keys = keys.iter().filter(|key| key.algorithm() != Algorithm::EdDsa);
    let keys = keys.map(|key| key.certificate().to_pem());
    std::iter::once(authority.to_pem()).chain(keys).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::keys::signing_key::Times;
    use crate::domain::keys::{Authority, RsaSize};

    struct Keys {
        authority: Authority,
        records: Vec<KeyRecord>,
    }

    impl Keys {
        fn new(keys: &[(Algorithm, i64)]) -> Self {
            let authority =
                Authority::read(&Authority::generate("test", 1_800_000_000).unwrap()).unwrap();
            let generate = |&(algorithm, signs_from)| {
                let times = Times { created_at: 0, signs_from, certified_until: 1000 };
                SigningKey::generate(algorithm, RsaSize::Bits2048, times, &authority).unwrap()
            };
            let records = keys.iter().map(generate).collect();
            Self { authority, records }
        }

        fn ring(&self) -> Ring {
            Ring::read(&self.records, self.authority.certificate()).unwrap()
        }
    }

    #[test]
    fn the_newest_key_whose_time_has_come_signs() {
        let keys =
            Keys::new(&[(Algorithm::Es256, 300), (Algorithm::EdDsa, 100), (Algorithm::Es256, 200)]);
        let ring = keys.ring();
        for (now, index) in [
            (100, 1),
            (199, 1),
            (200, 2),
            (299, 2),
            (300, 0),
            (i64::MAX, 0),
            (99, 1),
            (i64::MIN, 1),
        ] {
            assert_eq!(ring.signing(now).unwrap().kid(), keys.records[index].kid, "{now}");
        }
        assert_eq!(ring.newest_kid(), keys.records[0].kid);
        for record in &keys.records {
            assert_eq!(ring.find(&record.kid).unwrap().kid(), record.kid);
        }
        assert!(ring.find("").is_none());
    }

    #[test]
    fn everything_is_published_and_no_ed25519_certificate() {
        let keys =
            Keys::new(&[(Algorithm::Es256, 100), (Algorithm::EdDsa, 200), (Algorithm::Rs256, 300)]);
        let ring = keys.ring();
        let kids: Vec<_> =
            ring.jwks()["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
        assert_eq!(kids, [&*keys.records[2].kid, &*keys.records[1].kid, &*keys.records[0].kid]);
        let has = |pem: &str| ring.bundle().contains(&Certificate::read_pem(pem).unwrap().to_pem());
        let in_bundle: Vec<_> = keys.records.iter().map(|key| has(&key.certificate)).collect();
        assert_eq!((in_bundle, has(keys.authority.certificate())), (vec![true, false, true], true));
        assert!(!ring.bundle().contains("PRIVATE"));
    }

    #[test]
    fn keys_are_prepared_once() {
        let mut keys = Keys::new(&[(Algorithm::Es256, 100), (Algorithm::Es256, 200)]);
        let former = keys.ring();
        keys.records[1].signs_from = 150;
        let ring =
            Ring::read_again(&keys.records, keys.authority.certificate(), Some(&former)).unwrap();
        assert!(Arc::ptr_eq(&ring.keys[1], &former.keys[1]));
        assert!(!Arc::ptr_eq(&ring.keys[0], &former.keys[0]));
        assert_eq!(ring.signing(150).unwrap().kid(), keys.records[1].kid);
    }

    #[test]
    fn a_ring_is_never_empty() {
        let authority = Authority::generate("test", 1_800_000_000).unwrap();
        let error = Ring::read(&[], &authority.certificate).unwrap_err();
        assert_eq!(error.to_string(), "there is no signing key");
    }
}

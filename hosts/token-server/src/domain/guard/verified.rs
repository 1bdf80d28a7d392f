//! Verified secrets of service principals, so that the next login need not hash its secret again.
//!
//! A slow hash takes forty milliseconds of a core, and there are few slots for it. A secret that
//! was verified before needs no slot, so guesses do not delay it. An entry is a keyed digest, valid
//! until the client's secrets change; the key lives as long as the process.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

/// The maximum number of clients. Only a correct secret adds an entry.
const MAX_CLIENTS: usize = 100_000;
/// The maximum number of secrets of a client, and so of its digests.
const MAX_SECRETS: usize = 2;

/// The digests, by client.
pub struct Verified {
    /// `None` when the system had no randomness; then nothing is stored.
    key: Option<hmac::Key>,
    clients: Mutex<HashMap<String, Client>>,
}

struct Client {
    /// The hashes of its secrets at that time.
    hashes: Vec<String>,
    /// The digests of verified secrets, each with the index of its hash.
    right: Vec<(usize, Vec<u8>)>,
}

impl Default for Verified {
    #[expect(clippy::disallowed_methods, reason = "a key is made here")]
    fn default() -> Self {
        let mut bytes = [0; 32];
        let key = getrandom::fill(&mut bytes).ok();
        let key = key.map(|()| hmac::Key::new(hmac::HMAC_SHA256, &bytes));
        Self { key, clients: Mutex::default() }
    }
}

impl Verified {
    /// The index of the hash of a secret that was verified before, while the client still has these
    /// hashes. Unknown clients take the same time: their secret is digested too.
    #[must_use]
    pub fn find(&self, client: &str, secret: &str, hashes: &[String]) -> Option<usize> {
        let digest = self.digest(client, secret)?;
        let clients = self.lock();
        let known = clients.get(&client.to_ascii_lowercase());
        let known = known.filter(|known| known.hashes == hashes)?;
        let is_same =
            |(_, right): &&(usize, Vec<u8>)| verify_slices_are_equal(right, &digest).is_ok();
        known.right.iter().find(is_same).map(|(index, _)| *index)
    }

    /// Stores the digest of a verified secret, with the index of its hash.
    pub fn insert(&self, client: &str, secret: &str, hashes: &[String], index: usize) {
        let Some(digest) = self.digest(client, secret) else { return };
        let client = client.to_ascii_lowercase();
        let mut clients = self.lock();
        if clients.len() >= MAX_CLIENTS && !clients.contains_key(&client) {
            return;
        }
        let known = clients.entry(client).or_insert_with(|| Client::new(hashes));
        if known.hashes != hashes {
            *known = Client::new(hashes);
        }
        if known.right.len() < MAX_SECRETS {
            known.right.push((index, digest));
        }
    }

    fn digest(&self, client: &str, secret: &str) -> Option<Vec<u8>> {
        let mut context = hmac::Context::with_key(self.key.as_ref()?);
        // No client id has a zero byte, so the input is unambiguous.
        for part in [client.to_ascii_lowercase().as_bytes(), &[0], secret.as_bytes()] {
            context.update(part);
        }
        Some(context.sign().as_ref().to_vec())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Client>> {
        // A panic under the lock leaves only verified entries.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    fn new(hashes: &[String]) -> Self {
        Self { hashes: hashes.to_vec(), right: Vec::new() }
    }
}

/// Leaves the entries out.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_right_is_right_while_the_hashes_stay() {
        let verified = Verified::default();
        let hashes = ["one".to_owned(), "two".to_owned()];
        assert_eq!(verified.find("client", "secret", &hashes), None);
        verified.insert("Client", "secret", &hashes, 1);
        for (client, secret, hashes, expected) in [
            ("client", "secret", &hashes[..], Some(1)),
            ("CLIENT", "secret", &hashes, Some(1)),
            ("client", "Secret", &hashes, None),
            ("client", "", &hashes, None),
            ("other", "secret", &hashes, None),
            ("client", "secret", &hashes[..1], None),
            ("client", "secret", &[], None),
        ] {
            assert_eq!(verified.find(client, secret, hashes), expected, "{client} {secret}");
        }
        verified.insert("client", "another", &hashes, 0);
        assert_eq!(verified.find("client", "secret", &hashes), Some(1));
        assert_eq!(verified.find("client", "another", &hashes), Some(0));
        verified.insert("client", "another", &hashes[1..], 0);
        assert_eq!(verified.find("client", "secret", &hashes), None);
        assert_eq!(verified.find("client", "secret", &hashes[1..]), None);
    }
}

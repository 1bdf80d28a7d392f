//! Secrets of service principals that were right, so that the next login with one need not hash it
//! again.
//!
//! A hash that is slow on purpose takes forty milliseconds of a core, and there are few places for
//! it. A login that was right before takes none, so nobody's guesses are in its way. What is kept
//! is a keyed digest, for as long as the client's secrets stay as they are; the key ends with the
//! process.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

/// How many clients are remembered. Only right secrets make an entry.
const MAX_CLIENTS: usize = 100_000;
/// How many secrets a client may have, and so how many digests are kept of each.
const MAX_SECRETS: usize = 2;

/// The digests, by client.
pub struct Verified {
    /// Nothing where the system had no randomness; then nothing is remembered.
    key: Option<hmac::Key>,
    clients: Mutex<HashMap<String, Client>>,
}

struct Client {
    /// The hashes of its secrets when it was right.
    hashes: Vec<String>,
    right: Vec<Vec<u8>>,
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
    /// Whether a secret was right before, and these are still the hashes of the client's secrets. A
    /// secret is digested whether the client is known or not.
    #[must_use]
    pub fn is_right(&self, client: &str, secret: &str, hashes: &[String]) -> bool {
        let Some(digest) = self.digest(client, secret) else { return false };
        let clients = self.lock();
        let known = clients.get(&client.to_ascii_lowercase());
        known.filter(|known| known.hashes == hashes).is_some_and(|known| {
            known.right.iter().any(|right| verify_slices_are_equal(right, &digest).is_ok())
        })
    }

    /// Remembers a secret that was right.
    pub fn remember(&self, client: &str, secret: &str, hashes: &[String]) {
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
            known.right.push(digest);
        }
    }

    fn digest(&self, client: &str, secret: &str) -> Option<Vec<u8>> {
        let mut context = hmac::Context::with_key(self.key.as_ref()?);
        // No client id has a zero byte, so no two pairs are one text.
        for part in [client.to_ascii_lowercase().as_bytes(), &[0], secret.as_bytes()] {
            context.update(part);
        }
        Some(context.sign().as_ref().to_vec())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Client>> {
        // A thread that ended with it left what was right.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    fn new(hashes: &[String]) -> Self {
        Self { hashes: hashes.to_vec(), right: Vec::new() }
    }
}

/// Says nothing of whom it knows.
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
        assert!(!verified.is_right("client", "secret", &hashes));
        verified.remember("Client", "secret", &hashes);
        for (client, secret, hashes, expected) in [
            ("client", "secret", &hashes[..], true),
            ("CLIENT", "secret", &hashes, true),
            ("client", "Secret", &hashes, false),
            ("client", "", &hashes, false),
            ("other", "secret", &hashes, false),
            ("client", "secret", &hashes[..1], false),
            ("client", "secret", &[], false),
        ] {
            assert_eq!(verified.is_right(client, secret, hashes), expected, "{client} {secret}");
        }
        verified.remember("client", "another", &hashes);
        assert!(verified.is_right("client", "secret", &hashes));
        assert!(verified.is_right("client", "another", &hashes));
        verified.remember("client", "another", &hashes[1..]);
        assert!(!verified.is_right("client", "secret", &hashes));
        assert!(!verified.is_right("client", "secret", &hashes[1..]));
    }
}

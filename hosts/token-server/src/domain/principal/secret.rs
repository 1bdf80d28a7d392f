//! Client secrets: hashed with argon2id, because people choose some of them.
//!
//! Follows RFC 9106 with the parameters that OWASP recommends (19 MiB, two passes, one lane). A
//! check takes some twenty milliseconds of one core, so it runs on a blocking thread and in one of
//! a few slots ([`CheckSlots`]). When all are taken, a request waits for up to [`TIMEOUT`].

use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use tokio::time::timeout;

use crate::domain::guard::check_slots::CheckSlots;
use crate::domain::guard::familiar::Familiarity;

/// How long a check waits for a slot. A longer queue would only grow.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The hash of a random secret, which is checked for unknown clients.
static DUMMY_HASH: LazyLock<String> = LazyLock::new(|| {
    crate::model::password::generate().ok().and_then(|s| hash(&s)).unwrap_or_default()
});

/// The minimum number of characters in a chosen secret.
pub(crate) const MIN_LEN: usize = 16;

/// Hashes a secret with a salt of its own.
#[must_use]
pub(crate) fn hash(secret: &str) -> Option<String> {
    Argon2::default().hash_password(secret.as_bytes()).ok().map(|hash| hash.to_string())
}

/// Whether a secret has one of these hashes; `None` when no slot was free in time. It takes as long
/// for a client without secrets.
pub(crate) async fn is_one_of(
    secret: String,
    mut hashes: Vec<String>,
    slots: &CheckSlots,
    (familiarity, address): (Familiarity, IpAddr),
) -> Option<bool> {
    // Two hashes are checked for every client, so that the time does not depend on the number of
    // secrets.
    hashes.resize_with(2, || DUMMY_HASH.clone());
    let slot = timeout(TIMEOUT, slots.acquire(familiarity, address)).await.ok()??;
    let check = tokio::task::spawn_blocking(move || {
        // The check goes on when its client disconnects, and keeps its slot: otherwise a client
        // that disconnects again and again could run as many checks as there are threads.
        let _slot = slot;
        hashes.iter().fold(false, |found, hash| found | matches(&secret, hash))
    });
    Some(check.await.unwrap_or(false))
}

fn matches(secret: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(secret.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[tokio::test]
    async fn a_client_that_hangs_up_keeps_its_place() {
        let one = CheckSlots::new(1, 0);
        // The dummy hash is made once, and here before the measurement.
        let unknown = (Familiarity::Unknown, HERE);
        assert_eq!(is_one_of("x".into(), vec![], &one, unknown).await, Some(false));
        // One poll begins the check; dropping the future is a client that disconnects.
        let begun = is_one_of("an unknown secret".into(), vec![], &one, unknown);
        assert!(timeout(Duration::ZERO, begun).await.is_err());
        assert_eq!(one.free(), 0, "the check runs on without a place");
        // It releases the slot at its end.
        assert_eq!(is_one_of("x".into(), vec![], &one, unknown).await, Some(false));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let none = CheckSlots::new(0, 0);
        for familiarity in [Familiarity::Known, Familiarity::Unknown] {
            assert_eq!(is_one_of("x".into(), vec![], &none, (familiarity, HERE)).await, None);
        }
    }

    #[tokio::test]
    async fn secrets_match_themselves_alone() {
        let hashed = hash("correct horse battery").unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        for (secret, hashes, expected) in [
            ("correct horse battery", vec![hashed.clone()], true),
            ("correct horse battery", vec![hash("another").unwrap(), hashed.clone()], true),
            ("correct horse batterx", vec![hashed.clone()], false),
            ("", vec![hashed], false),
            ("", vec![], false),
            ("x", vec!["no hash".into(), String::new()], false),
        ] {
            assert_eq!(
                is_one_of(
                    secret.into(),
                    hashes,
                    &CheckSlots::default(),
                    (Familiarity::Unknown, HERE)
                )
                .await,
                Some(expected),
                "{secret}"
            );
        }
    }
}

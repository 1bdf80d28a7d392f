//! Client secrets: hashed with argon2id, because people choose some of them.
//!
//! Follows RFC 9106 with the parameters that OWASP recommends (19 MiB, two passes, one lane). A
//! check takes some twenty milliseconds of one core, so it runs beside the requests and only so
//! many at once ([`Places`]); whoever comes when all places are taken waits, and not for long.

use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use tokio::time::timeout;

use crate::domain::guard::familiar::Familiarity;
use crate::domain::guard::places::Places;

/// How long a check waits for a place. A queue that is longer than that only grows.
const PATIENCE: Duration = Duration::from_secs(2);

/// The hash of a secret that nobody has: what is checked when there is no such client.
static NOBODY: LazyLock<String> = LazyLock::new(|| {
    crate::model::password::generate().ok().and_then(|s| hash(&s)).unwrap_or_default()
});

/// The least number of characters in a secret that a person chooses.
pub(crate) const MIN_LEN: usize = 16;

/// Hashes a secret with a salt of its own.
#[must_use]
pub(crate) fn hash(secret: &str) -> Option<String> {
    Argon2::default().hash_password(secret.as_bytes()).ok().map(|hash| hash.to_string())
}

/// Whether a secret is one of these; `None` when too many others are being checked. It takes as
/// long for a client that has none.
pub(crate) async fn is_one_of(
    secret: String,
    mut hashes: Vec<String>,
    places: &Places,
    (familiarity, address): (Familiarity, IpAddr),
) -> Option<bool> {
    // Every client has two places for secrets, and each is checked, so that the time tells nothing.
    hashes.resize_with(2, || NOBODY.clone());
    let place = timeout(PATIENCE, places.acquire(familiarity, address)).await.ok()??;
    let check = tokio::task::spawn_blocking(move || {
        // The check goes on when its client hangs up, and so does its hold on the place: or else
        // whoever asks and hangs up again and again had as many checks run at once as there are
        // threads.
        let _place = place;
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
        let one = Places::new(1, 0);
        // The hash of nobody is made once, and here before anything is measured.
        let unknown = (Familiarity::Unknown, HERE);
        assert_eq!(is_one_of("x".into(), vec![], &one, unknown).await, Some(false));
        // One poll begins the check; dropping it is what hanging up comes to.
        let begun = is_one_of("a secret of nobody".into(), vec![], &one, unknown);
        assert!(timeout(Duration::ZERO, begun).await.is_err());
        assert_eq!(one.free(), 0, "the check runs on without a place");
        // It gives the place back at its end.
        assert_eq!(is_one_of("x".into(), vec![], &one, unknown).await, Some(false));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let none = Places::new(0, 0);
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
                is_one_of(secret.into(), hashes, &Places::default(), (Familiarity::Unknown, HERE))
                    .await,
                Some(expected),
                "{secret}"
            );
        }
    }
}

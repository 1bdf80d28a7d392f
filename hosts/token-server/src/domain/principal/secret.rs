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
use zxcvbn::feedback::Feedback;
use zxcvbn::zxcvbn;

use crate::domain::guard::check_slots::CheckSlots;
use crate::domain::guard::familiar::Familiarity;
use crate::model::password::is_generated;

/// How long a check waits for a slot. A longer queue would only grow.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The hash of a random secret, which is checked for unknown clients.
static DUMMY_HASH: LazyLock<String> = LazyLock::new(|| {
    crate::model::password::generate().ok().and_then(|s| hash(&s)).unwrap_or_default()
});

/// The minimum and the maximum number of characters in a chosen secret.
const LEN: std::ops::RangeInclusive<usize> = 16..=256;
/// The minimum number of guesses for a chosen secret, as a power of ten, by the estimate of zxcvbn;
/// its highest score begins at ten. A stolen hash costs 20 ms of a core for each guess, so these
/// take 600 years of one.
const MIN_GUESSES: f64 = 12.0;

/// Refuses a chosen secret that can be guessed. `names` are those that a guesser tries first. The
/// text never quotes the secret.
///
/// # Errors
///
/// For a secret that is too short, too long or too easy to guess, and for one in the form of a
/// generated secret, which is trusted to be unguessable.
pub(crate) fn check_strength(secret: &str, names: &[&str]) -> Result<(), String> {
    if !LEN.contains(&secret.chars().count()) {
        return Err(format!("a secret has {} to {} characters", LEN.start(), LEN.end()));
    }
    if is_generated(secret) {
        return Err("a secret that looks like a generated one: have one generated".to_owned());
    }
    let strength = zxcvbn(secret, names);
    let rest = without_names(secret, names);
    if strength.guesses_log10() >= MIN_GUESSES
        && zxcvbn(&rest, names).guesses_log10() >= MIN_GUESSES
    {
        return Ok(());
    }
    let warning = strength.feedback().and_then(Feedback::warning);
    let warning = warning.map(|warning| format!(" ({warning})")).unwrap_or_default();
    Err(format!(
        "the secret is too easy to guess{warning}: choose several unrelated words, or have one generated"
    ))
}

/// The secret without the words of these names. To zxcvbn four words are always hard to guess, also
/// where they are names that a guesser tries first.
fn without_names(secret: &str, names: &[&str]) -> String {
    let words = names.iter().flat_map(|name| name.split_whitespace());
    // A shorter word is in many secrets by chance.
    let words = words.filter(|word| word.len() >= 4).map(str::to_lowercase);
    words.fold(secret.to_lowercase(), |secret, word| secret.replace(&word, ""))
}

/// Hashes a secret with a salt of its own.
#[must_use]
pub(crate) fn hash(secret: &str) -> Option<String> {
    Argon2::default().hash_password(secret.as_bytes()).ok().map(|hash| hash.to_string())
}

/// Which of these hashes a secret has, if any; `None` when no slot was free in time. It takes as
/// long for a client without secrets.
pub(crate) async fn find(
    secret: String,
    mut hashes: Vec<String>,
    slots: &CheckSlots,
    (familiarity, address): (Familiarity, IpAddr),
) -> Option<Option<usize>> {
    // Two hashes are checked for every client, so that the time does not depend on the number of
    // secrets.
    hashes.resize_with(2, || DUMMY_HASH.clone());
    let slot = timeout(TIMEOUT, slots.acquire(familiarity, address)).await.ok()??;
    let check = tokio::task::spawn_blocking(move || {
        // The check goes on when its client disconnects, and keeps its slot: otherwise a client
        // that disconnects again and again could run as many checks as there are threads.
        let _slot = slot;
        let check = |found, (index, hash): (usize, &String)| {
            if matches(&secret, hash) { Some(index) } else { found }
        };
        hashes.iter().enumerate().fold(None, check)
    });
    Some(check.await.unwrap_or(None))
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
        assert_eq!(find("x".into(), vec![], &one, unknown).await, Some(None));
        // One poll begins the check; dropping the future is a client that disconnects.
        let begun = find("an unknown secret".into(), vec![], &one, unknown);
        assert!(timeout(Duration::ZERO, begun).await.is_err());
        assert_eq!(one.free(), 0, "the check runs on without a place");
        // It releases the slot at its end.
        assert_eq!(find("x".into(), vec![], &one, unknown).await, Some(None));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let none = CheckSlots::new(0, 0);
        for familiarity in [Familiarity::Known, Familiarity::Unknown] {
            assert_eq!(find("x".into(), vec![], &none, (familiarity, HERE)).await, None);
        }
    }

    #[test]
    fn chosen_secrets_have_a_least_strength() {
        let names = ["registry", "registry.local", "deployment of the shop", "administrator"];
        for (secret, says) in [
            ("correct horse battery staple", None),
            ("otter violin quarry lamp", None),
            ("fiZ7pq-0vWmKLx4tR", None),
            ("kühl Wüste Äpfel zwölf", None),
            ("short", Some("16 to 256 characters")),
            ("aaaaaaaaaaaaaaaaaaaaaaaa", Some("too easy to guess (Repeats")),
            ("abcabcabcabcabcabcabc", Some("too easy to guess (Repeats")),
            ("passwordpassword", Some("too easy to guess")),
            ("qwertyuiopasdfghjkl", Some("too easy to guess")),
            ("1234567890123456789", Some("too easy to guess")),
            ("registry.local registry", Some("too easy to guess")),
            ("deployment of the shop", Some("too easy to guess")),
            ("administrator2026", Some("too easy to guess")),
            ("registry Registry.Local administrator shop", Some("too easy to guess")),
            ("registry violin quarry lamp otter", None),
        ] {
            let refused = check_strength(secret, &names).err();
            assert_eq!(refused.is_some(), says.is_some(), "{secret}: {refused:?}");
            let refused = refused.unwrap_or_default();
            assert!(refused.contains(says.unwrap_or_default()), "{secret}: {refused}");
            assert!(!refused.contains(secret), "{refused}");
        }
        assert!(check_strength(&"x".repeat(257), &names).is_err());
        let generated = crate::model::password::generate().unwrap();
        assert!(check_strength(&generated, &names).unwrap_err().contains("generated one"));
    }

    #[tokio::test]
    async fn secrets_match_themselves_alone() {
        let hashed = hash("correct horse battery").unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        for (secret, hashes, expected) in [
            ("correct horse battery", vec![hashed.clone()], Some(0)),
            ("correct horse battery", vec![hash("another").unwrap(), hashed.clone()], Some(1)),
            ("correct horse batterx", vec![hashed.clone()], None),
            ("", vec![hashed], None),
            ("", vec![], None),
            ("x", vec!["no hash".into(), String::new()], None),
        ] {
            assert_eq!(
                find(secret.into(), hashes, &CheckSlots::default(), (Familiarity::Unknown, HERE))
                    .await,
                Some(expected),
                "{secret}"
            );
        }
    }
}

//! Generated passwords: made, digested, compared.
//!
//! A password has 192 bits of randomness and is never chosen by a person, so a plain SHA-256 of it
//! is as secure as a slow hash, and cheap on the hot path. It is short enough that `base64` keeps a
//! name of up to 20 characters, a colon and the password on one line.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The prefix of generated passwords. It lets scanners find leaked ones.
const PREFIX: &str = "sgp_";
/// The random bytes of a password: 36 characters with the prefix.
const RANDOM: usize = 24;
/// The random bytes of passwords of earlier versions, which stay valid: 47 characters.
const FORMER_RANDOM: usize = 32;

/// The SHA-256 of a password.
#[derive(Clone, Copy)]
pub struct PasswordDigest([u8; 32]);

impl PasswordDigest {
    /// Digests a password.
    #[must_use]
    pub fn of(password: &str) -> Self {
        Self(Sha256::digest(password.as_bytes()).into())
    }

    /// Whether both are of the same password, in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// Leaves the digest out: even a digest helps a guesser.
impl fmt::Debug for PasswordDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordDigest(…)")
    }
}

/// 64 hexadecimal digits.
impl Serialize for PasswordDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&text)
    }
}

/// 64 hexadecimal digits, also in a file that people write.
impl<'de> Deserialize<'de> for PasswordDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let byte = |digits: &[u8]| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
        };
        let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
        bytes
            .filter(|_| text.len() == 64)
            .and_then(|bytes| bytes.try_into().ok().map(Self))
            .ok_or_else(|| de::Error::custom("a SHA-256 has 64 hexadecimal digits"))
    }
}

/// Makes a password.
///
/// # Errors
///
/// When the operating system has no randomness to give.
#[expect(clippy::disallowed_methods, reason = "passwords are made here")]
pub(crate) fn generate() -> Result<String, getrandom::Error> {
    let mut bytes = [0; RANDOM];
    getrandom::fill(&mut bytes)?;
    Ok([PREFIX, &URL_SAFE_NO_PAD.encode(bytes)].concat())
}

/// Whether a text has the form of [`generate`], now or in earlier versions, and so cannot be
/// guessed.
#[must_use]
pub(crate) fn is_generated(text: &str) -> bool {
    let bytes = text.strip_prefix(PREFIX).and_then(|rest| URL_SAFE_NO_PAD.decode(rest).ok());
    bytes.is_some_and(|bytes| [RANDOM, FORMER_RANDOM].contains(&bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_match_themselves_alone() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_eq!(one.len(), 36);
        assert!(PasswordDigest::of(&one).matches(&PasswordDigest::of(&one)));
        assert!(!PasswordDigest::of(&one).matches(&PasswordDigest::of(&other)));
        let former = "sgp_CJ7aVHHk0PToFlw-Dtttuhuf6bOlT9hvA_93GGr4lmo";
        for generated in [&one, former] {
            assert!(is_generated(generated), "{generated}");
            let headless = generated.strip_prefix(PREFIX).unwrap();
            let cut = generated.get(..generated.len() - 1).unwrap();
            for text in [headless, cut, &format!("{generated}A"), &format!("{generated}AAAA")] {
                assert!(!is_generated(text), "{text}");
            }
        }
        for text in ["", "sgp_", "correct horse battery", &format!("sgp_{}", "A".repeat(33))] {
            assert!(!is_generated(text), "{text}");
        }
    }

    /// `base64` begins another line after 57 bytes, and a line feed ends a header.
    #[test]
    fn credentials_fit_into_one_line_of_base64() {
        let credentials = format!("MyTokenWildcard:{}", generate().unwrap());
        assert!(credentials.len() <= 57, "{}", credentials.len());
    }

    #[test]
    fn digests_are_read_from_hexadecimal() {
        let read = |text: &str| serde_json::from_value::<PasswordDigest>(text.into()).ok();
        let digest =
            read("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08").unwrap();
        assert!(digest.matches(&PasswordDigest::of("test")));
        for text in ["", "00", &"g".repeat(64), &"+1".repeat(32), &"é".repeat(32)] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}

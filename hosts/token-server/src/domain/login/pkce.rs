//! Proof key for code exchange (RFC 7636), with `S256` alone, and the random texts of a sign-in.
//!
//! Left out: `plain`, which proves nothing to who has seen the request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The length of a challenge: a SHA-256 in base 64.
const CHALLENGE: usize = 43;

/// 256 random bits, as text: a verifier, a state, a nonce or a code.
///
/// # Errors
///
/// When the operating system has no randomness to give.
#[expect(clippy::disallowed_methods, reason = "texts that cannot be guessed are made here")]
pub(crate) fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The challenge of a verifier.
#[must_use]
pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// Whether a text has the form of a challenge.
#[must_use]
pub(crate) fn is_challenge(text: &str) -> bool {
    text.len() == CHALLENGE && text.bytes().all(is_base64)
}

/// Whether a text is a verifier (section 4.1), and the one of this challenge.
#[must_use]
pub(crate) fn verifies(verifier: &str, expected: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let is_verifier = (43..=128).contains(&verifier.len()) && verifier.bytes().all(is_letter);
    is_verifier && is_same(&challenge(verifier), expected)
}

/// Whether two texts are the same, in a time that says nothing about where they differ.
#[must_use]
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636, appendix B.
    #[test]
    fn the_example() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let expected = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert_eq!(challenge(verifier), expected);
        assert!(is_challenge(expected) && verifies(verifier, expected));
        for other in ["", expected, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK", "short"] {
            assert!(!verifies(other, expected), "{other}");
        }
    }

    #[test]
    fn forms() {
        let long = "a".repeat(129);
        for verifier in [&long, &"a".repeat(42), &format!("{} ", "a".repeat(43)), "ä"] {
            assert!(!verifies(verifier, &challenge(verifier)), "{verifier}");
        }
        for text in ["", "a", &"a".repeat(44), &"=".repeat(43), &"ä".repeat(22)] {
            assert!(!is_challenge(text), "{text}");
        }
        let [one, other] = [random().unwrap(), random().unwrap()];
        assert!(one != other && verifies(&one, &challenge(&one)));
    }
}

//! Tokens, verified once and remembered.
//!
//! A signature costs Envoy some seventy microseconds, so a token that is good, and not too long, is
//! kept with its whole text: in a table of bounded size, in which newer ones drive out older ones,
//! and no longer than the keys stay as they are. Whether it is in time, for us, or revoked is asked
//! each time, elsewhere.

use std::rc::Rc;

use scopegate_api::claims::AccessClaims;
use scopegate_edge::accept;
use scopegate_edge::bearer::MAX_TOKEN;
use scopegate_edge::jws::Jws;

use crate::keys::Keys;
use crate::signature;

/// The longest that is remembered: room for forty repositories.
const MAX_CACHED_TOKEN: usize = 4 * 1024;
/// How many slots there are, each for two tokens. With that they take 50 MB at the very most, and
/// 6 with usual ones.
const CACHE_SLOTS: usize = 2048;

/// Whether two texts are the same, eight bytes at a time: the library that is built for size
/// compares one after the other.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let (words, rest) = one.as_chunks::<8>();
    let (other_words, other_rest) = other.as_chunks::<8>();
    let same =
        |(one, other): (&[u8; 8], &[u8; 8])| u64::from_ne_bytes(*one) == u64::from_ne_bytes(*other);
    words.len() == other_words.len()
        && rest == other_rest
        && words.iter().zip(other_words).all(same)
}

/// Why a token is no good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenError {
    /// It names a key that is not known; one that is new, perhaps.
    UnknownKey,
    /// It was not signed by the key that it names, or is no access token at all.
    Forged,
}

/// The tokens of one worker thread, and the keys that they are verified with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tokens {
    keys: Keys,
    slots: Vec<Slot>,
}

/// The newest token, and the one before.
type Slot = [Option<Remembered>; 2];

#[derive(Clone, Debug)]
struct Remembered {
    text: Vec<u8>,
    claims: Rc<AccessClaims>,
}

impl Tokens {
    /// Takes a key set. Another one than before forgets all tokens; an invalid text changes
    /// nothing.
    pub(crate) fn ingest(&mut self, keys: &[u8]) -> bool {
        let Some(keys) = Keys::read(keys) else { return false };
        if keys != self.keys {
            *self = Self { keys, slots: vec![Slot::default(); CACHE_SLOTS] };
        }
        true
    }

    /// Whether there are keys to verify with.
    #[must_use]
    pub(crate) fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// The claims of a token whose signature is good. `ask` gives the answer to a
    /// [question](signature::question).
    ///
    /// # Errors
    ///
    /// When its signature is not good, or it has none.
    pub(crate) fn verify(
        &mut self,
        text: &[u8],
        ask: impl FnOnce(&[u8]) -> Option<Box<[u8]>>,
    ) -> Result<Rc<AccessClaims>, TokenError> {
        if text.len() > MAX_TOKEN {
            return Err(TokenError::Forged);
        }
        let slot = slot_of(text);
        let remembered = self.slots.get(slot).into_iter().flatten().flatten();
        if let Some(same) =
            remembered.into_iter().find(|remembered| is_same(&remembered.text, text))
        {
            return Ok(Rc::clone(&same.claims));
        }
        let letters = std::str::from_utf8(text).map_err(|_| TokenError::Forged)?;
        let claims = Rc::new(self.verify_uncached(letters, ask)?);
        if text.len() <= MAX_CACHED_TOKEN
            && let Some([newer, older]) = self.slots.get_mut(slot)
        {
            *older = newer.take();
            *newer = Some(Remembered { text: text.to_owned(), claims: Rc::clone(&claims) });
        }
        Ok(claims)
    }

    fn verify_uncached(
        &self,
        text: &str,
        ask: impl FnOnce(&[u8]) -> Option<Box<[u8]>>,
    ) -> Result<AccessClaims, TokenError> {
        let jws = Jws::read(text).map_err(|_| TokenError::Forged)?;
        let kid = jws.kid.as_deref().ok_or(TokenError::Forged)?;
        let key = self.keys.find(kid).ok_or(TokenError::UnknownKey)?;
        if jws.algorithm != key.algorithm.name() {
            return Err(TokenError::Forged);
        }
        let question = signature::question(key, jws.message, jws.signature);
        let answer = question.and_then(|question| ask(&question));
        if !answer.is_some_and(|answer| signature::is_yes(&answer)) {
            return Err(TokenError::Forged);
        }
        let payload = jws.payload().ok_or(TokenError::Forged)?;
        accept::read(&payload).map_err(|_| TokenError::Forged)
    }
}

/// The slot of a token, by the last letters of its signature: nothing spreads better.
fn slot_of(text: &[u8]) -> usize {
    let mix = |slot: usize, byte: &u8| slot.wrapping_mul(31).wrapping_add(usize::from(*byte));
    text.iter().rev().take(8).fold(0, mix) % CACHE_SLOTS
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::*;

    const YES: &[u8] = &[8, 1];
    const NO: &[u8] = &[8, 0];

    fn set(kids: &[&str]) -> Vec<u8> {
        let key = |kid: &&str| json!({ "kty": "EC", "crv": "P-256", "kid": kid, "x": "A".repeat(43), "y": "A".repeat(43) });
        json!({ "keys": kids.iter().map(key).collect::<Vec<_>>() }).to_string().into_bytes()
    }

    fn token(n: u32, header: &Value) -> String {
        let claims = json!({ "jti": n.to_string(), "sub": "t", "nbf": 1, "exp": 2, "iat": 1, "iss": "i", "aud": "s", "version": "1.0", "rid": "r",
            "access": [], "roles": [], "grant_type": "access_token" });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut signature = [0; 64];
        signature[60..].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
        format!("{}.{}.{}", part(header), part(&claims), URL_SAFE_NO_PAD.encode(signature))
    }

    fn header() -> Value {
        json!({ "alg": "ES256", "kid": "a" })
    }

    /// A verifier with the key `a`, and how often it has asked.
    struct Verifier {
        tokens: Tokens,
        asked: Cell<u32>,
    }

    impl Verifier {
        fn new() -> Self {
            let mut tokens = Tokens::default();
            assert!(!tokens.has_keys() && tokens.ingest(&set(&["a"])) && tokens.has_keys());
            Self { tokens, asked: Cell::new(0) }
        }

        fn verify(&mut self, text: &str, answer: &[u8]) -> Result<String, TokenError> {
            let ask = |_: &[u8]| {
                self.asked.set(self.asked.get() + 1);
                Some(answer.into())
            };
            self.tokens.verify(text.as_bytes(), ask).map(|claims| claims.jti.clone())
        }
    }

    #[test]
    fn a_good_token_is_remembered_as_long_as_the_keys_stay() {
        let (mut verifier, text) = (Verifier::new(), token(1, &header()));
        for (keys, answer, asked, expected) in [
            (None, YES, 1, Ok("1")),
            (None, NO, 1, Ok("1")),
            (Some(set(&["a"])), NO, 1, Ok("1")),
            (Some(b"<html>".to_vec()), NO, 1, Ok("1")),
            (Some(set(&["a", "b"])), NO, 2, Err(TokenError::Forged)),
            (None, YES, 3, Ok("1")),
            (Some(set(&["b"])), YES, 3, Err(TokenError::UnknownKey)),
            (Some(set(&["a"])), YES, 4, Ok("1")),
            (Some(set(&[])), YES, 4, Err(TokenError::UnknownKey)),
        ] {
            keys.map(|keys| verifier.tokens.ingest(&keys));
            assert_eq!(verifier.verify(&text, answer), expected.map(ToOwned::to_owned));
            assert_eq!(verifier.asked.get(), asked);
        }
    }

    #[test]
    fn what_is_not_good() {
        let (mut verifier, good) = (Verifier::new(), token(1, &header()));
        verifier.verify(&good, YES).unwrap();
        let (message, signature) = good.rsplit_once('.').unwrap();
        let other = token(2, &header());
        let (other, _) = other.rsplit_once('.').unwrap();
        for (what, text) in [
            ("another message under a signature that was good", format!("{other}.{signature}")),
            ("another algorithm", token(1, &json!({ "alg": "RS256", "kid": "a" }))),
            ("none", token(1, &json!({ "alg": "none", "kid": "a" }))),
            ("padding", format!("{good}=")),
            ("four parts", format!("{message}.x.{signature}")),
            ("nothing", String::new()),
            ("too long", "x".repeat(MAX_TOKEN + 1)),
        ] {
            assert_eq!(verifier.verify(&text, NO), Err(TokenError::Forged), "{what}");
        }
        let no_claims = format!("{}.e30.{}", good.split('.').next().unwrap(), "B".repeat(86));
        assert_eq!(verifier.verify(&no_claims, YES), Err(TokenError::Forged));
        for answer in [&[][..], &[8], &[0x12, 1, b'x']] {
            assert_eq!(verifier.verify(&token(3, &header()), answer), Err(TokenError::Forged));
        }
        let unasked = verifier.tokens.verify(token(3, &header()).as_bytes(), |_| None);
        assert_eq!(unasked.map(drop), Err(TokenError::Forged));
        assert!(verifier.verify(&good, NO).is_ok());
    }

    /// One letter that is another one makes a token another one.
    #[test]
    fn no_other_token_is_that_token() {
        let (mut verifier, good) = (Verifier::new(), token(1, &header()));
        verifier.verify(&good, YES).unwrap();
        for position in 0..good.len() {
            for letter in ['A', 'B', '.', '=', ' ', '\0', 'é'] {
                let (head, tail) = good.split_at(position);
                let tail = tail.get(1..).unwrap();
                let other = format!("{head}{letter}{tail}");
                assert!(other == good || verifier.verify(&other, NO).is_err(), "{other}");
            }
        }
    }

    #[test]
    fn memory_is_bounded_and_few_tokens_are_verified_twice() {
        let mut verifier = Verifier::new();
        for n in 0..1000 {
            verifier.verify(&token(n, &header()), YES).unwrap();
        }
        for n in 0..1000 {
            verifier.verify(&token(n, &header()), YES).unwrap();
        }
        assert!(verifier.asked.get() < 1100, "{}", verifier.asked.get());
        for n in 0..20_000 {
            verifier.verify(&token(n, &header()), YES).unwrap();
        }
        assert_eq!(verifier.tokens.slots.len(), CACHE_SLOTS);
        assert_eq!(verifier.verify(&token(19_999, &header()), NO), Ok("19999".to_owned()));
    }
}

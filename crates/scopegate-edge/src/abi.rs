//! What the rules answer at the boundary of the WebAssembly module, as text.
//!
//! `scopegate-wasm` specifies it. The text is written here, and not there, because this crate is
//! compiled for its size and that one for speed.
//!
//! Left out: numbers and addresses, which are the module's.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};

use scopegate_api::abi::write_access;

use crate::accept::{self, Expected, LEEWAY};
use crate::json;
use crate::jwks::{IssuerKey, KeySet, Material};
use crate::revocation::{FeedError, Revocations, Update};

/// Whether claims are accepted: `accepted`, the second from which they are not, and the access
/// entries as scopes, one a line; or [why not](crate::AcceptError::code).
#[must_use]
#[inline(never)]
pub fn acceptance(payload: &[u8], expected: &Expected<'_>) -> String {
    match accept::accept(payload, expected) {
        Ok(claims) => {
            let mut text = "accepted\n".to_owned();
            text.push_str(&claims.exp.saturating_add(LEEWAY).to_string());
            text.push('\n');
            text.push_str(&write_access(&claims.access));
            text
        }
        Err(error) => error.code().to_owned(),
    }
}

/// The keys of an issuer that verify, as a JSON array of keys (RFC 7517), each with `kid`, `alg`
/// and what its type needs; or [why there is none](crate::jwks::KeySetError::code).
#[must_use]
#[inline(never)]
pub fn verifying_keys(text: &[u8]) -> String {
    match KeySet::read(text).and_then(|set| Ok(written(&set.of_issuer()?))) {
        Ok(keys) => keys,
        Err(error) => error.code().to_owned(),
    }
}

fn written(keys: &[IssuerKey<&str>]) -> String {
    let mut text = String::new();
    for (kid, algorithm, material) in keys {
        let (fields, [(one, first), (other, second)]) = match *material {
            Material::P256 { x, y } => ("EC\",\"crv\":\"P-256", [("x", x), ("y", y)]),
            Material::P384 { x, y } => ("EC\",\"crv\":\"P-384", [("x", x), ("y", y)]),
            Material::Rsa { n, e } => ("RSA", [("n", n), ("e", e)]),
            // A member twice is refused by many readers.
            Material::Ed25519 { x } => ("OKP\",\"crv\":\"Ed25519", [("x", x), ("", "")]),
        };
        text.push_str(if text.is_empty() { "[{\"kid\":\"" } else { ",{\"kid\":\"" });
        write_escaped(kid, &mut text);
        for (name, value) in
            [("alg", algorithm.name()), ("kty", fields), (one, first), (other, second)]
        {
            if !name.is_empty() {
                for part in ["\",\"", name, "\":\"", value] {
                    text.push_str(part);
                }
            }
        }
        text.push_str("\"}");
    }
    text.push(']');
    text
}

/// A text within quotes.
fn write_escaped(value: &str, text: &mut String) {
    for character in value.chars() {
        match character {
            '"' | '\\' | '\0'..=' ' => {
                text.push_str("\\u00");
                for digit in [character as u32 >> 4, character as u32 & 15] {
                    text.extend(char::from_digit(digit, 16));
                }
            }
            character => text.push(character),
        }
    }
}

/// Takes an answer of the feed: `taken` or [why not](FeedError::code), and on lines of their own
/// the revision and the epoch that are known then.
#[must_use]
#[inline(never)]
pub fn ingest(revocations: &mut Revocations, answer: &[u8]) -> String {
    let document = json::read(answer);
    let update = document.as_ref().and_then(Update::read).ok_or(FeedError::Unreadable);
    let word = match update.and_then(|update| revocations.take(&update)) {
        Ok(()) => "taken",
        Err(error) => error.code(),
    };
    let revision = revocations.revision().unsigned_abs().to_string();
    [word, "\n", &revision, "\n", revocations.epoch().unwrap_or_default()].concat()
}

/// Whether a token is revoked whose claims were accepted. One whose claims cannot be read counts as
/// revoked.
#[must_use]
#[inline(never)]
pub fn is_revoked(revocations: &Revocations, payload: &[u8]) -> bool {
    accept::read(payload).map_or(true, |claims| revocations.has_revoked(&claims))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accept::Epoch;

    #[test]
    fn acceptances() {
        let payload = br#"{"jti":"j","sub":"t","nbf":100,"exp":400,"iat":100,"iss":"i","aud":"r","version":"1.0","rid":"0",
            "access":[{"type":"repository","name":"app","actions":["pull"]}],"roles":[],"grant_type":"access_token"}"#;
        for (now, expected) in
            [(200, "accepted\n460\nrepository:app:pull\n"), (460, "expired"), (39, "not_yet_valid")]
        {
            let rule = Expected { issuer: "i", service: "r", epoch: Epoch::Unknown, now };
            assert_eq!(acceptance(payload, &rule), expected, "{now}");
        }
    }
}

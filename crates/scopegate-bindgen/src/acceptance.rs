//! Whether a verifier accepts the claims of a token, or why not: the rule of every enforcement
//! point.
//!
//! Left out: signatures, which nobody verifies here, and revocations.

use scopegate_edge::accept::{AcceptError, Times};
use scopegate_edge::{Epoch, Expected, accept};
use wasm_bindgen::prelude::wasm_bindgen;

/// The word for claims that are accepted.
const ACCEPTED: &str = "accepted";

/// `accepted`, or why the claims of a token are not: `expired` for example. The payload is as it
/// was signed, and `now` in seconds since 1970.
#[must_use]
#[wasm_bindgen(js_name = acceptClaims)]
pub fn accept_claims(payload: &str, issuer: &str, service: &str, now: f64) -> String {
    let expected = Expected { issuer, service, epoch: Epoch::Unknown, now: seconds(now) };
    word(accept(payload.as_bytes(), &expected).map(drop))
}

/// The same for the times of a token alone: `accepted`, `not_yet_valid`, `expired` or
/// `lifetime_too_long`.
#[must_use]
#[wasm_bindgen(js_name = acceptTimes)]
pub fn accept_times(begin: f64, end: f64, now: f64) -> String {
    word(Times { begin: seconds(begin), end: seconds(end) }.check(seconds(now)))
}

fn word(accepted: Result<(), AcceptError>) -> String {
    accepted.map_or_else(AcceptError::code, |()| ACCEPTED).to_owned()
}

/// Whole seconds. What is before 1970 counts as its beginning.
fn seconds(time: f64) -> u64 {
    time as u64
}

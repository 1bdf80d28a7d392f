//! Whether a verifier accepts the times of a token, or why not: the rule of every enforcement
//! point.
//!
//! Left out: the other claims, which would make the package a sixth larger; the module without
//! bindings has `scopegate_accept_claims`. Signatures, which are not verified here, and
//! revocations.

use scopegate_edge::accept::{AcceptError, Times};
use wasm_bindgen::prelude::wasm_bindgen;

/// The word for times that are accepted.
const ACCEPTED: &str = "accepted";

/// `accepted`, `not_yet_valid`, `expired` or `lifetime_too_long`. Times are in seconds since 1970.
#[must_use]
#[wasm_bindgen(js_name = acceptTimes)]
pub fn accept_times(begin: f64, end: f64, now: f64) -> String {
    let times = Times { begin: seconds(begin), end: seconds(end) };
    times.check(seconds(now)).map_or_else(AcceptError::code, |()| ACCEPTED).to_owned()
}

/// Whole seconds. What is before 1970 counts as its beginning.
fn seconds(time: f64) -> u64 {
    time as u64
}

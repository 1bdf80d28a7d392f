//! How long tokens last, and how far clocks may be apart.

use scopegate_edge::accept;

/// How long an access token is valid, in seconds.
pub const ACCESS_LIFETIME: i64 = 60 * 60;
/// How long an access token is valid that anybody can have, in seconds.
pub(crate) const ANONYMOUS_LIFETIME: i64 = 5 * 60;
/// How long a refresh token is valid, in seconds.
pub(crate) const REFRESH_LIFETIME: i64 = 3 * 60 * 60;
/// How long any token may be valid, in seconds: what every verifier takes.
pub(crate) const MAX_LIFETIME: i64 = accept::MAX_LIFETIME.cast_signed();
/// How far two clocks may be apart, in seconds: what every verifier takes.
pub const LEEWAY: i64 = accept::LEEWAY.cast_signed();

const _: () = assert!(REFRESH_LIFETIME <= MAX_LIFETIME, "no verifier takes a refresh token");

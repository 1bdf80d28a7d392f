//! How long tokens last, and how far clocks may be apart.

use scopegate_edge::accept;
use scopegate_host::setting::Compatibility;

/// How long an access token is valid, in seconds.
pub const ACCESS_LIFETIME: i64 = 60 * 60;
/// The lifetime of an anonymous access token, in seconds.
pub(crate) const ANONYMOUS_LIFETIME: i64 = 5 * 60;
/// How long a refresh token is valid, in seconds.
pub(crate) const REFRESH_LIFETIME: i64 = 3 * 60 * 60;
/// How long before it is made a token begins, in seconds. Those of Azure Container Registry begin
/// fifteen minutes before: an access token spans 4,500 seconds and a refresh token 11,700, of which
/// 3,600 and 10,800 are to come.
#[must_use]
pub const fn backdated(compatibility: Compatibility) -> i64 {
    match compatibility {
        Compatibility::None => 0,
        Compatibility::Acr => 15 * 60,
    }
}

/// How long after a person has signed in its tokens can be renewed, in seconds. Each refresh token
/// is good for [`REFRESH_LIFETIME`], so one that is not used ends earlier.
pub(crate) const LOGIN_LIFETIME: i64 = 12 * 60 * 60;
/// The longest lifetime that every verifier accepts, in seconds.
pub(crate) const MAX_LIFETIME: i64 = accept::MAX_LIFETIME.cast_signed();
/// How far two clocks may be apart, in seconds, at every verifier.
pub const LEEWAY: i64 = accept::LEEWAY.cast_signed();
/// How long the revocation of a refresh token is kept after the token has expired, in seconds: a
/// clock that jumped ahead for a moment must not make the token good again.
pub(crate) const REVOCATION_KEPT: i64 = 60 * 60;

const _: () = assert!(REFRESH_LIFETIME <= MAX_LIFETIME, "no verifier takes a refresh token");

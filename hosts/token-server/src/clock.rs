//! The one reading of the clock. Everything else takes the time as an argument.

use jiff::Timestamp;

/// Seconds since 1970.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one reading of the clock")]
pub fn now() -> i64 {
    Timestamp::now().as_second()
}

/// A time in RFC 3339, UTC.
#[must_use]
pub fn rfc3339(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

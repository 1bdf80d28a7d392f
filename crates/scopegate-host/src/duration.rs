//! Durations as people write them in a configuration: `90d`, `24h`, `200ms`.
//!
//! Follows the friendly format of `jiff`. A day has 24 hours. Left out: months and years, which
//! have no fixed length.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use serde::de::{self, Deserializer};

use crate::setting::Text;

/// Reads a duration.
///
/// ```
/// use std::time::Duration;
/// use scopegate_host::duration;
///
/// assert_eq!(duration::parse("1h 30m"), Some(Duration::from_secs(5400)));
/// assert_eq!(duration::parse("-5s"), None);
/// assert_eq!(duration::parse("1mo"), None);
/// ```
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(duration).ok()
}

/// Reads a duration out of a document, for `#[serde(deserialize_with = …)]`.
///
/// # Errors
///
/// For anything but a text that [`parse`] takes: `5`, `-5s`.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = deserializer.deserialize_str(Text(EXPECTED))?;
    parse(&text).ok_or_else(|| de::Error::custom(format!("`{text}` is not {EXPECTED}")))
}

const EXPECTED: &str = "a duration such as `90d`, `24h` or `200ms`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("90d", Some(90.0 * 86400.0)),
            ("1w", Some(7.0 * 86400.0)),
            ("24h", Some(86400.0)),
            ("1h 30m", Some(5400.0)),
            ("PT5M", Some(300.0)),
            ("200ms", Some(0.2)),
            ("0s", Some(0.0)),
            ("1y", None),
            ("-1s", None),
            ("", None),
            ("5", None),
        ] {
            assert_eq!(parse(text).map(|d| d.as_secs_f64()), seconds, "{text}");
        }
    }
}

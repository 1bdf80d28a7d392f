//! The ids of requests, by which `az` and people find them in logs.
//!
//! The id of an answer is a GUID. A client's own id is used only when it is one: it is copied into
//! answers and logs.

use http::{HeaderMap, HeaderName};
use uuid::Uuid;

/// The correlation id: in every answer to `az`, and in every line of the log.
pub const CORRELATION: HeaderName = HeaderName::from_static("x-ms-correlation-request-id");

/// The id of a request: the client's own, or else a new one.
///
/// ```
/// use http::HeaderMap;
/// use scopegate_host::correlation::{CORRELATION, id};
///
/// let guid = "7d3f1c2e-0000-4a5b-8c9d-0123456789ab";
/// let headers = HeaderMap::from_iter([(CORRELATION, guid.parse().unwrap())]);
/// assert_eq!(id(&headers).to_string(), guid);
/// assert_ne!(id(&HeaderMap::new()), id(&HeaderMap::new()));
/// ```
#[must_use]
pub fn id(headers: &HeaderMap) -> Uuid {
    guid(headers, &CORRELATION).unwrap_or_else(new_id)
}

/// An id that nothing else has.
#[must_use]
pub fn new_id() -> Uuid {
    Uuid::new_v4()
}

/// The GUID of 36 characters in a header field. The other forms that the library reads are not used
/// by clients.
#[must_use]
pub fn guid(headers: &HeaderMap, name: &HeaderName) -> Option<Uuid> {
    let value = headers.get(name)?.as_bytes();
    if value.len() != 36 {
        return None;
    }
    Uuid::try_parse_ascii(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_client() {
        const GUID: &str = "7d3f1c2e-0000-4a5b-8c9d-0123456789ab";
        for (value, taken) in [
            (GUID, true),
            ("7D3F1C2E-0000-4A5B-8C9D-0123456789AB", true),
            ("7d3f1c2e00004a5b8c9d0123456789ab", false),
            ("{7d3f1c2e-0000-4a5b-8c9d-0123456789ab}", false),
            ("urn:uuid:7d3f1c2e-0000-4a5b-8c9d-0123456789ab", false),
            ("not a guid, but thirty-six characters", false),
            ("7d3f1c2e-0000-4a5b-8c9d-0123456789a\u{e9}", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(CORRELATION, value.parse().unwrap())]);
            assert_eq!(id(&headers).to_string() == GUID, taken, "{value}");
        }
    }
}

//! A signed text in the compact form of RFC 7515, taken apart.
//!
//! ```text
//! text    header "." payload "." signature     each in base64url without padding
//! header  an object with `alg` and, mostly, `kid`; without `crit` and `b64`
//! ```
//!
//! Of a header only `alg`, `kid`, `crit` and `b64` are read: nothing may bring its own key, so
//! `jwk`, `jku`, `x5u` and `x5c` are not even looked at. `crit` wants something to be understood,
//! and so does `b64` (RFC 7797), which some readers obey without it: both are refused, whatever
//! they hold.
//!
//! Left out: the signature, which hosts verify, each by its own means; and what a payload means.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::json::{Object, Value, read};

/// A signed text. Nothing of it is true before its signature is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jws<'t> {
    /// The `alg` that it names.
    pub algorithm: String,
    /// The id of the key that is to have signed it.
    pub kid: Option<String>,
    /// What was signed.
    pub message: &'t str,
    /// The signature, in base64url.
    pub signature: &'t str,
    payload: &'t str,
}

/// Why a text is no signed text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwsError {
    /// It has not three parts.
    Parts,
    /// Its header cannot be read, or names no algorithm.
    Header,
    /// Its header has `crit` or `b64`.
    Extension,
}

impl JwsError {
    /// What is wrong.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Parts => "the token doesn't have three parts",
            Self::Header => "the token's header can't be read",
            Self::Extension => "the token needs an extension",
        }
    }
}

impl fmt::Display for JwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for JwsError {}

impl<'t> Jws<'t> {
    /// Takes a text apart.
    ///
    /// ```
    /// use scopegate_edge::jws::{Jws, JwsError};
    ///
    /// let jws = Jws::read("eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ.e30.AAAA")?;
    /// assert_eq!((jws.algorithm.as_str(), jws.kid.as_deref()), ("ES256", Some("a")));
    /// assert_eq!(jws.payload().as_deref(), Some(b"{}".as_slice()));
    /// assert_eq!(Jws::read("e30.e30.AAAA"), Err(JwsError::Header));
    /// # Ok::<(), JwsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// See [`JwsError`].
    pub fn read(text: &'t str) -> Result<Self, JwsError> {
        let (message, signature) = text.rsplit_once('.').ok_or(JwsError::Parts)?;
        let (header, payload) = message.split_once('.').ok_or(JwsError::Parts)?;
        if payload.contains('.') {
            return Err(JwsError::Parts);
        }
        let header = decode(header).and_then(|text| read(&text)).ok_or(JwsError::Header)?;
        let header = header.object().ok_or(JwsError::Header)?;
        if header.has("crit") || header.has("b64") {
            return Err(JwsError::Extension);
        }
        let (algorithm, kid) = names(header).ok_or(JwsError::Header)?;
        Ok(Self { algorithm, kid, message, signature, payload })
    }

    /// The payload; `None` when it is not in base64url.
    #[must_use]
    pub fn payload(&self) -> Option<Vec<u8>> {
        decode(self.payload)
    }
}

/// The algorithm and the key that a header names.
fn names(header: Object<'_>) -> Option<(String, Option<String>)> {
    let kid = header.optional("kid", Value::text)?;
    Some((header.text("alg")?.to_owned(), kid.map(str::to_owned)))
}

/// The bytes of a part; `None` when it is not in base64url without padding, or ends in bits that
/// mean nothing.
#[must_use]
pub fn decode(part: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(part.len() / 4 * 3 + 2);
    for group in part.as_bytes().chunks(4) {
        // A byte has two digits at least, and three bytes have four.
        let mut bits = 0_u32;
        for digit in group {
            bits = bits << 6 | u32::from(value_of(*digit)?);
        }
        let missing = 4_usize.saturating_sub(group.len());
        let [_, first, second, third] = (bits << (6 * missing)).to_be_bytes();
        match missing {
            0 => bytes.extend_from_slice(&[first, second, third]),
            1 if third == 0 => bytes.extend_from_slice(&[first, second]),
            2 if second == 0 && third == 0 => bytes.push(first),
            _ => return None,
        }
    }
    Some(bytes)
}

/// The six bits of a digit of base64url (RFC 4648, section 5).
const fn value_of(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn header(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    #[test]
    fn headers() {
        for (text, expected) in [
            (r#"{"alg":"ES256","kid":"a","jwk":17,"x5c":"no list","typ":"JWT"}"#, Ok(Some("a"))),
            (r#"{"alg":"ES256"}"#, Ok(None)),
            (r#"{"alg":"ES256","kid":null}"#, Ok(None)),
            (r#"{"kid":"a"}"#, Err(JwsError::Header)),
            (r#"{"alg":["ES256"],"kid":"a"}"#, Err(JwsError::Header)),
            (r#"{"alg":"ES256","kid":1}"#, Err(JwsError::Header)),
            (r#"{"alg":"ES256","alg":"none","kid":"a"}"#, Err(JwsError::Header)),
            (r#"{"alg":"ES256","kid":"a","crit":["b64"]}"#, Err(JwsError::Extension)),
            (r#"{"alg":"ES256","kid":"a","crit":null}"#, Err(JwsError::Extension)),
            (r#"{"alg":"ES256","kid":"a","b64":false}"#, Err(JwsError::Extension)),
            ("\u{feff}{\"alg\":\"ES256\"}", Err(JwsError::Header)),
            ("[]", Err(JwsError::Header)),
            ("", Err(JwsError::Header)),
        ] {
            let jws = format!("{}.e30.AAAA", header(text));
            let read = Jws::read(&jws).map(|jws| jws.kid);
            assert_eq!(read, expected.map(|kid| kid.map(ToString::to_string)), "{text}");
        }
    }

    #[test]
    fn shapes() {
        let good = header(r#"{"alg":"ES256","kid":"a"}"#);
        for (text, expected) in [
            (String::new(), JwsError::Parts),
            (good.clone(), JwsError::Parts),
            (format!("{good}.e30"), JwsError::Parts),
            (format!("{good}.e30.e30.AAAA"), JwsError::Parts),
            (format!("{good}=.e30.AAAA"), JwsError::Header),
            ("\u{e9}.e30.AAAA".into(), JwsError::Header),
        ] {
            assert_eq!(Jws::read(&text), Err(expected), "{text}");
        }
        // The last letter of the second has bits that mean nothing.
        for payload in ["e30=", "e31", "e!", "e3 0"] {
            let text = format!("{good}.{payload}.AAAA");
            assert_eq!(Jws::read(&text).unwrap().payload(), None, "{payload}");
        }
    }

    /// As a library reads them that everybody has.
    #[test]
    fn base64url() {
        let same =
            |text: &str| assert_eq!(decode(text), URL_SAFE_NO_PAD.decode(text).ok(), "{text}");
        for text in [
            "", "A", "AA", "AAA", "AAAA", "AAAAA", "-_-_", "+/+/", "AA==", "AA A", "AA\n",
            "\u{e9}A",
        ] {
            same(text);
        }
        for (first, second) in (0..128).flat_map(|one| (0..128).map(move |two| (one, two))) {
            let (first, second) = (char::from(first), char::from(second));
            for text in [
                format!("{first}{second}"),
                format!("{first}A{second}"),
                format!("A{first}{second}A"),
                format!("A{first}A{second}AA"),
                format!("AAAA{first}{second}"),
            ] {
                same(&text);
            }
        }
    }
}

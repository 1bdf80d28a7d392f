//! A signed text in the compact form of RFC 7515, taken apart.
//!
//! Of a header only `alg`, `kid`, `crit` and `b64` are read: nothing may bring its own key, so
//! `jwk`, `jku`, `x5u` and `x5c` are not even looked at.
//!
//! Left out: the signature, which hosts verify, each by its own means; and what a payload means,
//! which is for whoever asked for it.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// A signed text. Nothing of it is true before its signature is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jws<'t> {
    /// The `alg` that it names.
    pub algorithm: String,
    /// The id of the key that is to have signed it.
    pub kid: String,
    /// What was signed.
    pub message: &'t str,
    /// The signature, in base64url.
    pub signature: &'t str,
    payload: &'t str,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    crit: Option<IgnoredAny>,
    b64: Option<IgnoredAny>,
}

impl<'t> Jws<'t> {
    /// Takes a text apart; `None` for one that is none, that names no key, or that wants something
    /// to be understood: `crit`, and `b64` (RFC 7797), which some readers obey without it.
    ///
    /// ```
    /// use scopegate_api::jws::Jws;
    ///
    /// let jws = Jws::read("eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ.e30.AAAA").unwrap();
    /// assert_eq!((jws.algorithm.as_str(), jws.kid.as_str()), ("ES256", "a"));
    /// assert_eq!(jws.payload().as_deref(), Some(b"{}".as_slice()));
    /// assert!(Jws::read("e30.e30.AAAA").is_none());
    /// ```
    #[must_use]
    pub fn read(text: &'t str) -> Option<Self> {
        let (message, signature) = text.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let Header { alg, kid, crit, b64 } = serde_json::from_slice(&decode(header)?).ok()?;
        (crit.is_none() && b64.is_none()).then_some(Self {
            algorithm: alg,
            kid,
            message,
            signature,
            payload,
        })
    }

    /// The payload; `None` when it is not in base64url.
    #[must_use]
    pub fn payload(&self) -> Option<Vec<u8>> {
        decode(self.payload)
    }
}

/// The bytes of a part; `None` when it is not in base64url without padding, or ends in bits that
/// mean nothing.
#[must_use]
pub fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn what_is_none() {
        let header = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let good = header(r#"{"alg":"ES256","kid":"a","jwk":{},"typ":"JWT"}"#);
        assert!(Jws::read(&format!("{good}.e30.AAAA")).is_some());
        for text in [
            String::new(),
            good.clone(),
            format!("{good}.e30"),
            format!("{good}=.e30.AAAA"),
            format!("{}.e30.AAAA", header(r#"{"alg":"ES256"}"#)),
            format!("{}.e30.AAAA", header(r#"{"alg":["ES256"],"kid":"a"}"#)),
            format!("{}.e30.AAAA", header(r#"{"alg":"ES256","kid":"a","crit":["b64"]}"#)),
            format!("{}.e30.AAAA", header(r#"{"alg":"ES256","kid":"a","b64":false}"#)),
            format!("{}.e30.AAAA", header(r#"{"alg":"ES256","alg":"none","kid":"a"}"#)),
        ] {
            assert_eq!(Jws::read(&text), None, "{text}");
        }
        let four = format!("{good}.e30.e30.AAAA");
        assert_eq!(Jws::read(&four).and_then(|jws| jws.payload()), None);
    }
}

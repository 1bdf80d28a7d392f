//! A token from a client: decoded, and not trusted.
//!
//! Follows RFC 7519; the form and the header are read by [`scopegate_edge::jws`].
//!
//! Left out: encrypted tokens, and detached or unencoded payloads (they need `crit`, which is
//! refused).

use std::str::FromStr as _;

use jsonwebtoken::Algorithm;
use scopegate_edge::json;
use scopegate_edge::jws::{Jws, JwsError};
use serde_json::Value;

use super::claims::Claims;

/// The longest token, in bytes.
pub(crate) const MAX_TOKEN: usize = 16 * 1024;

/// A decoded token.
pub(crate) struct Jwt<'a> {
    /// The claimed algorithm.
    pub(crate) algorithm: Algorithm,
    /// The claimed key id.
    pub(crate) kid: Option<String>,
    /// The claims, not verified yet.
    pub(crate) claims: Claims,
    /// The signed part.
    pub(crate) message: &'a str,
    /// The signature, in base 64.
    pub(crate) signature: &'a str,
}

impl<'a> Jwt<'a> {
    /// Decodes a token.
    ///
    /// # Errors
    ///
    /// When it is not a signed token; the text is for the log.
    pub(crate) fn parse(token: &'a str) -> Result<Self, &'static str> {
        if token.len() > MAX_TOKEN {
            return Err("the token is too long");
        }
        let jws = Jws::read(token).map_err(JwsError::message)?;
        let algorithm = Algorithm::from_str(&jws.algorithm)
            .map_err(|_| "the token's algorithm is `none` or unknown")?;
        let claims = jws.payload().and_then(|payload| claims(&payload));
        let claims = claims.ok_or("the token's claims can't be read")?;
        let Jws { kid, message, signature, .. } = jws;
        Ok(Self { algorithm, kid, claims, message, signature })
    }

    /// The `iss` that it claims.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }
}

/// The claims of a payload. A claim twice, which two readers could read in two ways, is refused as
/// in tokens of ours.
fn claims(payload: &[u8]) -> Option<Claims> {
    json::read(payload)?.object()?;
    serde_json::from_slice(payload).ok()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[track_caller]
    fn parsed(header: &str, payload: &str) -> Result<(Algorithm, Option<String>), &'static str> {
        let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
        let token = format!("{header}.{payload}.AAAA");
        Jwt::parse(&token).map(|jwt| (jwt.algorithm, jwt.kid))
    }

    #[test]
    fn headers() {
        for (header, expected) in [
            (r#"{"alg":"ES256"}"#, Ok((Algorithm::ES256, None))),
            (r#"{"alg":"ES256","kid":"k"}"#, Ok((Algorithm::ES256, Some("k".into())))),
            (r#"{"alg":"ES256","jwk":17,"jku":{},"x5c":"no list"}"#, Ok((Algorithm::ES256, None))),
            (r#"{"alg":"none"}"#, Err("the token's algorithm is `none` or unknown")),
            (r#"{"alg":"es256"}"#, Err("the token's algorithm is `none` or unknown")),
            (r#"{"alg":"ES256","crit":["b64"],"b64":false}"#, Err("the token needs an extension")),
            (r#"{"alg":"ES256","b64":false}"#, Err("the token needs an extension")),
            (r#"{"alg":"ES256","kid":1}"#, Err("the token's header can't be read")),
            (r#"{"alg":"ES256","alg":"RS256"}"#, Err("the token's header can't be read")),
            (r#"{"kid":"k"}"#, Err("the token's header can't be read")),
            ("", Err("the token's header can't be read")),
            ("[]", Err("the token's header can't be read")),
        ] {
            assert_eq!(parsed(header, "{}"), expected, "{header}");
        }
    }

    #[test]
    fn a_claim_twice_is_refused() {
        for payload in [
            r#"{"admin":"no","admin":"yes"}"#,
            r#"{"admin":"no","\u0061dmin":"yes"}"#,
            r#"{"a":{"b":1,"b":2}}"#,
        ] {
            let refused = Err("the token's claims can't be read");
            assert_eq!(parsed(r#"{"alg":"ES256"}"#, payload), refused, "{payload}");
        }
        let fraction = r#"{"exp":1.5,"roles":["a","a"]}"#;
        assert!(parsed(r#"{"alg":"ES256"}"#, fraction).is_ok());
    }

    #[test]
    fn shapes() {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#);
        let long = format!("{header}.{}.A", "A".repeat(MAX_TOKEN));
        for (token, reason) in [
            ("", "the token doesn't have three parts"),
            ("a.b", "the token doesn't have three parts"),
            ("a.b.c.d", "the token doesn't have three parts"),
            ("a.b.c.d.e", "the token doesn't have three parts"),
            ("\u{e9}.b.c", "the token's header can't be read"),
            (&format!("{header}.b!.c"), "the token's claims can't be read"),
            (
                &format!("{header}.{}.c", URL_SAFE_NO_PAD.encode("[1]")),
                "the token's claims can't be read",
            ),
            (&format!("{header}=.e30.c"), "the token's header can't be read"),
            (&long, "the token is too long"),
        ] {
            assert_eq!(Jwt::parse(token).err(), Some(reason), "{token}");
        }
    }
}

//! What the rules answer at the boundary of the WebAssembly module, as text.
//!
//! `scopegate-wasm` specifies it. The text is written here, and not there, because this crate is
//! compiled for its size and that one for speed.
//!
//! Left out: numbers and addresses, which are the module's.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};

use scopegate_api::abi::write_access;

use crate::accept::{Expected, LEEWAY, accept};

/// Whether claims are accepted: `accepted`, the second from which they are not, and the access
/// entries as scopes, one a line; or [why not](crate::AcceptError::code).
#[must_use]
#[inline(never)]
pub fn acceptance(payload: &[u8], expected: &Expected<'_>) -> String {
    match accept(payload, expected) {
        Ok(claims) => {
            let mut text = "accepted\n".to_owned();
            text.push_str(&claims.exp.saturating_add(LEEWAY).to_string());
            text.push('\n');
            text.push_str(&write_access(&claims.access));
            text
        }
        Err(error) => error.code().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accept::Epoch;

    #[test]
    fn acceptances() {
        let payload = br#"{"jti":"j","sub":"t","nbf":100,"exp":400,"iat":100,"iss":"i","aud":"r","version":"1.0","rid":"0",
            "access":[{"type":"repository","name":"app","actions":["pull"]}],"roles":[],"grant_type":"access_token"}"#;
        for (now, expected) in
            [(200, "accepted\n460\nrepository:app:pull\n"), (460, "expired"), (39, "not_yet_valid")]
        {
            let rule = Expected { issuer: "i", service: "r", epoch: Epoch::Unknown, now };
            assert_eq!(acceptance(payload, &rule), expected, "{now}");
        }
    }
}

//! People who sign in: `az login` in a browser, and with a device code.
//!
//! Follows RFC 6749 (section 4.1), RFC 7636, RFC 8252, RFC 8628 and OpenID Connect Core 1.0. The
//! authority stands between: to the client it is an OpenID provider, and to the provider that the
//! configuration names it is a client.
//!
//! ```text
//! az ──► browser ──► authorize ──► provider ──► return ──► az on loopback ──► token
//! az ──► devicecode ──► provider        a person enters the code        az ──► token, again and again
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`authorize`] | `GET /{tenant}/oauth2/v2.0/authorize` |
//! | [`back`] | `GET /common/oauth2/v2.0/return`, where the provider sends a browser |
//! | [`device`] | `POST /{tenant}/oauth2/v2.0/devicecode` |
//! | [`grants`] | what `POST /{tenant}/oauth2/v2.0/token` has for people |
//! | `cookie` | the cookie between `authorize` and the return |
//! | `page` | pages, and answers to the client on loopback |
//!
//! An address of the client is trusted once it is on loopback; before, a refusal is a page of ours.
//!
//! Left out: single sign-out, and `GET` of the token endpoint.

pub(crate) mod authorize;
pub(crate) mod back;
mod cookie;
pub(crate) mod device;
pub(crate) mod grants;
mod page;

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use uuid::Uuid;

use crate::app::App;
use crate::domain::login::code::CodeError;
use crate::domain::reason::Reason;
use crate::http::error::RouteError;

/// The path to which a provider sends browsers. It is one path for every tenant, because providers
/// compare it letter by letter.
pub(crate) const RETURN: &str = "/common/oauth2/v2.0/return";

/// The longest scope of a client, in bytes: it has to fit into a cookie with everything else.
const MAX_SCOPE: usize = 384;

/// The address to which a provider sends browsers.
fn return_address(app: &App) -> String {
    format!("{}{RETURN}", app.settings.management_url())
}

/// Whether a client id can be one: clients that use this authority have a GUID each. So an ID
/// token's audience is no other token's.
fn is_client(client_id: &str) -> bool {
    client_id.len() == 36 && Uuid::try_parse(client_id).is_ok()
}

/// Whether a browser goes where its person sees it go. Clients that are no browsers send neither
/// header.
fn is_navigation(headers: &HeaderMap) -> bool {
    const EXPECTED: [(HeaderName, &str); 2] = [
        (HeaderName::from_static("sec-fetch-mode"), "navigate"),
        (HeaderName::from_static("sec-fetch-dest"), "document"),
    ];
    EXPECTED
        .iter()
        .all(|(name, expected)| headers.get_all(name).iter().all(|value| value == expected))
}

/// `HEAD`, with which programs look at a link: it begins nothing, and redeems nothing.
pub(crate) async fn only_get() -> (StatusCode, [(HeaderName, &'static str); 1]) {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")])
}

/// Whether a page of a browser sends a request: devices and programs send neither header.
fn is_of_a_page(headers: &HeaderMap) -> bool {
    headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN)
}

/// Whether no page has led the browser here: a program has opened it, or its person has typed the
/// address.
fn is_opened(headers: &HeaderMap) -> bool {
    let sites = headers.get_all("sec-fetch-site");
    sites.iter().all(|site| site == "none") && !headers.contains_key("sec-purpose")
}

impl From<CodeError> for RouteError {
    fn from(CodeError(text): CodeError) -> Self {
        Self::Unavailable(text)
    }
}

/// The error and its description for a client on loopback. Who signs in reads it there.
fn described(error: &RouteError) -> (&'static str, &'static str) {
    match error {
        RouteError::Unauthorized(Reason::NothingBound) => {
            ("access_denied", "this person has no rights at this registry; its owner gives them")
        }
        RouteError::Unauthorized(Reason::LoginRefused) => {
            ("access_denied", "the sign-in was refused at the provider")
        }
        RouteError::Unauthorized(_) => {
            ("access_denied", "the sign-in at the provider is not accepted; sign in again")
        }
        RouteError::BadRequest(text) => ("invalid_request", text),
        RouteError::Signing(_) => ("server_error", "the server could not answer; its log says why"),
        RouteError::TooMany(_) | RouteError::Engine(_) | RouteError::Unavailable(_) => (
            "temporarily_unavailable",
            "the sign-in cannot be done now, or its provider does not answer; try again",
        ),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn clients() {
        for (client_id, expected) in [
            ("04b07795-8ddb-461a-bbee-02f9e1bf7b46", true),
            ("04B07795-8DDB-461A-BBEE-02F9E1BF7B46", true),
            ("04b077958ddb461abbee02f9e1bf7b46", false),
            ("{04b07795-8ddb-461a-bbee-02f9e1bf7b46}", false),
            ("administrator", false),
            ("https://containerregistry.azure.net", false),
            ("", false),
        ] {
            assert_eq!(is_client(client_id), expected, "{client_id}");
        }
    }

    #[test]
    fn navigations() {
        for (sent, expected) in [
            (&[][..], true),
            (&[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")], true),
            (&[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")], false),
            (&[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")], false),
            (&[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")], false),
            (&[("sec-fetch-mode", "navigate"), ("sec-fetch-mode", "cors")], false),
            (&[("sec-fetch-dest", "")], false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in sent {
                headers.append(*name, HeaderValue::from_static(value));
            }
            assert_eq!(is_navigation(&headers), expected, "{sent:?}");
        }
    }
}

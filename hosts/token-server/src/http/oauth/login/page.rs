//! Pages for people, and answers that their browsers bring to the client on loopback.
//!
//! Follows RFC 6749 (sections 4.1.2 and 4.1.2.1) and OAuth 2.0 Form Post Response Mode, which `az`
//! asks for: the browser gets a page with a form, and sends it by a script. Without scripts there
//! is a button. The policy of that page lets nothing run but this one script, and the form go
//! nowhere but to the client.
//!
//! Left out: `fragment`, which no client that listens on loopback can read.

use std::fmt::Write as _;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::domain::login::redirect::RedirectUri;
use crate::http::answer::PAGE;

/// What sends the form.
const SCRIPT: &str = "document.forms[0].submit()";

/// Where a client waits for the answer.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    pub redirect_uri: RedirectUri,
    /// Whether it wants a form, or a query.
    pub is_form: bool,
    pub state: Option<String>,
}

impl Destination {
    /// The client's answer.
    #[must_use]
    pub(super) fn answer(&self, parameters: &[(&str, &str)]) -> Response {
        let state = self.state.as_deref().map(|state| ("state", state));
        let parameters: Vec<_> = parameters.iter().copied().chain(state).collect();
        if self.is_form {
            return self.form(&parameters);
        }
        redirect(&self.redirect_uri.with(&parameters))
    }

    /// An error for the client.
    #[must_use]
    pub(super) fn refuse(&self, (error, description): (&str, &str)) -> Response {
        self.answer(&[("error", error), ("error_description", description)])
    }

    fn form(&self, parameters: &[(&str, &str)]) -> Response {
        let action = escaped(self.redirect_uri.as_str());
        let mut body = format!("<form method=\"post\" action=\"{action}\">\n");
        for (name, value) in parameters {
            let (name, value) = (escaped(name), escaped(value));
            // A write to a text cannot fail.
            let _ = writeln!(body, "<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
        }
        body.push_str("<button>Continue</button>\n</form>\n<script>");
        body.push_str(SCRIPT);
        body.push_str("</script>");
        let digest = STANDARD.encode(Sha256::digest(SCRIPT));
        let allowed =
            format!("script-src 'sha256-{digest}'; form-action {}", self.redirect_uri.source());
        page(StatusCode::OK, "Signing in", &body, &allowed)
    }
}

/// A refusal for the person alone.
#[must_use]
pub(super) fn refusal(status: StatusCode, text: &str) -> Response {
    let body = format!("<h1>This sign-in cannot go on</h1>\n<p>{}</p>", escaped(text));
    page(status, "Sign-in refused", &body, "form-action 'none'")
}

/// Sends a browser to an address.
#[must_use]
pub(super) fn redirect(address: &str) -> Response {
    let Ok(location) = HeaderValue::try_from(address) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn page(status: StatusCode, title: &str, body: &str, allowed: &str) -> Response {
    let text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n{body}\n</html>\n"
    );
    let policy = format!("default-src 'none'; {allowed}; base-uri 'none'; frame-ancestors 'none'");
    let Ok(policy) = HeaderValue::try_from(policy) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(PAGE)),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (status, headers, text).into_response()
}

/// A text as part of a page, also between quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn text(response: Response) -> String {
        let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        String::from_utf8(bytes.into()).unwrap()
    }

    fn destination(is_form: bool) -> Destination {
        let redirect_uri = RedirectUri::parse("http://localhost:8400/?a='b'").unwrap();
        Destination { redirect_uri, is_form, state: Some("\"><script>&".into()) }
    }

    #[tokio::test]
    async fn a_form_holds_everything_escaped() {
        let response = destination(true).answer(&[("code", "c")]);
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
        assert!(policy.contains("; form-action http://localhost:8400; "), "{policy}");
        assert_eq!(response.headers()[header::REFERRER_POLICY], "no-referrer");
        let text = text(response).await;
        for part in [
            "action=\"http://localhost:8400/?a=&#39;b&#39;\"",
            "name=\"code\" value=\"c\"",
            "name=\"state\" value=\"&quot;&gt;&lt;script&gt;&amp;\"",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(text.matches("<script>").count(), 1);
    }

    #[tokio::test]
    async fn a_query_holds_it_too() {
        let response = destination(false).refuse(("access_denied", "no: \"never\""));
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(
            response.headers()[header::LOCATION],
            "http://localhost:8400/?a=%27b%27&error=access_denied&error_description=no%3A+%22never%22&state=%22%3E%3Cscript%3E%26"
        );
        let text = text(refusal(StatusCode::BAD_REQUEST, "<b>")).await;
        assert!(text.contains("<p>&lt;b&gt;</p>"), "{text}");
    }
}

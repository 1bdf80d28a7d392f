//! Refuses management requests that a browser sends for another site.
//!
//! A browser adds its stored credentials to requests that any page causes. So the page must be from
//! this server:
//!
//! | header | read and change |
//! |---|---|
//! | `Sec-Fetch-Site` ([Fetch Metadata](https://www.w3.org/TR/fetch-metadata/)) | `same-origin` alone |
//! | else `Origin` ([RFC 6454](https://www.rfc-editor.org/rfc/rfc6454)) | the origin of the listener's own address alone, `publicUrl` or `management.publicUrl`; never compared with `Host`, which may be the attacker's name |
//! | neither | yes: the client is no browser |
//!
//! A body that is not empty is `application/json`, which no form and no request without a preflight
//! can send. No answer may be stored: many hold a password or a secret.
//!
//! Left out: the authority, whose token endpoint takes forms and no credentials that a browser
//! adds, and CORS, which no page needs yet.

use std::sync::Arc;

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use url::Url;

use super::error::ManagementError;
use crate::app::App;
use crate::http::context::Context;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses cross-site requests, before any other check.
pub(super) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let listener = Context::of(request.extensions()).listener;
    let mut response = match checked(app.settings.url_of(listener), request).await {
        Ok(request) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn checked(own_url: &str, request: Request) -> Result<Request, ManagementError> {
    if !is_same_origin(request.headers(), own_url) {
        return Err(ManagementError::CrossOrigin);
    }
    if is_json(request.headers()) || request.body().is_end_stream() {
        return Ok(request);
    }
    // A body of unknown length may still turn out to be empty.
    let (parts, body) = request.into_parts();
    to_bytes(body, 0).await.map_err(|_| ManagementError::UnsupportedMediaType)?;
    Ok(Request::from_parts(parts, Body::empty()))
}

fn is_same_origin(headers: &HeaderMap, own_url: &str) -> bool {
    if headers.contains_key(SEC_FETCH_SITE) {
        return only(headers, &SEC_FETCH_SITE).is_some_and(|site| site == "same-origin");
    }
    if !headers.contains_key(header::ORIGIN) {
        return true;
    }
    let own = Url::parse(own_url).map(|url| url.origin());
    let own = own.ok().filter(url::Origin::is_tuple).map(|origin| origin.ascii_serialization());
    own.is_some_and(|own| only(headers, &header::ORIGIN).is_some_and(|origin| origin == &own))
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = only(headers, &header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// The value of a header that occurs once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(sent: &[(&'static str, &'static str)]) -> HeaderMap {
        let fields = sent
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn the_page_is_one_of_this_server() {
        let (site, origin) = ("sec-fetch-site", "origin");
        for (sent, expected) in [
            (&[][..], true),
            (&[(site, "same-origin")], true),
            (&[(site, "same-origin"), (origin, "https://other.test")], true),
            (&[(site, "same-site")], false),
            (&[(site, "cross-site")], false),
            (&[(site, "none")], false),
            (&[(site, "")], false),
            (&[(site, "Same-Origin")], false),
            (&[(site, "cross-site"), (origin, "https://auth.test:8443")], false),
            (&[(site, "same-origin"), (site, "same-origin")], false),
            (&[(origin, "https://auth.test:8443")], true),
            (&[(origin, "https://auth.test:8443"), ("host", "other.test")], true),
            (&[(origin, "https://other.test"), ("host", "other.test")], false),
            (&[(origin, "https://auth.test")], false),
            (&[(origin, "http://auth.test:8443")], false),
            (&[(origin, "https://auth.test:8443/")], false),
            (&[(origin, "null")], false),
            (&[(origin, "")], false),
            (&[(origin, "https://auth.test:8443"), (origin, "https://auth.test:8443")], false),
        ] {
            let seen = is_same_origin(&headers(sent), "https://auth.test:8443/base");
            assert_eq!(seen, expected, "{sent:?}");
        }
        assert!(!is_same_origin(&headers(&[(origin, "null")]), "data:text/plain,x"));
    }

    #[tokio::test]
    async fn a_body_is_json_or_empty() {
        let streamed = |text| Body::from_stream(Body::from(text).into_data_stream());
        let kind = "content-type";
        for (sent, body, expected) in [
            (&[][..], Body::empty(), true),
            (&[(kind, "text/plain")], Body::empty(), true),
            (&[(kind, "text/plain")], streamed(""), true),
            (&[(kind, "application/json")], Body::from("{}"), true),
            (&[(kind, "Application/JSON ; charset=utf-8")], Body::from("{}"), true),
            (&[], Body::from("{}"), false),
            (&[(kind, "text/plain")], Body::from("{}"), false),
            (&[(kind, "text/plain")], streamed("{}"), false),
            (&[(kind, "text/plain;application/json")], Body::from("{}"), false),
            (&[(kind, "text/json")], Body::from("{}"), false),
            (&[(kind, "application/jsonp")], Body::from("{}"), false),
            (&[(kind, "application/x-www-form-urlencoded")], Body::from("{}"), false),
            (&[(kind, "multipart/form-data; boundary=x")], Body::from("{}"), false),
            (&[(kind, "application/json"), (kind, "text/plain")], Body::from("{}"), false),
        ] {
            let mut request = Request::new(body);
            *request.headers_mut() = headers(sent);
            let seen = checked("https://auth.test", request).await;
            assert_eq!(seen.is_ok(), expected, "{sent:?}");
        }
    }
}

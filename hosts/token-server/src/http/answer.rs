//! Answers: JSON that must not be stored, and refusals.
//!
//! Every refusal is a registry's error JSON with a message that says what to do.
//!
//! Frameworks answer a wrong method, an unknown path or a body that is too long with nothing or a
//! line of text, which registry clients print as "unexpected status" or cannot parse at all.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use scopegate_api::errors::RegistryErrors;
use scopegate_host::rate::TooMany;

/// The content type of a page of ours.
pub(crate) const PAGE: &str = "text/html; charset=utf-8";

/// A JSON answer that must not be stored: it holds tokens, or refers to them.
pub(crate) fn json(status: StatusCode, body: &impl serde::Serialize) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    match serde_json::to_string(body) {
        Ok(text) => (status, headers, text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A refusal with its code and message.
#[must_use]
pub(crate) fn refusal(status: StatusCode) -> Response {
    let (code, message) = code_and_message(status);
    json(status, &RegistryErrors::one(code, message))
}

/// The answer to too many requests.
#[must_use]
pub(crate) fn too_many(error: TooMany) -> Response {
    let mut response = refusal(StatusCode::TOO_MANY_REQUESTS);
    response.headers_mut().insert(header::RETRY_AFTER, error.retry_after.into());
    response
}

/// Adds a JSON body to an error without one. Its other headers stay: `Allow` and `Retry-After` are
/// for the client. A page is for a person, and stays.
pub(crate) fn fill(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || is_json(&response) || is_page(&response) {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    let (filled, body) = refusal(status).into_parts();
    for name in [header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
        parts.headers.remove(name);
    }
    parts.headers.extend(filled.headers);
    Response::from_parts(parts, body)
}

fn is_json(response: &Response) -> bool {
    let content_type = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|value| {
        let kind = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        kind.eq_ignore_ascii_case(b"application/json") || kind.ends_with(b"+json")
    })
}

fn is_page(response: &Response) -> bool {
    let content_type = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|value| value == PAGE.as_bytes())
}

fn code_and_message(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        401 => ("UNAUTHORIZED", "authentication required"),
        403 => ("DENIED", "access to this is denied"),
        404 => ("UNSUPPORTED", "nothing is here; tokens are at /oauth2/token"),
        405 => ("UNSUPPORTED", "this method is not for this path; see the Allow header"),
        408 => ("UNSUPPORTED", "the request took too long to arrive; send it in one go"),
        413 => ("UNSUPPORTED", "the body is too large; ask for fewer scopes"),
        414 => (
            "UNSUPPORTED",
            "the query is too long; ask for fewer scopes, or send them in a form by POST",
        ),
        415 => ("UNSUPPORTED", "send the parameters as application/x-www-form-urlencoded or JSON"),
        429 => {
            ("TOOMANYREQUESTS", "too many requests; wait as long as the Retry-After header says")
        }
        431 => {
            ("UNSUPPORTED", "the headers are too large; send fewer cookies and shorter credentials")
        }
        503 => ("UNAVAILABLE", "not available at the moment, try again"),
        400..=499 => ("UNSUPPORTED", "the request cannot be understood"),
        _ => ("UNKNOWN", "the server could not answer this request; the log says why"),
    }
}

/// The library's text about an unreadable request is not for a client; the status is.
pub(crate) fn empty(status: StatusCode) -> Response {
    (status, Body::empty()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body(response: Response) -> String {
        let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        String::from_utf8(bytes.into()).unwrap()
    }

    #[tokio::test]
    async fn empty_and_plain_errors_get_json() {
        for status in [400, 401, 403, 404, 405, 408, 413, 414, 415, 418, 429, 431, 500, 502, 503] {
            let status = StatusCode::from_u16(status).unwrap();
            for response in [empty(status), (status, "a line of text").into_response()] {
                let response = fill(response);
                assert_eq!(response.status(), status);
                let kind = response.headers().get_all(header::CONTENT_TYPE).iter().count();
                assert_eq!((kind, is_json(&response)), (1, true));
                let errors: RegistryErrors = serde_json::from_str(&body(response).await).unwrap();
                assert!(!errors.errors[0].message.is_empty());
            }
        }
    }

    #[tokio::test]
    async fn what_is_fine_stays() {
        let ok = fill("text".into_response());
        assert_eq!(body(ok).await, "text");
        for kind in
            ["application/json", "application/json; charset=utf-8", "application/problem+json"]
        {
            let own = (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, kind)], "{}");
            assert_eq!(body(fill(own.into_response())).await, "{}", "{kind}");
        }
        let allowed = (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET,HEAD")]);
        assert_eq!(fill(allowed.into_response()).headers()[header::ALLOW], "GET,HEAD");
    }

    #[test]
    fn too_many_says_when_to_come_back() {
        let response = too_many(TooMany { retry_after: 7 });
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[header::RETRY_AFTER], "7");
    }
}

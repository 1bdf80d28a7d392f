//! `GET /v2/`: the challenge.
//!
//! Without credentials, 401 with the challenge that names the token endpoint. With any valid access
//! token, 200 whatever its access, because clients check a login this way.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use scopegate_core::challenge::{Challenge, ChallengeError, unauthorized_body};

use crate::app::App;
use crate::clock;
use crate::http::authorization::authorization;

/// `GET /v2/`
pub(crate) async fn get(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let error = match authorization(&headers) {
        Ok(None) => None,
        Ok(Some(value)) if is_valid(&app, value.as_bytes()) => {
            return answer(StatusCode::OK, None, "{}".into());
        }
        _ => Some(ChallengeError::InvalidToken),
    };
    let challenge = Challenge::bearer(&app.realm(), &app.issuer.service, &[], error);
    let body = unauthorized_body("authentication required", &[]);
    answer(StatusCode::UNAUTHORIZED, Some(challenge.to_string()), body)
}

fn is_valid(app: &App, authorization: &[u8]) -> bool {
    let (scheme, token) = authorization.split_at_checked(7).unwrap_or((authorization, &[]));
    scheme.eq_ignore_ascii_case(b"bearer ")
        && std::str::from_utf8(token)
            .is_ok_and(|token| app.issuer.verify_access(token.trim(), clock::now()).is_some())
}

fn answer(status: StatusCode, challenge: Option<String>, body: String) -> Response {
    let headers = [
        ("docker-distribution-api-version", "registry/2.0"),
        ("content-type", "application/json; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
    ];
    let mut response = (status, headers, body).into_response();
    if let Some(value) = challenge.and_then(|challenge| challenge.try_into().ok()) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

//! `GET /{tenant}/oauth2/v2.0/authorize`: begins a sign-in, and sends the browser to the provider.
//!
//! Left out: `POST`, request objects, `login_hint` and `claims`: the provider asks who it is.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::page::{self, Destination};
use super::{MAX_SCOPE, cookie, described, is_client, is_navigation, is_opened, return_address};
use crate::app::App;
use crate::clock;
use crate::domain::identity::provider::login::AuthorizationRequest;
use crate::domain::login::pkce;
use crate::domain::login::redirect::RedirectUri;
use crate::domain::login::request::{ClientRequest, LoginRequest};
use crate::http::error::RouteError;
use crate::http::oauth::parameters::Parameters;
use crate::http::oauth::tenant::{audience, is_tenant};

/// The longest state of a client, in bytes.
const MAX_STATE: usize = 512;
/// The longest nonce.
const MAX_NONCE: usize = 128;

/// An error and its description, for the client.
type Refusal = (&'static str, &'static str);

/// `GET /{tenant}/oauth2/v2.0/authorize`
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let parameters = Parameters::of_get(query.as_deref());
    let known = if is_navigation(&headers) && is_opened(&headers) {
        destination(&app, &tenant, &parameters)
    } else {
        Err("another page has led here: begin the sign-in at the program that is to have it")
    };
    let (client_id, destination) = match known {
        Ok(known) => known,
        Err(text) => return page::refusal(StatusCode::BAD_REQUEST, text),
    };
    match begin(&app, &parameters, client_id, &destination).await {
        Ok(response) => response,
        Err(refusal) => destination.refuse(refusal),
    }
}

/// The client, and where it waits: what has to be right before anything is sent there.
fn destination<'p>(
    app: &App,
    tenant: &str,
    parameters: &'p Parameters<'_>,
) -> Result<(&'p str, Destination), &'static str> {
    let one = |name| parameters.one(name).map_err(|_| "a parameter has two values");
    if app.providers.login().is_none() {
        return Err("people do not sign in at this server: no provider has `login`");
    }
    if !is_tenant(app, tenant) {
        return Err("there is no such tenant");
    }
    let client_id = one("client_id")?.filter(|id| is_client(id)).ok_or("no client_id, a GUID")?;
    let redirect_uri = one("redirect_uri")?.and_then(RedirectUri::parse).ok_or(
        "the redirect_uri is not on the client's own machine: http://localhost, http://127.0.0.1 or http://[::1]",
    )?;
    let is_form = match one("response_mode")? {
        None | Some("query") => false,
        Some("form_post") => true,
        Some(_) => return Err("the response_mode must be query or form_post"),
    };
    let state = one("state")?.map(ToOwned::to_owned);
    if state.as_ref().is_some_and(|state| state.len() > MAX_STATE) {
        return Err("the state is too long");
    }
    Ok((client_id, Destination { redirect_uri, is_form, state }))
}

async fn begin(
    app: &App,
    parameters: &Parameters<'_>,
    client_id: &str,
    destination: &Destination,
) -> Result<Response, Refusal> {
    let client = client_request(app, parameters, client_id, destination)?;
    let provider = app.providers.login().ok_or(("server_error", "there is no provider"))?;
    let random = || pkce::random().map_err(|_| ("server_error", "the system has no randomness"));
    let (state, nonce, verifier) = (random()?, random()?, random()?);
    let now = clock::now();
    let request = AuthorizationRequest {
        redirect_uri: &return_address(app),
        state: &state,
        nonce: &nonce,
        code_challenge: &pkce::challenge(&verifier),
        prompt: parameters.one("prompt").map_err(repeated)?,
    };
    let failed = |error: RouteError| {
        error.log();
        described(&error)
    };
    let url = provider.authorization_url(&request, now).await;
    let url = url.map_err(RouteError::from).map_err(failed)?;
    let provider = provider.name().to_owned();
    let request = LoginRequest { provider, state, nonce, verifier, client };
    let token = request.sign(&app.issuer, now).map_err(RouteError::from).map_err(failed)?;
    let cookie = cookie::set(app, &token).ok_or(("invalid_request", "the request is too long"))?;
    let mut response = page::redirect(url.as_str());
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// What is remembered of the request.
fn client_request(
    app: &App,
    parameters: &Parameters<'_>,
    client_id: &str,
    destination: &Destination,
) -> Result<ClientRequest, Refusal> {
    let one = |name| parameters.one(name).map_err(repeated);
    if one("response_type")? != Some("code") {
        return Err(("unsupported_response_type", "send response_type=code"));
    }
    if one("code_challenge_method")? != Some("S256") {
        return Err(("invalid_request", "send code_challenge_method=S256; plain is not taken"));
    }
    let code_challenge = one("code_challenge")?.filter(|text| pkce::is_challenge(text));
    let code_challenge =
        code_challenge.ok_or(("invalid_request", "no code_challenge of SHA-256 in base 64"))?;
    let scope = one("scope")?.unwrap_or_default();
    audience(app, scope).map_err(|error| error.parts())?;
    let nonce = one("nonce")?;
    if scope.len() > MAX_SCOPE || nonce.is_some_and(|nonce| nonce.len() > MAX_NONCE) {
        return Err(("invalid_request", "the scope or the nonce is too long"));
    }
    let Destination { redirect_uri, is_form, state } = destination;
    Ok(ClientRequest {
        client_id: client_id.to_owned(),
        redirect_uri: redirect_uri.as_str().to_owned(),
        is_form: *is_form,
        state: state.clone(),
        nonce: nonce.map(ToOwned::to_owned),
        code_challenge: code_challenge.to_owned(),
        scope: scope.to_owned(),
    })
}

fn repeated(_: RouteError) -> Refusal {
    ("invalid_request", "a parameter has two values")
}

//! A provider for faults.

use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use scopegate_server::testing::domain::identity::Providers;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::AUDIENCE;

use super::tls::Authority;
use super::{Key, NOW, providers};

/// What an endpoint of the stand-in answers.
#[derive(Clone)]
pub(super) enum Answer {
    /// What it should.
    Right,
    /// What it should, after this many milliseconds.
    After(u64),
    /// This status, and nothing else.
    Status(u16),
    /// This JSON, with a status.
    Json(u16, Value),
    /// This text as HTML.
    Html(String),
    /// Ask there.
    Redirect(String),
}

/// A provider for faults.
pub(super) struct Fake {
    pub(super) issuer: String,
    pub(super) state: Arc<FakeState>,
}

pub(super) struct FakeState {
    pub(super) issuer: String,
    pub(super) keys: Mutex<Vec<Value>>,
    pub(super) discovery: Mutex<Answer>,
    pub(super) jwks: Mutex<Answer>,
    pub(super) token: Mutex<Answer>,
    pub(super) discoveries: AtomicUsize,
    pub(super) fetches: AtomicUsize,
    pub(super) elsewhere: AtomicUsize,
    /// What the token endpoint was sent: its `Authorization` and its form.
    pub(super) sent: Mutex<Vec<(String, String)>>,
}

impl Fake {
    pub(super) async fn start(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let state = FakeState::new(issuer.clone(), keys);
        let app = routes(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { issuer, state }
    }

    /// The same behind TLS, with a certificate of this authority.
    pub(super) async fn start_tls(keys: &[&Key], authority: &Authority) -> Self {
        let (certificate, key) = authority.certify();
        let tls = axum_server::tls_rustls::RustlsConfig::from_pem(certificate, key).await.unwrap();
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let issuer = format!("https://{}", listener.local_addr().unwrap());
        let state = FakeState::new(issuer.clone(), keys);
        let app = routes(Arc::clone(&state)).into_make_service();
        let server = axum_server::from_tcp_rustls(listener, tls).unwrap();
        tokio::spawn(async move { server.serve(app).await });
        Self { issuer, state }
    }

    pub(super) fn providers(&self, more: &str) -> Providers {
        providers(&self.issuer, more)
    }

    /// Good claims.
    pub(super) fn claims(&self) -> Value {
        json!({
            "iss": self.issuer, "aud": AUDIENCE, "sub": "octo",
            "iat": NOW, "nbf": NOW, "exp": NOW + 24 * 3600,
        })
    }

    pub(super) fn publish(&self, keys: &[&Key]) {
        *self.state.keys.lock().unwrap() = keys.iter().map(|key| key.jwk.clone()).collect();
    }

    pub(super) fn answer_discovery(&self, answer: Answer) {
        *self.state.discovery.lock().unwrap() = answer;
    }

    pub(super) fn answer_jwks(&self, answer: Answer) {
        *self.state.jwks.lock().unwrap() = answer;
    }

    pub(super) fn answer_token(&self, answer: Answer) {
        *self.state.token.lock().unwrap() = answer;
    }

    /// How often the keys were asked for.
    pub(super) fn fetches(&self) -> usize {
        self.state.fetches.load(Ordering::SeqCst)
    }
}

impl FakeState {
    fn new(issuer: String, keys: &[&Key]) -> Arc<Self> {
        Arc::new(Self {
            issuer,
            keys: Mutex::new(keys.iter().map(|key| key.jwk.clone()).collect()),
            discovery: Mutex::new(Answer::Right),
            jwks: Mutex::new(Answer::Right),
            token: Mutex::new(Answer::Status(404)),
            discoveries: AtomicUsize::new(0),
            fetches: AtomicUsize::new(0),
            elsewhere: AtomicUsize::new(0),
            sent: Mutex::default(),
        })
    }

    pub(super) fn document(&self) -> Value {
        json!({
            "issuer": self.issuer,
            "jwks_uri": format!("{}/jwks", self.issuer),
            "token_endpoint": format!("{}/token", self.issuer),
        })
    }
}

fn routes(state: Arc<FakeState>) -> Router {
    let discovery = async |State(state): State<Arc<FakeState>>| {
        state.discoveries.fetch_add(1, Ordering::SeqCst);
        let answer = state.discovery.lock().unwrap().clone();
        respond(answer, state.document()).await
    };
    let jwks = async |State(state): State<Arc<FakeState>>| {
        state.fetches.fetch_add(1, Ordering::SeqCst);
        let answer = state.jwks.lock().unwrap().clone();
        let keys = json!({ "keys": *state.keys.lock().unwrap() });
        respond(answer, keys).await
    };
    let token = async |State(state): State<Arc<FakeState>>, headers: HeaderMap, body: Bytes| {
        let authorization = headers.get(header::AUTHORIZATION);
        let authorization = authorization.map_or("", |value| value.to_str().unwrap()).to_owned();
        let form = String::from_utf8(body.to_vec()).unwrap();
        state.sent.lock().unwrap().push((authorization, form));
        let answer = state.token.lock().unwrap().clone();
        respond(answer, json!({})).await
    };
    let elsewhere = async |State(state): State<Arc<FakeState>>| {
        state.elsewhere.fetch_add(1, Ordering::SeqCst);
        axum::Json(state.document())
    };
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(jwks))
        .route("/token", post(token))
        .route("/elsewhere", get(elsewhere).post(elsewhere))
        .with_state(state)
}

async fn respond(answer: Answer, right: Value) -> Response {
    match answer {
        Answer::Right => axum::Json(right).into_response(),
        Answer::After(milliseconds) => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            axum::Json(right).into_response()
        }
        Answer::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Answer::Json(status, value) => {
            (StatusCode::from_u16(status).unwrap(), axum::Json(value)).into_response()
        }
        Answer::Html(text) => axum::response::Html(text).into_response(),
        Answer::Redirect(to) => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response()
        }
    }
}

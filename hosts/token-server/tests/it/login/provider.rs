//! A provider on loopback at which people sign in, and which fails on request.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use scopegate_server::testing::clock;
use scopegate_server::testing::config::providers::ProviderConfig;
use scopegate_server::testing::domain::identity::Providers;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::challenge;
use crate::support::{AUDIENCE, Key};

/// A provider.
pub(super) struct Op {
    pub(super) issuer: String,
    pub(super) state: Arc<OpState>,
}

pub(super) struct OpState {
    pub(super) issuer: String,
    pub(super) key: Key,
    codes: Mutex<BTreeMap<String, Code>>,
    /// What a device code gets.
    pub(super) device: Mutex<Device>,
    /// What its next answers have in place of what they should.
    pub(super) fault: Mutex<Fault>,
    /// The forms that its token endpoint was sent.
    pub(super) asked: Mutex<Vec<String>>,
}

struct Code {
    person: String,
    nonce: String,
    challenge: String,
    redirect_uri: String,
}

/// What a device code gets.
#[derive(Clone, Debug)]
pub(super) enum Device {
    /// Tokens of a person.
    Person(&'static str),
    /// An error.
    Error(&'static str),
}

/// What an answer has in place of what it should.
#[derive(Clone, Debug, Default)]
pub(super) enum Fault {
    #[default]
    None,
    /// No answer but this status.
    Status(u16),
    /// This claim of the ID token is another.
    Claim(&'static str, Value),
    /// The ID token is signed with another key.
    OtherKey,
    /// There is no ID token.
    NoIdToken,
    /// The access token is of this person, for our audience.
    AccessOf(&'static str),
    /// It publishes that its answers name it, and leaves that to the test.
    NamesIssuer,
}

impl Op {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(OpState {
            issuer: issuer.clone(),
            key: Key::new("k1"),
            codes: Mutex::default(),
            device: Mutex::new(Device::Error("authorization_pending")),
            fault: Mutex::default(),
            asked: Mutex::default(),
        });
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(jwks))
            .route("/device", post(device))
            .route("/token", post(token))
            .with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { issuer, state }
    }

    /// The configuration of this provider. A person's name is its group too.
    pub(super) fn providers(&self, login: &str) -> Providers {
        let issuer = &self.issuer;
        let yaml = format!(
            "[{{name: corp, issuer: '{issuer}', audiences: ['{AUDIENCE}'], clientId: us, {login},
               bindings: [{{match: {{sub: owner}}, roles: [Owner]}},
                          {{match: {{sub: reader}}, roles: [Reader]}},
                          {{match: {{sub: puller}}, roles: [AcrPull]}},
                          {{match: {{sub: mapped}}, scopeMaps: [reader-map]}}]}}]"
        );
        let configs: Vec<ProviderConfig> = serde_saphyr::from_str(&yaml).unwrap();
        Providers::open(&configs).unwrap()
    }

    /// A code for a person who has signed in by what the browser was sent with.
    pub(super) fn sign_in(&self, person: &str, asked: &BTreeMap<String, String>) -> String {
        let mut codes = self.state.codes.lock().unwrap();
        let code = format!("code-{}", codes.len());
        let made = Code {
            person: person.to_owned(),
            nonce: asked["nonce"].clone(),
            challenge: asked["code_challenge"].clone(),
            redirect_uri: asked["redirect_uri"].clone(),
        };
        codes.insert(code.clone(), made);
        code
    }

    pub(super) fn fail(&self, fault: Fault) {
        *self.state.fault.lock().unwrap() = fault;
    }

    pub(super) fn answer_device(&self, device: Device) {
        *self.state.device.lock().unwrap() = device;
    }

    /// How often its token endpoint was asked.
    pub(super) fn asked(&self) -> usize {
        self.state.asked.lock().unwrap().len()
    }
}

impl OpState {
    /// The tokens of a person.
    fn tokens(&self, person: &str, nonce: Option<&str>) -> Value {
        let now = clock::now();
        let mut claims = json!({
            "iss": self.issuer, "aud": "us", "sub": person, "iat": now, "exp": now + 600,
            "preferred_username": format!("{person}@corp.test"), "name": format!("The {person}"),
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        let fault = self.fault.lock().unwrap().clone();
        if let Fault::Claim(name, value) = &fault {
            claims[name] = value.clone();
        }
        let other = Key::new("k1");
        let key = if matches!(fault, Fault::OtherKey) { &other } else { &self.key };
        let mut answer = json!({"access_token": "opaque", "token_type": "Bearer"});
        if !matches!(fault, Fault::NoIdToken) {
            answer["id_token"] = key.sign("k1", &claims).into();
        }
        if let Fault::AccessOf(other) = fault {
            let claims = json!({
                "iss": self.issuer, "aud": AUDIENCE, "sub": other, "iat": now, "exp": now + 600,
            });
            answer["access_token"] = self.key.sign("k1", &claims).into();
        }
        answer
    }

    fn redeem(&self, form: &BTreeMap<String, String>) -> Option<Value> {
        let code = self.codes.lock().unwrap().remove(form.get("code")?)?;
        let is_its_own = challenge(form.get("code_verifier")?) == code.challenge
            && form.get("redirect_uri") == Some(&code.redirect_uri)
            && form.get("client_id").is_some_and(|client| client == "us");
        is_its_own.then(|| self.tokens(&code.person, Some(&code.nonce)))
    }
}

async fn discovery(State(op): State<Arc<OpState>>) -> Response {
    let issuer = &op.issuer;
    let names_issuer = matches!(*op.fault.lock().unwrap(), Fault::NamesIssuer);
    axum::Json(json!({
        "authorization_response_iss_parameter_supported": names_issuer,
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/jwks"),
        "authorization_endpoint": format!("{issuer}/authorize?theme=dark"),
        "token_endpoint": format!("{issuer}/token"),
        "device_authorization_endpoint": format!("{issuer}/device"),
    }))
    .into_response()
}

async fn jwks(State(op): State<Arc<OpState>>) -> Response {
    axum::Json(json!({"keys": [op.key.jwk]})).into_response()
}

async fn device(State(op): State<Arc<OpState>>) -> Response {
    if let Fault::Status(status) = *op.fault.lock().unwrap() {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    axum::Json(json!({
        "device_code": "of-the-provider", "user_code": "ABCD-EFGH", "interval": 2,
        "verification_uri": format!("{}/enter", op.issuer), "expires_in": 600,
    }))
    .into_response()
}

async fn token(State(op): State<Arc<OpState>>, body: Bytes) -> Response {
    op.asked.lock().unwrap().push(String::from_utf8(body.to_vec()).unwrap());
    if let Fault::Status(status) = *op.fault.lock().unwrap() {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    let form = form_urlencoded::parse(&body).into_owned().collect::<BTreeMap<_, _>>();
    let answer = match form["grant_type"].as_str() {
        "authorization_code" => op.redeem(&form).ok_or("invalid_grant"),
        _ => match op.device.lock().unwrap().clone() {
            Device::Person(person) => Ok(op.tokens(person, None)),
            Device::Error(error) => Err(error),
        },
    };
    match answer {
        Ok(answer) => axum::Json(answer).into_response(),
        Err(error) => {
            (StatusCode::BAD_REQUEST, axum::Json(json!({"error": error}))).into_response()
        }
    }
}

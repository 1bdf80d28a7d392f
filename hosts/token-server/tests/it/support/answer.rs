//! What a server answers, and what its tokens hold.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scopegate_server::testing::clock;
use serde_json::Value;

use super::Server;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The header `WWW-Authenticate`.
    pub(crate) challenge: Option<String>,
    pub(crate) bytes: Bytes,
    /// What the bytes are as JSON; null when they are none.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, headers: HeaderMap, bytes: Bytes) -> Self {
        let challenge = headers.get(header::WWW_AUTHENTICATE);
        let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Self { status, headers, challenge, bytes, body }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes.to_vec()).unwrap()
    }

    /// A header, empty when there is none.
    #[track_caller]
    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    fn field(&self, name: &str) -> String {
        let value = self.body[name].as_str().map(str::to_owned);
        value.unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    #[track_caller]
    pub(crate) fn refresh_token(&self) -> String {
        self.field("refresh_token")
    }

    #[track_caller]
    pub(crate) fn access_token(&self) -> String {
        self.field("access_token")
    }

    /// What the access token holds, one `type:name:action` each, sorted.
    #[track_caller]
    pub(crate) fn access(&self) -> Vec<String> {
        access(&claims(&self.access_token()))
    }

    /// The claims of the access token, which the server itself must know again.
    #[track_caller]
    pub(crate) fn verified_claims(&self, server: &Server) -> Value {
        let token = self.access_token();
        assert_eq!(self.body["token"], token);
        assert!(server.app.issuer.verify_access(&token, clock::now()).is_some());
        claims(&token)
    }

    /// What the access token holds, in the order and the groups of its claim.
    #[track_caller]
    pub(crate) fn verified_access(&self, server: &Server) -> String {
        let access = self.verified_claims(server)["access"].clone();
        let entries = access.as_array().unwrap().iter().map(|entry| {
            let actions: Vec<_> =
                entry["actions"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
            format!(
                "{}:{}:{}",
                entry["type"].as_str().unwrap(),
                entry["name"].as_str().unwrap(),
                actions.join(",")
            )
        });
        entries.collect::<Vec<_>>().join(" ")
    }

    /// A refusal as registries write it, with words.
    #[track_caller]
    pub(crate) fn check_refusal(&self) {
        let body = &self.body;
        let message = body["errors"][0]["message"].as_str();
        let code = body["errors"][0]["code"].as_str();
        let has_reason = message.is_some_and(|message| message.len() > 10) && code.is_some();
        assert!(
            has_reason && self.headers[header::CONTENT_TYPE] == "application/json; charset=utf-8",
            "{self:?}"
        );
    }

    /// Everything that a client sees, but for what is new in every answer.
    pub(crate) fn seen(&self) -> (StatusCode, Vec<(String, String)>, String) {
        let new = ["x-ms-correlation-request-id", "date"];
        let headers = self.headers.iter().filter(|(name, _)| !new.contains(&name.as_str()));
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let mut headers: Vec<_> =
            headers.map(|(name, value)| (name.to_string(), text(value))).collect();
        headers.sort();
        (self.status, headers, self.text())
    }
}

/// The claims of a token, unverified.
#[track_caller]
pub(crate) fn claims(token: &str) -> Value {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

pub(crate) fn access(claims: &Value) -> Vec<String> {
    let mut held = Vec::new();
    for entry in claims["access"].as_array().unwrap() {
        for action in entry["actions"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            held.push(format!(
                "{}:{}:{}",
                text(&entry["type"]),
                text(&entry["name"]),
                text(action)
            ));
        }
    }
    held.sort();
    held
}

//! An identity provider on loopback, its keys, and those of attackers who forge its tokens.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use scopegate_server::testing::clock;
use scopegate_server::testing::config::providers::ProviderConfig;
use scopegate_server::testing::domain::identity::Providers;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{AUDIENCE, OTHER_AUDIENCE, Server, Setup};

/// A key of a provider, or of an attacker who forges its tokens.
pub(crate) struct Key {
    signing: EncodingKey,
    pub(crate) jwk: Value,
}

impl Key {
    pub(crate) fn new(kid: &str) -> Self {
        let pair = rcgen::KeyPair::generate().unwrap();
        let signing = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
        let mut jwk = json!(Jwk::from_encoding_key(&signing, Algorithm::ES256).unwrap());
        jwk["kid"] = json!(kid);
        Self { signing, jwk }
    }

    pub(crate) fn sign(&self, kid: &str, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(kid.to_owned());
        encode(&header, claims, &self.signing).unwrap()
    }

    /// Signs under a header of any kind.
    pub(crate) fn sign_under(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", part(header), part(claims));
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &self.signing, Algorithm::ES256)
                .unwrap();
        format!("{message}.{signature}")
    }
}

pub(crate) fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token with a symmetric signature.
pub(crate) fn sign_hs256(kid: &str, claims: &Value, secret: &[u8]) -> String {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(kid.to_owned());
    encode(&header, claims, &EncodingKey::from_secret(secret)).unwrap()
}

/// An identity provider.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    pub(crate) key: Key,
    fetches: Arc<AtomicUsize>,
    grants: Arc<AtomicUsize>,
    /// What it answers to refresh tokens; it refuses them until it has this.
    rotates: Arc<Mutex<Option<Value>>>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let (key, fetches) = (Key::new("k1"), Arc::new(AtomicUsize::new(0)));
        let document = json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}/jwks"),
            "token_endpoint": format!("{issuer}/token"),
        });
        let (keys, count) = (json!({"keys": [key.jwk]}), Arc::clone(&fetches));
        let jwks = move || {
            count.fetch_add(1, Ordering::SeqCst);
            async move { axum::Json(keys) }
        };
        let grants = Arc::new(AtomicUsize::new(0));
        let granted = Arc::clone(&grants);
        let rotates = Arc::new(Mutex::new(None));
        let given = Arc::clone(&rotates);
        let token = move || {
            granted.fetch_add(1, Ordering::SeqCst);
            let given: Option<Value> = given.lock().unwrap().clone();
            let refused = (StatusCode::BAD_REQUEST, json!({"error": "invalid_grant"}));
            let (status, answer) = given.map_or(refused, |given| (StatusCode::OK, given));
            async move { (status, axum::Json(answer)) }
        };
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(|| async { axum::Json(document) }))
            .route("/jwks", get(jwks))
            .route("/token", post(token));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { issuer, key, fetches, grants, rotates }
    }

    /// How often it refused a refresh token.
    pub(crate) fn grants(&self) -> usize {
        self.grants.load(Ordering::SeqCst)
    }

    /// Answers every refresh token with an access token, and this as the next refresh token.
    pub(crate) fn rotate_to(&self, access_token: &str, next: &Value) {
        let answer = json!({"access_token": access_token, "refresh_token": next});
        *self.rotates.lock().unwrap() = Some(answer);
    }

    /// The same that redeems refresh tokens, or rather refuses each.
    pub(crate) fn redeeming(&self) -> Providers {
        let issuer = &self.issuer;
        let yaml = format!(
            "[{{name: ci, issuer: '{issuer}', audiences: ['{AUDIENCE}'], clientId: us,
               bindings: [{{match: {{groups: owners}}, roles: [Owner]}}]}}]"
        );
        let configs: Vec<ProviderConfig> = serde_saphyr::from_str(&yaml).unwrap();
        Providers::open(&configs).unwrap()
    }

    /// How often its keys were asked for.
    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    pub(crate) fn providers(&self, bindings: &str) -> Providers {
        let issuer = &self.issuer;
        let yaml = format!(
            "[{{name: ci, issuer: '{issuer}', audiences: ['{AUDIENCE}'], bindings: {bindings}}}]"
        );
        let configs: Vec<ProviderConfig> = serde_saphyr::from_str(&yaml).unwrap();
        Providers::open(&configs).unwrap()
    }

    /// Its part of a configuration, with these names for its tokens as passwords.
    pub(crate) fn listing(&self, name: &str, users: &str) -> ProviderConfig {
        let issuer = &self.issuer;
        let yaml = format!(
            "{{name: {name}, issuer: '{issuer}', audiences: ['{AUDIENCE}', '{OTHER_AUDIENCE}'], passwordUsers: {users},
               bindings: [{{match: {{groups: readers}}, scopeMaps: [reader-map]}}]}}"
        );
        serde_saphyr::from_str(&yaml).unwrap()
    }

    pub(crate) fn claims(&self, sub: &str, groups: &[&str]) -> Value {
        let now = clock::now();
        json!({
            "iss": self.issuer, "aud": AUDIENCE, "sub": sub, "groups": groups,
            "iat": now, "nbf": now, "exp": now + 3600,
        })
    }

    pub(crate) fn token(&self, sub: &str, groups: &[&str]) -> String {
        self.key.sign("k1", &self.claims(sub, groups))
    }
}

impl Provider {
    /// A server that binds the identities of this provider.
    pub(crate) async fn server(&self, bindings: &str) -> Server {
        let providers = self.providers(bindings);
        Server::with(Setup { providers, ..Setup::default() }).await
    }
}

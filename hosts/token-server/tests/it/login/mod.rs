//! People who sign in: the authority between a client on loopback and a provider.

mod browser;
mod codes;
mod device;
mod provider;
mod tokens;

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use self::provider::Op;
use crate::support::{Answer, Server, Setup};

/// The client id of `az`, and another.
const AZ: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
const OTHER: &str = "1950a258-227b-4e31-a9cf-717495945fc2";
const REDIRECT: &str = "http://localhost:8400/";
const SCOPE: &str = "https://r.test/.default openid profile offline_access";
const REGISTRY_SCOPE: &str =
    "https://containerregistry.azure.net/.default openid profile offline_access";
const RETURN: &str = "/common/oauth2/v2.0/return";
/// The client's verifier, and what it sends of it.
const VERIFIER: &str = "a-verifier-that-has-at-least-forty-three-letters";

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// A server with a provider.
struct Scene {
    op: Op,
    server: Server,
}

/// A sign-in that has begun: what the browser holds, and what the provider was sent.
struct Begun {
    cookie: String,
    asked: BTreeMap<String, String>,
}

impl Scene {
    async fn new() -> Self {
        Self::with("login: true").await
    }

    /// With more of the provider's configuration.
    async fn with(login: &str) -> Self {
        let op = Op::start().await;
        let setup = Setup { providers: op.providers(login), ..Setup::default() };
        Self { server: Server::with(setup).await, op }
    }

    fn tenant(&self) -> String {
        self.server.app.policy().registry.tenant.clone()
    }

    /// Asks `authorize`, with parameters in place of the usual ones; an empty one is left out.
    async fn authorize(&self, changed: &[(&str, &str)]) -> Answer {
        self.server.get(&self.target(changed), None).await
    }

    fn target(&self, changed: &[(&str, &str)]) -> String {
        let challenge = challenge(VERIFIER);
        let usual = [
            ("client_id", AZ),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("scope", SCOPE),
            ("state", "the state"),
            ("nonce", "the nonce"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("response_mode", "form_post"),
            ("prompt", "select_account"),
        ];
        format!("/organizations/oauth2/v2.0/authorize?{}", merged(&usual, changed))
    }

    async fn begin(&self) -> Begun {
        Begun::of(&self.authorize(&[]).await)
    }

    /// Comes back from the provider.
    async fn come_back(&self, cookie: Option<&str>, query: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(format!("{RETURN}?{}", merged(query, &[])));
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        self.server.send(request.body(Body::empty()).unwrap()).await
    }

    /// A code for a person, as the provider makes it, and what the browser brings back.
    async fn back_as(&self, person: &str) -> Answer {
        let begun = self.begin().await;
        let code = self.op.sign_in(person, &begun.asked);
        let query = [("code", code.as_str()), ("state", &begun.asked["state"])];
        self.come_back(Some(&begun.cookie), &query).await
    }

    /// Our code for a person.
    async fn code(&self, person: &str) -> String {
        let answer = self.back_as(person).await;
        let fields = fields(&answer);
        fields.get("code").cloned().unwrap_or_else(|| panic!("{answer:?}"))
    }

    /// Asks the token endpoint.
    async fn token(&self, form: &[(&str, &str)]) -> Answer {
        self.server.post(&self.server.authority(), form).await
    }

    async fn redeem(&self, code: &str, changed: &[(&str, &str)]) -> Answer {
        let usual = [
            ("grant_type", "authorization_code"),
            ("client_id", AZ),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
            ("client_info", "1"),
        ];
        self.server.post_raw(&self.server.authority(), None, &merged(&usual, changed)).await
    }

    /// The answer to a person who has signed in.
    async fn signed_in(&self, person: &str) -> Answer {
        let answer = self.redeem(&self.code(person).await, &[]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    async fn refresh(&self, token: &str, scope: &str) -> Answer {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", AZ),
            ("refresh_token", token),
            ("scope", scope),
        ];
        self.token(&form).await
    }
}

impl Begun {
    #[track_caller]
    fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 303, "{answer:?}");
        let cookie = answer.header(header::SET_COOKIE);
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let url = Url::parse(answer.header(header::LOCATION)).unwrap();
        let asked = url.query_pairs().map(|(name, value)| (name.into(), value.into()));
        Self { cookie, asked: asked.collect() }
    }
}

/// Parameters, with others in place of some.
fn merged(usual: &[(&str, &str)], changed: &[(&str, &str)]) -> String {
    let is_changed = |name: &str| changed.iter().any(|(other, _)| *other == name);
    let kept = usual.iter().filter(|(name, _)| !is_changed(name));
    let all = kept.chain(changed).filter(|(_, value)| !value.is_empty());
    form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish()
}

/// What a browser brings to the client: the fields of a form, or of a query.
fn fields(answer: &Answer) -> BTreeMap<String, String> {
    if answer.status == 303 {
        let url = Url::parse(answer.header(header::LOCATION)).unwrap();
        return url.query_pairs().map(|(name, value)| (name.into(), value.into())).collect();
    }
    let text = answer.text();
    let lines = text.lines().filter_map(|line| line.strip_prefix("<input type=\"hidden\" name=\""));
    let pairs = lines.filter_map(|line| line.strip_suffix("\">")?.split_once("\" value=\""));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The error of an answer to a client on loopback.
fn error_of(answer: &Answer) -> String {
    fields(answer).get("error").cloned().unwrap_or_else(|| format!("none in {answer:?}"))
}

/// The error of a token endpoint, or `none`.
fn oauth_error(answer: &Answer) -> String {
    match &answer.body["error"] {
        Value::String(error) => error.clone(),
        _ => format!("none, {}", answer.status.as_u16()),
    }
}

//! A registry that is managed: a client for each role, and requests to the management API.

use std::fmt;

use axum::body::Body;
use axum::http::{Method, Request, header};
use scopegate_api::claims::{AccessClaims, PrincipalKind};
use scopegate_edge::policy::Policy;
use scopegate_edge::{Epoch, Expected};
use scopegate_server::testing::clock;
use scopegate_server::testing::domain::edit::service_principals::{self, ServicePrincipalEdit};
use scopegate_server::testing::domain::identity::Providers;
use scopegate_server::testing::domain::issue::Subject;
use serde_json::{Value, json};

use super::{Answer, ISSUER, REGISTRY, SERVICE, Server, Setup, authorized, basic, bearer};

/// A secret that a client chose.
pub(crate) const SECRET: &str = "a secret for everybody";
/// Clients by what they may: their roles are their names.
const CLIENTS: [(&str, &str); 5] = [
    ("AcrPull", "00000000-0000-4000-8000-000000000001"),
    ("Reader", "00000000-0000-4000-8000-000000000002"),
    ("Contributor", "00000000-0000-4000-8000-000000000003"),
    ("Owner", "00000000-0000-4000-8000-000000000004"),
    ("EdgeReader", "00000000-0000-4000-8000-000000000005"),
];
/// A client that does not exist.
pub(crate) const OTHER_CLIENT: &str = "00000000-0000-4000-8000-000000000009";

pub(crate) const BUNDLE_2: &str = "application/vnd.scopegate.bundle.v2+jose";
pub(crate) const GENERATIONS_2: &str = "application/vnd.scopegate.generations.v2+json";

/// The client that has a role.
pub(crate) fn client(role: &str) -> &'static str {
    CLIENTS.iter().find(|(name, _)| *name == role).unwrap().1
}

/// A request to management. The path is below the short one of the registry, unless it begins with
/// a slash.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: String,
}

pub(crate) fn get(path: impl Into<String>) -> Call {
    Call::new(Method::GET, path, "")
}

pub(crate) fn put(path: impl Into<String>, body: impl ToString) -> Call {
    Call::new(Method::PUT, path, body)
}

pub(crate) fn patch(path: impl Into<String>, body: impl ToString) -> Call {
    Call::new(Method::PATCH, path, body)
}

pub(crate) fn post(path: impl Into<String>, body: impl ToString) -> Call {
    Call::new(Method::POST, path, body)
}

pub(crate) fn delete(path: impl Into<String>) -> Call {
    Call::new(Method::DELETE, path, "")
}

impl Call {
    pub(crate) fn new(method: Method, path: impl Into<String>, body: impl ToString) -> Self {
        Self { method, path: path.into(), body: body.to_string() }
    }

    pub(crate) fn target(&self) -> String {
        match self.path.as_str() {
            "" => REGISTRY.into(),
            path if path.starts_with('/') => path.to_owned(),
            path => format!("{REGISTRY}/{path}"),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body: String = self.body.chars().take(200).collect();
        write!(f, "{} {} {body}", self.method, self.target())
    }
}

/// The body of an edit.
pub(crate) fn properties(properties: &Value) -> Value {
    json!({ "properties": properties })
}

/// The body of a scope map with these actions on the repository `a`.
pub(crate) fn map_on_a(actions: &[&str]) -> Value {
    let rules: Vec<_> =
        actions.iter().map(|action| format!("repositories/a/content/{action}")).collect();
    properties(&json!({ "actions": rules }))
}

/// A refusal is this status, in the words of Azure Resource Manager, and says this.
#[track_caller]
pub(crate) fn expect_refusal(answer: &Answer, row: &impl fmt::Display, status: u16, says: &str) {
    assert_eq!(answer.status, status, "{row}: {}", answer.body);
    let (code, message) = (&answer.body["error"]["code"], &answer.body["error"]["message"]);
    assert!(code.as_str().is_some_and(|code| !code.is_empty()), "{row}: {}", answer.body);
    assert!(message.as_str().is_some_and(|message| message.contains(says)), "{row}: {message}");
    let text = answer.body.to_string();
    for word in ["Body", "struct", "sqlx", "panicked"] {
        assert!(!text.contains(word), "{row}: {text}");
    }
}

#[track_caller]
pub(crate) fn expect_status(answer: &Answer, row: &impl fmt::Display, status: u16) {
    assert_eq!(answer.status, status, "{row}: {}", answer.body);
}

/// A refusal from 400 on, else a status.
#[track_caller]
pub(crate) fn expect(answer: &Answer, row: &impl fmt::Display, status: u16, says: &str) {
    if status >= 400 {
        expect_refusal(answer, row, status, says);
    } else {
        expect_status(answer, row, status);
    }
}

/// A registry with a client for each role, and their tokens for management.
pub(crate) struct Registry {
    pub(crate) server: Server,
    clients: Vec<Client>,
}

/// What the client that has a role shows. Its secret is generated, and so not slow to check.
struct Client {
    role: &'static str,
    secret: String,
    bearer: String,
}

impl Registry {
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with_providers(providers: Providers) -> Self {
        Self::with(Setup { providers, ..Setup::default() }).await
    }

    pub(crate) async fn on(url: Option<&str>) -> Self {
        Self::with(Setup { url: url.map(str::to_owned), ..Setup::default() }).await
    }

    async fn with(setup: Setup) -> Self {
        let server = Server::bare(setup).await;
        let mut write = server.write().await;
        let mut secrets = Vec::new();
        for (role, client) in CLIENTS {
            let edit = ServicePrincipalEdit {
                roles: Some(vec![role.into()]),
                ..ServicePrincipalEdit::default()
            };
            service_principals::put(&mut write, client, edit).await.unwrap();
            let secret =
                service_principals::generate_secret(&mut write, client, None).await.unwrap();
            secrets.push((role, client, secret));
        }
        server.commit(write).await;
        let mut clients = Vec::new();
        for (role, client, secret) in secrets {
            let token = server.client_credentials(client, &secret).await.access_token();
            clients.push(Client { role, secret, bearer: bearer(&token) });
        }
        Self { server, clients }
    }

    /// A token of the built-in authority.
    pub(crate) async fn bearer(&self, client: &str, secret: &str, resource: &str) -> String {
        let form = format!(
            "grant_type=client_credentials&client_id={client}&client_secret={secret}&scope={resource}/.default"
        );
        self.form(&self.server.authority(), &form).await.access_token()
    }

    pub(crate) fn subscription(&self) -> String {
        self.server.app.policy().registry.subscription.clone()
    }

    pub(crate) fn revision(&self) -> i64 {
        self.server.app.policy().revision()
    }

    /// The id of the registry, which is its long path.
    pub(crate) fn id(&self) -> String {
        let subscription = self.subscription();
        format!(
            "/subscriptions/{subscription}/resourceGroups/scopegate/providers/Microsoft.ContainerRegistry/registries/registry"
        )
    }

    pub(crate) fn token_id(&self, name: &str) -> String {
        format!("{}/tokens/{name}", self.id())
    }

    pub(crate) fn map_id(&self, name: &str) -> String {
        format!("{}/scopeMaps/{name}", self.id())
    }

    pub(crate) async fn form(&self, target: &str, form: &str) -> Answer {
        self.server.post_raw(target, None, form).await
    }

    /// The authorization of the client that has a role; none for anybody else.
    pub(crate) fn authorization(&self, role: &str) -> Option<&str> {
        let known = self.clients.iter().find(|client| client.role == role);
        known.map(|client| client.bearer.as_str())
    }

    /// The secret of the client that has a role.
    pub(crate) fn secret(&self, role: &str) -> &str {
        &self.clients.iter().find(|client| client.role == role).unwrap().secret
    }

    /// Gives the client that has a role [`SECRET`], which is slow to check, beside its own.
    pub(crate) async fn choose_secret(&self, role: &str) {
        let secrets = format!("servicePrincipals/{}/secrets", client(role));
        self.must(post(secrets, json!({ "secret": SECRET }))).await;
    }

    pub(crate) async fn send(&self, authorization: Option<&str>, call: &Call) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send_with(authorization, call, &headers).await
    }

    pub(crate) async fn send_with(
        &self,
        authorization: Option<&str>,
        call: &Call,
        headers: &[(&str, &str)],
    ) -> Answer {
        let request = Request::builder().method(&call.method).uri(call.target());
        let request = authorized(request, authorization);
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.server.send(request.body(Body::from(call.body.clone())).unwrap()).await
    }

    pub(crate) async fn owner(&self, call: &Call) -> Answer {
        self.send(self.authorization("Owner"), call).await
    }

    /// Does what must work.
    pub(crate) async fn must(&self, call: Call) -> Value {
        let answer = self.owner(&call).await;
        assert!(answer.status.is_success(), "{call}: {} {}", answer.status, answer.body);
        answer.body
    }

    pub(crate) async fn set_admin(&self, is_enabled: bool) -> Value {
        self.must(patch("", json!({"properties": {"adminUserEnabled": is_enabled}}))).await
    }

    pub(crate) async fn make_token(&self, name: &str, map: &str) {
        let map = json!({"properties": {"scopeMapId": self.map_id(map)}});
        self.must(put(format!("tokens/{name}"), map)).await;
    }

    /// Generates both passwords of a token; gives their values.
    pub(crate) async fn passwords(&self, name: &str) -> [String; 2] {
        let body = json!({"tokenId": self.token_id(name)});
        let made = self.must(post("generateCredentials", body)).await;
        [0, 1].map(|index| password_of(&made, index))
    }

    pub(crate) async fn login(&self, name: &str, password: &str) -> u16 {
        let answer = self.server.get("/oauth2/token", Some(&basic(name, password))).await;
        answer.status.as_u16()
    }

    /// A refresh token, by name and password.
    pub(crate) async fn refresh_token(&self, name: &str, password: &str) -> String {
        let form =
            format!("grant_type=password&username={name}&password={password}&access_type=offline");
        self.form("/oauth2/token", &form).await.refresh_token()
    }

    /// What a refresh token opens: a status, or the access to one repository.
    pub(crate) async fn opens(&self, refresh_token: &str) -> String {
        let answer = self.server.renew(refresh_token, "repository:a:pull,push").await;
        if answer.status == 200 {
            answer.verified_access(&self.server)
        } else {
            answer.status.as_u16().to_string()
        }
    }
}

/// The value of a password that was generated.
#[track_caller]
pub(crate) fn password_of(made: &Value, index: usize) -> String {
    made["passwords"][index]["value"].as_str().unwrap().to_owned()
}

/// What edges read.
impl Registry {
    /// The bundle, unless the one with this tag is still right, and the tag of the answer.
    pub(crate) async fn bundle(&self, known: Option<&str>) -> (Option<String>, String) {
        let known = known.map(|tag| ("if-none-match", tag));
        let headers: Vec<_> = known.into_iter().collect();
        let answer = self.send_with(self.authorization("Reader"), &get("bundle"), &headers).await;
        let tag = answer.headers[header::ETAG].to_str().unwrap().to_owned();
        match answer.status.as_u16() {
            304 => (None, tag),
            200 => (Some(answer.text()), tag),
            status => panic!("{status}: {}", answer.text()),
        }
    }

    /// What the feed of version 2 says.
    pub(crate) async fn newest_feed(&self, since: i64) -> Value {
        self.newest(&get(format!("generations?since={since}")), GENERATIONS_2).await.body
    }

    /// The bundle of version 2.
    pub(crate) async fn newest_bundle(&self) -> String {
        self.newest(&get("bundle"), BUNDLE_2).await.text()
    }

    async fn newest(&self, call: &Call, media_type: &str) -> Answer {
        let authorization = self.authorization("EdgeReader");
        let answer = self.send_with(authorization, call, &[("accept", media_type)]).await;
        assert_eq!(answer.headers[header::CONTENT_TYPE], media_type);
        answer
    }

    /// The claims of a token that opens nothing.
    pub(crate) fn some_claims(&self) -> AccessClaims {
        let subject = Subject::new("some", PrincipalKind::Token, 0);
        let issuer = &self.server.app.issuer;
        let token = issuer.access_token(&subject, "rid", Vec::new(), 60, clock::now());
        issuer.verify_access(&token.unwrap(), clock::now()).unwrap()
    }

    /// The payload of a bundle, whose signature is the server's.
    pub(crate) fn open(&self, text: &str) -> Value {
        self.server.app.issuer.verify(text, "bundle:r.test", clock::now()).unwrap()
    }

    /// The policy of an edge that reads a bundle beside the one that it holds.
    pub(crate) fn edge(&self, text: &str, held: Option<&Policy>) -> Policy {
        let payload = self.open(text).to_string();
        let now = clock::now().unsigned_abs();
        let (issuer, service) = (ISSUER, SERVICE);
        let expected = Expected { issuer, service, epoch: Epoch::Unknown, now };
        Policy::read(payload.as_bytes(), &expected, held).unwrap()
    }

    /// The claims of an access token for three things.
    pub(crate) async fn access(&self, name: &str, password: &str) -> AccessClaims {
        let target = "/oauth2/token?service=r.test&scope=repository:team/app:pull,push&scope=repository:other:pull&scope=registry:catalog:*";
        let answer = self.server.get(target, Some(&basic(name, password))).await;
        serde_json::from_value(answer.verified_claims(&self.server)).unwrap()
    }

    /// Who got a new generation after a revision, in words, and the revision of the answer.
    pub(crate) async fn feed(&self, since: i64) -> (i64, String) {
        let body = self.must(get(format!("generations?since={since}"))).await;
        let entries = body["changed"].as_array().unwrap().iter();
        let mut changed: Vec<_> = entries
            .map(|entry| {
                let sub = entry["sub"].as_str().unwrap_or("*");
                format!("{}:{sub}", entry["principal"].as_str().unwrap())
            })
            .collect();
        changed.sort();
        if body["isEverything"] == true {
            changed.insert(0, "everything".into());
        }
        (body["revision"].as_i64().unwrap(), changed.join(" "))
    }
}

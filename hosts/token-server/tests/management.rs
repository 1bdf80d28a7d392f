//! The management API: who may do what, what is refused, and what a change means for tokens already
//! issued.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "what fails ends the test"
)]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scopegate_api::claims::{AccessClaims, IdentityClaims, PrincipalKind};
use scopegate_core::{ActionSet, Settings};
use scopegate_edge::policy::Policy;
use scopegate_edge::{Epoch, Expected};
use scopegate_server::testing::app::watch::catch_up;
use scopegate_server::testing::clock;
use scopegate_server::testing::config::{Limits, Rate};
use scopegate_server::testing::domain::edit::scope_maps::{self, ScopeMapEdit};
use scopegate_server::testing::domain::edit::service_principals::{self, ServicePrincipalEdit};
use scopegate_server::testing::domain::edit::tokens::{self, TokenEdit};
use scopegate_server::testing::domain::identity::Providers;
use scopegate_server::testing::domain::issue::Subject;
use scopegate_server::testing::store::{RecordKey, Store};
use serde_json::{Value, json};

use support::database::Database;
use support::{Answer, Server, basic};

const SECRET: &str = "a secret for everybody";
/// Clients by what they may: their roles are their names.
const CLIENTS: [(&str, &str); 5] = [
    ("AcrPull", "00000000-0000-4000-8000-000000000001"),
    ("Reader", "00000000-0000-4000-8000-000000000002"),
    ("Contributor", "00000000-0000-4000-8000-000000000003"),
    ("Owner", "00000000-0000-4000-8000-000000000004"),
    ("EdgeReader", "00000000-0000-4000-8000-000000000005"),
];
const OTHER_CLIENT: &str = "00000000-0000-4000-8000-000000000009";

/// A registry with a client for each role, and their tokens for management.
struct Registry {
    server: Server,
    bearers: Vec<(&'static str, String)>,
}

impl Registry {
    async fn start() -> Self {
        Self::with(None, Providers::default()).await
    }

    async fn with(url: Option<&str>, providers: Providers) -> Self {
        let unlimited = Rate { rate: 0.0, burst: 1 };
        let limits =
            Limits { per_address: unlimited, per_principal: unlimited, ..Limits::default() };
        let server = Server::bare(url, limits, providers).await;
        let mut write = server.app.store.write().await.unwrap();
        for (role, client) in CLIENTS {
            let edit = ServicePrincipalEdit {
                roles: Some(vec![role.into()]),
                ..ServicePrincipalEdit::default()
            };
            service_principals::put(&mut write, client, edit).await.unwrap();
            service_principals::add_secret(&mut write, client, SECRET).await.unwrap();
        }
        scopegate_server::testing::app::watch::commit(&server.app, write).await.unwrap();
        let mut registry = Self { server, bearers: Vec::new() };
        for (role, client) in CLIENTS {
            let token = registry.bearer(client, "https://r.test").await;
            registry.bearers.push((role, format!("Bearer {token}")));
        }
        registry
    }

    /// A token of the built-in authority.
    async fn bearer(&self, client: &str, resource: &str) -> String {
        let form = format!(
            "grant_type=client_credentials&client_id={client}&client_secret={SECRET}&scope={resource}/.default"
        );
        let answer = self.form(&self.authority(), &form).await;
        answer.body["access_token"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
    }

    fn authority(&self) -> String {
        format!("/{}/oauth2/v2.0/token", self.server.app.policy().registry.tenant)
    }

    /// The id of the registry, which is its long path.
    fn id(&self) -> String {
        let subscription = self.server.app.policy().registry.subscription.clone();
        format!(
            "/subscriptions/{subscription}/resourceGroups/scopegate/providers/Microsoft.ContainerRegistry/registries/registry"
        )
    }

    async fn form(&self, target: &str, form: &str) -> Answer {
        let request = Request::post(target)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()));
        self.server.send(request.unwrap()).await
    }

    fn authorization(&self, who: &str) -> Option<String> {
        let known = self.bearers.iter().find(|(role, _)| *role == who);
        known.map(|(_, bearer)| bearer.clone())
    }

    /// Sends `METHOD path` below the short prefix, or from the root when the path begins with a
    /// slash.
    async fn send(
        &self,
        authorization: Option<&str>,
        request: &str,
        body: impl Into<Body>,
    ) -> Answer {
        let (method, path) = request.split_once(' ').unwrap();
        let target = match path {
            "" => "/registries/registry".into(),
            path if path.starts_with('/') => path.to_owned(),
            path => format!("/registries/registry/{path}"),
        };
        let mut builder = Request::builder().method(method).uri(target);
        if let Some(value) = authorization {
            builder = builder.header(header::AUTHORIZATION, value);
        }
        let builder = builder.header(header::CONTENT_TYPE, "application/json");
        self.server.send(builder.body(body.into()).unwrap()).await
    }

    async fn owner(&self, request: &str, body: &Value) -> Answer {
        let authorization = self.authorization("Owner");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(authorization.as_deref(), request, body).await
    }

    /// Does what must work.
    async fn must(&self, request: &str, body: Value) -> Value {
        let answer = self.owner(request, &body).await;
        assert!(answer.status.is_success(), "{request} {body}: {} {}", answer.status, answer.body);
        answer.body
    }

    async fn make_token(&self, name: &str, map: &str) {
        let id = format!("{}/scopeMaps/{map}", self.id());
        self.must(&format!("PUT tokens/{name}"), json!({"properties": {"scopeMapId": id}})).await;
    }

    /// Generates both passwords of a token; gives their values.
    async fn passwords(&self, name: &str) -> [String; 2] {
        let id = format!("{}/tokens/{name}", self.id());
        let body = self.must("POST generateCredentials", json!({"tokenId": id})).await;
        [0, 1].map(|index| body["passwords"][index]["value"].as_str().unwrap().to_owned())
    }

    async fn login(&self, name: &str, password: &str) -> u16 {
        self.server.get("/oauth2/token", basic(name, password)).await.status.as_u16()
    }
}

/// A refusal is this status, in the words of Azure Resource Manager, and says this.
#[track_caller]
fn refused(answer: &Answer, row: &str, status: u16, says: &str) {
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
fn done(answer: &Answer, row: &str, status: u16) {
    assert_eq!(answer.status, status, "{row}: {}", answer.body);
}

#[tokio::test]
async fn who_may_do_what() {
    let registry = Registry::start().await;
    registry.must("PATCH ", json!({"properties": {"adminUserEnabled": true}})).await;
    registry.must("PUT scopeMaps/first-map", json!({"properties": {}})).await;
    registry.must("PUT tokens/first-token", json!({"properties": {}})).await;
    registry.must(&format!("PUT servicePrincipals/{OTHER_CLIENT}"), Value::Null).await;
    let token = json!({"tokenId": format!("{}/tokens/first-token", registry.id())});
    let (empty, nothing) = (json!({"properties": {}}), Value::Null);
    let client = |rest: &str| format!("servicePrincipals/{OTHER_CLIENT}{rest}");
    // The statuses of: nobody, AcrPull, Reader, Contributor, Owner. EdgeReader has a test of its
    // own.
    let look = [401, 403, 200, 200, 200];
    let change = [401, 403, 403, 200, 200];
    let make = [401, 403, 403, 201, 200];
    let gone = [401, 403, 403, 204, 204];
    let give = [401, 403, 403, 403, 200];
    for (request, body, expected) in [
        ("GET ".to_owned(), &nothing, look),
        ("GET scopeMaps".into(), &nothing, look),
        ("GET scopeMaps/first-map".into(), &nothing, look),
        ("GET scopeMaps/no-such-map".into(), &nothing, [401, 403, 404, 404, 404]),
        ("GET tokens".into(), &nothing, look),
        ("GET tokens/first-token".into(), &nothing, look),
        ("GET servicePrincipals".into(), &nothing, look),
        (format!("GET {}", client("")), &nothing, look),
        ("GET generations".into(), &nothing, look),
        ("GET bundle".into(), &nothing, look),
        ("PATCH ".into(), &empty, change),
        ("PUT scopeMaps/second-map".into(), &empty, make),
        ("PATCH scopeMaps/second-map".into(), &empty, change),
        ("DELETE scopeMaps/no-such-map".into(), &nothing, gone),
        ("PUT tokens/second-token".into(), &empty, make),
        ("PATCH tokens/second-token".into(), &empty, change),
        ("DELETE tokens/no-such-token".into(), &nothing, gone),
        ("POST generateCredentials".into(), &token, change),
        ("POST listCredentials".into(), &nothing, change),
        ("POST regenerateCredential".into(), &json!({"name": "password"}), change),
        (format!("PUT {}", client("")), &json!({}), give),
        (format!("POST {}", client("/secrets")), &json!({}), give),
        (format!("DELETE {}", client("/secrets")), &nothing, [401, 403, 403, 403, 204]),
        (format!("DELETE {}", client("")), &nothing, give),
        ("GET /subscriptions".into(), &nothing, [401, 200, 200, 200, 200]),
    ] {
        let (method, path) = request.split_once(' ').unwrap();
        // Under the long prefix too, where a second time changes nothing.
        let mut requests = vec![request.clone()];
        if matches!(method, "GET" | "PATCH") && !path.starts_with('/') {
            let long = format!("{method} {}/{path}", registry.id());
            requests.push(long.trim_end_matches('/').to_owned());
        }
        for (who, expected) in
            ["nobody", "AcrPull", "Reader", "Contributor", "Owner"].into_iter().zip(expected)
        {
            for request in &requests {
                let authorization = registry.authorization(who);
                let body = if body.is_null() { String::new() } else { body.to_string() };
                let answer = registry.send(authorization.as_deref(), request, body).await;
                let row = format!("{who}: {request}");
                if expected >= 400 {
                    refused(&answer, &row, expected, "");
                } else {
                    done(&answer, &row, expected);
                }
            }
        }
    }
    let seen = registry
        .send(
            registry.authorization("AcrPull").as_deref(),
            &format!(
                "GET /subscriptions/{}/resources",
                registry.server.app.policy().registry.subscription
            ),
            "",
        )
        .await;
    assert_eq!(seen.body, json!({"value": []}));
}

/// Sends with other headers than usual, in the name of the owner.
async fn send_with(
    registry: &Registry,
    request: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Answer {
    let (method, target) = request.split_once(' ').unwrap();
    let builder = Request::builder().method(method).uri(target);
    let builder = builder.header(header::AUTHORIZATION, registry.authorization("Owner").unwrap());
    let builder =
        headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    registry.server.send(builder.body(body.into()).unwrap()).await
}

/// What a page of another site makes a browser send is refused at every address of management,
/// before it changes anything.
#[tokio::test]
async fn a_browser_manages_for_no_other_site() {
    let registry = Registry::start().await;
    let (id, short) = (registry.id(), "/registries/registry");
    let subscription = id.split("/resourceGroups").next().unwrap().to_owned();
    let requests = [
        format!("GET {short}"),
        format!("GET {short}/tokens"),
        format!("GET {short}/bundle"),
        format!("GET {short}/generations"),
        format!("GET {id}/scopeMaps"),
        "GET /subscriptions".to_owned(),
        format!("GET {subscription}"),
        format!("GET {subscription}/resources"),
        format!("GET {subscription}/providers/Microsoft.ContainerRegistry/registries"),
        format!("PUT {short}/scopeMaps/some-map"),
        format!("PATCH {id}"),
        format!("DELETE {short}/scopeMaps/some-map"),
        format!("POST {short}/listCredentials"),
        format!("POST {id}/regenerateCredential"),
        format!("POST {id}/generateCredentials"),
        format!("POST {short}/servicePrincipals/{OTHER_CLIENT}/secrets"),
    ];
    let before = registry.server.app.policy().revision();
    let json = ("content-type", "application/json");
    for request in &requests {
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "none"),
            ("origin", "https://other.test"),
            ("origin", "https://r.test:8443"),
            ("origin", "http://r.test"),
            ("origin", "null"),
        ] {
            let headers = [json, (name, value), ("host", "other.test")];
            let answer = send_with(&registry, request, &headers, "").await;
            refused(&answer, &format!("{request} {name}: {value}"), 403, "another site");
            assert_eq!(answer.body["error"]["code"], "CrossOriginRequest");
        }
    }
    assert_eq!(registry.server.app.policy().revision(), before);
    for headers in [
        &[json][..],
        &[json, ("sec-fetch-site", "same-origin"), ("origin", "https://r.test")],
        &[json, ("origin", "https://r.test"), ("host", "inside.test")],
    ] {
        let made = send_with(&registry, &requests[9], headers, r#"{"properties": {}}"#).await;
        assert!(made.status.is_success(), "{headers:?}: {}", made.body);
    }
}

/// A body is JSON, or there is none.
#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let registry = Registry::start().await;
    let client = format!("/registries/registry/servicePrincipals/{}", CLIENTS[0].1);
    let before = registry.server.app.policy().revision();
    let secret = r#"{"secret": "what an attacker knows"}"#;
    for kind in [
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "",
    ] {
        for request in
            [format!("POST {client}/secrets"), "POST /registries/registry/listCredentials".into()]
        {
            let answer = send_with(&registry, &request, &[("content-type", kind)], secret).await;
            refused(&answer, &format!("{request} {kind}"), 415, "application/json");
        }
    }
    assert_eq!(registry.server.app.policy().revision(), before);
    for (headers, body) in [
        (&[("content-type", "application/json; charset=utf-8")][..], secret),
        (&[("content-type", "text/plain"), ("content-length", "0")], ""),
        (&[], ""),
    ] {
        let answer = send_with(&registry, &format!("POST {client}/secrets"), headers, body).await;
        done(&answer, &format!("{headers:?}"), 200);
    }
}

/// What `az login` and container clients ask is no management: forms are taken, and no browser adds
/// credentials there.
#[tokio::test]
async fn the_authority_and_the_token_endpoint_take_forms_from_anywhere() {
    let registry = Registry::start().await;
    let client = CLIENTS[3].1;
    let authority = format!(
        "grant_type=client_credentials&client_id={client}&client_secret={SECRET}&scope=https://r.test/.default"
    );
    let password = format!("grant_type=password&username={client}&password={SECRET}");
    let tenant = registry.server.app.policy().registry.tenant.clone();
    let discovery = format!("GET /{tenant}/v2.0/.well-known/openid-configuration");
    for (request, form) in [
        (format!("POST {}", registry.authority()), authority.as_str()),
        ("POST /oauth2/token".to_owned(), &password),
        ("GET /metadata/endpoints".to_owned(), ""),
        (discovery, ""),
    ] {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "cross-site"),
            ("origin", "null"),
        ];
        let (method, target) = request.split_once(' ').unwrap();
        let builder = Request::builder().method(method).uri(target);
        let builder = headers.iter().fold(builder, |builder, (k, v)| builder.header(*k, *v));
        let answer = registry.server.send(builder.body(form.to_owned().into()).unwrap()).await;
        done(&answer, &request, 200);
    }
}

/// No cache keeps a password, no page frames an answer, no browser takes one for something else.
#[tokio::test]
async fn answers_say_what_a_browser_may_do_with_them() {
    let registry = Registry::start().await;
    registry.make_token("some-token", "_repositories_pull").await;
    registry.must("PATCH ", json!({"properties": {"adminUserEnabled": true}})).await;
    let token = json!({"tokenId": format!("{}/tokens/some-token", registry.id())}).to_string();
    let secrets = format!("POST servicePrincipals/{}/secrets", CLIENTS[0].1);
    let owner = registry.authorization("Owner");
    for (request, body, status, is_kept) in [
        ("POST generateCredentials", token.as_str(), 200, false),
        ("POST listCredentials", "", 200, false),
        ("POST regenerateCredential", r#"{"name": "password"}"#, 200, false),
        (&secrets, "", 200, false),
        ("GET tokens", "", 200, false),
        ("GET bundle", "", 200, false),
        ("GET tokens/no-such-token", "", 404, false),
        ("GET /oauth2/token", "", 401, false),
        ("GET /v2/", "", 401, true),
        ("GET /openapi.json", "", 200, false),
        ("GET /.well-known/jwks.json", "", 200, false),
        ("GET /.well-known/token-signing.pem", "", 200, true),
        ("GET /nothing", "", 404, false),
    ] {
        let answer = registry.send(owner.as_deref(), request, body.to_owned()).await;
        done(&answer, request, status);
        let said = |name| answer.headers.get(name).map_or("", |value| value.to_str().unwrap());
        assert_eq!(said(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{request}");
        let policy = "default-src 'none'; frame-ancestors 'none'";
        assert_eq!(said(header::CONTENT_SECURITY_POLICY), policy, "{request}");
        let kept = if is_kept { "" } else { "no-store" };
        assert_eq!(said(header::CACHE_CONTROL), kept, "{request}");
        assert!(
            !answer.challenge.is_some_and(|it| it.starts_with("Basic"))
                || request == "GET /oauth2/token"
        );
    }
}

/// An edge reads what it needs with a role that gives nothing else: no repository, no resource.
#[tokio::test]
async fn fault_10_an_edge_reads_its_feeds_and_nothing_else() {
    let registry = Registry::start().await;
    registry.must("PUT scopeMaps/first-map", json!({"properties": {}})).await;
    let (id, who) = (registry.id(), registry.authorization("EdgeReader"));
    let subscription = registry.server.app.policy().registry.subscription.clone();
    let edge = CLIENTS[4].1;
    for (request, expected) in [
        ("GET generations".to_owned(), 200),
        ("GET bundle".into(), 200),
        (format!("GET {id}/generations"), 200),
        (format!("GET {id}/bundle"), 200),
        ("GET ".into(), 403),
        ("GET scopeMaps".into(), 403),
        ("GET scopeMaps/first-map".into(), 403),
        ("GET tokens".into(), 403),
        ("GET servicePrincipals".into(), 403),
        (format!("GET servicePrincipals/{edge}"), 403),
        (format!("GET {id}"), 403),
        ("GET /subscriptions".into(), 403),
        (format!("GET /subscriptions/{subscription}"), 403),
        (format!("GET /subscriptions/{subscription}/resources"), 403),
        ("PATCH ".into(), 403),
        ("PUT scopeMaps/other-map".into(), 403),
        ("DELETE scopeMaps/first-map".into(), 403),
        ("POST listCredentials".into(), 403),
        (format!("POST servicePrincipals/{edge}/secrets"), 403),
    ] {
        for authorization in [who.clone(), basic(edge, SECRET)] {
            let answer = registry.send(authorization.as_deref(), &request, "{}").await;
            assert_eq!(answer.status, expected, "{request}: {}", answer.body);
        }
    }
    let target =
        "/oauth2/token?service=r.test&scope=repository:a:pull,metadata_read registry:catalog:*";
    let answer = registry.server.get(&target.replace(' ', "%20"), basic(edge, SECRET)).await;
    assert_eq!(answer.access(&registry.server), "");
}

/// Whoever shows credentials that are not for management is nobody.
#[tokio::test]
async fn credentials_that_are_not_for_management() {
    let registry = Registry::start().await;
    registry.make_token("some-token", "_repositories_pull").await;
    let [password, _] = registry.passwords("some-token").await;
    let owner = CLIENTS[3].1;
    let grant =
        format!("grant_type=password&username={owner}&password={SECRET}&access_type=offline");
    let issued = registry.form("/oauth2/token", &grant).await.body;
    let claim = |name: &str| format!("Bearer {}", issued[name].as_str().unwrap());
    let exchangeable = registry.bearer(owner, "https://containerregistry.azure.net").await;
    let management = registry.bearer(owner, "https://r.test").await;
    let good = basic(owner, SECRET).unwrap();
    done(&registry.send(Some(&good), "GET ", "").await, "Basic", 200);
    for authorization in [
        None,
        Some(String::new()),
        Some("Basic".into()),
        Some("Basic !!!".into()),
        Some("Digest x".into()),
        Some("Bearer".into()),
        Some("Bearer ".into()),
        Some("Bearer x.y.z".into()),
        basic(owner, ""),
        basic(owner, "a secret for everybodx"),
        basic("administrator", SECRET),
        basic("registry", SECRET),
        basic("some-token", &password),
        basic("00000000-0000-0000-0000-000000000000", &management),
        Some(claim("access_token")),
        Some(claim("refresh_token")),
        Some(format!("Bearer {exchangeable}")),
        Some(format!("Bearer {management}x")),
        Some(format!("Bearer {management} {management}")),
    ] {
        for request in ["GET ", "PUT scopeMaps/some-map", "GET /subscriptions"] {
            let answer = registry.send(authorization.as_deref(), request, "").await;
            refused(&answer, &format!("{authorization:?}"), 401, "authentication required");
            assert_eq!(answer.challenge.as_deref(), Some("Bearer realm=\"scopegate management\""));
        }
    }
    // And the other way: what is for management opens no repository.
    let null = "00000000-0000-0000-0000-000000000000";
    for token in [&management, &exchangeable] {
        assert_eq!(registry.login(null, token).await, 401);
        let refresh = format!("grant_type=refresh_token&refresh_token={token}");
        assert_eq!(registry.form("/oauth2/token", &refresh).await.status, 401);
    }
    for (token, expected) in [(&exchangeable, 200), (&management, 401)] {
        let form = format!("grant_type=access_token&service=r.test&access_token={token}");
        assert_eq!(registry.form("/oauth2/exchange", &form).await.status, expected);
    }
}

/// What happens to a client happens to the tokens that it has.
#[tokio::test]
async fn a_client_that_changes_loses_its_tokens() {
    let registry = Registry::start().await;
    let client = format!("servicePrincipals/{OTHER_CLIENT}");
    let secret = json!({"secret": SECRET});
    for (method, path, body, bearer, by_secret) in [
        ("PUT", "", json!({"displayName": "x", "roles": ["Reader", "AcrPull"]}), 200, 200),
        ("POST", "/secrets", json!({}), 200, 200),
        ("PUT", "", json!({"roles": []}), 401, 403),
        ("PUT", "", json!({"roles": ["AcrPull"]}), 401, 403),
        ("PUT", "", json!({"enabled": false}), 401, 401),
        ("DELETE", "/secrets", Value::Null, 401, 401),
        ("DELETE", "", Value::Null, 401, 401),
    ] {
        registry
            .must(&format!("PUT {client}"), json!({"enabled": true, "roles": ["Reader"]}))
            .await;
        registry.must(&format!("POST {client}/secrets"), secret.clone()).await;
        let token = format!("Bearer {}", registry.bearer(OTHER_CLIENT, "https://r.test").await);
        assert_eq!(registry.send(Some(&token), "GET ", "").await.status, 200);
        let request = format!("{method} {client}{path}");
        registry.must(&request, body.clone()).await;
        let now = registry.send(Some(&token), "GET ", "").await.status;
        assert_eq!(now, bearer, "{request} {body}");
        let now = registry.send(basic(OTHER_CLIENT, SECRET).as_deref(), "GET ", "").await.status;
        assert_eq!(now, by_secret, "{request} {body}");
        registry.owner(&format!("DELETE {client}"), &Value::Null).await;
    }
    // Of three secrets, the two last are good.
    registry.must(&format!("PUT {client}"), json!({"roles": ["Reader"]})).await;
    for number in 1..=3 {
        let body = json!({"secret": format!("{SECRET} {number}")});
        let answer = registry.must(&format!("POST {client}/secrets"), body).await;
        assert_eq!(answer, json!({"clientId": OTHER_CLIENT}));
    }
    for (number, expected) in [(1, 401), (2, 200), (3, 200)] {
        let authorization = basic(OTHER_CLIENT, &format!("{SECRET} {number}"));
        let answer = registry.send(authorization.as_deref(), "GET ", "").await;
        assert_eq!(answer.status, expected, "{number}");
    }
}

#[tokio::test]
async fn the_built_in_authority() {
    let registry = Registry::start().await;
    let tenant = registry.server.app.policy().registry.tenant.clone();
    let discovery = format!("/{tenant}/v2.0/.well-known/openid-configuration");
    let document = registry.server.get(&discovery, None).await;
    done(&document, &discovery, 200);
    assert_eq!(
        document.body["token_endpoint"],
        format!("https://r.test/{tenant}/oauth2/v2.0/token")
    );
    let other = "/00000000-0000-4000-8000-00000000000a";
    done(&registry.server.get(&discovery.replace(&tenant, &other[1..]), None).await, other, 400);
    let good = format!(
        "grant_type=client_credentials&client_id={}&client_secret={SECRET}&scope=https://r.test/.default",
        CLIENTS[0].1
    );
    let (path, upper) =
        (registry.authority(), format!("/{}/oauth2/v2.0/token", tenant.to_uppercase()));
    for (target, form, status, error) in [
        (&path, good.clone(), 200, None),
        (&upper, good.clone(), 200, None),
        (&path, good.replace(".test/", ".test//"), 200, None),
        (&path, good.clone() + "&claims={}&scope=", 400, Some("invalid_request")),
        (&path, good.replace(".default", ".default openid"), 200, None),
        (&path, String::new(), 400, Some("unsupported_grant_type")),
        (
            &path,
            good.replace("client_credentials", "password"),
            400,
            Some("unsupported_grant_type"),
        ),
        (&path, good.replace("r.test", "other.test"), 400, Some("invalid_scope")),
        (&path, good.replace("/.default", ""), 400, Some("invalid_scope")),
        (&path, good.replace("everybody", "nobody"), 401, Some("invalid_client")),
        (&path, good.replace("client_secret=", "secret="), 401, Some("invalid_client")),
        (&path, good.replace("000001", "00000f"), 401, Some("invalid_client")),
        (&path, good.replace(CLIENTS[0].1, "registry"), 401, Some("invalid_client")),
        (&path, good.clone() + "&client_id=other", 400, Some("invalid_request")),
        (&format!("{other}/oauth2/v2.0/token"), good, 400, Some("invalid_request")),
    ] {
        let answer = registry.form(target, &form).await;
        done(&answer, &form, status);
        assert_eq!(answer.body["error"].as_str(), error, "{form}");
        assert_eq!(answer.body["access_token"].is_string(), error.is_none());
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    }
}

/// Wrong secrets cost their address as much here as at the token endpoint, and their client too.
#[tokio::test]
async fn guessing_is_slow() {
    let slow = Rate { rate: 0.001, burst: 25 };
    let fast = Rate { rate: 0.0, burst: 1 };
    for (per_address, per_principal, tries) in
        [(slow, fast, 3), (fast, Rate { burst: 3, ..slow }, 3)]
    {
        let limits = Limits { per_address, per_principal, ..Limits::default() };
        for is_authority in [false, true] {
            let server = Server::bare(None, limits.clone(), Providers::default()).await;
            let target = format!("/{}/oauth2/v2.0/token", server.app.policy().registry.tenant);
            let mut statuses = Vec::new();
            for _ in 0..=tries {
                let answer = if is_authority {
                    let form = "grant_type=client_credentials&client_id=administrator&client_secret=x&scope=https://r.test/.default";
                    let request = Request::post(&target).body(Body::from(form)).unwrap();
                    server.send(request).await
                } else {
                    server.get("/registries/registry", basic("administrator", "x")).await
                };
                assert_eq!(answer.headers.contains_key(header::RETRY_AFTER), answer.status == 429);
                statuses.push(answer.status.as_u16());
            }
            assert_eq!(statuses, [401, 401, 401, 429], "{is_authority}");
        }
    }
}

#[tokio::test]
async fn ids_of_others_are_refused() {
    let registry = Registry::start().await;
    let id = registry.id();
    let subscription = registry.server.app.policy().registry.subscription.clone();
    let other = |from: &str, to: &str| id.replace(from, to);
    for path in [
        other(&subscription, OTHER_CLIENT),
        other("scopegate/", "other/"),
        other("/registry", "/registry2"),
    ] {
        refused(
            &registry.owner(&format!("GET {path}"), &Value::Null).await,
            &path,
            404,
            "there is no ",
        );
        for id in [&path, &format!("{path}/tokens")] {
            let body =
                json!({"properties": {"scopeMapId": format!("{id}/scopeMaps/_repositories_pull")}});
            refused(
                &registry.owner("PUT tokens/some-token", &body).await,
                id,
                400,
                "is not an id like",
            );
        }
    }
    let registries = |group: &str| {
        format!(
            "GET /subscriptions/{subscription}{group}/providers/Microsoft.ContainerRegistry/registries"
        )
    };
    for group in ["", "/resourceGroups/scopegate", "/resourceGroups/SCOPEGATE"] {
        let body = registry.must(&registries(group), Value::Null).await;
        assert_eq!(body["value"][0]["name"], "registry", "{group}");
    }
    for path in [
        registries("/resourceGroups/other"),
        registries("").replace(&subscription, OTHER_CLIENT),
        format!("GET /subscriptions/{OTHER_CLIENT}"),
        format!("GET /subscriptions/{OTHER_CLIENT}/resources"),
        format!("GET /subscriptions/{subscription}/elsewhere/and/on"),
        format!("GET {id}/webhooks"),
        format!("POST {id}/importImage"),
        "GET webhooks".into(),
        "GET /registries/other".into(),
        "GET tokens/no-such-token".into(),
        "PATCH tokens/no-such-token".into(),
        "GET scopeMaps/no-such-map".into(),
        "PATCH scopeMaps/no-such-map".into(),
        format!("GET servicePrincipals/{OTHER_CLIENT}"),
        format!("POST servicePrincipals/{OTHER_CLIENT}/secrets"),
        format!("DELETE servicePrincipals/{OTHER_CLIENT}/secrets"),
    ] {
        let body = if path.contains("PATCH") { json!({"properties": {}}) } else { Value::Null };
        let answer = registry.owner(&path, &body).await;
        refused(&answer, &path, 404, "there is no");
        assert_eq!(answer.body["error"]["code"], "ResourceNotFound");
    }
    registry.make_token("some-token", "_REPOSITORIES_pull").await;
    for (id, status) in [
        (format!("{id}/tokens/some-token"), 200),
        (format!("{}/TOKENS/SOME-token", id.to_uppercase()), 200),
        (format!("{id}/tokens/no-such-token"), 404),
        (format!("{id}/tokens/"), 400),
        (format!("{id}/tokens/some-token/x"), 400),
        (format!("{id}/scopeMaps/some-token"), 400),
        (format!("{}/tokens/some-token", other("/registry", "/registrx")), 400),
        ("some-token".into(), 400),
        ("ä".repeat(200), 400),
        (String::new(), 400),
    ] {
        let answer = registry.owner("POST generateCredentials", &json!({"tokenId": id})).await;
        done(&answer, &id, status);
    }
}

fn rules(count: usize) -> Value {
    let rules: Vec<_> = (0..count).map(|n| format!("repositories/r{n}/content/read")).collect();
    json!({"properties": {"actions": rules}})
}

#[tokio::test]
async fn names_and_limits() {
    let registry = Registry::start().await;
    let (fifty, long) = ("a".repeat(50), "a".repeat(51));
    let text = |length: usize| json!({"properties": {"description": "ü".repeat(length)}});
    let empty = json!({"properties": {}});
    let action =
        |action: &str| json!({"properties": {"actions": ["repositories/a/content/read", action]}});
    let path = "p".repeat(240);
    let huge: Vec<_> =
        (0..500).map(|n| format!("repositories/{path}/{n}/metadata/write")).collect();
    let guid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    for (request, body, status, says) in [
        ("PUT tokens/abcde".to_owned(), &empty, 201, ""),
        (format!("PUT tokens/{fifty}"), &empty, 201, ""),
        ("PUT tokens/-----".into(), &empty, 201, ""),
        ("PUT tokens/abcd".into(), &empty, 400, "5 to 50"),
        (format!("PUT tokens/{long}"), &empty, 400, "5 to 50"),
        ("PUT tokens/under_score".into(), &empty, 400, "letters, digits"),
        ("PUT tokens/with%20space".into(), &empty, 400, "letters, digits"),
        ("PUT tokens/with%2Fslash".into(), &empty, 400, "letters, digits"),
        ("PUT tokens/%C3%A4%C3%A4%C3%A4%C3%A4".into(), &empty, 400, "letters, digits"),
        ("PUT tokens/%FF%FF%FF%FF%FF".into(), &empty, 400, ""),
        (format!("PUT tokens/{guid}"), &empty, 400, "client ids"),
        (format!("PUT tokens/{}", guid.replace('-', "").to_uppercase()), &empty, 400, "client ids"),
        ("PUT tokens/Administrator".into(), &empty, 400, "client ids"),
        ("PUT tokens/REGISTRY".into(), &empty, 400, "registry's own name"),
        ("PUT tokens/registry2".into(), &empty, 201, ""),
        ("PUT scopeMaps/abcde".into(), &empty, 201, ""),
        (format!("PUT scopeMaps/{fifty}"), &empty, 201, ""),
        ("PUT scopeMaps/with_under-score".into(), &empty, 201, ""),
        ("PUT scopeMaps/abcd".into(), &empty, 400, "scope map `abcd`"),
        (format!("PUT scopeMaps/{long}"), &empty, 400, "scope map"),
        ("PUT scopeMaps/with.dot".into(), &empty, 400, "scope map"),
        ("PUT scopeMaps/_mine_alone".into(), &empty, 409, "system-defined"),
        ("PUT scopeMaps/described".into(), &text(256), 201, ""),
        ("PUT scopeMaps/described".into(), &text(257), 400, "256"),
        ("PATCH scopeMaps/described".into(), &text(257), 400, "256"),
        ("PUT scopeMaps/full-map".into(), &rules(500), 201, ""),
        ("PUT scopeMaps/full-map".into(), &rules(501), 400, "500"),
        ("PATCH scopeMaps/full-map".into(), &rules(501), 400, "500"),
        ("PUT scopeMaps/huge-map".into(), &json!({"properties": {"actions": huge}}), 201, ""),
        (
            "PUT scopeMaps/wrong-map".into(),
            &action("repositories/a*/content/read"),
            400,
            "actions[1] `repositories/a*/content/read`",
        ),
        (
            "PUT scopeMaps/wrong-map".into(),
            &action("repositories/a/content/fly"),
            400,
            "actions[1]",
        ),
        ("PUT scopeMaps/wrong-map".into(), &action(""), 400, "actions[1] ``"),
        ("PUT scopeMaps/wrong-map".into(), &action("repositories/a//b/content/read"), 400, "("),
        (
            format!("PUT servicePrincipals/{guid}"),
            &json!({"displayName": "x".repeat(256)}),
            200,
            "",
        ),
        (
            format!("PUT servicePrincipals/{guid}"),
            &json!({"displayName": "x".repeat(257)}),
            400,
            "256",
        ),
        (
            format!("PUT servicePrincipals/{guid}"),
            &json!({"roles": ["King"]}),
            400,
            "there is no role `King`; use AcrPull",
        ),
        (
            format!("PUT servicePrincipals/{guid}"),
            &json!({"scopeMaps": ["no-such-map"]}),
            400,
            "there is no scope map",
        ),
        ("PUT servicePrincipals/some-client".into(), &json!({}), 400, "use a GUID"),
        (format!("PUT servicePrincipals/{}", guid.replace('-', "")), &json!({}), 400, "use a GUID"),
        (
            "PUT servicePrincipals/00000000-0000-0000-0000-000000000000".into(),
            &json!({}),
            400,
            "use a GUID",
        ),
        (
            format!("POST servicePrincipals/{guid}/secrets"),
            &json!({"secret": format!("sgp_{}", "A".repeat(43))}),
            400,
            "looks like a generated one",
        ),
        (
            format!("POST servicePrincipals/{guid}/secrets"),
            &json!({"secret": "x".repeat(15)}),
            400,
            "16 to 256",
        ),
        (
            format!("POST servicePrincipals/{guid}/secrets"),
            &json!({"secret": "x".repeat(257)}),
            400,
            "16 to 256",
        ),
        (
            format!("POST servicePrincipals/{guid}/secrets"),
            &json!({"secret": "x".repeat(16)}),
            200,
            "",
        ),
    ] {
        let answer = registry.owner(&request, body).await;
        if status >= 400 {
            refused(&answer, &request, status, says);
        } else {
            done(&answer, &request, status);
        }
    }
    let client = registry
        .must(
            &format!("PUT servicePrincipals/{guid}"),
            json!({"roles": ["Owner", "Reader", "Owner"], "scopeMaps": ["ABCDE", "abcde"]}),
        )
        .await;
    assert_eq!(
        (&client["roles"], &client["scopeMaps"]),
        (&json!(["Owner", "Reader"]), &json!(["abcde"]))
    );
}

#[tokio::test]
async fn requests_that_are_none() {
    let registry = Registry::start().await;
    let owner = registry.authorization("Owner");
    let id = format!("{}/tokens/some-token", registry.id());
    registry.make_token("some-token", "_repositories_pull").await;
    let big = format!("{{\"properties\":{{\"description\":\"{}\"}}}}", "x".repeat(300_000));
    let deep = "[".repeat(100_000);
    for (request, body, status, says) in [
        ("PUT scopeMaps/some-map", "", 400, "missing field `properties`"),
        ("PUT scopeMaps/some-map", "null", 400, "expected an object"),
        ("PUT scopeMaps/some-map", "{", 400, "line 1"),
        ("PUT scopeMaps/some-map", "not json", 400, "line 1 column"),
        ("PUT scopeMaps/some-map", "\u{feff}{}", 400, "line 1"),
        ("PUT scopeMaps/some-map", "{\"properties\":[1]}", 400, "cannot be read"),
        (
            "PUT scopeMaps/some-map",
            "{\"properties\":{\"actions\":\"x\"}}",
            400,
            "expected a sequence",
        ),
        (
            "PUT scopeMaps/some-map",
            "{\"properties\":{\"actions\":[null]}}",
            400,
            "expected a string",
        ),
        ("PUT scopeMaps/some-map", "{\"properties\":{},\"properties\":{}}", 400, "duplicate field"),
        ("PUT scopeMaps/some-map", &deep, 400, "cannot be read"),
        ("PUT scopeMaps/some-map", &big, 413, "262144 bytes"),
        (
            "PUT tokens/some-token",
            "{\"properties\":{\"status\":\"asleep\"}}",
            400,
            "expected `enabled` or `disabled`",
        ),
        (
            "PATCH tokens/some-token",
            "{\"properties\":{\"credentials\":{\"passwords\":[{\"name\":\"password3\"}]}}}",
            400,
            "expected one of `password`, `password1`, `password2`",
        ),
        (
            "PATCH tokens/some-token",
            "{\"properties\":{\"credentials\":{\"passwords\":[{}]}}}",
            400,
            "missing field `name`",
        ),
        ("POST generateCredentials", "", 400, "missing field `tokenId`"),
        ("POST regenerateCredential", "", 400, "missing field `name`"),
        ("POST regenerateCredential", "{\"name\":\"password9\"}", 400, "expected one of"),
        ("PATCH ", "{\"properties\":{\"adminUserEnabled\":\"yes\"}}", 400, "expected a boolean"),
        ("GET tokens?$top=0", "", 400, "`$top` is a number from 1 to 500"),
        ("GET tokens?$top=-1", "", 400, "`$top`"),
        ("GET tokens?$top=501", "", 400, "`$top`"),
        ("GET tokens?$top=many", "", 400, "`$top`"),
        ("GET tokens?$top=", "", 400, "`$top`"),
        ("GET tokens?$top=1&$top=2", "", 400, "the query cannot be read"),
        ("GET generations?since=x", "", 400, "the query cannot be read"),
    ] {
        let answer = registry.send(owner.as_deref(), request, body.to_owned()).await;
        refused(&answer, &format!("{request} {}", &body[..body.len().min(80)]), status, says);
    }
    let in_ten_years = "2036-01-01T00:00:00Z";
    for (name, expiry, status, expected) in [
        (json!("password1"), json!(in_ten_years), 200, Some(in_ten_years)),
        (json!("password1"), json!("2036-01-01T01:00:00.994606+01:00"), 200, Some(in_ten_years)),
        (Value::Null, Value::Null, 200, None),
        (json!("password2"), json!("9999-12-31T23:59:59.999999+00:00"), 200, None),
        (json!("password2"), json!("9999-12-31T23:59:59Z"), 200, None),
        (json!("password1"), json!("2020-01-01T00:00:00Z"), 400, Some("the expiry is past")),
        (json!("password1"), json!("0001-01-01T00:00:00Z"), 400, Some("the expiry is past")),
        (json!("password1"), json!("tomorrow"), 400, Some("is not a time")),
        (json!("password1"), json!("2036-01-01"), 400, Some("is not a time")),
        (json!("password1"), json!(""), 400, Some("is not a time")),
        (json!("password1"), json!("2036-13-01T00:00:00Z"), 400, Some("is not a time")),
        (json!("password"), Value::Null, 400, Some("no `password`")),
    ] {
        let body = json!({"tokenId": id, "name": name, "expiry": expiry});
        let answer = registry.owner("POST generateCredentials", &body).await;
        if status == 200 {
            done(&answer, &body.to_string(), 200);
            assert_eq!(answer.body["passwords"][0]["expiry"].as_str(), expected, "{expiry}");
        } else {
            refused(&answer, &body.to_string(), status, expected.unwrap());
        }
    }
}

#[tokio::test]
async fn scope_maps_are_written_as_they_count() {
    let registry = Registry::start().await;
    let written = registry.must("PUT scopeMaps/My_Map", json!({
        "id": "/elsewhere", "name": "other-name", "type": "x", "location": "moon",
        "properties": {
            "description": "Mine", "type": "SystemDefined", "creationDate": "1999-01-01T00:00:00Z", "colour": "red",
            "actions": ["Repositories/B/Content/Read", "repositories/a/*/metadata/write", "repositories/b/content/read"],
        },
    })).await;
    let id = format!("{}/scopeMaps/My_Map", registry.id());
    assert_eq!((&written["id"], &written["name"]), (&json!(id), &json!("My_Map")));
    let properties = &written["properties"];
    assert_eq!(properties["type"], "UserDefined");
    assert_eq!(properties["provisioningState"], "Succeeded");
    assert_ne!(properties["creationDate"], "1999-01-01T00:00:00Z");
    let actions = json!(["repositories/b/content/read", "repositories/a/*/metadata/write"]);
    assert_eq!(properties["actions"], actions);
    assert_eq!(registry.must("GET scopeMaps/MY_MAP", Value::Null).await, written);
    // PATCH leaves what it does not name; PUT does not.
    for (request, body, description, expected) in [
        ("PATCH", json!({"description": "Ours"}), "Ours", &actions),
        ("PATCH", json!({"actions": null, "description": null}), "Ours", &actions),
        ("PATCH", json!({"actions": []}), "Ours", &json!([])),
        (
            "PUT",
            json!({"actions": ["repositories/c/content/read"]}),
            "",
            &json!(["repositories/c/content/read"]),
        ),
        ("PUT", json!({"description": "Again"}), "Again", &json!([])),
    ] {
        let body = json!({"properties": body});
        let now = registry.must(&format!("{request} scopeMaps/my_map"), body.clone()).await;
        assert_eq!(now["properties"]["description"], description, "{body}");
        assert_eq!(&now["properties"]["actions"], expected, "{body}");
    }
    for request in ["PUT", "PATCH", "DELETE"] {
        for name in ["_repositories_pull", "_Repositories_Admin"] {
            let answer = registry.owner(&format!("{request} scopeMaps/{name}"), &rules(1)).await;
            refused(&answer, request, 409, "system-defined and cannot be changed");
        }
    }
    let list = registry.must("GET scopeMaps", Value::Null).await;
    let kinds: Vec<_> = list["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|map| map["properties"]["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "SystemDefined").count(), 5);
    // A map that somebody has stays, whoever it is.
    registry.make_token("some-token", "my_map").await;
    let client = format!("PUT servicePrincipals/{OTHER_CLIENT}");
    registry.must(&client, json!({"scopeMaps": ["my_map"]})).await;
    let in_use =
        |answer: &Answer, user: &str| refused(answer, user, 409, &format!("is used by `{user}`"));
    in_use(&registry.owner("DELETE scopeMaps/my_map", &Value::Null).await, "some-token");
    done(&registry.owner("DELETE tokens/some-token", &Value::Null).await, "token", 200);
    in_use(&registry.owner("DELETE scopeMaps/my_map", &Value::Null).await, OTHER_CLIENT);
    registry.must(&client, json!({"scopeMaps": []})).await;
    for status in [200, 204] {
        done(&registry.owner("DELETE scopeMaps/My_map", &Value::Null).await, "map", status);
    }
    refused(
        &registry.owner("GET scopeMaps/my_map", &Value::Null).await,
        "map",
        404,
        "there is no scope map",
    );
}

/// The names of a token's passwords, as management shows them; never with a value.
fn names(token: &Value) -> String {
    let passwords = token["properties"]["credentials"]["passwords"].as_array().unwrap();
    assert!(passwords.iter().all(|password| password.get("value").is_none()));
    passwords
        .iter()
        .map(|password| password["name"].as_str().unwrap())
        .collect::<Vec<_>>()
        .join(" ")
}

/// What `az acr token` does, on both databases.
async fn the_life_of_a_token(registry: Registry) {
    let id = registry.id();
    registry
        .must(
            "PUT scopeMaps/other-map",
            json!({"properties": {"actions": ["repositories/a/content/read"]}}),
        )
        .await;
    let pull = format!("{id}/scopeMaps/_repositories_pull");
    let made = registry.must("PUT tokens/My-Token", json!({"properties": {
        "status": "enabled", "scopeMapId": pull, "roles": ["Owner"], "principal": "admin", "generation": 0,
        "credentials": {"certificates": [{"name": "certificate1"}], "passwords": [{"name": "password1", "value": "chosen by the caller", "sha256": "00"}]},
    }})).await;
    assert_eq!((&made["name"], names(&made).as_str()), (&json!("My-Token"), ""));
    assert_eq!(made["properties"]["scopeMapId"], pull);
    assert_eq!(registry.login("My-Token", "chosen by the caller").await, 401);
    let token_id = json!(format!("{id}/tokens/my-token"));
    let generate = async |extra: Value| {
        let mut body = json!({"tokenId": token_id, "value": "chosen by the caller"});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        registry.must("POST generateCredentials", body).await
    };
    let both = generate(json!({})).await;
    assert_eq!(both["username"], "My-Token");
    let value =
        |body: &Value, index: usize| body["passwords"][index]["value"].as_str().unwrap().to_owned();
    let (one, two) = (value(&both, 0), value(&both, 1));
    assert!(one != two && one.len() == 47);
    let again = generate(json!({"name": "password2"})).await;
    // The new one stands first, as `az` reads it; the other one has no value.
    assert_eq!(again["passwords"][0]["name"], "password2");
    assert_eq!(again["passwords"][1]["name"], "password1");
    assert!(again["passwords"][1].get("value").is_none());
    let new_two = value(&again, 0);
    for (password, expected) in [(&one, 200), (&two, 401), (&new_two, 200)] {
        assert_eq!(registry.login("MY-token", password).await, expected);
    }
    // Nothing shows a value again, nor a digest.
    for path in [
        "GET tokens/my-token",
        "GET tokens",
        "GET ",
        "GET scopeMaps",
        "GET generations",
        "GET bundle",
        "GET /openapi.json",
    ] {
        let answer = registry.owner(path, &Value::Null).await;
        assert_eq!(answer.status, 200, "{path}");
        let mut text = String::from_utf8(answer.bytes.to_vec()).unwrap();
        if let Some(payload) = text.split('.').nth(1).filter(|_| path.ends_with("bundle")) {
            text = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        }
        for secret in [&one, &two, &new_two, "sha256", "$argon2"] {
            assert!(!text.contains(secret), "{path}");
        }
    }
    let other = format!("{id}/scopeMaps/OTHER-map");
    for (body, map, status, left) in [
        (json!({}), "_repositories_pull", "enabled", "password1 password2"),
        (json!({"status": "enabled"}), "_repositories_pull", "enabled", "password1 password2"),
        (json!({"status": "disabled"}), "_repositories_pull", "disabled", "password1 password2"),
        (
            json!({"scopeMapId": null, "credentials": null}),
            "_repositories_pull",
            "disabled",
            "password1 password2",
        ),
        (
            json!({"status": "enabled", "scopeMapId": other}),
            "other-map",
            "enabled",
            "password1 password2",
        ),
        (
            json!({"credentials": {"certificates": []}}),
            "other-map",
            "enabled",
            "password1 password2",
        ),
        (
            json!({"credentials": {"passwords": [{"name": "password2", "value": "mine"}]}}),
            "other-map",
            "enabled",
            "password2",
        ),
        (
            json!({"credentials": {"passwords": [{"name": "password1"}, {"name": "password2"}]}}),
            "other-map",
            "enabled",
            "password2",
        ),
        (json!({"credentials": {"passwords": []}}), "other-map", "enabled", ""),
    ] {
        let body = json!({"properties": body});
        let token = registry.must("PATCH tokens/my-token", body.clone()).await;
        assert_eq!(registry.must("GET tokens/my-token", Value::Null).await, token);
        assert_eq!(token["properties"]["scopeMapId"], format!("{id}/scopeMaps/{map}"), "{body}");
        assert_eq!(token["properties"]["status"], status, "{body}");
        assert_eq!(names(&token), left, "{body}");
        let good = if status == "enabled" && left.contains('2') { 200 } else { 401 };
        assert_eq!(registry.login("my-token", &new_two).await, good, "{body}");
    }
    let missing = json!({"properties": {"scopeMapId": format!("{id}/scopeMaps/no-such-map")}});
    refused(
        &registry.owner("PATCH tokens/my-token", &missing).await,
        "map",
        400,
        "there is no scope map `no-such-map`",
    );
    for (status, row) in [(200, "once"), (204, "twice")] {
        done(&registry.owner("DELETE tokens/MY-TOKEN", &Value::Null).await, row, status);
    }
    registry.must("PUT tokens/my-token", json!({"properties": {}})).await;
    assert_eq!(registry.login("my-token", &one).await, 401);
}

#[tokio::test]
async fn the_life_of_a_token_on_sqlite() {
    the_life_of_a_token(Registry::start().await).await;
}

#[tokio::test]
async fn the_life_of_a_token_on_postgres() {
    let database = Database::postgres().await;
    the_life_of_a_token(Registry::with(database.url.as_deref(), Providers::default()).await).await;
}

#[tokio::test]
async fn the_admin_account() {
    let registry = Registry::start().await;
    let settings = |settings: Value| json!({"properties": settings});
    refused(
        &registry.owner("POST listCredentials", &Value::Null).await,
        "off",
        409,
        "--admin-enabled true",
    );
    refused(
        &registry.owner("POST regenerateCredential", &json!({"name": "password"})).await,
        "off",
        409,
        "disabled",
    );
    let shown = registry
        .must("PATCH ", settings(json!({"adminUserEnabled": true, "loginServer": "evil.test"})))
        .await;
    assert_eq!(shown["properties"]["loginServer"], "r.test");
    let first = registry.must("POST listCredentials", Value::Null).await;
    assert_eq!(first["username"], "registry");
    let value =
        |body: &Value, index: usize| body["passwords"][index]["value"].as_str().unwrap().to_owned();
    let (one, two) = (value(&first, 0), value(&first, 1));
    let again = registry.must("POST listCredentials", json!({})).await;
    for index in [0, 1] {
        assert_eq!(again["passwords"][index]["name"], first["passwords"][index]["name"]);
        assert!(again["passwords"][index].get("value").is_none());
    }
    assert_eq!(
        [registry.login("registry", &one).await, registry.login("REGISTRY", &two).await],
        [200, 200]
    );
    let renewed = registry
        .must("POST regenerateCredential", json!({"name": "password2", "value": "mine"}))
        .await;
    assert_eq!(renewed["passwords"][0], again["passwords"][0]);
    let new_two = value(&renewed, 1);
    refused(
        &registry.owner("POST regenerateCredential", &json!({"name": "password1"})).await,
        "1",
        400,
        "no `password1`",
    );
    for (enabled, expected) in
        [(true, [200, 401, 200]), (false, [401, 401, 401]), (true, [200, 401, 200])]
    {
        let shown = registry.must("PATCH ", settings(json!({"adminUserEnabled": enabled}))).await;
        assert_eq!(shown["properties"]["adminUserEnabled"], enabled);
        let mut statuses = Vec::new();
        for password in [&one, &two, &new_two] {
            statuses.push(registry.login("registry", password).await);
        }
        assert_eq!(statuses, expected);
    }
    // What is left out stays.
    let shown = registry.must("PATCH ", settings(json!({"anonymousPullEnabled": true}))).await;
    assert_eq!(
        (&shown["properties"]["adminUserEnabled"], &shown["properties"]["anonymousPullEnabled"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(registry.server.get("/oauth2/token", None).await.status, 200);
}

/// Every token stands in the list exactly once, although others come and go between the pages.
#[tokio::test]
async fn the_pages_of_a_list() {
    let registry = Registry::start().await;
    let mut write = registry.server.app.store.write().await.unwrap();
    for number in 0..1200 {
        let name = format!("Token-{number:04}");
        tokens::put(&mut write, &name, "registry", TokenEdit::default()).await.unwrap();
    }
    scopegate_server::testing::app::watch::commit(&registry.server.app, write).await.unwrap();
    for (query, pages) in [
        ("", 3),
        ("?$top=500", 3),
        ("?$top=400", 4),
        ("?$top=77&api-version=2026-09-01-preview", 16),
    ] {
        let mut next = Some(format!("GET tokens{query}"));
        let (mut seen, mut count) = (Vec::new(), 0);
        while let Some(request) = next {
            let page = registry.must(&request, Value::Null).await;
            seen.extend(
                page["value"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|token| token["name"].as_str().unwrap().to_owned()),
            );
            next = page["nextLink"]
                .as_str()
                .map(|link| format!("GET {}", link.strip_prefix("https://r.test").unwrap()));
            count += 1;
            // Before and behind where the list stands.
            let mut write = registry.server.app.store.write().await.unwrap();
            for name in [format!("aaa-{count:04}"), format!("zzz-{count:04}")] {
                if !write.delete(&RecordKey::Token(name.clone())).await.unwrap() {
                    tokens::put(&mut write, &name, "registry", TokenEdit::default()).await.unwrap();
                }
            }
            scopegate_server::testing::app::watch::commit(&registry.server.app, write)
                .await
                .unwrap();
        }
        let stayed: Vec<_> = seen.iter().filter(|name| name.starts_with("Token-")).collect();
        assert_eq!(stayed.len(), 1200, "{query}");
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "{query}");
        assert!(stayed.is_sorted());
        assert!(count >= pages, "{query}: {count}");
    }
}

/// Scope maps are long, so a page has a hundred of them, whatever is asked for.
#[tokio::test]
async fn a_page_of_scope_maps_is_short() {
    let registry = Registry::start().await;
    let mut write = registry.server.app.store.write().await.unwrap();
    for number in 0..250 {
        let edit = ScopeMapEdit { description: None, actions: Some(Vec::new()) };
        scope_maps::put(&mut write, &format!("map-{number:03}"), edit).await.unwrap();
    }
    scopegate_server::testing::app::watch::commit(&registry.server.app, write).await.unwrap();
    let (mut next, mut pages) = (Some("GET scopeMaps?$top=500".to_owned()), Vec::new());
    while let Some(request) = next {
        let page = registry.must(&request, Value::Null).await;
        pages.push(page["value"].as_array().unwrap().len());
        let link = page["nextLink"].as_str();
        next = link.map(|link| format!("GET {}", link.strip_prefix("https://r.test").unwrap()));
    }
    assert_eq!(pages, [100, 100, 55]);
}

#[tokio::test]
async fn what_clients_ask_before_they_log_in() {
    let registry = Registry::start().await;
    for path in [
        "/metadata/endpoints",
        "//metadata/endpoints",
        "/metadata/endpoints?api-version=2022-09-01",
    ] {
        let answer = registry.server.get(path, None).await;
        done(&answer, path, 200);
        assert_eq!(answer.body["resourceManager"], "https://r.test");
        assert_eq!(answer.body["authentication"]["loginEndpoint"], "https://r.test");
        assert_eq!(answer.body["suffixes"]["acrLoginServer"], "test");
    }
    let subscription = registry.server.app.policy().registry.subscription.clone();
    let list = registry.must("GET /subscriptions", Value::Null).await;
    assert_eq!(list["value"][0]["subscriptionId"], subscription);
    assert_eq!(
        registry.must(&format!("GET /subscriptions/{subscription}"), Value::Null).await,
        list["value"][0]
    );
    let filter = "$filter=resourceType%20eq%20%27Microsoft.ContainerRegistry/registries%27&api-version=2024-11-01";
    let found = registry
        .must(&format!("GET /subscriptions/{subscription}/resources?{filter}"), Value::Null)
        .await;
    assert_eq!(
        (&found["value"][0]["id"], &found["value"][0]["name"]),
        (&json!(registry.id()), &json!("registry"))
    );
    let shown = registry.must(&format!("GET {}?api-version=1", registry.id()), Value::Null).await;
    assert_eq!(shown["properties"]["provisioningState"], "Succeeded");
}

/// What the edge is told is what the server itself grants, and a change is in it at once.
#[tokio::test]
async fn the_bundle_for_the_edge() {
    let registry = Registry::start().await;
    let rules = json!(["repositories/team/*/content/read", "repositories/team/*/content/write"]);
    registry.must("PATCH ", json!({"properties": {"adminUserEnabled": true}})).await;
    registry.must("PUT scopeMaps/Team-map", json!({"properties": {"actions": rules}})).await;
    registry.make_token("Writer", "team-map").await;
    registry.make_token("Other", "team-map").await;
    let [password, _] = registry.passwords("Writer").await;
    let (first, tag) = registry.bundle(None).await;
    let policy = registry.edge(&first.unwrap(), None);
    let before = registry.access("Writer", &password).await;
    let reader = CLIENTS[0].1;
    for (name, secret, expected) in [
        ("Writer", password.as_str(), "pull,push - -"),
        (reader, SECRET, "pull pull *"),
        ("acr_anon_pull", "", "- - -"),
    ] {
        let claims = match secret {
            "" => AccessClaims {
                sub: name.into(),
                principal: Some(PrincipalKind::Anonymous),
                ..before.clone()
            },
            secret => registry.access(name, secret).await,
        };
        assert_eq!(granted(&policy, &claims), expected, "{name}");
    }
    let unchanged = match registry.bundle(Some(&tag)).await {
        // A minute may end between two questions, and not between three.
        (Some(_), next) => registry.bundle(Some(&next)).await.0,
        (None, _) => None,
    };
    assert_eq!(unchanged, None);

    let less = json!({"properties": {"actions": [rules[0]]}});
    registry.must("PATCH scopeMaps/Team-map", less).await;
    let (second, newer) = registry.bundle(Some(&tag)).await;
    assert_ne!(newer, tag);
    let second = registry.edge(&second.unwrap(), Some(&policy));
    assert!(second.holder(&before).is_none(), "a token from before the change");
    let after = registry.access("Writer", &password).await;
    assert_eq!(granted(&second, &after), "pull - -");
    // The tables decide, whatever the token says.
    let claims = AccessClaims { access: before.access.clone(), ..after.clone() };
    assert_eq!(granted(&second, &claims), "pull - -");

    registry.must("PATCH tokens/Writer", json!({"properties": {"status": "disabled"}})).await;
    let (third, _) = registry.bundle(None).await;
    let third = registry.edge(&third.unwrap(), Some(&second));
    assert!(third.holder(&after).is_none());
    let forged = AccessClaims { generation: Some(u64::MAX >> 1), ..claims };
    assert_eq!(granted(&third, &forged), "- - -", "whoever is disabled has no scope map");
    registry.must("DELETE tokens/Writer", Value::Null).await;
    let (fourth, _) = registry.bundle(None).await;
    let fourth = registry.edge(&fourth.unwrap(), Some(&third));
    assert!(fourth.holder(&forged).is_none(), "whoever is gone");
    // Maps that are equal are written once, and the roles' are there for whoever has them.
    let (text, _) = registry.bundle(None).await;
    let bundle: Value = registry.open(&text.unwrap());
    let others = |p: &&Value| p["sub"] == "other";
    let other = bundle["principals"].as_array().unwrap().iter().find(others).unwrap();
    assert_eq!(other["tables"].as_array().unwrap().len(), 1);
    let distinct: BTreeSet<_> =
        bundle["tables"].as_array().unwrap().iter().map(Value::to_string).collect();
    assert_eq!(distinct.len(), bundle["tables"].as_array().unwrap().len());
}

/// What is left of a token that asks for three things, as a host decides it; `-` for nothing.
fn granted(policy: &Policy, claims: &AccessClaims) -> String {
    let holder = policy.holder(claims).unwrap();
    let grants = holder.grants(claims, &Settings::default());
    let on = |name: &str| {
        let actions = grants.iter().filter(|grant| grant.name == name).map(|grant| grant.actions);
        match actions.fold(ActionSet::NONE, ActionSet::union).to_string() {
            none if none.is_empty() => "-".to_owned(),
            some => some,
        }
    };
    ["team/app", "other", "catalog"].map(on).join(" ")
}

/// The description, and the copy of it that people read. `SCOPEGATE_BLESS=1` writes the copy anew.
#[tokio::test]
async fn the_description_of_the_api() {
    let registry = Registry::start().await;
    let document = registry.server.get("/openapi.json", None).await.body;
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(path.starts_with("/registries/{registry}"), "{path}");
        let declared: Vec<_> = item["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["name"].as_str().unwrap())
            .collect();
        let used: Vec<_> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        assert_eq!(declared, used, "{path}");
        for (method, operation) in
            item.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters")
        {
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path}"));
            assert!(ids.insert(id.to_owned()), "{id}");
            assert!(operation["responses"].as_object().unwrap().contains_key("default"), "{id}");
        }
    }
    assert!(ids.contains("generate_credentials"));
    check_references(&document, &document);
    let copy = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
    if std::env::var_os("SCOPEGATE_BLESS").is_some() {
        std::fs::write(&copy, &text).unwrap();
    }
    let known = std::fs::read_to_string(&copy).unwrap_or_default();
    assert!(
        known == text,
        "openapi.json is not what the server describes: run this test with SCOPEGATE_BLESS=1"
    );
}

/// Whatever is referred to is there.
fn check_references(value: &Value, document: &Value) {
    match value {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
            }
            fields.values().for_each(|field| check_references(field, document));
        }
        Value::Array(values) => values.iter().for_each(|value| check_references(value, document)),
        _ => {}
    }
}

impl Registry {
    /// The bundle, unless the one with this tag is still right, and the tag of the answer.
    async fn bundle(&self, known: Option<&str>) -> (Option<String>, String) {
        let mut request = Request::get("/registries/registry/bundle");
        request = request.header(header::AUTHORIZATION, self.authorization("Reader").unwrap());
        if let Some(tag) = known {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        let answer = self.server.send(request.body(Body::empty()).unwrap()).await;
        let tag = answer.headers[header::ETAG].to_str().unwrap().to_owned();
        let text = String::from_utf8(answer.bytes.to_vec()).unwrap();
        match answer.status.as_u16() {
            304 => (None, tag),
            200 => (Some(text), tag),
            status => panic!("{status}: {text}"),
        }
    }

    /// What the feed of version 2 says.
    async fn newest_feed(&self, since: i64) -> Value {
        let target = format!("/registries/registry/generations?since={since}");
        self.newest(&target, "application/vnd.scopegate.generations.v2+json").await.body
    }

    async fn newest_bundle(&self) -> String {
        let media_type = "application/vnd.scopegate.bundle.v2+jose";
        let answer = self.newest("/registries/registry/bundle", media_type).await;
        String::from_utf8(answer.bytes.to_vec()).unwrap()
    }

    async fn bundle_by(&self, authorization: Option<String>) -> String {
        let media_type = "application/vnd.scopegate.bundle.v2+jose";
        let request = Request::get("/registries/registry/bundle")
            .header(header::AUTHORIZATION, authorization.unwrap())
            .header(header::ACCEPT, media_type);
        let answer = self.server.send(request.body(Body::empty()).unwrap()).await;
        String::from_utf8(answer.bytes.to_vec()).unwrap()
    }

    async fn newest(&self, target: &str, media_type: &str) -> Answer {
        let request = Request::get(target)
            .header(header::AUTHORIZATION, self.authorization("EdgeReader").unwrap())
            .header(header::ACCEPT, media_type);
        let answer = self.server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.headers[header::CONTENT_TYPE], media_type);
        answer
    }

    /// The claims of a token that opens nothing.
    fn some_claims(&self) -> AccessClaims {
        let subject = Subject::new("some", PrincipalKind::Token, 0);
        let token =
            self.server.app.issuer.access_token(&subject, "rid", Vec::new(), 60, clock::now());
        let now = clock::now();
        self.server.app.issuer.verify_access(&token.unwrap(), now).unwrap()
    }

    /// The payload of a bundle, whose signature is the server's.
    fn open(&self, text: &str) -> Value {
        self.server.app.issuer.verify(text, "bundle:r.test", clock::now()).unwrap()
    }

    fn edge(&self, text: &str, held: Option<&Policy>) -> Policy {
        let payload = self.open(text).to_string();
        let now = clock::now().unsigned_abs();
        let (issuer, service) = ("test-issuer", "r.test");
        let expected = Expected { issuer, service, epoch: Epoch::Unknown, now };
        Policy::read(payload.as_bytes(), &expected, held).unwrap()
    }

    /// The claims of an access token for three things.
    async fn access(&self, name: &str, password: &str) -> AccessClaims {
        let target = "/oauth2/token?service=r.test&scope=repository:team/app:pull,push&scope=repository:other:pull&scope=registry:catalog:*";
        let answer = self.server.get(target, basic(name, password)).await;
        serde_json::from_value(answer.claims(&self.server)).unwrap()
    }

    /// Who got a new generation after a revision, in words, and the revision of the answer.
    async fn feed(&self, since: i64) -> (i64, String) {
        let body = self.must(&format!("GET generations?since={since}"), Value::Null).await;
        let mut changed: Vec<_> = body["changed"]
            .as_array()
            .unwrap()
            .iter()
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

    /// A refresh token, by name and password.
    async fn refresh_token(&self, name: &str, password: &str) -> String {
        let form =
            format!("grant_type=password&username={name}&password={password}&access_type=offline");
        let body = self.form("/oauth2/token", &form).await.body;
        body["refresh_token"].as_str().unwrap_or_else(|| panic!("{name}: {body}")).to_owned()
    }

    /// What a refresh token opens: a status, and the access to one repository.
    async fn opens(&self, refresh_token: &str) -> String {
        let form = format!(
            "grant_type=refresh_token&refresh_token={refresh_token}&scope=repository:a:pull,push"
        );
        let answer = self.form("/oauth2/token", &form).await;
        if answer.status == 200 {
            answer.access(&self.server)
        } else {
            answer.status.as_u16().to_string()
        }
    }
}

/// Each row: an edit, whose generation is new after it, and what the refresh tokens of the token
/// and of the client open then.
#[tokio::test]
async fn which_edit_ends_which_tokens() {
    let registry = Registry::start().await;
    let id = registry.id();
    let client = format!("servicePrincipals/{OTHER_CLIENT}");
    let map = |actions: &[&str]| {
        let actions: Vec<_> =
            actions.iter().map(|action| format!("repositories/a/content/{action}")).collect();
        json!({"properties": {"actions": actions}})
    };
    let in_token = |properties: Value| json!({"properties": properties});
    let both = format!("service_principal:{OTHER_CLIENT} token:reader");
    let (token, service) = ("token:reader".to_owned(), format!("service_principal:{OTHER_CLIENT}"));
    let (all, pull) = ("repository:a:pull,push", "repository:a:pull");
    let generate = |name: &str| json!({"tokenId": format!("{id}/tokens/reader"), "name": name});
    for (request, body, changed, by_token, by_client) in [
        ("PATCH scopeMaps/some-map", map(&["read"]), &both, pull, pull),
        ("PATCH scopeMaps/some-map", map(&[]), &both, "", ""),
        ("PUT scopeMaps/some-map", map(&["read", "write", "delete"]), &String::new(), all, all),
        (
            "PATCH scopeMaps/some-map",
            in_token(json!({"description": "x"})),
            &String::new(),
            all,
            all,
        ),
        ("PATCH scopeMaps/other-map", map(&[]), &String::new(), all, all),
        ("PATCH tokens/reader", in_token(json!({"status": "enabled"})), &String::new(), all, all),
        ("PATCH tokens/reader", in_token(json!({"status": "disabled"})), &token, "401", all),
        ("DELETE tokens/reader", Value::Null, &token, "401", all),
        (
            "PATCH tokens/reader",
            in_token(json!({"scopeMapId": format!("{id}/scopeMaps/some-MAP")})),
            &String::new(),
            all,
            all,
        ),
        (
            "PATCH tokens/reader",
            in_token(json!({"scopeMapId": format!("{id}/scopeMaps/other-map")})),
            &token,
            "401",
            all,
        ),
        (
            "PATCH tokens/reader",
            in_token(json!({"credentials": {"passwords": [{"name": "password1"}]}})),
            &String::new(),
            all,
            all,
        ),
        (
            "PATCH tokens/reader",
            in_token(json!({"credentials": {"passwords": []}})),
            &token,
            "401",
            all,
        ),
        ("POST generateCredentials", generate("password2"), &String::new(), all, all),
        ("POST generateCredentials", generate("password1"), &token, "401", all),
        (
            &format!("PUT {client}"),
            json!({"displayName": "x", "enabled": true, "roles": ["AcrPull", "Reader"]}),
            &String::new(),
            all,
            all,
        ),
        (&format!("PUT {client}"), json!({"enabled": false}), &service, all, "401"),
        (&format!("PUT {client}"), json!({"roles": []}), &service, all, "401"),
        (&format!("PUT {client}"), json!({"scopeMaps": []}), &service, all, "401"),
        (
            &format!("PUT {client}"),
            json!({"scopeMaps": ["some-map", "some-MAP"]}),
            &String::new(),
            all,
            all,
        ),
        (&format!("POST {client}/secrets"), json!({}), &String::new(), all, all),
        (&format!("DELETE {client}/secrets"), Value::Null, &service, all, "401"),
        (&format!("DELETE {client}"), Value::Null, &service, all, "401"),
    ] {
        // Everything anew: one password and one secret each, and one map for both.
        for request in ["DELETE tokens/reader", &format!("DELETE {client}")] {
            registry.owner(request, &Value::Null).await;
        }
        registry.must("PUT scopeMaps/some-map", map(&["read", "write"])).await;
        registry.must("PUT scopeMaps/other-map", map(&["read"])).await;
        registry.make_token("reader", "some-map").await;
        let made = registry.must("POST generateCredentials", generate("password1")).await;
        registry
            .must(
                &format!("PUT {client}"),
                json!({"scopeMaps": ["some-map"], "roles": ["AcrPull"]}),
            )
            .await;
        let secret = registry.must(&format!("POST {client}/secrets"), json!({})).await;
        let by_token_before =
            registry.refresh_token("Reader", made["passwords"][0]["value"].as_str().unwrap()).await;
        let by_client_before =
            registry.refresh_token(OTHER_CLIENT, secret["secret"].as_str().unwrap()).await;
        let (since, _) = registry.feed(0).await;
        assert_eq!(registry.feed(since).await, (since, String::new()));

        let row = format!("{request} {body}");
        registry.must(request, body).await;
        let (now, feed) = registry.feed(since).await;
        assert_eq!(&feed, changed, "{row}");
        assert_eq!(now, since + 1, "{row}");
        assert_eq!(registry.opens(&by_token_before).await, by_token, "{row}");
        // AcrPull is left to the client when its map is not.
        let by_client = if by_client.is_empty() { pull } else { by_client };
        assert_eq!(registry.opens(&by_client_before).await, by_client, "{row}");
        // What comes back does not bring back what was ended.
        if by_token == "401" {
            registry.make_token("reader", "some-map").await;
            registry.must("PATCH tokens/reader", in_token(json!({"status": "enabled"}))).await;
            assert_eq!(registry.opens(&by_token_before).await, "401", "{row}");
        }
        if by_client == "401" {
            registry
                .must(&format!("PUT {client}"), json!({"enabled": true, "roles": ["AcrPull"]}))
                .await;
            assert_eq!(registry.opens(&by_client_before).await, "401", "{row}");
        }
    }
}

#[tokio::test]
async fn which_settings_end_which_tokens() {
    let registry = Registry::start().await;
    let settings = |name: &str, value: bool| json!({"properties": {name: value}});
    registry.must("PATCH ", settings("adminUserEnabled", true)).await;
    let made = registry.must("POST listCredentials", Value::Null).await;
    let first = made["passwords"][0]["value"].as_str().unwrap();
    let refresh = registry.refresh_token("registry", first).await;
    let (admin, anonymous) = ("admin:registry", "anonymous:acr_anon_pull");
    let all = "repository:a:pull,push";
    for (request, body, changed, opens) in [
        ("PATCH ", settings("adminUserEnabled", true), "", all),
        ("PATCH ", settings("anonymousPullEnabled", true), "", all),
        ("PATCH ", settings("anonymousPullEnabled", false), anonymous, all),
        ("PATCH ", settings("anonymousPullEnabled", true), "", all),
        ("PATCH ", settings("adminUserEnabled", false), admin, "401"),
        ("PATCH ", settings("adminUserEnabled", true), "", "401"),
        ("POST regenerateCredential", json!({"name": "password"}), admin, "401"),
        ("POST regenerateCredential", json!({"name": "password2"}), admin, "401"),
    ] {
        let (since, _) = registry.feed(0).await;
        let row = format!("{request} {body}");
        registry.must(request, body).await;
        assert_eq!(registry.feed(since).await.1, changed, "{row}");
        assert_eq!(registry.opens(&refresh).await, opens, "{row}");
    }
}

/// Whoever has seen nothing, or another database, gets everything; and what an edge hears from two
/// servers is the same.
#[tokio::test]
async fn the_feed_from_the_beginning() {
    let registry = Registry::start().await;
    registry.make_token("reader", "_repositories_pull").await;
    registry.must("PUT tokens/gone-token", json!({"properties": {}})).await;
    registry.must("DELETE tokens/gone-token", Value::Null).await;
    let (now, everything) = registry.feed(0).await;
    assert!(
        everything.starts_with("everything admin:registry service_principal:0"),
        "{everything}"
    );
    assert!(everything.ends_with("token:gone-token token:reader"), "{everything}");
    for since in [-1, 0, now + 1, i64::MAX] {
        assert_eq!(registry.feed(since).await, (now, everything.clone()), "{since}");
    }
    let (_, last) = registry.feed(now - 1).await;
    assert_eq!(last, "token:gone-token");
}

/// Nobody knows which identities there are: all have one generation, which a map that any is bound
/// to raises, by losing something or by going. A token that is issued afterwards has it, or else it
/// would be refused for ever.
#[tokio::test]
async fn identities_have_one_generation() {
    let config = json!([{
        "name": "ci", "issuer": "https://ci.test", "audiences": ["r.test"],
        "bindings": [
            {"match": {"team": "one"}, "scopeMaps": ["Map-one"]},
            {"match": {"team": "two"}, "scopeMaps": ["map-two"]},
        ],
    }]);
    let providers = Providers::open(&serde_json::from_value::<Vec<_>>(config).unwrap()).unwrap();
    let registry = Registry::with(None, providers).await;
    let map = |action: &str| json!({"properties": {"actions": [format!("repositories/a/content/{action}")]}});
    for name in ["map-one", "map-two", "map-three"] {
        registry.must(&format!("PUT scopeMaps/{name}"), map("read")).await;
    }
    let claims = [("team".to_owned(), json!("one"))].into_iter().collect();
    let identity = IdentityClaims { provider: "ci".into(), claims };
    let subject = Subject {
        identity: Some(&identity),
        ..Subject::new("somebody", PrincipalKind::Identity, 0)
    };
    let refresh = registry.server.app.issuer.refresh_token(&subject, "rid", clock::now()).unwrap();
    for (request, body, changed, opens) in [
        ("PUT scopeMaps/map-three", map("write"), "", "repository:a:pull"),
        ("PUT scopeMaps/map-two", map("write"), "identity:*", "repository:a:pull"),
        ("PUT scopeMaps/map-one", map("write"), "identity:*", "repository:a:push"),
        ("DELETE scopeMaps/map-two", Value::Null, "identity:*", "repository:a:push"),
        ("DELETE scopeMaps/map-one", Value::Null, "identity:*", ""),
    ] {
        let (since, _) = registry.feed(0).await;
        registry.must(request, body).await;
        let (now, feed) = registry.feed(since).await;
        assert_eq!(feed, changed, "{request}");
        let form = format!(
            "grant_type=refresh_token&refresh_token={refresh}&scope=repository:a:pull,push"
        );
        let answer = registry.form("/oauth2/token", &form).await;
        assert_eq!(answer.access(&registry.server), opens, "{request}");
        let generation = answer.claims(&registry.server)["generation"].as_i64().unwrap();
        assert_eq!(generation == now, !changed.is_empty(), "{request}");
    }
}

/// Whoever may change things ends the tokens of one identity, or of all of a provider; feed and
/// bundle of version 2 say whose, those of version 1 have all identities as one.
#[tokio::test]
async fn identities_are_revoked_one_by_one_and_a_provider_at_a_time() {
    let config = json!([{
        "name": "ci", "issuer": "https://ci.test", "audiences": ["r.test"],
        "bindings": [{"match": {"team": "one"}, "scopeMaps": ["map-one"]}],
    }]);
    let providers = Providers::open(&serde_json::from_value::<Vec<_>>(config).unwrap()).unwrap();
    let registry = Registry::with(None, providers).await;
    let map = json!({"properties": {"actions": ["repositories/a/content/read"]}});
    registry.must("PUT scopeMaps/map-one", map).await;
    let claims = [("team".to_owned(), json!("one"))].into_iter().collect();
    let identity = IdentityClaims { provider: "ci".into(), claims };
    let refresh = |registry: &Registry, sub: &str| {
        let generation = registry.server.app.policy().revision().unsigned_abs();
        let subject = Subject {
            identity: Some(&identity),
            ..Subject::new(sub, PrincipalKind::Identity, generation)
        };
        registry.server.app.issuer.refresh_token(&subject, "rid", clock::now()).unwrap()
    };
    let [octo, other] = ["Octo", "repo:o/other"].map(|sub| refresh(&registry, sub));
    let since = registry.feed(0).await.0;
    for (who, expected) in [("Reader", 403), ("EdgeReader", 403), ("AcrPull", 403)] {
        let authorization = registry.authorization(who);
        for path in ["identities/ci/Octo/revoke", "identities/ci/revoke"] {
            let answer = registry.send(authorization.as_deref(), &format!("POST {path}"), "").await;
            assert_eq!(answer.status, expected, "{who}");
        }
    }
    for path in ["identities/none/Octo/revoke", "identities/none/revoke"] {
        assert_eq!(registry.owner(&format!("POST {path}"), &Value::Null).await.status, 404);
    }
    assert_eq!(registry.opens(&octo).await, "repository:a:pull");
    registry.must("POST identities/ci/Octo/revoke", Value::Null).await;
    assert_eq!(registry.opens(&octo).await, "401");
    assert_eq!(registry.opens(&other).await, "repository:a:pull");
    assert_eq!(registry.feed(since).await.1, "identity:*");
    let newest = registry.newest_feed(since).await;
    let (revision, version) = (&newest["revision"], &newest["version"]);
    let one =
        json!({"principal": "identity", "provider": "ci", "sub": "octo", "generation": revision});
    assert_eq!((version, &newest["changed"]), (&json!(2), &json!([one])));
    // A subject may hold slashes.
    registry.must("POST identities/ci/repo:o%2Fother/revoke", Value::Null).await;
    assert_eq!(registry.opens(&other).await, "401");
    let third = refresh(&registry, "third");
    assert_eq!(registry.opens(&third).await, "repository:a:pull");
    let since = registry.feed(0).await.0;
    registry.must("POST identities/ci/revoke", Value::Null).await;
    assert_eq!(registry.opens(&third).await, "401");
    let newest = registry.newest_feed(since).await;
    let revision = newest["revision"].clone();
    let all =
        json!({"principal": "identity", "provider": "ci", "sub": null, "generation": revision});
    assert_eq!(newest["changed"], json!([all]));
    assert_eq!(registry.opens(&refresh(&registry, "Octo")).await, "repository:a:pull");
    let text = registry.newest_bundle().await;
    let policy = registry.edge(&text, None);
    let token = |provider: Option<&str>, generation: i64| AccessClaims {
        sub: "octo".into(),
        principal: Some(PrincipalKind::Identity),
        provider: provider.map(ToOwned::to_owned),
        generation: Some(generation.unsigned_abs()),
        ..registry.some_claims()
    };
    let now = revision.as_i64().unwrap();
    for (provider, generation, is_good) in [
        (Some("ci"), now, true),
        (Some("ci"), now - 1, false),
        (Some("other"), now, false),
        (None, now, false),
    ] {
        let holder = policy.holder(&token(provider, generation));
        assert_eq!(holder.is_some(), is_good, "{provider:?} {generation}");
    }
}

/// A backup is put back under a running server, and written past what the server has seen: nothing
/// that was issued meanwhile opens anything, not to the server and not to an edge.
async fn a_database_that_was_put_back(url: Option<&str>) {
    let registry = Registry::with(url, Providers::default()).await;
    registry.make_token("early", "_repositories_pull").await;
    let [early, _] = registry.passwords("early").await;
    let (text, before) = (registry.newest_bundle().await, registry.server.app.policy().revision());
    let held = registry.edge(&text, None);
    registry.make_token("later", "_repositories_push").await;
    let [later, _] = registry.passwords("later").await;
    let refresh = registry.refresh_token("later", &later).await;
    let claims = registry.access("later", &later).await;
    let held = registry.edge(&registry.newest_bundle().await, Some(&held));
    assert!(held.holder(&claims).is_some());
    let old = registry.server.app.policy().registry.epoch.clone();
    let seen = registry.server.app.policy().revision();
    let file = format!("sqlite://{}", registry.server.folder.path().join("scopegate.db").display());
    support::database::run(
        url.unwrap_or(&file),
        &format!(
            "delete from tokens where key = 'later'; update registry set revision = {before};
             delete from writes where revision > {before}"
        ),
    )
    .await;
    // Somebody else writes into it, a token of the same name among others, until it is past what
    // the server has seen.
    let store = Store::open(registry.server.folder.path(), url).await.unwrap();
    let mut revision = before;
    while revision <= seen {
        let mut write = store.write().await.unwrap();
        let edit =
            TokenEdit { scope_map: Some("_repositories_push".into()), ..TokenEdit::default() };
        tokens::put(&mut write, "later", "registry", edit).await.unwrap();
        revision = write.commit().await.unwrap();
    }
    catch_up(&registry.server.app).await.unwrap();
    let policy = Arc::clone(&registry.server.app.policy());
    assert!(policy.registry.epoch != old && policy.revision() > seen);
    assert_eq!(registry.opens(&refresh).await, "401");
    assert_eq!(registry.login("later", &later).await, 401);
    assert_eq!(registry.login("early", &early).await, 200);
    // The client credentials' token for management is of the old epoch too.
    let bearer = registry.authorization("Owner");
    assert_eq!(registry.send(bearer.as_deref(), "GET ", "").await.status, 401);
    let text = registry.bundle_by(basic(CLIENTS[4].1, SECRET)).await;
    let fresh = registry.edge(&text, Some(&held));
    assert!(fresh.holder(&claims).is_none());
    assert!(fresh.holder(&registry.access("early", &early).await).is_some());
}

#[tokio::test]
async fn fault_9_a_database_that_was_put_back_on_sqlite() {
    a_database_that_was_put_back(None).await;
}

#[tokio::test]
async fn fault_9_a_database_that_was_put_back_on_postgres() {
    let database = Database::postgres().await;
    a_database_that_was_put_back(database.url.as_deref()).await;
}

/// Two servers on one database obey each other, for management at once.
#[tokio::test]
async fn two_servers_on_one_postgres() {
    let database = Database::postgres().await;
    let one = Registry::with(database.url.as_deref(), Providers::default()).await;
    let other =
        Server::bare(database.url.as_deref(), Limits::default(), Providers::default()).await;
    one.make_token("reader", "_repositories_pull").await;
    let [password, _] = one.passwords("reader").await;
    let login = async || {
        catch_up(&other.app).await.unwrap();
        other.get("/oauth2/token?scope=repository:a:pull", basic("reader", &password)).await
    };
    assert_eq!(login().await.access(&other), "repository:a:pull");
    let owner = one.authorization("Owner");
    let sorted = |body: &Value| {
        let changed = body["changed"].as_array().unwrap().iter();
        changed.map(Value::to_string).collect::<BTreeSet<_>>()
    };
    let shown = other.get("/registries/registry/generations", owner.clone()).await;
    let expected = one.must("GET generations", Value::Null).await;
    assert_eq!(shown.body["revision"], expected["revision"]);
    assert_eq!(sorted(&shown.body), sorted(&expected));
    one.must("PATCH tokens/reader", json!({"properties": {"status": "disabled"}})).await;
    assert_eq!(login().await.status, 401);
    one.must(
        &format!("PUT servicePrincipals/{}", CLIENTS[3].1),
        json!({"displayName": "x", "roles": ["Owner"]}),
    )
    .await;
    assert_eq!(other.get("/registries/registry", owner.clone()).await.status, 200);
    one.must(&format!("DELETE servicePrincipals/{}", CLIENTS[3].1), Value::Null).await;
    assert_eq!(other.get("/registries/registry", owner).await.status, 401);
}

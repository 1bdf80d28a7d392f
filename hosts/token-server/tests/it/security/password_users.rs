//! Tokens of a provider, and of the built-in authority, as passwords: which token opens which name,
//! at which door, for how long; and that a name has one meaning.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::request::Builder;
use axum::http::{Request, StatusCode, header};
use scopegate_server::testing::app::Listener;
use scopegate_server::testing::clock;
use scopegate_server::testing::config::Limits;
use scopegate_server::testing::domain::edit::EditError;
use scopegate_server::testing::domain::edit::tokens::{self, TokenEdit};
use scopegate_server::testing::domain::identity::Providers;
use scopegate_server::testing::http::headers::Reached;
use scopegate_server::testing::http::routes::management_routes;
use scopegate_server::testing::http::serve::layered;
use scopegate_server::testing::model::password_user::ReservedNames;
use scopegate_server::testing::store::TokenRecord;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::{
    AUDIENCE, Answer, ISSUER, Key, NULL_GUID, OTHER_AUDIENCE, OWNER, PUBLIC_URL, PULL, PULLER,
    Provider, SERVICE, Server, Setup, TOKEN, authorized, basic, claims, encoded,
};

const OFFLINE: &str = "offline_token=true";

/// A server with three providers: `ci` lists `jwt`, `cloud` lists `oauth2accesstoken` and `token`,
/// and `silent` none.
struct Scene {
    server: Server,
    ci: Provider,
    cloud: Provider,
    silent: Provider,
    secret: String,
}

impl Scene {
    async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    async fn with(setup: Setup) -> Self {
        let [ci, cloud, silent] =
            [Provider::start().await, Provider::start().await, Provider::start().await];
        let providers = Providers::open(&[
            ci.listing("ci", "[jwt]"),
            cloud.listing("cloud", "[oauth2accesstoken, Token]"),
            silent.listing("silent", "[]"),
        ]);
        let setup = Setup { providers: providers.unwrap(), ..setup };
        let server = Server::with(setup).await;
        let secret = server.put_client(PULLER, "AcrPull").await;
        Self { server, ci, cloud, silent, secret }
    }

    async fn of_authority(&self) -> String {
        self.server.registry_token(PULLER, &self.secret).await
    }

    /// A token of the authority for the registry with another claim.
    async fn altered(&self, name: &str, value: Value) -> String {
        let mut claims = claims(&self.of_authority().await);
        claims[name] = value;
        self.server.sign(&claims)
    }
}

/// The claims of a provider's token that opens something, with one of them altered.
fn token_with(provider: &Provider, name: &str, value: &Value) -> String {
    let mut claims = provider.claims("octo", &["readers"]);
    claims[name] = value.clone();
    provider.key.sign("k1", &claims)
}

fn token_of(provider: &Provider) -> String {
    provider.token("octo", &["readers"])
}

/// The names that clients may send: those that are listed, those of principals, and others.
const NAMES: [&str; 16] = [
    "token",
    "TOKEN",
    "jwt",
    "Jwt",
    "oauth2accesstoken",
    "unlisted",
    "ci",
    "octo",
    "",
    NULL_GUID,
    "Reader",
    "Disabled",
    "registry",
    "administrator",
    PULLER,
    OWNER,
];

/// A password at each door of the token endpoint, from an address.
async fn at_each_door(server: &Server, peer: u8, name: &str, password: &str) -> [Answer; 3] {
    let basic = basic(name, password);
    let peer = SocketAddr::from(([203, 0, 113, peer], 4711));
    let ask = async |request: Builder, form: &str| {
        let request = request.extension(ConnectInfo(peer));
        server.send(request.body(Body::from(form.to_owned())).unwrap()).await
    };
    let get =
        Request::get(format!("{TOKEN}?service={SERVICE}&scope={PULL}&account=octo&client_id=c"));
    let form = [
        ("grant_type", "password"),
        ("username", name),
        ("password", password),
        ("scope", PULL),
        ("service", SERVICE),
    ];
    [
        ask(authorized(get, Some(&basic)), "").await,
        ask(Request::post(TOKEN), &encoded(&form)).await,
        ask(authorized(Request::post(TOKEN), Some(&basic)), &format!("scope={PULL}")).await,
    ]
}

/// Every kind of token, with what it is and the names that it opens.
async fn tokens_and_their_names(
    scene: &Scene,
) -> Vec<(&'static str, String, &'static [&'static str])> {
    const NONE: &[&str] = &[];
    const OF_TOKEN: &[&str] = &["token", "TOKEN"];
    const OF_JWT: &[&str] = &["jwt", "Jwt"];
    const OF_CLOUD: &[&str] = &["token", "TOKEN", "oauth2accesstoken"];
    const OF_OURS: &[&str] = &[NULL_GUID];
    let Scene { server, ci, cloud, silent, secret } = scene;
    let now = clock::now();
    let own = scene.of_authority().await;
    let (refresh, access) = (server.login("Reader", "secret-one").await, server.reader().await);
    let of_identity = server.exchange(&token_of(ci)).await.refresh_token();
    let of_ci = |name, value: Value| token_with(ci, name, &value);
    vec![
        ("authority, registry", own.clone(), OF_TOKEN),
        (
            "authority, management",
            server.client_credentials(PULLER, secret).await.access_token(),
            OF_TOKEN,
        ),
        ("authority, another audience", scene.altered("aud", json!("https://x.test")).await, NONE),
        (
            "authority, a slash more",
            scene.altered("aud", json!(format!("{AUDIENCE}/"))).await,
            NONE,
        ),
        ("authority, two audiences", scene.altered("aud", json!([AUDIENCE, SERVICE])).await, NONE),
        ("authority, a list of one", scene.altered("aud", json!([AUDIENCE])).await, NONE),
        ("authority, expired", scene.altered("exp", json!(now - 1)).await, NONE),
        ("authority, another tenant", scene.altered("tid", json!(OWNER)).await, NONE),
        ("authority, another epoch", scene.altered("epoch", json!("x")).await, NONE),
        ("authority, an older client", scene.altered("generation", json!(0)).await, NONE),
        ("authority, no client", scene.altered("sub", json!(OWNER)).await, NONE),
        ("authority, forged", Key::new("k1").sign("k1", &claims(&own)), NONE),
        ("ours, refresh", refresh.clone(), OF_OURS),
        ("ours, access", access.clone(), OF_OURS),
        ("ours, refresh of an identity", of_identity, OF_OURS),
        ("ours, bundle", scene.altered("aud", json!("bundle:r.test")).await, NONE),
        ("ours, for the registry's exchange", resigned(server, &refresh, AUDIENCE), NONE),
        ("ours, access for exchange", resigned(server, &access, AUDIENCE), NONE),
        ("ci", token_of(ci), OF_JWT),
        ("ci, a list of one", of_ci("aud", json!([AUDIENCE])), OF_JWT),
        ("ci, its other audience", of_ci("aud", json!(OTHER_AUDIENCE)), OF_JWT),
        ("ci, two audiences", of_ci("aud", json!([AUDIENCE, OTHER_AUDIENCE])), NONE),
        ("ci, one audience twice", of_ci("aud", json!([AUDIENCE, AUDIENCE])), NONE),
        ("ci, another audience", of_ci("aud", json!("https://kubernetes.default.svc")), NONE),
        ("ci, no audience", of_ci("aud", json!([])), NONE),
        ("ci, ID token", of_ci("aud", json!("a-client")), NONE),
        ("ci, for management", of_ci("aud", json!(PUBLIC_URL)), NONE),
        ("ci, expired", of_ci("exp", json!(now - 1)), NONE),
        ("ci, no end", of_ci("exp", json!(null)), NONE),
        ("ci, not yet", of_ci("nbf", json!(now + 3600)), NONE),
        ("ci, nothing bound", of_ci("groups", json!(["others"])), NONE),
        ("ci, our issuer", of_ci("iss", json!(ISSUER)), NONE),
        ("ci, an unknown issuer", of_ci("iss", json!("https://evil.test")), NONE),
        ("ci, as cloud", of_ci("iss", json!(cloud.issuer)), NONE),
        ("cloud", token_of(cloud), OF_CLOUD),
        ("silent", token_of(silent), NONE),
        ("no token", "secret-one".into(), &["Reader"]),
        ("nothing", String::new(), NONE),
        ("dots", "..".into(), NONE),
    ]
}

/// A token of ours for another audience.
fn resigned(server: &Server, token: &str, audience: &str) -> String {
    let mut claims = claims(token);
    claims["aud"] = json!(audience);
    server.sign(&claims)
}

#[tokio::test]
async fn every_token_opens_the_documented_names_alone() {
    let scene = Scene::start().await;
    let tokens = tokens_and_their_names(&scene).await;
    for (peer, (what, token, names)) in (1..).zip(tokens) {
        for name in NAMES {
            let expected = if names.contains(&name) { 200 } else { 401 };
            let answers = at_each_door(&scene.server, peer, name, &token).await;
            for (door, answer) in ["GET", "password", "POST"].iter().zip(answers) {
                let row = format!("{what} as the password of `{name}`, {door}");
                assert_eq!(answer.status, expected, "{row}: {}", answer.text());
            }
        }
    }
}

/// No other door takes them: exchange, revocation, `/authz`, the authority, and every operation of
/// management at either listener.
#[tokio::test]
async fn no_other_door_takes_them() {
    let scene = Scene::start().await;
    let Scene { server, ci, cloud, .. } = &scene;
    let of_authority = scene.of_authority().await;
    let refresh = server.login("Reader", "secret-one").await;
    for (name, token) in
        [("token", &of_authority), ("jwt", &token_of(ci)), ("token", &token_of(cloud))]
    {
        assert_eq!(server.by_password(name, token, PULL).await.status, 200, "{name}");
        let basic = basic(name, token);
        assert_eq!(server.exchange(&format!("{name}:{token}")).await.status, 401);
        assert_eq!(server.client_credentials(name, token).await.status, 401);
        let form = format!("token={refresh}");
        let revoked = server.post_raw("/oauth2/revoke", Some(&basic), &form).await;
        assert_eq!(revoked.status, 401);
        let form = [("client_id", name), ("client_secret", token), ("token", &refresh)];
        assert_eq!(server.post("/oauth2/revoke", &form).await.status, 401);
        assert_eq!(authz(server, &basic).await.status, 401);
        assert_eq!(server.get("/v2/", Some(&basic)).await.status, 401);
        let grant = [("grant_type", "refresh_token"), ("refresh_token", token)];
        assert_eq!(server.post(TOKEN, &grant).await.status, 401);
    }
    assert_eq!(server.renew(&refresh, PULL).await.status, 200);
}

async fn authz(server: &Server, authorization: &str) -> Answer {
    let request = Request::get("/authz/nginx")
        .header("x-original-method", "GET")
        .header("x-original-uri", "/v2/samples/a/manifests/v1")
        .header("x-scopegate-content-type", "none")
        .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4711))));
    let request = authorized(request, Some(authorization));
    server.send(request.body(Body::empty()).unwrap()).await
}

/// Every operation that the description of management has, and the paths of Azure's clients.
async fn operations(server: &Server) -> Vec<(String, String)> {
    let described = server.get("/openapi.json", None).await.body;
    let mut operations = Vec::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            let path = path.replace("{registry}", "registry");
            let parts =
                path.split('/').map(|part| if part.starts_with('{') { "Reader" } else { part });
            operations.push((method.to_uppercase(), parts.collect::<Vec<_>>().join("/")));
        }
    }
    let subscription = server.app.policy().registry.subscription.clone();
    let long = format!(
        "/subscriptions/{subscription}/resourceGroups/scopegate/providers/Microsoft.ContainerRegistry/registries"
    );
    for path in
        ["/subscriptions", &long, &format!("{long}/registry"), &format!("{long}/registry/tokens")]
    {
        operations.push(("GET".into(), path.to_owned()));
    }
    assert!(operations.len() > 20, "{operations:?}");
    operations
}

#[tokio::test]
async fn no_operation_of_management_takes_them_at_either_listener() {
    let scene = Scene::start().await;
    let server = &scene.server;
    let owner = server.put_client(OWNER, "Owner").await;
    let of_owner = server.registry_token(OWNER, &owner).await;
    let managed = management_routes(Arc::clone(&server.app));
    let reached = Reached { gateways: None, listener: Listener::Management, ..server.reached() };
    let own_listener = layered(managed, &server.app.guard, reached);
    for (method, path) in operations(server).await {
        let token = token_of(&scene.ci);
        for (name, password) in [("token", &of_owner), ("jwt", &token)] {
            let request = || {
                let request = Request::builder().method(method.as_str()).uri(&path);
                let request = authorized(request, Some(&basic(name, password)));
                let request = request.header(header::CONTENT_TYPE, "application/json");
                request.body(Body::from("{}")).unwrap()
            };
            let row = format!("{method} {path} as {name}");
            assert_eq!(server.send(request()).await.status, StatusCode::UNAUTHORIZED, "{row}");
            let answer = own_listener.clone().oneshot(request()).await.unwrap();
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{row} at its own");
        }
    }
}

/// What a client is given for a token that is a password.
struct Given {
    /// How long the access token is valid.
    lifetime: u64,
    refresh: Option<String>,
}

async fn given(server: &Server, name: &str, password: &str, is_get: bool, wants: bool) -> Given {
    let answer = if is_get {
        let offline = if wants { OFFLINE } else { "offline_token=false" };
        let target = format!("{TOKEN}?service={SERVICE}&scope={PULL}&{offline}");
        server.get(&target, Some(&basic(name, password))).await
    } else {
        let form = [
            ("grant_type", "password"),
            ("username", name),
            ("password", password),
            ("scope", PULL),
            ("access_type", if wants { "offline" } else { "online" }),
        ];
        server.post_raw(TOKEN, None, &encoded(&form)).await
    };
    assert_eq!(answer.status, 200, "{name} {}", answer.text());
    let claims = answer.verified_claims(server);
    let lifetime = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    assert_eq!(answer.body["expires_in"], lifetime);
    let refresh = answer.body.get("refresh_token").map(|it| it.as_str().unwrap().to_owned());
    Given { lifetime, refresh }
}

/// Without a refresh token everything ends with the token; with one, as after an exchange.
#[tokio::test]
async fn what_is_given_ends_with_the_token_unless_it_is_to_be_renewed() {
    let scene = Scene::start().await;
    let (server, now) = (&scene.server, clock::now());
    let of_ci = |lasts: i64| token_with(&scene.ci, "exp", &json!(now + lasts));
    let short_of_authority = scene.altered("exp", json!(now + 600)).await;
    for (name, token, lasts) in [
        ("jwt", of_ci(600), 600),
        ("jwt", of_ci(3600), 3600),
        ("jwt", of_ci(24 * 3600), 3600),
        ("token", short_of_authority, 600),
        ("token", token_with(&scene.cloud, "exp", &json!(now + 60)), 60),
    ] {
        let exchanged = claims(&server.exchange(&token).await.refresh_token());
        for is_get in [true, false] {
            let Given { lifetime, refresh } = given(server, name, &token, is_get, false).await;
            assert!(lifetime <= lasts && lifetime + 60 > lasts, "{name} {lifetime}");
            assert_eq!(refresh, None, "{name}");
            let Given { lifetime, refresh } = given(server, name, &token, is_get, true).await;
            assert_eq!(lifetime, 3600, "{name}");
            let refresh = refresh.expect("a refresh token");
            assert_eq!(alike(claims(&refresh)), alike(exchanged.clone()), "{name}");
            assert_eq!(server.renew(&refresh, PULL).await.access(), [PULL], "{name}");
        }
    }
    // docker asks for one at every login, and keeps the password of others.
    assert!(given(server, "Reader", "secret-one", true, true).await.refresh.is_none());
    assert!(given(server, "Reader", "secret-one", false, true).await.refresh.is_some());
    assert!(given(server, PULLER, &scene.secret, true, true).await.refresh.is_none());
}

/// Claims but for what is new in each token.
fn alike(mut claims: Value) -> Value {
    for name in ["jti", "iat", "nbf", "exp"] {
        claims.as_object_mut().unwrap().remove(name);
    }
    claims
}

/// What the bindings do not give is not given.
#[tokio::test]
async fn bindings_bound_what_is_given() {
    let scene = Scene::start().await;
    let more = "repository:samples/a:pull,push repository:other:pull registry:catalog:*";
    let answer = scene.server.by_password("jwt", &token_of(&scene.ci), more).await;
    assert_eq!(answer.access(), [PULL]);
    let secret = scene.server.put_client(OWNER, "Reader").await;
    let reader = scene.server.registry_token(OWNER, &secret).await;
    let answer = scene.server.by_password("token", &reader, more).await;
    let exchanged = scene.server.exchange(&reader).await.refresh_token();
    let expected = scene.server.renew(&exchanged, more).await;
    assert_eq!(answer.access(), expected.access());
}

/// No scope-map token is created under such a name; one that exists has it alone.
#[tokio::test]
async fn a_name_has_one_meaning() {
    let scene = Scene::start().await;
    let server = &scene.server;
    for name in ["token", "Token", "OAUTH2accesstoken"] {
        let seed = format!("tokens: [{{name: {name}, scopeMap: reader-map}}]");
        // A server of the tests applies a seed as one without providers does.
        if name.eq_ignore_ascii_case("token") {
            let error = format!("{:#}", server.apply(&seed).await.unwrap_err());
            assert!(error.contains("choose another name"), "{error}");
        }
        let mut write = server.write().await;
        let reserved = server.app.reserved_names();
        let made = tokens::put(&mut write, name, &reserved, TokenEdit::default()).await;
        assert!(matches!(made, Err(EditError::Invalid(_))), "{name} {made:?}");
        drop(write);
        let owner = server.put_client(OWNER, "Owner").await;
        let request = Request::put(format!("/registries/registry/tokens/{name}"))
            .header(header::CONTENT_TYPE, "application/json");
        let request = authorized(request, Some(&basic(OWNER, &owner)));
        let answer = server.send(request.body(Body::from("{}")).unwrap()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name} {}", answer.text());
    }
    for (name, token) in
        [("token", scene.of_authority().await), ("oauth2accesstoken", token_of(&scene.cloud))]
    {
        assert_eq!(server.by_password(name, &token, PULL).await.status, 200);
        let mut write = server.write().await;
        let reader: TokenRecord = write.find("Reader").await.unwrap().unwrap();
        let taken = TokenRecord { key: name.into(), name: name.to_uppercase(), ..reader };
        write.put(&taken).await.unwrap();
        server.commit(write).await;
        for (password, status) in [(token.as_str(), 401), ("secret-one", 200), ("wrong", 401)] {
            for answer in at_each_door(server, 1, name, password).await {
                assert_eq!(answer.status, status, "{name} {password}");
            }
        }
        // It may be changed, and is nothing else while it is disabled.
        let mut write = server.write().await;
        let edit = TokenEdit { enabled: Some(false), ..TokenEdit::default() };
        tokens::put(&mut write, name, &server.app.reserved_names(), edit).await.unwrap();
        server.commit(write).await;
        for password in [token.as_str(), "secret-one"] {
            assert_eq!(server.by_password(name, password, PULL).await.status, 401, "{name}");
        }
        let mut write = server.write().await;
        assert!(write.delete::<TokenRecord>(name).await.unwrap());
        server.commit(write).await;
        assert_eq!(server.by_password(name, &token, PULL).await.status, 200);
        assert_eq!(server.by_password(name, "secret-one", PULL).await.status, 401);
    }
    assert!(ReservedNames::new("registry").is_password_user("token"));
}

/// A flood costs no signatures, and shuts no other address out; nor does it the own one where no
/// signature was needed to refuse it.
#[tokio::test]
async fn a_flood_of_forged_tokens_costs_few_signatures() {
    let setup = Setup { limits: Limits::default(), ..Setup::default() };
    let scene = Scene::with(setup).await;
    let target = format!("{TOKEN}?scope={PULL}");
    let ask = async |address: &str, name: &str, token: &str| {
        let answer = scene.server.get_from(address, "", &target, &basic(name, token)).await;
        answer.status.as_u16()
    };
    let good = token_of(&scene.ci);
    let attacker = Key::new("k1");
    let claims = scene.ci.claims("octo", &["readers"]);
    let forged: Vec<_> = (0..100).map(|_| attacker.sign("k1", &claims)).collect();
    let started = Instant::now();
    let mut signatures = 0;
    for token in forged.iter().cycle().take(10_000) {
        let status = ask("203.0.113.1", "jwt", token).await;
        signatures += usize::from(status == 401);
        assert!(matches!(status, 401 | 429), "{status}");
    }
    assert!(are_few(signatures, started), "{signatures}");
    assert_eq!(ask("203.0.113.1", "jwt", &good).await, 429);
    assert_eq!(ask("203.0.113.2", "jwt", &good).await, 200);
    assert_eq!(ask("203.0.113.2", "token", &scene.of_authority().await).await, 200);
    // The same for tokens of our own: only the signature says that it is forged.
    let own = scene.of_authority().await;
    let other = scene.of_authority().await;
    let [(message, _), (_, signature)] = [&own, &other].map(|it| it.rsplit_once('.').unwrap());
    let forged = format!("{message}.{signature}");
    let started = Instant::now();
    let statuses = futures(30, async || ask("203.0.113.3", "token", &forged).await).await;
    let signatures = statuses.iter().filter(|status| **status == 401).count();
    assert!(are_few(signatures, started), "{statuses:?}");
    // What is refused by its claims costs no signature, and is not counted as forged.
    let expired = token_with(&scene.ci, "exp", &json!(clock::now() - 1));
    let statuses = futures(100, async || ask("203.0.113.4", "jwt", &expired).await).await;
    assert!(statuses.iter().all(|status| *status == 401), "{statuses:?}");
    assert_eq!(ask("203.0.113.4", "jwt", &good).await, 200);
}

/// Twenty at once, and one more each ten seconds: a busy machine gives a flood time.
fn are_few(signatures: usize, started: Instant) -> bool {
    let most = 21 + started.elapsed().as_secs() / 10;
    (20..=most).contains(&(signatures as u64))
}

async fn futures(count: usize, ask: impl AsyncFn() -> u16) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(ask().await);
    }
    statuses
}

/// What is right is never counted: neither against the name nor against the address.
#[tokio::test]
async fn what_is_right_is_not_counted_against_a_name() {
    let setup = Setup { limits: Limits::default(), ..Setup::default() };
    let scene = Scene::with(setup).await;
    let good = token_of(&scene.ci);
    for number in 0..1500 {
        let address = format!("203.0.{}.{}", number / 250, number % 250);
        let answer = scene.server.get_from(&address, "", TOKEN, &basic("jwt", &good)).await;
        assert_eq!(answer.status, 200, "{number}");
    }
}

//! The decision log names who asked: of an identity its provider too, of a token that was issued or
//! presented its id, and never the token.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::ConnectInfo;
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use scopegate_server::testing::domain::identity::Providers;

use crate::support::{NULL_GUID, OWNER, PULL, Provider, Server, Setup, basic, bearer, claims};

type Line = BTreeMap<String, String>;

/// The lines of the decision log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Line>>>);

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "decision" {
            let mut fields = Fields(Line::new());
            event.record(&mut fields);
            self.0.lock().unwrap().push(fields.0);
        }
    }
}

struct Fields(Line);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl Log {
    /// The last line, in the words that tell whom and what it is about.
    #[track_caller]
    fn last(&self) -> String {
        let line = self.0.lock().unwrap().last().expect("nothing was logged").clone();
        let words = ["outcome", "reason", "principal", "name", "provider", "jti", "presented_jti"];
        let fields = words.iter().filter_map(|word| Some(format!("{word}={}", line.get(*word)?)));
        fields.collect::<Vec<_>>().join(" ")
    }
}

fn jti(token: &str) -> String {
    claims(token)["jti"].as_str().unwrap().to_owned()
}

/// A server with a provider, and its log.
struct Scene {
    log: Log,
    provider: Provider,
    server: Server,
    _guard: DefaultGuard,
    _second: Dispatch,
}

const WHO: &str = "principal=identity name=Octo provider=ci";

impl Scene {
    async fn start() -> Self {
        let log = Log::default();
        // While there is one subscriber alone, an event that another test's thread reaches first is
        // off for all threads.
        let second = Dispatch::new(tracing_subscriber::registry());
        let subscriber = tracing_subscriber::registry().with(log.clone());
        let guard = tracing::subscriber::set_default(subscriber);
        let provider = Provider::start().await;
        let providers = Providers::open(&[provider.listing("ci", "[jwt]")]).unwrap();
        let server = Server::with(Setup { providers, ..Setup::default() }).await;
        Self { log, provider, server, _guard: guard, _second: second }
    }

    /// A token of the provider with this id.
    fn own(&self, jti: &str, groups: &[&str]) -> String {
        let mut claims = self.provider.claims("Octo", groups);
        claims["jti"] = json!(jti);
        self.provider.key.sign("k1", &claims)
    }

    /// A refresh token of an identity that reads.
    async fn refresh_token(&self) -> String {
        self.server.exchange(&self.own("run-7", &["readers"])).await.refresh_token()
    }

    #[track_caller]
    fn logged(&self, line: &str) {
        assert_eq!(self.log.last(), line);
    }

    /// No line has a token or a secret in it.
    fn has_none_of(&self, tokens: &[&str]) {
        let everything = format!("{:?}", self.log.0.lock().unwrap());
        for token in tokens {
            let signature = token.rsplit('.').next().unwrap();
            assert!(!everything.contains(signature), "{everything}");
        }
    }
}

/// In exchange: the provider's id, unless it is none for a line.
#[tokio::test]
async fn identities_have_a_provider_and_the_id_that_it_gave() {
    let scene = Scene::start().await;
    for (theirs, logged) in
        [("run-7", " presented_jti=run-7"), ("two words", ""), (&"x".repeat(129), "")]
    {
        let own = scene.own(theirs, &["readers"]);
        let refresh = scene.server.exchange(&own).await.refresh_token();
        scene.logged(&format!("outcome=exchanged {WHO} jti={}{logged}", jti(&refresh)));
        scene.has_none_of(&[&own, &refresh]);
    }
    assert_eq!(scene.server.exchange(&scene.own("run-8", &[])).await.status, 401);
    scene.logged(&format!("outcome=refused reason=nothing_bound {WHO} presented_jti=run-8"));
    let forged = scene.own("run-9", &["readers"]) + "A";
    assert_eq!(scene.server.exchange(&forged).await.status, 401);
    let last = scene.log.last();
    assert!(last.starts_with("outcome=refused reason="), "{last}");
    assert!(!last.contains("Octo") && !last.contains("run-9"), "{last}");
}

/// At the token endpoint: what was presented, and what was issued.
#[tokio::test]
async fn tokens_have_an_id() {
    let scene = Scene::start().await;
    let refresh = scene.refresh_token().await;
    let access = scene.server.renew(&refresh, PULL).await.access_token();
    let issued = format!("jti={} presented_jti={}", jti(&access), jti(&refresh));
    scene.logged(&format!("outcome=issued {WHO} {issued}"));
    // By an access token, which has no claims of its identity.
    let second = scene.server.by_null_guid(&access, PULL).await.access_token();
    let issued = format!("jti={} presented_jti={}", jti(&second), jti(&access));
    scene.logged(&format!("outcome=issued {WHO} {issued}"));
    scene.has_none_of(&[&refresh, &access, &second]);
}

/// As a password: as in exchange.
#[tokio::test]
async fn tokens_as_passwords_have_an_id() {
    let scene = Scene::start().await;
    let own = scene.own("run-7", &["readers"]);
    let answer = scene.server.by_password("jwt", &own, PULL).await;
    let access = answer.access_token();
    scene.logged(&format!("outcome=issued {WHO} jti={} presented_jti=run-7", jti(&access)));
    let none = scene.own("run-8", &[]);
    assert_eq!(scene.server.by_password("jwt", &none, PULL).await.status, 401);
    scene.logged(&format!("outcome=refused reason=nothing_bound {WHO} presented_jti=run-8"));
    assert_eq!(scene.server.by_password("token", &own, PULL).await.status, 401);
    scene.logged("outcome=refused reason=other_password_user");
    let forged = scene.own("run-9", &["readers"]) + "A";
    assert_eq!(scene.server.by_password("jwt", &forged, PULL).await.status, 401);
    let last = scene.log.last();
    assert!(!last.contains("Octo") && !last.contains("run-9"), "{last}");

    let secret = scene.server.put_client(OWNER, "AcrPull").await;
    let token = scene.server.registry_token(OWNER, &secret).await;
    let access = scene.server.by_password("token", &token, PULL).await.access_token();
    let issued = format!("jti={} presented_jti={}", jti(&access), jti(&token));
    scene.logged(&format!("outcome=issued principal=service_principal name={OWNER} {issued}"));
    scene.has_none_of(&[&own, &none, &token, &access]);
}

#[tokio::test]
async fn a_proxy_s_questions_have_the_token_s_id() {
    let scene = Scene::start().await;
    let refresh = scene.refresh_token().await;
    let access = scene.server.renew(&refresh, PULL).await.access_token();
    let forwarded = |token: &str| format!("outcome=forwarded {WHO} presented_jti={}", jti(token));
    let of_token = "outcome=forwarded principal=token name=Reader".to_owned();
    for (authorization, status, line) in [
        (bearer(&access), 200, forwarded(&access)),
        (basic(NULL_GUID, &refresh), 200, forwarded(&refresh)),
        (basic("Reader", "secret-one"), 200, of_token),
        (basic("Reader", "wrong"), 401, "outcome=refused".to_owned()),
    ] {
        let request = axum::http::Request::get("/authz/nginx")
            .header("x-original-method", "GET")
            .header("x-original-uri", "/v2/samples/a/manifests/v1")
            .header("x-scopegate-content-type", "none")
            .header("authorization", authorization)
            .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4711))));
        let answer = scene.server.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(answer.status, status, "{line}");
        scene.logged(&line);
    }
    scene.has_none_of(&[&refresh, &access]);
}

#[tokio::test]
async fn tokens_of_the_built_in_authority_have_an_id() {
    let scene = Scene::start().await;
    let secret = scene.server.put_client(OWNER, "AcrPull").await;
    let token = scene.server.registry_token(OWNER, &secret).await;
    let exchanged = scene.server.exchange(&token).await.refresh_token();
    let issued = format!("jti={} presented_jti={}", jti(&exchanged), jti(&token));
    scene.logged(&format!("outcome=exchanged principal=service_principal name={OWNER} {issued}"));
    scene.has_none_of(&[&token, &exchanged, &secret]);
}

#[tokio::test]
async fn a_revocation_has_the_id_of_what_it_revokes() {
    let scene = Scene::start().await;
    let (server, refresh) = (&scene.server, scene.refresh_token().await);
    let presented = format!("{WHO} presented_jti={}", jti(&refresh));
    assert_eq!(server.post("/oauth2/revoke", &[("token", &refresh)]).await.status, 200);
    scene.logged(&format!("outcome=revoked {presented}"));
    assert_eq!(server.renew(&refresh, PULL).await.status, 401);
    scene.logged(&format!("outcome=refused reason=refresh_token_revoked {presented}"));
    let forged = scene.own("run-9", &["readers"]) + "A";
    assert_eq!(server.post("/oauth2/revoke", &[("token", &forged)]).await.status, 200);
    scene.logged("outcome=ignored reason=not_signed");
    scene.has_none_of(&[&refresh, &forged]);
}

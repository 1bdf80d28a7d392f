//! The decision log names who asked: of an identity its provider too, of a token that was issued or
//! presented its id, and never the token.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::support::{AUDIENCE, NULL_GUID, OWNER, PULL, Provider, basic, bearer, claims};

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

#[tokio::test]
async fn identities_have_a_provider_and_tokens_an_id() {
    let log = Log::default();
    // While there is one subscriber alone, an event that another test's thread reaches first is
    // off for all threads.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let subscriber = tracing_subscriber::registry().with(log.clone());
    let _guard = tracing::subscriber::set_default(subscriber);
    let provider = Provider::start().await;
    let server = provider.server("[{match: {groups: readers}, scopeMaps: [reader-map]}]").await;
    let own = |jti: &str, groups: &[&str]| {
        let mut claims = provider.claims("Octo", groups);
        claims["jti"] = json!(jti);
        provider.key.sign("k1", &claims)
    };
    let who = "principal=identity name=Octo provider=ci";

    // In exchange: the provider's id, unless it is none for a line.
    let mut refresh = String::new();
    for (theirs, logged) in
        [("run-7", " presented_jti=run-7"), ("two words", ""), (&"x".repeat(129), "")]
    {
        refresh = server.exchange(&own(theirs, &["readers"])).await.refresh_token();
        let issued = jti(&refresh);
        assert_eq!(log.last(), format!("outcome=exchanged {who} jti={issued}{logged}"));
    }
    assert_eq!(server.exchange(&own("run-8", &[])).await.status, 401);
    let refused = format!("outcome=refused reason=nothing_bound {who} presented_jti=run-8");
    assert_eq!(log.last(), refused);
    let forged = own("run-9", &["readers"]) + "A";
    assert_eq!(server.exchange(&forged).await.status, 401);
    assert!(log.last().starts_with("outcome=refused reason="), "{}", log.last());
    assert!(!log.last().contains("Octo") && !log.last().contains("run-9"), "{}", log.last());

    // At the token endpoint: what was presented, and what was issued.
    let presented = jti(&refresh);
    let access = server.renew(&refresh, PULL).await.access_token();
    let issued = format!("jti={} presented_jti={presented}", jti(&access));
    assert_eq!(log.last(), format!("outcome=issued {who} {issued}"));
    // By an access token, which has no claims of its identity.
    let second = server.by_null_guid(&access, PULL).await.access_token();
    let issued = format!("jti={} presented_jti={}", jti(&second), jti(&access));
    assert_eq!(log.last(), format!("outcome=issued {who} {issued}"));

    // At a proxy.
    let ask = async |authorization: &str| {
        let request = axum::http::Request::get("/authz/nginx")
            .header("x-original-method", "GET")
            .header("x-original-uri", "/v2/samples/a/manifests/v1")
            .header("x-scopegate-content-type", "none")
            .header("authorization", authorization)
            .extension(axum::extract::ConnectInfo(std::net::SocketAddr::from((
                [127, 0, 0, 1],
                4711,
            ))));
        server.send(request.body(axum::body::Body::empty()).unwrap()).await.status.as_u16()
    };
    assert_eq!(ask(&bearer(&access)).await, 200);
    assert_eq!(log.last(), format!("outcome=forwarded {who} presented_jti={}", jti(&access)));
    assert_eq!(ask(&basic(NULL_GUID, &refresh)).await, 200);
    assert_eq!(log.last(), format!("outcome=forwarded {who} presented_jti={presented}"));
    assert_eq!(ask(&basic("Reader", "secret-one")).await, 200);
    assert_eq!(log.last(), "outcome=forwarded principal=token name=Reader");
    assert_eq!(ask(&basic("Reader", "wrong")).await, 401);
    assert_eq!(log.last(), "outcome=refused");

    // A token of the built-in authority.
    let secret = server.put_client(OWNER, "AcrPull").await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", OWNER),
        ("client_secret", &secret),
        ("scope", &format!("{AUDIENCE}/.default")),
    ];
    let token = server.post(&server.authority(), &form).await.access_token();
    let exchanged = server.exchange(&token).await.refresh_token();
    let service = format!("principal=service_principal name={OWNER}");
    let issued = format!("jti={} presented_jti={}", jti(&exchanged), jti(&token));
    assert_eq!(log.last(), format!("outcome=exchanged {service} {issued}"));

    // A revocation, and a refusal of what was revoked.
    assert_eq!(server.post("/oauth2/revoke", &[("token", &refresh)]).await.status, 200);
    assert_eq!(log.last(), format!("outcome=revoked {who} presented_jti={presented}"));
    assert_eq!(server.renew(&refresh, PULL).await.status, 401);
    let refused = "outcome=refused reason=refresh_token_revoked";
    assert_eq!(log.last(), format!("{refused} {who} presented_jti={presented}"));
    assert_eq!(server.post("/oauth2/revoke", &[("token", &forged)]).await.status, 200);
    assert_eq!(log.last(), "outcome=ignored reason=not_signed");

    let everything = format!("{:?}", log.0.lock().unwrap());
    for token in [&refresh, &access, &second, &token, &exchanged, &secret] {
        let signature = token.rsplit('.').next().unwrap();
        assert!(!everything.contains(signature), "{everything}");
    }
}

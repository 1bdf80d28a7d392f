//! Forged tokens, ours and those of identity providers, open nothing.

use axum::http::StatusCode;
use scopegate_server::testing::clock;
use scopegate_server::testing::domain::lifetimes::LEEWAY;
use serde_json::{Value, json};

use crate::support::{
    AUDIENCE, ISSUER, Key, PUBLIC_URL, PULL, Provider, REGISTRY, SERVICE, Server, bearer, claims,
    part, sign_hs256,
};

#[tokio::test]
async fn forged_tokens_open_nothing() {
    let server = Server::start().await;
    let refresh = server.login("Reader", "secret-one").await;
    let access = server.reader().await;
    assert_eq!(server.renew(&refresh, PULL).await.access(), [PULL]);
    assert_eq!(server.by_null_guid(&refresh, PULL).await.access(), [PULL]);
    assert_eq!(server.by_null_guid(&access, PULL).await.access(), [PULL]);
    assert_eq!(server.get("/v2/", Some(&bearer(&access))).await.status, StatusCode::OK);
    let mut forged = Forger::new(&server, &refresh).all();
    forged.extend(Forger::new(&server, &access).all());
    for (what, token) in forged {
        let header = bearer(&token);
        for answer in [
            server.renew(&token, PULL).await,
            server.by_null_guid(&token, PULL).await,
            server.exchange(&token).await,
        ] {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
            answer.check_refusal();
        }
        if axum::http::HeaderValue::try_from(&header).is_ok() {
            for target in ["/v2/", REGISTRY] {
                let answer = server.get(target, Some(&header)).await;
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what} {target}");
            }
        }
    }
}

/// Everything that has been done to a token.
struct Forger<'a> {
    server: &'a Server,
    /// The token that is good.
    good: &'a str,
    own: Value,
    kid: String,
}

impl<'a> Forger<'a> {
    fn new(server: &'a Server, good: &'a str) -> Self {
        let kid = server.app.issuer.ring().newest_kid().to_owned();
        Self { server, good, own: claims(good), kid }
    }

    /// The good claims with another value, signed by the server.
    fn with(&self, name: &str, value: Value) -> String {
        let mut claims = self.own.clone();
        claims[name] = value;
        self.server.sign(&claims)
    }

    /// The good claims without one, signed by the server.
    fn without(&self, name: &str) -> String {
        let mut claims = self.own.clone();
        claims.as_object_mut().unwrap().remove(name);
        self.server.sign(&claims)
    }

    fn all(&self) -> Vec<(&'static str, String)> {
        let mut all = self.with_other_keys();
        all.extend(self.with_other_algorithms());
        all.extend(self.in_other_shapes());
        all.extend(self.with_other_claims());
        all
    }

    /// Distribution CVE-2025-24976: a key that the token itself brings.
    fn with_other_keys(&self) -> Vec<(&'static str, String)> {
        let kid = &self.kid;
        let attacker = Key::new(kid);
        let under = |header: Value| attacker.sign_under(&header, &self.own);
        let (jwk, elsewhere) = (&attacker.jwk, "http://127.0.0.1:1/");
        vec![
            ("another key under a trusted id", under(json!({"alg": "ES256", "kid": kid}))),
            ("a key of its own", under(json!({"alg": "ES256", "kid": kid, "jwk": jwk}))),
            ("a key of its own without an id", under(json!({"alg": "ES256", "jwk": jwk}))),
            ("a chain of its own", under(json!({"alg": "ES256", "kid": kid, "x5c": ["AAAA"]}))),
            ("keys elsewhere", under(json!({"alg": "ES256", "kid": kid, "jku": elsewhere}))),
            (
                "certificates elsewhere",
                under(json!({"alg": "ES256", "kid": kid, "x5u": elsewhere})),
            ),
            ("an unknown id", under(json!({"alg": "ES256", "kid": "../../dev/null"}))),
        ]
    }

    fn with_other_algorithms(&self) -> Vec<(&'static str, String)> {
        let (kid, own) = (&self.kid, &self.own);
        let ring = self.server.app.issuer.ring();
        let jwk = ring.jwks()["keys"][0].clone();
        let [_, payload, signature] = parts(self.good);
        let none = |name: &str| part(&json!({"alg": name, "kid": kid}));
        let shared = |secret: &[u8]| sign_hs256(kid, own, secret);
        vec![
            ("none", format!("{}.{payload}.", none("none"))),
            ("none with a signature", format!("{}.{payload}.{signature}", none("none"))),
            ("None", format!("{}.{payload}.{signature}", none("None"))),
            ("a shared secret: the key", shared(jwk.to_string().as_bytes())),
            ("a shared secret: its x", shared(jwk["x"].as_str().unwrap().as_bytes())),
            ("a shared secret: the certificate", shared(ring.bundle().as_bytes())),
            ("a shared secret: nothing", shared(b"")),
        ]
    }

    fn in_other_shapes(&self) -> Vec<(&'static str, String)> {
        let good = self.good;
        let [head, payload, signature] = parts(good);
        let mut more = self.own.clone();
        more["sub"] = json!("Writer");
        vec![
            ("another payload", format!("{head}.{}.{signature}", part(&more))),
            ("cut off", good[..good.len() - 10].to_owned()),
            ("without a signature", format!("{head}.{payload}.")),
            ("two parts", format!("{head}.{payload}")),
            ("five parts", format!("{good}.x.y")),
            ("a blank within", good.replacen('.', ". ", 1)),
            ("not text", "\u{0}\u{0}".to_owned()),
        ]
    }

    fn with_other_claims(&self) -> Vec<(&'static str, String)> {
        let now = clock::now();
        vec![
            ("another audience", self.with("aud", json!("other.test"))),
            ("a list of audiences", self.with("aud", json!([SERVICE]))),
            ("no audience", self.without("aud")),
            ("the audience of management", self.with("aud", json!(PUBLIC_URL))),
            ("the audience of exchanges", self.with("aud", json!(AUDIENCE))),
            ("another issuer", self.with("iss", json!("other-issuer"))),
            ("no issuer", self.without("iss")),
            ("expired", self.with("exp", json!(now - LEEWAY - 1))),
            ("never expires", self.without("exp")),
            ("expires in the far future", self.with("exp", json!(now + 10 * 365 * 86_400))),
            ("not yet valid", self.with("nbf", json!(now + LEEWAY + 600))),
            ("no begin", self.without("nbf")),
            ("another kind", self.with("grant_type", json!("password"))),
            ("no kind", self.without("grant_type")),
        ]
    }
}

fn parts(token: &str) -> [&str; 3] {
    let parts: Vec<_> = token.split('.').collect();
    parts.try_into().unwrap()
}

/// Tokens that are nearly those of the provider.
fn forgeries_of_a_provider(provider: &Provider) -> Vec<(&'static str, String)> {
    let good = provider.claims("octo", &["owners"]);
    let own = provider.key.sign("k1", &good);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        provider.key.sign("k1", &claims)
    };
    let now = clock::now();
    let attacker = Key::new("k1");
    let under = |header: Value| attacker.sign_under(&header, &good);
    let (jwk, elsewhere) = (provider.key.jwk.to_string(), "http://127.0.0.1:1/");
    vec![
        ("another key", attacker.sign("k1", &good)),
        ("a key of its own", under(json!({"alg": "ES256", "kid": "k1", "jwk": attacker.jwk}))),
        ("keys elsewhere", under(json!({"alg": "ES256", "kid": "k1", "jku": elsewhere}))),
        ("an unknown key", attacker.sign("k2", &good)),
        ("none", format!("{}.{}.", part(&json!({"alg": "none"})), part(&good))),
        ("a shared secret", sign_hs256("k1", &good, jwk.as_bytes())),
        ("another audience", with("aud", json!("https://other.example"))),
        ("our own name as audience", with("aud", json!(SERVICE))),
        ("another issuer", with("iss", json!("https://other.example"))),
        ("us as issuer", with("iss", json!(ISSUER))),
        ("expired", with("exp", json!(now - 61))),
        ("never expires", with("exp", Value::Null)),
        ("not yet valid", with("nbf", json!(now + 600))),
        ("no subject", with("sub", Value::Null)),
        ("a subject on two lines", with("sub", json!("a\nb"))),
        ("no group", with("groups", json!([]))),
        ("a group in a group", with("groups", json!([["owners"]]))),
        ("a group by its index", with("groups", json!({"0": "owners"}))),
        ("cut off", own[..own.len() - 4].to_owned()),
    ]
}

#[tokio::test]
async fn forged_tokens_of_a_provider_open_nothing() {
    let provider = Provider::start().await;
    let server = provider.server("[{match: {groups: owners}, roles: [Owner]}]").await;
    let own = provider.token("octo", &["owners"]);
    assert_eq!(server.exchange(&own).await.status, StatusCode::OK);
    assert_eq!(server.manage(&bearer(&own)).await.status, StatusCode::OK);
    for (what, token) in forgeries_of_a_provider(&provider) {
        let answer = server.exchange(&token).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
        answer.check_refusal();
        let answer = server.manage(&bearer(&token)).await;
        assert!(matches!(answer.status.as_u16(), 401 | 403), "{what} {answer:?}");
        for answer in [
            server.renew(&token, PULL).await,
            server.by_null_guid(&token, PULL).await,
            server.get("/v2/", Some(&bearer(&token))).await,
        ] {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
        }
    }
}

//! `compatibility: acr`: what tokens and answers have in common with those of Azure Container
//! Registry, member by member, and that nothing of it is there by default.
//!
//! The claim sets are those of <https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md>, with
//! what recordings of the service have that this older page has not: `rid` and `appid`,
//! `permissions` in capitals, and the lifetimes.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scopegate_host::setting::Compatibility;
use scopegate_server::testing::clock;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::support::{
    Answer, NULL_GUID, PULL, Provider, SERVICE, Server, Setup, TOKEN, basic, bearer, claims,
    encoded,
};

const REFRESH_SAMPLE: &str = r#"{"jti":"365e3b5b-844e-4a21-a38c-4d8aebdd6a06","sub":"user@contoso.com","nbf":1497988712,"exp":1497990801,"iat":1497988712,"iss":"Azure Container Registry","aud":"contosoregistry.azurecr.io","version":"1.0","grant_type":"refresh_token","tenant":"409520d4-8100-4d1d-ad47-72432ddcc120","permissions":{"actions":["*"],"notActions":[]},"roles":[]}"#;
const ACCESS_SAMPLE: &str = r#"{"jti":"ec425c1e-7eda-4f70-adb5-19f927e34a41","sub":"user@contoso.com","nbf":1497988907,"exp":1497993407,"iat":1497988907,"iss":"Azure Container Registry","aud":"contosoregistry.azurecr.io","version":"1.0","access":[{"type":"registry","name":"catalog","actions":["*"]}],"roles":[],"grant_type":"access_token"}"#;

/// The claims of recorded tokens, in their order.
const RECORDED_REFRESH: &str =
    "jti sub nbf exp iat iss aud version rid grant_type appid tenant permissions roles";
const RECORDED_ACCESS: &str =
    "jti sub nbf exp iat iss aud version rid access roles grant_type appid";

/// The members of a JSON object in their order.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Members, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

impl Members {
    fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap()
    }

    fn of(token: &str) -> Self {
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        Self::read(std::str::from_utf8(&payload).unwrap())
    }

    fn names(&self) -> String {
        self.0.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    fn number(&self, name: &str) -> i64 {
        self.get(name).and_then(Value::as_i64).unwrap()
    }

    /// How long it spans, and how long before now it begins.
    fn span(&self) -> (i64, i64) {
        assert_eq!(self.number("iat"), self.number("nbf"));
        let begin = self.number("nbf");
        (self.number("exp") - begin, clock::now() - begin)
    }
}

async fn server(compatibility: Compatibility, provider: &Provider) -> Server {
    let bindings = "[{match: {groups: readers}, scopeMaps: [reader-map]}, {match: {groups: owners}, roles: [Owner]}]";
    let providers = provider.providers(bindings);
    Server::with(Setup { providers, compatibility, ..Setup::default() }).await
}

/// What an identity of a provider gets, which the samples are of.
async fn exchanged(server: &Server, provider: &Provider) -> Answer {
    let mut claims = provider.claims("user@contoso.com", &["owners"]);
    claims["appid"] = json!("an-application");
    claims["tid"] = json!("409520d4-8100-4d1d-ad47-72432ddcc120");
    let token = provider.key.sign("k1", &claims);
    let form = [
        ("grant_type", "access_token"),
        ("service", SERVICE),
        ("tenant", "409520d4-8100-4d1d-ad47-72432ddcc120"),
        ("access_token", &token),
    ];
    server.post("/oauth2/exchange", &form).await
}

/// The kind of a value, as far as a client sees one.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// Every claim of the sample is there, in its order and of its kind, and no other one is between
/// them but the recorded ones. Ours are behind all of them.
#[track_caller]
fn check_claims(token: &Members, sample: &str, recorded: &str, ours: &str) {
    let sample = Members::read(sample);
    let names = token.names();
    let (documented, own) = names.split_at(recorded.len().min(names.len()));
    assert_eq!((documented, own.trim_start()), (recorded, ours), "{names}");
    let newer = ["rid", "appid"];
    let older: Vec<_> = documented.split(' ').filter(|name| !newer.contains(name)).collect();
    assert_eq!(older.join(" "), sample.names());
    for (name, value) in &sample.0 {
        let own = token.get(name).unwrap();
        assert_eq!(kind(own), kind(value), "{name}: {own}");
    }
}

#[tokio::test]
async fn claims_are_those_of_the_service() {
    let provider = Provider::start().await;
    for (compatibility, backdated) in [(Compatibility::None, 0), (Compatibility::Acr, 900)] {
        let server = server(compatibility, &provider).await;
        let refresh = exchanged(&server, &provider).await.refresh_token();
        let members = Members::of(&refresh);
        check_claims(
            &members,
            REFRESH_SAMPLE,
            RECORDED_REFRESH,
            "principal generation identity epoch",
        );
        assert_eq!(members.get("grant_type"), Some(&json!("refresh_token")));
        assert_eq!(
            members.get("permissions"),
            Some(&json!({
                "Actions": ["read", "write", "delete", "deleted/read", "deleted/restore/action"],
                "NotActions": null,
            }))
        );
        near(members.span(), (10_800 + backdated, backdated));
        let access = server.renew(&refresh, "registry:catalog:*").await.access_token();
        let members = Members::of(&access);
        let ours = "principal generation provider epoch";
        check_claims(&members, ACCESS_SAMPLE, RECORDED_ACCESS, ours);
        for name in ["access", "roles", "grant_type", "version"] {
            assert_eq!(members.get(name), Members::read(ACCESS_SAMPLE).get(name), "{name}");
        }
        near(members.span(), (3_600 + backdated, backdated));
        assert_eq!((backdated == 900), (members.span().0 == sample_span(ACCESS_SAMPLE)));
        let metadata = server.renew(&refresh, "repository:a:metadata_read").await.access_token();
        assert_eq!(claims(&metadata)["version"], "2.0");
    }
}

fn sample_span(sample: &str) -> i64 {
    let sample = Members::read(sample);
    sample.number("exp") - sample.number("nbf")
}

/// The clock goes on while a test runs.
#[track_caller]
fn near((span, before): (i64, i64), (expected, expected_before): (i64, i64)) {
    assert_eq!(span, expected);
    assert!((expected_before..expected_before + 60).contains(&before), "{before}");
}

/// An anonymous token is valid for five minutes, and spans twenty as the recorded one.
#[tokio::test]
async fn an_anonymous_token() {
    use scopegate_server::testing::domain::edit::registry::{self, RegistryEdit};
    let provider = Provider::start().await;
    let server = server(Compatibility::Acr, &provider).await;
    let mut write = server.write().await;
    let edit = RegistryEdit { anonymous_pull: Some(true), ..RegistryEdit::default() };
    registry::patch(&mut write, edit).await.unwrap();
    server.commit(write).await;
    let answer = server.get(&format!("{TOKEN}?scope={PULL}"), None).await;
    let members = Members::of(&answer.access_token());
    assert_eq!(members.get("sub"), Some(&json!("acr_anon_pull")));
    near(members.span(), (1_200, 900));
}

/// The members of every answer, by each way to ask for a token.
#[tokio::test]
async fn answers_are_those_of_the_service() {
    let provider = Provider::start().await;
    for (compatibility, plain) in [
        (Compatibility::None, "access_token token expires_in issued_at"),
        (Compatibility::Acr, "access_token"),
    ] {
        let server = server(compatibility, &provider).await;
        let exchange = exchanged(&server, &provider).await;
        let refresh = exchange.refresh_token();
        let reader = basic("Reader", "secret-one");
        let null_guid = basic(NULL_GUID, &refresh);
        let get = format!("{TOKEN}?service={SERVICE}&scope={PULL}");
        let offline = format!("{get}&offline_token=true");
        let form =
            |more: &str| format!("grant_type=password&username=Reader&password=secret-one&{more}");
        let with_refresh = format!("{plain} refresh_token");
        for (what, answer, expected) in [
            ("exchange", exchange, "refresh_token"),
            ("GET", server.get(&get, Some(&reader)).await, plain),
            ("GET, null GUID", server.get(&get, Some(&null_guid)).await, plain),
            ("docker login", server.get(&offline, Some(&null_guid)).await, &with_refresh),
            ("POST", server.grant(&form("scope=a")).await, plain),
            ("POST, offline", server.grant(&form("access_type=offline")).await, &with_refresh),
            ("refresh", server.renew(&refresh, PULL).await, plain),
        ] {
            assert_eq!(answer.status.as_u16(), 200, "{what}: {answer:?}");
            assert_eq!(Members::read(&answer.text()).names(), expected, "{what}");
            let is_token = |name: &str| name.ends_with("token");
            let members = Members::read(&answer.text());
            let texts = members.0.iter().filter(|(name, _)| is_token(name));
            for (name, value) in texts {
                assert_eq!(value.as_str().unwrap().split('.').count(), 3, "{what}: {name}");
            }
        }
        let answer = server.renew(&refresh, PULL).await;
        let short = format!(r#"{{"access_token":"{}"}}"#, answer.access_token());
        assert_eq!(answer.text() == short, compatibility == Compatibility::Acr);
    }
}

/// Its tokens are taken wherever those of another server are, and are not valid for longer.
#[tokio::test]
async fn its_tokens_are_as_good_as_others() {
    let provider = Provider::start().await;
    let server = server(Compatibility::Acr, &provider).await;
    let other = server_beside(&server).await;
    let refresh = server.login("Reader", "secret-one").await;
    let access = server.renew(&refresh, PULL).await.access_token();
    let now = clock::now();
    for (at, is_good) in [
        (now, true),
        (now + 3_659, true),
        (now + 3_661, false),
        (now - 960, true),
        (now - 962, false),
    ] {
        assert_eq!(server.app.issuer.verify_access(&access, at).is_some(), is_good, "{}", at - now);
        assert_eq!(other.app.issuer.verify_access(&access, at).is_some(), is_good, "{}", at - now);
    }
    for (at, is_good) in
        [(now, true), (now + 10_859, true), (now + 10_861, false), (now - 2_000, false)]
    {
        assert_eq!(
            server.app.issuer.verify_refresh(&refresh, at).is_some(),
            is_good,
            "{}",
            at - now
        );
    }
    // A server without the setting takes it too, and revokes it.
    assert_eq!(other.renew(&refresh, PULL).await.access(), [PULL]);
    assert_eq!(server.by_null_guid(&refresh, PULL).await.access(), [PULL]);
    assert_eq!(server.by_null_guid(&access, PULL).await.access(), [PULL]);
    let status = server.get("/v2/", Some(&bearer(&access))).await.status;
    assert_eq!(status.as_u16(), 200);
    let former = other.login("Reader", "secret-one").await;
    assert_eq!(server.renew(&former, PULL).await.access(), [PULL], "one from before the setting");
    let form = encoded(&[("token", &refresh)]);
    assert_eq!(other.post_raw("/oauth2/revoke", None, &form).await.status.as_u16(), 200);
    assert_eq!(other.renew(&refresh, PULL).await.status.as_u16(), 401, "it was revoked");
    server.catch_up().await;
    assert_eq!(server.renew(&refresh, PULL).await.status.as_u16(), 401, "it was revoked");
}

async fn server_beside(server: &Server) -> Server {
    server.another(Setup::default()).await
}

/// What the setting allows a refresh token, and no second more.
#[tokio::test]
async fn a_refresh_token_spans_no_more_than_the_recorded_one() {
    let provider = Provider::start().await;
    let server = server(Compatibility::Acr, &provider).await;
    let refresh = server.login("Reader", "secret-one").await;
    let now = clock::now();
    for (nbf, exp, is_good) in [
        (-900, 10_800, true),
        (-901, 10_800, false),
        (-900, 10_801, false),
        (0, 10_800, true),
        (0, 10_801, true),
        (0, 11_701, false),
        (60, 11_760, false),
        (-100_000, 10_800, false),
        (-11_000, 700, true),
    ] {
        let mut claims = claims(&refresh);
        claims["nbf"] = json!(now + nbf);
        claims["iat"] = json!(now + nbf);
        claims["exp"] = json!(now + exp);
        let verified = server.app.issuer.verify_refresh(&server.sign(&claims), now);
        assert_eq!(verified.is_some(), is_good, "{nbf} {exp}");
    }
}

//! Identity providers: how often they are asked, and what their identities have when something is
//! taken away.

use axum::http::StatusCode;
use scopegate_server::testing::clock;
use scopegate_server::testing::domain::guard::redemption::REFUSALS;
use scopegate_server::testing::domain::identity::Providers;
use serde_json::json;

use crate::support::{Key, PULL, Provider, SERVICE, Server, Setup, access, claims};

/// The provider counts what it refuses against this server, and not against the client.
#[tokio::test]
async fn redemptions_at_a_provider_are_bounded() {
    let provider = Provider::start().await;
    let setup = Setup { providers: provider.redeeming(), ..Setup::default() };
    let server = Server::with(setup).await;
    let redeem = async |token: &str| {
        let form =
            [("grant_type", "refresh_token"), ("service", SERVICE), ("refresh_token", token)];
        server.post("/oauth2/exchange", &form).await.status.as_u16()
    };
    for _ in 0..3 {
        assert_eq!(redeem("the same").await, 401);
    }
    assert_eq!(provider.grants(), 1);
    for number in 0..50 {
        let expected = if number + 1 < REFUSALS { 401 } else { 429 };
        assert_eq!(redeem(&format!("made up {number}")).await, expected, "{number}");
    }
    assert_eq!(provider.grants(), REFUSALS);
}

/// Where a provider makes another refresh token, its owner gets it, and no token of ours has
/// it.
#[tokio::test]
async fn a_rotated_refresh_token_is_in_the_answer_alone() {
    let provider = Provider::start().await;
    let setup = Setup { providers: provider.redeeming(), ..Setup::default() };
    let server = Server::with(setup).await;
    let [octo, other] = ["octo", "other"].map(|subject| provider.token(subject, &["owners"]));
    let nobody = provider.token("nobody", &[]);
    for (grant, shown, granted, next, status) in [
        ("refresh_token", &octo, &octo, json!("the-next-one"), 200),
        ("access_token_refresh_token", &octo, &octo, json!("the-next-one"), 200),
        ("refresh_token", &octo, &octo, json!("the-former-one"), 200),
        ("refresh_token", &octo, &octo, json!(null), 200),
        ("access_token", &octo, &octo, json!("the-next-one"), 200),
        ("access_token_refresh_token", &other, &octo, json!("the-next-one"), 401),
        ("refresh_token", &octo, &nobody, json!("the-next-one"), 401),
    ] {
        provider.rotate_to(granted, &next);
        let form = [
            ("grant_type", grant),
            ("service", SERVICE),
            ("access_token", shown),
            ("refresh_token", "the-former-one"),
        ];
        let answer = server.post("/oauth2/exchange", &form).await;
        assert_eq!(answer.status, status, "{grant}: {}", answer.body);
        let is_new = status == 200 && grant != "access_token" && next == "the-next-one";
        let sent_back = answer.body.get("aad_refresh_token");
        assert_eq!(sent_back, is_new.then_some(&next), "{grant}");
        if status == 200 {
            let refresh = answer.refresh_token();
            assert!(!claims(&refresh).to_string().contains("-one"), "{grant}");
            let access = server.renew(&refresh, PULL).await.access_token();
            assert!(!claims(&access).to_string().contains("-one"), "{grant}");
        }
    }
}

/// Invented key ids do not make this server ask its provider each time.
#[tokio::test]
async fn invented_keys_do_not_reach_the_provider() {
    let provider = Provider::start().await;
    let bindings = "[{match: {groups: owners}, roles: [Owner]}]";
    let server = provider.server(bindings).await;
    let attacker = Key::new("k1");
    let claims = provider.claims("octo", &["owners"]);
    let begin = std::time::Instant::now();
    for invented in 0..200 {
        let token = attacker.sign(&format!("invented-{invented}"), &claims);
        assert_eq!(server.exchange(&token).await.status, StatusCode::UNAUTHORIZED);
    }
    let most = 2 + usize::try_from(begin.elapsed().as_secs()).unwrap() / 5;
    assert!(provider.fetches() <= most, "{} requests", provider.fetches());
    assert_eq!(server.exchange(&provider.token("octo", &["owners"])).await.status, StatusCode::OK);
}

/// zot CVE-2025-23208, Pomerium CVE-2021-41230: what a provider took away, or the configuration, is
/// gone.
#[tokio::test]
async fn an_identity_has_what_it_is_bound_to_now() {
    let provider = Provider::start().await;
    let bindings = "[{match: {groups: readers}, scopeMaps: [reader-map]}, {match: {groups: writers}, scopeMaps: [writer-map]}]";
    let server = provider.server(bindings).await;
    let scope = "repository:samples/a:pull,push";
    let both =
        server.exchange(&provider.token("octo", &["readers", "writers"])).await.refresh_token();
    assert_eq!(server.renew(&both, scope).await.access(), [PULL, "repository:samples/a:push"]);
    // A group less: what comes of the next exchange is replaced, and never added to.
    let one = server.exchange(&provider.token("octo", &["readers"])).await.refresh_token();
    assert_eq!(server.renew(&one, scope).await.access(), [PULL]);
    assert_eq!(
        server.exchange(&provider.token("octo", &[])).await.status,
        StatusCode::UNAUTHORIZED
    );
    // A binding less: refresh tokens that were issued under it open what is left.
    let fewer = provider.providers("[{match: {groups: readers}, scopeMaps: [reader-map]}]");
    let server = server.another(Setup { providers: fewer, ..Setup::default() }).await;
    assert_eq!(server.renew(&both, scope).await.access(), [PULL]);
    assert_eq!(server.by_null_guid(&both, scope).await.access(), [PULL]);
    // A map less of rules, a provider less.
    server.put_map("reader-map", vec![]).await;
    assert!(server.renew(&both, scope).await.access().is_empty());
    let none = server.another(Setup { providers: Providers::default(), ..Setup::default() }).await;
    assert_eq!(none.renew(&both, scope).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        none.exchange(&provider.token("octo", &["readers"])).await.status,
        StatusCode::UNAUTHORIZED
    );
}

/// A provider that the configuration has no more ends the tokens of its identities: at the
/// exchange, at `/authz`, and in what edges read. It does not give them back when it comes again.
#[tokio::test]
async fn fault_7_a_provider_that_is_gone_ends_its_tokens() {
    let provider = Provider::start().await;
    let providers = || provider.providers("[{match: {groups: readers}, scopeMaps: [reader-map]}]");
    let setup = |providers| Setup { providers, ..Setup::default() };
    let server = Server::with(setup(providers())).await;
    let refresh = server.exchange(&provider.token("octo", &["readers"])).await.refresh_token();
    let token = server.renew(&refresh, PULL).await.access_token();
    assert_eq!(claims(&token)["provider"], "ci");
    let check = async |server: &Server, is_good: bool, what: &str| {
        let now = clock::now();
        assert_eq!(server.accepts(&token, now), is_good, "{what}: /authz");
        let status = if is_good { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        assert_eq!(server.by_null_guid(&token, PULL).await.status, status, "{what}: exchange");
        assert_eq!(server.renew(&refresh, PULL).await.status, status, "{what}: refresh");
    };
    check(&server, true, "configured").await;
    // The same configuration once more changes nothing.
    let same = server.another(setup(providers())).await;
    check(&same, true, "configured again").await;
    let none = server.another(setup(Providers::default())).await;
    check(&none, false, "gone").await;
    let gone = none.app.policy().providers().next().cloned().unwrap();
    assert!(gone.is_gone() && gone.generation == none.app.policy().revision());
    assert!(gone.generation > claims(&token)["generation"].as_i64().unwrap());
    let back = server.another(setup(providers())).await;
    check(&back, false, "back").await;
    let refresh = back.exchange(&provider.token("octo", &["readers"])).await.refresh_token();
    assert_eq!(back.renew(&refresh, PULL).await.access(), [PULL]);
}

/// What one provider has vouched for has no rights under another one of the same name.
#[tokio::test]
async fn another_provider_under_the_same_name() {
    let (former, next) = (Provider::start().await, Provider::start().await);
    let bindings = "[{match: {groups: readers}, scopeMaps: [reader-map]}]";
    let setup =
        |provider: &Provider| Setup { providers: provider.providers(bindings), ..Setup::default() };
    let server = Server::with(setup(&former)).await;
    let refresh = server.exchange(&former.token("octo", &["readers"])).await.refresh_token();
    let access = server.renew(&refresh, PULL).await.access_token();
    let server = server.another(setup(&next)).await;
    for token in [&refresh, &access] {
        let answer = server.by_null_guid(token, PULL).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text());
    }
    assert_eq!(server.renew(&refresh, PULL).await.status, StatusCode::UNAUTHORIZED);
    let refresh = server.exchange(&next.token("octo", &["readers"])).await.refresh_token();
    assert_eq!(server.renew(&refresh, PULL).await.access(), [PULL]);
}

/// A token that is bound to its sender (RFC 7800) is worth nothing to who has it alone.
#[tokio::test]
async fn a_token_that_is_bound_to_its_sender_is_refused() {
    let provider = Provider::start().await;
    let server = provider.server("[{match: {groups: readers}, scopeMaps: [reader-map]}]").await;
    for cnf in [json!({"jkt": "x"}), json!({"x5t#S256": "x"}), json!(null)] {
        let mut claims = provider.claims("octo", &["readers"]);
        claims["cnf"] = cnf;
        let answer = server.exchange(&provider.key.sign("k1", &claims)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text());
    }
}

/// A binding that is gone ends access tokens that it gave; refresh tokens open what is left. A
/// server that still has it gives nothing to identities, and says so.
#[tokio::test]
async fn fault_7_a_binding_that_is_gone_ends_its_access_tokens() {
    let provider = Provider::start().await;
    let both = "[{match: {groups: readers}, scopeMaps: [reader-map]}, {match: {groups: readers}, scopeMaps: [writer-map]}]";
    let one = "[{match: {groups: readers}, scopeMaps: [reader-map]}]";
    let setup = |bindings| Setup { providers: provider.providers(bindings), ..Setup::default() };
    let server = Server::with(setup(both)).await;
    let refresh = server.exchange(&provider.token("octo", &["readers"])).await.refresh_token();
    let scope = "repository:samples/a:pull,push";
    let token = server.renew(&refresh, scope).await.access_token();
    assert_eq!(access(&claims(&token)).len(), 2);
    let fewer = server.another(setup(one)).await;
    assert!(!fewer.accepts(&token, clock::now()));
    assert_eq!(fewer.by_null_guid(&token, scope).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(fewer.renew(&refresh, scope).await.access(), [PULL]);
    // The first one goes on with what it was started with.
    server.catch_up().await;
    let fresh = provider.token("octo", &["readers"]);
    assert_eq!(server.exchange(&fresh).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(server.renew(&refresh, scope).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!server.accepts(&token, clock::now()));
    assert_eq!(server.by_password("Reader", "secret-one", PULL).await.access(), [PULL]);
    assert!(
        server.app.readiness.has_other_providers() && !fewer.app.readiness.has_other_providers()
    );
}

//! `authorize` and the return.

use axum::body::Body;
use axum::http::{Request, header};
use scopegate_server::testing::clock;
use serde_json::{Value, json};

use super::provider::Fault;
use super::{AZ, Begun, REDIRECT, RETURN, Scene, error_of, fields, merged};
use crate::support::{Answer, Server, claims};

/// A page of ours for the person alone: nothing goes anywhere.
#[track_caller]
fn is_page(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {answer:?}");
    assert_eq!(answer.header(header::CONTENT_TYPE), "text/html; charset=utf-8", "{what}");
    let policy = answer.header(header::CONTENT_SECURITY_POLICY);
    assert_eq!(
        policy, "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
        "{what}"
    );
    assert!(!answer.headers.contains_key(header::LOCATION), "{what}");
    assert!(!answer.headers.contains_key(header::SET_COOKIE), "{what}");
    let text = answer.text();
    assert!(!text.contains("<input") && !text.contains("<script"), "{what}: {text}");
}

#[tokio::test]
async fn a_browser_is_sent_to_the_provider_with_a_request_of_ours() {
    let scene = Scene::new().await;
    let answer = scene.authorize(&[]).await;
    let set = answer.header(header::SET_COOKIE);
    assert!(set.starts_with("__Host-scopegate-login="), "{set}");
    assert!(set.ends_with("; Path=/; Secure; Max-Age=600; HttpOnly; SameSite=Lax"), "{set}");
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    assert_eq!(answer.header(header::REFERRER_POLICY), "no-referrer");
    let location = answer.header(header::LOCATION);
    assert!(location.starts_with(&format!("{}/authorize?theme=dark&", scene.op.issuer)));
    let asked = Begun::of(&answer).asked;
    for (name, expected) in [
        ("client_id", "us"),
        ("response_type", "code"),
        ("redirect_uri", "https://r.test/common/oauth2/v2.0/return"),
        ("scope", "openid profile"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(asked[name], expected, "{name}");
    }
    assert!(!asked.contains_key("prompt"), "it publishes none");
    let other = scene.begin().await.asked;
    for name in ["state", "nonce", "code_challenge"] {
        assert!(asked[name].len() == 43 && asked[name] != other[name], "{name}");
    }
    assert_eq!(scene.op.asked(), 0);
}

/// Until the client's address is known to be on its own machine nothing is sent there.
#[tokio::test]
async fn what_is_wrong_before_the_client_is_trusted_is_a_page() {
    let scene = Scene::new().await;
    let state = "s".repeat(513);
    for (name, value) in [
        ("client_id", ""),
        ("client_id", "az"),
        ("client_id", "https://containerregistry.azure.net"),
        ("redirect_uri", ""),
        ("redirect_uri", "https://localhost:8400/"),
        ("redirect_uri", "http://evil.example/"),
        ("redirect_uri", "http://localhost.evil.example/"),
        ("redirect_uri", "http://localhost@evil.example/"),
        ("redirect_uri", "http://localhost:8400/#"),
        ("redirect_uri", "http://127.0.0.2:8400/"),
        ("redirect_uri", "http://localhost\"><script>alert(1)</script>"),
        ("redirect_uri", "javascript:alert(1)"),
        ("response_mode", "fragment"),
        ("response_mode", "<script>"),
        ("state", &state),
    ] {
        is_page(&scene.authorize(&[(name, value)]).await, &format!("{name}={value}"));
    }
    let twice = "/organizations/oauth2/v2.0/authorize?client_id=a&client_id=b";
    is_page(&scene.server.get(twice, None).await, twice);
    let query = merged(&[("client_id", AZ), ("redirect_uri", REDIRECT)], &[]);
    for tenant in ["consumers", "Common", "00000000-0000-4000-8000-00000000000a", "x%22%3E"] {
        let target = format!("/{tenant}/oauth2/v2.0/authorize?{query}");
        is_page(&scene.server.get(&target, None).await, tenant);
    }
    let without = Scene::with("login: false").await;
    is_page(&without.authorize(&[]).await, "no provider for people");
}

#[tokio::test]
async fn what_is_wrong_afterwards_is_the_clients() {
    let scene = Scene::new().await;
    let (scope, nonce) = (format!("https://r.test/.default {}", "a".repeat(400)), "n".repeat(129));
    for (name, value, expected) in [
        ("response_type", "", "unsupported_response_type"),
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "code id_token", "unsupported_response_type"),
        ("code_challenge_method", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "s256", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("scope", "", "invalid_scope"),
        ("scope", "openid profile", "invalid_scope"),
        ("scope", "https://evil.example/.default", "invalid_scope"),
        ("scope", scope.as_str(), "invalid_request"),
        ("nonce", nonce.as_str(), "invalid_request"),
    ] {
        for mode in ["form_post", "query"] {
            let answer = scene.authorize(&[(name, value), ("response_mode", mode)]).await;
            assert_eq!(error_of(&answer), expected, "{name}={value}");
            assert_eq!(fields(&answer)["state"], "the state", "{name}={value}");
            assert!(!answer.headers.contains_key(header::SET_COOKIE), "{name}={value}");
        }
    }
    let answer = scene.authorize(&[("scope", "openid"), ("state", "")]).await;
    assert!(!fields(&answer).contains_key("state"));
}

/// A code for the client, by the way that it has asked for, and the cookie ends.
#[tokio::test]
async fn who_comes_back_has_a_code_for_the_client() {
    let scene = Scene::new().await;
    for (mode, redirect) in [
        ("form_post", "http://localhost:8400"),
        ("query", "http://127.0.0.1:8400/a?b=c"),
        ("", "http://[::1]:8400/"),
    ] {
        let answer = scene.authorize(&[("response_mode", mode), ("redirect_uri", redirect)]).await;
        let begun = Begun::of(&answer);
        let code = scene.op.sign_in("owner", &begun.asked);
        let query = [("code", code.as_str()), ("state", &begun.asked["state"])];
        let answer = scene.come_back(Some(&begun.cookie), &query).await;
        let found = fields(&answer);
        assert_eq!((found["code"].len(), found["state"].as_str()), (43, "the state"), "{mode}");
        let set = answer.header(header::SET_COOKIE);
        assert!(set.starts_with("__Host-scopegate-login=; ") && set.contains("Max-Age=0"), "{set}");
        if mode == "form_post" {
            assert_eq!(answer.status, 200);
            let policy = answer.header(header::CONTENT_SECURITY_POLICY);
            assert!(policy.contains("form-action http://localhost:8400;"), "{policy}");
            assert!(answer.text().contains("action=\"http://localhost:8400\""));
        } else {
            assert!(answer.header(header::LOCATION).starts_with(redirect), "{answer:?}");
        }
        let form = [("redirect_uri", redirect)];
        assert_eq!(scene.redeem(&found["code"], &form).await.status, 200, "{mode}");
    }
}

/// What comes back in a browser that has not begun, or with another answer, is nothing.
#[tokio::test]
async fn the_return_is_bound_to_the_browser_that_began() {
    let scene = Scene::new().await;
    let (begun, other) = (scene.begin().await, scene.begin().await);
    let code = scene.op.sign_in("owner", &begun.asked);
    let (name, token) = begun.cookie.split_once('=').unwrap();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut claims = claims(token);
        change(&mut claims);
        format!("{name}={}", scene.server.sign(&claims))
    };
    let past = clock::now() - 1;
    let state = begun.asked["state"].as_str();
    let query = [("code", code.as_str()), ("state", state)];
    for (what, cookie, query) in [
        ("no cookie", None, &query[..]),
        ("another login's", Some(other.cookie.clone()), &query),
        ("altered", Some(format!("{}A", begun.cookie)), &query),
        ("empty", Some(format!("{name}=")), &query),
        ("two", Some(format!("{}; {}", other.cookie, begun.cookie)), &query),
        ("twice", Some(format!("{0}; {0}", begun.cookie)), &query),
        ("another name", Some(format!("scopegate-login={token}")), &query),
        ("expired", Some(changed(&|claims| claims["exp"] = past.into())), &query),
        (
            "another audience",
            Some(changed(&|claims| claims["aud"] = "login-device:r.test".into())),
            &query,
        ),
        ("another epoch", Some(changed(&|claims| claims["epoch"] = "other".into())), &query),
        ("no epoch", Some(changed(&|claims| claims["epoch"] = Value::Null)), &query),
        ("another issuer", Some(changed(&|claims| claims["iss"] = "other".into())), &query),
        (
            "an address elsewhere",
            Some(changed(&|c| {
                c["request"]["client"]["redirect_uri"] = "http://evil.example".into();
            })),
            &query,
        ),
        ("no state", Some(begun.cookie.clone()), &query[..1]),
        (
            "another state",
            Some(begun.cookie.clone()),
            &[query[0], ("state", &other.asked["state"])],
        ),
        ("two states", Some(begun.cookie.clone()), &[query[1], ("state", "x"), query[0]]),
        ("nothing", Some(begun.cookie.clone()), &[]),
    ] {
        is_page(&scene.come_back(cookie.as_deref(), query).await, what);
    }
    for (name, value) in [("sec-fetch-dest", "iframe"), ("sec-fetch-mode", "no-cors")] {
        for target in
            [format!("{RETURN}?{}", merged(&query, &[])), "/common/oauth2/v2.0/authorize?x".into()]
        {
            let request = Request::get(target).header(header::COOKIE, &begun.cookie);
            let request = request.header(name, value).body(Body::empty()).unwrap();
            is_page(&scene.server.send(request).await, name);
        }
    }
    // No page begins a sign-in; the provider's leads back.
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "same-origin"),
        ("sec-purpose", "prefetch"),
    ] {
        let target = scene.target(&[]);
        let request = Request::get(target).header(name, value).body(Body::empty()).unwrap();
        is_page(&scene.server.send(request).await, value);
    }
    let request = Request::get(scene.target(&[])).header("sec-fetch-site", "none");
    let answer = scene.server.send(request.body(Body::empty()).unwrap()).await;
    assert!(Begun::of(&answer).asked.contains_key("state"));
    assert_eq!(scene.op.asked(), 0, "the provider was asked");
    assert!(fields(&scene.come_back(Some(&begun.cookie), &query).await).contains_key("code"));
    // Its own code is good once at the provider, too.
    assert_eq!(error_of(&scene.come_back(Some(&begun.cookie), &query).await), "access_denied");
}

/// Several servers behind one address: what one began, another goes on with.
#[tokio::test]
async fn another_server_goes_on() {
    use crate::support::Setup;
    let scene = Scene::new().await;
    let setup = Setup { providers: scene.op.providers("login: true"), ..Setup::default() };
    let second = Scene { server: scene.server.another(setup).await, op: scene.op };
    let first = Scene { server: scene.server, op: super::provider::Op::start().await };
    let begun = first.begin().await;
    let code = second.op.sign_in("owner", &begun.asked);
    let query = [("code", code.as_str()), ("state", &begun.asked["state"])];
    let answer = second.come_back(Some(&begun.cookie), &query).await;
    let code = &fields(&answer)["code"];
    assert_eq!(first.redeem(code, &[]).await.status, 200);
    assert_eq!(second.redeem(code, &[]).await.status, 400);
}

/// Whatever the provider says, only its own token for this sign-in counts.
#[tokio::test]
async fn what_the_provider_says_is_checked() {
    let scene = Scene::new().await;
    let claim = |name, value: Value| Fault::Claim(name, value);
    for (fault, expected) in [
        (claim("nonce", json!("another")), "access_denied"),
        (claim("nonce", json!(null)), "access_denied"),
        (claim("aud", json!("another")), "access_denied"),
        (claim("aud", json!("https://containerregistry.azure.net")), "access_denied"),
        (claim("aud", json!(["us", "another"])), "access_denied"),
        (claim("azp", json!("another")), "access_denied"),
        (claim("iss", json!("http://another.test")), "access_denied"),
        (claim("exp", json!(1)), "access_denied"),
        (claim("exp", json!(null)), "access_denied"),
        (claim("sub", json!("")), "access_denied"),
        (claim("sub", json!("stranger")), "access_denied"),
        (Fault::OtherKey, "access_denied"),
        (Fault::AccessOf("reader"), "access_denied"),
        (Fault::NoIdToken, "temporarily_unavailable"),
        (Fault::Status(503), "temporarily_unavailable"),
        (Fault::Status(200), "temporarily_unavailable"),
    ] {
        scene.op.fail(fault.clone());
        let answer = scene.back_as("owner").await;
        assert_eq!(error_of(&answer), expected, "{fault:?}");
        assert!(answer.header(header::SET_COOKIE).contains("Max-Age=0"), "{fault:?}");
    }
    for fault in [
        Fault::None,
        Fault::AccessOf("owner"),
        claim("aud", json!(["us"])),
        claim("azp", json!("us")),
    ] {
        scene.op.fail(fault.clone());
        assert!(fields(&scene.back_as("owner").await).contains_key("code"), "{fault:?}");
    }
}

#[tokio::test]
async fn refusals_of_the_provider_are_handed_on() {
    let scene = Scene::new().await;
    let issuer = scene.op.issuer.as_str();
    for (query, expected) in [
        (&[("error", "access_denied")][..], "access_denied"),
        (&[("error", "login_required"), ("error_description", "<script>")], "access_denied"),
        (&[("error", "server_error")], "temporarily_unavailable"),
        (&[("error", "temporarily_unavailable")], "temporarily_unavailable"),
        (&[("error", "access_denied"), ("code", "c")], "access_denied"),
        (&[("code", "another provider's")], "access_denied"),
        (&[("code", "c"), ("iss", "https://another.test")], "access_denied"),
        (&[("code", "")], "invalid_request"),
        (&[], "invalid_request"),
    ] {
        let begun = scene.begin().await;
        let query = [query, &[("state", &begun.asked["state"])]].concat();
        let answer = scene.come_back(Some(&begun.cookie), &query).await;
        assert_eq!(error_of(&answer), expected, "{query:?}");
        assert!(!answer.text().contains("<script>\n"), "{query:?}");
    }
    let begun = scene.begin().await;
    let code = scene.op.sign_in("owner", &begun.asked);
    let query = [("code", code.as_str()), ("state", &begun.asked["state"]), ("iss", issuer)];
    let answer = scene.come_back(Some(&begun.cookie), &query).await;
    assert!(fields(&answer).contains_key("code"), "{answer:?}");
}

/// RFC 9207: an answer without the issuer may be another provider's, where this one names itself.
#[tokio::test]
async fn an_answer_names_its_issuer_where_the_provider_says_so() {
    let scene = Scene::new().await;
    scene.op.fail(Fault::NamesIssuer);
    let issuer = scene.op.issuer.as_str();
    for (issuer, is_taken) in
        [(None, false), (Some("https://another.test"), false), (Some(issuer), true)]
    {
        let begun = scene.begin().await;
        let code = scene.op.sign_in("owner", &begun.asked);
        let mut query = vec![("code", code.as_str()), ("state", &begun.asked["state"])];
        query.extend(issuer.map(|issuer| ("iss", issuer)));
        let asked = scene.op.asked();
        let answer = scene.come_back(Some(&begun.cookie), &query).await;
        assert_eq!(fields(&answer).contains_key("code"), is_taken, "{issuer:?} {answer:?}");
        assert_eq!(scene.op.asked() > asked, is_taken, "{issuer:?}: whether the code is sent");
    }
}

/// Programs look at links with it.
#[tokio::test]
async fn head_begins_and_redeems_nothing() {
    let scene = Scene::new().await;
    let begun = scene.begin().await;
    let code = scene.op.sign_in("owner", &begun.asked);
    let query = [("code", code.as_str()), ("state", &begun.asked["state"])];
    let back = format!("{RETURN}?{}", merged(&query, &[]));
    let authorize = "/common/oauth2/v2.0/authorize?client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46";
    for target in [back.as_str(), authorize] {
        let request = Request::head(target).header(header::COOKIE, &begun.cookie);
        let answer = scene.server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 405, "{target}");
        assert_eq!(answer.header(header::ALLOW), "GET", "{target}");
        assert!(!answer.headers.contains_key(header::SET_COOKIE), "{target}");
    }
    assert_eq!(scene.op.asked(), 0);
    let answer = scene.come_back(Some(&begun.cookie), &query).await;
    assert!(fields(&answer).contains_key("code"), "{answer:?}");
}

/// Without TLS, on loopback, the cookie is for the one path.
#[tokio::test]
async fn the_cookie_without_tls() {
    use super::provider::Op;
    use crate::support::Setup;
    let op = Op::start().await;
    let setup = Setup {
        providers: op.providers("login: {scopes: [openid], prompts: [select_account]}"),
        public_url: "http://localhost:5001".into(),
        ..Setup::default()
    };
    let scene = Scene { server: Server::with(setup).await, op };
    let answer = scene.authorize(&[("scope", "http://localhost:5001/.default")]).await;
    let set = answer.header(header::SET_COOKIE);
    assert!(set.starts_with("scopegate-login="), "{set}");
    let rest = "; Path=/common/oauth2/v2.0/return; Max-Age=600; HttpOnly; SameSite=Lax";
    assert!(set.ends_with(rest), "{set}");
    let asked = Begun::of(&answer).asked;
    assert_eq!((asked["scope"].as_str(), asked["prompt"].as_str()), ("openid", "select_account"));
}

//! Parameters: which are read, which are refused, and what they cannot change.

use axum::http::StatusCode;
use proptest::collection::vec;
use proptest::prelude::*;
use scopegate_server::testing::domain::lifetimes::ACCESS_LIFETIME;
use serde_json::json;

use crate::support::{
    NULL_GUID, OWNER, PULL, SERVICE, Server, TOKEN, access, basic, claims, encoded,
};

use super::scopes::{rule, run, scope};

/// Gitea CVE-2026-28699, Artifact Keeper GHSA-vvc3-h39c-mrq5: whichever way credentials travel, the
/// decision is the same.
#[test]
fn every_transport_comes_to_the_same_decision() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start());
    let strategy = (vec(rule(), 1..4), vec(scope(), 0..4));
    run(32, strategy, |(rules, scopes)| {
        runtime.block_on(async {
            server.put_map("reader-map", rules).await;
            let scope = scopes.join(" ");
            let reader = basic("Reader", "secret-one");
            let query = encoded(&[("scope", &scope), ("service", SERVICE)]);
            let repeated: Vec<_> = scopes.iter().map(|scope| ("scope", scope.as_str())).collect();
            let offline = [
                ("grant_type", "password"),
                ("username", "reader"),
                ("password", "secret-one"),
                ("access_type", "offline"),
                ("scope", &scope),
            ];
            let by_password = server.post(TOKEN, &offline).await;
            let refresh = by_password.refresh_token();
            let exchanged = server.exchange("READER:secret-one").await.refresh_token();
            let null = basic(NULL_GUID, &refresh);
            let expected = by_password.access();
            for answer in [
                server.get(&format!("{TOKEN}?{query}"), Some(&reader)).await,
                server.get(&format!("{TOKEN}?{}", encoded(&repeated)), Some(&reader)).await,
                server.post_raw(TOKEN, Some(&reader), &query).await,
                server.renew(&refresh, &scope).await,
                server.renew(&exchanged, &scope).await,
                server.by_null_guid(&refresh, &scope).await,
                server.get(&format!("{TOKEN}?{query}"), Some(&null)).await,
            ] {
                prop_assert_eq!(answer.access(), expected.clone());
            }
            Ok(())
        })
    });
}

/// cesanta/docker_auth refuses another `account`, others heed it; here it is ignored.
#[tokio::test]
async fn an_account_parameter_changes_nothing() {
    let server = Server::start().await;
    for account in ["Writer", "registry", NULL_GUID, "", "%00"] {
        let target = format!("{TOKEN}?account={account}&scope=repository:samples/a:pull,push");
        let answer = server.get(&target, Some(&basic("Reader", "secret-one"))).await;
        assert_eq!(answer.access(), [PULL], "{account}");
        assert_eq!(claims(&answer.access_token())["sub"], "Reader");
    }
}

/// Harbor CVE-2019-16097: fields that a caller may not set are ignored.
#[tokio::test]
async fn claims_cannot_be_asked_for() {
    let server = Server::start().await;
    let form =
        "grant_type=password&username=Reader&password=secret-one&scope=repository:samples/a:pull";
    for more in [
        "sub=Writer",
        "principal=admin",
        "generation=99",
        "roles=Owner",
        "access=[]",
        "exp=9999999999",
        "expires_in=99999999",
        "aud=other",
        "permissions=*",
        "grant_type=password&admin=true",
    ] {
        let answer = server.post_raw(TOKEN, None, &format!("{form}&{more}")).await;
        let claims = claims(&answer.access_token());
        assert_eq!(
            (access(&claims), &claims["sub"]),
            (vec![PULL.to_owned()], &json!("Reader")),
            "{more}"
        );
        assert_eq!(claims["aud"], SERVICE);
        assert_eq!(
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
            ACCESS_LIFETIME
        );
    }
}

/// Two readers of one request must not disagree about it.
#[tokio::test]
async fn a_repeated_parameter_is_refused() {
    let server = Server::start().await;
    let refresh = server.login("Reader", "secret-one").await;
    let good = "grant_type=password&username=Reader&password=secret-one";
    for (query, form) in [
        ("", format!("{good}&grant_type=refresh_token&refresh_token={refresh}")),
        ("", format!("{good}&username=Writer")),
        ("", format!("{good}&username=")),
        ("", format!("{good}&password=other")),
        ("", format!("{good}&service={SERVICE}&service=other")),
        ("?grant_type=refresh_token", good.to_owned()),
        ("?username=Writer", good.to_owned()),
        ("?password=other", good.to_owned()),
        ("?service=other", format!("{good}&service={SERVICE}")),
        ("", format!("{good}&access_type=offline&access_type=online")),
        ("", format!("grant_type=refresh_token&refresh_token={refresh}&refresh_token=")),
    ] {
        let answer = server.post_raw(&format!("{TOKEN}{query}"), None, &form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query} {form}");
        answer.check_refusal();
    }
    for form in [
        "grant_type=access_token&grant_type=refresh_token&service=r.test&access_token=Reader:secret-one",
        "grant_type=access_token&service=r.test&service=other&access_token=Reader:secret-one",
        "grant_type=access_token&service=r.test&access_token=Reader:secret-one&access_token=x",
    ] {
        let answer = server.post_raw("/oauth2/exchange", None, form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{form}");
        answer.check_refusal();
    }
    // What says the same twice says it once.
    let twice = format!("{good}&{good}&service={SERVICE}&service={SERVICE}");
    assert_eq!(server.post_raw(TOKEN, None, &twice).await.status, StatusCode::OK);
}

/// A query is in logs, in histories and in `Referer`.
#[tokio::test]
async fn a_secret_in_the_query_of_a_post_is_refused() {
    let server = Server::start().await;
    let secret = server.put_client(OWNER, "Owner").await;
    let refresh = server.login("Reader", "secret-one").await;
    let authority = server.authority();
    let exchange = "grant_type=access_token&access_token=Reader:secret-one";
    let client = "grant_type=client_credentials&scope=https://r.test/.default";
    for (target, whole) in [
        (TOKEN, "grant_type=password&username=Reader&password=secret-one".to_owned()),
        (TOKEN, format!("grant_type=refresh_token&refresh_token={refresh}")),
        ("/oauth2/exchange", format!("{exchange}&service={SERVICE}")),
        (&authority, format!("{client}&client_id={OWNER}&client_secret={secret}")),
    ] {
        assert_eq!(server.post_raw(target, None, &whole).await.status, StatusCode::OK, "{target}");
        let (secret, others): (Vec<_>, Vec<_>) = whole.split('&').partition(is_secret);
        let (secret, others) = (secret.join("&"), others.join("&"));
        let escaped = secret.replacen('_', "%5F", 1).replacen("pass", "%70ass", 1);
        for (query, form) in
            [(&whole, ""), (&secret, others.as_str()), (&secret, &whole), (&escaped, &whole)]
        {
            let answer = server.post_raw(&format!("{target}?{query}"), None, form).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{target}?{query} {form}");
            assert!(answer.text().contains("send it in the form"), "{}", answer.text());
        }
    }
}

fn is_secret(parameter: &&str) -> bool {
    ["password=", "refresh_token=", "access_token=", "client_secret="]
        .iter()
        .any(|name| parameter.starts_with(name))
}

/// A GET has a password in its header, and reads none from its query.
#[tokio::test]
async fn a_secret_in_the_query_of_a_get_is_not_read() {
    let server = Server::start().await;
    let refresh = server.login("Reader", "secret-one").await;
    let get = format!("{TOKEN}?password=secret-one&username=Reader&refresh_token={refresh}");
    assert_eq!(server.get(&get, None).await.status, StatusCode::UNAUTHORIZED);
    let answer = server.get(&get, Some(&basic("Reader", "secret-one"))).await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// No right, and nothing else that lasts, comes of asking: Quay CVE-2025-4374.
#[tokio::test]
async fn a_request_for_a_token_writes_nothing() {
    let server = Server::start().await;
    let before = server.app.store.changes(0).await.unwrap();
    let refresh = server.login("Reader", "secret-one").await;
    server.renew(&refresh, "repository:new/repository:pull,push,delete").await;
    server.by_password("Nobody-1", "secret-one", "repository:new:*").await;
    server
        .get(
            &format!("{TOKEN}?scope=repository:samples/brand-new:push"),
            Some(&basic("Writer", "secret-two")),
        )
        .await;
    server.get("/v2/", Some("Bearer x")).await;
    let after = server.app.store.changes(0).await.unwrap();
    assert_eq!(after.registry.revision, before.registry.revision);
    assert_eq!(
        (after.tokens.len(), after.scope_maps.len()),
        (before.tokens.len(), before.scope_maps.len())
    );
}

//! Nothing more is issued than what was presented holds.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use proptest::collection::vec;
use proptest::prelude::*;
use scopegate_api::access::AccessEntry;
use scopegate_api::claims::PrincipalKind;
use scopegate_server::testing::clock;
use scopegate_server::testing::domain::issue::Subject;
use scopegate_server::testing::domain::lifetimes::{ACCESS_LIFETIME, LEEWAY};
use serde_json::Value;

use crate::support::{
    Answer, NULL_GUID, OWNER, PULL, Provider, Server, TOKEN, access, bearer, claims,
};

use super::scopes::{rule, run, scope};

#[derive(Clone, Debug)]
struct Case {
    before: Vec<String>,
    after: Vec<String>,
    asked: Vec<Vec<String>>,
}

fn case() -> impl Strategy<Value = Case> {
    (vec(rule(), 0..4), vec(rule(), 0..5), vec(vec(scope(), 0..4), 3))
        .prop_map(|(before, after, asked)| Case { before, after, asked })
}

fn is_within(narrow: &Answer, wide: &Answer) -> Result<(), TestCaseError> {
    let (narrow, wide) = (claims(&narrow.access_token()), claims(&wide.access_token()));
    let held = access(&wide);
    for entry in access(&narrow) {
        prop_assert!(held.contains(&entry), "{} is not in {:?}", entry, held);
    }
    prop_assert!(narrow["exp"].as_i64() <= wide["exp"].as_i64(), "it lasts longer");
    prop_assert_eq!(&narrow["sub"], &wide["sub"]);
    Ok(())
}

/// Gitea CVE-2025-68944, Harbor #18636: an access token is worth no more than what it holds, over
/// any number of hops, and however much its principal has been given meanwhile.
#[test]
fn an_exchanged_token_holds_no_more_than_the_one_presented() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start());
    run(48, case(), |case| {
        runtime.block_on(async {
            server.put_map("reader-map", case.before).await;
            let [first, second, third] = [0, 1, 2].map(|index: usize| case.asked[index].join(" "));
            let presented = server.by_password("Reader", "secret-one", &first).await;
            server.put_map("reader-map", case.after).await;
            let hop = server.by_null_guid(&presented.access_token(), &second).await;
            is_within(&hop, &presented)?;
            let all = server.by_null_guid(&presented.access_token(), &first).await;
            is_within(&all, &presented)?;
            let last = server.by_null_guid(&hop.access_token(), &third).await;
            is_within(&last, &hop)?;
            // And nothing that was not asked for.
            let asked: BTreeSet<_> = second.split(' ').collect();
            prop_assert!(hop.access().len() <= asked.len() * 6);
            Ok(())
        })
    });
}

/// A server with principals of every kind, and an access token of each that may pull.
async fn tokens_of_every_kind() -> (Server, [(&'static str, String); 4]) {
    let provider = Provider::start().await;
    let server = provider.server("[{match: {groups: owners}, roles: [Owner]}]").await;
    server.apply("registry: {adminUserEnabled: true, anonymousPullEnabled: true}").await.unwrap();
    let secret = server.put_client(OWNER, "Owner").await;
    let identity = server.exchange(&provider.token("octo", &["owners"])).await.refresh_token();
    let client = server.by_password(OWNER, &secret, PULL).await.access_token();
    let identity = server.renew(&identity, PULL).await.access_token();
    let reader = server.reader().await;
    let anonymous = server.renew("", PULL).await.access_token();
    let tokens = [
        ("service_principal", client),
        ("identity", identity),
        ("token", reader),
        ("anonymous", anonymous),
    ];
    for (kind, token) in &tokens {
        assert_eq!(claims(token)["principal"], *kind);
        assert_eq!(access(&claims(token)), [PULL], "{kind}");
    }
    (server, tokens)
}

#[tokio::test]
async fn an_access_token_of_any_kind_is_exchanged_for_what_it_holds() {
    let wide = "repository:samples/a:pull,push,delete repository:b:pull registry:catalog:*";
    let (server, tokens) = tokens_of_every_kind().await;
    for (kind, token) in tokens {
        let hop = server.by_null_guid(&token, wide).await;
        assert_eq!(hop.access(), [PULL], "{kind}");
        let (first, second) = (claims(&token), claims(&hop.access_token()));
        assert!(second["exp"].as_i64() <= first["exp"].as_i64(), "{kind}");
        assert_eq!(second["principal"], kind);
    }
}

#[tokio::test]
async fn an_access_token_gets_no_refresh_token() {
    let (server, tokens) = tokens_of_every_kind().await;
    for (kind, token) in tokens {
        let offline = [
            ("grant_type", "password"),
            ("username", NULL_GUID),
            ("password", &token),
            ("access_type", "offline"),
        ];
        let answer = server.post(TOKEN, &offline).await;
        assert_eq!((answer.status, answer.access().len()), (StatusCode::OK, 0), "{kind}");
        assert_eq!(answer.body["refresh_token"], Value::Null, "{kind}");
    }
}

#[tokio::test]
async fn an_access_token_is_no_credential_of_another_kind() {
    let (server, tokens) = tokens_of_every_kind().await;
    for (kind, token) in tokens {
        let pair = format!("{NULL_GUID}:{token}");
        for answer in [
            server.exchange(&token).await,
            server.renew(&token, PULL).await,
            server.exchange(&pair).await,
            server.manage(&bearer(&token)).await,
        ] {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{kind}");
        }
    }
}

/// What a scope map has lost counts for an identity's access token too, as soon as that is to
/// become another one.
#[tokio::test]
async fn an_identity_does_not_keep_what_its_map_has_lost() {
    let provider = Provider::start().await;
    let bindings = "[{match: {groups: builders}, scopeMaps: [build-map]}]";
    let server = provider.server(bindings).await;
    server.put_map("build-map", vec!["repositories/samples/*/content/read".into()]).await;
    let identity = server.exchange(&provider.token("octo", &["builders"])).await.refresh_token();
    let token = server.renew(&identity, PULL).await.access_token();
    assert_eq!(server.by_null_guid(&token, PULL).await.access(), [PULL]);
    server.put_map("build-map", vec!["repositories/other/content/read".into()]).await;
    assert_eq!(server.by_null_guid(&token, PULL).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.renew(&identity, PULL).await.access(), Vec::<String>::new());
}

/// What an access token is good for: nothing, being shown, or that and being exchanged.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum GoodFor {
    Nothing,
    Showing,
    Exchange,
}

/// What two clocks may be apart is no way to live for ever: within it an expired token is shown,
/// and never exchanged.
#[tokio::test]
async fn an_access_token_that_has_expired_is_not_exchanged_for_a_newer_one() {
    let server = Server::start().await;
    let generation =
        u64::try_from(server.app.policy().token("Reader").unwrap().generation).unwrap();
    let subject = Subject::new("Reader", PrincipalKind::Token, generation);
    let entry = AccessEntry {
        resource_type: "repository".into(),
        name: "samples/a".into(),
        actions: vec!["pull".into()],
    };
    for (age, good_for) in [
        (0, GoodFor::Exchange),
        (ACCESS_LIFETIME - 30, GoodFor::Exchange),
        (ACCESS_LIFETIME + 1, GoodFor::Showing),
        (ACCESS_LIFETIME + LEEWAY / 2, GoodFor::Showing),
        (ACCESS_LIFETIME + LEEWAY + 1, GoodFor::Nothing),
    ] {
        let issued = clock::now() - age;
        let access = vec![entry.clone()];
        let token =
            server.app.issuer.access_token(&subject, "r", access, ACCESS_LIFETIME, issued).unwrap();
        let shown = server.get("/v2/", Some(&bearer(&token))).await;
        assert_eq!(shown.status == StatusCode::OK, good_for >= GoodFor::Showing, "{age}");
        let answer = server.by_null_guid(&token, PULL).await;
        let is_exchanged = good_for == GoodFor::Exchange;
        assert_eq!(answer.status == StatusCode::OK, is_exchanged, "{age} {answer:?}");
        if is_exchanged {
            let expected = claims(&token)["exp"].as_i64();
            assert!(claims(&answer.access_token())["exp"].as_i64() <= expected, "{age}");
        }
    }
}

/// Artifact Keeper #3408, #2290: nothing granted is nothing, and never everything; and actions do
/// not imply each other.
#[tokio::test]
async fn an_empty_grant_opens_nothing() {
    let server = Server::start().await;
    for (name, password, scope, expected) in [
        ("Nothing", "secret-one", PULL, ""),
        ("Nothing", "secret-one", "registry:catalog:*", ""),
        ("Mapless", "secret-one", "repository:*:*", ""),
        ("Reader", "secret-one", "", ""),
        ("Reader", "secret-one", "repository:samples/a:", ""),
        ("Reader", "secret-one", "repository:*:*", ""),
        ("Reader", "secret-one", "repository::pull", ""),
        ("Reader", "secret-one", "repository:samples/a:push", ""),
        ("Reader", "secret-one", "repository:samples/a:metadata_read", ""),
        ("Reader", "secret-one", "repository:samples:pull", ""),
        ("Writer", "secret-two", "repository:samples/a:pull,push", "repository:samples/a:push"),
    ] {
        let answer = server.by_password(name, password, scope).await;
        assert_eq!(answer.access().join(" "), expected, "{name} {scope}");
        // A token that holds nothing is worth nothing as a credential.
        let hop = server
            .by_null_guid(&answer.access_token(), "repository:samples/a:pull,push repository:*:*")
            .await;
        assert_eq!(hop.access().join(" "), expected, "{name} {scope}");
    }
}

//! What has gone wrong in other registries and token servers, and what attackers try first: each
//! must come to nothing here.
//!
//! The advisories that a test is about are named beside it. What a client reads is compared whole:
//! status, headers and body.

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

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use scopegate_api::access::AccessEntry;
use scopegate_api::claims::PrincipalKind;
use scopegate_host::networks::Networks;
use scopegate_server::testing::app::remember;
use scopegate_server::testing::app::watch::catch_up;
use scopegate_server::testing::clock;
use scopegate_server::testing::config::{Limits, Rate};
use scopegate_server::testing::domain::edit::{passwords, registry};
use scopegate_server::testing::domain::guard::FAILURE_COST;
use scopegate_server::testing::domain::guard::redemption::REFUSALS;
use scopegate_server::testing::domain::identity::Providers;
use scopegate_server::testing::domain::issue::Subject;
use scopegate_server::testing::domain::lifetimes::{ACCESS_LIFETIME, LEEWAY};
use scopegate_server::testing::store::PasswordName;
use serde_json::{Value, json};

use security::*;

#[path = "security/parsers.rs"]
mod parsers;
mod security;

const PULL: &str = "repository:samples/a:pull";
const TOKEN: &str = "/oauth2/token";
const SHORT: &str = "/registries/registry";

// ── what a client learns ──

/// Harbor CVE-2020-13794, CVE-2019-19030: whoever guesses must not learn which names exist.
#[tokio::test]
async fn wrong_and_unknown_names_look_alike() {
    let server = Server::start().await;
    server.put_client(PULLER, "AcrPull", true).await;
    let disabled = server.put_client(DISABLED, "AcrPull", false).await;
    let names = [
        ("Reader", "wrong"),
        ("Reader", ""),
        ("Reader", "secret-two"),
        ("Nobody-1", "secret-one"),
        ("Disabled", "secret-one"),
        ("Disabled", "wrong"),
        ("registry", "secret-one"),
        ("", ""),
        ("x", "y"),
        (PULLER, "wrong"),
        (DISABLED, disabled.as_str()),
        ("3f2504e0-4f89-41d3-9a0c-0305e82c33ff", "wrong"),
        ("administrator", "wrong"),
        (NULL_GUID, "wrong"),
        (NULL_GUID, "a.b.c"),
        (NULL_GUID, ""),
        ("R\u{e9}ader", "p\u{e4}ss"),
    ];
    let mut seen: Vec<BTreeSet<String>> = vec![BTreeSet::new(); 6];
    for (name, password) in names {
        let basic = basic(name, password);
        let target = format!("{TOKEN}?service={SERVICE}&scope={PULL}");
        let answers = [
            server.get(&target, Some(&basic)).await,
            server.post_raw(TOKEN, Some(&basic), &format!("scope={PULL}")).await,
            server.by_password(name, password, PULL).await,
            server.exchange(&format!("{name}:{password}")).await,
            server.get(SHORT, Some(&basic)).await,
            authority(&server, name, password).await,
        ];
        for (seen, answer) in seen.iter_mut().zip(&answers) {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name} {answer:?}");
            seen.insert(format!("{:?}", answer.seen()));
        }
    }
    for seen in seen {
        assert_eq!(seen.len(), 1, "{seen:#?}");
    }
}

async fn authority(server: &Server, client: &str, secret: &str) -> Answer {
    let target = format!("/{}/oauth2/v2.0/token", server.app.policy().registry.tenant);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client),
        ("client_secret", secret),
        ("scope", "https://r.test/.default"),
    ];
    server.post(&target, &form).await
}

/// What is wrong with a token is nobody's business but the log's.
#[tokio::test]
async fn bad_tokens_look_alike() {
    let server = Server::start().await;
    let good = refresh_token(&server, "Reader", "secret-one").await;
    server.apply("tokens: [{name: Reader, status: disabled}]").await.unwrap();
    let mut seen = BTreeSet::new();
    for token in
        [good.as_str(), "a.b.c", &good[1..], &good[..good.len() - 2], "eyJhbGciOiJub25lIn0.e30."]
    {
        let answer = server.renew(token, PULL).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{token}");
        seen.insert(format!("{:?}", answer.seen()));
        seen.insert(format!("{:?}", server.by_null_guid(token, PULL).await.seen()));
    }
    assert_eq!(seen.len(), 1, "{seen:#?}");
}

/// Guessing costs the same at every door.
#[tokio::test]
async fn wrong_credentials_cost_their_address_everywhere() {
    let limits = Limits {
        per_address: Rate { rate: 0.001, burst: 2 * (FAILURE_COST + 1) },
        ..Limits::default()
    };
    let secret = basic("administrator", "wrong");
    for door in ["token", "exchange", "management", "subscriptions", "authority"] {
        let setup = Setup { limits: limits.clone(), ..Setup::default() };
        let server = Server::with(setup).await;
        let mut statuses = Vec::new();
        for _ in 0..3 {
            let answer = match door {
                "token" => server.get(TOKEN, Some(&secret)).await,
                "exchange" => server.exchange("administrator:wrong").await,
                "management" => server.get(&format!("{SHORT}/tokens"), Some(&secret)).await,
                "subscriptions" => server.get("/subscriptions", Some(&secret)).await,
                _ => authority(&server, "administrator", "wrong").await,
            };
            statuses.push(answer.status.as_u16());
        }
        assert_eq!(statuses, [401, 401, 429], "{door}");
    }
}

/// Artifact Keeper GHSA-8jm4-4x6c-6787: the leftmost entry is the client's own invention.
#[tokio::test]
async fn nobody_chooses_the_address_that_is_counted() {
    let wrong = basic("Reader", "wrong");
    for proxies in [&[][..], &["192.0.2.9"]] {
        let trusted_proxies = Networks::parse(proxies.iter().copied()).unwrap();
        let limits = Limits {
            per_address: Rate { rate: 0.001, burst: 2 * (FAILURE_COST + 1) },
            ..Limits::default()
        };
        let server = Server::with(Setup { limits, trusted_proxies, ..Setup::default() }).await;
        let mut last = StatusCode::OK;
        for invented in 0..5 {
            let forwarded = format!("10.0.0.{invented}, 203.0.113.1");
            last = server.get_from("192.0.2.9", &forwarded, TOKEN, &wrong).await.status;
        }
        assert_eq!(last, StatusCode::TOO_MANY_REQUESTS, "{proxies:?}");
    }
}

/// What a gateway shows, and where from: only what its own server generated for an EdgeReader is
/// believed, over loopback here.
#[tokio::test]
async fn only_a_gateway_of_ours_speaks_for_its_clients() {
    let once = Rate { rate: 0.001, burst: FAILURE_COST + 1 };
    let limits = Limits { per_address: once, per_principal: once, ..Limits::default() };
    let reader = "3f2504e0-4f89-41d3-9a0c-0305e82c33";
    let gateway = |client: u32, secret: &str| basic(&format!("{reader}{client:02}"), secret);
    for (what, peer, is_believed) in [
        ("right", "127.0.0.1", true),
        ("right", "::1", true),
        ("right", "192.0.2.9", false),
        ("wrong", "127.0.0.1", false),
        ("not generated", "127.0.0.1", false),
        ("of an owner", "127.0.0.1", false),
        ("disabled", "127.0.0.1", false),
        ("replaced", "127.0.0.1", false),
        ("no basic", "127.0.0.1", false),
        ("nothing", "127.0.0.1", false),
    ] {
        let server = Server::with(Setup { limits: limits.clone(), ..Setup::default() }).await;
        let secret = server.put_client(&format!("{reader}10"), "EdgeReader", true).await;
        let owner = server.put_client(&format!("{reader}11"), "Owner", true).await;
        let disabled = server.put_client(&format!("{reader}12"), "EdgeReader", false).await;
        let shown = match what {
            "wrong" => gateway(10, &owner),
            "not generated" => gateway(10, "a secret of sixteen characters"),
            "of an owner" => gateway(11, &owner),
            "disabled" => gateway(12, &disabled),
            "no basic" => format!("Bearer {secret}"),
            "nothing" => String::new(),
            _ => gateway(10, &secret),
        };
        if what == "replaced" {
            for _ in 0..2 {
                server.put_client(&format!("{reader}10"), "EdgeReader", true).await;
            }
        }
        // One client of the gateway uses up what it has; whether that is its own shows the next.
        let sent = async |client: &str, password: &str| {
            server.get_by(peer, client, &shown, TOKEN, &basic("Reader", password)).await.status
        };
        let first = [sent("203.0.113.1", "wrong").await, sent("203.0.113.1", "secret-one").await];
        let second = sent("203.0.113.2", "secret-one").await;
        let expected = if is_believed { StatusCode::OK } else { StatusCode::TOO_MANY_REQUESTS };
        assert_eq!(second, expected, "{what} from {peer}, after {first:?}");
        assert_eq!(first[1], StatusCode::TOO_MANY_REQUESTS, "{what} from {peer}");
    }
}

/// What was right once is right for as long as its service principal is as it was, and two of them
/// are none.
#[tokio::test]
async fn a_gateway_that_is_taken_away_speaks_for_nobody() {
    let once = Rate { rate: 0.001, burst: FAILURE_COST + 1 };
    let limits = Limits { per_address: once, ..Limits::default() };
    let server = Server::with(Setup { limits, ..Setup::default() }).await;
    let secret = server.put_client(OWNER, "EdgeReader", true).await;
    let shown = basic(OWNER, &secret);
    let mut clients = 0;
    let mut sent = async |shown: &str| {
        clients += 1;
        let client = format!("203.0.113.{clients}");
        server.get_by("127.0.0.1", &client, shown, TOKEN, &basic("Reader", "wrong")).await.status
    };
    for _ in 0..3 {
        assert_eq!(sent(&shown).await, StatusCode::UNAUTHORIZED);
    }
    server.put_client(OWNER, "EdgeReader", false).await;
    assert_eq!(sent(&shown).await, StatusCode::TOO_MANY_REQUESTS);
}

/// Audit 4c: whoever guesses at a name keeps its owner out of nothing.
#[tokio::test]
async fn guesses_at_a_name_do_not_count_against_its_owner() {
    let limits = Limits { per_principal: Rate { rate: 0.001, burst: 40 }, ..Limits::default() };
    let server = Server::with(Setup { limits, ..Setup::default() }).await;
    let target = format!("{TOKEN}?scope={PULL}");
    for guess in 0..400 {
        let from = format!("203.0.113.{}", guess % 250);
        let answer = server.get_from(&from, "", &target, &basic("Reader", "wrong")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let right = basic("Reader", "secret-one");
    for login in 0..40 {
        let answer = server.get_from("192.0.2.7", "", &target, &right).await;
        assert_eq!(answer.status, StatusCode::OK, "{login}");
    }
}

/// Audit 4b: invented clients take the places where secrets are checked, and not those of clients
/// that are known. Of right logins of a known pair of client and network all are served; of those
/// of an unknown network as many as the flood leaves.
#[tokio::test]
async fn invented_clients_do_not_take_every_place() {
    let server = std::sync::Arc::new(Server::start().await);
    let secret = server.put_client(OWNER, "Owner", true).await;
    let right = basic(OWNER, &secret);
    let login = async |from: &str| {
        let target = format!("{TOKEN}?scope={PULL}");
        server.get_from(from, "", &target, &right).await.status
    };
    assert_eq!(login("192.0.2.7").await, StatusCode::OK);
    let mut flood = tokio::task::JoinSet::new();
    for invented in 0..300 {
        let server = std::sync::Arc::clone(&server);
        flood.spawn(async move {
            let name = format!("3f2504e0-4f89-41d3-9a0c-{invented:012x}");
            let from = format!("203.0.113.{}", invented % 250);
            server.get_from(&from, "", TOKEN, &basic(&name, "wrong")).await.status
        });
    }
    let (mut known, mut unknown) = (0, 0);
    for attempt in 0..20 {
        known += usize::from(login("192.0.2.7").await == StatusCode::OK);
        let elsewhere = format!("198.51.100.{attempt}");
        unknown += usize::from(attempt < 3 && login(&elsewhere).await == StatusCode::OK);
    }
    let refused = flood.join_all().await;
    println!(
        "of 20 logins of a known pair {known} were served, of 3 from unknown networks {unknown}"
    );
    assert_eq!(known, 20);
    assert!(refused.iter().all(|status| *status != StatusCode::OK));
}

/// A server that is started anew knows who was right at the one before.
#[tokio::test]
async fn known_networks_outlive_the_server() {
    let limits = Limits { per_principal: Rate { rate: 0.001, burst: 1 }, ..unlimited() };
    let setup = || Setup { limits: limits.clone(), ..Setup::default() };
    let server = Server::with(setup()).await;
    let secret = server.put_client(OWNER, "Owner", true).await;
    let login = async |server: &Server, from: &str| {
        server.get_from(from, "", TOKEN, &basic(OWNER, &secret)).await.status
    };
    assert_eq!(login(&server, "192.0.2.7").await, StatusCode::OK);
    remember::keep(&server.app).await.unwrap();
    let another = server.another(setup()).await;
    remember::recall(&another.app).await.unwrap();
    // The one that a name has is used up by somebody else.
    let guess = basic(OWNER, "a secret of somebody else");
    let guessed = another.get_from("203.0.113.1", "", TOKEN, &guess).await.status;
    assert_eq!(guessed, StatusCode::UNAUTHORIZED);
    assert_eq!(login(&another, "203.0.113.2").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(login(&another, "192.0.2.7").await, StatusCode::OK);
}

// ── nothing more than was presented ──

#[derive(Clone, Debug)]
struct Case {
    before: Vec<String>,
    after: Vec<String>,
    asked: Vec<Vec<String>>,
}

fn rule() -> impl Strategy<Value = String> {
    let pattern = select(&["a", "a/b", "a/*", "*", "b/c", "b/*"][..]);
    let permission = select(
        &["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"][..],
    );
    (pattern, permission)
        .prop_map(|(pattern, permission)| format!("repositories/{pattern}/{permission}"))
}

fn scope() -> impl Strategy<Value = String> {
    let repository = (
        select(&["a", "a/b", "a/b/c", "b", "b/c", "*", "A", "a//b", ""][..]),
        vec(
            select(
                &["pull", "push", "delete", "metadata_read", "metadata_write", "*", "", "fly"][..],
            ),
            0..4,
        ),
    )
        .prop_map(|(name, actions)| format!("repository:{name}:{}", actions.join(",")));
    let other = select(
        &[
            "registry:catalog:*",
            "repository(plugin):a:pull",
            "artifact-repository:repo:*",
            "registry:deleted_catalog:*",
            "x",
        ][..],
    )
    .prop_map(str::to_owned);
    prop_oneof![5 => repository, 1 => other]
}

fn case() -> impl Strategy<Value = Case> {
    (vec(rule(), 0..4), vec(rule(), 0..5), vec(vec(scope(), 0..4), 3))
        .prop_map(|(before, after, asked)| Case { before, after, asked })
}

fn run<S: Strategy>(
    cases: u32,
    strategy: S,
    check: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let config = Config { failure_persistence: None, ..Config::with_cases(cases) };
    TestRunner::new(config).run(&strategy, check).unwrap();
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
fn what_is_issued_is_within_what_was_presented() {
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

/// The same for every kind of principal, and no way from an access token to one that can be
/// renewed.
#[tokio::test]
async fn access_tokens_of_every_kind_hold_what_they_hold() {
    let provider = Provider::start().await;
    let bindings = "[{match: {groups: owners}, roles: [Owner]}]";
    let server =
        Server::with(Setup { providers: provider.providers(bindings), ..Setup::default() }).await;
    server.apply("registry: {adminUserEnabled: true, anonymousPullEnabled: true}").await.unwrap();
    let secret = server.put_client(OWNER, "Owner", true).await;
    let identity = server.exchange(&provider.token("octo", &["owners"])).await.refresh_token();
    let wide = "repository:samples/a:pull,push,delete repository:b:pull registry:catalog:*";
    for (kind, first) in [
        ("service_principal", server.by_password(OWNER, &secret, PULL).await),
        ("identity", server.renew(&identity, PULL).await),
        ("token", server.by_password("Reader", "secret-one", PULL).await),
        ("anonymous", server.renew("", PULL).await),
    ] {
        assert_eq!(claims(&first.access_token())["principal"], kind);
        assert_eq!(first.access(), [PULL], "{kind}");
        let hop = server.by_null_guid(&first.access_token(), wide).await;
        assert_eq!(hop.access(), [PULL], "{kind}");
        let (first_claims, claims) = (claims(&first.access_token()), claims(&hop.access_token()));
        assert!(claims["exp"].as_i64() <= first_claims["exp"].as_i64(), "{kind}");
        assert_eq!(claims["principal"], kind);
        let offline = [
            ("grant_type", "password"),
            ("username", NULL_GUID),
            ("password", &first.access_token()),
            ("access_type", "offline"),
        ];
        let answer = server.post(TOKEN, &offline).await;
        assert_eq!((answer.status, answer.access().len()), (StatusCode::OK, 0), "{kind}");
        assert_eq!(answer.json()["refresh_token"], Value::Null, "{kind}");
        // Nor is it a provider's token, a refresh token, or a way into management.
        let token = first.access_token();
        assert_eq!(server.exchange(&token).await.status, StatusCode::UNAUTHORIZED, "{kind}");
        assert_eq!(server.renew(&token, PULL).await.status, StatusCode::UNAUTHORIZED, "{kind}");
        let pair = format!("{NULL_GUID}:{token}");
        assert_eq!(server.exchange(&pair).await.status, StatusCode::UNAUTHORIZED, "{kind}");
        let bearer = format!("Bearer {token}");
        assert_eq!(
            server.get(SHORT, Some(&bearer)).await.status,
            StatusCode::UNAUTHORIZED,
            "{kind}"
        );
    }
}

/// What a scope map has lost counts for an identity's access token too, as soon as that is to
/// become another one.
#[tokio::test]
async fn an_identity_does_not_keep_what_its_map_has_lost() {
    let provider = Provider::start().await;
    let bindings = "[{match: {groups: builders}, scopeMaps: [build-map]}]";
    let server =
        Server::with(Setup { providers: provider.providers(bindings), ..Setup::default() }).await;
    server.put_map("build-map", vec!["repositories/samples/*/content/read".into()]).await;
    let identity = server.exchange(&provider.token("octo", &["builders"])).await.refresh_token();
    let token = server.renew(&identity, PULL).await.access_token();
    assert_eq!(server.by_null_guid(&token, PULL).await.access(), [PULL]);
    server.put_map("build-map", vec!["repositories/other/content/read".into()]).await;
    assert_eq!(server.by_null_guid(&token, PULL).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.renew(&identity, PULL).await.access(), Vec::<String>::new());
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
    for (age, is_shown, is_exchanged) in [
        (0, true, true),
        (ACCESS_LIFETIME - 30, true, true),
        (ACCESS_LIFETIME + 1, true, false),
        (ACCESS_LIFETIME + LEEWAY / 2, true, false),
        (ACCESS_LIFETIME + LEEWAY + 1, false, false),
    ] {
        let issued = clock::now() - age;
        let access = vec![entry.clone()];
        let token =
            server.app.issuer.access_token(&subject, "r", access, ACCESS_LIFETIME, issued).unwrap();
        let shown = server.get("/v2/", Some(&format!("Bearer {token}"))).await;
        assert_eq!(shown.status == StatusCode::OK, is_shown, "{age}");
        let answer = server.by_null_guid(&token, PULL).await;
        assert_eq!(answer.status == StatusCode::OK, is_exchanged, "{age} {answer:?}");
        if is_exchanged {
            let expected = claims(&token)["exp"].as_i64();
            assert!(claims(&answer.access_token())["exp"].as_i64() <= expected, "{age}");
        }
    }
}

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
            let basic = basic("Reader", "secret-one");
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
            let null = security::basic(NULL_GUID, &refresh);
            let expected = by_password.access();
            for answer in [
                server.get(&format!("{TOKEN}?{query}"), Some(&basic)).await,
                server.get(&format!("{TOKEN}?{}", encoded(&repeated)), Some(&basic)).await,
                server.post_raw(TOKEN, Some(&basic), &query).await,
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

async fn refresh_token(server: &Server, name: &str, password: &str) -> String {
    server.exchange(&format!("{name}:{password}")).await.refresh_token()
}

/// Artifact Keeper #3408, #2290: nothing granted is nothing, and never everything; and actions do
/// not imply each other.
#[tokio::test]
async fn an_empty_list_is_not_everything() {
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

// ── parameters ──

/// cesanta/docker_auth refuses another `account`, others heed it; here it is nobody.
#[tokio::test]
async fn an_account_is_only_a_word() {
    let server = Server::start().await;
    for account in ["Writer", "registry", NULL_GUID, "", "%00"] {
        let target = format!("{TOKEN}?account={account}&scope=repository:samples/a:pull,push");
        let answer = server.get(&target, Some(&basic("Reader", "secret-one"))).await;
        assert_eq!(answer.access(), [PULL], "{account}");
        assert_eq!(claims(&answer.access_token())["sub"], "Reader");
    }
}

/// Harbor CVE-2019-16097: fields that a caller has no business to send are honoured by nobody.
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
async fn a_parameter_stands_once() {
    let server = Server::start().await;
    let refresh = refresh_token(&server, "Reader", "secret-one").await;
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

/// A query stands in logs, in histories and in `Referer`.
#[tokio::test]
async fn passwords_and_tokens_in_the_query_of_a_post_are_refused() {
    let server = Server::start().await;
    let secret = server.put_client(OWNER, "Owner", true).await;
    let refresh = refresh_token(&server, "Reader", "secret-one").await;
    let authority = format!("/{}/oauth2/v2.0/token", server.app.policy().registry.tenant);
    let scope = "https://r.test/.default";
    let client = format!(
        "grant_type=client_credentials&client_id={OWNER}&client_secret={secret}&scope={scope}"
    );
    for (target, whole) in [
        (TOKEN, "grant_type=password&username=Reader&password=secret-one".to_owned()),
        (TOKEN, format!("grant_type=refresh_token&refresh_token={refresh}")),
        (
            "/oauth2/exchange",
            format!("grant_type=access_token&service={SERVICE}&access_token=Reader:secret-one"),
        ),
        (&authority, client),
    ] {
        assert_eq!(server.post_raw(target, None, &whole).await.status, StatusCode::OK, "{target}");
        let is_secret = |parameter: &&str| {
            ["password=", "refresh_token=", "access_token=", "client_secret="]
                .iter()
                .any(|name| parameter.starts_with(name))
        };
        let (secret, others): (Vec<_>, Vec<_>) = whole.split('&').partition(is_secret);
        for (query, form) in [
            (whole.clone(), String::new()),
            (secret.join("&"), others.join("&")),
            (secret.join("&"), whole.clone()),
            (secret.join("&").replacen('_', "%5F", 1).replacen("pass", "%70ass", 1), whole.clone()),
        ] {
            let answer = server.post_raw(&format!("{target}?{query}"), None, &form).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{target}?{query} {form}");
            assert!(answer.body.contains("send it in the form"), "{}", answer.body);
        }
    }
    // A GET has a password in its header, and reads none from its query.
    let get = format!("{TOKEN}?password=secret-one&username=Reader&refresh_token={refresh}");
    assert_eq!(server.get(&get, None).await.status, StatusCode::UNAUTHORIZED);
    let answer = server.get(&get, Some(&basic("Reader", "secret-one"))).await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// The provider counts what it refuses against this server, whoever sent it.
#[tokio::test]
async fn an_anonymous_caller_cannot_make_us_ask_the_provider_for_ever() {
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

/// Whoever has shown nothing does not make the database work: it is gone here, and only the right
/// credentials find out.
#[tokio::test]
async fn management_authenticates_before_it_reads_the_database() {
    let server = Server::start().await;
    let secret = server.put_client(OWNER, "Owner", true).await;
    let bearer = async |secret: &str| authority(&server, OWNER, secret).await;
    let token = bearer(&secret).await.access_token();
    server.app.readiness.lose(clock::now());
    for (authorization, expected) in [
        (None, 401),
        (Some(basic(OWNER, "wrong")), 401),
        (Some(basic("administrator", "wrong")), 401),
        (Some("Basic !!!".to_owned()), 401),
        (Some("Bearer forged".to_owned()), 401),
        (Some(format!("Bearer {token}x")), 401),
        (Some(basic(OWNER, &secret)), 503),
        (Some(format!("Bearer {token}")), 503),
    ] {
        for target in [SHORT, "/subscriptions"] {
            let answer = server.get(target, authorization.as_deref()).await;
            assert_eq!(answer.status, expected, "{target} {authorization:?}");
        }
    }
    assert_eq!(bearer("wrong").await.status, 401);
    assert_eq!(bearer(&secret).await.status, 503);
}

/// What another process made a moment ago is good at once; but whoever guesses does not make the
/// database work for each guess.
#[tokio::test]
async fn new_credentials_are_good_at_once_and_guesses_do_not_read_the_database() {
    let server = Server::start().await;
    let other = server.another(Setup::default()).await;
    let secret = other.put_client(OWNER, "Owner", true).await;
    assert_eq!(server.get(SHORT, Some(&basic(OWNER, &secret))).await.status, 200);
    let puller = other.put_client(PULLER, "AcrPull", true).await;
    assert_eq!(authority(&server, PULLER, &puller).await.status, 200);
    let late = other.put_client(DISABLED, "Owner", true).await;
    server.app.second_looks.charge((), 100);
    let late = basic(DISABLED, &late);
    assert_eq!(server.get(SHORT, Some(&late)).await.status, 401);
    catch_up(&server.app).await.unwrap();
    assert_eq!(server.get(SHORT, Some(&late)).await.status, 200);
}

/// Distribution CVE-2023-2253, CVE-2017-11468: everything that a client can make long has an end.
#[tokio::test]
async fn sizes_are_bounded() {
    let server = Server::start().await;
    let reader = basic("Reader", "secret-one");
    let many = |count| format!("{TOKEN}?scope={}", vec![PULL; count].join("+"));
    let long = |length| format!("scope={}&grant_type=password", "a".repeat(length));
    for (answer, status) in [
        (server.get(&many(128), Some(&reader)).await, 200),
        (server.get(&many(129), Some(&reader)).await, 400),
        (
            server
                .get(&format!("{TOKEN}?{}", format!("scope={PULL}&").repeat(129)), Some(&reader))
                .await,
            400,
        ),
        (
            server
                .get(&format!("{TOKEN}?{}", "x".repeat(Limits::default().query + 1)), Some(&reader))
                .await,
            414,
        ),
        (server.post_raw(TOKEN, None, &long(100_000)).await, 413),
        (server.post_raw("/oauth2/exchange", None, &long(100_000)).await, 413),
        (server.post_raw(TOKEN, Some(&reader), &"x=1&".repeat(5_000)).await, 200),
        (server.get(TOKEN, Some(&format!("Basic {}", "YTpi".repeat(50_000)))).await, 431),
        (server.get(TOKEN, Some(&basic("Reader", &"x".repeat(20_000)))).await, 401),
    ] {
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
        if status != 200 {
            answer.check_refusal();
        }
    }
    let actions = vec!["pull"; 3000].join(",");
    let answer = server
        .by_password("Reader", "secret-one", &format!("repository:samples/a:{actions}"))
        .await;
    assert!(answer.status.as_u16() == 400 || answer.access().len() <= 1, "{answer:?}");
    let name = format!("repository:samples/{}:pull", "a/".repeat(4000));
    let answer = server.by_password("Reader", "secret-one", &name).await;
    assert!(answer.status.as_u16() == 400 || answer.access().is_empty(), "{answer:?}");
}

/// No right, and nothing else that lasts, comes of asking: Quay CVE-2025-4374.
#[tokio::test]
async fn asking_changes_nothing() {
    let server = Server::start().await;
    let before = server.app.store.changes(0).await.unwrap();
    let refresh = refresh_token(&server, "Reader", "secret-one").await;
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

// ── tokens ──

/// Everything that has been done to tokens. The first of each is good.
fn forgeries(server: &Server, good: &str) -> Vec<(&'static str, String)> {
    let ring = server.app.issuer.ring();
    let (kid, jwk) = (ring.newest_kid().to_owned(), ring.jwks()["keys"][0].clone());
    let certificate = ring.bundle().to_owned();
    let own = claims(good);
    let with = |name: &str, value: Value| {
        let mut claims = own.clone();
        claims[name] = value;
        server.sign(&claims)
    };
    let without = |name: &str| {
        let mut claims = own.clone();
        claims.as_object_mut().unwrap().remove(name);
        server.sign(&claims)
    };
    let attacker = Key::new(&kid);
    let under = |header: Value| attacker.sign_under(&header, &own);
    let now = clock::now();
    let (head, payload) = (good.split('.').next().unwrap(), good.split('.').nth(1).unwrap());
    let signature = good.rsplit('.').next().unwrap();
    let mut more = own.clone();
    more["sub"] = json!("Writer");
    vec![
        ("another key under a trusted id", under(json!({"alg": "ES256", "kid": kid}))),
        // Distribution CVE-2025-24976.
        ("a key of its own", under(json!({"alg": "ES256", "kid": kid, "jwk": attacker.jwk}))),
        ("a key of its own without an id", under(json!({"alg": "ES256", "jwk": attacker.jwk}))),
        ("a chain of its own", under(json!({"alg": "ES256", "kid": kid, "x5c": ["AAAA"]}))),
        (
            "keys elsewhere",
            under(json!({"alg": "ES256", "kid": kid, "jku": "http://127.0.0.1:1/"})),
        ),
        (
            "certificates elsewhere",
            under(json!({"alg": "ES256", "kid": kid, "x5u": "http://127.0.0.1:1/"})),
        ),
        ("an unknown id", under(json!({"alg": "ES256", "kid": "../../dev/null"}))),
        ("none", format!("{}.{payload}.", part(&json!({"alg": "none", "kid": kid})))),
        (
            "none with a signature",
            format!("{}.{payload}.{signature}", part(&json!({"alg": "none", "kid": kid}))),
        ),
        ("None", format!("{}.{payload}.{signature}", part(&json!({"alg": "None", "kid": kid})))),
        ("a shared secret: the key", sign_hs256(&kid, &own, jwk.to_string().as_bytes())),
        ("a shared secret: its x", sign_hs256(&kid, &own, jwk["x"].as_str().unwrap().as_bytes())),
        ("a shared secret: the certificate", sign_hs256(&kid, &own, certificate.as_bytes())),
        ("a shared secret: nothing", sign_hs256(&kid, &own, b"")),
        ("another payload", format!("{head}.{}.{signature}", part(&more))),
        ("cut off", good[..good.len() - 10].to_owned()),
        ("without a signature", format!("{head}.{payload}.")),
        ("two parts", format!("{head}.{payload}")),
        ("five parts", format!("{good}.x.y")),
        ("a blank within", good.replacen('.', ". ", 1)),
        ("not text", "\u{0}\u{0}".to_owned()),
        ("another audience", with("aud", json!("other.test"))),
        ("a list of audiences", with("aud", json!([SERVICE]))),
        ("no audience", without("aud")),
        ("the audience of management", with("aud", json!(PUBLIC_URL))),
        ("the audience of exchanges", with("aud", json!(AUDIENCE))),
        ("another issuer", with("iss", json!("other-issuer"))),
        ("no issuer", without("iss")),
        ("expired", with("exp", json!(now - LEEWAY - 1))),
        ("never expires", without("exp")),
        ("expires in the far future", with("exp", json!(now + 10 * 365 * 86_400))),
        ("not yet valid", with("nbf", json!(now + LEEWAY + 600))),
        ("no begin", without("nbf")),
        ("another kind", with("grant_type", json!("password"))),
        ("no kind", without("grant_type")),
    ]
}

#[tokio::test]
async fn forged_tokens_open_nothing() {
    let server = Server::start().await;
    let refresh = refresh_token(&server, "Reader", "secret-one").await;
    let access = server.by_password("Reader", "secret-one", PULL).await.access_token();
    assert_eq!(server.renew(&refresh, PULL).await.access(), [PULL]);
    assert_eq!(server.by_null_guid(&refresh, PULL).await.access(), [PULL]);
    assert_eq!(server.by_null_guid(&access, PULL).await.access(), [PULL]);
    assert_eq!(server.get("/v2/", Some(&format!("Bearer {access}"))).await.status, StatusCode::OK);
    let mut forged = forgeries(&server, &refresh);
    forged.extend(forgeries(&server, &access));
    for (what, token) in forged {
        let bearer = format!("Bearer {token}");
        for answer in [
            server.renew(&token, PULL).await,
            server.by_null_guid(&token, PULL).await,
            server.exchange(&token).await,
        ] {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
            answer.check_refusal();
        }
        if axum::http::HeaderValue::try_from(&bearer).is_ok() {
            for target in ["/v2/", SHORT] {
                let answer = server.get(target, Some(&bearer)).await;
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what} {target}");
            }
        }
    }
}

/// A token of one kind is none of another, and one without our claims, as other issuers and earlier
/// versions wrote them, is nobody's.
#[tokio::test]
async fn kinds_of_tokens_are_kept_apart() {
    let server = Server::start().await;
    let secret = server.put_client(OWNER, "Owner", true).await;
    let refresh = refresh_token(&server, "Reader", "secret-one").await;
    let access = server.by_password("Reader", "secret-one", PULL).await.access_token();
    let managing = authority(&server, OWNER, &secret).await.access_token();
    let bearer = |token: &str| format!("Bearer {token}");
    assert_eq!(server.get(SHORT, Some(&bearer(&managing))).await.status, StatusCode::OK);
    for (what, token) in [("refresh", &refresh), ("management", &managing)] {
        let answer = server.get("/v2/", Some(&bearer(token))).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
    }
    for (what, token) in [("refresh", &refresh), ("access", &access)] {
        let answer = server.get(SHORT, Some(&bearer(token))).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
    }
    for (what, token) in [("access", &access), ("management", &managing)] {
        assert_eq!(server.renew(token, PULL).await.status, StatusCode::UNAUTHORIZED, "{what}");
    }
    for (what, token) in [("refresh", &refresh), ("access", &access), ("management", &managing)] {
        assert_eq!(server.exchange(token).await.status, StatusCode::UNAUTHORIZED, "{what}");
    }
    assert_eq!(server.by_null_guid(&managing, PULL).await.status, StatusCode::UNAUTHORIZED);
    for token in [&refresh, &access] {
        for name in ["principal", "generation"] {
            let mut claims = claims(token);
            claims.as_object_mut().unwrap().remove(name);
            let token = server.sign(&claims);
            assert_eq!(server.renew(&token, PULL).await.status, StatusCode::UNAUTHORIZED, "{name}");
            assert_eq!(
                server.by_null_guid(&token, PULL).await.status,
                StatusCode::UNAUTHORIZED,
                "{name}"
            );
        }
    }
    // An identity that says nothing of its provider may have nothing.
    let mut claims = claims(&refresh);
    claims["principal"] = json!("identity");
    assert_eq!(server.renew(&server.sign(&claims), PULL).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn forged_tokens_of_a_provider_open_nothing() {
    let provider = Provider::start().await;
    let bindings = "[{match: {groups: owners}, roles: [Owner]}]";
    let server =
        Server::with(Setup { providers: provider.providers(bindings), ..Setup::default() }).await;
    let good = provider.claims("octo", &["owners"]);
    let sign = |claims: &Value| provider.key.sign("k1", claims);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        sign(&claims)
    };
    let now = clock::now();
    let attacker = Key::new("k1");
    let under = |header: Value| attacker.sign_under(&header, &good);
    let jwk = provider.key.jwk.to_string();
    let own = provider.token("octo", &["owners"]);
    assert_eq!(server.exchange(&own).await.status, StatusCode::OK);
    assert_eq!(server.get(SHORT, Some(&format!("Bearer {own}"))).await.status, StatusCode::OK);
    for (what, token) in [
        ("another key", attacker.sign("k1", &good)),
        ("a key of its own", under(json!({"alg": "ES256", "kid": "k1", "jwk": attacker.jwk}))),
        (
            "keys elsewhere",
            under(json!({"alg": "ES256", "kid": "k1", "jku": "http://127.0.0.1:1/"})),
        ),
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
    ] {
        let answer = server.exchange(&token).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
        answer.check_refusal();
        let answer = server.get(SHORT, Some(&format!("Bearer {token}"))).await;
        assert!(matches!(answer.status.as_u16(), 401 | 403), "{what} {answer:?}");
        assert_eq!(server.renew(&token, PULL).await.status, StatusCode::UNAUTHORIZED, "{what}");
        assert_eq!(
            server.by_null_guid(&token, PULL).await.status,
            StatusCode::UNAUTHORIZED,
            "{what}"
        );
        let shown = server.get("/v2/", Some(&format!("Bearer {token}"))).await;
        assert_eq!(shown.status, StatusCode::UNAUTHORIZED, "{what}");
    }
}

/// Whoever makes up key ids does not make this server ask its provider each time.
#[tokio::test]
async fn invented_keys_do_not_reach_the_provider() {
    let provider = Provider::start().await;
    let bindings = "[{match: {groups: owners}, roles: [Owner]}]";
    let server =
        Server::with(Setup { providers: provider.providers(bindings), ..Setup::default() }).await;
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
    let server =
        Server::with(Setup { providers: provider.providers(bindings), ..Setup::default() }).await;
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
    catch_up(&server.app).await.unwrap();
    let fresh = provider.token("octo", &["readers"]);
    assert_eq!(server.exchange(&fresh).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(server.renew(&refresh, scope).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!server.accepts(&token, clock::now()));
    assert_eq!(server.by_password("Reader", "secret-one", PULL).await.access(), [PULL]);
    assert!(
        server.app.readiness.has_other_providers() && !fewer.app.readiness.has_other_providers()
    );
}

// ── names ──

/// A subject is a name among its kind: an identity called like a token, a client or the registry
/// has nothing of theirs.
#[tokio::test]
async fn names_do_not_meet_across_kinds() {
    let provider = Provider::start().await;
    let bindings = "[{match: {groups: readers}, rules: [repositories/only/this/content/read]}]";
    let server =
        Server::with(Setup { providers: provider.providers(bindings), ..Setup::default() }).await;
    server.apply("registry: {adminUserEnabled: true}").await.unwrap();
    server.put_client(OWNER, "Owner", true).await;
    let scope = "repository:samples/a:pull,push repository:only/this:pull";
    for sub in ["Reader", "Writer", "registry", OWNER, "administrator", "acr_anon_pull", NULL_GUID]
    {
        let token = provider.token(sub, &["readers"]);
        let refresh = server.exchange(&token).await.refresh_token();
        let answer = server.renew(&refresh, scope).await;
        assert_eq!(answer.access(), ["repository:only/this:pull"], "{sub}");
        assert_eq!(claims(&answer.access_token())["principal"], "identity");
        let managing = server.get(SHORT, Some(&format!("Bearer {token}"))).await;
        assert_eq!(managing.status, StatusCode::FORBIDDEN, "{sub}");
    }
    // And nobody can be made who is called like somebody of another kind.
    for seed in [
        format!("tokens: [{{name: '{OWNER}'}}]"),
        "tokens: [{name: 3f2504e04f8941d39a0c0305e82c3301}]".into(),
        "tokens: [{name: Administrator}]".into(),
        "tokens: [{name: REGISTRY}]".into(),
        format!("servicePrincipals: [{{clientId: '{NULL_GUID}'}}]"),
        format!("servicePrincipals: [{{clientId: '{{{OWNER}}}'}}]"),
        "servicePrincipals: [{clientId: 3f2504e04f8941d39a0c0305e82c3301}]".into(),
        "servicePrincipals: [{clientId: Reader}]".into(),
    ] {
        assert!(server.apply(&seed).await.is_err(), "{seed}");
    }
}

/// A GUID has one spelling, in either case: what a library reads beside it is nobody's name,
/// wherever it comes.
#[tokio::test]
async fn spellings_of_a_client_id() {
    let server = Server::start().await;
    let secret = server.put_client(OWNER, "Owner", true).await;
    let refresh = refresh_token(&server, "Reader", "secret-one").await;
    let simple = |id: &str| id.replace('-', "");
    for (id, is_one) in [
        (OWNER.to_owned(), true),
        (OWNER.to_uppercase(), true),
        (simple(OWNER), false),
        (format!("{{{OWNER}}}"), false),
        (format!("urn:uuid:{OWNER}"), false),
        (format!(" {OWNER}"), false),
        (format!("{OWNER}\0"), false),
    ] {
        let expected = if is_one { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        assert_eq!(server.by_password(&id, &secret, PULL).await.status, expected, "{id:?}");
        assert_eq!(authority(&server, &id, &secret).await.status, expected, "{id:?}");
        let pair = basic(&id, &secret);
        assert_eq!(server.get(TOKEN, Some(&pair)).await.status, expected, "{id:?}");
        assert_eq!(server.get(SHORT, Some(&pair)).await.status, expected, "{id:?}");
        assert_eq!(server.exchange(&format!("{id}:{secret}")).await.status, expected, "{id:?}");
    }
    for id in [
        simple(NULL_GUID),
        format!("{{{NULL_GUID}}}"),
        format!("urn:uuid:{NULL_GUID}"),
        format!("{NULL_GUID} "),
    ] {
        assert_eq!(
            server.by_password(&id, &refresh, PULL).await.status,
            StatusCode::UNAUTHORIZED,
            "{id}"
        );
    }
    assert_eq!(
        server.exchange(&format!("{NULL_GUID}:{refresh}")).await.status,
        StatusCode::UNAUTHORIZED
    );
}

// ── what ends ──

/// What is taken away counts at the next request, whatever somebody holds from before.
#[tokio::test]
async fn what_was_taken_away_is_gone() {
    let server = Server::start().await;
    server.apply("registry: {adminUserEnabled: true, anonymousPullEnabled: true}").await.unwrap();
    let secret = server.put_client(OWNER, "Owner", true).await;
    let reader = refresh_token(&server, "Reader", "secret-one").await;
    let access = server.by_password("Reader", "secret-one", PULL).await.access_token();
    let client = refresh_token(&server, OWNER, &secret).await;
    let anonymous = server.renew("", PULL).await.access_token();
    let managing = authority(&server, OWNER, &secret).await.access_token();
    let mut write = server.app.store.write().await.unwrap();
    let (_, passwords) = registry::admin_passwords(&mut write).await.unwrap();
    scopegate_server::testing::app::watch::commit(&server.app, write).await.unwrap();
    let admin = refresh_token(&server, "registry", &passwords[0].value).await;
    for token in [&reader, &client, &admin] {
        assert_eq!(server.renew(token, PULL).await.status, StatusCode::OK);
    }
    server.apply("{registry: {adminUserEnabled: false, anonymousPullEnabled: false}, tokens: [{name: Reader, status: disabled}]}").await.unwrap();
    server.put_client(OWNER, "Owner", false).await;
    for token in [&reader, &client, &admin] {
        assert_eq!(server.renew(token, PULL).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(server.by_null_guid(token, PULL).await.status, StatusCode::UNAUTHORIZED);
    }
    for token in [&access, &anonymous] {
        assert_eq!(server.by_null_guid(token, PULL).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(
        server.get(SHORT, Some(&format!("Bearer {managing}"))).await.status,
        StatusCode::UNAUTHORIZED
    );
    // Enabled again: what was issued before stays dead.
    server.apply("tokens: [{name: Reader, status: enabled}]").await.unwrap();
    server.put_client(OWNER, "Owner", true).await;
    for token in [&reader, &client] {
        assert_eq!(server.renew(token, PULL).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(
        server.get(SHORT, Some(&format!("Bearer {managing}"))).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(server.by_password("Reader", "secret-one", PULL).await.access(), [PULL]);
}

/// A password that expires takes with it what it made: no token is good for longer, and no refresh
/// token is renewed after it.
#[tokio::test]
async fn fault_8_no_token_outlives_its_password() {
    let server = Server::start().await;
    let end = clock::now() + 1000;
    let mut write = server.app.store.write().await.unwrap();
    let first = Some(PasswordName::Password1);
    let (_, made) = passwords::generate(&mut write, "Writer", first, Some(end)).await.unwrap();
    scopegate_server::testing::app::watch::commit(&server.app, write).await.unwrap();
    let password = made[0].value.as_str();
    let grant = [
        ("grant_type", "password"),
        ("username", "Writer"),
        ("password", password),
        ("access_type", "offline"),
    ];
    let granted = server.post(TOKEN, &grant).await;
    let exchanged = server.exchange(&format!("Writer:{password}")).await.refresh_token();
    let refresh = granted.refresh_token();
    assert!(granted.json()["expires_in"].as_i64().unwrap() <= 1000);
    for (what, token) in [
        ("access token", granted.access_token()),
        ("refresh token", refresh.clone()),
        ("exchanged", exchanged.clone()),
        ("renewed", server.renew(&refresh, PULL).await.access_token()),
        ("renewed after an exchange", server.by_null_guid(&exchanged, PULL).await.access_token()),
    ] {
        assert!(claims(&token)["exp"].as_i64().unwrap() <= end, "{what}");
    }
    // Reader's first password is good for ever, and its second one has expired.
    let policy = server.app.policy();
    let generation = policy.token("Reader").unwrap().generation.unsigned_abs();
    for (password, status) in [
        (Some("password1"), StatusCode::OK),
        (Some("password2"), StatusCode::UNAUTHORIZED),
        (Some("password"), StatusCode::UNAUTHORIZED),
        (None, StatusCode::UNAUTHORIZED),
    ] {
        let subject =
            Subject { password, ..Subject::new("Reader", PrincipalKind::Token, generation) };
        let token = server.app.issuer.refresh_token(&subject, "r", clock::now()).unwrap();
        assert_eq!(server.renew(&token, PULL).await.status, status, "{password:?}");
        assert_eq!(server.by_null_guid(&token, PULL).await.status, status, "{password:?}");
    }
    // One that is replaced ends what it made.
    let mut write = server.app.store.write().await.unwrap();
    passwords::generate(&mut write, "Writer", first, None).await.unwrap();
    scopegate_server::testing::app::watch::commit(&server.app, write).await.unwrap();
    assert_eq!(server.renew(&refresh, PULL).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.renew(&exchanged, PULL).await.status, StatusCode::UNAUTHORIZED);
}

/// A file that is applied at every start does not give back what somebody took away in an
/// emergency.
#[tokio::test]
async fn a_file_does_not_enable_what_it_does_not_speak_of() {
    let server = Server::start().await;
    let secret = server.put_client(OWNER, "Owner", false).await;
    server.apply("tokens: [{name: Reader, status: disabled}]").await.unwrap();
    let seed = format!(
        "{{tokens: [{{name: Reader, scopeMap: reader-map}}], servicePrincipals: [{{clientId: {OWNER}, roles: [Owner]}}]}}"
    );
    server.apply(&seed).await.unwrap();
    assert_eq!(
        server.by_password("Reader", "secret-one", PULL).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(server.by_password(OWNER, &secret, PULL).await.status, StatusCode::UNAUTHORIZED);
    server.apply("tokens: [{name: Reader, status: enabled}]").await.unwrap();
    assert_eq!(server.by_password("Reader", "secret-one", PULL).await.access(), [PULL]);
}

#[tokio::test]
async fn a_snapshot_that_is_too_old_decides_nothing() {
    let server = Server::with(Setup { serve_for: Duration::ZERO, ..Setup::default() }).await;
    let refresh = refresh_token(&server, "Reader", "secret-one").await;
    server.app.readiness.lose(clock::now());
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for answer in [
        server.by_password("Reader", "secret-one", PULL).await,
        server.by_password("Reader", "wrong", PULL).await,
        server.renew(&refresh, PULL).await,
        server.renew("", PULL).await,
        server.exchange("Reader:secret-one").await,
    ] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        answer.check_refusal();
    }
}

/// Harbor CVE-2019-16919: an id in a body is of the registry that the request is for, or it is
/// none.
#[tokio::test]
async fn ids_lead_to_no_other_registry() {
    let server = Server::start().await;
    let secret = server.put_client(OWNER, "Owner", true).await;
    let subscription = server.app.policy().registry.subscription.clone();
    let base = |registry: &str| {
        format!(
            "/subscriptions/{subscription}/resourceGroups/scopegate/providers/Microsoft.ContainerRegistry/registries/{registry}"
        )
    };
    for (id, status) in [
        (format!("{}/tokens/Reader", base("registry")), 200),
        (format!("{}/tokens/Reader", base("REGISTRY")), 200),
        (format!("{}/tokens/Reader", base("other")), 400),
        (format!("{}/scopeMaps/Reader", base("registry")), 400),
        (format!("{}/tokens/../tokens/Reader", base("registry")), 400),
        (format!("{}/tokens/Reader/", base("registry")), 400),
        (format!("{}/tokens/", base("registry")), 400),
        ("Reader".into(), 400),
    ] {
        let body = json!({"tokenId": id, "name": "password2"}).to_string();
        let request = Request::post(format!("{SHORT}/generateCredentials"))
            .header(header::AUTHORIZATION, basic(OWNER, &secret))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body));
        let answer = server.send(request.unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{id} {answer:?}");
    }
    for target in ["/registries/other", &base("other"), "/registries/other/tokens"] {
        let answer = server.get(target, Some(&basic(OWNER, &secret))).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{target}");
    }
}

// ── malformed requests ──

#[tokio::test]
async fn malformed_forms_are_refused_with_words() {
    let server = Server::start().await;
    let bodies: [&[u8]; 16] = [
        b"",
        b"%",
        b"%zz=%",
        b"\xff\xfe",
        b"\0\0\0",
        b"&&&&",
        b"====",
        b"grant_type",
        b"grant_type=%70assword%00",
        b"grant_type=password&username=%ff&password=%fe",
        b"grant_type=password&username=a",
        b"grant_type=refresh_token",
        b"grant_type=access_token&service=r.test&access_token=%00%ff",
        br#"{"grant_type":"password","username":"Reader","password":"secret-one"}"#,
        b"--x\r\ncontent-disposition: form-data; name=\"grant_type\"\r\n\r\npassword\r\n--x--",
        b"grant_type=access_token_refresh_token&service=r.test",
    ];
    let kinds = [
        None,
        Some("application/x-www-form-urlencoded"),
        Some("application/json"),
        Some("multipart/form-data; boundary=x"),
        Some("\u{1}"),
    ];
    for target in [TOKEN, "/oauth2/exchange"] {
        for body in bodies {
            for kind in kinds.iter().filter(|kind| kind.is_none_or(|kind| kind != "\u{1}")) {
                let mut request = Request::post(target);
                if let Some(kind) = kind {
                    request = request.header(header::CONTENT_TYPE, *kind);
                }
                let answer = server.send(request.body(Body::from(body.to_vec())).unwrap()).await;
                assert!(matches!(answer.status.as_u16(), 400 | 401), "{body:?} {answer:?}");
                answer.check_refusal();
            }
        }
    }
    let thousands: String = (0..5000).map(|index| format!("p{index}=v&")).collect();
    assert_eq!(server.post_raw(TOKEN, None, &thousands).await.status, StatusCode::BAD_REQUEST);
    // A form is read whatever it is called, as clients are careless; and a GET has none.
    let form = "grant_type=password&username=Reader&password=secret-one";
    let request = Request::post(TOKEN).header(header::CONTENT_TYPE, "text/plain");
    assert_eq!(server.send(request.body(Body::from(form)).unwrap()).await.status, StatusCode::OK);
    let request = Request::get(TOKEN).body(Body::from(form)).unwrap();
    assert_eq!(server.send(request).await.status, StatusCode::UNAUTHORIZED);
    let target = format!("{TOKEN}?{form}");
    assert_eq!(
        server.get(&target, None).await.status,
        StatusCode::UNAUTHORIZED,
        "a password in a query"
    );
}

/// Harbor CVE-2020-29662, Envoy CVE-2019-9901: a path has one spelling, and another one leads
/// nowhere.
#[tokio::test]
async fn other_spellings_of_paths_lead_nowhere() {
    let server = Server::start().await;
    let secret = server.put_client(OWNER, "Owner", true).await;
    let owner = basic(OWNER, &secret);
    for target in [
        "//oauth2/token",
        "/oauth2//token",
        "/oauth2/token/",
        "/OAUTH2/token",
        "/oauth2/token%00",
        "/oauth2%2ftoken",
        "/oauth2/./token",
        "/x/../oauth2/token",
        "/oauth2/%74oken/",
        "/oauth2/token;x",
        "/v2",
        "/V2/",
        "/v2//",
        "/v2/_catalog",
        "/v2%2f",
        "//v2/",
        "/oauth2",
        "/",
        "/.well-known/",
        "/registries/registry/",
        "/registries//registry",
        "/registries/registry/tokens/",
        "//registries/registry",
        "/Registries/registry",
        "/subscriptions/",
        "/registries/registry/tokens/a/b",
        "/oauth2/exchange/",
    ] {
        for authorization in [None, Some(owner.as_str())] {
            let answer = server.get(target, authorization).await;
            assert!(matches!(answer.status.as_u16(), 401 | 404), "{target} {answer:?}");
            assert!(authorization.is_none() || answer.status == 404, "{target} {answer:?}");
            assert!(
                answer.json().get("errors").is_some() || answer.json().get("error").is_some(),
                "{target} {answer:?}"
            );
        }
    }
}

#[tokio::test]
async fn every_method_on_every_route_is_answered_with_words() {
    let server = Server::start().await;
    let methods = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND",
        "get",
    ];
    let tenant = server.app.policy().registry.tenant.clone();
    let subscription = server.app.policy().registry.subscription.clone();
    let routes = [
        "/v2/".to_owned(),
        TOKEN.into(),
        "/oauth2/exchange".into(),
        "/.well-known/jwks.json".into(),
        "/.well-known/token-signing.pem".into(),
        "/openapi.json".into(),
        "/metadata/endpoints".into(),
        "/subscriptions".into(),
        format!("/subscriptions/{subscription}"),
        format!("/{tenant}/v2.0/.well-known/openid-configuration"),
        format!("/{tenant}/oauth2/v2.0/token"),
        SHORT.into(),
        format!("{SHORT}/tokens"),
        format!("{SHORT}/tokens/Reader"),
        format!("{SHORT}/scopeMaps/reader-map"),
        format!("{SHORT}/generateCredentials"),
        format!("{SHORT}/listCredentials"),
        format!("{SHORT}/servicePrincipals/{OWNER}/secrets"),
        format!("{SHORT}/generations"),
        "/nowhere".into(),
    ];
    let public = [
        "/.well-known/jwks.json",
        "/.well-known/token-signing.pem",
        "/openapi.json",
        "/metadata/endpoints",
    ];
    for route in &routes {
        for method in methods {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request =
                Request::builder().method(&method).uri(route).body(Body::empty()).unwrap();
            let answer = server.send(request).await;
            let is_open =
                public.contains(&route.as_str()) || route.ends_with("openid-configuration");
            if answer.status == StatusCode::OK {
                assert!(is_open && matches!(method.as_str(), "GET" | "HEAD"), "{method} {route}");
                continue;
            }
            assert!(
                matches!(answer.status.as_u16(), 400 | 401 | 404 | 405),
                "{method} {route} {answer:?}"
            );
            if answer.status == StatusCode::METHOD_NOT_ALLOWED {
                assert!(answer.headers.contains_key(header::ALLOW), "{method} {route}");
            }
            if method != Method::HEAD {
                let body = answer.json();
                let message = [
                    &body["errors"][0]["message"],
                    &body["error"]["message"],
                    &body["error_description"],
                ];
                assert!(message.into_iter().any(Value::is_string), "{method} {route} {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn odd_authorizations() {
    let server = Server::start().await;
    let access = server.by_password("Reader", "secret-one", PULL).await.access_token();
    let pair = STANDARD.encode("Reader:secret-one");
    for (value, token, challenge) in [
        (format!("Basic {pair}"), 200, 401),
        (format!("basic {pair}"), 200, 401),
        (format!("BASIC  {pair}  "), 200, 401),
        (format!("Basic{pair}"), 401, 401),
        (format!("Basic {pair} x"), 401, 401),
        (format!("Basic {pair},Basic {pair}"), 401, 401),
        (format!("Basic\t{pair}"), 401, 401),
        ("Basic".into(), 401, 401),
        ("Basic ".into(), 401, 401),
        (String::new(), 401, 401),
        (format!("Digest {pair}"), 401, 401),
        (format!("Bearer {access}"), 401, 200),
        (format!("bearer {access}"), 401, 200),
        (format!("Bearer  {access} "), 401, 200),
        (format!("Bearer{access}"), 401, 401),
        (format!("Bearer {access} {access}"), 401, 401),
        ("Bearer".into(), 401, 401),
        ("Bearer \u{e9}".into(), 401, 401),
        ("\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}".into(), 401, 401),
    ] {
        assert_eq!(server.get(TOKEN, Some(&value)).await.status.as_u16(), token, "{value}");
        assert_eq!(server.get("/v2/", Some(&value)).await.status.as_u16(), challenge, "{value}");
        let managing = server.get(SHORT, Some(&value)).await;
        assert_eq!(managing.status, StatusCode::UNAUTHORIZED, "{value}");
    }
}

/// Whoever stands in front may have looked at the other one.
#[tokio::test]
async fn two_authorizations_are_none() {
    let server = Server::start().await;
    let secret = server.put_client(OWNER, "Owner", true).await;
    let access = server.by_password("Reader", "secret-one", PULL).await.access_token();
    let (reader, bearer) = (basic("Reader", "secret-one"), format!("Bearer {access}"));
    let owner = basic(OWNER, &secret);
    for (method, target, one, status) in [
        ("GET", TOKEN, &reader, 400),
        ("POST", TOKEN, &reader, 400),
        ("GET", "/v2/", &bearer, 401),
        ("GET", SHORT, &owner, 400),
        ("GET", "/subscriptions", &owner, 400),
    ] {
        for other in [one.as_str(), "Basic eDp5", ""] {
            let request = Request::builder()
                .method(method)
                .uri(target)
                .header(header::AUTHORIZATION, one)
                .header(header::AUTHORIZATION, other)
                .body(Body::empty());
            let answer = server.send(request.unwrap()).await;
            assert_eq!(answer.status.as_u16(), status, "{target} {other} {answer:?}");
        }
    }
}

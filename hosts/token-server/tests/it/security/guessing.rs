//! A client that guesses learns nothing, and each guess counts against its limit.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use scopegate_server::testing::config::{Limits, Rate};
use scopegate_server::testing::domain::guard::FAILURE_COST;

use crate::support::{
    DISABLED, NULL_GUID, PULL, PULLER, REGISTRY, SERVICE, Server, Setup, TOKEN, basic,
};

/// Names and passwords of which no pair is right.
fn wrong_pairs(secret_of_disabled: &str) -> [(&'static str, &str); 17] {
    [
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
        (DISABLED, secret_of_disabled),
        ("3f2504e0-4f89-41d3-9a0c-0305e82c33ff", "wrong"),
        ("administrator", "wrong"),
        (NULL_GUID, "wrong"),
        (NULL_GUID, "a.b.c"),
        (NULL_GUID, ""),
        ("R\u{e9}ader", "p\u{e4}ss"),
    ]
}

/// Harbor CVE-2020-13794, CVE-2019-19030: a client that guesses must not learn which names exist.
#[tokio::test]
async fn wrong_and_unknown_names_look_alike() {
    let server = Server::start().await;
    server.put_client(PULLER, "AcrPull").await;
    let disabled = server.put_disabled_client(DISABLED, "AcrPull").await;
    let mut seen: Vec<BTreeSet<String>> = vec![BTreeSet::new(); 6];
    for (name, password) in wrong_pairs(&disabled) {
        let basic = basic(name, password);
        let target = format!("{TOKEN}?service={SERVICE}&scope={PULL}");
        let answers = [
            server.get(&target, Some(&basic)).await,
            server.post_raw(TOKEN, Some(&basic), &format!("scope={PULL}")).await,
            server.by_password(name, password, PULL).await,
            server.exchange(&format!("{name}:{password}")).await,
            server.get(REGISTRY, Some(&basic)).await,
            server.client_credentials(name, password).await,
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

/// The reason why a token is refused is in the log alone.
#[tokio::test]
async fn bad_tokens_look_alike() {
    let server = Server::start().await;
    let good = server.login("Reader", "secret-one").await;
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
                "management" => server.get(&format!("{REGISTRY}/tokens"), Some(&secret)).await,
                "subscriptions" => server.get("/subscriptions", Some(&secret)).await,
                _ => server.client_credentials("administrator", "wrong").await,
            };
            statuses.push(answer.status.as_u16());
        }
        assert_eq!(statuses, [401, 401, 429], "{door}");
    }
}

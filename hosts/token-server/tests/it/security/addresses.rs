//! Which address is counted: that of the peer, unless a proxy or a gateway of ours says another.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use scopegate_host::networks::Networks;
use scopegate_server::testing::clock;
use scopegate_server::testing::config::{Limits, Rate};
use scopegate_server::testing::domain::edit::service_principals;
use scopegate_server::testing::domain::guard::FAILURE_COST;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::support::{OWNER, Server, Setup, TOKEN, basic, bearer};

/// Artifact Keeper GHSA-8jm4-4x6c-6787: the leftmost entry is the client's own invention.
#[tokio::test]
async fn a_client_cannot_choose_the_address_that_is_counted() {
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

/// The service principal that a gateway has, one that owns the registry, and one that is disabled.
const GATEWAY: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3310";
const OWNER_OF_NO_GATEWAY: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3311";
const DISABLED_GATEWAY: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3312";

/// The credentials of a client that claims to be a gateway.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shown {
    Right,
    Wrong,
    NotGenerated,
    OfAnOwner,
    Disabled,
    Replaced,
    NoBasic,
    Nothing,
}

/// A server that knows the gateways, and the header that is shown to it.
async fn server_and_header(shown: Shown) -> (Server, String) {
    let once = Rate { rate: 0.001, burst: FAILURE_COST + 1 };
    let limits = Limits { per_address: once, per_principal: once, ..Limits::default() };
    let server = Server::with(Setup { limits, ..Setup::default() }).await;
    let secret = server.put_client(GATEWAY, "EdgeReader").await;
    let owner = server.put_client(OWNER_OF_NO_GATEWAY, "Owner").await;
    let disabled = server.put_disabled_client(DISABLED_GATEWAY, "EdgeReader").await;
    let header = match shown {
        Shown::Right | Shown::Replaced => basic(GATEWAY, &secret),
        Shown::Wrong => basic(GATEWAY, &owner),
        Shown::NotGenerated => basic(GATEWAY, "a secret of sixteen characters"),
        Shown::OfAnOwner => basic(OWNER_OF_NO_GATEWAY, &owner),
        Shown::Disabled => basic(DISABLED_GATEWAY, &disabled),
        Shown::NoBasic => bearer(&secret),
        Shown::Nothing => String::new(),
    };
    if shown == Shown::Replaced {
        for _ in 0..2 {
            server.put_client(GATEWAY, "EdgeReader").await;
        }
    }
    (server, header)
}

/// What a gateway shows, and where from: only what its own server generated for an `EdgeReader` is
/// believed, over loopback here.
#[tokio::test]
async fn only_a_gateway_of_ours_speaks_for_its_clients() {
    for (shown, peer, is_believed) in [
        (Shown::Right, "127.0.0.1", true),
        (Shown::Right, "::1", true),
        (Shown::Right, "192.0.2.9", false),
        (Shown::Wrong, "127.0.0.1", false),
        (Shown::NotGenerated, "127.0.0.1", false),
        (Shown::OfAnOwner, "127.0.0.1", false),
        (Shown::Disabled, "127.0.0.1", false),
        (Shown::Replaced, "127.0.0.1", false),
        (Shown::NoBasic, "127.0.0.1", false),
        (Shown::Nothing, "127.0.0.1", false),
    ] {
        let (server, header) = server_and_header(shown).await;
        // One client of the gateway uses up what it has; whether that is its own shows the next.
        let sent = async |client: &str, password: &str| {
            server.get_by(peer, client, &header, TOKEN, &basic("Reader", password)).await.status
        };
        let first = [sent("203.0.113.1", "wrong").await, sent("203.0.113.1", "secret-one").await];
        let second = sent("203.0.113.2", "secret-one").await;
        let expected = if is_believed { StatusCode::OK } else { StatusCode::TOO_MANY_REQUESTS };
        assert_eq!(second, expected, "{shown:?} from {peer}, after {first:?}");
        assert_eq!(first[1], StatusCode::TOO_MANY_REQUESTS, "{shown:?} from {peer}");
    }
}

/// What was right once is right for as long as its service principal is as it was, and two of them
/// are none.
#[tokio::test]
async fn a_gateway_that_is_disabled_speaks_for_nobody() {
    let once = Rate { rate: 0.001, burst: FAILURE_COST + 1 };
    let limits = Limits { per_address: once, ..Limits::default() };
    let server = Server::with(Setup { limits, ..Setup::default() }).await;
    let secret = server.put_client(OWNER, "EdgeReader").await;
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
    server.put_disabled_client(OWNER, "EdgeReader").await;
    assert_eq!(sent(&shown).await, StatusCode::TOO_MANY_REQUESTS);
}

/// Also where it was right before.
#[tokio::test]
async fn a_gateway_whose_secret_has_expired_speaks_for_nobody() {
    let once = Rate { rate: 0.001, burst: FAILURE_COST + 1 };
    let limits = Limits { per_address: once, ..Limits::default() };
    let server = Server::with(Setup { limits, ..Setup::default() }).await;
    server.put_client(OWNER, "EdgeReader").await;
    let end = clock::now() + 3;
    let mut write = server.write().await;
    let secret = service_principals::generate_secret(&mut write, OWNER, Some(end)).await.unwrap();
    server.commit(write).await;
    let shown = basic(OWNER, &secret);
    let sent = async |client: &str| {
        server.get_by("127.0.0.1", client, &shown, TOKEN, &basic("Reader", "wrong")).await.status
    };
    assert_eq!(sent("203.0.113.1").await, StatusCode::UNAUTHORIZED);
    assert_eq!(sent("203.0.113.2").await, StatusCode::UNAUTHORIZED);
    while clock::now() < end {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(sent("203.0.113.3").await, StatusCode::TOO_MANY_REQUESTS);
}

/// The warnings of a server, in the words that tell what they are about.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() == Level::WARN {
            let mut text = Text(String::new());
            event.record(&mut text);
            self.0.lock().unwrap().push(text.0);
        }
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

/// Once a minute, however many requests there are.
#[tokio::test]
async fn a_gateway_that_is_not_believed_or_not_exempt_is_logged() {
    let exempt =
        Limits { exempt_peers: Networks::parse(["127.0.0.1"]).unwrap(), ..Limits::default() };
    for (role, limits, expected) in [
        ("EdgeReader", Limits::default(), Some("limits.exemptPeers")),
        ("EdgeReader", exempt.clone(), None),
        ("Owner", exempt.clone(), Some("no_edge_reader")),
        ("", exempt, Some("gateway_secret_not_generated")),
    ] {
        let warnings = Warnings::default();
        let _second = tracing::Dispatch::new(tracing_subscriber::registry());
        let subscriber = tracing_subscriber::registry().with(warnings.clone());
        let _guard = tracing::subscriber::set_default(subscriber);
        let server = Server::with(Setup { limits, ..Setup::default() }).await;
        let secret =
            server.put_client(OWNER, if role.is_empty() { "EdgeReader" } else { role }).await;
        let shown = if role.is_empty() { secret.chars().rev().collect() } else { secret.clone() };
        for client in ["203.0.113.1", "203.0.113.2"] {
            let right = basic("Reader", "secret-one");
            server.get_by("127.0.0.1", client, &basic(OWNER, &shown), TOKEN, &right).await;
        }
        let logged = warnings.0.lock().unwrap().clone();
        assert_eq!(logged.len(), usize::from(expected.is_some()), "{role}: {logged:?}");
        assert!(logged.iter().all(|line| line.contains(expected.unwrap())), "{role}: {logged:?}");
        assert!(!logged.iter().any(|line| line.contains(&secret)), "{logged:?}");
    }
}

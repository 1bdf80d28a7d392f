//! One address cannot shut others out: the attacks 4a to 4d of the audit over sockets, bounded,
//! each with the share of right logins that are served beside it; and changes beside a flood of
//! wrong sign-ins, with the trail of both. The limits are those that
//! everybody has, but for fewer connections where that makes an attack smaller.
//!
//! Every address of 127.0.0.0/8 is one of this machine, so attackers and clients come from
//! different networks.

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

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use scopegate_server::testing::app::audit;
use scopegate_server::testing::config::Limits;
use scopegate_server::testing::http::routes::routes;
use scopegate_server::testing::http::serve::{Bounds, layered, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

use support::{OWNER, PULLER, Server, Setup, basic};

#[path = "it/support/mod.rs"]
mod support;

const PULL: &str = "/oauth2/token?service=r.test&scope=repository:samples/a:pull";
/// Where those come from who are known, and those who are not.
const KNOWN: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 1, 1));
/// How long an attack goes on at least.
const ATTACK: Duration = Duration::from_secs(3);

fn attacker(number: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 2, u8::try_from(number % 250).unwrap() + 1))
}

/// Another network for each login.
fn elsewhere(login: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 3, u8::try_from(login + 1).unwrap()))
}

/// A server on a port, as `serve` runs it.
struct Listening {
    server: Server,
    address: SocketAddr,
}

impl Listening {
    async fn start(limits: Limits) -> Arc<Self> {
        let server = Server::with(Setup { limits, ..Setup::default() }).await;
        let router = layered(routes(Arc::clone(&server.app)), &server.app.guard, server.reached());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let bounds = Bounds::new(&server.app.guard);
        tokio::spawn(serve(listener, None, router, bounds, std::future::pending()));
        Arc::new(Self { server, address })
    }

    async fn connect(&self, from: IpAddr) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(from, 0))?;
        socket.connect(self.address).await
    }

    /// The status of one request on a connection of its own; 0 for none.
    async fn get(&self, from: IpAddr, target: &str, authorization: &str) -> u16 {
        self.try_get(from, target, authorization).await.unwrap_or(0)
    }

    async fn try_get(&self, from: IpAddr, target: &str, authorization: &str) -> Option<u16> {
        self.send(from, &format!("GET {target}"), authorization, "").await
    }

    /// The status of a request with a body of JSON.
    async fn send(&self, from: IpAddr, line: &str, authorization: &str, body: &str) -> Option<u16> {
        let mut stream = self.connect(from).await.ok()?;
        let request = format!(
            "{line} HTTP/1.1\r\nhost: r.test\r\nauthorization: {authorization}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        let text = String::from_utf8_lossy(&answer);
        text.split(' ').nth(1)?.parse().ok()
    }

    /// How many of `tried` logins are served, one after the other.
    async fn logins(&self, from: impl Fn(usize) -> IpAddr, basic: &str, tried: usize) -> Logins {
        let mut served = 0;
        for login in 0..tried {
            served += usize::from(self.get(from(login), PULL, basic).await == 200);
        }
        Logins { served, tried }
    }
}

/// What goes on until it is told to end.
struct Attack {
    is_over: Arc<AtomicBool>,
    began: Instant,
    tasks: JoinSet<()>,
}

impl Attack {
    fn begin() -> Self {
        Self { is_over: Arc::default(), began: Instant::now(), tasks: JoinSet::new() }
    }

    /// One more that does the same again and again.
    fn add<W: Future<Output = ()> + Send>(&mut self, again: impl Fn() -> W + Send + 'static) {
        let is_over = Arc::clone(&self.is_over);
        self.tasks.spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                again().await;
            }
        });
    }

    /// Waits until it has done enough, on whatever machine, but for a minute at most.
    async fn until(&self, is_enough: impl Fn() -> bool) {
        while !is_enough() && self.began.elapsed() < Duration::from_secs(60) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends it, and tells how long it went on.
    async fn end(self) -> Duration {
        tokio::time::sleep(ATTACK.saturating_sub(self.began.elapsed())).await;
        self.is_over.store(true, Ordering::Relaxed);
        let took = self.began.elapsed();
        let ended = tokio::time::timeout(Duration::from_secs(30), self.tasks.join_all());
        ended.await.unwrap();
        took
    }
}

/// Right logins beside an attack.
struct Logins {
    served: usize,
    tried: usize,
}

/// Of a known pair of client and network at least 99 of 100 are served; of unknown networks as many
/// as the attack leaves.
#[track_caller]
fn check(attack: &str, known: &Logins, unknown: &Logins) {
    println!(
        "{attack}: of {} right logins of a known pair {} were served, of {} from unknown networks {}",
        known.tried, known.served, unknown.tried, unknown.served
    );
    let Logins { served, tried } = known;
    assert!(served * 100 >= tried * 99, "{attack}: {served} of {tried}");
}

/// Who opens all connections.
struct Attacker {
    name: &'static str,
    /// The number of networks that they come from.
    networks: usize,
    /// Whether it has logged in from each of them.
    is_known: bool,
}

/// Idle connections of HTTP/2, with a PING now and then, from a number of networks; one that is
/// closed is opened again.
async fn hold_all_connections(Attacker { name, networks, is_known }: Attacker) {
    let limits = Limits { connections: 256, connections_per_peer: 32, ..Limits::default() };
    let server = Listening::start(limits).await;
    let login = basic("Reader", "secret-one");
    assert_eq!(server.logins(|_| KNOWN, &login, 1).await.served, 1);
    if is_known {
        let of_attacker = basic("Writer", "secret-two");
        assert_eq!(server.logins(attacker, &of_attacker, networks).await.served, networks);
    }
    let mut attack = Attack::begin();
    for number in 0..400 {
        let server = Arc::clone(&server);
        attack.add(move || {
            let server = Arc::clone(&server);
            async move { hold(&server, attacker(number % networks)).await }
        });
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let served = server.logins(|_| KNOWN, &login, 100).await;
    let unknown = server.logins(elsewhere, &login, 50).await;
    attack.end().await;
    check(name, &served, &unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_4a_one_address_opens_all_connections() {
    hold_all_connections(Attacker { name: "4a", networks: 1, is_known: false }).await;
}

/// The same from many addresses, none of which has more than one may.
#[tokio::test(flavor = "multi_thread")]
async fn audit_4a_many_addresses_open_all_connections() {
    let name = "4a, from 40 addresses";
    hold_all_connections(Attacker { name, networks: 40, is_known: false }).await;
}

/// The same by a client of low rights that has logged in from each of them: known networks.
#[tokio::test(flavor = "multi_thread")]
async fn audit_4a_known_networks_open_all_connections() {
    let name = "4a, from 40 known addresses";
    hold_all_connections(Attacker { name, networks: 40, is_known: true }).await;
}

/// A connection of the attacker's, for half a second.
async fn hold(server: &Listening, from: IpAddr) {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    const PING: &[u8] = b"\0\0\x08\x06\0\0\0\0\0pingpong";
    let Ok(mut stream) = server.connect(from).await else { return };
    let mut is_open = stream.write_all(PREFACE).await.is_ok();
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        is_open = is_open && stream.write_all(PING).await.is_ok();
    }
}

/// Unknown clients, each from another network and with another id, occupy the workers that check
/// secrets.
#[tokio::test(flavor = "multi_thread")]
async fn audit_4b_invented_clients() {
    let server = Listening::start(Limits::default()).await;
    let secret = server.server.put_client(OWNER, "Owner").await;
    let login = basic(OWNER, &secret);
    assert_eq!(server.logins(|_| KNOWN, &login, 1).await.served, 1);
    let mut attack = Attack::begin();
    let invented = Arc::new(AtomicUsize::new(0));
    for _ in 0..100 {
        let (server, invented) = (Arc::clone(&server), Arc::clone(&invented));
        attack.add(move || {
            let (server, number) = (Arc::clone(&server), invented.fetch_add(1, Ordering::Relaxed));
            let basic = basic(&format!("3f2504e0-4f89-41d3-9a0c-{number:012x}"), "wrong");
            async move {
                server.get(attacker(number), PULL, &basic).await;
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let served = server.logins(|_| KNOWN, &login, 50).await;
    let unknown = server.logins(elsewhere, &login, 3).await;
    attack.end().await;
    check("4b", &served, &unknown);
}

/// An attacker guesses at a client that is known from the same network: other known clients are
/// still served.
#[tokio::test(flavor = "multi_thread")]
async fn audit_4b_guesses_beside_a_known_client() {
    let server = Listening::start(Limits::default()).await;
    let (guessed, other) = (OWNER, PULLER);
    let [first, second] = [
        server.server.put_client(guessed, "Owner").await,
        server.server.put_client(other, "Owner").await,
    ];
    let login = basic(other, &second);
    assert_eq!(server.get(attacker(0), PULL, &basic(guessed, &first)).await, 200);
    assert_eq!(server.logins(|_| KNOWN, &login, 1).await.served, 1);
    let mut attack = Attack::begin();
    for _ in 0..30 {
        let server = Arc::clone(&server);
        attack.add(move || {
            let server = Arc::clone(&server);
            async move {
                server.get(attacker(0), PULL, &basic(guessed, "wrong")).await;
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let served = server.logins(|_| KNOWN, &login, 50).await;
    let unknown = server.logins(elsewhere, &login, 10).await;
    attack.end().await;
    check("4b, beside a known client", &served, &unknown);
}

/// An attacker guesses at the name of a token, and its owner logs in.
#[tokio::test(flavor = "multi_thread")]
async fn audit_4c_guesses_at_a_name() {
    let server = Listening::start(Limits::default()).await;
    let login = basic("Reader", "secret-one");
    let mut attack = Attack::begin();
    for number in 0..20 {
        let server = Arc::clone(&server);
        attack.add(move || {
            let server = Arc::clone(&server);
            async move {
                server.get(attacker(number), PULL, &basic("Reader", "wrong")).await;
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let served = server.logins(|_| KNOWN, &login, 100).await;
    let unknown = server.logins(elsewhere, &login, 50).await;
    attack.end().await;
    check("4c", &served, &unknown);
}

/// Of a burst of 2,000 requests and 200 a second a guesser has 200 guesses and 20 a second, however
/// fast it asks.
#[tokio::test(flavor = "multi_thread")]
async fn audit_4d_guesses_cost_ten_requests() {
    let server = Listening::start(Limits::default()).await;
    let (guesses, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut attack = Attack::begin();
    for _ in 0..16 {
        let (server, guesses, refused) =
            (Arc::clone(&server), Arc::clone(&guesses), Arc::clone(&refused));
        attack.add(move || {
            let (server, guesses, refused) =
                (Arc::clone(&server), Arc::clone(&guesses), Arc::clone(&refused));
            async move {
                let status = server.get(attacker(0), PULL, &basic("Reader", "wrong")).await;
                let counted = if status == StatusCode::UNAUTHORIZED { guesses } else { refused };
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let took = attack.end().await;
    let (guesses, refused) = (guesses.load(Ordering::Relaxed), refused.load(Ordering::Relaxed));
    let seconds = usize::try_from(took.as_secs()).unwrap() + 1;
    println!("4d: {guesses} guesses in {took:?}, {refused} more refused");
    // Sixteen may have begun before the first of them was charged.
    assert!(guesses <= 200 + 16 + 20 * seconds, "{guesses} in {took:?}");
    assert!(guesses + refused > 300, "the attack was none: {guesses} and {refused}");
}

/// A thousand nodes behind one address start the same deployment.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_pulls_at_once_from_one_address_are_served() {
    let server = Listening::start(Limits::default()).await;
    let login = basic("Reader", "secret-one");
    let mut pulls = JoinSet::new();
    for _ in 0..1000 {
        let (server, login) = (Arc::clone(&server), login.clone());
        pulls.spawn(async move { server.get(KNOWN, PULL, &login).await });
    }
    let statuses = pulls.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1000);
}

/// The owner changes what it can while others guess at secrets of management: each change that is
/// acknowledged has its row, every guess is counted, and the trail is whole.
#[tokio::test(flavor = "multi_thread")]
async fn changes_beside_a_flood_of_wrong_sign_ins() {
    let server = Listening::start(Limits::default()).await;
    let secret = server.server.put_client(OWNER, "Owner").await;
    let login = basic(OWNER, &secret);
    assert_eq!(server.get(KNOWN, "/registries/registry", &login).await, 200);
    let store = server.server.app.store.clone();
    let before = store.read().await.unwrap().audit_head().await.unwrap().number;
    let mut attack = Attack::begin();
    let guessed = Arc::new(AtomicUsize::new(0));
    for number in 0..40 {
        let (server, guessed) = (Arc::clone(&server), Arc::clone(&guessed));
        attack.add(move || {
            let (server, guessed) = (Arc::clone(&server), Arc::clone(&guessed));
            async move {
                let wrong = basic("somebody", "wrong");
                let status =
                    server.get(attacker(number), "/registries/registry/tokens", &wrong).await;
                guessed.fetch_add(usize::from(status == 401), Ordering::Relaxed);
            }
        });
    }
    let (done, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    for writer in 0..8 {
        let (server, login) = (Arc::clone(&server), login.clone());
        let (done, refused) = (Arc::clone(&done), Arc::clone(&refused));
        attack.add(move || {
            let (server, login) = (Arc::clone(&server), login.clone());
            let (done, refused) = (Arc::clone(&done), Arc::clone(&refused));
            async move {
                let turn = done.load(Ordering::Relaxed);
                let line = format!("PUT /registries/registry/scopeMaps/map-{writer}");
                let body = format!(r#"{{"properties": {{"description": "{writer} {turn}"}}}}"#);
                let status = server.send(KNOWN, &line, &login, &body).await.unwrap_or(0);
                let counted = if matches!(status, 200 | 201) { done } else { refused };
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    attack.until(|| count(&done) > 20 && count(&guessed) > 40).await;
    let took = attack.end().await;
    audit::save(&server.server.app, true).await.unwrap();
    let (done, refused) = (done.load(Ordering::Relaxed), refused.load(Ordering::Relaxed));
    let rows = store.read().await.unwrap().audit_after(before, 1_000_000).await.unwrap();
    let changes = rows.iter().filter(|row| row.entry.object.kind == "scope_map").count();
    let failed = rows.iter().filter(|row| row.entry.operation == "sign_in_failed");
    let guesses: u64 = failed.clone().map(|row| count_of(row.entry.after.as_deref())).sum();
    println!(
        "{done} changes in {took:?} ({refused} refused) beside {guesses} wrong sign-ins, which are {} rows",
        failed.count()
    );
    assert!(done * 100 >= (done + refused) * 99, "{refused} of {}", done + refused);
    assert!(done > 20 && guesses > 40, "{done} changes, {guesses} guesses");
    // Two that have the same turn in one writer change nothing the second time.
    assert!(changes <= done && changes * 10 >= done * 9, "{changes} rows of {done} changes");
    let numbers: Vec<i64> = rows.iter().map(|row| row.number).collect();
    assert!(numbers.is_sorted_by(|a, b| a + 1 == *b), "the chain has a gap");
}

/// The number of sign-ins that a row stands for.
fn count_of(after: Option<&str>) -> u64 {
    let after: serde_json::Value = serde_json::from_str(after.unwrap_or("{}")).unwrap();
    after["count"].as_u64().unwrap_or(0)
}

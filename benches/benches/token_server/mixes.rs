//! The token requests of typical clients, at a fixed rate, and how the cost grows with the number
//! of tokens.
//!
//! Left out: `docker_auth` beside it, whose module the Go proxy does not have; the report says so.

use std::time::Duration;

use scopegate_benches::figures::Figures;
use scopegate_benches::load::{Latency, Load, Request};
use scopegate_benches::token_server::{self, Server, base64, tokens_and_maps};

use crate::{CONNECTIONS, DURATION, ROUNDS, signature};

/// The load at which latencies are measured, as a fraction of the server's maximum.
const LOAD_FRACTION: f64 = 0.7;
/// How many clients of a CI system send a request at once.
const BURST: usize = 1000;
/// Numbers of tokens, up to the maximum of a registry; a hundredth as many maps.
const TOKENS: [usize; 4] = [100, 1_000, 10_000, 50_000];
/// How many of them send requests.
const ASKING: usize = 64;

/// Each kind of client, at seven tenths of its highest rate.
pub(crate) fn measure() {
    let server = Server::start(false, &token_server::seed());
    let mut figures = Figures::new("token clients");
    let raw = figures.add("raw ES256 signatures", "a second", vec![signature::raw(DURATION / 2)]);
    println!("what clients ask for         /s   of raw, at 70 %: p50, p99, p99.9 µs");
    for (name, queries) in clients() {
        let requests: Vec<Request> = queries.iter().map(|query| asked(0, query)).collect();
        let mut load = Load::new(server.port, &requests, CONNECTIONS);
        load.closed(Duration::from_millis(500));
        let max_rate = load.closed(DURATION / 2);
        figures.add(name, "a second", vec![max_rate]);
        let latency = load.open(max_rate * LOAD_FRACTION, DURATION / 2);
        print(&mut figures, name, &format!("{max_rate:>6.0}   {:.2}", max_rate / raw), latency);
    }
    let mut load = Load::new(server.port, &[asked(0, PULL)], BURST);
    load.burst();
    print(&mut figures, "1,000 pulls of CI at once", "", load.burst());
    figures.keep();
}

pub(crate) const PULL: &str = "scope=repository:team3/svc/a:pull";

/// The queries of each kind of client. A login requests only a token.
fn clients() -> [(&'static str, Vec<String>); 4] {
    let scan = |n| format!("scope=repository:team{n}/svc/a:metadata_read");
    [
        (
            "docker login",
            vec!["account=token-00000&client_id=docker&offline_token=true".to_owned()],
        ),
        ("a pull", vec![PULL.to_owned()]),
        (
            "a push that mounts",
            vec![
                "scope=repository:team3/svc/a:pull,push&scope=repository:team6/svc/b:pull"
                    .to_owned(),
            ],
        ),
        (
            "a scan of tags",
            (0..20).map(scan).chain(["scope=registry:catalog:*".to_owned()]).collect(),
        ),
    ]
}

fn print(figures: &mut Figures, name: &str, rate: &str, latency: Latency) {
    let Latency { p50, p99, p999, .. } = latency;
    for (unit, figure) in [("µs p50", p50), ("µs p99", p99), ("µs p99.9", p999)] {
        figures.add(name, unit, vec![figure]);
    }
    println!("  {name:<26} {rate:>13}   {p50:>6.0} {p99:>6.0} {p999:>6.0}");
}

/// A request by the token of this number, whose password is `secret`.
pub(crate) fn asked(token: usize, query: &str) -> Request {
    let credential = base64(format!("token-{token:05}:secret").as_bytes());
    Request::new(&format!(
        "GET /oauth2/token?service=registry.example&{query} HTTP/1.1\r\nHost: registry.example\r\nAuthorization: Basic {credential}\r\n\r\n"
    ))
}

/// A pull, by the number of tokens and maps. The servers alternate, so that other load on the
/// machine affects all of them.
pub(crate) fn growth() {
    let mut figures = Figures::new("token growth");
    let servers = TOKENS.map(|tokens| Server::start(true, &tokens_and_maps(tokens, maps(tokens))));
    let mut loads: Vec<Load> =
        servers.iter().zip(TOKENS).map(|(server, tokens)| pulls(server, tokens)).collect();
    let mut rates = TOKENS.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (load, rates) in loads.iter_mut().zip(&mut rates) {
            rates.push(load.closed(DURATION / ROUNDS));
        }
    }
    println!("tokens known, maps           /s   ready after, memory");
    for ((server, tokens), rates) in servers.iter().zip(TOKENS).zip(rates) {
        let max_rate = figures.add_at(tokens, "a pull", "a second", rates);
        let ready = server.ready_after.as_secs_f64();
        figures.add_at(tokens, "start to ready", "s", vec![ready]);
        let memory = figures.add_at(tokens, "resident memory", "MB", vec![server.resident()]);
        let maps = maps(tokens);
        println!("  {tokens:>7}, {maps:>5}        {max_rate:>6.0}   {ready:.2} s, {memory:.0} MB");
    }
    figures.keep();
}

fn maps(tokens: usize) -> usize {
    tokens.div_ceil(100)
}

/// Pulls by some of the tokens.
fn pulls(server: &Server, tokens: usize) -> Load {
    let asking = ASKING.min(tokens);
    let requests: Vec<Request> = (0..asking)
        .map(|n| n * (tokens / asking))
        .map(|n| asked(n, &format!("scope=repository:team{}/svc-1:pull", n % maps(tokens))))
        .collect();
    let mut load = Load::new(server.port, &requests, CONNECTIONS);
    load.closed(Duration::from_millis(500));
    load
}

//! The token server, compared with the raw signature rate of the same run.
//!
//! The server runs on one core and the load on the other, so that neither measures the other's
//! scheduler. Absolute rates mean little on a shared machine; each is printed with its ratio to the
//! core's signature rate. `cargo xtask bench token` runs this.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "what fails ends the measurement"
)]

mod crowd;
mod mixes;
#[allow(dead_code, reason = "the tests with clients share this file and use more of it")]
#[path = "../../../tests/clients/software/postgres.rs"]
mod postgres;
#[allow(dead_code, reason = "the tests with clients share this file and use more of it")]
#[path = "../../../tests/clients/software/process.rs"]
mod process;
mod replicas;
mod signature;

use std::time::Duration;

use scopegate_benches::figures::Figures;
use scopegate_benches::load::{Latency, Load, Request};
use scopegate_benches::token_server::{self, Server};
use scopegate_benches::wants;

/// The duration of each measurement of a rate.
const DURATION: Duration = Duration::from_secs(5);
/// In how many parts it is split, alternating with what it is compared with.
const ROUNDS: u32 = 20;
/// `token-00000:secret`
const REQUEST: &str = "GET /oauth2/token?service=registry.example&scope=repository:team3/svc/a:pull HTTP/1.1\r\n\
    Host: registry.example\r\nAuthorization: Basic dG9rZW4tMDAwMDA6c2VjcmV0\r\n\r\n";
/// A request without a token, a password or a decision: the cost of HTTP itself.
const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: registry.example\r\n\r\n";
/// Keep-alive connections of the load.
const CONNECTIONS: usize = 8;

fn main() {
    if wants("token issue") {
        issue();
    }
    if wants("token http") {
        http();
    }
    if wants("token clients") {
        mixes::measure();
    }
    if wants("token growth") {
        mixes::growth();
    }
    if wants("token crowd") {
        crowd::measure();
    }
    if wants("token replicas") {
        replicas::measure();
    }
}

/// A token in process: claims, header, signature.
fn issue() {
    let mut figures = Figures::new("token issue");
    let (raw, issued) = signature::rates();
    let raw = figures.add("raw ES256 signatures", "a second", raw);
    let issued = figures.add("tokens in process", "a second", issued);
    figures.keep();
    println!("raw ES256 signatures      {raw:>9.0} /s");
    println!("tokens in process         {issued:>9.0} /s   {:.3} of raw (goal 0.95)", issued / raw);
}

/// A token over HTTP, with the password check, with and without the decision log.
fn http() {
    let mut figures = Figures::new("token http");
    for (name, quiet) in [("decision log on", false), ("decision log off", true)] {
        let server = Server::start(quiet, &token_server::seed());
        let mut load = Load::new(server.port, &[Request::new(REQUEST)], CONNECTIONS);
        load.closed(Duration::from_secs(1));
        let mut health = Load::new(server.port, &[Request::new(HEALTH)], CONNECTIONS);
        let (mut raw, mut max_rate, mut without) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            raw.push(signature::raw(DURATION / ROUNDS / 2));
            max_rate.push(load.closed(DURATION / ROUNDS));
            without.push(health.closed(DURATION / ROUNDS / 2));
        }
        let raw = figures.add(&format!("raw ES256 signatures beside {name}"), "a second", raw);
        let max_rate = figures.add(&format!("tokens over HTTP {name}"), "a second", max_rate);
        println!(
            "tokens over HTTP          {max_rate:>9.0} /s   {:.3} of raw (goal 0.45), {name}",
            max_rate / raw
        );
        let without = figures.add(&format!("answers without a token {name}"), "a second", without);
        println!("answers without a token   {without:>9.0} /s");
        let latencies: Vec<Latency> =
            (0..ROUNDS / 4).map(|_| load.open(max_rate * 0.7, DURATION / 4)).collect();
        let mut add = |unit: &str, figure: fn(&Latency) -> f64| {
            let of = format!("an answer at 70 % load {name}");
            figures.add(&of, unit, latencies.iter().map(figure).collect())
        };
        let p50 = add("µs p50", |latency| latency.p50);
        let p99 = add("µs p99", |latency| latency.p99);
        let p99_of_window = add("µs p99 of the median 50 ms", |latency| latency.p99_of_window);
        println!(
            "latency at 70 % load      p50 {p50:>5.0} µs, p99 {p99_of_window:>5.0} µs in the median 50 ms, {:.1} times (goal 3); {p99:.0} µs with every stop of the machine",
            p99_of_window / p50
        );
    }
    figures.keep();
}

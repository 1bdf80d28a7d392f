//! The token server beside the raw signature rate of the same run.
//!
//! The server runs on one core and the load on the other, so that neither measures the other's scheduler. Absolute rates mean little on a
//! shared machine; each is printed beside its ratio to what the core can sign. `cargo xtask bench token` runs this.

mod crowd;
mod mixes;
mod signature;

use std::time::Duration;

use scopegate_benches::load::{Latency, Load, Request};
use scopegate_benches::token_server::{self, Server};
use scopegate_benches::wants;

/// How long each rate is measured.
const FOR: Duration = Duration::from_secs(5);
/// `token-00000:secret`
const REQUEST: &str = "GET /oauth2/token?service=registry.example&scope=repository:team1/svc/a:pull HTTP/1.1\r\n\
    Host: registry.example\r\nAuthorization: Basic dG9rZW4tMDAwMDA6c2VjcmV0\r\n\r\n";
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
}

/// A token in process: claims, header, signature.
fn issue() {
    let (raw, issued) = signature::rates();
    println!("raw ES256 signatures      {raw:>9.0} /s");
    println!("tokens in process         {issued:>9.0} /s   {:.3} of raw (goal 0.95)", issued / raw);
}

/// A token over HTTP, with the password check, and with the decision log and without.
fn http() {
    for (name, quiet) in [("decision log on", false), ("decision log off", true)] {
        let server = Server::start(quiet, &token_server::seed());
        let mut load = Load::new(server.port, &[Request::new(REQUEST)], CONNECTIONS);
        load.closed(Duration::from_secs(1));
        let raw = signature::raw(FOR / 2);
        let most = load.closed(FOR);
        let raw = f64::midpoint(raw, signature::raw(FOR / 2));
        println!(
            "tokens over HTTP          {most:>9.0} /s   {:.3} of raw (goal 0.45), {name}",
            most / raw
        );
        let latency = load.open(most * 0.7, FOR);
        let Latency { p50, p99, p99_of_window, .. } = latency;
        println!(
            "latency at 70 % load      p50 {p50:>5.0} µs, p99 {p99_of_window:>5.0} µs in the median 50 ms, {:.1} times (goal 3); {p99:.0} µs with every stop of the machine",
            p99_of_window / p50
        );
    }
}

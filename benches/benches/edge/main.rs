//! What a decision where the traffic passes costs: each proxy without one, with ours, and with a question to the token server.
//!
//! Everything but the load shares one core, as on a small machine: the proxy, the registry (nginx with files) and the token server. So a proxy that
//! asks somebody else pays for both. Latencies are of one connection, rates of eight; absolute numbers mean little on a shared machine, and each
//! stands beside the same proxy without a decision in the same run. `cargo xtask bench edge` runs this.

mod blobs;
mod house;

use std::time::Duration;

use scopegate_benches::load::{Latency, Load};
use scopegate_benches::wants;

use house::{House, Way};

/// How long each way is measured in each round.
const FOR: Duration = Duration::from_secs(2);
const ROUNDS: usize = 3;
const CONNECTIONS: usize = 8;

fn main() {
    if !wants("edge requests") && !wants("edge blobs") {
        return;
    }
    let house = House::build();
    if wants("edge requests") {
        requests(&house);
    }
    if wants("edge blobs") {
        blobs::measure(&house);
    }
}

/// What was measured of one way.
struct Measured {
    latency: Latency,
    rate: f64,
    /// What the proxy says of its decisions, where it does.
    decisions: Option<String>,
}

/// A manifest, again and again.
fn requests(house: &House) {
    println!("one manifest              p50 µs  p99 µs     /s   added to p50, to p99, lost");
    for ways in Way::GROUPS {
        let measured: Vec<Measured> = ways.iter().map(|way| measure(house, *way)).collect();
        let plain = &measured[0];
        for (way, each) in ways.iter().zip(&measured) {
            let Measured { latency: Latency { p50, p99, .. }, rate, decisions } = each;
            println!(
                "  {:<22} {p50:>7.0} {p99:>7.0} {rate:>7.0}   {:>+6.0} µs {:>+6.0} µs {:>4.0} %",
                way.name(),
                p50 - plain.latency.p50,
                p99 - plain.latency.p99,
                (1.0 - rate / plain.rate) * 100.0,
            );
            if let Some(decisions) = decisions {
                println!("    its decision: {decisions}");
            }
        }
    }
}

fn measure(house: &House, way: Way) -> Measured {
    let proxy = house.start(way);
    let request = house.request(way, "manifests/v1");
    let mut rounds: Vec<(Latency, f64)> = (0..ROUNDS)
        .map(|_| {
            let mut load = Load::new(proxy.port, &request, CONNECTIONS);
            load.closed(FOR / 4);
            (load.alone(FOR), load.closed(FOR))
        })
        .collect();
    rounds.sort_by(|(one, _), (other, _)| one.p50.total_cmp(&other.p50));
    let (latency, _) = rounds[ROUNDS / 2];
    rounds.sort_by(|(_, one), (_, other)| one.total_cmp(other));
    let (_, rate) = rounds[ROUNDS / 2];
    Measured { latency, rate, decisions: proxy.decisions() }
}

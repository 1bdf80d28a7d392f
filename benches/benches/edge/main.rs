//! What a decision where the traffic passes costs: each proxy without one, with ours, and with a
//! question to the token server.
//!
//! Everything but the load shares one core, as on a small machine: the proxy, the registry (nginx
//! with files) and the token server. So a proxy that asks somebody else pays for both. Latencies
//! are of one connection, rates of eight; absolute numbers mean little on a shared machine, and
//! each stands beside the same proxy without a decision in the same run. `cargo xtask bench edge`
//! runs this.

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

mod blobs;
mod house;
mod mixes;
mod verifiers;

use std::time::Duration;

use scopegate_benches::figures::Figures;
use scopegate_benches::load::{Latency, Load, Request};
use scopegate_benches::wants;

use house::{House, Running, Way};

/// How long each way is measured in each round.
const FOR: Duration = Duration::from_millis(500);
const ROUNDS: usize = 15;
const CONNECTIONS: usize = 8;

fn main() {
    if !["edge requests", "edge verifiers", "edge clients", "edge blobs"]
        .iter()
        .any(|name| wants(name))
    {
        return;
    }
    let house = House::build();
    if wants("edge requests") {
        requests(&house);
    }
    if wants("edge verifiers") {
        verifiers::measure(&house);
    }
    if wants("edge clients") {
        mixes::measure(&house);
    }
    if wants("edge blobs") {
        blobs::measure(&house);
    }
}

/// A manifest, again and again.
fn requests(house: &House) {
    let mut figures = Figures::new("edge requests");
    println!("one manifest              p50 µs  p99 µs     /s   added to p50, to p99, lost");
    for ways in Way::GROUPS {
        let start = |way: &Way| Measured::start(house, *way, &house.request(*way, "manifests/v1"));
        let mut ways: Vec<Measured> = ways.iter().map(start).collect();
        for _ in 0..ROUNDS {
            ways.iter_mut().for_each(Measured::round);
        }
        let [plain, ..] = ways.as_slice() else { continue };
        ways.iter().for_each(|way| way.print(plain, &mut figures));
    }
    figures.keep();
}

/// One way, and what was measured of it in each round. The ways of a group take turns, so that
/// whatever else the machine does hits all of them.
struct Measured {
    way: Way,
    proxy: Running,
    load: Load,
    latencies: Vec<Latency>,
    rates: Vec<f64>,
}

impl Measured {
    fn start(house: &House, way: Way, request: &str) -> Self {
        let proxy = house.start(way);
        let mut load = Load::new(proxy.port, &[Request::new(request)], CONNECTIONS);
        load.closed(FOR);
        Self { way, proxy, load, latencies: Vec::new(), rates: Vec::new() }
    }

    fn round(&mut self) {
        self.latencies.push(self.load.alone(FOR));
        self.rates.push(self.load.closed(FOR));
    }

    fn print(&self, plain: &Self, figures: &mut Figures) {
        let name = self.way.name();
        let p50 = |latency: &Latency| latency.p50;
        let p99 = |latency: &Latency| latency.p99;
        let each = |figure: fn(&Latency) -> f64| self.latencies.iter().map(figure).collect();
        let added = |figure: fn(&Latency) -> f64| {
            let pairs = self.latencies.iter().zip(&plain.latencies);
            pairs.map(|(ours, plain)| figure(ours) - figure(plain)).collect()
        };
        let pairs = self.rates.iter().zip(&plain.rates);
        let lost = pairs.map(|(ours, plain)| (1.0 - ours / plain) * 100.0).collect();
        print!(
            "  {name:<22} {:>7.0} {:>7.0} {:>7.0}",
            figures.add(name, "µs p50", each(p50)),
            figures.add(name, "µs p99", each(p99)),
            figures.add(name, "a second", self.rates.clone()),
        );
        if self.way == plain.way {
            println!();
        } else {
            println!(
                "   {:>+6.1} µs {:>+6.1} µs {:>4.1} %",
                figures.add(name, "µs added to p50", added(p50)),
                figures.add(name, "µs added to p99", added(p99)),
                figures.add(name, "% lost", lost),
            );
        }
        if let Some((mean, decisions)) = self.proxy.decisions() {
            figures.add(name, "µs a decision in the mean", vec![mean]);
            println!("    its decision: {decisions}");
        }
    }
}

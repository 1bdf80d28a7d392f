//! The cost of a decision at the edge: each proxy without one, with ours, and with a request to the
//! token server.
//!
//! Everything but the load shares one core, as on a small machine: the proxy, the registry (nginx
//! with files) and the token server. So a proxy that asks another process pays for both. Latencies
//! are of one connection, rates of eight; absolute numbers mean little on a shared machine, so each
//! is compared with the same proxy without a decision in the same run. `cargo xtask bench edge`
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
mod mixes;
mod stack;
mod verifiers;

use std::time::Duration;

use scopegate_benches::figures::Figures;
use scopegate_benches::load::{Latency, Load, Request};
use scopegate_benches::wants;

use stack::{Route, Running, Stack};

/// The duration of each measurement in a round.
const DURATION: Duration = Duration::from_millis(500);
const ROUNDS: usize = 15;
const CONNECTIONS: usize = 8;

fn main() {
    if !["edge requests", "edge verifiers", "edge clients", "edge blobs"]
        .iter()
        .any(|name| wants(name))
    {
        return;
    }
    let stack = Stack::build();
    if wants("edge requests") {
        requests(&stack);
    }
    if wants("edge verifiers") {
        verifiers::measure(&stack);
    }
    if wants("edge clients") {
        mixes::measure(&stack);
    }
    if wants("edge blobs") {
        blobs::measure(&stack);
    }
}

/// Repeated requests of a manifest.
fn requests(stack: &Stack) {
    let mut figures = Figures::new("edge requests");
    println!(
        "one manifest              p50 µs  p99 µs     /s   added to p50, to p99, throughput −"
    );
    for routes in Route::GROUPS {
        let start =
            |route: &Route| Measured::start(stack, *route, &stack.request(*route, "manifests/v1"));
        let mut routes: Vec<Measured> = routes.iter().map(start).collect();
        for _ in 0..ROUNDS {
            routes.iter_mut().for_each(Measured::round);
        }
        let [baseline, ..] = routes.as_slice() else { continue };
        routes.iter().for_each(|route| route.print(baseline, &mut figures));
    }
    figures.keep();
}

/// One way, and its measurements. The ways of a group alternate, so that other load on the machine
/// affects all of them.
struct Measured {
    route: Route,
    proxy: Running,
    load: Load,
    latencies: Vec<Latency>,
    rates: Vec<f64>,
}

impl Measured {
    fn start(stack: &Stack, route: Route, request: &str) -> Self {
        let proxy = stack.start(route);
        let mut load = Load::new(proxy.port, &[Request::new(request)], CONNECTIONS);
        load.closed(DURATION);
        Self { route, proxy, load, latencies: Vec::new(), rates: Vec::new() }
    }

    fn round(&mut self) {
        self.latencies.push(self.load.alone(DURATION));
        self.rates.push(self.load.closed(DURATION));
    }

    fn print(&self, baseline: &Self, figures: &mut Figures) {
        let name = self.route.name();
        let p50 = |latency: &Latency| latency.p50;
        let p99 = |latency: &Latency| latency.p99;
        let each = |figure: fn(&Latency) -> f64| self.latencies.iter().map(figure).collect();
        let added = |figure: fn(&Latency) -> f64| {
            let pairs = self.latencies.iter().zip(&baseline.latencies);
            pairs.map(|(ours, baseline)| figure(ours) - figure(baseline)).collect()
        };
        let pairs = self.rates.iter().zip(&baseline.rates);
        let decrease = pairs.map(|(ours, baseline)| (1.0 - ours / baseline) * 100.0).collect();
        print!(
            "  {name:<22} {:>7.0} {:>7.0} {:>7.0}",
            figures.add(name, "µs p50", each(p50)),
            figures.add(name, "µs p99", each(p99)),
            figures.add(name, "a second", self.rates.clone()),
        );
        if self.route == baseline.route {
            println!();
        } else {
            println!(
                "   {:>+6.1} µs {:>+6.1} µs {:>4.1} %",
                figures.add(name, "µs added to p50", added(p50)),
                figures.add(name, "µs added to p99", added(p99)),
                figures.add(name, "% less throughput", decrease),
            );
        }
        if let Some((mean, decisions)) = self.proxy.decisions() {
            figures.add(name, "µs a decision in the mean", vec![mean]);
            println!("    its decision: {decisions}");
        }
    }
}

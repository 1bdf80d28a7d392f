//! The cost of verification: CNCF distribution, which verifies each token at each request, and our
//! gateway, which caches verified tokens.
//!
//! The request is `GET /v2/`, which both answer by themselves. Without CNCF distribution only our
//! gateway is measured.

use scopegate_benches::figures::Figures;

use crate::stack::{Route, Stack, has_distribution};
use crate::{Measured, ROUNDS};

pub(crate) fn measure(stack: &Stack) {
    let mut figures = Figures::new("edge verifiers");
    println!(
        "GET /v2/ with a token     p50 µs  p99 µs     /s   added to p50, to p99, throughput −"
    );
    let distribution: &[Route] = if has_distribution() {
        &[Route::Distribution, Route::DistributionVerifies]
    } else {
        println!("  CNCF distribution: missing");
        &[]
    };
    let start = |route: &Route| Measured::start(stack, *route, &stack.base(*route));
    let mut distribution: Vec<Measured> = distribution.iter().map(start).collect();
    let mut gateway = start(&Route::Gateway);
    for _ in 0..ROUNDS {
        distribution.iter_mut().for_each(Measured::round);
        gateway.round();
    }
    if let [asks_nobody, ..] = distribution.as_slice() {
        distribution.iter().for_each(|route| route.print(asks_nobody, &mut figures));
    }
    gateway.print(&gateway, &mut figures);
    figures.keep();
}

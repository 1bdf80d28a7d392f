//! What it costs to find a token good: CNCF distribution, which verifies each token at each
//! request, and our gateway, which remembers the ones it has seen.
//!
//! The request is `GET /v2/`, which both answer by themselves. Where CNCF distribution is missing
//! that is said, and our gateway stands alone.

use scopegate_benches::figures::Figures;

use crate::house::{House, Way, has_distribution};
use crate::{Measured, ROUNDS};

pub(crate) fn measure(house: &House) {
    let mut figures = Figures::new("edge verifiers");
    println!("GET /v2/ with a token     p50 µs  p99 µs     /s   added to p50, to p99, lost");
    let distribution: &[Way] = if has_distribution() {
        &[Way::Distribution, Way::DistributionVerifies]
    } else {
        println!("  CNCF distribution: missing");
        &[]
    };
    let start = |way: &Way| Measured::start(house, *way, &house.base(*way));
    let mut distribution: Vec<Measured> = distribution.iter().map(start).collect();
    let mut gateway = start(&Way::Gateway);
    for _ in 0..ROUNDS {
        distribution.iter_mut().for_each(Measured::round);
        gateway.round();
    }
    if let [asks_nobody, ..] = distribution.as_slice() {
        distribution.iter().for_each(|way| way.print(asks_nobody, &mut figures));
    }
    gateway.print(&gateway, &mut figures);
    figures.keep();
}

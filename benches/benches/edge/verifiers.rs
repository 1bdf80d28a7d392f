//! What it costs to find a token good: CNCF distribution, which verifies each token at each request, and our gateway, which remembers the ones it has seen.
//!
//! The request is `GET /v2/`, which both answer by themselves.

use scopegate_benches::figures::Figures;

use crate::house::{House, Way};
use crate::{Measured, ROUNDS};

pub(crate) fn measure(house: &House) {
    let mut figures = Figures::new("edge verifiers");
    println!("GET /v2/ with a token     p50 µs  p99 µs     /s   added to p50, to p99, lost");
    let ways = [Way::Distribution, Way::DistributionVerifies, Way::Gateway];
    let mut ways = ways.map(|way| Measured::start(house, way, &house.base(way)));
    for _ in 0..ROUNDS {
        ways.iter_mut().for_each(Measured::round);
    }
    let [asks_nobody, verifies, gateway] = &ways;
    asks_nobody.print(asks_nobody, &mut figures);
    verifies.print(asks_nobody, &mut figures);
    gateway.print(gateway, &mut figures);
    figures.keep();
}

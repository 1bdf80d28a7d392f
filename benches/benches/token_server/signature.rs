//! The core's signature rate, and the rate of tokens in process.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use scopegate_api::access::AccessEntry;
use scopegate_api::claims::PrincipalKind;
use scopegate_server::testing::domain::issue::{Issuer, Subject};
use scopegate_server::testing::domain::keys::rotation::plan;
use scopegate_server::testing::domain::keys::{
    Algorithm, Authority, Ring, Rotation, RsaSize, SigningKey,
};
use scopegate_server::testing::domain::lifetimes::ACCESS_LIFETIME;

use scopegate_benches::load::SERVER_CORE;

const NOW: i64 = 1_800_000_000;
/// Batches of each alternate, so that other load on the machine affects both.
const ROUNDS: usize = 40;
const BATCH: usize = 2000;

/// Raw signatures of this core in a second.
pub(crate) fn raw(long: Duration) -> f64 {
    pin();
    let (pair, random) = (pair(), SystemRandom::new());
    let message = vec![b'x'; 640];
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < long {
        for _ in 0..100 {
            black_box(pair.sign(&random, black_box(&message)).unwrap());
        }
        count += 100;
    }
    f64::from(count) / begun.elapsed().as_secs_f64()
}

/// Raw signatures and tokens in a second, in alternating rounds.
pub(crate) fn rates() -> (Vec<f64>, Vec<f64>) {
    pin();
    let (pair, random, issuer) = (pair(), SystemRandom::new(), issuer());
    let length = token(&issuer).rsplit_once('.').map_or(0, |(message, _)| message.len());
    let message = vec![b'x'; length];
    let (mut raw, mut issued) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        raw.push(round(|| {
            black_box(pair.sign(&random, black_box(&message)).unwrap());
        }));
        issued.push(round(|| drop(black_box(token(&issuer)))));
    }
    (raw, issued)
}

fn round(mut once: impl FnMut()) -> f64 {
    let begun = Instant::now();
    for _ in 0..BATCH {
        once();
    }
    BATCH as f64 / begun.elapsed().as_secs_f64()
}

fn token(issuer: &Issuer) -> String {
    let subject = Subject::new("MyToken", PrincipalKind::Token, 7);
    let access = vec![AccessEntry {
        resource_type: "repository".into(),
        name: "samples/hello-world".into(),
        actions: vec!["pull".into(), "push".into()],
    }];
    let rid = "0123456789abcdef0123456789abcdef";
    issuer.access_token(&subject, rid, access, ACCESS_LIFETIME, NOW).unwrap()
}

fn pair() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
}

fn issuer() -> Issuer {
    let record = Authority::generate("bench", 1_800_000_000).unwrap();
    let authority = Authority::read(&record).unwrap();
    let rotation = Rotation { every: Duration::MAX, ahead: Duration::ZERO };
    let new = plan(&[], Algorithm::Es256, NOW, rotation).generate.unwrap();
    let key =
        SigningKey::generate(new.algorithm, RsaSize::default(), new.times, &authority).unwrap();
    let ring = Ring::read(&[key], authority.certificate()).unwrap();
    Issuer::new("scopegate".into(), "registry.example".into(), false, ring)
}

/// The raw rate is measured on the server's core.
fn pin() {
    let pinned = core_affinity::set_for_current(SERVER_CORE);
    assert!(pinned, "the core cannot be had");
}

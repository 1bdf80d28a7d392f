//! Decisions natively and through wasmtime, one by one and in batches, and each step of a request;
//! then the allocations of the hot path.
//!
//! For changes of the engine: `cargo xtask bench decide` runs this. The published comparison is the
//! report of `cargo xtask bench`.

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

use std::collections::HashMap;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion};
use scopegate_benches::allocations::{Counting, allocations};
use scopegate_benches::hot_path::STEPS;
use scopegate_benches::{REQUESTS, SIZES, names, rules, scopes, table};
use scopegate_core::{Settings, Table, decide_text};
use scopegate_runtime::{Limits, Runtime};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SETTINGS: Settings = Settings { catalog: scopegate_core::Catalog::Root };

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let allocations = native(&mut criterion);
    floor(&mut criterion);
    wasmtime(&mut criterion);
    steps(&mut criterion);
    criterion.final_summary();
    print_sizes(allocations);
}

/// Cycles through requests.
struct Cycle(usize);

impl Cycle {
    fn next<'t>(&mut self, requests: &'t [String]) -> &'t str {
        self.0 = (self.0 + 1) % REQUESTS;
        &requests[self.0]
    }
}

fn decided(table: &Table<Vec<u8>>, text: &str) -> u32 {
    let decision = decide_text([table], text, &SETTINGS).unwrap_or_else(|error| panic!("{error}"));
    decision.granted.packed()
}

/// Scope text to granted set, natively; returns the allocations of ten thousand decisions.
fn native(criterion: &mut Criterion) -> usize {
    let mut group = criterion.benchmark_group("decide");
    let mut allocated = 0;
    for size in SIZES {
        let (table, requests) = (table(size), scopes(&names(size)));
        let mut cycle = Cycle(0);
        let before = allocations();
        for _ in 0..10_000 {
            black_box(decided(&table, cycle.next(&requests)));
        }
        allocated += allocations() - before;
        group.bench_function(BenchmarkId::new("native", size), |bencher| {
            bencher.iter(|| decided(black_box(&table), black_box(cycle.next(&requests))));
        });
    }
    allocated
}

/// One look-up of the same names in a hash map of the same rules: the minimum cost of any decision.
fn floor(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("floor");
    let size = 500;
    let map: HashMap<String, u16> = table(size)
        .entries()
        .map(|entry| (entry.name.as_str().to_owned(), entry.exact.bits()))
        .collect();
    let requests = names(size);
    let mut cycle = Cycle(0);
    group.bench_function(BenchmarkId::new("hash_map", size), |bencher| {
        bencher.iter(|| black_box(&map).get(black_box(cycle.next(&requests))).copied());
    });
}

/// The same decisions in the sandbox: copying the scope in, the call, and reading the result.
fn wasmtime(criterion: &mut Criterion) {
    let runtime = Runtime::new(Limits::default()).unwrap_or_else(|error| panic!("{error}"));
    let mut group = criterion.benchmark_group("decide");
    for size in [10, 500, 100_000] {
        let loaded = runtime.load("", table(size).as_bytes().to_vec());
        let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
        let requests = scopes(&names(size));
        let mut session = runtime.session().unwrap_or_else(|error| panic!("{error}"));
        let handle = session.load(&loaded).unwrap_or_else(|error| panic!("{error}"));
        let mut cycle = Cycle(0);
        group.bench_function(BenchmarkId::new("wasmtime", size), |bencher| {
            bencher.iter(|| session.decide(handle, black_box(cycle.next(&requests)), &SETTINGS));
        });
        let together = requests[..20].join(" ");
        let mut decisions = Vec::new();
        group.bench_function(BenchmarkId::new("wasmtime_batch_of_20", size), |bencher| {
            bencher.iter(|| {
                session.decide_batch(handle, black_box(&together), &SETTINGS, &mut decisions)
            });
        });
        let tables = [&loaded];
        group.bench_function(BenchmarkId::new("wasmtime_claims", size), |bencher| {
            bencher
                .iter(|| runtime.claims(&tables, &[black_box(cycle.next(&requests))], &SETTINGS));
        });
    }
}

/// The other steps of a host, natively: those that the guard counts.
fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    for (name, prepare) in STEPS {
        let (mut step, mut count) = (prepare(), 0);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                count += 1;
                step(count);
            });
        });
    }
}

/// Figures other than times: allocations, and bytes of tables.
fn print_sizes(allocations: usize) {
    println!("\n| what | measured | goal |\n|---|---:|---:|");
    println!("| allocations of 50,000 decisions | {allocations} | 0 |");
    let per_thousand = (0..1000).map(|_| table(10).as_bytes().len()).sum::<usize>();
    println!("| bytes of 1,000 tables of 10 rules | {per_thousand} | ≤ 700,000 |");
    println!(
        "| bytes of a table of 500 rules, per rule | {} | |",
        table(500).as_bytes().len() / 500
    );
    println!(
        "| bytes of names in it, per rule | {} | |",
        rules(500).iter().map(String::len).sum::<usize>() / 500
    );
    assert_eq!(allocations, 0, "the hot path allocates");
}

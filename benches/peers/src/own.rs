//! Further measurements of our engine: the steps of a request, names of every shape, cold caches,
//! and the start of the sandbox.

use std::cell::RefCell;
use std::hint::black_box;
use std::time::Duration;

use scopegate_benches::hot_path::{STEPS, decisions, twenty};
use scopegate_benches::sample::{Case, Effort, measure};
use scopegate_benches::{many_names, rules, scopes};
use scopegate_core::{ScopeMap, Settings, Table};
use scopegate_runtime::{Limits, Runtime};

use crate::bare::{Code, idle};
use crate::{cycled, print};

/// Bytes and components of names.
const SHAPES: [(usize, usize); 4] = [(8, 1), (24, 2), (64, 4), (255, 8)];
/// The number of different names, and of rules, for cold caches.
const COLD: usize = 100_000;

pub(crate) fn measured(effort: Effort) {
    run("step", STEPS.iter().map(|(name, prepare)| cycled(name, prepare())).collect(), effort);
    run(
        "shape",
        SHAPES.iter().map(|(bytes, components)| shape(*bytes, *components)).collect(),
        effort,
    );
    let cold = Effort { batch: Duration::from_millis(20), ..effort };
    let asked = || scopes(&many_names(COLD, COLD));
    let cases = vec![
        cycled("100,000 names, 100,000 rules", decided(rules(COLD), asked())),
        cycled("the same, some far more often than others", by_zipf(rules(COLD), asked())),
    ];
    run("cold", cases, cold);
    sandbox(effort);
}

fn run(group: &str, mut cases: Vec<Case<'_>>, effort: Effort) {
    let samples = measure(&mut cases, effort);
    for (case, samples) in cases.iter().zip(samples) {
        print(group, &case.name, "native", 0, samples);
    }
}

/// Names of one shape: 500 rules, half of them on everything below a name where there is anything
/// below, and a third of the names without a rule.
fn shape(bytes: usize, components: usize) -> Case<'static> {
    let name = |kind: char, n: usize| {
        let end = format!("{kind}{n:04}");
        let rest = bytes - end.len();
        let letters = (0..rest).map(|at| {
            if components > 1 && (at + 1) % rest.div_ceil(components) == 0 { '/' } else { 'a' }
        });
        letters.collect::<String>() + end.as_str()
    };
    let rules = (0..500).map(|n| match n % 2 {
        1 if components > 1 => format!(
            "repositories/{}/content/read",
            name('r', n)
                .rsplit_once('/')
                .map_or(String::new(), |(above, _)| format!("{above}{n}/*"))
        ),
        _ => format!("repositories/{}/content/read", name('r', n)),
    });
    let asked: Vec<String> =
        (0..64).map(|n| name(if n % 3 == 0 { 'x' } else { 'r' }, n * 2)).collect();
    cycled(
        &format!("{bytes} bytes {components} components"),
        decided(rules.collect(), scopes(&asked)),
    )
}

/// A prime step, so that no name is beside the one before.
fn decided(rules: Vec<String>, scopes: Vec<String>) -> Box<dyn FnMut(usize)> {
    let map = ScopeMap::parse(rules.iter().map(String::as_str)).expect("rules");
    let mut step = decisions(Table::compile([&map]).expect("a table"), scopes);
    Box::new(move |count| step(count.wrapping_mul(7919)))
}

/// The second name half as often as the first, the third a third as often: typical of registries.
fn by_zipf(rules: Vec<String>, scopes: Vec<String>) -> Box<dyn FnMut(usize)> {
    let (last, golden) = (scopes.len() as f64, 0.618_033_988_749_894_9);
    // Evenly between 0 and 1, in no order.
    let parts = (0..1 << 16).map(|count| (f64::from(count) * golden).fract());
    let order: Vec<usize> = parts.map(|part| last.powf(part) as usize - 1).collect();
    let mut step = decided(rules, scopes);
    Box::new(move |count| step(order[count % order.len()]))
}

/// The engine in wasmtime: a request for a token with twenty scopes, and from machine code on the
/// disk to the first decision.
fn sandbox(effort: Effort) {
    let folder = std::env::temp_dir().join(format!("scopegate-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let runtime = Runtime::with_cache(&folder, Limits::default()).expect("the engine starts");
    let bytes = scopegate_benches::table(500).as_bytes().to_vec();
    let table = runtime.load("my-map", bytes.clone()).expect("a table");
    let asked = twenty();
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    let mut session = runtime.session().expect("a session");
    let handle = session.load(&table).expect("room for the table");
    let (settings, session) = (Settings::default(), RefCell::new(session));
    let (together, mut decisions) = (asked.join(" "), Vec::new());
    let code = Code::new(false);
    let mut cases = vec![
        cycled(
            "claims of 20 scopes",
            Box::new(|_| {
                black_box(runtime.claims(&[&table], black_box(&asked), &settings)).expect("claims");
            }),
        ),
        cycled(
            "20 decisions in one call",
            Box::new(|_| {
                let together = black_box(&together);
                session
                    .borrow_mut()
                    .decide_batch(handle, together, &settings, &mut decisions)
                    .expect("decisions");
                black_box(&decisions);
            }),
        ),
        cycled(
            "20 decisions",
            Box::new(|_| {
                for scope in black_box(&asked) {
                    let decision = session.borrow_mut().decide(handle, scope, &settings);
                    black_box(decision).expect("a decision");
                }
            }),
        ),
        cycled("a call that decides nothing", idle(&code, &[])),
        cycled("the same with the text of a scope copied in", idle(&code, &asked)),
        cycled(
            "from machine code on the disk to the first decision",
            Box::new(|_| {
                let runtime =
                    Runtime::with_cache(&folder, Limits::default()).expect("the engine starts");
                let table = runtime.load("", bytes.clone()).expect("a table");
                let mut session = runtime.session().expect("a session");
                let handle = session.load(&table).expect("room for the table");
                black_box(session.decide(handle, asked[0], &settings)).expect("a decision");
            }),
        ),
    ];
    let samples = measure(&mut cases, effort);
    for (case, samples) in cases.iter().zip(samples) {
        print("sandbox", &case.name, "wasmtime", 500, samples);
    }
    drop(cases);
    std::fs::remove_dir_all(folder).expect("the folder of machine code");
}

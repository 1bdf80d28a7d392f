//! What a host asks our engine besides: the steps of a request, names of every shape, caches that are cold, and the sandbox from its start.

use std::cell::RefCell;
use std::hint::black_box;
use std::time::Duration;

use scopegate_benches::hot_path::{STEPS, decisions};
use scopegate_benches::sample::{Case, Effort, measure};
use scopegate_benches::{many_names, names, rules, scopes};
use scopegate_core::{ScopeMap, Settings, Table};
use scopegate_runtime::{ENGINE_WASM, Limits, Runtime};
use wasmtime::{Config, Engine, Instance, Memory, Module, Store};

use crate::print;

/// Bytes and components of names.
const SHAPES: [(usize, usize); 4] = [(8, 1), (24, 2), (64, 4), (255, 8)];
/// How many different names are asked about where nothing is in a cache, and how many rules there are.
const COLD: usize = 100_000;

pub(crate) fn measured(effort: Effort) {
    run("step", STEPS.iter().map(|(name, prepare)| turns(name, prepare())).collect(), effort);
    run(
        "shape",
        SHAPES.iter().map(|(bytes, components)| shape(*bytes, *components)).collect(),
        effort,
    );
    let cold = Effort { batch: Duration::from_millis(20), ..effort };
    let asked = || scopes(&many_names(COLD, COLD));
    let cases = vec![
        turns("100,000 names, 100,000 rules", decided(rules(COLD), asked())),
        turns("the same, some far more often than others", by_zipf(rules(COLD), asked())),
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

fn turns<'c>(name: &str, mut step: Box<dyn FnMut(usize) + 'c>) -> Case<'c> {
    let mut turn = 0;
    let run = move |times| {
        for _ in 0..times {
            step(turn);
            turn += 1;
        }
    };
    Case { name: name.replace(',', ""), run: Box::new(run) }
}

/// Names of one shape: 500 rules, half of them on everything below a name where there is anything below, and a third of the names without a rule.
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
    turns(
        &format!("{bytes} bytes {components} components"),
        decided(rules.collect(), scopes(&asked)),
    )
}

/// A prime step, so that no name is beside the one before.
fn decided(rules: Vec<String>, scopes: Vec<String>) -> Box<dyn FnMut(usize)> {
    let map = ScopeMap::parse(rules.iter().map(String::as_str)).expect("rules");
    let mut step = decisions(Table::compile([&map]).expect("a table"), scopes);
    Box::new(move |turn| step(turn.wrapping_mul(7919)))
}

/// The second name half as often as the first, the third a third as often: as registries are asked.
fn by_zipf(rules: Vec<String>, scopes: Vec<String>) -> Box<dyn FnMut(usize)> {
    let (last, golden) = (scopes.len() as f64, 0.618_033_988_749_894_9);
    // Evenly between 0 and 1, in no order.
    let parts = (0..1 << 16).map(|turn| (f64::from(turn) * golden).fract());
    let order: Vec<usize> = parts.map(|part| last.powf(part) as usize - 1).collect();
    let mut step = decided(rules, scopes);
    Box::new(move |turn| step(order[turn % order.len()]))
}

/// The engine in wasmtime: a request for a token with twenty scopes, and from machine code on the disk to the first decision.
fn sandbox(effort: Effort) {
    let folder = std::env::temp_dir().join(format!("scopegate-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let runtime = Runtime::with_cache(&folder, Limits::default()).expect("the engine starts");
    let bytes = scopegate_benches::table(500).as_bytes().to_vec();
    let table = runtime.load("my-map", bytes.clone()).expect("a table");
    let asked = scopes(&names(500)).split_off(44);
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    let mut session = runtime.session().expect("a session");
    let handle = session.load(&table).expect("room for the table");
    let (settings, session) = (Settings::default(), RefCell::new(session));
    let (together, mut decisions) = (asked.join(" "), Vec::new());
    let mut cases = vec![
        turns(
            "claims of 20 scopes",
            Box::new(|_| {
                black_box(runtime.claims(&[&table], black_box(&asked), &settings)).expect("claims");
            }),
        ),
        turns(
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
        turns(
            "20 decisions",
            Box::new(|_| {
                for scope in black_box(&asked) {
                    let decision = session.borrow_mut().decide(handle, scope, &settings);
                    black_box(decision).expect("a decision");
                }
            }),
        ),
        turns("a call that decides nothing", idle(&[])),
        turns("the same with the text of a scope copied in", idle(&asked)),
        turns("a decision called without the runtime", bare(false, &bytes, &asked)),
        turns("the same with epochs", bare(true, &bytes, &asked)),
        turns(
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

/// The engine with nothing around it but wasmtime.
struct Bare {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
    /// Where the input begins.
    place: usize,
}

impl Bare {
    /// An engine with an input of so many bytes; with epochs a host can interrupt it, for which each loop looks at a counter.
    fn new(epochs: bool, length: u32) -> Self {
        let mut config = Config::new();
        config.epoch_interruption(epochs);
        let engine = Engine::new(&config).expect("a compiler");
        let module = Module::new(&engine, ENGINE_WASM).expect("the engine");
        let mut store = Store::new(&engine, ());
        if epochs {
            store.set_epoch_deadline(1);
        }
        let instance = Instance::new(&mut store, &module, &[]).expect("an instance");
        let memory = instance.get_memory(&mut store, "memory").expect("a memory");
        let input = instance.get_typed_func::<u32, u32>(&mut store, "scopegate_input");
        let place = input.and_then(|input| input.call(&mut store, length)).expect("room") as usize;
        Self { store, instance, memory, place }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.memory.write(&mut self.store, self.place, bytes).expect("room for the bytes");
    }
}

/// A call that only gives a number, and the copy of one of these texts before it, if there are any.
fn idle(texts: &[&str]) -> Box<dyn FnMut(usize)> {
    let mut bare = Bare::new(false, 4096);
    let version = bare
        .instance
        .get_typed_func::<(), u32>(&mut bare.store, "scopegate_abi_version")
        .expect("version");
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    Box::new(move |turn| {
        if let Some(turn) = turn.checked_rem(texts.len()) {
            bare.write(black_box(texts[turn].as_bytes()));
        }
        black_box(version.call(&mut bare.store, ()).expect("a version"));
    })
}

/// Decisions.
fn bare(epochs: bool, table: &[u8], scopes: &[&str]) -> Box<dyn FnMut(usize)> {
    let length = u32::try_from(table.len()).expect("a small table");
    let mut bare = Bare::new(epochs, length);
    bare.write(table);
    let Bare { store, instance, .. } = &mut bare;
    let load = instance
        .get_typed_func::<(u32, u32), u64>(&mut *store, "scopegate_table_load")
        .expect("load");
    let decide = instance
        .get_typed_func::<(u32, u32, u32), u64>(&mut *store, "scopegate_decide")
        .expect("decide");
    let handle = load.call(store, (0, length)).expect("a table") as u32;
    let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    Box::new(move |turn| {
        let scope = black_box(scopes[turn % scopes.len()].as_bytes());
        bare.write(scope);
        let length = scope.len() as u32;
        black_box(decide.call(&mut bare.store, (handle, length, 0)).expect("a decision"));
    })
}

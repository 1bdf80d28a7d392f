//! The same steps in each place where the engine runs: natively, in wasmtime, and in wasmtime with
//! epochs. For V8 `benches/node/measure.mjs` measures them, with the same [`Inputs`].
//!
//! A step is what a host's program would do there, from its input texts to its results: natively
//! values of the core, and by the exports of the engine the returned bytes, copied out and not
//! parsed.
//!
//! Left out: the runtime, which pools instances for a server and parses their results; `own`
//! measures it.

use std::hint::black_box;

use scopegate_benches::hot_path::{ACCESS, MANIFEST, STEPS, Step, twenty};
use scopegate_benches::sample::{Case, Effort, measure};
use scopegate_benches::{names, rules, scopes, table};
use scopegate_core::route::Profile;
use scopegate_core::verify::Grant;
use scopegate_core::{Scope, ScopeList, Settings, Table, decide_bytes, verify};
use wasmtime::WasmParams;

use crate::bare::{Bare, Code};
use crate::{cycled, print};

/// How many rules the map has.
const RULES: usize = 500;

/// The inputs of the steps.
pub(crate) struct Inputs {
    actions: Vec<String>,
    scopes: Vec<String>,
    /// Twenty of the scopes, as one text.
    together: String,
    method: &'static str,
    target: &'static str,
    /// The entries of a token, one a line.
    access: String,
    required: &'static str,
}

impl Inputs {
    pub(crate) fn new() -> Self {
        Self {
            actions: rules(RULES),
            scopes: scopes(&names(RULES)),
            together: twenty().join(" "),
            method: "GET",
            target: MANIFEST,
            access: ACCESS.join("\n"),
            required: ACCESS[0],
        }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        let Self { actions, scopes, together, method, target, access, required } = self;
        serde_json::json!({
            "actions": actions, "scopes": scopes, "together": together, "method": method, "target": target, "access": access,
            "required": required,
        })
    }
}

/// A step's name and function.
type Named = (&'static str, Step);

pub(crate) fn measured(effort: Effort) {
    let inputs = Inputs::new();
    let hosts = [
        ("native", natively(&inputs)),
        ("wasmtime", by_exports(&Code::new(false), &inputs)),
        ("wasmtime with epochs", by_exports(&Code::new(true), &inputs)),
    ];
    let (mut hows, mut cases) = (Vec::new(), Vec::new());
    for (how, steps) in hosts {
        for (name, step) in steps {
            hows.push(how);
            cases.push(cycled(name, step));
        }
    }
    let samples = measure(&mut cases, effort);
    for ((how, Case { name, .. }), samples) in hows.iter().zip(&cases).zip(samples) {
        print("place", name, how, RULES, samples);
    }
}

/// By the core, as in a Rust program.
fn natively(inputs: &Inputs) -> Vec<Named> {
    let step = |name| STEPS.iter().find(|(step, _)| *step == name).expect("a step").1();
    let (table, together) = (table(RULES), inputs.together.clone());
    let batch: Step = Box::new(move |_| {
        for scope in ScopeList::pieces(black_box(together.as_bytes())) {
            let decided = decide_bytes([black_box(&table)], scope, &Settings::default());
            black_box(decided.expect("text").expect("a scope"));
        }
    });
    let (access, required) = (inputs.access.clone(), inputs.required);
    let verified: Step = Box::new(move |_| {
        let grants: Vec<_> = black_box(&access).lines().filter_map(Grant::read).collect();
        let required = Scope::parse(black_box(required)).expect("a scope");
        black_box(verify(grants.iter().copied(), &[required.into()], Profile::Acr).is_ok());
    });
    let actions = inputs.actions.clone();
    let compiled: Step = Box::new(move |_| {
        let actions = black_box(&actions).iter().map(String::as_str);
        black_box(Table::compile_actions(actions)).expect("a table");
    });
    vec![
        ("decide", step("decide/500")),
        ("decide 20 in one call", batch),
        ("claims of 20 scopes", step("claims/20")),
        ("explain", step("explain/500")),
        ("route", step("route/manifest")),
        ("verify", verified),
        ("compile", compiled),
        ("load", step("load/500")),
    ]
}

/// The arguments of a call: its numbers, and its input text.
type Call<P> = (P, String);

/// By the exports of the engine.
fn by_exports(code: &Code, inputs: &Inputs) -> Vec<Named> {
    let Inputs { actions, scopes, together, method, target, access, required } = inputs;
    let actions = actions.join("\n");
    let routed = ((length(method), length(target), 0), [*method, target].concat());
    let verified = ((length(access), length(required), 0), [access, *required].concat());
    let each = |call: fn(&str) -> _| scopes.iter().map(|scope| call(scope)).collect();
    vec![
        ("decide", decided(code, each(in_table))),
        ("decide 20 in one call", given(code, "scopegate_decide_batch", vec![in_table(together)])),
        ("claims of 20 scopes", given(code, "scopegate_claims", vec![in_tables(together)])),
        ("explain", given(code, "scopegate_explain", each(in_tables))),
        ("route", given(code, "scopegate_route", vec![routed])),
        ("verify", given(code, "scopegate_verify", vec![verified])),
        ("compile", given(code, "scopegate_table_compile", vec![(length(&actions), actions)])),
        ("load", loaded(code)),
    ]
}

/// Scopes for the table that was loaded first, whose handle is 0.
fn in_table(scopes: &str) -> Call<(u32, u32, u32)> {
    ((0, length(scopes), 0), scopes.to_owned())
}

/// Scopes for a principal with that table, whose handle precedes them.
fn in_tables(scopes: &str) -> Call<(u32, u32, u32)> {
    ((1, length(scopes), 0), ["\0\0\0\0", scopes].concat())
}

fn length(text: &str) -> u32 {
    u32::try_from(text.len()).expect("a small text")
}

/// An instance that has the table.
fn with_table(code: &Code) -> Bare {
    let (mut bare, table) = (Bare::new(code), table(RULES));
    let load = bare.function("scopegate_table_load");
    bare.write(table.as_bytes());
    assert_eq!(bare.ask(&load, (0, table.as_bytes().len() as u32)), 0, "another handle");
    bare
}

/// Decisions are numbers.
fn decided(code: &Code, inputs: Vec<Call<(u32, u32, u32)>>) -> Step {
    let mut bare = with_table(code);
    let decide = bare.function("scopegate_decide");
    Box::new(move |count| {
        let (numbers, text) = &inputs[count % inputs.len()];
        bare.write(black_box(text.as_bytes()));
        black_box(bare.ask(&decide, *numbers));
    })
}

/// All else is bytes.
fn given<P: WasmParams + Copy + 'static>(code: &Code, export: &str, inputs: Vec<Call<P>>) -> Step {
    let mut bare = with_table(code);
    let function = bare.function(export);
    Box::new(move |count| {
        let (numbers, text) = &inputs[count % inputs.len()];
        bare.write(black_box(text.as_bytes()));
        let result = bare.ask(&function, *numbers);
        black_box(bare.taken(result));
    })
}

/// A table is loaded, and dropped again.
fn loaded(code: &Code) -> Step {
    let (mut bare, table) = (Bare::new(code), table(RULES));
    let load = bare.function("scopegate_table_load");
    let forget = bare.function("scopegate_table_drop");
    Box::new(move |_| {
        bare.write(black_box(table.as_bytes()));
        let handle = bare.ask(&load, (0, table.as_bytes().len() as u32));
        bare.ask(&forget, handle as u32);
    })
}

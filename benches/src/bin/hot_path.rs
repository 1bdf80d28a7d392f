//! One step of the hot path, so many times: what a counter of instructions is put on.
//!
//! `hot_path` lists the steps. `hot_path STEP TIMES` does one, and prints how many allocations that took. With `--slowed` every twentieth time is done
//! twice: a slow-down of five in a hundred, which whoever guards against slow-downs must see.

use std::hint::black_box;
use std::process::ExitCode;

use scopegate_benches::allocations::{Counting, allocations};
use scopegate_benches::{names, scope_map, scopes, table};
use scopegate_core::admission::{Authority, Credential, admit};
use scopegate_core::explain::{NamedTable, explain};
use scopegate_core::verify::Grant;
use scopegate_core::{Scope, ScopeList, Settings, Table, claims, decide, route, verify};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Something that is done for a request, by its turn.
type Step = Box<dyn FnMut(usize)>;
/// A step, and how it is prepared.
type Named = (&'static str, fn() -> Step);

const STEPS: [Named; 12] = [
    ("decide/10", || decided(10)),
    ("decide/500", || decided(500)),
    ("decide/100000", || decided(100_000)),
    ("claims/20", claimed),
    ("explain/500", explained),
    ("route/manifest", || routed("GET", "/v2/team1/svc/component-4/manifests/v1")),
    ("route/mount", || {
        routed("POST", "/v2/team1/svc/component-4/blobs/uploads/?mount=sha256:0&from=base")
    }),
    ("route/escaped", || routed("GET", "/acr/v1/team1%2Fsvc%2Fcomponent-4/_tags/v1")),
    ("verify", verified),
    ("admit", admitted),
    ("compile/500", compiled),
    ("load/500", loaded),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (name, times, slowed) = match arguments.as_slice() {
        [] => {
            STEPS.iter().for_each(|(name, _)| println!("{name}"));
            return ExitCode::SUCCESS;
        }
        [name, times] => (name, times, false),
        [name, times, "--slowed"] => (name, times, true),
        _ => return ExitCode::FAILURE,
    };
    let step = STEPS.iter().find(|(step, _)| step == name);
    let (Some((_, prepare)), Ok(times)) = (step, times.parse::<usize>()) else {
        return ExitCode::FAILURE;
    };
    let mut step = prepare();
    step(0);
    let before = allocations();
    for turn in 0..times {
        step(turn);
        if slowed && turn % 20 == 0 {
            step(turn);
        }
    }
    println!("{}", allocations() - before);
    ExitCode::SUCCESS
}

fn decided(rules: usize) -> Step {
    let (table, scopes) = (table(rules), scopes(&names(rules)));
    Box::new(move |turn| {
        let scope = Scope::parse(black_box(&scopes[turn % scopes.len()])).expect("a scope");
        black_box(decide([black_box(&table)], &scope, &Settings::default()));
    })
}

/// A token request with twenty scopes.
fn claimed() -> Step {
    let (table, scopes) = (table(500), scopes(&names(500)).split_off(44));
    Box::new(move |_| {
        let list = ScopeList::parse(black_box(&scopes).iter().map(String::as_str)).expect("scopes");
        black_box(claims([black_box(&table)], &list, &Settings::default()));
    })
}

fn explained() -> Step {
    let (table, scopes) = (table(500), scopes(&names(500)));
    Box::new(move |turn| {
        let scope = Scope::parse(black_box(&scopes[turn % scopes.len()])).expect("a scope");
        let named = [NamedTable { name: "my-map", table: black_box(&table) }];
        black_box(explain(&named, &scope, &Settings::default()));
    })
}

fn routed(method: &'static str, target: &'static str) -> Step {
    Box::new(move |_| {
        black_box(
            route(black_box(method), black_box(target), &Default::default()).expect("a route"),
        );
    })
}

fn grants() -> Vec<Grant<'static>> {
    let entries =
        ["repository:team1/svc/component-4:pull", "repository:base:pull", "registry:catalog:*"];
    entries.into_iter().filter_map(Grant::read).collect()
}

fn verified() -> Step {
    let route = route("GET", "/v2/team1/svc/component-4/manifests/v1", &Default::default());
    let (grants, scopes) = (grants(), route.expect("a route").scopes);
    Box::new(move |_| {
        black_box(verify(black_box(&grants).iter().copied(), black_box(&scopes)).is_ok());
    })
}

fn admitted() -> Step {
    let grants = grants();
    let authority =
        Authority { realm: "https://registry.example/oauth2/token", service: "registry.example" };
    Box::new(move |_| {
        let credential = Credential::Valid(black_box(&grants).iter().copied());
        let target = black_box("/v2/team1/svc/component-4/manifests/v1");
        black_box(admit("GET", target, credential, authority, &Default::default()));
    })
}

fn compiled() -> Step {
    let map = scope_map(500);
    Box::new(move |_| {
        black_box(Table::compile([black_box(&map)]).expect("a table"));
    })
}

fn loaded() -> Step {
    let table = table(500);
    Box::new(move |_| {
        black_box(Table::load(black_box(table.as_bytes())).expect("a table"));
    })
}

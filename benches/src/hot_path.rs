//! The steps of a request, each prepared for repetition: the guard counts their instructions, and
//! the benches measure their time.

use std::hint::black_box;

use scopegate_core::admission::{Authority, Credential, Request, admit};
use scopegate_core::explain::{NamedTable, explain};
use scopegate_core::route::Profile;
use scopegate_core::verify::Grant;
use scopegate_core::{Scope, ScopeList, Settings, Table, claims, decide_text, route, verify};

use crate::worst::Case;
use crate::{REQUESTS, names, scope_map, scopes, table};

/// The path of a manifest.
pub const MANIFEST: &str = "/v2/team1/svc/component-4/manifests/v1";
/// The entries of a token that may pull it.
pub const ACCESS: [&str; 3] =
    ["repository:team1/svc/component-4:pull", "repository:base:pull", "registry:catalog:*"];

/// The header fields that docker sends with it.
const HEADERS: [(&[u8], &[u8]); 6] = [
    (b"host", b"registry.example"),
    (b"user-agent", b"docker/29.0.0 go/go1.25.4 kernel/6.1.0 os/linux arch/amd64"),
    (b"accept", b"application/vnd.oci.image.index.v1+json"),
    (b"accept", b"application/vnd.oci.image.manifest.v1+json"),
    (b"authorization", b"Bearer token"),
    (b"accept-encoding", b"gzip"),
];

/// A step of a request, called with a counter.
pub type Step = Box<dyn FnMut(usize)>;
/// A step, and how it is prepared.
pub type Named = (&'static str, fn() -> Step);

/// Every step: a decision in maps of three sizes, a token request with twenty scopes, and the other
/// calls of a host.
pub const STEPS: [Named; 13] = [
    ("decide/10", || decided(10)),
    ("decide/500", || decided(500)),
    ("decide/100000", || decided(100_000)),
    ("decide/worst", decided_at_worst),
    ("claims/20", claimed),
    ("explain/500", explained),
    ("route/manifest", || routed("GET", MANIFEST)),
    ("route/mount", || {
        routed("POST", "/v2/team1/svc/component-4/blobs/uploads/?mount=sha256:0&from=base")
    }),
    ("route/escaped", || routed("GET", "/acr/v1/team1%2Fsvc%2Fcomponent-4/_tags/v1")),
    ("verify", verified),
    ("admit", admitted),
    ("compile/500", compiled),
    ("load/500", loaded),
];

fn decided(rules: usize) -> Step {
    decisions(table(rules), scopes(&names(rules)))
}

/// Decisions about these scopes, cycling.
#[must_use]
pub fn decisions(table: Table<Vec<u8>>, scopes: Vec<String>) -> Step {
    Box::new(move |count| {
        let scope = black_box(&scopes[count % scopes.len()]);
        let decision = decide_text([black_box(&table)], scope, &Settings::default());
        black_box(decision).expect("a scope");
    })
}

/// The slowest decision that was found.
fn decided_at_worst() -> Step {
    let case = Case::kept();
    decisions(case.table().expect("a table"), vec![case.scope])
}

/// The scopes of a request with twenty.
#[must_use]
pub fn twenty() -> Vec<String> {
    scopes(&names(500)).split_off(REQUESTS - 20)
}

/// A token request with twenty scopes.
fn claimed() -> Step {
    let (table, scopes) = (table(500), twenty());
    Box::new(move |_| {
        let list = ScopeList::parse(black_box(&scopes).iter().map(String::as_str)).expect("scopes");
        black_box(claims([black_box(&table)], &list, &Settings::default()));
    })
}

fn explained() -> Step {
    let (table, scopes) = (table(500), scopes(&names(500)));
    Box::new(move |count| {
        let scope = Scope::parse(black_box(&scopes[count % scopes.len()])).expect("a scope");
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
    ACCESS.into_iter().filter_map(Grant::read).collect()
}

fn verified() -> Step {
    let route = route("GET", MANIFEST, &Default::default());
    let (grants, scopes) = (grants(), route.expect("a route").scopes);
    Box::new(move |_| {
        let grants = black_box(&grants).iter().copied();
        black_box(verify(grants, black_box(&scopes), Profile::Acr).is_ok());
    })
}

fn admitted() -> Step {
    let grants = grants();
    let authority =
        Authority { realm: "https://registry.example/oauth2/token", service: "registry.example" };
    Box::new(move |_| {
        let credential = Credential::Valid(black_box(&grants).iter().copied());
        let headers = black_box(&HEADERS).iter().copied();
        let request = Request { method: "GET", target: black_box(MANIFEST), headers };
        black_box(admit(request, credential, authority, &Default::default()));
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

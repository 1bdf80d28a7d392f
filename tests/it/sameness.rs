//! A million cases through everything that loads the engine without a proxy around it: natively, in
//! wasmtime, in Node and in Chromium.
//!
//! The proxies answer the same cases in tests of their own.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use scopegate_api::abi;
use scopegate_core::ErrorKind;
use scopegate_core::admission::{Authority, Credential as Came, Request};
use scopegate_runtime::{Admission, ENGINE_WASM, Error, Limits, PolicyTable, Runtime};
use scopegate_tests::sameness::answers::{AUTHORITY, headers, line, refused, report};
use scopegate_tests::sameness::{CASES, Case, Credential, Digest, Native, groups};
use serde_json::json;

use crate::browser;

/// The digest that every host must come to. Bodies are in it, so other words make another one.
const EXPECTED: &str = "1000000 0a41718efbe352b47456cbc00086c4e5bb2fd458c795a678f058651c61ee7d1d";

fn native() -> String {
    let mut digest = Digest::default();
    for group in groups(CASES) {
        let engine = Native::new(&group);
        digest.add(group.cases.iter().map(|case| engine.line(case)));
    }
    digest.finish()
}

fn in_wasmtime() -> String {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let runtime = Runtime::with_cache(cache, Limits::default()).unwrap();
    let mut digest = Digest::default();
    for group in groups(CASES) {
        let table = runtime.compile("", group.map.iter().map(String::as_str)).unwrap();
        digest.add(group.cases.iter().map(|case| {
            line(
                &decided_in_wasmtime(&runtime, &table, case),
                &admitted_in_wasmtime(&runtime, case),
            )
        }));
    }
    digest.finish()
}

fn decided_in_wasmtime(runtime: &Runtime, table: &PolicyTable, case: &Case) -> String {
    let (settings, _) = abi::unpack_settings(case.settings).unwrap();
    match runtime.claims(&[table], &[&case.scopes], &settings) {
        Ok(decided) => report(&decided),
        Err(Error::Refused(failure)) => refused(failure),
        Err(error) => panic!("{case:?}: {error}"),
    }
}

fn admitted_in_wasmtime(runtime: &Runtime, case: &Case) -> String {
    let (_, settings) = abi::unpack_settings(case.settings).unwrap();
    let credential = match case.credential {
        Credential::Absent => Came::Absent,
        Credential::Invalid => Came::Invalid,
        Credential::Valid => Came::Valid(case.access.as_str()),
    };
    let request = Request { method: &case.method, target: &case.target, headers: headers(case) };
    let admitted = runtime.admit(request, credential, AUTHORITY, &settings);
    match admitted.unwrap_or_else(|error| panic!("{case:?}: {error}")) {
        Admission::Forward { target, content_type, scopes } => {
            format!("200\n{target}\n{}\n{scopes}", content_type.unwrap_or_default())
        }
        Admission::Refusal { status, challenge, body } => {
            format!("{status}\n{}\n{body}", challenge.unwrap_or_default())
        }
    }
}

/// What JavaScript needs to know beside the cases.
fn job(wasm: &Path) -> String {
    let codes: Vec<_> = ErrorKind::ALL.iter().map(|kind| (kind.number(), kind.code())).collect();
    let Authority { realm, service } = AUTHORITY;
    json!({ "wasm": wasm, "codes": codes, "realm": realm, "service": service }).to_string()
}

/// The module's raw boundary from JavaScript. Cases go in as they are made, so that no process
/// holds a million of them.
fn in_node() -> String {
    let wasm = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sameness.wasm");
    std::fs::write(&wasm, ENGINE_WASM).unwrap();
    let mut node = Command::new("node")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("node/sameness.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is not installed: run `cargo xtask setup`");
    let mut input = std::io::BufWriter::new(node.stdin.take().unwrap());
    let writer = std::thread::spawn(move || {
        writeln!(input, "{}", job(&wasm))?;
        for group in groups(CASES) {
            serde_json::to_writer(&mut input, &group)?;
            writeln!(input)?;
        }
        input.flush()
    });
    let output = node.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "node failed");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[track_caller]
fn same(executor: &str, digest: &str) {
    println!("{executor}: {digest}");
    assert_eq!(digest, EXPECTED, "{executor}");
}

#[test]
fn natively() {
    same("native", &native());
}

#[test]
fn through_wasmtime() {
    same("wasmtime", &in_wasmtime());
}

#[test]
fn in_v8() {
    same("V8", &in_node());
}

#[test]
fn in_chromium() {
    same("Chromium", &browser::digest(job(Path::new(""))));
}

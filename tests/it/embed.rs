//! The examples that embed the engine say what it says natively: of generated maps, scopes and
//! requests, to the byte.
//!
//! Each example's own `Engine` is driven by a few lines beside it. A language that is not installed
//! is named, and passed over.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use scopegate_api::abi::{WrittenAdmission, pack_settings, unpack_settings};
use scopegate_core::route::route;
use scopegate_core::{Error, ErrorKind, Settings};
use scopegate_runtime::{ENGINE_WASM, Limits, Runtime};
use scopegate_tests::sameness::answers::{AUTHORITY, admission};
use scopegate_tests::sameness::groups;
use serde_json::{Value, json};

/// How many cases: enough for each kind of answer, few enough for a start of the slowest.
const CASES: usize = 3000;

/// What is asked, and the answer.
fn questions() -> Vec<(Value, Value)> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let runtime = Runtime::with_cache(cache, Limits::default()).unwrap();
    let mut questions = Vec::new();
    for group in groups(CASES) {
        let table = runtime.compile("", group.map.iter().map(String::as_str)).unwrap();
        for case in &group.cases {
            let (method, target) = (&case.method, &case.target);
            let access: Vec<&str> = case.access.lines().collect();
            let credential: u32 = case.credential.into();
            let headers: Vec<_> =
                case.content_types.iter().map(|value| ["Content-Type", value]).collect();
            questions.push((
                json!({ "kind": "admit", "method": method, "target": target, "headers": headers, "access": access,
                    "realm": AUTHORITY.realm, "service": AUTHORITY.service, "credential": credential,
                    "settings": case.settings }),
                admitted(&admission(case)),
            ));
            let (_, settings) = unpack_settings(case.settings).unwrap();
            let routed = route(method, target, &settings);
            questions.push((
                json!({ "kind": "route", "method": method, "target": target,
                    "settings": pack_settings(&Settings::default(), &settings) }),
                routed.map_or_else(refused, |route| json!([route.path, route.to_string()])),
            ));
        }
        for case in group.cases.iter().take(20) {
            let scopes: Vec<&str> = case.scopes.split(' ').collect();
            let question = json!({ "kind": "explain", "map": group.map, "scopes": scopes });
            let answer = match runtime.explain(&[&table], &scopes, &Settings::default()) {
                Ok(said) => json!(said.iter().map(|one| &one.text).collect::<Vec<_>>()),
                Err(scopegate_runtime::Error::Refused(scopegate_api::abi::Failure::Refused(
                    error,
                ))) => refused(error),
                Err(error) => panic!("{case:?}: {error}"),
            };
            questions.push((question, answer));
        }
    }
    questions
}

fn admitted(text: &str) -> Value {
    match scopegate_api::abi::read_admission(text).unwrap() {
        WrittenAdmission::Forward { target, content_type, scopes } => {
            json!([200, target, content_type.unwrap_or_default(), scopes])
        }
        WrittenAdmission::Refusal { status, challenge, body } => {
            json!([status, challenge.unwrap_or_default(), body])
        }
    }
}

fn refused(error: Error) -> Value {
    // The number is what crosses the boundary; that it names the kind is the engine's affair.
    assert_eq!(ErrorKind::from_number(error.kind().number()), Some(error.kind()));
    json!(format!("error {} at {}", error.kind().number(), error.position()))
}

/// Asks all of it, and compares. Nothing happens where the program is not installed.
#[track_caller]
fn says_the_same(language: &str, mut command: Command) {
    let wasm = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("embed-{language}.wasm"));
    std::fs::write(&wasm, ENGINE_WASM).unwrap();
    let spawned = command.arg(&wasm).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = spawned else {
        eprintln!("{language} is not installed, so its example is not tried");
        return;
    };
    let questions = questions();
    let mut input = child.stdin.take().unwrap();
    let lines: String = questions.iter().map(|(question, _)| format!("{question}\n")).collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{language} failed");
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), questions.len(), "{language}");
    for (line, (question, expected)) in answers.lines().zip(&questions) {
        let answer: Value = serde_json::from_str(line).unwrap();
        assert_eq!(&answer, expected, "{language}: {question}");
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn in_node() {
    let mut node = Command::new("node");
    node.arg(root().join("tests/embed/stream.mjs"));
    says_the_same("node", node);
}

#[test]
fn in_python() {
    // The environment of the tests, which has wasmtime.
    let mut python = Command::new(root().join("target/clients/venv/bin/python"));
    python.arg(root().join("tests/embed/stream.py"));
    says_the_same("python", python);
}

#[test]
fn in_go() {
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("embed-stream");
    let build = Command::new("go")
        .args(["build", "-o"])
        .arg(&built)
        .arg("./cmd/stream")
        .current_dir(root().join("examples/embed/go"))
        .status();
    match build {
        Ok(status) => assert!(status.success(), "the example for Go does not build"),
        Err(_) => return eprintln!("go is not installed, so its example is not tried"),
    }
    says_the_same("go", Command::new(built));
}

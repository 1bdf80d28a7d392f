//! The program itself, before it serves: what it says of a configuration that cannot be, and what
//! it ends with.
//!
//! Left out: what it does with traffic, which `tests/clients/gateway.rs` has with a real registry
//! behind it.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "what fails ends the test"
)]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A configuration that holds, but for what is put in place of a line.
const GOOD: &str = "\
listen: 127.0.0.1:0
upstream: http://127.0.0.1:1
service: registry.example
realm: http://127.0.0.1:1/oauth2/token
keys: http://127.0.0.1:1/jwks.json
";

/// What the program prints about a file, when it ends by itself and in failure.
#[track_caller]
fn refusal(folder: &Path, file: &str) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_scopegate-gateway"));
    let program = program.current_dir(folder).args(["--config", file]).stdin(Stdio::null());
    let output = within(program, Duration::from_secs(30));
    assert_eq!(output.status.code(), Some(1), "{file}");
    assert!(output.stdout.is_empty(), "{file}");
    String::from_utf8(output.stderr).unwrap()
}

/// A program that serves where it should not would never end.
fn within(program: &mut Command, patience: Duration) -> Output {
    let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + patience;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

#[test]
fn what_cannot_be_served_ends_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("empty.json"), r#"{"keys": []}"#).unwrap();
    std::fs::write(folder.join("broken.json"), "{").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    for (line, expected) in [
        (&*format!("listen: {taken}"), &*taken),
        ("lisen: 127.0.0.1:0", "lisen"),
        ("upstream: http://user:hunter2@127.0.0.1:1", "upstream holds more than an address"),
        ("catalog: filtered", "catalog is filtered, which needs bundle"),
        ("keys: absent.json", "absent.json"),
        ("keys: empty.json", "empty.json"),
        ("keys: broken.json", "broken.json"),
        ("tls: {certificate: absent.pem, key: absent.pem}", "absent.pem"),
        ("authorities: absent.pem", "absent.pem"),
        ("authorities: broken.json", "authorities: broken.json holds no certificate"),
        (
            "revocations: {url: 'http://127.0.0.1:1/', user: u, secretFile: absent.txt}",
            "absent.txt",
        ),
        ("bundle: {url: 'http://127.0.0.1:1/', user: u, secretFile: absent.txt}", "absent.txt"),
    ] {
        let name = line.split(':').next().unwrap();
        let kept = GOOD.lines().filter(|other| !other.starts_with(name));
        let text = kept.chain([line]).collect::<Vec<_>>().join("\n");
        std::fs::write(folder.join("gateway.yaml"), text).unwrap();
        let error = refusal(folder, "gateway.yaml");
        assert!(error.starts_with("error: ") && error.contains(expected), "{line}: {error}");
        assert!(!error.contains("hunter2") && !error.contains("panicked"), "{line}: {error}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refusal(folder.path(), "absent.yaml").contains("absent.yaml"));
}

//! `doctor`: it tells by its exit code whether a registry trusts a token.

use std::io::Write as _;
use std::process::{Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::{Data, Server, texts};

const REGISTRY: &str = include_str!("../../../../../examples/registry.yml");
/// The address that the example has for the token server, and the service of its registry.
const PUBLIC: [&str; 4] =
    ["--set", "publicUrl=https://localhost:5001", "--service", "localhost:5000"];
const SERVICE: [&str; 2] = ["--service", "localhost:5000"];
/// Where the example has the bundle.
const BUNDLE: &str = "./scopegate-data/signing-cert.pem";

/// A server that the registry of the example trusts, and a token of it.
struct Patient {
    data: Data,
    server: Server,
    token: String,
}

impl Patient {
    fn start() -> Self {
        let data = Data::new();
        let server = data.serve(&PUBLIC);
        let token = server.token();
        Self { data, server, token }
    }

    fn bundle(&self) -> String {
        self.data.path("data/signing-cert.pem").display().to_string()
    }

    /// The example of a registry, with the bundle of this server.
    fn registry(&self) -> String {
        REGISTRY.replace(BUNDLE, &self.bundle())
    }

    fn write(&self, name: &str, text: &str) -> String {
        self.data.write(name, text).display().to_string()
    }

    /// Asks the doctor about a token for a registry of a version.
    fn doctor(&self, version: &str, registry: &str, token: &str) -> Output {
        let registry = self.write("registry.yml", registry);
        let path = self.write("token", token);
        let flags = ["--version", version, "--registry", &registry, &path];
        self.data.run(&["doctor"], &[&PUBLIC[..], &flags].concat())
    }
}

#[test]
fn the_doctor_accepts_a_token_that_the_registry_trusts() {
    let patient = Patient::start();
    let output = patient.doctor("2.8", &patient.registry(), &patient.token);
    assert!(output.status.success(), "{:?}", texts(&output));
    let (out, _) = texts(&output);
    assert!(!out.is_empty());
}

#[test]
fn the_doctor_refuses_another_token_and_prints_no_signature() {
    let patient = Patient::start();
    let good = patient.token.as_str();
    let foreign = Data::new().serve(&[]).token();
    let payload = good.split('.').nth(1).unwrap();
    let none = URL_SAFE_NO_PAD.encode(json!({"alg": "none"}).to_string());
    for (what, token) in [
        ("a token of another server", foreign.as_str()),
        ("cut off", &good[..good.len() - 10]),
        ("no token", "hello"),
        ("nothing", ""),
        ("none", &format!("{none}.{payload}.")),
    ] {
        let output = patient.doctor("2.8", &patient.registry(), token);
        let (out, error) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{what}: {out}");
        assert!(
            !out.is_empty() && error.contains("a registry refuses this token"),
            "{what}: {out}{error}"
        );
        let signature = good.rsplit('.').next().unwrap();
        assert!(!out.contains(&signature[..20]), "{what}: {out}");
    }
}

#[test]
fn the_doctor_refuses_a_token_for_another_registry() {
    let patient = Patient::start();
    for (from, to) in [
        ("issuer: scopegate", "issuer: another"),
        ("service: localhost:5000", "service: another"),
        (patient.bundle().as_str(), "/nowhere.pem"),
    ] {
        let text = patient.registry();
        assert!(text.contains(from), "{from}");
        let output = patient.doctor("2.8", &text.replace(from, to), &patient.token);
        assert_eq!(output.status.code(), Some(1), "{to}: {:?}", texts(&output));
    }
}

/// Version 3 wants the keys themselves, and the doctor says where they are.
#[test]
fn the_doctor_tells_version_3_where_the_keys_are() {
    let patient = Patient::start();
    let (out, _) = texts(&patient.doctor("3", &patient.registry(), &patient.token));
    assert!(out.contains("https://localhost:5001/.well-known/jwks.json"), "{out}");
    let (_, jwks) = patient.server.get("/.well-known/jwks.json", "");
    let jwks = patient.write("jwks.json", &jwks);
    let text = format!("{}    jwks: {jwks}\n", patient.registry());
    let output = patient.doctor("3", &text, &patient.token);
    assert!(output.status.success(), "{:?}", texts(&output));
}

/// Another realm is no reason to refuse a token, and no registry is one fewer to disagree.
#[test]
fn the_doctor_needs_no_registry() {
    let patient = Patient::start();
    let (data, path) = (&patient.data, patient.write("token", &patient.token));
    data.stdout(&["doctor"], &[&SERVICE[..], &[&path]].concat());
    for version in ["2.8", "3"] {
        data.stdout(&["doctor"], &[&SERVICE[..], &["--version", version, &path]].concat());
    }
    assert!(data.refused(&["doctor"], &["/nowhere"]).contains("cannot read /nowhere"));
    assert!(data.refused(&["doctor"], &["--registry", "/nowhere", &path]).contains("/nowhere"));
}

#[test]
fn the_doctor_reads_a_token_from_standard_input() {
    let patient = Patient::start();
    let mut child = patient
        .data
        .command(&["doctor"])
        .args(SERVICE)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("{}\n", patient.token).as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

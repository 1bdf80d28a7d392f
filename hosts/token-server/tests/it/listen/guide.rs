//! The guide's settings and commands for management on an address of its own, as they are written.

use std::process::Command;

use serde_json::Value;

use super::Program;
use super::pki::Client as Certificate;

/// The section of the guide.
fn section() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/token-server.md");
    let guide = std::fs::read_to_string(path).unwrap();
    let (_, rest) = guide.split_once("## Management on an address of its own\n").unwrap();
    rest.split_once("\n## ").unwrap().0.to_owned()
}

/// What follows a line up to the end of its block.
fn block<'s>(section: &'s str, first: &str) -> &'s str {
    let (_, rest) = section.split_once(first).unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn the_commands_of_the_guide_work() {
    let section = section();
    let certificates = block(&section, "  clientCertificates:\n")
        .replace("/etc/scopegate/operators.crt", "ca.pem")
        .replace("/etc/scopegate/operators.crl", "crl.pem");
    let program = Program::with("{}", &format!("  clientCertificates:\n{certificates}"));
    let alice = program.operators.client(&Certificate::named("alice@example.com"));
    for (file, text) in
        [("alice.crt", &alice), ("alice.key", &alice), ("servers", &program.servers.pem)]
    {
        std::fs::write(program.path(file), text).unwrap();
    }
    let commands: Vec<_> = section.lines().filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    for command in commands {
        let line = command.replace("https://manage.example.com:5443", &program.management(""));
        let output = Command::new("sh")
            .args(["-c", &line])
            .current_dir(&program.folder)
            .env("SECRET", program.secret())
            .env("CURL_CA_BUNDLE", program.path("servers"))
            .output()
            .unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{command}: {error} in {output:?}"));
        assert!(answer["value"].is_array(), "{command}: {answer}");
    }
}

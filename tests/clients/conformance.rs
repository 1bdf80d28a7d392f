//! The conformance suite of the OCI distribution specification, before the gateway and behind it: a
//! client with every right must not be able to tell that there is one, with an index or without.
//!
//! The registry itself is older than the specification and fails some of it. What it passes, it
//! passes through the gateway; and a reference that cannot exist, at which the registry itself
//! fails, the gateway answers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::software::gateway::Gateway;
use crate::software::process::attempt;
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings, is_installed, seed};

/// How the tests of each name ended, in the order of the words.
type Results = BTreeMap<String, Vec<String>>;

/// Everything that a scope map can give.
const FULL: &[&str] =
    &["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"];

#[test]
fn the_gateway_passes_what_the_registry_passes() {
    let Some(suite) = suite() else {
        println!("conformance: skipped, because there is no go to build the suite with");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let direct = {
        let registry = Registry::open();
        results(&suite, &registry.host(), None, &folder.path().join("direct"))
    };
    let data = folder.path().join("index");
    for more in [String::new(), format!("index: {{data: {}}}\n", data.display())] {
        // The suite asks for a token with each request, and faster than one client may.
        let config = Some("limits: {perAddress: {rate: 0, burst: 1}}\n".to_owned());
        let settings = Settings { config, ..Settings::default() };
        let (server, passwords) = Server::with(settings, &seed(&[("conformance/*", FULL)]));
        let registry = Registry::open();
        let gateway = Gateway::before(registry.port(), &server, &more);
        let login = Some(("MyToken", passwords[0].as_str()));
        let through = results(&suite, &gateway.host(), login, &folder.path().join("through"));
        compare(&direct, &through);
    }
}

#[track_caller]
fn compare(direct: &Results, through: &Results) {
    let all = |results: &Results| results.values().map(Vec::len).sum::<usize>();
    let passes =
        |statuses: &Vec<String>| statuses.iter().filter(|status| *status == "passed").count();
    let [at_the_registry, passed] =
        [direct, through].map(|all| all.values().map(passes).sum::<usize>());
    println!(
        "conformance: of {} tests {at_the_registry} pass at the registry, {passed} through the gateway",
        all(through)
    );
    for (name, statuses) in direct {
        let left = through.get(name).map_or(0, passes);
        assert!(left >= passes(statuses), "{name}: {statuses:?} -> {:?}", through.get(name));
    }
    assert_eq!(all(direct), all(through));
    assert!(passed > 500, "{passed}");
}

/// How each test of the suite ended, by its name.
fn results(suite: &Path, registry: &str, login: Option<(&str, &str)>, folder: &Path) -> Results {
    let (user, password) = login.unwrap_or_default();
    // It fails where the registry does, and says so in its report.
    let _ = attempt(
        Command::new(suite)
            .env("OCI_REGISTRY", registry)
            .env("OCI_TLS", "disabled")
            .env("OCI_USERNAME", user)
            .env("OCI_PASSWORD", password)
            // A token for two repositories is asked for where two are needed, and not the one for
            // the first taken again.
            .env("OCI_CACHE_AUTH", "false")
            .env("OCI_RESULTS_DIR", folder)
            .current_dir(suite.parent().unwrap()),
    );
    let report = std::fs::read_to_string(folder.join("junit.xml")).unwrap();
    let attribute = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!(" {name}=\""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    let mut results = Results::new();
    for line in report.lines().filter(|line| line.contains("<testcase ")) {
        let name = |part| attribute(line, part).unwrap();
        let named = format!("{}/{}", name("classname"), name("name"));
        results.entry(named).or_default().push(name("status"));
    }
    results.values_mut().for_each(|statuses| statuses.sort());
    results
}

/// The suite, which the set-up builds where there is a Go.
#[track_caller]
fn suite() -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/clients/go/conformance");
    if !is_installed("go") {
        return None;
    }
    assert!(program.is_file(), "no {}: run `cargo xtask setup`", program.display());
    Some(program)
}

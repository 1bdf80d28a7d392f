//! The package for JavaScript, as a user has it who installs its tarball.
//!
//! The page itself is tested in a browser: `web/tests`.

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

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Packed, installed into an empty folder without a network, and imported: the program is the
/// folder's only file of ours.
#[test]
fn a_newcomer_installs_the_package_and_calls_it() {
    let folder = tempfile::tempdir().unwrap();
    let packed = npm(&package(), &["pack", "--json", "--pack-destination"], folder.path());
    let packed: Value = serde_json::from_slice(&packed.stdout).unwrap();
    let tarball = folder.path().join(packed[0]["filename"].as_str().unwrap());
    npm(folder.path(), &["install", "--offline", "--no-audit", "--no-fund"], &tarball);
    fs::write(folder.path().join("newcomer.mjs"), include_str!("newcomer.mjs")).unwrap();
    let said = succeed(Command::new("node").arg("newcomer.mjs").current_dir(folder.path()));
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(
        said[0]["text"],
        "can't push to `samples/nginx`: no rule covers it; closest rule: `samples/hello-world`\n"
    );
    assert_eq!(
        said[0]["edits"][0]["command"],
        "az acr scope-map update --name MyScopeMap --registry myregistry --add-repository samples/nginx content/write"
    );
}

/// What is in the package and what it says of itself.
#[test]
fn the_package_is_whole() {
    let description: Value =
        serde_json::from_slice(&fs::read(package().join("package.json")).unwrap()).unwrap();
    assert_eq!(description["version"], env!("CARGO_PKG_VERSION"));
    let exports = &description["exports"];
    let node = &exports["."]["node"];
    for file in [
        &node["types"],
        &node["default"],
        &exports["."]["types"],
        &exports["."]["default"],
        &exports["./scopegate.wasm"],
    ] {
        let file = package().join(file.as_str().unwrap());
        assert!(file.is_file(), "there is no {}", file.display());
    }
}

/// No path of the machine that built it is in the module.
#[test]
fn the_module_is_of_no_machine() {
    let module = fs::read(package().join("scopegate_bg.wasm")).unwrap();
    let text = String::from_utf8_lossy(&module);
    for place in [env!("CARGO_MANIFEST_DIR"), "/.cargo/", "/.rustup/"] {
        assert!(!text.contains(place), "{place} is in it");
    }
}

fn package() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bindgen/package");
    assert!(package.is_dir(), "no {}: run `cargo xtask bindgen`", package.display());
    package
}

/// Runs npm with a cache of its own, in which nothing is.
#[track_caller]
fn npm(folder: &Path, arguments: &[&str], last: &Path) -> Output {
    let cache = tempfile::tempdir().unwrap();
    let mut command = Command::new("npm");
    command.args(arguments).arg(last).current_dir(folder);
    succeed(command.env("npm_config_cache", cache.path()).env("npm_config_loglevel", "error"))
}

#[track_caller]
fn succeed(command: &mut Command) -> Output {
    let output = command.output().expect("node and npm are not installed: run `cargo xtask setup`");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

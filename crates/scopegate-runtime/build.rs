//! Finds the engine's WebAssembly module, which `cargo xtask wasm` builds, so that it can be embedded.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=SCOPEGATE_ENGINE");
    let engine = env::var_os("SCOPEGATE_ENGINE").map_or_else(default_path, PathBuf::from);
    println!("cargo::rerun-if-changed={}", engine.display());
    if !engine.is_file() {
        println!(
            "cargo::error=no engine at {}: run `cargo xtask wasm` first, or name one in SCOPEGATE_ENGINE",
            engine.display()
        );
        return;
    }
    println!("cargo::rustc-env=SCOPEGATE_ENGINE_PATH={}", engine.display());
}

/// Where `cargo xtask wasm` leaves the module.
fn default_path() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    Path::new(&manifest).join("../../target/engine/scopegate.wasm")
}

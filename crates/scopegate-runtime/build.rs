//! Finds the engine's WebAssembly module, which `cargo xtask wasm` builds, so that it can be
//! embedded, and digests it once and for all.

#![expect(
    clippy::disallowed_methods,
    reason = "the environment is how cargo configures a build script"
)]

use std::path::{Path, PathBuf};
use std::{env, fs};

use sha2::{Digest as _, Sha256};

fn main() {
    println!("cargo::rerun-if-env-changed=SCOPEGATE_ENGINE");
    let engine = env::var_os("SCOPEGATE_ENGINE").map_or_else(default_path, PathBuf::from);
    println!("cargo::rerun-if-changed={}", engine.display());
    let Ok(module) = fs::read(&engine) else {
        println!(
            "cargo::error=no engine at {}: run `cargo xtask prepare` first, or name one in SCOPEGATE_ENGINE",
            engine.display()
        );
        return;
    };
    let digest =
        Sha256::digest(module).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    println!("cargo::rustc-env=SCOPEGATE_ENGINE_PATH={}", engine.display());
    println!("cargo::rustc-env=SCOPEGATE_ENGINE_SHA256={digest}");
}

/// Where `cargo xtask wasm` leaves the module.
fn default_path() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    Path::new(&manifest).join("../../target/engine/scopegate.wasm")
}

//! Makes sure that the playground is there to be embedded, which `cargo xtask prepare` builds.

#![expect(
    clippy::disallowed_methods,
    reason = "the environment is how cargo configures a build script"
)]

use std::env;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_PLAYGROUND").is_none() {
        return;
    }
    let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let page = Path::new(&manifest).join("../../target/web");
    // Files come and go with their digests, so the folder is looked at whole.
    println!("cargo::rerun-if-changed={}", page.display());
    if !page.join("index.html").is_file() {
        println!(
            "cargo::error=no playground at {}: run `cargo xtask prepare` first, or build without it: --no-default-features",
            page.display()
        );
    }
}

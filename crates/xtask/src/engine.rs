//! Builds the engine's WebAssembly module, reproducibly.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use xshell::{Cmd, Shell, cmd};

use crate::paths;
use crate::setup::{self, TARGET, Toolchain};

/// The path of the module.
pub(crate) fn path() -> PathBuf {
    paths::root().join("target/engine/scopegate.wasm")
}

/// Builds the module and copies it to the path that the hosts load.
pub(crate) fn build(shell: &Shell) -> anyhow::Result<PathBuf> {
    let target_dir = paths::root().join("target");
    build_as(shell, &["--no-default-features"], INLINING, &target_dir, path())
}

/// Builds the module with keys and revocations, for the Worker. What takes nanoseconds of a request
/// there does not matter: it is built for its size, and so smaller than the one above.
pub(crate) fn build_for_worker(shell: &Shell) -> anyhow::Result<PathBuf> {
    let target_dir = paths::root().join("target/engine/worker");
    let small = ["--config", r#"profile.wasm.opt-level="s""#];
    build_as(shell, &small, "", &target_dir, paths::root().join("target/engine/worker.wasm"))
}

/// The paths of this machine are removed from the texts of panics, so that the digest depends only
/// on the sources and the compiler.
fn build_as(
    shell: &Shell,
    options: &[&str],
    flags: &str,
    target_dir: &Path,
    kept: PathBuf,
) -> anyhow::Result<PathBuf> {
    let command = cmd!(
        shell,
        "cargo build --quiet --locked --package scopegate-wasm --profile wasm --target {TARGET} --target-dir {target_dir} {options...}"
    )
    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", format!("{} {flags}", remap_flags()?));
    with_toolchain(command, setup::wasm_target(shell)?).quiet().run()?;
    let built = target_dir.join(TARGET).join("wasm/scopegate_wasm.wasm");
    keep(shell, &built, &kept)?;
    Ok(kept)
}

/// Builds the core for a target without std, to prove that it needs none.
pub(crate) fn prove_no_std(shell: &Shell) -> anyhow::Result<()> {
    let command =
        cmd!(shell, "cargo build --locked --package scopegate-core --target wasm32v1-none");
    with_toolchain(command, setup::wasm_target(shell)?).run()?;
    Ok(())
}

fn with_toolchain(command: Cmd<'_>, toolchain: Toolchain) -> Cmd<'_> {
    match toolchain {
        Toolchain::Rustup => command,
        // Debian packages the library as sources, and building those needs this switch on stable.
        Toolchain::Debian => command
            .args(["-Z", "build-std=core,alloc"])
            .env("RUSTC", "/usr/bin/rustc")
            .env("RUSTC_BOOTSTRAP", "1"),
    }
}

/// How large a function may be that is inlined. At 100 in place of 225 the module is 137.3 KB and
/// not 143.9, and a decision in V8 takes as long (101.6 ns both), an admission one percent longer;
/// at 60 it is 135.7 KB, and a decision takes seven percent longer.
const INLINING: &str = "-Cllvm-args=-inline-threshold=100";

/// Flags that take the paths of this machine out of what is compiled.
pub(crate) fn remap_flags() -> anyhow::Result<String> {
    let cargo_home = std::env::var("CARGO_HOME")
        .or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")))
        .context("neither CARGO_HOME nor HOME is set")?;
    let root = paths::root();
    Ok(format!(
        "--remap-path-prefix={}=/scopegate --remap-path-prefix={cargo_home}=/cargo",
        root.display()
    ))
}

/// Copies the module unless it is unchanged, so that crates that embed it are not rebuilt.
fn keep(shell: &Shell, built: &Path, kept: &Path) -> anyhow::Result<()> {
    let wasm = shell.read_binary_file(built)?;
    ensure!(wasm.starts_with(b"\0asm"), "{} is no module", built.display());
    if shell.read_binary_file(kept).ok().as_ref() != Some(&wasm) {
        shell.write_file(kept, &wasm)?;
    }
    println!("engine: {} bytes at {}", wasm.len(), kept.display());
    Ok(())
}

//! Builds the package `scopegate` for JavaScript: the engine with wasm-bindgen, small enough for a
//! page.
//!
//! Three tools make the module smaller, one after the other: a std that is built for size and
//! aborts where it would panic, wasm-bindgen, and wasm-opt. The first needs two unstable switches
//! of the compiler. Without the sources of std the package is larger and otherwise the same.
//!
//! The result is a folder for `npm pack`. Its hand-written files are in
//! `crates/scopegate-bindgen/package`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use wasm_bindgen_cli_support::Bindgen;
use xshell::{Cmd, Shell, cmd};

use crate::setup::{TARGET, Toolchain};
use crate::stamp::Stamp;
use crate::{engine, node, paths, setup};

/// Builds std together with the crate, each for size.
const BUILD_STD: [&str; 4] =
    ["-Z", "build-std=std,panic_abort", "-Z", "build-std-features=optimize_for_size"];
/// Leaves the texts of panics and their formatting out of the module. With the std for size that is
/// 170 KB instead of 206, after brotli 67 instead of 79.
const WITHOUT_PANICS: &str =
    "-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none";

/// The folder of the package.
pub(crate) fn path() -> PathBuf {
    paths::root().join("target/bindgen/package")
}

/// Builds the package, unless it is current.
pub(crate) fn build(shell: &Shell) -> anyhow::Result<PathBuf> {
    setup::page(shell)?;
    let (compiled, package) = (compile(shell)?, path());
    let written = paths::root().join("crates/scopegate-bindgen/package");
    let inputs = [
        compiled.clone(),
        written.clone(),
        paths::web().join("package-lock.json"),
        paths::root().join("crates/xtask/src/bindgen.rs"),
    ];
    let stamp = Stamp::new(shell, package.with_extension("stamp"), &inputs)?;
    if stamp.is_current(shell) {
        return Ok(package);
    }
    stamp.clear(shell)?;
    shell.remove_path(&package)?;
    generate(&compiled, &package)?;
    let module = package.join("scopegate_bg.wasm");
    optimise(shell, &module)?;
    for file in shell.read_dir(written)? {
        shell.copy_file(file, &package)?;
    }
    stamp.write(shell)?;
    println!("bindgen: {} bytes at {}", shell.read_binary_file(&module)?.len(), module.display());
    Ok(package)
}

/// Compiles the crate, unless Cargo finds it unchanged.
fn compile(shell: &Shell) -> anyhow::Result<PathBuf> {
    let target_dir = paths::root().join("target/bindgen/build");
    let command = cmd!(
        shell,
        "cargo build --quiet --locked --package scopegate-bindgen --profile wasm --target {TARGET} --target-dir {target_dir}"
    );
    for_size(shell, command)?.quiet().run()?;
    Ok(target_dir.join(TARGET).join("wasm/scopegate_bindgen.wasm"))
}

/// A build with the smallest possible module, as input of wasm-opt.
pub(crate) fn for_size<'a>(shell: &Shell, command: Cmd<'a>) -> anyhow::Result<Cmd<'a>> {
    let command = command
        .env("CARGO_PROFILE_WASM_OPT_LEVEL", "z")
        // wasm-opt reads the enabled features from a section of the module.
        .env("CARGO_PROFILE_WASM_STRIP", "debuginfo");
    with_std(shell, command)
}

fn with_std<'a>(shell: &Shell, command: Cmd<'a>) -> anyhow::Result<Cmd<'a>> {
    const FLAGS: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";
    let remapped = engine::remap_flags()?;
    let toolchain = setup::wasm_target(shell)?;
    if toolchain == Toolchain::Rustup && !setup::std_sources(shell) {
        println!(
            "bindgen: the module is a fifth larger without the sources of std; `rustup component add rust-src` brings them"
        );
        return Ok(command.env(FLAGS, remapped));
    }
    let command = match toolchain {
        Toolchain::Rustup => command,
        Toolchain::Debian => command.env("RUSTC", "/usr/bin/rustc"),
    };
    let flags = format!("{remapped} {WITHOUT_PANICS}");
    Ok(command.args(BUILD_STD).env("RUSTC_BOOTSTRAP", "1").env(FLAGS, flags))
}

fn generate(compiled: &Path, package: &Path) -> anyhow::Result<()> {
    Bindgen::new()
        .input_path(compiled)
        .out_name("scopegate")
        .web(true)?
        // The page embeds the module, so no URL may make bundlers include the file.
        .omit_default_module_path(true)
        .typescript(true)
        .keep_debug(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(package)
        .context("wasm-bindgen")
}

fn optimise(shell: &Shell, module: &Path) -> anyhow::Result<()> {
    let (node, tool) = (node::program(shell)?, paths::web_tool("binaryen/bin/wasm-opt"));
    cmd!(shell, "{node} {tool} -Oz --converge {module} --output {module}")
        .quiet()
        .run()
        .context("wasm-opt")
}

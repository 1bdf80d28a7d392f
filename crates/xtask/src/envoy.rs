//! The Envoy filter, `hosts/envoy-filter`: one WebAssembly module, built into `target/envoy-filter`.

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::{Value, json};
use xshell::{Shell, cmd};

use crate::setup::TARGET;
use crate::{bindgen, engine, node, web};

/// What Envoy needs. The library exports all that proxy-wasm knows, and Envoy would call what is there of it for every request and every piece
/// of a body; the module is 7 KB smaller without.
const EXPORTS: [&str; 10] = [
    "memory",
    "malloc",
    "_initialize",
    "proxy_abi_version_0_2_1",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_http_call_response",
    "proxy_on_request_headers",
    "proxy_on_tick",
];

/// What every request passes is not built as small as it gets, which takes 300 bytes and saves a tenth of the module's time.
const FOR_SPEED: [&str; 4] = [
    "--config",
    r#"profile.wasm.package.scopegate-core.opt-level="s""#,
    "--config",
    "profile.wasm.package.talc.opt-level=3",
];

/// Builds the filter, as small as the package for JavaScript is made and by the same means.
pub(crate) fn build(shell: &Shell) -> anyhow::Result<PathBuf> {
    web::install(shell)?;
    let target_dir = engine::root().join("target/envoy-filter/build");
    let command = cmd!(
        shell,
        "cargo build --quiet --locked --package scopegate-envoy-filter --profile wasm --target {TARGET} --target-dir {target_dir}"
    );
    bindgen::for_size(shell, command)?.args(FOR_SPEED).quiet().run()?;
    let built = target_dir.join(TARGET).join("wasm/scopegate_envoy_filter.wasm");
    let module = engine::root().join("target/envoy-filter/scopegate.wasm");
    let (node, folder) = (node::program(shell)?, target_dir);
    let (graph, pruned) = (folder.join("exports.json"), folder.join("pruned.wasm"));
    shell.write_file(&graph, exports())?;
    let tool = web::tool("binaryen/bin/wasm-metadce");
    cmd!(shell, "{node} {tool} {built} --graph-file {graph} --output {pruned}")
        .quiet()
        .ignore_stdout()
        .run()
        .context("wasm-metadce")?;
    let tool = web::tool("binaryen/bin/wasm-opt");
    cmd!(
        shell,
        "{node} {tool} -Oz --const-hoisting --strip-producers --strip-target-features {pruned} --output {module}"
    )
    .quiet()
    .run()
    .context("wasm-opt")?;
    println!("envoy: {} bytes at {}", shell.read_binary_file(&module)?.len(), module.display());
    Ok(module)
}

/// What is to be reached from outside, as wasm-metadce reads it.
fn exports() -> String {
    let nodes = EXPORTS.map(|name| json!({ "name": name, "export": name }));
    let root = json!({ "name": "Envoy", "root": true, "reaches": EXPORTS });
    Value::from([vec![root], nodes.to_vec()].concat()).to_string()
}

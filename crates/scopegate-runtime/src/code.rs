//! The engine's code: the embedded module, its digest, and machine code compiled before.

use std::path::Path;
use std::{fs, io, process};

use wasmtime::{Config, Engine, Module};

use crate::error::Error;
use crate::seal::Seal;

/// The engine's WebAssembly module, as `cargo xtask wasm` built it.
pub const ENGINE_WASM: &[u8] = include_bytes!(env!("SCOPEGATE_ENGINE_PATH"));

/// The SHA-256 of [`ENGINE_WASM`], in hexadecimal. Every host prints it at start, so that "the same
/// engine everywhere" can be checked.
///
/// It was worked out when this was built: at each start it took a fifth of the time to the first
/// decision.
pub const ENGINE_SHA256: &str = env!("SCOPEGATE_ENGINE_SHA256");

/// A compiler and runtime for trusted core modules: nothing that this engine does not use.
pub(crate) fn engine() -> Result<Engine, Error> {
    let mut config = Config::new();
    // Every trap is a defect of ours, found by its input; a backtrace would only cost each
    // instance.
    config.wasm_backtrace_max_frames(None);
    Engine::new(&config).map_err(Error::Module)
}

/// Compiles a module.
pub(crate) fn compile(engine: &Engine, wasm: &[u8]) -> Result<Module, Error> {
    Module::new(engine, wasm).map_err(Error::Module)
}

/// Loads machine code of the embedded engine that an earlier start compiled and left in `folder`,
/// or compiles it and leaves it there.
///
/// The file is named after the module's digest, so that another module never meets old code; code
/// of another wasmtime or for another processor is refused by wasmtime itself; and code that this
/// host did not seal is never run. A folder that cannot be written, or that others may write, only
/// costs the next start a compilation.
pub(crate) fn cached(engine: &Engine, folder: &Path) -> Result<Module, Error> {
    let Some(seal) = Seal::open(folder) else {
        return compile(engine, ENGINE_WASM);
    };
    let path = folder.join(format!("engine-{ENGINE_SHA256}.cwasm"));
    if let Some(module) = load(engine, &seal, &path) {
        return Ok(module);
    }
    let module = compile(engine, ENGINE_WASM)?;
    if let Ok(code) = module.serialize() {
        // The code is a cache and nothing else: without it everything works.
        let _ = store(&path, &seal.seal(&code));
    }
    Ok(module)
}

#[expect(unsafe_code, reason = "wasmtime cannot check machine code, only where it came from")]
fn load(engine: &Engine, seal: &Seal, path: &Path) -> Option<Module> {
    let sealed = fs::read(path).ok()?;
    let code = seal.open_sealed(&sealed)?;
    // SAFETY: these very bytes, which cannot be changed any more, were sealed by this host with a
    // key that it alone can read. An attacker who has that key has changed the host already.
    unsafe { Module::deserialize(engine, code) }.ok()
}

/// Writes the file whole or not at all: a crash leaves no half of it.
fn store(path: &Path, code: &[u8]) -> io::Result<()> {
    let partial = path.with_extension(format!("{}.partial", process::id()));
    fs::write(&partial, code)?;
    fs::rename(&partial, path)
}

//! Developer commands: `cargo xtask <command>`.

mod engine;

use anyhow::bail;
use xshell::Shell;

const USAGE: &str = "\
usage: cargo xtask <command>

  wasm    build the engine's WebAssembly module
";

fn main() -> anyhow::Result<()> {
    let shell = Shell::new()?;
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("wasm") => engine::build(&shell).map(drop),
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            Ok(())
        }
        Some(other) => bail!("no such command: {other}\n\n{USAGE}"),
        None => bail!("no command\n\n{USAGE}"),
    }
}

//! Developer commands: `cargo xtask <command>`.

#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "developer commands read the environment, and end where something is amiss"
)]

mod bench;
mod bindgen;
mod check;
mod clients;
mod deny;
mod engine;
mod envoy;
mod fuzz;
mod guard;
mod imports;
mod node;
mod paths;
mod quickstart;
mod run;
mod setup;
mod shape;
mod sources;
mod stamp;
mod test;
#[cfg(test)]
mod tidy;
mod web;
#[cfg(test)]
mod words;
mod worker;

use std::process::ExitCode;

use anyhow::bail;
use xshell::Shell;

use crate::run::Topology;

const USAGE: &str = "\
usage: cargo xtask <command>

  run [--direct]          start a token server, the gateway and a registry, all of it at https://localhost:5000, and
                          print the commands to try; with the option without the gateway, each at its own address
  run --people            the same with an identity provider, at which every name signs in with any password: `az login`
  run --folder <folder>   the same in another folder than target/run
  test                    set up what the tests need, then run them all
  quickstart              type docs/quickstart.md, as a newcomer does
  check                   formatting, lints and documentation, warnings denied, and then deny
  deny                    licences, bans and sources of all crates, and advisories where their database can be had
  prepare                 build what `cargo build --workspace` embeds: the engine's module and the playground
  wasm                    build the engine's WebAssembly module
  bindgen                 build the engine's package for JavaScript
  web <task>              the playground: dev serves it while it is edited, build, check, test, bench
  worker                  build the Cloudflare Worker into target/worker
  envoy                   build the filter for Envoy into target/envoy-filter
  fuzz <target|all> [s]   fuzz one target, or all of them, for a number of seconds (60)
  bench [--quick]         measure beside the peers, and write the report; a quick one goes into target/bench
  bench servers [filter]  measure token server and proxies, or one group of that, and put them into the report
  bench data-plane        kill gateways, fill and measure large indexes, for half an hour
  bench verify            measure again, and compare with the report
  bench worst             search for a slower decision than the one in benches/worst.txt, for a minute
  bench <filter>          the benches whose names match: decide, token, edge
  guard [--bless]         instructions of the hot path and bytes of the modules, beside the baseline in benches/guard.json
  shape [folder]          files, longest functions, circles of imports and copies of rules, of this tree or another
  setup                   install what the tests need, and nothing else
";

fn main() -> ExitCode {
    match run_command() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_command() -> anyhow::Result<()> {
    let shell = Shell::new()?;
    shell.change_dir(paths::root());
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["run"] => run::run(&shell, Topology::Gateway, "target/run"),
        ["run", "--people"] => run::run(&shell, Topology::People, "target/run"),
        ["run", "--direct"] => run::run(&shell, Topology::Direct, "target/run"),
        ["run", "--folder", folder] => run::run(&shell, Topology::Gateway, folder),
        ["quickstart"] => quickstart::type_it(&shell),
        ["test"] => test::test(&shell),
        ["check"] => check::check(&shell),
        ["deny"] => deny::deny(&shell),
        ["prepare"] => prepare(&shell),
        ["wasm"] => engine::build(&shell).map(drop),
        ["bindgen"] => bindgen::build(&shell).map(drop),
        ["web", task] => web::web(&shell, task),
        ["worker"] => worker::build(&shell),
        ["envoy"] => envoy::build(&shell).map(drop),
        ["fuzz", target] => fuzz::fuzz(&shell, target, 60),
        ["fuzz", target, seconds] => fuzz::fuzz(&shell, target, seconds.parse()?),
        ["bench", arguments @ ..] => bench::bench(&shell, arguments),
        ["guard"] => guard::guard(&shell, false),
        ["guard", "--bless"] => guard::guard(&shell, true),
        ["shape"] => shape::print(None),
        ["shape", folder] => shape::print(Some(folder)),
        ["setup"] => clients::install(&shell),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        _ => bail!("no such command\n\n{USAGE}"),
    }
}

/// Builds what the hosts embed, and installs what their libraries are built with.
fn prepare(shell: &Shell) -> anyhow::Result<()> {
    setup::gateway(shell)?;
    setup::page(shell)?;
    engine::build(shell)?;
    web::build(shell)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    /// The documents, by their paths in the project.
    fn documents() -> Vec<PathBuf> {
        let root = paths::root();
        let pages = std::fs::read_dir(root.join("docs")).unwrap();
        let pages = pages.map(|page| page.unwrap().path());
        let pages = pages.filter(|page| page.extension().is_some_and(|form| form == "md"));
        let others = [
            "README.md",
            "CHANGELOG.md",
            "CONTRIBUTING.md",
            "SECURITY.md",
            "tests/cases/README.md",
        ];
        others.iter().map(|name| root.join(name)).chain(pages).collect()
    }

    /// Every command in the documents is in the usage.
    #[test]
    fn documented_commands_exist() {
        for document in documents() {
            let text = std::fs::read_to_string(&document).unwrap();
            for rest in text.split("cargo xtask ").skip(1) {
                let name: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
                let known = USAGE.lines().any(|line| line.split_whitespace().next() == Some(&name));
                assert!(known, "{}: there is no `cargo xtask {name}`", document.display());
            }
        }
    }

    /// Every link between the documents, and from them into the project, leads to a file, and to a
    /// heading where it names one.
    #[test]
    fn links_lead_somewhere() {
        let mut count = 0;
        for document in documents() {
            let text = std::fs::read_to_string(&document).unwrap();
            let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
            for link in links.filter(|link| !link.contains("://")) {
                let (path, heading) = link.split_once('#').unwrap_or((link, ""));
                let target = match path {
                    "" => document.clone(),
                    path => document.parent().unwrap().join(path),
                };
                assert!(target.exists(), "{}: {link} leads nowhere", document.display());
                assert!(has_heading(&target, heading), "{}: no {link}", document.display());
                count += 1;
            }
        }
        assert!(count > 100, "{count}");
    }

    fn has_heading(document: &Path, wanted: &str) -> bool {
        let is_kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-');
        let slug = |line: &str| {
            let text = line.trim_start_matches('#').trim().to_lowercase();
            text.chars().filter(is_kept).collect::<String>().replace(' ', "-")
        };
        wanted.is_empty()
            || std::fs::read_to_string(document).is_ok_and(|text| {
                text.lines().any(|line| line.starts_with('#') && slug(line) == wanted)
            })
    }

    /// The readme fits on one screen.
    #[test]
    fn the_readme_is_short() {
        let text = std::fs::read_to_string(paths::root().join("README.md")).unwrap();
        let words = text.split_whitespace().count();
        assert!(words <= 900, "{words}");
    }

    /// Every test that the threat model names exists in the named file.
    #[test]
    fn tests_of_the_threat_model_exist() {
        let docs = paths::root().join("docs");
        let text = std::fs::read_to_string(docs.join("threat-model.md")).unwrap();
        let mut count = 0;
        for link in text.split("[`").skip(1) {
            let (name, rest) = link.split_once("`](").unwrap();
            let (path, _) = rest.split_once(')').unwrap();
            let file = std::fs::read_to_string(docs.join(path))
                .unwrap_or_else(|error| panic!("{path}: {error}"));
            let is_there = [format!("fn {name}("), format!("test(\"{name}\"")]
                .iter()
                .any(|start| file.contains(start));
            assert!(is_there, "{path}: there is no test `{name}`");
            count += 1;
        }
        assert!(count > 30, "{count}");
        let faults: Vec<u32> = (1..=19).filter(|fault| *fault != 5).collect();
        let (_, table) = text.split_once("## Faults that were found").unwrap();
        for fault in faults {
            let is_there = [format!("| {fault} |"), format!("| {fault}a |")];
            assert!(is_there.iter().any(|row| table.contains(row)), "fault {fault} has no test");
        }
    }
}

//! The guard against slow-downs and growth: compares instructions of the hot path, and bytes of
//! every WebAssembly module, with a committed baseline.
//!
//! Instructions are counted by callgrind, because times on a shared machine are too noisy. Each
//! step runs N times and 2N times, and the difference is the cost of the steps without their
//! preparation. Bytes are those of the shipped modules.
//!
//! A figure 2 % above the baseline fails. One 2 % below is reported, so that the baseline can
//! follow: `cargo xtask guard --bless` writes it. Decisions must not allocate.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use xshell::{Shell, cmd};

use crate::setup::{self, Toolchain};
use crate::{bindgen, engine, envoy, paths};

/// The tolerated difference, in percent.
const TOLERANCE: u64 = 2;

/// How often long steps run; others run ten times as often.
const TIMES: u64 = 64;

/// The measured figures, or the baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Figures {
    /// Instructions of each step of `hot_path`.
    instructions: BTreeMap<String, u64>,
    /// Bytes of each module.
    bytes: BTreeMap<String, u64>,
}

/// Compares with the baseline, or writes it.
pub(crate) fn guard(shell: &Shell, bless: bool) -> anyhow::Result<()> {
    setup::counter(shell)?;
    let measured = Figures { instructions: steps(shell, &[])?, bytes: bytes(shell)? };
    let baseline = paths::root().join("benches/guard.json");
    if bless {
        return Ok(shell.write_file(baseline, serde_json::to_string_pretty(&measured)? + "\n")?);
    }
    let expected: Figures = serde_json::from_str(&shell.read_file(baseline)?)?;
    let Comparison { worse, better } = compare(&expected, &measured);
    for line in &better {
        println!("guard: {line}; `cargo xtask guard --bless` makes that the baseline");
    }
    if !worse.is_empty() {
        bail!("guard: {}", worse.join("\nguard: "));
    }
    println!(
        "guard: {} steps and {} modules are as they were",
        measured.instructions.len(),
        measured.bytes.len()
    );
    // Checks that the guard detects an artificial slow-down.
    let slowed = Figures { instructions: steps(shell, &["--slowed"])?, ..Default::default() };
    let seen = compare(&expected, &slowed).worse.len();
    ensure!(
        seen == slowed.instructions.len(),
        "guard: a slow-down of 5 % was seen in {seen} steps alone"
    );
    Ok(())
}

/// The instructions of each step.
fn steps(shell: &Shell, how: &[&str]) -> anyhow::Result<BTreeMap<String, u64>> {
    let build = ["build", "--quiet", "--locked", "--release", "--package", "scopegate-benches"];
    cmd!(shell, "cargo {build...} --bin hot_path").quiet().run()?;
    let program = program();
    let steps = cmd!(shell, "{program}").quiet().read()?;
    let each = |step: &str| Ok((step.to_owned(), instructions(shell, step, how)?));
    steps.lines().map(each).collect()
}

fn program() -> PathBuf {
    paths::root().join("target/release/hot_path")
}

/// The instructions of one run of a step.
fn instructions(shell: &Shell, step: &str, how: &[&str]) -> anyhow::Result<u64> {
    let is_short =
        ["decide", "route", "verify", "admit"].iter().any(|short| step.starts_with(short));
    let times = if is_short { TIMES * 10 } else { TIMES };
    let (once, twice) = (count(shell, step, times, how)?, count(shell, step, times * 2, how)?);
    Ok(twice.saturating_sub(once) / times)
}

fn count(shell: &Shell, step: &str, times: u64, how: &[&str]) -> anyhow::Result<u64> {
    let (program, times) = (program(), times.to_string());
    let output = paths::root().join("target/callgrind.out");
    let allocations = cmd!(
        shell,
        "valgrind --quiet --tool=callgrind --callgrind-out-file={output} {program} {step} {times} {how...}"
    )
    .env_clear()
    .env("PATH", std::env::var_os("PATH").unwrap_or_default())
    .quiet()
    .read()?;
    let allocates = !step.starts_with("decide") && !step.starts_with("verify");
    ensure!(allocates || allocations == "0", "guard: {step} allocates");
    let text = shell.read_file(&output)?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("summary:").or(line.strip_prefix("totals:")));
    line.and_then(|line| line.trim().parse().ok())
        .with_context(|| format!("{} has no sum", output.display()))
}

/// The sizes of the built modules. Another compiler's sizes are not comparable.
fn bytes(shell: &Shell) -> anyhow::Result<BTreeMap<String, u64>> {
    if setup::wasm_target(shell)? == Toolchain::Debian {
        println!(
            "guard: the modules were built by another compiler than the pinned one, and are not compared"
        );
        return Ok(BTreeMap::new());
    }
    let modules = [
        ("engine", engine::build(shell)?),
        ("engine for the Worker", engine::build_for_worker(shell)?),
        ("envoy filter", envoy::build(shell)?),
        ("package for JavaScript", bindgen::build(shell)?.join("scopegate_bg.wasm")),
    ];
    let size = |(name, path): (&str, PathBuf)| {
        let length =
            shell.read_binary_file(&path).with_context(|| format!("{name} is not built"))?.len();
        Ok((name.to_owned(), u64::try_from(length)?))
    };
    modules.into_iter().map(size).collect()
}

/// The figures outside of the tolerance.
#[derive(Debug, Default, PartialEq, Eq)]
struct Comparison {
    worse: Vec<String>,
    better: Vec<String>,
}

fn compare(expected: &Figures, measured: &Figures) -> Comparison {
    let mut comparison = Comparison::default();
    for (unit, expected, measured) in [
        ("instructions", &expected.instructions, &measured.instructions),
        ("bytes", &expected.bytes, &measured.bytes),
    ] {
        for (name, now) in measured {
            let Some(before) = expected.get(name) else {
                comparison.worse.push(format!("{name} has no baseline"));
                continue;
            };
            let line = || format!("{name}: {now} {unit} instead of {before}");
            if now * 100 > before * (100 + TOLERANCE) {
                comparison.worse.push(line());
            } else if now * 100 < before * (100 - TOLERANCE) {
                comparison.better.push(line());
            }
        }
    }
    comparison
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(instructions: u64) -> Figures {
        Figures {
            instructions: BTreeMap::from([("decide".to_owned(), instructions)]),
            ..Default::default()
        }
    }

    #[test]
    fn what_differs() {
        for (before, now, worse, better) in [
            (1000, 1000, 0, 0),
            (1000, 1020, 0, 0),
            (1000, 1021, 1, 0),
            (1000, 1050, 1, 0),
            (1000, 980, 0, 0),
            (1000, 979, 0, 1),
        ] {
            let Comparison { worse: w, better: b } = compare(&figures(before), &figures(now));
            assert_eq!((w.len(), b.len()), (worse, better), "{before} {now}");
        }
        assert_eq!(compare(&Figures::default(), &figures(1)).worse, ["decide has no baseline"]);
    }
}

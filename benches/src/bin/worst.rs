//! Searches for slow decisions: `worst SECONDS FILE`. Starts from the stored case, from the longest
//! name, and from a short one, and writes the result when it is slower than the stored case.

use std::process::ExitCode;
use std::time::Duration;

use scopegate_benches::worst::{Case, search, time};

/// How much slower a case must be to replace the stored one.
const WORTH: f64 = 1.05;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [seconds, file] = arguments.as_slice() else { return ExitCode::FAILURE };
    let Ok(seconds) = seconds.parse::<u64>() else { return ExitCode::FAILURE };
    let short = Case { scope: "repository:a/b:pull,push".into(), rules: Vec::new() };
    let kept = time(&Case::kept()).unwrap_or_default();
    println!("kept: {kept:.0} ns");
    let mut worst = (Case::kept(), kept);
    for (seed, from) in [Case::kept(), Case::longest(), short].iter().enumerate() {
        let (found, tried) = search(from, Duration::from_secs(seconds) / 3, seed as u64 + 1);
        let took = time(&found).unwrap_or_default();
        println!("{tried} tried: {took:.0} ns, {} rules, {}", found.rules.len(), found.scope);
        if took > worst.1 {
            worst = (found, took);
        }
    }
    if worst.1 < kept * WORTH {
        println!("nothing is slower than what is kept");
        return ExitCode::SUCCESS;
    }
    match std::fs::write(file, worst.0.to_string()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{file}: {error}");
            ExitCode::FAILURE
        }
    }
}

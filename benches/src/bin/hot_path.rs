//! Runs one step of the hot path a number of times, for a counter of instructions.
//!
//! `hot_path` lists the steps. `hot_path STEP TIMES` runs one, and prints the number of
//! allocations. With `--slowed` every twentieth run is doubled: a slow-down of 5 %, which the guard
//! must detect.

use std::process::ExitCode;

use scopegate_benches::allocations::{Counting, allocations};
use scopegate_benches::hot_path::STEPS;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (name, times, slowed) = match arguments.as_slice() {
        [] => {
            STEPS.iter().for_each(|(name, _)| println!("{name}"));
            return ExitCode::SUCCESS;
        }
        [name, times] => (name, times, false),
        [name, times, "--slowed"] => (name, times, true),
        _ => return ExitCode::FAILURE,
    };
    let step = STEPS.iter().find(|(step, _)| step == name);
    let (Some((_, prepare)), Ok(times)) = (step, times.parse::<usize>()) else {
        return ExitCode::FAILURE;
    };
    let mut step = prepare();
    step(0);
    let before = allocations();
    for count in 0..times {
        step(count);
        if slowed && count % 20 == 0 {
            step(count);
        }
    }
    println!("{}", allocations() - before);
    ExitCode::SUCCESS
}

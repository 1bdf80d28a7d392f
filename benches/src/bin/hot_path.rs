//! One step of the hot path, so many times: what a counter of instructions is put on.
//!
//! `hot_path` lists the steps. `hot_path STEP TIMES` does one, and prints how many allocations that
//! took. With `--slowed` every twentieth time is done twice: a slow-down of five in a hundred,
//! which whoever guards against slow-downs must see.

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
    for turn in 0..times {
        step(turn);
        if slowed && turn % 20 == 0 {
            step(turn);
        }
    }
    println!("{}", allocations() - before);
    ExitCode::SUCCESS
}

//! The command line: what a token may do and why, from scope maps in files.
//!
//! Every command is a function from its arguments to an [`Answer`](report::Answer); only this file
//! and [`report`] deal with the process and its exit code. Decisions are the engine's, linked in: a
//! token server with the same maps answers the same.
//!
//! | module | holds |
//! |---|---|
//! | [`decide`] | the access that a request gets |
//! | [`explain`] | why, and the smallest change that would allow it |
//! | [`lint`] | likely mistakes in a scope map |
//! | [`diff`] | what changes from one map to another |
//! | [`test`](mod@test) | assertions about maps, kept in files |
//! | [`input`] | files and standard input, bounded |
//! | [`maps`] | the scope maps of a principal |
//! | [`request`] | the requested scopes |
//! | [`report`] | answers, errors and exit codes |
//!
//! Exit codes, the same for every command: 0 for yes, 1 for no, 2 for bad input.
//!
//! Left out: registries. Nothing here opens a connection.

#![forbid(unsafe_code)]

mod decide;
mod diff;
mod explain;
mod input;
mod lint;
mod maps;
mod report;
mod request;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a registry token may do, and why: decisions on container-registry scopes.
#[derive(Debug, Parser)]
#[command(name = "scopegate", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Decide which of the requested scopes are granted
    #[command(after_help = decide::HELP)]
    Decide(decide::Args),
    /// Explain a decision: the rules behind it, the near misses and the smallest fix
    #[command(after_help = explain::HELP)]
    Explain(explain::Args),
    /// Find likely mistakes in scope maps
    #[command(after_help = lint::HELP)]
    Lint(lint::Args),
    /// Show on which repositories two scope maps grant different things
    #[command(after_help = diff::HELP)]
    Diff(diff::Args),
    /// Check files of assertions about scope maps
    #[command(after_help = test::HELP)]
    Test(test::Args),
}

fn main() -> ExitCode {
    let answer = match Cli::parse().command {
        Command::Decide(args) => decide::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Lint(args) => lint::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Test(args) => test::run(&args),
    };
    report::print(answer)
}

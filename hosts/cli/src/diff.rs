//! `scopegate diff`: on which repositories two maps grant different things.
//!
//! The comparison is exact: the names of all repositories fall into finitely many classes, and each
//! class on which the maps disagree is one line, with a repository to try it with.

use scopegate_api::analysis::Difference;
use scopegate_core::analysis;

use crate::input::Input;
use crate::maps::NameArgs;
use crate::report::{Answer, BadInput, Output, Status};

pub(crate) const HELP: &str = "\
Example:
  scopegate diff old.json new.json

A line begins with + where the new map grants more, with - where it grants
less, and with ~ where it does both. `a/*` stands for whatever lies below `a`
as far as no rule is more specific, `*` for what no rule mentions otherwise.

Exit code:
  0  the maps grant the same
  1  they do not
  2  bad input";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The scope map before, in JSON or YAML, `-` for standard input
    old: Input,
    /// The scope map after
    new: Input,
    #[command(flatten)]
    names: NameArgs,
    /// In which form the answer is printed
    #[arg(long, value_name = "FORM", value_enum, default_value_t)]
    output: Output,
}

pub(crate) fn run(args: &Args) -> Result<Answer, BadInput> {
    Input::check_stdin([&args.old, &args.new])?;
    let (old, new) = (args.names.read_one(&args.old)?, args.names.read_one(&args.new)?);
    let differences = analysis::difference(&old.table, &new.table);
    let rows: Vec<_> = differences.into_iter().map(Difference::from).collect();
    let status = if rows.is_empty() { Status::Yes } else { Status::No };
    if let Output::Json = args.output {
        return Answer::json(status, &rows);
    }
    let mut answer = Answer::new(status);
    let width = rows.iter().map(|row| row.pattern.len()).max().unwrap_or_default();
    for row in &rows {
        let Difference { pattern, witness, .. } = row;
        let (sign, change) = change(row);
        answer.line(format_args!("{sign} {pattern:<width$}  {change}  (for example `{witness}`)"));
    }
    Ok(answer)
}

/// What changes, and its sign.
fn change(difference: &Difference) -> (char, String) {
    let (gained, lost) = (difference.gained.join(","), difference.lost.join(","));
    match (difference.gained.is_empty(), difference.lost.is_empty()) {
        (_, true) => ('+', format!("gains {gained}")),
        (true, _) => ('-', format!("loses {lost}")),
        _ => ('~', format!("gains {gained}, loses {lost}")),
    }
}

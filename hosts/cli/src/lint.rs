//! `scopegate lint`: what the owner of a map may not have meant.
//!
//! A finding is an error when the map does not do what it says, and a remark otherwise.

use scopegate_api::analysis::Finding;
use scopegate_core::{ScopeMap, analysis};
use serde::Serialize;

use crate::input::Input;
use crate::maps::Map;
use crate::report::{Answer, BadInput, Output, Status};

pub(crate) const HELP: &str = "\
Example:
  scopegate lint --strict maps/*.json

Exit code:
  0  no finding, or remarks only
  1  a finding that is an error; with --strict, any finding
  2  bad input";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Scope maps in JSON or YAML, `-` for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<Input>,
    /// Take remarks for errors
    #[arg(long)]
    strict: bool,
    /// In which form the answer is printed
    #[arg(long, value_name = "FORM", value_enum, default_value_t)]
    output: Output,
}

/// A finding as it is printed.
#[derive(Debug, Serialize)]
struct Row {
    file: String,
    #[serde(flatten)]
    finding: Finding,
    /// The action string of the rule.
    action: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Answer, BadInput> {
    Input::check_stdin(&args.files)?;
    let mut rows = Vec::new();
    for file in &args.files {
        let map = Map::read(file)?.document.scope_map;
        let findings = analysis::lint(&map).map_err(|error| BadInput::from(error).at(file))?;
        rows.extend(findings.iter().map(|finding| Row::new(file, &map, finding.into())));
    }
    let fails = rows.iter().any(|row| row.finding.error || args.strict);
    let status = if fails { Status::No } else { Status::Yes };
    if let Output::Json = args.output {
        return Answer::json(status, &rows);
    }
    let mut answer = Answer::new(status);
    for row in &rows {
        answer.line(row.sentence());
    }
    Ok(answer)
}

impl Row {
    fn new(file: &Input, map: &ScopeMap, finding: Finding) -> Self {
        let rule = finding.rule.and_then(|index| map.rules.get(index));
        Self { file: file.to_string(), action: rule.map(ToString::to_string), finding }
    }

    fn sentence(&self) -> String {
        let Self { file, finding, action } = self;
        let Finding { kind, message, .. } = finding;
        let (Some(rule), Some(action)) = (finding.rule, action) else {
            return format!("{file}: {kind}: {message}");
        };
        let because = finding.because_of.map(|other| format!("; because of actions[{other}]"));
        let because = because.unwrap_or_default();
        format!("{file}: actions[{rule}]: {kind}: {message} (`{action}`{because})")
    }
}

//! `scopegate lint`: likely mistakes in a scope map.
//!
//! A finding is an error when the map does not do what it says, and a remark otherwise.

use scopegate_api::analysis::Finding;
use scopegate_core::analysis;
use serde::Serialize;

use crate::input::Input;
use crate::maps::{Map, NameArgs};
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
    /// Scope maps in JSON or YAML, `-` for standard input; every map of a file is checked
    #[arg(value_name = "FILE", required = true)]
    files: Vec<Input>,
    #[command(flatten)]
    names: NameArgs,
    /// Treat remarks as errors
    #[arg(long)]
    strict: bool,
    /// In which form the answer is printed
    #[arg(long, value_name = "FORM", value_enum, default_value_t)]
    output: Output,
}

/// A printed finding.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    file: String,
    /// The name of the map, where the file has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope_map: Option<String>,
    #[serde(flatten)]
    finding: Finding,
    /// The action string of the rule.
    action: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Answer, BadInput> {
    Input::check_stdin(&args.files)?;
    let mut rows = Vec::new();
    for file in &args.files {
        let maps = args.names.read_each(file)?;
        for map in &maps {
            let findings = analysis::lint(&map.document.scope_map);
            let findings = findings.map_err(|error| BadInput::from(error).at(file))?;
            let name = (maps.len() > 1).then(|| map.name());
            rows.extend(findings.iter().map(|finding| Row::new(file, name, map, finding.into())));
        }
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
    fn new(file: &Input, name: Option<&str>, map: &Map, finding: Finding) -> Self {
        let rule = finding.rule.and_then(|index| map.document.scope_map.rules.get(index));
        Self {
            file: file.to_string(),
            scope_map: name.map(str::to_owned),
            action: rule.map(ToString::to_string),
            finding,
        }
    }

    fn sentence(&self) -> String {
        let Self { file, scope_map, finding, action } = self;
        let Finding { kind, message, .. } = finding;
        let file = match scope_map {
            Some(name) => format!("{file}: {name}"),
            None => file.clone(),
        };
        let (Some(rule), Some(action)) = (finding.rule, action) else {
            return format!("{file}: {kind}: {message}");
        };
        let because = finding.because_of.map(|other| format!("; because of actions[{other}]"));
        let because = because.unwrap_or_default();
        format!("{file}: actions[{rule}]: {kind}: {message} (`{action}`{because})")
    }
}

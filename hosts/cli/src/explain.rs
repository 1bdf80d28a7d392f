//! `scopegate explain`: why a request gets what it gets, and the smallest change that would allow
//! the rest.

use scopegate_api::explanation::FullExplanation;
use scopegate_core::ScopeList;

use crate::maps::PrincipalArgs;
use crate::report::{Answer, BadInput, Output, Status};
use crate::request;

pub(crate) const HELP: &str = "\
Example:
  scopegate explain --scope-map map.json --registry myregistry repository:samples/nginx:push

Several fixes are alternatives, one for each scope map; each of them alone is
enough. Nobody can change a system-defined scope map, such as
_repositories_pull, so its fixes give the token another one.

Exit code:
  0  all is granted
  1  something is denied
  2  bad input, such as a scope without an action";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    principal: PrincipalArgs,
    /// The registry that the fixes are for, when the scope maps do not say
    #[arg(long, value_name = "NAME")]
    registry: Option<String>,
    /// In which form the answer is printed
    #[arg(long, value_name = "FORM", value_enum, default_value_t)]
    output: Output,
    /// What is asked for: `type:name:action,action`, several separated by spaces
    #[arg(value_name = "SCOPE", required = true)]
    scopes: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<Answer, BadInput> {
    let request = ScopeList::parse(args.scopes.iter().map(String::as_str))?;
    let principal = args.principal.read()?;
    let status = request::status(&request, &principal.claims(&request));
    let registry = args.registry.as_deref().or_else(|| principal.registry());
    let explanations = principal.explain(&request, registry);
    let mut answer = match args.output {
        Output::Json => Answer::json(status, &explanations)?,
        Output::Text => in_text(status, &explanations),
    };
    if let Err(problem) = request::check(&request) {
        answer.problem(problem);
    }
    for invalid in &request.invalid {
        answer.problem(request::refused(invalid.text, invalid.error));
    }
    Ok(answer)
}

fn in_text(status: Status, explanations: &[FullExplanation]) -> Answer {
    let mut answer = Answer::new(status);
    for explanation in explanations {
        for sentence in explanation.text.lines() {
            answer.line(sentence);
        }
        for edit in &explanation.edits {
            answer.line(format_args!("fix: {}", edit.command));
        }
        for replacement in &explanation.replacements {
            answer.line(format_args!("fix: {}", replacement.commands.join(" && ")));
        }
    }
    answer
}

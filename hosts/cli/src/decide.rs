//! `scopegate decide`: the access that a request gets.
//!
//! The profile changes no decision. It says what listing tags needs, and a note warns when a
//! repository that can be pulled cannot be listed, because many tools list first.

use std::fmt::Display;

use scopegate_api::decision::DecisionReport;
use scopegate_core::claims::Claims;
use scopegate_core::route::Profile;
use scopegate_core::scope::{InvalidScope, MergedScope};
use scopegate_core::{Action, ResourceType, ScopeList};

use crate::maps::{Principal, PrincipalArgs, named};
use crate::report::{Answer, BadInput, Output, Status, visible};
use crate::request;

pub(crate) const HELP: &str = "\
Example:
  scopegate decide --scope-map map.json repository:samples/nginx:pull,push

Exit code:
  0  all was granted
  1  something was denied
  2  bad input, such as a scope without an action";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    principal: PrincipalArgs,
    /// The registry whose rules on listing tags the notes follow; decisions are the same
    #[arg(long, value_name = "NAME", default_value = Profile::Acr.as_str())]
    #[arg(value_parser = named(Profile::ALL.map(Profile::as_str), Profile::parse))]
    profile: Profile,
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
    let claims = principal.claims(&request);
    let status = request::status(&request, &claims);
    let mut answer = match args.output {
        Output::Json => Answer::json(status, &DecisionReport::new(&request, &claims))?,
        Output::Text => in_text(status, &request, &claims, &principal, args.profile),
    };
    if let Err(problem) = request::check(&request) {
        answer.problem(problem);
    }
    Ok(answer)
}

fn in_text(
    status: Status,
    request: &ScopeList<'_>,
    claims: &Claims<'_>,
    principal: &Principal,
    profile: Profile,
) -> Answer {
    let mut answer = Answer::new(status);
    for scope in &request.scopes {
        say(&mut answer, scope, claims);
        if let Some(action) = lacks_listing(scope, principal, profile) {
            let (name, profile) = (scope.name, profile.as_str());
            answer.line(format_args!(
                "note: listing tags of {name} needs {action} in the {profile} profile"
            ));
        }
    }
    for invalid in &request.invalid {
        point(&mut answer, invalid);
    }
    answer
}

/// Prints the decision about one scope.
fn say(answer: &mut Answer, scope: &MergedScope<'_>, claims: &Claims<'_>) {
    let about = (scope.resource_type, scope.name);
    let granted = claims.access.iter().find(|entry| (entry.resource_type, entry.name) == about);
    let denied = claims.denied.iter().find(|entry| (entry.resource_type, entry.name) == about);
    if let Some(entry) = granted {
        answer.line(row("granted", entry));
    }
    if let Some(entry) = denied {
        answer.line(row("denied", entry));
    }
    if request::asks_for_nothing(scope) {
        answer.line(row("nothing", format_args!("{scope} (no action was asked for)")));
    }
}

/// The action that listing the tags needs, when the request may pull but not list.
fn lacks_listing(
    scope: &MergedScope<'_>,
    principal: &Principal,
    profile: Profile,
) -> Option<Action> {
    if scope.resource_type != ResourceType::Repository || !scope.wanted().contains(Action::Pull) {
        return None;
    }
    let granted = principal.granted_on(scope.name);
    let needed = profile.list_tags();
    (granted.contains(Action::Pull) && !granted.contains(needed)).then_some(needed)
}

/// Points at the byte that makes a scope invalid.
fn point(answer: &mut Answer, invalid: &InvalidScope<'_>) {
    let InvalidScope { text, error } = invalid;
    let (before, after) = text.split_at(text.floor_char_boundary(error.position()));
    let (before, after) = (end(&visible(before)), start(&visible(after)));
    let column = before.chars().count();
    answer.line(row("invalid", before + &after));
    answer.line(row("", format_args!("{:column$}^ {error}", "")));
    answer.line(row("", format_args!("hint: {}", error.kind().hint())));
}

/// How many characters of a long piece are shown on each side of the marked byte.
const SHOWN: usize = 60;

fn end(text: &str) -> String {
    match text.chars().count().saturating_sub(SHOWN) {
        0 => text.to_owned(),
        cut => "…".chars().chain(text.chars().skip(cut)).collect(),
    }
}

fn start(text: &str) -> String {
    match text.chars().count().saturating_sub(SHOWN) {
        0 => text.to_owned(),
        _ => text.chars().take(SHOWN).chain("…".chars()).collect(),
    }
}

fn row(verdict: &str, what: impl Display) -> String {
    format!("{verdict:<7}  {what}")
}

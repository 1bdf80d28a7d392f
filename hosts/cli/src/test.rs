//! `scopegate test`: assertions about scope maps, kept in files beside them.
//!
//! All files are read before any is checked, so that bad input in one file never leaves a partial
//! report. An assertion with an invalid scope is bad input: `deny` would hold for every misspelt
//! scope.
//!
//! Follows, for the report, the JUnit form as <https://github.com/testmoapp/junitxml> describes it.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use scopegate_api::assertion::{Assertion, AssertionFile, Demand, InlineScopeMap, ScopeMapSource};
use scopegate_api::explanation::{FullExplanation, Reason};
use scopegate_api::scope_map::ScopeMapDocument;
use scopegate_core::scope_map::{InvalidRule, MapName};
use scopegate_core::{ScopeList, ScopeMap, Settings};

use crate::input::Input;
use crate::maps::{Map, Principal};
use crate::report::{Answer, BadInput, Status};
use crate::request;

pub(crate) const HELP: &str = "\
Example:
  scopegate test --junit report.xml access.yaml

where access.yaml says
  scopeMaps: [maps/ci.json]     # found from the folder of access.yaml
  assertions:
    - allow: repository:samples/nginx:pull
      why: the cluster pulls from here
    - deny: repository:samples/nginx:push

`allow` holds when everything that the scope asks for is granted, `deny` when
nothing is. Instead of a file, `{actions: [...]}` is an inline scope map.

Exit code:
  0  all assertions hold
  1  some fail
  2  bad input";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files of assertions in JSON or YAML, `-` for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<Input>,
    /// Write a JUnit report as well
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<Answer, BadInput> {
    Input::check_stdin(&args.files)?;
    let suites = args.files.iter().map(Suite::read).collect::<Result<Vec<_>, _>>()?;
    let failed = suites.iter().flat_map(|suite| &suite.cases).filter(|case| case.fails()).count();
    let passed = suites.iter().map(|suite| suite.cases.len()).sum::<usize>() - failed;
    let mut answer = Answer::new(if failed == 0 { Status::Yes } else { Status::No });
    for suite in &suites {
        if suites.len() > 1 {
            answer.line(format_args!("{}:", suite.name));
        }
        for case in &suite.cases {
            say(&mut answer, case);
        }
    }
    answer.line(format_args!("{passed} passed, {failed} failed"));
    if let Some(Err(problem)) = args.junit.as_deref().map(|path| write_report(path, &suites)) {
        answer.problem(problem);
    }
    Ok(answer)
}

/// A file of assertions, checked.
#[derive(Debug)]
struct Suite {
    name: String,
    cases: Vec<Case>,
}

/// An assertion, checked.
#[derive(Debug)]
struct Case {
    /// The demand: `allow repository:app:pull`.
    name: String,
    outcome: Outcome,
}

#[derive(Debug)]
enum Outcome {
    /// It holds; with a remark when a part of it can never be granted.
    Holds { remark: Option<String> },
    /// It fails.
    Fails {
        /// The summary of the failure, on one line.
        summary: String,
        /// The whole explanation, and why the assertion matters.
        details: Vec<String>,
    },
}

impl Suite {
    fn read(input: &Input) -> Result<Self, BadInput> {
        let text = input.read()?;
        let file = AssertionFile::read(&text);
        let file = file.map_err(|error| BadInput::from(error).at(input))?;
        let principal = principal(&file, input)?;
        if file.assertions.is_empty() {
            // A run without assertions must not look like a successful one.
            return Err(BadInput::new("no assertion in it").at(input));
        }
        let cases = file.assertions.iter().enumerate().map(|(index, assertion)| {
            let location = format!("{input}: assertions[{index}]");
            // The parser of the file has refused these already; none may be skipped.
            let demand =
                assertion.demand().ok_or_else(|| BadInput::new("no demand").at(&location))?;
            let (verb, _) = parts(demand);
            let case = Case::check(&principal, assertion, demand);
            case.map_err(|problem| problem.at(format_args!("{location}.{verb}")))
        });
        Ok(Self { cases: cases.collect::<Result<_, _>>()?, name: input.to_string() })
    }
}

fn parts(demand: Demand<'_>) -> (&'static str, &str) {
    match demand {
        Demand::Allow(scope) => ("allow", scope),
        Demand::Deny(scope) => ("deny", scope),
    }
}

/// Reads the maps that a file of assertions names or holds.
fn principal(file: &AssertionFile<'_>, input: &Input) -> Result<Principal, BadInput> {
    let maps = file.scope_maps.iter().enumerate().map(|(index, source)| {
        let map = match source {
            ScopeMapSource::Path(path) => Map::read(&Input::File(input.folder().join(path))),
            ScopeMapSource::Inline(inline) => inline_map(inline),
        };
        map.map_err(|problem| problem.at(format_args!("{input}: scopeMaps[{index}]")))
    });
    let maps = maps.collect::<Result<_, _>>()?;
    Ok(Principal { maps, settings: Settings { catalog: file.catalog.into() } })
}

fn inline_map(inline: &InlineScopeMap<'_>) -> Result<Map, BadInput> {
    let name = inline
        .name
        .as_deref()
        .map(|name| MapName::parse(name).map_err(|error| request::refused(name, error).at("name")));
    let parsed = ScopeMap::parse_rules(inline.actions.iter().map(|text| &**text));
    let parsed = parsed.map_err(|InvalidRule { index, text, error }| {
        request::refused(text, error).at(format_args!("actions[{index}]"))
    })?;
    let scope_map = ScopeMap { name: name.transpose()?, ..parsed };
    Map::compile(ScopeMapDocument { scope_map, registry: None })
}

impl Case {
    fn check(
        principal: &Principal,
        assertion: &Assertion,
        demand: Demand<'_>,
    ) -> Result<Self, BadInput> {
        let (verb, text) = parts(demand);
        let request = ScopeList::parse([text])?;
        request::has_scope(&request)?;
        if let Some(invalid) = request.invalid.first() {
            return Err(request::refused(invalid.text, invalid.error));
        }
        let claims = principal.claims(&request);
        let holds = match demand {
            Demand::Allow(_) => request::grants_all(&request, &claims),
            Demand::Deny(_) => claims.access.is_empty(),
        };
        let outcome = if holds {
            Outcome::Holds { remark: remark(&request) }
        } else {
            fails(&principal.explain(&request, None), assertion, demand)
        };
        Ok(Self { name: format!("{verb} {text}"), outcome })
    }

    fn fails(&self) -> bool {
        matches!(self.outcome, Outcome::Fails { .. })
    }
}

/// A part of a denied request that can never be granted: likely a typing error.
fn remark(request: &ScopeList<'_>) -> Option<String> {
    if let Some(word) = request.scopes.iter().flat_map(|scope| &scope.actions.unknown).next() {
        return Some(format!("unknown action `{word}`"));
    }
    let empty = request.scopes.iter().find(|scope| request::asks_for_nothing(scope))?;
    Some(format!("no action requested on `{}`", empty.name))
}

fn fails(explanations: &[FullExplanation], assertion: &Assertion, demand: Demand<'_>) -> Outcome {
    let objections = explanations.iter().flat_map(|explanation| objections(explanation, demand));
    let sentences = explanations.iter().flat_map(|explanation| explanation.text.lines());
    let why = assertion.why.iter().map(|why| format!("why: {why}"));
    Outcome::Fails {
        summary: objections.collect::<Vec<_>>().join("; "),
        details: sentences.map(str::to_owned).chain(why).collect(),
    }
}

/// The objections to a demand, in a few words each.
fn objections(explanation: &FullExplanation, demand: Demand<'_>) -> Vec<String> {
    let reasons = explanation.reasons.iter();
    match demand {
        Demand::Deny(_) => reasons.filter(|reason| reason.granted).map(granted).collect(),
        Demand::Allow(_) if explanation.reasons.is_empty() => vec!["no action requested".into()],
        Demand::Allow(_) => {
            let denied = reasons.filter(|reason| !reason.granted);
            denied.map(|reason| format!("denied {}", reason.action)).collect()
        }
    }
}

fn granted(reason: &Reason) -> String {
    let rules = reason.rules.iter().map(|rule| format!("`{}` {}", rule.pattern, rule.permission));
    format!("granted {} by {}", reason.action, rules.collect::<Vec<_>>().join(", "))
}

fn say(answer: &mut Answer, case: &Case) {
    let name = &case.name;
    match &case.outcome {
        Outcome::Holds { remark: None } => answer.line(format_args!("ok   {name}")),
        Outcome::Holds { remark: Some(remark) } => {
            answer.line(format_args!("ok   {name} — {remark}"));
        }
        Outcome::Fails { summary, details } => {
            answer.line(format_args!("FAIL {name} — {summary}"));
            for detail in details {
                answer.line(format_args!("     {detail}"));
            }
        }
    }
}

fn write_report(path: &Path, suites: &[Suite]) -> Result<(), BadInput> {
    let problem = |error: &dyn Display| {
        BadInput::new(format!("the report cannot be written: {error}")).at(path.display())
    };
    let xml = report(suites).to_string().map_err(|error| problem(&error))?;
    fs::write(path, xml).map_err(|error| problem(&error))
}

/// The report: a suite for each file, a case for each assertion. It holds no times, so that equal
/// results are equal files.
fn report(suites: &[Suite]) -> Report {
    let mut report = Report::new("scopegate");
    for suite in suites {
        let mut junit = TestSuite::new(suite.name.as_str());
        junit.add_test_cases(suite.cases.iter().map(|case| {
            let mut junit = TestCase::new(case.name.as_str(), status(&case.outcome));
            junit.set_classname(suite.name.as_str());
            junit
        }));
        report.add_test_suite(junit);
    }
    report
}

fn status(outcome: &Outcome) -> TestCaseStatus {
    let Outcome::Fails { summary, details } = outcome else {
        return TestCaseStatus::success();
    };
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(summary.as_str());
    status.set_description(details.join("\n"));
    status
}

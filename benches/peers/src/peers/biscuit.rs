//! Biscuit, <https://www.biscuitsec.org>: the authorizer alone. Parsing and verifying a token are
//! not included.
//!
//! An authorizer caches its conclusions, so each question has one of its own, built beforehand, and
//! each answer is that of a copy. Natural compares prefixes, best joins the possible patterns of
//! the name with the rules.

use std::time::Duration;

use biscuit_auth::builder::{AuthorizerBuilder, fact, string};
use biscuit_auth::{Authorizer, AuthorizerLimits};

use super::Prepared;
use crate::map::{Map, Question};

const NATURAL: &str = r#"
allow if name($name), action($action), exact($name, $action);
allow if name($name), action($action), below($prefix, $action), $name.starts_with($prefix);
deny if true;
"#;
const BEST: &str = r#"
allow if key($key), action($action), right($key, $action);
deny if true;
"#;

struct Biscuit(Vec<AuthorizerBuilder>, Vec<Option<Authorizer>>);

pub(crate) fn natural(map: &Map, questions: &[Question]) -> Box<dyn Prepared> {
    let rules = map.rules.iter().fold(builder(NATURAL), |builder, rule| match rule.prefix() {
        Some(prefix) => with(builder, "below", &[prefix, rule.action]),
        None => with(builder, "exact", &[&rule.pattern, rule.action]),
    });
    let asked = |question: &Question| with(rules.clone(), "name", &[&question.name]);
    prepared(questions, asked)
}

pub(crate) fn best(map: &Map, questions: &[Question]) -> Box<dyn Prepared> {
    let rules = map
        .rules
        .iter()
        .fold(builder(BEST), |builder, rule| with(builder, "right", &[&rule.pattern, rule.action]));
    let asked = |question: &Question| {
        question.keys().iter().fold(rules.clone(), |builder, key| with(builder, "key", &[key]))
    };
    prepared(questions, asked)
}

fn prepared(
    questions: &[Question],
    asked: impl Fn(&Question) -> AuthorizerBuilder,
) -> Box<dyn Prepared> {
    let builders: Vec<AuthorizerBuilder> = questions
        .iter()
        .map(|question| with(asked(question), "action", &[question.action]))
        .collect();
    let built = vec![None; builders.len()];
    Box::new(Biscuit(builders, built))
}

impl Prepared for Biscuit {
    fn may(&mut self, question: usize) -> bool {
        let Self(builders, built) = self;
        let authorizer = built[question].get_or_insert_with(|| {
            builders[question].clone().build_unauthenticated().expect("an authorizer")
        });
        authorizer.clone().authorize().is_ok()
    }

    fn count(&self) -> usize {
        self.0.len()
    }
}

fn builder(policies: &str) -> AuthorizerBuilder {
    let limits = AuthorizerLimits {
        max_facts: 1_000_000,
        max_iterations: 1000,
        max_time: Duration::from_secs(10),
    };
    AuthorizerBuilder::new().set_limits(limits).code(policies).expect("policies")
}

fn with(builder: AuthorizerBuilder, name: &str, terms: &[&str]) -> AuthorizerBuilder {
    let terms: Vec<_> = terms.iter().map(|term| string(term)).collect();
    builder.fact(fact(name, &terms)).expect("a fact")
}

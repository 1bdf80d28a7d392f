//! Regorus, <https://github.com/microsoft/regorus>, an interpreter of Rego. Inputs are read
//! beforehand.
//!
//! Natural loops over the rules. Best looks up the name and each of its prefixes, which are in the
//! input.

use std::hint::black_box;

use regorus::{Engine, Value};
use serde_json::json;

use super::Prepared;
use crate::map::{ACTIONS, Map, Question};

const NATURAL: &str = r#"
package registry
default allow := false
allow if {
  some rule in data.rules
  rule.action == input.action
  covers(rule.pattern, input.name)
}
covers(pattern, name) if pattern == name
covers(pattern, name) if {
  endswith(pattern, "/*")
  startswith(name, trim_suffix(pattern, "*"))
}
"#;
const BEST: &str = r#"
package registry
default allow := false
allow if {
  some key in input.keys
  data.patterns[input.action][key]
}
"#;

struct Rego {
    engine: Engine,
    inputs: Vec<Value>,
}

pub(crate) fn natural(map: &Map, questions: &[Question]) -> Box<dyn Prepared> {
    let rules: Vec<_> = map
        .rules
        .iter()
        .map(|rule| json!({ "pattern": rule.pattern, "action": rule.action }))
        .collect();
    let input = |question: &Question| json!({ "name": question.name, "action": question.action });
    prepared(NATURAL, &json!({ "rules": rules }), questions.iter().map(input))
}

pub(crate) fn best(map: &Map, questions: &[Question]) -> Box<dyn Prepared> {
    let set = |action: &&str| -> serde_json::Map<String, serde_json::Value> {
        map.patterns(action).into_iter().map(|pattern| (pattern.to_owned(), true.into())).collect()
    };
    let patterns: serde_json::Map<String, serde_json::Value> =
        ACTIONS.iter().map(|action| ((*action).to_owned(), set(action).into())).collect();
    let input = |question: &Question| json!({ "keys": question.keys(), "action": question.action });
    prepared(BEST, &json!({ "patterns": patterns }), questions.iter().map(input))
}

fn prepared(
    policy: &str,
    data: &serde_json::Value,
    inputs: impl Iterator<Item = serde_json::Value>,
) -> Box<dyn Prepared> {
    let value = |json: serde_json::Value| Value::from_json_str(&json.to_string()).expect("JSON");
    let mut engine = Engine::new();
    engine.add_policy("registry.rego".into(), policy.into()).expect("a policy");
    engine.add_data_json(&data.to_string()).expect("data");
    Box::new(Rego { engine, inputs: inputs.map(value).collect() })
}

impl Prepared for Rego {
    fn may(&mut self, question: usize) -> bool {
        self.engine.set_input(self.inputs[question].clone());
        let answer = self.engine.eval_rule("data.registry.allow".into()).expect("an answer");
        answer == Value::from(true)
    }

    fn count(&self) -> usize {
        self.inputs.len()
    }
}

/// Reads the natural policy and a map as its data.
pub(crate) fn parse(document: &str) {
    let mut engine = Engine::new();
    engine.add_policy("registry.rego".into(), NATURAL.into()).expect("a policy");
    engine.add_data_json(document).expect("data");
    black_box(engine);
}

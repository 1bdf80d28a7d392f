//! Scope maps and assertions, in values that a library has parsed from JSON or YAML.

use js_sys::{Array, Object};
use scopegate_api::DocumentError;
use scopegate_api::assertion::AssertionFile;
use scopegate_api::problem::Problem;
use scopegate_api::scope_map::WrittenScopeMap;
use scopegate_api::value::Value;
use scopegate_core::scope_map::MapName;
use scopegate_core::{Rule, ScopeMap};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};

use crate::value::{problem, to_js, utf16};

/// Reads the form of a scope map: the output of `az`, an ARM resource, or a list of actions. `null`
/// for a resource of another type, and for one without actions.
///
/// # Errors
///
/// A `DocumentProblem` for actions that are no list of strings, and for a value that is neither a
/// list nor an object.
#[wasm_bindgen(js_name = readScopeMap, unchecked_return_type = "WrittenScopeMap | null")]
pub fn read_scope_map(
    #[wasm_bindgen(unchecked_param_type = "unknown")] value: JsValue,
) -> Result<JsValue, JsValue> {
    let map = WrittenScopeMap::from_value(tree(&value, MAX_DEPTH)?).map_err(refused)?;
    Ok(map.map_or(JsValue::NULL, |map| to_js(&map)))
}

/// Reads every scope map of a document: what `readScopeMap` reads, lists of that, an ARM template,
/// or what `terraform show -json` prints.
///
/// # Errors
///
/// A `DocumentProblem` for a value without a scope map, for a plan, and for a scope map whose
/// actions are an expression.
#[wasm_bindgen(js_name = readScopeMaps, unchecked_return_type = "WrittenScopeMap[]")]
pub fn read_scope_maps(
    #[wasm_bindgen(unchecked_param_type = "unknown")] value: JsValue,
) -> Result<JsValue, JsValue> {
    let maps = WrittenScopeMap::all_from_value(tree(&value, MAX_DEPTH)?).map_err(refused)?;
    Ok(to_js(&maps))
}

/// Reads the actions of a scope map: a report on each of them, in their order.
#[must_use]
#[wasm_bindgen(js_name = readRules, unchecked_return_type = "RuleReport[]")]
pub fn read_rules(actions: Vec<String>) -> JsValue {
    let reports = actions.into_iter().map(|text| {
        let rule = Rule::parse(&text);
        RuleReport::new(text, &rule)
    });
    to_js(&reports.collect::<Vec<_>>())
}

/// Reads a file of assertions, as `scopegate test` runs them.
///
/// # Errors
///
/// A `DocumentProblem` for a value with a field that is unknown, or without one that is needed.
#[wasm_bindgen(js_name = readAssertions, unchecked_return_type = "AssertionFile")]
pub fn read_assertions(
    #[wasm_bindgen(unchecked_param_type = "unknown")] value: JsValue,
) -> Result<JsValue, JsValue> {
    let file = AssertionFile::from_value(tree(&value, MAX_DEPTH)?).map_err(refused)?;
    Ok(to_js(&file))
}

/// What one action string of a map says.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct RuleReport {
    /// In its one spelling where it is a rule, and as it was written where it is none.
    text: String,
    /// What it covers; `null` for a rule that is not about repositories, and where it is none.
    pattern: Option<String>,
    /// What it grants there.
    permission: Option<&'static str>,
    /// Why it is no rule.
    problem: Option<Problem>,
}

impl RuleReport {
    fn new(text: String, rule: &Result<Rule, scopegate_core::Error>) -> Self {
        match rule {
            Ok(rule) => {
                let grant = rule.grant();
                Self {
                    text: rule.to_string(),
                    pattern: grant.map(|(pattern, _)| pattern.to_string()),
                    permission: grant.map(|(_, permission)| permission.as_str()),
                    problem: None,
                }
            }
            Err(error) => {
                let position = utf16(&text, error.position());
                let problem = Some(Problem { position, ..(*error).into() });
                Self { text, pattern: None, permission: None, problem }
            }
        }
    }
}

/// What is wrong with the name of a scope map.
#[must_use]
#[wasm_bindgen(js_name = checkScopeMapName, unchecked_return_type = "Problem | null")]
pub fn check_scope_map_name(text: &str) -> JsValue {
    match MapName::parse_user_defined(text) {
        Ok(_) => JsValue::NULL,
        Err(error) => problem(error, text),
    }
}

/// The maps that every registry has.
#[must_use]
#[wasm_bindgen(js_name = systemScopeMaps, unchecked_return_type = "WrittenScopeMap[]")]
pub fn system_scope_maps() -> JsValue {
    let maps: Vec<_> = ScopeMap::system_defined()
        .map(|map| WrittenScopeMap {
            name: map.name.as_ref().map(ToString::to_string),
            description: map.description.clone(),
            registry: None,
            actions: map.rules.iter().map(|rule| rule.to_string().into()).collect(),
            path: String::new(),
        })
        .collect();
    to_js(&maps)
}

/// How deep lists and objects may lie in each other. JavaScript can hold a list that holds itself.
const MAX_DEPTH: usize = 64;

/// The value as a tree. By hand, and not through serde: its errors bring everything that writes a
/// floating-point number, 12 KB of a package of 30.
fn tree(value: &JsValue, depth: usize) -> Result<Value<'static>, JsValue> {
    if value.is_null() || value.is_undefined() {
        return Ok(Value::Null);
    }
    if let Some(text) = value.as_string() {
        return Ok(Value::Text(text.into()));
    }
    if !value.is_object() {
        return Ok(Value::Other);
    }
    let Some(below) = depth.checked_sub(1) else {
        return Err(refused(DocumentError::unreadable("lists that lie too deep in each other")));
    };
    if let Some(list) = value.dyn_ref::<Array>() {
        return list
            .iter()
            .map(|item| tree(&item, below))
            .collect::<Result<_, _>>()
            .map(Value::List);
    }
    let entries = Object::entries(value.unchecked_ref());
    let field = |entry: JsValue| {
        let entry: Array = entry.unchecked_into();
        Ok((entry.get(0).as_string().unwrap_or_default(), tree(&entry.get(1), below)?))
    };
    entries.iter().map(field).collect::<Result<_, JsValue>>().map(Value::Map)
}

fn refused(error: DocumentError) -> JsValue {
    let position = utf16(error.value.as_deref().unwrap_or_default(), error.position);
    to_js(&DocumentError { position, ..error })
}

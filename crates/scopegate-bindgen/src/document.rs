//! Scope maps and assertions, in values that a library has parsed from JSON or YAML.

use scopegate_api::DocumentError;
use scopegate_api::assertion::AssertionFile;
use scopegate_api::scope_map::WrittenScopeMap;
use scopegate_core::ScopeMap;
use scopegate_core::scope_map::MapName;
use serde_wasm_bindgen::Deserializer;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::value::{problem, to_js, utf16};

/// Reads the form of a scope map: the output of `az`, an ARM resource, or a list of actions.
///
/// # Errors
///
/// A `DocumentProblem` for a value without a list of actions.
#[wasm_bindgen(js_name = readScopeMap, unchecked_return_type = "WrittenScopeMap")]
pub fn read_scope_map(
    #[wasm_bindgen(unchecked_param_type = "unknown")] value: JsValue,
) -> Result<JsValue, JsValue> {
    let map = WrittenScopeMap::from_value(Deserializer::from(value)).map_err(refused)?;
    Ok(to_js(&map))
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
    let file = AssertionFile::from_value(Deserializer::from(value)).map_err(refused)?;
    Ok(to_js(&file))
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
            actions: map.rules.iter().map(ToString::to_string).collect(),
            path: String::new(),
        })
        .collect();
    to_js(&maps)
}

fn refused(error: DocumentError) -> JsValue {
    let position = utf16(error.value.as_deref().unwrap_or_default(), error.position);
    to_js(&DocumentError { position, ..error })
}

//! The description of the API, and the copy of it that people read.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::support::Server;

async fn document() -> Value {
    Server::start().await.get("/openapi.json", None).await.body
}

/// The operations of a path, by their methods.
fn operations(item: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    item.iter().filter(|(name, _)| *name != "parameters")
}

#[tokio::test]
async fn every_path_declares_the_parameters_that_it_has() {
    let document = document().await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(path.starts_with("/registries/{registry}"), "{path}");
        let declared = item["parameters"].as_array().unwrap().iter();
        let declared: Vec<_> = declared.map(|p| p["name"].as_str().unwrap()).collect();
        let used: Vec<_> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        assert_eq!(declared, used, "{path}");
    }
}

#[tokio::test]
async fn every_operation_has_an_id_of_its_own_and_says_how_it_fails() {
    let document = document().await;
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations(item.as_object().unwrap()) {
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path}"));
            assert!(ids.insert(id.to_owned()), "{id}");
            assert!(operation["responses"].as_object().unwrap().contains_key("default"), "{id}");
        }
    }
    assert!(ids.contains("generate_credentials"));
    check_references(&document, &document);
}

/// `SCOPEGATE_BLESS=1` writes the copy again.
#[tokio::test]
async fn the_copy_is_what_the_server_describes() {
    let copy = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let text = serde_json::to_string_pretty(&document().await).unwrap() + "\n";
    if std::env::var_os("SCOPEGATE_BLESS").is_some() {
        std::fs::write(&copy, &text).unwrap();
    }
    let known = std::fs::read_to_string(&copy).unwrap_or_default();
    assert!(
        known == text,
        "openapi.json is not what the server describes: run this test with SCOPEGATE_BLESS=1"
    );
}

/// Whatever is referred to is there.
fn check_references(value: &Value, document: &Value) {
    match value {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
            }
            fields.values().for_each(|field| check_references(field, document));
        }
        Value::Array(values) => values.iter().for_each(|value| check_references(value, document)),
        _ => {}
    }
}

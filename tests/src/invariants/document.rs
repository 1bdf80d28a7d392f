//! What people write in JSON and YAML, and what crosses the WebAssembly boundary.

use scopegate_api::abi::{self, Failure};
use scopegate_api::assertion::AssertionFile;
use scopegate_api::decision::DecisionReport;
use scopegate_api::scope_map::{ScopeMapDocument, ScopeMapOutput};
use scopegate_core::{ScopeList, claims};

use super::{compiled, settings};

/// The rules of a document, when it is one. What is written of it is read as the same map.
pub fn scope_map(text: &str) -> Option<Vec<String>> {
    let document = ScopeMapDocument::read(text).ok()?;
    let output = ScopeMapOutput::from(&document.scope_map);
    let written = serde_json::to_string(&output).expect("JSON");
    let again = ScopeMapDocument::read(&written).expect("a scope map");
    assert_eq!(again.scope_map, document.scope_map);
    Some(output.actions)
}

/// A file of assertions is written as it is read.
pub fn assertions(text: &str) {
    let Ok(file) = AssertionFile::read(text) else { return };
    let written = serde_json::to_string(&file).expect("JSON");
    assert_eq!(AssertionFile::read(&written), Ok(file));
}

/// Decided claims that cross the boundary as records are the report that stays on this side.
pub fn claims_cross_the_boundary(rules: &[String], text: &str) {
    let Ok(request) = ScopeList::parse([text]) else { return };
    for settings in settings() {
        let claims = claims([&compiled(rules)], &request, &settings);
        let mut records = Vec::new();
        abi::write_claims(text, &request, &claims, &mut records);
        let report = DecisionReport::new(&request, &claims);
        assert_eq!(abi::read_claims(text, &records), Some(report));
    }
}

/// Records from anywhere are refused or read; integers from anywhere mean nothing, or exactly what
/// they are packed from.
pub fn boundary_takes_anything(text: &str, records: &[u8], result: u64) {
    let _ = abi::read_claims(text, records);
    if let Some(decision) = abi::unpack_decision(result) {
        assert_eq!(abi::pack_decision(decision), result);
        assert_eq!(Failure::unpack(result), None);
    }
    if let Some(failure) = Failure::unpack(result) {
        assert_eq!(Failure::unpack(failure.pack()), Some(failure));
        assert!(!failure.to_string().is_empty());
    }
    let bits = result as u32;
    if let Ok((settings, route)) = abi::unpack_settings(bits) {
        assert_eq!(abi::pack_settings(&settings, &route), bits);
    }
}

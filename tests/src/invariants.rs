//! What must hold of any input. Each function panics when it does not, and does nothing else.
//!
//! | module | is about |
//! |---|---|
//! | [`text`] | names, patterns, rules, scopes, challenges: what is read prints as itself |
//! | [`request`] | HTTP requests: one canonical path, and scopes that a token can satisfy |
//! | [`decision`] | the engine against the referee, and what a token may never hold |
//! | [`explanation`] | reasons, near misses and edits against the decision and the referee |
//! | [`table`] | compiled tables, from us or from anywhere |
//! | [`claims`] | the claims of a token, read as others read them, and accepted in time |
//! | [`comparison`] | lint, subset, equivalence and difference |
//! | [`document`] | what people write in JSON and YAML, and what crosses the WebAssembly boundary |
//!
//! Rules are action strings (`&[String]`), so that the referee reads what the engine reads.

use std::collections::BTreeSet;

use scopegate_core::{Catalog, Pattern, RepositoryName, Rule, ScopeMap, Settings, Table};

pub mod claims;
pub mod comparison;
pub mod decision;
pub mod document;
pub mod explanation;
pub mod request;
pub mod table;
pub mod text;

/// The map of these rules, which must be valid.
fn map(rules: &[String]) -> ScopeMap {
    ScopeMap::parse(rules.iter().map(String::as_str)).expect("valid rules")
}

/// The compiled table of these rules, which must be valid.
fn compiled(rules: &[String]) -> Table<Vec<u8>> {
    Table::compile([&map(rules)]).expect("rules that fit a table")
}

/// The repository of this name, which must be valid.
fn repository(name: &str) -> RepositoryName<'_> {
    RepositoryName::parse(name).expect("a valid name")
}

/// Every setting that a decision may be made under.
fn settings() -> impl Iterator<Item = Settings> {
    Catalog::ALL.into_iter().map(|catalog| Settings { catalog })
}

/// The names that these rules are about, the names above and below them, and neighbours that begin
/// or end alike.
fn neighbourhood<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> BTreeSet<String> {
    const ENDS: [&str; 7] = ["", "/0", "/below", "/below/that", "x", "-x", ".x/below"];
    let mut names = BTreeSet::from(["elsewhere".to_owned()]);
    for (pattern, _) in rules.into_iter().filter_map(Rule::grant) {
        let (Pattern::Exact(name) | Pattern::Prefix(name)) = pattern else { continue };
        names.extend(name.ancestors().map(|above| above.to_string()));
        let name = name.as_str();
        names.extend(ENDS.map(|end| format!("{name}{end}")));
        names.extend(name.split_once('/').map(|(_, rest)| rest.to_owned()));
        names.insert(name[..name.len() - 1].to_owned());
    }
    names.retain(|name| RepositoryName::parse(name).is_ok());
    names
}

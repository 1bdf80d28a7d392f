//! Names, patterns, rules, scopes, challenges: what is read prints as itself.
//!
//! A text that the engine accepts has one canonical form, which is what it prints. Reading that form again gives the same thing and
//! prints the same text. What is refused is refused at a byte of the text, or right behind it.

use std::collections::BTreeSet;

use scopegate_core::challenge::Challenge;
use scopegate_core::{Error, Pattern, RepositoryName, Rule, Scope, ScopeList};

use crate::naive;

/// A name is valid or not, and prints as it was written.
pub fn name(text: &str) {
    if let Some(name) = accepted(text, RepositoryName::parse(text)) {
        assert_eq!(name.to_string(), text);
        for above in name.ancestors() {
            assert_eq!(RepositoryName::parse(above.as_str()), Ok(above));
            assert!(Pattern::Prefix(above).matches(name) && !Pattern::Prefix(name).matches(above));
        }
    }
}

/// A pattern prints as it was written, and covers what the referee says of a rule with it.
pub fn pattern(text: &str) {
    let rule = format!("repositories/{text}/content/read");
    let is_lower_case = !text.contains(|c: char| c.is_ascii_uppercase());
    assert_eq!(Pattern::parse(text).is_ok(), is_lower_case && naive::is_rule(&rule), "{text:?}");
    if let Some(pattern) = accepted(text, Pattern::parse(text)) {
        assert_eq!(pattern.to_string(), text);
        assert!(pattern.covers(pattern));
    }
}

/// A rule is valid when the referee says so, and prints as it was written, in lower case.
pub fn rule(text: &str) {
    assert_eq!(Rule::parse(text).is_ok(), naive::is_rule(text), "{text:?}");
    if let Some(rule) = accepted(text, Rule::parse(text)) {
        assert_eq!(rule.to_string(), text.to_ascii_lowercase());
        assert_eq!(Rule::parse(&rule.to_string()), Ok(rule));
    }
}

/// A scope is valid when the referee says so, and what it prints is canonical.
pub fn scope(text: &str) {
    assert_eq!(Scope::parse(text).is_ok(), naive::decide(&[], "root", text).is_some(), "{text:?}");
    if let Some(scope) = accepted(text, Scope::parse(text)) {
        let canonical = scope.to_string();
        let again = Scope::parse(&canonical).expect("canonical text");
        assert_eq!(again.to_string(), canonical);
        assert_eq!((again.name, again.actions), (scope.name, scope.actions));
        assert!(again.unknown_actions().eq(scope.unknown_actions()));
    }
}

/// Several parameters ask for what one asks that holds them all; each resource stands there once; merging again changes nothing.
pub fn scope_list(parameters: &[&str]) {
    let Ok(list) = ScopeList::parse(parameters.iter().copied()) else { return };
    let canonical = list.to_string();
    if let Ok(joined) = ScopeList::parse([parameters.join(" ").as_str()]) {
        assert_eq!(joined.to_string(), canonical);
    }
    let again = ScopeList::parse([canonical.as_str()]).expect("canonical text");
    assert_eq!((again.to_string(), again.invalid.len()), (canonical.clone(), 0));
    let resources = list.scopes.iter().map(|scope| (scope.resource_type, scope.name));
    assert_eq!(resources.collect::<BTreeSet<_>>().len(), list.scopes.len(), "{canonical}");
    for piece in &list.invalid {
        assert_eq!(Scope::parse(piece.text).err(), Some(piece.error));
    }
}

/// What is printed of a challenge is read as the same challenge, also beside others.
pub fn challenge(header: &str) {
    let Some(challenges) = accepted(header, Challenge::parse_all(header)) else { return };
    let printed: Vec<String> = challenges.iter().map(ToString::to_string).collect();
    let again = Challenge::parse_all(&printed.join(", ")).expect("canonical text");
    assert_eq!(again.iter().map(ToString::to_string).collect::<Vec<_>>(), printed);
    for (challenge, again) in challenges.iter().zip(&again) {
        assert_eq!(challenge.scheme, again.scheme);
    }
}

/// What was read of a text. An error must point into the text, or right behind it.
fn accepted<T>(text: &str, result: Result<T, Error>) -> Option<T> {
    if let Err(error) = &result {
        assert!(error.position() <= text.len(), "{error} at {} of {text:?}", error.position());
    }
    result.ok()
}

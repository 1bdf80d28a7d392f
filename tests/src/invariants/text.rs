//! Names, patterns, rules, scopes, challenges: what is read prints as itself.
//!
//! A text that the engine accepts has one canonical form, which is what it prints. Reading that
//! form again gives the same thing and prints the same text. What is refused is refused at a byte
//! of the text, or right behind it.

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
        assert_eq!((again.name, again.actions.known), (scope.name, scope.actions.known));
        assert!(again.unknown_actions().eq(scope.unknown_actions()));
    }
}

/// A request is what its pieces are, those on one resource made one; and what it prints asks for
/// the same.
pub fn scope_list(parameters: &[&str]) {
    let Ok(list) = ScopeList::parse(parameters.iter().copied()) else { return };
    let pieces = parameters.iter().flat_map(|text| text.split(' ')).filter(|text| !text.is_empty());
    let (valid, invalid): (Vec<&str>, Vec<&str>) =
        pieces.partition(|piece| Scope::parse(piece).is_ok());
    assert!(list.invalid.iter().map(|piece| piece.text).eq(invalid));
    let canonical = list.to_string();
    assert_eq!(canonical, merged(&valid));
    let again = ScopeList::parse([canonical.as_str()]).expect("canonical text");
    assert_eq!(again.to_string(), canonical);
}

/// Valid scopes, those on one resource made one by joining their lists of actions.
fn merged(scopes: &[&str]) -> String {
    let mut resources: Vec<(String, String)> = Vec::new();
    for scope in scopes {
        let scope = Scope::parse(scope).expect("a scope").to_string();
        let (resource, actions) = scope.rsplit_once(':').expect("a colon before the actions");
        match resources.iter_mut().find(|(other, _)| other == resource) {
            Some((_, others)) => *others = format!("{others},{actions}"),
            None => resources.push((resource.to_owned(), actions.to_owned())),
        }
    }
    let scopes = resources.iter().map(|(resource, actions)| format!("{resource}:{actions}"));
    let canonical = scopes.map(|scope| Scope::parse(&scope).expect("a scope").to_string());
    canonical.collect::<Vec<_>>().join(" ")
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

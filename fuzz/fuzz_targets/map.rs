//! A request of scopes on the first line, and below it a document: a scope map or a file of
//! assertions, in JSON or YAML.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scopegate_tests::invariants::explanation::NamedMap;
use scopegate_tests::invariants::{comparison, decision, document, explanation, table};

fuzz_target!(|input: &str| {
    let (request, text) = input.split_once('\n').unwrap_or((input, ""));
    document::assertions(text);
    if let Some(rules) = document::scope_map(text) {
        any_map(rules, request);
    }
});

fn any_map(mut rules: Vec<String>, request: &str) {
    // The referee checks every rule for every action, and the comparisons every pair: more rules
    // add nothing.
    rules.truncate(12);
    let reversed: Vec<String> = rules.iter().rev().cloned().collect();
    let (left, right) = rules.split_at(rules.len() / 2);
    comparison::lint_finds_what_is_needless(&rules);
    comparison::lint_is_never_false(&rules);
    comparison::is_exact(left, &rules);
    decision::compiled_equals_naive(&rules);
    decision::claims_hold_only_what_was_asked(&rules, &[request]);
    decision::a_token_keeps_what_both_give(&rules, left, &[request]);
    decision::a_token_keeps_what_both_give(right, &rules, &[request]);
    document::claims_cross_the_boundary(&rules, request);
    table::loads_as_itself(&rules);
    for scope in request.split(' ').take(4) {
        decision::agrees_with_the_referee(&[left.to_vec(), right.to_vec()], scope);
        decision::adding_never_removes(left, right, scope);
        decision::order_never_matters(&rules, &reversed, scope);
        let map =
            |name: &str, rules: &[String]| NamedMap { name: name.into(), rules: rules.into() };
        let maps = [map("mine", left), map("_system", right)];
        explanation::agrees_with_the_decision(&maps, scope);
        explanation::edits_are_enough_and_not_too_much(&maps, scope);
    }
}

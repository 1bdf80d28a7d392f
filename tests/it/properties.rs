//! The invariants, each with random inputs.
//!
//! What holds is written in [`scopegate_tests::invariants`]; here is only which inputs it must hold
//! for. A failure prints the smallest input that fails: it becomes a row of the corpus or of a
//! table of tests.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::Config;
use scopegate_tests::invariants::explanation::NamedMap;
use scopegate_tests::invariants::{
    claims, comparison, decision, document, explanation, request, table, text,
};

use crate::strategies as some;

/// With this number of inputs for each property, all of them together take less than a minute in a
/// development build.
fn config() -> Config {
    Config { cases: 2000, failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_input_panics(
        input in some::text(),
        other in some::text(),
        rules in some::rules(),
        records in vec(any::<u8>(), 0..100),
        result in any::<u64>(),
    ) {
        text::name(&input);
        text::pattern(&input);
        text::rule(&input);
        text::scope(&input);
        text::scope_list(&[&input, &other]);
        text::challenge(&input);
        claims::json(input.as_bytes());
        claims::accepted(input.as_bytes());
        claims::signed(input.as_bytes());
        claims::signed(token(&other, &input).as_bytes());
        claims::feeds(input.as_bytes());
        request::any_method(&input);
        document::assertions(&input);
        document::scope_map(&input);
        document::boundary_takes_anything(&input, &records, result);
        table::answers_as_its_rules(input.as_bytes());
        request::grant_is_confined([&input, &other, &input], &other);
        let maps = [NamedMap { name: other, rules }];
        explanation::agrees_with_the_decision(&maps, &input);
        explanation::edits_are_enough_and_not_too_much(&maps, &input);
    }

    #[test]
    fn parsing_then_printing_is_the_identity(
        name in some::name(),
        pattern in some::pattern(),
        rule in some::rule(),
        scope in some::scope(),
        request in some::request(),
        header in some::header(),
        document in some::document(),
    ) {
        text::name(&name);
        text::pattern(&pattern);
        text::rule(&rule);
        text::scope(&scope);
        text::scope_list(&[&request]);
        text::challenge(&header);
        document::scope_map(&document);
    }

    #[test]
    fn a_canonical_path_is_the_request_that_was_decided_on(target in some::target()) {
        request::any_method(&target);
    }

    #[test]
    fn what_goes_on_needs_no_more_than_was_decided(request in some::whole_request()) {
        request::reads_no_more_than_was_decided(&request);
    }

    #[test]
    fn a_grant_is_confined_to_its_resource(grant in some::grant(), repository in some::name()) {
        request::grant_is_confined(grant.each_ref().map(String::as_str), &repository);
    }

    #[test]
    fn adding_a_rule_never_removes_access(
        rules in some::rules(),
        more in vec(some::rule(), 1..3),
        scope in some::scope(),
    ) {
        decision::adding_never_removes(&rules, &more, &scope);
    }

    #[test]
    fn the_order_of_rules_never_matters(
        (rules, shuffled) in some::shuffled_rules(),
        scope in some::scope(),
    ) {
        decision::order_never_matters(&rules, &shuffled, &scope);
    }

    #[test]
    fn no_rule_means_no_access(scope in some::scope()) {
        decision::no_rule_means_no_access(&scope);
    }

    #[test]
    fn a_claim_never_holds_an_action_that_was_not_requested(
        rules in some::rules(),
        requests in vec(some::request(), 0..3),
    ) {
        let requests: Vec<&str> = requests.iter().map(String::as_str).collect();
        decision::claims_hold_only_what_was_asked(&rules, &requests);
    }

    #[test]
    fn a_token_keeps_what_both_its_rules_and_those_of_now_give(
        (issued, now) in some::changed_rules(),
        requests in vec(some::request(), 0..3),
    ) {
        let requests: Vec<&str> = requests.iter().map(String::as_str).collect();
        decision::a_token_keeps_what_both_give(&issued, &now, &requests);
        decision::a_token_keeps_what_both_give(&now, &issued, &requests);
    }

    #[test]
    fn explain_and_decide_agree(maps in some::named_maps(), scope in some::scope()) {
        explanation::agrees_with_the_decision(&maps, &scope);
    }

    #[test]
    fn every_edit_flips_the_decision_and_no_smaller_one_does(
        maps in some::named_maps(),
        scope in some::scope(),
    ) {
        explanation::edits_are_enough_and_not_too_much(&maps, &scope);
    }

    #[test]
    fn the_engine_decides_as_the_referee(maps in vec(some::rules(), 0..3), scope in some::scope()) {
        decision::agrees_with_the_referee(&maps, &scope);
    }

    #[test]
    fn the_compiled_table_equals_the_naive_union(rules in some::rules()) {
        decision::compiled_equals_naive(&rules);
    }

    #[test]
    fn a_compiled_table_loads_as_itself(rules in some::rules()) {
        table::loads_as_itself(&rules);
    }

    #[test]
    fn a_loaded_table_answers_exactly_as_its_rules(bytes in some::table()) {
        table::answers_as_its_rules(&bytes);
    }

    #[test]
    fn a_difference_is_exact((old, new) in some::changed_rules()) {
        comparison::is_exact(&old, &new);
        comparison::is_exact(&new, &old);
    }

    #[test]
    fn lint_is_right(rules in some::rules()) {
        comparison::lint_finds_what_is_needless(&rules);
        comparison::lint_is_never_false(&rules);
    }

    #[test]
    fn what_crosses_the_boundary_is_the_report(rules in some::rules(), request in some::request()) {
        document::claims_cross_the_boundary(&rules, &request);
    }
}

/// A token of the key `kid` with this payload.
fn token(kid: &str, payload: &str) -> String {
    let header = serde_json::json!({ "alg": "ES256", "kid": kid }).to_string();
    [header.as_str(), payload, "signature"].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
}

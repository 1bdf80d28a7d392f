//! The scopes of a request, alone and merged.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scopegate_tests::invariants::{decision, text};

fuzz_target!(|request: &str| {
    text::scope(request);
    text::scope_list(&[request]);
    text::scope_list(&request.split('\n').collect::<Vec<_>>());
    decision::no_rule_means_no_access(request);
    // The widest possible rules, and some that share a name with likely requests.
    let rules = ["*/content/read", "*/metadata/read", "a/*/content/write", "a/content/delete"];
    let rules = rules.map(|rule| format!("repositories/{rule}"));
    decision::agrees_with_the_referee(&[rules.to_vec()], request);
    decision::claims_hold_only_what_was_asked(&rules, &[request]);
});

//! A pattern, a rule or a name: the same text as each of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scopegate_tests::invariants::text;

fuzz_target!(|input: &str| {
    text::name(input);
    text::pattern(input);
    text::rule(input);
});

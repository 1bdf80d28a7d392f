//! The claims of a token whose signature is good, and a token in its parts; key sets and answers of
//! the feed, too.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scopegate_tests::invariants::claims;

fuzz_target!(|payload: &[u8]| {
    claims::json(payload);
    claims::accepted(payload);
    claims::signed(payload);
    claims::feeds(payload);
});

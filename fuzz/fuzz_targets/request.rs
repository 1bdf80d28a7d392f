//! A whole HTTP request: a forwarded request needs no more than was decided.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scopegate_tests::invariants::request;

fuzz_target!(|text: &str| request::reads_no_more_than_was_decided(text));

//! The target of an HTTP request, with every method and under every setting.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scopegate_tests::invariants::request;

fuzz_target!(|target: &str| request::any_method(target));

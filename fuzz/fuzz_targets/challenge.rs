//! The value of a `WWW-Authenticate` header.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scopegate_tests::invariants::text;

fuzz_target!(|header: &str| text::challenge(header));

//! Bytes that claim to be a compiled table.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use scopegate_tests::invariants::table;

fuzz_target!(|bytes: &[u8]| table::answers_as_its_rules(bytes));

// The second field of the header is the length of the whole table. It is corrected, so that the
// rest of the table is reached.
fuzz_mutator!(|bytes: &mut [u8], size: usize, max_size: usize, _seed: u32| {
    let len = fuzzer_mutate(bytes, size, max_size);
    if let Some(field) = bytes.get_mut(4..8).filter(|_| len >= 8) {
        field.copy_from_slice(&(len as u32).to_le_bytes());
    }
    len
});

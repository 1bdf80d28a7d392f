//! What must hold of the engine, and who says so.
//!
//! | module | holds |
//! |---|---|
//! | [`naive`] | the referee: the same decisions by an independent method |
//! | [`invariants`] | what must hold of any input, as functions that panic when it does not |
//! | [`sameness`] | a million cases, and what every host has to answer to them |
//!
//! The integration tests drive the invariants with generated inputs, the targets in `fuzz/` with
//! inputs that a fuzzer finds. Neither says anything of its own about what is right.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "what fails ends the test"
)]

pub mod invariants;
pub mod naive;
pub mod sameness;

//! The program as people run it: arguments and standard input in, text and an exit code out.
//!
//! Each test has a folder of its own with the same files in it; tables of runs go through
//! [`support::runs`], which alone knows how.

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

mod assertions;
mod corpus;
mod decide;
mod diff;
mod documents;
mod explain;
mod lint;
mod support;
mod usage;

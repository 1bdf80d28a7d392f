//! The integration tests, in one binary.

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

mod browser;
mod corpus;
mod embed;
mod feeds;
mod properties;
mod sameness;
mod stack;
mod strategies;
mod walks;

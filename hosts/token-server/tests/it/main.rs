//! The token server's tests: everything that may share a process.
//!
//! Programs of their own are `operation`, which installs the recorder of metrics, and `load`, which
//! measures shares of logins that are served under attack.

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

mod authz;
mod bindings;
mod browser;
mod commands;
mod compatibility;
mod documents;
mod http;
mod identity;
mod listen;
mod login;
mod management;
mod playground;
mod redaction;
mod registry;
mod security;
mod store;
mod support;
mod upgrade;

//! The token server: authentication, decision, signed token.
//!
//! Life of a request: [`http`] reads it, [`domain`] authenticates the principal and finds its scope
//! maps, the engine decides (through `scopegate-runtime`, the same WebAssembly module as
//! everywhere), and `domain` signs the decision.
//!
//! | module | holds | may use |
//! |---|---|---|
//! | [`http`] | routes, answers, limits: the one module that knows statuses | everything below |
//! | [`app`] | the composition root, and the background tasks | everything below |
//! | [`domain`] | principals, decisions, tokens, keys, changes | everything below |
//! | [`telemetry`] | logs, metrics, traces | `config` |
//! | [`config`] | the configuration: file, environment, flags | `store`, `model` |
//! | [`store`] | the database: SQLite or PostgreSQL | `model`, `clock` |
//! | [`model`] | values that every module uses | |
//! | [`clock`] | the one reading of the clock | |
//!
//! No token request waits for the database: it reads the snapshot.

#![allow(missing_docs, reason = "a program; only its tests and benches see inside")]

mod app;
mod clock;
mod commands;
mod config;
mod domain;
mod http;
mod model;
mod store;
mod telemetry;
pub mod testing;

pub use commands::run;

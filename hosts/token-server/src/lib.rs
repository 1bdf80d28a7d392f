//! The token server: who asks, what they may do, a signed token.
//!
//! One request's way through it: [`http`] reads the request, [`domain`] finds out who asks and
//! which scope maps that is, the engine decides (through `scopegate-runtime`, the same WebAssembly
//! module as everywhere), and `domain` signs what was decided.
//!
//! | room | holds | may use |
//! |---|---|---|
//! | [`http`] | routes, answers, limits: the one room that knows statuses | everything below |
//! | [`app`] | the composition root, and what runs beside requests | everything below |
//! | [`domain`] | principals, decisions, tokens, keys, changes | everything below |
//! | [`telemetry`] | logs, metrics, traces | `config` |
//! | [`config`] | the configuration: file, environment, flags | `store`, `model` |
//! | [`store`] | what the server knows, in SQLite or PostgreSQL | `model`, `clock` |
//! | [`model`] | values that every room has words for | |
//! | [`clock`] | the one reading of the clock | |
//!
//! No request for a token waits for the database: it reads the snapshot.

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

//! The token server: who asks, what they may do, a signed token.
//!
//! One request's way through it: [`token`] reads the request, [`authenticate`](mod@authenticate) finds out who asks, the engine decides (through
//! `scopegate-runtime`, the same WebAssembly module as everywhere), [`issue`] signs what was decided.
//!
//! | module | holds |
//! |---|---|
//! | [`routes`](mod@routes) | the routes |
//! | [`app`] | what requests share |
//! | [`token`] | `GET` and `POST /oauth2/token` |
//! | [`authenticate`](mod@authenticate) | passwords, refresh tokens, and whom they stand for |
//! | [`issue`] | claims, signed and verified |
//! | [`keys`] | the signing keys, their public forms, who signs when |
//! | [`base`] | `GET /v2/`: the challenge |
//! | [`policy`] | what the server knows, as a snapshot that requests read |
//! | [`store`] | what the server knows, in SQLite |
//! | [`seed`] | scope maps and tokens from a file |
//! | [`watch`] | keeping the snapshot as new as the database |
//! | [`config`] | the command line |
//! | [`doctor`] | why a registry refuses a token |
//! | [`error`] | refusals, and their one mapping to status codes |
//!
//! No request waits for the database: requests read the snapshot.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod app;
pub mod authenticate;
pub mod base;
pub mod clock;
pub mod config;
pub mod doctor;
pub mod error;
pub mod issue;
pub mod keys;
pub mod password;
pub mod policy;
pub mod routes;
pub mod seed;
pub mod store;
pub mod token;
pub mod watch;

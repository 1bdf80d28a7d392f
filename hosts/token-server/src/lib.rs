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
//! | [`keys`] | the signing key, its public forms, its id |
//! | [`base`] | `GET /v2/`: the challenge |
//! | [`policy`] | what the server knows, as a snapshot that requests read |
//! | [`store`] | what the server knows, in SQLite |
//! | [`seed`] | scope maps and tokens from a file |
//! | [`watch`] | keeping the snapshot as new as the database |
//! | [`config`] | the configuration: file, environment, flags |
//! | [`serve`](mod@serve) | listening, with or without TLS, within bounds, until the end |
//! | [`tls`] | the certificate, read again when it changes |
//! | [`guard`] | how often, how much and how long a client may ask |
//! | [`headers`] | the headers of every answer |
//! | [`context`] | where a request comes from, and the id that names it |
//! | [`health`] | whether the server lives, and whether it can issue tokens |
//! | [`telemetry`] | logs, metrics, traces |
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
pub mod context;
pub mod error;
pub mod guard;
pub mod headers;
pub mod health;
pub mod issue;
pub mod keys;
pub mod password;
pub mod policy;
pub mod routes;
pub mod seed;
pub mod serve;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod token;
pub mod watch;

//! The token server: who asks, what they may do, a signed token.
//!
//! One request's way through it: [`oauth`] reads the request, [`principal`] finds out who asks and
//! which scope maps that is, the engine decides (through `scopegate-runtime`, the same WebAssembly
//! module as everywhere), [`issue`] signs what was decided.
//!
//! | module | holds |
//! |---|---|
//! | [`routes`](mod@routes) | the routes |
//! | [`app`] | what requests share |
//! | [`oauth`] | what clients of the registry talk to: `/v2/`, `/oauth2/token`, `/oauth2/exchange` |
//! | [`authz`] | what other proxies ask: whether a request may go on |
//! | [`principal`] | who asks: a set of scope maps, however they showed it |
//! | [`identity`] | identities from OpenID providers, and what their claims are bound to |
//! | [`lifetimes`] | how long tokens last |
//! | [`client_id`] | the names of service principals |
//! | [`password`] | generated passwords |
//! | [`issue`] | claims, signed and verified |
//! | [`upkeep`] | looking after the keys while the server runs |
//! | [`keys`] | the keys that sign, and who signs when |
//! | [`policy`] | what the server knows, as a snapshot that requests read |
//! | [`management`] | changing what the server knows, in the shape of Azure Resource Manager |
//! | [`edit`] | what may be changed, and what a change means for tokens already issued |
//! | [`bundle`] | what the edge is told: compiled scope maps and ended tokens, signed |
//! | [`signed`] | documents that are signed once a minute |
//! | [`store`] | what the server knows, in SQLite or PostgreSQL |
//! | [`watch`] | keeping the snapshot as new as the database |
//! | [`remember`] | where service principals were right lately, kept in the database |
//! | [`seed`] | scope maps and principals from a file |
//! | [`doctor`] | why a registry refuses a token |
//! | [`config`] | the configuration: file, environment, flags |
//! | [`data_folder`] | who may write what is kept |
//! | [`playground`] | the page at `/` |
//! | [`serve`](mod@serve) | listening, with or without TLS, within bounds, until the end |
//! | [`tls`] | the certificate, read again when it changes |
//! | [`guard`] | how often, how much and how long a client may ask |
//! | [`gateways`] | whether a request comes from a gateway of ours, and so for a client |
//! | [`negotiate`] | what a client has already, and what it takes |
//! | [`answer`] | JSON that nobody may keep, and refusals |
//! | [`headers`] | the headers of every answer |
//! | [`context`] | where a request comes from, and the id that names it |
//! | [`health`] | whether the server lives, and whether it can issue tokens |
//! | [`telemetry`] | logs, metrics, traces |
//! | [`error`] | refusals, and their one mapping to status codes |
//!
//! No request for a token waits for the database: it reads the snapshot.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod answer;
pub mod app;
pub mod authority;
pub mod authorization;
pub mod authz;
pub mod bundle;
pub mod client_id;
pub mod clock;
pub mod config;
pub mod context;
pub mod data_folder;
pub mod decision;
pub mod doctor;
pub mod edit;
pub mod error;
pub mod gateways;
pub mod guard;
pub mod headers;
pub mod health;
pub mod identity;
pub mod issue;
pub mod keys;
pub mod lifetimes;
pub mod management;
pub mod negotiate;
pub mod oauth;
pub mod password;
#[cfg_attr(not(feature = "playground"), path = "playground/absent.rs")]
pub mod playground;
pub mod policy;
pub mod principal;
pub mod reason;
pub mod remember;
pub mod routes;
pub mod seed;
pub mod serve;
pub mod signed;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod upkeep;
pub mod watch;

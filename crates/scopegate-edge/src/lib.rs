//! What every enforcement point decides about a token, once.
//!
//! A gateway, a filter, a Worker, `/authz` and the playground ask the same questions in the same
//! order: which token does the request present, which key has to have signed it, are its claims
//! accepted, was it revoked, what does it open. The answers are here, so that no two of them can
//! differ. A host brings what only a host has: the bytes, the time, and the verdict on a signature.
//!
//! | module | holds |
//! |---|---|
//! | [`bearer`] | the token in an `Authorization` |
//! | [`jws`] | a signed text, taken apart |
//! | [`jwks`] | which keys of a published set verify, and with which algorithm |
//! | [`accept`](mod@accept) | whether claims are accepted, or why not |
//! | [`revocation`] | the revocation feed, and what it says of a token |
//! | [`policy`] | the policy bundle, and what it gives the holder of a token |
//! | [`status`] | whether a token is active, and how fresh the knowledge of that has to be |
//! | [`catalog`] | who may list the repositories |
//! | [`decide`] | the whole decision about one request |
//! | [`answer`] | the answers that are the same everywhere |
//! | [`json`] | JSON, read strictly |
//! | [`target`] | the target of a request as it may stand in a log |
//! | [`abi`] | the same answers at the boundary of the WebAssembly module |
//!
//! Left out: input and output, the clock, randomness, cryptography, and caches. How often a feed is
//! fetched and for how long a verified token is remembered is the host's.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::todo,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

extern crate alloc;

pub mod abi;
pub mod accept;
pub mod answer;
pub mod bearer;
pub mod catalog;
pub mod decide;
pub mod json;
pub mod jwks;
pub mod jws;
pub mod policy;
pub mod revocation;
pub mod status;
pub mod target;

pub use accept::{AcceptError, Epoch, Expected, accept};
pub use decide::{Checked, Decision, Edge};
pub use status::{Freshness, Stale, StatusSource, TokenStatus};

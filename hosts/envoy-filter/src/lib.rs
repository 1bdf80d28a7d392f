//! The engine as an HTTP filter of Envoy.
//!
//! Envoy's own `jwt_authn` stands before it and verifies the token: its signature, issuer, audience and time. What it verified it leaves in
//! the request's metadata, where no client can write. The filter reads that, has the engine decide about the whole request, and sends on the
//! canonical target or answers.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration, refused as a whole when anything in it is wrong |
//! | [`payload`] | the verified claims, as Envoy gives them |
//! | [`decision`] | what becomes of a request |
//! | [`revocation`] | which tokens are not good any more |
//! | `filter` | all of it, behind Envoy's boundary; in the module alone |
//!
//! Nothing here panics, and nothing grows with time: a filter that traps takes a worker's traffic with it. Whatever is not known or cannot be
//! read lets nothing through.
//!
//! Left out: names and passwords, for which Envoy would have to ask the token server about each request (`ext_authz` and `/authz` do that);
//! signatures; pages of lists, which go on as the registry gives them.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::todo,
        clippy::unreachable
    )
)]

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static MEMORY: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

pub mod config;
pub mod decision;
#[cfg(target_arch = "wasm32")]
mod filter;
pub mod payload;
pub mod revocation;

//! The engine as an HTTP filter of Envoy.
//!
//! It has `scopegate-edge` decide about the whole request, and sends on the canonical target or
//! answers. A token's signature Envoy verifies, in one of two ways: with `keys` the filter asks it
//! about each token once; without, `jwt_authn` is before the filter in the chain, and leaves what
//! it verified in the request's metadata, where no client can write.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration, refused as a whole when anything in it is wrong |
//! | [`token`] | tokens, verified once and remembered |
//! | [`keys`] | the issuer's public keys, as Envoy wants them |
//! | [`signature`] | the question whether a signature is good, and the answer |
//! | [`der`] | the form of keys and signatures in that question |
//! | [`payload`] | the claims of a token that `jwt_authn` has verified |
//! | [`serialized_map`] | maps and lists as Envoy gives them |
//! | [`decision`] | what becomes of a request |
//! | [`revocation`] | what the revocation feed has said |
//! | `filter` | what Envoy calls; in the module alone |
//! | `host` | what Envoy does for it; in the module alone |
//!
//! Nothing here panics, and nothing grows with time: a filter that traps takes a worker's traffic
//! with it. Whatever is not known or cannot be read lets nothing through.
//!
//! Left out: names and passwords, for which Envoy would have to ask the token server about each
//! request (`ext_authz` and `/authz` do that); the mathematics of signatures, which is Envoy's;
//! pages of lists, which go on as the registry gives them.

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "what Envoy calls is in the module alone")
)]

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static MEMORY: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

mod config;
mod decision;
mod der;
#[cfg(target_arch = "wasm32")]
mod filter;
#[cfg(target_arch = "wasm32")]
mod host;
mod keys;
mod payload;
mod revocation;
mod serialized_map;
mod signature;
mod token;

//! The engine for JavaScript: the core, the documents of the api and the rules of every enforcement
//! point, behind wasm-bindgen.
//!
//! `cargo xtask bindgen` makes the npm package `scopegate` of it. In a browser and in Node the same
//! functions answer, and they are those of the token server: there is no second parser of scopes,
//! rules, names, paths or challenges on the JavaScript side.
//!
//! ```js
//! import { Principal } from "scopegate";
//!
//! const principal = new Principal();
//! principal.add("MyScopeMap", ["repositories/samples/hello-world/content/write"]);
//! principal.explain("repository:samples/nginx:push")[0].text;
//! // can't push to `samples/nginx`: no rule covers it; closest rule: `samples/hello-world`
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `acceptance` | whether a verifier accepts the claims of a token |
//! | `principal` | some scope maps, and everything that is asked about them |
//! | `request` | what HTTP requests need, challenges, scopes and references, read and written |
//! | `document` | scope maps and assertions in values that a library has parsed |
//! | `value` | values for JavaScript, and positions as it counts them |
//!
//! Each value that is given is one of the types in `types.d.ts`, which a test writes from the Rust
//! types. What is refused is thrown as a `Problem`, or as a `DocumentProblem` for a document.
//! Positions are in UTF-16 units, as JavaScript counts.
//!
//! Left out: the syntax of JSON and YAML, for which JavaScript has libraries; signing; and the
//! clock, which the caller brings.

use wasm_bindgen::prelude::wasm_bindgen;

pub mod acceptance;
pub mod document;
pub mod principal;
pub mod request;
#[cfg(test)]
mod types;
mod value;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static MEMORY: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("../types.d.ts");

/// The version of the engine.
#[must_use]
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}

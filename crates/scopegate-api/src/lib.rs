//! The documents that travel, as types: what hosts say to clients, to each other, and to people's
//! files.
//!
//! | module | holds |
//! |---|---|
//! | [`abi`] | what crosses the boundary of the WebAssembly module |
//! | [`access`] | access entries, as they stand in a token and in a decision |
//! | [`analysis`] | findings about a map, and differences between two |
//! | [`bundle`] | policy for the edge: compiled scope maps, who has which, which tokens have ended |
//! | [`challenge`] | a challenge, read |
//! | [`claims`] | the claims of access and refresh tokens |
//! | [`value`] | a document as a tree, whatever its syntax was |
//! | [`token`] | the answer of a token endpoint |
//! | [`errors`] | a registry's error body |
//! | [`decision`] | a decision as data: granted, denied, invalid |
//! | [`explanation`] | an explanation as data |
//! | [`generations`] | which tokens are not good any more |
//! | [`problem`] | what is wrong with a text, where, and what would be right |
//! | [`mod@reference`] | the reference of an image, read |
//! | [`route`] | what an HTTP request needs |
//! | [`scope_map`] | scope maps as `az`, ARM and people write them |
//! | [`settings`] | settings that every host has, by their names |
//! | [`assertion`] | files of assertions about scope maps |
//!
//! Where we are the reader of our own format, an unknown field is an error; where others write, it
//! is tolerated. A core type whose natural form is a string of its own (a scope, a pattern) crosses
//! as that string.
//!
//! Left out: rules. Where a document is decided by, the core decides.

#![cfg_attr(not(feature = "typescript"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod abi;
pub mod access;
pub mod analysis;
pub mod assertion;
pub mod bundle;
pub mod challenge;
#[cfg(feature = "documents")]
mod changes;
pub mod claims;
pub mod decision;
mod document;
pub mod errors;
pub mod explanation;
pub mod generations;
pub mod problem;
pub mod reference;
mod resource_kind;
mod resources;
pub mod route;
pub mod scope_map;
pub mod settings;
#[cfg(feature = "documents")]
mod syntax;
pub mod token;
pub mod value;

pub use document::DocumentError;

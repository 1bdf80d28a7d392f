//! The registry-scope engine: what a token may do, and why.
//!
//! A container registry's client asks for *scopes* (`repository:samples/nginx:pull,push`). A
//! token's owner wrote *scope maps* (`repositories/samples/*/content/read`). This crate parses
//! both, decides, explains the decision, and knows which scopes an HTTP request needs. No other
//! part of the project decides any of that.
//!
//! ```
//! use scopegate_core::{Scope, ScopeMap, Settings, Table, decide};
//!
//! let map = ScopeMap::parse(["repositories/samples/*/content/read"])?;
//! let table = Table::compile([&map])?;
//! let scope = Scope::parse("repository:samples/nginx:pull,push")?;
//! let decision = decide([&table], &scope, &Settings::default());
//! assert_eq!(decision.granted.to_string(), "pull");
//! assert_eq!(decision.denied.to_string(), "push");
//! # Ok::<(), scopegate_core::Error>(())
//! ```
//!
//! One module per word of the domain, in the order in which a request meets them:
//!
//! | module | holds |
//! |---|---|
//! | [`name`] | repository names: the distribution reference grammar |
//! | [`action`] | the actions of a token, the permissions of a scope map, and the mapping between the two |
//! | [`access`] | some actions on one resource: the form of scopes, claims and requirements |
//! | [`scope`] | requested scopes: parse, print, merge |
//! | [`pattern`] | what a rule covers: an exact name, `prefix/*`, or `*` |
//! | [`scope_map`] | rules as people write them; the system-defined maps and the roles |
//! | [`table`] | the compiled form of rules: a flat byte blob, checked once, read in place |
//! | [`decide`](mod@decide) | request × table → granted and denied actions |
//! | [`explain`](mod@explain) | the same decision with its reasons, the near misses, and the smallest edits |
//! | [`claims`](mod@claims) | the access entries of a token |
//! | [`mod@reference`] | references of images: registry, repository, tag, digest |
//! | [`route`](mod@route) | method + path + query → the scopes that an HTTP request needs |
//! | [`challenge`] | `WWW-Authenticate` and the 401 body |
//! | [`verify`](mod@verify) | access entries × required scopes → allowed, or what is missing |
//! | [`headers`] | which header fields of a request and of its answer are sent on |
//! | [`admission`] | a request at the edge: forwarded as what, or answered how |
//! | [`analysis`] | exact reasoning on maps: lint, subset, difference |
//!
//! Two private modules are no words of the domain: `lean` holds what the standard library would do
//! larger or slower in a WebAssembly module, and `fast_path` parses texts of the usual forms.
//!
//! What is absent, on purpose: input and output, the clock, randomness, cryptography, and any way
//! to panic. Time and keys are the hosts' business; all input is untrusted.
//!
//! # Invariants
//!
//! Each of these is a property test in the project's `tests` package.
//!
//! - No input makes the core panic.
//! - Parsing and then printing canonical text gives the same text.
//! - Adding a rule never removes access; the order of rules never matters; no rule means no access.
//! - A claim never holds an action that was not requested.
//! - `explain` and `decide` always agree; every edit that `explain` suggests flips the decision,
//!   and no smaller one does.
//! - The compiled table equals the naive union over the rules.
//! - A request that is sent on needs, read in any way that a registry reads it, no more than was
//!   decided.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

extern crate alloc;

pub mod access;
pub mod action;
pub mod admission;
pub mod analysis;
pub mod challenge;
pub mod claims;
pub mod decide;
mod error;
pub mod explain;
mod fast_path;
pub mod headers;
mod lean;
pub mod name;
pub mod pattern;
pub mod reference;
pub mod route;
pub mod scope;
pub mod scope_map;
pub mod table;
pub mod verify;

pub use access::{Access, RequiredScope, ResourceType};
pub use action::{Action, ActionList, ActionSet, Permission};
pub use admission::admit;
pub use claims::claims;
pub use decide::{Catalog, Decision, Settings, decide, decide_bytes, decide_text};
pub use error::{Error, ErrorKind};
pub use explain::explain;
pub use name::RepositoryName;
pub use pattern::Pattern;
pub use route::route;
pub use scope::{ResourceName, Scope, ScopeList};
pub use scope_map::{Role, Rule, ScopeMap};
pub use table::Table;
pub use verify::verify;

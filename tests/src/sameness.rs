//! A million cases, and what the engine says to each: every host has to say the same.
//!
//! [`cases`] makes them from a seed, the same ones on every machine. [`answers`] is what a host
//! writes down for each, as lines; a host's whole stream of lines is compared by its SHA-256. The
//! cases travel to hosts in other languages as JSON, a group a line.
//!
//! Left out: whether an answer is right. The invariants and the corpus say that.

pub mod answers;
pub mod cases;

pub use answers::{Digest, Native};
pub use cases::{Case, Credential, Group, groups};

/// How many cases there are.
pub const CASES: usize = 1_000_000;

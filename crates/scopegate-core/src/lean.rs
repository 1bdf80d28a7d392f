//! Small helpers that know nothing of the domain: what the standard library would do larger or
//! slower in a WebAssembly module.
//!
//! | module | holds |
//! |---|---|
//! | [`swar`] | comparing and searching eight bytes at a time (SIMD within a register) |
//! | [`text`] | cutting text at an ASCII character |
//! | [`hash`] | the seeded hash of names |
//! | [`sort`] | one stable sort for all kinds of things |
//!
//! Left out: anything that knows what a text means.

pub(crate) mod hash;
pub(crate) mod sort;
pub(crate) mod swar;
pub(crate) mod text;

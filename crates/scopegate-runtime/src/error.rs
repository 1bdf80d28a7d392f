//! What can go wrong between a host and the engine.

use std::fmt;

use scopegate_api::abi::Failure;

/// Why a call gave no answer. A call that gives none grants nothing.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The engine refused what it was given.
    Refused(Failure),
    /// All instances are at work. Nothing waits; the host decides whether to try again.
    Busy,
    /// The instance trapped, and was thrown away.
    Trap(wasmtime::Error),
    /// The module is not an engine of this boundary's version.
    Module(wasmtime::Error),
    /// A header field that cannot stand in one line.
    Header,
    /// The engine answered what the boundary does not allow.
    Protocol(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(failure) => write!(f, "{failure}"),
            Self::Busy => f.write_str("all engine instances are at work"),
            Self::Trap(error) => write!(f, "the engine trapped: {error}"),
            Self::Module(error) => write!(f, "not an engine module: {error:#}"),
            Self::Header => f.write_str("a header field of two lines"),
            Self::Protocol(what) => write!(f, "the engine broke its protocol: {what}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

impl From<scopegate_core::Error> for Error {
    fn from(error: scopegate_core::Error) -> Self {
        Self::Refused(Failure::Refused(error))
    }
}

//! A refusal as data: what is wrong with a text, where, and what would be right.

use scopegate_core::Error;
use serde::Serialize;

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Problem {
    /// The stable name of the kind of error.
    pub code: &'static str,
    /// What is wrong, in a few words.
    pub message: &'static str,
    /// What would be right.
    pub hint: &'static str,
    /// The first offending place, in the unit in which the reader counts: bytes, unless it says
    /// otherwise.
    pub position: usize,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let (kind, position) = (error.kind(), error.position());
        Self { code: kind.code(), message: kind.message(), hint: kind.hint(), position }
    }
}

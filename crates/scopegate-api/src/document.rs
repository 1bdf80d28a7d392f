//! Why a document is not what was expected.

use alloc::borrow::ToOwned;
use alloc::string::String;
#[cfg(feature = "documents")]
use alloc::string::ToString;
use core::fmt;

#[cfg(feature = "documents")]
use scopegate_core::Error;
use serde::Serialize;

/// Why a text is not the document that was expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(rename = "DocumentProblem"))]
pub struct DocumentError {
    /// Where in the document: `actions[3]`, or nothing when the text as a whole could not be read.
    pub path: String,
    /// The value that is wrong, when it is one value.
    pub value: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
    /// The first offending byte of the value.
    pub position: usize,
}

impl DocumentError {
    /// A value that the engine refuses.
    #[cfg(feature = "documents")]
    pub(crate) fn refused(path: impl Into<String>, value: &str, error: Error) -> Self {
        Self {
            path: path.into(),
            value: Some(value.to_owned()),
            message: error.to_string(),
            hint: Some(error.kind().hint().to_owned()),
            position: error.position(),
        }
    }

    /// A part that is not what should stand there.
    pub(crate) fn at(path: &str, message: &str, hint: &str) -> Self {
        let hint = Some(hint.to_owned());
        Self { path: path.to_owned(), hint, ..Self::unreadable(message) }
    }

    /// A plan of Terraform instead of a scope map.
    pub(crate) fn plan() -> Self {
        Self::at(
            "",
            "a plan of Terraform, which has the rules of before and of after",
            "give what `terraform show -json` prints when the plan is applied, or the scope map as `az` shows it",
        )
    }

    /// A text that cannot be read at all, or lacks something.
    #[must_use]
    pub fn unreadable(message: impl Into<String>) -> Self {
        Self { path: String::new(), value: None, message: message.into(), hint: None, position: 0 }
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.value {
            Some(value) => write!(f, " at byte {} of `{value}`", self.position),
            None => Ok(()),
        }
    }
}

impl core::error::Error for DocumentError {}

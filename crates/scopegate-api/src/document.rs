//! Why a document is not what was expected; and text to document: JSON where it looks like JSON,
//! YAML otherwise.
//!
//! Reading text is behind the feature `documents`. Whoever reads JSON and YAML by other means, as a
//! browser does, gives values instead.

use alloc::borrow::ToOwned;
use alloc::string::String;
#[cfg(feature = "documents")]
use alloc::string::ToString;
use core::fmt;

#[cfg(feature = "documents")]
use scopegate_core::Error;
use serde::Serialize;

#[cfg(feature = "documents")]
pub(crate) use text::read;

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

/// Reading text.
#[cfg(feature = "documents")]
mod text {
    use alloc::format;
    use alloc::string::ToString;

    use serde::de::{Deserialize, DeserializeSeed as _, Deserializer};
    use serde_saphyr::UserMessageFormatter;

    use super::DocumentError;
    use crate::value::{Tree, Value};

    /// The most bytes of a document; the largest scope map that a registry accepts has a fraction
    /// of it.
    const MAX_BYTES: usize = 4 << 20;

    /// Reads a document that may be JSON or YAML.
    ///
    /// A text that begins like JSON and is not JSON is tried as YAML, whose flow style begins
    /// alike; when that fails too, the JSON error is the one to show.
    pub(crate) fn read(text: &str) -> Result<Value<'_>, DocumentError> {
        if text.len() > MAX_BYTES {
            return Err(DocumentError::unreadable(format!("more than {MAX_BYTES} bytes")));
        }
        if !text.trim_start().starts_with(['{', '[']) {
            return read_yaml(text);
        }
        let error = match serde_json::from_str(text) {
            Ok(Document(value)) => return Ok(value),
            Err(error) => error,
        };
        let json_error = DocumentError::unreadable(error.to_string());
        if error.is_data() {
            return Err(json_error);
        }
        read_yaml(text).map_err(|_| json_error)
    }

    /// A whole text, made a tree.
    struct Document<'t>(Value<'t>);

    impl<'de> Deserialize<'de> for Document<'de> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Tree::ROOT.deserialize(deserializer).map(Self)
        }
    }

    fn read_yaml(text: &str) -> Result<Value<'_>, DocumentError> {
        serde_saphyr::from_str(text).map(|Document(value)| value).map_err(|error| {
            // The default is for developers: it shows a piece of the document and names functions
            // of the library.
            let error = error.without_snippet().render_with_formatter(&UserMessageFormatter);
            DocumentError::unreadable(error)
        })
    }
}

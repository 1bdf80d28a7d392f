//! Text to document: JSON where it looks like JSON, YAML otherwise.
//!
//! Left out: hosts that read JSON and YAML by other means, as a browser does, and give values.

use alloc::format;
use alloc::string::ToString;

use serde::de::{Deserialize, DeserializeSeed as _, Deserializer};
use serde_saphyr::UserMessageFormatter;

use crate::document::DocumentError;
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

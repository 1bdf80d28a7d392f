//! A registry's error body.
//!
//! Follows <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes>:
//! `{"errors":[{"code":…,"message":…,"detail":…}]}`. The detail is data of any shape; a 401 of
//! Azure Container Registry lists what is missing.
//!
//! Others write these too, so unknown fields are tolerated.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A registry's error body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryErrors {
    /// The errors, nearly always one.
    pub errors: Vec<RegistryError>,
}

/// One error of a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryError {
    /// The code of the specification, `UNAUTHORIZED` for example.
    pub code: String,
    /// What happened, for people.
    #[serde(default)]
    pub message: String,
    /// More about it.
    #[serde(default)]
    pub detail: Value,
}

/// What a 401 says is missing. Both spellings of the keys are read; the capitalised one is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingAccess {
    /// What kind of thing.
    #[serde(rename = "Type", alias = "type")]
    pub resource_type: String,
    /// Its name.
    #[serde(rename = "Name", alias = "name")]
    pub name: String,
    /// The action.
    #[serde(rename = "Action", alias = "action")]
    pub action: String,
}

impl RegistryErrors {
    /// A body with one error.
    #[must_use]
    pub fn one(code: &str, message: &str) -> Self {
        let error =
            RegistryError { code: code.into(), message: message.into(), detail: Value::Null };
        Self { errors: [error].into() }
    }
}

impl RegistryError {
    /// The missing access that the detail lists; nothing when it lists none.
    ///
    /// ```
    /// use scopegate_api::errors::RegistryErrors;
    ///
    /// let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required",
    ///     "detail":[{"Type":"repository","Name":"app","Action":"metadata_read"}]}]}"#;
    /// let errors: RegistryErrors = serde_json::from_str(body)?;
    /// assert_eq!(errors.errors[0].missing_access()[0].action, "metadata_read");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn missing_access(&self) -> Vec<MissingAccess> {
        serde_json::from_value(self.detail.clone()).unwrap_or_default()
    }
}

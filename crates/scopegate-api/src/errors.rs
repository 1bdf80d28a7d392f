//! A registry's error body.
//!
//! Follows <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes>:
//! `{"errors":[{"code":…,"message":…,"detail":…}]}`. The detail is data of any shape.
//!
//! Left out: what is in a detail.
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

impl RegistryErrors {
    /// A body with one error.
    #[must_use]
    pub fn one(code: &str, message: &str) -> Self {
        let error =
            RegistryError { code: code.into(), message: message.into(), detail: Value::Null };
        Self { errors: [error].into() }
    }
}

//! The reference of an image, read: where it is, and what of it is meant.

use alloc::borrow::ToOwned;
use alloc::string::String;

use scopegate_core::reference::Reference as CoreReference;
use serde::Serialize;

/// The reference of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Reference {
    /// The host of the registry, with its port, when the reference names one.
    pub registry: Option<String>,
    /// The repository.
    pub repository: String,
    /// The tag.
    pub tag: Option<String>,
    /// The digest.
    pub digest: Option<String>,
}

impl From<CoreReference<'_>> for Reference {
    fn from(reference: CoreReference<'_>) -> Self {
        Self {
            registry: reference.registry.map(ToOwned::to_owned),
            repository: reference.repository.as_str().to_owned(),
            tag: reference.tag.map(ToOwned::to_owned),
            digest: reference.digest.map(ToOwned::to_owned),
        }
    }
}

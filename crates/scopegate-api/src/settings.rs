//! Settings that every host has, read from its configuration by the names that the documents give
//! them.
//!
//! For `#[serde(deserialize_with = …)]`: the core has the words and knows no serde.
//!
//! Left out: the token server's, which come from the environment and flags too, and tell more of
//! what was expected.

use alloc::format;
use alloc::string::String;

use scopegate_core::route::{Profile, Untag};
use serde::{Deserialize, Deserializer, de};

/// Whose rules hold where registries differ: `acr` or `distribution`.
///
/// # Errors
///
/// For any other text, such as `ACR`.
pub fn profile<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Profile, D::Error> {
    named(deserializer, Profile::parse, "acr, distribution")
}

/// What removing a tag needs: `delete` or `metadata-write`.
///
/// # Errors
///
/// For any other text, such as `push`.
pub fn untag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Untag, D::Error> {
    named(deserializer, Untag::parse, "delete, metadata-write")
}

/// A value by its name; the error for another name lists the names that there are.
///
/// ```
/// # use scopegate_api::settings::named;
/// # use scopegate_core::Catalog;
/// let read = |json| named(&mut serde_json::Deserializer::from_str(json), Catalog::parse, "root, never");
/// assert_eq!(read(r#""never""#).unwrap(), Catalog::Never);
/// assert!(read(r#""all""#).unwrap_err().to_string().starts_with("`all` is not one of root, never"));
/// ```
///
/// # Errors
///
/// When the value is no text, and when `parse` does not know it.
pub fn named<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    parse: fn(&str) -> Option<T>,
    names: &str,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| de::Error::custom(format!("`{text}` is not one of {names}")))
}

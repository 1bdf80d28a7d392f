//! Access entries, as they stand in a token and in a decision.
//!
//! Follows <https://github.com/distribution/distribution/blob/main/docs/content/spec/auth/jwt.md>.
//! Written in lower case, which is what `az acr check-health` reads, and read so: keys with
//! capitals, which distribution took until 2.8, are no entry for any host.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use scopegate_core::claims::{AccessEntry as CoreEntry, DeniedEntry};
use scopegate_core::verify::Grant;
use scopegate_core::{ActionList, ResourceType};
use serde::{Deserialize, Serialize};

/// What a token may do with one resource.
///
/// ```
/// use scopegate_api::access::AccessEntry;
///
/// let entry: AccessEntry = serde_json::from_str(r#"{"type":"repository","name":"app","actions":["pull"]}"#)?;
/// assert_eq!(entry.to_string(), "repository:app:pull");
/// let capitals = r#"{"Type":"repository","Name":"app","Actions":["pull"]}"#;
/// assert!(serde_json::from_str::<AccessEntry>(capitals).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct AccessEntry {
    /// `repository`, `registry` or `artifact-repository`.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// The name of the resource.
    pub name: String,
    /// The actions, in the order in which they were asked for.
    #[serde(default)]
    pub actions: Vec<String>,
}

impl AccessEntry {
    /// The entry as the engine checks it; `None` for a type that nobody knows.
    #[must_use]
    pub fn grant(&self) -> Option<Grant<'_>> {
        Grant::parse(&self.resource_type, &self.name, self.actions.iter().map(String::as_str))
    }

    fn new(resource_type: ResourceType, name: &str, known: ActionList, unknown: &[&str]) -> Self {
        let mut actions: Vec<String> =
            known.iter().map(|action| action.as_str().to_owned()).collect();
        actions.extend(unknown.iter().map(|word| (*word).to_owned()));
        Self { resource_type: resource_type.as_str().to_owned(), name: name.to_owned(), actions }
    }
}

impl From<&CoreEntry<'_>> for AccessEntry {
    fn from(entry: &CoreEntry<'_>) -> Self {
        Self::new(entry.resource_type, entry.name.as_str(), entry.actions, &[])
    }
}

impl From<&DeniedEntry<'_>> for AccessEntry {
    fn from(entry: &DeniedEntry<'_>) -> Self {
        Self::new(
            entry.resource_type,
            entry.name.as_str(),
            entry.actions.known,
            &entry.actions.unknown,
        )
    }
}

/// The scope that asks for exactly this entry: `repository:app:pull,push`.
impl core::fmt::Display for AccessEntry {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}:{}:{}", self.resource_type, self.name, self.actions.join(","))
    }
}

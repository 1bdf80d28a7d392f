//! Access entries, as they are in a token and in a decision.
//!
//! The only such type beside [`scopegate_core::Access`]. The core's types are not serialised, and
//! this one keeps what the core drops when it reads an entry: types and actions that it does not
//! know, and the order of the actions.
//!
//! Follows <https://github.com/distribution/distribution/blob/main/docs/content/spec/auth/jwt.md>.
//! Written in lower case, which is what `az acr check-health` reads, and read so: keys with
//! capitals, which distribution took until 2.8, are no entry for any host.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use scopegate_core::claims::{AccessEntry as CoreEntry, DeniedEntry};
use scopegate_core::verify::Grant;
use scopegate_core::{Access, ActionList, ResourceName};
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
    /// The entry as the engine checks it; `None` for an unknown type.
    #[must_use]
    pub fn grant(&self) -> Option<Grant<'_>> {
        Grant::parse(&self.resource_type, &self.name, self.actions.iter().map(String::as_str))
    }

    /// Whether both are about one resource: a name is literal, and `*` no pattern.
    pub(crate) fn is_on_resource_of(&self, other: &Self) -> bool {
        self.resource_type == other.resource_type && self.name == other.name
    }

    fn new<A>(access: &Access<ResourceName<'_>, A>, known: ActionList, unknown: &[&str]) -> Self {
        let mut actions: Vec<String> =
            known.iter().map(|action| action.as_str().to_owned()).collect();
        actions.extend(unknown.iter().copied().map(ToOwned::to_owned));
        let (resource_type, name) = (access.resource_type.as_str(), access.name.as_str());
        Self { resource_type: resource_type.to_owned(), name: name.to_owned(), actions }
    }
}

impl From<&CoreEntry<'_>> for AccessEntry {
    fn from(entry: &CoreEntry<'_>) -> Self {
        Self::new(entry, entry.actions, &[])
    }
}

impl From<&DeniedEntry<'_>> for AccessEntry {
    fn from(entry: &DeniedEntry<'_>) -> Self {
        Self::new(entry, entry.actions.known, &entry.actions.unknown)
    }
}

/// The scope that asks for exactly this entry: `repository:app:pull,push`.
impl core::fmt::Display for AccessEntry {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}:{}:{}", self.resource_type, self.name, self.actions.join(","))
    }
}

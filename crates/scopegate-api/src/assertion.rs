//! Files of assertions about scope maps, which `scopegate test` runs and the playground imports and exports.
//!
//! ```yaml
//! scopeMaps:
//!   - maps/ci.json                 # a file beside this one, in any form that a scope map has
//!   - name: inline-map             # or the map itself
//!     actions: [repositories/samples/*/content/read]
//! catalog: root                    # root (default), never or filtered
//! assertions:
//!   - allow: repository:samples/nginx:pull
//!     why: the cluster pulls from here
//!   - deny: repository:samples/nginx:push
//! ```
//!
//! `allow` holds when every action of the scope is granted, `deny` when none is. This format is ours, so an unknown field is an error.

use alloc::string::String;
use alloc::vec::Vec;

use core::fmt::Display;

use scopegate_core::Catalog;
use serde::{Deserialize, Deserializer, Serialize};

use crate::document::DocumentError;

/// A file of assertions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AssertionFile {
    /// The maps of one principal; what one of them grants is granted.
    pub scope_maps: Vec<ScopeMapSource>,
    /// Who may list repositories.
    #[serde(default)]
    pub catalog: CatalogSetting,
    /// What must hold.
    pub assertions: Vec<Assertion>,
}

/// Where a scope map is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(untagged, expecting = "neither the path of a scope map nor a map with `actions`")]
pub enum ScopeMapSource {
    /// In a file, named from the folder of the assertion file.
    Path(String),
    /// Right here.
    Inline(InlineScopeMap),
}

/// A scope map inside an assertion file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct InlineScopeMap {
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub name: Option<String>,
    /// The action strings.
    pub actions: Vec<String>,
}

/// One assertion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// A scope of which every action must be granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub allow: Option<String>,
    /// A scope of which no action may be granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub deny: Option<String>,
    /// Why it matters, shown when it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub why: Option<String>,
}

/// What an assertion demands of which scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand<'a> {
    /// Every action is granted.
    Allow(&'a str),
    /// No action is granted.
    Deny(&'a str),
}

/// The [`Catalog`] setting by its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(rename = "Catalog"))]
#[serde(rename_all = "lowercase")]
pub enum CatalogSetting {
    /// [`Catalog::Root`]
    #[default]
    Root,
    /// [`Catalog::Never`]
    Never,
    /// [`Catalog::Filtered`]
    Filtered,
}

impl From<CatalogSetting> for Catalog {
    fn from(setting: CatalogSetting) -> Self {
        match setting {
            CatalogSetting::Root => Self::Root,
            CatalogSetting::Never => Self::Never,
            CatalogSetting::Filtered => Self::Filtered,
        }
    }
}

impl AssertionFile {
    /// Reads a file of assertions, JSON or YAML.
    ///
    /// ```
    /// use scopegate_api::assertion::{AssertionFile, Demand};
    ///
    /// let file = AssertionFile::read("scopeMaps: [map.json]\nassertions:\n  - deny: repository:a:push\n")?;
    /// assert_eq!(file.assertions[0].demand(), Some(Demand::Deny("repository:a:push")));
    /// # Ok::<(), scopegate_api::DocumentError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the text is neither JSON nor YAML, has a field that is unknown or lacks one, or an assertion has not exactly one of
    /// `allow` and `deny`.
    #[cfg(feature = "documents")]
    pub fn read(text: &str) -> Result<Self, DocumentError> {
        crate::document::read::<Self>(text)?.checked()
    }

    /// Reads a file of assertions that a library has parsed already.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read), but for the syntax.
    pub fn from_value<'de, D: Deserializer<'de>>(value: D) -> Result<Self, DocumentError>
    where
        D::Error: Display,
    {
        Self::deserialize(value).map_err(DocumentError::from_reader)?.checked()
    }

    fn checked(self) -> Result<Self, DocumentError> {
        match self.assertions.iter().position(|assertion| assertion.demand().is_none()) {
            None => Ok(self),
            Some(index) => Err(DocumentError {
                path: alloc::format!("assertions[{index}]"),
                hint: Some("write one of `allow` and `deny`".into()),
                ..DocumentError::unreadable("not exactly one of `allow` and `deny`")
            }),
        }
    }
}

impl Assertion {
    /// What is demanded; `None` when the assertion has not exactly one of `allow` and `deny`.
    #[must_use]
    pub fn demand(&self) -> Option<Demand<'_>> {
        match (&self.allow, &self.deny) {
            (Some(scope), None) => Some(Demand::Allow(scope)),
            (None, Some(scope)) => Some(Demand::Deny(scope)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files() {
        let text = "
scopeMaps:
  - maps/ci.json
  - name: inline-map
    actions: [repositories/samples/*/content/read]
catalog: filtered
assertions:
  - allow: repository:samples/nginx:pull
    why: the cluster pulls from here
";
        let file = AssertionFile::read(text).unwrap();
        assert_eq!(file.scope_maps.len(), 2);
        assert_eq!(Catalog::from(file.catalog), Catalog::Filtered);
        let json = serde_json::to_string(&file).unwrap();
        assert_eq!(AssertionFile::read(&json), Ok(file));
    }

    #[test]
    fn a_source_that_is_none() {
        let error = AssertionFile::read("scopeMaps: [{actions: x}]\nassertions: []").unwrap_err();
        assert_eq!(
            error.message,
            "neither the path of a scope map nor a map with `actions` at line 1, column 13"
        );
    }

    #[test]
    fn files_that_are_none() {
        for text in [
            "",
            "scopeMaps: []",
            "scopeMaps: []\nassertions: [{}]",
            "scopeMaps: []\nassertions: [{allow: a, deny: b}]",
            "scopeMaps: []\nassertions: [{permit: a}]",
            "scopeMaps: [{actions: [], colour: red}]\nassertions: []",
            "scopeMaps: []\nassertions: []\nextra: 1",
            "scopeMaps: []\nassertions: []\ncatalog: sometimes",
        ] {
            assert!(AssertionFile::read(text).is_err(), "{text}");
        }
    }
}

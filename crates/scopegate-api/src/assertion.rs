//! Files of assertions about scope maps, which `scopegate test` runs and the playground imports and
//! exports.
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
//! `allow` holds when every action of the scope is granted, `deny` when none is. This format is
//! ours, so an unknown field is an error.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use scopegate_core::Catalog;
use serde::Serialize;

use crate::document::DocumentError;
use crate::value::Value;

/// A file of assertions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct AssertionFile<'t> {
    /// The maps of one principal; what one of them grants is granted.
    pub scope_maps: Vec<ScopeMapSource<'t>>,
    /// Who may list repositories.
    pub catalog: CatalogSetting,
    /// What must hold.
    pub assertions: Vec<Assertion>,
}

/// Where a scope map is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(untagged)]
pub enum ScopeMapSource<'t> {
    /// In a file, named from the folder of the assertion file.
    Path(String),
    /// Right here.
    Inline(InlineScopeMap<'t>),
}

/// A scope map inside an assertion file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct InlineScopeMap<'t> {
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub name: Option<String>,
    /// The action strings.
    pub actions: Vec<Cow<'t, str>>,
}

/// One assertion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Assertion {
    /// A scope of which every action must be granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub allow: Option<String>,
    /// A scope of which no action may be granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub deny: Option<String>,
    /// Why it matters, shown when it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
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

impl<'t> AssertionFile<'t> {
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
    /// When the text is neither JSON nor YAML, has a field that is unknown or lacks one, or an
    /// assertion has not exactly one of `allow` and `deny`.
    #[cfg(feature = "documents")]
    pub fn read(text: &'t str) -> Result<Self, DocumentError> {
        Self::from_value(crate::syntax::read(text)?)
    }

    /// Reads a file of assertions from a tree.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read), but for the syntax.
    pub fn from_value(value: Value<'t>) -> Result<Self, DocumentError> {
        let mut fields = value.fields("")?;
        let scope_maps = each(fields.list("scopeMaps")?, "scopeMaps", ScopeMapSource::from_value)?;
        let catalog = match fields.text("catalog")? {
            Some(name) => CatalogSetting::read(&name)?,
            None => CatalogSetting::default(),
        };
        let assertions = each(fields.list("assertions")?, "assertions", Assertion::from_value)?;
        fields.end()?;
        Ok(Self { scope_maps, catalog, assertions })
    }
}

/// Each value of the list at `path`, read. A loop, because collecting results is a kilobyte of code
/// for each kind of them.
fn each<'t, T>(
    list: Vec<Value<'t>>,
    path: &str,
    read: fn(Value<'t>, &str) -> Result<T, DocumentError>,
) -> Result<Vec<T>, DocumentError> {
    let mut all = Vec::with_capacity(list.len());
    for (index, value) in list.into_iter().enumerate() {
        all.push(read(value, &format!("{path}[{index}]"))?);
    }
    Ok(all)
}

impl<'t> ScopeMapSource<'t> {
    fn from_value(value: Value<'t>, path: &str) -> Result<Self, DocumentError> {
        let mut fields = match value {
            Value::Text(file) => return Ok(Self::Path(file.into_owned())),
            value => value.fields(path)?,
        };
        let name = fields.text("name")?;
        let Some(actions) = fields.texts("actions")? else {
            let message = "not the path of a scope map, nor a map with `actions`";
            return Err(DocumentError::at(path, message, "write one of them"));
        };
        fields.end()?;
        Ok(Self::Inline(InlineScopeMap { name, actions }))
    }
}

impl CatalogSetting {
    fn read(name: &str) -> Result<Self, DocumentError> {
        match Catalog::parse(name) {
            Some(Catalog::Root) => Ok(Self::Root),
            Some(Catalog::Never) => Ok(Self::Never),
            Some(Catalog::Filtered) => Ok(Self::Filtered),
            None => Err(DocumentError::at(
                "catalog",
                "an unknown setting",
                "write `root`, `never` or `filtered`",
            )),
        }
    }
}

impl Assertion {
    fn from_value(value: Value<'_>, path: &str) -> Result<Self, DocumentError> {
        let mut fields = value.fields(path)?;
        let assertion = Self {
            allow: fields.text("allow")?,
            deny: fields.text("deny")?,
            why: fields.text("why")?,
        };
        fields.end()?;
        match assertion.demand() {
            Some(_) => Ok(assertion),
            None => Err(DocumentError::at(
                path,
                "not exactly one of `allow` and `deny`",
                "write one of `allow` and `deny`",
            )),
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
            (error.path.as_str(), error.message.as_str()),
            ("scopeMaps[0].actions", "not a list")
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

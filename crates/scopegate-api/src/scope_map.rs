//! Scope maps as `az`, ARM and people write them.
//!
//! One reader for all of these, in JSON or YAML:
//!
//! - what `az acr scope-map show -o json` prints: `{"name": …, "description": …, "actions": […]}`
//! - the ARM resource: `{"name": …, "properties": {"description": …, "actions": […]}}`
//! - a bare list of action strings
//! - lists and resources with several of these in them: [`WrittenScopeMap::read_all`]
//!
//! Others write these, so unknown fields are tolerated. A duplicate field is not: two readers could
//! disagree about it.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use scopegate_core::ScopeMap;
#[cfg(feature = "documents")]
use scopegate_core::scope_map::MapName;
use serde::Serialize;

use crate::document::DocumentError;
use crate::resource_kind::is_scope_map;
use crate::value::{Fields, Value};

/// What to give where there is no scope map.
pub(crate) const FORMS: &str = "give what `az acr scope-map show -o json` prints, an ARM template, or a list of action strings";

/// A scope map and the registry that it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeMapDocument {
    /// The map.
    pub scope_map: ScopeMap,
    /// The name of the registry, when the document has a resource id.
    pub registry: Option<String>,
}

impl ScopeMapDocument {
    /// Reads a document with one scope map in it.
    ///
    /// ```
    /// use scopegate_api::scope_map::ScopeMapDocument;
    ///
    /// let az = r#"{"name": "MyScopeMap", "actions": ["repositories/samples/*/content/read"]}"#;
    /// let arm = "name: MyScopeMap\nproperties:\n  actions: [repositories/samples/*/content/read]\n";
    /// let list = "- repositories/samples/*/content/read";
    /// let rules = |text| ScopeMapDocument::read(text).map(|document| document.scope_map.rules);
    /// assert_eq!(rules(az), rules(arm));
    /// assert_eq!(rules(az), rules(list));
    /// # Ok::<(), scopegate_api::DocumentError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the text is neither JSON nor YAML, has no scope map or several, or one of the actions
    /// is no rule; the error names which.
    #[cfg(feature = "documents")]
    pub fn read(text: &str) -> Result<Self, DocumentError> {
        let mut maps = WrittenScopeMap::read_all(text)?;
        match maps.pop() {
            Some(map) if maps.is_empty() => map.check(),
            _ => Err(DocumentError::at("", "more than one scope map", "choose one of them")),
        }
    }
}

/// A scope map as it is written: its form is read, its actions are not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct WrittenScopeMap<'t> {
    /// The name.
    pub name: Option<String>,
    /// What people wrote about it.
    pub description: String,
    /// The name of the registry, when the document has a resource id.
    pub registry: Option<String>,
    /// The action strings.
    pub actions: Vec<Cow<'t, str>>,
    /// Where in the document they stand: `actions`, `properties.actions`, `[1].actions`, or nothing
    /// when they are all of it.
    pub path: String,
}

impl<'t> WrittenScopeMap<'t> {
    /// Reads the form of the scope map that a tree is: a list of actions, or a resource. `None` for
    /// a resource of another type, and for one without actions.
    ///
    /// # Errors
    ///
    /// When the actions are no list of texts, or are there twice.
    pub fn from_value(value: Value<'t>) -> Result<Option<Self>, DocumentError> {
        if let Value::List(items) = value {
            return Self::nameless("", items).map(Some);
        }
        let resource = value.fields("")?;
        is_scope_map(&resource).then(|| Self::from_fields(resource)).transpose()
    }

    /// The map that is a list of actions at `path`.
    pub(crate) fn nameless(path: &str, items: Vec<Value<'t>>) -> Result<Self, DocumentError> {
        Ok(Self {
            name: None,
            description: String::new(),
            registry: None,
            actions: Value::List(items).texts(path)?,
            path: path.to_owned(),
        })
    }

    /// The map that a resource is: its actions stand beside its name, or among its properties.
    pub(crate) fn from_fields(mut fields: Fields<'t>) -> Result<Self, DocumentError> {
        let mut properties = match fields.take("properties") {
            Some(properties) => properties.fields(&fields.path_of("properties"))?,
            None => Fields::default(),
        };
        let (actions, path) = match (actions(&mut fields)?, actions(&mut properties)?) {
            (Some(actions), None) => (actions, fields.path_of("actions")),
            (None, Some(actions)) => (actions, properties.path_of("actions")),
            (Some(_), Some(_)) => {
                return Err(DocumentError::unreadable("both `actions` and `properties.actions`"));
            }
            (None, None) => return Err(DocumentError::at("", "no list of `actions`", FORMS)),
        };
        let description = fields.text("description")?.or(properties.text("description")?);
        let name = fields.text("name")?;
        let id = fields.text("id")?;
        let name = name.or_else(|| text_in([&fields, &properties], &NAMES));
        let (name, above) = name.map(split_name).unwrap_or_default();
        let registry = id.as_deref().and_then(registry_of);
        let registry = registry.or_else(|| text_in([&fields, &properties], &REGISTRIES)).or(above);
        Ok(Self { name, description: description.unwrap_or_default(), registry, actions, path })
    }

    /// Reads the actions and the name.
    ///
    /// # Errors
    ///
    /// When one of the actions is no rule, or the name is none; the error names which.
    #[cfg(feature = "documents")]
    pub fn check(self) -> Result<ScopeMapDocument, DocumentError> {
        let path = if self.path.is_empty() { "actions" } else { &self.path };
        let name = self
            .name
            .map(|name| MapName::parse(&name).map_err(|e| DocumentError::refused("name", &name, e)))
            .transpose()?;
        let parsed =
            ScopeMap::parse_rules(self.actions.iter().map(|text| &**text)).map_err(|invalid| {
                let path = alloc::format!("{path}[{}]", invalid.index);
                DocumentError::refused(path, invalid.text, invalid.error)
            })?;
        let scope_map = ScopeMap { name, description: self.description, ..parsed };
        Ok(ScopeMapDocument { scope_map, registry: self.registry })
    }
}

/// How tools call the name of a scope map, and that of its registry.
const NAMES: [&str; 3] = ["name", "scopeMapName", "scope_map_name"];
const REGISTRIES: [&str; 4] =
    ["registryName", "registry_name", "container_registry_name", "containerRegistryName"];

/// The first text under one of some names, in a resource or in its properties.
fn text_in(resource: [&Fields<'_>; 2], names: &[&str]) -> Option<String> {
    let mut places = resource.into_iter();
    let text = places.find_map(|fields| names.iter().find_map(|name| fields.peek_text(name)));
    text.map(ToOwned::to_owned)
}

/// The actions of a resource. A template may compute them, and what it would compute is not
/// guessed.
fn actions<'t>(fields: &mut Fields<'t>) -> Result<Option<Vec<Cow<'t, str>>>, DocumentError> {
    if fields.peek_text("actions").is_some_and(|text| text.starts_with('[')) {
        let message = "an expression of a template, which is not evaluated here";
        return Err(DocumentError::at(&fields.path_of("actions"), message, FORMS));
    }
    fields.texts("actions")
}

/// The name of a resource: its own, without those of what it is in, and the registry, where they
/// are written out.
fn split_name(name: String) -> (Option<String>, Option<String>) {
    if name.starts_with('[') {
        return (name_of_expression(&name).map(ToOwned::to_owned), None);
    }
    match name.rsplit_once('/') {
        None => (Some(name), None),
        Some((above, own)) => {
            (Some(own.to_owned()), above.split('/').next().map(ToOwned::to_owned))
        }
    }
}

/// The name in `[concat(parameters('registry'), '/name')]`, which is how templates are exported.
fn name_of_expression(expression: &str) -> Option<&str> {
    let (_, last) = expression.strip_prefix("[concat(")?.strip_suffix("')]")?.rsplit_once('\'')?;
    last.rsplit_once('/').map(|(_, name)| name)
}

/// The registry in a resource id: `…/registries/{name}/scopeMaps/…`.
fn registry_of(id: &str) -> Option<String> {
    let mut pieces = id.split('/').skip_while(|piece| !piece.eq_ignore_ascii_case("registries"));
    pieces.nth(1).filter(|name| !name.is_empty()).map(ToOwned::to_owned)
}

/// A scope map as `az acr scope-map show` prints it, for writing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScopeMapOutput {
    /// The name.
    pub name: Option<String>,
    /// What it is for.
    pub description: String,
    /// The action strings.
    pub actions: Vec<String>,
}

impl From<&ScopeMap> for ScopeMapOutput {
    fn from(map: &ScopeMap) -> Self {
        Self {
            name: map.name.as_ref().map(ToString::to_string),
            description: map.description.clone(),
            actions: map.rules.iter().map(ToString::to_string).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refuses(text: &str, expected: &str) {
        let error = ScopeMapDocument::read(text).unwrap_err();
        assert_eq!(error.to_string(), expected, "{text}");
    }

    #[test]
    fn the_output_of_az() {
        let text = r#"{
            "actions": ["repositories/samples/hello-world/content/write"],
            "creationDate": "2026-01-01T00:00:00+00:00",
            "description": "Sample scope map",
            "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/myregistry/scopeMaps/MyScopeMap",
            "name": "MyScopeMap",
            "provisioningState": "Succeeded",
            "resourceGroup": "g",
            "systemData": null,
            "type": "Microsoft.ContainerRegistry/registries/scopeMaps"
        }"#;
        let document = ScopeMapDocument::read(text).unwrap();
        assert_eq!(document.registry.as_deref(), Some("myregistry"));
        assert_eq!(document.scope_map.description, "Sample scope map");
        assert_eq!(document.scope_map.name.unwrap().as_str(), "MyScopeMap");
        assert_eq!(document.scope_map.rules.len(), 1);
    }

    #[test]
    fn one_map_in_every_form() {
        let rule = "repositories/a/content/read";
        for text in [
            r#"["repositories/a/content/read"]"#,
            "[repositories/a/content/read]",
            "- repositories/a/content/read\n",
            "# a comment\n---\n- 'repositories/a/content/read'\n",
            "actions:\n  - repositories/a/content/read\n",
            r#"{"properties":{"actions":["repositories/a/content/read"],"type":"UserDefined"}}"#,
            "{actions: [repositories/a/content/read]}",
        ] {
            let rules: Vec<_> = ScopeMapDocument::read(text)
                .unwrap()
                .scope_map
                .rules
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(rules, [rule], "{text}");
        }
        assert_eq!(ScopeMapDocument::read("[]").unwrap().scope_map.rules, []);
    }

    #[test]
    fn documents_that_are_none() {
        refuses("{}", "no list of `actions`");
        refuses(
            r#"{"actions":[],"properties":{"actions":[]}}"#,
            "both `actions` and `properties.actions`",
        );
        refuses(
            r#"["repositories/a/content/read","repositories/a*/content/read"]"#,
            "actions[1]: no slash before the `*` at byte 14 of `repositories/a*/content/read`",
        );
        refuses(
            r#"{"properties":{"actions":["oops"]}}"#,
            "properties.actions[0]: not a valid rule at byte 0 of `oops`",
        );
        refuses(
            r#"{"name":"a b","actions":[]}"#,
            "name: invalid scope map name at byte 1 of `a b`",
        );
        refuses(r#"{"actions":[],"actions":[]}"#, "duplicate field `actions` at line 1 column 27");
        refuses(r#"{"actions":[1]}"#, "actions[0]: not a text");
        refuses(r#"{"properties":[]}"#, "properties: not a map of fields");
        refuses(r#"{"properties":{"actions":{}}}"#, "properties.actions: not a list");
        refuses(
            "actions: []\n---\nactions: []\n",
            "only single YAML document expected but multiple found at line 3, column 1",
        );
        refuses("actions: [a, b", "unclosed bracket '[' at line 1, column 10");
        assert!(ScopeMapDocument::read("just words").is_err());
        assert!(ScopeMapDocument::read("").is_err());
        assert!(ScopeMapDocument::read("{").is_err());
        assert!(ScopeMapDocument::read("actions: []\nactions: []\n").is_err());
    }
}

//! Every scope map of a document, wherever in it they are.
//!
//! What `az` prints, and what describes infrastructure, has resources in lists and resources in
//! resources:
//!
//! - what `az acr scope-map list -o json` prints: a list of maps, and with `--query '[].actions'` a
//!   list of lists of actions
//! - the answer of Azure Resource Manager, as `az rest` prints it: `{"value": […]}`
//! - an ARM template: `{"resources": […]}`, where a scope map may be inside of its registry, and
//!   templates inside of deployments
//! - what `terraform show -json` prints, and the state file:
//!   `{"values": {"root_module": {"resources": […]}}}`
//! - a program of Pulumi in YAML: `{"resources": {…}}`
//!
//! Which resource is a scope map, [`is_scope_map`] alone says. Hosts that find resources by other
//! means, as the playground does, ask it by [`WrittenScopeMap::from_value`]. A resource of another
//! type is passed over: the actions of a webhook are no rules.
//!
//! Left out: expressions of a template, which are told from names and actions and never guessed;
//! and plans, which have the rules of before and after in them.

use alloc::format;
use alloc::vec::Vec;

use crate::document::DocumentError;
use crate::resource_kind::{Kind, is_scope_map};
use crate::scope_map::{FORMS, WrittenScopeMap};
use crate::value::{Fields, Value};

impl<'t> WrittenScopeMap<'t> {
    /// Reads the form of every scope map of a document, in the order of the document.
    ///
    /// ```
    /// use scopegate_api::scope_map::WrittenScopeMap;
    ///
    /// let list = r#"[{"name": "first", "actions": []}, {"name": "second", "properties": {"actions": []}}]"#;
    /// let names = WrittenScopeMap::read_all(list)?.into_iter().filter_map(|map| map.name);
    /// assert!(names.eq(["first", "second"]));
    /// # Ok::<(), scopegate_api::DocumentError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the text is neither JSON nor YAML, is a diff or a plan, or has no scope map; the error
    /// says what to give instead.
    #[cfg(feature = "documents")]
    pub fn read_all(text: &'t str) -> Result<Vec<Self>, DocumentError> {
        if let Some(change) = crate::changes::removed_line(text) {
            return Err(change);
        }
        let maps = crate::syntax::read(text).and_then(Self::all_from_value);
        maps.map_err(|error| crate::changes::named(text).unwrap_or(error))
    }

    /// Reads the form of every scope map in a tree.
    ///
    /// # Errors
    ///
    /// As for [`read_all`](Self::read_all), but for the syntax.
    pub fn all_from_value(value: Value<'t>) -> Result<Vec<Self>, DocumentError> {
        let mut found = Found { maps: Vec::new() };
        found.add("", value)?;
        if found.maps.is_empty() {
            return Err(DocumentError::at("", "no list of `actions`", FORMS));
        }
        Ok(found.maps)
    }
}

/// The maps that were found so far.
struct Found<'t> {
    maps: Vec<WrittenScopeMap<'t>>,
}

impl<'t> Found<'t> {
    fn add(&mut self, path: &str, value: Value<'t>) -> Result<(), DocumentError> {
        match value {
            Value::List(items) => self.add_list(path, items),
            Value::Map(_) => self.add_resource(value.fields(path)?),
            _ => Err(DocumentError::at(path, "not an action or a scope map", FORMS)),
        }
    }

    /// A list of actions is a map without a name; any other is a list of maps.
    fn add_list(&mut self, path: &str, items: Vec<Value<'t>>) -> Result<(), DocumentError> {
        let is_empty_map = items.is_empty() && path.is_empty();
        if is_empty_map || items.iter().any(|item| matches!(item, Value::Text(_))) {
            self.maps.push(WrittenScopeMap::nameless(path, items)?);
            return Ok(());
        }
        for (index, item) in items.into_iter().enumerate() {
            self.add(&format!("{path}[{index}]"), item)?;
        }
        Ok(())
    }

    fn add_resource(&mut self, mut resource: Fields<'t>) -> Result<(), DocumentError> {
        if resource.has("planned_values") || resource.has("resource_changes") {
            return Err(DocumentError::plan());
        }
        if is_scope_map(&resource) {
            self.maps.push(WrittenScopeMap::from_fields(resource)?);
            return Ok(());
        }
        for name in Kind::of(&resource).places() {
            let path = resource.path_of(name);
            match resource.take(name) {
                Some(Value::List(items)) => {
                    for (index, item) in items.into_iter().enumerate() {
                        self.add_inner(&format!("{path}[{index}]"), item)?;
                    }
                }
                // A template may give each resource a name of its own.
                Some(Value::Map(fields)) if *name == "resources" => {
                    for (name, value) in fields {
                        self.add_inner(&format!("{path}.{name}"), value)?;
                    }
                }
                Some(value) => self.add_inner(&path, value)?,
                None => {}
            }
        }
        Ok(())
    }

    /// Resources are maps of fields; anything else in their place is about something else.
    fn add_inner(&mut self, path: &str, value: Value<'t>) -> Result<(), DocumentError> {
        match value {
            Value::Map(_) => self.add_resource(value.fields(path)?),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    /// The name, the registry and the path of each map, and how many actions it has.
    #[track_caller]
    fn reads(text: &str, expected: &[(Option<&str>, Option<&str>, &str, usize)]) {
        let maps = WrittenScopeMap::read_all(text).unwrap();
        let found: Vec<_> = maps
            .iter()
            .map(|map| {
                let (name, registry) = (map.name.as_deref(), map.registry.as_deref());
                (name, registry, map.path.as_str(), map.actions.len())
            })
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn one_map() {
        reads("[]", &[(None, None, "", 0)]);
        reads("[a, b]", &[(None, None, "", 2)]);
        reads("{name: x, actions: [a]}", &[(Some("x"), None, "actions", 1)]);
        reads(
            "{name: contoso/x, type: Microsoft.ContainerRegistry/registries/scopeMaps, properties: {actions: [a]}}",
            &[(Some("x"), Some("contoso"), "properties.actions", 1)],
        );
    }

    #[test]
    fn lists() {
        reads(
            "[{name: x, actions: [a]}, {name: z, properties: {actions: []}}]",
            &[(Some("x"), None, "[0].actions", 1), (Some("z"), None, "[1].properties.actions", 0)],
        );
        reads("[[a], [b, c]]", &[(None, None, "[0]", 1), (None, None, "[1]", 2)]);
        reads(
            "{value: [{id: /registries/r/scopeMaps/x, name: x, properties: {actions: [a]}}], nextLink: null}",
            &[(Some("x"), Some("r"), "value[0].properties.actions", 1)],
        );
    }

    #[test]
    fn templates() {
        reads(
            r#"{"$schema": "s", "resources": [
                {"type": "Microsoft.ContainerRegistry/registries", "name": "contoso", "properties": {}, "resources": [
                    {"type": "scopeMaps", "name": "ci-map", "properties": {"actions": ["a"]}},
                    {"type": "tokens", "name": "ci-token", "properties": {"status": "enabled"}},
                    {"type": "webhooks", "name": "hook", "properties": {"actions": ["push"]}}]},
                {"type": "Microsoft.ContainerRegistry/registries/scopeMaps",
                    "name": "[concat(parameters('registry'), '/exported')]", "properties": {"actions": ["a"]}},
                {"type": "Microsoft.ContainerRegistry/registries/scopeMaps",
                    "name": "[format('{0}/{1}', parameters('registry'), variables('name'))]", "properties": {"actions": []}},
                {"type": "Microsoft.Resources/deployments", "name": "inner", "properties": {"template": {"resources": {
                    "map": {"type": "Microsoft.ContainerRegistry/registries/scopeMaps", "name": "contoso/inner",
                        "properties": {"actions": ["a"]}}}}}}]}"#,
            &[
                (Some("ci-map"), None, "resources[0].resources[0].properties.actions", 1),
                (Some("exported"), None, "resources[1].properties.actions", 1),
                (None, None, "resources[2].properties.actions", 0),
                (
                    Some("inner"),
                    Some("contoso"),
                    "resources[3].properties.template.resources.map.properties.actions",
                    1,
                ),
            ],
        );
    }

    #[test]
    fn states_of_terraform() {
        let map = r#"{"id": "/subscriptions/s/registries/contoso/scopeMaps/ci", "name": "ci-map", "actions": ["a"]}"#;
        let resource = |field: &str, value: &str| {
            format!(
                r#"{{"type": "azurerm_container_registry_scope_map", "name": "ci", "{field}": {value}}}"#
            )
        };
        let shown = resource("values", map);
        reads(
            &format!(
                r#"{{"values": {{"root_module": {{"resources": [{shown}, {{"type": "azurerm_resource_group", "values": {{}}}}],
                    "child_modules": [{{"resources": [{shown}]}}]}}}}}}"#
            ),
            &[
                (
                    Some("ci-map"),
                    Some("contoso"),
                    "values.root_module.resources[0].values.actions",
                    1,
                ),
                (
                    Some("ci-map"),
                    Some("contoso"),
                    "values.root_module.child_modules[0].resources[0].values.actions",
                    1,
                ),
            ],
        );
        let kept = resource("instances", &format!(r#"[{{"attributes": {map}}}]"#));
        reads(
            &format!(r#"{{"version": 4, "resources": [{kept}]}}"#),
            &[(Some("ci-map"), Some("contoso"), "resources[0].instances[0].attributes.actions", 1)],
        );
    }

    #[test]
    fn resources_of_pulumi() {
        for kind in [
            "azure-native:containerregistry:ScopeMap",
            "azure:containerservice/registryScopeMap:RegistryScopeMap",
        ] {
            reads(
                &format!(
                    "{{resources: {{ci: {{type: '{kind}', properties: {{registryName: contoso, scopeMapName: ci-map, actions: [a]}}}}}}}}"
                ),
                &[(Some("ci-map"), Some("contoso"), "resources.ci.properties.actions", 1)],
            );
        }
    }

    /// One resource is asked about as the walk through a document asks.
    #[test]
    fn resources_that_are_maps_and_others() {
        for (text, expected) in [
            ("[a]", Some(1)),
            ("{actions: [a]}", Some(1)),
            ("{type: scopeMaps, properties: {actions: [a, b]}}", Some(2)),
            (
                "{type: Microsoft.ContainerRegistry/registries/scopeMaps@2023-07-01, properties: {actions: []}}",
                Some(0),
            ),
            ("{type: azurerm_container_registry_scope_map, actions: [a]}", Some(1)),
            ("{}", None),
            ("{type: scopeMaps, properties: {}}", None),
            (
                "{type: Microsoft.ContainerRegistry/registries/webhooks, properties: {actions: [push]}}",
                None,
            ),
            ("{type: Microsoft.ContainerRegistry/registries/tokens, actions: [a]}", None),
        ] {
            let map = WrittenScopeMap::from_value(crate::syntax::read(text).unwrap()).unwrap();
            assert_eq!(map.map(|map| map.actions.len()), expected, "{text}");
        }
    }

    #[test]
    fn documents_without_a_map() {
        for (text, expected) in [
            ("{}", "no list of `actions`"),
            ("12", "not an action or a scope map"),
            ("[1]", "[0]: not an action or a scope map"),
            ("[{actions: [a]}, true]", "[1]: not an action or a scope map"),
            ("[a, {actions: [a]}]", "[1]: not a text"),
            ("{value: []}", "no list of `actions`"),
            (
                "{type: Microsoft.ContainerRegistry/registries/webhooks, properties: {actions: [push]}}",
                "no list of `actions`",
            ),
            (
                "{type: scopeMaps, properties: {actions: \"[variables('all')]\"}}",
                "properties.actions: an expression of a template, which is not evaluated here",
            ),
            ("[{actions: [a, 1]}]", "[0].actions[1]: not a text"),
            (
                "{planned_values: {}}",
                "a plan of Terraform, which has the rules of before and of after",
            ),
        ] {
            let error = WrittenScopeMap::read_all(text).unwrap_err();
            assert_eq!(error.to_string(), expected, "{text}");
            assert!(error.hint.is_some(), "{text}");
        }
    }
}

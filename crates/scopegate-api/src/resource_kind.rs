//! What a resource is, by its type and its fields.

use crate::value::Fields;

/// Whether a resource is a scope map: its type is no other one, and it has actions, whatever they
/// are.
pub(crate) fn is_scope_map(resource: &Fields<'_>) -> bool {
    Kind::of(resource).may_be_map() && has_actions(resource)
}

/// Whether a resource has actions, whatever they are, or has properties that cannot have any.
fn has_actions(resource: &Fields<'_>) -> bool {
    resource.has("actions") || resource.has_inside("properties", "actions")
}

/// What a resource is, by its type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No type: a map, a list, a template, a state.
    Untyped,
    /// `Microsoft.ContainerRegistry/registries/scopeMaps`, and what Pulumi makes of it:
    /// `azure-native:containerregistry:ScopeMap`
    ScopeMap,
    /// `azurerm_container_registry_scope_map`
    Terraform,
    /// `Microsoft.Resources/deployments`
    Deployment,
    /// Anything else.
    Other,
}

impl Kind {
    pub(crate) fn of(resource: &Fields<'_>) -> Self {
        let Some(kind) = resource.peek_text("type") else { return Self::Untyped };
        let kind = kind.to_ascii_lowercase();
        // The provider azapi writes `…/scopeMaps@2023-07-01`.
        let last = kind.split('@').next().and_then(|kind| kind.rsplit('/').next());
        match last.and_then(|kind| kind.rsplit(':').next()) {
            Some("scopemaps" | "scopemap" | "registryscopemap") => Self::ScopeMap,
            Some("azurerm_container_registry_scope_map") => Self::Terraform,
            Some("deployments") => Self::Deployment,
            _ => Self::Other,
        }
    }

    fn may_be_map(self) -> bool {
        matches!(self, Self::Untyped | Self::ScopeMap | Self::Terraform)
    }

    /// The fields in which more resources are.
    pub(crate) fn places(self) -> &'static [&'static str] {
        match self {
            Self::Untyped => &[
                "value",
                "resources",
                "template",
                "values",
                "root_module",
                "child_modules",
                "attributes",
            ],
            Self::Terraform => &["values", "instances"],
            Self::Deployment => &["properties"],
            Self::ScopeMap | Self::Other => &["resources"],
        }
    }
}

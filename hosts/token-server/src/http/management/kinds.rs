//! What is different between scope maps, tokens and service principals.
//!
//! Azure Resource Manager has no service principals; in the cloud they belong to the identity
//! provider.

use async_trait::async_trait;
use axum::http::StatusCode;

use super::access::{Change, GiveRoles};
use super::documents::{
    ScopeMapBody, ScopeMapResource, ServicePrincipalBody, ServicePrincipalResource, TokenBody,
    TokenResource, TokenStatus,
};
use super::kind::{Kind, Words};
use super::resource::Ids;
use crate::app::App;
use crate::domain::edit;
use crate::domain::edit::scope_maps::{self, ScopeMapEdit};
use crate::domain::edit::service_principals::{self, ServicePrincipalEdit};
use crate::domain::edit::tokens::{self, Passwords, TokenEdit};
use crate::store::{ScopeMapRecord, ServicePrincipalRecord, TokenRecord, Write};

#[async_trait]
impl Kind for ScopeMapRecord {
    type Body = ScopeMapBody;
    type Edit = ScopeMapEdit;
    type Document = ScopeMapResource;
    type Editor = Change;

    const PATH: &'static str = "scopeMaps";
    const NAME: &'static str = "scope maps";
    const CREATE: Words = ("Creates or replaces a scope map.", "forbidden; invalid scope map");
    const UPDATE: Option<Words> = Some((
        "Changes a scope map. The actions replace all of its actions.",
        "forbidden; not found; invalid scope map",
    ));
    const DELETE: Words =
        ("Deletes an unused scope map.", "forbidden; a map that is system-defined or in use");
    /// Each has up to 500 actions.
    const MAX_LISTED: i64 = 100;

    fn edit(_: &Ids, ScopeMapBody { properties }: ScopeMapBody) -> edit::Result<ScopeMapEdit> {
        Ok(ScopeMapEdit { description: properties.description, actions: properties.actions })
    }

    fn whole(edit: ScopeMapEdit) -> ScopeMapEdit {
        ScopeMapEdit {
            description: Some(edit.description.unwrap_or_default()),
            actions: Some(edit.actions.unwrap_or_default()),
        }
    }

    async fn put(_: &App, write: &mut Write, name: &str, edit: Self::Edit) -> edit::Result<Self> {
        scope_maps::put(write, name, edit).await
    }

    async fn delete(write: &mut Write, name: &str) -> edit::Result<bool> {
        scope_maps::delete(write, name).await
    }

    fn document(self, _: &App, ids: &Ids) -> ScopeMapResource {
        ScopeMapResource::new(ids, self)
    }
}

#[async_trait]
impl Kind for TokenRecord {
    type Body = TokenBody;
    type Edit = TokenEdit;
    type Document = TokenResource;
    type Editor = Change;

    const PATH: &'static str = "tokens";
    const NAME: &'static str = "tokens";
    const CREATE: Words = (
        "Creates or changes a token. It has no passwords until some are generated.",
        "forbidden; invalid name; unknown scope map",
    );
    const UPDATE: Option<Words> =
        Some(("Changes a token.", "forbidden; not found; unknown scope map"));
    const DELETE: Words = ("Deletes a token.", "forbidden");

    fn edit(ids: &Ids, TokenBody { properties }: TokenBody) -> edit::Result<TokenEdit> {
        let scope_map = properties.scope_map_id.as_deref();
        let scope_map = scope_map.map(|id| ids.name("scopeMaps", id)).transpose()?;
        let passwords = properties.credentials.and_then(|credentials| credentials.passwords);
        Ok(TokenEdit {
            scope_map: scope_map.map(ToOwned::to_owned),
            enabled: properties.status.map(|status| status == TokenStatus::Enabled),
            passwords: passwords.map(|keep| {
                Passwords::Keep(keep.into_iter().map(|password| password.name).collect())
            }),
        })
    }

    async fn put(app: &App, write: &mut Write, name: &str, edit: Self::Edit) -> edit::Result<Self> {
        tokens::put(write, name, &app.reserved_names(), edit).await
    }

    /// The name of its map is in its original case.
    fn document(self, app: &App, ids: &Ids) -> TokenResource {
        let (policy, key) = (app.policy(), self.scope_map.clone());
        let name = |key| policy.scope_map(key).map_or(key, |map| map.name.as_str());
        TokenResource::new(ids, self, key.as_deref().map(name))
    }
}

#[async_trait]
impl Kind for ServicePrincipalRecord {
    type Body = ServicePrincipalBody;
    type Edit = ServicePrincipalEdit;
    type Document = ServicePrincipalResource;
    type Editor = GiveRoles;

    const PATH: &'static str = "servicePrincipals";
    const NAME: &'static str = "service principals";
    const CREATE: Words = (
        "Creates or changes a service principal.",
        "forbidden; invalid client id; unknown role or scope map",
    );
    const UPDATE: Option<Words> = None;
    const DELETE: Words = ("Deletes a service principal.", "forbidden");
    const CREATED: StatusCode = StatusCode::OK;

    fn edit(_: &Ids, body: ServicePrincipalBody) -> edit::Result<ServicePrincipalEdit> {
        let ServicePrincipalBody { display_name, enabled, roles, scope_maps } = body;
        Ok(ServicePrincipalEdit { display_name, enabled, roles, scope_maps })
    }

    async fn put(_: &App, write: &mut Write, name: &str, edit: Self::Edit) -> edit::Result<Self> {
        service_principals::put(write, name, edit).await
    }

    fn document(self, _: &App, ids: &Ids) -> ServicePrincipalResource {
        ServicePrincipalResource::new(ids, self)
    }
}

//! The requests by which a client finds the registry: the cloud's endpoints, its subscription, the
//! resources in it.
//!
//! Follows the requests of `az cloud register`, `az login` and the look-up before every `az acr`
//! command.

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json as object};

use super::access;
use super::documents::{RegistryResource, RegistrySummary};
use super::error::ManagementError;
use super::resource::{GROUP, List};
use crate::app::App;
use crate::domain::edit::EditError;
use crate::http::answer::json;
use crate::http::context::Context;

/// `GET /metadata/endpoints`
pub(crate) async fn endpoints(State(app): State<Arc<App>>) -> Response {
    let url = app.settings.management_url();
    let suffix = suffix(&app.issuer.service);
    let document = object!({
        "name": "Scopegate",
        "portal": url,
        "authentication": {
            "loginEndpoint": url,
            "audiences": [url],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "media": "",
        "graphAudience": url,
        "graph": url,
        // Where an older `az` looks for it.
        "graphEndpoint": url,
        "microsoftGraphResourceId": url,
        "gallery": url,
        "batch": "",
        "resourceManager": url,
        "vmImageAliasDoc": "",
        "sqlManagement": "",
        "suffixes": { "acrLoginServer": suffix },
    });
    json(StatusCode::OK, &document)
}

/// What completes a registry's name to its address where a client cannot look it up: the service
/// without its first label. An IPv4 address has no suffix.
fn suffix(service: &str) -> &str {
    let host = service.rsplit_once(':').map_or(service, |(host, _)| host);
    if host.parse::<Ipv4Addr>().is_ok() {
        return "";
    }
    service.split_once('.').map_or("", |(_, suffix)| suffix)
}

/// `GET /tenants`: the one there is, which `az login` looks for without `--tenant`.
///
/// # Errors
///
/// [`ManagementError`]: unauthenticated.
pub(crate) async fn tenants(
    State(app): State<Arc<App>>,
    context: Context,
    headers: HeaderMap,
) -> Result<Response, ManagementError> {
    access::manager(&headers, &context, &app).await?;
    let tenant = &app.policy().registry.tenant.clone();
    let document = object!({
        "id": format!("/tenants/{tenant}"),
        "tenantId": tenant,
        "tenantCategory": "Home",
        "displayName": app.settings.registry_name,
    });
    Ok(json(StatusCode::OK, &List::all(vec![document])))
}

/// `GET /subscriptions`
///
/// # Errors
///
/// [`ManagementError`]: unauthenticated.
pub(crate) async fn subscriptions(
    State(app): State<Arc<App>>,
    context: Context,
    headers: HeaderMap,
) -> Result<Response, ManagementError> {
    access::manager(&headers, &context, &app).await?;
    Ok(json(StatusCode::OK, &List::all(vec![document(&app)])))
}

/// `GET /subscriptions/{subscription}`
///
/// # Errors
///
/// [`ManagementError`]: unauthenticated; not found, for another subscription.
pub(crate) async fn subscription(
    State(app): State<Arc<App>>,
    Path(subscription): Path<String>,
    context: Context,
    headers: HeaderMap,
) -> Result<Response, ManagementError> {
    access::manager(&headers, &context, &app).await?;
    check(&app, &subscription)?;
    Ok(json(StatusCode::OK, &document(&app)))
}

/// `GET /subscriptions/{subscription}/resources`: the registry, for principals that have access
/// to it. Filters are not needed for one resource.
///
/// # Errors
///
/// [`ManagementError`]: unauthenticated; not found, for another subscription.
pub(crate) async fn resources(
    State(app): State<Arc<App>>,
    Path(subscription): Path<String>,
    context: Context,
    headers: HeaderMap,
) -> Result<Response, ManagementError> {
    let manager = access::manager(&headers, &context, &app).await?;
    check(&app, &subscription)?;
    let registry = manager.may_find_registry().then(|| RegistrySummary::new(&app));
    Ok(json(StatusCode::OK, &List::all(registry.into_iter().collect())))
}

/// `GET …/providers/Microsoft.ContainerRegistry/registries`: what `az acr list` shows.
///
/// # Errors
///
/// [`ManagementError`]: unauthenticated; not found, for another subscription or group.
pub(crate) async fn registries(
    State(app): State<Arc<App>>,
    Path(path): Path<Vec<(String, String)>>,
    context: Context,
    headers: HeaderMap,
) -> Result<Response, ManagementError> {
    let manager = access::manager(&headers, &context, &app).await?;
    for (name, value) in &path {
        match name.as_str() {
            "subscription" => check(&app, value)?,
            _ => check_group(value)?,
        }
    }
    if !manager.may_find_registry() {
        return Ok(json(StatusCode::OK, &List::<Value>::all(Vec::new())));
    }
    if !manager.may_read_management() {
        return Ok(json(StatusCode::OK, &List::all(vec![RegistryResource::found(&app)])));
    }
    let registry = app.store.read().await?.registry().await?;
    let resource = RegistryResource::new(&app, &registry);
    Ok(json(StatusCode::OK, &List::all(vec![resource])))
}

fn document(app: &App) -> Value {
    let policy = app.policy();
    let registry = &policy.registry;
    object!({
        "id": format!("/subscriptions/{}", registry.subscription),
        "subscriptionId": registry.subscription,
        "tenantId": registry.tenant,
        "displayName": app.settings.registry_name,
        "state": "Enabled",
        "subscriptionPolicies": {},
        "authorizationSource": "RoleBased",
    })
}

fn check(app: &App, subscription: &str) -> Result<(), ManagementError> {
    if app.policy().registry.subscription.eq_ignore_ascii_case(subscription) {
        return Ok(());
    }
    Err(EditError::NotFound(format!("there is no subscription `{subscription}`")).into())
}

fn check_group(group: &str) -> Result<(), ManagementError> {
    if group.eq_ignore_ascii_case(GROUP) {
        return Ok(());
    }
    let message = format!("there is no resource group `{group}`, only `{GROUP}`");
    Err(EditError::NotFound(message).into())
}

/// Any other path; below the prefixes of management, a 404 in their clients' form.
pub(crate) async fn nothing(uri: Uri) -> Response {
    let path = uri.path();
    if path.starts_with("/subscriptions/") || path.starts_with("/registries/") {
        let error = EditError::NotFound(format!("there is no `{path}`"));
        return ManagementError::from(error).into_response();
    }
    StatusCode::NOT_FOUND.into_response()
}

#[cfg(test)]
mod tests {
    use super::suffix;

    #[test]
    fn suffixes() {
        for (service, expected) in [
            ("registry.example.com", "example.com"),
            ("registry.example.com:6443", "example.com:6443"),
            ("local.host:6443", "host:6443"),
            ("localhost:5000", ""),
            ("127.0.0.1:5000", ""),
            ("127.0.0.1", ""),
            ("[::1]:5000", ""),
        ] {
            assert_eq!(suffix(service), expected, "{service}");
        }
    }
}

//! The management of a registry, in the shape of Azure Resource Manager.
//!
//! Follows <https://github.com/Azure/azure-rest-api-specs> (`specification/containerregistry`) as
//! far as `az acr` uses it, with the requests that the command line actually sends. The same
//! handlers answer under two prefixes: the long one of Azure Resource Manager, and
//! `/registries/{registry}` for all other clients. The endpoints that `az login` needs first are in
//! [`authority`].
//!
//! Every change is committed before it is acknowledged, and takes effect at once.
//!
//! With an address of its own all of this is there, and the public address has only [`feeds`]: that
//! is where edges read.
//!
//! | module | holds |
//! |---|---|
//! | [`access`] | who may read, who may change |
//! | [`certificate`] | certificates of clients, at an address of its own |
//! | `browser` | refuses cross-site requests of browsers |
//! | [`cloud`] | the requests by which a client finds the registry |
//! | `kind` | lists, shows, creates, changes and deletes scope maps, tokens and service principals |
//! | `kinds` | what is different between these three |
//! | `operations` | their routes, with their description |
//! | [`registry`], [`credentials`], [`secrets`] | the registry, passwords, secrets |
//! | [`revoke`] | the tokens of a principal, revoked |
//! | [`identities`] | identities of providers, revoked |
//! | [`generations`] | which tokens are revoked, for the edge |
//! | [`bundle`] | the same, with the compiled scope maps, signed |
//! | [`audit`] | the audit trail |
//! | [`documents`] | their JSON |
//! | [`resource`] | their ids and lists |
//! | [`error`] | refusals |

pub(crate) mod access;
pub(crate) mod audit;
mod body;
mod browser;
pub(crate) mod bundle;
pub(crate) mod certificate;
pub(crate) mod cloud;
pub(crate) mod credentials;
pub(crate) mod documents;
pub(crate) mod error;
pub(crate) mod generations;
pub(crate) mod identities;
mod kind;
mod kinds;
mod operations;
pub(crate) mod registry;
pub(crate) mod resource;
pub(crate) mod revoke;
pub(crate) mod secrets;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ObjectBuilder, OpenApi, Required, Type};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::http::oauth::{authority, login};
use crate::store::{ScopeMapRecord, ServicePrincipalRecord, TokenRecord};

/// The long prefix, that of Azure Resource Manager.
const LONG: &str = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerRegistry/registries/{registry}";
const SHORT: &str = "/registries/{registry}";

/// The metadata of the API's description.
#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "Scopegate management",
    description = "Scope maps, tokens and their passwords, the admin account and service principals of one registry. \
                   The same operations answer under the path of Azure Resource Manager."
))]
struct Description;

/// Every route of management, and the description of those under the short prefix.
pub(crate) fn routes(app: &Arc<App>) -> (Router<Arc<App>>, OpenApi) {
    let (short, mut description) = OpenApiRouter::with_openapi(Description::openapi())
        .nest(SHORT, resources())
        .split_for_parts();
    complete(&mut description);
    let (long, _) = OpenApiRouter::new().nest(LONG, resources()).split_for_parts();
    let subscriptions = Router::new()
        .route("/tenants", get(cloud::tenants))
        .route("/subscriptions", get(cloud::subscriptions))
        .route("/subscriptions/{subscription}", get(cloud::subscription))
        .route("/subscriptions/{subscription}/resources", get(cloud::resources))
        .route(
            "/subscriptions/{subscription}/providers/Microsoft.ContainerRegistry/registries",
            get(cloud::registries),
        )
        .route(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerRegistry/registries",
            get(cloud::registries),
        );
    let managed = short.merge(long).merge(subscriptions);
    let managed = managed.route_layer(from_fn_with_state(Arc::clone(app), browser::guard));
    // For clients without credentials.
    let public = Router::new()
        .route("/metadata/endpoints", get(cloud::endpoints))
        // The path that `az cloud register` requests when its address ends with a slash.
        .route("//metadata/endpoints", get(cloud::endpoints))
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(authority::discovery))
        .route("/{tenant}/oauth2/v2.0/token", post(authority::token))
        .route("/{tenant}/oauth2/v2.0/authorize", get(login::authorize::get).head(login::only_get))
        .route("/{tenant}/oauth2/v2.0/devicecode", post(login::device::post))
        .route(login::RETURN, get(login::back::get).head(login::only_get));
    let routes = managed.merge(public);
    (routes.layer(DefaultBodyLimit::max(body::MAX)).fallback(cloud::nothing), description)
}

/// What edges read, for a public address without management.
pub(crate) fn feeds(app: &Arc<App>) -> Router<Arc<App>> {
    let feeds =
        OpenApiRouter::new().routes(routes!(generations::list)).routes(routes!(bundle::show));
    let (feeds, _) = OpenApiRouter::new().nest(SHORT, feeds).split_for_parts();
    feeds.route_layer(from_fn_with_state(Arc::clone(app), browser::guard))
}

fn resources() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(registry::show, registry::update))
        .merge(operations::routes::<ScopeMapRecord>())
        .merge(operations::routes::<TokenRecord>())
        .routes(routes!(credentials::generate))
        .routes(routes!(credentials::list))
        .routes(routes!(credentials::regenerate))
        .merge(operations::routes::<ServicePrincipalRecord>())
        .routes(routes!(secrets::add_secret, secrets::delete_secrets))
        .routes(routes!(revoke::token))
        .routes(routes!(revoke::service_principal))
        .routes(routes!(revoke::admin))
        .routes(routes!(revoke::anonymous))
        .routes(routes!(identities::revoke))
        .routes(routes!(identities::revoke_provider))
        .routes(routes!(audit::list))
        .routes(routes!(generations::list))
        .routes(routes!(bundle::show))
}

/// Adds to the description what handlers do not declare: the path parameters, and the required
/// credentials.
fn complete(description: &mut OpenApi) {
    for (path, item) in &mut description.paths.paths {
        let names = ["registry", "name", "provider", "subject"]
            .into_iter()
            .filter(|name| path.contains(&format!("{{{name}}}")));
        item.parameters = Some(names.map(|name| path_parameter(name).into()).collect());
    }
    let components = description.components.get_or_insert_default();
    let mut requirements = Vec::new();
    for (name, scheme) in [("bearer", HttpAuthScheme::Bearer), ("basic", HttpAuthScheme::Basic)] {
        let scheme = HttpBuilder::new().scheme(scheme).build();
        components.add_security_scheme(name, SecurityScheme::Http(scheme));
        requirements.push(SecurityRequirement::new(name, Vec::<String>::new()));
    }
    description.security = Some(requirements);
}

fn path_parameter(name: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

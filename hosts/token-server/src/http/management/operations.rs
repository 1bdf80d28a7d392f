//! The routes of a kind, and what the description of the API says of them: the same for each kind.

use std::sync::Arc;

use axum::routing::get;
use utoipa::openapi::path::{OperationBuilder, ParameterIn, PathItemBuilder, Paths};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{
    Content, HttpMethod, PathItem, Ref, RefOr, Required, ResponseBuilder, Schema,
};
use utoipa::{IntoParams as _, PartialSchema as _, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use super::error::ErrorResponse;
use super::kind::{self, Kind};
use super::resource::{List, PageQuery};
use crate::app::App;

/// The routes of a kind, with their description.
pub(crate) fn routes<K: Kind>() -> OpenApiRouter<Arc<App>> {
    let path = format!("/{}", K::PATH);
    let paths = Paths::builder().path(path.as_str(), on_list::<K>()).build();
    let all = (schemas::<K>(), paths, get(kind::list::<K>));
    let mut one = get(kind::show::<K>).put(kind::create::<K>);
    if K::UPDATE.is_some() {
        one = one.patch(kind::update::<K>);
    }
    let paths = Paths::builder().path(format!("{path}/{{name}}"), on_one::<K>());
    let one = (Vec::new(), paths.build(), one.delete(kind::delete::<K>));
    OpenApiRouter::new().routes(all).routes(one)
}

/// The operation on the list.
fn on_list<K: Kind>() -> PathItem {
    let does = format!("Lists the {}.", K::NAME);
    let list = operation::<K>("list", (&does, "forbidden"), &[("200", Some(&page::<K>()))]);
    let parameters = PageQuery::into_params(|| Some(ParameterIn::Query));
    PathItem::new(HttpMethod::Get, list.parameters(Some(parameters)))
}

/// The operations on one resource.
fn on_one<K: Kind>() -> PathItem {
    let body = RequestBodyBuilder::new().content("application/json", reference(&K::Body::name()));
    let body = Some(body.required(Some(Required::True)).build());
    let document = K::Document::name();
    let document = Some(document.as_ref());

    let does = format!("Shows a {}.", K::NAME.trim_end_matches('s'));
    let show = operation::<K>("show", (&does, "forbidden; not found"), &[("200", document)]);
    let answers = [("200", document), (K::CREATED.as_str(), document)];
    let create = operation::<K>("create", K::CREATE, &answers).request_body(body.clone());
    let delete = operation::<K>("delete", K::DELETE, &[("200", None), ("204", None)]);
    let mut one = PathItemBuilder::new()
        .operation(HttpMethod::Get, show)
        .operation(HttpMethod::Put, create)
        .operation(HttpMethod::Delete, delete);
    if let Some(words) = K::UPDATE {
        let update = operation::<K>("update", words, &[("200", document)]).request_body(body);
        one = one.operation(HttpMethod::Patch, update);
    }
    one.build()
}

/// An operation with the schemas of its answers, by their status.
fn operation<K: Kind>(
    verb: &str,
    (does, refuses): (&str, &str),
    answers: &[(&str, Option<&str>)],
) -> OperationBuilder {
    let mut operation = OperationBuilder::new()
        .tag(K::NAME)
        .operation_id(Some(format!("{}_{verb}", K::NAME.replace(' ', "_"))))
        .summary(Some(does))
        .description(Some(format!("# Errors\n\n[`ManagementError`]: {refuses}.")));
    for (status, schema) in answers.iter().chain([&("default", Some("ErrorResponse"))]) {
        let mut answer = ResponseBuilder::new();
        if let Some(name) = schema {
            answer = answer.content("application/json", reference(name));
        }
        operation = operation.response(*status, answer);
    }
    operation
}

fn reference(schema: &str) -> Content {
    Content::new(Some(Ref::from_schema_name(schema)))
}

fn page<K: Kind>() -> String {
    format!("List_{}", K::Document::name())
}

/// Every schema that the operations refer to.
fn schemas<K: Kind>() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = vec![
        (page::<K>(), List::<K::Document>::schema()),
        (K::Document::name().into(), K::Document::schema()),
        (K::Body::name().into(), K::Body::schema()),
        (ErrorResponse::name().into(), ErrorResponse::schema()),
    ];
    K::Document::schemas(&mut schemas);
    K::Body::schemas(&mut schemas);
    ErrorResponse::schemas(&mut schemas);
    schemas
}

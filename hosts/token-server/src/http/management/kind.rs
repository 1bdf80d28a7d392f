//! The kinds of resources: scope maps, tokens and service principals. Each is listed, shown,
//! created, changed and deleted by the same handlers.
//!
//! | request | handler | of the kind |
//! |---|---|---|
//! | GET `/tokens` | [`list`] | [`Kind::document`] |
//! | GET `/tokens/{name}` | [`show`] | [`Kind::document`] |
//! | PUT `/tokens/{name}` | [`create`] | [`Kind::put`], after [`Kind::edit`] and [`Kind::whole`] |
//! | PATCH `/tokens/{name}` | [`update`] | [`Kind::put`], after [`Kind::edit`] |
//! | DELETE `/tokens/{name}` | [`delete`] | [`Kind::delete`] |
//!
//! Left out: what only one kind has, such as the secrets of service principals.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Json;
use axum::extract::{FromRequestParts, OriginalUri, State};
use axum::http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::access::{Look, Permit};
use super::body::{Body, Query};
use super::error::ManagementError;
use super::resource::{Ids, List, Named, PageQuery};
use crate::app::App;
use crate::app::watch::commit;
use crate::domain::edit::{self, EditError};
use crate::store::{Page, Record, Write};

/// What an operation does, and why it may be refused.
pub(crate) type Words = (&'static str, &'static str);

/// A kind of resource.
#[async_trait]
pub(crate) trait Kind: Record + 'static {
    type Body: DeserializeOwned + ToSchema + Send + 'static;
    type Edit: Send;
    type Document: Serialize + ToSchema;
    /// Who may create, change and delete it.
    type Editor: FromRequestParts<Arc<App>, Rejection = ManagementError> + Into<Permit> + Send;

    /// The first part of its paths.
    const PATH: &'static str;
    /// Its name in the description of the API, in the plural.
    const NAME: &'static str;
    const CREATE: Words;
    /// Nothing for a kind that has no PATCH.
    const UPDATE: Option<Words>;
    const DELETE: Words;
    /// The status after a PUT that created it.
    const CREATED: StatusCode = StatusCode::CREATED;
    /// The maximum number on a page.
    const MAX_LISTED: i64 = Page::MAX;

    /// The change that a body asks for. A field that is left out stays.
    fn edit(ids: &Ids, body: Self::Body) -> edit::Result<Self::Edit>;

    /// The change that a PUT makes of it, for a kind whose fields do not stay then.
    fn whole(edit: Self::Edit) -> Self::Edit {
        edit
    }

    async fn put(app: &App, write: &mut Write, name: &str, edit: Self::Edit) -> edit::Result<Self>;

    /// Returns whether it existed.
    async fn delete(write: &mut Write, name: &str) -> edit::Result<bool> {
        Ok(write.delete::<Self>(name).await?)
    }

    fn document(self, app: &App, ids: &Ids) -> Self::Document;
}

type Answer<T> = Result<Json<T>, ManagementError>;

pub(super) async fn list<K: Kind>(
    State(app): State<Arc<App>>,
    Look(ids): Look,
    Query(query): Query<PageQuery>,
    OriginalUri(uri): OriginalUri,
) -> Answer<List<K::Document>> {
    let page = query.page()?.capped_at(K::MAX_LISTED);
    let _turn = app.guard.lists.acquire().await;
    let records: Vec<K> = app.store.read().await?.page(&page).await?;
    let last = records.last().map(|record| record.key().to_owned());
    let value = records.into_iter().map(|record| record.document(&app, &ids)).collect();
    Ok(Json(List::page(value, &page, last, &app, &uri)))
}

pub(super) async fn show<K: Kind>(
    State(app): State<Arc<App>>,
    Look(ids): Look,
    Named(name): Named,
) -> Answer<K::Document> {
    let record: Option<K> = app.store.read().await?.find(&name).await?;
    let record = record.ok_or_else(|| EditError::not_found::<K>(&name))?;
    Ok(Json(record.document(&app, &ids)))
}

/// Creates or changes.
pub(super) async fn create<K: Kind>(
    State(app): State<Arc<App>>,
    editor: K::Editor,
    Named(name): Named,
    Body(body): Body<K::Body>,
) -> Result<(StatusCode, Json<K::Document>), ManagementError> {
    let Permit { ids, store } = editor.into();
    let edit = K::whole(K::edit(&ids, body)?);
    let mut write = store.write().await?;
    let is_new = write.find::<K>(&name).await?.is_none();
    let record = K::put(&app, &mut write, &name, edit).await?;
    commit(&app, write).await?;
    let status = if is_new { K::CREATED } else { StatusCode::OK };
    Ok((status, Json(record.document(&app, &ids))))
}

/// Changes one that exists.
pub(super) async fn update<K: Kind>(
    State(app): State<Arc<App>>,
    editor: K::Editor,
    Named(name): Named,
    Body(body): Body<K::Body>,
) -> Answer<K::Document> {
    let Permit { ids, store } = editor.into();
    let edit = K::edit(&ids, body)?;
    let mut write = store.write().await?;
    edit::find::<K>(&mut write, &name).await?;
    let record = K::put(&app, &mut write, &name, edit).await?;
    commit(&app, write).await?;
    Ok(Json(record.document(&app, &ids)))
}

pub(super) async fn delete<K: Kind>(
    State(app): State<Arc<App>>,
    editor: K::Editor,
    Named(name): Named,
) -> Result<StatusCode, ManagementError> {
    let Permit { store, .. } = editor.into();
    let mut write = store.write().await?;
    if !K::delete(&mut write, &name).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    commit(&app, write).await?;
    Ok(StatusCode::OK)
}

//! The routes that only read: a repository, its tags, its manifests.
//!
//! Left out: the list of repositories, which the proxy asks for with what its client may see.

use std::sync::Arc;

use scopegate_core::route::Endpoint;
use serde::Serialize;

use super::call::Call;
use super::listing::{Order, Page, Start};
use super::reply::{
    Catalog, Manifest, Manifests, OneManifest, OneTag, Reply, Repository, Tag, Tags, Trouble,
};
use super::sync::Look;
use super::time::{now, written};
use super::{DataPlane, Snapshot};
use crate::index::{Attributes, Kind, Position, Row};
use crate::listing;

/// Soft-deleted manifests, of which there are none.
#[derive(Serialize)]
struct DeletedManifests {
    manifests: Option<()>,
}

/// Soft-deleted tags, of which there are none.
#[derive(Serialize)]
struct DeletedTags {
    tags: Option<()>,
}

impl DataPlane {
    pub(super) async fn read(self: &Arc<Self>, call: &Call) -> Result<Reply, Trouble> {
        let is_read = matches!(call.method.as_str(), "GET" | "HEAD");
        match call.endpoint {
            Endpoint::Repository if is_read => self.repository(&call.repository).await,
            Endpoint::TagMetadata if is_read => self.tag(&call.repository, &call.last).await,
            Endpoint::ManifestMetadata if is_read => {
                self.manifest(&call.repository, &call.last).await
            }
            Endpoint::MetadataList if call.last == "_tags" => self.tags(call).await,
            Endpoint::MetadataList => self.manifests(call).await,
            Endpoint::DeletedCatalog => Ok(Reply::json(200, &Catalog { repositories: None })),
            Endpoint::DeletedList if call.last == "_tags" => {
                Ok(Reply::json(200, &DeletedTags { tags: None }))
            }
            Endpoint::DeletedList => Ok(Reply::json(200, &DeletedManifests { manifests: None })),
            Endpoint::DeletedManifest => Ok(Reply::no_manifest(&call.last)),
            _ => Ok(Reply::unsupported()),
        }
    }

    /// A page of the repositories that are shown.
    pub(crate) async fn catalog(&self, query: &str, is_shown: impl Fn(&str) -> bool) -> Reply {
        let Some(page) = listing::Page::read(query) else { return bad_number() };
        match self.registry.repositories(&page, is_shown).await {
            Ok((names, next)) => {
                let repositories = Some(names).filter(|names| !names.is_empty());
                let mut reply = Reply::json(200, &Catalog { repositories });
                let link = next.map(|last| page.link("/acr/v1/_catalog", &last));
                reply.headers.extend(link.map(|link| ("link".into(), link)));
                reply
            }
            Err(trouble) => trouble.into(),
        }
    }

    async fn repository(self: &Arc<Self>, name: &str) -> Result<Reply, Trouble> {
        self.sync(name).await?;
        self.repository_as_known(name).await
    }

    /// A repository, as the index has it.
    pub(super) async fn repository_as_known(&self, name: &str) -> Result<Reply, Trouble> {
        let Some(known) = self.index.repository(name).await? else {
            return Ok(Reply::no_repository(name));
        };
        let (tag_count, manifest_count) = self.index.counts(name).await?;
        let restrictions = self.index.restrictions_of(name).await?;
        let repository = Repository {
            registry: &self.service,
            image_name: name,
            created_time: written(known.created),
            last_update_time: written(known.updated),
            manifest_count,
            tag_count,
            changeable_attributes: restrictions.attributes(name, Kind::Repository, ""),
        };
        Ok(Reply::json(200, &repository))
    }

    async fn tag(self: &Arc<Self>, name: &str, tag: &str) -> Result<Reply, Trouble> {
        self.look_at_tag(name, tag).await?;
        self.tag_as_known(name, tag).await
    }

    /// A tag, as the index has it.
    pub(super) async fn tag_as_known(&self, name: &str, tag: &str) -> Result<Reply, Trouble> {
        let Some(row) = self.index.tag(name, tag).await? else { return Ok(Reply::no_tag()) };
        let tag = OneTag { registry: &self.service, image_name: name, tag: Tag::from(&row) };
        Ok(Reply::json(200, &tag))
    }

    /// What has vanished, with the attributes that are left.
    pub(super) fn vanished(
        &self,
        name: &str,
        kind: Kind,
        last: &str,
        attributes: Attributes,
    ) -> Reply {
        let (registry, image_name, now) = (self.service.as_str(), name, now());
        let digest = if kind == Kind::Manifest { last.to_owned() } else { String::new() };
        let row = Row {
            name: last.to_owned(),
            digest,
            created: now,
            updated: now,
            seen: now,
            attributes,
            facts: None,
            tags: Vec::new(),
        };
        match kind {
            Kind::Repository => Reply::json(
                200,
                &Repository {
                    registry,
                    image_name,
                    created_time: written(now),
                    last_update_time: written(now),
                    manifest_count: 0,
                    tag_count: 0,
                    changeable_attributes: attributes,
                },
            ),
            Kind::Tag => Reply::json(200, &OneTag { registry, image_name, tag: Tag::from(&row) }),
            Kind::Manifest => {
                let manifest = Manifest::from(&row);
                Reply::json(200, &OneManifest { registry, image_name, manifest })
            }
        }
    }

    async fn manifest(self: &Arc<Self>, name: &str, digest: &str) -> Result<Reply, Trouble> {
        self.look_at_manifest(name, digest).await?;
        self.manifest_as_known(name, digest).await
    }

    /// A manifest, as the index has it.
    pub(super) async fn manifest_as_known(
        &self,
        name: &str,
        digest: &str,
    ) -> Result<Reply, Trouble> {
        let Some(row) = self.index.manifest(name, digest).await? else {
            return Ok(Reply::no_manifest(digest));
        };
        let manifest = Manifest::from(&row);
        let one = OneManifest { registry: &self.service, image_name: name, manifest };
        Ok(Reply::json(200, &one))
    }

    async fn tags(self: &Arc<Self>, call: &Call) -> Result<Reply, Trouble> {
        let Some(page) = Page::read(&call.query) else { return Ok(bad_number()) };
        let name = call.repository.as_str();
        if self.sync(name).await?.is_none() {
            return Ok(Reply::no_repository(name));
        }
        let mut rows = self.tag_rows(name, &page).await?;
        if self.confirm(name, &rows, Look::Tag).await? {
            rows = self.tag_rows(name, &page).await?;
        }
        let link = page.cut(&mut rows, false, name, "_tags");
        let tags = Some(rows.iter().map(Tag::from).collect::<Vec<_>>());
        let tags = tags.filter(|tags| !tags.is_empty());
        Ok(linked(&Tags { registry: &self.service, image_name: name, tags }, link))
    }

    async fn tag_rows(&self, name: &str, page: &Page) -> Result<Vec<Row>, Trouble> {
        let position = match page.start() {
            Start::At(position) => position,
            Start::AfterName(tag) => match after(page.order, self.index.tag(name, &tag).await?) {
                Some(position) => position,
                None => return Ok(Vec::new()),
            },
        };
        Ok(self.index.tag_page(name, page.digest.as_deref(), &position, page.n).await?)
    }

    async fn manifests(self: &Arc<Self>, call: &Call) -> Result<Reply, Trouble> {
        let Some(page) = Page::read(&call.query) else { return Ok(bad_number()) };
        let name = call.repository.as_str();
        if self.sync(name).await?.is_none() {
            return Ok(Reply::no_repository(name));
        }
        let (mut rows, mut is_cut) = self.manifest_rows(name, &page).await?;
        if self.confirm(name, &rows, Look::Manifest).await? {
            (rows, is_cut) = self.manifest_rows(name, &page).await?;
        }
        let link = page.cut(&mut rows, is_cut, name, "_manifests");
        let manifests = Some(rows.iter().map(Manifest::from).collect::<Vec<_>>());
        let manifests = manifests.filter(|manifests| !manifests.is_empty());
        Ok(linked(&Manifests { registry: &self.service, image_name: name, manifests }, link))
    }

    async fn manifest_rows(&self, name: &str, page: &Page) -> Result<(Vec<Row>, bool), Trouble> {
        let position = match page.start() {
            Start::At(position) => position,
            Start::AfterName(digest) => {
                match after(page.order, self.index.manifest(name, &digest).await?) {
                    Some(position) => position,
                    None => return Ok((Vec::new(), false)),
                }
            }
        };
        Ok(self.index.manifest_page(name, &position, page.n).await?)
    }

    /// Whether lists of repositories show one.
    #[must_use]
    pub(crate) fn is_listed(&self, repository: &str) -> bool {
        let known = self.restrictions.load();
        known.as_ref().is_none_or(|known: &Arc<Snapshot>| known.restrictions.is_listed(repository))
    }

    /// Whether lists of tags show one.
    #[must_use]
    pub(crate) fn is_tag_listed(&self, repository: &str, tag: &str) -> bool {
        let known = self.restrictions.load();
        known.as_ref().is_none_or(|known: &Arc<Snapshot>| {
            known.restrictions.attributes(repository, Kind::Tag, tag).list_enabled
        })
    }
}

/// After a row, in the order of times. Nothing comes after one that is gone: a client that goes on
/// from it would begin again for ever.
fn after(order: Order, row: Option<Row>) -> Option<Position> {
    let Order::Time { is_descending } = order else { return None };
    row.map(|row| Position::Time { is_descending, after: Some((row.updated, row.name)) })
}

fn linked(page: &impl Serialize, link: Option<String>) -> Reply {
    let mut reply = Reply::json(200, page);
    reply.headers.extend(link.map(|link| ("link".into(), link)));
    reply
}

fn bad_number() -> Reply {
    Reply::error(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested")
}

//! Pushing and deleting manifests, and deleting repositories.
//!
//! Each is done under the lock of its repository, after its attributes were read under it; what the
//! registry did is noted before the client is answered. A client that goes away in the middle ends
//! nothing: the registry may be at work.
//!
//! A repository is deleted manifest by manifest, indexes before what they refer to, and is hidden
//! from lists then, because registries go on to list it. When that breaks off, what is left stays
//! in lists, and the answer is an error that says how much it is.
//!
//! Left out: removing a tag ([`untag`](super::untag)).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use scopegate_host::client::header::{HeaderMap, LOCATION};
use scopegate_host::client::{Answer, Method};

use super::DataPlane;
use super::call::{Call, Sent};
use super::guard::{Guard, Hold};
use super::registry::{digest, is_digest, is_digest_of, sha256};
use super::reply::{Deleted, Reply, Trouble};
use super::time::now;
use crate::headers::location;
use crate::index::{Kind, Restrictions, Seen};

/// What of a registry's answer to a write goes back to the client.
const PASSED_ON: [&str; 9] = [
    "docker-content-digest",
    "oci-subject",
    "etag",
    "retry-after",
    "oci-tag",
    // Of an upload that begins where nothing can be mounted.
    "docker-upload-uuid",
    "range",
    "oci-chunk-min-length",
    "oci-chunk-max-length",
];

impl DataPlane {
    /// Pushes a manifest by a tag or by its digest.
    pub(super) async fn push(self: &Arc<Self>, call: &Call, sent: Sent) -> Result<Reply, Trouble> {
        let (repository, reference) = (call.repository.as_str(), call.last.as_str());
        let tag = Some(reference).filter(|reference| !is_digest(reference));
        let once = tag.filter(|tag| self.write_once.fixes(repository, tag));
        // Two that push the same tag at once would both find that it is not there.
        let hold = if once.is_some() { Hold::Alone } else { Hold::Shared };
        let mut guard = self.guards.take(&self.index, repository, hold).await?;
        let restrictions = self.index.restrictions_of(repository).await?;
        let of = |kind, name| restrictions.attributes(repository, kind, name).write_enabled;
        if !of(Kind::Repository, "") || tag.is_some_and(|tag| !of(Kind::Tag, tag)) {
            return Ok(Reply::disallowed());
        }
        if let Some(tag) = once
            && let Some(head) = self.registry.head(repository, tag).await?
            && !is_digest_of(&head.digest, &sent.body)
        {
            return Ok(Reply::disallowed());
        }
        // Without its query, in which a registry may read more tags.
        let target = format!("/v2/{repository}/manifests/{reference}");
        let Sent { headers, body } = sent;
        let pushed = self.registry.write(Method::PUT, &target, headers, body.clone());
        let answer = guard.during(pushed).await?;
        if answer.status.is_success() {
            let digest = digest(&answer.headers).unwrap_or_else(|| sha256(&body));
            let now = now();
            let seen = Seen { repository, digest: &digest, first: now, now };
            match self.index.pushed(seen, tag).await {
                Ok(was_hidden) => self.unhidden(was_hidden).await,
                // It is pushed, and will be found when the registry is asked next.
                Err(error) => tracing::error!(%error, "a push is not in the index"),
            }
            drop(guard);
            self.note_chart(repository, &digest, &body).await;
        }
        Ok(self.passed_on(answer))
    }

    /// What a client gets of a registry's answer to a write.
    pub(super) fn passed_on(&self, answer: Answer) -> Reply {
        let text = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok());
        let mut headers: Vec<_> = PASSED_ON
            .into_iter()
            .filter_map(|name| Some((name.into(), text(name)?.to_owned())))
            .collect();
        if let Some(value) = answer.headers.get(LOCATION) {
            let ours = location(value, None, self.registry.upstream());
            let ours = ours.or_else(|| value.to_str().ok().map(ToOwned::to_owned));
            headers.extend(ours.map(|ours| ("location".into(), ours)));
        }
        let content_type = text("content-type").map(|text| text.to_owned().into());
        Reply { status: answer.status.as_u16(), content_type, headers, body: answer.body }
    }

    /// Deletes a manifest by its digest.
    pub(super) async fn delete(self: &Arc<Self>, call: &Call) -> Result<Reply, Trouble> {
        let (repository, digest) = (call.repository.as_str(), call.last.as_str());
        if !is_digest(digest) {
            let message = "A manifest can only be deleted by digest.";
            return Ok(Reply::error(405, "UNSUPPORTED", message));
        }
        let mut guard = self.guards.take(&self.index, repository, Hold::Alone).await?;
        let restrictions = self.index.restrictions_of(repository).await?;
        if !self.may_delete(&mut guard, &restrictions, repository, digest).await? {
            return Ok(Reply::disallowed());
        }
        let answer = self.remove(&mut guard, repository, digest).await?;
        match answer.status.as_u16() {
            200..300 => {
                self.index.removed_manifest(repository, digest, now()).await?;
                self.read_restrictions().await?;
                Ok(Reply { status: 202, ..Reply::default() })
            }
            404 => {
                self.index.missed_manifest(repository, digest, now()).await?;
                Ok(Reply::no_manifest(digest))
            }
            _ => Ok(self.passed_on(answer)),
        }
    }

    /// Has the registry delete a manifest.
    pub(super) async fn remove(
        &self,
        guard: &mut Guard,
        repository: &str,
        digest: &str,
    ) -> Result<Answer, Trouble> {
        let target = format!("/v2/{repository}/manifests/{digest}");
        let work = self.registry.write(Method::DELETE, &target, HeaderMap::new(), Bytes::new());
        guard.during(work).await
    }

    /// Whether attributes allow that a manifest or a blob is deleted: it is not locked itself, by a
    /// tag or as a part of something else.
    pub(super) async fn may_delete(
        self: &Arc<Self>,
        guard: &mut Guard,
        restrictions: &Restrictions,
        repository: &str,
        digest: &str,
    ) -> Result<bool, Trouble> {
        if !restrictions.attributes(repository, Kind::Repository, "").write_enabled {
            return Ok(false);
        }
        let locked = self.locked(restrictions, repository).await?;
        if locked.is_empty() {
            return Ok(true);
        }
        let is_in = self.is_in(repository, locked, digest).await?;
        // That may have taken its time.
        guard.confirm().await?;
        Ok(!is_in)
    }

    /// Deletes all of a repository.
    pub(super) async fn delete_repository(
        self: &Arc<Self>,
        repository: &str,
    ) -> Result<Reply, Trouble> {
        let mut guard = self.guards.take(&self.index, repository, Hold::Alone).await?;
        if self.sync_now(repository).await?.is_none() {
            return Ok(Reply::no_repository_to_delete(repository));
        }
        let restrictions = self.index.restrictions_of(repository).await?;
        let tags = self.index.tags(repository).await?;
        let keeps_any = tags.iter().any(|(tag, _)| self.write_once.keeps(repository, tag));
        if keeps_any || !restrictions.all_may_be_deleted(repository) {
            return Ok(Reply::disallowed());
        }
        let mut deleted = Deleted { manifests_deleted: Vec::new(), tags_deleted: Vec::new() };
        let digests = self.in_order(repository).await?;
        self.index.begin_deletion(repository).await?;
        for digest in &digests {
            let answer = self.remove(&mut guard, repository, digest).await;
            match answer {
                Ok(answer) if matches!(answer.status.as_u16(), 200..300 | 404) => {}
                // One that deletes nothing.
                Ok(answer) if answer.status.is_client_error() && deleted.is_empty() => {
                    self.index.end_deletion(repository).await?;
                    return Ok(self.passed_on(answer));
                }
                Err(Trouble::Busy(reason)) => return Err(Trouble::Busy(reason)),
                broken => {
                    let why = broken.map(|answer| answer.status);
                    tracing::error!(repository, digest, ?why, "a manifest was not deleted");
                    self.read_restrictions().await?;
                    return Ok(deleted.broken_off(digests.len()));
                }
            }
            deleted
                .tags_deleted
                .extend(self.index.removed_manifest(repository, digest, now()).await?);
            deleted.manifests_deleted.push(digest.clone());
        }
        self.index.removed_repository(repository).await?;
        self.index.end_deletion(repository).await?;
        self.read_restrictions().await?;
        deleted.manifests_deleted.sort_unstable();
        deleted.tags_deleted.sort_unstable();
        Ok(Reply::json(202, &deleted))
    }

    /// Tells of deletions that broke off, and what is left.
    pub(super) async fn report_deletions(&self) -> Result<(), Trouble> {
        for repository in self.index.deletions().await? {
            let (tags, manifests) = self.index.counts(&repository).await?;
            if (tags, manifests) == (0, 0) {
                self.index.end_deletion(&repository).await?;
                continue;
            }
            tracing::warn!(
                repository,
                tags,
                manifests,
                "the deletion of a repository broke off; delete it again"
            );
        }
        Ok(())
    }

    /// The manifests of a repository, each before those that it refers to.
    async fn in_order(&self, repository: &str) -> Result<Vec<String>, Trouble> {
        let mut left: HashSet<String> =
            self.index.manifests(repository, false).await?.into_iter().collect();
        left.extend(self.index.tags(repository).await?.into_iter().map(|(_, digest)| digest));
        let mut references = HashMap::new();
        for digest in &left {
            let facts = self.index.facts(digest).await?.unwrap_or_default();
            if !facts.references.is_empty() {
                references.insert(digest.clone(), facts.references);
            }
        }
        let mut order = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let parents = references.iter().filter(|(parent, _)| left.contains(*parent));
            let children: HashSet<&str> =
                parents.flat_map(|(_, all)| all).map(|child| child.digest.as_str()).collect();
            let mut next: Vec<String> =
                left.iter().filter(|digest| !children.contains(digest.as_str())).cloned().collect();
            if next.is_empty() {
                // No digest can be in itself; but what a registry says may be anything.
                next = left.iter().cloned().collect();
            }
            next.sort_unstable();
            for digest in next {
                left.remove(&digest);
                order.push(digest);
            }
        }
        Ok(order)
    }
}

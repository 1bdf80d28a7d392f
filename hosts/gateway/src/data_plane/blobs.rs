//! Deleting and mounting blobs, under the locks of the repositories.
//!
//! Left out: uploads. They go on to the registry as they come, and whether they may is asked at
//! their beginning and before their last piece.

use std::sync::Arc;

use bytes::Bytes;
use scopegate_host::client::Method;
use scopegate_host::client::header::HeaderMap;

use super::DataPlane;
use super::call::{Call, Sent};
use super::guard::Hold;
use super::registry::is_digest;
use super::reply::{Reply, Trouble};
use crate::index::Kind;

impl DataPlane {
    /// Deletes a blob, which may be a part of all that is in the repository.
    pub(super) async fn delete_blob(self: &Arc<Self>, call: &Call) -> Result<Reply, Trouble> {
        let (repository, digest) = (call.repository.as_str(), call.last.as_str());
        if !is_digest(digest) {
            return Ok(Reply::error(400, "DIGEST_INVALID", "invalid digest"));
        }
        let mut guard = self.guards.take(&self.index, repository, Hold::Alone).await?;
        let restrictions = self.index.restrictions_of(repository).await?;
        if !restrictions.attributes(repository, Kind::Repository, "").may_delete()
            || !self.may_delete(&mut guard, &restrictions, repository, digest).await?
        {
            return Ok(Reply::disallowed());
        }
        let target = format!("/v2/{repository}/blobs/{digest}");
        let work = self.registry.write(Method::DELETE, &target, HeaderMap::new(), Bytes::new());
        Ok(self.passed_on(guard.during(work).await?))
    }

    /// Mounts a blob from another repository, or begins an upload where the registry does not.
    pub(super) async fn mount(
        self: &Arc<Self>,
        call: &Call,
        Sent { headers, body }: Sent,
    ) -> Result<Reply, Trouble> {
        let (repository, source) = (call.repository.as_str(), call.source.as_deref());
        let target = format!("/v2/{repository}/blobs/uploads/?{}", call.query);
        let work = self.registry.write(Method::POST, &target, headers, body);
        let Some(source) = source else {
            let mut guard = self.guards.take(&self.index, repository, Hold::Shared).await?;
            if !self.may_mount(repository, repository).await? {
                return Ok(Reply::disallowed());
            }
            return Ok(self.passed_on(guard.during(work).await?));
        };
        let [mut one, mut other] = self.guards.take_both(&self.index, [repository, source]).await?;
        if !self.may_mount(repository, source).await? {
            return Ok(Reply::disallowed());
        }
        Ok(self.passed_on(one.during(other.during(work)).await?))
    }

    async fn may_mount(&self, repository: &str, source: &str) -> Result<bool, Trouble> {
        let of = async |name| {
            let restrictions = self.index.restrictions_of(name).await?;
            Ok::<_, Trouble>(restrictions.attributes(name, Kind::Repository, ""))
        };
        Ok(of(repository).await?.write_enabled && of(source).await?.read_enabled)
    }
}

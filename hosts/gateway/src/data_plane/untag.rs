//! Removing a tag, and not its manifest.
//!
//! CNCF distribution 3 and others have a request for it. Older ones have none, and there the tag is
//! moved to a manifest that nothing else names, and that manifest is deleted, with its tag. The
//! intent is in the index first: a gateway that ended in between finishes it when it starts again.
//!
//! Left out: registries that delete nothing. The tag stays there, and is never moved.

use std::sync::Arc;

use bytes::Bytes;
use scopegate_host::client::Method;
use scopegate_host::client::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use scopegate_host::correlation;
use serde_json::json;

use super::DataPlane;
use super::guard::{Guard, Hold};
use super::registry::sha256;
use super::reply::{Reply, Trouble};
use super::time::now;
use crate::index::Kind;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The configuration of a manifest that has none.
const EMPTY: &[u8] = b"{}";

impl DataPlane {
    /// Removes a tag.
    pub(super) async fn untag(
        self: &Arc<Self>,
        repository: &str,
        tag: &str,
    ) -> Result<Reply, Trouble> {
        let mut guard = self.guards.take(&self.index, repository, Hold::Alone).await?;
        let restrictions = self.index.restrictions_of(repository).await?;
        let asked = now();
        let Some(head) = self.registry.head(repository, tag).await? else {
            self.index.missed_tag(repository, tag, asked).await?;
            return Ok(Reply::no_tag());
        };
        if !restrictions.attributes(repository, Kind::Repository, "").write_enabled
            || !restrictions.attributes(repository, Kind::Tag, tag).may_delete()
            || self.write_once.keeps(repository, tag)
        {
            return Ok(Reply::disallowed());
        }
        // Its manifest stays known, which nothing names any more.
        self.look_at_manifest(repository, &head.digest).await?;
        if let Some(reply) = self.remove_tag(&mut guard, repository, tag).await? {
            return Ok(reply);
        }
        self.index.removed_tag(repository, tag, now()).await?;
        self.read_restrictions().await?;
        let headers = vec![("x-ms-int-docker-content-digest".into(), head.digest)];
        Ok(Reply { status: 202, headers, ..Reply::default() })
    }

    /// Has the registry remove a tag; gives an answer when it does not.
    async fn remove_tag(
        &self,
        guard: &mut Guard,
        repository: &str,
        tag: &str,
    ) -> Result<Option<Reply>, Trouble> {
        match self.remove(guard, repository, tag).await?.status.as_u16() {
            200..300 => Ok(None),
            404 => Ok(Some(Reply::no_tag())),
            400 | 405 => self.replace_tag(guard, repository, tag).await,
            status => Err(Trouble::Registry(format!("the answer to removing a tag is {status}"))),
        }
    }

    async fn replace_tag(
        &self,
        guard: &mut Guard,
        repository: &str,
        tag: &str,
    ) -> Result<Option<Reply>, Trouble> {
        let body = unique();
        let digest = sha256(&body);
        // A registry that deletes nothing says so before the tag is moved.
        if self.remove(guard, repository, &digest).await?.status.as_u16() != 404 {
            return Ok(Some(Reply::unsupported()));
        }
        guard.during(self.upload_empty(repository)).await?;
        self.index.intend_untag(repository, tag, &digest).await?;
        let target = format!("/v2/{repository}/manifests/{tag}");
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MANIFEST));
        let moved = self.registry.write(Method::PUT, &target, headers, body);
        expect(guard.during(moved).await?.status.as_u16(), "moving a tag")?;
        let deleted = self.remove(guard, repository, &digest).await?;
        expect(deleted.status.as_u16(), "deleting what a tag was moved to")?;
        self.index.end_untag(repository, tag).await?;
        Ok(None)
    }

    /// Makes sure that the configuration of a manifest that has none is there.
    async fn upload_empty(&self, repository: &str) -> Result<(), Trouble> {
        let digest = sha256(EMPTY);
        if self.registry.blob(repository, &digest).await?.is_some() {
            return Ok(());
        }
        let start = format!("/v2/{repository}/blobs/uploads/");
        let started =
            self.registry.write(Method::POST, &start, HeaderMap::new(), Bytes::new()).await?;
        expect(started.status.as_u16(), "an upload")?;
        let location = started.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let location =
            location.ok_or_else(|| Trouble::Registry("an upload without a location".into()))?;
        let separator = if location.contains('?') { '&' } else { '?' };
        let end = format!("{location}{separator}digest={digest}");
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        let ended =
            self.registry.write(Method::PUT, &end, headers, Bytes::from_static(EMPTY)).await?;
        expect(ended.status.as_u16(), "the end of an upload")
    }

    /// Finishes what a gateway that ended began.
    pub(super) async fn finish_untags(self: &Arc<Self>) -> Result<(), Trouble> {
        for (repository, tag, digest) in self.index.untags().await? {
            let mut guard = self.guards.take(&self.index, &repository, Hold::Alone).await?;
            let head = self.registry.head(&repository, &tag).await?;
            if head.is_some_and(|head| head.digest == digest) {
                let deleted = self.remove(&mut guard, &repository, &digest).await?;
                expect(deleted.status.as_u16(), "deleting what a tag was moved to")?;
                self.index.removed_tag(&repository, &tag, now()).await?;
            }
            self.index.end_untag(&repository, &tag).await?;
        }
        Ok(())
    }
}

/// A manifest that there is nowhere else.
fn unique() -> Bytes {
    let id = correlation::new_id().to_string();
    let config = json!({
        "mediaType": "application/vnd.oci.empty.v1+json",
        "digest": sha256(EMPTY),
        "size": EMPTY.len(),
    });
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config,
        "layers": [],
        "annotations": { "dev.scopegate.untag": id },
    });
    Bytes::from(manifest.to_string())
}

fn expect(status: u16, what: &str) -> Result<(), Trouble> {
    match status {
        200..300 => Ok(()),
        _ => Err(Trouble::Registry(format!("the answer to {what} is {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_the_same() {
        assert_ne!(unique(), unique());
    }
}

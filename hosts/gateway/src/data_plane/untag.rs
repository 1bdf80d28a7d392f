//! Removing a tag, and not its manifest.
//!
//! CNCF distribution 3 and others have a request for it. Older ones have none, and there the tag is
//! moved to a manifest that nothing else names, and that manifest is deleted, with its tag. The
//! intent is in the index first. From the moment at which the tag is there, and until both are
//! gone, neither is shown or pulled. What breaks off in between is finished by any gateway of the
//! index, at its start and from time to time.
//!
//! Left out: registries that delete nothing. The tag stays there, and is never moved.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use scopegate_host::client::Method;
use scopegate_host::client::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use scopegate_host::correlation;
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::DataPlane;
use super::guard::{Guard, Hold};
use super::registry::sha256;
use super::reply::{Reply, Trouble};
use super::time::now;
use crate::index::Kind;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// How often what broke off is tried again, and how often at most.
const FINISH_INTERVALS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(1)];
/// How long a registry may take to move a tag: until then it may be about to.
const MOVED_WITHIN: Duration = Duration::from_secs(60);
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
        if let Some(digest) = self.index.untag_of(repository, tag).await? {
            let is_finished = self.finish_untag(&mut guard, repository, tag, &digest).await?;
            if !is_finished {
                return Err(Trouble::Busy("a tag is being removed"));
            }
            if head.digest == digest {
                return Ok(Reply { status: 202, ..Reply::default() });
            }
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
        let ended = self.move_away(guard, repository, tag, &digest, body).await;
        if ended.is_err() {
            self.unfinished.notify_one();
        }
        ended.map(|()| None)
    }

    /// Moves a tag to a manifest, and deletes that.
    async fn move_away(
        &self,
        guard: &mut Guard,
        repository: &str,
        tag: &str,
        digest: &str,
        body: Bytes,
    ) -> Result<(), Trouble> {
        let target = format!("/v2/{repository}/manifests/{tag}");
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MANIFEST));
        let moved = self.registry.write(Method::PUT, &target, headers, body);
        let moved = guard.during(moved).await;
        if let Ok(answer) = &moved
            && answer.status.is_client_error()
        {
            // It is where it was.
            self.index.end_untag(repository, tag).await?;
        } else {
            self.index.missed_tag(repository, tag, now()).await?;
        }
        expect(moved?.status.as_u16(), "moving a tag")?;
        let deleted = self.remove(guard, repository, digest).await?;
        match deleted.status.as_u16() {
            // Another gateway finished it.
            404 => {}
            status => expect(status, "deleting what a tag was moved to")?,
        }
        Ok(self.index.end_untag(repository, tag).await?)
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

    /// Finishes what broke off, until the process ends.
    pub(crate) async fn follow_untags(self: &Arc<Self>) {
        let [interval, pause] = FINISH_INTERVALS;
        let mut since = HashMap::new();
        loop {
            if let Err(trouble) = self.finish_untags(&mut since).await {
                tracing::warn!(?trouble, "it is not known which tags were being removed");
            }
            // Whether it was asked for or not.
            let _ = timeout(interval, self.unfinished.notified()).await;
            sleep(pause).await;
        }
    }

    /// `since` is when each manifest was first looked for in vain.
    async fn finish_untags(
        self: &Arc<Self>,
        since: &mut HashMap<String, Instant>,
    ) -> Result<(), Trouble> {
        let all = self.index.untags().await?;
        since.retain(|known, _| all.iter().any(|(_, _, digest)| digest == known));
        for (repository, tag, digest) in all {
            let first = *since.entry(digest.clone()).or_insert_with(Instant::now);
            let finished = async {
                let mut guard = self.guards.take(&self.index, &repository, Hold::Alone).await?;
                if self.index.untag_of(&repository, &tag).await?.as_deref() != Some(&digest) {
                    return Ok(());
                }
                let is_finished = self.finish_untag(&mut guard, &repository, &tag, &digest).await?;
                if !is_finished && first.elapsed() > MOVED_WITHIN {
                    self.index.end_untag(&repository, &tag).await?;
                }
                Ok(())
            };
            match finished.await {
                // Another request is at it.
                Ok(()) | Err(Trouble::Busy(_)) => {}
                Err(trouble) => {
                    tracing::warn!(repository, tag, ?trouble, "a tag is not removed yet");
                }
            }
        }
        Ok(())
    }

    /// Deletes what a tag was moved to. Tells whether it was there; if it was not, the registry
    /// may be about to move the tag.
    async fn finish_untag(
        self: &Arc<Self>,
        guard: &mut Guard,
        repository: &str,
        tag: &str,
        digest: &str,
    ) -> Result<bool, Trouble> {
        let status = self.remove(guard, repository, digest).await?.status.as_u16();
        if status == 404 {
            return Ok(false);
        }
        expect(status, "deleting what a tag was moved to")?;
        if self.look_at_tag(repository, tag).await?.is_none() {
            self.index.removed_tag(repository, tag, now()).await?;
            self.read_restrictions().await?;
        }
        self.index.end_untag(repository, tag).await?;
        Ok(true)
    }

    /// Whether a manifest is one that a tag was moved to so that both end. Neither is shown.
    pub(super) async fn is_ending(&self, repository: &str, digest: &str) -> Result<bool, Trouble> {
        let is_ending = !self.index.untags_in(repository, Some(digest)).await?.is_empty();
        if is_ending {
            self.unfinished.notify_one();
        }
        Ok(is_ending)
    }

    /// The same of an answer to a pull, by its length and its digest.
    pub(crate) async fn is_ended_pull(
        &self,
        repository: &str,
        digest: Option<&str>,
        length: Option<usize>,
    ) -> Result<bool, String> {
        match digest.filter(|_| length.is_none_or(|length| length == *LENGTH)) {
            None => Ok(false),
            Some(digest) => {
                let asked = self.is_ending(repository, digest).await;
                asked.map_err(|trouble| format!("{trouble:?}"))
            }
        }
    }

    /// The tags of a repository that are at such a manifest.
    pub(crate) async fn ending_tags(&self, repository: &str) -> HashSet<String> {
        let mut tags = HashSet::new();
        // Without an index reads go on, as far as is known.
        for (tag, digest) in self.index.untags_in(repository, None).await.unwrap_or_default() {
            let head = self.registry.head(repository, &tag).await;
            if head.is_ok_and(|head| head.is_none_or(|head| head.digest == digest)) {
                tags.insert(tag);
            }
        }
        tags
    }
}

/// How long each of them is.
static LENGTH: LazyLock<usize> = LazyLock::new(|| unique().len());

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
        assert_eq!((unique().len(), unique().len()), (*LENGTH, *LENGTH));
    }
}

//! The parts of what may not be deleted: the manifests that an index refers to, and the blobs of
//! all of them. Without its parts a locked image could not be pulled any more.
//!
//! What a manifest refers to is true for ever, and kept here for a while. It is read from the
//! registry when something is deleted where something is locked, within a time and a number of
//! manifests; what cannot be known so is not deleted.
//!
//! Any digest in a manifest is taken for a part but those in annotations and its subject: what is a
//! part of a document of a new kind is not known here. Of documents that are no image each digest
//! is looked at as a manifest.
//!
//! Left out: what refers to a locked manifest, as signatures do.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::DataPlane;
use super::registry::is_digest;
use super::reply::Trouble;
use crate::index::{Kind, Restrictions};

/// How long the registry may take to tell of all parts.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How many manifests are looked at for one deletion.
const MAX_MANIFESTS: usize = 10_000;
/// How many of them are read at one time: each has up to 4 MiB.
const AT_ONCE: usize = 4;
/// How many digests are kept, in about 12 MB.
const KEPT: usize = 100_000;
/// Manifests that refer to blobs alone.
const IMAGES: [&str; 4] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
];

/// What manifests refer to, by their digests.
#[derive(Debug, Default)]
pub(super) struct PartsCache(Mutex<HashMap<String, Arc<Document>>>);

/// What a manifest refers to.
#[derive(Debug)]
struct Document {
    is_image: bool,
    names: Vec<String>,
}

impl PartsCache {
    fn get(&self, digest: &str) -> Option<Arc<Document>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    fn keep(&self, digest: &str, document: &Arc<Document>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let size = |document: &Document| document.names.len().saturating_add(1);
        let total = known.values().fold(size(document), |sum, it| sum.saturating_add(size(it)));
        if total > KEPT {
            known.clear();
        }
        known.insert(digest.to_owned(), Arc::clone(document));
    }
}

impl DataPlane {
    /// The manifests of a repository that may not be deleted, for their own attributes or those of
    /// a tag, or because a tag is written once. Where tags with attributes point is asked now: they
    /// may have moved behind the gateway, and would lose their attributes with a manifest that is
    /// not theirs any more.
    pub(super) async fn locked(
        self: &Arc<Self>,
        restrictions: &Restrictions,
        repository: &str,
    ) -> Result<Vec<String>, Trouble> {
        let own = restrictions.of_kind(repository, Kind::Manifest);
        let own = own.filter(|(_, attributes)| !attributes.may_delete());
        let mut locked: Vec<String> = own.map(|(digest, _)| digest.to_owned()).collect();
        for (tag, attributes) in restrictions.of_kind(repository, Kind::Tag) {
            let points_to = self.look_at_tag(repository, tag).await?;
            locked.extend(points_to.filter(|_| !attributes.may_delete()));
        }
        if self.write_once.keeps_any_of(repository) {
            let tags = self.registry.tags(repository).await?;
            for tag in tags.iter().filter(|tag| self.write_once.keeps(repository, tag)) {
                locked.extend(self.look_at_tag(repository, tag).await?);
            }
        }
        Ok(locked)
    }

    /// Whether a digest is one of these manifests, or a part of one.
    pub(super) async fn is_in(
        self: &Arc<Self>,
        repository: &str,
        manifests: Vec<String>,
        digest: &str,
    ) -> Result<bool, Trouble> {
        let walked = timeout(TIMEOUT, self.walk(repository, manifests, digest)).await;
        match walked {
            Ok(Err(Trouble::Registry(reason))) => {
                tracing::error!(reason, "the registry does not tell the parts of what is locked");
                Err(Trouble::Busy("the parts of what is locked are not known"))
            }
            Ok(walked) => walked,
            Err(_) => {
                Err(Trouble::Busy("the registry is slow to tell the parts of what is locked"))
            }
        }
    }

    async fn walk(
        self: &Arc<Self>,
        repository: &str,
        manifests: Vec<String>,
        digest: &str,
    ) -> Result<bool, Trouble> {
        let mut seen: HashSet<String> = manifests.into_iter().collect();
        let mut level: Vec<String> = seen.iter().cloned().collect();
        while !level.is_empty() {
            if seen.contains(digest) {
                return Ok(true);
            }
            if seen.len() > MAX_MANIFESTS {
                return Err(Trouble::Busy("too many manifests are locked to know all parts"));
            }
            let mut next = Vec::new();
            for document in self.documents(repository, level).await? {
                if document.names.iter().any(|name| name == digest) {
                    return Ok(true);
                }
                let children = document.names.iter().filter(|_| !document.is_image);
                next.extend(children.filter(|name| seen.insert((*name).clone())).cloned());
            }
            level = next;
        }
        Ok(false)
    }

    /// Those of some manifests that are there.
    async fn documents(
        self: &Arc<Self>,
        repository: &str,
        digests: Vec<String>,
    ) -> Result<Vec<Arc<Document>>, Trouble> {
        let (mut found, mut tasks) = (Vec::new(), JoinSet::new());
        for digest in digests {
            if let Some(document) = self.parts.get(&digest) {
                found.push(document);
                continue;
            }
            if tasks.len() >= AT_ONCE {
                found.extend(joined(tasks.join_next().await)?);
            }
            let (plane, repository) = (Arc::clone(self), repository.to_owned());
            tasks.spawn(async move { plane.document(&repository, &digest).await });
        }
        while !tasks.is_empty() {
            found.extend(joined(tasks.join_next().await)?);
        }
        Ok(found)
    }

    async fn document(
        &self,
        repository: &str,
        digest: &str,
    ) -> Result<Option<Arc<Document>>, Trouble> {
        let Some((media_type, body)) = self.registry.manifest(repository, digest).await? else {
            return Ok(None);
        };
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        let names = names(&body).map_err(|error| Trouble::Registry(error.to_string()))?;
        let document = Arc::new(Document { is_image: IMAGES.contains(&media_type), names });
        self.parts.keep(digest, &document);
        Ok(Some(document))
    }
}

type Ended = Result<Result<Option<Arc<Document>>, Trouble>, tokio::task::JoinError>;

fn joined(ended: Option<Ended>) -> Result<Option<Arc<Document>>, Trouble> {
    match ended {
        Some(Ok(document)) => document,
        Some(Err(error)) => Err(Trouble::Registry(error.to_string())),
        None => Ok(None),
    }
}

/// The digests in a manifest.
fn names(body: &[u8]) -> serde_json::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut document = serde_json::Deserializer::from_slice(body);
    Names { found: &mut found, is_top: true }.deserialize(&mut document)?;
    document.end()?;
    Ok(found)
}

/// Collects digests, wherever they stand. Programs read names of members in several ways, so none
/// is looked for.
struct Names<'f> {
    found: &'f mut Vec<String>,
    is_top: bool,
}

impl Names<'_> {
    const fn below(&mut self) -> Names<'_> {
        Names { found: self.found, is_top: false }
    }
}

impl<'de> DeserializeSeed<'de> for Names<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, document: D) -> Result<(), D::Error> {
        document.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Names<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if is_digest(text) {
            self.found.push(text.to_owned());
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.below())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        while let Some(key) = members.next_key::<String>()? {
            if key == "annotations" || (self.is_top && key == "subject") {
                members.next_value::<IgnoredAny>()?;
            } else {
                members.next_value_seed(self.below())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::sha256;
    use super::*;

    #[test]
    fn digests_in_a_manifest() {
        let digest = sha256(b"x");
        for (body, expected) in [
            (r#"{"config":{"digest":"D"}}"#, Some(1)),
            (r#"{"layers":[{"digest":"D"},{"digest":"D"}],"manifests":[{"digest":"D"}]}"#, Some(3)),
            (r#"{"fsLayers":[{"blobSum":"D"}],"blobs":[{"Digest":"D"}]}"#, Some(2)),
            (r#"{"subject":{"digest":"D"},"annotations":{"x":"D"}}"#, Some(0)),
            (r#"{"layers":[{"annotations":{"x":"D"},"subject":{"digest":"D"}}]}"#, Some(1)),
            (r#"{"x":[null,true,-1,1,1.5,"y","D"]}"#, Some(1)),
            ("{}", Some(0)),
            ("", None),
            (r#"{"config":{"digest":"D"}"#, None),
            (r#"{"config":{"digest":"D"}}{"#, None),
        ] {
            let names = names(body.replace("\"D\"", &format!("\"{digest}\"")).as_bytes());
            assert_eq!(names.ok().map(|names| names.len()), expected, "{body}");
        }
        let escaped = format!(r#"{{"digest":"\u0073{}"}}"#, digest.strip_prefix('s').unwrap());
        assert_eq!(names(escaped.as_bytes()).unwrap(), [digest]);
    }

    #[test]
    fn what_is_kept_has_a_bound() {
        let known = PartsCache::default();
        let names = vec![sha256(b"x"); KEPT / 3];
        let document = Arc::new(Document { is_image: true, names });
        for (digest, expected) in [("a", 1), ("b", 2), ("c", 1)] {
            known.keep(digest, &document);
            assert_eq!(known.0.lock().unwrap().len(), expected);
            assert!(known.get(digest).is_some());
        }
    }
}

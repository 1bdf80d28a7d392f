//! What a registry says that happened: the notifications of CNCF distribution
//! (<https://distribution.github.io/distribution/about/notifications/>).
//!
//! An event is only a reason to ask the registry. A sender can make the gateway ask it, and take
//! for new what it did not know, and nothing else.
//!
//! Left out: pulls, blobs, who did it and when.

use std::sync::Arc;

use serde::Deserialize;

use super::DataPlane;
use super::registry::{is_digest, is_repository, is_tag};
use super::reply::{Reply, Trouble};
use super::sync::Origin;

/// How many events of one message are looked at.
const MAX_EVENTS: usize = 1000;

/// A message.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope {
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Debug, Deserialize)]
struct Event {
    #[serde(default)]
    action: String,
    #[serde(default)]
    target: Target,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Target {
    media_type: String,
    repository: String,
    digest: String,
    tag: String,
}

impl Event {
    /// Whether it may be about a manifest. An event about what was deleted tells no type.
    fn is_of_a_manifest(&self) -> bool {
        let kind = self.target.media_type.as_str();
        let is_manifest = kind.is_empty() || kind.contains("manifest") || kind.contains("index");
        is_manifest
            && matches!(self.action.as_str(), "push" | "delete")
            && is_repository(&self.target.repository)
    }
}

impl DataPlane {
    /// Asks the registry about what is said to have happened. Tells whether it answered.
    pub(crate) async fn handle(self: &Arc<Self>, envelope: Envelope) -> bool {
        let events = envelope.events.iter().filter(|event| event.is_of_a_manifest());
        for event in events.take(MAX_EVENTS) {
            let is_push = event.action == "push";
            let origin = if is_push { Origin::Pushed } else { Origin::Found };
            if let Err(trouble) = self.look(&event.target, origin).await {
                // Which is logged so.
                drop(Reply::from(trouble));
                return false;
            }
        }
        true
    }

    async fn look(self: &Arc<Self>, target: &Target, origin: Origin) -> Result<(), Trouble> {
        let Target { repository, digest, tag, .. } = target;
        if is_tag(tag) {
            self.look_at_tag_of(repository, tag, origin).await?;
        }
        if is_digest(digest) && !self.look_at_manifest_of(repository, digest, origin).await? {
            let tags = self.index.tags(repository).await?;
            for (tag, _) in tags.iter().filter(|(_, of)| of == digest) {
                self.look_at_tag(repository, tag).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_events_matter() {
        let manifest = "application/vnd.oci.image.manifest.v1+json";
        for (action, media_type, repository, expected) in [
            ("push", manifest, "team/app", true),
            ("push", "application/vnd.oci.image.index.v1+json", "team/app", true),
            ("delete", "", "team/app", true),
            ("pull", manifest, "team/app", false),
            ("push", "application/octet-stream", "team/app", false),
            ("push", manifest, "../x", false),
            ("push", manifest, "", false),
        ] {
            let text = serde_json::json!({ "events": [{
                "action": action,
                "target": { "mediaType": media_type, "repository": repository, "size": 7 },
            }] });
            let envelope: Envelope = serde_json::from_value(text).unwrap();
            assert_eq!(envelope.events[0].is_of_a_manifest(), expected, "{action} {media_type}");
        }
        assert!(serde_json::from_str::<Envelope>("{}").unwrap().events.is_empty());
    }
}

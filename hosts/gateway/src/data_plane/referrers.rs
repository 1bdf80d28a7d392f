//! The list of what refers to a manifest, without what may not be read or listed.
//!
//! Follows
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers>. A
//! descriptor in it has the annotations of the manifest that it is of.
//!
//! Left out: repositories where nothing is kept back, whose lists the registry answers itself, and
//! lists under a tag, which are manifests with attributes of their own.

use std::sync::Arc;

use serde_json::Value;

use super::reply::{Reply, Trouble};
use super::{DataPlane, Snapshot};
use crate::index::{Kind, Restrictions};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// What else of the registry's answer goes back to the client.
const PASSED_ON: [&str; 2] = ["link", "oci-filters-applied"];

impl DataPlane {
    /// The list, where the registry does not answer it itself.
    pub(crate) async fn referrers(
        &self,
        repository: &str,
        digest: &str,
        query: &str,
    ) -> Option<Reply> {
        let held = self.restrictions.load_full();
        let known = held.as_ref().map(|known: &Arc<Snapshot>| known.restrictions.as_ref())?;
        known
            .of_kind(repository, Kind::Manifest)
            .any(|(_, attributes)| !(attributes.read_enabled && attributes.list_enabled))
            .then_some(())?;
        let shown = self.shown(known, repository, digest, query).await;
        Some(shown.unwrap_or_else(Reply::from))
    }

    async fn shown(
        &self,
        known: &Restrictions,
        repository: &str,
        digest: &str,
        query: &str,
    ) -> Result<Reply, Trouble> {
        let answer = self.registry.referrers(repository, digest, query).await?;
        if answer.status.as_u16() != 200 {
            return Ok(self.passed_on(answer));
        }
        let wrong = || Trouble::Registry("the list of referrers can't be read".to_owned());
        let mut list: Value = serde_json::from_slice(&answer.body).map_err(|_| wrong())?;
        let referrers = list.get_mut("manifests").and_then(Value::as_array_mut);
        referrers.ok_or_else(wrong)?.retain(|referrer| {
            let digest = referrer.get("digest").and_then(Value::as_str).unwrap_or_default();
            let attributes = known.attributes(repository, Kind::Manifest, digest);
            attributes.read_enabled && attributes.list_enabled
        });
        let text = |name: &str| answer.headers.get(name)?.to_str().ok().map(ToOwned::to_owned);
        let headers = PASSED_ON.into_iter().filter_map(|name| Some((name.into(), text(name)?)));
        let content_type = Some(INDEX.into());
        Ok(Reply { content_type, headers: headers.collect(), ..Reply::json(200, &list) })
    }
}

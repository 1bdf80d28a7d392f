//! Changing attributes, and what they forbid.
//!
//! | what | is refused when this may not be |
//! |---|---|
//! | pulling a manifest or a blob, listing referrers | read: repository, tag, manifest |
//! | pushing a manifest, uploading | write: repository, tag |
//! | mounting a blob | write: repository; read: the one that it comes from |
//! | deleting a blob | write or delete: repository, and each manifest that has it, as for deleting that |
//! | removing a tag | write: repository; write or delete: tag |
//! | deleting a manifest | write: repository; write or delete: manifest, each of its tags, and each index that has it |
//! | deleting a repository | write or delete: repository, and everything in it |
//! | changing attributes of a tag or a manifest | write: repository |
//!
//! Writes read the index, and are refused when it cannot be read. Reads go by what was last read of
//! it.
//!
//! Left out: blobs of a manifest that may not be read, which other manifests may have too.

use std::sync::Arc;
use std::time::Instant;

use scopegate_core::route::{Endpoint, Route};
use serde_json::{Map, Value};

use super::call::{Call, Sent};
use super::guard::Hold;
use super::registry::is_digest;
use super::reply::{Reply, Trouble};
use super::{DataPlane, KNOWN_FOR, Snapshot};
use crate::index::{Attributes, Kind, Restrictions};

/// A change of attributes; what is not said stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Change {
    delete: Option<bool>,
    write: Option<bool>,
    read: Option<bool>,
    list: Option<bool>,
}

impl Change {
    /// Reads a body. Unknown members change nothing.
    fn read(body: &[u8]) -> Result<Self, Reply> {
        const WRONG: &str = "attributes are an object with true or false";
        let wrong = || Reply::error(400, "UNSUPPORTED", WRONG);
        let members: Map<String, Value> = serde_json::from_slice(body).map_err(|_| wrong())?;
        if members.keys().any(|name| name.starts_with("quarantine")) {
            return Err(Reply::unsupported());
        }
        let flag = |name: &str| match members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            // Older scripts write them so.
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(wrong()),
        };
        Ok(Self {
            delete: flag("deleteEnabled")?,
            write: flag("writeEnabled")?,
            read: flag("readEnabled")?,
            list: flag("listEnabled")?,
        })
    }

    fn of(self, old: Attributes) -> Attributes {
        Attributes {
            delete_enabled: self.delete.unwrap_or(old.delete_enabled),
            write_enabled: self.write.unwrap_or(old.write_enabled),
            read_enabled: self.read.unwrap_or(old.read_enabled),
            list_enabled: self.list.unwrap_or(old.list_enabled),
        }
    }
}

impl DataPlane {
    /// Changes attributes, and answers with what they are then.
    pub(super) async fn patch(
        self: &Arc<Self>,
        call: &Call,
        sent: &Sent,
    ) -> Result<Reply, Trouble> {
        let change = match Change::read(&sent.body) {
            Ok(change) => change,
            Err(reply) => return Ok(reply),
        };
        let (repository, kind) = (call.repository.as_str(), kind(call.endpoint));
        let name = if kind == Kind::Repository { "" } else { call.last.as_str() };
        let _guard = self.guards.take(&self.index, repository, Hold::Alone).await?;
        let restrictions = self.index.restrictions_of(repository).await?;
        let old = restrictions.attributes(repository, kind, name);
        let new = change.of(old);
        let exists = self.exists(repository, kind, name).await?;
        // A lock outlives what vanished behind the gateway, and can be taken off it.
        if !exists && !new.only_lifts(old) {
            return Ok(not_found(repository, kind, name));
        }
        let above = restrictions.attributes(repository, Kind::Repository, "");
        if kind != Kind::Repository && !above.write_enabled {
            return Ok(Reply::disallowed());
        }
        if old != new {
            self.set(repository, kind, name, new).await?;
        }
        if !exists {
            return Ok(self.vanished(repository, kind, name, new));
        }
        match kind {
            Kind::Repository => self.repository_as_known(repository).await,
            Kind::Tag => self.tag_as_known(repository, name).await,
            Kind::Manifest => self.manifest_as_known(repository, name).await,
        }
    }

    async fn exists(
        self: &Arc<Self>,
        repository: &str,
        kind: Kind,
        name: &str,
    ) -> Result<bool, Trouble> {
        match kind {
            Kind::Repository => Ok(self.sync(repository).await?.is_some()),
            Kind::Tag => Ok(self.look_at_tag(repository, name).await?.is_some()),
            Kind::Manifest => self.look_at_manifest(repository, name).await,
        }
    }

    async fn set(
        &self,
        repository: &str,
        kind: Kind,
        name: &str,
        attributes: Attributes,
    ) -> Result<(), Trouble> {
        self.index.set_attributes(repository, kind, name, attributes).await?;
        // Reads of this gateway know it before the change is answered.
        Ok(self.read_restrictions().await?)
    }

    /// What a request at `/v2` gets instead of being sent on, when attributes forbid it.
    #[must_use]
    pub(crate) fn refusal(&self, method: &str, route: &Route<'_>) -> Option<Reply> {
        let last = route.path.rsplit('/').next().unwrap_or_default();
        let repository = route.scopes.first().map(|scope| scope.name.as_ref())?;
        let is_read = matches!(method, "GET" | "HEAD");
        match route.endpoint {
            Endpoint::Manifest | Endpoint::Blob | Endpoint::Referrers if is_read => {
                let held = self.restrictions.load();
                let known = held.as_ref()?.restrictions.as_ref();
                (!may_pull(known, repository, last)).then(Reply::disallowed)
            }
            Endpoint::StartUpload | Endpoint::Upload if !is_read => {
                self.refused_upload(method, repository)
            }
            _ => None,
        }
    }

    /// Why a blob, or a piece of one, may not be uploaded now, or an upload not be given up.
    #[must_use]
    pub(crate) fn refused_upload(&self, method: &str, repository: &str) -> Option<Reply> {
        let held = self.restrictions.load();
        let is_fresh = |at: &Instant| at.elapsed() <= KNOWN_FOR;
        let Some(known) = held.as_ref().filter(|known| is_fresh(&known.at)) else {
            return Some(Trouble::Busy("the index was not read lately").into());
        };
        let own = known.restrictions.attributes(repository, Kind::Repository, "");
        let is_open = if method == "DELETE" { own.may_delete() } else { own.write_enabled };
        (!is_open).then(Reply::disallowed)
    }

    /// The digest by which a manifest is pulled that was asked for by a tag, or why it is not;
    /// nothing where it need not be known, because no manifest of the repository is kept back.
    ///
    /// A registry may answer a tag with another manifest than the tag's: CNCF distribution 2
    /// converts it for clients that do not accept its type, and chooses one from a list. So where
    /// the tag points is asked first, with all types accepted.
    pub(crate) async fn resolve(
        &self,
        repository: &str,
        reference: &str,
    ) -> Result<Option<String>, Reply> {
        let is_hiding =
            self.restrictions.load().as_ref().is_some_and(|known: &Arc<Snapshot>| {
                known.restrictions.hides_manifests(repository)
            });
        if is_digest(reference) || !is_hiding {
            return Ok(None);
        }
        let head = self.registry.head(repository, reference).await?;
        let head = head.ok_or_else(|| Reply::no_manifest_of(reference))?;
        let held = self.restrictions.load();
        let is_open = held
            .as_ref()
            .is_none_or(|known| may_pull(&known.restrictions, repository, &head.digest));
        if is_open { Ok(Some(head.digest)) } else { Err(Reply::disallowed()) }
    }

    /// Why a manifest does not go to the client who asked for it by a digest, or by a tag that was
    /// not resolved, and of which the registry tells a digest, or none.
    #[must_use]
    pub(crate) fn kept_back(
        &self,
        repository: &str,
        asked: Option<&str>,
        named: Option<&str>,
    ) -> Option<Reply> {
        let held = self.restrictions.load();
        let known = &held.as_ref()?.restrictions;
        if [asked, named].into_iter().flatten().any(|digest| !may_pull(known, repository, digest)) {
            return Some(Reply::disallowed());
        }
        // The first manifest was hidden meanwhile, and this may be another form of it.
        (asked.is_none() && known.hides_manifests(repository))
            .then(|| Trouble::Busy("attributes changed while a manifest was pulled").into())
    }
}

fn may_pull(known: &Restrictions, repository: &str, reference: &str) -> bool {
    let kind = if is_digest(reference) { Kind::Manifest } else { Kind::Tag };
    known.may_read(repository, kind, reference)
}

const fn kind(endpoint: Endpoint) -> Kind {
    match endpoint {
        Endpoint::TagMetadata => Kind::Tag,
        Endpoint::ManifestMetadata => Kind::Manifest,
        _ => Kind::Repository,
    }
}

fn not_found(repository: &str, kind: Kind, name: &str) -> Reply {
    match kind {
        Kind::Repository => Reply::no_repository(repository),
        Kind::Tag => Reply::no_tag(),
        Kind::Manifest => Reply::no_manifest(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes() {
        let open = Attributes::default();
        let locked = Attributes { write_enabled: false, ..open };
        for (body, old, expected) in [
            (r#"{"writeEnabled":false}"#, open, Ok(locked)),
            (r#"{"writeEnabled":"False","x":[1]}"#, open, Ok(locked)),
            (r#"{"deleteEnabled":true,"writeEnabled":null}"#, locked, Ok(locked)),
            (r#"{"writeEnabled":true}"#, locked, Ok(open)),
            ("{}", locked, Ok(locked)),
            (r#"{"writeEnabled":0}"#, open, Err(400)),
            (r#"{"writeEnabled":"no"}"#, open, Err(400)),
            ("[]", open, Err(400)),
            ("", open, Err(400)),
            (r#"{"quarantineState":"Passed"}"#, open, Err(405)),
        ] {
            let changed = Change::read(body.as_bytes()).map(|change| change.of(old));
            assert_eq!(changed.map_err(|reply| reply.status), expected, "{body}");
        }
    }
}

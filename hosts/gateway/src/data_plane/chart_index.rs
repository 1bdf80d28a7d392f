//! The index of the charts in the registry, as Helm reads it from a chart repository
//! (<https://helm.sh/docs/topics/chart_repository/#the-index-file>).
//!
//! ```text
//! {"apiVersion":"v1","generated":TIME,"entries":{
//! "team/app":[
//! {"name":"app","version":"1.0.0",…,"created":TIME,"urls":["oci://HOST/team/app:1.0.0"]}
//! ]
//! }}
//! ```
//!
//! JSON, which is YAML too. A chart is listed under the name of its repository, not its own: two
//! repositories may have a chart of one name, and who pushes to one of them must not stand in for
//! the other. Below a prefix, the rest of the name is left. The address is an `oci://` one, which
//! Helm understands since 3.8: it pulls the chart with its own login, so an index opens nothing.
//!
//! What is true of a digest is read from the registry once. Tags of repositories with charts are
//! compared with the registry's as any list's are. So a request costs the registry no more than a
//! list of tags of each such repository in a while, however many others it has.
//!
//! Left out: charts in a repository that the index of artifacts does not know; tags that are no
//! version; who may read what, which the caller says.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::chart::{self, CONFIG, is_tag_of};
use super::reply::{Reply, Trouble};
use super::sync::Origin;
use super::time::{now, ticks_of, written};
use super::{DataPlane, Snapshot};
use crate::index::{Kept, Kind, Restrictions};

/// How long an index may take. What was read until then stays.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long comparing one repository may take. After that what is known of it is listed.
const SYNC_TIMEOUT: Duration = Duration::from_secs(5);
/// After how long the registry is asked again for what it did not give.
const AGAIN: Duration = Duration::from_secs(60);
/// How many indexes are made at one time: each is in memory.
pub(super) const INDEXES: usize = 2;
/// How many repositories, or charts, are looked at at one time.
const AT_ONCE: usize = 16;
/// How many tags of a repository are listed, the latest ones.
const MOST_TAGS: i64 = 1000;
/// How much of an index one repository may have, in bytes, so that no other is crowded out soon.
const MAX_OF_ONE: usize = 2 * 1024 * 1024;
/// The longest index, in bytes.
const MAX_INDEX: usize = 16 * 1024 * 1024;
/// What RFC 9512 calls YAML.
const YAML: &str = "application/yaml";

/// Which index is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// What the client calls this registry: a host and a port.
    pub(crate) host: &'a str,
    /// The prefix that the names of its repositories have, with its slash; empty for all.
    pub(crate) below: &'a str,
}

/// An index as it grows.
struct Growing {
    text: String,
    has_any: bool,
    /// Whether something did not fit.
    is_cut: bool,
}

impl DataPlane {
    /// The index of the charts that the client may read.
    pub(crate) async fn chart_index(
        self: &Arc<Self>,
        wanted: Wanted<'_>,
        may_read: impl Fn(&str) -> bool,
    ) -> Reply {
        let made = timeout(TIMEOUT, self.make(wanted, may_read)).await;
        let made = made.unwrap_or(Err(Trouble::Busy("many charts are read for the first time")));
        made.unwrap_or_else(Reply::from)
    }

    /// Looks at what was pushed, if it is a chart, so that the next index has it.
    pub(super) async fn note_chart(
        self: &Arc<Self>,
        repository: &str,
        digest: &str,
        manifest: &[u8],
    ) {
        if chart::parts(manifest).is_ok()
            && let Err(trouble) = self.look_inside(repository, digest, Origin::Pushed, 0).await
        {
            // Which is logged so. It is looked at with the next list of the repository.
            drop(Reply::from(trouble));
        }
    }

    /// The key of tickets: this one, unless the index has one.
    ///
    /// # Errors
    ///
    /// When the index cannot be written.
    pub(crate) async fn ticket_key(&self, new: &str) -> sqlx::Result<String> {
        self.index.ticket_key(new).await
    }

    async fn make(
        self: &Arc<Self>,
        wanted: Wanted<'_>,
        may_read: impl Fn(&str) -> bool,
    ) -> Result<Reply, Trouble> {
        let known = self.known()?;
        let mut names = self.index.chart_repositories(CONFIG).await?;
        names.retain(|name| {
            name.starts_with(wanted.below) && is_open(&known.restrictions, name) && may_read(name)
        });
        // The semaphore is never closed.
        let _permit = self.indexing.acquire().await;
        self.look_at_charts(&names).await?;
        let mut index = Growing::begin();
        // A lock may have come while the registry was asked.
        let known = self.known()?;
        for name in names.iter().filter(|name| is_open(&known.restrictions, name)) {
            self.list_charts(name, wanted, &known.restrictions, &mut index).await?;
        }
        if index.is_cut && !self.was_cut.swap(true, Ordering::Relaxed) {
            tracing::warn!("an index of charts is too long, and the oldest charts are left out");
        }
        let body = index.end().into_bytes();
        Ok(Reply { status: 200, content_type: Some(YAML.into()), headers: Vec::new(), body })
    }

    fn known(&self) -> Result<Arc<Snapshot>, Trouble> {
        self.restrictions.load_full().ok_or(Trouble::Busy("the index was not read yet"))
    }

    /// Compares repositories with the registry, and reads the charts in them that were not read.
    async fn look_at_charts(self: &Arc<Self>, names: &[String]) -> Result<(), Trouble> {
        let mut tasks = JoinSet::new();
        for name in names {
            if tasks.len() >= AT_ONCE {
                ended(tasks.join_next().await)?;
            }
            let (plane, name) = (Arc::clone(self), name.clone());
            tasks.spawn(async move { plane.look_at_charts_of(&name).await });
        }
        while !tasks.is_empty() {
            ended(tasks.join_next().await)?;
        }
        Ok(())
    }

    async fn look_at_charts_of(self: &Arc<Self>, name: &str) -> Result<(), Trouble> {
        // One repository that cannot be compared hides no other.
        if !matches!(timeout(SYNC_TIMEOUT, self.sync(name)).await, Ok(Ok(_))) {
            tracing::warn!(repository = name, "charts are listed as they were known");
        }
        let tags = self.index.chart_tags(name, CONFIG, now(), MOST_TAGS).await?;
        let unread = tags.into_iter().filter(|tag| tag.entry == Kept::Unread);
        let digests: BTreeSet<String> = unread.map(|tag| tag.digest).collect();
        for digest in digests {
            self.read_chart(name, &digest).await?;
        }
        Ok(())
    }

    /// Reads what a chart says, and keeps it. What the registry does not give is asked for again
    /// later.
    async fn read_chart(&self, repository: &str, digest: &str) -> Result<(), Trouble> {
        let read = match self.entry(repository, digest).await {
            Ok(Some(read)) => read,
            Ok(None) | Err(Trouble::Registry(_)) => {
                let again = now().saturating_add(ticks_of(AGAIN));
                return Ok(self.index.keep_chart(repository, digest, None, Some(again)).await?);
            }
            Err(trouble) => return Err(trouble),
        };
        if let Err(reason) = read {
            tracing::warn!(repository, digest, reason, "a chart is left out of the index");
        }
        Ok(self.index.keep_chart(repository, digest, read.ok().as_deref(), None).await?)
    }

    /// The entry of a chart, or why it is left out; nothing where the registry does not tell.
    async fn entry(
        &self,
        repository: &str,
        digest: &str,
    ) -> Result<Option<Result<String, &'static str>>, Trouble> {
        let Some((_, manifest)) = self.registry.manifest(repository, digest).await? else {
            return Ok(None);
        };
        let parts = match chart::parts(&manifest) {
            Ok(parts) => parts,
            Err(reason) => return Ok(Some(Err(reason))),
        };
        let config = self.registry.blob(repository, &parts.config).await?;
        Ok(config.map(|config| chart::entry(repository, &parts, &config)))
    }

    async fn list_charts(
        &self,
        name: &str,
        wanted: Wanted<'_>,
        known: &Restrictions,
        index: &mut Growing,
    ) -> Result<(), Trouble> {
        let (mut list, mut is_cut) = (String::new(), false);
        for tag in self.index.chart_tags(name, CONFIG, now(), MOST_TAGS).await? {
            let Kept::Entry(entry) = tag.entry else { continue };
            let is_shown = [(Kind::Tag, &tag.tag), (Kind::Manifest, &tag.digest)];
            let is_shown = is_shown.into_iter().all(|(kind, of)| {
                let attributes = known.attributes(name, kind, of);
                attributes.list_enabled && attributes.read_enabled
            });
            if !is_shown || !is_tag_of(&entry, &tag.tag) {
                continue;
            }
            let Some(entry) = entry.strip_suffix('}') else { continue };
            let (created, host) = (written(tag.created), wanted.host);
            let entry = format!(
                "{entry},\"created\":\"{created}\",\"urls\":[\"oci://{host}/{name}:{}\"]}}",
                tag.tag
            );
            is_cut = list.len().saturating_add(entry.len()) > MAX_OF_ONE;
            if is_cut {
                break;
            }
            list.push_str(if list.is_empty() { "" } else { ",\n" });
            list.push_str(&entry);
        }
        let key = name.strip_prefix(wanted.below).unwrap_or(name);
        index.add(key, &list);
        index.is_cut |= is_cut;
        Ok(())
    }
}

impl Growing {
    fn begin() -> Self {
        let generated = written(now());
        let text =
            format!("{{\"apiVersion\":\"v1\",\"generated\":\"{generated}\",\"entries\":{{\n");
        Self { text, has_any: false, is_cut: false }
    }

    /// Adds the entries of a repository, unless there are none or they do not fit.
    fn add(&mut self, key: &str, list: &str) {
        if list.is_empty() {
            return;
        }
        let length = self.text.len().saturating_add(list.len()).saturating_add(key.len());
        if length.saturating_add(64) > MAX_INDEX {
            self.is_cut = true;
            return;
        }
        let comma = if self.has_any { ",\n" } else { "" };
        // A name of a repository has nothing in it that JSON escapes.
        for part in [comma, "\"", key, "\":[\n", list, "\n]"] {
            self.text.push_str(part);
        }
        self.has_any = true;
    }

    fn end(mut self) -> String {
        self.text.push_str("\n}}\n");
        self.text
    }
}

/// Whether a repository is listed and may be pulled from.
fn is_open(known: &Restrictions, repository: &str) -> bool {
    known.is_listed(repository) && known.may_read(repository, Kind::Repository, "")
}

/// The result of a task.
fn ended(
    ended: Option<Result<Result<(), Trouble>, tokio::task::JoinError>>,
) -> Result<(), Trouble> {
    match ended {
        Some(Ok(outcome)) => outcome,
        Some(Err(error)) => Err(Trouble::Registry(error.to_string())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_as_a_whole() {
        let long = format!("\"{}\"", "x".repeat(MAX_INDEX / 2));
        let mut index = Growing::begin();
        for (key, list, is_cut) in [
            ("none", "", false),
            ("a/b", "{\"version\":\"1\"}", false),
            ("first", long.as_str(), false),
            ("second", &long, true),
            ("last", "{}", true),
        ] {
            index.add(key, list);
            assert_eq!(index.is_cut, is_cut, "{key}");
        }
        let text = index.end();
        let read: Value = serde_json::from_str(&text).unwrap();
        let keys: Vec<&String> = read["entries"].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["a/b", "first", "last"]);
        assert!(text.len() <= MAX_INDEX);
    }

    #[test]
    fn an_empty_index_is_one() {
        let read: Value = serde_json::from_str(&Growing::begin().end()).unwrap();
        assert_eq!((&read["apiVersion"], &read["entries"]), (&json!("v1"), &json!({})));
    }
}

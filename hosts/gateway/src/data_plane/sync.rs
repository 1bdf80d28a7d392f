//! Keeping the index in step with the registry: what it has is asked, and never assumed.
//!
//! A list of tags is compared with the registry's when it was not lately; tags and manifests that
//! are shown are asked about when they were not lately; one that is asked for by its name always
//! is. What is true of a digest is fetched once.
//!
//! Something new is as old as the index's first look at it, except in a repository that is looked
//! at for the first time: there an image is as old as its maker says, unless the registry notified
//! its push.
//!
//! Left out: manifests without a tag that came before the index, which most registries do not
//! list.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::DataPlane;
use super::crawl::Pace;
use super::facts::{add_config, of_manifest};
use super::reply::Trouble;
use super::time::now;
use crate::index::rows::Repository;
use crate::index::{Facts, Row, Seen};

/// How long comparing a repository may take. What was found until then stays.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How many things are looked at at one time for one request.
const AT_ONCE: usize = 16;
/// How deep indexes may be in indexes.
const MOST_LEVELS: usize = 4;

impl DataPlane {
    /// What is known of a repository, after its tags were compared with the registry's.
    pub(super) async fn sync(
        self: &Arc<Self>,
        repository: &str,
    ) -> Result<Option<Repository>, Trouble> {
        match self.fresh(repository).await? {
            Some(fresh) => Ok(Some(fresh)),
            None => self.compared(repository, false).await,
        }
    }

    /// The same, compared now.
    pub(super) async fn sync_now(
        self: &Arc<Self>,
        repository: &str,
    ) -> Result<Option<Repository>, Trouble> {
        self.compared(repository, true).await
    }

    async fn compared(
        self: &Arc<Self>,
        repository: &str,
        is_forced: bool,
    ) -> Result<Option<Repository>, Trouble> {
        let compared = timeout(TIMEOUT, self.compare(repository, is_forced)).await;
        compared.map_err(|_| Trouble::Busy("a repository is looked at for the first time"))??;
        Ok(self.index.repository(repository).await?)
    }

    async fn fresh(&self, repository: &str) -> Result<Option<Repository>, Trouble> {
        let since = now().saturating_sub(self.fresh_for);
        let known = self.index.repository(repository).await?;
        Ok(known.filter(|known| known.synced.is_some_and(|synced| synced > since)))
    }

    async fn compare(self: &Arc<Self>, repository: &str, is_forced: bool) -> Result<(), Trouble> {
        // One after the other: who waited finds it done.
        let turn = self.turns.of(repository);
        let _turn = turn.lock().await;
        if !is_forced && self.fresh(repository).await?.is_some() {
            return Ok(());
        }
        self.compare_all(repository, None).await
    }

    /// Compares all tags of a repository with the registry's, and looks at what is new. With a pace
    /// it looks at everything that is known too.
    pub(super) async fn compare_all(
        self: &Arc<Self>,
        repository: &str,
        mut pace: Option<&mut Pace>,
    ) -> Result<(), Trouble> {
        let start = now();
        let there: HashSet<String> = self.registry.tags(repository).await?.into_iter().collect();
        let known: HashMap<String, String> =
            self.index.tags(repository).await?.into_iter().collect();
        for tag in known.keys().filter(|tag| !there.contains(*tag)) {
            self.index.missed_tag(repository, tag, start).await?;
        }
        let is_all = pace.is_some();
        let new = there.into_iter().filter(|tag| is_all || !known.contains_key(tag)).collect();
        self.each(repository, new, Look::Tag, pace.as_deref_mut()).await?;
        if is_all {
            // One may be gone, and nothing but a list of manifests would ask for it.
            let old = self.index.manifests_before(repository, start).await?;
            self.each(repository, old, Look::Manifest, pace.as_deref_mut()).await?;
        }
        let unknown = self.index.manifests(repository, true).await?;
        self.each(repository, unknown, Look::Contents, pace).await?;
        Ok(self.index.synced(repository, start).await?)
    }

    /// Asks about those of a page that were not asked about lately. Tells whether there were any.
    pub(super) async fn confirm(
        self: &Arc<Self>,
        repository: &str,
        rows: &[Row],
        look: Look,
    ) -> Result<bool, Trouble> {
        let since = now().saturating_sub(self.fresh_for);
        let is_old =
            |row: &&Row| row.seen <= since || (look == Look::Manifest && row.facts.is_none());
        let old: Vec<String> = rows.iter().filter(is_old).map(|row| row.name.clone()).collect();
        let has_any = !old.is_empty();
        self.each(repository, old, look, None).await?;
        Ok(has_any)
    }

    /// Looks at some of a repository, many at one time. What the registry does not tell is left
    /// out.
    async fn each(
        self: &Arc<Self>,
        repository: &str,
        names: Vec<String>,
        look: Look,
        mut pace: Option<&mut Pace>,
    ) -> Result<(), Trouble> {
        let mut tasks = JoinSet::new();
        for name in names {
            if let Some(pace) = &mut pace {
                pace.wait().await;
            }
            if tasks.len() >= AT_ONCE {
                joined(tasks.join_next().await)?;
            }
            let (plane, repository) = (Arc::clone(self), repository.to_owned());
            tasks.spawn(async move {
                match look {
                    Look::Tag => plane.look_at_tag(&repository, &name).await.map(drop),
                    Look::Manifest => plane.look_at_manifest(&repository, &name).await.map(drop),
                    Look::Contents => {
                        plane.look_inside(&repository, &name, Origin::Found, 0).await.map(drop)
                    }
                }
            });
        }
        while !tasks.is_empty() {
            joined(tasks.join_next().await)?;
        }
        Ok(())
    }

    /// Asks where a tag points now.
    pub(super) async fn look_at_tag(
        self: &Arc<Self>,
        repository: &str,
        tag: &str,
    ) -> Result<Option<String>, Trouble> {
        self.look_at_tag_of(repository, tag, Origin::Found).await
    }

    /// The same of one that may have been pushed just now.
    pub(super) async fn look_at_tag_of(
        self: &Arc<Self>,
        repository: &str,
        tag: &str,
        origin: Origin,
    ) -> Result<Option<String>, Trouble> {
        let asked = now();
        let head = self.registry.head(repository, tag).await?;
        let head = match head {
            Some(head) if !self.is_ending(repository, &head.digest).await? => head,
            _ => {
                self.index.missed_tag(repository, tag, asked).await?;
                return Ok(None);
            }
        };
        let known = self.index.tag(repository, tag).await?;
        let is_known = known.is_some_and(|known| known.digest == head.digest);
        let made = match self.index.manifest(repository, &head.digest).await? {
            None if !is_known => self.look_inside(repository, &head.digest, origin, 0).await?,
            Some(row) => row.facts.and_then(|facts| facts.made),
            None => None,
        };
        let made = made.filter(|_| origin == Origin::Found);
        let first = self.first(repository, made, asked).await?;
        let seen = Seen { repository, digest: &head.digest, first, now: asked };
        let was_hidden = self.index.saw_tag(seen, tag).await?;
        self.unhidden(was_hidden).await;
        Ok(Some(head.digest))
    }

    /// Asks whether there is such a manifest; gives what is true of it.
    pub(super) async fn look_at_manifest(
        self: &Arc<Self>,
        repository: &str,
        digest: &str,
    ) -> Result<bool, Trouble> {
        self.look_at_manifest_of(repository, digest, Origin::Found).await
    }

    /// The same of one that may have been pushed just now.
    pub(super) async fn look_at_manifest_of(
        self: &Arc<Self>,
        repository: &str,
        digest: &str,
        origin: Origin,
    ) -> Result<bool, Trouble> {
        let asked = now();
        if self.registry.head(repository, digest).await?.is_none()
            || self.is_ending(repository, digest).await?
        {
            self.index.missed_manifest(repository, digest, asked).await?;
            return Ok(false);
        }
        self.look_inside(repository, digest, origin, 0).await?;
        Ok(true)
    }

    /// Reads a manifest that is there, and notes it with those that it refers to. Gives when it was
    /// made.
    pub(super) async fn look_inside(
        self: &Arc<Self>,
        repository: &str,
        digest: &str,
        origin: Origin,
        level: usize,
    ) -> Result<Option<i64>, Trouble> {
        let asked = now();
        let Some(facts) = self.facts(repository, digest, level).await? else {
            self.index.missed_manifest(repository, digest, asked).await?;
            return Ok(None);
        };
        let made = facts.made.filter(|_| origin == Origin::Found);
        let first = self.first(repository, made, asked).await?;
        let seen = Seen { repository, digest, first, now: asked };
        let was_hidden = self.index.saw_manifest(seen).await?;
        self.unhidden(was_hidden).await;
        for reference in &facts.references {
            let child = reference.digest.as_str();
            let is_known = self.index.manifest(repository, child).await?.is_some();
            if level < MOST_LEVELS && !is_known && self.has(repository, child).await? {
                let below = level.saturating_add(1);
                Box::pin(self.look_inside(repository, child, origin, below)).await?;
            }
        }
        Ok(facts.made)
    }

    async fn has(&self, repository: &str, digest: &str) -> Result<bool, Trouble> {
        Ok(self.registry.head(repository, digest).await?.is_some())
    }

    /// What is true of a manifest, fetched when it is not known; nothing where there is none.
    async fn facts(
        self: &Arc<Self>,
        repository: &str,
        digest: &str,
        level: usize,
    ) -> Result<Option<Facts>, Trouble> {
        if let Some(facts) = self.index.facts(digest).await? {
            return Ok(Some(facts));
        }
        let Some((media_type, body)) = self.registry.manifest(repository, digest).await? else {
            return Ok(None);
        };
        let (mut facts, config) = of_manifest(&media_type, &body);
        drop(body);
        if let Some(config) = config
            && let Some(body) = self.registry.blob(repository, &config).await?
        {
            add_config(&mut facts, &body);
        }
        for reference in facts.references.iter().filter(|_| level < MOST_LEVELS) {
            let below = level.saturating_add(1);
            let child = Box::pin(self.facts(repository, &reference.digest, below)).await?;
            let size = child.map_or(0, |child| child.image_size);
            facts.image_size = facts.image_size.saturating_add(size);
        }
        self.index.keep_facts(digest, &facts).await?;
        Ok(Some(facts))
    }

    /// Since when something is there that is seen for the first time.
    async fn first(&self, repository: &str, made: Option<i64>, asked: i64) -> Result<i64, Trouble> {
        let known = self.index.repository(repository).await?;
        let is_first_look = known.is_none_or(|known| known.synced.is_none());
        Ok(made.filter(|_| is_first_look).map_or(asked, |made| made.min(asked)))
    }

    /// Shows a repository that was hidden, in this gateway at once.
    pub(super) async fn unhidden(&self, was_hidden: bool) {
        if was_hidden && let Err(error) = self.read_restrictions().await {
            tracing::error!(%error, "the index cannot be read");
        }
    }
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Where a tag points.
    Tag,
    /// Whether a manifest is there.
    Manifest,
    /// What is in a manifest that is there.
    Contents,
}

/// Why something is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It was there, since when nothing tells.
    Found,
    /// The registry says that it was pushed just now. It is new, whatever its maker says.
    Pushed,
}

/// The result of a task. What is wrong with one thing is not with the others.
fn joined(
    ended: Option<Result<Result<(), Trouble>, tokio::task::JoinError>>,
) -> Result<(), Trouble> {
    match ended {
        Some(Ok(Err(trouble))) if trouble.is_of_one_thing() => {
            tracing::warn!(?trouble, "nothing is known of one of the artifacts");
            Ok(())
        }
        Some(Ok(outcome)) => outcome,
        Some(Err(error)) => Err(Trouble::Registry(error.to_string())),
        None => Ok(()),
    }
}

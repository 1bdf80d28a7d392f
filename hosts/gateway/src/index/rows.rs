//! The rows of repositories, tags, manifests and facts, and pages of them.
//!
//! A row is written in two ways: because something passed through the gateway, and because the
//! registry was asked. What the registry said before the row was last seen changes nothing of it.
//!
//! Left out: when to ask the registry.

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row as _, Transaction};

use super::attributes::{ALL, Kind, LIST, advance, remove};
use super::{Attributes, Index, bounded};

/// A repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    /// When it was first there.
    pub(crate) created: i64,
    /// When something in it last changed.
    pub(crate) updated: i64,
    /// When its tags were last compared with the registry's.
    pub(crate) synced: Option<i64>,
}

/// A tag or a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The tag; of a manifest its digest.
    pub(crate) name: String,
    /// The digest.
    pub(crate) digest: String,
    /// When it was first there.
    pub(crate) created: i64,
    /// When it last moved.
    pub(crate) updated: i64,
    /// When the registry last confirmed it.
    pub(crate) seen: i64,
    /// What may be done with it.
    pub(crate) attributes: Attributes,
    /// What is true of the manifest, when it is known and asked for.
    pub(crate) facts: Option<Facts>,
    /// The tags of the manifest that lists show, in their order.
    pub(crate) tags: Vec<String>,
}

/// What is true of a manifest for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Its media type.
    pub(crate) media_type: String,
    /// The size of its layers; of an index that of its images.
    pub(crate) image_size: i64,
    /// The media type of its configuration.
    pub(crate) config_media_type: Option<String>,
    /// The architecture of the image.
    pub(crate) architecture: Option<String>,
    /// Its operating system.
    pub(crate) os: Option<String>,
    /// When its maker says that it was made.
    pub(crate) made: Option<i64>,
    /// The manifests of an index.
    pub(crate) references: Vec<Reference>,
}

/// A manifest of an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reference {
    /// Its digest.
    pub(crate) digest: String,
    /// The architecture that the index tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) architecture: Option<String>,
    /// The operating system that the index tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) os: Option<String>,
}

/// What the registry said of a tag or a manifest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    /// The repository.
    pub(crate) repository: &'a str,
    /// The digest.
    pub(crate) digest: &'a str,
    /// When it was first there, if it is not known.
    pub(crate) first: i64,
    /// When the registry was asked.
    pub(crate) now: i64,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// After a name, in the order of names.
    Name(String),
    /// In the order of times: after a time and a name, or at the beginning.
    Time {
        /// Whether the latest comes first.
        is_descending: bool,
        /// The time and the name.
        after: Option<(i64, String)>,
    },
}

/// How many manifests are read in one go: each may have a thousand others.
const AT_ONCE: usize = 64;
/// How large a page of manifests is when it ends before it is full, in bytes.
const LARGEST_PAGE: usize = 4 * 1024 * 1024;
/// How many rows of a repository are looked at in one go.
const MAX_ROWS: i64 = 1 << 18;

impl Row {
    /// How many bytes its texts have, about.
    fn size(&self) -> usize {
        let of_facts = |facts: &Facts| {
            let platform = |architecture: &Option<String>, os: &Option<String>| {
                [architecture, os].into_iter().flatten().map(String::len).sum::<usize>()
            };
            let references = facts.references.iter().map(|reference| {
                size_of::<Reference>()
                    + reference.digest.len()
                    + platform(&reference.architecture, &reference.os)
            });
            facts.media_type.len()
                + facts.config_media_type.as_ref().map_or(0, String::len)
                + platform(&facts.architecture, &facts.os)
                + references.sum::<usize>()
        };
        size_of::<Self>()
            + 2 * self.digest.len()
            + self.facts.as_ref().map_or(0, of_facts)
            + self.tags.iter().map(String::len).sum::<usize>()
    }
}

impl Position {
    /// The one after a row, in the same order.
    fn after(&self, row: &Row) -> Self {
        match self {
            Self::Name(_) => Self::Name(row.name.clone()),
            Self::Time { is_descending, .. } => Self::Time {
                is_descending: *is_descending,
                after: Some((row.updated, row.name.clone())),
            },
        }
    }
}

impl Index {
    /// A repository; nothing when nothing is known of it.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn repository(&self, name: &str) -> sqlx::Result<Option<Repository>> {
        let query = "select created, updated, synced from repositories where name = $1";
        let row = bounded(sqlx::query(query).bind(name).fetch_optional(&self.pool)).await?;
        let read = |row: AnyRow| {
            Ok(Repository {
                created: row.try_get(0)?,
                updated: row.try_get(1)?,
                synced: row.try_get(2)?,
            })
        };
        row.map(read).transpose()
    }

    /// How many tags and manifests a repository has.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn counts(&self, repository: &str) -> sqlx::Result<(i64, i64)> {
        let query = "select (select count(*) from tags where repository = $1),
            (select count(*) from manifests where repository = $1)";
        let row = bounded(sqlx::query(query).bind(repository).fetch_one(&self.pool)).await?;
        Ok((row.try_get(0)?, row.try_get(1)?))
    }

    /// The tags of a repository: their names and digests.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn tags(&self, repository: &str) -> sqlx::Result<Vec<(String, String)>> {
        let query = "select name, digest from tags where repository = $1 order by name limit $2";
        let query = sqlx::query(query).bind(repository).bind(MAX_ROWS).fetch_all(&self.pool);
        let rows = bounded(query).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// The digests of a repository's manifests; with `is_unknown` those of which no facts are
    /// known.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn manifests(
        &self,
        repository: &str,
        is_unknown: bool,
    ) -> sqlx::Result<Vec<String>> {
        let query = if is_unknown {
            "select digest from manifests m where repository = $1
             and not exists (select 1 from facts f where f.digest = m.digest) limit $2"
        } else {
            "select digest from manifests where repository = $1 order by digest limit $2"
        };
        let query = sqlx::query_scalar(query).bind(repository).bind(MAX_ROWS);
        bounded(query.fetch_all(&self.pool)).await
    }

    /// The digests of a repository's manifests that were last confirmed before a time.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn manifests_before(
        &self,
        repository: &str,
        time: i64,
    ) -> sqlx::Result<Vec<String>> {
        let query = "select digest from manifests where repository = $1 and seen < $2 limit $3";
        let query = sqlx::query_scalar(query).bind(repository).bind(time).bind(MAX_ROWS);
        bounded(query.fetch_all(&self.pool)).await
    }

    /// A page of tags, and one more if there is one. `digest` asks for those of one manifest.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn tag_page(
        &self,
        repository: &str,
        digest: Option<&str>,
        position: &Position,
        n: usize,
    ) -> sqlx::Result<Vec<Row>> {
        let columns = "select t.name, t.digest, t.created, t.updated, t.seen, coalesce(a.bits, 15)
            from tags t left join attributes a
            on a.repository = t.repository and a.kind = 'tag' and a.name = t.name";
        let of = digest.map(|digest| ("t.digest", digest));
        self.page(columns, ["t.repository", "t.name", "t.updated"], repository, of, position, n)
            .await?
            .iter()
            .map(tag)
            .collect()
    }

    /// A page of manifests, and one more if there is one. It ends sooner when it has become large:
    /// the second part tells whether it did.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn manifest_page(
        &self,
        repository: &str,
        position: &Position,
        n: usize,
    ) -> sqlx::Result<(Vec<Row>, bool)> {
        let names = ["m.repository", "m.digest", "m.updated"];
        let (mut rows, mut size): (Vec<Row>, usize) = (Vec::new(), 0);
        let mut position = position.clone();
        loop {
            let wanted = n.saturating_sub(rows.len()).min(AT_ONCE);
            let some = self.page(MANIFEST, names, repository, None, &position, wanted).await?;
            let has_ended = some.len() <= wanted;
            let some = some.iter().map(manifest).collect::<sqlx::Result<Vec<_>>>()?;
            size = some.iter().map(Row::size).fold(size, usize::saturating_add);
            rows.extend(some);
            if has_ended || rows.len() > n || size > LARGEST_PAGE {
                return Ok((rows, !has_ended));
            }
            if let Some(last) = rows.last() {
                position = position.after(last);
            }
        }
    }

    async fn page(
        &self,
        columns: &str,
        [repository_column, name, time]: [&str; 3],
        repository: &str,
        of: Option<(&str, &str)>,
        position: &Position,
        n: usize,
    ) -> sqlx::Result<Vec<AnyRow>> {
        let order = match position {
            Position::Name(_) => name.to_owned(),
            Position::Time { is_descending: false, .. } => format!("{time}, {name}"),
            Position::Time { is_descending: true, .. } => format!("{time} desc, {name}"),
        };
        let wanted = n.saturating_add(1);
        let mut rows = Vec::new();
        for span in spans(position) {
            let left = wanted.saturating_sub(rows.len());
            if left == 0 {
                break;
            }
            let condition = match span {
                Span::All => String::new(),
                Span::AfterName(_) => format!("and {name} > $3"),
                Span::BeforeTime(_) => format!("and {time} < $3"),
                Span::AfterTime(_) => format!("and {time} > $3"),
                Span::SameTime(..) => format!("and {time} = $3 and {name} > $4"),
            };
            let number = 3_usize.saturating_add(span.binds());
            let of_one = of.map(|(column, _)| format!("and {column} = ${number}"));
            let text = format!(
                "{columns} where {repository_column} = $1
                 and (coalesce(a.bits, {ALL}) & {LIST}) <> 0 {condition} {}
                 order by {order} limit $2",
                of_one.unwrap_or_default(),
            );
            let limit = i64::try_from(left).unwrap_or(i64::MAX);
            let query = sqlx::query(AssertSqlSafe(text)).bind(repository).bind(limit);
            let query = match span {
                Span::All => query,
                Span::AfterName(name) => query.bind(name),
                Span::BeforeTime(time) | Span::AfterTime(time) => query.bind(time),
                Span::SameTime(time, name) => query.bind(time).bind(name),
            };
            let query = match of {
                Some((_, value)) => query.bind(value),
                None => query,
            };
            rows.extend(bounded(query.fetch_all(&self.pool)).await?);
        }
        Ok(rows)
    }

    /// A tag.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn tag(&self, repository: &str, name: &str) -> sqlx::Result<Option<Row>> {
        let query = "select t.name, t.digest, t.created, t.updated, t.seen, coalesce(a.bits, 15)
            from tags t left join attributes a
            on a.repository = t.repository and a.kind = 'tag' and a.name = t.name
            where t.repository = $1 and t.name = $2";
        let query = sqlx::query(query).bind(repository).bind(name);
        bounded(query.fetch_optional(&self.pool)).await?.as_ref().map(tag).transpose()
    }

    /// A manifest.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn manifest(
        &self,
        repository: &str,
        digest: &str,
    ) -> sqlx::Result<Option<Row>> {
        let text = format!("{MANIFEST} where m.repository = $1 and m.digest = $2");
        let query = sqlx::query(AssertSqlSafe(text)).bind(repository).bind(digest);
        bounded(query.fetch_optional(&self.pool)).await?.as_ref().map(manifest).transpose()
    }

    /// What is true of a manifest.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn facts(&self, digest: &str) -> sqlx::Result<Option<Facts>> {
        let query = "select media_type, image_size, config_media_type, architecture, os, refs, made
            from facts where digest = $1";
        let query = sqlx::query(query).bind(digest).fetch_optional(&self.pool);
        bounded(query).await?.map(|row| facts(&row, 0)).transpose()
    }

    /// Keeps what is true of a manifest.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn keep_facts(&self, digest: &str, facts: &Facts) -> sqlx::Result<()> {
        let statement = "insert into facts (digest, media_type, image_size, config_media_type,
                architecture, os, refs, made) values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict (digest) do nothing";
        let references = serde_json::to_string(&facts.references).unwrap_or_default();
        let query = sqlx::query(statement)
            .bind(digest)
            .bind(facts.media_type.as_str())
            .bind(facts.image_size)
            .bind(facts.config_media_type.as_deref())
            .bind(facts.architecture.as_deref())
            .bind(facts.os.as_deref())
            .bind(references)
            .bind(facts.made);
        bounded(query.execute(&self.writes)).await.map(drop)
    }

    /// Notes that a manifest was pushed, by a tag or by its digest. Tells whether its repository
    /// was hidden until now.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn pushed(&self, seen: Seen<'_>, tag: Option<&str>) -> sqlx::Result<bool> {
        bounded(async {
            let mut write = self.write().await?;
            touch(&mut write, seen.repository, seen.now, seen.now).await?;
            put_manifest(&mut write, seen).await?;
            if let Some(tag) = tag {
                put_tag(&mut write, seen, tag).await?;
            }
            let was_hidden = unhide(&mut write, seen.repository).await?;
            write.commit().await?;
            Ok(was_hidden)
        })
        .await
    }

    /// Notes what the registry said of a tag. Tells whether its repository was hidden until now.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn saw_tag(&self, seen: Seen<'_>, tag: &str) -> sqlx::Result<bool> {
        bounded(async {
            let mut write = self.write().await?;
            if is_news_of_tag(&mut write, seen, tag).await? {
                touch(&mut write, seen.repository, seen.first, seen.first).await?;
            }
            put_tag(&mut write, seen, tag).await?;
            let was_hidden = unhide(&mut write, seen.repository).await?;
            write.commit().await?;
            Ok(was_hidden)
        })
        .await
    }

    /// Notes that the registry has a manifest. Tells whether its repository was hidden until now.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn saw_manifest(&self, seen: Seen<'_>) -> sqlx::Result<bool> {
        bounded(async {
            let mut write = self.write().await?;
            if is_news_of_manifest(&mut write, seen).await? {
                touch(&mut write, seen.repository, seen.first, seen.first).await?;
            }
            put_manifest(&mut write, seen).await?;
            let was_hidden = unhide(&mut write, seen.repository).await?;
            write.commit().await?;
            Ok(was_hidden)
        })
        .await
    }

    /// Notes that the registry had no such tag at a time. A restriction of it stays: a lock is not
    /// lifted by what happens behind the gateway.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn missed_tag(
        &self,
        repository: &str,
        tag: &str,
        now: i64,
    ) -> sqlx::Result<()> {
        let statement = "delete from tags where repository = $1 and name = $2 and seen < $3";
        let query = sqlx::query(statement).bind(repository).bind(tag).bind(now);
        bounded(query.execute(&self.writes)).await.map(drop)
    }

    /// Notes that the registry had no such manifest at a time.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn missed_manifest(
        &self,
        repository: &str,
        digest: &str,
        now: i64,
    ) -> sqlx::Result<()> {
        let statement = "delete from manifests where repository = $1 and digest = $2 and seen < $3";
        let query = sqlx::query(statement).bind(repository).bind(digest).bind(now);
        bounded(query.execute(&self.writes)).await.map(drop)
    }

    /// Notes that a tag was removed, and what was said about it with it.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn removed_tag(
        &self,
        repository: &str,
        tag: &str,
        now: i64,
    ) -> sqlx::Result<()> {
        bounded(async {
            let mut write = self.write().await?;
            let statement = "delete from tags where repository = $1 and name = $2";
            sqlx::query(statement).bind(repository).bind(tag).execute(&mut *write).await?;
            if remove(&mut write, repository, Kind::Tag, tag).await? {
                advance(&mut write).await?;
            }
            touch_existing(&mut write, repository, now).await?;
            write.commit().await
        })
        .await
    }

    /// Notes that a manifest was deleted, with its tags. Gives the tags.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn removed_manifest(
        &self,
        repository: &str,
        digest: &str,
        now: i64,
    ) -> sqlx::Result<Vec<String>> {
        bounded(async {
            let mut write = self.write().await?;
            let statement = "delete from tags where repository = $1 and digest = $2 returning name";
            let query = sqlx::query_scalar(statement).bind(repository).bind(digest);
            let tags: Vec<String> = query.fetch_all(&mut *write).await?;
            let statement = "delete from manifests where repository = $1 and digest = $2";
            sqlx::query(statement).bind(repository).bind(digest).execute(&mut *write).await?;
            let mut is_changed = remove(&mut write, repository, Kind::Manifest, digest).await?;
            for tag in &tags {
                is_changed |= remove(&mut write, repository, Kind::Tag, tag).await?;
            }
            if is_changed {
                advance(&mut write).await?;
            }
            touch_existing(&mut write, repository, now).await?;
            write.commit().await?;
            Ok(tags)
        })
        .await
    }

    /// Notes that a repository was deleted, and is hidden until it has a manifest again.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn removed_repository(&self, repository: &str) -> sqlx::Result<()> {
        const STATEMENTS: [&str; 4] = [
            "delete from repositories where name = $1",
            "delete from tags where repository = $1",
            "delete from manifests where repository = $1",
            "delete from attributes where repository = $1",
        ];
        bounded(async {
            let mut write = self.write().await?;
            for statement in STATEMENTS {
                sqlx::query(statement).bind(repository).execute(&mut *write).await?;
            }
            let statement =
                "insert into deleted_repositories (name) values ($1) on conflict (name) do nothing";
            sqlx::query(statement).bind(repository).execute(&mut *write).await?;
            advance(&mut write).await?;
            write.commit().await
        })
        .await
    }

    /// Notes when the tags of a repository were compared with the registry's. One of which the
    /// registry knows nothing is forgotten when nothing is known of it here, either.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn synced(&self, repository: &str, now: i64) -> sqlx::Result<()> {
        bounded(async {
            let mut write = self.write().await?;
            let statement = "update repositories set synced = $2 where name = $1";
            sqlx::query(statement).bind(repository).bind(now).execute(&mut *write).await?;
            let statement = "delete from repositories where name = $1
                and not exists (select 1 from tags where repository = $1)
                and not exists (select 1 from manifests where repository = $1)";
            sqlx::query(statement).bind(repository).execute(&mut *write).await?;
            write.commit().await
        })
        .await
    }

    /// When the registry was looked through to its end.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn crawled(&self) -> sqlx::Result<Option<i64>> {
        bounded(sqlx::query_scalar("select crawled from state").fetch_one(&self.pool)).await
    }

    /// Notes that looking through it begins, and gives when it did: one that came to no end goes
    /// on.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn begin_crawl(&self, now: i64) -> sqlx::Result<i64> {
        let statement =
            "update state set crawl_began = coalesce(crawl_began, $1) returning crawl_began";
        bounded(sqlx::query_scalar(statement).bind(now).fetch_one(&self.writes)).await
    }

    /// Notes that it came to its end.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn end_crawl(&self, now: i64) -> sqlx::Result<()> {
        let query = sqlx::query("update state set crawled = $1, crawl_began = null").bind(now);
        bounded(query.execute(&self.writes)).await.map(drop)
    }

    /// Notes that a tag is about to be moved to a manifest that is deleted then.
    ///
    /// # Errors
    ///
    /// When the database cannot be written: the tag must not be moved then.
    pub(crate) async fn intend_untag(
        &self,
        repository: &str,
        tag: &str,
        digest: &str,
    ) -> sqlx::Result<()> {
        let statement = "insert into untags (repository, tag, digest) values ($1, $2, $3)
            on conflict (repository, tag) do update set digest = excluded.digest";
        let query = sqlx::query(statement).bind(repository).bind(tag).bind(digest);
        bounded(query.execute(&self.writes)).await.map(drop)
    }

    /// Notes that it was, or never will be.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn end_untag(&self, repository: &str, tag: &str) -> sqlx::Result<()> {
        let statement = "delete from untags where repository = $1 and tag = $2";
        let query = sqlx::query(statement).bind(repository).bind(tag);
        bounded(query.execute(&self.writes)).await.map(drop)
    }

    /// The manifest that a tag was about to be moved to.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn untag_of(
        &self,
        repository: &str,
        tag: &str,
    ) -> sqlx::Result<Option<String>> {
        let query = "select digest from untags where repository = $1 and tag = $2";
        let query = sqlx::query_scalar(query).bind(repository).bind(tag);
        bounded(query.fetch_optional(&self.pool)).await
    }

    /// The tags of a repository that were about to be moved, and the manifests; with a digest those
    /// that were to be moved there.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn untags_in(
        &self,
        repository: &str,
        digest: Option<&str>,
    ) -> sqlx::Result<Vec<(String, String)>> {
        let query = "select tag, digest from untags
            where repository = $1 and ($2 = '' or digest = $2) limit 1000";
        let query = sqlx::query(query).bind(repository).bind(digest.unwrap_or_default());
        let rows = bounded(query.fetch_all(&self.pool)).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// The tags that were about to be moved: repository, tag, and the manifest to delete.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn untags(&self) -> sqlx::Result<Vec<(String, String, String)>> {
        let query = sqlx::query("select repository, tag, digest from untags limit 1000");
        let rows = bounded(query.fetch_all(&self.pool)).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
    }
}

/// What a page of manifests reads.
const MANIFEST: &str = "select m.digest, m.created, m.updated, m.seen, coalesce(a.bits, 15),
        (select string_agg(t.name, ' ') from tags t left join attributes b
            on b.repository = t.repository and b.kind = 'tag' and b.name = t.name
            where t.repository = m.repository and t.digest = m.digest
            and (coalesce(b.bits, 15) & 4) <> 0),
        f.media_type, f.image_size, f.config_media_type, f.architecture, f.os, f.refs, f.made
    from manifests m left join facts f on f.digest = m.digest left join attributes a
    on a.repository = m.repository and a.kind = 'manifest' and a.name = m.digest";

/// Rows that stand side by side in the index of an order.
#[derive(Clone, Copy, Debug)]
enum Span<'p> {
    All,
    AfterName(&'p str),
    BeforeTime(i64),
    AfterTime(i64),
    SameTime(i64, &'p str),
}

impl Span<'_> {
    /// How many values its condition has.
    const fn binds(self) -> usize {
        match self {
            Self::All => 0,
            Self::AfterName(_) | Self::BeforeTime(_) | Self::AfterTime(_) => 1,
            Self::SameTime(..) => 2,
        }
    }
}

/// What comes after a position, in its order. One condition for all of it would have a database
/// read everything from the beginning of the list, or of the time.
fn spans(position: &Position) -> Vec<Span<'_>> {
    match position {
        Position::Name(last) => vec![Span::AfterName(last)],
        Position::Time { after: None, .. } => vec![Span::All],
        Position::Time { is_descending, after: Some((time, name)) } => {
            let beyond =
                if *is_descending { Span::BeforeTime(*time) } else { Span::AfterTime(*time) };
            vec![Span::SameTime(*time, name), beyond]
        }
    }
}

fn tag(row: &AnyRow) -> sqlx::Result<Row> {
    Ok(Row {
        name: row.try_get(0)?,
        digest: row.try_get(1)?,
        created: row.try_get(2)?,
        updated: row.try_get(3)?,
        seen: row.try_get(4)?,
        attributes: Attributes::of(row.try_get(5)?),
        facts: None,
        tags: Vec::new(),
    })
}

fn manifest(row: &AnyRow) -> sqlx::Result<Row> {
    let digest: String = row.try_get(0)?;
    let tags: Option<String> = row.try_get(5)?;
    let tags = tags.unwrap_or_default();
    let mut tags: Vec<String> = tags.split_terminator(' ').map(ToOwned::to_owned).collect();
    tags.sort_unstable();
    let media_type: Option<String> = row.try_get(6)?;
    Ok(Row {
        name: digest.clone(),
        digest,
        created: row.try_get(1)?,
        updated: row.try_get(2)?,
        seen: row.try_get(3)?,
        attributes: Attributes::of(row.try_get(4)?),
        facts: media_type.map(|_| facts(row, 6)).transpose()?,
        tags,
    })
}

/// Facts, whose first column is this one.
fn facts(row: &AnyRow, first: usize) -> sqlx::Result<Facts> {
    let references: String = row.try_get(first + 5)?;
    Ok(Facts {
        media_type: row.try_get(first)?,
        image_size: row.try_get(first + 1)?,
        config_media_type: row.try_get(first + 2)?,
        architecture: row.try_get(first + 3)?,
        os: row.try_get(first + 4)?,
        references: serde_json::from_str(&references).unwrap_or_default(),
        made: row.try_get(first + 6)?,
    })
}

/// Notes that something in a repository changed, which may be new.
async fn touch(
    write: &mut Transaction<'static, Any>,
    repository: &str,
    created: i64,
    updated: i64,
) -> sqlx::Result<()> {
    let statement = "insert into repositories (name, created, updated) values ($1, $2, $3)
        on conflict (name) do update set
            created = case when repositories.synced is null and excluded.created < repositories.created
                then excluded.created else repositories.created end,
            updated = case when excluded.updated > repositories.updated
                then excluded.updated else repositories.updated end";
    let query = sqlx::query(statement).bind(repository).bind(created).bind(updated);
    query.execute(&mut **write).await.map(drop)
}

async fn touch_existing(
    write: &mut Transaction<'static, Any>,
    repository: &str,
    now: i64,
) -> sqlx::Result<()> {
    let statement = "update repositories set updated = $2 where name = $1";
    let query = sqlx::query(statement).bind(repository).bind(now);
    query.execute(&mut **write).await.map(drop)
}

/// Whether a tag is new or elsewhere. Its repository is as old as before otherwise: it was only
/// looked at.
async fn is_news_of_tag(
    write: &mut Transaction<'static, Any>,
    seen: Seen<'_>,
    tag: &str,
) -> sqlx::Result<bool> {
    let statement = "select count(*) from tags
        where repository = $1 and name = $2 and (digest = $3 or seen > $4)";
    let query = sqlx::query_scalar(statement)
        .bind(seen.repository)
        .bind(tag)
        .bind(seen.digest)
        .bind(seen.now);
    let known: i64 = query.fetch_one(&mut **write).await?;
    Ok(known == 0)
}

/// Whether a manifest is new.
async fn is_news_of_manifest(
    write: &mut Transaction<'static, Any>,
    seen: Seen<'_>,
) -> sqlx::Result<bool> {
    let statement = "select count(*) from manifests where repository = $1 and digest = $2";
    let query = sqlx::query_scalar(statement).bind(seen.repository).bind(seen.digest);
    let known: i64 = query.fetch_one(&mut **write).await?;
    Ok(known == 0)
}

async fn put_tag(
    write: &mut Transaction<'static, Any>,
    seen: Seen<'_>,
    tag: &str,
) -> sqlx::Result<()> {
    let statement = "insert into tags (repository, name, digest, created, updated, seen)
        values ($1, $2, $3, $4, $4, $5)
        on conflict (repository, name) do update set
            updated = case when tags.digest <> excluded.digest then excluded.seen else tags.updated end,
            digest = excluded.digest,
            seen = excluded.seen
        where tags.seen <= excluded.seen";
    let query = sqlx::query(statement)
        .bind(seen.repository)
        .bind(tag)
        .bind(seen.digest)
        .bind(seen.first)
        .bind(seen.now);
    query.execute(&mut **write).await.map(drop)
}

async fn put_manifest(write: &mut Transaction<'static, Any>, seen: Seen<'_>) -> sqlx::Result<()> {
    let statement = "insert into manifests (repository, digest, created, updated, seen)
        values ($1, $2, $3, $3, $4)
        on conflict (repository, digest) do update set seen = excluded.seen
        where manifests.seen <= excluded.seen";
    let query = sqlx::query(statement)
        .bind(seen.repository)
        .bind(seen.digest)
        .bind(seen.first)
        .bind(seen.now);
    query.execute(&mut **write).await.map(drop)
}

/// Shows a repository again that was deleted.
async fn unhide(write: &mut Transaction<'static, Any>, repository: &str) -> sqlx::Result<bool> {
    let statement = "delete from deleted_repositories where name = $1";
    let query = sqlx::query(statement).bind(repository);
    let was_hidden = query.execute(&mut **write).await?.rows_affected() > 0;
    if was_hidden {
        advance(write).await?;
    }
    Ok(was_hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn index() -> (tempfile::TempDir, Index) {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), None).await.unwrap();
        (folder, index)
    }

    fn seen(digest: &'static str, now: i64) -> Seen<'static> {
        Seen { repository: "r", digest, first: now, now }
    }

    fn names(rows: &[Row]) -> String {
        rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[tokio::test]
    async fn a_page_ends_when_it_is_large() {
        let (_folder, index) = index().await;
        let text = |number: usize| format!("{number:064}");
        let reference = Reference { digest: text(0), architecture: Some("a".repeat(64)), os: None };
        let large = Facts { references: vec![reference; 1000], ..Facts::default() };
        for (facts, count) in [(&large, 300), (&Facts::default(), 300)] {
            for number in 0..300 {
                let digest = text(number);
                index.keep_facts(&digest, facts).await.unwrap();
                let seen = Seen { repository: "r", digest: &digest, first: 1, now: 1 };
                index.saw_manifest(seen).await.unwrap();
            }
            let orders = [
                Position::Name(String::new()),
                Position::Time { is_descending: false, after: None },
            ];
            for mut position in orders {
                let (mut found, mut pages) = (Vec::new(), 0);
                loop {
                    let (mut rows, is_cut) =
                        index.manifest_page("r", &position, 150).await.unwrap();
                    let size: usize = rows.iter().map(Row::size).sum();
                    assert!(size < 4 * LARGEST_PAGE && rows.len() <= 151, "{size}");
                    let has_more = is_cut || rows.len() > 150;
                    rows.truncate(150);
                    position = position.after(rows.last().unwrap());
                    found.extend(rows.into_iter().map(|row| row.name));
                    pages += 1;
                    if !has_more {
                        break;
                    }
                }
                assert_eq!(found, (0..count).map(text).collect::<Vec<_>>());
                assert!(pages > 2 || facts.references.is_empty(), "{pages}");
            }
            sqlx::query("delete from facts").execute(&index.pool).await.unwrap();
        }
    }

    #[tokio::test]
    async fn pages_in_every_order() {
        let (_folder, index) = index().await;
        for (tag, digest, now) in
            [("c", "d1", 10), ("a", "d2", 20), ("b", "d2", 20), ("B", "d1", 30)]
        {
            index.pushed(seen(digest, now), Some(tag)).await.unwrap();
        }
        let name = |last: &str| Position::Name(last.to_owned());
        let time = |is_descending, after: Option<(i64, &str)>| Position::Time {
            is_descending,
            after: after.map(|(time, name)| (time, name.to_owned())),
        };
        for (position, digest, expected) in [
            (name(""), None, "B a b c"),
            (name("a"), None, "b c"),
            (name("aa"), Some("d1"), "c"),
            (time(false, None), None, "c a b B"),
            (time(true, None), None, "B a b c"),
            (time(true, Some((20, "a"))), None, "b c"),
            (time(false, Some((20, "a"))), None, "b B"),
            (time(false, Some((20, "a"))), Some("d2"), "b"),
        ] {
            let page = index.tag_page("r", digest, &position, 9).await.unwrap();
            assert_eq!(names(&page), expected, "{position:?} {digest:?}");
        }
        assert_eq!(index.tag_page("r", None, &name(""), 2).await.unwrap().len(), 3);
        // A page that ends within a time, and one that ends behind it.
        for (n, expected) in [(1, "a b"), (2, "a b c")] {
            let page = index.tag_page("r", None, &time(true, Some((20, ""))), n).await.unwrap();
            assert_eq!(names(&page), expected);
        }
        let hidden = Attributes { list_enabled: false, ..Attributes::default() };
        index.set_attributes("r", Kind::Tag, "a", hidden).await.unwrap();
        index.set_attributes("r", Kind::Manifest, "d1", hidden).await.unwrap();
        assert_eq!(names(&index.tag_page("r", None, &name(""), 9).await.unwrap()), "B b c");
        let (manifests, _) = index.manifest_page("r", &name(""), 9).await.unwrap();
        assert_eq!(names(&manifests), "d2");
        assert_eq!(manifests[0].tags, ["b"]);
        assert_eq!(index.tag("r", "a").await.unwrap().unwrap().attributes, hidden);
    }

    #[tokio::test]
    async fn times() {
        let (_folder, index) = index().await;
        index.pushed(seen("d1", 10), Some("v1")).await.unwrap();
        index.pushed(seen("d1", 20), Some("v1")).await.unwrap();
        let tag = index.tag("r", "v1").await.unwrap().unwrap();
        assert_eq!((tag.created, tag.updated, tag.seen), (10, 10, 20));
        index.pushed(seen("d2", 30), Some("v1")).await.unwrap();
        // What the registry said earlier comes too late.
        index.saw_tag(seen("d1", 25), "v1").await.unwrap();
        index.missed_tag("r", "v1", 25).await.unwrap();
        let tag = index.tag("r", "v1").await.unwrap().unwrap();
        assert_eq!((tag.digest.as_str(), tag.created, tag.updated), ("d2", 10, 30));
        let repository = index.repository("r").await.unwrap().unwrap();
        assert_eq!((repository.created, repository.updated), (10, 30));
        assert_eq!(index.counts("r").await.unwrap(), (1, 2));
        index.missed_tag("r", "v1", 40).await.unwrap();
        assert_eq!(index.tag("r", "v1").await.unwrap(), None);
    }

    /// A repository that was only looked at has the times that it had.
    #[tokio::test]
    async fn times_of_repositories() {
        let (_folder, index) = index().await;
        index.pushed(seen("d1", 10), Some("v1")).await.unwrap();
        let times = async || {
            let repository = index.repository("r").await.unwrap().unwrap();
            (repository.created, repository.updated)
        };
        for now in [20, 30] {
            // Its maker says that it is older than the repository.
            let seen = Seen { first: if now == 20 { 5 } else { now }, ..seen("d1", now) };
            index.saw_tag(seen, "v1").await.unwrap();
            index.saw_manifest(seen).await.unwrap();
            assert_eq!(times().await, (10, 10), "{now}");
        }
        index.saw_manifest(seen("d2", 40)).await.unwrap();
        assert_eq!(times().await, (10, 40));
        index.saw_tag(seen("d2", 50), "v1").await.unwrap();
        assert_eq!(times().await, (10, 50));
        index.saw_tag(seen("d2", 60), "v2").await.unwrap();
        assert_eq!(times().await, (10, 60));
        // Too late to be news.
        index.saw_tag(seen("d1", 45), "v1").await.unwrap();
        assert_eq!(times().await, (10, 60));
    }

    #[tokio::test]
    async fn what_was_removed_is_forgotten_with_its_restrictions() {
        let (_folder, index) = index().await;
        let hidden = Attributes { list_enabled: false, ..Attributes::default() };
        for tag in ["v1", "v2"] {
            index.pushed(seen("d1", 10), Some(tag)).await.unwrap();
            index.set_attributes("r", Kind::Tag, tag, hidden).await.unwrap();
        }
        // One that vanished behind the gateway keeps its lock.
        index.missed_tag("r", "v2", 20).await.unwrap();
        let tags = index.removed_manifest("r", "d1", 30).await.unwrap();
        assert_eq!(tags, ["v1"]);
        let left = index.restrictions().await.unwrap();
        let names: Vec<_> = left.of_kind("r", Kind::Tag).map(|(name, _)| name).collect();
        assert_eq!(names, ["v2"]);
        index.removed_repository("r").await.unwrap();
        let left = index.restrictions().await.unwrap();
        assert!(!left.is_listed("r") && left.is_listed("other"));
        assert!(index.pushed(seen("d1", 40), Some("v1")).await.unwrap());
        assert!(index.restrictions().await.unwrap().is_listed("r"));
    }

    #[tokio::test]
    async fn facts_stay() {
        let (_folder, index) = index().await;
        let facts = Facts {
            media_type: "m".into(),
            image_size: 7,
            os: Some("linux".into()),
            references: vec![Reference {
                digest: "d2".into(),
                architecture: Some("arm64".into()),
                os: None,
            }],
            ..Facts::default()
        };
        index.pushed(seen("d1", 10), None).await.unwrap();
        assert_eq!(index.manifests("r", true).await.unwrap(), ["d1"]);
        index.keep_facts("d1", &facts).await.unwrap();
        index.keep_facts("d1", &Facts::default()).await.unwrap();
        assert_eq!(index.facts("d1").await.unwrap().as_ref(), Some(&facts));
        assert_eq!(index.manifest("r", "d1").await.unwrap().unwrap().facts, Some(facts));
        assert_eq!(index.manifests("r", true).await.unwrap(), [""; 0]);
    }
}

//! What charts say of themselves, by repository and digest, and the key of tickets.
//!
//! A chart is kept for the repository in which it was read, and is shown for no other.
//!
//! Left out: what an entry holds, and reading it.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Index, bounded};

/// A tag that is a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChartTag {
    /// The tag.
    pub(crate) tag: String,
    /// The manifest.
    pub(crate) digest: String,
    /// Since when the tag is there.
    pub(crate) created: i64,
    /// What the chart says.
    pub(crate) entry: Kept,
}

/// What is known of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// The registry was not asked, or it is time to ask again.
    Unread,
    /// It is left out.
    None,
    /// An entry of an index, JSON.
    Entry(String),
}

impl Index {
    /// The repositories that have charts, manifests with this type of configuration.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn chart_repositories(&self, config: &str) -> sqlx::Result<Vec<String>> {
        let query = "select distinct m.repository from facts f
            join manifests m on m.digest = f.digest
            where f.config_media_type = $1 order by m.repository";
        bounded(sqlx::query_scalar(query).bind(config).fetch_all(&self.pool)).await
    }

    /// The tags of a repository that are charts, the latest first.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn chart_tags(
        &self,
        repository: &str,
        config: &str,
        now: i64,
        most: i64,
    ) -> sqlx::Result<Vec<ChartTag>> {
        let query = "select t.name, t.digest, t.created, c.entry, c.again,
                case when c.digest is null then 0 else 1 end
            from tags t join facts f on f.digest = t.digest
            join manifests m on m.repository = t.repository and m.digest = t.digest
            left join charts c on c.repository = t.repository and c.digest = t.digest
            where t.repository = $1 and f.config_media_type = $2
            order by t.updated desc, t.name limit $3";
        let query = sqlx::query(query).bind(repository).bind(config).bind(most);
        let rows = bounded(query.fetch_all(&self.pool)).await?;
        rows.iter().map(|row| chart_tag(row, now)).collect()
    }

    /// Keeps what a chart says, or that it says nothing; with `again` until then.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn keep_chart(
        &self,
        repository: &str,
        digest: &str,
        entry: Option<&str>,
        again: Option<i64>,
    ) -> sqlx::Result<()> {
        let statement = "insert into charts (repository, digest, entry, again)
            values ($1, $2, $3, $4)
            on conflict (repository, digest) do update set
                entry = excluded.entry, again = excluded.again";
        let query = sqlx::query(statement).bind(repository).bind(digest).bind(entry).bind(again);
        bounded(query.execute(&self.pool)).await.map(drop)
    }

    /// The key of tickets: this one, unless there is one.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn ticket_key(&self, new: &str) -> sqlx::Result<String> {
        let statement =
            "update state set ticket_key = coalesce(ticket_key, $1) returning ticket_key";
        bounded(sqlx::query_scalar(statement).bind(new).fetch_one(&self.pool)).await
    }
}

fn chart_tag(row: &AnyRow, now: i64) -> sqlx::Result<ChartTag> {
    let (entry, again): (Option<String>, Option<i64>) = (row.try_get(3)?, row.try_get(4)?);
    let is_read = row.try_get::<i64, _>(5)? != 0 && again.is_none_or(|again| again > now);
    let entry = match entry {
        Some(entry) => Kept::Entry(entry),
        None if is_read => Kept::None,
        None => Kept::Unread,
    };
    Ok(ChartTag { tag: row.try_get(0)?, digest: row.try_get(1)?, created: row.try_get(2)?, entry })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{Facts, Seen};

    const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";

    async fn kept(index: &Index, repository: &str, now: i64) -> Vec<(String, Kept)> {
        let tags = index.chart_tags(repository, CONFIG, now, 9).await.unwrap();
        tags.into_iter().map(|tag| (tag.tag, tag.entry)).collect()
    }

    #[tokio::test]
    async fn charts_are_read_once_in_each_repository() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), None).await.unwrap();
        let chart = Facts { config_media_type: Some(CONFIG.into()), ..Facts::default() };
        index.keep_facts("chart", &chart).await.unwrap();
        index.keep_facts("image", &Facts::default()).await.unwrap();
        for (repository, digest, tag, now) in
            [("a", "chart", "1", 1), ("a", "image", "2", 2), ("b", "chart", "1", 3)]
        {
            let seen = Seen { repository, digest, first: now, now };
            index.pushed(seen, Some(tag)).await.unwrap();
        }
        assert_eq!(index.chart_repositories(CONFIG).await.unwrap(), ["a", "b"]);
        index.keep_chart("a", "chart", Some("{}"), None).await.unwrap();
        assert_eq!(kept(&index, "a", 9).await, [("1".into(), Kept::Entry("{}".into()))]);
        assert_eq!(kept(&index, "b", 9).await, [("1".into(), Kept::Unread)]);
        index.keep_chart("b", "chart", None, Some(20)).await.unwrap();
        assert_eq!(kept(&index, "b", 19).await, [("1".into(), Kept::None)]);
        assert_eq!(kept(&index, "b", 20).await, [("1".into(), Kept::Unread)]);
        index.keep_chart("b", "chart", None, None).await.unwrap();
        assert_eq!(kept(&index, "b", 20).await, [("1".into(), Kept::None)]);
    }

    #[tokio::test]
    async fn gateways_have_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), None).await.unwrap();
        assert_eq!(index.ticket_key("a").await.unwrap(), "a");
        assert_eq!(index.ticket_key("b").await.unwrap(), "a");
    }
}

//! Deletions of repositories that have begun: one that breaks off is known until it is done again.
//!
//! Left out: going on with one by itself. What was pushed since is not to go with it.

use sqlx::Row as _;

use super::{Index, bounded};

impl Index {
    /// Notes that the deletion of a repository begins.
    ///
    /// # Errors
    ///
    /// When the index cannot be written.
    pub(crate) async fn begin_deletion(&self, repository: &str) -> sqlx::Result<()> {
        let statement = "insert into deletions (repository) values ($1) on conflict do nothing";
        bounded(sqlx::query(statement).bind(repository).execute(&self.writes)).await.map(drop)
    }

    /// Notes that nothing is left of it.
    ///
    /// # Errors
    ///
    /// When the index cannot be written.
    pub(crate) async fn end_deletion(&self, repository: &str) -> sqlx::Result<()> {
        let statement = "delete from deletions where repository = $1";
        bounded(sqlx::query(statement).bind(repository).execute(&self.writes)).await.map(drop)
    }

    /// The repositories whose deletion began and has not ended.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub(crate) async fn deletions(&self) -> sqlx::Result<Vec<String>> {
        let query = sqlx::query("select repository from deletions order by repository limit 1000");
        let rows = bounded(query.fetch_all(&self.pool)).await?;
        rows.iter().map(|row| row.try_get(0)).collect()
    }
}

//! What tables have in common, and the statements that read them: each once, for every table.
//!
//! Names of tables and columns are constants: no statement holds a value.

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe, FromRow};

use super::page::Page;
use crate::model::audit::Shown;

/// Counts the writes to a registry.
pub type Revision = i64;

/// A row of a table that notes the revision of each change.
pub trait Tabled: for<'r> FromRow<'r, AnyRow> + Send + Unpin {
    const TABLE: &'static str;
    /// In the order of `from_row`.
    const COLUMNS: &'static str;
}

/// A row with a name, which management makes, changes and deletes: a scope map, a token or a
/// service principal.
pub trait Record: Tabled + Shown + Sync {
    /// Names the table in a tombstone.
    const KIND: &'static str;
    /// Inserts or updates a row. The last parameter is the revision.
    const PUT: &'static str;

    /// The name in lower case.
    fn key(&self) -> &str;

    /// The name, as it was given.
    fn name(&self) -> &str;

    /// Binds every parameter of [`PUT`](Self::PUT) but the last.
    ///
    /// # Errors
    ///
    /// When a value cannot be written as JSON.
    fn bind<'q>(&self, put: Put<'q>) -> sqlx::Result<Put<'q>>;
}

/// An open [`Record::PUT`].
pub(super) type Put<'q> = Query<'q, Any, AnyArguments>;

/// The rows that changed after a revision.
pub(super) async fn since<T: Tabled>(
    db: &mut AnyConnection,
    revision: Revision,
) -> sqlx::Result<Vec<T>> {
    let rows = sqlx::query_as(select::<T>("revision > $1"));
    rows.bind(revision).fetch_all(db).await
}

/// The row with a name, in any case.
pub(super) async fn find<R: Record>(db: &mut AnyConnection, name: &str) -> sqlx::Result<Option<R>> {
    // No row has such a name, and PostgreSQL refuses a NUL in a query.
    if name.contains('\0') {
        return Ok(None);
    }
    let row = sqlx::query_as(select::<R>("key = $1"));
    row.bind(name.to_ascii_lowercase()).fetch_optional(db).await
}

/// A page of rows, in the order of their keys.
pub(super) async fn page<R: Record>(db: &mut AnyConnection, page: &Page) -> sqlx::Result<Vec<R>> {
    let rows = sqlx::query_as(select::<R>("key > $1 order by key limit $2"));
    rows.bind(page.after.replace('\0', "")).bind(page.limit).fetch_all(db).await
}

fn select<T: Tabled>(which: &'static str) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!("select {} from {} where {which}", T::COLUMNS, T::TABLE))
}

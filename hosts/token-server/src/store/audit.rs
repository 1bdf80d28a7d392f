//! The rows of the audit trail, appended in the transaction of the change that they tell of.
//!
//! Writers take turns at the row of the head, so the chain has one order however many servers
//! write. A row that cannot be written ends its transaction, and with it the change.
//!
//! Left out: what a seal is over, which is [`audit`](crate::model::audit)'s.

use std::fmt;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};
use tokio::time::timeout;

use super::{Read, Store, TIMEOUT};
use crate::model::audit::{Actor, AuditKey, Checkpoint, Entry, Head, Listener, Object, Row};

/// How rows are sealed, and who hears of them.
#[derive(Clone)]
pub struct Trail {
    pub key: AuditKey,
    pub listener: Listener,
}

impl fmt::Debug for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trail").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Which rows of the trail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Rows by this actor's name.
    pub actor: Option<String>,
    /// Rows about objects of this kind.
    pub object_kind: Option<String>,
    /// Rows about objects of this name.
    pub object: Option<String>,
    /// Rows at this time or later, in seconds since 1970.
    pub from: Option<i64>,
    /// Rows before this time, in seconds since 1970.
    pub until: Option<i64>,
    /// Rows below this number.
    pub below: Option<i64>,
    /// At most this many.
    pub limit: i64,
}

/// Rows with numbers that no row of the chain has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    pub count: i64,
    /// Their lowest number.
    pub from: i64,
    /// Their highest number.
    pub to: i64,
}

/// The oldest rows, to be deleted as they were read.
#[derive(Clone, Debug)]
pub(crate) struct Cut<'c> {
    /// The checkpoint that was read.
    pub checkpoint: Option<&'c Checkpoint>,
    /// Rows above this number go.
    pub after: i64,
    /// The last row that goes.
    pub until: Head,
    /// How many rows there are between them.
    pub rows: u64,
    /// What is left in their place.
    pub left: Entry,
}

const COLUMNS: &str = "number, at, actor_kind, actor, provider, address, correlation_id, operation, object_kind, \
                       object, before, after, revision, key_id, seal";

/// Appends entries to the chain, in their order.
pub(super) async fn append(
    db: &mut AnyConnection,
    key: &AuditKey,
    entries: Vec<Entry>,
) -> sqlx::Result<Vec<Row>> {
    let mut head = take_turn(db).await?;
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        let row = key.seal(&head, entry);
        insert(db, &row).await?;
        head = Head { number: row.number, seal: row.seal.clone() };
        rows.push(row);
    }
    sqlx::query("update audit_head set number = $1, seal = $2")
        .bind(head.number)
        .bind(head.seal.as_str())
        .execute(db)
        .await?;
    Ok(rows)
}

/// The head, locked until the transaction ends.
async fn take_turn(db: &mut AnyConnection) -> sqlx::Result<Head> {
    let query = sqlx::query("update audit_head set number = number returning number, seal");
    let row = query.fetch_one(db).await?;
    Ok(Head { number: row.try_get(0)?, seal: row.try_get(1)? })
}

async fn insert(db: &mut AnyConnection, row: &Row) -> sqlx::Result<()> {
    let Row { number, entry, key_id, seal } = row;
    sqlx::query(
        "insert into audit (number, at, actor_kind, actor, provider, address, correlation_id, operation, object_kind,
            object, before, after, revision, key_id, seal)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(*number)
    .bind(entry.at)
    .bind(entry.actor.kind.as_str())
    .bind(entry.actor.name.as_str())
    .bind(entry.actor.provider.as_deref())
    .bind(entry.actor.address.as_deref())
    .bind(entry.actor.correlation_id.as_deref())
    .bind(entry.operation.as_str())
    .bind(entry.object.kind.as_str())
    .bind(entry.object.name.as_str())
    .bind(entry.before.as_deref())
    .bind(entry.after.as_deref())
    .bind(entry.revision)
    .bind(key_id.as_str())
    .bind(seal.as_str())
    .execute(db)
    .await
    .map(drop)
}

fn row_of(row: &AnyRow) -> sqlx::Result<Row> {
    let actor = Actor {
        kind: row.try_get(2)?,
        name: row.try_get(3)?,
        provider: row.try_get(4)?,
        address: row.try_get(5)?,
        correlation_id: row.try_get(6)?,
    };
    let entry = Entry {
        at: row.try_get(1)?,
        actor,
        operation: row.try_get(7)?,
        object: Object { kind: row.try_get(8)?, name: row.try_get(9)? },
        before: row.try_get(10)?,
        after: row.try_get(11)?,
        revision: row.try_get(12)?,
    };
    Ok(Row { number: row.try_get(0)?, entry, key_id: row.try_get(13)?, seal: row.try_get(14)? })
}

/// The next rows after a number, in the order of the chain.
pub(super) async fn after(
    db: &mut AnyConnection,
    number: i64,
    limit: i64,
) -> sqlx::Result<Vec<Row>> {
    let text = format!("select {COLUMNS} from audit where number > $1 order by number limit $2");
    let query = sqlx::query(sqlx::AssertSqlSafe(text));
    let rows = query.bind(number).bind(limit).fetch_all(db).await?;
    rows.iter().map(row_of).collect()
}

pub(super) async fn checkpoint(db: &mut AnyConnection) -> sqlx::Result<Option<Checkpoint>> {
    let query = sqlx::query("select number, row_seal, at, key_id, seal from audit_checkpoint");
    let Some(row) = query.fetch_optional(db).await? else { return Ok(None) };
    Ok(Some(Checkpoint {
        head: Head { number: row.try_get(0)?, seal: row.try_get(1)? },
        at: row.try_get(2)?,
        key_id: row.try_get(3)?,
        seal: row.try_get(4)?,
    }))
}

impl Read {
    /// The last row.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn audit_head(&mut self) -> sqlx::Result<Head> {
        let query = sqlx::query("select number, seal from audit_head");
        let row = query.fetch_one(self.db()).await?;
        Ok(Head { number: row.try_get(0)?, seal: row.try_get(1)? })
    }

    /// Where the trail begins, when its first rows were deleted.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn audit_checkpoint(&mut self) -> sqlx::Result<Option<Checkpoint>> {
        checkpoint(self.db()).await
    }

    /// The next rows after a number, in the order of the chain.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn audit_after(&mut self, number: i64, limit: i64) -> sqlx::Result<Vec<Row>> {
        after(self.db(), number, limit).await
    }

    /// The rows at or below the number after which the chain begins.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn audit_outside(&mut self, begins_after: i64) -> sqlx::Result<Option<Outside>> {
        let query =
            sqlx::query("select count(*), min(number), max(number) from audit where number <= $1");
        let row = query.bind(begins_after).fetch_one(self.db()).await?;
        let (from, to) = (row.try_get::<Option<i64>, _>(1)?, row.try_get::<Option<i64>, _>(2)?);
        let count = row.try_get(0)?;
        Ok(from.zip(to).map(|(from, to)| Outside { count, from, to }))
    }

    /// Rows that a filter lets through, the latest first.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn audit(&mut self, filter: &Filter) -> sqlx::Result<Vec<Row>> {
        let (texts, numbers) = filter.conditions();
        let columns = texts.iter().map(|(column, _)| format!("{column} = "));
        let columns = columns.chain(numbers.iter().map(|(column, _)| format!("{column} ")));
        let conditions: String =
            columns.enumerate().map(|(at, column)| format!(" and {column}${}", at + 1)).collect();
        let last = texts.len() + numbers.len() + 1;
        let text = format!(
            "select {COLUMNS} from audit where 1 = 1{conditions} order by number desc limit ${last}"
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
        for (_, value) in texts {
            query = query.bind(value);
        }
        for (_, value) in numbers {
            query = query.bind(value);
        }
        let rows = query.bind(filter.limit).fetch_all(self.db()).await?;
        rows.iter().map(row_of).collect()
    }
}

/// The beginning of each condition, and the value that it ends with.
type Conditions<T> = Vec<(&'static str, T)>;

impl Filter {
    /// The columns that must be equal, and those with a comparison.
    fn conditions(&self) -> (Conditions<String>, Conditions<i64>) {
        let texts =
            [("actor", &self.actor), ("object_kind", &self.object_kind), ("object", &self.object)];
        let numbers = [("at >=", self.from), ("at <", self.until), ("number <", self.below)];
        // PostgreSQL refuses a NUL in a query, and no row has one.
        let texts = texts.into_iter().filter_map(|(column, value)| {
            value.as_ref().map(|value| (column, value.replace('\0', "\u{fffd}")))
        });
        let numbers = numbers.into_iter().filter_map(|(column, value)| Some((column, value?)));
        (texts.collect(), numbers.collect())
    }
}

impl Store {
    /// Appends entries that belong to no change: sign-ins.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn append_audit(&self, entries: Vec<Entry>) -> sqlx::Result<()> {
        let write = async {
            let mut transaction = self.pool.begin_with(self.database.begin_write()).await?;
            let rows = append(&mut transaction, &self.trail.key, entries).await?;
            transaction.commit().await?;
            rows.iter().for_each(|row| (self.trail.listener)(row));
            Ok(())
        };
        timeout(TIMEOUT, write).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    /// Deletes the oldest rows, and leaves a checkpoint and a row that says so. Returns how many
    /// rows went: none if the trail is not what was read any more.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn cut_audit(&self, cut: Cut<'_>) -> sqlx::Result<u64> {
        let Cut { checkpoint: begins_after, after, until, rows, left } = cut;
        let write = async {
            let mut transaction = self.pool.begin_with(self.database.begin_write()).await?;
            let last = take_turn(&mut transaction).await?;
            let known = checkpoint(&mut transaction).await?;
            if known.as_ref() != begins_after || last.number < until.number {
                return Ok(0);
            }
            let deleted = sqlx::query("delete from audit where number > $1 and number <= $2")
                .bind(after)
                .bind(until.number)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            if deleted != rows {
                return Ok(0);
            }
            put_checkpoint(&mut transaction, &self.trail.key.checkpoint(until, left.at)).await?;
            let rows = append(&mut transaction, &self.trail.key, vec![left]).await?;
            transaction.commit().await?;
            rows.iter().for_each(|row| (self.trail.listener)(row));
            Ok(deleted)
        };
        timeout(TIMEOUT, write).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }
}

async fn put_checkpoint(db: &mut AnyConnection, checkpoint: &Checkpoint) -> sqlx::Result<()> {
    sqlx::query(
        "insert into audit_checkpoint (id, number, row_seal, at, key_id, seal) values (1, $1, $2, $3, $4, $5)
         on conflict (id) do update set number = excluded.number, row_seal = excluded.row_seal, at = excluded.at,
            key_id = excluded.key_id, seal = excluded.seal",
    )
    .bind(checkpoint.head.number)
    .bind(checkpoint.head.seal.as_str())
    .bind(checkpoint.at)
    .bind(checkpoint.key_id.as_str())
    .bind(checkpoint.seal.as_str())
    .execute(db)
    .await
    .map(drop)
}

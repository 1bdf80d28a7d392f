//! Codes of people who have signed in, by their digests.
//!
//! They are not part of the policy. Writing them makes no revision and no notification.

use sqlx::Row as _;
use tokio::time::timeout;

use super::{Store, TIMEOUT};

/// A code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginCode {
    /// The SHA-256 of the code.
    pub digest: String,
    /// Whose it is.
    pub person: String,
    /// Seconds since 1970.
    pub expires_at: i64,
    /// What it stands for, as JSON.
    pub content: String,
}

impl Store {
    /// Stores a code, and deletes those that have expired and the oldest of a person who has more
    /// than `limit`.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn put_login_code(&self, code: &LoginCode, limit: i64, now: i64) -> sqlx::Result<()> {
        let write = async {
            let mut transaction = self.pool.begin_with(self.database.begin_write()).await?;
            sqlx::query("delete from login_codes where expires_at <= $1")
                .bind(now)
                .execute(&mut *transaction)
                .await?;
            sqlx::query(
                "delete from login_codes where person = $1 and digest not in
                    (select digest from login_codes where person = $1
                     order by expires_at desc, digest limit $2)",
            )
            .bind(code.person.as_str())
            .bind(limit.saturating_sub(1))
            .execute(&mut *transaction)
            .await?;
            sqlx::query(
                "insert into login_codes (digest, person, expires_at, content)
                 values ($1, $2, $3, $4)",
            )
            .bind(code.digest.as_str())
            .bind(code.person.as_str())
            .bind(code.expires_at)
            .bind(code.content.as_str())
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await
        };
        timeout(TIMEOUT, write).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    /// Takes a code out: of requests at one time one gets it.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn take_login_code(&self, digest: &str) -> sqlx::Result<Option<LoginCode>> {
        let take = async {
            let taken = sqlx::query(
                "delete from login_codes where digest = $1
                 returning digest, person, expires_at, content",
            );
            taken.bind(digest).fetch_optional(&self.pool).await
        };
        let row = timeout(TIMEOUT, take).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        row.map(|row| {
            Ok(LoginCode {
                digest: row.try_get(0)?,
                person: row.try_get(1)?,
                expires_at: row.try_get(2)?,
                content: row.try_get(3)?,
            })
        })
        .transpose()
    }
}

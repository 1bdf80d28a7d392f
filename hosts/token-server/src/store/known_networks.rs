//! Networks of recent successful logins: pairs of a client and a network.
//!
//! They are not part of the policy. Writing them makes no revision and no notification.

use std::net::IpAddr;

use sqlx::{AnyConnection, Row as _};
use tokio::time::timeout;

use super::{Store, TIMEOUT};

/// A client and a network from which it logged in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KnownNetwork {
    /// The client id, in lower case.
    pub client: String,
    /// The network, by its first address.
    pub network: IpAddr,
    /// The last successful login, in seconds since 1970.
    pub right_at: i64,
}

impl Store {
    /// The entries after a time, in seconds since 1970, the latest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn known_networks(&self, since: i64, limit: i64) -> sqlx::Result<Vec<KnownNetwork>> {
        let read = async {
            let rows = sqlx::query(
                "select client, network, right_at from known_networks where right_at > $1
                 order by right_at desc limit $2",
            );
            let rows = rows.bind(since).bind(limit).fetch_all(&self.pool).await?;
            rows.iter().map(read_row).collect::<sqlx::Result<Vec<Option<_>>>>()
        };
        let rows = timeout(TIMEOUT, read).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        // An unreadable address is skipped.
        Ok(rows.into_iter().flatten().collect())
    }

    /// Saves entries, and deletes those from before a time, in seconds since 1970.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn save_known_networks(
        &self,
        networks: &[KnownNetwork],
        forget_before: i64,
    ) -> sqlx::Result<()> {
        let write = async {
            let mut transaction = self.pool.begin_with(self.database.begin_write()).await?;
            for network in networks {
                keep(&mut transaction, network).await?;
            }
            let forget = sqlx::query("delete from known_networks where right_at < $1");
            forget.bind(forget_before).execute(&mut *transaction).await?;
            transaction.commit().await
        };
        timeout(TIMEOUT, write).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }
}

fn read_row(row: &sqlx::any::AnyRow) -> sqlx::Result<Option<KnownNetwork>> {
    let network: String = row.try_get(1)?;
    let (client, right_at) = (row.try_get(0)?, row.try_get(2)?);
    Ok(network.parse().ok().map(|network| KnownNetwork { client, network, right_at }))
}

async fn keep(db: &mut AnyConnection, network: &KnownNetwork) -> sqlx::Result<()> {
    let KnownNetwork { client, network, right_at } = network;
    sqlx::query(
        "insert into known_networks (client, network, right_at) values ($1, $2, $3)
         on conflict (client, network) do update set right_at = excluded.right_at",
    )
    .bind(client.as_str())
    .bind(network.to_string())
    .bind(*right_at)
    .execute(db)
    .await
    .map(drop)
}

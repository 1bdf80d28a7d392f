//! Locks of repositories between gateways: PostgreSQL's advisory ones, all held by one session of
//! this gateway, and lost with it.
//!
//! No request waits in the session: a lock that another gateway holds is tried again after a
//! while. So a repository whose lock is held for long, or a thousand of them, stop no other, and
//! none of the connections of the index is held while the registry works. Who wants a lock alone
//! holds its gate meanwhile, which no new sharer passes.
//!
//! A pooler between gateway and database has to keep sessions apart.
//!
//! Left out: locks within one gateway, how long one waits, and what a holder that lost its lock
//! left behind ([`pending`](super::pending)).

use std::sync::Arc;
use std::time::Duration;

use scopegate_host::database::Database;
use sha2::{Digest as _, Sha256};
use sqlx::{AnyConnection, Connection as _, Executor as _};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use super::Index;

/// How often the session is looked after.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// How long a statement may take, none of which waits.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How long it takes until a lock is tried again: at first, and at last.
const TRY_AGAIN: [Duration; 2] = [Duration::from_millis(5), Duration::from_millis(80)];

/// The session that holds the locks. It ends with the last handle.
#[derive(Clone, Debug)]
pub(super) struct Session {
    orders: mpsc::UnboundedSender<Order>,
    /// How many sessions there were.
    number: watch::Receiver<u64>,
}

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    lock: Lock,
    session: u64,
    of: Session,
}

#[derive(Clone, Copy, Debug)]
struct Lock {
    key: i64,
    is_exclusive: bool,
}

/// What the session is asked for.
#[derive(Debug)]
enum Order {
    /// A lock, if it can be had now and none holds its gate.
    Try { lock: Lock, gate: Option<i64>, reply: oneshot::Sender<sqlx::Result<Option<Held>>> },
    /// Whether there is still the session with this number.
    Confirm { session: u64, reply: oneshot::Sender<sqlx::Result<()>> },
    /// A lock is needed no more, of the session with this number.
    Free { lock: Lock, session: u64 },
}

impl Index {
    /// Takes the lock of a repository between gateways; nothing where this gateway is the only one.
    /// How long this may take is the caller's to say, and that it asks once at a time.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached.
    pub(crate) async fn lock(
        &self,
        repository: &str,
        is_exclusive: bool,
    ) -> sqlx::Result<Option<Held>> {
        let Some(session) = &self.locks else { return Ok(None) };
        let [key, gate] = ["", "\0gate"].map(|what| key(&format!("{repository}{what}")));
        if !is_exclusive {
            return session.take(Lock { key, is_exclusive }, Some(gate)).await.map(Some);
        }
        let gate = session.take(Lock { key: gate, is_exclusive }, None).await?;
        let held = session.take(Lock { key, is_exclusive }, None).await?;
        drop(gate);
        Ok(Some(held))
    }
}

impl Session {
    pub(super) fn new(database: Arc<dyn Database>) -> Self {
        let (orders, received) = mpsc::unbounded_channel();
        let (numbers, number) = watch::channel(0);
        let session = Self { orders, number };
        let orders = session.orders.downgrade();
        let holder =
            Holder { database, connection: None, orders, numbers, number: session.number.clone() };
        tokio::spawn(holder.run(received));
        session
    }

    /// Tries until a lock is had.
    async fn take(&self, lock: Lock, gate: Option<i64>) -> sqlx::Result<Held> {
        let [mut pause, longest] = TRY_AGAIN;
        loop {
            let (reply, answer) = oneshot::channel();
            if let Some(held) = self.ask(Order::Try { lock, gate, reply }, answer).await? {
                return Ok(held);
            }
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(longest);
        }
    }

    async fn ask<T>(
        &self,
        order: Order,
        answer: oneshot::Receiver<sqlx::Result<T>>,
    ) -> sqlx::Result<T> {
        self.orders.send(order).map_err(|_| sqlx::Error::WorkerCrashed)?;
        answer.await.map_err(|_| sqlx::Error::WorkerCrashed)?
    }
}

impl Held {
    /// Makes sure that the lock is held still.
    ///
    /// # Errors
    ///
    /// When its session ended, or does not answer.
    pub(crate) async fn confirm(&self) -> sqlx::Result<()> {
        let (reply, answer) = oneshot::channel();
        self.of.ask(Order::Confirm { session: self.session, reply }, answer).await
    }

    /// Ends when the lock is held no more: when its session ended.
    pub(crate) async fn lost(&self) {
        let mut number = self.of.number.clone();
        // The session that holds it tells nothing when it is gone itself.
        let _ = number.wait_for(|number| *number != self.session).await;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let order = Order::Free { lock: self.lock, session: self.session };
        // Without a session there is nothing to free.
        let _ = self.of.orders.send(order);
    }
}

/// What has the session's connection.
struct Holder {
    database: Arc<dyn Database>,
    connection: Option<AnyConnection>,
    orders: mpsc::WeakUnboundedSender<Order>,
    numbers: watch::Sender<u64>,
    number: watch::Receiver<u64>,
}

impl Holder {
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        loop {
            match timeout(CHECK_INTERVAL, orders.recv()).await {
                Ok(Some(order)) => self.follow(order).await,
                Ok(None) => return,
                Err(_) => self.check().await,
            }
        }
    }

    async fn follow(&mut self, order: Order) {
        match order {
            // Who asked may have given up.
            Order::Try { lock, gate, reply } if !reply.is_closed() => {
                let tried = self.try_lock(lock, gate).await;
                // A lock that is not taken is freed by being dropped.
                let _ = reply.send(tried);
            }
            Order::Confirm { session, reply } if !reply.is_closed() => {
                let there: sqlx::Result<i32> = self.query("select 1", &[]).await;
                let is_same = session == *self.number.borrow();
                let lost = Err(sqlx::Error::WorkerCrashed);
                let _ = reply.send(if is_same { there.map(drop) } else { lost });
            }
            Order::Free { lock, session } if session == *self.number.borrow() => {
                let statement = if lock.is_exclusive {
                    "select pg_advisory_unlock($1)"
                } else {
                    "select pg_advisory_unlock_shared($1)"
                };
                // A session in which that fails is given up.
                let _ = self.query::<bool>(statement, &[lock.key]).await;
            }
            Order::Try { .. } | Order::Confirm { .. } | Order::Free { .. } => {}
        }
    }

    async fn try_lock(&mut self, lock: Lock, gate: Option<i64>) -> sqlx::Result<Option<Held>> {
        let is_held: bool = match (lock.is_exclusive, gate) {
            (true, _) => self.query("select pg_try_advisory_lock($1)", &[lock.key]).await?,
            (false, None) => {
                self.query("select pg_try_advisory_lock_shared($1)", &[lock.key]).await?
            }
            (false, Some(gate)) => {
                let statement = "select case when pg_try_advisory_lock_shared($2)
                    then case when pg_advisory_unlock_shared($2)
                        then pg_try_advisory_lock_shared($1) else false end
                    else false end";
                self.query(statement, &[lock.key, gate]).await?
            }
        };
        let orders = self.orders.upgrade().filter(|_| is_held);
        Ok(orders.map(|orders| Held {
            lock,
            session: *self.number.borrow(),
            of: Session { orders, number: self.number.clone() },
        }))
    }

    /// Whether the session is there still; there need not be one.
    async fn check(&mut self) {
        if self.connection.is_some() {
            let _ = self.query::<i32>("select 1", &[]).await;
        }
    }

    /// Asks the session. One that does not answer is given up, with all that it held.
    async fn query<T>(&mut self, statement: &'static str, values: &[i64]) -> sqlx::Result<T>
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Any> + sqlx::Type<sqlx::Any> + Send + Unpin,
    {
        let asked = timeout(TIMEOUT, self.ask(statement, values)).await;
        let asked = asked.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        if let Err(error) = &asked
            && self.connection.take().is_some()
        {
            tracing::error!(%error, "the locks of repositories are lost");
            self.numbers.send_modify(|number| *number = number.saturating_add(1));
        }
        asked
    }

    async fn ask<T>(&mut self, statement: &'static str, values: &[i64]) -> sqlx::Result<T>
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Any> + sqlx::Type<sqlx::Any> + Send + Unpin,
    {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                let mut new = AnyConnection::connect_with(&self.database.options()?).await?;
                new.execute(self.database.connection_pragmas()).await?;
                none.insert(new)
            }
        };
        let mut query = sqlx::query_scalar(statement);
        for value in values {
            query = query.bind(*value);
        }
        query.fetch_one(connection).await
    }
}

/// A number for a repository. Two that share one wait for each other, and nothing else.
fn key(repository: &str) -> i64 {
    let digest = Sha256::digest(repository.as_bytes());
    let first = digest.first_chunk::<8>().copied().unwrap_or_default();
    i64::from_be_bytes(first)
}

//! What requests share.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use scopegate_core::Catalog;
use scopegate_runtime::Runtime;
use tokio::sync::Mutex;

use crate::error::RouteError;
use crate::identity::Providers;
use crate::issue::Issuer;
use crate::policy::{BuiltIn, Policy};
use crate::store::{KeysRecord, Store, Write};
use crate::watch::catch_up;

/// What requests share.
#[derive(Debug)]
pub struct App {
    /// The engine.
    pub runtime: Runtime,
    /// Who signs, for whom.
    pub issuer: Issuer,
    /// The registry's own name, which is the user name of its admin.
    pub registry_name: String,
    /// The address of this server, as clients reach it, without a slash at the end.
    pub public_url: String,
    /// Who may list repositories.
    pub catalog: Catalog,
    /// The identity providers.
    pub providers: Providers,
    /// The database. Requests for tokens do not use it.
    pub store: Store,
    /// How new the policy is.
    pub snapshot: Snapshot,
    policy: ArcSwap<Policy>,
    keys: ArcSwap<KeysRecord>,
}

/// What an app is made of.
#[derive(Debug)]
pub struct Parts {
    /// The engine.
    pub runtime: Runtime,
    /// Who signs, for whom.
    pub issuer: Issuer,
    /// The registry's own name.
    pub registry_name: String,
    /// The address of this server, as clients reach it.
    pub public_url: String,
    /// Who may list repositories.
    pub catalog: Catalog,
    /// The identity providers.
    pub providers: Providers,
    /// The database.
    pub store: Store,
    /// How long tokens are still issued when the database is gone.
    pub serve_for: Duration,
}

/// How new the policy is.
#[derive(Debug)]
pub struct Snapshot {
    /// Held by whoever makes the next snapshot.
    pub turn: Mutex<()>,
    /// How long tokens are still issued when the database is gone.
    pub serve_for: Duration,
    seen_at: AtomicI64,
}

impl App {
    /// An app that knows nobody yet.
    ///
    /// # Errors
    ///
    /// When the engine fails.
    pub fn new(parts: Parts) -> anyhow::Result<Self> {
        let built_in = Arc::new(BuiltIn::compile(&parts.runtime)?);
        Ok(Self {
            runtime: parts.runtime,
            issuer: parts.issuer,
            registry_name: parts.registry_name,
            public_url: parts.public_url.trim_end_matches('/').to_owned(),
            catalog: parts.catalog,
            providers: parts.providers,
            store: parts.store,
            snapshot: Snapshot {
                turn: Mutex::default(),
                serve_for: parts.serve_for,
                seen_at: AtomicI64::default(),
            },
            policy: ArcSwap::from_pointee(Policy::new(built_in)),
            keys: ArcSwap::default(),
        })
    }

    /// The address of the token endpoint.
    #[must_use]
    pub fn realm(&self) -> String {
        format!("{}/oauth2/token", self.public_url)
    }

    /// The snapshot of this moment.
    pub fn policy(&self) -> Guard<Arc<Policy>> {
        self.policy.load()
    }

    /// Puts another snapshot in its place. Requests that began with the old one end with it.
    pub fn replace_policy(&self, policy: Policy) {
        self.policy.store(Arc::new(policy));
    }

    /// The signing keys as they are kept.
    pub fn keys(&self) -> Guard<Arc<KeysRecord>> {
        self.keys.load()
    }

    /// Notes the signing keys as they are kept.
    pub fn replace_keys(&self, keys: KeysRecord) {
        self.keys.store(Arc::new(keys));
    }

    /// Makes a write last, and lets it count here at once.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn commit(&self, write: Write) -> sqlx::Result<()> {
        write.commit().await?;
        // It is in the database, so the answer is yes; whoever follows the database makes up for a failure here.
        if let Err(error) = catch_up(self).await {
            tracing::warn!(error = format!("{error:#}"), "cannot read what was just written");
        }
        Ok(())
    }

    /// Refuses to decide by a snapshot that is too old.
    ///
    /// # Errors
    ///
    /// [`RouteError::Unavailable`] when the database has been gone for longer than the configuration allows.
    pub fn check_snapshot(&self, now: i64) -> Result<(), RouteError> {
        if self.snapshot.is_usable(now) {
            Ok(())
        } else {
            Err(RouteError::Unavailable("the policy is too old to decide by".into()))
        }
    }
}

impl Snapshot {
    /// Notes that the snapshot agreed with the database at this time.
    pub fn seen_at(&self, now: i64) {
        self.seen_at.store(now, Ordering::Relaxed);
    }

    /// How long ago the snapshot agreed with the database, in seconds.
    #[must_use]
    pub fn age(&self, now: i64) -> i64 {
        now.saturating_sub(self.seen_at.load(Ordering::Relaxed)).max(0)
    }

    /// Whether tokens are still issued by it.
    #[must_use]
    pub fn is_usable(&self, now: i64) -> bool {
        self.age(now).unsigned_abs() <= self.serve_for.as_secs()
    }
}

//! The registry's own data plane, `/acr/v1`, over any registry that speaks `/v2`.
//!
//! Follows Azure Container Registry's data plane API of 2021-07-01
//! (<https://github.com/Azure/azure-rest-api-specs/tree/main/specification/containerregistry/data-plane>),
//! and what the service answers where that says less. What a registry does not know is in the
//! [`index`](crate::index).
//!
//! | module | holds |
//! |---|---|
//! | [`call`] | a request that was decided about |
//! | [`reply`] | the answers, byte for byte |
//! | [`listing`] | pages: `n`, `last`, `orderby`, `digest`, `Link` |
//! | [`registry`] | asking the registry behind |
//! | [`facts`] | what a manifest says of itself |
//! | [`sync`] | keeping the index in step with the registry |
//! | [`read`] | the routes that only read |
//! | [`time`] | times as the service writes them |
//!
//! Left out: who may do what, which is decided before anything here is asked; soft delete,
//! quarantine and custom metadata, which are answered as by a registry that has them off.

pub(crate) mod call;
mod facts;
mod listing;
mod read;
mod registry;
mod reply;
mod sync;
mod time;

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use scopegate_host::client::Client;
use tokio::sync::Mutex;
use url::Url;

pub(crate) use self::call::Call;
pub(crate) use self::registry::MAX_MANIFEST;
use self::registry::Registry;
pub(crate) use self::reply::Reply;
use crate::index::{Index, Restrictions};

/// How often other gateways' changes of what may be done are looked for.
const RESTRICTIONS_INTERVAL: Duration = Duration::from_secs(1);
/// How many repositories can be compared with the registry at one time.
const TURNS: usize = 64;

/// What a data plane is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    /// The index.
    pub(crate) index: Index,
    /// Asks the registry for lists.
    pub(crate) lists: Client,
    /// Asks the registry for manifests.
    pub(crate) documents: Client,
    /// The registry's address.
    pub(crate) upstream: Url,
    /// What clients call the registry.
    pub(crate) service: String,
    /// For how long what the registry said is not asked again for a list.
    pub(crate) fresh_for: Duration,
}

/// The data plane of one registry.
#[derive(Debug)]
pub(crate) struct DataPlane {
    index: Index,
    registry: Registry,
    service: String,
    fresh_for: i64,
    restrictions: ArcSwapOption<Known>,
    turns: Vec<Mutex<()>>,
}

/// What may not be done, as it was read.
#[derive(Debug)]
struct Known {
    restrictions: Arc<Restrictions>,
    at: Instant,
}

impl DataPlane {
    /// Nothing is known of restrictions yet.
    #[must_use]
    pub(crate) fn new(parts: Parts) -> Arc<Self> {
        let Parts { index, lists, documents, upstream, service, fresh_for } = parts;
        Arc::new(Self {
            index,
            registry: Registry::new(lists, documents, upstream),
            service,
            fresh_for: time::ticks_of(fresh_for),
            restrictions: ArcSwapOption::empty(),
            turns: (0..TURNS).map(|_| Mutex::new(())).collect(),
        })
    }

    /// Answers a request that was decided about.
    pub(crate) async fn answer(self: &Arc<Self>, call: Call) -> Reply {
        let replied = self.read(&call).await;
        replied.unwrap_or_else(Reply::from)
    }

    /// Whether it was ever known what may not be done.
    #[must_use]
    pub(crate) fn is_ready(&self) -> bool {
        self.restrictions.load().is_some()
    }

    /// Reads what may not be done, as often as it changes, until the process ends.
    pub(crate) async fn follow_restrictions(&self) {
        loop {
            if let Err(error) = self.read_restrictions().await {
                tracing::error!(%error, "the index cannot be read");
            }
            tokio::time::sleep(RESTRICTIONS_INTERVAL).await;
        }
    }

    async fn read_restrictions(&self) -> sqlx::Result<()> {
        let at = Instant::now();
        let held = self.restrictions.load_full();
        let restrictions = match held {
            Some(known) if known.restrictions.revision == self.index.revision().await? => {
                Arc::clone(&known.restrictions)
            }
            _ => Arc::new(self.index.restrictions().await?),
        };
        self.restrictions.store(Some(Arc::new(Known { restrictions, at })));
        Ok(())
    }
}

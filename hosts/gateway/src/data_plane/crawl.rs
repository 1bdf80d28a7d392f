//! Looking through the whole registry, one repository after the other, at a bounded rate.
//!
//! Each repository that was looked through stays so: what breaks off goes on where it was.
//!
//! Left out: repositories that a registry does not list.

use std::sync::Arc;
use std::time::Duration;

use super::DataPlane;
use super::reply::Trouble;
use super::time::now;
use crate::listing::Page;

/// How many repositories are asked for at one time.
const PAGE: usize = 1000;

impl DataPlane {
    /// Fills the index. `rate` is how many artifacts are looked at in a second.
    pub(crate) async fn crawl(self: &Arc<Self>, rate: u32) -> Result<(), Trouble> {
        let began = self.index.begin_crawl(now()).await?;
        let pace = Duration::from_secs(1) / rate.max(1);
        let (mut last, mut count) = (String::new(), 0_u64);
        loop {
            let page = Page { n: PAGE, last };
            let (names, next) = self.registry.repositories(&page, |_| true).await?;
            for name in &names {
                self.crawl_repository(name, began, pace).await?;
                count = count.saturating_add(1);
            }
            match next {
                Some(next) => last = next,
                None => break,
            }
        }
        tracing::info!(repositories = count, "the registry was looked through");
        Ok(self.index.end_crawl(now()).await?)
    }

    async fn crawl_repository(
        self: &Arc<Self>,
        name: &str,
        began: i64,
        pace: Duration,
    ) -> Result<(), Trouble> {
        let known = self.index.repository(name).await?;
        if known.is_some_and(|known| known.synced.is_some_and(|synced| synced >= began)) {
            return Ok(());
        }
        tokio::time::sleep(pace).await;
        match self.compare_all(name, Some(pace)).await {
            Err(trouble) if trouble.is_of_one_thing() => {
                tracing::warn!(
                    repository = name,
                    ?trouble,
                    "a repository cannot be looked through"
                );
                return Ok(());
            }
            compared => compared?,
        }
        let (tags, manifests) = self.index.counts(name).await?;
        tracing::info!(repository = name, tags, manifests, "looked through");
        Ok(())
    }
}

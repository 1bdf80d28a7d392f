//! Looking through the whole registry, one repository after the other, at a bounded rate.
//!
//! Everything that a repository has or is known to have is asked about, so what is shown after it
//! is there. Each repository that was looked through stays so: what breaks off goes on where it
//! was.
//!
//! Left out: repositories that a registry does not list.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::DataPlane;
use super::reply::Trouble;
use super::time::now;
use crate::listing::Page;

/// How many repositories are asked for at one time.
const PAGE: usize = 1000;

/// How far a crawl may fall behind and catch up again. A timer is a millisecond or two late, which
/// would be the pace of a crawl otherwise.
const MAX_LAG: Duration = Duration::from_millis(10);

/// The pace of a crawl.
#[derive(Debug)]
pub(super) struct Pace {
    step: Duration,
    next: Instant,
}

impl Pace {
    /// A number of artifacts in a second.
    pub(super) fn new(rate: u32) -> Self {
        Self { step: Duration::from_secs(1) / rate.max(1), next: Instant::now() }
    }

    /// Waits until the next one may be.
    pub(super) async fn wait(&mut self) {
        let now = Instant::now();
        if now < self.next {
            sleep_until(self.next).await;
        }
        let earliest = now.checked_sub(MAX_LAG).unwrap_or(now);
        self.next = self.next.max(earliest).checked_add(self.step).unwrap_or(now);
    }
}

impl DataPlane {
    /// Fills the index. `rate` is how many artifacts are looked at in a second.
    pub(crate) async fn crawl(self: &Arc<Self>, rate: u32) -> Result<(), Trouble> {
        let began = self.index.begin_crawl(now()).await?;
        let mut pace = Pace::new(rate);
        let (mut last, mut count) = (String::new(), 0_u64);
        loop {
            let page = Page { n: PAGE, last };
            let (names, next) = self.registry.repositories(&page, |_| true).await?;
            for name in &names {
                self.crawl_repository(name, began, &mut pace).await?;
                count = count.saturating_add(1);
            }
            match next {
                Some(next) => last = next,
                None => break,
            }
        }
        tracing::info!(repositories = count, "the registry was looked through");
        self.report_deletions().await?;
        Ok(self.index.end_crawl(now()).await?)
    }

    async fn crawl_repository(
        self: &Arc<Self>,
        name: &str,
        began: i64,
        pace: &mut Pace,
    ) -> Result<(), Trouble> {
        let known = self.index.repository(name).await?;
        if known.is_some_and(|known| known.synced.is_some_and(|synced| synced >= began)) {
            return Ok(());
        }
        pace.wait().await;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_than_the_rate_and_hardly_less() {
        for (rate, count) in [(20_u32, 5_u32), (20_000, 5000)] {
            let (begun, mut pace) = (Instant::now(), Pace::new(rate));
            for _ in 0..count {
                pace.wait().await;
            }
            let least = Duration::from_secs(1) / rate * (count - 1);
            let took = begun.elapsed();
            // A machine that is busy is later than any timer.
            assert!(took >= least - MAX_LAG && took < least * 10, "{rate}: {took:?}");
        }
    }
}

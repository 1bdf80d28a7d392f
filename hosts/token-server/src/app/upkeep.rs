//! Reconciles the signing keys while the server runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::app::App;
use crate::app::watch::catch_up;
use crate::clock;
use crate::domain::keys::rotation::plan;
use crate::domain::keys::steadiness::Steadiness;
use crate::domain::keys::{Authority, Keeper, Plan};
use crate::store::StoredKeys;

/// How often the keys are checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// Checks the keys every [`CHECK_INTERVAL`]. Never returns.
pub(crate) async fn keep(keeper: Keeper, app: Arc<App>) {
    let mut steadiness = Steadiness::new(clock::now(), Instant::now());
    loop {
        tokio::time::sleep(CHECK_INTERVAL).await;
        let now = clock::now();
        let is_steady = steadiness.look(now, Instant::now());
        let kept = async {
            let known = Arc::clone(&app.keys());
            let plan = plan(&known.records().keys, keeper.algorithm, now, keeper.rotation);
            if is_steady && plan != Plan::default() {
                keeper.reconcile(&app.store, now).await?;
                catch_up(&app).await?;
            }
            if is_steady && is_authority_due(&known, now) {
                keeper.renew_authority(&app.store, now).await?;
                catch_up(&app).await?;
            }
            keeper.write_bundle(&app.issuer.ring())
        };
        if let Err(error) = kept.await {
            tracing::warn!(error = format!("{error:#}"), "cannot reconcile the signing keys");
        }
    }
}

fn is_authority_due(stored: &StoredKeys, now: i64) -> bool {
    let authority = stored.records().authority.as_ref();
    authority.is_some_and(|it| Authority::is_due(&it.certificate, now))
}

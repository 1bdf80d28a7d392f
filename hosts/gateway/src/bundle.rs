//! The policy of the registry, held here: the compiled scope maps, who has which, and which tokens
//! have ended.
//!
//! The form and what it means are [`scopegate_edge::policy`]'s. It is asked for each second. One
//! whose signature is bad, or that is older than the one held, is refused, and the last good one
//! stays: for as long as it is valid, and no longer than `serveFor` after the last answer.
//!
//! A bundle of another epoch is of a database that was restored: an epoch that was never held is
//! accepted, one that was left is not.
//!
//! The token server is ahead of what is held for up to a second: a principal may have been made
//! since, or a scope map widened. So it is asked at once where only the policy refuses a token.
//!
//! Left out: anything that survives a restart, the epochs that were left too.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use scopegate_edge::policy::Policy;
use scopegate_edge::{Epoch, Expected, Freshness};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::feed::UpdatedAt;
use crate::jws::{Signed, open};
use crate::keys::Keys;

/// For how long a request waits for a newer policy.
const RENEWAL: Duration = Duration::from_secs(1);

/// The policy that is held.
#[derive(Debug)]
pub(crate) struct Bundles {
    issuer: String,
    service: String,
    keys: Arc<Keys>,
    held: ArcSwapOption<Policy>,
    updated_at: UpdatedAt,
    renewal: Renewal,
}

/// Questions for the policy, by their numbers.
#[derive(Debug, Default)]
struct Renewal {
    wanted: Notify,
    began: AtomicU64,
    ended: watch::Sender<u64>,
}

impl Bundles {
    /// Nothing is held yet, and so nothing is let through.
    #[must_use]
    pub(crate) fn new(
        issuer: String,
        service: String,
        keys: Arc<Keys>,
        serve_for: Duration,
    ) -> Self {
        let updated_at = UpdatedAt::never(serve_for);
        let (held, renewal) = (ArcSwapOption::empty(), Renewal::default());
        Self { issuer, service, keys, held, updated_at, renewal }
    }

    /// Waits until the token server has been asked once more, from now on, or does not answer.
    pub(crate) async fn renewed(&self) {
        let mut ended = self.renewal.ended.subscribe();
        let known = self.renewal.began.load(Ordering::SeqCst);
        self.renewal.wanted.notify_one();
        // Without an answer the one held decides.
        let _ = timeout(RENEWAL, ended.wait_for(|question| *question > known)).await;
    }

    /// Resolves when a newer policy is wanted.
    pub(crate) async fn wanted(&self) {
        self.renewal.wanted.notified().await;
    }

    /// Notes that the token server is asked; gives the number of the question.
    pub(crate) fn begin(&self) -> u64 {
        self.renewal.began.fetch_add(1, Ordering::SeqCst).saturating_add(1)
    }

    /// Notes that a question has been answered, or was not.
    pub(crate) fn end(&self, question: u64) {
        self.renewal.ended.send_replace(question);
    }

    /// Takes a bundle.
    ///
    /// # Errors
    ///
    /// When it is refused; the text is for the log.
    pub(crate) async fn ingest(&self, text: &str, now: u64) -> Result<(), String> {
        let signed = self.verified(text.trim_end()).await.ok_or("the bundle's signature is bad")?;
        let (issuer, service) = (self.issuer.as_str(), self.service.as_str());
        let expected = Expected { issuer, service, epoch: Epoch::Unknown, now };
        let held = self.held.load();
        let policy = Policy::read(&signed.payload, &expected, held.as_deref());
        let policy = policy.map_err(|error| error.to_string())?;
        if held.as_ref().is_none_or(|held| held.revision() != policy.revision()) {
            tracing::info!(revision = policy.revision(), "policy read");
        }
        self.held.store(Some(Arc::new(policy)));
        self.confirm(now);
        Ok(())
    }

    /// A bundle with a good signature. The keys are read for one that has none by a known key: a
    /// key that leaked was replaced, and the bundle says so first.
    async fn verified(&self, text: &str) -> Option<Signed> {
        if let Some(signed) = open(text, &self.keys).await {
            return Some(signed);
        }
        self.keys.read().await;
        open(text, &self.keys).await
    }

    /// Notes that the one held is right.
    pub(crate) fn confirm(&self, now: u64) {
        self.updated_at.note(now);
    }

    /// The policy that is held, and how fresh it is.
    #[must_use]
    pub(crate) fn held(&self) -> (Option<Arc<Policy>>, Freshness) {
        (self.held.load_full(), self.updated_at.freshness())
    }
}

#[cfg(test)]
mod tests {
    use scopegate_edge::StatusSource;
    use serde_json::{Value, json};

    use super::*;
    use crate::signer::{Signer, header};

    const NOW: u64 = 1_800_000_000;

    /// The revision that may be decided by.
    fn current(bundles: &Bundles, now: u64) -> Option<i64> {
        let (policy, freshness) = bundles.held();
        let source = StatusSource::Policy(policy.as_deref(), freshness);
        source.check(now).ok().and(policy.as_ref()).map(|policy| policy.revision())
    }

    fn bundle(revision: i64) -> Value {
        json!({ "iss": "i", "aud": "bundle:s", "nbf": NOW, "exp": NOW + 300, "version": 1, "revision": revision,
            "tables": [], "principals": [] })
    }

    #[tokio::test]
    async fn the_last_good_one_stays() {
        let (signer, other) = (Signer::new(), Signer::new());
        let bundles = Bundles::new("i".into(), "s".into(), signer.keys(), Duration::from_secs(60));
        assert!(current(&bundles, NOW).is_none());
        let sign = |revision| signer.sign(&header(), &bundle(revision));
        let mut broken = bundle(9);
        broken["tables"] = json!(["AAAA"]);
        for (what, text, refused, held) in [
            ("another's key", other.sign(&header(), &bundle(5)), "signature", None),
            ("the first", sign(5), "", Some(5)),
            ("a newer one", sign(7) + "\n", "", Some(7)),
            ("an older one", sign(6), "older", Some(7)),
            ("a forged one", other.sign(&header(), &bundle(9)), "signature", Some(7)),
            ("another payload", sign(9).replace(".eyJ", ".eyK"), "signature", Some(7)),
            ("an invalid table", signer.sign(&header(), &broken), "table", Some(7)),
            ("no bundle", signer.sign(&header(), &json!({})), "read", Some(7)),
            ("nothing", String::new(), "signature", Some(7)),
            ("the same again", sign(7), "", Some(7)),
        ] {
            let refusal = bundles.ingest(&text, NOW).await.err().unwrap_or_default();
            assert!(
                refusal.contains(refused) && refusal.is_empty() == refused.is_empty(),
                "{what}: {refusal}"
            );
            assert_eq!(current(&bundles, NOW), held, "{what}");
        }
    }

    /// A question that was under way may have been answered before the change that is waited for.
    #[tokio::test(start_paused = true)]
    async fn who_waits_is_answered_by_a_later_question() {
        let bundles = Bundles::new("i".into(), "s".into(), Signer::new().keys(), Duration::MAX);
        let under_way = bundles.begin();
        let waits = async {
            bundles.renewed().await;
            tokio::time::Instant::now()
        };
        let asks = async {
            bundles.wanted().await;
            bundles.end(under_way);
            tokio::time::sleep(Duration::from_millis(100)).await;
            let next = bundles.begin();
            bundles.end(next);
            tokio::time::Instant::now()
        };
        let (waited, asked) = tokio::join!(waits, asks);
        assert!(waited >= asked, "an earlier answer was taken");
        let begun = tokio::time::Instant::now();
        bundles.renewed().await;
        assert_eq!(begun.elapsed(), RENEWAL, "without an answer it goes on");
    }

    /// A token server that does not answer, or an attacker who replays an old bundle, cannot keep
    /// requests allowed for ever.
    #[tokio::test]
    async fn for_how_long_one_is_decided_by() {
        let signer = Signer::new();
        let bundles = Bundles::new("i".into(), "s".into(), signer.keys(), Duration::from_secs(60));
        bundles.ingest(&signer.sign(&header(), &bundle(5)), NOW).await.unwrap();
        let is_current = |now| current(&bundles, now).is_some();
        assert!(is_current(NOW + 60) && !is_current(NOW + 61));
        bundles.confirm(NOW + 340);
        assert!(is_current(NOW + 359) && !is_current(NOW + 360));
        bundles.confirm(NOW + 400);
        assert!(!is_current(NOW + 400));
        assert!(bundles.ingest(&signer.sign(&header(), &bundle(6)), NOW + 400).await.is_err());
    }
}

//! When a new key is made, and when an old one may be deleted.
//!
//! A key is published some time before it signs, because registries read keys seldom: CNCF
//! distribution reads its files at its start and never again. After its time it stays published
//! until the last token that it may have signed has expired.
//!
//! A key with a creation time in the future was made by a clock that ran ahead: it stays, and signs
//! when its time begins, but no plan relies on it. So a clock that jumped leaves one extra key, and
//! no gap.
//!
//! Planning is pure. The caller reads the records, plans, and applies the plan in one transaction.

use std::time::Duration;

use crate::domain::keys::certificate::Certificate;
use crate::domain::keys::signing_key::Times;
use crate::domain::lifetimes::{LEEWAY, MAX_LIFETIME};
use crate::store::{Algorithm, KeyRecord};

/// The schedule of rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// How long one key signs. Less than an hour counts as an hour, and [`Duration::MAX`] as never
    /// ending.
    pub every: Duration,
    /// How long it is published before it signs.
    pub ahead: Duration,
}

/// The changes to the keys that are due at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// A key to make.
    pub generate: Option<Generate>,
    /// The ids of keys that need a new certificate: theirs ends soon, and they still sign.
    pub certify_again: Vec<String>,
    /// The ids of keys that may be deleted.
    pub remove: Vec<String>,
}

/// A key to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generate {
    /// What it signs with.
    pub algorithm: Algorithm,
    pub times: Times,
}

/// The changes that are due now, so that tokens are signed with the wanted algorithm.
#[must_use]
pub fn plan(keys: &[KeyRecord], wanted: Algorithm, now: i64, rotation: Rotation) -> Plan {
    let mut line = in_line(keys);
    line.retain(|key| key.created_at <= now.saturating_add(MARGIN));
    if line.is_empty() && !keys.is_empty() {
        // A clock that is behind every key cannot plan.
        return Plan::default();
    }
    let mut remove = retired(&line, now);
    // A key of another algorithm that is still only published will never be needed.
    let superfluous =
        |key: &&KeyRecord| key.algorithm != wanted && key.signs_from > now.saturating_add(MARGIN);
    remove.extend(line.iter().copied().filter(superfluous).map(|key| key.kid.clone()));
    line.retain(|key| !superfluous(key));
    Plan {
        generate: next(&line, wanted, now, rotation)
            .map(|signs_from| rotation.generate(wanted, now, signs_from)),
        certify_again: ending(&line, now, rotation),
        remove,
    }
}

/// The same for an operator who wants a new key now. It signs when registries have had the time to
/// read it.
#[must_use]
pub(crate) fn plan_now(
    keys: &[KeyRecord],
    wanted: Algorithm,
    now: i64,
    rotation: Rotation,
) -> Plan {
    let plan = plan(keys, wanted, now, rotation);
    let ahead = if keys.is_empty() { 0 } else { seconds(rotation.ahead) };
    let signs_from = now.saturating_add(ahead);
    let mut remove = plan.remove;
    // It replaces a key that would have begun later: otherwise the second would follow at once.
    remove.extend(
        keys.iter()
            .filter(|key| key.signs_from > signs_from.max(now.saturating_add(MARGIN)))
            .map(|key| key.kid.clone()),
    );
    remove.sort();
    remove.dedup();
    Plan { generate: Some(rotation.generate(wanted, now, signs_from)), remove, ..plan }
}

impl Rotation {
    /// Until when the certificate of a key is valid that begins to sign at `signs_from`: twice as
    /// long as it is needed, so that it is still valid after a long outage of the server.
    #[must_use]
    pub fn certified_until(&self, signs_from: i64) -> i64 {
        let signs = seconds(self.every).saturating_mul(2).saturating_add(seconds(self.ahead));
        signs_from.saturating_add(signs).saturating_add(RETENTION)
    }

    fn generate(self, algorithm: Algorithm, now: i64, signs_from: i64) -> Generate {
        let certified_until = self.certified_until(signs_from);
        Generate { algorithm, times: Times { created_at: now, signs_from, certified_until } }
    }
}

/// How far servers may disagree about the time, in both directions.
const MARGIN: i64 = 2 * LEEWAY;
/// How long after its last signature a key is needed.
const RETENTION: i64 = MAX_LIFETIME + MARGIN;
/// The minimum time that a key signs.
const MIN_SIGNING_TIME: i64 = 60 * 60;

/// The keys in the order in which they sign.
pub(super) fn in_line(keys: &[KeyRecord]) -> Vec<&KeyRecord> {
    let mut line: Vec<_> = keys.iter().collect();
    line.sort_by(|a, b| {
        (a.signs_from, a.created_at, &a.kid).cmp(&(b.signs_from, b.created_at, &b.kid))
    });
    line
}

/// A key's time ends when the next one begins.
fn retired(line: &[&KeyRecord], now: i64) -> Vec<String> {
    let pairs = line.iter().zip(line.iter().skip(1));
    pairs
        .filter(|(_, next)| next.signs_from.saturating_add(RETENTION) <= now)
        .map(|(key, _)| key.kid.clone())
        .collect()
}

/// When a key that is to be made now begins to sign; `None` when none is to be made.
fn next(line: &[&KeyRecord], wanted: Algorithm, now: i64, rotation: Rotation) -> Option<i64> {
    let Some(last) = line.last() else {
        return Some(now);
    };
    let soonest = now.saturating_add(seconds(rotation.ahead));
    if last.algorithm != wanted {
        return Some(soonest.max(last.signs_from));
    }
    // An overflowing time is never due.
    let due = last.signs_from.checked_add(seconds(rotation.every).max(MIN_SIGNING_TIME))?;
    (due <= soonest).then_some(soonest.max(due))
}

/// Keys whose certificate ends before the next key could have taken over and their tokens have
/// expired.
fn ending(line: &[&KeyRecord], now: i64, rotation: Rotation) -> Vec<String> {
    let current = line.iter().rposition(|key| key.signs_from <= now).unwrap_or_default();
    let needed = now.saturating_add(seconds(rotation.ahead)).saturating_add(RETENTION);
    let ends = |key: &&&KeyRecord| {
        Certificate::read_pem(&key.certificate).is_some_and(|it| it.not_after < needed)
    };
    line.iter().skip(current).filter(ends).map(|key| key.kid.clone()).collect()
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::keys::{Authority, RsaSize, SigningKey};

    const HOUR: i64 = 60 * 60;
    const DAY: i64 = 24 * HOUR;
    const ROTATION: Rotation = Rotation {
        every: Duration::from_secs(30 * DAY.unsigned_abs()),
        ahead: Duration::from_secs(DAY.unsigned_abs()),
    };

    /// `a ES256 100`: an id, an algorithm, and when the key begins to sign; perhaps also when it
    /// was made.
    fn keys(text: &str) -> Vec<KeyRecord> {
        let key = |line: &str| {
            let mut words = line.split_whitespace().fuse();
            let (kid, algorithm) = (words.next().unwrap(), words.next().unwrap());
            KeyRecord {
                kid: kid.into(),
                algorithm: Algorithm::parse(algorithm).unwrap(),
                private_key: String::new(),
                certificate: String::new(),
                signs_from: words.next().unwrap().parse().unwrap(),
                created_at: words.next().map_or(0, |made| made.parse().unwrap()),
            }
        };
        text.split(',').map(str::trim).filter(|line| !line.is_empty()).map(key).collect()
    }

    /// `ES256 from 100; remove a b`
    fn written(plan: &Plan) -> String {
        let generate = plan
            .generate
            .map(|key| format!("{} from {}", key.algorithm, key.times.signs_from))
            .into_iter();
        let remove = (!plan.remove.is_empty())
            .then(|| format!("remove {}", plan.remove.join(" ")))
            .into_iter();
        generate.chain(remove).collect::<Vec<_>>().join("; ")
    }

    #[track_caller]
    fn planned(have: &str, wanted: &str, now: i64, expected: &str) {
        let wanted = Algorithm::parse(wanted).unwrap();
        let plan = plan(&keys(have), wanted, now, ROTATION);
        assert_eq!(written(&plan), expected, "{have} at {now}");
        assert_eq!(plan.certify_again, [""; 0]);
    }

    #[test]
    fn the_first_key_signs_at_once() {
        planned("", "ES256", 1000, "ES256 from 1000");
        planned("", "RS256", 0, "RS256 from 0");
    }

    #[test]
    fn the_next_key_is_published_before_it_signs() {
        let (made, due) = (1000, 1000 + 30 * DAY);
        let key = "a ES256 1000";
        planned(key, "ES256", made, "");
        planned(key, "ES256", due - DAY - 1, "");
        planned(key, "ES256", due - DAY, &format!("ES256 from {due}"));
        // After an outage: late, but registries still get their time.
        planned(key, "ES256", due, &format!("ES256 from {}", due + DAY));
        planned(key, "ES256", due + 100 * DAY, &format!("ES256 from {}", due + 101 * DAY));
        // Once it exists, no further one is made until its own time ends.
        let both = format!("a ES256 1000, b ES256 {due}");
        planned(&both, "ES256", due - DAY, "");
        planned(&both, "ES256", due, "");
    }

    #[test]
    fn an_old_key_goes_when_its_last_token_has_expired() {
        let both = "a ES256 0, b ES256 1000";
        planned(both, "ES256", 1000, "");
        planned(both, "ES256", 1000 + 3 * HOUR + 119, "");
        planned(both, "ES256", 1000 + 3 * HOUR + 120, "remove a");
        let three = "c ES256 90000, a ES256 0, b ES256 1000";
        planned(three, "ES256", 90_000, "remove a");
        planned(three, "ES256", 90_000 + 3 * HOUR + 120, "remove a b");
    }

    /// A clock was a year ahead for a minute, and a key was made then. The next one is made in its
    /// time all the same.
    #[test]
    fn a_clock_that_jumped_leaves_no_gap() {
        let (made, due, year) = (1000, 1000 + 30 * DAY, 365 * DAY);
        let jumped = format!("b ES256 {} {}", made + year + DAY, made + year);
        let both = format!("a ES256 {made} {made}, {jumped}");
        planned(&both, "ES256", made + 60, "");
        planned(&both, "ES256", due - DAY, &format!("ES256 from {due}"));
        let all = format!("{both}, c ES256 {due} {}", due - DAY);
        planned(&all, "ES256", due, "");
        planned(&all, "ES256", due + 3 * HOUR + 120, "remove a");
        // A clock that is late makes no key and deletes none.
        let (old, late) = (-20 * DAY, 1000 - 10 * DAY);
        planned(&format!("z ES256 {old} {old}, a ES256 {made} {made}"), "ES256", late, "");
        planned(&format!("a ES256 {made} {made}"), "ES256", late, "");
        // When the time of such a key has begun, it is like any other.
        planned(&jumped, "ES256", made + year + DAY, "");
    }

    #[test]
    fn another_algorithm_takes_over() {
        planned("a ES256 1000", "RS256", 2000, &format!("RS256 from {}", 2000 + DAY));
        // And while it is waiting, nothing more happens.
        let both = format!("a ES256 1000, b RS256 {}", 2000 + DAY);
        planned(&both, "RS256", 2001, "");
        // A change back of the algorithm deletes it.
        planned(&both, "ES256", 2001, "remove b");
        let expected = format!("EdDSA from {}; remove b", 2001 + DAY);
        planned(&both, "EdDSA", 2001, &expected);
        // A key that begins within the servers' disagreement may sign already.
        planned("a ES256 1000, b RS256 2100", "ES256", 2000, &format!("ES256 from {}", 2000 + DAY));
        planned("a ES256 1000, b RS256 2100", "ES256", 4000, &format!("ES256 from {}", 4000 + DAY));
    }

    #[test]
    fn odd_times_end_in_no_flood_of_keys() {
        let every = |every, ahead| Rotation {
            every: Duration::from_secs(every),
            ahead: Duration::from_secs(ahead),
        };
        for rotation in [every(0, 0), every(0, 86_400), every(60, 7200), every(u64::MAX, u64::MAX)]
        {
            let mut have = Vec::new();
            for now in [1000, 1000, 1001, 1060, 2000] {
                let plan = plan(&have, Algorithm::Es256, now, rotation);
                if let Some(Generate { algorithm, times }) = plan.generate {
                    have.extend(keys(&format!("k{} {algorithm} {}", have.len(), times.signs_from)));
                }
            }
            assert!(have.len() <= 3, "{rotation:?} {have:?}");
        }
        // A key without an end has no successor.
        let rotation = Rotation { every: Duration::MAX, ahead: Duration::ZERO };
        assert_eq!(
            plan(&keys("a ES256 0"), Algorithm::Es256, i64::MAX - 1, rotation).generate,
            None
        );
    }

    #[track_caller]
    fn planned_now(have: &str, now: i64, after: i64, expected: &str) {
        let rotation = Rotation { ahead: Duration::from_secs(after.unsigned_abs()), ..ROTATION };
        let plan = plan_now(&keys(have), Algorithm::Es256, now, rotation);
        assert_eq!(written(&plan), expected, "{have} at {now}");
    }

    #[test]
    fn an_operator_may_want_a_key_now() {
        planned_now("", 1000, DAY, "ES256 from 1000");
        planned_now("a ES256 0", 1000, DAY, &format!("ES256 from {}", 1000 + DAY));
        planned_now("a ES256 0", 1000, 0, "ES256 from 1000");
        // It replaces a key that begins later, not one that begins before it.
        planned_now("a ES256 0, b ES256 50000", 1000, 0, "ES256 from 1000; remove b");
        planned_now("a ES256 0, b ES256 50000", 1000, DAY, &format!("ES256 from {}", 1000 + DAY));
        planned_now("a ES256 0, b RS256 50000", 1000, 0, "ES256 from 1000; remove b");
        // Old keys are deleted as always.
        let late = 1000 + 3 * HOUR + 120;
        planned_now("a ES256 0, b ES256 1000", late, 0, &format!("ES256 from {late}; remove a"));
    }

    #[test]
    fn a_certificate_that_ends_before_its_key_is_made_again() {
        let authority =
            Authority::read(&Authority::generate("test", 1_800_000_000).unwrap()).unwrap();
        let make = |signs_from, certified_until| {
            let times = Times { created_at: 0, signs_from, certified_until };
            let (algorithm, size) = (Algorithm::Es256, RsaSize::default());
            SigningKey::generate(algorithm, size, times, &authority).unwrap()
        };
        let until = ROTATION.certified_until(0);
        assert_eq!(until, 61 * DAY + 3 * HOUR + 120);
        // The old key no longer signs: its certificate outlasts its tokens.
        let have = [make(0, 100), make(1000, until)];
        let ending = |now| plan(&have, Algorithm::Es256, now, ROTATION).certify_again;
        assert_eq!(ending(2000), [""; 0]);
        assert_eq!(ending(until - DAY - RETENTION), [""; 0]);
        assert_eq!(ending(until - DAY - RETENTION + 1), [have[1].kid.clone()]);
    }
}

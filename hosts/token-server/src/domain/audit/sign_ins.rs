//! Sign-ins to management, good and bad, folded.
//!
//! A good one is a row at once; further ones of the same actor and address in the same hour are
//! none, because a program may sign in with each request. Bad ones of one reason, name and address
//! are one row a minute, with their number. Both are bounded: beyond [`MAX_FOLDED`] addresses, bad
//! ones are counted without an address.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use crate::model::audit::{Actor, Entry, Object, Operation};

/// How many actors and addresses are kept apart.
const MAX_FOLDED: usize = 4096;
/// How long bad ones are folded, in seconds.
const MINUTE: i64 = 60;
/// How long good ones are.
const HOUR: i64 = 60 * MINUTE;

/// One sign-in.
#[derive(Clone, Debug)]
pub(crate) struct SignIn {
    /// Who signed in. Of one that failed the name, if there is such a principal.
    pub actor: Actor,
    /// The code of the reason why it failed.
    pub refused: Option<&'static str>,
    /// Seconds since 1970.
    pub at: i64,
}

/// What keeps sign-ins apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    /// Which minute, or which hour.
    period: i64,
    kind: String,
    name: String,
    provider: Option<String>,
    address: Option<String>,
    refused: Option<&'static str>,
}

#[derive(Debug)]
struct Folded {
    first: SignIn,
    last_at: i64,
    count: u64,
}

/// The sign-ins of this minute and this hour.
#[derive(Debug, Default)]
pub(crate) struct SignIns {
    folded: HashMap<Key, Folded>,
    /// Rows that are due.
    due: Vec<Entry>,
}

impl SignIns {
    /// Adds a sign-in.
    pub(crate) fn add(&mut self, sign_in: SignIn) {
        let mut key = Key {
            period: period(sign_in.at, sign_in.refused),
            kind: sign_in.actor.kind.clone(),
            name: sign_in.actor.name.clone(),
            provider: sign_in.actor.provider.clone(),
            address: sign_in.actor.address.clone(),
            refused: sign_in.refused,
        };
        let max = if sign_in.refused.is_some() { MAX_FOLDED } else { 2 * MAX_FOLDED };
        if self.folded.len() >= max && !self.folded.contains_key(&key) {
            (key.address, key.name, key.kind) = (None, String::new(), "unknown".into());
            key.provider = None;
        }
        match self.folded.entry(key) {
            Slot::Occupied(mut known) => {
                let known = known.get_mut();
                known.count = known.count.saturating_add(1);
                known.last_at = known.last_at.max(sign_in.at);
            }
            Slot::Vacant(slot) => {
                let actor = Actor {
                    kind: slot.key().kind.clone(),
                    name: slot.key().name.clone(),
                    provider: slot.key().provider.clone(),
                    address: slot.key().address.clone(),
                    ..sign_in.actor.clone()
                };
                let first = SignIn { actor, ..sign_in };
                if first.refused.is_none() {
                    self.due.push(row(&first, first.at, 1));
                }
                slot.insert(Folded { last_at: first.at, first, count: 1 });
            }
        }
    }

    /// Takes the rows that are due: those of good sign-ins, and of minutes before this one.
    pub(crate) fn take_due(&mut self, now: i64) -> Vec<Entry> {
        // A clock that was set back ends a minute as well.
        self.take(|key| key.period != period(now, key.refused))
    }

    /// Takes every row, at shutdown.
    pub(crate) fn take_all(&mut self) -> Vec<Entry> {
        self.take(|_| true)
    }

    fn take(&mut self, is_over: impl Fn(&Key) -> bool) -> Vec<Entry> {
        let over = self.folded.extract_if(|key, _| is_over(key)).map(|(_, folded)| folded);
        let failed = over.filter(|folded| folded.first.refused.is_some());
        let mut rows: Vec<Entry> =
            failed.map(|folded| row(&folded.first, folded.last_at, folded.count)).collect();
        rows.sort_by(|a, b| (a.at, &a.actor.address).cmp(&(b.at, &b.actor.address)));
        let mut due = std::mem::take(&mut self.due);
        due.append(&mut rows);
        due
    }
}

fn period(at: i64, refused: Option<&'static str>) -> i64 {
    at.div_euclid(if refused.is_some() { MINUTE } else { HOUR })
}

fn row(first: &SignIn, last_at: i64, count: u64) -> Entry {
    let (operation, after) = match first.refused {
        None => (Operation::SignIn, None),
        Some(reason) => {
            let after = serde_json::json!({ "reason": reason, "count": count, "lastAt": last_at });
            (Operation::SignInFailed, Some(after.to_string()))
        }
    };
    Entry {
        at: first.at,
        actor: first.actor.clone(),
        operation: operation.as_str().to_owned(),
        object: Object::new("management", ""),
        before: None,
        after,
        revision: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_in(name: &str, address: &str, refused: Option<&'static str>, at: i64) -> SignIn {
        let kind = if name.is_empty() { "unknown" } else { "service_principal" };
        let actor = Actor { kind: kind.into(), name: name.into(), ..Actor::default() };
        SignIn { actor: Actor { address: Some(address.into()), ..actor }, refused, at }
    }

    /// The rows as `operation name address after`.
    fn lines(rows: Vec<Entry>) -> Vec<String> {
        let line = |row: Entry| {
            let (address, after) = (row.actor.address, row.after);
            let [address, after] = [address, after].map(Option::unwrap_or_default);
            format!("{} {} {address} {after}", row.operation, row.actor.name).trim().to_owned()
        };
        rows.into_iter().map(line).collect()
    }

    #[test]
    fn a_good_one_is_a_row_at_once_and_once_an_hour() {
        let mut sign_ins = SignIns::default();
        for at in [60, 61, 3599] {
            sign_ins.add(sign_in("ann", "::1", None, at));
        }
        assert_eq!(lines(sign_ins.take_due(61)), ["sign_in ann ::1"]);
        sign_ins.add(sign_in("ann", "::2", None, 62));
        assert_eq!(lines(sign_ins.take_due(62)), ["sign_in ann ::2"], "another address");
        assert!(sign_ins.take_due(3600).is_empty());
        sign_ins.add(sign_in("ann", "::1", None, 3601));
        assert_eq!(lines(sign_ins.take_due(3601)), ["sign_in ann ::1"]);
    }

    #[test]
    fn bad_ones_are_folded_by_address_and_minute() {
        let mut sign_ins = SignIns::default();
        for at in [60, 61, 119] {
            sign_ins.add(sign_in("", "::1", Some("unknown_token"), at));
        }
        sign_ins.add(sign_in("ann", "::1", Some("wrong_password"), 70));
        sign_ins.add(sign_in("", "::2", Some("unknown_token"), 119));
        assert!(sign_ins.take_due(119).is_empty(), "the minute is not over");
        assert_eq!(
            lines(sign_ins.take_due(120)),
            [
                r#"sign_in_failed  ::1 {"count":3,"lastAt":119,"reason":"unknown_token"}"#,
                r#"sign_in_failed ann ::1 {"count":1,"lastAt":70,"reason":"wrong_password"}"#,
                r#"sign_in_failed  ::2 {"count":1,"lastAt":119,"reason":"unknown_token"}"#,
            ]
        );
    }

    #[test]
    fn a_flood_from_many_addresses_is_bounded() {
        let mut sign_ins = SignIns::default();
        for index in 0..100_000_u32 {
            let address = std::net::Ipv4Addr::from(index).to_string();
            sign_ins.add(sign_in("", &address, Some("unknown_token"), 60));
        }
        let rows = sign_ins.take_all();
        assert_eq!(rows.len(), MAX_FOLDED + 1);
        let rest = rows.iter().find(|row| row.actor.address.is_none()).unwrap();
        assert!(rest.after.as_ref().unwrap().contains(r#""count":95904"#), "{rest:?}");
    }

    #[test]
    fn a_clock_that_is_set_back_loses_none() {
        let mut sign_ins = SignIns::default();
        sign_ins.add(sign_in("", "::1", Some("unknown_token"), 600));
        assert_eq!(sign_ins.take_due(60).len(), 1);
    }
}

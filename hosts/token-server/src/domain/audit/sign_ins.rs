//! Sign-ins to management, good and bad, folded.
//!
//! A good one is a row at once; further ones of the same actor and network in the same hour are
//! none, because a program may sign in with each request. Bad ones of one reason, name and network
//! are one row a minute, with their number. A network is what the limits count by: an IPv4 address,
//! or a /64. The row has the address of the first.
//!
//! Good and bad ones are bounded apart, so that neither pushes the other out. What is given up, in
//! steps of [`MAX_FOLDED`]:
//!
//! | beyond | good | bad |
//! |---|---|---|
//! | one | one row for each actor, of whatever network | no address |
//! | two | a row each, which are not remembered | no name either |

use std::collections::hash_map::Entry as Slot;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use scopegate_host::networks::network;

use crate::model::audit::{Actor, Entry, Object, Operation};

/// How many actors and networks are kept apart.
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
    network: Option<IpAddr>,
    refused: Option<&'static str>,
}

impl Key {
    fn new(sign_in: &SignIn) -> Self {
        let Actor { kind, name, provider, address, .. } = &sign_in.actor;
        let address = address.as_deref().and_then(|address| address.parse().ok());
        Self {
            period: period(sign_in.at, sign_in.refused),
            kind: kind.clone(),
            name: name.clone(),
            provider: provider.clone(),
            network: address.map(network),
            refused: sign_in.refused,
        }
    }

    /// Without a network.
    fn anywhere(self) -> Self {
        Self { network: None, ..self }
    }

    /// Without a network and a name.
    fn unknown(self) -> Self {
        Self { kind: "unknown".into(), name: String::new(), provider: None, ..self.anywhere() }
    }
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
    /// Those of this hour. Their rows are due already.
    good: HashSet<Key>,
    bad: HashMap<Key, Folded>,
    /// Rows that are due.
    due: Vec<Entry>,
}

impl SignIns {
    /// Adds a sign-in.
    pub(crate) fn add(&mut self, sign_in: SignIn) {
        let key = Key::new(&sign_in);
        if sign_in.refused.is_some() {
            self.add_bad(key, sign_in);
        } else {
            self.add_good(key, &sign_in);
        }
    }

    fn add_good(&mut self, key: Key, sign_in: &SignIn) {
        let len = self.good.len();
        let is_kept = len < MAX_FOLDED || self.good.contains(&key);
        let key = if is_kept { key } else { key.anywhere() };
        if self.good.contains(&key) {
            return;
        }
        self.due.push(row(sign_in, sign_in.at, 1));
        if len < 2 * MAX_FOLDED {
            self.good.insert(key);
        }
    }

    fn add_bad(&mut self, key: Key, sign_in: SignIn) {
        let mut actor = sign_in.actor.clone();
        let len = self.bad.len();
        let mut key = key;
        if len >= MAX_FOLDED && !self.bad.contains_key(&key) {
            key = key.anywhere();
            actor.address = None;
        }
        if len >= 2 * MAX_FOLDED && !self.bad.contains_key(&key) {
            key = key.unknown();
            actor = Actor { correlation_id: actor.correlation_id, ..Actor::unknown() };
        }
        match self.bad.entry(key) {
            Slot::Occupied(mut known) => {
                let known = known.get_mut();
                known.count = known.count.saturating_add(1);
                known.last_at = known.last_at.max(sign_in.at);
            }
            Slot::Vacant(slot) => {
                let first = SignIn { actor, ..sign_in };
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
        self.good.retain(|key| !is_over(key));
        let over = self.bad.extract_if(|key, _| is_over(key)).map(|(_, folded)| folded);
        let mut rows: Vec<Entry> =
            over.map(|folded| row(&folded.first, folded.last_at, folded.count)).collect();
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
        sign_ins.add(sign_in("ann", "2001:db8::2", None, 62));
        assert_eq!(lines(sign_ins.take_due(62)), ["sign_in ann 2001:db8::2"], "another address");
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
        sign_ins.add(sign_in("", "2001:db8::2", Some("unknown_token"), 119));
        assert!(sign_ins.take_due(119).is_empty(), "the minute is not over");
        assert_eq!(
            lines(sign_ins.take_due(120)),
            [
                r#"sign_in_failed  ::1 {"count":3,"lastAt":119,"reason":"unknown_token"}"#,
                r#"sign_in_failed ann ::1 {"count":1,"lastAt":70,"reason":"wrong_password"}"#,
                r#"sign_in_failed  2001:db8::2 {"count":1,"lastAt":119,"reason":"unknown_token"}"#,
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
    fn a_network_of_ipv6_is_one_address() {
        let mut sign_ins = SignIns::default();
        for index in 1..=2 * MAX_FOLDED {
            let address = format!("2001:db8::{index:x}");
            sign_ins.add(sign_in("ann", &address, None, 60));
            sign_ins.add(sign_in("ann", &address, Some("wrong_password"), 60));
        }
        assert_eq!(
            lines(sign_ins.take_all()),
            [
                "sign_in ann 2001:db8::1",
                r#"sign_in_failed ann 2001:db8::1 {"count":8192,"lastAt":60,"reason":"wrong_password"}"#,
            ]
        );
    }

    #[test]
    fn a_flood_hides_no_good_one_and_no_name() {
        let mut sign_ins = SignIns::default();
        let address = |index: usize| format!("2001:db8:0:{index:x}::1");
        for index in 0..2 * MAX_FOLDED {
            sign_ins.add(sign_in("reader", &address(index), None, 60));
        }
        sign_ins.add(sign_in("ann", "::1", Some("wrong_password"), 60));
        for index in 0..2 * MAX_FOLDED {
            sign_ins.add(sign_in("", &address(index), Some("unknown_token"), 60));
        }
        sign_ins.add(sign_in("administrator", "::2", None, 60));
        sign_ins.add(sign_in("administrator", "::2", None, 61));
        sign_ins.add(sign_in("bob", "::3", Some("wrong_password"), 60));
        assert!(sign_ins.good.len() <= 2 * MAX_FOLDED && sign_ins.bad.len() <= 2 * MAX_FOLDED);
        let lines = lines(sign_ins.take_all());
        for line in [
            "sign_in administrator ::2",
            r#"sign_in_failed ann ::1 {"count":1,"lastAt":60,"reason":"wrong_password"}"#,
            r#"sign_in_failed bob  {"count":1,"lastAt":60,"reason":"wrong_password"}"#,
        ] {
            assert_eq!(lines.iter().filter(|known| *known == line).count(), 1, "{line}");
        }
        let of_reader = lines.iter().filter(|line| line.starts_with("sign_in reader")).count();
        assert_eq!(of_reader, MAX_FOLDED + 1);
    }

    #[test]
    fn many_names_are_bounded_and_good_ones_keep_theirs() {
        let mut sign_ins = SignIns::default();
        for index in 0..3 * MAX_FOLDED {
            let name = format!("name-{index}");
            sign_ins.add(sign_in(&name, "::1", None, 60));
            sign_ins.add(sign_in(&name, "::1", Some("wrong_password"), 60));
        }
        assert_eq!(sign_ins.good.len(), 2 * MAX_FOLDED);
        assert_eq!(sign_ins.bad.len(), 2 * MAX_FOLDED + 1);
        let rows = sign_ins.take_all();
        let good = rows.iter().filter(|row| row.operation == "sign_in");
        assert!(good.clone().all(|row| row.actor.name.starts_with("name-")));
        assert_eq!(good.count(), 3 * MAX_FOLDED);
        let unknown = rows.iter().find(|row| row.actor.kind == "unknown").unwrap();
        assert!(unknown.after.as_ref().unwrap().contains(r#""count":4096"#), "{unknown:?}");
    }

    #[test]
    fn a_clock_that_is_set_back_loses_none() {
        let mut sign_ins = SignIns::default();
        sign_ins.add(sign_in("", "::1", Some("unknown_token"), 600));
        assert_eq!(sign_ins.take_due(60).len(), 1);
    }
}

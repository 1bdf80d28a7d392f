//! The slowest decision that a search has found: a scope and a map, stored in `benches/worst.txt`.
//!
//! [`search`] changes a name and its rules at random, and continues from any slower case. It
//! measures native time: an attacker would search for what is slow for the processor. `cargo xtask
//! bench worst` runs it.
//!
//! Left out: scopes of arbitrary length. Parsing time is proportional to the length, which hosts
//! limit; here a name has the maximum of 255 bytes.

use std::fmt;
use std::hint::black_box;
use std::str::FromStr;
use std::time::{Duration, Instant};

use scopegate_core::{RepositoryName, ScopeMap, Settings, Table, decide_text};

/// The stored case.
const KEPT: &str = include_str!("../worst.txt");

/// A scope and the rules of its map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The text of the scope.
    pub scope: String,
    /// Action strings.
    pub rules: Vec<String>,
}

impl Case {
    /// The stored case.
    ///
    /// # Panics
    ///
    /// Never: the stored case is valid.
    #[must_use]
    pub fn kept() -> Self {
        KEPT.parse().expect("a case")
    }

    /// The longest name with the most components, each prefix of which has a rule.
    #[must_use]
    pub fn longest() -> Self {
        let name = vec!["a"; 128].join("/");
        let prefixes = name.match_indices('/').map(|(slash, _)| &name[..slash]);
        let rules = prefixes.map(|prefix| format!("repositories/{prefix}/*/content/read"));
        Self { rules: rules.collect(), scope: format!("repository:{name}:pull,push") }
    }

    /// Its compiled map; `None` for an invalid map.
    #[must_use]
    pub fn table(&self) -> Option<Table<Vec<u8>>> {
        let map = ScopeMap::parse(self.rules.iter().map(String::as_str)).ok()?;
        Table::compile([&map]).ok()
    }
}

impl FromStr for Case {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned);
        let scope = lines.next().ok_or("no scope")?;
        Ok(Self { scope, rules: lines.collect() })
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# The slowest decision that `cargo xtask bench worst` has found: a scope, and the rules of its map."
        )?;
        writeln!(f, "{}", self.scope)?;
        self.rules.iter().try_for_each(|rule| writeln!(f, "{rule}"))
    }
}

/// Decisions that are timed together, and how often; the quickest time counts, because disturbances
/// only slow a processor down.
const TIMES: u32 = 100;
const ROUNDS: u32 = 9;
/// How much longer a time must be to count as slower.
const SLOWER: f64 = 1.02;

/// The time of a decision, in nanoseconds; `None` for an invalid case.
#[must_use]
pub fn time(case: &Case) -> Option<f64> {
    let table = case.table()?;
    let decide = || decide_text([black_box(&table)], black_box(&case.scope), &Settings::default());
    decide().ok()?;
    let round = |_| {
        let begun = Instant::now();
        for _ in 0..TIMES {
            let _ = black_box(decide());
        }
        begun.elapsed().as_nanos() as f64 / f64::from(TIMES)
    };
    (0..ROUNDS).map(round).min_by(f64::total_cmp)
}

/// Searches for a duration, starting from a case; the same seed tries the same changes. Returns the
/// slowest case, and the number of tried ones.
#[must_use]
pub fn search(from: &Case, long: Duration, seed: u64) -> (Case, u32) {
    let (mut chance, begun) = (Chance(seed | 1), Instant::now());
    let (mut worst, mut tried) = (from.clone(), 0);
    let mut slowest = time(from).unwrap_or_default();
    while begun.elapsed() < long {
        let case = changed(&worst, &mut chance);
        tried += 1;
        // A slower case is measured again: an interruption slows a single measurement.
        let is_slower = |took: Option<f64>| took.is_some_and(|took| took > slowest * SLOWER);
        if is_slower(time(&case)) && is_slower(time(&case)) {
            slowest = time(&case).unwrap_or(slowest);
            worst = case;
        }
    }
    (worst, tried)
}

/// Pseudo-random numbers.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % end.max(1)
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

const ACTIONS: [&str; 7] = [
    "pull",
    "pull,push",
    "push,pull",
    "*",
    "delete,pull",
    "metadata_read,metadata_write,delete,push,pull",
    "pull,pull",
];
const PERMISSIONS: [&str; 3] = ["content/read", "content/write", "metadata/read"];
/// The maximum number of rules: a larger map is not slower, because a look-up visits as many slots.
const RULES: usize = 500;

/// A case with one change.
fn changed(case: &Case, chance: &mut Chance) -> Case {
    let mut case = case.clone();
    let Some((name, actions)) = case
        .scope
        .strip_prefix("repository:")
        .and_then(|rest| rest.rsplit_once(':'))
        .map(|(name, actions)| (name.to_owned(), actions.to_owned()))
    else {
        return case;
    };
    match chance.below(6) {
        0 => case.scope = format!("repository:{name}:{}", chance.one_of(&ACTIONS)),
        1 | 2 => {
            let other = changed_name(&name, chance);
            // Rules on prefixes of the name change with it, so that one step can reach a name that
            // all of them cover.
            if chance.below(2) == 0 {
                case.rules = case.rules.iter().map(|rule| follow(rule, &name, &other)).collect();
            }
            case.scope = format!("repository:{other}:{actions}");
        }
        3 => {
            let index = chance.below(case.rules.len());
            if index < case.rules.len() {
                case.rules.remove(index);
            }
        }
        _ if case.rules.len() < RULES => case.rules.push(rule(&name, chance)),
        _ => {}
    }
    case
}

/// A rule on a part of the name, or on another name of that length.
fn rule(name: &str, chance: &mut Chance) -> String {
    let slashes: Vec<usize> =
        name.match_indices('/').map(|(at, _)| at).chain([name.len()]).collect();
    let mut pattern = name[..chance.one_of(&slashes)].to_owned();
    if chance.below(3) == 0 {
        pattern.pop();
        pattern.push(char::from(b'a' + chance.below(26) as u8));
    }
    let below = chance.one_of(&["", "/*"]);
    format!("repositories/{pattern}{below}/{}", chance.one_of(&PERMISSIONS))
}

fn follow(rule: &str, name: &str, other: &str) -> String {
    let Some(rest) = rule.strip_prefix("repositories/") else { return rule.to_owned() };
    let common = rest.bytes().zip(name.bytes()).take_while(|(one, other)| one == other).count();
    match other.get(..common) {
        Some(prefix) => format!("repositories/{prefix}{}", &rest[common..]),
        None => rule.to_owned(),
    }
}

/// The name with other bytes, or more or fewer of them; an invalid name is tried and dropped.
fn changed_name(name: &str, chance: &mut Chance) -> String {
    const PIECES: [&str; 12] =
        ["a", "z", "0", "/", "/a", "-", "--", "_", "__", ".", "a/b/c/d", "aaaaaaaa"];
    let (at, piece) = (chance.below(name.len()), chance.one_of(&PIECES));
    let mut other = name.to_owned();
    match chance.below(3) {
        0 => other.insert_str(at, piece),
        1 => drop(other.drain(at..(at + 1 + chance.below(8)).min(name.len()))),
        _ => other.replace_range(at..(at + piece.len()).min(name.len()), piece),
    }
    other.truncate(RepositoryName::MAX_LEN);
    other
}

#[cfg(test)]
mod tests {
    use super::*;
    use scopegate_core::Scope;

    #[test]
    fn what_is_kept_is_a_case() {
        let kept = Case::kept();
        assert_eq!(kept.to_string(), KEPT);
        assert!(time(&kept).is_some());
    }

    /// From a short case, steps reach long names of many components, with rules on them, and most
    /// steps are valid cases.
    #[test]
    fn steps_go_everywhere() {
        let mut chance = Chance(1);
        let mut case = Case { scope: "repository:a/b:pull".into(), rules: Vec::new() };
        let (mut cases, mut longest, mut most) = (0, 0, 0);
        for _ in 0..6_000 {
            let next = changed(&case, &mut chance);
            let is_case = next.table().is_some() && Scope::parse(&next.scope).is_ok();
            // Only longer names, as a search only follows slower cases.
            if is_case && next.scope.len() >= case.scope.len() {
                cases += 1;
                longest = longest.max(next.scope.len());
                most = most.max(next.scope.matches('/').count());
                case = next;
            }
        }
        assert!(cases > 300, "{cases} cases");
        assert!(longest > 255, "{longest} bytes");
        assert!(most > 20, "{most} components");
        assert!(case.rules.len() > 20, "{} rules", case.rules.len());
    }
}

//! Maps and requests for measurements, the same in every run.
//!
//! A quarter of the rules are `team/*`, a quarter `team/svc/*`, half are exact names; a third of
//! the requests match nothing. Names have one to three components. Nothing is random, so that two
//! runs measure the same.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "what fails ends the measurement"
)]

pub mod allocations;
pub mod figures;
pub mod hot_path;
pub mod load;
pub mod report;
pub mod sample;
pub mod table;
pub mod token_server;
pub mod worst;

use scopegate_core::{ScopeMap, Table};

/// Whether a measurement is selected: by a part of its name on the command line, or by an empty
/// command line.
#[must_use]
pub fn wants(name: &str) -> bool {
    let mut filters =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
    filters.peek().is_none() || filters.any(|filter| name.contains(&filter))
}

/// The sizes of maps, in rules: the smallest, two typical ones, the limit of a registry, and two
/// far beyond it.
pub const SIZES: [usize; 5] = [10, 100, 500, 10_000, 100_000];

/// How many requests are cycled, so that branch prediction does not learn one.
pub const REQUESTS: usize = 64;

/// The action strings of a map with a number of rules.
#[must_use]
pub fn rules(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| {
            let permission = ["content/read", "content/write", "metadata/read"][n % 3];
            format!("repositories/{}/{permission}", pattern(n))
        })
        .collect()
}

fn pattern(n: usize) -> String {
    let team = n / 4;
    match n % 4 {
        0 => format!("team{team}/*"),
        1 => format!("team{team}/svc/*"),
        _ => name(n),
    }
}

/// The exact name of rule `n`.
fn name(n: usize) -> String {
    format!("team{}/svc/component-{n}", n / 4)
}

/// The scope map with a number of rules.
///
/// # Panics
///
/// Never: the rules are valid.
#[must_use]
pub fn scope_map(count: usize) -> ScopeMap {
    let rules = rules(count);
    ScopeMap::parse(rules.iter().map(String::as_str)).unwrap_or_else(|error| panic!("{error}"))
}

/// The compiled map with a number of rules.
///
/// # Panics
///
/// Never: the names do not collide.
#[must_use]
pub fn table(count: usize) -> Table<Vec<u8>> {
    Table::compile([&scope_map(count)]).unwrap_or_else(|error| panic!("{error}"))
}

/// The names of requests, spread over a map with a number of rules.
#[must_use]
pub fn names(count: usize) -> Vec<String> {
    many_names(count, REQUESTS)
}

/// A given number of names: for cold caches, and for the comparison of answers.
#[must_use]
pub fn many_names(count: usize, names: usize) -> Vec<String> {
    (0..names)
        .map(|n| {
            // A prime step, so that successive names are not neighbours in the map.
            let rule = n.wrapping_mul(7919) % count;
            match n % 6 {
                0 | 1 => format!("other{rule}/svc/component-{n}"),
                2 => format!("team{}/tool-{n}", rule / 4),
                3 => format!("team{}/svc/elsewhere-{n}", rule / 4),
                _ => name(rule),
            }
        })
        .collect()
}

/// The scopes for pull and push on these names.
#[must_use]
pub fn scopes(names: &[String]) -> Vec<String> {
    names.iter().map(|name| format!("repository:{name}:pull,push")).collect()
}

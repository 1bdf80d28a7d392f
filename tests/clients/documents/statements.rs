//! The list of statements, and whether each is as the list says.
//!
//! A statement that works has lines that show it; one that differs has lines that show what is seen
//! instead. So the list has to change with the behaviour, in either direction.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use super::shell::Shell;
use crate::software::server::scripts;

/// The document that says what differs, and why.
const GUIDE: &str = "../docs/acr.md";

/// One statement, command, script or sample of the documents.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Statement {
    pub(super) number: u16,
    pub(super) document: String,
    /// What is said.
    pub(super) says: String,
    /// Why it is not so here; it works where there is none. The guide says the same.
    pub(super) differs: Option<String>,
    /// Why no line can show it.
    #[serde(default)]
    pub(super) untyped: Option<String>,
}

/// A statement's lines, and what has to be printed: each of these texts, in this order, but for
/// those that begin with `!`, which have to be absent. `REGISTRY` is the registry's address. The
/// status, in brackets, is `[0]` where none is named.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) number: u16,
    pub(super) lines: &'static str,
    pub(super) prints: &'static [&'static str],
}

pub(super) const fn row(number: u16, lines: &'static str, prints: &'static [&'static str]) -> Row {
    Row { number, lines, prints }
}

/// Reads the list.
pub(super) fn list() -> Vec<Statement> {
    let file = scripts().join("documents/statements.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Types a document's statements in its order; every one of the list has to be among them.
#[track_caller]
pub(super) fn check(document: &str, shell: &Shell, registry: &str, rows: &[&[Row]]) {
    let list = list();
    let expected = list.iter().filter(|one| one.document == document && one.untyped.is_none());
    let mut left: BTreeMap<u16, &Statement> = expected.map(|one| (one.number, one)).collect();
    let mut wrong = String::new();
    for Row { number, lines, prints } in rows.iter().copied().flatten() {
        let says = left.remove(number).map_or("not on the list", |one| &one.says);
        let printed = shell.types(lines);
        if let Some(missing) = missing(&printed, registry, prints) {
            writeln!(wrong, "{number}, {says}: {missing}\n{}", excerpt(&printed)).unwrap();
        }
    }
    let untyped: Vec<_> = left.keys().collect();
    assert!(untyped.is_empty(), "not typed: {untyped:?}");
    assert!(wrong.is_empty(), "{wrong}");
}

/// What was printed, as far as it is of use.
fn excerpt(printed: &str) -> String {
    let end = printed.char_indices().rev().nth(3_000).map_or(0, |(at, _)| at);
    printed.split_at(end).1.to_owned()
}

/// The first expectation that does not hold.
fn missing(printed: &str, registry: &str, prints: &[&str]) -> Option<String> {
    let mut rest = printed;
    for expected in prints {
        let text = expected.replace("REGISTRY", registry);
        if let Some(absent) = text.strip_prefix('!') {
            if printed.contains(absent) {
                return Some(format!("it prints `{absent}`"));
            }
            continue;
        }
        match rest.split_once(&text) {
            Some((_, behind)) => rest = behind,
            None => return Some(format!("it does not print `{text}`")),
        }
    }
    let has_status = prints.iter().any(|text| text.starts_with('[') && text.ends_with(']'));
    (!has_status && !printed.trim_end().ends_with("[0]")).then(|| "it fails".to_owned())
}

/// Every statement is on the list once, and the guide has the reason of each that differs.
#[test]
fn the_list_is_whole() {
    let list = list();
    let numbers: Vec<u16> = list.iter().map(|one| one.number).collect();
    assert_eq!(numbers, (1..=114).collect::<Vec<u16>>());
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join(GUIDE);
    let guide = std::fs::read_to_string(guide).unwrap().replace('\n', " ");
    for one in &list {
        for reason in one.differs.iter().chain(&one.untyped) {
            assert!(guide.contains(reason.as_str()), "{}: {GUIDE} has no: {reason}", one.number);
        }
    }
}

#[test]
fn expectations() {
    for (printed, prints, holds) in [
        ("a\nb\n[0]\n", &["a", "b"][..], true),
        ("a\nb\n[0]\n", &["b", "a"], false),
        ("a\n[1]\n", &["a"], false),
        ("a\n[1]\n", &["a", "[1]"], true),
        ("a\n[0]\n", &["a", "[1]"], false),
        ("a\n[0]\n", &["!b"], true),
        ("a\n[0]\n", &["a", "!a"], false),
        ("at localhost:1\n[0]\n", &["at REGISTRY\n"], true),
    ] {
        assert_eq!(
            missing(printed, "localhost:1", prints).is_none(),
            holds,
            "{printed} {prints:?}"
        );
    }
}

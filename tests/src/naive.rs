//! The referee: what a scope gets from a list of rules. Obviously right, and slow.
//!
//! It shares no code with the engine and knows nothing but text: a regular expression for each
//! grammar, and a look at every rule for every action. It follows the same documents as
//! `scopegate-core`, and has the rules of roles (`deleted/read`) beside those of maps.
//!
//! Left out: why a text is refused and where, several scopes and their merging, and every limit but
//! the length of a name.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::{Captures, Regex};

/// The actions that `*` asks for, each with the permission that grants it; the last two are asked
/// for by name only.
const ACTIONS: [(&str, &str); 7] = [
    ("pull", "content/read"),
    ("push", "content/write"),
    ("delete", "content/delete"),
    ("metadata_read", "metadata/read"),
    ("metadata_write", "metadata/write"),
    ("deleted_read", "deleted/read"),
    ("deleted_restore", "deleted/restore"),
];

static SCOPE: LazyLock<Regex> = LazyLock::new(|| grammar(r"TYPE:((?:HOST/)?(NAME)|\*):([^:]*)"));
static RULE: LazyLock<Regex> = LazyLock::new(|| grammar("repositories/PATTERN/GRANT|GATEWAY"));

/// The expression that matches this grammar and nothing around it; each word in capitals stands for
/// the line that explains it.
fn grammar(text: &str) -> Regex {
    let text = format!("^(?:{text})$")
        .replace("TYPE", r"(repository|registry|artifact-repository)(?:\([a-z0-9]+\))?")
        .replace("HOST", r"LABEL(?:\.LABEL)*:[0-9]{1,5}")
        .replace("LABEL", r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
        .replace("PATTERN", r"(\*|NAME(?:/\*)?)")
        .replace("NAME", r"PART(?:/PART)*")
        .replace("PART", r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
        .replace("GRANT", r"(?:content/(?:read|write|delete)|metadata/(?:read|write))")
        .replace("GATEWAY", r"gateway/[a-z0-9-]+/(?:config|message)/(?:read|write)");
    Regex::new(&text).expect("a regular expression")
}

/// Whether a scope map may hold this action string.
#[must_use]
pub fn is_rule(text: &str) -> bool {
    RULE.captures(&text.to_ascii_lowercase()).is_some_and(|rule| fits(&rule, 1))
}

/// Whether a part of the text, which may not be there, has at most 255 bytes.
fn fits(text: &Captures<'_>, part: usize) -> bool {
    text.get(part).is_none_or(|part| part.len() <= 255)
}

/// The actions that `scope` is granted and those that it is denied, unknown ones last; `None` when
/// it is no scope.
///
/// `rules` are valid action strings; `catalog` is `never`, `root` or `filtered`.
#[must_use]
pub fn decide(rules: &[String], catalog: &str, scope: &str) -> Option<(Vec<String>, Vec<String>)> {
    let scope = SCOPE.captures(scope).filter(|scope| fits(scope, 3))?;
    let (kind, name, words) = (&scope[1], &scope[2], &scope[4]);
    let mut seen = BTreeSet::from([""]);
    let is_known = |word: &&str| *word == "*" || ACTIONS.iter().any(|(known, _)| known == word);
    let words = words.split(',').filter(|word| seen.insert(word));
    let (mut known, unknown): (Vec<&str>, Vec<&str>) = words.partition(is_known);
    if known.contains(&"*") {
        let beside = ACTIONS[5..].iter().filter(|(action, _)| known.contains(action));
        let all = ACTIONS[..5].iter().chain(beside).map(|(action, _)| *action).collect();
        known = if kind == "registry" { vec!["*"] } else { all };
    }
    let may = |word: &String| rules.iter().any(|rule| grants(rule, catalog, [kind, name, word]));
    Some([known, unknown].concat().into_iter().map(str::to_owned).partition(may))
}

fn grants(rule: &str, catalog: &str, [kind, name, action]: [&str; 3]) -> bool {
    let permission = match (kind, name, action) {
        ("registry", "catalog", "*") if catalog != "never" => Some("metadata/read"),
        ("registry", "deleted_catalog", "*") => Some("deleted/read"),
        ("registry", ..) => None,
        _ => ACTIONS.iter().find(|(known, _)| *known == action).map(|(_, permission)| *permission),
    };
    let rule = rule.to_ascii_lowercase();
    let on = |it| rule.strip_prefix("repositories/")?.strip_suffix(it)?.strip_suffix('/');
    let covers = |it: &str| it == name || it.strip_suffix('*').is_some_and(|a| name.starts_with(a));
    let listed = [kind, name, catalog] == ["registry", "catalog", "filtered"];
    let reaches = |it| it == "*" || listed || (kind == "repository" && covers(it));
    permission.and_then(on).is_some_and(reaches)
}

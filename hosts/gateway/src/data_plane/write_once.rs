//! Tags that are written once, by rules of the configuration, and not by attributes: nothing that a
//! client sends changes a rule.
//!
//! A tag that a rule covers is pushed once, and does not move to another manifest; pushing the same
//! one again is no change. It is not removed either, nor its manifest deleted, unless the rule says
//! `deletable`: then it may be pushed again after that.
//!
//! Left out: what a registry lets others do behind the gateway.

use scopegate_core::{Pattern, RepositoryName};
use serde::Deserialize;
use serde::de::{self, Deserializer};

use super::registry::is_tag;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WriteOnce {
    /// A pattern as in a scope map: `team/app`, `team/*`, `*`.
    #[serde(deserialize_with = "repository")]
    repository: String,
    /// A tag, or how it begins and a `*`. All of them, when it is not given.
    #[serde(default, deserialize_with = "tag")]
    tag: Option<String>,
    /// Whether the tag may be removed and its manifest deleted.
    #[serde(default)]
    deletable: bool,
}

impl WriteOnce {
    fn covers(&self, repository: &str, tag: &str) -> bool {
        self.covers_repository(repository) && self.covers_tag(tag)
    }

    fn covers_repository(&self, repository: &str) -> bool {
        let (pattern, name) = (Pattern::parse(&self.repository), RepositoryName::parse(repository));
        // Both were parsed before; if they cannot be, the rule holds.
        pattern.and_then(|pattern| Ok(pattern.matches(name?))).unwrap_or(true)
    }

    fn covers_tag(&self, tag: &str) -> bool {
        match self.tag.as_deref().map(|text| text.strip_suffix('*').ok_or(text)) {
            None => true,
            Some(Ok(beginning)) => tag.starts_with(beginning),
            Some(Err(whole)) => tag == whole,
        }
    }
}

/// All rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rules(Vec<WriteOnce>);

impl Rules {
    pub(super) const fn new(rules: Vec<WriteOnce>) -> Self {
        Self(rules)
    }

    /// Whether a tag stays where it points.
    pub(super) fn fixes(&self, repository: &str, tag: &str) -> bool {
        self.0.iter().any(|rule| rule.covers(repository, tag))
    }

    /// Whether a tag is never removed.
    pub(super) fn keeps(&self, repository: &str, tag: &str) -> bool {
        self.0.iter().any(|rule| !rule.deletable && rule.covers(repository, tag))
    }

    /// Whether some tags of a repository are never removed.
    pub(super) fn keeps_any_of(&self, repository: &str) -> bool {
        self.0.iter().any(|rule| !rule.deletable && rule.covers_repository(repository))
    }
}

fn repository<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match Pattern::parse(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(de::Error::custom(format!("`{text}` is not a pattern: {error}"))),
    }
}

fn tag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let beginning = text.strip_suffix('*').unwrap_or(&text);
    if is_tag(beginning) || text == "*" {
        return Ok(Some(text));
    }
    Err(de::Error::custom(format!("`{text}` is not a tag, nor the start of one and a `*`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<Vec<WriteOnce>, String> {
        serde_saphyr::from_str(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn what_a_rule_covers() {
        for (rule, tag, fixes, keeps) in [
            ("{repository: team/app}", "team/app:v1", true, true),
            ("{repository: team/app}", "team/app/x:v1", false, false),
            ("{repository: team/*}", "team/app:v1", true, true),
            ("{repository: team/*}", "team:v1", false, false),
            ("{repository: '*'}", "team/app:v1", true, true),
            ("{repository: '*', deletable: true}", "team/app:v1", true, false),
            ("{repository: '*', tag: v1}", "a:v1", true, true),
            ("{repository: '*', tag: v1}", "a:v10", false, false),
            ("{repository: '*', tag: 'v*'}", "a:v10", true, true),
            ("{repository: '*', tag: 'v*'}", "a:latest", false, false),
            ("{repository: '*', tag: '*'}", "a:latest", true, true),
            ("{repository: a, deletable: true}, {repository: '*', tag: v1}", "a:v1", true, true),
            ("{repository: a, deletable: true}, {repository: '*', tag: v1}", "a:v2", true, false),
        ] {
            let rules = Rules::new(read(&format!("[{rule}]")).unwrap());
            let (repository, tag) = tag.split_once(':').unwrap();
            let found = (rules.fixes(repository, tag), rules.keeps(repository, tag));
            assert_eq!(found, (fixes, keeps), "{rule} {repository}:{tag}");
            assert!(!keeps || rules.keeps_any_of(repository), "{rule} {repository}");
        }
        assert!(!Rules::default().fixes("a", "v1"));
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for (rule, says) in [
            ("{repository: 'team*'}", "`team*` is not a pattern"),
            ("{repository: Team}", "`Team` is not a pattern"),
            ("{repository: a, tag: ''}", "`` is not a tag"),
            ("{repository: a, tag: '*v'}", "`*v` is not a tag"),
            ("{repository: a, tag: 'a b'}", "`a b` is not a tag"),
            ("{repository: a, tag: 'a:b*'}", "`a:b*` is not a tag"),
            ("{repository: a, other: 1}", "unknown field"),
            ("{tag: v1}", "missing field"),
        ] {
            let error = read(&format!("[{rule}]")).unwrap_err();
            assert!(error.contains(says), "{rule}: {error}");
        }
    }
}

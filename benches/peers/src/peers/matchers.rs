//! Libraries that match names, without tokens; and the floor below all of them.
//!
//! Natural is one set of all rules, whose matches are searched; best is one set for each action,
//! which only says whether any rule matches. A router finds a single match, so each natural rule
//! includes the rules that enclose it.

use std::collections::HashMap;

use globset::{Glob, GlobSet, GlobSetBuilder};
use matchit::Router;
use regex::RegexSet;

use super::Prepared;
use crate::map::{ACTIONS, Map, Question};

/// Questions, and the function that answers one about a name and an action.
struct Matcher<M> {
    questions: Vec<(String, usize)>,
    may: M,
}

impl<M: FnMut(&str, usize) -> bool> Prepared for Matcher<M> {
    fn may(&mut self, question: usize) -> bool {
        let (name, action) = &self.questions[question];
        (self.may)(name, *action)
    }

    fn count(&self) -> usize {
        self.questions.len()
    }
}

/// Actions are numbered.
fn matcher(
    questions: &[Question],
    may: impl FnMut(&str, usize) -> bool + 'static,
) -> Box<dyn Prepared> {
    let each = |question: &Question| (question.name.clone(), number(question.action));
    Box::new(Matcher { questions: questions.iter().map(each).collect(), may })
}

fn number(action: &str) -> usize {
    ACTIONS.iter().position(|other| *other == action).expect("an action")
}

/// One look-up of the name among the exact names: cheaper than any answer.
pub(crate) fn hash_map(map: &Map, questions: &[Question]) -> Box<dyn Prepared> {
    let exact = map.rules.iter().filter(|rule| rule.prefix().is_none());
    let bits: HashMap<String, u16> =
        exact.map(|rule| (rule.pattern.clone(), 1 << number(rule.action))).collect();
    matcher(questions, move |name, action| {
        bits.get(name).is_some_and(|bits| bits >> action & 1 == 1)
    })
}

pub(crate) fn linear(map: &Map, questions: &[Question]) -> Box<dyn Prepared> {
    let rules: Vec<(String, bool, usize)> = map
        .rules
        .iter()
        .map(|rule| match rule.prefix() {
            Some(prefix) => (prefix.to_owned(), true, number(rule.action)),
            None => (rule.pattern.clone(), false, number(rule.action)),
        })
        .collect();
    matcher(questions, move |name, action| {
        rules.iter().any(|(text, is_prefix, of)| {
            *of == action && if *is_prefix { name.starts_with(text.as_str()) } else { name == text }
        })
    })
}

fn route(pattern: &str) -> String {
    match pattern.strip_suffix('*') {
        Some(prefix) => format!("{prefix}{{*rest}}"),
        None => pattern.to_owned(),
    }
}

pub(crate) fn matchit_best(map: &Map, questions: &[Question]) -> Box<dyn Prepared> {
    let routers = ACTIONS.map(|action| {
        let mut router = Router::new();
        for pattern in map.patterns(action) {
            router.insert(route(pattern), ()).expect("a route");
        }
        router
    });
    matcher(questions, move |name, action| routers[action].at(name).is_ok())
}

pub(crate) fn matchit_natural(map: &Map, questions: &[Question]) -> Box<dyn Prepared> {
    let mut bits: HashMap<&str, u16> = HashMap::new();
    for rule in &map.rules {
        *bits.entry(&rule.pattern).or_default() |= 1 << number(rule.action);
    }
    let mut router = Router::new();
    for pattern in bits.keys() {
        let enclosing =
            pattern.match_indices('/').map(|(slash, _)| format!("{}/*", &pattern[..slash]));
        let inherited =
            enclosing.filter_map(|prefix| bits.get(prefix.as_str())).fold(0, |all, one| all | one);
        router.insert(route(pattern), bits[pattern] | inherited).expect("a route");
    }
    matcher(questions, move |name, action| {
        router.at(name).is_ok_and(|found| found.value >> action & 1 == 1)
    })
}

fn globs<'p>(patterns: impl Iterator<Item = &'p str>) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern).expect("a glob"));
    }
    set.build().expect("a set of globs")
}

pub(crate) fn globset_natural(map: &Map, questions: &[Question]) -> Box<dyn Prepared> {
    let set = globs(map.rules.iter().map(|rule| rule.pattern.as_str()));
    let actions: Vec<usize> = map.rules.iter().map(|rule| number(rule.action)).collect();
    matcher(questions, move |name, action| {
        set.matches(name).iter().any(|rule| actions[*rule] == action)
    })
}

pub(crate) fn globset_best(map: &Map, questions: &[Question]) -> Box<dyn Prepared> {
    let sets = ACTIONS.map(|action| globs(map.patterns(action).into_iter()));
    matcher(questions, move |name, action| sets[action].is_match(name))
}

fn expressions<'p>(patterns: impl Iterator<Item = &'p str>) -> RegexSet {
    let expression = |pattern: &str| match pattern.strip_suffix('*') {
        Some(prefix) => format!("^{}", regex::escape(prefix)),
        None => format!("^{}$", regex::escape(pattern)),
    };
    RegexSet::new(patterns.map(expression)).expect("a set of expressions")
}

pub(crate) fn regex_natural(map: &Map, questions: &[Question]) -> Box<dyn Prepared> {
    let set = expressions(map.rules.iter().map(|rule| rule.pattern.as_str()));
    let actions: Vec<usize> = map.rules.iter().map(|rule| number(rule.action)).collect();
    matcher(questions, move |name, action| {
        set.matches(name).iter().any(|rule| actions[rule] == action)
    })
}

pub(crate) fn regex_best(map: &Map, questions: &[Question]) -> Box<dyn Prepared> {
    let sets = ACTIONS.map(|action| expressions(map.patterns(action).into_iter()));
    matcher(questions, move |name, action| sets[action].is_match(name))
}

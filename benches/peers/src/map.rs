//! A scope map in a form for every engine, and questions about it.

use scopegate_benches::{many_names, rules};

/// Rules that add up.
pub(crate) struct Map {
    pub(crate) rules: Vec<Rule>,
    pub(crate) actions: Vec<String>,
}

/// A pattern, and the actions that it grants.
pub(crate) struct Rule {
    /// An exact name, or `prefix/*` for everything below.
    pub(crate) pattern: String,
    pub(crate) action: &'static str,
}

/// May this be done with this repository?
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) name: String,
    pub(crate) action: &'static str,
}

/// The requested actions, and one that rules grant besides.
pub(crate) const ACTIONS: [&str; 3] = ["pull", "push", "metadata_read"];

impl Map {
    pub(crate) fn new(count: usize) -> Self {
        let actions = rules(count);
        Self { rules: actions.iter().map(|action| Rule::read(action)).collect(), actions }
    }

    /// Names spread over the map, a third of them without a match. Each is asked about twice, in
    /// two passes, so that no name follows itself.
    pub(crate) fn questions(&self, names: usize) -> Vec<Question> {
        let names = many_names(self.rules.len(), names);
        let pass = |offset: usize| {
            let each = names.iter().enumerate();
            each.map(move |(n, name)| Question {
                name: name.clone(),
                action: ACTIONS[(n + offset) % 2],
            })
        };
        pass(0).chain(pass(1)).collect()
    }

    /// The answer by a loop over all rules, independent of every engine.
    pub(crate) fn may(&self, question: &Question) -> bool {
        self.rules.iter().any(|rule| rule.action == question.action && rule.covers(&question.name))
    }

    /// The map as `az acr scope-map show` prints it.
    pub(crate) fn document(&self) -> String {
        serde_json::json!({ "name": "my-map", "actions": self.actions }).to_string()
    }

    /// The patterns that give an action, each once.
    pub(crate) fn patterns(&self, action: &str) -> Vec<&str> {
        let of_it = self.rules.iter().filter(|rule| rule.action == action);
        let mut patterns: Vec<&str> = of_it.map(|rule| rule.pattern.as_str()).collect();
        patterns.sort_unstable();
        patterns.dedup();
        patterns
    }
}

impl Rule {
    fn read(action: &str) -> Self {
        let rest = action.strip_prefix("repositories/").expect("a rule");
        let (rest, verb) = rest.rsplit_once('/').expect("a rule");
        let (pattern, kind) = rest.rsplit_once('/').expect("a rule");
        let action = match (kind, verb) {
            ("content", "read") => "pull",
            ("content", "write") => "push",
            _ => "metadata_read",
        };
        Self { pattern: pattern.to_owned(), action }
    }

    /// The prefix of the names below it; `None` for an exact name.
    pub(crate) fn prefix(&self) -> Option<&str> {
        self.pattern.strip_suffix('*')
    }

    pub(crate) fn covers(&self, name: &str) -> bool {
        match self.prefix() {
            Some(prefix) => name.starts_with(prefix),
            None => name == self.pattern,
        }
    }
}

impl Question {
    /// The patterns that can cover the name: the name, and every prefix of it. For engines that use
    /// look-ups.
    pub(crate) fn keys(&self) -> Vec<String> {
        let prefixes =
            self.name.match_indices('/').map(|(slash, _)| format!("{}/*", &self.name[..slash]));
        prefixes.chain([self.name.clone()]).collect()
    }
}

//! Cedar, <https://www.cedarpolicy.com>. Requests and entities are built beforehand.
//!
//! Natural is a policy for each rule with `like`. Best is a policy for each action: the token holds
//! the patterns of each action as a set, the repository holds the possible patterns, and the policy
//! checks whether the sets intersect.

use std::collections::{HashMap, HashSet};
use std::hint::black_box;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request,
    RestrictedExpression,
};
use serde_json::{Value, json};

use super::Prepared;
use crate::map::{ACTIONS, Map, Question};

struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    requests: Vec<Request>,
}

pub(crate) fn natural(map: &Map, questions: &[Question]) -> Box<dyn Prepared> {
    let repositories = questions.iter().map(|question| repository(question, HashMap::new()));
    let token = Entity::new_no_attrs(uid("Token", "t"), HashSet::new());
    prepared(&natural_text(map), [token].into_iter().chain(repositories), questions)
}

pub(crate) fn best(map: &Map, questions: &[Question]) -> Box<dyn Prepared> {
    let each = ACTIONS.iter().map(|action| {
        format!("permit(principal, action == Action::\"{action}\", resource) when {{ resource.keys.containsAny(principal.{action}) }};")
    });
    let patterns = ACTIONS.iter().map(|action| ((*action).to_owned(), set(map.patterns(action))));
    let token =
        Entity::new(uid("Token", "t"), patterns.collect(), HashSet::new()).expect("a token");
    let repositories = questions.iter().map(|question| {
        let keys = set(question.keys().iter().map(String::as_str).collect());
        repository(question, HashMap::from([("keys".to_owned(), keys)]))
    });
    prepared(&each.collect::<String>(), [token].into_iter().chain(repositories), questions)
}

fn prepared(
    policies: &str,
    entities: impl Iterator<Item = Entity>,
    questions: &[Question],
) -> Box<dyn Prepared> {
    // A repository is asked about twice.
    let entities: HashMap<EntityUid, Entity> =
        entities.map(|entity| (entity.uid(), entity)).collect();
    let request = |question: &Question| {
        let (token, action) = (uid("Token", "t"), uid("Action", question.action));
        Request::new(token, action, uid("Repository", &question.name), Context::empty(), None)
            .expect("a request")
    };
    Box::new(Cedar {
        authorizer: Authorizer::new(),
        policies: policies.parse().expect("policies"),
        entities: Entities::from_entities(entities.into_values(), None).expect("entities"),
        requests: questions.iter().map(request).collect(),
    })
}

impl Prepared for Cedar {
    fn may(&mut self, question: usize) -> bool {
        let request = &self.requests[question];
        let response = self.authorizer.is_authorized(request, &self.policies, &self.entities);
        response.decision() == Decision::Allow
    }

    fn count(&self) -> usize {
        self.requests.len()
    }
}

/// The policies of a map, one for each rule.
pub(crate) fn natural_text(map: &Map) -> String {
    let each = map.rules.iter().map(|rule| {
        let (pattern, action) = (&rule.pattern, rule.action);
        let when = match rule.prefix() {
            Some(_) => format!("(principal, action == Action::\"{action}\", resource) when {{ resource.name like \"{pattern}\" }};"),
            None => format!("(principal, action == Action::\"{action}\", resource == Repository::\"{pattern}\");"),
        };
        format!("permit{when}\n")
    });
    each.collect()
}

/// The token of a map with its sets, as JSON: the input of a changed map in the best modelling.
pub(crate) fn entities_text(map: &Map) -> String {
    let sets: serde_json::Map<String, Value> =
        ACTIONS.iter().map(|action| ((*action).to_owned(), json!(map.patterns(action)))).collect();
    json!([{ "uid": { "type": "Token", "id": "t" }, "attrs": sets, "parents": [] }]).to_string()
}

pub(crate) fn parse(policies: &str) {
    black_box(policies.parse::<PolicySet>().expect("policies"));
}

pub(crate) fn parse_entities(entities: &str) {
    black_box(Entities::from_json_str(entities, None).expect("entities"));
}

fn repository(question: &Question, more: HashMap<String, RestrictedExpression>) -> Entity {
    let name = RestrictedExpression::new_string(question.name.clone());
    let attributes = more.into_iter().chain([("name".to_owned(), name)]).collect();
    Entity::new(uid("Repository", &question.name), attributes, HashSet::new())
        .expect("a repository")
}

fn set(texts: Vec<&str>) -> RestrictedExpression {
    RestrictedExpression::new_set(
        texts.into_iter().map(|text| RestrictedExpression::new_string(text.to_owned())),
    )
}

fn uid(kind: &str, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.parse().expect("a type"), id.parse().expect("an id"))
}

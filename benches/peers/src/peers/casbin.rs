//! Casbin, <https://github.com/casbin/casbin-rs>. It always loops over the rules.
//!
//! Natural has all rules in one enforcer and compares name and action. Best has an enforcer for
//! each action, so that there are fewer.

use std::collections::HashMap;

use casbin::{CoreApi as _, DefaultModel, Enforcer, MemoryAdapter, MgmtApi as _};
use tokio::runtime::Builder;

use super::Prepared;
use crate::map::{ACTIONS, Map, Question};

fn model(request: &str, matcher: &str) -> String {
    format!(
        "[request_definition]\nr = {request}\n[policy_definition]\np = {request}\n\
         [policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = {matcher}\n"
    )
}

struct Natural {
    enforcer: Enforcer,
    questions: Vec<(String, String)>,
}

pub(crate) fn natural(map: &Map, questions: &[Question]) -> Box<dyn Prepared> {
    let rules = map.rules.iter().map(|rule| vec![rule.pattern.clone(), rule.action.to_owned()]);
    let model = model("obj, act", "keyMatch(r.obj, p.obj) && r.act == p.act");
    let questions = questions.iter().map(|asked| (asked.name.clone(), asked.action.to_owned()));
    Box::new(Natural {
        enforcer: enforcer(&model, rules.collect()),
        questions: questions.collect(),
    })
}

impl Prepared for Natural {
    fn may(&mut self, question: usize) -> bool {
        let (name, action) = &self.questions[question];
        self.enforcer.enforce((name.as_str(), action.as_str())).expect("an answer")
    }

    fn count(&self) -> usize {
        self.questions.len()
    }
}

struct Best {
    enforcers: HashMap<&'static str, Enforcer>,
    questions: Vec<(String, &'static str)>,
}

pub(crate) fn best(map: &Map, questions: &[Question]) -> Box<dyn Prepared> {
    let model = model("obj", "keyMatch(r.obj, p.obj)");
    let each = ACTIONS.map(|action| {
        let rules = map.patterns(action).into_iter().map(|pattern| vec![pattern.to_owned()]);
        (action, enforcer(&model, rules.collect()))
    });
    let questions = questions.iter().map(|asked| (asked.name.clone(), asked.action));
    Box::new(Best { enforcers: HashMap::from(each), questions: questions.collect() })
}

impl Prepared for Best {
    fn may(&mut self, question: usize) -> bool {
        let (name, action) = &self.questions[question];
        self.enforcers[action].enforce((name.as_str(),)).expect("an answer")
    }

    fn count(&self) -> usize {
        self.questions.len()
    }
}

fn enforcer(model: &str, mut rules: Vec<Vec<String>>) -> Enforcer {
    rules.sort();
    rules.dedup();
    Builder::new_current_thread().build().expect("a runtime").block_on(async {
        let model = DefaultModel::from_str(model).await.expect("a model");
        let mut enforcer =
            Enforcer::new(model, MemoryAdapter::default()).await.expect("an enforcer");
        enforcer.add_policies(rules).await.expect("rules");
        enforcer
    })
}

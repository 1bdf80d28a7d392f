//! The engine, natively and in its sandbox: from the text of a scope for pull and push to the
//! granted set.

use std::hint::black_box;
use std::sync::LazyLock;

use scopegate_api::scope_map::WrittenScopeMap;
use scopegate_core::{Action, ScopeMap, Settings, Table, decide_text};
use scopegate_runtime::{Handle, Limits, Runtime, Session};

use super::Prepared;
use crate::map::{Map, Question};

const SETTINGS: Settings = Settings { catalog: scopegate_core::Catalog::Root };
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Runtime::new(Limits::default()).expect("the engine starts"));

/// The requested scopes, and the action of each question.
struct Requests(Vec<(String, Action)>);

impl Requests {
    fn read(questions: &[Question]) -> Self {
        let each = |question: &Question| {
            let action = Action::parse(question.action).expect("an action");
            (format!("repository:{}:pull,push", question.name), action)
        };
        Self(questions.iter().map(each).collect())
    }
}

struct Native {
    table: Table<Vec<u8>>,
    requests: Requests,
}

pub(crate) fn native(map: &Map, questions: &[Question]) -> Box<dyn Prepared> {
    Box::new(Native { table: compiled(map), requests: Requests::read(questions) })
}

impl Prepared for Native {
    fn may(&mut self, question: usize) -> bool {
        let (text, action) = &self.requests.0[question];
        let decided = decide_text([&self.table], text, &SETTINGS).expect("a scope");
        // The whole set is computed, not only the question's action.
        black_box(decided.granted).contains(*action)
    }

    fn count(&self) -> usize {
        self.requests.0.len()
    }
}

struct Sandboxed {
    session: Session<'static>,
    handle: Handle,
    requests: Requests,
}

pub(crate) fn wasmtime(map: &Map, questions: &[Question]) -> Box<dyn Prepared> {
    let table = RUNTIME.load("", compiled(map).as_bytes().to_vec()).expect("a table");
    let mut session = RUNTIME.session().expect("a session");
    let handle = session.load(&table).expect("room for the table");
    Box::new(Sandboxed { session, handle, requests: Requests::read(questions) })
}

impl Prepared for Sandboxed {
    fn may(&mut self, question: usize) -> bool {
        let (text, action) = &self.requests.0[question];
        let decided = self.session.decide(self.handle, text, &SETTINGS).expect("a decision");
        decided.granted.contains(*action)
    }

    fn count(&self) -> usize {
        self.requests.0.len()
    }
}

pub(crate) fn compile(document: &str) {
    let map = WrittenScopeMap::read_all(document).expect("a scope map").remove(0);
    black_box(Table::compile_actions(map.actions.iter().map(|text| &**text)).expect("a table"));
}

fn compiled(map: &Map) -> Table<Vec<u8>> {
    let map = ScopeMap::parse(map.actions.iter().map(String::as_str)).expect("rules");
    Table::compile([&map]).expect("a table")
}

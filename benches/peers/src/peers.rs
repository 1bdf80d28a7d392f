//! The engines that are measured, and their interface.

mod biscuit;
mod casbin;
mod cedar;
mod matchers;
mod ours;
mod regorus;

use std::hint::black_box;

use crate::map::{Map, Question};

/// An engine with a map, and with its questions prepared as far as possible.
pub(crate) trait Prepared {
    /// The answer to a question, by its number.
    fn may(&mut self, question: usize) -> bool;

    /// How many questions there are.
    fn count(&self) -> usize;

    /// Asks `times` questions in order, beginning with `first`, and returns the next one. A
    /// provided method, so that its calls of `may` are direct.
    fn run(&mut self, first: usize, times: u64) -> usize {
        let mut question = first;
        for _ in 0..times {
            black_box(self.may(black_box(question)));
            question = if question + 1 == self.count() { 0 } else { question + 1 };
        }
        question
    }
}

/// An engine, and a way to use it.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// `natural`: as its documentation would. `best`: as well as we can.
    pub(crate) modelling: &'static str,
    /// Whether it only measures the cost of a look-up, without an answer.
    pub(crate) is_floor: bool,
    pub(crate) most_rules: usize,
    pub(crate) why_no_more: &'static str,
    pub(crate) prepare: fn(&Map, &[Question]) -> Box<dyn Prepared>,
}

impl Peer {
    const fn new(
        name: &'static str,
        modelling: &'static str,
        prepare: fn(&Map, &[Question]) -> Box<dyn Prepared>,
    ) -> Self {
        Self { name, modelling, is_floor: false, most_rules: usize::MAX, why_no_more: "", prepare }
    }

    const fn up_to(self, most_rules: usize, why_no_more: &'static str) -> Self {
        Self { most_rules, why_no_more, ..self }
    }
}

const LINEAR: &str = "each rule takes its time";

pub(crate) const PEERS: [Peer; 18] = [
    Peer::new("scopegate", "native", ours::native),
    Peer::new("scopegate", "wasmtime", ours::wasmtime),
    Peer { is_floor: true, ..Peer::new("hash map", "floor", matchers::hash_map) },
    Peer::new("cedar", "natural", cedar::natural).up_to(500, LINEAR),
    Peer::new("cedar", "best", cedar::best),
    Peer::new("regorus", "natural", regorus::natural).up_to(500, LINEAR),
    Peer::new("regorus", "best", regorus::best),
    Peer::new("casbin", "natural", casbin::natural).up_to(500, LINEAR),
    Peer::new("casbin", "best", casbin::best).up_to(500, LINEAR),
    Peer::new("biscuit", "natural", biscuit::natural).up_to(100, LINEAR),
    Peer::new("biscuit", "best", biscuit::best).up_to(500, LINEAR),
    Peer::new("matchit", "natural", matchers::matchit_natural),
    Peer::new("matchit", "best", matchers::matchit_best),
    Peer::new("globset", "natural", matchers::globset_natural)
        .up_to(10_000, "it takes minutes to build"),
    Peer::new("globset", "best", matchers::globset_best).up_to(10_000, "it takes minutes to build"),
    Peer::new("regex set", "natural", matchers::regex_natural)
        .up_to(500, "a larger one is beyond its limit of size"),
    Peer::new("regex set", "best", matchers::regex_best)
        .up_to(500, "a larger one is beyond its limit of size"),
    Peer::new("linear scan", "natural", matchers::linear).up_to(500, LINEAR),
];

/// A compiler of maps: name, modelling, and function. Each gets its own input text, prepared
/// beforehand.
type Compiler = (&'static str, &'static str, Box<dyn Fn(&str)>);

pub(crate) fn compilers(map: &Map) -> Vec<Compiler> {
    let (natural, document) = (cedar::natural_text(map), map.document());
    let entities = cedar::entities_text(map);
    vec![
        ("scopegate", "native", Box::new(ours::compile)),
        (
            "serde_json",
            "the document as a value",
            Box::new(|text| {
                black_box(serde_json::from_str::<serde_json::Value>(text).expect("JSON"));
            }),
        ),
        ("cedar", "natural", Box::new(move |_| cedar::parse(&natural))),
        ("cedar", "best", Box::new(move |_| cedar::parse_entities(&entities))),
        ("regorus", "natural", Box::new(move |_| regorus::parse(&document))),
    ]
}

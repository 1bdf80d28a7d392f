//! Other engines compared with ours: the same questions, in the same run, after a check that they
//! agree about the answers.
//!
//! `may this name be pulled (or pushed)?` is asked of every engine about the same map. General
//! policy languages are asked it as such, with everything prepared that can be; ours parses the
//! text of a scope and returns the whole set. A peer whose answers differ from ours is not
//! measured, and the differing case is printed.
//!
//! Each peer is modelled twice: as its documentation would, and as well as we can. A ratio is taken
//! from the better one.
//!
//! Prints a CSV table of samples; `cargo xtask bench` makes a report of it.

mod bare;
mod hosts;
mod map;
mod own;
mod peers;

use scopegate_benches::SIZES;
use scopegate_benches::sample::{Case, Effort, Samples, measure};
use scopegate_benches::table::Row;

use crate::hosts::Inputs;
use crate::map::{Map, Question};
use crate::peers::{PEERS, Peer};

/// The sizes of maps on which engines must agree; each name is asked about twice, so that these are
/// 20,400 pairs.
const AGREEMENT: [usize; 3] = [10, 100, 500];
const NAMES: usize = 3_400;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [_, file] = arguments.as_slice()
        && arguments[0] == "--questions"
    {
        std::fs::write(file, questions().to_string()).expect("the file of questions");
        return;
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let effort = if quick { Effort::QUICK } else { Effort::FULL };
    let agreeing: Vec<&Peer> = PEERS.iter().filter(|peer| agrees(peer)).collect();
    for Peer { name, modelling, most_rules, why_no_more, .. } in
        PEERS.iter().filter(|peer| peer.most_rules < usize::MAX)
    {
        println!("# decide, {name} {modelling}: up to {most_rules} rules, because {why_no_more}");
    }
    for rules in SIZES {
        decide(&agreeing, rules, effort);
    }
    compile(effort);
    own::measured(effort);
    hosts::measured(effort);
}

/// The maps and questions for engines that run elsewhere, with the expected answers, and the inputs
/// of our own steps.
fn questions() -> serde_json::Value {
    let each = AGREEMENT.map(|rules| {
        let map = Map::new(rules);
        let asked = |questions: Vec<Question>| -> Vec<serde_json::Value> {
            let each = questions.iter().map(|question| {
                let Question { name, action } = question;
                serde_json::json!({ "name": name, "action": action, "keys": question.keys(), "may": map.may(question) })
            });
            each.collect()
        };
        let timed = asked(map.questions(scopegate_benches::REQUESTS));
        serde_json::json!({ "rules": rules, "actions": map.actions, "compared": asked(map.questions(NAMES)), "timed": timed })
    });
    serde_json::json!({ "maps": each, "steps": Inputs::new().json() })
}

/// Whether a peer's answers match the rules; differences are printed.
fn agrees(peer: &Peer) -> bool {
    if peer.is_floor {
        return true;
    }
    AGREEMENT.iter().filter(|rules| **rules <= peer.most_rules).all(|rules| {
        let map = Map::new(*rules);
        let questions = map.questions(NAMES);
        let mut prepared = (peer.prepare)(&map, &questions);
        let differs = questions
            .iter()
            .enumerate()
            .find(|(n, question)| prepared.may(*n) != map.may(question));
        if let Some((_, question)) = differs {
            let Question { name, action } = question;
            println!(
                "# decide, {} {}: void, with {rules} rules it differs about {action} of {name}",
                peer.name, peer.modelling
            );
        }
        differs.is_none()
    })
}

fn decide(peers: &[&Peer], rules: usize, effort: Effort) {
    let map = Map::new(rules);
    let questions = map.questions(scopegate_benches::REQUESTS);
    let able: Vec<&&Peer> = peers.iter().filter(|peer| rules <= peer.most_rules).collect();
    let mut prepared: Vec<_> = able.iter().map(|peer| (peer.prepare)(&map, &questions)).collect();
    let mut cases: Vec<Case<'_>> = able
        .iter()
        .zip(&mut prepared)
        .map(|(peer, prepared)| {
            let mut count = 0;
            let run = move |times| count = prepared.run(count, times);
            Case { name: peer.name.to_owned(), run: Box::new(run) }
        })
        .collect();
    let samples = measure(&mut cases, effort);
    for (peer, samples) in able.iter().zip(samples) {
        print("decide", peer.name, peer.modelling, rules, samples);
    }
}

/// From the text of a map to a prepared engine.
fn compile(effort: Effort) {
    let rules = 500;
    let map = Map::new(rules);
    let document = map.document();
    let compilers = peers::compilers(&map);
    let mut cases: Vec<Case<'_>> = compilers
        .iter()
        .map(|(name, _, compile)| {
            let document = &document;
            let run = move |times| (0..times).for_each(|_| compile(std::hint::black_box(document)));
            Case { name: (*name).to_owned(), run: Box::new(run) }
        })
        .collect();
    for ((name, modelling, _), samples) in compilers.iter().zip(measure(&mut cases, effort)) {
        print("compile", name, modelling, rules, samples);
    }
}

/// A case that runs a step with a counter, under a name without commas.
fn cycled<'c>(name: &str, mut step: Box<dyn FnMut(usize) + 'c>) -> Case<'c> {
    let mut count = 0;
    let run = move |times| {
        for _ in 0..times {
            step(count);
            count += 1;
        }
    };
    Case { name: name.replace(',', ""), run: Box::new(run) }
}

fn print(group: &str, name: &str, how: &str, rules: usize, samples: Samples) {
    println!("{}", Row { group: group.into(), name: name.into(), how: how.into(), rules, samples });
}

//! What was promised, and where it is found in the table of samples.

use super::written;
use crate::sample::Estimate;
use crate::table::{Row, Table};

/// A figure and its bound.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// What it is about.
    pub what: &'static str,
    figure: Figure,
    bound: Bound,
}

#[derive(Clone, Copy, Debug)]
enum Figure {
    /// How many times longer one takes than the other.
    Ratio(Place, Place),
    /// The bytes of a module: raw, after gzip, after brotli.
    Bytes(&'static str, usize),
}

#[derive(Clone, Copy, Debug)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// Group, name, how, rules.
type Place = (&'static str, &'static str, &'static str, usize);

const fn decide(name: &'static str, how: &'static str, rules: usize) -> Place {
    ("decide", name, how, rules)
}

const NATIVE: Place = decide("scopegate", "native", 500);
const WASMTIME: Place = decide("scopegate", "wasmtime", 500);
const NODE: Place = decide("scopegate", "node", 500);
const COMPILE: Place = ("compile", "scopegate", "native", 500);

/// All of them.
pub const GOALS: &[Goal] = &[
    ratio(
        "decide, 500 rules / one hash-map look-up",
        NATIVE,
        decide("hash map", "floor", 500),
        Bound::AtMost(3.0),
    ),
    ratio(
        "decide, 100,000 rules / 10 rules",
        decide("scopegate", "native", 100_000),
        decide("scopegate", "native", 10),
        Bound::AtMost(1.6),
    ),
    ratio("Cedar / decide, 500 rules", decide("cedar", "best", 500), NATIVE, Bound::AtLeast(100.0)),
    ratio(
        "Regorus / decide, 500 rules",
        decide("regorus", "best", 500),
        NATIVE,
        Bound::AtLeast(500.0),
    ),
    ratio("decide in wasmtime / natively, 500 rules", WASMTIME, NATIVE, Bound::AtMost(2.0)),
    ratio(
        "Cedar, natively / decide in wasmtime, 500 rules",
        decide("cedar", "best", 500),
        WASMTIME,
        Bound::AtLeast(50.0),
    ),
    ratio("decide in Node / natively, 500 rules", NODE, NATIVE, Bound::AtMost(3.0)),
    ratio(
        "cedar-wasm / decide in Node, 500 rules",
        decide("cedar-wasm", "best", 500),
        NODE,
        Bound::AtLeast(1000.0),
    ),
    ratio(
        "Cedar parses / compile, 500 rules",
        ("compile", "cedar", "natural", 500),
        COMPILE,
        Bound::AtLeast(100.0),
    ),
    ratio(
        "compile / a JSON value of the same text, 500 rules",
        COMPILE,
        ("compile", "serde_json", "the document as a value", 500),
        Bound::AtMost(3.0),
    ),
    ratio(
        "explain / decide, 500 rules",
        ("step", "explain/500", "native", 0),
        ("step", "decide/500", "native", 0),
        Bound::AtMost(5.0),
    ),
    ratio(
        "the longest name, a rule on each part of it / decide",
        ("step", "decide/worst", "native", 0),
        ("step", "decide/500", "native", 0),
        Bound::AtMost(8.0),
    ),
    ratio(
        "20 decisions in wasmtime, in one call / one by one",
        ("sandbox", "20 decisions in one call", "wasmtime", 500),
        ("sandbox", "20 decisions", "wasmtime", 500),
        Bound::AtMost(0.5),
    ),
    bytes("engine, raw", 0, 40_000.0),
    bytes("engine, after brotli", 2, 14_000.0),
];

const fn ratio(what: &'static str, one: Place, other: Place, bound: Bound) -> Goal {
    Goal { what, figure: Figure::Ratio(one, other), bound }
}

const fn bytes(what: &'static str, form: usize, most: f64) -> Goal {
    Goal { what, figure: Figure::Bytes("scopegate engine", form), bound: Bound::AtMost(most) }
}

impl Goal {
    /// The figure, where what it needs was measured.
    #[must_use]
    pub fn measured(&self, table: &Table) -> Option<Estimate> {
        match self.figure {
            Figure::Ratio(one, other) => {
                let (one, other) = (find(table, one)?, find(table, other)?);
                Some(one.samples.over(&other.samples))
            }
            Figure::Bytes(module, form) => {
                let row = table.row("size", module, "module", 0)?;
                let value = *row.samples.0.get(form)?;
                Some(Estimate { value, low: value, high: value })
            }
        }
    }

    /// Whether the figure is as it should be.
    #[must_use]
    pub fn is_reached(&self, value: f64) -> bool {
        match self.bound {
            Bound::AtMost(bound) => value <= bound,
            Bound::AtLeast(bound) => value >= bound,
        }
    }

    /// Whether it is a ratio, which another machine has too.
    #[must_use]
    pub fn is_ratio(&self) -> bool {
        matches!(self.figure, Figure::Ratio(..))
    }

    /// The bound as people read it.
    #[must_use]
    pub fn wanted(&self) -> String {
        let (sign, bound) = match self.bound {
            Bound::AtMost(bound) => ("≤", bound),
            Bound::AtLeast(bound) => ("≥", bound),
        };
        match self.figure {
            Figure::Ratio(..) => format!("{sign} {bound}"),
            Figure::Bytes(..) => format!("{sign} {} KB", bound / 1e3),
        }
    }

    pub(super) fn written(&self, estimate: Estimate) -> String {
        match self.figure {
            Figure::Ratio(..) => written(estimate),
            Figure::Bytes(..) => format!("{:.1} KB", estimate.value / 1e3),
        }
    }
}

fn find(table: &Table, (group, name, how, rules): Place) -> Option<&Row> {
    table.row(group, name, how, rules)
}

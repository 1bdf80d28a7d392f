//! The goals, and where their figures are in the table of samples.

use super::written;
use crate::sample::Estimate;
use crate::table::{Row, Table};

/// A figure and its bound.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// Its subject.
    pub what: &'static str,
    figure: Figure,
    bound: Bound,
}

#[derive(Clone, Copy, Debug)]
enum Figure {
    /// The ratio of two figures.
    Ratio(RowKey, RowKey),
    /// The median itself, in the unit of its row.
    Value(RowKey),
    /// The bytes of a module: raw, after gzip, after brotli.
    Bytes(&'static str, usize),
}

#[derive(Clone, Copy, Debug)]
enum Bound {
    Max(f64),
    Min(f64),
}

/// The key of a row: group, name, how or unit, rules or count.
type RowKey = (&'static str, &'static str, &'static str, usize);

const fn decide(name: &'static str, how: &'static str, rules: usize) -> RowKey {
    ("decide", name, how, rules)
}

const NATIVE: RowKey = decide("scopegate", "native", 500);
const WASMTIME: RowKey = decide("scopegate", "wasmtime", 500);
const NODE: RowKey = decide("scopegate", "node", 500);
const COMPILE: RowKey = ("compile", "scopegate", "native", 500);

/// All of them.
pub const GOALS: &[Goal] = &[
    ratio(
        "decide, 500 rules / one hash-map look-up",
        NATIVE,
        decide("hash map", "floor", 500),
        Bound::Max(3.0),
    ),
    ratio(
        "decide, 100,000 rules / 10 rules",
        decide("scopegate", "native", 100_000),
        decide("scopegate", "native", 10),
        Bound::Max(1.6),
    ),
    ratio("Cedar / decide, 500 rules", decide("cedar", "best", 500), NATIVE, Bound::Min(100.0)),
    ratio("Regorus / decide, 500 rules", decide("regorus", "best", 500), NATIVE, Bound::Min(500.0)),
    ratio("decide in wasmtime / natively, 500 rules", WASMTIME, NATIVE, Bound::Max(2.0)),
    ratio(
        "Cedar, natively / decide in wasmtime, 500 rules",
        decide("cedar", "best", 500),
        WASMTIME,
        Bound::Min(50.0),
    ),
    ratio("decide in Node / natively, 500 rules", NODE, NATIVE, Bound::Max(3.0)),
    ratio(
        "cedar-wasm / decide in Node, 500 rules",
        decide("cedar-wasm", "best", 500),
        NODE,
        Bound::Min(1000.0),
    ),
    ratio(
        "Cedar parses / compile, 500 rules",
        ("compile", "cedar", "natural", 500),
        COMPILE,
        Bound::Min(100.0),
    ),
    ratio(
        "compile / a JSON value of the same text, 500 rules",
        COMPILE,
        ("compile", "serde_json", "the document as a value", 500),
        Bound::Max(3.0),
    ),
    ratio(
        "explain / decide, 500 rules",
        ("step", "explain/500", "native", 0),
        ("step", "decide/500", "native", 0),
        Bound::Max(5.0),
    ),
    ratio(
        "the slowest decision that a search has found / decide",
        ("step", "decide/worst", "native", 0),
        ("step", "decide/500", "native", 0),
        Bound::Max(8.0),
    ),
    ratio(
        "20 decisions in wasmtime, in one call / one by one",
        ("sandbox", "20 decisions in one call", "wasmtime", 500),
        ("sandbox", "20 decisions", "wasmtime", 500),
        Bound::Max(0.5),
    ),
    bytes("engine, raw", "scopegate engine", 0, 40_000.0),
    bytes("engine, after brotli", "scopegate engine", 2, 14_000.0),
    bytes("the filter for Envoy, raw", "scopegate filter for Envoy", 0, 120_000.0),
    ratio(
        "token issued in process / raw ES256 signature rate",
        ("token issue", "tokens in process", PER_SECOND, 0),
        ("token issue", "raw ES256 signatures", PER_SECOND, 0),
        Bound::Min(0.95),
    ),
    ratio(
        "token over HTTP keep-alive with the password check and the decision log, one core / raw signature rate",
        ("token http", "tokens over HTTP decision log on", PER_SECOND, 0),
        ("token http", "raw ES256 signatures beside decision log on", PER_SECOND, 0),
        Bound::Min(0.45),
    ),
    ratio(
        "the same without the log",
        ("token http", "tokens over HTTP decision log off", PER_SECOND, 0),
        ("token http", "raw ES256 signatures beside decision log off", PER_SECOND, 0),
        Bound::Min(0.45),
    ),
    ratio(
        "p99 of the median 50 ms / p50, at 70 % load",
        ("token http", "an answer at 70 % load decision log on", "µs p99 of the median 50 ms", 0),
        ("token http", "an answer at 70 % load decision log on", "µs p50", 0),
        Bound::Max(3.0),
    ),
    ratio(
        "the rate with 50,000 tokens known / with 100",
        ("token growth", "a pull", PER_SECOND, 50_000),
        ("token growth", "a pull", PER_SECOND, 100),
        Bound::Min(0.9),
    ),
    value(
        "resident memory with 50,000 tokens sharing 500 scope maps",
        ("token crowd", "resident memory", "MB", 50_000),
        Bound::Max(150.0),
    ),
    value(
        "start to ready with them",
        ("token crowd", "start to ready", "s", 50_000),
        Bound::Max(2.0),
    ),
    value(
        "the gateway's decision, token cached, in the mean",
        ("edge requests", "our gateway", "µs a decision in the mean", 0),
        Bound::Max(2.0),
    ),
    blobs("a blob of 1 GB through the gateway / through nginx, one stream", 1),
    blobs("the same, eight streams", 8),
    value(
        "memory of the gateway with 64 streams of 1 GB",
        ("edge blobs", "our gateway", "MB held", 64),
        Bound::Max(64.0),
    ),
    ratio(
        "added to a request's median: Envoy with our filter / with `ext_authz`",
        ("edge requests", "Envoy our filter", "µs added to p50", 0),
        ("edge requests", "Envoy ext_authz", "µs added to p50", 0),
        Bound::Max(0.1),
    ),
    value(
        "less throughput of Envoy with our filter",
        ("edge requests", "Envoy our filter", "% less throughput", 0),
        Bound::Max(10.0),
    ),
];

const PER_SECOND: &str = "a second";

const fn ratio(what: &'static str, one: RowKey, other: RowKey, bound: Bound) -> Goal {
    Goal { what, figure: Figure::Ratio(one, other), bound }
}

const fn value(what: &'static str, key: RowKey, bound: Bound) -> Goal {
    Goal { what, figure: Figure::Value(key), bound }
}

const fn blobs(what: &'static str, streams: usize) -> Goal {
    ratio(
        what,
        ("edge blobs", "our gateway", "MB a second", streams),
        ("edge blobs", "nginx", "MB a second", streams),
        Bound::Min(0.8),
    )
}

const fn bytes(what: &'static str, module: &'static str, form: usize, max: f64) -> Goal {
    Goal { what, figure: Figure::Bytes(module, form), bound: Bound::Max(max) }
}

impl Goal {
    /// The figure, if its rows were measured.
    #[must_use]
    pub fn measured(&self, table: &Table) -> Option<Estimate> {
        match self.figure {
            Figure::Ratio(one, other) => {
                let (one, other) = (find(table, one)?, find(table, other)?);
                Some(one.samples.over(&other.samples))
            }
            Figure::Value(key) => Some(find(table, key)?.samples.median()),
            Figure::Bytes(module, form) => {
                let row = table.row("size", module, "module", 0)?;
                let value = *row.samples.0.get(form)?;
                Some(Estimate { value, low: value, high: value })
            }
        }
    }

    /// Whether the figure meets its goal.
    #[must_use]
    pub fn is_reached(&self, value: f64) -> bool {
        match self.bound {
            Bound::Max(bound) => value <= bound,
            Bound::Min(bound) => value >= bound,
        }
    }

    /// Whether it is a ratio within one process, which other machines reproduce.
    #[must_use]
    pub fn is_portable(&self) -> bool {
        matches!(self.figure, Figure::Ratio((group, ..), _) if !super::is_of_servers(group))
    }

    /// The bound in a readable form.
    #[must_use]
    pub fn wanted(&self) -> String {
        let (sign, bound) = match self.bound {
            Bound::Max(bound) => ("≤", bound),
            Bound::Min(bound) => ("≥", bound),
        };
        match self.figure {
            Figure::Ratio(..) => format!("{sign} {bound}"),
            Figure::Value(key) => format!("{sign} {bound} {}", unit_of(key)),
            Figure::Bytes(..) => format!("{sign} {} KB", bound / 1e3),
        }
    }

    pub(super) fn written(&self, estimate: Estimate) -> String {
        match self.figure {
            Figure::Ratio(..) => written(estimate),
            Figure::Value(key) => format!("{} {}", written(estimate), unit_of(key)),
            Figure::Bytes(..) => format!("{:.1} KB", estimate.value / 1e3),
        }
    }
}

/// `µs` of `µs added to p50`.
fn unit_of((_, _, how, _): RowKey) -> &'static str {
    how.split(' ').next().unwrap_or_default()
}

fn find(table: &Table, (group, name, how, rules): RowKey) -> Option<&Row> {
    table.row(group, name, how, rules)
}

//! The report: the measurements as tables and as pictures.
//!
//! A ratio is taken from samples of one run, and with the better of a peer's two modellings.
//! Omissions and differences are below the tables.

pub mod chart;
mod goals;

use std::fmt::Write as _;

pub use goals::{GOALS, Goal};

use crate::SIZES;
use crate::sample::{Estimate, Samples};
use crate::table::{Row, Table};

/// Above this the machine had other load.
const NOISY: f64 = 0.1;

/// The whole report.
#[must_use]
pub fn markdown(table: &Table) -> String {
    let about: String = table
        .remarks
        .iter()
        .filter_map(|remark| remark.strip_prefix("about "))
        .fold(String::new(), |mut text, remark| {
            writeln!(text, "- {remark}").unwrap();
            text
        });
    [
        "# Measured\n\nA table that is made for one question is compared with general languages and with libraries that match names: \
         what they can do besides, it cannot.\n\n",
        &about,
        "\n## In short\n\n",
        &figures(table),
        "\n## One question: may this name be pulled?\n\n![Time of a decision by number of rules](decide.svg)\n\n",
        &decisions(table),
        "\nOur engine reads the text of a scope and gives the whole granted set, `hash map` looks the name up and answers nothing, and every other one says \
         whether one action is granted, with the request prepared beforehand. Each is asked in its better modelling (`best`) and in that of its \
         documentation (`natural`).\n\n## From the text of a map of 500 rules to what decides\n\n",
        &of_group(table, "compile"),
        "\n## What a host asks besides, natively\n\n",
        &of_group(table, "step"),
        "\n## The same steps in each place, 500 rules\n\n",
        &hosts(table),
        "\nEach from the texts that come to a host to what its program goes on with: values natively, the bytes that an export gives copied out, objects from \
         the package, which compiles and loads at once. An explanation becomes JSON at the exports; a decision in Node is what is granted, without what is denied.\n\n## Names of other shapes, and caches that are cold, natively\n\n",
        &of_group(table, "shape"),
        &rows(table, "cold"),
        "\n## The sandbox\n\nClaims and decisions are asked of the runtime here, which reads what the engine gives.\n\n",
        &of_group(table, "sandbox"),
        "\n## Sizes\n\n![Bytes of each module](sizes.svg)\n\n",
        &sizes(table),
        "\n## Servers, each on one core, and the load on the other\n\n",
        &servers(table),
        "\n## Left out, and noise\n\n",
        &remarks(table),
    ]
    .concat()
}

/// The published summary figures.
#[must_use]
pub fn figures(table: &Table) -> String {
    let mut text = "| what | measured |\n|---|---:|\n".to_owned();
    for goal in GOALS {
        if let Some(estimate) = goal.measured(table) {
            writeln!(text, "| {} | {} |", goal.what, goal.written(estimate)).unwrap();
        }
    }
    text
}

/// The goals and their figures, for developers.
#[must_use]
pub fn goals(table: &Table) -> String {
    let mut text = "| what | measured | goal | |\n|---|---:|---:|---|\n".to_owned();
    for goal in GOALS {
        let (measured, verdict) = match goal.measured(table) {
            Some(estimate) if goal.is_reached(estimate.value) => {
                (goal.written(estimate), "reached")
            }
            Some(estimate) => (goal.written(estimate), "**not reached**"),
            None => ("not measured".to_owned(), ""),
        };
        writeln!(text, "| {} | {measured} | {} | {verdict} |", goal.what, goal.wanted()).unwrap();
    }
    text
}

/// The times of the engines, by number of rules.
fn decisions(table: &Table) -> String {
    let sizes = SIZES.map(|size| format!(" {size} |"));
    let mut text =
        format!("| engine | |{}\n|---|---|{}\n", sizes.concat(), "---:|".repeat(SIZES.len()));
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for Row { name, how, .. } in table.rows.iter().filter(|row| row.group == "decide") {
        if seen.contains(&(name, how)) {
            continue;
        }
        seen.push((name, how));
        let cells = SIZES.map(|rules| cell(table.row("decide", name, how, rules)));
        writeln!(text, "| {name} | {how} |{}", cells.concat()).unwrap();
    }
    text
}

/// The times of the steps, by where the engine runs.
fn hosts(table: &Table) -> String {
    let hosts = ["native", "wasmtime", "wasmtime with epochs", "node", "node package"];
    let head = hosts.map(|host| format!(" {host} |"));
    let mut text = format!("| step |{}\n|---|{}\n", head.concat(), "---:|".repeat(hosts.len()));
    let of_group = || table.rows.iter().filter(|row| row.group == "place");
    for Row { name, rules, .. } in of_group().filter(|row| row.how == hosts[0]) {
        let cells = hosts.map(|host| cell(table.row("place", name, host, *rules)));
        writeln!(text, "| {name} |{}", cells.concat()).unwrap();
    }
    text
}

/// The median, or an empty text.
fn cell(row: Option<&Row>) -> String {
    row.map_or(" |".to_owned(), |row| format!(" {} |", time(row.samples.median().value)))
}

fn of_group(table: &Table, group: &str) -> String {
    "| what | | smallest | median | p99 |\n|---|---|---:|---:|---:|\n".to_owned()
        + &rows(table, group)
}

fn rows(table: &Table, group: &str) -> String {
    let mut text = String::new();
    for Row { name, how, samples, .. } in table.rows.iter().filter(|row| row.group == group) {
        let figures = [samples.smallest(), samples.median().value, samples.percentile(99)];
        let [smallest, median, p99] = figures.map(time);
        writeln!(text, "| {name} | {how} | {smallest} | {median} | {p99} |").unwrap();
    }
    text
}

fn sizes(table: &Table) -> String {
    let mut text = "| module | raw | gzip | brotli |\n|---|---:|---:|---:|\n".to_owned();
    for Row { name, samples: Samples(bytes), .. } in
        table.rows.iter().filter(|row| row.group == "size")
    {
        let cells: String = bytes.iter().map(|bytes| format!(" {:.1} KB |", bytes / 1e3)).collect();
        writeln!(text, "| {name} |{cells}").unwrap();
    }
    text
}

/// Whether a group measures whole processes, whose figures have a unit.
fn is_of_servers(group: &str) -> bool {
    ["token ", "edge "].iter().any(|start| group.starts_with(start))
}

fn servers(table: &Table) -> String {
    let mut text =
        "| bench | what | of | median | samples | |\n|---|---|---:|---:|---:|---|\n".to_owned();
    for Row { group, name, how, rules, samples } in
        table.rows.iter().filter(|row| is_of_servers(&row.group))
    {
        let count = if *rules == 0 { String::new() } else { rules.to_string() };
        let (median, rounds) = (written(samples.median()), samples.0.len());
        writeln!(text, "| {group} | {name} | {count} | {median} | {rounds} | {how} |").unwrap();
    }
    text
}

fn remarks(table: &Table) -> String {
    let others = table.remarks.iter().filter(|remark| !remark.starts_with("about "));
    let mut text: String = others.fold(String::new(), |mut text, remark| {
        writeln!(text, "- {remark}").unwrap();
        text
    });
    let timed = |row: &&Row| row.group != "size";
    for row in table.rows.iter().filter(timed).filter(|row| row.samples.spread() > NOISY) {
        let Row { group, name, how, rules, samples } = row;
        let percent = samples.spread() * 100.0;
        let rules = if *rules == 0 { String::new() } else { format!(", {rules}") };
        writeln!(text, "- noisy: {group}, {name}, {how}{rules}: the middle half of the samples lies {percent:.0} % apart").unwrap();
    }
    text
}

/// A time in a readable unit.
fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ..100.0 => format!("{nanoseconds:.1} ns"),
        ..1e3 => format!("{nanoseconds:.0} ns"),
        ..1e5 => format!("{:.1} µs", nanoseconds / 1e3),
        ..1e6 => format!("{:.0} µs", nanoseconds / 1e3),
        _ => format!("{:.1} ms", nanoseconds / 1e6),
    }
}

/// The ratios that differ between two runs by more than a fraction, as lines.
#[must_use]
pub fn differences(published: &Table, again: &Table, tolerance: f64) -> Vec<String> {
    let each = GOALS.iter().filter(|goal| goal.is_portable()).filter_map(|goal| {
        let (before, now) = (goal.measured(published)?.value, goal.measured(again)?.value);
        let apart = (now / before).max(before / now) - 1.0;
        let line = format!("{}: {now:.2} where {before:.2} is published", goal.what);
        (apart > tolerance).then_some(line)
    });
    each.collect()
}

/// An estimate with its interval.
fn written(Estimate { value, low, high }: Estimate) -> String {
    let digits = match value.abs() {
        ..1.0 => 3,
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$} ({low:.digits$} to {high:.digits$})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(wasmtime: f64) -> Table {
        let text = format!(
            "# about nothing\n# left out\ndecide,scopegate,native,500,10 10 10\ndecide,scopegate,wasmtime,500,{wasmtime} {wasmtime} 90\n\
             place,load,native,500,25000\nplace,load,node,500,40000\nsize,scopegate engine,module,0,41000 20000 13000\n"
        );
        text.parse().unwrap()
    }

    #[test]
    fn what_it_says() {
        let report = markdown(&table(15.0));
        for line in [
            "- nothing\n",
            "- left out\n",
            "| decide in wasmtime / natively, 500 rules | 1.50 (1.50 to 9.00) |\n",
            "| engine, raw | 41.0 KB |\n",
            "| scopegate | wasmtime | | | 15.0 ns | | |",
            "| load | 25.0 µs | | | 40.0 µs | |",
        ] {
            assert!(report.contains(line), "{line}\n{report}");
        }
    }

    /// The published report matches its samples, in the docs too.
    #[test]
    fn what_is_published_is_current() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let read = |path: &str| std::fs::read_to_string(format!("{root}/{path}")).unwrap();
        let text = read("benches/results/samples.csv") + &read("benches/results/servers.csv");
        let table: Table = text.parse().unwrap();
        for (path, text) in [
            ("benches/results/README.md", markdown(&table)),
            ("benches/results/decide.svg", chart::decide(&table)),
            ("benches/results/sizes.svg", chart::sizes(&table)),
        ] {
            assert!(read(path) == text, "{path} is not what its samples say");
        }
        let figures = figures(&table);
        assert!(read("docs/benchmarks.md").contains(&figures), "{figures}");
    }

    #[test]
    fn runs_are_compared_by_their_ratios() {
        assert_eq!(differences(&table(15.0), &table(16.0), 0.1), Vec::<String>::new());
        assert_eq!(differences(&table(15.0), &table(30.0), 0.1).len(), 1);
    }

    #[test]
    fn times() {
        for (nanoseconds, text) in [
            (9.94, "9.9 ns"),
            (234.4, "234 ns"),
            (2300.0, "2.3 µs"),
            (133_000.0, "133 µs"),
            (2.6e6, "2.6 ms"),
        ] {
            assert_eq!(time(nanoseconds), text);
        }
    }
}

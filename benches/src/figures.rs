//! The figures of benches of whole processes, for the report: each group as lines of CSV in a file
//! of its own, in `target/bench/servers`.
//!
//! Figures have their unit where [rows](mod@crate::table) have a modelling. Left out: comparing two
//! runs; on a shared machine the figures of whole processes vary too much for a check.

use std::fs;
use std::path::Path;

use crate::sample::Samples;
use crate::table::Row;

/// Figures of one group.
#[derive(Debug)]
pub struct Figures {
    group: &'static str,
    rows: Vec<Row>,
}

impl Figures {
    /// An empty group.
    #[must_use]
    pub fn new(group: &'static str) -> Self {
        Self { group, rows: Vec::new() }
    }

    /// Adds a figure, with one sample for each round, and returns the median.
    pub fn add(&mut self, name: &str, unit: &str, samples: Vec<f64>) -> f64 {
        self.add_at(0, name, unit, samples)
    }

    /// The same, for a count.
    pub fn add_at(&mut self, count: usize, name: &str, unit: &str, samples: Vec<f64>) -> f64 {
        let samples = Samples(samples);
        let median = samples.percentile(50);
        let (group, name) = (self.group.to_owned(), name.replace(',', ""));
        self.rows.push(Row { group, name, how: unit.to_owned(), rules: count, samples });
        median
    }

    /// Writes them for the report.
    ///
    /// # Panics
    ///
    /// When the file cannot be written.
    pub fn keep(self) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench/servers");
        fs::create_dir_all(&folder).expect("a folder");
        let lines: Vec<String> = self.rows.iter().map(|row| format!("{row}\n")).collect();
        let file = folder.join(self.group.replace(' ', "-")).with_extension("csv");
        fs::write(file, lines.concat()).expect("the figures are written");
    }
}

//! The measurements, as lines of CSV: group, name, how, rules, and the samples separated by blanks.
//! Lines that begin with `#` are remarks: omissions with their reasons, the machine, the versions.
//!
//! Times are nanoseconds; in the group `size` the samples are bytes: raw, after gzip, after brotli.

use std::fmt;
use std::str::FromStr;

use crate::sample::Samples;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The group of the measurement.
    pub group: String,
    /// The engine or program.
    pub name: String,
    /// How: a modelling, or a host.
    pub how: String,
    /// The number of rules.
    pub rules: usize,
    /// The measured values.
    pub samples: Samples,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, name, how, rules, samples } = self;
        let samples: Vec<String> = samples.0.iter().map(|sample| format!("{sample:.2}")).collect();
        write!(f, "{group},{name},{how},{rules},{}", samples.join(" "))
    }
}

impl FromStr for Row {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let fields: Vec<&str> = line.split(',').collect();
        let [group, name, how, rules, samples] = fields.as_slice() else {
            return Err(format!("not five fields: {line}"));
        };
        let rules = rules.parse().map_err(|_| format!("no number of rules: {line}"))?;
        let samples: Result<Vec<f64>, _> = samples.split(' ').map(str::parse).collect();
        let samples = Samples(samples.map_err(|_| format!("no samples: {line}"))?);
        let text = |field: &&str| (*field).to_owned();
        Ok(Self { group: text(group), name: text(name), how: text(how), rules, samples })
    }
}

/// All lines, and the remarks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The lines.
    pub rows: Vec<Row>,
    /// The remarks, without their `#`.
    pub remarks: Vec<String>,
}

impl Table {
    /// A line.
    #[must_use]
    pub fn row(&self, group: &str, name: &str, how: &str, rules: usize) -> Option<&Row> {
        self.rows.iter().find(|row| {
            row.group == group && row.name == name && row.how == how && row.rules == rules
        })
    }
}

impl FromStr for Table {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut table = Self::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            match line.strip_prefix("# ") {
                Some(remark) => table.remarks.push(remark.to_owned()),
                None => table.rows.push(line.parse()?),
            }
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let text = "# left out\ndecide,cedar,best,500,2.50 3.00\n";
        let table: Table = text.parse().unwrap();
        let row = table.row("decide", "cedar", "best", 500).unwrap();
        assert_eq!(
            (row.to_string().as_str(), &table.remarks[..]),
            ("decide,cedar,best,500,2.50 3.00", &["left out".to_owned()][..])
        );
        for broken in ["decide,cedar,best,500", "decide,cedar,best,x,1", "decide,cedar,best,1,x"] {
            assert!(broken.parse::<Table>().is_err(), "{broken}");
        }
    }
}

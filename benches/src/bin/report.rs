//! Makes a report of a table of samples, or compares two.
//!
//! `report write FOLDER` puts the table as Markdown and the pictures into a folder that has
//! samples. `report print FOLDER` prints the goals. `report verify PUBLISHED.csv AGAIN.csv` fails
//! where a ratio differs by more than a third.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use scopegate_benches::report::{chart, differences, goals, markdown};
use scopegate_benches::table::Table;

/// The tolerated difference between two runs on machines of one kind.
const TOLERANCE: f64 = 1.0 / 3.0;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["write", folder] => write(&read_all(folder)?, Path::new(folder)),
        ["print", folder] => {
            println!("{}", goals(&read_all(folder)?));
            Ok(ExitCode::SUCCESS)
        }
        ["verify", published, again] => {
            let lines = differences(&read(published)?, &read(again)?, TOLERANCE);
            lines.iter().for_each(|line| println!("{line}"));
            Ok(if lines.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        _ => Err("write, print or verify".to_owned()),
    }
}

fn write(table: &Table, folder: &Path) -> Result<ExitCode, String> {
    for (name, text) in [
        ("README.md", markdown(table)),
        ("decide.svg", chart::decide(table)),
        ("sizes.svg", chart::sizes(table)),
    ] {
        fs::write(folder.join(name), text).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The samples of one process, and those of servers where there are any.
fn read_all(folder: &str) -> Result<Table, String> {
    let mut table = read(&format!("{folder}/samples.csv"))?;
    if let Ok(servers) = read(&format!("{folder}/servers.csv")) {
        table.rows.extend(servers.rows);
        table.remarks.extend(servers.remarks);
    }
    Ok(table)
}

fn read(path: &str) -> Result<Table, String> {
    fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?.parse()
}

//! The words that the project does not use: `tidy/words.toml`, as a test.
//!
//! Identifiers are compared in code, phrases in comments and documents. Left out: strings, which
//! hold names of columns and fields, and blocks of code in documents.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::paths;
use crate::sources::{collect, comment};

/// The keywords that a declared name follows.
const DECLARING: [&str; 11] =
    ["fn", "struct", "enum", "trait", "type", "const", "static", "mod", "let", "mut", "ref"];

/// The lists of a section, by their keys: the subset of TOML that the file uses.
fn section(text: &str, name: &str) -> BTreeMap<String, Vec<String>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let header = format!("[{name}]");
    let body: String = lines
        .skip_while(|line| *line != header)
        .skip(1)
        .take_while(|line| !(line.starts_with('[') && line.ends_with(']') && !line.contains('"')))
        .collect();
    let lists = body.split_terminator(']').map(|entry| {
        let (key, list) = entry.split_once('=').unwrap();
        let list = list.trim().trim_start_matches('[').trim_end_matches(',');
        let words = serde_json::from_str(&format!("[{list}]")).unwrap();
        (key.trim().trim_matches('"').to_owned(), words)
    });
    lists.collect()
}

fn is_part_of_a_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The code of a line, without strings and without a comment at its end.
fn code(line: &str) -> String {
    let outside = line.split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
    outside.split("//").next().unwrap_or_default().to_owned()
}

/// The identifiers that a line of code uses, and whether it declares them.
fn identifiers(line: &str) -> Vec<(String, bool)> {
    let code = code(line);
    let mut found = Vec::new();
    let (mut rest, mut previous) = (code.as_str(), String::new());
    while let Some(start) = rest.find(is_part_of_a_word) {
        let (_, from) = rest.split_at(start);
        let end = from.find(|c| !is_part_of_a_word(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        let is_typed = after.starts_with(':') && !after.starts_with("::");
        let is_named = DECLARING.contains(&previous.as_str());
        found.push((word.to_owned(), is_typed || is_named));
        (rest, previous) = (after, word.to_owned());
    }
    found
}

/// The refused identifiers of a line of code.
fn refused_identifiers(line: &str, refused: &[String]) -> Vec<String> {
    let found = identifiers(line).into_iter().filter(|(word, is_declared)| {
        refused.contains(word) && (*is_declared || word.contains(char::is_uppercase))
    });
    found.map(|(word, _)| word).collect()
}

/// The refused phrases of a text, as whole words in any case.
fn refused_phrases<'p>(text: &str, phrases: &'p [String]) -> Vec<&'p str> {
    let text = text.to_lowercase();
    let words = text.split(|c| !is_part_of_a_word(c) && c != '\'').filter(|word| !word.is_empty());
    let text = format!(" {} ", words.collect::<Vec<_>>().join(" "));
    let phrases = phrases.iter().map(String::as_str);
    phrases.filter(|phrase| text.contains(&format!(" {phrase} "))).collect()
}

/// The paragraphs of a source's comments, each with the number of its first line.
fn paragraphs(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut is_open = false;
    for (line, number) in text.lines().zip(1..) {
        match comment(line) {
            Some(comment) if is_open => {
                let (_, paragraph) = found.last_mut().unwrap();
                paragraph.push(' ');
                paragraph.push_str(comment.trim());
            }
            Some(comment) => found.push((number, comment.trim().to_owned())),
            None => {}
        }
        is_open = comment(line).is_some();
    }
    found
}

/// The lines of a document outside of its blocks of code.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut is_code = false;
    let lines = text.lines().zip(1..).filter(|(line, _)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    });
    lines.map(|(line, number)| (number, line.to_owned())).collect()
}

fn documents(names: &[String]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in names.iter().map(|name| paths::root().join(name)) {
        match std::fs::read_dir(&path) {
            Ok(entries) => found.extend(entries.map(|entry| entry.unwrap().path())),
            Err(_) => found.push(path),
        }
    }
    found.retain(|path| path.extension().is_some_and(|form| form == "md"));
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&paths::root().join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

#[test]
fn refused_words_are_not_used() {
    let words = read(&paths::root().join("tidy/words.toml"));
    let mut problems = Vec::new();
    for (folder, refused) in section(&words, "identifiers") {
        for path in sources(&folder) {
            let text = read(&path);
            let lines = text.lines().zip(1..).filter(|(line, _)| comment(line).is_none());
            for (line, number) in lines {
                for word in refused_identifiers(line, &refused) {
                    problems.push(format!("{}:{number}: `{word}`", path.display()));
                }
            }
        }
    }
    let lists = section(&words, "prose");
    let commented = lists["sources"].iter().flat_map(|folder| sources(folder));
    let commented = commented.map(|path| (paragraphs(&read(&path)), path));
    let documents = documents(&lists["documents"]).into_iter();
    for (texts, path) in commented.chain(documents.map(|path| (prose(&read(&path)), path))) {
        for (number, text) in texts {
            for phrase in refused_phrases(&text, &lists["phrases"]) {
                problems.push(format!("{}:{number}: \"{phrase}\"", path.display()));
            }
        }
    }
    assert!(problems.is_empty(), "see tidy/words.toml:\n{}", problems.join("\n"));
}

#[test]
fn refused_identifiers_are_found() {
    let refused = ["place", "AtMost"].map(str::to_owned);
    for (line, expected) in [
        ("let place = 1;", vec!["place"]),
        ("fn place(&self) {}", vec!["place"]),
        ("struct S { place: usize }", vec!["place"]),
        ("let mut place = other.place();", vec!["place"]),
        ("other.place(1); place::f(); replace(2);", vec![]),
        ("Some(AtMost { until }) => {}", vec!["AtMost"]),
        (r#"query("place: AtMost"); // let place"#, vec![]),
    ] {
        assert_eq!(refused_identifiers(line, &refused), expected, "{line}");
    }
}

#[test]
fn refused_phrases_are_found() {
    let phrases = ["so many", "whoever"].map(str::to_owned);
    for (text, expected) in [
        ("// So\n// many at once.\n\n// whoever", vec![(1, vec!["so many"]), (4, vec!["whoever"])]),
        ("let whoever = 1;", vec![]),
        ("/// also manyfold", vec![(1, vec![])]),
    ] {
        let found: Vec<_> = paragraphs(text)
            .iter()
            .map(|(number, text)| (*number, refused_phrases(text, &phrases)))
            .collect();
        assert_eq!(found, expected, "{text}");
    }
}

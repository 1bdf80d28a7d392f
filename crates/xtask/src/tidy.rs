//! What every file of the project looks like.

use std::path::PathBuf;

use crate::paths;
use crate::sources::{collect, comment};

/// The widest comment, in characters.
const WIDEST: usize = 100;
/// What is longer than this cannot be broken: an address, a link, a piece of code.
const UNBREAKABLE: usize = 60;

/// The source files that people write.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["benches", "crates", "examples", "fuzz", "hosts", "tests", "web"] {
        collect(&paths::root().join(folder), &mut found);
    }
    found
}

/// Whether some of a comment is as long as a line, or it is a row of a table.
fn is_unbreakable(comment: &str) -> bool {
    let pieces = comment.split('`').enumerate();
    let mut words = pieces.flat_map(|(index, piece)| match index % 2 {
        0 => piece.split(' ').map(str::len).max(),
        _ => Some(piece.len()),
    });
    comment.starts_with('|') || words.any(|length| length > UNBREAKABLE)
}

/// The lines of a text that are too wide, from 1. Code in a comment is formatted as code.
fn wide(text: &str) -> Vec<usize> {
    let mut is_code = false;
    let mut found = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let Some(comment) = comment(line) else { continue };
        is_code ^= comment.trim_start().starts_with("```");
        if !is_code && line.chars().count() > WIDEST && !is_unbreakable(comment) {
            found.push(number);
        }
    }
    found
}

#[test]
fn comments_are_narrow() {
    let sources = sources();
    assert!(sources.len() > 500, "{}", sources.len());
    for path in sources {
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(wide(&text), [0_usize; 0], "{}: wider than {WIDEST}", path.display());
        assert!(!text.contains("/**\n\n"), "{}: a comment of blank lines", path.display());
    }
}

#[test]
fn wide_comments_are_found() {
    let long = "x ".repeat(60);
    let fenced = format!("/// ```\n/// {long}\n/// ```\n// {long}");
    for (text, expected) in [
        (format!("let x = 1; // {long}"), vec![]),
        (format!("// {long}\n//! {long}"), vec![1, 2]),
        (format!(" * {long}"), vec![1]),
        (format!("/// | {long} |"), vec![]),
        (format!("/// {}", "x".repeat(120)), vec![]),
        (fenced, vec![4]),
    ] {
        assert_eq!(wide(&text), expected, "{text}");
    }
}

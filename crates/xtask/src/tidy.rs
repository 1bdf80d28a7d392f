//! What every file of the project looks like.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::paths;

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

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let generated = ["node_modules", "target", "package"];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_generated = generated.iter().any(|name| path.ends_with(name));
        if path.is_dir() && !is_generated {
            collect(&path, found);
        } else if ["rs", "ts", "tsx"]
            .iter()
            .any(|form| path.extension().is_some_and(|own| own == *form))
            && !path.ends_with("types.d.ts")
        {
            found.push(path);
        }
    }
}

/// The text of a line that is nothing but a comment.
fn comment(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let marks = ["//! ", "/// ", "// ", "/** ", "* "];
    marks.iter().find_map(|mark| line.strip_prefix(mark))
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

/// Which modules of a crate each of its modules names.
fn imports(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut files = Vec::new();
    collect(folder, &mut files);
    let module = |path: &Path| {
        let first = path.strip_prefix(folder).unwrap().iter().next().unwrap();
        first.to_string_lossy().trim_end_matches(".rs").to_owned()
    };
    let modules: BTreeSet<String> = files.iter().map(|path| module(path)).collect();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in &files {
        let (own, text) = (module(path), std::fs::read_to_string(path).unwrap());
        if own == "lib" || own == "main" {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let code = code.lines().filter(|line| comment(line).is_none());
        let named = code.flat_map(|line| line.split("crate::").skip(1)).map(|rest| {
            rest.split(|letter: char| !letter.is_ascii_lowercase() && letter != '_').next()
        });
        let named = named.flatten().filter(|name| modules.contains(*name) && *name != own);
        found.entry(own.clone()).or_default().extend(named.map(ToOwned::to_owned));
    }
    found
}

/// The modules that lead back to themselves.
fn knotted(imports: &BTreeMap<String, BTreeSet<String>>) -> Vec<&str> {
    let leads_back = |start: &&str| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![*start]);
        while let Some(module) = next.pop() {
            for named in imports.get(module).into_iter().flatten() {
                if named == start {
                    return true;
                }
                if seen.insert(named.as_str()) {
                    next.push(named);
                }
            }
        }
        false
    };
    imports.keys().map(String::as_str).filter(leads_back).collect()
}

#[test]
fn modules_import_each_other_in_one_direction() {
    let root = paths::root();
    let crates = ["crates", "hosts"].map(|folder| std::fs::read_dir(root.join(folder)).unwrap());
    let (mut seen, mut knots) = (0, Vec::new());
    for folder in crates.into_iter().flatten().map(|entry| entry.unwrap().path()) {
        let name = folder.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let imports = imports(&folder.join("src"));
        let found = knotted(&imports);
        if !found.is_empty() {
            knots.push(format!("{name}: {} of {}, {found:?}", found.len(), imports.len()));
        }
        seen += imports.len();
    }
    assert!(seen > 100, "{seen}");
    assert!(knots.is_empty(), "{}", knots.join("\n"));
}

#[test]
fn circles_are_found() {
    let of = |pairs: &[(&str, &str)]| {
        let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, to) in pairs {
            imports.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        knotted(&imports).into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert!(of(&[("a", "b"), ("b", "c"), ("a", "c")]).is_empty());
    assert_eq!(of(&[("a", "b"), ("b", "c"), ("c", "b"), ("d", "a")]), ["b", "c"]);
}

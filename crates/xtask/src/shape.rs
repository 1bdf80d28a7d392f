//! The shape of the house in numbers: how much there is, how long its functions are, how it imports
//! itself. `cargo xtask shape [folder]` counts this tree or another one, for a comparison.
//!
//! Texts are counted, not syntax trees: a function ends at the brace that closes its line's
//! indentation, as rustfmt writes it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::imports::{knotted, siblings};
use crate::paths;
use crate::sources::collect;

/// A file of Rust or TypeScript.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn is_test(&self) -> bool {
        ["tests/", "/tests/", ".test.ts", ".spec.ts", "/samples/", "fuzz/", "benches/"]
            .iter()
            .any(|mark| self.path.contains(mark))
    }

    /// What is shipped of it.
    fn code(&self) -> &str {
        self.text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default()
    }
}

/// Prints the numbers of a tree.
pub(crate) fn print(folder: Option<&str>) -> anyhow::Result<()> {
    let root = folder.map_or_else(paths::root, PathBuf::from);
    let sources = sources(&root)?;
    let shipped: Vec<&Source> = sources.iter().filter(|source| !source.is_test()).collect();
    let lines = |sources: &[&Source]| -> usize {
        sources.iter().map(|source| source.text.lines().count()).sum()
    };
    let tests: Vec<&Source> = sources.iter().filter(|source| source.is_test()).collect();
    println!("files, lines: {}, {}", shipped.len(), lines(&shipped));
    println!("of tests: {}, {}", tests.len(), lines(&tests));
    for (name, of) in [("shipped", &shipped), ("tests", &tests)] {
        let (length, place) = longest_function(of);
        println!("longest function, {name}: {length} lines, {place}");
        let (length, place) = longest_file(of);
        println!("longest file, {name}: {length} lines, {place}");
    }
    for (name, knots) in circles(&root)? {
        println!("modules in a circle, {name}: {knots}");
    }
    list("rules that accept claims by their times", &shipped, accepts_claims);
    list("types of a resource's type, name and actions", &shipped, is_access_type);
    list("readers of a JWS's three parts", &shipped, splits_jws);
    let programs = std::fs::read_dir(root.join("hosts/token-server/tests"))?
        .filter_map(Result::ok)
        .filter(|entry| {
            let path = entry.path();
            path.extension().is_some_and(|form| form == "rs") || path.join("main.rs").is_file()
        });
    println!("test programs of the token server: {}", programs.count());
    let readme = std::fs::read_to_string(root.join("README.md"))?;
    println!("words in README: {}", readme.split_whitespace().count());
    Ok(())
}

fn sources(root: &Path) -> anyhow::Result<Vec<Source>> {
    let mut files = Vec::new();
    for folder in ["benches", "crates", "fuzz", "hosts", "tests", "web"] {
        collect(&root.join(folder), &mut files);
    }
    files
        .into_iter()
        .map(|file| {
            let path = file.strip_prefix(root)?.display().to_string();
            Ok(Source { path, text: std::fs::read_to_string(&file)? })
        })
        .collect()
}

fn longest_file<'s>(sources: &[&'s Source]) -> (usize, &'s str) {
    let each = sources.iter().map(|source| (source.text.lines().count(), source.path.as_str()));
    each.max().unwrap_or_default()
}

fn longest_function(sources: &[&Source]) -> (usize, String) {
    let rust = sources.iter().filter(|source| source.path.ends_with(".rs"));
    let each = rust.flat_map(|source| {
        functions(&source.text)
            .into_iter()
            .map(|(length, name)| (length, format!("{} in {}", name, source.path)))
    });
    each.max().unwrap_or_default()
}

/// The functions of a text, each with how many lines it has.
fn functions(text: &str) -> Vec<(usize, String)> {
    let mut open: Vec<(usize, usize, String)> = Vec::new();
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        if let Some(name) = function_name(code) {
            open.push((indent, number, name.to_owned()));
        }
        if code.starts_with('}')
            && let Some((_, begin, name)) = open.pop_if(|(own, ..)| *own == indent)
        {
            found.push((number - begin + 1, name));
        }
    }
    found
}

fn function_name(code: &str) -> Option<&str> {
    let words =
        ["pub ", "pub(crate) ", "pub(super) ", "const ", "async ", "unsafe ", "extern \"C\" "];
    let mut rest = code;
    while let Some(shorter) = words.iter().find_map(|word| rest.strip_prefix(word)) {
        rest = shorter;
    }
    let name = rest.strip_prefix("fn ")?.split(['(', '<']).next()?;
    (!code.ends_with(';') && !code.ends_with("{}")).then_some(name)
}

/// How many modules of each crate lead back to themselves.
fn circles(root: &Path) -> anyhow::Result<BTreeMap<String, usize>> {
    let mut found = BTreeMap::new();
    for folder in ["crates", "crates/stand-ins", "hosts"] {
        for entry in std::fs::read_dir(root.join(folder))? {
            let path = entry?.path();
            let knots: usize =
                siblings(&path.join("src")).values().map(|edges| knotted(edges).len()).sum();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if knots > 0 {
                found.insert(name, knots);
            }
        }
    }
    Ok(found)
}

fn list(name: &str, sources: &[&Source], is_one: impl Fn(&str) -> bool) {
    // This file holds the patterns themselves.
    let others = sources.iter().filter(|source| !source.path.ends_with("xtask/src/shape.rs"));
    let found = others.filter(|source| is_one(source.code()));
    let found: Vec<&str> = found.map(|source| source.path.as_str()).collect();
    println!("{name}: {} ({})", found.len(), found.join(", "));
}

/// Compares `exp` and `nbf` with a time, and knows how far clocks may be apart.
fn accepts_claims(code: &str) -> bool {
    let code = code.to_ascii_lowercase();
    let compares = |claim: &str| {
        code.lines().filter(|line| !line.trim_start().starts_with(['/', '*'])).any(|line| {
            line.contains(claim)
                && (line.contains('<') || line.contains('>'))
                && (line.contains("now") || line.contains("leeway") || line.contains("latest"))
        })
    };
    compares("exp") && compares("nbf") && code.contains("leeway")
}

fn is_access_type(code: &str) -> bool {
    code.split("struct ").skip(1).any(|rest| {
        let body = rest.split("\n}").next().unwrap_or_default();
        body.contains("resource_type:") && body.contains("name:") && body.contains("actions:")
    })
}

fn splits_jws(code: &str) -> bool {
    code.contains("rsplit_once('.')")
        || code.contains(r#".split(".")"#) && code.contains("signature")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_measured() {
        let text = "fn a() {\n    b();\n}\nimpl X {\n    pub(crate) async fn c(&self) {\n    }\n}\nfn d();\n";
        let found = functions(text);
        assert_eq!(found, [(3, "a".to_owned()), (2, "c".to_owned())]);
    }
}

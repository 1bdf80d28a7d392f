//! Which crate, which room and which module may use which: the drawing of
//! `docs/architecture.md`, as tests.
//!
//! Modules are read from texts: paths that begin with `crate::` or `super::`. Left out: what a
//! module takes by way of another one's re-export.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::sources::{collect, comment};

type Edges = BTreeMap<String, BTreeSet<String>>;

/// The names that begin a path: of `a::b` and of `{a::b, c}`.
fn heads(rest: &str) -> Vec<Vec<&str>> {
    let name =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    let path = |text: &'_ str| text.len() - text.trim_start_matches(|c| name(c) || c == ':').len();
    let Some(list) = rest.strip_prefix('{') else {
        let (path, _) = rest.split_at(path(rest));
        return vec![path.split("::").filter(|name| !name.is_empty()).collect()];
    };
    let (mut depth, mut begin, mut found) = (0_usize, 0, Vec::new());
    for (index, letter) in list.char_indices() {
        match letter {
            ',' | '}' if depth == 0 => {
                found.extend(heads(list[begin..index].trim_start()));
                begin = index + 1;
                if letter == '}' {
                    break;
                }
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    found
}

/// The module of a file below `src`: `a/b.rs` is `a::b`, and `lib.rs` the crate itself.
fn module(file: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        file.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|name| ["lib", "main", "mod"].contains(&name.as_str())) {
        names.pop();
    }
    names
}

/// The paths that a module names, from the crate's root.
fn named(own: &[String], text: &str) -> Vec<Vec<String>> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code: Vec<&str> = code.lines().filter(|line| comment(line).is_none()).collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for (mark, base) in [("crate::", 0), ("super::", 1)] {
        for (at, _) in code.match_indices(mark) {
            if code[..at].ends_with("super::")
                || code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
            {
                continue;
            }
            let mut rest = &code[at + mark.len()..];
            let mut base = if base == 0 { 0 } else { own.len() - 1 };
            while let Some(further) = rest.strip_prefix("super::") {
                (rest, base) = (further, base.saturating_sub(1));
            }
            for head in heads(rest) {
                let mut path = own[..base].to_vec();
                path.extend(head.into_iter().map(ToOwned::to_owned));
                found.push(path);
            }
        }
    }
    found
}

/// Which siblings each module names, by the room that they are in.
pub(crate) fn siblings(src: &Path) -> BTreeMap<Vec<String>, Edges> {
    let mut files = Vec::new();
    collect(src, &mut files);
    let modules: BTreeMap<Vec<String>, String> = files
        .iter()
        .map(|file| {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            (module(file.strip_prefix(src).unwrap_or(file)), text)
        })
        .collect();
    let is_module = |path: &[String]| modules.keys().any(|module| module.starts_with(path));
    let mut rooms: BTreeMap<Vec<String>, Edges> = BTreeMap::new();
    for (own, text) in &modules {
        for path in named(own, text) {
            let shared = own.iter().zip(&path).take_while(|(own, named)| own == named).count();
            let (Some(from), Some(to)) = (own.get(shared), path.get(shared)) else { continue };
            if is_module(&path[..=shared]) {
                let room = rooms.entry(own[..shared].to_vec()).or_default();
                room.entry(from.clone()).or_default().insert(to.clone());
            }
        }
    }
    rooms
}

/// The modules that lead back to themselves.
pub(crate) fn knotted(edges: &Edges) -> Vec<&str> {
    let leads_back = |start: &&str| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![*start]);
        while let Some(module) = next.pop() {
            for named in edges.get(module).into_iter().flatten() {
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
    edges.keys().map(String::as_str).filter(leads_back).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths;

    /// Which crates of the workspace a crate may depend on, beside those that they depend on. What
    /// only tests need is not counted.
    const CRATES: [(&str, &[&str]); 16] = [
        ("scopegate-core", &[]),
        ("scopegate-api", &["scopegate-core"]),
        ("scopegate-edge", &["scopegate-api", "scopegate-core"]),
        ("scopegate-host", &["scopegate-edge"]),
        ("scopegate-wasm", &["scopegate-api", "scopegate-core", "scopegate-edge"]),
        ("scopegate-bindgen", &["scopegate-api", "scopegate-core", "scopegate-edge"]),
        ("scopegate-runtime", &["scopegate-api", "scopegate-core"]),
        ("scopegate-cli", &["scopegate-api", "scopegate-core"]),
        ("scopegate-envoy-filter", &["scopegate-api", "scopegate-core", "scopegate-edge"]),
        (
            "scopegate-gateway",
            &["scopegate-api", "scopegate-core", "scopegate-edge", "scopegate-host"],
        ),
        (
            "scopegate-server",
            &[
                "scopegate-api",
                "scopegate-core",
                "scopegate-edge",
                "scopegate-host",
                "scopegate-runtime",
            ],
        ),
        ("scopegate-benches", &["scopegate-core"]),
        ("scopegate-tests", &["scopegate-api", "scopegate-core", "scopegate-edge"]),
        ("xtask", &[]),
        ("derivative", &[]),
        ("rustls-pemfile", &[]),
    ];

    /// The folders of crates.
    const FOLDERS: [&str; 3] = ["crates", "crates/stand-ins", "hosts"];

    /// Which rooms of the token server a room may use.
    const ROOMS: [(&str, &[&str]); 8] = [
        ("http", &["app", "clock", "config", "domain", "model", "store", "telemetry"]),
        ("app", &["clock", "config", "domain", "model", "store", "telemetry"]),
        ("domain", &["clock", "config", "model", "store", "telemetry"]),
        ("telemetry", &["clock", "config", "model"]),
        ("config", &["model", "store"]),
        ("store", &["clock", "model"]),
        ("model", &[]),
        ("clock", &[]),
    ];

    #[test]
    fn modules_import_each_other_in_one_direction() {
        let root = paths::root();
        let crates = FOLDERS.map(|folder| std::fs::read_dir(root.join(folder)).unwrap());
        let (mut seen, mut knots) = (0, Vec::new());
        for folder in crates.into_iter().flatten().map(|entry| entry.unwrap().path()) {
            let name = folder.strip_prefix(&root).unwrap().display().to_string();
            for (room, edges) in siblings(&folder.join("src")) {
                let found = knotted(&edges);
                if !found.is_empty() {
                    knots.push(format!("{name}, {}: {found:?}", room.join("::")));
                }
                seen += edges.len();
            }
        }
        assert!(seen > 150, "{seen}");
        assert!(knots.is_empty(), "{}", knots.join("\n"));
    }

    #[test]
    fn rooms_of_the_token_server_use_those_below() {
        let rooms = siblings(&paths::root().join("hosts/token-server/src"));
        let edges: Vec<(String, String)> = rooms[&Vec::new()]
            .iter()
            .filter(|(from, _)| !["commands", "testing"].contains(&from.as_str()))
            .flat_map(|(from, to)| to.iter().map(move |to| (from.clone(), to.clone())))
            .collect();
        assert!(edges.len() > 15, "{edges:?}");
        let is_drawn = |(from, to): &&(String, String)| {
            ROOMS.iter().any(|(room, uses)| room == from && uses.contains(&to.as_str()))
        };
        let others: Vec<_> = edges.iter().filter(|edge| !is_drawn(edge)).collect();
        assert!(others.is_empty(), "{others:?}");
    }

    /// The crates of the workspace that a manifest depends on.
    fn dependencies(manifest: &str) -> BTreeSet<String> {
        let tables = manifest.split("\n[").filter(|table| {
            table.starts_with("dependencies]")
                || (table.starts_with("target.") && table.contains("dependencies]"))
        });
        let lines = tables.flat_map(str::lines).filter(|line| line.starts_with("scopegate-"));
        let names = lines.filter_map(|line| line.split(['.', ' ', '=']).next());
        names.map(ToOwned::to_owned).collect()
    }

    #[test]
    fn crates_depend_on_those_below() {
        let root = paths::root();
        let mut folders: Vec<_> = FOLDERS
            .into_iter()
            .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap())
            .map(|entry| entry.unwrap().path())
            .collect();
        folders.extend([root.join("benches"), root.join("tests")]);
        let mut seen = 0;
        for folder in folders {
            let Ok(manifest) = std::fs::read_to_string(folder.join("Cargo.toml")) else { continue };
            let name = manifest.lines().find_map(|line| line.strip_prefix("name = ")).unwrap();
            let name = name.trim_matches('"');
            let (_, known) = CRATES.iter().find(|(known, _)| *known == name).unwrap_or_else(|| {
                panic!("{name} has no row in the list of crates");
            });
            let others: Vec<String> = dependencies(&manifest)
                .into_iter()
                .filter(|dependency| !known.contains(&dependency.as_str()))
                .collect();
            assert!(others.is_empty(), "{name}: {others:?}");
            seen += 1;
        }
        assert_eq!(seen, CRATES.len());
    }

    #[test]
    fn circles_are_found() {
        let of = |pairs: &[(&str, &str)]| {
            let mut edges = Edges::new();
            for (from, to) in pairs {
                edges.entry((*from).to_owned()).or_default().insert((*to).to_owned());
            }
            knotted(&edges).into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
        };
        assert!(of(&[("a", "b"), ("b", "c"), ("a", "c")]).is_empty());
        assert_eq!(of(&[("a", "b"), ("b", "c"), ("c", "b"), ("d", "a")]), ["b", "c"]);
    }

    #[test]
    fn paths_are_read() {
        let own = ["a", "b"].map(ToOwned::to_owned);
        for (text, expected) in [
            ("use crate::x::y::Z;", vec!["x::y"]),
            ("use crate::{x::Y, z};", vec!["x", "z"]),
            ("use super::c::d;", vec!["a::c::d"]),
            ("use super::super::c;", vec!["c"]),
            ("use super::{c::{D, E}, f};", vec!["a::c", "a::f"]),
            ("// crate::x\n/// [`x`](crate::x)", vec![]),
            ("#[cfg(test)]\nmod tests { use crate::x; }", vec![]),
            ("pub(crate) fn f(x: crate::x::Y)", vec!["x"]),
        ] {
            let found: Vec<String> = named(&own, text).iter().map(|path| path.join("::")).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}

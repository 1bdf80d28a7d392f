//! Writes the seeds of the fuzz targets, `fuzz/corpus/<target>/`, from the cases in `tests/cases`.
//!
//! A seed is named after the case that it comes from. The folder is not kept in the repository: the
//! cases are.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "what fails ends the test"
)]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use scopegate_core::{ScopeMap, Table};
use serde::Deserialize;
use serde::de::DeserializeOwned;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seeds = Seeds { corpus: tests.join("../fuzz/corpus") };
    for (stem, file) in read_all::<Decisions>(&tests.join("cases/decide"))? {
        seeds.decisions(&stem, &file)?;
    }
    for (stem, file) in read_all::<Cases<Pattern>>(&tests.join("cases/pattern"))? {
        seeds.patterns(&stem, &file.cases)?;
    }
    for (stem, file) in read_all::<Cases<Route>>(&tests.join("cases/route"))? {
        seeds.routes(&stem, &file.cases)?;
    }
    for (stem, file) in read_all::<Cases<Admission>>(&tests.join("cases/admit"))? {
        seeds.requests(&stem, &file.cases)?;
    }
    for (stem, file) in read_all::<Acceptance>(&tests.join("cases/accept"))? {
        seeds.claims(&stem, &file)?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Decisions {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    map: Vec<String>,
    cases: Vec<Decision>,
}

#[derive(Deserialize)]
struct Decision {
    scope: Vec<String>,
}

#[derive(Deserialize)]
struct Acceptance {
    payload: String,
    cases: Vec<Changed>,
}

/// A payload with texts of it replaced by others.
#[derive(Deserialize)]
struct Changed {
    #[serde(default)]
    change: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Cases<T> {
    cases: Vec<T>,
}

#[derive(Deserialize)]
struct Pattern {
    pattern: String,
}

#[derive(Deserialize)]
struct Route {
    target: String,
    scopes: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Admission {
    target: String,
    #[serde(default)]
    content_types: Vec<String>,
}

/// Every file of a folder of cases, with its name.
fn read_all<T: DeserializeOwned>(folder: &Path) -> Result<Vec<(String, T)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        files.push((stem, serde_json::from_slice(&fs::read(&path)?)?));
    }
    Ok(files)
}

struct Seeds {
    corpus: PathBuf,
}

impl Seeds {
    /// Maps as documents, as tables and as rules; their requests alone and with the map.
    fn decisions(&self, stem: &str, file: &Decisions) -> Result<()> {
        for (place, group) in file.groups.iter().enumerate() {
            let stem = format!("{stem}-{place}");
            let map = ScopeMap::parse(group.map.iter().map(String::as_str))?;
            self.write("table", &stem, Table::compile([&map])?.as_bytes())?;
            for (place, rule) in group.map.iter().enumerate() {
                self.write("pattern", &format!("{stem}-{place}"), rule.as_bytes())?;
            }
            let document = serde_json::to_string(&group.map)?;
            for (place, case) in group.cases.iter().enumerate() {
                let (stem, request) = (format!("{stem}-{place}"), case.scope.join(" "));
                self.write("scope", &stem, request.as_bytes())?;
                self.write("map", &stem, format!("{request}\n{document}").as_bytes())?;
            }
        }
        Ok(())
    }

    fn patterns(&self, stem: &str, cases: &[Pattern]) -> Result<()> {
        for (place, case) in cases.iter().enumerate() {
            self.write("pattern", &format!("{stem}-{place}"), case.pattern.as_bytes())?;
        }
        Ok(())
    }

    /// Targets, and the challenge of a request for one without a token.
    fn routes(&self, stem: &str, cases: &[Route]) -> Result<()> {
        for (place, case) in cases.iter().enumerate() {
            let stem = format!("{stem}-{place}");
            self.write("path", &stem, case.target.as_bytes())?;
            if let Some(scopes) = &case.scopes {
                let scope = scopes.join(" ");
                let header =
                    format!(r#"Bearer realm="https://r.example/t",service="r",scope="{scope}""#);
                self.write("challenge", &stem, header.as_bytes())?;
            }
        }
        Ok(())
    }

    /// Whole requests, each with a form for a body.
    fn requests(&self, stem: &str, cases: &[Admission]) -> Result<()> {
        for (place, case) in cases.iter().enumerate() {
            let mut text = case.target.clone();
            for value in &case.content_types {
                text += &format!("\nContent-Type: {value}");
            }
            text += "\n\nmount=sha256:0&from=secret/vault";
            self.write("request", &format!("{stem}-{place}"), text.as_bytes())?;
        }
        Ok(())
    }

    /// The claims of a token, good ones and others.
    fn claims(&self, stem: &str, file: &Acceptance) -> Result<()> {
        for (index, case) in file.cases.iter().enumerate() {
            let replace = |text: String, (from, to): &(String, String)| text.replacen(from, to, 1);
            let payload = case.change.iter().fold(file.payload.clone(), replace);
            self.write("claims", &format!("{stem}-{index}"), payload.as_bytes())?;
        }
        Ok(())
    }

    fn write(&self, target: &str, name: &str, seed: &[u8]) -> Result<()> {
        let folder = self.corpus.join(target);
        fs::create_dir_all(&folder)?;
        Ok(fs::write(folder.join(name), seed)?)
    }
}

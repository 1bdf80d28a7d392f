//! Where things are in the project.

use std::path::{Path, PathBuf};

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// The folder of the page's sources.
pub(crate) fn web() -> PathBuf {
    root().join("web")
}

/// A program that npm has installed for the page, by its path in `node_modules`.
pub(crate) fn web_tool(path: &str) -> PathBuf {
    web().join("node_modules").join(path)
}

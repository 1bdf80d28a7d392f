//! The source files that people write, and the comments in them.

use std::path::{Path, PathBuf};

/// Adds the files of Rust and TypeScript below a folder; none where there is no such folder.
pub(crate) fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let generated = ["node_modules", "target", "package"];
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
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
pub(crate) fn comment(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let marks = ["//! ", "/// ", "// ", "/** ", "* "];
    marks.iter().find_map(|mark| line.strip_prefix(mark))
}

//! A file that goes with the work on it: when that fails, or the command is interrupted.

use std::fs;
use std::path::{Path, PathBuf};

/// The path of a file that is deleted when this is dropped.
#[derive(Debug)]
pub(crate) struct Temporary(Option<PathBuf>);

impl Temporary {
    /// Deletes this file, unless it is [kept](Self::keep).
    pub(crate) fn new(path: &Path) -> Self {
        Self(Some(path.to_owned()))
    }

    /// Leaves the file where it is: it is whole.
    pub(crate) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // It may be gone.
            let _ = fs::remove_file(path);
        }
    }
}

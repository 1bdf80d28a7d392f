//! Stamps of completed work: a file beside an output holds the hash of its inputs.
//!
//! A stamp is a hash of names and contents but not of times, which a checkout changes.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use xshell::Shell;

/// The hash of the inputs, and its file.
pub(crate) struct Stamp {
    file: PathBuf,
    hash: String,
}

impl Stamp {
    /// The stamp of these files and folders, without `node_modules`.
    pub(crate) fn new(shell: &Shell, file: PathBuf, inputs: &[PathBuf]) -> anyhow::Result<Self> {
        let mut hasher = DefaultHasher::new();
        for input in inputs {
            add(shell, input, &mut hasher)?;
        }
        Ok(Self { file, hash: format!("{:016x}\n", hasher.finish()) })
    }

    /// Whether the stored stamp matches.
    pub(crate) fn is_current(&self, shell: &Shell) -> bool {
        shell.read_file(&self.file).is_ok_and(|noted| noted == self.hash)
    }

    /// Removes the stored stamp, before the work is repeated.
    pub(crate) fn clear(&self, shell: &Shell) -> anyhow::Result<()> {
        Ok(shell.remove_path(&self.file)?)
    }

    /// Stores the stamp, after the work is done.
    pub(crate) fn write(&self, shell: &Shell) -> anyhow::Result<()> {
        Ok(shell.write_file(&self.file, &self.hash)?)
    }
}

fn add(shell: &Shell, path: &Path, hasher: &mut DefaultHasher) -> anyhow::Result<()> {
    let name = path.file_name().unwrap_or_default();
    if name == "node_modules" {
        return Ok(());
    }
    name.hash(hasher);
    if !path.is_dir() {
        shell.read_binary_file(path)?.hash(hasher);
        return Ok(());
    }
    let entries = shell.read_dir(path)?;
    entries.len().hash(hasher);
    entries.iter().try_for_each(|entry| add(shell, entry, hasher))
}

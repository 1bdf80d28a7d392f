//! Work that was done already: a file beside what was made says what it was made of.
//!
//! A stamp is a hash of names and contents and never of times, which a checkout changes.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use xshell::Shell;

/// What a piece of work is made of, and where that is noted.
pub(crate) struct Stamp {
    file: PathBuf,
    hash: String,
}

impl Stamp {
    /// The stamp of these files and folders. What npm installs is not looked into.
    pub(crate) fn new(shell: &Shell, file: PathBuf, inputs: &[PathBuf]) -> anyhow::Result<Self> {
        let mut hasher = DefaultHasher::new();
        for input in inputs {
            add(shell, input, &mut hasher)?;
        }
        Ok(Self { file, hash: format!("{:016x}\n", hasher.finish()) })
    }

    /// Whether the work was done with exactly these.
    pub(crate) fn is_current(&self, shell: &Shell) -> bool {
        shell.read_file(&self.file).is_ok_and(|noted| noted == self.hash)
    }

    /// Forgets what was done, for the time that it is done again.
    pub(crate) fn clear(&self, shell: &Shell) -> anyhow::Result<()> {
        Ok(shell.remove_path(&self.file)?)
    }

    /// Notes that it is done.
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

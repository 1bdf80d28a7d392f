//! The data folder, which only its owner may write: write access to it is full control over the
//! policy.
//!
//! The database, the bundle that registries trust and the engine's machine code are in it. The
//! store creates a missing folder for its owner alone.
//!
//! Left out: the folders above it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::bail;

/// The permission bits by which others than the owner may write.
const OTHERS: u32 = 0o022;

/// Refuses a folder that others may write, as OpenSSH does with its keys.
///
/// # Errors
///
/// For a folder with mode 0777 or 0770; the text says how to mend it.
pub(crate) fn check(folder: &Path) -> anyhow::Result<()> {
    let Ok(metadata) = fs::metadata(folder) else { return Ok(()) };
    let mode = metadata.mode() & 0o7777;
    if mode & OTHERS == 0 {
        return Ok(());
    }
    let path = folder.display();
    bail!(
        "the data folder {path} may be written by others (mode {mode:04o}), who could replace the server's keys and database: run `chmod go-w {path}`, or name a folder inside it"
    );
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_data_folder_that_others_may_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (mode, says) in [
            (0o700, None),
            (0o750, None),
            (0o755, None),
            (0o777, Some("(mode 0777)")),
            (0o1777, Some("(mode 1777)")),
            (0o770, Some("run `chmod go-w ")),
            (0o702, Some("(mode 0702)")),
        ] {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            let refused = check(folder.path()).err().map(|error| error.to_string());
            assert_eq!(refused.is_some(), says.is_some(), "{mode:o}");
            assert!(refused.unwrap_or_default().contains(says.unwrap_or_default()), "{mode:o}");
        }
        assert!(check(&folder.path().join("missing")).is_ok());
    }
}

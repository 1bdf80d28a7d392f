//! An image of one small file, made without a network.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::run;

/// Makes an image layout below `folder`; gives its place.
#[track_caller]
pub(crate) fn make(folder: &Path) -> PathBuf {
    let layout = folder.join("image");
    let tagged = format!("{}:v1", layout.display());
    let file = folder.join("hello");
    std::fs::write(&file, "hello\n").unwrap();
    run(Command::new("umoci").args(["init", "--layout"]).arg(&layout));
    run(Command::new("umoci").args(["new", "--image", &tagged]));
    let insert = ["insert", "--rootless", "--image", &tagged];
    run(Command::new("umoci").args(insert).arg(file).arg("/hello"));
    layout
}

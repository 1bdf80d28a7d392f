//! `diff`.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};

use crate::support::{Folder, refuses, runs, runs_with};

#[test]
fn diff_shows_who_gains_and_who_loses() {
    runs("diff list.yaml list.yaml", "", 0);
    runs("diff list.yaml list.yaml --output json", "[]\n", 0);
    runs(
        "diff list.yaml push.yaml",
        "~ app  gains push, loses pull,metadata_read  (for example `app`)\n",
        1,
    );
    runs(
        "diff crlf.yaml root.yaml",
        "+ *      gains pull,metadata_read  (for example `a`)
+ app    gains metadata_read  (for example `app`)
+ app/*  gains pull,metadata_read  (for example `app/a`)
",
        1,
    );
    runs(
        "diff list.yaml crlf.yaml --output json",
        r#"[{"pattern":"app","witness":"app","gained":[],"lost":["metadata_read"]}]
"#,
        1,
    );
    runs_with(
        "diff - list.yaml",
        "[]",
        ("+ app  gains pull,metadata_read  (for example `app`)\n", "", 1),
    );
    refuses("diff list.yaml none.json", "error: none.json: no such file\n");
    refuses(
        "diff - -",
        "error: `-` is standard input, which can be read only once\nhint: put one of them into a file\n",
    );
}

/// `scopegate diff … | head -1`: a reader may leave early.
#[test]
fn a_closed_pipe_is_no_error() {
    let folder = Folder::new();
    // More than a pipe holds, so that the program is still writing when the reader goes.
    let rules: Vec<_> = (0..5000).map(|n| format!("- repositories/r{n}/content/read\n")).collect();
    fs::write(folder.0.join("large.yaml"), rules.concat()).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_scopegate"))
        .args(["diff", "list.yaml", "large.yaml"])
        .current_dir(&folder.0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut start = [0; 5];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!((&start, output.status.code()), (b"- app", Some(1)));
}

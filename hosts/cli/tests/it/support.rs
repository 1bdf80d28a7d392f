//! The program, run in a folder of its own with the same files in it.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The files that every test finds.
const FILES: &[(&str, &str)] = &[
    // The additive example of the documentation.
    (
        "team.json",
        r#"{
            "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/myregistry/scopeMaps/MyScopeMap",
            "name": "MyScopeMap",
            "actions": [
                "repositories/sample/*/content/read",
                "repositories/sample/teamA/*/content/write",
                "repositories/sample/teamA/projectB/content/delete"
            ]
        }"#,
    ),
    ("list.yaml", "- repositories/app/content/read\n- repositories/app/metadata/read\n"),
    ("root.yaml", "actions: [repositories/*/content/read, repositories/*/metadata/read]\n"),
    ("push.yaml", "- repositories/app/content/write\n- repositories/app/content/write\n"),
    (
        "partly.yaml",
        "[repositories/a/*/content/write, repositories/a/b/content/read, repositories/a/b/metadata/read]",
    ),
    ("crlf.yaml", "actions:\r\n  - repositories/app/content/read\r\n"),
    ("bom.json", "\u{feff}[\"repositories/app/content/read\"]"),
    ("empty.json", "\n"),
    ("wrong.yaml", "- repositories/app/content/read\n- repositories/app*/content/read\n"),
    (
        "good.yaml",
        "scopeMaps: [team.json]\nassertions:\n  - allow: repository:sample/x:pull\n  - deny: repository:sample/x:push\n",
    ),
    (
        "bad.yaml",
        "scopeMaps:
  - name: inline-map
    actions: [repositories/samples/*/content/read]
assertions:
  - allow: repository:samples/nginx:pull
  - deny: repository:samples/nginx:pull,push
    why: nobody <pulls> from here
  - allow: 'repository:samples/nginx:pull,push repository:samples:fly'
  - allow: 'repository:samples/nginx:'
  - deny: 'repository:samples/nginx:'
  - deny: repository:samples/nginx:pusj
",
    ),
];

/// A folder with the files, gone when the test is over.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name =
            format!("scopegate-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        for (name, text) in FILES {
            fs::write(folder.join(name), text).unwrap();
        }
        Self(folder)
    }

    pub(crate) fn run(&self, args: &[&str], stdin: &[u8]) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_scopegate"))
            .args(args)
            .current_dir(&self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that does not read its standard input may be gone before it is written.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        child.wait_with_output().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What comes of a run: standard output, standard error and the exit code.
pub(crate) type Expected<'a> = (&'a str, &'a str, i32);

#[track_caller]
pub(crate) fn runs_with(args: &str, stdin: &str, (stdout, stderr, exit): Expected<'_>) {
    let args = words(args);
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let output = Folder::new().run(&args, stdin.as_bytes());
    let shown =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(
        (shown.0.as_str(), shown.1.as_str(), output.status.code()),
        (stdout, stderr, Some(exit)),
        "{args:?}"
    );
}

/// The words of a command line; an argument with spaces is in single quotes.
fn words(line: &str) -> Vec<String> {
    let quoted = line.split('\'').enumerate();
    quoted
        .flat_map(|(index, piece)| -> Vec<String> {
            if index % 2 == 1 {
                return vec![piece.to_owned()];
            }
            piece.split_whitespace().map(str::to_owned).collect()
        })
        .collect()
}

#[track_caller]
pub(crate) fn runs(args: &str, stdout: &str, exit: i32) {
    runs_with(args, "", (stdout, "", exit));
}

/// A run that says nothing but what is wrong.
#[track_caller]
pub(crate) fn refuses(args: &str, stderr: &str) {
    runs_with(args, "", ("", stderr, 2));
}

/// The documents of `tests/cases/cli`, which stand beside the program's own files under this name.
pub(crate) fn case(name: &str) -> String {
    format!("{}/../../tests/cases/cli/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A run on one of the cases; its long path is cut from the output.
#[track_caller]
pub(crate) fn case_runs(args: &str, name: &str, (stdout, stderr, exit): Expected<'_>) {
    let (path, folder) = (case(name), case(""));
    let args = words(&args.replace("CASE", &path));
    let output = Folder::new().run(&args.iter().map(String::as_str).collect::<Vec<_>>(), b"");
    let shown = |bytes| String::from_utf8(bytes).unwrap().replace(&folder, "");
    assert_eq!(
        (shown(output.stdout), shown(output.stderr), output.status.code()),
        (stdout.to_owned(), stderr.to_owned(), Some(exit)),
        "{args:?}"
    );
}

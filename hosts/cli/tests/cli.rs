//! The program as people run it: arguments and standard input in, text and an exit code out.
//!
//! Each test has a folder of its own with the same files in it; tables of runs go through [`runs`],
//! which alone knows how.

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

use std::fs;
use std::io::{Read, Write};
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
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
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

    fn run(&self, args: &[&str], stdin: &[u8]) -> Output {
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
type Expected<'a> = (&'a str, &'a str, i32);

#[track_caller]
fn runs_with(args: &str, stdin: &str, (stdout, stderr, exit): Expected<'_>) {
    let args = words(args);
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let output = Folder::new().run(&args, stdin.as_bytes());
    let said =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(
        (said.0.as_str(), said.1.as_str(), output.status.code()),
        (stdout, stderr, Some(exit)),
        "{args:?}"
    );
}

/// The words of a command line; an argument with spaces stands in single quotes.
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
fn runs(args: &str, stdout: &str, exit: i32) {
    runs_with(args, "", (stdout, "", exit));
}

/// A run that says nothing but what is wrong.
#[track_caller]
fn refuses(args: &str, stderr: &str) {
    runs_with(args, "", ("", stderr, 2));
}

#[test]
fn decide_in_json() {
    for (args, stdout, exit) in [
        (
            "--scope-map team.json repository:sample/teama/projectb:pull,push,delete",
            r#"{"access":[{"type":"repository","name":"sample/teama/projectb","actions":["pull","push","delete"]}],"denied":[],"invalid":[]}"#,
            0,
        ),
        (
            "--scope-map team.json repository:sample/teama/projectc:delete,push,pull",
            r#"{"access":[{"type":"repository","name":"sample/teama/projectc","actions":["push","pull"]}],"denied":[{"type":"repository","name":"sample/teama/projectc","actions":["delete"]}],"invalid":[]}"#,
            1,
        ),
        (
            "--scope-map team.json repository:sample:pull",
            r#"{"access":[],"denied":[{"type":"repository","name":"sample","actions":["pull"]}],"invalid":[]}"#,
            1,
        ),
        (
            "--scope-map team.json --scope-map list.yaml 'repository:app:pull repository:sample/x:pull' repository:app:fly",
            r#"{"access":[{"type":"repository","name":"app","actions":["pull"]},{"type":"repository","name":"sample/x","actions":["pull"]}],"denied":[{"type":"repository","name":"app","actions":["fly"]}],"invalid":[]}"#,
            1,
        ),
        (
            "--scope-map list.yaml oops repository:app:pull",
            r#"{"access":[{"type":"repository","name":"app","actions":["pull"]}],"denied":[],"invalid":[{"scope":"oops","message":"a scope with fewer than two colons: write `type:name:actions`","position":4}]}"#,
            2,
        ),
    ] {
        runs(&format!("decide --output json {args}"), &format!("{stdout}\n"), exit);
    }
}

/// What could be decided is printed all the same.
#[test]
fn a_request_without_a_scope_is_no_yes() {
    let stderr = "error: no scope in the request
hint: write `type:name:actions`, for example `repository:samples/nginx:pull`
";
    let nothing = "{\"access\":[],\"denied\":[],\"invalid\":[]}\n";
    runs_with("decide --scope-map root.yaml ''", "", ("", stderr, 2));
    runs_with("decide --scope-map root.yaml --output json ' '", "", (nothing, stderr, 2));
    runs_with("explain --scope-map root.yaml ''", "", ("", stderr, 2));
    runs_with("explain --scope-map root.yaml --output json ''", "", ("[]\n", stderr, 2));
    let stderr = "error: no action in `repository:a/b:`
hint: write `type:name:actions`, for example `repository:samples/nginx:pull`
";
    let stdout = "nothing  repository:a/b: (no action was asked for)\n";
    runs_with("decide --scope-map root.yaml repository:a/b:", "", (stdout, stderr, 2));
    runs_with(
        "decide --scope-map root.yaml --output json repository:a/b:",
        "",
        (nothing, stderr, 2),
    );
    let stdout = "`a/b` is asked for without an action, so nothing is granted\n";
    runs_with("explain --scope-map root.yaml repository:a/b:", "", (stdout, stderr, 2));
}

#[test]
fn decide_in_text() {
    runs_with(
        "decide --scope-map team.json repository:sample/teama/x:pull,push,delete repository:sample/x: repository:sample/x:",
        "",
        (
            "granted  repository:sample/teama/x:pull,push
denied   repository:sample/teama/x:delete
note: listing tags of sample/teama/x needs metadata_read in the acr profile
nothing  repository:sample/x: (no action was asked for)
",
            "error: no action in `repository:sample/x:`
hint: write `type:name:actions`, for example `repository:samples/nginx:pull`
",
            2,
        ),
    );
    runs(
        "decide --scope-map list.yaml repository:app:pull repository:App:pull",
        "granted  repository:app:pull
invalid  repository:App:pull
                    ^ an upper-case letter in the repository name
         hint: repository names are lower case
",
        2,
    );
}

#[test]
fn a_note_says_what_listing_needs() {
    let granted = "granted  repository:sample/x:pull\n";
    let note = "note: listing tags of sample/x needs metadata_read in the acr profile\n";
    let map = "--scope-map team.json repository:sample/x:pull";
    runs(&format!("decide {map}"), &format!("{granted}{note}"), 0);
    runs(&format!("decide --profile acr {map}"), &format!("{granted}{note}"), 0);
    runs(&format!("decide --profile distribution {map}"), granted, 0);
    runs(&format!("decide --scope-map root.yaml {map}"), granted, 0);
}

#[test]
fn the_catalog_is_a_setting() {
    for (args, verdict, exit) in [
        ("--scope-map root.yaml", "granted", 0),
        ("--scope-map root.yaml --catalog root", "granted", 0),
        ("--scope-map root.yaml --catalog never", "denied ", 1),
        ("--scope-map list.yaml", "denied ", 1),
        ("--scope-map list.yaml --catalog filtered", "granted", 0),
    ] {
        let stdout = format!("{verdict}  registry:catalog:*\n");
        runs(&format!("decide {args} registry:catalog:*"), &stdout, exit);
    }
}

#[test]
fn maps_in_every_form() {
    for file in ["list.yaml", "crlf.yaml", "bom.json", "root.yaml"] {
        let args = format!("decide --profile distribution --scope-map {file} repository:app:pull");
        runs(&args, "granted  repository:app:pull\n", 0);
    }
    runs_with(
        "decide --scope-map - --scope-map list.yaml repository:app:pull,push",
        r#"["repositories/app/content/write"]"#,
        ("granted  repository:app:pull,push\n", "", 0),
    );
}

/// The documents of `tests/cases/cli`, which stand beside the program's own files under this name.
fn case(name: &str) -> String {
    format!("{}/../../tests/cases/cli/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A run on one of the cases; its long path is cut from what is said.
#[track_caller]
fn case_runs(args: &str, name: &str, (stdout, stderr, exit): Expected<'_>) {
    let (path, folder) = (case(name), case(""));
    let args = words(&args.replace("CASE", &path));
    let output = Folder::new().run(&args.iter().map(String::as_str).collect::<Vec<_>>(), b"");
    let said = |bytes| String::from_utf8(bytes).unwrap().replace(&folder, "");
    assert_eq!(
        (said(output.stdout), said(output.stderr), output.status.code()),
        (stdout.to_owned(), stderr.to_owned(), Some(exit)),
        "{args:?}"
    );
}

#[test]
fn documents_that_people_have() {
    for (name, pull, push) in [
        ("_repositories_admin.json", 0, 0),
        ("_repositories_pull.json", 0, 1),
        ("pull-bom.json", 0, 1),
        ("pull-utf16.json", 0, 1),
        ("arm-template.json", 0, 0),
        ("acl72.json", 0, 1),
        ("d2932.json", 1, 1),
    ] {
        for (action, exit) in [("pull", pull), ("push", push)] {
            let verdict = if exit == 0 { "granted" } else { "denied " };
            let scope = format!("repository:org/app:{action}");
            let args = format!("decide --profile distribution --scope-map CASE {scope}");
            case_runs(&args, name, (&format!("{verdict}  {scope}\n"), "", exit));
        }
    }
}

#[test]
fn one_of_several_maps() {
    let several = |name: &str| {
        format!(
            "error: {name}: several scope maps: `_repositories_admin`, `_repositories_pull`\nhint: choose one with `--name`\n"
        )
    };
    for name in ["acr-list.json", "arm-list.json"] {
        let decide = "decide --profile distribution --scope-map CASE repository:a:pull,push";
        case_runs(decide, name, ("", &several(name), 2));
        case_runs("diff CASE CASE", name, ("", &several(name), 2));
        let granted = "granted  repository:a:pull\n";
        let denied = "denied   repository:a:push\n";
        let pull = format!("{decide} --name _repositories_pull");
        case_runs(&pull, name, (&format!("{granted}{denied}"), "", 1));
        // As Azure compares them; and what one of several grants is granted.
        let both = format!("{decide} --name _Repositories_Pull --name _repositories_admin");
        case_runs(&both, name, ("granted  repository:a:pull,push\n", "", 0));
        case_runs("diff CASE CASE --name _repositories_pull", name, ("", "", 0));
        case_runs(
            &format!("{decide} --name _repositories_pull --name none"),
            name,
            ("", "error: no scope map is called `none`\nhint: there is `_repositories_pull`\n", 2),
        );
    }
    case_runs(
        "lint CASE --name _repositories_pull",
        "acr-list.json",
        (
            "acr-list.json: actions[0]: pull_without_metadata_read: pulling works, listing tags needs metadata/read too (`repositories/*/content/read`)
acr-list.json: actions[0]: root_wildcard: covers every repository, also those that do not exist yet (`repositories/*/content/read`)
",
            "",
            0,
        ),
    );
    let output = Folder::new().run(&["lint", &case("arm-list.json")], b"");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("arm-list.json: _repositories_pull: actions[0]: root_wildcard: "),
        "{text}"
    );
    assert!(
        text.contains("arm-list.json: _repositories_admin: actions[4]: root_wildcard: "),
        "{text}"
    );
}

/// A removed rule is no rule.
#[test]
fn changes_are_refused() {
    let diff = "a diff, in which removed rules look like rules
hint: give the file as it is after the change, and compare two files with `scopegate diff`
";
    let plan = "a plan of Terraform, which has the rules of before and of after
hint: give what `terraform show -json` prints when the plan is applied, or the scope map as `az` shows it
";
    for (name, says) in [("d.diff", diff), ("d.minus", diff), ("d.plan", plan)] {
        let stderr = format!("error: {name}: {says}");
        case_runs("decide --scope-map CASE repository:team/app:push", name, ("", &stderr, 2));
        case_runs("lint CASE", name, ("", &stderr, 2));
    }
}

/// Nobody can change a system-defined map, so the token gets another one.
#[test]
fn the_way_out_of_a_system_defined_map() {
    let update = "fix: az acr token update --name $TOKEN --registry contoso --scope-map";
    let stdout = format!(
        "`charts/web` is denied metadata_read: no rule that matches it grants that; there is `*` content/read (_repositories_pull)
{update} _repositories_pull_metadata_read
{update} _repositories_push_metadata_write
{update} _repositories_admin
fix: az acr scope-map create --name $SCOPE_MAP --registry contoso --repository charts/web content/read metadata/read && az acr token update --name $TOKEN --registry contoso --scope-map $SCOPE_MAP
"
    );
    let explain = "explain --scope-map CASE repository:charts/web:metadata_read";
    case_runs(explain, "_repositories_pull.json", (&stdout, "", 1));
}

#[test]
fn decide_refuses_bad_input() {
    for (args, stderr) in [
        ("--scope-map none.json x:y:z", "error: none.json: no such file\n"),
        ("--scope-map . x:y:z", "error: .: a directory, not a file\n"),
        ("--scope-map empty.json x:y:z", "error: empty.json: nothing in it\n"),
        (
            "--scope-map wrong.yaml x:y:z",
            "error: wrong.yaml: actions[1]: a wildcard that does not follow a slash at byte 16 of `repositories/app*/content/read`
hint: write `/*`, which covers all that is below a path
",
        ),
        (
            "--scope-map - --scope-map - x:y:z",
            "error: `-` stands for standard input, which can be read only once
hint: put one of them into a file
",
        ),
    ] {
        refuses(&format!("decide {args}"), stderr);
    }
    let many = "repository:app:pull ".repeat(129);
    refuses(
        &format!("decide --scope-map team.json '{many}'"),
        "error: more than 128 scopes in one request\nhint: ask for fewer scopes at a time\n",
    );
}

#[test]
fn input_is_bounded_and_utf_8() {
    let folder = Folder::new();
    let stderr = |stdin: &[u8]| {
        let output = folder.run(&["lint", "-"], stdin);
        assert_eq!((output.stdout.as_slice(), output.status.code()), (&b""[..], Some(2)));
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(stderr(&vec![b' '; 9 << 20]), "error: <stdin>: more than 8388608 bytes\n");
    assert_eq!(stderr(&vec![b'-'; 5 << 20]), "error: <stdin>: more than 4194304 bytes\n");
    assert_eq!(
        stderr(b"- \xff"),
        "error: <stdin>: not UTF-8 at byte 2\nhint: save the file as UTF-8\n"
    );
    for cut in [&b"\xff\xfe["[..], b"\xfe\xff\xd8\x00\x00["] {
        assert_eq!(
            stderr(cut),
            "error: <stdin>: not the UTF-16 that its first bytes say\nhint: save the file as UTF-8\n"
        );
    }
}

/// Scopes come from anywhere, and no scope may print a line that looks like ours, or drive the
/// terminal.
#[test]
fn nothing_can_be_forged() {
    runs(
        "decide --scope-map list.yaml 'repository:app:x\ngranted' 'repository:app:\u{1b}[2K'",
        "denied   repository:app:x\\ngranted,\\u{1b}[2K\n",
        1,
    );
    runs(
        "explain --scope-map list.yaml 'repository:app:x\n`b`'",
        "`app` is denied x\\n`b`: nobody knows this action\n",
        1,
    );
    runs_with(
        "explain --scope-map list.yaml 'a\nerror:b'",
        "",
        (
            "",
            "error: a scope with fewer than two colons at byte 9 of `a\\nerror:b`\nhint: write `type:name:actions`\n",
            2,
        ),
    );
}

#[test]
fn long_scopes_are_cut() {
    let long = "a".repeat(10_000);
    let shown = "a".repeat(60);
    runs(
        &format!("decide --scope-map list.yaml repository:{long}A:pull"),
        &format!(
            "invalid  …{shown}{shown}…
         {:61}^ the repository name is longer than 255 bytes
         hint: use at most 255 bytes, all components and slashes counted
",
            ""
        ),
        2,
    );
}

#[test]
fn explain() {
    runs(
        "explain --scope-map team.json repository:sample/x:pull,push repository:sample:pull",
        "`sample/x` is granted pull by `sample/*` content/read (MyScopeMap)
`sample/x` is denied push: no rule that matches it grants that; there is `sample/*` content/read (MyScopeMap)
fix: az acr scope-map update --name MyScopeMap --registry myregistry --add-repository sample/x content/write
`sample` is denied pull: `sample/*` content/read covers what is below `sample`, not `sample` itself
fix: az acr scope-map update --name MyScopeMap --registry myregistry --add-repository sample content/read
",
        1,
    );
    runs(
        "explain --scope-map list.yaml --registry other repository:app:pull,push",
        "`app` is granted pull by `app` content/read
`app` is denied push: no rule that matches it grants that; there is `app` content/read, `app` metadata/read
fix: az acr scope-map update --name $SCOPE_MAP --registry other --add-repository app content/write
",
        1,
    );
    runs(
        "explain --scope-map list.yaml --output json repository:app:pull",
        concat!(
            r#"[{"scope":"repository:app:pull","text":"`app` is granted pull by `app` content/read\n","#,
            r#""reasons":[{"action":"pull","granted":true,"#,
            r#""rules":[{"scopeMap":"","pattern":"app","permission":"content/read"}],"misses":[]}],"edits":[],"replacements":[]}]"#,
            "\n"
        ),
        0,
    );
    runs(
        "explain --scope-map list.yaml repository:app:pull 'repository:app: repository:app:pull'",
        "`app` is granted pull by `app` content/read\n",
        0,
    );
    runs_with(
        "explain --scope-map list.yaml --catalog filtered registry:catalog:* repository:app",
        "",
        (
            "registry `catalog` is granted * by `app` metadata/read\n",
            "error: a scope with fewer than two colons at byte 14 of `repository:app`\nhint: write `type:name:actions`\n",
            2,
        ),
    );
    refuses("explain --scope-map none.json a:b:c", "error: none.json: no such file\n");
}

#[test]
fn lint() {
    let remark = "team.json: actions[0]: pull_without_metadata_read: pulling works, listing tags needs metadata/read too (`repositories/sample/*/content/read`)\n";
    let errors = "push.yaml: actions[0]: push_without_pull: a push also pulls, so content/write does nothing without content/read (`repositories/app/content/write`)
push.yaml: actions[1]: redundant: the same rule stands here twice (`repositories/app/content/write`; because of actions[0])
";
    runs("lint list.yaml", "", 0);
    runs("lint --output json list.yaml", "[]\n", 0);
    runs("lint --strict list.yaml", "", 0);
    runs("lint team.json", remark, 0);
    runs("lint --strict team.json", remark, 1);
    runs("lint team.json push.yaml", &format!("{remark}{errors}"), 1);
    runs(
        "lint --output json push.yaml",
        concat!(
            r#"[{"file":"push.yaml","kind":"push_without_pull","error":true,"#,
            r#""message":"a push also pulls, so content/write does nothing without content/read","#,
            r#""rule":0,"becauseOf":null,"action":"repositories/app/content/write"},"#,
            r#"{"file":"push.yaml","kind":"redundant","error":false,"message":"the same rule stands here twice","#,
            r#""rule":1,"becauseOf":0,"action":"repositories/app/content/write"}]"#,
            "\n"
        ),
        1,
    );
    // A push to `a/b` works by the first rule, so this is a remark.
    runs(
        "lint partly.yaml",
        "partly.yaml: actions[0]: push_partly_without_pull: a push also pulls, so content/write works only where another rule gives content/read (`repositories/a/*/content/write`)\n",
        0,
    );
    refuses("lint list.yaml none.json", "error: none.json: no such file\n");
}

#[test]
fn a_map_that_no_registry_accepts() {
    let rules: Vec<_> = (0..600).map(|n| format!("- repositories/r{n}/metadata/read\n")).collect();
    let finding =
        "<stdin>: too_many_rules: a registry accepts at most 500 actions in one scope map\n";
    runs_with("lint -", &rules.concat(), (finding, "", 1));
}

#[test]
fn diff() {
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
        "error: `-` stands for standard input, which can be read only once\nhint: put one of them into a file\n",
    );
}

const GOOD: &str = "ok   allow repository:sample/x:pull\nok   deny repository:sample/x:push\n";
const BAD: &str = "ok   allow repository:samples/nginx:pull
FAIL deny repository:samples/nginx:pull,push — granted pull by `samples/*` content/read
     `samples/nginx` is granted pull by `samples/*` content/read (inline-map)
     `samples/nginx` is denied push: no rule that matches it grants that; there is `samples/*` content/read (inline-map)
     why: nobody <pulls> from here
FAIL allow repository:samples/nginx:pull,push repository:samples:fly — denied push; denied fly
     `samples/nginx` is granted pull by `samples/*` content/read (inline-map)
     `samples/nginx` is denied push: no rule that matches it grants that; there is `samples/*` content/read (inline-map)
     `samples` is denied fly: nobody knows this action
FAIL allow repository:samples/nginx: — no action is asked for
     `samples/nginx` is asked for without an action, so nothing is granted
ok   deny repository:samples/nginx: — `samples/nginx` is asked for without an action
ok   deny repository:samples/nginx:pusj — nobody knows the action `pusj`
";

#[test]
fn test() {
    runs("test good.yaml", &format!("{GOOD}2 passed, 0 failed\n"), 0);
    runs("test bad.yaml", &format!("{BAD}3 passed, 3 failed\n"), 1);
    runs(
        "test good.yaml bad.yaml",
        &format!("good.yaml:\n{GOOD}bad.yaml:\n{BAD}5 passed, 3 failed\n"),
        1,
    );
    runs_with(
        "test -",
        "{scopeMaps: [list.yaml], catalog: filtered, assertions: [{allow: 'registry:catalog:*'}]}",
        ("ok   allow registry:catalog:*\n1 passed, 0 failed\n", "", 0),
    );
}

#[test]
fn maps_are_found_from_the_assertion_file() {
    let folder = Folder::new();
    fs::create_dir(folder.0.join("elsewhere")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_scopegate"))
        .args(["test", "../good.yaml"])
        .current_dir(folder.0.join("elsewhere"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn test_refuses_bad_input() {
    for (file, stderr) in [
        (
            "{scopeMaps: [], assertions: [{allow: 'repository:a:pull'}, {deny: 'repository:a:push repository:App:push'}]}",
            "error: <stdin>: assertions[1].deny: an upper-case letter in the repository name at byte 11 of `repository:App:push`\nhint: repository names are lower case\n",
        ),
        (
            "{scopeMaps: [], assertions: [{deny: ''}]}",
            "error: <stdin>: assertions[0].deny: no scope in the request\nhint: write `type:name:actions`, for example `repository:samples/nginx:pull`\n",
        ),
        (
            "{scopeMaps: [], assertions: [{}]}",
            "error: <stdin>: assertions[0]: not exactly one of `allow` and `deny`\nhint: write one of `allow` and `deny`\n",
        ),
        ("{scopeMaps: [list.yaml], assertions: []}", "error: <stdin>: no assertion in it\n"),
        (
            "{scopeMaps: [none.json], assertions: []}",
            "error: <stdin>: scopeMaps[0]: none.json: no such file\n",
        ),
        (
            "{scopeMaps: [list.yaml, {actions: [nonsense]}], assertions: []}",
            "error: <stdin>: scopeMaps[1]: actions[0]: not a scope-map action at byte 0 of `nonsense`\nhint: write `repositories/<repository>/<permission>`, for example `repositories/samples/nginx/content/read`\n",
        ),
        (
            "{scopeMaps: [{name: a b, actions: []}], assertions: []}",
            "error: <stdin>: scopeMaps[0]: name: not the name of a scope map at byte 1 of `a b`\nhint: use 5 to 50 letters, digits, `-` and `_`\n",
        ),
    ] {
        runs_with("test good.yaml -", file, ("", stderr, 2));
    }
}

#[test]
fn a_report_can_be_read_back() {
    let folder = Folder::new();
    let args = ["test", "good.yaml", "bad.yaml", "--junit", "report.xml"];
    assert_eq!(folder.run(&args, b"").status.code(), Some(1));
    let xml = fs::read_to_string(folder.0.join("report.xml")).unwrap();
    let report = roxmltree::Document::parse(&xml).unwrap();
    let counts = |node: roxmltree::Node<'_, '_>| {
        ["tests", "failures", "errors", "skipped"]
            .map(|name| node.attribute(name).unwrap().to_owned())
    };
    assert_eq!(counts(report.root_element()), ["8", "3", "0", "0"]);

    let suites: Vec<_> = report.descendants().filter(|n| n.has_tag_name("testsuite")).collect();
    let names: Vec<_> = suites.iter().map(|suite| suite.attribute("name").unwrap()).collect();
    assert_eq!(names, ["good.yaml", "bad.yaml"]);
    assert_eq!(counts(suites[0]), ["2", "0", "0", "0"]);
    assert_eq!(counts(suites[1]), ["6", "3", "0", "0"]);

    let cases: Vec<_> = suites[1].children().filter(|n| n.has_tag_name("testcase")).collect();
    assert_eq!(cases[0].attribute("name"), Some("allow repository:samples/nginx:pull"));
    assert!(cases[0].children().all(|node| !node.is_element()));
    let failure = cases[1].children().find(|node| node.has_tag_name("failure")).unwrap();
    assert_eq!(failure.attribute("message"), Some("granted pull by `samples/*` content/read"));
    assert_eq!(
        failure.text(),
        Some(
            "`samples/nginx` is granted pull by `samples/*` content/read (inline-map)
`samples/nginx` is denied push: no rule that matches it grants that; there is `samples/*` content/read (inline-map)
why: nobody <pulls> from here"
        )
    );
}

#[test]
fn a_report_that_cannot_be_written() {
    let folder = Folder::new();
    let output = folder.run(&["test", "good.yaml", "--junit", "none/report.xml"], b"");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{GOOD}2 passed, 0 failed\n"));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.starts_with("error: none/report.xml: the report cannot be written: "),
        "{stderr}"
    );
}

#[test]
fn usage() {
    let folder = Folder::new();
    for (args, exit) in [
        (&["--version"][..], 0),
        (&["--help"], 0),
        (&["decide", "--help"], 0),
        (&[], 2),
        (&["fly"], 2),
        (&["decide"], 2),
        (&["decide", "--scope-map", "team.json"], 2),
        (&["decide", "--scope-map", "team.json", "--catalog", "sometimes", "a:b:c"], 2),
        (&["decide", "--scope-map", "team.json", "--profile", "other", "a:b:c"], 2),
        (&["explain", "a:b:c"], 2),
        (&["lint"], 2),
        (&["diff", "team.json"], 2),
        (&["test"], 2),
    ] {
        assert_eq!(folder.run(args, b"").status.code(), Some(exit), "{args:?}");
    }
    for command in ["decide", "explain", "lint", "diff", "test"] {
        let help = folder.run(&[command, "--help"], b"").stdout;
        assert!(
            String::from_utf8(help).unwrap().contains(&format!("Example:\n  scopegate {command} "))
        );
    }
}

/// `scopegate diff … | head -1`: whoever reads may leave when they have seen enough.
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

/// Every command that the command line's page names is there.
#[test]
fn documented_commands_exist() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mentions =
        page.split(['`', '$', '\n']).filter_map(|text| text.trim().strip_prefix("scopegate "));
    let names: std::collections::BTreeSet<&str> =
        mentions.filter_map(|rest| rest.split_whitespace().next()).collect();
    assert!(names.len() >= 5, "{names:?}");
    for name in names {
        let output = Command::new(env!("CARGO_BIN_EXE_scopegate")).args([name, "--help"]).output();
        assert!(output.unwrap().status.success(), "there is no `scopegate {name}`");
    }
}

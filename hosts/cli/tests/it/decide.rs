//! `decide`.

use crate::support::{refuses, runs, runs_with};

#[test]
fn decide_answers_in_json() {
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
            r#"{"access":[{"type":"repository","name":"app","actions":["pull"]}],"denied":[],"invalid":[{"scope":"oops","message":"missing colon: use `type:name:actions`","position":4}]}"#,
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
hint: use `type:name:actions`, for example `repository:samples/nginx:pull`
";
    let nothing = "{\"access\":[],\"denied\":[],\"invalid\":[]}\n";
    runs_with("decide --scope-map root.yaml ''", "", ("", stderr, 2));
    runs_with("decide --scope-map root.yaml --output json ' '", "", (nothing, stderr, 2));
    runs_with("explain --scope-map root.yaml ''", "", ("", stderr, 2));
    runs_with("explain --scope-map root.yaml --output json ''", "", ("[]\n", stderr, 2));
    let stderr = "error: no action in `repository:a/b:`
hint: use `type:name:actions`, for example `repository:samples/nginx:pull`
";
    let stdout = "nothing  repository:a/b: (no action was asked for)\n";
    runs_with("decide --scope-map root.yaml repository:a/b:", "", (stdout, stderr, 2));
    runs_with(
        "decide --scope-map root.yaml --output json repository:a/b:",
        "",
        (nothing, stderr, 2),
    );
    let stdout = "no action requested on `a/b`, so nothing is granted\n";
    runs_with("explain --scope-map root.yaml repository:a/b:", "", (stdout, stderr, 2));
}

#[test]
fn decide_answers_in_text() {
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
hint: use `type:name:actions`, for example `repository:samples/nginx:pull`
",
            2,
        ),
    );
    runs(
        "decide --scope-map list.yaml repository:app:pull repository:App:pull",
        "granted  repository:app:pull
invalid  repository:App:pull
                    ^ uppercase letter in the repository name
         hint: repository names must be lowercase
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
fn a_scope_map_is_read_in_every_form() {
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

#[test]
fn decide_refuses_bad_input() {
    for (args, stderr) in [
        ("--scope-map none.json x:y:z", "error: none.json: no such file\n"),
        ("--scope-map . x:y:z", "error: .: a directory, not a file\n"),
        ("--scope-map empty.json x:y:z", "error: empty.json: nothing in it\n"),
        (
            "--scope-map wrong.yaml x:y:z",
            "error: wrong.yaml: actions[1]: no slash before the `*` at byte 16 of `repositories/app*/content/read`
hint: write `/*`, which covers everything below a path
",
        ),
        (
            "--scope-map - --scope-map - x:y:z",
            "error: `-` is standard input, which can be read only once
hint: put one of them into a file
",
        ),
    ] {
        refuses(&format!("decide {args}"), stderr);
    }
    let many = "repository:app:pull ".repeat(129);
    refuses(
        &format!("decide --scope-map team.json '{many}'"),
        "error: too many scopes (maximum 128)\nhint: request fewer scopes at once\n",
    );
}

/// Scopes come from anywhere, and no scope may print a line that looks like ours, or drive the
/// terminal.
#[test]
fn a_scope_cannot_forge_a_line() {
    runs(
        "decide --scope-map list.yaml 'repository:app:x\ngranted' 'repository:app:\u{1b}[2K'",
        "denied   repository:app:x\\ngranted,\\u{1b}[2K\n",
        1,
    );
    runs(
        "explain --scope-map list.yaml 'repository:app:x\n`b`'",
        "can't use x\\n`b` on `app`: unknown action\n",
        1,
    );
    runs_with(
        "explain --scope-map list.yaml 'a\nerror:b'",
        "",
        ("", "error: missing colon at byte 9 of `a\\nerror:b`\nhint: use `type:name:actions`\n", 2),
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
         {:61}^ repository name too long (maximum 255 bytes)
         hint: use a shorter name
",
            ""
        ),
        2,
    );
}

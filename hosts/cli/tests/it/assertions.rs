//! `test`: assertions about scope maps, and their report.

use std::fs;
use std::process::Command;

use crate::support::{Folder, runs, runs_with};

const GOOD: &str = "ok   allow repository:sample/x:pull\nok   deny repository:sample/x:push\n";

const BAD: &str = "ok   allow repository:samples/nginx:pull
FAIL deny repository:samples/nginx:pull,push — granted pull by `samples/*` content/read
     can pull `samples/nginx`: granted by `samples/*` content/read in inline-map
     can't push to `samples/nginx`: covered only for other actions, by `samples/*` content/read in inline-map
     why: nobody <pulls> from here
FAIL allow repository:samples/nginx:pull,push repository:samples:fly — denied push; denied fly
     can pull `samples/nginx`: granted by `samples/*` content/read in inline-map
     can't push to `samples/nginx`: covered only for other actions, by `samples/*` content/read in inline-map
     can't use fly on `samples`: unknown action
FAIL allow repository:samples/nginx: — no action requested
     no action requested on `samples/nginx`, so nothing is granted
ok   deny repository:samples/nginx: — no action requested on `samples/nginx`
ok   deny repository:samples/nginx:pusj — unknown action `pusj`
";

#[test]
fn test_counts_what_holds_and_what_does_not() {
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
            "error: <stdin>: assertions[1].deny: uppercase letter in the repository name at byte 11 of `repository:App:push`\nhint: repository names must be lowercase\n",
        ),
        (
            "{scopeMaps: [], assertions: [{deny: ''}]}",
            "error: <stdin>: assertions[0].deny: no scope in the request\nhint: use `type:name:actions`, for example `repository:samples/nginx:pull`\n",
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
            "error: <stdin>: scopeMaps[1]: actions[0]: not a valid rule at byte 0 of `nonsense`\nhint: use `repositories/<repository>/<permission>`, for example `repositories/samples/nginx/content/read`\n",
        ),
        (
            "{scopeMaps: [{name: a b, actions: []}], assertions: []}",
            "error: <stdin>: scopeMaps[0]: name: invalid scope map name at byte 1 of `a b`\nhint: use 5 to 50 letters, digits, `-` or `_`\n",
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
            "can pull `samples/nginx`: granted by `samples/*` content/read in inline-map
can't push to `samples/nginx`: covered only for other actions, by `samples/*` content/read in inline-map
why: nobody <pulls> from here"
        )
    );
}

#[test]
fn a_report_that_cannot_be_written_is_an_error() {
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

//! The corpus of decisions, asked on the command line: what the program answers is what the engine
//! answers.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

#[test]
fn the_command_line_decides_as_the_engine_does() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/decide");
    let mut count = 0;
    for file in fs::read_dir(corpus).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        for group in array(&file["groups"]) {
            for case in array(&group["cases"]) {
                count += usize::from(check(group, case));
            }
        }
    }
    assert!(count > 500, "{count}");
}

/// Checks one case; `false` when it cannot be expressed on a command line.
fn check(group: &Value, case: &Value) -> bool {
    let scopes = words(&case["scope"]);
    // A null byte ends an argument, and a request without parameters is bad usage.
    if scopes.is_empty() || scopes.iter().any(|scope| scope.contains('\0')) {
        return false;
    }
    let catalog = group["catalog"].as_str().unwrap_or("root");
    let mut child = Command::new(env!("CARGO_BIN_EXE_scopegate"))
        .args(["decide", "--scope-map", "-", "--output", "json", "--catalog", catalog, "--"])
        .args(&scopes)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(group["map"].to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();

    let (access, denied) = (entries(&answer["access"]), entries(&answer["denied"]));
    assert_eq!(access, words(&case["access"]), "{case}");
    assert_eq!(denied, words(&case["denied"]), "{case}");
    assert_eq!(pieces(&answer["invalid"]), pieces(&case["invalid"]), "{case}");
    let answered = [access, denied.clone(), pieces(&answer["invalid"])].concat();
    let is_bad = !array(&case["invalid"]).is_empty()
        || scopes.concat().trim().is_empty()
        || scopes.join(" ").split(' ').any(|scope| asks_for_nothing(scope, &answered));
    let exit = if is_bad { 2 } else { i32::from(!denied.is_empty()) };
    assert_eq!(output.status.code(), Some(exit), "{case}");
    true
}

/// Whether a scope has no action in the answer.
fn asks_for_nothing(scope: &str, answered: &[String]) -> bool {
    let about = |scope: &str| {
        let (about, _) = scope.rsplit_once(':').unwrap_or((scope, ""));
        let (kind, name) = about.split_once(':').unwrap_or((about, ""));
        format!("{}:{name}", kind.split('(').next().unwrap_or(kind))
    };
    !scope.is_empty() && !answered.iter().any(|answer| about(answer) == about(scope))
}

/// The elements of a list; none when it was left out.
fn array(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

fn words(list: &Value) -> Vec<String> {
    array(list).iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// Access entries, as the scopes that ask for them.
fn entries(list: &Value) -> Vec<String> {
    let entry = |entry: &Value| {
        let text = |field: &str| entry[field].as_str().unwrap().to_owned();
        format!("{}:{}:{}", text("type"), text("name"), words(&entry["actions"]).join(","))
    };
    array(list).iter().map(entry).collect()
}

fn pieces(list: &Value) -> Vec<String> {
    array(list).iter().map(|invalid| invalid["scope"].as_str().unwrap().to_owned()).collect()
}

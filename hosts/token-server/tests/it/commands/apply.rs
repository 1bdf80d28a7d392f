//! `apply`: a file is applied whole or not at all.

use serde_json::{Value, json};

use crate::support::basic;

use super::Data;

/// Records that are wrong, and the message for each.
const WRONG_RECORDS: [(&str, &str); 13] = [
    ("tokens: [{name: Reader, scopeMap: missing-map}]", "missing-map"),
    ("tokens: [{name: a b c}]", "a b c"),
    ("tokens: [{name: registry}]", "registry"),
    (
        "tokens: [{name: Reader, passwords: [{name: password1, sha256: hunter2-hunter2}]}]",
        "64 hexadecimal digits",
    ),
    ("tokens: [{name: Reader, passwords: [{name: password3, sha256: ''}]}]", "password3"),
    ("tokens: [{name: Reader, status: off}]", "`off`"),
    ("servicePrincipals: [{clientId: here}]", "here"),
    (
        "servicePrincipals: [{clientId: 3f2504e0-4f89-41d3-9a0c-0305e82c3301, roles: [King]}]",
        "King",
    ),
    (
        "servicePrincipals: [{clientId: 3f2504e0-4f89-41d3-9a0c-0305e82c3301, secret: hunter2-hunter2}]",
        "secret",
    ),
    ("colour: red", "colour"),
    ("tokens: [", ""),
    ("tokens: {{", ""),
    ("registry: {adminUserEnabled: perhaps}", ""),
];

#[test]
fn a_file_with_a_wrong_record_changes_nothing() {
    let data = Data::new();
    let server = data.serve(&[]);
    let revision = || server.get("/readyz", "").1;
    let before = revision();
    let good = "scopeMaps: [{name: reader-map, actions: [repositories/app/content/write]}]\n";
    for (more, says) in WRONG_RECORDS {
        let path = data.write("bad.yaml", &format!("{good}{more}\n")).display().to_string();
        let error = data.refused(&["apply"], &[&path]);
        assert!(error.contains(says) && error.contains("bad.yaml"), "{more}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    assert_eq!(revision(), before);
    let reader = basic("Reader", "secret-one");
    assert!(server.get("/oauth2/token?scope=repository:app:pull", &reader).0 == 200);
}

#[test]
fn a_file_that_cannot_be_read_is_refused() {
    let data = Data::new();
    let server = data.serve(&[]);
    let before = server.get("/readyz", "").1;
    assert!(data.refused(&["apply"], &["/nowhere.yaml"]).contains("cannot read /nowhere.yaml"));
    let folder = data.path("").display().to_string();
    data.refused(&["apply"], &[&folder]);
    let binary = data.path("binary.yaml");
    std::fs::write(&binary, b"\xff\xfe\0").unwrap();
    data.refused(&["apply"], &[&binary.display().to_string()]);
    assert_eq!(server.get("/readyz", "").1, before);
}

#[test]
fn a_password_that_is_generated_is_shown_once() {
    let data = Data::new();
    let _server = data.serve(&[]);
    let file = data.write("good.yaml", "tokens: [{name: Fresh-1, scopeMap: reader-map}]");
    let file = file.display().to_string();
    let printed: Value = serde_json::from_str(&data.stdout(&["apply"], &[&file])).unwrap();
    assert_eq!((&printed["token"], &printed["name"]), (&json!("Fresh-1"), &json!("password1")));
    assert_eq!(data.stdout(&["apply"], &[&file]), "", "it is shown once");
    let client =
        "servicePrincipals: [{clientId: 00000000-0000-4000-8000-000000000001, secretExpiry: END}]";
    let end = "2999-01-01T00:00:00Z";
    let file = data.write("client.yaml", &client.replace("END", end)).display().to_string();
    let printed: Value = serde_json::from_str(&data.stdout(&["apply"], &[&file])).unwrap();
    assert_eq!((&printed["expiry"], printed["secret"].is_string()), (&json!(end), true));
}

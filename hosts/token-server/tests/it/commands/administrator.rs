//! `administrator`.

use serde_json::Value;

use crate::support::basic;

use super::Data;

#[test]
fn a_new_secret_of_the_administrator_ends_the_old_one() {
    let data = Data::new();
    let printed: Value = serde_json::from_str(&data.stdout(&["administrator"], &[])).unwrap();
    let mut fields: Vec<_> = printed.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["clientId", "secret", "subscription", "tenant"]);
    let secret = |printed: &Value| basic("administrator", printed["secret"].as_str().unwrap());
    let server = data.serve(&[]);
    assert_eq!(server.get("/registries/registry", &secret(&printed)).0, 200);
    let renewed: Value = serde_json::from_str(&data.stdout(&["administrator"], &[])).unwrap();
    assert_eq!(
        (&renewed["tenant"], &renewed["subscription"]),
        (&printed["tenant"], &printed["subscription"])
    );
    // Management decides by what is in the database at this moment, so nothing has to be waited
    // for.
    assert_eq!(server.get("/registries/registry", &secret(&printed)).0, 401);
    assert_eq!(server.get("/registries/registry", &secret(&renewed)).0, 200);
}

#[test]
fn the_secret_of_the_administrator_may_expire() {
    let data = Data::new();
    let end = "2999-01-01T00:00:00Z";
    let printed = data.stdout(&["administrator"], &["--expiry", end]);
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed["expiry"], end);
    let error = data.refused(&["administrator"], &["--expiry", "2020-01-01T00:00:00Z"]);
    assert_eq!(error, "the expiry is past");
}

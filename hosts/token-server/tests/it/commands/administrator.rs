//! `administrator`.

use serde_json::Value;

use crate::support::basic;

use super::Data;

#[test]
fn a_new_secret_of_the_administrator_ends_the_old_one() {
    let data = Data::new();
    let said: Value = serde_json::from_str(&data.said(&["administrator"], &[])).unwrap();
    let mut fields: Vec<_> = said.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["clientId", "secret", "subscription", "tenant"]);
    let secret = |said: &Value| basic("administrator", said["secret"].as_str().unwrap());
    let server = data.serve(&[]);
    assert_eq!(server.get("/registries/registry", &secret(&said)).0, 200);
    let renewed: Value = serde_json::from_str(&data.said(&["administrator"], &[])).unwrap();
    assert_eq!(
        (&renewed["tenant"], &renewed["subscription"]),
        (&said["tenant"], &said["subscription"])
    );
    // Management decides by what is in the database at this moment, so nothing has to be waited
    // for.
    assert_eq!(server.get("/registries/registry", &secret(&said)).0, 401);
    assert_eq!(server.get("/registries/registry", &secret(&renewed)).0, 200);
}

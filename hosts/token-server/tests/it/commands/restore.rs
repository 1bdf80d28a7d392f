//! `restore`.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{NULL_GUID, basic};

use super::Data;

/// After a database is restored with the command, tokens from before are refused, at the running
/// server too.
#[test]
fn fault_9_restore_ends_every_token() {
    let data = Data::new();
    let server = data.serve(&[]);
    let token = server.token();
    let null_guid = basic(NULL_GUID, &token);
    let exchange = || server.get("/oauth2/token?scope=repository:samples/a:pull", &null_guid).0;
    assert_eq!(exchange(), 200);
    let restore = || serde_json::from_str::<Value>(&data.stdout(&["restore"], &[])).unwrap();
    let (first, second) = (restore(), restore());
    assert_ne!(first["epoch"], second["epoch"]);
    assert!(second["revision"].as_i64() > first["revision"].as_i64());
    let begun = Instant::now();
    while exchange() != 401 {
        assert!(begun.elapsed() < Duration::from_secs(5), "the token of before is still good");
        std::thread::sleep(Duration::from_millis(50));
    }
    let fresh = basic(NULL_GUID, &server.token());
    assert_eq!(server.get("/oauth2/token?scope=repository:samples/a:pull", &fresh).0, 200);
}

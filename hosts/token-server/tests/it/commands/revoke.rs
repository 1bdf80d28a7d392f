//! `revoke`, and what `keys rotate --at-once` ends.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{NULL_GUID, basic};

use super::{Data, Server};

/// What a running server may take to obey a command.
const SOON: Duration = Duration::from_secs(2);

/// Whether the server takes a token for another one.
fn is_taken(server: &Server, token: &str) -> bool {
    let target = "/oauth2/token?scope=repository:app:pull";
    server.get(target, &basic(NULL_GUID, token)).0 == 200
}

#[track_caller]
fn ends(server: &Server, token: &str) {
    let begun = Instant::now();
    while is_taken(server, token) {
        assert!(begun.elapsed() < SOON, "the token is still good");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_running_server_obeys_at_once() {
    let data = Data::new();
    let server = data.serve(&[]);
    let token = server.token();
    assert!(is_taken(&server, &token));
    let printed = data.stdout(&["revoke", "token", "reader"], &[]);
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert!(printed["revision"].as_i64() > Some(1), "{printed}");
    ends(&server, &token);
    assert!(is_taken(&server, &server.token()));
}

/// Whom it finds, and what it says of others.
#[test]
fn whose_tokens() {
    let data = Data::new();
    data.serve(&[]);
    data.stdout(&["administrator"], &[]);
    for whom in [
        &["token", "READER"][..],
        &["service-principal", "administrator"],
        &["admin"],
        &["anonymous"],
    ] {
        let printed = data.stdout(&[&["revoke"], whom].concat(), &[]);
        assert!(printed.starts_with("{\"revision\":"), "{printed}");
    }
    for (whom, expected) in [
        (&["token", "nobody"][..], "there is no token `nobody`"),
        (&["service-principal", "nobody"], "there is no service principal `nobody`"),
        (&["provider", "ci"], "there is no provider `ci`"),
        (&["identity", "ci", "octo"], "there is no provider `ci`"),
    ] {
        assert_eq!(data.refused(&[&["revoke"], whom].concat(), &[]), expected);
    }
}

/// A key that leaked could sign for any generation: a new epoch ends what it has signed wherever
/// the feed is heard.
#[test]
fn keys_replaced_at_once_begin_an_epoch() {
    let data = Data::new();
    let server = data.serve(&[]);
    let epoch = |token: &str| crate::support::claims(token)["epoch"].clone();
    let old = server.token();
    let next = data.stdout(&["keys", "rotate", "--at-once"], &[]).trim().to_owned();
    assert!(server.await_key(&next) < SOON);
    ends(&server, &old);
    let new = server.token();
    assert_ne!(epoch(&old), epoch(&new));
    assert!(is_taken(&server, &new));
    // The next key of a plan begins none.
    data.stdout(&["keys", "rotate"], &[]);
    std::thread::sleep(SOON);
    assert_eq!(epoch(&server.token()), epoch(&new));
    assert!(is_taken(&server, &new));
}

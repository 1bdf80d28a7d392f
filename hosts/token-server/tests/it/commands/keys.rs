//! `keys`: rotation, and keys of earlier versions.

use std::time::Duration;

use super::{Data, header, kid};

#[test]
fn the_next_key_is_published_before_it_signs() {
    let data = Data::new();
    let server = data.serve(&[]);
    let old = server.token();
    let before = data.stdout(&["keys", "list"], &[]);
    assert_eq!(before.lines().count(), 1, "{before}");
    assert!(before.starts_with(&format!("{} ES256 signs from ", kid(&old))), "{before}");
    let next = data.stdout(&["keys", "rotate"], &[]).trim().to_owned();
    let took = server.await_key(&next);
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(server.published().len(), 2);
    assert_eq!(kid(&server.token()), kid(&old), "the old one signs until the next one's time");
    assert!(server.is_valid(&old));
    let list = data.stdout(&["keys", "list"], &[]);
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(list.starts_with(&next), "the one that signs last comes first: {list}");
}

#[test]
fn a_key_that_leaked_is_replaced_at_once() {
    for x5c in [false, true] {
        let data = Data::new();
        let server = data.serve(&["--set", &format!("tokens.x5c={x5c}")]);
        let old = server.token();
        assert_eq!(header(&old)["x5c"].is_array(), x5c);
        let next = data.stdout(&["keys", "rotate", "--at-once"], &[]).trim().to_owned();
        server.await_key(&next);
        let new = server.token();
        assert_eq!(kid(&new), next);
        assert_eq!(header(&new)["x5c"].is_array(), x5c);
        assert!(server.is_valid(&new));
        assert!(!server.is_valid(&old), "whoever has the old key could sign anything");
        assert_eq!(server.published(), [next]);
    }
}

#[test]
fn a_broken_key_stops_the_start_and_is_not_replaced() {
    let data = Data::new();
    for content in
        ["", "not a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
    {
        let path = data.write("data/signing-key.pem", content);
        for command in [&["serve"][..], &["keys", "rotate"]] {
            let error = data.refused(command, &[]);
            assert!(error.contains("signing-key.pem is not a key"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
    }
}

#[test]
fn the_key_of_an_earlier_version_is_taken_over() {
    let data = Data::new();
    let pem = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let path = data.write("data/signing-key.pem", &pem);
    let first = data.serve(&[]);
    let token = first.token();
    drop(first);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), pem);
    // A second start, and one without the file: the key is in the database.
    for is_there in [true, false] {
        if !is_there {
            std::fs::remove_file(&path).unwrap();
        }
        let server = data.serve(&[]);
        assert!(server.is_valid(&token), "{is_there}");
        assert_eq!(server.published(), [kid(&token)]);
    }
    // Another folder with the same file has the same key.
    let other = Data::new();
    other.write("data/signing-key.pem", &pem);
    assert_eq!(kid(&other.serve(&[]).token()), kid(&token));
}

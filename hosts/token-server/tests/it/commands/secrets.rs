//! The key that encrypts the signing keys: made, wrong, lost, replaced.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection};

use super::{Data, kid, texts};
use crate::support::database::Database;

/// The files of a SQLite database.
const FILES: [&str; 3] = ["scopegate.db", "scopegate.db-wal", "scopegate.db-shm"];

impl Data {
    /// A key file of its own, with mode 0600.
    fn key(&self, name: &str) -> PathBuf {
        let bytes: [u8; 32] = std::array::from_fn(|_| rand_byte());
        let path = self.write(name, &STANDARD.encode(bytes));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    /// Waits until the server's log says something.
    #[track_caller]
    fn await_log(&self, text: &str) {
        let start = std::time::Instant::now();
        while !self.log().contains(text) {
            assert!(start.elapsed() < super::TIMEOUT, "no `{text}` in {}", self.log());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// The private keys as they are stored, with the authority's.
    fn stored(&self) -> Vec<String> {
        let query = "select private_key from signing_keys union all select private_key from signing_authority";
        self.query(query)
    }

    fn query(&self, query: &'static str) -> Vec<String> {
        let file = self.path("data/scopegate.db");
        block_on(async {
            let mut database =
                SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
            let rows = sqlx::query_scalar(query).fetch_all(&mut database).await.unwrap();
            database.close().await.unwrap();
            rows
        })
    }

    /// The database's files hold no private key, in no page and in no log of writes.
    #[track_caller]
    fn has_no_private_key(&self) {
        for file in FILES {
            let bytes = fs::read(self.path("data").join(file)).unwrap_or_default();
            let is_there = bytes.windows(11).any(|window| window == b"PRIVATE KEY");
            assert!(!is_there, "a private key is in {file}");
        }
    }
}

fn rand_byte() -> u8 {
    uuid::Uuid::new_v4().as_bytes()[0]
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn set(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}

#[test]
fn a_copy_of_the_database_without_its_key_signs_nothing() {
    let data = Data::new();
    let server = data.serve(&[]);
    let token = server.token();
    data.has_no_private_key();
    let mode = fs::metadata(data.path("data/secrets.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    // Copied while the server runs, with all that is written ahead.
    let copy = Data::new();
    fs::create_dir(copy.path("data")).unwrap();
    fs::set_permissions(copy.path("data"), fs::Permissions::from_mode(0o700)).unwrap();
    for file in FILES {
        fs::copy(data.path("data").join(file), copy.path("data").join(file)).unwrap();
    }
    drop(server);
    copy.has_no_private_key();
    for command in [&["serve"][..], &["keys", "list"], &["keys", "rotate"], &["keys", "reencrypt"]]
    {
        let error = copy.refused(command, &[]);
        assert!(error.contains("the signing keys are encrypted with the key "), "{error}");
        assert!(error.contains("secrets.key: give the right one"), "{error}");
    }
    assert!(!copy.path("data/secrets.key").exists(), "no key is made by itself");
    assert_eq!(copy.stored(), data.stored(), "nothing is made anew");
    for stored in copy.stored() {
        let text = stored.strip_prefix("scopegate-sealed:v1:").unwrap().split_once(':').unwrap().1;
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
        // With the nonce or without, with the tag or without: no key that signs.
        for der in [&bytes[..], &bytes[12..], &bytes[12..bytes.len() - 16]] {
            let read = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der);
            assert!(read.is_err());
        }
        assert!(rcgen::KeyPair::from_pem(&stored).is_err());
    }
    // With its key, it is the same server.
    fs::copy(data.path("data/secrets.key"), copy.path("data/secrets.key")).unwrap();
    assert!(copy.serve(&[]).is_valid(&token));
}

#[test]
fn a_wrong_key_stops_the_start() {
    let data = Data::new();
    let (right, wrong) = (data.key("right"), data.key("wrong"));
    let (right, wrong) = (set("secrets.key.file", &right), set("secrets.key.file", &wrong));
    let token = data.serve(&["--set", &right]).token();
    let stored = data.stored();
    let id = stored[0].split(':').nth(2).unwrap().to_owned();
    for command in [&["serve"][..], &["keys", "list"], &["keys", "rotate"], &["keys", "reencrypt"]]
    {
        let error = data.refused(command, &["--set", &wrong]);
        let begin = format!(
            "the signing keys are encrypted with the key {id}, and secrets.key has the id "
        );
        assert!(error.starts_with(&begin), "{error}");
    }
    assert_eq!(data.stored(), stored, "nothing is made anew");
    // What needs no signing key needs no key.
    data.stdout(&["administrator"], &["--set", &wrong]);
    assert!(data.serve(&["--set", &right]).is_valid(&token));
}

#[test]
fn a_row_that_was_changed_stops_the_start() {
    let data = Data::new();
    drop(data.serve(&[]));
    data.stdout(&["keys", "rotate"], &[]);
    // Each of two keys in the row of the other, so the key id is right.
    data.query(
        "update signing_keys set private_key = (select other.private_key from signing_keys other where other.kid <> signing_keys.kid) returning kid",
    );
    let error = data.refused(&["serve"], &[]);
    assert!(error.contains("is damaged, or is another row's"), "{error}");
}

#[test]
fn signing_keys_of_an_earlier_version_are_encrypted() {
    let data = Data::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let known = fs::read_to_string(fixtures.join("schema-2.json")).unwrap();
    let known: Value = serde_json::from_str(&known).unwrap();
    fs::create_dir(data.path("data")).unwrap();
    fs::copy(fixtures.join("schema-2.db"), data.path("data/scopegate.db")).unwrap();
    // A row that was deleted, as an earlier version deleted them: its page is free, and still
    // there.
    data.query("create table former as select 'FORMER PRIVATE KEY' || hex(zeroblob(9000)) as key");
    data.query("drop table former");
    let is_there = |text: &[u8]| {
        let bytes = fs::read(data.path("data/scopegate.db")).unwrap();
        bytes.windows(text.len()).any(|window| window == text)
    };
    assert!(is_there(b"BEGIN PRIVATE KEY") && is_there(b"FORMER PRIVATE KEY"));
    let server = data.serve(&[]);
    assert_eq!(server.published(), [known["kid"].as_str().unwrap()], "the keys are the same");
    assert!(data.stored().iter().all(|stored| stored.starts_with("scopegate-sealed:v1:")));
    data.has_no_private_key();
    let token = server.token();
    drop(server);
    data.has_no_private_key();
    assert!(data.serve(&[]).is_valid(&token));
}

#[test]
fn signing_keys_are_encrypted_with_another_key_while_a_server_runs() {
    let data = Data::new();
    let (old, new) = (data.key("old"), data.key("new"));
    let (with_old, with_new) = (set("secrets.key.file", &old), set("secrets.key.file", &new));
    let server = data.serve(&["--set", &with_old]);
    let token = server.token();
    let old = old.to_str().unwrap();
    let printed = data.stdout(&["keys", "reencrypt"], &["--set", &with_new, "--old", old]);
    let id = data.stored()[0].split(':').nth(2).unwrap().to_owned();
    assert_eq!(printed, format!("2 private keys were encrypted with the key {id}\n"));
    assert!(data.stored().iter().all(|stored| stored.contains(&id)));
    // The running server goes on, and says what to do.
    data.await_log("set secrets.key to the new key");
    assert!(data.log().contains(&id));
    assert!(server.is_valid(&token) && server.is_valid(&server.token()));
    assert_eq!(server.published(), [kid(&token)]);
    let again = data.stdout(&["keys", "reencrypt"], &["--set", &with_new]);
    assert!(again.starts_with("0 private keys"), "{again}");
    // The old key alone starts no server any more; the new one does.
    let error = data.refused(&["serve"], &["--set", &with_old]);
    assert!(error.contains(&format!("encrypted with the key {id}")), "{error}");
    drop(server);
    assert!(data.serve(&["--set", &with_new]).is_valid(&token));
}

#[test]
fn a_server_with_both_keys_reads_both() {
    let data = Data::new();
    let (old, new) = (data.key("old"), data.key("new"));
    let previous = format!("secrets.previousKeys=[{{\"file\": \"{}\"}}]", old.display());
    let token = data.serve(&["--set", &set("secrets.key.file", &old)]).token();
    let both = ["--set", &set("secrets.key.file", &new), "--set", &previous];
    let server = data.serve(&both);
    assert!(server.is_valid(&token));
    // A key that is made now is encrypted with the new one; reencrypt takes the others over.
    let next = data.stdout(&["keys", "rotate"], &both).trim().to_owned();
    server.await_key(&next);
    let ids = || {
        let stored = data.stored();
        stored.iter().map(|it| it.split(':').nth(2).unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(ids().len(), 2);
    let printed = data.stdout(&["keys", "reencrypt"], &both);
    assert!(printed.starts_with("2 private keys"), "{printed}");
    assert_eq!(ids().len(), 1);
    assert!(!data.log().contains("another key"), "{}", data.log());
    drop(server);
    let server = data.serve(&["--set", &set("secrets.key.file", &new)]);
    assert!(server.is_valid(&token));
    assert_eq!(server.published().len(), 2);
}

/// The key is lost, or was never this server's: a running server stops taking the tokens of keys
/// that were removed, although it cannot read the new ones.
#[test]
fn a_lost_key_costs_the_signing_keys() {
    let data = Data::new();
    let server = data.serve(&[]);
    let token = server.token();
    fs::remove_file(data.path("data/secrets.key")).unwrap();
    let next = data.stdout(&["keys", "rotate", "--at-once"], &[]).trim().to_owned();
    data.await_log("this server neither signs with it nor takes its tokens");
    assert!(!server.is_valid(&token));
    assert_eq!(server.published(), [""; 0]);
    drop(server);
    let server = data.serve(&[]);
    assert_eq!(server.published(), [next]);
    assert!(server.is_valid(&server.token()) && !server.is_valid(&token));
}

#[test]
fn a_key_of_a_command_and_of_a_credential() {
    let data = Data::new();
    let path = data.key("credentials/scopegate");
    let from_command = format!("secrets.key.command=[\"cat\", \"{}\"]", path.display());
    let token = data.serve(&["--set", &from_command]).token();
    assert!(!data.path("data/secrets.key").exists());
    let list = |set: &str| {
        let folder = path.parent().unwrap();
        let mut list = data.command(&["keys", "list"]);
        list.args(["--set", set]).env("CREDENTIALS_DIRECTORY", folder).output().unwrap()
    };
    let (out, error) = texts(&list("secrets.key.credential=scopegate"));
    assert!(out.starts_with(&kid(&token)), "{error}");
    let (_, error) = texts(&list("secrets.key.credential=missing"));
    assert!(error.contains("cannot use the key from the credential `missing`"), "{error}");
    let error = data.refused(&["serve"], &["--set", r#"secrets.key.command=["false"]"#]);
    assert!(error.contains("cannot use the key from the command `false`: it failed"), "{error}");
}

#[test]
fn several_servers_share_a_configured_key() {
    let database = block_on(Database::postgres());
    let url = database.url.as_deref().unwrap();
    let at = ["--database-url", url];
    let (one, other) = (Data::new(), Data::new());
    let server = one.serve(&at);
    let token = server.token();
    assert!(one.log().contains("secrets.key"), "{}", one.log());
    assert!(!one.path("data/secrets.key").exists());
    // The other one brings a key, and encrypts; the first goes on.
    let key = set("secrets.key.file", &other.key("key"));
    let with_key = [&at[..], &["--set", &key]].concat();
    let second = other.serve(&with_key);
    assert!(second.is_valid(&token) && server.is_valid(&second.token()));
    one.await_log("set secrets.key to the new key");
    assert!(server.is_valid(&server.token()));
    let sealed = "select count(*) from signing_keys where private_key like 'scopegate-sealed:v1:%'";
    assert_eq!(block_on(database.number(sealed)), 1);
    drop(server);
    let error = one.refused(&["serve"], &at);
    assert!(error.contains("secrets.key is not configured"), "{error}");
    assert!(one.serve(&with_key).is_valid(&token));
}

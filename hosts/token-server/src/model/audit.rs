//! The audit trail's rows, and the chain that seals them.
//!
//! A row is sealed with HMAC-SHA256 (RFC 2104) over its number, its content and the seal of the row
//! before it. The key is outside the database: write access to the rows does not seal them. A row
//! that was altered, moved or deleted breaks the chain where it was. Rows that were cut off the end
//! are found with a later head, which the log has every minute.
//!
//! Left out: hiding the content, which every reader of the database can read.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::{digest, hmac};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::secret_key::SecretKey;

/// What a seal is over, and in which form: part of every sealed text.
const ROW: &[u8] = b"scopegate audit row 1";
const CHECKPOINT: &[u8] = b"scopegate audit checkpoint 1";

/// Who makes a change, or signs in, and by which request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// `service_principal`, `identity`, `command`, `server`, or `unknown`.
    pub kind: String,
    /// The client id, the subject of an identity, the name of a command; empty when unknown.
    pub name: String,
    /// The provider of an identity, by its name in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The client's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The id of the request, which is in its answer and in every line of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

impl Actor {
    /// The server itself: its start, its upkeep.
    #[must_use]
    pub fn server() -> Self {
        Self { kind: "server".into(), ..Self::default() }
    }

    /// A command of the program, by its name.
    #[must_use]
    pub fn command(name: &str) -> Self {
        Self { kind: "command".into(), name: name.into(), ..Self::default() }
    }

    /// A service principal, by its client id.
    #[must_use]
    pub fn service_principal(client_id: &str) -> Self {
        Self { kind: "service_principal".into(), name: client_id.into(), ..Self::default() }
    }

    /// An identity of a provider.
    #[must_use]
    pub fn identity(provider: &str, subject: &str) -> Self {
        let provider = Some(provider.to_owned());
        Self { kind: "identity".into(), name: subject.into(), provider, ..Self::default() }
    }

    /// A client that was not recognised.
    #[must_use]
    pub fn unknown() -> Self {
        Self { kind: "unknown".into(), ..Self::default() }
    }

    /// The same, with the request that it acts by.
    #[must_use]
    pub fn by_request(self, address: IpAddr, correlation_id: &str) -> Self {
        Self {
            address: Some(address.to_string()),
            correlation_id: Some(correlation_id.to_owned()),
            ..self
        }
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Update,
    Delete,
    /// Tokens were ended.
    Revoke,
    SignIn,
    SignInFailed,
    /// Old rows of the trail were deleted.
    Prune,
    /// Old rows of the trail were moved into a file.
    Archive,
    /// Everything was replaced by a backup.
    Restore,
}

impl Operation {
    /// The word in rows and logs.
    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Revoke => "revoke",
            Self::SignIn => "sign_in",
            Self::SignInFailed => "sign_in_failed",
            Self::Prune => "prune",
            Self::Archive => "archive",
            Self::Restore => "restore",
        }
    }
}

/// What was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// `registry`, `scope_map`, `token`, `service_principal`, `provider`, `identity`,
    /// `signing_key`, `authority`, `management` (signed in to), or `audit`.
    pub kind: String,
    /// Its name; empty where there is only one.
    pub name: String,
}

impl Object {
    #[must_use]
    pub fn new(kind: &str, name: &str) -> Self {
        Self { kind: kind.to_owned(), name: name.to_owned() }
    }
}

/// A row's content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Seconds since 1970.
    pub at: i64,
    pub actor: Actor,
    /// A word of [`Operation`].
    pub operation: String,
    pub object: Object,
    /// JSON without secrets; `None` for something new.
    pub before: Option<String>,
    /// JSON without secrets; `None` for something deleted.
    pub after: Option<String>,
    /// The revision that the change made; 0 for a sign-in.
    pub revision: i64,
}

/// A record that the audit trail shows.
pub trait Shown {
    /// The record without secrets.
    fn shown(&self) -> Value;
}

/// A row of the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number, from 1 without a gap.
    pub number: i64,
    pub entry: Entry,
    /// The id of the key that sealed it.
    pub key_id: String,
    /// In hexadecimal.
    pub seal: String,
}

/// Is told of each row after its commit, in order.
pub(crate) type Listener = Arc<dyn Fn(&Row) + Send + Sync>;

/// A place in the chain: the number and the seal of a row; number 0 before the first one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub number: i64,
    pub seal: String,
}

/// Prints `42:9f86d0…`, as the log has it and `audit verify --head` takes it.
impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, self.seal)
    }
}

impl Head {
    /// Reads what [`Display`](fmt::Display) prints.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (number, seal) = text.trim().split_once(':')?;
        let is_seal = seal.len() == 64 && seal.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = number.parse().ok().filter(|number| *number > 0)?;
        is_seal.then(|| Self { number, seal: seal.to_ascii_lowercase() })
    }
}

/// Where a trail begins after its first rows were deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last deleted row.
    pub head: Head,
    /// When it was deleted, in seconds since 1970.
    pub at: i64,
    pub key_id: String,
    /// In hexadecimal.
    pub seal: String,
}

/// The key that seals rows.
#[derive(Clone)]
pub struct AuditKey {
    id: Arc<str>,
    key: Arc<hmac::Key>,
}

/// Leaves the key out.
impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl AuditKey {
    /// The key for this purpose of a secret key.
    #[must_use]
    pub fn new(key: &SecretKey) -> Self {
        let derived = key.derive("scopegate audit trail v1");
        let hmac = hmac::Key::new(hmac::HMAC_SHA256, derived.as_slice());
        Self { id: key.id().into(), key: Arc::new(hmac) }
    }

    /// What tells it from others, and nothing of it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Seals an entry as the row after a head.
    #[must_use]
    pub fn seal(&self, after: &Head, entry: Entry) -> Row {
        let number = after.number.saturating_add(1);
        let seal = hex(hmac::sign(&self.key, &row_text(number, &after.seal, &entry)).as_ref());
        Row { number, entry, key_id: self.id.to_string(), seal }
    }

    /// Whether a row is as it was sealed, as the one after a seal and with a number.
    #[must_use]
    pub fn sealed(&self, row: &Row, number: i64, previous: &str) -> bool {
        self.is_seal(&row.seal, &row_text(number, previous, &row.entry))
    }

    /// Seals the place up to which rows are deleted.
    #[must_use]
    pub fn checkpoint(&self, head: Head, at: i64) -> Checkpoint {
        let seal = hex(hmac::sign(&self.key, &checkpoint_text(&head, at)).as_ref());
        Checkpoint { head, at, key_id: self.id.to_string(), seal }
    }

    /// Whether a checkpoint is as it was sealed.
    #[must_use]
    pub fn sealed_checkpoint(&self, checkpoint: &Checkpoint) -> bool {
        self.is_seal(&checkpoint.seal, &checkpoint_text(&checkpoint.head, checkpoint.at))
    }

    fn is_seal(&self, seal: &str, text: &[u8]) -> bool {
        unhex(seal).is_some_and(|seal| hmac::verify(&self.key, text, &seal).is_ok())
    }
}

/// A text that only one row has: every field with its length before it.
fn row_text(number: i64, previous: &str, entry: &Entry) -> Vec<u8> {
    let Entry { at, actor, operation, object, before, after, revision } = entry;
    let mut text = Vec::with_capacity(512);
    for field in [
        Some(ROW),
        Some(&number.to_be_bytes()),
        Some(previous.as_bytes()),
        Some(&at.to_be_bytes()),
        Some(actor.kind.as_bytes()),
        Some(actor.name.as_bytes()),
        actor.provider.as_deref().map(str::as_bytes),
        actor.address.as_deref().map(str::as_bytes),
        actor.correlation_id.as_deref().map(str::as_bytes),
        Some(operation.as_bytes()),
        Some(object.kind.as_bytes()),
        Some(object.name.as_bytes()),
        before.as_deref().map(str::as_bytes),
        after.as_deref().map(str::as_bytes),
        Some(&revision.to_be_bytes()),
    ] {
        push(&mut text, field);
    }
    text
}

fn checkpoint_text(head: &Head, at: i64) -> Vec<u8> {
    let mut text = Vec::with_capacity(160);
    let fields: [&[u8]; 4] =
        [CHECKPOINT, &head.number.to_be_bytes(), head.seal.as_bytes(), &at.to_be_bytes()];
    for field in fields {
        push(&mut text, Some(field));
    }
    text
}

/// One byte for none, or one and the length before the field.
fn push(text: &mut Vec<u8>, field: Option<&[u8]>) {
    let Some(field) = field else { return text.push(0) };
    text.push(1);
    text.extend_from_slice(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
    text.extend_from_slice(field);
}

/// What tells a secret's digest from another, and nothing of it: the beginning of its SHA-256.
#[must_use]
pub(crate) fn fingerprint(digest: &str) -> String {
    let digest = digest::digest(&digest::SHA256, digest.as_bytes());
    hex(digest.as_ref()).chars().take(8).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(last: u8) -> AuditKey {
        let mut bytes = [7; 32];
        bytes[31] = last;
        AuditKey::new(&SecretKey::read(&bytes).unwrap())
    }

    fn entry() -> Entry {
        Entry {
            at: 1_700_000_000,
            actor: Actor::command("apply"),
            operation: Operation::Update.as_str().into(),
            object: Object::new("token", "MyToken"),
            before: Some("{}".into()),
            after: None,
            revision: 7,
        }
    }

    #[test]
    fn a_seal_is_of_one_row_in_one_place() {
        let (key, other) = (key(0), key(1));
        let head = Head { number: 3, seal: "ab".repeat(32) };
        let row = key.seal(&head, entry());
        assert_eq!((row.number, row.key_id.as_str()), (4, key.id()));
        assert!(key.sealed(&row, 4, &head.seal));
        assert!(!key.sealed(&row, 5, &head.seal), "another number");
        assert!(!key.sealed(&row, 4, ""), "after another row");
        assert!(!other.sealed(&row, 4, &head.seal), "another key");
    }

    #[test]
    fn every_field_is_sealed() {
        let key = key(0);
        let row = key.seal(&Head::default(), entry());
        let changes: [fn(&mut Entry); 13] = [
            |entry| entry.at += 1,
            |entry| entry.actor.kind.push('x'),
            |entry| entry.actor.name.push('x'),
            |entry| entry.actor.provider = Some(String::new()),
            |entry| entry.actor.address = Some("127.0.0.1".into()),
            |entry| entry.actor.correlation_id = Some("x".into()),
            |entry| entry.operation = "delete".into(),
            |entry| entry.object.kind.push('x'),
            |entry| entry.object.name.clear(),
            |entry| entry.before = None,
            |entry| entry.after = Some("{}".into()),
            |entry| entry.revision = 8,
            // The same letters, divided in another way.
            |entry| {
                entry.actor.kind = "command".to_owned() + "a";
                entry.actor.name = "pply".into();
            },
        ];
        for (index, change) in changes.iter().enumerate() {
            let mut altered = row.clone();
            change(&mut altered.entry);
            assert!(!key.sealed(&altered, 1, ""), "change {index}");
        }
    }

    #[test]
    fn heads_print_what_they_parse() {
        let head = Head { number: 42, seal: "0f".repeat(32) };
        assert_eq!(Head::parse(&head.to_string()), Some(head));
        for text in ["", "42", "42:", "42:0f", "0:00", ":0f", "-1:00", "x:y"] {
            assert_eq!(Head::parse(text), None, "{text}");
        }
    }

    #[test]
    fn checkpoints_are_sealed() {
        let key = key(0);
        let checkpoint = key.checkpoint(Head { number: 9, seal: "00".repeat(32) }, 5);
        assert!(key.sealed_checkpoint(&checkpoint));
        let mut later = checkpoint.clone();
        later.head.number = 10;
        assert!(!key.sealed_checkpoint(&later));
        assert!(!key.sealed_checkpoint(&Checkpoint { at: 6, ..checkpoint }));
    }

    #[test]
    fn the_key_is_not_printed() {
        let key = key(0);
        assert_eq!(format!("{key:?}"), format!("AuditKey {{ id: {:?}, .. }}", key.id()));
    }
}

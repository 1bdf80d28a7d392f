//! Whether the trail is whole, row by row.
//!
//! The chain is read from the checkpoint, or from its first row. A row is good when a given key has
//! sealed it after the row before it. What is found:
//!
//! | fault | by what |
//! |---|---|
//! | missing rows | a gap in the numbers |
//! | rows deleted under a former key | a checkpoint that no row behind it names |
//! | an altered row | its seal is not that of its content |
//! | rows that changed places | the seal of one is that of its content under the other's number |
//! | a cut tail | a later head is known: the database's own, or one from the log |
//! | another history | a head from the log has another seal than its row |
//! | a former key that goes on | it sealed a row after one of a newer key |
//! | times that run backwards | a row is more than [`CLOCKS_DIFFER`] older than one before it |
//! | rows outside the chain | their numbers are those of no row, or of deleted ones |
//! | a head set back | there are rows above it |
//! | a head that says nothing | its row is deleted, by the checkpoint |
//!
//! Left out: rows cut off together with the head, and rows before the first one of a newer key that
//! were sealed again with a former key. Only a head from the log shows them.

use std::fmt;

use serde_json::Value;

use crate::model::audit::{AuditKey, Checkpoint, Head, Operation, Row};
use crate::store::{AuditOutside as Outside, Store};

/// How many rows are read at once.
const PAGE: i64 = 1000;
/// How far the clocks of servers on one database may differ, in seconds.
const CLOCKS_DIFFER: i64 = 300;
/// How many faults are named. More are not counted one by one.
const MAX_FAULTS: usize = 100;

/// What is wrong with a trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Rows of these numbers are missing.
    Missing { from: i64, to: i64 },
    /// The row is not what was sealed.
    Altered { number: i64 },
    /// The row was sealed under the number of another one.
    Moved { number: i64, sealed_as: i64 },
    /// None of the given keys has sealed these rows.
    UnknownKey { from: i64, to: i64, key_id: String },
    /// A former key sealed these rows, after a row of a newer one.
    FormerKey { from: i64, to: i64, key_id: String },
    /// The checkpoint is not what was sealed.
    Checkpoint,
    /// Nothing in the trail says that the rows up to the checkpoint were deleted.
    UnnamedCheckpoint { deleted_until: i64 },
    /// The end of the trail is missing: a row with this number was written.
    CutOff { last: i64, known: i64 },
    /// The row of a known head has another seal.
    Rewritten { number: i64 },
    /// Rows are older than a row before them.
    Backwards { from: i64, to: i64 },
    /// Rows with numbers from which the trail does not begin, so that nothing seals them.
    Outside { count: i64, from: i64, to: i64, begins_after: i64 },
    /// The database's own head is before the last row.
    HeadSetBack { head: i64, last: i64 },
    /// The row of a known head is among the deleted ones.
    Incomparable { known: i64, deleted_until: i64 },
    /// There are more faults.
    More,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { from, to } if from == to => write!(f, "row {from} is missing"),
            Self::Missing { from, to } => write!(f, "rows {from} to {to} are missing"),
            Self::Altered { number } => write!(f, "row {number} was altered"),
            Self::Moved { number, sealed_as } => {
                write!(f, "row {number} was sealed as row {sealed_as}")
            }
            Self::UnknownKey { from, to, key_id } => {
                write!(f, "rows {from} to {to} were sealed with another key, {key_id}")
            }
            Self::FormerKey { from, to, key_id } => write!(
                f,
                "rows {from} to {to} were sealed with a former key, {key_id}, after a row of a newer key"
            ),
            Self::Checkpoint => f.write_str("the checkpoint was altered"),
            Self::UnnamedCheckpoint { deleted_until } => {
                write!(f, "no row says that the rows up to {deleted_until} were deleted")
            }
            Self::CutOff { last, known } => {
                write!(f, "the trail ends with row {last}, and row {known} was written")
            }
            Self::Rewritten { number } => {
                write!(f, "row {number} is not the one that the head names")
            }
            Self::Backwards { from, to } => write!(
                f,
                "rows {from} to {to} are more than {CLOCKS_DIFFER} seconds older than a row before them"
            ),
            Self::Outside { count, from, to, begins_after } => write!(
                f,
                "{count} rows with numbers from {from} to {to} are not of the trail, which begins after row {begins_after}"
            ),
            Self::HeadSetBack { head, last } => {
                write!(f, "the head in the database names row {head}, and row {last} is there")
            }
            Self::Incomparable { known, deleted_until } => write!(
                f,
                "row {known}, which the head names, cannot be compared: rows up to {deleted_until} are deleted"
            ),
            Self::More => f.write_str("there are more faults"),
        }
    }
}

/// What verifying a trail found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many rows there are.
    pub rows: u64,
    /// The last deleted row.
    pub checkpoint: Option<Head>,
    /// The last row.
    pub last: Head,
    pub faults: Vec<Fault>,
}

/// Verifies the trail of a database, with the keys that sealed it, the newest first, and a head
/// that is known from elsewhere.
///
/// # Errors
///
/// When the database cannot be read.
pub async fn verify(
    store: &Store,
    keys: &[AuditKey],
    known: Option<&Head>,
) -> sqlx::Result<Report> {
    let mut read = store.snapshot().await?;
    let head = read.audit_head().await?;
    let mut chain = Chain::new(keys, read.audit_checkpoint().await?, known.cloned());
    chain.outside(read.audit_outside(chain.last.number).await?);
    loop {
        let rows = read.audit_after(chain.last.number, PAGE).await?;
        let is_last = rows.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        rows.into_iter().for_each(|row| chain.add(row));
        if is_last {
            chain.head_set_back(&head);
            return Ok(chain.end(&head));
        }
    }
}

/// A row that does not fit, and the seal before it.
struct Suspect {
    row: Row,
    previous: String,
}

/// The chain as far as it was read.
pub(super) struct Chain<'k> {
    keys: &'k [AuditKey],
    known: Option<Head>,
    rows: u64,
    checkpoint: Option<Checkpoint>,
    /// Whether a row names the checkpoint, or it is altered anyway.
    is_named: bool,
    last: Head,
    /// Which of the keys is the newest that has sealed a row.
    newest_key: usize,
    /// The latest time of a row.
    latest: i64,
    /// The seal that the last row should have, where its own is another.
    recomputed: Option<String>,
    suspects: Vec<Suspect>,
    faults: Vec<Fault>,
}

impl<'k> Chain<'k> {
    pub(super) fn new(
        keys: &'k [AuditKey],
        checkpoint: Option<Checkpoint>,
        known: Option<Head>,
    ) -> Self {
        let is_sealed =
            |checkpoint: &Checkpoint| keys.iter().any(|key| key.sealed_checkpoint(checkpoint));
        let faults = match &checkpoint {
            Some(checkpoint) if !is_sealed(checkpoint) => vec![Fault::Checkpoint],
            _ => Vec::new(),
        };
        let last =
            checkpoint.as_ref().map(|checkpoint| checkpoint.head.clone()).unwrap_or_default();
        let mut chain = Self {
            keys,
            known,
            rows: 0,
            checkpoint,
            is_named: !faults.is_empty(),
            last,
            newest_key: usize::MAX,
            latest: i64::MIN,
            recomputed: None,
            suspects: Vec::new(),
            faults,
        };
        chain.compare_with_checkpoint();
        chain
    }

    /// A known head at or before the checkpoint has no row any more.
    fn compare_with_checkpoint(&mut self) {
        let (Some(known), Some(checkpoint)) = (&self.known, &self.checkpoint) else { return };
        let (known_number, deleted_until) = (known.number, checkpoint.head.number);
        if known_number < deleted_until {
            self.fault(Fault::Incomparable { known: known_number, deleted_until });
        } else if known_number == deleted_until && known.seal != checkpoint.head.seal {
            self.fault(Fault::Rewritten { number: known_number });
        }
    }

    /// The last row that was read.
    pub(super) const fn last(&self) -> &Head {
        &self.last
    }

    /// How many rows were read.
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// A fault among the rows so far.
    pub(super) fn any_fault(&self) -> Option<Fault> {
        let altered = |suspect: &Suspect| Fault::Altered { number: suspect.row.number };
        self.faults.first().cloned().or_else(|| self.suspects.first().map(altered))
    }

    pub(super) fn outside(&mut self, outside: Option<Outside>) {
        if let Some(Outside { count, from, to }) = outside {
            self.fault(Fault::Outside { count, from, to, begins_after: self.last.number });
        }
    }

    pub(super) fn head_set_back(&mut self, head: &Head) {
        if head.number < self.last.number {
            self.fault(Fault::HeadSetBack { head: head.number, last: self.last.number });
        }
    }

    pub(super) fn add(&mut self, row: Row) {
        self.rows += 1;
        let expected = self.last.number.saturating_add(1);
        if row.number > expected {
            self.fault(Fault::Missing { from: expected, to: row.number.saturating_sub(1) });
            // The seal before it is gone, so it cannot be checked.
            self.recomputed = None;
        } else if self.check(&row) {
            self.check_time(&row);
            self.is_named =
                self.is_named || self.checkpoint.as_ref().is_some_and(|it| names(&row, it));
        }
        if self
            .known
            .as_ref()
            .is_some_and(|known| known.number == row.number && known.seal != row.seal)
        {
            self.fault(Fault::Rewritten { number: row.number });
        }
        self.last = Head { number: row.number, seal: row.seal };
    }

    /// Returns whether the row is as it was sealed.
    fn check(&mut self, row: &Row) -> bool {
        let stored = self.last.seal.clone();
        let recomputed = self.recomputed.take();
        let keys = self.keys;
        let is_after = |key: &AuditKey| {
            let mut before = [Some(&stored), recomputed.as_ref()].into_iter().flatten();
            before.any(|previous| key.sealed(row, row.number, previous))
        };
        match keys.iter().enumerate().find(|(_, key)| key.id() == row.key_id) {
            Some((age, key)) if is_after(key) => return self.check_age(row, age),
            Some((_, key)) => {
                let previous = recomputed.unwrap_or(stored);
                let after = Head { number: row.number.saturating_sub(1), seal: previous.clone() };
                self.recomputed = Some(key.seal(&after, row.entry.clone()).seal);
                self.suspect(Suspect { row: row.clone(), previous });
            }
            None if keys.iter().any(is_after) => self.fault(Fault::Altered { number: row.number }),
            None => self.unknown_key(row),
        }
        false
    }

    /// Checks that no newer key has sealed a row before.
    fn check_age(&mut self, row: &Row, age: usize) -> bool {
        if age <= self.newest_key {
            self.newest_key = age;
            return true;
        }
        if let Some(Fault::FormerKey { to, key_id, .. }) = self.faults.last_mut()
            && *key_id == row.key_id
            && to.saturating_add(1) == row.number
        {
            *to = row.number;
            return false;
        }
        let (from, to) = (row.number, row.number);
        self.fault(Fault::FormerKey { from, to, key_id: row.key_id.clone() });
        false
    }

    /// Checks a time that is sealed. Sign-ins are left out: they wait for a database that cannot be
    /// written, with their times.
    fn check_time(&mut self, row: &Row) {
        if row.entry.object.kind == "management" {
            return;
        }
        if row.entry.at >= self.latest.saturating_sub(CLOCKS_DIFFER) {
            self.latest = self.latest.max(row.entry.at);
            return;
        }
        if let Some(Fault::Backwards { to, .. }) = self.faults.last_mut()
            && to.saturating_add(1) == row.number
        {
            *to = row.number;
            return;
        }
        self.fault(Fault::Backwards { from: row.number, to: row.number });
    }

    /// Rows of one unknown key are one fault.
    fn unknown_key(&mut self, row: &Row) {
        if let Some(Fault::UnknownKey { to, key_id, .. }) = self.faults.last_mut()
            && *key_id == row.key_id
            && to.saturating_add(1) == row.number
        {
            *to = row.number;
            return;
        }
        let (from, to) = (row.number, row.number);
        self.fault(Fault::UnknownKey { from, to, key_id: row.key_id.clone() });
    }

    fn suspect(&mut self, suspect: Suspect) {
        if self.suspects.len() < MAX_FAULTS {
            self.suspects.push(suspect);
        } else {
            self.fault(Fault::More);
        }
    }

    fn fault(&mut self, fault: Fault) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(fault);
        } else if self.faults.last() != Some(&Fault::More) {
            self.faults.push(Fault::More);
        }
    }

    /// What was found, when there are no more rows.
    fn end(mut self, head: &Head) -> Report {
        for suspect in &self.suspects {
            let number = suspect.row.number;
            let fault = match self.sealed_as(&suspect.row) {
                Some(sealed_as) => Fault::Moved { number, sealed_as },
                None => Fault::Altered { number },
            };
            self.faults.push(fault);
        }
        let known = self.known.iter().chain([head]).map(|head| head.number).max().unwrap_or(0);
        if known > self.last.number {
            self.fault(Fault::CutOff { last: self.last.number, known });
        } else if head.number == self.last.number && head.seal != self.last.seal {
            self.fault(Fault::Rewritten { number: head.number });
        }
        if let Some(checkpoint) = self.checkpoint.as_ref().filter(|_| !self.is_named) {
            let deleted_until = checkpoint.head.number;
            self.fault(Fault::UnnamedCheckpoint { deleted_until });
        }
        let Self { rows, checkpoint, last, faults, .. } = self;
        Report { rows, checkpoint: checkpoint.map(|checkpoint| checkpoint.head), last, faults }
    }

    /// The number under which a row was sealed, among those that do not fit.
    fn sealed_as(&self, row: &Row) -> Option<i64> {
        let others = self.suspects.iter().filter(|other| other.row.number != row.number);
        let was_sealed = |number: i64, previous: &str| {
            self.keys.iter().any(|key| key.sealed(row, number, previous))
        };
        let mut others = others.map(|other| (other.row.number, other.previous.as_str()));
        others.find(|(number, previous)| was_sealed(*number, previous)).map(|(number, _)| number)
    }
}

/// Whether a row says that the rows up to a checkpoint were deleted. It has the checkpoint's key: a
/// former one, which may have got out, seals no row behind one of a newer key.
fn names(row: &Row, checkpoint: &Checkpoint) -> bool {
    let operations = [Operation::Prune, Operation::Archive].map(Operation::as_str);
    let is_cut = row.entry.object.kind == "audit"
        && operations.contains(&row.entry.operation.as_str())
        && row.key_id == checkpoint.key_id;
    if !is_cut {
        return false;
    }
    let after = row.entry.after.as_deref().unwrap_or_default();
    let after: Value = serde_json::from_str(after).unwrap_or_default();
    after.get("until") == Some(&Value::String(checkpoint.head.to_string()))
}

//! Deleting the oldest rows of the trail, after they were verified.
//!
//! The checkpoint that takes their place is sealed, so that everything before it counts as it was:
//! a row that was altered first must not be deleted. Rows are read from the checkpoint on, until
//! one is not old; what does not verify stays, with all rows after it.
//!
//! Behind a checkpoint of a former key the whole trail is verified first.
//!
//! What is deleted is what was verified: the checkpoint has the seal that was read, and nothing
//! is deleted when it has moved meanwhile.

use crate::domain::audit::verify::{Chain, Fault, verify};
use crate::model::audit::{Actor, AuditKey, Checkpoint, Entry, Head, Object, Operation};
use crate::store::{AuditCut, Read, Store};

/// How many rows are read at once.
const PAGE: i64 = 200;
/// How many pages are deleted by one transaction.
const MAX_PAGES: usize = 50;

/// What was deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// How many rows.
    pub deleted: u64,
    /// The number of the first row that does not verify, and what is wrong.
    pub stopped: Option<(i64, Fault)>,
}

/// Deletes the rows before the first one that is not older than a time, as far as they verify with
/// the keys that sealed them.
///
/// # Errors
///
/// When the database cannot be read or written.
pub async fn prune(
    store: &Store,
    keys: &[AuditKey],
    older_than: i64,
    now: i64,
) -> sqlx::Result<Pruned> {
    let mut read = store.read().await?;
    let checkpoint = read.audit_checkpoint().await?;
    if let Some(fault) = fault_of(store, keys, checkpoint.as_ref()).await? {
        return Ok(Pruned { deleted: 0, stopped: Some(fault) });
    }
    let (until, stopped) = end_of_old(&mut read, keys, checkpoint.clone(), older_than).await?;
    drop(read);
    let Some((until, rows)) = until else { return Ok(Pruned { deleted: 0, stopped }) };
    let cut = AuditCut {
        checkpoint: checkpoint.as_ref(),
        after: checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.head.number),
        left: left(&until, now),
        until,
        rows,
    };
    Ok(Pruned { deleted: store.cut_audit(cut).await?, stopped })
}

/// What is wrong behind a checkpoint of a former key. That key may have got out, so the whole trail
/// is verified once before the current key seals what lies before it.
async fn fault_of(
    store: &Store,
    keys: &[AuditKey],
    checkpoint: Option<&Checkpoint>,
) -> sqlx::Result<Option<(i64, Fault)>> {
    let Some(checkpoint) = checkpoint else { return Ok(None) };
    if keys.first().is_some_and(|key| key.id() == checkpoint.key_id) {
        return Ok(None);
    }
    let report = verify(store, keys, None).await?;
    Ok(report.faults.into_iter().next().map(|fault| (checkpoint.head.number, fault)))
}

/// The row that takes the place of those that were deleted.
fn left(until: &Head, now: i64) -> Entry {
    Entry {
        at: now,
        actor: Actor::server(),
        operation: Operation::Prune.as_str().to_owned(),
        object: Object::new("audit", ""),
        before: None,
        after: Some(serde_json::json!({ "until": until.to_string() }).to_string()),
        revision: 0,
    }
}

/// The last row of those that are old and verify, and how many these are.
type Old = Option<(Head, u64)>;

/// What is old and verifies, and what stands at the row after it.
async fn end_of_old(
    read: &mut Read,
    keys: &[AuditKey],
    checkpoint: Option<Checkpoint>,
    older_than: i64,
) -> sqlx::Result<(Old, Option<(i64, Fault)>)> {
    let mut chain = Chain::new(keys, checkpoint, None);
    chain.outside(read.audit_outside(chain.last().number).await?);
    if let Some(fault) = chain.any_fault() {
        return Ok((None, Some((chain.last().number, fault))));
    }
    let mut until = None;
    for _ in 0..MAX_PAGES {
        let rows = read.audit_after(chain.last().number, PAGE).await?;
        let is_last = rows.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        let head = read.audit_head().await?;
        for row in rows {
            let (number, at) = (row.number, row.entry.at);
            chain.add(row);
            chain.head_set_back(&head);
            if let Some(fault) = chain.any_fault() {
                // No row can be appended then, so not the one that says what was deleted either.
                let until = until.filter(|_| !matches!(fault, Fault::HeadSetBack { .. }));
                return Ok((until, Some((number, fault))));
            }
            if at >= older_than {
                return Ok((until, None));
            }
            until = Some((chain.last().clone(), chain.rows()));
        }
        if is_last {
            break;
        }
    }
    Ok((until, None))
}

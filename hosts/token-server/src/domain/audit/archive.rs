//! Moving the oldest rows of the trail into a file, those that do not verify among them.
//!
//! [Pruning](super::prune) stops at a row that does not verify, and stays there: after a clock that
//! was wrong for a while, or a former key that is lost, only a person can say that the rows are as
//! they should be. The file has every row as it is stored. The row that is left in the trail names
//! what was wrong with them, and the digest of the file, so that neither can be denied later.
//!
//! The file is a JSON object a line. Its first line names the row after which the others come; the
//! texts `before` and `after` are as they were sealed.
//!
//! Left out: reading such a file again.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, IntoInnerError, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use aws_lc_rs::digest::{Context, SHA256};
use serde::Serialize;
use serde_json::json;

use super::verify::Chain;
use crate::model::audit::{Actor, AuditKey, Entry, Head, Object, Operation, Row, hex};
use crate::store::{AuditCut, Read, Store};

/// How many rows are read at once.
const PAGE: i64 = 1000;

/// What was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archived {
    /// The last row that was moved.
    pub until: Head,
    /// How many rows.
    pub rows: u64,
    /// The SHA-256 of the file, in hexadecimal.
    pub digest: String,
    /// What is wrong with the rows.
    pub faults: Vec<String>,
}

/// Moves the rows up to a number into a new file, which only its owner may read.
///
/// # Errors
///
/// When there is no row of that number, the file exists already or cannot be written, or the
/// database cannot be: then every row stays, and there is no file.
pub async fn archive(
    store: &Store,
    keys: &[AuditKey],
    path: &Path,
    until: i64,
    now: i64,
) -> anyhow::Result<Archived> {
    let about = || format!("cannot write {}", path.display());
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path).with_context(about)?;
    let moved = move_rows(store, keys, Lines::new(file), until, now).await;
    if moved.is_err() {
        // The rows are still in the trail.
        let _ = fs::remove_file(path);
    }
    let archived = moved.with_context(about)?;
    Ok(archived)
}

async fn move_rows(
    store: &Store,
    keys: &[AuditKey],
    mut lines: Lines,
    until: i64,
    now: i64,
) -> anyhow::Result<Archived> {
    let mut read = store.snapshot().await?;
    let checkpoint = read.audit_checkpoint().await?;
    let chain = Chain::new(keys, checkpoint.clone(), None);
    let (head, faults) = write_rows(&mut read, chain, &mut lines, until).await?;
    drop(read);
    let archived = Archived { until: head, rows: lines.rows, digest: lines.end()?, faults };
    let cut = AuditCut {
        checkpoint: checkpoint.as_ref(),
        // Rows outside the chain go with them.
        after: i64::MIN,
        until: archived.until.clone(),
        rows: archived.rows,
        left: left(&archived, store.actor(), now),
    };
    ensure!(store.cut_audit(cut).await? > 0, "the trail has changed meanwhile: try again");
    Ok(archived)
}

/// Writes the rows up to a number. Returns the last one, and what is wrong with them.
async fn write_rows(
    read: &mut Read,
    mut chain: Chain<'_>,
    lines: &mut Lines,
    until: i64,
) -> anyhow::Result<(Head, Vec<String>)> {
    let begins_after = chain.last().clone();
    lines.write(&json!({ "after": begins_after.to_string() }))?;
    chain.outside(read.audit_outside(begins_after.number).await?);
    let mut last = i64::MIN;
    while last < until {
        let rows = read.audit_after(last, PAGE).await?;
        let rows: Vec<Row> = rows.into_iter().take_while(|row| row.number <= until).collect();
        let Some(end) = rows.last() else { break };
        last = end.number;
        for row in rows {
            lines.write_row(&row)?;
            if row.number > begins_after.number {
                chain.add(row);
            }
        }
    }
    ensure!(last == until && until > begins_after.number, "the trail has no row {until}");
    let report = chain.end();
    Ok((report.last, report.faults.iter().map(ToString::to_string).collect()))
}

/// The row that takes the place of those that were moved.
fn left(archived: &Archived, actor: &Actor, now: i64) -> Entry {
    let Archived { until, rows, digest, faults } = archived;
    let after =
        json!({ "until": until.to_string(), "rows": rows, "sha256": digest, "faults": faults });
    Entry {
        at: now,
        actor: actor.clone(),
        operation: Operation::Archive.as_str().to_owned(),
        object: Object::new("audit", ""),
        before: None,
        after: Some(after.to_string()),
        revision: 0,
    }
}

/// A file of lines, and what is known of it.
struct Lines {
    file: BufWriter<File>,
    digest: Context,
    rows: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'r> {
    number: i64,
    at: i64,
    operation: &'r str,
    object: &'r Object,
    actor: &'r Actor,
    before: Option<&'r str>,
    after: Option<&'r str>,
    revision: i64,
    key_id: &'r str,
    seal: &'r str,
}

impl Lines {
    fn new(file: File) -> Self {
        Self { file: BufWriter::new(file), digest: Context::new(&SHA256), rows: 0 }
    }

    fn write_row(&mut self, row: &Row) -> anyhow::Result<()> {
        let Row { number, entry, key_id, seal } = row;
        let Entry { at, actor, operation, object, before, after, revision } = entry;
        self.rows += 1;
        self.write(&Line {
            number: *number,
            at: *at,
            operation,
            object,
            actor,
            before: before.as_deref(),
            after: after.as_deref(),
            revision: *revision,
            key_id,
            seal,
        })
    }

    fn write(&mut self, line: &impl Serialize) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.digest.update(&text);
        Ok(self.file.write_all(&text)?)
    }

    /// The digest of the file, which is on the disk then.
    fn end(self) -> anyhow::Result<String> {
        let file = self.file.into_inner().map_err(IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(hex(self.digest.finish().as_ref()))
    }
}

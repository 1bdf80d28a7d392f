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

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, IntoInnerError, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use aws_lc_rs::digest::{Context, SHA256};
use serde::Serialize;
use serde_json::json;

use super::verify::verify;
use crate::model::audit::{Actor, AuditKey, Checkpoint, Entry, Head, Object, Operation, Row, hex};
use crate::store::{AuditCut, Read, Store, Temporary};

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
    /// What was wrong with the trail, these rows and later ones.
    pub faults: Vec<String>,
}

/// Moves the rows up to a number into a new file, which only its owner may read.
///
/// # Errors
///
/// When there is no row of that number, or the file exists already or cannot be written: then every
/// row stays, and there is no new file. When the database cannot be written: the file stays.
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
    let temporary = Temporary::new(path);
    let faults = verify(store, keys, None).await?.faults;
    let faults = faults.iter().map(ToString::to_string).collect();
    let mut read = store.snapshot().await?;
    let checkpoint = read.audit_checkpoint().await?;
    let mut lines = Lines::new(file);
    let until = write_rows(&mut read, checkpoint.as_ref(), &mut lines, until).await;
    let until = until.with_context(about)?;
    drop(read);
    let rows = lines.rows;
    let archived = Archived { until, rows, digest: lines.end().with_context(about)?, faults };
    // From here on it may be the only place of the rows.
    temporary.keep();
    let cut = AuditCut {
        checkpoint: checkpoint.as_ref(),
        // Rows outside the chain go with them.
        after: i64::MIN,
        until: archived.until.clone(),
        rows,
        left: left(&archived, store.actor(), now),
    };
    let deleted = store.cut_audit(cut).await;
    let deleted = deleted.context("it is not known whether the rows are still in the trail")?;
    ensure!(deleted > 0, "the trail has changed meanwhile: delete the file, and try again");
    Ok(archived)
}

/// Writes the rows up to a number, those outside the chain among them. Returns the last one.
async fn write_rows(
    read: &mut Read,
    checkpoint: Option<&Checkpoint>,
    lines: &mut Lines,
    until: i64,
) -> anyhow::Result<Head> {
    let begins_after = checkpoint.map(|checkpoint| checkpoint.head.clone()).unwrap_or_default();
    lines.write(&json!({ "after": begins_after.to_string() }))?;
    let mut last = Head { number: i64::MIN, seal: String::new() };
    while last.number < until {
        let rows = read.audit_after(last.number, PAGE).await?;
        let rows: Vec<Row> = rows.into_iter().take_while(|row| row.number <= until).collect();
        rows.iter().try_for_each(|row| lines.write_row(row))?;
        let Some(row) = rows.last() else { break };
        last = Head { number: row.number, seal: row.seal.clone() };
    }
    let is_there = last.number == until && until > begins_after.number;
    ensure!(is_there, "the trail has no row {until}");
    Ok(last)
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

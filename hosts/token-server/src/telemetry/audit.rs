//! The audit trail in the log: one event for each row, under the target `audit`, and a line of JSON
//! for a syslog server.
//!
//! Both have the same fields, which stay from version to version. Every line tells of a row that is
//! committed, so a line that is lost can be read from the database.
//!
//! | field | holds |
//! |---|---|
//! | `number` | the number of the row, without a gap |
//! | `at` | when, in RFC 3339 |
//! | `operation` | `create`, `update`, `delete`, `revoke`, `sign_in`, `sign_in_failed`, `prune`, `archive`, `restore` |
//! | `object_kind`, `object` | what was changed |
//! | `actor_kind`, `actor`, `provider` | who did it |
//! | `address`, `correlation_id` | by which request |
//! | `before`, `after` | JSON without secrets, as text |
//! | `revision` | the revision that the change made |
//! | `seal` | the seal of the row |
//! | `left_out` | only in a line for syslog that would be too long for a datagram: the fields that it lacks |
//!
//! A line `head` every minute has the number and the seal of the last row, for `audit verify`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::syslog::Syslog;
use crate::clock::rfc3339;
use crate::config::SyslogTarget;
use crate::model::audit::{Head, Listener, Row};

/// Logs each row, and sends it to a syslog server.
pub(crate) fn listener(server: Option<SyslogTarget>) -> Listener {
    let Some(server) = server else { return Arc::new(log) };
    let (syslog, run) = Syslog::new(server);
    tokio::spawn(run);
    Arc::new(move |row: &Row| {
        log(row);
        syslog.send(line(row));
    })
}

/// Logs a row.
fn log(row: &Row) {
    let Row { number, entry, seal, .. } = row;
    tracing::info!(
        target: "audit",
        number,
        at = rfc3339(entry.at),
        operation = entry.operation,
        object_kind = entry.object.kind,
        object = entry.object.name,
        actor_kind = entry.actor.kind,
        actor = entry.actor.name,
        provider = entry.actor.provider,
        address = entry.actor.address,
        correlation_id = entry.actor.correlation_id,
        before = entry.before,
        after = entry.after,
        revision = entry.revision,
        seal,
    );
}

/// Logs the last row.
pub(crate) fn log_head(head: &Head) {
    tracing::info!(target: "audit", head = %head);
}

/// A row as one line of JSON.
#[must_use]
fn line(row: &Row) -> String {
    let Row { number, entry, seal, .. } = row;
    let mut line = json!({
        "number": number,
        "at": rfc3339(entry.at),
        "operation": entry.operation,
        "object_kind": entry.object.kind,
        "object": entry.object.name,
        "actor_kind": entry.actor.kind,
        "actor": entry.actor.name,
        "provider": entry.actor.provider,
        "address": entry.actor.address,
        "correlation_id": entry.actor.correlation_id,
        "before": entry.before,
        "after": entry.after,
        "revision": entry.revision,
        "seal": seal,
    });
    if let Some(fields) = line.as_object_mut() {
        fields.retain(|_, value| *value != Value::Null);
    }
    line.to_string()
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::config::Log;
    use crate::model::audit::{Actor, Entry, Object};
    use crate::telemetry::log::layer;

    fn row() -> Row {
        Row {
            number: 3,
            entry: Entry {
                at: 1_700_000_000,
                actor: Actor::command("apply"),
                operation: "update".into(),
                object: Object::new("token", "MyToken"),
                before: Some(r#"{"enabled":true}"#.into()),
                after: Some(r#"{"enabled":false}"#.into()),
                revision: 7,
            },
            key_id: "k".into(),
            seal: "ab".repeat(32),
        }
    }

    /// What is logged with a filter of the environment that hides everything else.
    fn logged(log: &Log) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        let writer = std::sync::Mutex::new(file.reopen().unwrap());
        let subscriber = tracing_subscriber::registry().with(layer(log, writer));
        tracing::subscriber::with_default(subscriber, || super::log(&row()));
        std::fs::read_to_string(file.path()).unwrap()
    }

    #[test]
    fn the_log_and_syslog_have_the_same_fields() {
        let text = logged(&Log { json: true, decisions: false });
        let logged: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(logged["target"], "audit");
        let line: Value = serde_json::from_str(&line(&row())).unwrap();
        assert_eq!(logged["fields"], line);
        assert_eq!(line["at"], "2023-11-14T22:13:20Z");
        assert_eq!(line["after"], r#"{"enabled":false}"#);
        assert_eq!(line["actor_kind"], "command");
    }
}

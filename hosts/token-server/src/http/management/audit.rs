//! The audit trail: who changed what, and who signed in.
//!
//! For the roles Owner and AuditReader. The latest rows come first; a page ends with a `nextLink`.
//!
//! Left out: whether the trail is whole, which needs the key and is `scopegate-server audit
//! verify`'s.

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, State};
use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::access::ReadAudit;
use super::body::Query;
use super::error::{ErrorResponse, ManagementError};
use super::resource::{List, PageQuery};
use crate::app::App;
use crate::clock::rfc3339;
use crate::model::audit::{Actor, Object, Row};
use crate::store::{AuditFilter, Page};

/// Which rows are wanted.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditQuery {
    /// The name of who did it: a client id, an identity's subject, a command.
    actor: Option<String>,
    /// What kind of object: `registry`, `scope_map`, `token`, `service_principal`, …
    object_kind: Option<String>,
    /// The object's name.
    object: Option<String>,
    /// The first moment, in RFC 3339.
    from: Option<String>,
    /// The moment after the last one, in RFC 3339.
    until: Option<String>,
}

/// A row of the trail.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditEntry {
    /// Its number, from 1 without a gap.
    number: i64,
    /// When, in RFC 3339.
    at: String,
    /// `create`, `update`, `delete`, `revoke`, `sign_in`, `sign_in_failed`, `prune`, `archive` or
    /// `restore`.
    operation: String,
    /// What was changed.
    #[schema(value_type = Object)]
    object: Object,
    /// Who did it, and by which request.
    #[schema(value_type = Object)]
    actor: Actor,
    /// What was there before, without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
    /// What is there now, without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
    /// The revision that the change made; 0 for a sign-in.
    revision: i64,
    /// The seal of the row, in hexadecimal.
    seal: String,
}

/// Lists the rows of the audit trail, the latest first.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; a time that is not one.
#[utoipa::path(get, path = "/audit", tag = "audit", operation_id = "audit_list",
    params(AuditQuery, PageQuery),
    responses((status = 200, body = List<AuditEntry>), (status = "default", body = ErrorResponse)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    _: ReadAudit,
    Query(query): Query<AuditQuery>,
    Query(page): Query<PageQuery>,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<List<AuditEntry>>, ManagementError> {
    let page = page.page()?;
    let filter = query.filter(&page)?;
    let _turn = app.guard.lists.acquire().await;
    let rows = app.store.read().await?.audit(&filter).await?;
    let last = rows.last().map(|row| row.number.to_string());
    let value = rows.into_iter().map(AuditEntry::from).collect();
    Ok(Json(List::filtered_page(value, &page, last, &query.pairs(), &app, &uri)))
}

impl AuditQuery {
    fn filter(&self, page: &Page) -> Result<AuditFilter, ManagementError> {
        let below = match page.after.as_str() {
            "" => None,
            number => Some(number.parse().map_err(|_| not_a("$skiptoken", "one of a `nextLink`"))?),
        };
        Ok(AuditFilter {
            actor: self.actor.clone(),
            object_kind: self.object_kind.clone(),
            object: self.object.clone(),
            from: seconds("from", self.from.as_deref())?,
            until: seconds("until", self.until.as_deref())?,
            below,
            limit: page.limit,
        })
    }

    /// The parameters, for the next page's address.
    fn pairs(&self) -> Vec<(&'static str, &str)> {
        let Self { actor, object_kind, object, from, until } = self;
        let all = [
            ("actor", actor),
            ("objectKind", object_kind),
            ("object", object),
            ("from", from),
            ("until", until),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }
}

/// A time as the first second that is not before it.
fn seconds(name: &str, text: Option<&str>) -> Result<Option<i64>, ManagementError> {
    let Some(text) = text else { return Ok(None) };
    let since = since_1970(text);
    let since = since.ok_or_else(|| not_a(name, "a time of RFC 3339, `2026-11-30T00:00:00Z`"))?;
    let is_between = since.subsec_nanos() > 0;
    Ok(Some(since.as_secs().saturating_add(i64::from(is_between))))
}

/// A time, since 1970. The library's timestamps end a day before the year 9999 does, so that each
/// has a date at any offset.
fn since_1970(text: &str) -> Option<SignedDuration> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_duration());
    }
    let pieces = Pieces::parse(text).ok()?;
    let (date, time, offset) = (pieces.date(), pieces.time()?, pieces.to_numeric_offset()?);
    let is_last = date.year() == 9999 && pieces.time_zone_annotation().is_none();
    let local = date.to_datetime(time).duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
    is_last.then(|| local - SignedDuration::from_secs(offset.seconds().into()))
}

fn not_a(name: &str, expected: &str) -> ManagementError {
    ManagementError::BadRequest(format!("`{name}` is not {expected}"))
}

impl From<Row> for AuditEntry {
    fn from(row: Row) -> Self {
        let Row { number, entry, seal, .. } = row;
        // An altered row may hold anything.
        let json = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self {
            number,
            at: rfc3339(entry.at),
            operation: entry.operation,
            object: entry.object,
            actor: entry.actor,
            before: entry.before.map(json),
            after: entry.after.map(json),
            revision: entry.revision,
            seal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_the_first_second_that_is_not_before_it() {
        const LAST: i64 = 253_402_300_799;
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T00:00:00.000000001Z", Some(1)),
            ("1969-12-31T23:59:59.5Z", Some(0)),
            ("1969-12-31T23:59:58.5Z", Some(-1)),
            ("1970-01-01T01:00:00+01:00", Some(0)),
            ("9999-12-31T23:59:59Z", Some(LAST)),
            ("9999-12-31T23:59:59.5Z", Some(LAST + 1)),
            ("9999-12-31T23:59:59-01:00", Some(LAST + 3600)),
            ("9999-12-31T23:59:59+23:00", Some(LAST - 23 * 3600)),
            ("9999-12-31t23:59:59z", Some(LAST)),
            ("9999-12-31", None),
            ("9999-12-31T23:59:59", None),
            ("9999-12-32T23:59:59Z", None),
            ("10000-01-01T00:00:00Z", None),
            ("9999", None),
            ("", None),
        ] {
            assert_eq!(seconds("from", Some(text)).ok().flatten(), expected, "{text}");
        }
    }
}

//! Lists and flags in columns: JSON text, 0 and 1, because the databases share no other form of
//! them.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// Reads a JSON column.
pub(super) fn json<T: DeserializeOwned>(row: &AnyRow, column: usize) -> sqlx::Result<T> {
    let text: &str = row.try_get(column)?;
    serde_json::from_str(text).map_err(|error| sqlx::Error::ColumnDecode {
        index: column.to_string(),
        source: error.into(),
    })
}

/// Reads a flag.
pub(super) fn flag(row: &AnyRow, column: usize) -> sqlx::Result<bool> {
    row.try_get::<i64, _>(column).map(|flag| flag != 0)
}

/// Writes a JSON column.
pub(super) fn to_json(value: &impl Serialize) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

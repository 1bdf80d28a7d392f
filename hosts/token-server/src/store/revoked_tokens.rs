//! Refresh tokens that were revoked by themselves, by their ids.
//!
//! A row is kept until its token has expired. Only the id of a token that this server has signed
//! gets here, so the table grows no faster than refresh tokens are issued.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::tables::Tabled;

/// A refresh token that was revoked by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedToken {
    /// Its id.
    pub jti: String,
    /// When it expires, in seconds since 1970.
    pub expires_at: i64,
}

impl Tabled for RevokedToken {
    const TABLE: &'static str = "revoked_tokens";
    const COLUMNS: &'static str = "jti, expires_at";
}

impl FromRow<'_, AnyRow> for RevokedToken {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self { jti: row.try_get(0)?, expires_at: row.try_get(1)? })
    }
}

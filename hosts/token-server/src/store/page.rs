//! Pages of a list: by key, so that the last page costs what the first one does.

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Keys after this one; all for the empty text.
    pub after: String,
    /// The maximum number of rows.
    pub limit: i64,
}

impl Page {
    /// The maximum page size of an answer.
    pub const MAX: i64 = 500;

    /// The first page.
    #[must_use]
    pub fn first() -> Self {
        Self { after: String::new(), limit: Self::MAX }
    }

    /// The same page with at most `limit` rows.
    #[must_use]
    pub fn capped_at(self, limit: i64) -> Self {
        Self { limit: self.limit.min(limit), ..self }
    }
}

//! Pages of a list: by key, so that the last page costs what the first one does.

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Keys after this one; all for the empty text.
    pub after: String,
    /// At most so many.
    pub limit: i64,
}

impl Page {
    /// The most that one answer holds.
    pub const MAX: i64 = 500;

    /// The first page.
    #[must_use]
    pub fn first() -> Self {
        Self { after: String::new(), limit: Self::MAX }
    }

    /// The same, no longer than this.
    #[must_use]
    pub fn at_most(self, limit: i64) -> Self {
        Self { limit: self.limit.min(limit), ..self }
    }
}

//! Compiled tables, as the host holds them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A compiled table that the engine has checked, under the name of its scope map. Clones share the
/// bytes.
#[derive(Clone)]
pub struct PolicyTable(Arc<Inner>);

struct Inner {
    id: u64,
    name: String,
    bytes: Vec<u8>,
}

impl PolicyTable {
    pub(crate) fn new(name: &str, bytes: Vec<u8>) -> Self {
        /// Ids are never used twice, so that an instance cannot take a new table for an old one.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(Arc::new(Inner { id, name: name.to_owned(), bytes }))
    }

    /// The name of the scope map, empty when it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The bytes of the table, position-independent and the same for the same rules.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    pub(crate) fn id(&self) -> u64 {
        self.0.id
    }
}

impl fmt::Debug for PolicyTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyTable")
            .field("name", &self.0.name)
            .field("bytes", &self.0.bytes.len())
            .finish_non_exhaustive()
    }
}

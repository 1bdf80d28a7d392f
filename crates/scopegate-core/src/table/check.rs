//! Checking bytes that claim to be a table: every property that look-ups rely on.
//!
//! It takes time in proportion to the number of entries, once.
//!
//! Left out: the header, which is checked where it is read, in [`format`](super::format).

use super::compile::Lineage;
use super::format::{HEADER_LEN, SLOT_LEN, Slot, View};
use crate::error::{Error, ErrorKind};
use crate::lean::hash;
use crate::name::RepositoryName;
use crate::pattern::MAX_PREFIX;

impl View<'_> {
    pub(super) fn check(self) -> Result<(), Error> {
        let broken =
            |bytes: &[u8; SLOT_LEN]| *bytes != [0; SLOT_LEN] && Slot::from_bytes(bytes).is_none();
        if let Some(index) = self.slots().iter().position(broken) {
            return Err(self.malformed_slot(index));
        }
        let filled = self.sorted_slots();
        if filled.len() != self.header.entries as usize {
            return Err(Error::new(ErrorKind::TableMalformed, 16));
        }
        self.check_keys(&filled)?;
        self.check_slots(&filled)
    }

    /// The keys are valid names, strictly sorted, and cover their part of the table without a gap.
    fn check_keys(self, filled: &[(Slot, usize)]) -> Result<(), Error> {
        let mut end = self.header.keys_start;
        let mut previous: Option<&str> = None;
        for (slot, index) in filled {
            let malformed = self.malformed_slot(*index);
            let start = self.header.keys_start.saturating_add(slot.key_start as usize);
            let key =
                self.key(*slot).and_then(|key| core::str::from_utf8(key).ok()).ok_or(malformed)?;
            let in_order = previous.is_none_or(|previous| previous < key);
            if start != end || !in_order || RepositoryName::parse(key).is_err() {
                return Err(malformed);
            }
            end = start.saturating_add(key.len());
            previous = Some(key);
        }
        if end == self.bytes.len() {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::TableMalformed, end))
        }
    }

    /// A look-up finds every key in its own slot, every slot grants something that a rule could,
    /// and it inherits what the slots above it grant.
    fn check_slots(self, filled: &[(Slot, usize)]) -> Result<(), Error> {
        let mut any = self.header.root;
        let mut max_probe = 1;
        let mut lineage = Lineage::new(self.header.root);
        for (slot, index) in filled {
            let name = self.key(*slot).unwrap_or_default();
            let hash = hash::of(name, self.header.seed);
            let home = hash::home(hash, self.header.homes);
            let probe = index.saturating_sub(home).saturating_add(1);
            let is_found = self.probe(name, name.len(), hash) == Some(*slot) && *index >= home;
            let has_room = slot.below.is_empty() || name.len() <= MAX_PREFIX;
            let grants = has_room && !slot.exact.union(slot.below).is_empty();
            let inherited = lineage.inherited(name, slot.below);
            if !is_found || !grants || slot.inherited != inherited {
                return Err(self.malformed_slot(*index));
            }
            max_probe = max_probe.max(probe);
            any = any.union(slot.exact).union(slot.below);
        }
        if any != self.header.any || max_probe != self.header.max_probe as usize {
            return Err(Error::new(ErrorKind::TableMalformed, 26));
        }
        Ok(())
    }

    fn malformed_slot(self, index: usize) -> Error {
        let position = HEADER_LEN.saturating_add(index.saturating_mul(SLOT_LEN));
        Error::new(ErrorKind::TableMalformed, position)
    }
}

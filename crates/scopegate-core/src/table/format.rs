//! The bytes of a table, format version 1.
//!
//! All integers are little-endian.
//!
//! | bytes | field |
//! |---|---|
//! | 0..4 | magic `SGT` and the version, 1 |
//! | 4..8 | length of the whole table |
//! | 8..16 | seed of the hash |
//! | 16..20 | number of entries |
//! | 20..24 | number of slots: the homes, and as many more as the longest probe needs to never wrap |
//! | 24..26 | actions of the root wildcard `*` |
//! | 26..28 | union of the actions of all rules |
//! | 28..32 | longest probe, at least 1 |
//! | 32.. | slots of 16 bytes, then the keys, sorted and without separators |
//!
//! | bytes of a slot | field |
//! |---|---|
//! | 0..4 | tag: the low half of the key's hash |
//! | 4..8 | offset of the key among the keys |
//! | 8 | length of the key, 0 for an empty slot |
//! | 9 | 0 |
//! | 10..12 | actions of rules on exactly this name |
//! | 12..14 | actions of rules on everything below this name |
//! | 14..16 | actions that rules above this name grant on it and below it |
//!
//! Left out: whether the bytes keep what look-ups rely on, which [`check`](super::check) asks.

use alloc::vec::Vec;

use super::Entry;
use crate::action::ActionSet;
use crate::error::{Error, ErrorKind};
use crate::lean::sort::numbered;
use crate::name::RepositoryName;

/// The most slots that a look-up visits for one key.
pub const MAX_PROBE: usize = 16;

const VERSION: u8 = 1;
const MAGIC: [u8; 4] = [b'S', b'G', b'T', VERSION];
pub(super) const HEADER_LEN: usize = 32;
pub(super) const SLOT_LEN: usize = 16;

/// The header, with the lengths that follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) seed: u64,
    pub(super) entries: u32,
    pub(super) slots: u32,
    pub(super) root: ActionSet,
    pub(super) any: ActionSet,
    pub(super) max_probe: u32,
    /// The slots at which probing may begin.
    pub(super) homes: usize,
    /// Where the keys begin.
    pub(super) keys_start: usize,
}

/// One slot that is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) tag: u32,
    pub(super) key_start: u32,
    pub(super) key_len: u8,
    pub(super) exact: ActionSet,
    pub(super) below: ActionSet,
    pub(super) inherited: ActionSet,
}

impl Header {
    /// How many of the slots may be an entry's home.
    pub(super) const fn homes(slots: u32, max_probe: u32) -> usize {
        (slots as usize).saturating_add(1).saturating_sub(max_probe as usize)
    }

    pub(super) fn write(self, len: usize, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&(len as u32).to_le_bytes());
        bytes.extend_from_slice(&self.seed.to_le_bytes());
        bytes.extend_from_slice(&self.entries.to_le_bytes());
        bytes.extend_from_slice(&self.slots.to_le_bytes());
        bytes.extend_from_slice(&self.root.bits().to_le_bytes());
        bytes.extend_from_slice(&self.any.bits().to_le_bytes());
        bytes.extend_from_slice(&self.max_probe.to_le_bytes());
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let malformed = |position| Error::new(ErrorKind::TableMalformed, position);
        let mut rest = bytes;
        let magic: [u8; 4] = take(&mut rest).ok_or(malformed(0))?;
        if magic[..3] != MAGIC[..3] {
            return Err(malformed(0));
        }
        if magic[3] != VERSION {
            return Err(Error::new(ErrorKind::TableVersion, 3));
        }
        let len = take(&mut rest).map(u32::from_le_bytes).ok_or(malformed(4))?;
        let seed = take(&mut rest).map(u64::from_le_bytes).ok_or(malformed(8))?;
        let entries = take(&mut rest).map(u32::from_le_bytes).ok_or(malformed(16))?;
        let slots = take(&mut rest).map(u32::from_le_bytes).ok_or(malformed(20))?;
        let root = take_actions(&mut rest).ok_or(malformed(24))?;
        let any = take_actions(&mut rest).ok_or(malformed(26))?;
        let max_probe = take(&mut rest).map(u32::from_le_bytes).ok_or(malformed(28))?;
        if len as usize != bytes.len() {
            return Err(malformed(4));
        }
        let room = (slots as usize).saturating_mul(SLOT_LEN);
        let keys_start = HEADER_LEN.saturating_add(room);
        if keys_start > bytes.len() || entries > slots || (entries == 0) != (slots == 0) {
            return Err(malformed(20));
        }
        if !(1..=MAX_PROBE).contains(&(max_probe as usize)) {
            return Err(malformed(28));
        }
        if entries > 0 && slots < max_probe {
            return Err(malformed(20));
        }
        let homes = Self::homes(slots, max_probe);
        Ok(Self { seed, entries, slots, root, any, max_probe, homes, keys_start })
    }
}

impl Slot {
    pub(super) const fn to_bytes(self) -> [u8; SLOT_LEN] {
        let word = self.tag as u128
            | (self.key_start as u128) << 32
            | (self.key_len as u128) << 64
            | (self.exact.bits() as u128) << 80
            | (self.below.bits() as u128) << 96
            | (self.inherited.bits() as u128) << 112;
        word.to_le_bytes()
    }

    /// The slot, or `None` when it is empty or holds a bit that means nothing.
    pub(super) fn from_bytes(bytes: &[u8; SLOT_LEN]) -> Option<Self> {
        let word = u128::from_le_bytes(*bytes);
        let slot = Self::from_word(word);
        (slot.key_len != 0 && slot.to_bytes() == *bytes).then_some(slot)
    }

    /// The slot in a table whose slots were checked, or `None` when it is empty.
    pub(super) fn filled(bytes: &[u8; SLOT_LEN]) -> Option<Self> {
        let slot = Self::from_word(u128::from_le_bytes(*bytes));
        (slot.key_len != 0).then_some(slot)
    }

    /// The slot in a word of a table that was checked. Bits that mean nothing are left out.
    #[inline]
    pub(super) const fn from_word(word: u128) -> Self {
        Self {
            tag: word as u32,
            key_start: (word >> 32) as u32,
            key_len: (word >> 64) as u8,
            exact: ActionSet::grantable((word >> 80) as u16),
            below: ActionSet::grantable((word >> 96) as u16),
            inherited: ActionSet::grantable((word >> 112) as u16),
        }
    }
}

/// The set with these bits, when a rule can grant all of them.
#[inline]
fn grantable(bits: u16) -> Option<ActionSet> {
    ActionSet::from_bits(bits).filter(|set| ActionSet::GRANTABLE.is_superset(*set))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}

fn take_actions(rest: &mut &[u8]) -> Option<ActionSet> {
    grantable(u16::from_le_bytes(take(rest)?))
}

/// A table wherever it is stored. The methods of [`Table`](super::Table) are those of its view,
/// which are compiled once and not for each kind of storage.
#[derive(Clone, Copy)]
pub(crate) struct View<'t> {
    pub(super) bytes: &'t [u8],
    pub(super) header: &'t Header,
}

impl<'t> View<'t> {
    /// The seed of the hash.
    #[inline]
    pub(crate) const fn seed(self) -> u64 {
        self.header.seed
    }

    #[inline]
    pub(crate) const fn root(self) -> ActionSet {
        self.header.root
    }

    #[inline]
    pub(crate) const fn anywhere(self) -> ActionSet {
        self.header.any
    }

    #[inline]
    pub(super) fn key(self, slot: Slot) -> Option<&'t [u8]> {
        let start = self.header.keys_start.wrapping_add(slot.key_start as usize);
        self.bytes.get(start..start.wrapping_add(slot.key_len as usize))
    }

    /// The slots that are not empty, each with its index, sorted by name.
    pub(super) fn sorted_slots(self) -> Vec<(Slot, usize)> {
        let mut filled = Vec::with_capacity(self.header.entries as usize);
        let each = self.slots().iter().enumerate();
        filled.extend(each.filter_map(|(index, bytes)| Some((Slot::filled(bytes)?, index))));
        // Keys are stored in the order of their names.
        let starts: Vec<u32> = filled.iter().map(|(slot, _)| slot.key_start).collect();
        let mut sorted = Vec::with_capacity(filled.len());
        sorted.extend(numbered(&starts).into_iter().filter_map(|index| filled.get(index)).copied());
        sorted
    }

    #[inline]
    pub(super) fn slots(self) -> &'t [[u8; SLOT_LEN]] {
        self.bytes.get(HEADER_LEN..self.header.keys_start).unwrap_or_default().as_chunks().0
    }

    pub(super) fn entry(self, slot: Slot) -> Entry<'t> {
        let key = core::str::from_utf8(self.key(slot).unwrap_or_default()).unwrap_or_default();
        Entry { name: RepositoryName::trusted(key), exact: slot.exact, below: slot.below }
    }
}

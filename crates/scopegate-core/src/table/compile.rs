//! Compiling rules into a table: their union, sorted and laid out as a hash table.
//!
//! The layout is seeded, and one whose longest probe would exceed [`MAX_PROBE`] is never made:
//! other seeds are tried, and then more room, so that no map can make look-ups slow.
//!
//! Left out: reading rules, which [`scope_map`](mod@crate::scope_map) does.

use alloc::vec::Vec;

use super::format::{HEADER_LEN, Header, MAX_PROBE, SLOT_LEN, Slot};
use super::{Entry, Table};
use crate::action::{ActionSet, Permission};
use crate::error::{Error, ErrorKind};
use crate::fast_path::FastRule;
use crate::lean::hash;
use crate::lean::sort::sorted;
use crate::pattern::{MAX_PREFIX, Pattern};
use crate::scope_map::{Rule, ScopeMap};

/// The most names that the rules of a table are about.
const MAX_ENTRIES: usize = 1 << 24;

/// How many seeds are tried before the table is given more room.
const SEEDS: u64 = 8;

impl Table<Vec<u8>> {
    /// Compiles the union of some scope maps.
    ///
    /// ```
    /// use scopegate_core::{RepositoryName, ScopeMap, Table};
    ///
    /// let map = ScopeMap::parse(["repositories/sample/*/content/read", "repositories/sample/a/content/delete"])?;
    /// let table = Table::compile([&map])?;
    /// assert_eq!(table.granted(RepositoryName::parse("sample/a")?).to_string(), "pull,delete");
    /// # Ok::<(), scopegate_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TableUnhashable`] for names that were made to collide,
    /// [`ErrorKind::TableTooLarge`] for more than 2²⁴ of them.
    pub fn compile<'m>(maps: impl IntoIterator<Item = &'m ScopeMap>) -> Result<Self, Error> {
        Self::compile_rules(maps.into_iter().flat_map(|map| &map.rules))
    }

    /// Compiles the union of some rules.
    ///
    /// # Errors
    ///
    /// As [`Table::compile`].
    pub fn compile_rules<'m>(rules: impl IntoIterator<Item = &'m Rule>) -> Result<Self, Error> {
        let mut union = Union::default();
        let grants = rules.into_iter().filter_map(Rule::grant);
        grants.for_each(|(pattern, permission)| union.add(pattern, permission));
        union.build()
    }

    /// Compiles the union of the rules that these action strings are, without making a [`Rule`] of
    /// each, which has a text of its own: that takes a third of the time.
    ///
    /// ```
    /// use scopegate_core::Table;
    ///
    /// let table = Table::compile_actions(["repositories/sample/*/content/read", "repositories/sample/A/content/delete"])?;
    /// assert_eq!(table.entries().count(), 2);
    /// # Ok::<(), scopegate_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Rule::parse`] and of [`Table::compile`].
    pub fn compile_actions<'t>(
        actions: impl IntoIterator<Item = &'t str, IntoIter: Clone>,
    ) -> Result<Self, Error> {
        let actions = actions.into_iter();
        let mut union = Union::default();
        for text in actions.clone() {
            // One that is lower-cased first, or that only the full parser knows.
            let Some(FastRule { pattern, permission }) = FastRule::read(text) else {
                return Self::compile([&ScopeMap::parse(actions)?]);
            };
            union.add(pattern.into(), permission);
        }
        union.build()
    }
}

/// What some rules grant, on the way to a table: one entry for each rule, in any order.
#[derive(Default)]
struct Union<'m> {
    root: ActionSet,
    entries: Vec<Entry<'m>>,
}

impl<'m> Union<'m> {
    fn add(&mut self, pattern: Pattern<'m>, permission: Permission) {
        let actions = ActionSet::of(permission.action());
        let (name, exact, below) = match pattern {
            Pattern::Root => {
                self.root = self.root.union(actions);
                return;
            }
            Pattern::Exact(name) => (name, actions, ActionSet::NONE),
            // No name is long enough to lie below a longer prefix.
            Pattern::Prefix(name) if name.as_str().len() > MAX_PREFIX => return,
            Pattern::Prefix(name) => (name, ActionSet::NONE, actions),
        };
        self.entries.push(Entry { name, exact, below });
    }

    fn build(&self) -> Result<Table<Vec<u8>>, Error> {
        build(self.root, &merge(&self.entries))
    }
}

/// The entries sorted by name, those with the same name made one.
fn merge<'m>(entries: &[Entry<'m>]) -> Vec<Entry<'m>> {
    let name = |index: usize| entries.get(index).map(|entry| entry.name);
    let mut merged: Vec<Entry<'m>> = Vec::new();
    for index in sorted(entries.len(), &|one, other| name(one).cmp(&name(other))) {
        let Some(next) = entries.get(index) else { continue };
        match merged.last_mut() {
            Some(last) if last.name == next.name => {
                last.exact = last.exact.union(next.exact);
                last.below = last.below.union(next.below);
            }
            _ => merged.push(*next),
        }
    }
    merged
}

/// Lays out a table for sorted entries with distinct names: a few seeds at two homes per entry,
/// then with more room.
fn build(root: ActionSet, entries: &[Entry<'_>]) -> Result<Table<Vec<u8>>, Error> {
    let keys_len =
        entries.iter().fold(0_usize, |sum, entry| sum.saturating_add(entry.name.as_str().len()));
    if entries.len() > MAX_ENTRIES || u32::try_from(keys_len).is_err() {
        return Err(Error::new(ErrorKind::TableTooLarge, 0));
    }
    // With one and a half homes per entry a look-up that finds nothing visits five slots instead of
    // two and a half, and a third of all are such.
    for factor in [4, 6, 8, 12] {
        let homes = entries.len().saturating_mul(factor).div_ceil(2).max(1);
        for seed in (0..SEEDS).map(hash::seed) {
            if let Some(layout) = Layout::of(entries, seed, homes) {
                return Ok(layout.write(root, entries, keys_len));
            }
        }
    }
    Err(Error::new(ErrorKind::TableUnhashable, 0))
}

/// Which slot each entry of a table takes.
struct Layout {
    seed: u64,
    slots: usize,
    max_probe: usize,
    /// The slot and the tag of each entry.
    slots_of: Vec<(usize, u32)>,
}

impl Layout {
    /// The layout with a seed; `None` when a probe would exceed [`MAX_PROBE`].
    fn of(entries: &[Entry<'_>], seed: u64, homes: usize) -> Option<Self> {
        let mut layout =
            Self { seed, slots: 0, max_probe: 1, slots_of: Vec::with_capacity(entries.len()) };
        if entries.is_empty() {
            return Some(layout);
        }
        let mut taken = alloc::vec![false; homes.saturating_add(MAX_PROBE)];
        for entry in entries {
            let hash = hash::of(entry.name.as_str().as_bytes(), seed);
            let home = hash::home(hash, homes);
            let window = taken.get_mut(home..)?;
            let probe = window.iter().take(MAX_PROBE).position(|taken| !taken)?;
            *window.get_mut(probe)? = true;
            layout.slots_of.push((home.saturating_add(probe), hash as u32));
            layout.max_probe = layout.max_probe.max(probe.saturating_add(1));
        }
        layout.slots = homes.saturating_add(layout.max_probe).saturating_sub(1);
        Some(layout)
    }

    fn write(self, root: ActionSet, entries: &[Entry<'_>], keys_len: usize) -> Table<Vec<u8>> {
        let any = entries.iter().fold(root, |any, entry| any.union(entry.exact).union(entry.below));
        let keys_start = HEADER_LEN.saturating_add(self.slots.saturating_mul(SLOT_LEN));
        let header = Header {
            seed: self.seed,
            entries: entries.len() as u32,
            slots: self.slots as u32,
            root,
            any,
            max_probe: self.max_probe as u32,
            homes: Header::homes(self.slots as u32, self.max_probe as u32),
            keys_start,
        };
        let len = keys_start.saturating_add(keys_len);
        let mut bytes = Vec::with_capacity(len);
        header.write(len, &mut bytes);
        bytes.resize(keys_start, 0);
        for entry in entries {
            bytes.extend_from_slice(entry.name.as_str().as_bytes());
        }
        let mut table = Table { bytes, header };
        let mut key_start = 0_u32;
        let mut lineage = Lineage::new(root);
        for (entry, (index, tag)) in entries.iter().zip(self.slots_of) {
            let Entry { name, exact, below } = *entry;
            let key_len = name.as_str().len() as u8;
            let inherited = lineage.inherited(name.as_str().as_bytes(), below);
            table.put(index, Slot { tag, key_start, key_len, exact, below, inherited });
            key_start = key_start.saturating_add(u32::from(key_len));
        }
        table
    }
}

/// What names inherit from those above them, for sorted names.
pub(super) struct Lineage<'n> {
    root: ActionSet,
    /// The names that the last one begins with, and that one, each with what it grants below it. A
    /// name is sorted before all that begin with it, and these are adjacent, so the names above the
    /// next name are among them.
    names: Vec<(&'n [u8], ActionSet)>,
}

impl<'n> Lineage<'n> {
    pub(super) const fn new(root: ActionSet) -> Self {
        Self { root, names: Vec::new() }
    }

    /// What the next name inherits; `below` is what its own rules grant below it.
    pub(super) fn inherited(&mut self, name: &'n [u8], below: ActionSet) -> ActionSet {
        while self.names.pop_if(|(other, _)| !name.starts_with(other)).is_some() {}
        let above = |(other, _): &&(&[u8], ActionSet)| name.get(other.len()) == Some(&b'/');
        let inherited =
            self.names.iter().rev().find(above).map_or(self.root, |(_, granted)| *granted);
        self.names.push((name, inherited.union(below)));
        inherited
    }
}

impl Table<Vec<u8>> {
    fn put(&mut self, index: usize, slot: Slot) {
        let start = HEADER_LEN.saturating_add(index.saturating_mul(SLOT_LEN));
        if let Some(bytes) = self.bytes.get_mut(start..start.saturating_add(SLOT_LEN)) {
            bytes.copy_from_slice(&slot.to_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    /// Tables that were laid out with different seeds add up as all do.
    #[test]
    fn tables_of_different_seeds() {
        let laid_out = |rule: &str, attempt| {
            let rule = Rule::parse(rule).unwrap();
            let (pattern, permission) = rule.grant().unwrap();
            let mut union = Union::default();
            union.add(pattern, permission);
            let entries = merge(&union.entries);
            let layout = Layout::of(&entries, hash::seed(attempt), 2).unwrap();
            let len = entries[0].name.as_str().len();
            let table = layout.write(union.root, &entries, len);
            Table::load(table.as_bytes().to_vec()).unwrap()
        };
        let read = laid_out("repositories/a/*/content/read", 0);
        let write = laid_out("repositories/a/b/content/write", 1);
        let delete = laid_out("repositories/a/b/content/delete", 0);
        assert_ne!(read.header.seed, write.header.seed);
        for tables in [[&read, &write, &delete], [&write, &read, &delete]] {
            for (scope, granted) in
                [("repository:a/b:pull,push", "pull,push"), ("repository:a/c:pull,push", "pull")]
            {
                let settings = crate::Settings::default();
                let decision = crate::decide_text(tables, scope, &settings).unwrap();
                assert_eq!(decision.granted.to_string(), granted, "{scope}");
            }
        }
    }
}

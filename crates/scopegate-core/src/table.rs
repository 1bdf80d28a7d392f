//! The compiled form of rules: a flat byte blob, checked once, read in place.
//!
//! A table is what a server keeps for each scope map, what travels to an edge, and what the
//! WebAssembly engine loads. It is position-independent, has no pointers, and the same rules in any
//! order give the same bytes.
//!
//! # How a look-up works
//!
//! Patterns are exact names and prefixes that end at a slash, so every rule that covers a name is
//! found at one of the name's own prefixes. The table is a hash table of those *keys* (`a/b` stands
//! for the rules on `a/b` and on `a/b/*`). One pass over the name hashes it up to each slash and to
//! its end, and these keys are looked up, the deepest first. Each entry carries what the keys above
//! it grant, so the first hit holds the whole union.
//!
//! Hashing is seeded, and a table whose longest probe exceeds [`MAX_PROBE`] is never made:
//! compilation tries other seeds and then more room, so that no map can make look-ups slow.
//!
//! # Format, version 1
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
//! | 4..8 | place of the key among the keys |
//! | 8 | length of the key, 0 for an empty slot |
//! | 9 | 0 |
//! | 10..12 | actions of rules on exactly this name |
//! | 12..14 | actions of rules on everything below this name |
//! | 14..16 | actions that rules above this name grant on it and below it |
//!
//! Left out: signing, versions of a policy, and compression, which belong to whoever carries a
//! table.

mod lookup;

use alloc::vec::Vec;
use core::fmt;

use crate::action::{Action, ActionSet, Permission};
use crate::error::{Error, ErrorKind};
use crate::fast_path::FastRule;
use crate::lean::sort::{numbered, sorted};
use crate::lean::{hash, swar};
use crate::name::RepositoryName;
use crate::pattern::{MAX_PREFIX, Pattern};
use crate::scope::ResourceName;
use crate::scope_map::{Rule, ScopeMap};

pub(crate) use self::lookup::FewPrefixes;
use self::lookup::{AllPrefixes, Prefixes};

/// A checked table over some storage of its bytes: `Table<Vec<u8>>` owns them, `Table<&[u8]>` reads
/// them where they are.
#[derive(Clone, Copy)]
pub struct Table<B> {
    bytes: B,
    header: Header,
}

/// The most slots that a look-up visits for one key.
pub const MAX_PROBE: usize = 16;

const VERSION: u8 = 1;
const MAGIC: [u8; 4] = [b'S', b'G', b'T', VERSION];
const HEADER_LEN: usize = 32;
const SLOT_LEN: usize = 16;
const MAX_ENTRIES: usize = 1 << 24;

/// The header, with the lengths that follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    seed: u64,
    entries: u32,
    slots: u32,
    root: ActionSet,
    any: ActionSet,
    max_probe: u32,
    /// The slots at which probing may begin.
    homes: usize,
    /// Where the keys begin.
    keys_start: usize,
}

/// One slot that is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    tag: u32,
    key_start: u32,
    key_len: u8,
    exact: ActionSet,
    below: ActionSet,
    inherited: ActionSet,
}

/// What the rules of a table say about one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The name that the rules are about.
    pub name: RepositoryName<'a>,
    /// What rules on exactly this name grant.
    pub exact: ActionSet,
    /// What rules on everything below this name grant.
    pub below: ActionSet,
}

/// What a rule of a table is about, as it stands there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'t> {
    pub(crate) name: &'t [u8],
    /// Whether it covers what is below the name, and not the name.
    pub(crate) is_prefix: bool,
}

impl<'t> Key<'t> {
    pub(crate) fn pattern(self) -> Pattern<'t> {
        let name = RepositoryName::trusted(core::str::from_utf8(self.name).unwrap_or_default());
        if self.is_prefix { Pattern::Prefix(name) } else { Pattern::Exact(name) }
    }
}

impl<'a> Entry<'a> {
    /// The rules of this entry, as (pattern, actions) with at least one action.
    pub fn patterns(self) -> impl Iterator<Item = (Pattern<'a>, ActionSet)> {
        [(Pattern::Exact(self.name), self.exact), (Pattern::Prefix(self.name), self.below)]
            .into_iter()
            .filter(|(_, actions)| !actions.is_empty())
    }
}

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
    /// assert_eq!(table.entry_count(), 2);
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

/// How many seeds are tried before the table is given more room.
const SEEDS: u64 = 8;

/// Where each entry of a table stands.
struct Layout {
    seed: u64,
    slots: usize,
    max_probe: usize,
    /// The slot and the tag of each entry.
    places: Vec<(usize, u32)>,
}

impl Layout {
    /// The layout with a seed; `None` when a probe would exceed [`MAX_PROBE`].
    fn of(entries: &[Entry<'_>], seed: u64, homes: usize) -> Option<Self> {
        let mut layout =
            Self { seed, slots: 0, max_probe: 1, places: Vec::with_capacity(entries.len()) };
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
            layout.places.push((home.saturating_add(probe), hash as u32));
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
        for (entry, (index, tag)) in entries.iter().zip(self.places) {
            let Entry { name, exact, below } = *entry;
            let key_len = name.as_str().len() as u8;
            let inherited = lineage.inherited(name.as_str().as_bytes(), below);
            table.put(index, Slot { tag, key_start, key_len, exact, below, inherited });
            key_start = key_start.saturating_add(u32::from(key_len));
        }
        table
    }
}

/// What names inherit from those above them, for names that come sorted.
struct Lineage<'n> {
    root: ActionSet,
    /// The names that the last one begins with, and that one, each with what it grants below it. A
    /// name stands before all that begin with it, and these stand together, so whoever is above the
    /// next name is among them.
    names: Vec<(&'n [u8], ActionSet)>,
}

impl<'n> Lineage<'n> {
    const fn new(root: ActionSet) -> Self {
        Self { root, names: Vec::new() }
    }

    /// What the next name inherits; `below` is what its own rules grant below it.
    fn inherited(&mut self, name: &'n [u8], below: ActionSet) -> ActionSet {
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
        if let Some(place) = self.bytes.get_mut(start..start.saturating_add(SLOT_LEN)) {
            place.copy_from_slice(&slot.to_bytes());
        }
    }
}

impl<B: AsRef<[u8]>> Table<B> {
    /// Checks bytes that claim to be a table and reads them where they are.
    ///
    /// Every property that look-ups rely on is checked, so that a table from anywhere either is
    /// refused here or answers exactly as its rules say. It takes time in proportion to the number
    /// of entries, once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TableVersion`] for a table of another version, [`ErrorKind::TableMalformed`]
    /// for anything else that is wrong.
    pub fn load(bytes: B) -> Result<Self, Error> {
        let header = Header::from_bytes(bytes.as_ref())?;
        let table = Self { bytes, header };
        table.view().check()?;
        Ok(table)
    }

    /// The bytes of the table.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// A view of the same table.
    #[must_use]
    #[inline]
    pub fn as_view(&self) -> Table<&[u8]> {
        Table { bytes: self.bytes.as_ref(), header: self.header }
    }

    #[inline]
    pub(crate) fn view(&self) -> View<'_> {
        View { bytes: self.bytes.as_ref(), header: &self.header }
    }

    /// A copy that owns its bytes; `None` when there is no memory for it.
    #[must_use]
    pub fn try_to_owned(&self) -> Option<Table<Vec<u8>>> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(self.as_bytes().len()).ok()?;
        bytes.extend_from_slice(self.as_bytes());
        Some(Table { bytes, header: self.header })
    }

    /// What the table grants on a repository: the union of all rules that cover it.
    #[must_use]
    #[inline]
    pub fn granted(&self, name: RepositoryName<'_>) -> ActionSet {
        self.view().granted(name)
    }

    /// What the table grants on whatever a scope may name: only the root wildcard covers `*` and
    /// names with a host.
    #[must_use]
    #[inline]
    pub fn granted_on(&self, name: ResourceName<'_>) -> ActionSet {
        self.view().granted_on(name)
    }

    /// What rules on `*` grant.
    #[must_use]
    #[inline]
    pub fn root(&self) -> ActionSet {
        self.header.root
    }

    /// What at least one rule grants on at least one repository.
    #[must_use]
    #[inline]
    pub fn anywhere(&self) -> ActionSet {
        self.header.any
    }

    /// The rules of the table, sorted by name; the root wildcard is not among them.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.view().entries().into_iter()
    }

    /// The rules on `name` and on the names above it, the shortest first; the root wildcard is not
    /// among them.
    pub fn entries_on<'t>(&'t self, name: RepositoryName<'_>) -> Vec<Entry<'t>> {
        self.view().entries_on(name)
    }

    /// How many names the rules of the table are about.
    #[must_use]
    pub fn entry_count(&self) -> usize {
        self.header.entries as usize
    }
}

/// A table wherever it is stored: what is behind the methods of [`Table`], compiled once and not
/// for each kind of storage.
#[derive(Clone, Copy)]
pub(crate) struct View<'t> {
    bytes: &'t [u8],
    header: &'t Header,
}

impl<'t> View<'t> {
    #[inline]
    pub(crate) fn granted(self, name: RepositoryName<'_>) -> ActionSet {
        self.deepest(name.as_str().as_bytes())
    }

    /// The seed of the hash.
    #[inline]
    pub(crate) const fn seed(self) -> u64 {
        self.header.seed
    }

    #[inline]
    pub(crate) fn granted_on(self, name: ResourceName<'_>) -> ActionSet {
        match name {
            ResourceName::Repository(name) => self.granted(name),
            ResourceName::Any | ResourceName::Hosted { .. } => self.header.root,
        }
    }

    #[inline]
    pub(crate) const fn root(self) -> ActionSet {
        self.header.root
    }

    #[inline]
    pub(crate) const fn anywhere(self) -> ActionSet {
        self.header.any
    }

    pub(crate) fn entries(self) -> Vec<Entry<'t>> {
        self.sorted_slots().into_iter().map(|(slot, _)| self.entry(slot)).collect()
    }

    /// The rules that grant an action, each by its key, in no order; the root wildcard is not among
    /// them.
    pub(crate) fn each_granting(self, action: Action, mut visit: impl FnMut(Key<'t>)) {
        for slot in self.slots().iter().filter_map(Slot::filled) {
            let Some(name) = self.key(slot) else { continue };
            if slot.exact.contains(action) {
                visit(Key { name, is_prefix: false });
            }
            if slot.below.contains(action) {
                visit(Key { name, is_prefix: true });
            }
        }
    }

    pub(crate) fn entries_on(self, name: RepositoryName<'_>) -> Vec<Entry<'t>> {
        let mut entries = Vec::new();
        for name in name.ancestors().chain([name]) {
            entries.extend(self.find(name.as_str().as_bytes()).map(|slot| self.entry(slot)));
        }
        entries
    }

    /// What the entry of `name` grants, or that of the longest name above it that has one.
    fn deepest(self, name: &[u8]) -> ActionSet {
        let mut prefixes = FewPrefixes::NONE;
        prefixes.read(name, self.header.seed);
        self.granted_to(name, &prefixes)
    }

    /// What the table grants on the repository of this name, whose prefixes were read with the seed
    /// of this table.
    #[inline]
    pub(crate) fn granted_to(self, name: &[u8], prefixes: &FewPrefixes) -> ActionSet {
        match self.first(name, prefixes) {
            Some(granted) => granted,
            None if prefixes.are_all() => self.header.root,
            None => self.deepest_of_all(name),
        }
    }

    /// The same with all prefixes of a name that has more than a few.
    #[cold]
    fn deepest_of_all(self, name: &[u8]) -> ActionSet {
        let mut prefixes = AllPrefixes::NONE;
        prefixes.read(name, self.header.seed);
        self.first(name, &prefixes).unwrap_or(self.header.root)
    }

    /// What the entry of the deepest of these prefixes grants, if one of them has an entry.
    #[inline]
    fn first<const CAPACITY: usize>(
        self,
        name: &[u8],
        prefixes: &Prefixes<CAPACITY>,
    ) -> Option<ActionSet> {
        prefixes.deepest_first().find_map(|(len, hash)| {
            let slot = self.probe(name, len, hash)?;
            let own = if len == name.len() { slot.exact } else { slot.below };
            Some(slot.inherited.union(own))
        })
    }

    /// The slot of exactly this name.
    fn find(self, name: &[u8]) -> Option<Slot> {
        self.probe(name, name.len(), hash::of(name, self.header.seed))
    }

    /// The slot whose key is the first `len` bytes of `name`.
    #[inline]
    fn probe(self, name: &[u8], len: usize, hash: u64) -> Option<Slot> {
        let slot = self.likely(len, hash)?;
        if swar::same(self.key(slot)?, name.get(..len)?) {
            return Some(slot);
        }
        self.probe_compared(name.get(..len)?, hash)
    }

    /// The first slot with this hash and this length of the key, which is still to be compared.
    #[inline]
    fn likely(self, len: usize, hash: u64) -> Option<Slot> {
        for slot in self.window(hash)? {
            let word = u128::from_le_bytes(*slot);
            let key_len = (word >> 64) as u8;
            if word as u32 == hash as u32 && usize::from(key_len) == len {
                return Some(Slot::from_word(word));
            }
            if key_len == 0 {
                return None;
            }
        }
        None
    }

    /// The same with each key compared, for names whose hash is that of another name, by chance or
    /// by design.
    #[cold]
    fn probe_compared(self, name: &[u8], hash: u64) -> Option<Slot> {
        let mut slots = self.window(hash)?.iter().map_while(Slot::filled);
        slots.find(|slot| self.key(*slot) == Some(name))
    }

    /// The slots at which a key of this hash may stand.
    #[inline]
    fn window(self, hash: u64) -> Option<&'t [[u8; SLOT_LEN]]> {
        let home = hash::home(hash, self.header.homes);
        // No window reaches beyond the last slot, so where the slots end is not looked up.
        let (slots, _) = self.bytes.get(HEADER_LEN..)?.as_chunks();
        slots.get(home..home.wrapping_add(self.header.max_probe as usize))
    }

    #[inline]
    fn key(self, slot: Slot) -> Option<&'t [u8]> {
        let start = self.header.keys_start.wrapping_add(slot.key_start as usize);
        self.bytes.get(start..start.wrapping_add(slot.key_len as usize))
    }

    /// The slots that are not empty, each with its place, sorted by name.
    fn sorted_slots(self) -> Vec<(Slot, usize)> {
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
    fn slots(self) -> &'t [[u8; SLOT_LEN]] {
        self.bytes.get(HEADER_LEN..self.header.keys_start).unwrap_or_default().as_chunks().0
    }

    fn name_of(self, slot: Slot) -> RepositoryName<'t> {
        let key = self.key(slot).unwrap_or_default();
        RepositoryName::trusted(core::str::from_utf8(key).unwrap_or_default())
    }

    fn entry(self, slot: Slot) -> Entry<'t> {
        Entry { name: self.name_of(slot), exact: slot.exact, below: slot.below }
    }

    fn check(self) -> Result<(), Error> {
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

impl<B: AsRef<[u8]>> fmt::Debug for Table<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patterns = self.entries().collect::<Vec<_>>();
        f.debug_struct("Table")
            .field("root", &self.header.root)
            .field("entries", &patterns)
            .finish()
    }
}

impl<B: AsRef<[u8]>, C: AsRef<[u8]>> PartialEq<Table<C>> for Table<B> {
    fn eq(&self, other: &Table<C>) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<B: AsRef<[u8]>> Eq for Table<B> {}

impl Header {
    /// How many of the slots may be an entry's home.
    const fn homes(slots: u32, max_probe: u32) -> usize {
        (slots as usize).saturating_add(1).saturating_sub(max_probe as usize)
    }

    fn write(self, len: usize, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&(len as u32).to_le_bytes());
        bytes.extend_from_slice(&self.seed.to_le_bytes());
        bytes.extend_from_slice(&self.entries.to_le_bytes());
        bytes.extend_from_slice(&self.slots.to_le_bytes());
        bytes.extend_from_slice(&self.root.bits().to_le_bytes());
        bytes.extend_from_slice(&self.any.bits().to_le_bytes());
        bytes.extend_from_slice(&self.max_probe.to_le_bytes());
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
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
    const fn to_bytes(self) -> [u8; SLOT_LEN] {
        let word = self.tag as u128
            | (self.key_start as u128) << 32
            | (self.key_len as u128) << 64
            | (self.exact.bits() as u128) << 80
            | (self.below.bits() as u128) << 96
            | (self.inherited.bits() as u128) << 112;
        word.to_le_bytes()
    }

    /// The slot, or `None` when it is empty or holds a bit that means nothing.
    fn from_bytes(bytes: &[u8; SLOT_LEN]) -> Option<Self> {
        let word = u128::from_le_bytes(*bytes);
        let slot = Self::from_word(word);
        (slot.key_len != 0 && slot.to_bytes() == *bytes).then_some(slot)
    }

    /// The slot in a table whose slots were checked, or `None` when it is empty.
    fn filled(bytes: &[u8; SLOT_LEN]) -> Option<Self> {
        let slot = Self::from_word(u128::from_le_bytes(*bytes));
        (slot.key_len != 0).then_some(slot)
    }

    /// The slot in a word of a table that was checked. Bits that mean nothing are left out.
    #[inline]
    const fn from_word(word: u128) -> Self {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Permission;
    use alloc::collections::BTreeMap;
    use alloc::format;
    use alloc::string::{String, ToString};

    fn compile(rules: &[&str]) -> Table<Vec<u8>> {
        Table::compile([&ScopeMap::parse(rules.iter().copied()).unwrap()]).unwrap()
    }

    #[track_caller]
    fn grants(table: &Table<Vec<u8>>, name: &str, expected: &str) {
        let granted = table.granted(RepositoryName::parse(name).unwrap());
        assert_eq!(granted.to_string(), expected, "{name}");
    }

    #[test]
    fn the_documented_example_adds_up() {
        let table = compile(&[
            "repositories/sample/*/content/read",
            "repositories/sample/teama/*/content/write",
            "repositories/sample/teama/projectb/content/delete",
        ]);
        for (name, expected) in [
            ("sample/teama/projectb", "pull,push,delete"),
            ("sample/teama/projectc", "pull,push"),
            ("sample/teama/projectb/x", "pull,push"),
            ("sample/teama", "pull"),
            ("sample/other", "pull"),
            ("sample", ""),
            ("samples/x", ""),
            ("other", ""),
        ] {
            grants(&table, name, expected);
        }
    }

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

    #[test]
    fn the_root_covers_everything() {
        let table = compile(&["repositories/*/content/read", "repositories/a/content/write"]);
        grants(&table, "a", "pull,push");
        grants(&table, "a/b", "pull");
        grants(&table, "z", "pull");
        assert_eq!(table.granted_on(ResourceName::Any).to_string(), "pull");
    }

    #[test]
    fn no_rule_means_no_access() {
        let table = compile(&["gateway/connected/config/read"]);
        grants(&table, "a", "");
        assert_eq!(table.anywhere(), ActionSet::NONE);
        assert_eq!(table.as_bytes().len(), HEADER_LEN);
    }

    #[test]
    fn order_and_repetition_give_the_same_bytes() {
        let table = compile(&["repositories/a/content/read", "repositories/b/*/content/read"]);
        let other = compile(&[
            "repositories/b/*/content/read",
            "repositories/a/content/read",
            "repositories/b/*/content/read",
        ]);
        assert_eq!(table, other);
    }

    fn large(count: usize) -> Table<Vec<u8>> {
        let rules: Vec<String> = (0..count)
            .map(|n| match n % 4 {
                0 => format!("repositories/team{n}/*/content/read"),
                1 => format!("repositories/team{}/svc/*/content/write", n - 1),
                _ => format!("repositories/team{}/svc/app-{n}/content/delete", n / 4 * 4),
            })
            .collect();
        compile(&rules.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[test]
    fn large_tables_find_every_key() {
        for count in [1, 2, 10, 500, 20_000] {
            let table = large(count);
            assert_eq!(table.entry_count(), count);
            for entry in table.entries() {
                let granted = table.granted(entry.name);
                assert!(granted.is_superset(entry.exact), "{}", entry.name);
            }
        }
    }

    #[test]
    fn a_table_loads_as_itself() {
        for table in [compile(&[]), compile(&["repositories/*/content/read"]), large(500)] {
            assert_eq!(Table::load(table.as_bytes()).unwrap(), table);
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed_or_harmless() {
        let table = large(8);
        let mut bytes = table.as_bytes().to_vec();
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(other) = Table::load(bytes.as_slice()) {
                // What still loads must be the table of other rules, and answer exactly as those.
                let rules: Vec<_> = other
                    .entries()
                    .flat_map(Entry::patterns)
                    .chain([(Pattern::Root, other.root())])
                    .flat_map(|(pattern, actions)| {
                        actions
                            .iter()
                            .filter_map(Permission::granting)
                            .map(move |p| Rule::granting(pattern, p))
                    })
                    .collect();
                let map = ScopeMap { rules, ..ScopeMap::default() };
                for entry in other.entries().chain(table.entries()) {
                    assert_eq!(other.granted(entry.name), map.granted(entry.name), "bit {bit}");
                }
            }
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    /// Among so many names of one length some share a tag, and of those some share a home. Only the
    /// key tells them apart.
    #[test]
    fn names_that_hash_alike_are_told_apart() {
        let mut by_tag = BTreeMap::new();
        let mut alike = 0;
        for number in 0..300_000 {
            let name = format!("p/{number:06}");
            let Some(other) =
                by_tag.insert(hash::of(name.as_bytes(), hash::seed(0)) as u32, name.clone())
            else {
                continue;
            };
            // What lies above counts for either, and is found although the other one's slot is met
            // below it.
            let rule = format!("repositories/{other}/content/read");
            let table = compile(&[&rule, "repositories/p/*/content/write"]);
            let home = |name: &str| {
                let hash = hash::of(name.as_bytes(), table.header.seed);
                (hash as u32, hash::home(hash, table.header.homes))
            };
            alike += usize::from(home(&name) == home(&other));
            grants(&table, &other, "pull,push");
            grants(&table, &name, "push");
        }
        assert!(alike > 0, "no two names hash alike, so nothing was tested");
    }

    #[test]
    fn no_name_lies_below_a_prefix_that_leaves_no_room() {
        for (len, has_room) in [(253, true), (254, false), (255, false)] {
            let name = "a".repeat(len);
            let pattern = Pattern::Prefix(RepositoryName::parse(&name).unwrap());
            let rule = Rule::granting(pattern, Permission::MetadataRead);
            let table = Table::compile_rules([&rule]).unwrap();
            assert_eq!(table.anywhere().contains(Action::MetadataRead), has_room, "{len}");
            // Nobody may bring such a rule in a table either: it could not be written down.
            let mut bytes = compile(&[&format!("repositories/{name}/metadata/read")]).bytes;
            let key = bytes.len() - len;
            for slot in bytes[HEADER_LEN..key].chunks_mut(SLOT_LEN).filter(|slot| slot[8] > 0) {
                slot.swap(10, 12);
            }
            assert_eq!(Table::load(bytes).is_ok(), has_room, "{len}");
        }
    }

    #[test]
    fn truncated_tables_are_refused() {
        let table = large(8);
        for len in 0..table.as_bytes().len() {
            assert!(Table::load(&table.as_bytes()[..len]).is_err(), "{len}");
        }
        assert_eq!(
            Table::load(b"SGT\x02".as_slice()).unwrap_err(),
            Error::new(ErrorKind::TableVersion, 3)
        );
    }
}

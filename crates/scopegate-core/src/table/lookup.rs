//! Looking a name up in a table.
//!
//! Patterns are exact names and prefixes that end at a slash, so every rule that covers a name is
//! found at one of the name's own prefixes. The table is a hash table of those *keys* (`a/b` is the
//! key of the rules on `a/b` and on `a/b/*`). One pass over the name hashes it up to each slash and
//! to its end, and these keys are looked up, the deepest first. Each entry carries what the keys
//! above it grant, so the first hit holds the whole union.
//!
//! | look-up | of |
//! |---|---|
//! | [`View::granted`] | a resource: reads the prefixes of its name |
//! | [`View::granted_by`] | a repository whose prefixes were read already |
//! | [`View::probe`] | one key, for which every other look-up asks |
//! | [`View::entries_on`] | all rules that cover a name, for explanations |
//!
//! Left out: scopes on the registry itself, which [`decide`](mod@crate::decide) maps to rules.

use alloc::vec::Vec;

use super::Entry;
use super::format::{HEADER_LEN, SLOT_LEN, Slot, View};
use crate::action::{Action, ActionSet};
use crate::fast_path::NameScan;
use crate::lean::hash;
use crate::lean::swar::{self, HIGH, between};
use crate::name::RepositoryName;
use crate::pattern::Pattern;
use crate::scope::ResourceName;

impl<'t> View<'t> {
    /// What the table grants on a resource. Only the root wildcard covers `*` and names with a
    /// host.
    #[inline]
    pub(crate) fn granted<'n>(self, name: impl Into<ResourceName<'n>>) -> ActionSet {
        match name.into() {
            ResourceName::Repository(name) => self.granted_on_repository(name.as_str().as_bytes()),
            ResourceName::Any | ResourceName::Hosted { .. } => self.header.root,
        }
    }

    /// A function of its own: with more copies of it the compiler no longer inlines the look-up
    /// where texts are decided, which then takes a twentieth more instructions.
    fn granted_on_repository(self, name: &[u8]) -> ActionSet {
        let mut prefixes = FewPrefixes::NONE;
        prefixes.read(name, self.header.seed);
        self.granted_by(name, &prefixes)
    }

    /// The same for a repository whose prefixes were read with the seed of this table.
    #[inline]
    pub(crate) fn granted_by(self, name: &[u8], prefixes: &FewPrefixes) -> ActionSet {
        match self.deepest_hit(name, prefixes) {
            Some(granted) => granted,
            None if prefixes.are_all() => self.header.root,
            None => self.granted_by_all(name),
        }
    }

    /// The same with all prefixes of a name that has more than a few.
    #[cold]
    fn granted_by_all(self, name: &[u8]) -> ActionSet {
        let mut prefixes = AllPrefixes::NONE;
        prefixes.read(name, self.header.seed);
        self.deepest_hit(name, &prefixes).unwrap_or(self.header.root)
    }

    /// What the entry of the deepest of these prefixes grants, if one of them has an entry.
    #[inline]
    fn deepest_hit<const CAPACITY: usize>(
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

    /// All rules, sorted by name.
    pub(crate) fn entries(self) -> Vec<Entry<'t>> {
        self.sorted_slots().into_iter().map(|(slot, _)| self.entry(slot)).collect()
    }

    /// The rules on `name` and on the names above it, the shortest first.
    pub(crate) fn entries_on(self, name: RepositoryName<'_>) -> Vec<Entry<'t>> {
        let mut entries = Vec::new();
        for name in name.ancestors().chain([name]) {
            let key = name.as_str().as_bytes();
            let slot = self.probe(key, key.len(), hash::of(key, self.header.seed));
            entries.extend(slot.map(|slot| self.entry(slot)));
        }
        entries
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

    /// The slot whose key is the first `len` bytes of `name`.
    #[inline]
    pub(super) fn probe(self, name: &[u8], len: usize, hash: u64) -> Option<Slot> {
        let slot = self.first_match(len, hash)?;
        if swar::same(self.key(slot)?, name.get(..len)?) {
            return Some(slot);
        }
        self.probe_comparing(name.get(..len)?, hash)
    }

    /// The first slot with this hash and this length of the key, which is still to be compared.
    #[inline]
    fn first_match(self, len: usize, hash: u64) -> Option<Slot> {
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
    fn probe_comparing(self, name: &[u8], hash: u64) -> Option<Slot> {
        let mut slots = self.window(hash)?.iter().map_while(Slot::filled);
        slots.find(|slot| self.key(*slot) == Some(name))
    }

    /// The slots that a key of this hash may be in.
    #[inline]
    fn window(self, hash: u64) -> Option<&'t [[u8; SLOT_LEN]]> {
        let home = hash::home(hash, self.header.homes);
        // No window reaches beyond the last slot, so where the slots end is not looked up.
        let (slots, _) = self.bytes.get(HEADER_LEN..)?.as_chunks();
        slots.get(home..home.wrapping_add(self.header.max_probe as usize))
    }
}

/// What a rule of a table is about, read in place.
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

/// The deepest prefixes of a name that end before a slash, or with the name: at most `CAPACITY`.
pub(crate) struct Prefixes<const CAPACITY: usize> {
    /// The last state of the hash of each: that of the `n`th prefix at `n` modulo the capacity.
    states: [u64; CAPACITY],
    /// The length of each, at the same index.
    lens: [u8; CAPACITY],
    /// The number of all prefixes, also of those that were overwritten.
    count: usize,
}

/// Nearly every name has no more.
pub(crate) type FewPrefixes = Prefixes<8>;
/// No name has more.
pub(crate) type AllPrefixes = Prefixes<128>;

impl<const CAPACITY: usize> Prefixes<CAPACITY> {
    /// The prefixes of no name. The states are anything but zeros: a WebAssembly module has an
    /// instruction for filling memory with those, which wasmtime leaves to a function of its own. A
    /// decision took 2 ns more with it.
    pub(crate) const NONE: Self =
        Self { states: [hash::MULTIPLIER; CAPACITY], lens: [1; CAPACITY], count: 0 };

    /// Reads the prefixes of a name, and whether it is valid in the same pass: a decision in
    /// wasmtime took 77 ns while these were two passes, and 70 since they are one. `false` is
    /// inconclusive, as that of [`is_name`](crate::fast_path::is_name).
    pub(crate) fn read(&mut self, name: &[u8], seed: u64) -> bool {
        let mut scan = NameScan::START;
        let mut state = seed;
        let mut start = 0_usize;
        // Not in the field, so that it can stay in a register.
        let mut count = 0;
        let (words, tail) = name.as_chunks::<8>();
        for word in words {
            let word = u64::from_le_bytes(*word);
            scan.word(word);
            self.push_slashes(&mut count, word, state, start);
            state = hash::step(state, word);
            start = start.wrapping_add(8);
        }
        let word = swar::tail(name, tail);
        scan.tail(word, tail.len());
        self.push_slashes(&mut count, word, state, start);
        self.push(&mut count, name.len(), hash::last(state, word, name.len()));
        self.count = count;
        scan.is_name(name.len())
    }

    /// The prefixes that end before a slash of this word.
    #[inline]
    fn push_slashes(&mut self, count: &mut usize, word: u64, state: u64, start: usize) {
        let mut slashes = between(word, b'/', b'/') & HIGH;
        while slashes != 0 {
            // The position of the slash in bits: the lowest byte comes first.
            let bits = slashes.trailing_zeros() & !7;
            let before = word & !(u64::MAX << bits);
            let len = start.wrapping_add(bits as usize / 8);
            self.push(count, len, hash::last(state, before, len));
            slashes &= slashes.wrapping_sub(1);
        }
    }

    #[inline]
    fn push(&mut self, count: &mut usize, len: usize, state: u64) {
        let index = Self::index(*count);
        let entry = self.states.get_mut(index).zip(self.lens.get_mut(index));
        if let Some((state_of, len_of)) = entry {
            // No name has more than 255 bytes.
            (*state_of, *len_of) = (state, len as u8);
        }
        *count = count.wrapping_add(1);
    }

    /// The index of the `n`th prefix.
    #[inline]
    fn index(n: usize) -> usize {
        n.checked_rem(CAPACITY).unwrap_or_default()
    }

    /// Whether no name was read.
    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether the name has no more prefixes than these.
    #[inline]
    pub(crate) const fn are_all(&self) -> bool {
        self.count <= CAPACITY
    }

    /// The length and the hash of each.
    #[inline]
    pub(crate) fn deepest_first(&self) -> impl Iterator<Item = (usize, u64)> {
        let mut rest = self.count;
        let end = self.count.saturating_sub(CAPACITY);
        core::iter::from_fn(move || {
            if rest == end {
                return None;
            }
            rest = rest.wrapping_sub(1);
            let index = Self::index(rest);
            let len = usize::from(*self.lens.get(index)?);
            Some((len, hash::finish(*self.states.get(index)?)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn every_prefix_hashes_as_a_name_of_its_own() {
        for name in [
            "a",
            "a/b",
            "team/app",
            "abcdefg/h",
            "abcdefgh/i/jklmnopqrs/t",
            "1234567/9",
            "1/2/3/4/5/6/7/8",
            "1/2/3/4/5/6/7/8/9",
            "1/2/3/4/5/6/7/8/9/10/abcdefghijklmnopqrstuvw/x",
        ] {
            let slashes = name.match_indices('/').map(|(at, _)| at);
            let mut expected: Vec<_> = slashes
                .chain([name.len()])
                .map(|len| (len, hash::of(&name.as_bytes()[..len], 7)))
                .collect();
            expected.reverse();
            let (mut few, mut all) = (FewPrefixes::NONE, AllPrefixes::NONE);
            assert!(few.read(b"something/else", 6) && all.read(b"something/else", 6));
            assert!(few.read(name.as_bytes(), 7) && all.read(name.as_bytes(), 7));
            assert_eq!(all.deepest_first().collect::<Vec<_>>(), expected, "{name}");
            assert_eq!(few.are_all(), expected.len() <= 8, "{name}");
            expected.truncate(8);
            assert_eq!(few.deepest_first().collect::<Vec<_>>(), expected, "{name}");
        }
    }
}

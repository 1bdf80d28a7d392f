//! Looking a name up in a table: its prefixes and their hashes.

use crate::fast_path::NameScan;
use crate::lean::hash;
use crate::lean::swar::{self, HIGH, between};

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
    /// The prefixes of no name. The states are anything but zeros: a WebAssembly module has an instruction
    /// for filling memory with those, which wasmtime leaves to a function of its own. A decision
    /// took 2 ns more with it.
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

//! The hash of names: eight bytes a step, and every prefix that ends at a slash on the way.
//!
//! One pass over a name reads everything that a look-up needs: what the hashes of its prefixes are
//! made of, and whether the name is plainly valid. A decision in wasmtime took 77 ns while these
//! were two passes, and 70 since they are one.
//!
//! Left out: what is looked up, which is [`table`](mod@crate::table)'s business.

use crate::name::Look;
use crate::word::{self, HIGH, between};

/// Odd, with about as many ones as zeros; the fractional part of the golden ratio.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
/// Another such number: the fractional part of the square root of two.
const FINISHER: u64 = 0x6a09_e667_f3bc_c909;

/// The seed of the `n`th attempt to lay out a table.
pub(crate) fn seed(n: u64) -> u64 {
    step(MULTIPLIER, n.wrapping_mul(FINISHER))
}

/// The hash of a whole name.
pub(crate) fn of(name: &[u8], seed: u64) -> u64 {
    let (words, tail) = name.as_chunks::<8>();
    let state = words.iter().fold(seed, |state, word| step(state, u64::from_le_bytes(*word)));
    finish(last(state, word::tail(name, tail), name.len()))
}

/// The slot at which probing begins: the high half of the hash, scaled to the number of homes.
#[inline]
pub(crate) const fn home(hash: u64, homes: usize) -> usize {
    ((hash >> 32).wrapping_mul(homes as u64) >> 32) as usize
}

#[inline]
const fn step(state: u64, word: u64) -> u64 {
    let mixed = (state ^ word).wrapping_mul(MULTIPLIER);
    mixed ^ (mixed >> 32)
}

/// The state with fewer than eight bytes more and the length, which takes the byte that they leave
/// free.
#[inline]
const fn last(state: u64, partial: u64, len: usize) -> u64 {
    state ^ partial ^ ((len as u64) << 56)
}

/// The hash that such a state stands for.
#[inline]
const fn finish(last: u64) -> u64 {
    let mixed = last.wrapping_mul(MULTIPLIER);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(FINISHER);
    mixed ^ (mixed >> 32)
}

/// The deepest prefixes of a name that end before a slash, or with the name, at most so many.
pub(crate) struct Prefixes<const MOST: usize> {
    /// Of the `n`th prefix at `n` modulo the most: what its hash is made of, once it is asked for.
    states: [u64; MOST],
    /// The length of each, at the same place.
    lens: [u8; MOST],
    /// Of all prefixes.
    count: usize,
}

/// As many as nearly every name has.
pub(crate) type Few = Prefixes<8>;
/// As many as a name can have.
pub(crate) type All = Prefixes<128>;

impl<const MOST: usize> Prefixes<MOST> {
    /// Those of no name. The states are anything but zeros: a WebAssembly module has an instruction
    /// for filling memory with those, which wasmtime leaves to a function of its own. A decision
    /// took 2 ns more with it.
    pub(crate) const NONE: Self = Self { states: [MULTIPLIER; MOST], lens: [1; MOST], count: 0 };

    /// Reads those of a name. Gives whether the name is plainly valid; `false` says nothing, as
    /// [`is_plain`](crate::name::is_plain).
    pub(crate) fn read(&mut self, name: &[u8], seed: u64) -> bool {
        let mut look = Look::START;
        let mut state = seed;
        let mut start = 0_usize;
        // Not in place, so that it can stay in a register.
        let mut count = 0;
        let (words, tail) = name.as_chunks::<8>();
        for word in words {
            let word = u64::from_le_bytes(*word);
            look.at(word);
            self.push_slashes(&mut count, word, state, start);
            state = step(state, word);
            start = start.wrapping_add(8);
        }
        let word = word::tail(name, tail);
        look.at_end(word, tail.len());
        self.push_slashes(&mut count, word, state, start);
        self.push(&mut count, name.len(), last(state, word, name.len()));
        self.count = count;
        look.is_plain(name.len())
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
            self.push(count, len, last(state, before, len));
            slashes &= slashes.wrapping_sub(1);
        }
    }

    #[inline]
    fn push(&mut self, count: &mut usize, len: usize, state: u64) {
        let place = Self::place(*count);
        if let (Some(at), Some(len_at)) = (self.states.get_mut(place), self.lens.get_mut(place)) {
            // No name has more than 255 bytes.
            (*at, *len_at) = (state, len as u8);
        }
        *count = count.wrapping_add(1);
    }

    /// Where the prefix of this number stands.
    #[inline]
    fn place(number: usize) -> usize {
        number.checked_rem(MOST).unwrap_or_default()
    }

    /// Whether no name was read.
    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether the name has no more prefixes than these.
    #[inline]
    pub(crate) const fn are_all(&self) -> bool {
        self.count <= MOST
    }

    /// The length and the hash of each.
    #[inline]
    pub(crate) fn deepest_first(&self) -> impl Iterator<Item = (usize, u64)> {
        let mut rest = self.count;
        let end = self.count.saturating_sub(MOST);
        core::iter::from_fn(move || {
            if rest == end {
                return None;
            }
            rest = rest.wrapping_sub(1);
            let place = Self::place(rest);
            let len = usize::from(*self.lens.get(place)?);
            Some((len, finish(*self.states.get(place)?)))
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
                .map(|len| (len, of(&name.as_bytes()[..len], 7)))
                .collect();
            expected.reverse();
            let (mut few, mut all) = (Few::NONE, All::NONE);
            assert!(few.read(b"something/else", 6) && all.read(b"something/else", 6));
            assert!(few.read(name.as_bytes(), 7) && all.read(name.as_bytes(), 7));
            assert_eq!(all.deepest_first().collect::<Vec<_>>(), expected, "{name}");
            assert_eq!(few.are_all(), expected.len() <= 8, "{name}");
            expected.truncate(8);
            assert_eq!(few.deepest_first().collect::<Vec<_>>(), expected, "{name}");
        }
    }
}

//! The seeded hash of a text, eight bytes a step.
//!
//! The steps are offered one by one, so that one pass over a name gives the hashes of all its
//! prefixes.
//!
//! Left out: what is looked up, which is [`table`](mod@crate::table)'s business.

use super::swar;

/// Odd, with about as many ones as zeros; the fractional part of the golden ratio.
pub(crate) const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
/// Another such number: the fractional part of the square root of two.
const FINISHER: u64 = 0x6a09_e667_f3bc_c909;

/// The seed of the `n`th attempt to lay out a table.
pub(crate) fn seed(n: u64) -> u64 {
    step(MULTIPLIER, n.wrapping_mul(FINISHER))
}

/// The hash of a whole text.
pub(crate) fn of(text: &[u8], seed: u64) -> u64 {
    let (words, tail) = text.as_chunks::<8>();
    let state = words.iter().fold(seed, |state, word| step(state, u64::from_le_bytes(*word)));
    finish(last(state, swar::tail(text, tail), text.len()))
}

/// The slot at which probing begins: the high half of the hash, scaled to the number of homes.
#[inline]
pub(crate) const fn home(hash: u64, homes: usize) -> usize {
    ((hash >> 32).wrapping_mul(homes as u64) >> 32) as usize
}

/// The state with eight bytes more.
#[inline]
pub(crate) const fn step(state: u64, word: u64) -> u64 {
    let mixed = (state ^ word).wrapping_mul(MULTIPLIER);
    mixed ^ (mixed >> 32)
}

/// The state with fewer than eight bytes more and the length, which takes the byte that they leave
/// free.
#[inline]
pub(crate) const fn last(state: u64, partial: u64, len: usize) -> u64 {
    state ^ partial ^ ((len as u64) << 56)
}

/// The hash of a text whose last state is `last`.
#[inline]
pub(crate) const fn finish(last: u64) -> u64 {
    let mixed = last.wrapping_mul(MULTIPLIER);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(FINISHER);
    mixed ^ (mixed >> 32)
}

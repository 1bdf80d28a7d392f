//! Texts, eight bytes at a time: SIMD within a register.
//!
//! A name is checked, hashed and compared in words of eight bytes. A WebAssembly module does the
//! same byte by byte otherwise: comparing a key with a name so was a tenth of the instructions of a
//! decision, and another tenth was for seeing that a scope is text.
//!
//! Left out: what the words mean. A *word* is eight bytes here, the first of them lowest.

/// The lowest bit of each of eight bytes.
pub(crate) const EACH: u64 = 0x0101_0101_0101_0101;

/// The highest bit of each of eight bytes.
pub(crate) const HIGH: u64 = 0x80 * EACH;

/// The highest bit of each byte of `word` that lies between `low` and `high`, for bytes below 0x80;
/// the other bits mean nothing.
#[inline]
pub(crate) const fn between(word: u64, low: u8, high: u8) -> u64 {
    // No byte exceeds 0x7f, so none of these sums carries into the next byte, and the highest bit
    // of a byte is in one of them where it reaches `low`, and in both where it is beyond `high`.
    let from = word.wrapping_add(0x80_u64.wrapping_sub(low as u64).wrapping_mul(EACH));
    let beyond = word.wrapping_add(0x7f_u64.wrapping_sub(high as u64).wrapping_mul(EACH));
    from ^ beyond
}

/// The tail of a text, fewer than eight bytes, as a word. Where the text has eight bytes before its
/// end, they are read at once and those that are no part of the tail shifted out.
#[inline]
pub(crate) fn tail(text: &[u8], tail: &[u8]) -> u64 {
    if let Some(last) = text.last_chunk::<8>() {
        let foreign = 8_u32.wrapping_sub(tail.len() as u32).wrapping_mul(8);
        return u64::from_le_bytes(*last).checked_shr(foreign).unwrap_or(0);
    }
    tail.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// Whether two texts are the same.
#[inline]
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let ((words, rest), (others, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    // Not `words == others`, which is the comparison byte by byte again.
    let differ = |(word, other): (&[u8; 8], &[u8; 8])| {
        u64::from_le_bytes(*word) != u64::from_le_bytes(*other)
    };
    !words.iter().zip(others).any(differ) && tail(one, rest) == tail(other, other_rest)
}

/// The index of the first `byte`. Never inlined: the copies were nine kilobytes of the module.
#[inline(never)]
pub(crate) fn find(text: &[u8], byte: u8) -> Option<usize> {
    let (words, rest) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let difference = u64::from_le_bytes(*word) ^ (byte as u64).wrapping_mul(EACH);
        // The highest bit of each byte that is not zero: the sum carries into it, or it was there
        // before.
        let others = (difference & !HIGH).wrapping_add(!HIGH) | difference;
        if others & HIGH != HIGH {
            let offset = (!others & HIGH).trailing_zeros() as usize / 8;
            return Some(index.wrapping_mul(8).wrapping_add(offset));
        }
    }
    let offset = rest.iter().position(|other| *other == byte)?;
    Some(words.len().wrapping_mul(8).wrapping_add(offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_between_two() {
        for byte in 0..0x80_u8 {
            for (low, high) in [(b'a', b'z'), (b'-', b'9'), (b'_', b'_'), (0, 0x7f)] {
                let expected = if (low..=high).contains(&byte) { HIGH } else { 0 };
                let found = between(u64::from(byte) * EACH, low, high) & HIGH;
                assert_eq!(found, expected, "{byte} between {low} and {high}");
            }
        }
    }

    #[test]
    fn finds_as_the_standard_library_does() {
        for byte in [0, b' ', 0x7f, 0x80, 0xa0, 0xff] {
            for len in 0..20 {
                for index in 0..len {
                    let mut text = alloc::vec![byte.wrapping_add(1); len];
                    text[len - 1] = byte ^ 0x80;
                    text[index] = byte;
                    let expected = text.iter().position(|other| *other == byte);
                    assert_eq!(find(&text, byte), expected, "{text:?}");
                }
                assert_eq!(find(&alloc::vec![byte.wrapping_add(1); len], byte), None);
            }
        }
    }

    /// Each byte counts, at any index, and so does the length.
    #[test]
    fn same_as_the_standard_library_says() {
        let text = b"abcdefghijklmnopqrstuvwxyz";
        for len in 0..text.len() {
            let one = &text[..len];
            let copy = one.to_vec();
            assert!(same(one, &copy));
            assert!(!same(one, &text[..=len]));
            for index in 0..len {
                let mut other = one.to_vec();
                other[index] ^= 1;
                assert!(!same(one, &other), "{len} bytes, another one at {index}");
            }
        }
    }
}

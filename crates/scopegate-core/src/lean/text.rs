//! Cutting text at an ASCII character, and writing text in parts.
//!
//! The patterns of the standard library find anything, from either end, in long texts quickly, and
//! bring three kilobytes to a WebAssembly module; its formatting brings widths and paddings. This
//! crate looks for single ASCII characters in short texts, and writes texts as they are.
//!
//! Left out: characters beyond ASCII. A byte of one of those is never found by looking for a
//! character of ASCII.

use core::fmt;

use super::swar;

/// The index of the first `byte`.
pub(crate) fn find(text: &str, byte: u8) -> Option<usize> {
    swar::find(text.as_bytes(), byte)
}

pub(crate) fn contains(text: &str, byte: u8) -> bool {
    find(text, byte).is_some()
}

/// The texts before and after the first `byte`.
pub(crate) fn cut(text: &str, byte: u8) -> Option<(&str, &str)> {
    around(text, find(text, byte)?)
}

/// The texts before and after the last `byte`.
pub(crate) fn cut_last(text: &str, byte: u8) -> Option<(&str, &str)> {
    around(text, text.bytes().rposition(|other| other == byte)?)
}

fn around(text: &str, position: usize) -> Option<(&str, &str)> {
    text.get(..position).zip(text.get(position.checked_add(1)?..))
}

/// The pieces of `text` between one `byte` and the next; one piece when there is none.
pub(crate) fn pieces(text: &str, byte: u8) -> impl Iterator<Item = &str> + Clone {
    let mut rest = Some(text);
    core::iter::from_fn(move || {
        let text = rest?;
        let (piece, after) = match cut(text, byte) {
            Some((piece, after)) => (piece, Some(after)),
            None => (text, None),
        };
        rest = after;
        Some(piece)
    })
}

/// Writes one part after the other.
pub(crate) fn write_all(f: &mut fmt::Formatter<'_>, parts: &[&str]) -> fmt::Result {
    parts.iter().try_for_each(|part| f.write_str(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What this module does is what the standard library does.
    #[test]
    fn cuts_as_the_standard_library_does() {
        for text in ["", ",", "a", "a,", ",a", "a,b", "a,,b,", "caf\u{e9},\u{ac}", "\u{2c}\u{12c}"]
        {
            assert_eq!(find(text, b','), text.find(','), "{text}");
            assert_eq!(contains(text, b','), text.contains(','), "{text}");
            assert_eq!(cut(text, b','), text.split_once(','), "{text}");
            assert_eq!(cut_last(text, b','), text.rsplit_once(','), "{text}");
            assert!(pieces(text, b',').eq(text.split(',')), "{text}");
        }
    }
}

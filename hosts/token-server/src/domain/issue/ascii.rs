//! JSON for the payload of a token: ASCII, and without the four characters that base64url cannot
//! write as plain base64 does.
//!
//! The Azure SDK for Python reads the payload of a refresh token with the alphabet of plain base64.
//! Where every byte is ASCII, the two digits in which the alphabets differ, `-` and `_`, can only
//! be the last six bits of a third byte, and those are the six bits of `>`, `?`, `~` and DEL. JSON
//! has an escape for each of them, so every payload reads the same with both alphabets.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// Writes a value.
///
/// # Errors
///
/// When the value has no JSON form: a map whose keys are not strings.
pub(crate) fn to_vec(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut payload = Vec::with_capacity(1024);
    value.serialize(&mut Serializer::with_formatter(&mut payload, Ascii))?;
    Ok(payload)
}

struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Nearly all fragments need no escapes. Without an early exit the compiler vectorises the
        // check.
        if fragment.bytes().fold(true, |all, byte| all & is_unescaped(byte)) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some(at) = rest.bytes().position(|byte| !is_unescaped(byte)) {
            // The search stops at ASCII or at the first byte of a character, so at a character
            // boundary.
            let (unescaped, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
            writer.write_all(unescaped.as_bytes())?;
            let mut characters = from.chars();
            if let Some(character) = characters.next() {
                escape(writer, character)?;
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

fn is_unescaped(byte: u8) -> bool {
    byte.is_ascii() && !matches!(byte, b'>' | b'?' | b'~' | 0x7f)
}

/// `\uXXXX`; two of them for a character that UTF-16 writes as a pair.
fn escape<W: ?Sized + Write>(writer: &mut W, character: char) -> io::Result<()> {
    for unit in character.encode_utf16(&mut [0; 2]) {
        write!(writer, "\\u{unit:04x}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn escapes() {
        for (text, written) in [
            ("plain", r#""plain""#),
            ("a>b?c~d\u{7f}e", r#""a\u003eb\u003fc\u007ed\u007fe""#),
            ("é", r#""\u00e9""#),
            ("日本", r#""\u65e5\u672c""#),
            ("a🦀b", r#""a\ud83e\udd80b""#),
            ("\u{10ffff}", r#""\udbff\udfff""#),
            ("\"\\\n\u{1}", r#""\"\\\n\u0001""#),
            ("é\"~", r#""\u00e9\"\u007e""#),
            ("", r#""""#),
        ] {
            assert_eq!(String::from_utf8(to_vec(&text).unwrap()).unwrap(), written);
        }
    }

    /// Every character that could differ, at each of the three offsets in a group of base64.
    #[test]
    fn both_alphabets_write_the_same() {
        let characters = (0..0x300).chain([0x20ac, 0xd7ff, 0xe000, 0xffff, 0x1_0000, 0x10_ffff]);
        for character in characters.filter_map(char::from_u32) {
            for offset in 0..3 {
                let text = format!("{}{character}{character}>?~", "x".repeat(offset));
                let value = json!({ text.clone(): [text, 1, null, { "k": text }] });
                let written = to_vec(&value).unwrap();
                assert!(written.is_ascii());
                assert_eq!(URL_SAFE_NO_PAD.encode(&written), STANDARD_NO_PAD.encode(&written));
                assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), value);
            }
        }
    }
}

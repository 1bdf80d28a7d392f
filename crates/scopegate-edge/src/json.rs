//! JSON, read strictly.
//!
//! Follows RFC 8259, and refuses what two readers could read in two ways:
//!
//! ```text
//! a name twice in an object, a byte order mark, a lone surrogate, text behind the value
//! ```
//!
//! Numbers are whole, not negative, and small enough for every reader (RFC 8259, section 6): any
//! other number is a [`Value::Other`], which no field of ours is.
//!
//! A module of our own because of its size, in a filter and in the engine's module, and because
//! others are not as strict.
//!
//! Left out: writing; and values that are kept in their spelling.

use alloc::string::String;
use alloc::vec::Vec;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A whole number from 0 to [`MAX_NUMBER`].
    Number(u64),
    /// Any other number.
    Other,
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// An object.
    Object(Object),
}

/// The largest number that every reader of JSON reads exactly.
pub const MAX_NUMBER: u64 = (1 << 53) - 1;
/// How deep lists and objects may be in each other.
const MAX_DEPTH: u8 = 32;

/// An object. No two of its fields have one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object(Vec<(String, Value)>);

/// Reads a text; `None` for one that is no JSON, or that could be read in two ways.
///
/// ```
/// use scopegate_edge::json::{Value, read};
///
/// assert_eq!(read(b" [7] "), Some(Value::List(vec![Value::Number(7)])));
/// assert_eq!(read(br#"{"aud": "a", "aud": "b"}"#), None);
/// ```
#[must_use]
pub fn read(text: &[u8]) -> Option<Value> {
    let mut reader = Reader { rest: text };
    let value = reader.value(MAX_DEPTH)?;
    reader.skip_blanks();
    reader.rest.is_empty().then_some(value)
}

/// Reads a text that is an object; `None` for any other.
#[must_use]
pub fn read_object(text: &[u8]) -> Option<Object> {
    read(text)?.into_object()
}

impl Value {
    /// The text that it is.
    #[must_use]
    pub fn into_text(self) -> Option<String> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The list that it is.
    #[must_use]
    pub fn into_list(self) -> Option<Vec<Self>> {
        if let Self::List(values) = self { Some(values) } else { None }
    }

    /// The list that it is, of nothing but texts.
    #[must_use]
    pub fn into_texts(self) -> Option<Vec<String>> {
        let mut texts = Vec::new();
        for value in self.into_list()? {
            texts.push(value.into_text()?);
        }
        Some(texts)
    }

    /// The object that it is.
    #[must_use]
    pub fn into_object(self) -> Option<Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// The number that it is.
    #[must_use]
    pub fn into_number(self) -> Option<u64> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    /// The truth value that it is.
    #[must_use]
    pub fn into_boolean(self) -> Option<bool> {
        if let Self::Boolean(boolean) = self { Some(boolean) } else { None }
    }
}

impl Object {
    /// Takes a field out.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        let index = self.0.iter().position(|(own, _)| own == name)?;
        Some(self.0.swap_remove(index).1)
    }

    /// Takes out a field that may be missing or null; `None` when it is something that `read` does
    /// not take.
    pub fn optional<T>(&mut self, name: &str, read: fn(Value) -> Option<T>) -> Option<Option<T>> {
        match self.take(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => read(value).map(Some),
        }
    }

    /// Takes out a text.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.take(name)?.into_text()
    }

    /// Takes out a number.
    pub fn number(&mut self, name: &str) -> Option<u64> {
        self.take(name)?.into_number()
    }

    /// Whether there is a field of this name, whatever it holds.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| own == name)
    }
}

struct Reader<'t> {
    rest: &'t [u8],
}

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    fn is_next(&mut self, byte: u8) -> bool {
        let is_next = self.rest.first() == Some(&byte);
        if is_next {
            self.next();
        }
        is_next
    }

    fn skip_blanks(&mut self) {
        while matches!(self.rest.first(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.next();
        }
    }

    /// A value, with the blanks before it.
    fn value(&mut self, depth: u8) -> Option<Value> {
        self.skip_blanks();
        match self.rest.first()? {
            b'"' => self.text().map(Value::Text),
            b'{' => self.object(depth.checked_sub(1)?).map(Value::Object),
            b'[' => self.list(depth.checked_sub(1)?).map(Value::List),
            b'n' => self.word(b"null", Value::Null),
            b't' => self.word(b"true", Value::Boolean(true)),
            b'f' => self.word(b"false", Value::Boolean(false)),
            _ => self.any_number(),
        }
    }

    fn word(&mut self, word: &[u8], value: Value) -> Option<Value> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(value)
    }

    fn list(&mut self, depth: u8) -> Option<Vec<Value>> {
        self.next();
        let mut values = Vec::new();
        self.skip_blanks();
        if self.is_next(b']') {
            return Some(values);
        }
        loop {
            values.push(self.value(depth)?);
            if !self.goes_on(b']')? {
                return Some(values);
            }
        }
    }

    fn object(&mut self, depth: u8) -> Option<Object> {
        self.next();
        let mut object = Object::default();
        self.skip_blanks();
        if self.is_next(b'}') {
            return Some(object);
        }
        loop {
            self.skip_blanks();
            let name = self.text()?;
            self.skip_blanks();
            if object.has(&name) || !self.is_next(b':') {
                return None;
            }
            object.0.push((name, self.value(depth)?));
            if !self.goes_on(b'}')? {
                return Some(object);
            }
        }
    }

    /// Whether a comma follows; `false` for the end.
    fn goes_on(&mut self, end: u8) -> Option<bool> {
        self.skip_blanks();
        let byte = self.next()?;
        if byte == b',' { Some(true) } else { (byte == end).then_some(false) }
    }

    fn any_number(&mut self) -> Option<Value> {
        let is_negative = self.is_next(b'-');
        let starts_with_zero = self.rest.first() == Some(&b'0');
        let (whole, digits) = self.digits()?;
        if starts_with_zero && digits > 1 {
            return None;
        }
        let mut is_ours = !is_negative && whole <= MAX_NUMBER;
        if self.is_next(b'.') {
            self.digits()?;
            is_ours = false;
        }
        if self.is_next(b'e') || self.is_next(b'E') {
            let _ = self.is_next(b'+') || self.is_next(b'-');
            self.digits()?;
            is_ours = false;
        }
        Some(if is_ours { Value::Number(whole) } else { Value::Other })
    }

    /// At least one digit: their value, or something above [`MAX_NUMBER`], and how many there are.
    fn digits(&mut self) -> Option<(u64, usize)> {
        let (mut value, mut count) = (0_u64, 0_usize);
        while let Some(digit @ b'0'..=b'9') = self.rest.first().copied() {
            self.next();
            // Ten times the largest number is far from the end of these.
            if value <= MAX_NUMBER {
                value = value.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0')));
            }
            count = count.wrapping_add(1);
        }
        (count > 0).then_some((value, count))
    }

    fn text(&mut self) -> Option<String> {
        if !self.is_next(b'"') {
            return None;
        }
        let mut bytes = Vec::new();
        loop {
            match self.next()? {
                b'"' => return String::from_utf8(bytes).ok(),
                b'\\' => {
                    let character = self.escaped()?;
                    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                0..=0x1f => return None,
                byte => bytes.push(byte),
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        Some(match self.next()? {
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            _ => return None,
        })
    }

    /// What follows `\u`: four digits, or twice four for a character beyond the first plane.
    fn code_point(&mut self) -> Option<char> {
        let first = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        self.rest = self.rest.strip_prefix(b"\\u")?;
        let second = self.four_digits()?;
        if !(0xdc00..0xe000).contains(&second) {
            return None;
        }
        char::from_u32(0x1_0000 + ((first & 0x3ff) << 10) + (second & 0x3ff))
    }

    fn four_digits(&mut self) -> Option<u32> {
        let mut value = 0;
        for _ in 0..4 {
            value = value << 4 | char::from(self.next()?).to_digit(16)?;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString as _;

    use super::*;

    /// The same value by the library that everybody has. `None` where it has none of ours.
    fn by_serde(value: &serde_json::Value) -> Value {
        use serde_json::Value as Serde;
        match value {
            Serde::Null => Value::Null,
            Serde::Bool(boolean) => Value::Boolean(*boolean),
            Serde::Number(number) => match number.as_u64().filter(|n| *n <= MAX_NUMBER) {
                Some(number) => Value::Number(number),
                None => Value::Other,
            },
            Serde::String(text) => Value::Text(text.clone()),
            Serde::Array(values) => Value::List(values.iter().map(by_serde).collect()),
            Serde::Object(fields) => Value::Object(Object(
                fields.iter().map(|(name, value)| (name.clone(), by_serde(value))).collect(),
            )),
        }
    }

    /// With the fields in the order of their names.
    fn sorted(value: Value) -> Value {
        match value {
            Value::List(values) => Value::List(values.into_iter().map(sorted).collect()),
            Value::Object(Object(fields)) => {
                let fields = fields.into_iter().map(|(name, value)| (name, sorted(value)));
                let mut fields: Vec<_> = fields.collect();
                fields.sort_by(|(one, _), (other, _)| one.cmp(other));
                Value::Object(Object(fields))
            }
            other => other,
        }
    }

    #[track_caller]
    fn same(text: &str) {
        let serde = serde_json::from_str::<serde_json::Value>(text).ok();
        assert_eq!(read(text.as_bytes()), serde.as_ref().map(by_serde), "{text}");
    }

    #[test]
    fn texts_read_as_others_read_them() {
        for text in [
            "null",
            "true",
            "false",
            "\"\"",
            "[]",
            "{}",
            "0",
            "7",
            "-0",
            "-1",
            "1.5",
            "1.0",
            "1e3",
            "1E-3",
            "1e+3",
            "9007199254740991",
            "9007199254740992",
            "18446744073709551616",
            " [ 1 , [ ] , { } ] ",
            r#"{"a":{"b":[null]}}"#,
            r#""\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83e\udd80""#,
            "\"\u{e9}\u{20ac}\u{1f980}\u{7f}\"",
            r#"{"":0}"#,
            "\t\n\r 1",
            // None of these is JSON.
            "",
            " ",
            "nul",
            "nulls",
            "True",
            "01",
            "-",
            "+1",
            "1.",
            ".5",
            "1e",
            "1e+",
            "--1",
            "0x1",
            "NaN",
            "Infinity",
            "[",
            "]",
            "[1",
            "[1,",
            "[1,]",
            "[,]",
            "[1 2]",
            "{",
            "}",
            "{1:2}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{a:1}",
            "{'a':1}",
            "\"",
            "\"a",
            "\"\\\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12g4\"",
            "\"\\ud800\"",
            "\"\\ud800x\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "\"a\nb\"",
            "\"a\0b\"",
            "1 2",
            "[] x",
            "// c\n1",
            "\u{feff}1",
            "\u{a0}1",
        ] {
            same(text);
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"a":1,"b":2,"\u0061":3}]"#] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
        for bytes in [&b"\"\xff\""[..], b"\"\xc3\"", b"\xef\xbb\xbf1", b"\"\xed\xa0\x80\""] {
            assert_eq!(read(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(nested(32).as_bytes()).is_some());
        assert!(read(nested(33).as_bytes()).is_none());
        assert!(read("[".repeat(100_000).as_bytes()).is_none());
        assert!(read("{\"a\":".repeat(100_000).as_bytes()).is_none());
    }

    /// No byte that is another one makes it panic, or read what others do not read.
    #[test]
    fn broken_texts() {
        let text = r#"{"a":[1,-2.5e7,"x\u00e9\ud83e\udd80"],"b":{"c":null,"d":true}}"#;
        for place in 0..text.len() {
            assert_eq!(read(&text.as_bytes()[..place]), None, "{place}");
            for byte in 0..=255 {
                let mut other = text.as_bytes().to_vec();
                other[place] = byte;
                let serde = serde_json::from_slice::<serde_json::Value>(&other).ok();
                let own = read(&other).map(sorted);
                // A name that is there twice is read by others.
                if own.is_some() {
                    assert_eq!(own, serde.as_ref().map(by_serde), "{place} {byte}");
                }
            }
        }
    }

    #[test]
    fn fields() {
        let mut object = read_object(br#"{"a":"x","b":null,"c":7,"d":["y"],"e":[1]}"#).unwrap();
        assert!(object.has("b") && !object.has("z"));
        assert_eq!(object.optional("z", Value::into_text), Some(None));
        assert_eq!(object.optional("b", Value::into_text), Some(None));
        assert_eq!(object.optional("c", Value::into_text), None);
        assert_eq!(object.text("a"), Some("x".to_string()));
        assert_eq!(
            object.take("d").and_then(Value::into_texts),
            Some(alloc::vec!["y".to_string()])
        );
        assert_eq!(object.take("e").and_then(Value::into_texts), None);
    }
}

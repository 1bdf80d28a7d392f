//! JSON, read strictly.
//!
//! Follows RFC 8259, and refuses what two readers could read in two ways:
//!
//! ```text
//! a name twice in an object, a byte order mark, a lone surrogate, text behind the value
//! ```
//!
//! Numbers are whole, not negative, and small enough for every reader (RFC 8259, section 6): any
//! other number is read and is no [number](Value::number).
//!
//! A module of our own because of its size, in a filter and in the engine's module, and because
//! others are not as strict.
//!
//! Left out: writing; and values that are kept in their spelling.

use alloc::string::String;
use alloc::vec::Vec;

/// A text that was read: the values in the order of the text, each before what is in it, and what
/// their texts mean, one behind the other. Two allocations, whatever a text holds: a tree of values
/// has one for each, and the code that takes it down is larger than the code that reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    nodes: Vec<Node>,
    texts: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Null,
    Boolean(bool),
    Number(u64),
    Other,
    /// Where it is in the texts.
    Text {
        start: usize,
        end: usize,
    },
    /// How many of the nodes behind it are in it.
    List(usize),
    /// The same; the name of a field is before its value.
    Object(usize),
}

/// A value of a text.
#[derive(Clone, Copy, Debug)]
pub struct Value<'d> {
    /// It, what is in it, and perhaps more.
    nodes: &'d [Node],
    texts: &'d str,
}

/// A value that is an object. No two of its fields have one name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Object<'d>(Values<'d>);

/// Values one behind the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Values<'d> {
    nodes: &'d [Node],
    texts: &'d str,
}

/// The largest number that every reader of JSON reads exactly.
pub const MAX_NUMBER: u64 = (1 << 53) - 1;
/// How deep lists and objects may be in each other.
const MAX_DEPTH: u8 = 32;

/// Reads a text; `None` for one that is no JSON, or that could be read in two ways.
///
/// ```
/// use scopegate_edge::json::read;
///
/// let document = read(br#" {"aud": [7]} "#).unwrap();
/// let mut list = document.object().unwrap().field("aud").unwrap().list().unwrap();
/// assert_eq!(list.next().unwrap().number(), Some(7));
/// assert_eq!(read(br#"{"aud": "a", "aud": "b"}"#), None);
/// ```
#[must_use]
pub fn read(text: &[u8]) -> Option<Document> {
    // Of a text that is UTF-8 each part between two quotes is, too.
    core::str::from_utf8(text).ok()?;
    let mut reader = Reader { rest: text, nodes: Vec::new(), texts: Vec::new() };
    reader.value(MAX_DEPTH)?;
    reader.skip_blanks();
    reader.rest.is_empty().then_some(())?;
    Some(Document { nodes: reader.nodes, texts: String::from_utf8(reader.texts).ok()? })
}

impl Document {
    /// The value that the text is.
    #[must_use]
    pub fn value(&self) -> Value<'_> {
        Value { nodes: &self.nodes, texts: &self.texts }
    }

    /// The object that the text is.
    #[must_use]
    pub fn object(&self) -> Option<Object<'_>> {
        self.value().object()
    }
}

impl<'d> Value<'d> {
    fn node(self) -> Option<Node> {
        self.nodes.first().copied()
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.node() == Some(Node::Null)
    }

    /// The text that it is.
    #[must_use]
    pub fn text(self) -> Option<&'d str> {
        if let Node::Text { start, end } = self.node()? { self.texts.get(start..end) } else { None }
    }

    /// The values of the list that it is.
    #[must_use]
    pub fn list(self) -> Option<Values<'d>> {
        if let Node::List(len) = self.node()? { self.inside(len) } else { None }
    }

    /// The object that it is.
    #[must_use]
    pub fn object(self) -> Option<Object<'d>> {
        if let Node::Object(len) = self.node()? { self.inside(len).map(Object) } else { None }
    }

    /// The number that it is: whole, and from 0 to [`MAX_NUMBER`].
    #[must_use]
    pub fn number(self) -> Option<u64> {
        if let Node::Number(number) = self.node()? { Some(number) } else { None }
    }

    /// The truth value that it is.
    #[must_use]
    pub fn boolean(self) -> Option<bool> {
        if let Node::Boolean(boolean) = self.node()? { Some(boolean) } else { None }
    }

    fn inside(self, len: usize) -> Option<Values<'d>> {
        Some(Values { nodes: self.nodes.get(1..=len)?, texts: self.texts })
    }
}

impl<'d> Iterator for Values<'d> {
    type Item = Value<'d>;

    fn next(&mut self) -> Option<Value<'d>> {
        let value = Value { nodes: self.nodes, texts: self.texts };
        self.nodes = self.nodes.get(value.node()?.size()..).unwrap_or_default();
        Some(value)
    }
}

impl Node {
    /// It and what is in it.
    fn size(self) -> usize {
        match self {
            Self::List(len) | Self::Object(len) => len.saturating_add(1),
            _ => 1,
        }
    }
}

impl<'d> Object<'d> {
    /// Its fields, each a name and a value.
    pub fn fields(self) -> impl Iterator<Item = (&'d str, Value<'d>)> {
        let mut values = self.0;
        core::iter::from_fn(move || Some((values.next()?.text()?, values.next()?)))
    }

    /// A field.
    #[must_use]
    pub fn field(self, name: &str) -> Option<Value<'d>> {
        self.fields().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// A field that may be missing or null; `None` when it is something that `read` does not take.
    pub fn optional<T>(
        self,
        name: &str,
        read: impl FnOnce(Value<'d>) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.field(name) {
            Some(value) if !value.is_null() => read(value).map(Some),
            _ => Some(None),
        }
    }

    /// A field that is a text.
    #[must_use]
    pub fn text(self, name: &str) -> Option<&'d str> {
        self.field(name)?.text()
    }

    /// A field that is a number.
    #[must_use]
    pub fn number(self, name: &str) -> Option<u64> {
        self.field(name)?.number()
    }

    /// Whether there is a field of this name, whatever it holds.
    #[must_use]
    pub fn has(self, name: &str) -> bool {
        self.field(name).is_some()
    }
}

struct Reader<'t> {
    rest: &'t [u8],
    nodes: Vec<Node>,
    texts: Vec<u8>,
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
    fn value(&mut self, depth: u8) -> Option<()> {
        self.skip_blanks();
        let node = match self.rest.first()? {
            b'"' => self.text()?,
            b'{' => return self.values(b'}', depth.checked_sub(1)?),
            b'[' => return self.values(b']', depth.checked_sub(1)?),
            b'n' => self.word(b"null", Node::Null)?,
            b't' => self.word(b"true", Node::Boolean(true))?,
            b'f' => self.word(b"false", Node::Boolean(false))?,
            _ => self.any_number()?,
        };
        self.nodes.push(node);
        Some(())
    }

    fn word(&mut self, word: &[u8], node: Node) -> Option<Node> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(node)
    }

    /// A list or an object, which ends with `end`.
    fn values(&mut self, end: u8, depth: u8) -> Option<()> {
        self.next();
        let index = self.nodes.len();
        // How much is in it shows at its end.
        self.nodes.push(Node::Null);
        self.skip_blanks();
        let mut goes_on = !self.is_next(end);
        while goes_on {
            if end == b'}' {
                self.name(index)?;
            }
            self.value(depth)?;
            goes_on = self.goes_on(end)?;
        }
        let len = self.nodes.len().checked_sub(index)?.checked_sub(1)?;
        *self.nodes.get_mut(index)? = if end == b'}' { Node::Object(len) } else { Node::List(len) };
        Some(())
    }

    /// The name of a field and the colon, in the object of this index: no field before has it.
    fn name(&mut self, object: usize) -> Option<()> {
        self.skip_blanks();
        let name = self.text()?;
        let before = self.nodes.get(object.checked_add(1)?..)?;
        if self.is_field(name, before) {
            return None;
        }
        self.nodes.push(name);
        self.skip_blanks();
        self.is_next(b':').then_some(())
    }

    fn is_field(&self, name: Node, mut fields: &[Node]) -> bool {
        while let [own, value, ..] = fields {
            if self.meaning(*own) == self.meaning(name) {
                return true;
            }
            fields = fields.get(value.size().saturating_add(1)..).unwrap_or_default();
        }
        false
    }

    fn meaning(&self, node: Node) -> Option<&[u8]> {
        if let Node::Text { start, end } = node { self.texts.get(start..end) } else { None }
    }

    /// Whether a comma follows; `false` for the end.
    fn goes_on(&mut self, end: u8) -> Option<bool> {
        self.skip_blanks();
        let byte = self.next()?;
        if byte == b',' { Some(true) } else { (byte == end).then_some(false) }
    }

    fn any_number(&mut self) -> Option<Node> {
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
        Some(if is_ours { Node::Number(whole) } else { Node::Other })
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

    fn text(&mut self) -> Option<Node> {
        if !self.is_next(b'"') {
            return None;
        }
        let start = self.texts.len();
        loop {
            match self.next()? {
                b'"' => return Some(Node::Text { start, end: self.texts.len() }),
                b'\\' => {
                    let character = self.escaped()?;
                    self.texts.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                0..=0x1f => return None,
                byte => self.texts.push(byte),
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

    use super::*;

    /// Whether another reader has the same value.
    fn is_same(value: Value<'_>, other: &serde_json::Value) -> bool {
        use serde_json::Value as Serde;
        match (value.node().unwrap(), other) {
            (Node::Null, Serde::Null) => true,
            (Node::Boolean(value), Serde::Bool(other)) => value == *other,
            (Node::Number(value), Serde::Number(other)) => Some(value) == other.as_u64(),
            (Node::Other, Serde::Number(other)) => other.as_u64().is_none_or(|n| n > MAX_NUMBER),
            (Node::Text { .. }, Serde::String(other)) => value.text() == Some(other),
            (Node::List(_), Serde::Array(others)) => {
                let values = value.list().unwrap();
                values.count() == others.len()
                    && values.zip(others).all(|(value, other)| is_same(value, other))
            }
            (Node::Object(_), Serde::Object(others)) => {
                let fields = value.object().unwrap().fields();
                let of_other = |name| others.get(name);
                value.object().unwrap().fields().count() == others.len()
                    && fields.into_iter().all(|(name, value)| {
                        of_other(name).is_some_and(|other| is_same(value, other))
                    })
            }
            _ => false,
        }
    }

    #[track_caller]
    fn same(text: &str) {
        let serde = serde_json::from_str::<serde_json::Value>(text).ok();
        match (read(text.as_bytes()), serde) {
            (Some(own), Some(serde)) => assert!(is_same(own.value(), &serde), "{text}"),
            (own, serde) => assert_eq!(own.is_some(), serde.is_some(), "{text}"),
        }
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
                // A name that is there twice is read by others.
                if let Some(own) = read(&other) {
                    assert!(is_same(own.value(), &serde.unwrap()), "{place} {byte}");
                }
            }
        }
    }

    #[test]
    fn fields() {
        let text = br#"{"a":"x","b":null,"c":{"a":[[],{}],"b":1},"d":["y"],"e":[1,[2,3],4],"f":7}"#;
        let document = read(text).unwrap();
        let object = document.object().unwrap();
        assert!(object.has("b") && !object.has("z") && !object.has("x"));
        assert_eq!(object.optional("z", Value::text), Some(None));
        assert_eq!(object.optional("b", Value::text), Some(None));
        assert_eq!(object.optional("c", Value::text), None);
        assert_eq!((object.text("a"), object.number("f")), (Some("x"), Some(7)));
        assert_eq!((object.text("f"), object.number("a")), (None, None));
        let texts: Vec<_> = object.field("d").unwrap().list().unwrap().map(Value::text).collect();
        assert_eq!(texts, [Some("y")]);
        let numbers: Vec<_> =
            object.field("e").unwrap().list().unwrap().map(Value::number).collect();
        assert_eq!(numbers, [Some(1), None, Some(4)]);
        let inner = object.field("c").and_then(Value::object).unwrap();
        assert_eq!((inner.number("b"), inner.has("f")), (Some(1), false));
        assert!(object.field("d").and_then(Value::object).is_none());
        assert!(object.field("c").and_then(Value::list).is_none());
    }
}

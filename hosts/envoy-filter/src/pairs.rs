//! Maps and lists in the form in which Envoy gives them to a filter, and JSON in the same form, so
//! that a document has one reader.
//!
//! Follows <https://github.com/proxy-wasm/spec>, "serialized maps":
//!
//! ```text
//! map    count u32, then of each pair the sizes of key and value u32 u32, then of each pair the key, a zero, the value, a zero
//! list   the same, with the items for keys and nothing for values
//! text   its bytes
//! number eight bytes, a double
//! truth  one byte
//! ```
//!
//! All of it little-endian. Nothing tells what a value is but its name, so fields are read by
//! theirs. Numbers are whole.

use std::fmt;

use serde::de::value::{Error, StrDeserializer};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Beyond it a double does not tell one whole number from the next.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// A text; nothing when it is none.
#[must_use]
pub fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(ToOwned::to_owned)
}

/// A field stands there more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twice;

/// A map or a list.
#[derive(Clone, Debug, Default)]
pub struct Pairs<'b>(Vec<(&'b [u8], &'b [u8])>);

impl<'b> Pairs<'b> {
    /// Reads one; nothing unless the bytes are exactly that.
    #[must_use]
    pub fn read(bytes: &'b [u8]) -> Option<Self> {
        let (count, rest) = size(bytes)?;
        // Each pair has eight bytes of sizes, so a count beyond the bytes is none, and takes no
        // memory.
        let (mut sizes, mut rest) = rest.split_at_checked(count.checked_mul(8)?)?;
        let mut pairs = Vec::with_capacity(count);
        while !sizes.is_empty() {
            let (of_key, others) = size(sizes)?;
            let (of_value, others) = size(others)?;
            let (key, after) = terminated(rest, of_key)?;
            let (value, after) = terminated(after, of_value)?;
            pairs.push((key, value));
            (sizes, rest) = (others, after);
        }
        rest.is_empty().then_some(Self(pairs))
    }

    /// All of it, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'b [u8], &'b [u8])> {
        self.0.iter().copied()
    }

    /// The bytes of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'b [u8]> {
        self.0.iter().find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| *value)
    }

    /// The bytes of a field that may stand there once.
    ///
    /// ```
    /// # use scopegate_envoy_filter::pairs::{Pairs, Twice, Written};
    /// let list = Written::json(br#"["a", "a", "b"]"#).unwrap();
    /// let once = |name| Pairs::read(&list.0).unwrap().once(name);
    /// assert_eq!([once("a"), once("b"), once("c")], [Err(Twice), Ok(Some(&b""[..])), Ok(None)]);
    /// ```
    ///
    /// # Errors
    ///
    /// For one that stands there more often: two readers could each take another.
    pub fn once(&self, name: &str) -> Result<Option<&'b [u8]>, Twice> {
        let mut fields = self.0.iter().filter(|(key, _)| *key == name.as_bytes());
        match (fields.next(), fields.next()) {
            (_, Some(_)) => Err(Twice),
            (first, None) => Ok(first.map(|(_, value)| *value)),
        }
    }

    /// A text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        text(self.get(name)?)
    }

    /// A number that is whole, not negative, and exact.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        let double = f64::from_le_bytes(self.get(name)?.try_into().ok()?);
        let is_whole = double.fract() == 0.0 && (0.0..=LARGEST_EXACT).contains(&double);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, not negative, and small enough"
        )]
        is_whole.then_some(double as u64)
    }

    /// A value that is one of a few names.
    #[must_use]
    pub fn named<'t, T: Deserialize<'t>>(&self, name: &str) -> Option<T>
    where
        'b: 't,
    {
        let text = std::str::from_utf8(self.get(name)?).ok()?;
        T::deserialize(StrDeserializer::<Error>::new(text)).ok()
    }

    /// A list whose items are all read.
    #[must_use]
    pub fn list<T>(&self, name: &str, read: fn(&[u8]) -> Option<T>) -> Option<Vec<T>> {
        Pairs::read(self.get(name)?)?.items().map(read).collect()
    }

    /// The items of a list.
    pub fn items(&self) -> impl Iterator<Item = &'b [u8]> {
        self.0.iter().map(|(item, _)| *item)
    }

    /// A value that may be missing or null, but may be nothing else.
    pub fn optional<T>(
        &self,
        name: &str,
        read: impl Fn(&Self, &str) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.get(name) {
            None | Some([]) => Some(None),
            Some(_) => read(self, name).map(Some),
        }
    }
}

fn size(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_le_bytes(*size)).ok()?, rest))
}

/// So many bytes, and the zero behind them.
fn terminated(bytes: &[u8], size: usize) -> Option<(&[u8], &[u8])> {
    let (content, rest) = bytes.split_at_checked(size)?;
    let (zero, rest) = rest.split_first()?;
    (*zero == 0).then_some((content, rest))
}

/// A value of JSON, in this form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written(pub Vec<u8>);

impl Written {
    /// Reads JSON; nothing when it is none.
    ///
    /// ```
    /// # use scopegate_envoy_filter::pairs::{Pairs, Written};
    /// let written = Written::json(br#"{"name": "app"}"#).unwrap();
    /// assert_eq!(Pairs::read(&written.0).unwrap().text("name").as_deref(), Some("app"));
    /// ```
    #[must_use]
    pub fn json(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }
}

impl AsRef<[u8]> for Written {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Writes a map.
///
/// ```
/// # use scopegate_envoy_filter::pairs::{Pairs, write};
/// let written = write(&[("name", "app")]);
/// assert_eq!(Pairs::read(&written).unwrap().text("name").as_deref(), Some("app"));
/// ```
#[must_use]
pub fn write<T: AsRef<[u8]>>(pairs: &[(T, T)]) -> Vec<u8> {
    let mut written = Vec::new();
    write_size(&mut written, pairs.len());
    for (key, value) in pairs {
        write_size(&mut written, key.as_ref().len());
        write_size(&mut written, value.as_ref().len());
    }
    for (key, value) in pairs {
        for bytes in [key, value] {
            written.extend_from_slice(bytes.as_ref());
            written.push(0);
        }
    }
    written
}

/// A size that four bytes do not hold is none that is ever read: no document is so long.
fn write_size(written: &mut Vec<u8>, size: usize) {
    written.extend(u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes());
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Writer)
    }
}

struct Writer;

impl<'de> Visitor<'de> for Writer {
    type Value = Written;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Written, E> {
        Ok(Written(Vec::new()))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Written, E> {
        Ok(Written(vec![u8::from(truth)]))
    }

    #[allow(
        clippy::cast_precision_loss,
        reason = "what is too large for a double is refused by whoever reads it"
    )]
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Written, E> {
        self.visit_f64(number as f64)
    }

    #[allow(
        clippy::cast_precision_loss,
        reason = "what is too large for a double is refused by whoever reads it"
    )]
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Written, E> {
        self.visit_f64(number as f64)
    }

    fn visit_f64<E>(self, number: f64) -> Result<Written, E> {
        Ok(Written(number.to_le_bytes().to_vec()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Written, E> {
        Ok(Written(text.as_bytes().to_vec()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Written, A::Error> {
        let mut pairs = Vec::new();
        while let Some(item) = items.next_element()? {
            pairs.push((item, Written(Vec::new())));
        }
        Ok(Written(write(&pairs)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Written, A::Error> {
        let mut pairs: Vec<(Written, Written)> = Vec::new();
        while let Some((name, value)) = fields.next_entry()? {
            // Two readers could disagree about a field that stands twice.
            if pairs.iter().any(|(other, _)| *other == name) {
                return Err(de::Error::custom("twice"));
            }
            pairs.push((name, value));
        }
        Ok(Written(write(&pairs)))
    }
}

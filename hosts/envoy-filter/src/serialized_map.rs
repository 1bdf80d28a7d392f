//! Maps and lists in the form in which Envoy gives them to a filter.
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

/// Beyond it a double does not tell one whole number from the next.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;

/// A text; nothing when it is none.
#[must_use]
pub(crate) fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(ToOwned::to_owned)
}

/// A field stands there more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Duplicate;

/// A map or a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct SerializedMap<'b>(Vec<(&'b [u8], &'b [u8])>);

impl<'b> SerializedMap<'b> {
    /// Reads one; nothing unless the bytes are exactly that.
    #[must_use]
    pub(crate) fn read(bytes: &'b [u8]) -> Option<Self> {
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
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'b [u8], &'b [u8])> {
        self.0.iter().copied()
    }

    /// The bytes of a field.
    #[must_use]
    pub(crate) fn get(&self, name: &str) -> Option<&'b [u8]> {
        self.0.iter().find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| *value)
    }

    /// The bytes of a field that may stand there once.
    ///
    /// # Errors
    ///
    /// For one that stands there more often: two readers could each take another.
    pub(crate) fn once(&self, name: &str) -> Result<Option<&'b [u8]>, Duplicate> {
        let mut fields = self.0.iter().filter(|(key, _)| *key == name.as_bytes());
        match (fields.next(), fields.next()) {
            (_, Some(_)) => Err(Duplicate),
            (first, None) => Ok(first.map(|(_, value)| *value)),
        }
    }

    /// A text.
    #[must_use]
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        text(self.get(name)?)
    }

    /// A number that is whole, not negative, and exact.
    #[must_use]
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        let double = f64::from_le_bytes(self.get(name)?.try_into().ok()?);
        let is_whole = double.fract() == 0.0 && (0.0..=MAX_EXACT).contains(&double);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, not negative, and small enough"
        )]
        is_whole.then_some(double as u64)
    }

    /// A text that is not kept.
    #[must_use]
    pub(crate) fn str(&self, name: &str) -> Option<&'b str> {
        std::str::from_utf8(self.get(name)?).ok()
    }

    /// A list whose items are all read.
    #[must_use]
    pub(crate) fn list<T>(&self, name: &str, read: fn(&[u8]) -> Option<T>) -> Option<Vec<T>> {
        SerializedMap::read(self.get(name)?)?.items().map(read).collect()
    }

    /// The items of a list.
    pub(crate) fn items(&self) -> impl Iterator<Item = &'b [u8]> {
        self.0.iter().map(|(item, _)| *item)
    }

    /// A value that may be missing or null, but may be nothing else.
    pub(crate) fn optional<T>(
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

/// The next `size` bytes, and what follows the zero after them.
fn terminated(bytes: &[u8], size: usize) -> Option<(&[u8], &[u8])> {
    let (content, rest) = bytes.split_at_checked(size)?;
    let (zero, rest) = rest.split_first()?;
    (*zero == 0).then_some((content, rest))
}

/// Writes a map.
///
#[must_use]
pub(crate) fn write<T: AsRef<[u8]>>(pairs: &[(T, T)]) -> Vec<u8> {
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

/// A value as Envoy writes it.
#[cfg(test)]
#[allow(clippy::cast_precision_loss, reason = "Envoy has doubles alone")]
pub(crate) fn from_json(value: &serde_json::Value) -> Vec<u8> {
    use serde_json::Value;
    match value {
        Value::Null => Vec::new(),
        Value::Bool(truth) => vec![u8::from(*truth)],
        Value::Number(number) => number.as_f64().unwrap().to_le_bytes().to_vec(),
        Value::String(text) => text.clone().into_bytes(),
        Value::Array(items) => {
            write(&items.iter().map(|item| (from_json(item), Vec::new())).collect::<Vec<_>>())
        }
        Value::Object(fields) => {
            let fields =
                fields.iter().map(|(name, value)| (name.clone().into_bytes(), from_json(value)));
            write(&fields.collect::<Vec<_>>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_may_stand_once() {
        let written = write(&[("a", "1"), ("b", "2"), ("a", "3")]);
        let pairs = SerializedMap::read(&written).unwrap();
        assert_eq!(pairs.once("a"), Err(Duplicate));
        assert_eq!(pairs.once("b"), Ok(Some(&b"2"[..])));
        assert_eq!(pairs.once("c"), Ok(None));
    }

    #[test]
    fn numbers() {
        for (number, expected) in [
            (7.0_f64, Some(7)),
            (0.0, Some(0)),
            (9_007_199_254_740_991.0, Some(9_007_199_254_740_991)),
            (9_007_199_254_740_992.0, None),
            (1.5, None),
            (-1.0, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
        ] {
            let written = write(&[(&b"n"[..], &number.to_le_bytes()[..])]);
            assert_eq!(SerializedMap::read(&written).unwrap().number("n"), expected, "{number}");
        }
    }
}

//! A document as a tree, whatever its syntax was, and reading it: each refusal says where in the
//! document.
//!
//! Every form is read from such a tree, so that one reader serves JSON, YAML, and what JavaScript
//! has parsed. A duplicate field is refused when the tree is made: two readers could disagree about
//! it.

use alloc::borrow::{Cow, ToOwned};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::document::DocumentError;
#[cfg(feature = "documents")]
pub(crate) use reading::Tree;

/// A document, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'t> {
    /// Nothing.
    Null,
    /// A number, or a truth: no document of ours has either, so which one does not matter.
    Other,
    /// A text, borrowed from the document if that is possible: a copy of each took a sixth of the
    /// time of reading a map.
    Text(Cow<'t, str>),
    /// A list.
    List(Vec<Self>),
    /// Fields, each once, in the order of the document.
    Map(Vec<(String, Self)>),
}

impl<'t> Value<'t> {
    /// The text that stands at `path`.
    pub(crate) fn text(self, path: &str) -> Result<Cow<'t, str>, DocumentError> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(DocumentError::at(path, "not a text", "write it in quotes")),
        }
    }

    /// The texts of the list at `path`.
    pub(crate) fn texts(self, path: &str) -> Result<Vec<Cow<'t, str>>, DocumentError> {
        let list = self.list(path)?;
        let mut texts = Vec::with_capacity(list.len());
        for (index, value) in list.into_iter().enumerate() {
            texts.push(match value {
                Self::Text(text) => text,
                // The path is written for what is wrong alone: for each text it took half the time
                // of reading a map.
                other => other.text(&format!("{path}[{index}]"))?,
            });
        }
        Ok(texts)
    }

    /// The list at `path`.
    pub(crate) fn list(self, path: &str) -> Result<Vec<Self>, DocumentError> {
        match self {
            Self::List(list) => Ok(list),
            _ => Err(DocumentError::at(
                path,
                "not a list",
                "write `[…]`, or a line with `-` for each",
            )),
        }
    }

    /// The fields of the map at `path`.
    pub(crate) fn fields(self, path: &str) -> Result<Fields<'t>, DocumentError> {
        match self {
            Self::Map(fields) => Ok(Fields { path: path.to_owned(), fields }),
            _ => Err(DocumentError::at(path, "not a map of fields", "write `name: value`")),
        }
    }
}

/// The fields of a map that have not been read yet.
#[derive(Debug, Default)]
pub(crate) struct Fields<'t> {
    path: String,
    fields: Vec<(String, Value<'t>)>,
}

impl<'t> Fields<'t> {
    /// The value of a field, unless it is not there or is nothing.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value<'t>> {
        let index = self.fields.iter().position(|(field, _)| field == name)?;
        let (_, value) = self.fields.swap_remove(index);
        (value != Value::Null).then_some(value)
    }

    /// Whether a field is there, nothing or not.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field == name)
    }

    /// Whether a field is there that has another field inside, or is not made of fields.
    pub(crate) fn has_inside(&self, outer: &str, inner: &str) -> bool {
        let mut fields = self.fields.iter().filter(|(field, _)| field == outer);
        fields.any(|(_, value)| match value {
            Value::Map(fields) => fields.iter().any(|(field, _)| field == inner),
            value => *value != Value::Null,
        })
    }

    /// The text of a field, which can still be read.
    pub(crate) fn peek_text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(field, _)| field == name)?;
        match value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a field.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, DocumentError> {
        let text = self.take(name).map(|value| value.text(&self.path_of(name)));
        text.map(|text| text.map(Cow::into_owned)).transpose()
    }

    /// The texts of a field.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Option<Vec<Cow<'t, str>>>, DocumentError> {
        self.take(name).map(|value| value.texts(&self.path_of(name))).transpose()
    }

    /// The list of a field that must be there.
    pub(crate) fn list(&mut self, name: &str) -> Result<Vec<Value<'t>>, DocumentError> {
        match self.take(name) {
            Some(value) => value.list(&self.path_of(name)),
            None => Err(DocumentError::at(&self.path, &format!("no field `{name}`"), "write it")),
        }
    }

    /// Refuses a field that was not read.
    pub(crate) fn end(&self) -> Result<(), DocumentError> {
        match self.fields.first() {
            None => Ok(()),
            Some((name, _)) => {
                Err(DocumentError::at(&self.path_of(name), "unknown field", "leave it out"))
            }
        }
    }

    /// The path of a field.
    pub(crate) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// Making a tree with serde.
#[cfg(feature = "documents")]
mod reading {
    use alloc::borrow::{Cow, ToOwned};
    use alloc::string::String;
    use alloc::vec::Vec;
    use core::fmt;

    use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

    use super::Value;

    /// Makes a tree of what a library reads.
    ///
    /// Its errors are the library's; `duplicate field` for a field with a name that was there
    /// before; `too deep` for 65 lists in each other.
    #[derive(Clone, Copy)]
    pub(crate) struct Tree {
        depth: usize,
    }

    impl Tree {
        /// A whole document.
        pub(crate) const ROOT: Self = Self { depth: 64 };

        fn below<E: Error>(self) -> Result<Self, E> {
            let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("too deep"))?;
            Ok(Self { depth })
        }
    }

    impl<'de> DeserializeSeed<'de> for Tree {
        type Value = Value<'de>;

        fn deserialize<D: Deserializer<'de>>(
            self,
            deserializer: D,
        ) -> Result<Value<'de>, D::Error> {
            deserializer.deserialize_any(self)
        }
    }

    impl<'de> Visitor<'de> for Tree {
        type Value = Value<'de>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a document")
        }

        fn visit_unit<E: Error>(self) -> Result<Value<'de>, E> {
            Ok(Value::Null)
        }

        fn visit_none<E: Error>(self) -> Result<Value<'de>, E> {
            Ok(Value::Null)
        }

        fn visit_bool<E: Error>(self, _: bool) -> Result<Value<'de>, E> {
            Ok(Value::Other)
        }

        fn visit_i64<E: Error>(self, _: i64) -> Result<Value<'de>, E> {
            Ok(Value::Other)
        }

        fn visit_u64<E: Error>(self, _: u64) -> Result<Value<'de>, E> {
            Ok(Value::Other)
        }

        fn visit_f64<E: Error>(self, _: f64) -> Result<Value<'de>, E> {
            Ok(Value::Other)
        }

        fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Value<'de>, E> {
            Ok(Value::Text(Cow::Borrowed(text)))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Value<'de>, E> {
            self.visit_string(text.to_owned())
        }

        fn visit_string<E: Error>(self, text: String) -> Result<Value<'de>, E> {
            Ok(Value::Text(Cow::Owned(text)))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value<'de>, A::Error> {
            let below = self.below()?;
            let mut list = Vec::new();
            while let Some(value) = seq.next_element_seed(below)? {
                list.push(value);
            }
            Ok(Value::List(list))
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
            let below = self.below()?;
            let mut fields = Vec::new();
            while let Some(name) = map.next_key()? {
                fields.push((name, map.next_value_seed(below)?));
            }
            match repeated(&fields) {
                Some(name) => Err(A::Error::custom(format_args!("duplicate field `{name}`"))),
                None => Ok(Value::Map(fields)),
            }
        }
    }

    /// A name that two fields have.
    fn repeated<'f>(fields: &'f [(String, Value<'_>)]) -> Option<&'f str> {
        let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.windows(2).find_map(|pair| match pair {
            [one, other] if one == other => Some(*one),
            _ => None,
        })
    }
}

#[cfg(all(test, feature = "documents"))]
mod tests {
    use serde::de::DeserializeSeed as _;

    use super::*;

    #[track_caller]
    fn reads(text: &str, expected: Result<&str, &str>) {
        let read = Tree::ROOT.deserialize(&mut serde_json::Deserializer::from_str(text));
        let read = read.map(|value| format!("{value:?}")).map_err(|error| format!("{error}"));
        match expected {
            Ok(tree) => assert_eq!(read.as_deref(), Ok(tree), "{text}"),
            Err(start) => assert!(read.is_err_and(|error| error.starts_with(start)), "{text}"),
        }
    }

    #[test]
    fn trees() {
        for (text, tree) in [
            ("null", "Null"),
            ("1", "Other"),
            ("-1.5", "Other"),
            ("true", "Other"),
            ("\"a\"", "Text(\"a\")"),
            ("[1,[]]", "List([Other, List([])])"),
            (r#"{"b":null,"a":{}}"#, r#"Map([("b", Null), ("a", Map([]))])"#),
        ] {
            reads(text, Ok(tree));
        }
    }

    #[test]
    fn what_is_no_tree() {
        reads(r#"{"a":1,"b":2,"a":3}"#, Err("duplicate field `a`"));
        reads(&"[".repeat(100), Err("too deep"));
    }
}

//! What a rule covers: an exact name, everything below a prefix, or everything.
//!
//! Follows the wildcard rules of
//! <https://learn.microsoft.com/azure/container-registry/container-registry-token-based-repository-permissions>:
//! one `*` at most, alone or after a slash at the end. Each way to be wrong has its own error kind.
//!
//! Left out: lower-casing (a [`Rule`](crate::Rule) does that, as `az` does), regular expressions,
//! and any way to say no.

use core::fmt;

use crate::error::{Error, ErrorKind};
use crate::fast_path::{self, FastPattern};
use crate::lean::text::{cut, find, write_all};
use crate::name::RepositoryName;

/// A repository pattern, borrowed from the text that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern<'a> {
    /// `*`: every repository of the registry.
    Root,
    /// `prefix/*`: every repository below `prefix`, at any depth, but not `prefix` itself.
    Prefix(RepositoryName<'a>),
    /// One repository.
    Exact(RepositoryName<'a>),
}

impl<'a> Pattern<'a> {
    /// Reads a pattern.
    ///
    /// ```
    /// use scopegate_core::{ErrorKind, Pattern, RepositoryName};
    ///
    /// let below = Pattern::parse("sample/*")?;
    /// assert!(below.matches(RepositoryName::parse("sample/team/app")?));
    /// assert!(!below.matches(RepositoryName::parse("sample")?));
    /// # Ok::<(), scopegate_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PatternEmpty`] for the empty text, [`ErrorKind::WildcardRepeated`] for
    /// `sample/*/team/*`, [`ErrorKind::WildcardInMiddle`] for `sample/*/team`,
    /// [`ErrorKind::WildcardWithoutSlash`] for `sample/team*`, [`ErrorKind::WildcardWithoutPrefix`]
    /// for `/*`, [`ErrorKind::PrefixTooLong`] for 254 bytes and `/*`, and the errors of
    /// [`RepositoryName::parse`] for the rest.
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        match FastPattern::read(text) {
            Some(pattern) => Ok(pattern.into()),
            None => Self::parse_full(text),
        }
    }

    /// The same without the fast path.
    pub(crate) fn parse_full(text: &'a str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::new(ErrorKind::PatternEmpty, 0));
        }
        let Some((before, after)) = cut(text, b'*') else {
            return RepositoryName::parse_full(text).map(Self::Exact);
        };
        let star = before.len();
        if let Some(second) = find(after, b'*') {
            let position = star.saturating_add(1).saturating_add(second);
            return Err(Error::new(ErrorKind::WildcardRepeated, position));
        }
        if !after.is_empty() {
            return Err(Error::new(ErrorKind::WildcardInMiddle, star));
        }
        if before.is_empty() {
            return Ok(Self::Root);
        }
        match before.strip_suffix('/') {
            None => Err(Error::new(ErrorKind::WildcardWithoutSlash, star)),
            Some("") => Err(Error::new(ErrorKind::WildcardWithoutPrefix, 0)),
            Some(long) if long.len() > MAX_PREFIX => {
                Err(Error::new(ErrorKind::PrefixTooLong, MAX_PREFIX))
            }
            Some(prefix) => RepositoryName::parse_full(prefix).map(Self::Prefix),
        }
    }

    /// Whether this pattern covers `name`.
    #[must_use]
    pub fn matches(self, name: RepositoryName<'_>) -> bool {
        match self {
            Self::Root => true,
            Self::Prefix(prefix) => name
                .as_str()
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.starts_with('/')),
            Self::Exact(exact) => exact.as_str() == name.as_str(),
        }
    }

    /// Whether this pattern covers every name that `other` covers.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        match (self, other) {
            (Self::Root, _) => true,
            (_, Self::Root) | (Self::Exact(_), Self::Prefix(_)) => false,
            (_, Self::Exact(name)) => self.matches(name),
            (Self::Prefix(prefix), Self::Prefix(below)) => prefix == below || self.matches(below),
        }
    }
}

/// The longest prefix below which a name of [`RepositoryName::MAX_LEN`] bytes still fits, with its
/// slash and one byte.
pub(crate) const MAX_PREFIX: usize = RepositoryName::MAX_LEN - 2;

// The fast path accepts no longer prefix.
const _: () = assert!(fast_path::MAX_PREFIX_LEN <= MAX_PREFIX);

impl<'a> From<FastPattern<'a>> for Pattern<'a> {
    #[inline]
    fn from(pattern: FastPattern<'a>) -> Self {
        match pattern {
            FastPattern::Root => Self::Root,
            FastPattern::Prefix(prefix) => Self::Prefix(RepositoryName::trusted(prefix)),
            FastPattern::Exact(name) => Self::Exact(RepositoryName::trusted(name)),
        }
    }
}

impl fmt::Display for Pattern<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("*"),
            Self::Prefix(prefix) => write_all(f, &[prefix.as_str(), "/*"]),
            Self::Exact(name) => f.write_str(name.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};

    #[test]
    fn patterns_print_what_they_parse() {
        for text in ["*", "a/*", "a/b/*", "a", "a/b", "samples/hello-world"] {
            assert_eq!(
                Pattern::parse(text).map(|pattern| pattern.to_string()).as_deref(),
                Ok(text)
            );
        }
    }

    #[test]
    fn each_way_to_be_wrong() {
        use ErrorKind::{
            NameCharacter, NameComponentEmpty, NameUpperCase, PatternEmpty, WildcardInMiddle,
            WildcardRepeated, WildcardWithoutPrefix, WildcardWithoutSlash,
        };
        for (text, kind, position) in [
            ("", PatternEmpty, 0),
            ("sample/*/teamA", WildcardInMiddle, 7),
            ("sample/teamA*", WildcardWithoutSlash, 12),
            ("sample/teamA/*/projectB/*", WildcardRepeated, 24),
            ("**", WildcardRepeated, 1),
            ("a/**", WildcardRepeated, 3),
            ("/*", WildcardWithoutPrefix, 0),
            ("*/a", WildcardInMiddle, 0),
            ("a*", WildcardWithoutSlash, 1),
            ("A b", NameUpperCase, 0),
            ("a b", NameCharacter, 1),
            ("a//*", NameComponentEmpty, 1),
            ("reg:5000/*", NameCharacter, 3),
        ] {
            assert_eq!(Pattern::parse(text), Err(Error::new(kind, position)), "{text:?}");
        }
    }

    #[test]
    fn a_prefix_leaves_room_for_a_name() {
        let long: String = core::iter::repeat_n('a', 254).chain("/*".chars()).collect();
        assert!(Pattern::parse(long.get(1..).unwrap()).is_ok());
        assert_eq!(Pattern::parse(&long), Err(Error::new(ErrorKind::PrefixTooLong, 253)));
    }

    #[test]
    fn covering() {
        for (wide, narrow, covers) in [
            ("*", "*", true),
            ("*", "a/*", true),
            ("*", "a", true),
            ("a/*", "a/b", true),
            ("a/*", "a/b/*", true),
            ("a/*", "a/*", true),
            ("a/*", "a", false),
            ("a/*", "ab/c", false),
            ("a/*", "*", false),
            ("a", "a/*", false),
            ("a", "a", true),
            ("a", "*", false),
        ] {
            let parse = |text| Pattern::parse(text).unwrap();
            assert_eq!(parse(wide).covers(parse(narrow)), covers, "{wide} {narrow}");
        }
    }
}

//! Repository names: the distribution reference grammar, to the letter.
//!
//! Follows <https://github.com/distribution/reference/blob/main/reference.go> for the path of a
//! reference:
//!
//! ```text
//! name      := component ( "/" component )*            at most 255 bytes
//! component := alphanumeric ( separator alphanumeric )*
//! alphanumeric := [a-z0-9]+
//! separator := "." | "_" | "__" | "-"+
//! ```
//!
//! Left out: the host in front of a name (a [`ResourceName`](crate::ResourceName) may have one),
//! tags and digests (see [`route`](mod@crate::route)), and any lower-casing: an upper-case letter
//! is an error here.

use core::fmt;

use crate::error::{Error, ErrorKind};
use crate::fast_path;

/// A valid repository name, borrowed from the text that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName<'a>(&'a str);

impl<'a> RepositoryName<'a> {
    /// The longest name, in bytes.
    pub const MAX_LEN: usize = 255;

    /// Reads a repository name.
    ///
    /// ```
    /// use scopegate_core::{ErrorKind, RepositoryName};
    ///
    /// assert!(RepositoryName::parse("samples/hello-world").is_ok());
    /// let error = RepositoryName::parse("samples/Hello").unwrap_err();
    /// assert_eq!((error.kind(), error.position()), (ErrorKind::NameUpperCase, 8));
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NameEmpty`] for the empty text, [`ErrorKind::NameTooLong`] for 256 bytes,
    /// [`ErrorKind::NameUpperCase`] for `A`, [`ErrorKind::NameCharacter`] for `a b`,
    /// [`ErrorKind::NameComponentEmpty`] for `a//b`, [`ErrorKind::NameSeparator`] for `a..b`.
    #[inline]
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        if fast_path::is_name(text.as_bytes()) {
            return Ok(Self(text));
        }
        Self::parse_full(text)
    }

    /// The same without the fast path.
    #[inline]
    pub(crate) fn parse_full(text: &'a str) -> Result<Self, Error> {
        validate(text.as_bytes()).map(|()| Self(text))
    }

    /// A name that is part of a valid name: everything before one of its slashes.
    pub(crate) fn prefix(self, len: usize) -> Self {
        Self(self.0.get(..len).unwrap_or(self.0))
    }

    /// Takes text that was checked before: by the fast path, or by the table or the rule that holds
    /// it.
    pub(crate) const fn trusted(text: &'a str) -> Self {
        Self(text)
    }

    /// The name as text.
    #[must_use]
    #[inline]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// The names that this one lies below, the shortest first: `a` and `a/b` for `a/b/c`.
    pub fn ancestors(self) -> impl Iterator<Item = RepositoryName<'a>> {
        let slashes = self.0.bytes().enumerate().filter(|(_, byte)| *byte == b'/');
        slashes.map(move |(slash, _)| self.prefix(slash))
    }
}

impl fmt::Display for RepositoryName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

// The fast path accepts no longer name.
const _: () = assert!(fast_path::MAX_NAME_LEN <= RepositoryName::MAX_LEN);

/// What comes before the current byte.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// The start of the name, or a slash.
    Start,
    /// A letter or a digit.
    Alphanumeric,
    /// A run of this separator and its length.
    Separator { byte: u8, run: usize },
}

/// The grammar, byte by byte: slower than the fast path, complete, and able to say what is wrong.
#[cold]
fn validate(bytes: &[u8]) -> Result<(), Error> {
    if bytes.is_empty() {
        return Err(Error::new(ErrorKind::NameEmpty, 0));
    }
    if bytes.len() > RepositoryName::MAX_LEN {
        return Err(Error::new(ErrorKind::NameTooLong, RepositoryName::MAX_LEN));
    }
    let mut before = Before::Start;
    for (position, &byte) in bytes.iter().enumerate() {
        before = step(before, byte, position)?;
    }
    end_component(before, bytes.len(), bytes.len().saturating_sub(1))
}

fn step(before: Before, byte: u8, position: usize) -> Result<Before, Error> {
    match byte {
        b'a'..=b'z' | b'0'..=b'9' => Ok(Before::Alphanumeric),
        b'/' => end_component(before, position, position).map(|()| Before::Start),
        b'.' | b'_' | b'-' => match before {
            Before::Alphanumeric => Ok(Before::Separator { byte, run: 1 }),
            Before::Separator { byte: same, run } if same == byte && may_repeat(byte, run) => {
                Ok(Before::Separator { byte, run: run.saturating_add(1) })
            }
            _ => Err(Error::new(ErrorKind::NameSeparator, position)),
        },
        b'A'..=b'Z' => Err(Error::new(ErrorKind::NameUpperCase, position)),
        _ => Err(Error::new(ErrorKind::NameCharacter, position)),
    }
}

/// Whether a run of `run` bytes of this separator may have one more.
fn may_repeat(separator: u8, run: usize) -> bool {
    match separator {
        b'-' => true,
        b'_' => run < 2,
        _ => false,
    }
}

/// Checks that a component may end before `position`; `slash` is where to point when there is no
/// component.
fn end_component(before: Before, position: usize, slash: usize) -> Result<(), Error> {
    match before {
        Before::Alphanumeric => Ok(()),
        Before::Start => Err(Error::new(ErrorKind::NameComponentEmpty, slash)),
        Before::Separator { run, .. } => {
            Err(Error::new(ErrorKind::NameSeparator, position.saturating_sub(run)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    #[track_caller]
    fn valid(text: &str) {
        assert_eq!(RepositoryName::parse(text).map(RepositoryName::as_str), Ok(text));
    }

    #[track_caller]
    fn invalid(text: &str, kind: ErrorKind, position: usize) {
        assert_eq!(RepositoryName::parse(text), Err(Error::new(kind, position)), "{text:?}");
    }

    #[test]
    fn names() {
        for text in [
            "a",
            "0",
            "a/b",
            "samples/hello-world",
            "a.b",
            "a_b",
            "a__b",
            "a-b",
            "a--b",
            "a-----b",
            "a/b/c/d/e/f/g/h/i/j",
            "12345678",
            "1234567/",
            "abcdefg-h",
            "abcdefgh-i",
            "abcdefgh/i",
            "a.b_c__d-e--f",
            "reg.local/team/app",
            "abcdefgh__ijklmno",
        ] {
            if text.ends_with('/') {
                invalid(text, ErrorKind::NameComponentEmpty, text.len() - 1);
            } else {
                valid(text);
            }
        }
    }

    #[test]
    fn invalid_names() {
        use ErrorKind::{
            NameCharacter, NameComponentEmpty, NameEmpty, NameSeparator, NameUpperCase,
        };
        for (text, kind, position) in [
            ("", NameEmpty, 0),
            ("A", NameUpperCase, 0),
            ("teamA", NameUpperCase, 4),
            ("a b", NameCharacter, 1),
            ("a*", NameCharacter, 1),
            ("a/*", NameCharacter, 2),
            ("a:5000/b", NameCharacter, 1),
            ("caf\u{e9}", NameCharacter, 3),
            ("a\0", NameCharacter, 1),
            ("/", NameComponentEmpty, 0),
            ("/a", NameComponentEmpty, 0),
            ("a/", NameComponentEmpty, 1),
            ("a//b", NameComponentEmpty, 2),
            ("abcdefg//b", NameComponentEmpty, 8),
            ("-a", NameSeparator, 0),
            ("a-", NameSeparator, 1),
            ("a--", NameSeparator, 1),
            ("abcdefg-", NameSeparator, 7),
            ("abcdefgh-", NameSeparator, 8),
            ("a..b", NameSeparator, 2),
            ("a._b", NameSeparator, 2),
            ("a___b", NameSeparator, 3),
            ("a_-b", NameSeparator, 2),
            ("a-/b", NameSeparator, 1),
            ("a/-b", NameSeparator, 2),
            ("..", NameSeparator, 0),
            ("a/../b", NameSeparator, 2),
            ("abcdefgh..b", NameSeparator, 9),
        ] {
            invalid(text, kind, position);
        }
    }

    #[test]
    fn at_most_255_bytes() {
        let long: String = core::iter::repeat_n('a', 256).collect();
        valid(long.get(..255).unwrap());
        invalid(&long, ErrorKind::NameTooLong, 255);
    }
}

//! The fast path of parsing: texts of the usual forms, recognised without the full parsers.
//!
//! Nearly every scope that clients send, and nearly every rule that people write, has one of these
//! forms:
//!
//! ```text
//! scope     := "repository:" name ":" ( "pull" | "pull,push" | "push,pull" )
//! rule      := "repositories/" pattern "/" permission
//! pattern   := "*" | name "/*" | name
//! name      := component ( ( "-" | "." | "/" | "_" ) component )*       at most 255 bytes
//! component := [a-z0-9]+
//! ```
//!
//! The beginning and the end of a text are compared with what they usually are, which is quicker
//! than looking for colons and slashes, and names are scanned eight bytes at a time. A decision
//! takes a third less time.
//!
//! Every public function that parses such a text tries this once, and first. A result of `None` or
//! `false` is inconclusive; fall back to the full parser.
//!
//! Left out: all other texts, and what is wrong with them, which the full parsers in
//! [`name`](mod@crate::name), [`scope`](mod@crate::scope), [`pattern`](mod@crate::pattern) and
//! [`scope_map`](mod@crate::scope_map) know.

use crate::action::{Action, ActionList, Permission};
use crate::lean::swar::{self, HIGH, between};

/// The most bytes of a name. Not more than the grammar has.
pub(crate) const MAX_NAME_LEN: usize = 255;
/// The most bytes of a prefix. Not more than leave room for a slash and one byte.
pub(crate) const MAX_PREFIX_LEN: usize = MAX_NAME_LEN - 2;

/// Whether `bytes` are a name in which no two separators or slashes are adjacent. `false` is
/// inconclusive.
#[inline]
pub(crate) fn is_name(bytes: &[u8]) -> bool {
    let mut scan = NameScan::START;
    let (words, tail) = bytes.as_chunks::<8>();
    words.iter().for_each(|word| scan.word(u64::from_le_bytes(*word)));
    scan.tail(swar::tail(bytes, tail), tail.len());
    scan.is_name(bytes.len())
}

/// A scan of a name, eight bytes at a time: what was seen so far.
pub(crate) struct NameScan {
    /// The highest bit of each byte of the last word that is a separator or a slash.
    separators: u64,
    /// The highest bit of each byte that is not of a name, or a separator after another.
    wrong: u64,
}

impl NameScan {
    /// Starts as after a separator, so that a leading separator counts as a doubled one.
    pub(crate) const START: Self = Self { separators: HIGH, wrong: 0 };

    #[inline]
    pub(crate) const fn word(&mut self, word: u64) {
        let letters = between(word, b'a', b'z');
        // Adjacent in ASCII: `-`, `.`, `/` and the digits.
        let others = between(word, b'-', b'9');
        let underscores = between(word, b'_', b'_');
        let separators = (between(word, b'-', b'/') | underscores) & HIGH;
        let neighbours = separators & (separators << 8 | self.separators >> 56);
        self.wrong |= (word | !(letters | others | underscores)) & HIGH | neighbours;
        self.separators = separators;
    }

    /// The last bytes, fewer than eight of them. A name ends as its components do: where a slash
    /// may follow.
    #[inline]
    pub(crate) const fn tail(&mut self, tail: u64, len: usize) {
        const END: u64 = u64::from_le_bytes(*b"/aaaaaaa");
        self.word(tail | END.wrapping_shl((len as u32).wrapping_mul(8)));
    }

    /// Whether all of it, `len` bytes, is a name. `false` is inconclusive.
    #[inline]
    pub(crate) const fn is_name(&self, len: usize) -> bool {
        self.wrong == 0 && len <= MAX_NAME_LEN
    }
}

/// A scope on a repository, for pulling or pushing.
pub(crate) struct FastScope<'a> {
    /// The text between the first colon and the last.
    pub(crate) name: &'a [u8],
    pub(crate) actions: ActionList,
}

impl<'a> FastScope<'a> {
    const PREFIX: &'static str = "repository:";

    /// What docker, podman, skopeo and containerd ask for when they pull and push.
    const ENDINGS: [(&'static [u8], ActionList); 3] = [
        (b":pull", ActionList::of(&[Action::Pull])),
        (b":pull,push", ActionList::of(&[Action::Pull, Action::Push])),
        (b":push,pull", ActionList::of(&[Action::Push, Action::Pull])),
    ];

    /// The scope; its name is still to be scanned. `None` is inconclusive.
    #[inline]
    pub(crate) fn read(scope: &'a [u8]) -> Option<Self> {
        let rest = scope.strip_prefix(Self::PREFIX.as_bytes())?;
        Self::ENDINGS.iter().find_map(|(ending, actions)| {
            Some(Self { name: rest.strip_suffix(*ending)?, actions: *actions })
        })
    }

    /// The name and the actions of a scope. `None` is inconclusive.
    #[inline]
    pub(crate) fn parts(scope: &'a str) -> Option<(&'a str, ActionList)> {
        let Self { name, actions } = Self::read(scope.as_bytes())?;
        let text = scope.get(Self::PREFIX.len()..)?.get(..name.len())?;
        is_name(name).then_some((text, actions))
    }
}

/// What a rule covers.
pub(crate) enum FastPattern<'a> {
    Root,
    Prefix(&'a str),
    Exact(&'a str),
}

impl<'a> FastPattern<'a> {
    /// The pattern. `None` is inconclusive.
    #[inline]
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let scanned = |name: &'a str| is_name(name.as_bytes()).then_some(name);
        match text.strip_suffix("/*") {
            None if text == "*" => Some(Self::Root),
            None => scanned(text).map(Self::Exact),
            Some(long) if long.len() > MAX_PREFIX_LEN => None,
            Some(prefix) => scanned(prefix).map(Self::Prefix),
        }
    }
}

/// What the text of a rule on repositories begins with.
pub(crate) const REPOSITORIES: &str = "repositories/";

/// A rule on repositories.
pub(crate) struct FastRule<'a> {
    pub(crate) pattern: FastPattern<'a>,
    pub(crate) permission: Permission,
}

impl<'a> FastRule<'a> {
    const ENDINGS: [(&'static str, Permission); 5] = [
        ("/content/read", Permission::ContentRead),
        ("/content/write", Permission::ContentWrite),
        ("/content/delete", Permission::ContentDelete),
        ("/metadata/read", Permission::MetadataRead),
        ("/metadata/write", Permission::MetadataWrite),
    ];

    /// The rule. `None` is inconclusive.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix(REPOSITORIES)?;
        let (pattern, permission) = Self::ENDINGS
            .iter()
            .find_map(|(ending, permission)| Some((rest.strip_suffix(ending)?, *permission)))?;
        Some(Self { pattern: FastPattern::read(pattern)?, permission })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::RepositoryName;
    use crate::pattern::Pattern;
    use crate::scope::Scope;
    use crate::scope_map::Rule;
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    /// The scan never accepts what the grammar refuses, whatever byte is at whichever offset of a
    /// word.
    #[test]
    fn the_scan_agrees_with_the_grammar() {
        let alphabet = b"a0./_-A*\x7f";
        for length in 1..=5_u32 {
            for number in 0..alphabet.len().pow(length) {
                let mut number = number;
                let middle: Vec<u8> = (0..length)
                    .map(|_| {
                        let byte = alphabet[number % alphabet.len()];
                        number /= alphabet.len();
                        byte
                    })
                    .collect();
                for pad in [0, 3, 5, 7] {
                    let mut bytes: Vec<u8> = core::iter::repeat_n(b'x', pad).collect();
                    bytes.extend(&middle);
                    let text = core::str::from_utf8(&bytes).unwrap();
                    let grammar = RepositoryName::parse_full(text).is_ok();
                    let neighbours =
                        bytes.windows(2).any(|w| w.iter().all(|b| b"./_-".contains(b)));
                    assert_eq!(is_name(&bytes), grammar && !neighbours, "{bytes:?}");
                }
            }
        }
    }

    #[test]
    fn bytes_beyond_ascii_are_of_no_name() {
        for byte in 0x80..=0xff {
            for index in 0..20 {
                let mut bytes = *b"abcdefgh/ijklmnop/qr";
                bytes[index] = byte;
                assert!(!is_name(&bytes), "{byte} at {index}");
            }
        }
    }

    #[test]
    fn names_are_no_longer_than_the_grammar_has_them() {
        let long = "a".repeat(300);
        for len in 250..300 {
            let (name, _) = long.split_at(len);
            assert_eq!(is_name(name.as_bytes()), RepositoryName::parse_full(name).is_ok(), "{len}");
            let pattern = format!("{name}/*");
            let is_read = FastPattern::read(&pattern).is_some();
            assert_eq!(is_read, Pattern::parse_full(&pattern).is_ok(), "{len}");
        }
    }

    #[test]
    fn scopes_are_those_of_the_full_parser() {
        for name in ["a", "a/b-c", "a__b", "A", "", "*", "reg:5000/a", "a//b"] {
            for actions in ["pull", "pull,push", "push,pull", "push", "pull,pull", "", "*"] {
                let text = format!("repository:{name}:{actions}");
                let Some((name, actions)) = FastScope::parts(&text) else { continue };
                let scope = Scope::parse_full(&text).unwrap();
                assert_eq!((name, actions), (scope.name.as_str(), scope.actions.known), "{text}");
                assert_eq!(Scope::parse(&text).unwrap().to_string(), text);
            }
        }
        assert!(FastScope::parts("repository:a/b-c:push,pull").is_some());
    }

    /// The fast path knows each permission; soft-deleted things are for roles.
    #[test]
    fn rules_are_those_of_the_full_parser() {
        fn grant(text: &str) -> Option<(Pattern<'_>, Permission)> {
            FastRule::read(text).map(|rule| (rule.pattern.into(), rule.permission))
        }
        for permission in Permission::ALL {
            for pattern in ["*", "a", "a/content/read", "a/b-c/*"] {
                let text = format!("repositories/{pattern}/{permission}");
                let rule = Rule::parse_full(&text).ok();
                assert_eq!(grant(&text).is_some(), permission.in_scope_maps(), "{text}");
                assert_eq!(grant(&text), rule.as_ref().and_then(Rule::grant), "{text}");
            }
        }
        for text in [
            "",
            "repositories/content/read",
            "repositories//content/read",
            "repositories/A/content/read",
            "repositories/**/content/read",
            "a/content/read",
        ] {
            assert_eq!(grant(text), None, "{text}");
        }
    }
}

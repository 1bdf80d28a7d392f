//! Requested scopes: parse, print, merge.
//!
//! Follows
//! <https://github.com/distribution/distribution/blob/main/docs/content/spec/auth/scope.md>,
//! widened to what registries and clients really send:
//!
//! ```text
//! scope  := type [ "(" class ")" ] ":" name ":" [ action ( "," action )* ]
//! type   := "repository" | "registry" | "artifact-repository"
//! class  := [a-z0-9]+                              read and dropped, as the specification has deprecated it
//! name   := "*" | [ host ":" port "/" ] repository
//! ```
//!
//! The type ends at the first colon and the actions begin after the last, so that the name may hold
//! a host with a port. An unknown action is not an error: it is requested, and never granted.
//!
//! Left out: what a scope grants, which is [`decide`](mod@crate::decide)'s business.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use crate::access::{Access, Requested, RequiredScope, ResourceType};
use crate::action::{Action, ActionList};
use crate::error::{Error, ErrorKind};
use crate::fast_path::FastScope;
use crate::lean::swar;
use crate::lean::text::{cut, cut_last, find, pieces};
use crate::name::RepositoryName;

/// Reads a type with an optional class suffix; `text` is everything before the first colon.
fn parse_type(text: &str) -> Result<ResourceType, Error> {
    if text.is_empty() {
        return Err(Error::new(ErrorKind::TypeEmpty, 0));
    }
    let (name, class) = match cut(text, b'(') {
        Some((name, class)) => (name, Some(class)),
        None => (text, None),
    };
    let resource_type = ResourceType::parse(name).ok_or(Error::new(ErrorKind::TypeUnknown, 0))?;
    match class {
        Some(class) if !is_class(class) => Err(Error::new(ErrorKind::TypeClass, name.len())),
        _ => Ok(resource_type),
    }
}

/// Whether `text`, which follows an opening parenthesis, is a class and the closing one.
fn is_class(text: &str) -> bool {
    text.strip_suffix(')').is_some_and(|class| {
        !class.is_empty() && class.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

/// What a scope names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceName<'a> {
    /// `*`: every one.
    Any,
    /// A name without a host.
    Repository(RepositoryName<'a>),
    /// `host:port/repository`. It is a name of its own: no rule but the root wildcard covers it,
    /// because a rule names no host.
    Hosted {
        /// The whole name, as it travels in a claim.
        text: &'a str,
        /// The part after the host and its slash.
        repository: RepositoryName<'a>,
    },
}

impl<'a> ResourceName<'a> {
    /// Reads the name of a scope.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NameHost`] for `a:b`, and the errors of [`RepositoryName::parse`], with
    /// positions in the whole text.
    #[inline]
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        match RepositoryName::parse(text) {
            Ok(name) => Ok(Self::Repository(name)),
            Err(_) if text == "*" => Ok(Self::Any),
            Err(error) => match find(text, b':') {
                None => Err(error),
                Some(colon) => Self::parse_hosted(text, colon),
            },
        }
    }

    #[cold]
    fn parse_hosted(text: &'a str, colon: usize) -> Result<Self, Error> {
        let not_a_host = |position| Err(Error::new(ErrorKind::NameHost, position));
        let Some((authority, repository)) = cut(text, b'/') else {
            return not_a_host(colon);
        };
        let Some((host, port)) = cut(authority, b':') else {
            return not_a_host(colon);
        };
        let start = authority.len().saturating_add(1);
        if let Some(second) = find(port, b':') {
            return not_a_host(colon.saturating_add(1).saturating_add(second));
        }
        if !is_host(host) || !is_port(port) {
            return not_a_host(colon);
        }
        if let Some(later) = find(repository, b':') {
            return not_a_host(start.saturating_add(later));
        }
        match RepositoryName::parse(repository) {
            Ok(repository) => Ok(Self::Hosted { text, repository }),
            Err(error) => Err(error.shifted(start)),
        }
    }

    /// The name as text.
    #[must_use]
    #[inline]
    pub const fn as_str(self) -> &'a str {
        match self {
            Self::Any => "*",
            Self::Repository(name) => name.as_str(),
            Self::Hosted { text, .. } => text,
        }
    }
}

/// Host components joined by dots: letters and digits, hyphens inside.
pub(crate) fn is_host(text: &str) -> bool {
    text.as_bytes().split(|byte| *byte == b'.').all(|component| {
        component.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
            && component.first().is_some_and(u8::is_ascii_alphanumeric)
            && component.last().is_some_and(u8::is_ascii_alphanumeric)
    })
}

pub(crate) fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

impl AsRef<str> for ResourceName<'_> {
    #[inline]
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl<'a> From<RepositoryName<'a>> for ResourceName<'a> {
    #[inline]
    fn from(name: RepositoryName<'a>) -> Self {
        Self::Repository(name)
    }
}

impl fmt::Display for ResourceName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One requested scope, borrowed from the text that holds it.
///
/// ```
/// use scopegate_core::Scope;
///
/// let scope = Scope::parse("repository(plugin):samples/nginx:push,pull,push")?;
/// assert_eq!(scope.to_string(), "repository:samples/nginx:push,pull");
/// # Ok::<(), scopegate_core::Error>(())
/// ```
pub type Scope<'a> = Access<ResourceName<'a>, Requested<UnknownActions<'a>>>;

/// The unknown actions of a scope, which are read on demand: the text after the last colon where it
/// has any, otherwise nothing.
#[derive(Clone, Copy, Debug)]
pub struct UnknownActions<'a>(&'a str);

impl UnknownActions<'_> {
    const NONE: Self = Self("");
}

impl<'a> Scope<'a> {
    /// Reads one scope.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ScopeForm`] for `repository:app`, [`ErrorKind::TypeEmpty`] for `:app:pull`,
    /// [`ErrorKind::TypeUnknown`] for `repo:app:pull`, [`ErrorKind::TypeClass`] for
    /// `repository():app:pull`, and the errors of [`ResourceName::parse`].
    #[inline]
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        match FastScope::parts(text) {
            Some((name, actions)) => Ok(Self {
                resource_type: ResourceType::Repository,
                name: ResourceName::Repository(RepositoryName::trusted(name)),
                actions: Requested { known: actions, unknown: UnknownActions::NONE },
            }),
            None => Self::parse_full(text),
        }
    }

    /// The same without the fast path for scopes. That for names is tried, because a scope may have
    /// a usual name and other actions.
    pub(crate) fn parse_full(text: &'a str) -> Result<Self, Error> {
        let no_form = Error::new(ErrorKind::ScopeForm, text.len());
        let (resource_type, rest) = cut(text, b':').ok_or(no_form)?;
        let (name, actions) = cut_last(rest, b':').ok_or(no_form)?;
        let resource_type = parse_type(resource_type)?;
        let name_start = text.len().saturating_sub(rest.len());
        let name = ResourceName::parse(name).map_err(|error| error.shifted(name_start))?;
        Ok(Self { resource_type, name, actions: parse_actions(actions) })
    }

    /// The unknown actions, in the order of the text, each once.
    pub fn unknown_actions(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        MergedScope::from(self).actions.unknown.into_iter()
    }
}

/// Reads a comma-separated list.
#[inline]
fn parse_actions(list: &str) -> Requested<UnknownActions<'_>> {
    let mut known = ActionList::NONE;
    let mut has_unknown = false;
    for name in list.as_bytes().split(|byte| *byte == b',') {
        match Action::from_bytes(name) {
            Some(action) => known.push(action),
            None => has_unknown |= !name.is_empty(),
        }
    }
    let unknown = if has_unknown { UnknownActions(list) } else { UnknownActions::NONE };
    Requested { known, unknown }
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        MergedScope::from(self).fmt(f)
    }
}

/// All the scopes of one request, merged: one entry for each (type, name), in the order of their
/// first appearance.
///
/// ```
/// use scopegate_core::ScopeList;
///
/// let list = ScopeList::parse(["repository:app:pull registry:catalog:*", "repository:app:push", "oops"])?;
/// assert_eq!(list.to_string(), "repository:app:pull,push registry:catalog:*");
/// assert_eq!(list.invalid[0].text, "oops");
/// # Ok::<(), scopegate_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ScopeList<'a> {
    /// The valid scopes, merged.
    pub scopes: Vec<MergedScope<'a>>,
    /// The invalid scopes, in order. They grant nothing, and the others are decided without them.
    pub invalid: Vec<InvalidScope<'a>>,
}

/// Everything that one request asks about one (type, name).
pub type MergedScope<'a> = Access<ResourceName<'a>, Requested<Vec<&'a str>>>;

/// An invalid scope of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidScope<'a> {
    /// The text, as it was sent.
    pub text: &'a str,
    /// What is wrong with it; the position counts from the start of `text`.
    pub error: Error,
}

impl<'a> ScopeList<'a> {
    /// The most scopes in one request, valid or not.
    pub const MAX_SCOPES: usize = 128;
    /// The most bytes of scopes in one request.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// The scopes of a parameter, unread: the texts between spaces. Looking for those byte by byte
    /// makes a batch take a fifth longer.
    ///
    /// ```
    /// use scopegate_core::ScopeList;
    ///
    /// let pieces: Vec<_> = ScopeList::pieces(b"repository:a:pull  registry:catalog:*").collect();
    /// assert_eq!(pieces, [b"repository:a:pull".as_slice(), b"registry:catalog:*"]);
    /// ```
    pub fn pieces(parameter: &[u8]) -> impl Iterator<Item = &[u8]> {
        let mut rest = Some(parameter);
        core::iter::from_fn(move || {
            let text = rest?;
            let (piece, after) =
                match swar::find(text, b' ').and_then(|at| text.split_at_checked(at)) {
                    Some((piece, after)) => (piece, after.get(1..)),
                    None => (text, None),
                };
            rest = after;
            Some(piece)
        })
        .filter(|piece| !piece.is_empty())
    }

    /// Reads all `scope` parameters of a request, each of which may hold several scopes separated
    /// by spaces.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::RequestTooLong`] and [`ErrorKind::TooManyScopes`], which refuse the request as
    /// a whole. An invalid scope is not an error here: it is listed in [`ScopeList::invalid`].
    pub fn parse(parameters: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let mut list = Self::default();
        let mut bytes = 0_usize;
        let mut count = 0_usize;
        for parameter in parameters {
            bytes = bytes.saturating_add(parameter.len());
            if bytes > Self::MAX_BYTES {
                return Err(Error::new(ErrorKind::RequestTooLong, Self::MAX_BYTES));
            }
            for piece in pieces(parameter, b' ').filter(|piece| !piece.is_empty()) {
                count = count.saturating_add(1);
                if count > Self::MAX_SCOPES {
                    return Err(Error::new(ErrorKind::TooManyScopes, 0));
                }
                list.add(piece);
            }
        }
        Ok(list)
    }

    fn add(&mut self, piece: &'a str) {
        match Scope::parse(piece) {
            Ok(scope) => self.merge(&scope),
            Err(error) => self.invalid.push(InvalidScope { text: piece, error }),
        }
    }

    fn merge(&mut self, scope: &Scope<'a>) {
        let same = |other: &&mut MergedScope<'_>| {
            other.resource_type == scope.resource_type && other.name == scope.name
        };
        let Some(merged) = self.scopes.iter_mut().find(same) else {
            self.scopes.push(scope.into());
            return;
        };
        scope.actions.known.iter().for_each(|action| merged.actions.known.push(action));
        merged.actions.add_unknown(scope.actions.unknown);
    }
}

impl<'a> Requested<Vec<&'a str>> {
    fn add_unknown(&mut self, more: UnknownActions<'a>) {
        if more.0.is_empty() {
            return;
        }
        for name in pieces(more.0, b',').filter(|name| !name.is_empty()) {
            if Action::parse(name).is_none() && !self.unknown.contains(&name) {
                self.unknown.push(name);
            }
        }
    }
}

impl<'a> Requested<UnknownActions<'a>> {
    fn merged(&self) -> Requested<Vec<&'a str>> {
        let mut merged = Requested { known: self.known, unknown: Vec::new() };
        merged.add_unknown(self.unknown);
        merged
    }
}

impl<'a> From<&Scope<'a>> for MergedScope<'a> {
    fn from(scope: &Scope<'a>) -> Self {
        let Scope { resource_type, name, actions } = *scope;
        Self { resource_type, name, actions: actions.merged() }
    }
}

impl fmt::Display for ScopeList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.scopes.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            scope.fmt(f)?;
        }
        Ok(())
    }
}

impl<'a> From<Scope<'a>> for RequiredScope<'a> {
    fn from(scope: Scope<'a>) -> Self {
        Self {
            resource_type: scope.resource_type,
            name: Cow::Borrowed(scope.name.as_str()),
            actions: scope.actions.known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};
    use alloc::vec;

    #[track_caller]
    fn reads(text: &str, canonical: &str) {
        assert_eq!(Scope::parse(text).map(|scope| scope.to_string()).as_deref(), Ok(canonical));
    }

    #[track_caller]
    fn refuses(text: &str, kind: ErrorKind, position: usize) {
        let error = Scope::parse(text).map(|scope| scope.to_string()).unwrap_err();
        assert_eq!((error.kind(), error.position()), (kind, position), "{text:?}");
    }

    #[test]
    fn scopes() {
        for (text, canonical) in [
            ("repository:app:pull", "repository:app:pull"),
            ("repository:team/app:pull,push", "repository:team/app:pull,push"),
            ("repository:app:push,pull,push", "repository:app:push,pull"),
            ("repository:app:", "repository:app:"),
            ("repository:app:pull,", "repository:app:pull"),
            ("repository:app:,,pull", "repository:app:pull"),
            ("repository:app:pull,*", "repository:app:pull,*"),
            ("repository:app:fly,pull,fly,swim", "repository:app:pull,fly,swim"),
            ("repository:*:*", "repository:*:*"),
            ("repository(plugin):x/y:pull", "repository:x/y:pull"),
            ("registry:catalog:*", "registry:catalog:*"),
            ("registry:deleted_catalog:*", "registry:deleted_catalog:*"),
            ("artifact-repository:repo:pull", "artifact-repository:repo:pull"),
            ("repository:reg.local:5000/team/app:pull", "repository:reg.local:5000/team/app:pull"),
            ("repository:Reg-1.Local:5000/app:pull", "repository:Reg-1.Local:5000/app:pull"),
            ("repository:reg.local/team/app:pull", "repository:reg.local/team/app:pull"),
        ] {
            reads(text, canonical);
            reads(canonical, canonical);
        }
    }

    #[test]
    fn invalid_scopes() {
        use ErrorKind::{
            NameCharacter, NameEmpty, NameHost, NameUpperCase, ScopeForm, TypeClass, TypeEmpty,
            TypeUnknown,
        };
        for (text, kind, position) in [
            ("", ScopeForm, 0),
            ("repository", ScopeForm, 10),
            ("repository:app", ScopeForm, 14),
            ("a:b", ScopeForm, 3),
            (":app:pull", TypeEmpty, 0),
            ("repo:app:pull", TypeUnknown, 0),
            ("Repository:app:pull", TypeUnknown, 0),
            ("FOOrepository:app:pull", TypeUnknown, 0),
            ("Xrepo!:app:pull", TypeUnknown, 0),
            ("repo(plugin):app:pull", TypeUnknown, 0),
            ("repository():app:pull", TypeClass, 10),
            ("repository(:app:pull", TypeClass, 10),
            ("repository(A):app:pull", TypeClass, 10),
            ("repository(a)b:app:pull", TypeClass, 10),
            ("repository::pull", NameEmpty, 11),
            ("::", TypeEmpty, 0),
            ("repository:Team/app:pull", NameUpperCase, 11),
            ("repository:a/*:pull", NameCharacter, 13),
            ("repository:team%2Fapp:pull", NameCharacter, 15),
            ("repository:a:b:pull", NameHost, 12),
            ("repository:reg:x/app:pull", NameHost, 14),
            ("repository:reg:/app:pull", NameHost, 14),
            ("repository:-reg:1/app:pull", NameHost, 15),
            ("repository:reg:123456/app:pull", NameHost, 14),
            ("repository:a:1:2/app:pull", NameHost, 14),
            ("repository:reg:1/a:b:pull", NameHost, 18),
            ("repository:team/a:1/b:pull", NameHost, 17),
            ("repository:reg:1/:pull", NameEmpty, 17),
            ("repository:reg:1/App:pull", NameUpperCase, 17),
        ] {
            refuses(text, kind, position);
        }
    }

    #[test]
    fn a_star_asks_for_what_may_be_had() {
        for (text, wanted) in [
            ("repository:app:pull", "pull"),
            ("repository:app:*", "pull,push,delete,metadata_read,metadata_write"),
            ("repository:app:delete,*", "pull,push,delete,metadata_read,metadata_write"),
            (
                "repository:app:deleted_read,*",
                "pull,push,delete,metadata_read,metadata_write,deleted_read",
            ),
            ("registry:catalog:*", "*"),
            ("registry:catalog:pull,*", "*"),
        ] {
            assert_eq!(Scope::parse(text).unwrap().wanted().to_string(), wanted, "{text}");
        }
    }

    #[test]
    fn requests_merge() {
        let list = ScopeList::parse([
            "repository:b:pull repository:a:push",
            "",
            "repository:b:metadata_read,pull,fly  repository(x):b:fly,swim",
            "registry:b:pull",
        ])
        .unwrap();
        assert_eq!(
            list.to_string(),
            "repository:b:pull,metadata_read,fly,swim repository:a:push registry:b:pull"
        );
    }

    #[test]
    fn invalid_scopes_are_listed_apart() {
        let list = ScopeList::parse(["oops repository:a:pull :", "repository:A:pull"]).unwrap();
        assert_eq!(list.to_string(), "repository:a:pull");
        let kinds: Vec<_> =
            list.invalid.iter().map(|invalid| (invalid.text, invalid.error.kind())).collect();
        assert_eq!(
            kinds,
            [
                ("oops", ErrorKind::ScopeForm),
                (":", ErrorKind::ScopeForm),
                ("repository:A:pull", ErrorKind::NameUpperCase),
            ]
        );
    }

    #[test]
    fn requests_are_bounded() {
        let many = "repository:a:pull ".repeat(128);
        assert!(ScopeList::parse([many.as_str()]).is_ok());
        let error = ScopeList::parse([many.as_str(), "x"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooManyScopes);
        let long: Vec<String> = vec!["a".repeat(ScopeList::MAX_BYTES), "b".into()];
        let error = ScopeList::parse(long.iter().map(String::as_str)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RequestTooLong);
    }
}

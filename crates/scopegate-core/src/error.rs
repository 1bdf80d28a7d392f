//! Why a text was refused, and at which byte.
//!
//! One error type for the whole core: a kind and a position, eight bytes, `Copy`. It does not hold
//! the text, so that nothing secret can travel in it and making one costs nothing; the host that
//! shows it has the text and can point at the byte.

use core::fmt;

/// Why a text was refused, and where.
///
/// ```
/// use scopegate_core::{ErrorKind, Pattern};
///
/// let error = Pattern::parse("sample/*/team").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::WildcardInMiddle);
/// assert_eq!(error.position(), 7);
/// assert_eq!(error.to_string(), "text after the `*`");
/// assert_eq!(error.kind().code(), "wildcard_in_middle");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Error {
    kind: ErrorKind,
    position: u32,
}

impl Error {
    /// An error of `kind` at byte `position` of the text.
    #[must_use]
    pub fn new(kind: ErrorKind, position: usize) -> Self {
        Self { kind, position: u32::try_from(position).unwrap_or(u32::MAX) }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(self) -> ErrorKind {
        self.kind
    }

    /// The first offending byte, counted from the start of the text that was parsed.
    #[must_use]
    pub fn position(self) -> usize {
        self.position as usize
    }

    /// The same error, seen from a text in which the parsed one begins at byte `offset`.
    #[must_use]
    pub(crate) fn shifted(self, offset: usize) -> Self {
        Self::new(self.kind, self.position().saturating_add(offset))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.message())
    }
}

impl core::error::Error for Error {}

/// Declares the kinds once: variant, stable code, message, hint.
macro_rules! error_kinds {
    ($($(#[$doc:meta])* $kind:ident = $number:literal, $code:literal, $message:literal, $hint:literal;)*) => {
        /// What can be wrong with a text. `code` is stable: it is what travels in JSON and through
        /// the WebAssembly boundary.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum ErrorKind { $($(#[$doc])* $kind = $number,)* }

        impl ErrorKind {
            /// Every kind, in the order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The stable, `snake_case` name of this kind.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$kind => $code,)* }
            }

            /// What is wrong, in a few words.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self { $(Self::$kind => $message,)* }
            }

            /// What would be right.
            #[must_use]
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$kind => $hint,)* }
            }
        }
    };
}

error_kinds! {
    /// `repository::pull`
    NameEmpty = 1, "name_empty", "the repository name is empty", "write a name such as `samples/hello-world`";
    /// A repository of 256 bytes.
    NameTooLong = 2, "name_too_long", "repository name too long (maximum 255 bytes)", "use a shorter name";
    /// `Team/app`
    NameUpperCase = 3, "name_upper_case", "uppercase letter in the repository name", "repository names must be lowercase";
    /// `team app`
    NameCharacter = 4, "name_character", "invalid character in the repository name", "use a-z, 0-9, `.`, `_`, `-` and `/`";
    /// `team//app`
    NameComponentEmpty = 5, "name_component_empty", "extra slash", "remove it";
    /// `a..b`
    NameSeparator = 6, "name_separator", "misplaced separator", "use a single `.`, `_` or `__`, or any number of `-`, between letters and digits";
    /// `repository:a:b:pull`
    NameHost = 7, "name_host", "misplaced colon", "write `host:port/repository`, or remove the colon";

    /// `repository:app`
    ScopeForm = 10, "scope_form", "missing colon", "use `type:name:actions`";
    /// `:app:pull`
    TypeEmpty = 11, "type_empty", "the resource type is empty", "use `repository`, `registry` or `artifact-repository`";
    /// `repo:app:pull`
    TypeUnknown = 12, "type_unknown", "unknown resource type", "use `repository`, `registry` or `artifact-repository`";
    /// `repository():app:pull`
    TypeClass = 13, "type_class", "invalid class suffix", "remove it; it has no effect";
    /// A request with 129 scopes.
    TooManyScopes = 14, "too_many_scopes", "too many scopes (maximum 128)", "request fewer scopes at once";
    /// A request with more than 16,384 bytes of scopes.
    RequestTooLong = 15, "request_too_long", "scopes too long (maximum 16384 bytes)", "request fewer scopes at once";

    /// The empty pattern.
    PatternEmpty = 20, "pattern_empty", "the repository pattern is empty", "write a repository name, `prefix/*` or `*`";
    /// `sample/*/team/*`
    WildcardRepeated = 21, "wildcard_repeated", "more than one `*`", "use one `*`, at the end";
    /// `sample/*/team`
    WildcardInMiddle = 22, "wildcard_in_middle", "text after the `*`", "end the pattern with `/*`, or write one rule for each repository";
    /// `sample/team*`
    WildcardWithoutSlash = 23, "wildcard_without_slash", "no slash before the `*`", "write `/*`, which covers everything below a path";
    /// `/*`
    WildcardWithoutPrefix = 24, "wildcard_without_prefix", "no name before `/*`", "add a name, or write `*` for every repository";
    /// 254 bytes and `/*`
    PrefixTooLong = 25, "prefix_too_long", "prefix too long (maximum 253 bytes)", "use a shorter prefix";

    /// `samples/nginx`
    RuleForm = 30, "rule_form", "not a valid rule", "use `repositories/<repository>/<permission>`, for example `repositories/samples/nginx/content/read`";
    /// `repositories/app/content/pull`
    PermissionUnknown = 31, "permission_unknown", "unknown permission", "use content/read, content/write, content/delete, metadata/read or metadata/write";
    /// `gateway/a b/config/read`
    GatewayName = 32, "gateway_name", "invalid name of a connected registry", "use letters, digits and `-`";
    /// A map of 501 actions.
    TooManyRules = 33, "too_many_rules", "too many rules (maximum 500)", "cover several repositories with one wildcard rule, or split the map";
    /// `ab`
    MapName = 34, "map_name", "invalid scope map name", "use 5 to 50 letters, digits, `-` or `_`";
    /// `_mine`, when a user asks for it.
    MapNameReserved = 35, "map_name_reserved", "names starting with `_` are reserved", "start the name with a letter or a digit";
    /// A description of 257 characters.
    DescriptionTooLong = 36, "description_too_long", "description too long (maximum 256 characters)", "use a shorter description";

    /// Bytes that are no compiled table.
    TableMalformed = 40, "table_malformed", "not a compiled table", "compile the scope map again";
    /// A table of another version of the format.
    TableVersion = 41, "table_version", "a compiled table of another version", "compile the scope map again with this version";
    /// A map whose names collide under every seed that was tried.
    TableUnhashable = 42, "table_unhashable", "the repository names collide", "use ordinary names";
    /// A map of more than 2^24 patterns.
    TableTooLarge = 43, "table_too_large", "too many repositories for one table", "split the scope map";

    /// `/v3/`
    PathUnknown = 50, "path_unknown", "unknown path", "paths begin with /v2/, /acr/v1/ or /helm/v1/";
    /// `/v2/a//b/manifests/x`
    PathAmbiguous = 51, "path_ambiguous", "ambiguous path", "send the path without empty or dot segments, and encoded at most once";
    /// `POST /v2/_catalog`
    MethodUnknown = 52, "method_unknown", "method not supported for this path", "use a documented method";
    /// `/v2/app/manifests/.x`
    ReferenceInvalid = 53, "reference_invalid", "not a tag or digest", "use a tag such as `v1` or a digest such as `sha256:` and 64 hex digits";
    /// `?from=a&from=b`
    QueryAmbiguous = 54, "query_ambiguous", "ambiguous query", "send `from` once, encoded once";
    /// `?n=1;mount=x`
    QueryCharacter = 55, "query_character", "invalid character in the query", "write it as `%` and its two hex digits: `%3B` for `;`";
    /// `?_method=DELETE`, or `X-HTTP-Method-Override: DELETE`
    MethodOverride = 56, "method_override", "the request names a second method", "send only the intended method";
    /// `Content-Type: a/b` and `Content-Type: c/d`
    HeaderRepeated = 57, "header_repeated", "duplicate header", "send one `Content-Type`";

    /// `Bearer realm=`
    ChallengeForm = 60, "challenge_form", "not a WWW-Authenticate header", "write `Bearer realm=\"…\",service=\"…\",scope=\"…\"`";
    /// `Bearer realm="a",realm="b"`
    ChallengeRepeated = 61, "challenge_repeated", "duplicate parameter", "name each parameter once";
    /// `Bearer service="s"`
    ChallengeRealm = 62, "challenge_realm", "the realm is missing", "add the realm, the address of the token server";
}

impl ErrorKind {
    /// The number of this kind, as it crosses the WebAssembly boundary.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.number() == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::FindingKind;
    use crate::explain::MissKind;
    use alloc::collections::BTreeSet;

    #[test]
    fn codes_and_numbers_are_unique() {
        let codes: BTreeSet<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        let numbers: BTreeSet<_> = ErrorKind::ALL.iter().map(|kind| kind.number()).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
        assert_eq!(numbers.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn numbers_name_their_kind() {
        for &kind in ErrorKind::ALL {
            assert_eq!(ErrorKind::from_number(kind.number()), Some(kind));
        }
        assert_eq!(ErrorKind::from_number(0), None);
    }

    /// Phrases that plain English has another word for.
    const STILTED: [&str; 9] = [
        " is no ",
        " that no ",
        "neither ",
        "nobody",
        "none of ",
        "stand here",
        "stands",
        "two readers",
        "whoever",
    ];

    #[test]
    fn messages_are_plain_lower_case_and_open_ended() {
        let errors = ErrorKind::ALL.iter().flat_map(|kind| [kind.message(), kind.hint()]);
        let findings = FindingKind::ALL.iter().map(|kind| kind.message());
        let misses = MissKind::ALL.iter().map(|kind| kind.message());
        for text in errors.chain(findings).chain(misses) {
            assert!(!text.starts_with(|c: char| c.is_ascii_uppercase()), "{text}");
            assert!(!text.ends_with('.'), "{text}");
            assert!(!STILTED.iter().any(|phrase| text.contains(phrase)), "{text}");
        }
    }
}

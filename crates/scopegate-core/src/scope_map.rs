//! Rules as people write them; the system-defined maps and the roles.
//!
//! Follows the actions, the maps and the limits of
//! <https://learn.microsoft.com/azure/container-registry/container-registry-token-based-repository-permissions>:
//!
//! ```text
//! rule := "repositories/" pattern "/" permission
//!       | "gateway/" name "/" ( "config" | "message" ) "/" ( "read" | "write" )
//! ```
//!
//! The text is lower-cased as `az` does before it sends it. Rules for a gateway (a connected
//! registry) are kept, because they come with real maps, and grant nothing.
//!
//! Left out: who has which map, and the documents that carry maps (the `scopegate-api` crate reads
//! those).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::action::{ActionSet, Permission};
use crate::error::{Error, ErrorKind};
use crate::fast_path::{FastRule, REPOSITORIES};
use crate::lean::text::{cut_last, write_all};
use crate::name::RepositoryName;
use crate::pattern::Pattern;

/// One rule of a scope map: what it covers and what it grants there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule(Kind);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Repository { pattern: PatternText, permission: Permission },
    Gateway { name: String, permission: GatewayPermission },
}

impl Rule {
    /// Reads an action string, lower-casing it first.
    ///
    /// ```
    /// use scopegate_core::Rule;
    ///
    /// let rule = Rule::parse("repositories/sample/teamA/*/content/write")?;
    /// assert_eq!(rule.to_string(), "repositories/sample/teama/*/content/write");
    /// # Ok::<(), scopegate_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::RuleForm`] for `samples/nginx`, [`ErrorKind::PermissionUnknown`] for
    /// `repositories/app/content/pull`, [`ErrorKind::GatewayName`] for `gateway/a b/config/read`,
    /// and the errors of [`Pattern::parse`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        // Every byte is looked at, because that is done sixteen at a time and stopping early is
        // not.
        if text.bytes().fold(false, |upper, byte| upper | byte.is_ascii_uppercase()) {
            return Self::parse_lower(&text.to_ascii_lowercase());
        }
        Self::parse_lower(text)
    }

    fn parse_lower(text: &str) -> Result<Self, Error> {
        match FastRule::read(text) {
            Some(rule) => Ok(Self::granting(rule.pattern.into(), rule.permission)),
            None => Self::parse_full(text),
        }
    }

    /// The same without the fast path.
    pub(crate) fn parse_full(text: &str) -> Result<Self, Error> {
        // A repository may hold slashes, so the permission is read from the end.
        let at_kind = |(before, _)| cut_last(before, b'/');
        let Some((resource, _)) = cut_last(text, b'/').and_then(at_kind) else {
            return Err(Error::new(ErrorKind::RuleForm, 0));
        };
        let permission_start = resource.len().saturating_add(1);
        let permission = text.get(permission_start..).unwrap_or_default();
        if let Some(pattern) = resource.strip_prefix(REPOSITORIES) {
            let permission = Permission::parse(permission)
                .ok_or(Error::new(ErrorKind::PermissionUnknown, permission_start))?;
            let pattern =
                Pattern::parse_full(pattern).map_err(|error| error.shifted(REPOSITORIES.len()))?;
            return Ok(Self::granting(pattern, permission));
        }
        if let Some(name) = resource.strip_prefix(GATEWAY) {
            let permission = GatewayPermission::parse(permission)
                .ok_or(Error::new(ErrorKind::PermissionUnknown, permission_start))?;
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                return Err(Error::new(ErrorKind::GatewayName, GATEWAY.len()));
            }
            return Ok(Self(Kind::Gateway { name: name.to_owned(), permission }));
        }
        Err(Error::new(ErrorKind::RuleForm, 0))
    }

    /// The rule that grants `permission` on what `pattern` covers.
    #[must_use]
    pub fn granting(pattern: Pattern<'_>, permission: Permission) -> Self {
        let pattern = match pattern {
            Pattern::Root => PatternText::Root,
            Pattern::Prefix(prefix) => PatternText::Prefix(prefix.as_str().to_owned()),
            Pattern::Exact(name) => PatternText::Exact(name.as_str().to_owned()),
        };
        Self(Kind::Repository { pattern, permission })
    }

    /// What the rule covers and grants; `None` for a gateway rule, which grants nothing.
    #[must_use]
    pub fn grant(&self) -> Option<(Pattern<'_>, Permission)> {
        match &self.0 {
            Kind::Repository { pattern, permission } => Some((pattern.as_pattern(), *permission)),
            Kind::Gateway { .. } => None,
        }
    }
}

const GATEWAY: &str = "gateway/";

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Repository { pattern, permission } => {
                f.write_str(REPOSITORIES)?;
                pattern.as_pattern().fmt(f)?;
                write_all(f, &["/", permission.as_str()])
            }
            Kind::Gateway { name, permission } => {
                write_all(f, &[GATEWAY, name, "/", permission.as_str()])
            }
        }
    }
}

/// A pattern that owns its text. INVARIANT: the text was read by [`Pattern::parse`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum PatternText {
    Root,
    Prefix(String),
    Exact(String),
}

impl PatternText {
    fn as_pattern(&self) -> Pattern<'_> {
        match self {
            Self::Root => Pattern::Root,
            Self::Prefix(prefix) => Pattern::Prefix(RepositoryName::trusted(prefix)),
            Self::Exact(name) => Pattern::Exact(RepositoryName::trusted(name)),
        }
    }
}

/// What a connected registry may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GatewayPermission {
    /// `config/read`
    ConfigRead,
    /// `config/write`
    ConfigWrite,
    /// `message/read`
    MessageRead,
    /// `message/write`
    MessageWrite,
}

impl GatewayPermission {
    /// Every permission.
    pub const ALL: [Self; 4] =
        [Self::ConfigRead, Self::ConfigWrite, Self::MessageRead, Self::MessageWrite];

    /// The permission with this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|permission| permission.as_str() == text)
    }

    /// The name of this permission in a scope map.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConfigRead => "config/read",
            Self::ConfigWrite => "config/write",
            Self::MessageRead => "message/read",
            Self::MessageWrite => "message/write",
        }
    }
}

/// A named list of rules. What it grants is the union of what its rules grant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeMap {
    /// The name, or nothing for rules that came without one.
    pub name: Option<MapName>,
    /// What the map is for, in its owner's words.
    pub description: String,
    /// The rules, in the order in which they were written.
    pub rules: Vec<Rule>,
}

impl ScopeMap {
    /// The most rules in one map.
    pub const MAX_RULES: usize = 500;
    /// The most characters in a description.
    pub const MAX_DESCRIPTION: usize = 256;

    /// Reads a nameless map from its action strings.
    ///
    /// # Errors
    ///
    /// The errors of [`Rule::parse`], with the position in the action string that is wrong;
    /// [`ScopeMap::parse_rules`] tells which one that is. The limit of [`ScopeMap::MAX_RULES`] is
    /// not checked here, because an owner must be able to look at a map that is too large: see
    /// [`ScopeMap::check_limits`].
    pub fn parse<'a>(actions: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        Self::parse_rules(actions).map_err(|invalid| invalid.error)
    }

    /// The same, naming the action string that is wrong.
    ///
    /// # Errors
    ///
    /// The first invalid action string.
    pub fn parse_rules<'a>(
        actions: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidRule<'a>> {
        let actions = actions.into_iter();
        let mut rules = Vec::with_capacity(actions.size_hint().0);
        for (index, text) in actions.enumerate() {
            rules.push(Rule::parse(text).map_err(|error| InvalidRule { index, text, error })?);
        }
        Ok(Self { rules, ..Self::default() })
    }

    /// Checks what the management of maps checks: at most 500 rules, at most 256 characters of
    /// description.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooManyRules`] and [`ErrorKind::DescriptionTooLong`]; the position is the first
    /// rule or byte too many.
    pub fn check_limits(&self) -> Result<(), Error> {
        if self.rules.len() > Self::MAX_RULES {
            return Err(Error::new(ErrorKind::TooManyRules, Self::MAX_RULES));
        }
        match self.description.char_indices().nth(Self::MAX_DESCRIPTION) {
            Some((position, _)) => Err(Error::new(ErrorKind::DescriptionTooLong, position)),
            None => Ok(()),
        }
    }

    /// What the map grants on `name`: the naive union, one rule after the other.
    ///
    /// A [`Table`](crate::Table) gives the same answer without looking at every rule.
    #[must_use]
    pub fn granted(&self, name: RepositoryName<'_>) -> ActionSet {
        self.rules
            .iter()
            .filter_map(Rule::grant)
            .filter(|(pattern, _)| pattern.matches(name))
            .map(|(_, permission)| permission.action())
            .collect()
    }

    /// The five system-defined maps.
    pub fn system_defined() -> impl Iterator<Item = Self> {
        SYSTEM_MAPS.iter().map(|(name, description, permissions)| Self {
            name: Some(MapName((*name).to_owned())),
            description: (*description).to_owned(),
            rules: on_every_repository(permissions),
        })
    }
}

/// The names of the system-defined maps and what each grants on every repository, in the order of
/// the service.
pub(crate) fn system_defined() -> impl Iterator<Item = (&'static str, &'static [Permission])> {
    SYSTEM_MAPS.iter().map(|(name, _, permissions)| (*name, *permissions))
}

/// An invalid action string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRule<'a> {
    /// Its index among the action strings.
    pub index: usize,
    /// The action string.
    pub text: &'a str,
    /// What is wrong with it; the position counts from the start of `text`.
    pub error: Error,
}

/// The name of a scope map: 5 to 50 letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MapName(String);

impl MapName {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MapName`] for `ab` or `my map`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if let Some(position) = text.bytes().position(|b| !allowed(b)) {
            return Err(Error::new(ErrorKind::MapName, position));
        }
        if !(5..=50).contains(&text.len()) {
            return Err(Error::new(ErrorKind::MapName, text.len().min(50)));
        }
        Ok(Self(text.to_owned()))
    }

    /// Reads a name that a user may give to a map.
    ///
    /// # Errors
    ///
    /// Those of [`MapName::parse`], and [`ErrorKind::MapNameReserved`] for `_repositories_pull`.
    pub fn parse_user_defined(text: &str) -> Result<Self, Error> {
        let name = Self::parse(text)?;
        if name.is_system_defined() {
            return Err(Error::new(ErrorKind::MapNameReserved, 0));
        }
        Ok(name)
    }

    /// Whether the name is one of those that users cannot give, change or delete.
    #[must_use]
    pub fn is_system_defined(&self) -> bool {
        self.0.starts_with('_')
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MapName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

use Permission::{ContentDelete, ContentRead, ContentWrite, MetadataRead, MetadataWrite};

/// Names, descriptions and permissions as the service prints them, in its order.
const SYSTEM_MAPS: [(&str, &str, &[Permission]); 5] = [
    (
        "_repositories_admin",
        "Can perform all read, write and delete operations on the registry",
        &[MetadataRead, MetadataWrite, ContentRead, ContentWrite, ContentDelete],
    ),
    ("_repositories_pull", "Can pull any repository of the registry", &[ContentRead]),
    (
        "_repositories_pull_metadata_read",
        "Can perform all read operations on the registry",
        &[ContentRead, MetadataRead],
    ),
    (
        "_repositories_push",
        "Can push to any repository of the registry",
        &[ContentRead, ContentWrite],
    ),
    (
        "_repositories_push_metadata_write",
        "Can perform all read and write operations on the registry",
        &[MetadataRead, MetadataWrite, ContentRead, ContentWrite],
    ),
];

/// A role that an identity may hold, as an ordinary scope map over every repository.
///
/// Follows <https://learn.microsoft.com/azure/container-registry/container-registry-roles> and the
/// built-in roles of Azure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Pull, and list tags, manifests and repositories.
    AcrPull,
    /// What `AcrPull` may, push, and change attributes.
    AcrPush,
    /// Delete, and nothing else: deleting by tag needs `AcrPull` in addition.
    AcrDelete,
    /// Pull. The documented table gives a reader no list of tags or repositories, so neither does
    /// this.
    Reader,
    /// Everything on repositories, soft-deleted ones included.
    Contributor,
    /// The same as `Contributor`; what an owner may do beyond it is not a matter of scopes.
    Owner,
    /// Nothing on repositories: it reads what an enforcement point needs, which is not a matter of
    /// scopes.
    EdgeReader,
    /// Nothing on repositories: it reads who changed what, which is not a matter of scopes.
    AuditReader,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::AcrPull,
        Self::AcrPush,
        Self::AcrDelete,
        Self::Reader,
        Self::Contributor,
        Self::Owner,
        Self::EdgeReader,
        Self::AuditReader,
    ];

    /// The name of the role.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AcrPull => "AcrPull",
            Self::AcrPush => "AcrPush",
            Self::AcrDelete => "AcrDelete",
            Self::Reader => "Reader",
            Self::Contributor => "Contributor",
            Self::Owner => "Owner",
            Self::EdgeReader => "EdgeReader",
            Self::AuditReader => "AuditReader",
        }
    }

    /// The role with this name, whatever its case, as Azure compares them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str().eq_ignore_ascii_case(text))
    }

    /// What the role grants on every repository.
    #[must_use]
    pub const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::AcrPull => &[ContentRead, MetadataRead],
            Self::AcrPush => &[ContentRead, ContentWrite, MetadataRead, MetadataWrite],
            Self::AcrDelete => &[ContentDelete],
            Self::Reader => &[ContentRead],
            Self::Contributor | Self::Owner => &Permission::ALL,
            Self::EdgeReader | Self::AuditReader => &[],
        }
    }

    /// The role as a scope map.
    #[must_use]
    pub fn scope_map(self) -> ScopeMap {
        ScopeMap {
            name: None,
            description: self.as_str().to_owned(),
            rules: on_every_repository(self.permissions()),
        }
    }
}

fn on_every_repository(permissions: &[Permission]) -> Vec<Rule> {
    permissions.iter().map(|permission| Rule::granting(Pattern::Root, *permission)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn rules_print_what_they_parse() {
        for text in [
            "repositories/samples/hello-world/content/read",
            "repositories/samples/*/content/write",
            "repositories/*/metadata/read",
            "repositories/a/content/read/content/delete",
            "gateway/myconnected/config/read",
            "gateway/my-connected/message/write",
        ] {
            assert_eq!(Rule::parse(text).map(|rule| rule.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn text_is_lower_cased() {
        let rule = Rule::parse("Repositories/Team/Lib/Content/Read").unwrap();
        assert_eq!(rule.to_string(), "repositories/team/lib/content/read");
    }

    #[test]
    fn invalid_rules() {
        use ErrorKind::{
            GatewayName, NameCharacter, PatternEmpty, PermissionUnknown, RuleForm, WildcardInMiddle,
        };
        for (text, kind, position) in [
            ("", RuleForm, 0),
            ("samples/nginx", RuleForm, 0),
            ("repositories/app", RuleForm, 0),
            ("repository/app/content/read", RuleForm, 0),
            ("repositories/content/read", RuleForm, 0),
            ("repositories//content/read", PatternEmpty, 13),
            ("repositories/app/content/pull", PermissionUnknown, 17),
            ("repositories/app/contentWrite", RuleForm, 0),
            ("repositories/app/metadata/delete", PermissionUnknown, 17),
            ("repositories/app/deleted/read", PermissionUnknown, 17),
            ("repositories/app/content/read ", PermissionUnknown, 17),
            ("repositories/sample/*/team/content/read", WildcardInMiddle, 20),
            ("repositories/a b/content/read", NameCharacter, 14),
            ("gateway/x/content/read", PermissionUnknown, 10),
            ("gateway//config/read", GatewayName, 8),
            ("gateway/a b/config/read", GatewayName, 8),
        ] {
            assert_eq!(Rule::parse(text), Err(Error::new(kind, position)), "{text:?}");
        }
    }

    #[test]
    fn a_bad_rule_is_named() {
        let actions = ["repositories/a/content/read", "nonsense"];
        let invalid = ScopeMap::parse_rules(actions).unwrap_err();
        assert_eq!((invalid.index, invalid.text), (1, "nonsense"));
    }

    #[test]
    fn limits() {
        let rule = Rule::parse("repositories/a/content/read").unwrap();
        let mut map = ScopeMap { rules: alloc::vec![rule; 500], ..ScopeMap::default() };
        assert_eq!(map.check_limits(), Ok(()));
        map.rules.push(map.rules[0].clone());
        assert_eq!(map.check_limits(), Err(Error::new(ErrorKind::TooManyRules, 500)));
        let map = ScopeMap { description: "é".repeat(257), ..ScopeMap::default() };
        assert_eq!(map.check_limits(), Err(Error::new(ErrorKind::DescriptionTooLong, 512)));
    }

    #[test]
    fn map_names() {
        for (text, expected) in [
            ("MyScopeMap", Ok(())),
            ("my_map-1", Ok(())),
            ("abcd", Err((ErrorKind::MapName, 4))),
            ("my map", Err((ErrorKind::MapName, 2))),
            ("", Err((ErrorKind::MapName, 0))),
            ("_mine", Err((ErrorKind::MapNameReserved, 0))),
        ] {
            let name = MapName::parse_user_defined(text).map(drop);
            assert_eq!(name, expected.map_err(|(kind, at)| Error::new(kind, at)), "{text:?}");
        }
        assert!(MapName::parse(&"a".repeat(50)).is_ok());
        assert_eq!(MapName::parse(&"a".repeat(51)), Err(Error::new(ErrorKind::MapName, 50)));
    }

    #[test]
    fn system_maps_and_roles() {
        let name = RepositoryName::parse("any/repository").unwrap();
        let granted: Vec<_> = ScopeMap::system_defined()
            .map(|map| (map.name.clone().unwrap().to_string(), map.granted(name).to_string()))
            .collect();
        let expected = [
            ("_repositories_admin", "pull,push,delete,metadata_read,metadata_write"),
            ("_repositories_pull", "pull"),
            ("_repositories_pull_metadata_read", "pull,metadata_read"),
            ("_repositories_push", "pull,push"),
            ("_repositories_push_metadata_write", "pull,push,metadata_read,metadata_write"),
        ];
        assert_eq!(granted, expected.map(|(name, granted)| (name.into(), granted.into())));
        for (role, granted) in [
            ("AcrPull", "pull,metadata_read"),
            ("acrpush", "pull,push,metadata_read,metadata_write"),
            ("AcrDelete", "delete"),
            ("Reader", "pull"),
            (
                "Contributor",
                "pull,push,delete,metadata_read,metadata_write,deleted_read,deleted_restore",
            ),
            ("Owner", "pull,push,delete,metadata_read,metadata_write,deleted_read,deleted_restore"),
        ] {
            let map = Role::parse(role).unwrap().scope_map();
            assert_eq!(map.granted(name).to_string(), granted, "{role}");
        }
        assert_eq!(Role::parse("AcrImageSigner"), None);
    }
}

//! The claims of access and refresh tokens, in the order in which Azure Container Registry writes
//! them.
//!
//! Follows recorded tokens of the service and
//! <https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md>. Clients read only `exp` of a refresh
//! token and `access` of an access token; everything else is for people and logs.
//!
//! Claims of our own stand behind the documented ones: `principal`, `generation` and `epoch`,
//! `provider` in access tokens of identities, `password` and `identity` in refresh tokens, `untag`
//! ([`UntagClaim`]) in access tokens for which `delete` was requested. Tokens
//! of other issuers, and those of our own earlier versions, lack them: readers take them as
//! unknown, never as an error.
//!
//! Left out: signing, which is the token server's; which claims are accepted, which is the rule of
//! `scopegate-edge`; and every claim that no client reads and no reader of ours needs.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use scopegate_core::verify::Grant;
use scopegate_core::{Access, Action, ActionList, ActionSet, ResourceType};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::access::AccessEntry;
use crate::decision::DecisionReport;

/// The claims of an access token. A caller that signs many of them writes them as
/// `AccessClaims<&str>`, and copies no text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct AccessClaims<S = String> {
    /// Unique for each token.
    pub jti: S,
    /// Who it is for: the name of a scope-map token, or what else [`principal`](Self::principal)
    /// says it is.
    pub sub: S,
    /// Not valid before, in seconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub nbf: u64,
    /// Not valid from, in seconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub exp: u64,
    /// Issued at, in seconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub iat: u64,
    /// Who issued it.
    pub iss: S,
    /// The registry that it is for. One string: CNCF distribution 2.8 refuses a list.
    pub aud: S,
    /// [`VERSION`], or [`METADATA_VERSION`] when an action on metadata is granted.
    pub version: S,
    /// The registry's own id.
    pub rid: S,
    /// What may be done.
    pub access: Vec<AccessEntry>,
    /// Always empty here; the service writes it.
    pub roles: Vec<String>,
    /// `access_token`
    pub grant_type: GrantType,
    /// The application that asked, when the holder came with a token of an identity provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub appid: Option<S>,
    /// What kind of principal it is for. Ours; other issuers do not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub principal: Option<PrincipalKind>,
    /// The revision of the principal at the time of issue: a token of an older one is revoked.
    /// Ours; other issuers do not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(type = "number", optional))]
    pub generation: Option<u64>,
    /// The identity provider that knows the holder, by its name in the configuration: a subject is
    /// unique only together with it. Ours; other issuers do not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub provider: Option<S>,
    /// The epoch of the issuer's database: generations of another epoch say nothing in this one.
    /// Ours; other issuers do not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub epoch: Option<S>,
}

impl AccessClaims {
    /// What the token grants, as the engine checks it.
    pub fn grants(&self) -> impl Iterator<Item = Grant<'_>> + Clone {
        self.access.iter().filter_map(AccessEntry::grant)
    }
}

/// The claim `untag` of an access token: the repositories in which its holder may remove tags,
/// because it has `metadata/write` on them and requested `delete`. `az acr repository untag`
/// requests no other action. Ours; other issuers do not write it.
///
/// It is no part of [`AccessClaims`], because it counts for one request at one enforcement point,
/// the gateway. No other one reads it.
///
/// ```
/// use scopegate_api::claims::UntagClaim;
///
/// assert_eq!(UntagClaim::read(br#"{"sub":"t","untag":["team/app"]}"#).untag, ["team/app"]);
/// assert!(UntagClaim::read(br#"{"sub":"t"}"#).untag.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UntagClaim<S = String> {
    /// Their names, as in `access`; nothing is written when there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untag: Vec<S>,
}

impl UntagClaim {
    /// The scopes that decide about the claim of a token: `metadata_write` on each repository for
    /// which `delete` was requested, whatever became of it. A client with both gets the claim too,
    /// because a token with `delete` alone removes no tag where that takes `metadata_write`. What
    /// is granted of them are its repositories.
    ///
    /// ```
    /// use scopegate_api::claims::UntagClaim;
    /// use scopegate_api::decision::DecisionReport;
    /// use scopegate_core::{ScopeList, Settings, Table, claims};
    ///
    /// let request = ScopeList::parse(["repository:app:pull,delete repository:base:pull"]).unwrap();
    /// let tables: [&Table<Vec<u8>>; 0] = [];
    /// let report = DecisionReport::new(&request, &claims(tables, &request, &Settings::default()));
    /// assert_eq!(UntagClaim::scopes(&report), ["repository:app:metadata_write"]);
    /// ```
    #[must_use]
    pub fn scopes(report: &DecisionReport) -> Vec<String> {
        let entries = report.access.iter().chain(&report.denied);
        entries.filter_map(metadata_write_for_delete).collect()
    }

    /// Reads the payload of an access token that was verified and accepted. A claim of another form
    /// names no repository.
    #[must_use]
    pub fn read(payload: &[u8]) -> Self {
        serde_json::from_slice(payload).unwrap_or_default()
    }

    /// What these repositories would open where removing a tag takes `metadata_write`. A host that
    /// adds this to a token does so for that one request.
    pub fn access(&self) -> impl Iterator<Item = AccessEntry> + '_ {
        self.untag.iter().map(|name| AccessEntry {
            resource_type: ResourceType::Repository.as_str().into(),
            name: name.clone(),
            actions: vec![Action::MetadataWrite.as_str().into()],
        })
    }
}

fn metadata_write_for_delete(entry: &AccessEntry) -> Option<String> {
    let is_repository = entry.resource_type == ResourceType::Repository.as_str();
    let has_delete = entry.actions.iter().any(|action| action == Action::Delete.as_str());
    let actions = ActionList::from(ActionSet::of(Action::MetadataWrite));
    let scope =
        Access { resource_type: ResourceType::Repository, name: entry.name.as_str(), actions };
    (is_repository && has_delete).then(|| scope.to_string())
}

/// The claims of a refresh token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshClaims {
    /// Unique for each token.
    pub jti: String,
    /// Who it is for.
    pub sub: String,
    /// Not valid before, in seconds since 1970.
    pub nbf: u64,
    /// Not valid from, in seconds since 1970.
    pub exp: u64,
    /// Issued at, in seconds since 1970.
    pub iat: u64,
    /// Who issued it.
    pub iss: String,
    /// The registry that it is for.
    pub aud: String,
    /// [`VERSION`]
    pub version: String,
    /// The registry's own id.
    pub rid: String,
    /// `refresh_token`
    pub grant_type: GrantType,
    /// The application that asked, when the holder came with a token of an identity provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appid: Option<String>,
    /// The tenant that the client named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// What the holder might do at the time of issue. Information only: rights are read again
    /// whenever an access token is issued.
    pub permissions: Permissions,
    /// Always empty here; the service writes it.
    pub roles: Vec<String>,
    /// What kind of principal it is for. Ours; other issuers do not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<PrincipalKind>,
    /// The revision of the principal at the time of issue: a token of an older one is revoked.
    /// Ours; other issuers do not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// Which of its principal's passwords made it: it ends with that one. Ours; other issuers do
    /// not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// What an identity provider said about the holder. Ours; other issuers do not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityClaims>,
    /// The epoch of the issuer's database. Ours; other issuers do not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
}

/// What an identity provider said about the holder of a refresh token: kept, so that rights can be
/// read again whenever an access token is issued.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityClaims {
    /// The provider's name.
    pub provider: String,
    /// The claims that rights depend on.
    pub claims: BTreeMap<String, Value>,
    /// A digest of who vouched for them under this name: rights are not read from the claims of
    /// another. Tokens of earlier versions lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

/// What kind of principal a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// A scope-map token.
    Token,
    /// The admin user of the registry.
    Admin,
    /// A service principal.
    ServicePrincipal,
    /// An identity of an identity provider.
    Identity,
    /// Anybody.
    Anonymous,
}

impl PrincipalKind {
    /// The kind with a name; `None` for a name that no kind has.
    ///
    /// ```
    /// use scopegate_api::claims::PrincipalKind;
    ///
    /// assert_eq!(PrincipalKind::parse("service_principal"), Some(PrincipalKind::ServicePrincipal));
    /// assert_eq!(PrincipalKind::parse("robot"), None);
    /// ```
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "token" => Self::Token,
            "admin" => Self::Admin,
            "service_principal" => Self::ServicePrincipal,
            "identity" => Self::Identity,
            "anonymous" => Self::Anonymous,
            _ => return None,
        })
    }
}

/// What kind of token it is. A token of one kind is never accepted instead of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// It opens repositories.
    AccessToken,
    /// It gets access tokens.
    RefreshToken,
}

impl GrantType {
    /// The kind with a name; `None` for a name that no kind has.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "access_token" => Some(Self::AccessToken),
            "refresh_token" => Some(Self::RefreshToken),
            _ => None,
        }
    }
}

/// A summary of what the holder of a refresh token might do. The keys are capitalised, as the
/// service writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permissions {
    /// `read`, `write` and `delete`, as far as they apply anywhere.
    #[serde(rename = "Actions", alias = "actions", default)]
    pub actions: Vec<String>,
    /// Always null here: there are no rules that take away.
    #[serde(rename = "NotActions", alias = "notActions", default)]
    pub not_actions: Option<Vec<String>>,
}

/// The version of a token that opens content or the catalog.
pub const VERSION: &str = "1.0";
/// The version of a token that opens metadata.
pub const METADATA_VERSION: &str = "2.0";

/// The version that the service writes beside this access.
#[must_use]
pub fn version(access: &[AccessEntry]) -> &'static str {
    let is_metadata = |action: &String| action.starts_with("metadata_");
    if access.iter().flat_map(|entry| &entry.actions).any(is_metadata) {
        METADATA_VERSION
    } else {
        VERSION
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RECORDED: &str = r#"{"jti":"j","sub":"s","nbf":1,"exp":2,"iat":1,"iss":"Azure Container Registry","aud":"r","version":"1.0","rid":"0","access":[{"type":"repository","name":"a","actions":["pull"]}],"roles":[],"grant_type":"access_token"}"#;

    #[test]
    fn tokens_of_other_issuers_lack_our_claims() {
        let claims: AccessClaims = serde_json::from_str(RECORDED).unwrap();
        assert_eq!((claims.appid, claims.principal, claims.generation), (None, None, None));
    }

    #[test]
    fn claims_that_are_not_there_are_not_written() {
        let claims: AccessClaims = serde_json::from_str(RECORDED).unwrap();
        let text = serde_json::to_string(&claims).unwrap();
        assert_eq!(text, RECORDED);
    }

    #[test]
    fn the_claim_untag() {
        for (payload, expected) in [
            (r#"{"untag":["a","b/c"]}"#, &["a", "b/c"][..]),
            (r#"{"untag":[]}"#, &[]),
            (r#"{"untag":null}"#, &[]),
            (r#"{"untag":"a"}"#, &[]),
            (r#"{"untag":["a",7]}"#, &[]),
            (r#"{"untag":{"a":1}}"#, &[]),
            (RECORDED, &[]),
            ("", &[]),
        ] {
            assert_eq!(UntagClaim::read(payload.as_bytes()).untag, expected, "{payload}");
        }
        assert_eq!(serde_json::to_string(&UntagClaim::<&str>::default()).unwrap(), "{}");
        let claim = UntagClaim { untag: vec!["a".into()] };
        let grants: Vec<AccessEntry> = claim.access().collect();
        assert_eq!(
            serde_json::to_value(grants).unwrap(),
            json!([{"type": "repository", "name": "a", "actions": ["metadata_write"]}])
        );
    }

    #[test]
    fn claims_stand_in_their_order() {
        let text = r#"{"jti":"j","sub":"s","nbf":1,"exp":2,"iat":1,"iss":"i","aud":"r","version":"1.0","rid":"0","grant_type":"refresh_token","appid":"app","tenant":"t","permissions":{"Actions":["read"],"NotActions":null},"roles":[],"principal":"service_principal","generation":7,"identity":{"provider":"p","claims":{"a":1,"groups":["x"]}}}"#;
        let claims: RefreshClaims = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&claims).unwrap(), text);
        assert_eq!(claims.identity.unwrap().claims["groups"], json!(["x"]));
    }

    #[test]
    fn kinds_of_principals() {
        for (name, kind) in [
            ("token", PrincipalKind::Token),
            ("admin", PrincipalKind::Admin),
            ("service_principal", PrincipalKind::ServicePrincipal),
            ("identity", PrincipalKind::Identity),
            ("anonymous", PrincipalKind::Anonymous),
        ] {
            assert_eq!(serde_json::to_value(kind).unwrap(), name);
            assert_eq!(PrincipalKind::parse(name), Some(kind));
        }
        for (name, kind) in
            [("access_token", GrantType::AccessToken), ("refresh_token", GrantType::RefreshToken)]
        {
            assert_eq!(serde_json::to_value(kind).unwrap(), name);
            assert_eq!(GrantType::parse(name), Some(kind));
        }
    }
}

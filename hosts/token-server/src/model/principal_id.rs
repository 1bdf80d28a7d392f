//! Which principal: the key by which two of them are told apart.

use scopegate_api::claims::{PrincipalKind, RefreshClaims};

/// The identity of a principal: a name is unique only among its kind, and that of an identity only
/// together with its provider.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PrincipalId {
    /// `None` in tokens of other issuers, which are no principal's.
    kind: Option<PrincipalKind>,
    provider: Option<String>,
    name: String,
}

impl PrincipalId {
    /// The principal with a name. Only a provider tells names apart by their case.
    #[must_use]
    pub fn new(kind: Option<PrincipalKind>, provider: Option<&str>, name: &str) -> Self {
        let name = match kind {
            Some(PrincipalKind::Identity) => name.to_owned(),
            _ => name.to_ascii_lowercase(),
        };
        Self { kind, provider: provider.map(ToOwned::to_owned), name }
    }
}

/// The holder of a refresh token.
impl From<&RefreshClaims> for PrincipalId {
    fn from(claims: &RefreshClaims) -> Self {
        let provider = claims.identity.as_ref().map(|identity| identity.provider.as_str());
        Self::new(claims.principal, provider, &claims.sub)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_told_apart_by_kind_provider_and_name() {
        use PrincipalKind::{Admin, Identity, Token};
        let id = |(kind, provider, name): (_, Option<&str>, _)| {
            PrincipalId::new(Some(kind), provider, name)
        };
        let one = (Token, None, "MyToken");
        for (left, right, is_same) in [
            (one, (Token, None, "mytoken"), true),
            (one, (Token, None, "MyToken2"), false),
            (one, (Admin, None, "MyToken"), false),
            (one, (Identity, Some("ci"), "MyToken"), false),
            ((Identity, Some("ci"), "a"), (Identity, Some("ci"), "a"), true),
            ((Identity, Some("ci"), "a"), (Identity, Some("ci"), "A"), false),
            ((Identity, Some("ci"), "a"), (Identity, Some("cd"), "a"), false),
        ] {
            assert_eq!(id(left) == id(right), is_same, "{left:?} {right:?}");
        }
    }
}

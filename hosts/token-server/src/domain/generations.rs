//! Which tokens are revoked: the principals whose generation is newer than a revision.

use scopegate_api::claims::PrincipalKind;
use serde::Serialize;
use utoipa::ToSchema;

use super::principal::{ANONYMOUS, Directory, admin_generation};
use crate::store::{RecordKey, Revision};

/// A principal's generation. Tokens of an older one are revoked.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Generation {
    /// The kind of principal, as in the token's claim `principal`.
    #[schema(value_type = String)]
    pub principal: PrincipalKind,
    /// The `provider` of its tokens, for an identity in version 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The `sub` of its tokens in lower case; all of the kind, or of the provider, when null.
    pub sub: Option<String>,
    /// The oldest generation that is still valid.
    pub generation: Revision,
}

/// The principals with a generation newer than `since`. Only generations are compared, so a poll is
/// cheap with the maximum number of tokens, and free when nothing was written.
#[must_use]
pub(crate) fn changed(
    directory: Directory<'_>,
    since: Revision,
    is_newest: bool,
) -> Vec<Generation> {
    let policy = directory.policy;
    if since == policy.revision() {
        return Vec::new();
    }
    let mut changed = Vec::new();
    let mut add = |principal, provider: Option<&str>, sub: Option<&str>, generation| {
        if generation > since {
            let (provider, sub) = (provider.map(ToOwned::to_owned), sub.map(ToOwned::to_owned));
            changed.push(Generation { principal, provider, sub, generation });
        }
    };
    if is_newest {
        // Removed providers too: their tokens are revoked.
        for provider in policy.providers() {
            let generation = directory.provider_generation(&provider.name);
            add(PrincipalKind::Identity, Some(&provider.name), None, generation);
        }
        for (provider, subject, revision) in policy.revoked_identities() {
            add(PrincipalKind::Identity, Some(provider), Some(subject), revision);
        }
    } else {
        add(PrincipalKind::Identity, None, None, directory.identity_generation());
    }
    let mut note = |principal, sub: &str, generation| add(principal, None, Some(sub), generation);
    for (key, token) in policy.tokens() {
        note(PrincipalKind::Token, key, token.generation(policy));
    }
    for (key, service) in policy.service_principals() {
        note(PrincipalKind::ServicePrincipal, key, service.generation(policy));
    }
    for (what, revision) in policy.tombstones() {
        match what {
            // The tokens of a deleted principal are revoked.
            RecordKey::Token(key) => note(PrincipalKind::Token, key, revision),
            RecordKey::ServicePrincipal(key) => {
                note(PrincipalKind::ServicePrincipal, key, revision);
            }
            RecordKey::ScopeMap(_) => {}
        }
    }
    let admin = directory.registry_name.to_ascii_lowercase();
    note(PrincipalKind::Admin, &admin, admin_generation(policy));
    note(PrincipalKind::Anonymous, ANONYMOUS, policy.registry.anonymous_generation);
    changed
}

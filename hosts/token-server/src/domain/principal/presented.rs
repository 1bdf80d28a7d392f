//! What a client presented, for the decision log.
//!
//! It is noted as soon as a signature or a password is verified, so that a refusal names it too. It
//! holds ids and names, and nothing of a token that opens anything.

use std::sync::OnceLock;

use scopegate_api::claims::PrincipalKind;
use serde_json::Value;

use super::Principal;
use crate::domain::identity::Identity;

/// The longest id of a provider's token that is logged, in bytes.
const MAX_JTI: usize = 128;

/// What a client has proven, whether or not it is then accepted.
#[derive(Debug, Default)]
pub struct Presented(OnceLock<Proven>);

/// A verified token or password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    pub kind: PrincipalKind,
    /// The name among its kind.
    pub name: String,
    /// The provider of an identity.
    pub provider: Option<String>,
    /// The id of the token; none of a password.
    pub jti: Option<String>,
}

impl Presented {
    /// Notes what was verified. The first one stays.
    pub fn note(&self, proven: impl FnOnce() -> Proven) {
        self.0.get_or_init(proven);
    }

    /// What was verified, if anything.
    #[must_use]
    pub fn get(&self) -> Option<&Proven> {
        self.0.get()
    }
}

impl Proven {
    /// A principal that showed no token.
    #[must_use]
    pub fn by_password(principal: &Principal) -> Self {
        Self {
            kind: principal.kind,
            name: principal.subject.clone(),
            provider: principal.provider.clone(),
            jti: None,
        }
    }

    /// An identity, and the id of its provider's token. The id is the provider's text, and left out
    /// where it is no short one.
    #[must_use]
    pub fn by_identity(identity: &Identity) -> Self {
        let is_short =
            |id: &&str| id.len() <= MAX_JTI && id.bytes().all(|byte| byte.is_ascii_graphic());
        let jti = identity.claims.get("jti").and_then(Value::as_str).filter(is_short);
        Self {
            kind: PrincipalKind::Identity,
            name: identity.subject.clone(),
            provider: Some(identity.provider.clone()),
            jti: jti.map(ToOwned::to_owned),
        }
    }
}

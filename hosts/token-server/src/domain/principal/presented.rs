//! What a client presented, for the decision log.
//!
//! It is noted as soon as a signature or a password is verified, so that a refusal names it too. It
//! holds ids and names, and nothing of a token that opens anything.

use std::sync::OnceLock;

use scopegate_api::claims::PrincipalKind;

use super::Principal;

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
}

//! What requests share.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use scopegate_core::Catalog;
use scopegate_runtime::Runtime;

use crate::issue::Issuer;
use crate::policy::Policy;

/// What requests share.
#[derive(Debug)]
pub struct App {
    /// The engine.
    pub runtime: Runtime,
    /// Who signs, for whom.
    pub issuer: Issuer,
    /// The address of the token endpoint, as clients reach it.
    pub realm: String,
    /// Who may list repositories.
    pub catalog: Catalog,
    policy: ArcSwap<Policy>,
}

impl App {
    /// An app that knows nothing yet.
    #[must_use]
    pub fn new(runtime: Runtime, issuer: Issuer, public_url: &str, catalog: Catalog) -> Self {
        let realm = format!("{}/oauth2/token", public_url.trim_end_matches('/'));
        Self { runtime, issuer, realm, catalog, policy: ArcSwap::default() }
    }

    /// The snapshot of this moment.
    pub fn policy(&self) -> Guard<Arc<Policy>> {
        self.policy.load()
    }

    /// Puts another snapshot in its place. Requests that began with the old one end with it.
    pub fn replace_policy(&self, policy: Policy) {
        self.policy.store(Arc::new(policy));
    }
}

//! Gateways of ours, which ask for many clients from one address: whether one does.
//!
//! In `X-Scopegate-Gateway` a gateway shows the client id and the secret of a service principal
//! with the role EdgeReader, as Basic authentication has them (RFC 7617). Only then is the one
//! client address believed that it writes. The secret has to be one that was generated here,
//! because it comes with every request, and has to have come over TLS or loopback.
//!
//! What was right once is remembered by its digest for as long as its service principal stays as it
//! was. The first look costs its address what a request does, and a wrong secret what a wrong
//! password does.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderMap, HeaderName};
use scopegate_core::scope_map::Role;
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::domain::policy::ServicePrincipal;
use crate::domain::principal::{AuthError, Credentials};
use crate::domain::reason::Reason;
use crate::model::password;

/// The header field in which a gateway shows who it is.
pub(crate) const GATEWAY: HeaderName = HeaderName::from_static("x-scopegate-gateway");
/// How many are remembered. Only what was right is, so this many are not reached by guessing.
const MAX_REMEMBERED: usize = 1024;

/// The gateways of a server.
pub struct Gateways {
    app: Arc<App>,
    is_tls: bool,
    right: Mutex<HashMap<[u8; 32], Arc<ServicePrincipal>>>,
}

impl Gateways {
    /// Nobody is known yet. `is_tls` is whether connections to this server are.
    #[must_use]
    pub fn new(app: Arc<App>, is_tls: bool) -> Self {
        Self { app, is_tls, right: Mutex::default() }
    }

    /// Whether a request comes from a gateway of ours.
    pub async fn have_sent(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        let mut shown = headers.get_all(GATEWAY).iter();
        let (Some(shown), None) = (shown.next(), shown.next()) else { return false };
        if !self.is_tls && !peer.to_canonical().is_loopback() {
            return false;
        }
        let is_one = self.remembers(shown.as_bytes()) || self.look(peer, shown.as_bytes()).await;
        if is_one {
            self.app.guard.peers.prove(peer);
        }
        is_one
    }

    fn remembers(&self, shown: &[u8]) -> bool {
        let known = self.lock().get(&digest(shown)).cloned();
        let Some(known) = known else { return false };
        let policy = self.app.policy();
        policy
            .service_principal(&known.name)
            .is_some_and(|now| may_vouch(now) && is_same(now, &known))
    }

    async fn look(&self, peer: IpAddr, shown: &[u8]) -> bool {
        let guard = &self.app.guard;
        if guard.check_address(peer).is_err() {
            return false;
        }
        match self.service_principal(peer, shown).await {
            Ok(service) if may_vouch(&service) => {
                self.remember(shown, service);
                true
            }
            Err(AuthError::Refused(_)) => {
                guard.failed(peer);
                false
            }
            Ok(_) | Err(_) => false,
        }
    }

    async fn service_principal(
        &self,
        peer: IpAddr,
        shown: &[u8],
    ) -> Result<Arc<ServicePrincipal>, AuthError> {
        let Credentials::Password { name, password } = Credentials::basic(shown)? else {
            return Err(Reason::GatewayWithoutSecret.into());
        };
        if !password::is_generated(&password) {
            return Err(Reason::GatewayChoseSecret.into());
        }
        let policy = Arc::clone(&self.app.policy());
        self.app.authenticator(&policy).by_secret(&name, password, peer).await
    }

    fn remember(&self, shown: &[u8], service: Arc<ServicePrincipal>) {
        let mut right = self.lock();
        if right.len() >= MAX_REMEMBERED {
            right.clear();
        }
        right.insert(digest(shown), service);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Arc<ServicePrincipal>>> {
        // A thread that ended with it left what was right.
        self.right.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves out who is known.
impl fmt::Debug for Gateways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateways").field("is_tls", &self.is_tls).finish_non_exhaustive()
    }
}

fn may_vouch(service: &ServicePrincipal) -> bool {
    service.enabled && service.roles.contains(&Role::EdgeReader)
}

/// Whether a secret that was right is right still.
fn is_same(now: &ServicePrincipal, known: &ServicePrincipal) -> bool {
    now.generation == known.generation && now.secrets == known.secrets
}

fn digest(shown: &[u8]) -> [u8; 32] {
    Sha256::digest(shown).into()
}

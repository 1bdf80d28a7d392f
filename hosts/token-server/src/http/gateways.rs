//! Our own gateways, which send requests of many clients from one address.
//!
//! In `X-Scopegate-Gateway` a gateway sends the client id and the secret of a service principal
//! with the role EdgeReader, as in Basic authentication (RFC 7617). Only then is the client address
//! that it writes trusted. The secret must be a generated one, because every request carries it,
//! and must come over TLS or loopback.
//!
//! A verified secret is cached by its digest until its service principal changes or it expires. The
//! first check costs its address one request, and a wrong secret costs as much as a wrong password.
//!
//! The log says, once a minute, that a secret is not good, because all clients of that gateway
//! count as one then; and that a gateway's connections count as those of one client, because
//! nothing exempts its address.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;
use scopegate_core::scope_map::Role;
use scopegate_host::forwarded::GATEWAY;
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::clock;
use crate::domain::policy::ServicePrincipal;
use crate::domain::principal::{AuthError, Client, Credentials};
use crate::domain::reason::Reason;
use crate::model::password;

/// The maximum number of cached credentials. Only verified ones are cached, so guesses do not fill
/// it.
const MAX_CACHED: usize = 1024;
/// How long nothing is logged after a warning, in seconds.
const WARNING_INTERVAL: i64 = 60;

/// The gateways of a server.
pub struct Gateways {
    app: Arc<App>,
    is_tls: bool,
    right: Mutex<HashMap<[u8; 32], Client>>,
    /// When something was logged last, in seconds since 1970.
    warned_at: AtomicI64,
}

impl Gateways {
    /// Without cached credentials. `is_tls` is whether connections to this server use TLS.
    #[must_use]
    pub fn new(app: Arc<App>, is_tls: bool) -> Self {
        Self { app, is_tls, right: Mutex::default(), warned_at: AtomicI64::default() }
    }

    /// Whether a request comes from one of our own gateways.
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
        let is_in_time =
            |known: &Client| known.secret.as_ref().is_none_or(|secret| clock::now() < secret.at);
        let Some(known) = known.filter(is_in_time) else { return false };
        let policy = self.app.policy();
        policy
            .service_principal(&known.service.name)
            .is_some_and(|now| may_vouch(now) && is_same(now, &known.service))
    }

    async fn look(&self, peer: IpAddr, shown: &[u8]) -> bool {
        let guard = &self.app.guard;
        if guard.check_address(peer).is_err() {
            return false;
        }
        let refused = match self.client(peer, shown).await {
            Ok(client) if may_vouch(&client.service) => {
                self.cache(shown, client);
                if !guard.is_exempt(peer) && self.may_warn() {
                    tracing::warn!(%peer, "all clients of a gateway share the connections of one: exempt it in limits.exemptPeers");
                }
                return true;
            }
            Ok(_) => "no_edge_reader",
            Err(AuthError::Refused(reason)) => {
                guard.failed(peer);
                reason.code()
            }
            Err(_) => return false,
        };
        if self.may_warn() {
            tracing::warn!(%peer, reason = refused, "a gateway's credentials are not good: all its clients count as one");
        }
        false
    }

    /// Whether a minute is over since the last warning.
    fn may_warn(&self) -> bool {
        let (now, last) = (clock::now(), self.warned_at.load(Ordering::Relaxed));
        let is_over = now.saturating_sub(last) >= WARNING_INTERVAL;
        let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
        is_over && self.warned_at.compare_exchange(last, now, success, failure).is_ok()
    }

    async fn client(&self, peer: IpAddr, shown: &[u8]) -> Result<Client, AuthError> {
        let Credentials::Password { name, password } = Credentials::basic(shown)? else {
            return Err(Reason::GatewayWithoutSecret.into());
        };
        if !password::is_generated(&password) {
            return Err(Reason::GatewayChoseSecret.into());
        }
        let policy = Arc::clone(&self.app.policy());
        self.app.authenticator(&policy).by_secret(&name, password, peer).await
    }

    fn cache(&self, shown: &[u8], client: Client) {
        let mut right = self.lock();
        if right.len() >= MAX_CACHED {
            right.clear();
        }
        right.insert(digest(shown), client);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Client>> {
        // A panic under the lock leaves only verified entries.
        self.right.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves the entries out.
impl fmt::Debug for Gateways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateways").field("is_tls", &self.is_tls).finish_non_exhaustive()
    }
}

fn may_vouch(service: &ServicePrincipal) -> bool {
    service.enabled && service.roles.contains(&Role::EdgeReader)
}

/// Whether a verified secret is still valid.
fn is_same(now: &ServicePrincipal, known: &ServicePrincipal) -> bool {
    now.generation == known.generation && now.secrets == known.secrets
}

fn digest(shown: &[u8]) -> [u8; 32] {
    Sha256::digest(shown).into()
}

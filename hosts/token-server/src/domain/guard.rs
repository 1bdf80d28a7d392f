//! The limits of one client: its rate, and its concurrent requests.
//!
//! Limits by address nest for IPv6: a /56 has [`WIDER`] times what a /64 has, and a /48 that many
//! times more. A wrong password costs the address that sent it [`FAILURE_COST`] requests more, also
//! where it has none left.
//!
//! The limit by name counts successful logins and, for secrets that people choose, every attempt
//! before the secret is checked: that bounds guessing. A generated password is compared before the
//! limit: it cannot be guessed, and so an attacker cannot lock its owner out. A client with a
//! recent success from the same network is not locked out either.
//!
//! Management on an address of its own has a guard of its own, [`Guard::of_management`], so that
//! what the public address counts does not shut its users out. The two share what is known of
//! clients, and the memory for hashes.
//!
//! A provider's token as a password cannot be guessed either. What it costs is the check of a
//! signature: a network with [`FORGERIES`] forged tokens is refused before the next one.
//!
//! Left out: how large a request may be, and the answers, which are HTTP's.

pub(crate) mod check_slots;
pub(crate) mod familiar;
pub(crate) mod redemption;
pub(crate) mod verified;

use std::net::IpAddr;
use std::sync::Arc;

use scopegate_host::networks::{network, wider_networks};
use scopegate_host::peers::{Peers, Slot};
use scopegate_host::rate::{RateLimit, TooMany};
use tokio::sync::Semaphore;

use crate::config::{Limits, Rate};
use crate::model::principal_id::PrincipalId;
use crate::telemetry::metrics;
use check_slots::CheckSlots;
use familiar::Familiar;
use verified::Verified;

/// How many times the requests of a network of IPv6 the next wider one may send.
pub(crate) const WIDER: u32 = 4;
/// The cost of a wrong password for its address, in requests, besides the request itself.
pub const FAILURE_COST: u32 = 9;
/// How many of its refresh tokens a principal may revoke: each is a row, and a revision for every
/// server.
const REVOCATIONS: Rate = Rate { rate: 1.0, burst: 60 };
/// How many forged tokens a network may send as passwords.
const FORGERIES: Rate = Rate { rate: 0.1, burst: 20 };
/// For how many seconds each of these counts.
const FORGERY_COSTS: u64 = 10;
/// How often one network's sign-ins of people ask the provider.
const LOGINS: Rate = Rate { rate: 1.0, burst: 60 };
/// How often one network's device codes, which each have an interval too.
const POLLS: Rate = Rate { rate: 20.0, burst: 100 };
/// How many lists of management are read concurrently.
const MAX_CONCURRENT_LISTS: usize = 2;
/// The limits, and what they have counted.
#[derive(Debug)]
pub struct Guard {
    limits: Limits,
    per_address: RateLimit,
    /// For the /56 and the /48 of an IPv6 address.
    per_wider: [RateLimit; 2],
    per_principal: RateLimit,
    revocations: RateLimit,
    forgeries: RateLimit,
    /// For a network, and the wider ones around it.
    logins: [RateLimit; 3],
    polls: [RateLimit; 3],
    /// Recent successful logins, by client and network.
    pub familiar: Arc<Familiar>,
    /// The slots in which chosen secrets are checked.
    pub check_slots: CheckSlots,
    /// The secrets that were verified before.
    pub verified: Arc<Verified>,
    /// Permits for lists of management, which hold a database connection and a core for long.
    pub lists: Arc<Semaphore>,
    /// The connections of each peer.
    pub peers: Arc<Peers>,
    /// The requests of each client that come through a trusted proxy or gateway.
    forwarded: Arc<Peers>,
}

impl Guard {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let shared = (Arc::default(), Arc::default());
        let lists = Arc::new(Semaphore::new(MAX_CONCURRENT_LISTS));
        Self::with(limits, CheckSlots::default(), shared, lists)
    }

    /// The guards of the public address and of management's own. One of the slots for checks that
    /// any client may use is management's.
    #[must_use]
    pub fn of_management(limits: &Limits) -> (Self, Self) {
        let (slots, of_management) = CheckSlots::apart();
        let shared = (Arc::<Familiar>::default(), Arc::<Verified>::default());
        let lists = Arc::new(Semaphore::new(MAX_CONCURRENT_LISTS));
        let public = Self::with(limits.clone(), slots, shared.clone(), Arc::clone(&lists));
        (public, Self::with(limits.clone(), of_management, shared, lists))
    }

    fn with(
        limits: Limits,
        check_slots: CheckSlots,
        (familiar, verified): (Arc<Familiar>, Arc<Verified>),
        lists: Arc<Semaphore>,
    ) -> Self {
        let per_address = RateLimit::new(limits.per_address);
        let [_, per_wider @ ..] = widening(limits.per_address);
        let per_principal = RateLimit::new(limits.per_principal);
        let Limits { connections, connections_per_peer, .. } = limits;
        // All connections of a proxy are one peer's, so each client behind it has this many
        // requests.
        let exempt = vec![limits.exempt_peers.clone()];
        let forwarded = Arc::new(Peers::new(connections, connections_per_peer, exempt));
        let exempt = vec![limits.exempt_peers.clone(), limits.trusted_proxies.clone()];
        let peers = Arc::new(Peers::new(connections, connections_per_peer, exempt).handing_over());
        Self {
            limits,
            per_address,
            per_wider,
            per_principal,
            revocations: RateLimit::new(REVOCATIONS),
            forgeries: RateLimit::new(FORGERIES),
            logins: widening(LOGINS),
            polls: widening(POLLS),
            familiar,
            check_slots,
            verified,
            lists,
            peers,
            forwarded,
        }
    }

    /// Whether the connections of a peer are not bounded as those of one client.
    #[must_use]
    pub fn is_exempt(&self, peer: IpAddr) -> bool {
        self.limits.exempt_peers.contain(peer) || self.limits.trusted_proxies.contain(peer)
    }

    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Counts a request of an address, and returns how many more it may send at once.
    ///
    /// # Errors
    ///
    /// [`TooMany`] above the limit.
    pub fn check_address(&self, address: IpAddr) -> Result<Option<u32>, TooMany> {
        let checked = self.count_address(address);
        checked.inspect_err(|_| metrics::rate_limited(metrics::LimitedBy::Address))
    }

    fn count_address(&self, address: IpAddr) -> Result<Option<u32>, TooMany> {
        let left = self.per_address.check(network(address))?;
        for (limit, network) in
            self.per_wider.iter().zip(wider_networks(address).into_iter().flatten())
        {
            limit.check(network)?;
        }
        Ok(left)
    }

    /// Counts a token request in a name, whether the name exists or not. Called before a chosen
    /// secret is checked.
    ///
    /// # Errors
    ///
    /// [`TooMany`] above the limit.
    pub fn check_principal(&self, name: &str) -> Result<(), TooMany> {
        let checked = self.per_principal.check(name.to_ascii_lowercase());
        let checked = checked.inspect_err(|_| metrics::rate_limited(metrics::LimitedBy::Principal));
        checked.map(drop)
    }

    /// Counts a revocation of one of a principal's refresh tokens.
    ///
    /// # Errors
    ///
    /// [`TooMany`] above the limit.
    pub fn check_revocation(&self, principal: &PrincipalId) -> Result<(), TooMany> {
        let checked = self.revocations.check(principal);
        let checked = checked.inspect_err(|_| metrics::rate_limited(metrics::LimitedBy::Principal));
        checked.map(drop)
    }

    /// Refuses a token as a password before its signature is verified. Counts nothing.
    ///
    /// # Errors
    ///
    /// [`TooMany`] for a network that has sent too many forged ones.
    pub fn check_forgeries(&self, address: IpAddr) -> Result<(), TooMany> {
        if !self.forgeries.is_used_up(network(address)) {
            return Ok(());
        }
        metrics::rate_limited(metrics::LimitedBy::Address);
        Err(TooMany { retry_after: FORGERY_COSTS })
    }

    /// Records a forged token as a password from an address.
    pub fn forged(&self, address: IpAddr) {
        self.forgeries.charge(network(address), 1);
    }

    /// Counts a person's sign-in that asks the provider: it needs no credentials here.
    ///
    /// # Errors
    ///
    /// [`TooMany`] above the limit.
    pub fn check_login(&self, address: IpAddr) -> Result<(), TooMany> {
        check_each(&self.logins, address)
    }

    /// Counts a question of a device whose person has not answered yet.
    ///
    /// # Errors
    ///
    /// [`TooMany`] above the limit.
    pub fn check_poll(&self, address: IpAddr) -> Result<(), TooMany> {
        check_each(&self.polls, address)
    }

    /// Records a request with valid credentials from an address.
    pub fn prove(&self, address: IpAddr) {
        self.peers.prove(address);
        self.forwarded.prove(address);
    }

    /// A permit for a request that came through a proxy, held until it is answered.
    ///
    /// # Errors
    ///
    /// [`TooMany`] at the client's maximum of concurrent requests.
    pub async fn slot(&self, address: IpAddr) -> Result<Slot, TooMany> {
        let slot = Arc::clone(&self.forwarded).admit(address).await;
        slot.ok_or(TooMany { retry_after: 1 })
    }

    /// Records wrong credentials from an address.
    pub fn failed(&self, address: IpAddr) {
        self.per_address.charge(network(address), FAILURE_COST);
        for (limit, network) in
            self.per_wider.iter().zip(wider_networks(address).into_iter().flatten())
        {
            limit.charge(network, FAILURE_COST);
        }
    }
}

/// Limits for a network, and for the /56 and the /48 around it.
fn widening(Rate { rate, burst }: Rate) -> [RateLimit; 3] {
    [1, WIDER, WIDER * WIDER].map(|times| {
        RateLimit::new(Rate { rate: rate * f64::from(times), burst: burst.saturating_mul(times) })
    })
}

fn check_each(limits: &[RateLimit; 3], address: IpAddr) -> Result<(), TooMany> {
    let networks = std::iter::once(network(address));
    let networks = networks.chain(wider_networks(address).into_iter().flatten());
    let mut checked = limits.iter().zip(networks).map(|(limit, network)| limit.check(network));
    let refused = checked.find_map(Result::err);
    refused.map_or(Ok(()), |refused| {
        metrics::rate_limited(metrics::LimitedBy::Address);
        Err(refused)
    })
}

#[cfg(test)]
mod tests {
    use super::familiar::Familiarity;
    use super::*;

    fn guard() -> Guard {
        let rate = Rate { rate: 0.001, burst: 20 };
        Guard::new(Limits { per_address: rate, per_principal: rate, ..Limits::default() })
    }

    /// Who has a /48 signs in no more often than sixteen networks, and polls so, too.
    #[test]
    fn sign_ins_of_wider_networks_are_bounded() {
        let guard = guard();
        let (mut logins, mut polls) = (0, 0);
        for number in 0..2_000_u32 {
            let (high, low) = (number / 256 % 256, number % 256);
            let address = format!("2001:db8:1:{high:x}{low:02x}::1").parse().unwrap();
            logins += u32::from(guard.check_login(address).is_ok());
            polls += u32::from(guard.check_poll(address).is_ok());
        }
        assert!((960..1_000).contains(&logins), "{logins}");
        assert!((1_600..1_700).contains(&polls), "{polls}");
    }

    #[test]
    fn a_name_is_one_in_any_case() {
        let guard = guard();
        for name in ["Reader", "READER"].repeat(10) {
            assert!(guard.check_principal(name).is_ok());
        }
        assert!(guard.check_principal("reader").is_err());
        assert!(guard.check_principal("writer").is_ok());
    }

    #[test]
    fn a_network_is_one_address() {
        let guard = guard();
        for host in 0..20 {
            assert!(guard.check_address(format!("2001:db8::{host}").parse().unwrap()).is_ok());
        }
        assert!(guard.check_address("2001:db8::ffff".parse().unwrap()).is_err());
        assert!(guard.check_address("2001:db8:0:1::1".parse().unwrap()).is_ok());
    }

    /// Audit, suspected: a /48 had 65,536 budgets.
    #[test]
    fn networks_of_ipv6_nest() {
        let guard = guard();
        let asked = |third: u16, fourth: u16| {
            let address = format!("2001:db8:{third:x}:{fourth:x}::1").parse().unwrap();
            (0..20).filter(|_| guard.check_address(address).is_ok()).count()
        };
        let of_a_56: usize = (0..256).map(|fourth| asked(1, fourth)).sum();
        assert_eq!(of_a_56, 80);
        let of_a_48: usize = (1..256).map(|fourth| asked(1, fourth << 8)).sum();
        assert_eq!(of_a_56 + of_a_48, 320);
        assert_eq!(asked(2, 0), 20);
    }

    /// What one guard has counted, the other does not know.
    #[test]
    fn management_counts_for_itself() {
        let rate = Rate { rate: 0.001, burst: 20 };
        let limits = Limits { per_address: rate, per_principal: rate, ..Limits::default() };
        let (public, management) = Guard::of_management(&limits);
        let address = "203.0.113.1".parse().unwrap();
        for _ in 0..20 {
            public.failed(address);
            let _ = public.check_principal("administrator");
        }
        assert!(public.check_address(address).is_err());
        assert!(public.check_principal("administrator").is_err());
        assert!(management.check_address(address).is_ok());
        assert!(management.check_principal("administrator").is_ok());
        // A success at one address is a success.
        management.familiar.record_success("administrator", address, 7);
        assert_eq!(public.familiar.of("administrator", address, 8), Familiarity::Known);
    }

    #[test]
    fn forged_tokens_are_counted_by_network() {
        let guard = guard();
        let [one, same, other] =
            ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map(|it| it.parse().unwrap());
        for _ in 0..FORGERIES.burst {
            assert!(guard.check_forgeries(one).is_ok());
            guard.forged(same);
        }
        assert!(guard.check_forgeries(one).is_err());
        assert!(guard.check_forgeries(other).is_ok());
    }

    #[test]
    fn a_wrong_password_costs_more() {
        let guard = guard();
        let address = "203.0.113.1".parse().unwrap();
        for _ in 0..2 {
            assert!(guard.check_address(address).is_ok());
            guard.failed(address);
        }
        assert!(guard.check_address(address).is_err());
    }
}

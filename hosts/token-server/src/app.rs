//! The composition root: the state that requests share, and the background tasks.
//!
//! Nothing below this module depends on [`App`]: it passes each function the part that it needs.
//!
//! | module | holds |
//! |---|---|
//! | [`readiness`] | whether the snapshot is recent enough for decisions |
//! | [`watch`] | keeping the snapshot in step with the database |
//! | [`upkeep`] | reconciling the signing keys while the server runs |
//! | [`audit`] | the audit trail's head in the log, sign-ins, old rows |
//! | [`known_networks`] | networks of recent successful logins, loaded from and saved to the database |

pub mod audit;
pub mod known_networks;
pub(crate) mod readiness;
pub(crate) mod upkeep;
pub(crate) mod watch;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use scopegate_api::bundle::FIRST_VERSION;
use scopegate_core::Catalog;
use scopegate_host::rate::RateLimit;
use scopegate_host::setting::Compatibility;
use scopegate_runtime::Runtime;
use tokio::sync::Mutex;

use crate::app::audit::SignInQueue;
use crate::app::readiness::Readiness;
use crate::config::{Authz, Limits, Rate};
use crate::domain::bundle;
use crate::domain::decision::Decider;
use crate::domain::guard::Guard;
use crate::domain::guard::redemption::Redemptions;
use crate::domain::identity::Providers;
use crate::domain::issue::{Issuer, SignError};
use crate::domain::login::device::Polls;
use crate::domain::policy::{BuiltIn, Policy};
use crate::domain::principal::{Authenticator, Directory};
use crate::domain::signed::{Bundles, Signed};
use crate::model::password_user::ReservedNames;
use crate::store::{Known, Store, StoredKeys};

/// See [`App::second_looks`].
const SECOND_LOOKS: Rate = Rate { rate: 1.0, burst: 10 };

/// What the configuration says about requests.
#[derive(Debug)]
pub struct Settings {
    /// The registry's own name, which is the user name of its admin.
    pub registry_name: String,
    /// The address of this server, as clients reach it, without a slash at the end.
    pub public_url: String,
    /// That of management, where it has one of its own.
    pub management_url: Option<String>,
    /// Who may list repositories.
    pub catalog: Catalog,
    /// Whether there is management.
    pub is_managed: bool,
    /// Whether there is the playground, where it is built in.
    pub has_playground: bool,
    /// How long tokens are still issued when the database is gone.
    pub serve_for: Duration,
    /// Whose ways are followed in the answers of the token endpoint.
    pub compatibility: Compatibility,
    /// The proxies that may call `/authz`, if any.
    pub authz: Authz,
    /// What one client may ask for.
    pub limits: Limits,
}

/// The listener that a request came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listener {
    /// The public one, which also has management where that has none of its own.
    #[default]
    Public,
    /// Management's own.
    Management,
}

impl Settings {
    /// The address of management, as clients reach it, without a slash at the end.
    #[must_use]
    pub fn management_url(&self) -> &str {
        self.management_url.as_deref().unwrap_or(&self.public_url)
    }

    /// The address of a listener, as clients reach it.
    #[must_use]
    pub fn url_of(&self, listener: Listener) -> &str {
        match listener {
            Listener::Public => &self.public_url,
            Listener::Management => self.management_url(),
        }
    }
}

/// What requests share.
#[derive(Debug)]
pub struct App {
    pub settings: Settings,
    pub runtime: Runtime,
    /// Who signs, for whom.
    pub issuer: Issuer,
    pub providers: Providers,
    /// The database. Requests for tokens do not use it.
    pub store: Store,
    /// The limits of one client of the public address, and what they have counted.
    pub guard: Arc<Guard>,
    /// The same for management's own address.
    management_guard: Option<Arc<Guard>>,
    /// Bounds the requests to identity providers that unauthenticated clients can cause.
    pub redemptions: Redemptions,
    /// Bounds how often a device code is asked for.
    pub(crate) polls: Polls,
    /// Bounds how often unknown management credentials cause a database read, over all clients.
    pub second_looks: RateLimit,
    /// Whether the policy is new enough to decide by.
    pub readiness: Arc<Readiness>,
    /// Sign-ins on their way to the audit trail.
    pub(crate) sign_ins: SignInQueue,
    bundles: Bundles,
    /// Held while the next snapshot is built.
    snapshot_lock: Mutex<()>,
    policy: ArcSwap<Policy>,
    keys: ArcSwap<StoredKeys>,
}

impl App {
    /// An app with an empty policy.
    ///
    /// # Errors
    ///
    /// When the engine fails.
    pub fn new(
        settings: Settings,
        runtime: Runtime,
        issuer: Issuer,
        providers: Providers,
        store: Store,
    ) -> anyhow::Result<Self> {
        let built_in = Arc::new(BuiltIn::compile(&runtime)?);
        let (guard, management_guard) = guards(&settings);
        Ok(Self {
            guard,
            management_guard,
            redemptions: Redemptions::default(),
            polls: Polls::default(),
            second_looks: RateLimit::new(SECOND_LOOKS),
            readiness: Arc::new(Readiness::new(settings.serve_for)),
            sign_ins: SignInQueue::default(),
            bundles: Bundles::default(),
            snapshot_lock: Mutex::default(),
            policy: ArcSwap::from_pointee(Policy::new(built_in)),
            keys: ArcSwap::default(),
            settings,
            runtime,
            issuer,
            providers,
            store,
        })
    }

    /// The address of the token endpoint.
    #[must_use]
    pub fn realm(&self) -> String {
        format!("{}/oauth2/token", self.settings.public_url)
    }

    /// The current snapshot.
    pub fn policy(&self) -> arc_swap::Guard<Arc<Policy>> {
        self.policy.load()
    }

    /// Replaces the snapshot. Requests that began with the old one end with it.
    pub fn replace_policy(&self, policy: Policy) {
        self.issuer.replace_epoch(&policy.registry.epoch);
        self.policy.store(Arc::new(policy));
    }

    /// The signing keys as the database stores them.
    pub fn keys(&self) -> arc_swap::Guard<Arc<StoredKeys>> {
        self.keys.load()
    }

    /// Replaces the signing keys after a database read.
    pub fn replace_keys(&self, keys: StoredKeys) {
        self.keys.store(Arc::new(keys));
    }

    /// Whether this server's identity providers are the stored ones. The server that started last
    /// stores its own.
    #[must_use]
    pub fn has_kept_providers(&self, policy: &Policy) -> bool {
        policy.has_providers(self.providers.fingerprints())
    }

    /// The names that no scope-map token may be created under.
    #[must_use]
    pub fn reserved_names(&self) -> ReservedNames {
        ReservedNames::new(&self.settings.registry_name).and(self.providers.password_users())
    }

    /// Looks up principals in a snapshot of the policy.
    pub fn directory<'a>(&'a self, policy: &'a Policy) -> Directory<'a> {
        let Self { settings, providers, runtime, .. } = self;
        Directory { policy, registry_name: &settings.registry_name, providers, runtime }
    }

    /// Authenticates clients of the public address against a snapshot of the policy.
    pub fn authenticator<'a>(&'a self, policy: &'a Policy) -> Authenticator<'a> {
        self.authenticator_at(Listener::Public, policy)
    }

    /// Authenticates clients of a listener against a snapshot of the policy.
    pub fn authenticator_at<'a>(
        &'a self,
        listener: Listener,
        policy: &'a Policy,
    ) -> Authenticator<'a> {
        let (issuer, guard) = (&self.issuer, &**self.guard_of(listener));
        Authenticator { directory: self.directory(policy), issuer, guard, presented: None }
    }

    /// The limits of the clients of a listener.
    pub fn guard_of(&self, listener: Listener) -> &Arc<Guard> {
        match (listener, &self.management_guard) {
            (Listener::Management, Some(guard)) => guard,
            _ => &self.guard,
        }
    }

    /// Decides with the engine.
    pub fn decider(&self) -> Decider<'_> {
        Decider { runtime: &self.runtime, catalog: self.settings.catalog }
    }

    /// The current bundle in a version of its format.
    ///
    /// # Errors
    ///
    /// [`SignError`] when the key cannot sign.
    pub async fn bundle(
        self: &Arc<Self>,
        version: u32,
        now: i64,
    ) -> Result<Arc<Signed>, SignError> {
        let known = Known::from(&self.policy().registry);
        let app = Arc::clone(self);
        let made = match version {
            FIRST_VERSION => &self.bundles.first,
            _ => &self.bundles.second,
        };
        let make = move || {
            let policy = Arc::clone(&app.policy());
            bundle::sign(app.directory(&policy), &app.issuer, version, now)
        };
        made.at(known, bundle::minute(now), make).await
    }

    /// Refuses decisions from a stale snapshot.
    ///
    /// # Errors
    ///
    /// [`StaleSnapshot`] when the database has been gone for longer than the configuration allows.
    pub fn check_snapshot(&self, now: i64) -> Result<(), StaleSnapshot> {
        if self.readiness.may_issue(now) { Ok(()) } else { Err(StaleSnapshot) }
    }

    /// Refuses decisions about requests to a registry from a snapshot that is older than what other
    /// edges may decide by.
    ///
    /// # Errors
    ///
    /// [`StaleSnapshot`] when the database has been gone for a minute.
    pub(crate) fn check_edge_snapshot(&self, now: i64) -> Result<(), StaleSnapshot> {
        if self.readiness.may_admit(now) { Ok(()) } else { Err(StaleSnapshot) }
    }
}

/// The guards of the public address, and of management's own.
fn guards(settings: &Settings) -> (Arc<Guard>, Option<Arc<Guard>>) {
    if settings.management_url.is_none() {
        return (Arc::new(Guard::new(settings.limits.clone())), None);
    }
    let (public, management) = Guard::of_management(&settings.limits);
    (Arc::new(public), Some(Arc::new(management)))
}

/// The policy snapshot is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleSnapshot;

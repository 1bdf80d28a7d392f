//! The items that tests and benches of the server use; every other item is private to the program.
//! The paths are those of the modules.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// An address without a listener, for a program that is started next. The system gives these ports
/// to no connection and to no listener that names none, so nothing else has it before the program
/// does; processes begin at different ones.
#[must_use]
pub fn free_address() -> SocketAddr {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 22_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(101);
    loop {
        let next = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(FIRST + next).unwrap_or(u16::MAX);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

pub mod clock {
    pub use crate::clock::{now, rfc3339};
}
pub mod app {
    pub use crate::app::{App, Listener, Settings, audit, known_networks};
    pub mod readiness {
        pub use crate::app::readiness::Readiness;
    }
    pub mod watch {
        pub use crate::app::watch::{catch_up, commit, follow};
    }
}
pub mod config {
    pub use crate::config::{Authz, Cli, Config, Limits, Rate, Source};
    pub mod management {
        pub use crate::config::management::{CertificateName, ClientCertificates};
    }
    pub mod providers {
        pub use crate::config::providers::ProviderConfig;
    }
}
pub mod domain {
    pub mod audit {
        pub use crate::domain::audit::archive::{Archived, archive};
        pub use crate::domain::audit::prune::{Pruned, prune};
        pub use crate::domain::audit::verify::{Fault, Report, verify};
    }
    pub mod doctor {
        pub use crate::domain::doctor::{Registry, Server, Verdict, diagnose};
    }
    pub mod edit {
        pub use crate::domain::edit::{
            EditError, identities, passwords, registry, scope_maps, service_principals, tokens,
        };
    }
    pub mod guard {
        pub use crate::domain::guard::{FAILURE_COST, Guard};
        pub mod redemption {
            pub use crate::domain::guard::redemption::REFUSALS;
        }
    }
    pub mod identity {
        pub use crate::domain::identity::{
            BETWEEN_ATTEMPTS, Bindings, Bound, Identity, IdentityError, KEPT_FOR, Providers,
            STALE_AFTER, provider::Redeemed,
        };
        pub mod claims {
            pub use crate::domain::identity::claims::Claims;
        }
    }
    pub mod issue {
        pub use crate::domain::issue::{Issuer, Subject};
    }
    pub mod keys {
        pub use crate::domain::keys::{
            Algorithm, Authority, Keeper, KeyRecord, Ring, Rotation, RsaSize, SigningKey,
        };
        pub mod rotation {
            pub use crate::domain::keys::rotation::plan;
        }
        pub mod signing_key {
            pub use crate::domain::keys::signing_key::Times;
        }
    }
    pub mod lifetimes {
        pub use crate::domain::lifetimes::{ACCESS_LIFETIME, LEEWAY, backdated};
    }
    pub mod policy {
        pub use crate::domain::policy::{BuiltIn, Policy};
    }
    pub mod principal {
        pub use crate::domain::principal::Credentials;
    }
    pub mod restore {
        pub use crate::domain::restore::{Options, Restored, restore};
    }
    pub mod seed {
        pub use crate::domain::seed::{Seed, apply_file};
    }
}
pub mod http {
    pub use crate::http::health;
    pub mod address {
        pub use scopegate_host::forwarded::client_address;
    }
    pub mod gateways {
        pub use crate::http::gateways::Gateways;
    }
    pub mod headers {
        pub use crate::http::headers::Reached;
    }
    pub mod management {
        pub mod resource {
            pub use crate::http::management::resource::Ids;
        }
    }
    pub mod oauth {
        pub mod parameters {
            pub use crate::http::oauth::parameters::Parameters;
        }
    }
    #[cfg(feature = "playground")]
    pub mod playground {
        pub use crate::http::playground::POLICY;
    }
    pub mod routes {
        pub use crate::http::routes::{management_routes, routes};
    }
    pub mod serve {
        pub use crate::http::serve::{Bounds, layered, serve};
    }
    pub mod tls {
        pub use crate::http::tls::Tls;
        pub use crate::http::tls::clients::Clients;
    }
}
pub mod model {
    pub mod audit {
        pub use crate::model::audit::{Actor, AuditKey, Head, Row};
    }
    pub mod secret_key {
        pub use crate::model::secret_key::SecretKey;
    }
    pub mod password {
        pub use crate::model::password::PasswordDigest;
    }
    pub mod password_user {
        pub use crate::model::password_user::ReservedNames;
    }
}
pub mod store {
    use std::path::Path;
    use std::sync::Arc;

    use crate::config::KeySource;
    use crate::model::audit::AuditKey;
    pub use crate::store::Trail;
    use crate::store::Vault;

    /// Opens a database as the server does without a configuration, in its name.
    ///
    /// # Errors
    ///
    /// When the folder or the database cannot be written.
    pub async fn open(folder: &Path, url: Option<&str>) -> anyhow::Result<Store> {
        scopegate_host::database::make_folder(folder)?;
        let key = AuditKey::new(&KeySource::load_or_create(&folder.join("audit.key"))?);
        let store = Store::open(folder, url, Trail { key, listener: Arc::new(|_| {}) }).await?;
        let secrets = folder.join("secrets.key");
        if !secrets.exists() {
            return Ok(store);
        }
        let secrets = KeySource::load_or_create(&secrets)?;
        Ok(store.with_vault(Vault::new(Some(&secrets), &[])?))
    }

    pub use crate::store::{
        Changes, History, Known, KnownNetwork, LoginCode, Page, PasswordName, Record, RecordKey,
        Revision, RevokedIdentity, RevokedToken, ScopeMapRecord, ServicePrincipalRecord, Store,
        TokenRecord, Write,
    };
}
pub mod telemetry {
    pub use crate::telemetry::metrics;
    pub mod traces {
        pub use crate::telemetry::traces::Traces;
    }
}

//! Warnings about a valid configuration: passwords and tokens that are sent over a network in clear
//! text, and signing keys that are stored in it.
//!
//! Left out: the address of the metrics, which hold no secret, and what a proxy before the server
//! does.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr as _;

use scopegate_host::setting::SecretUrl;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::Config;

impl Config {
    /// One sentence for each warning, with its fix.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let found = self.plain_http().into_iter().chain(self.plain_management());
        let found = found.chain(self.no_management()).chain(self.plain_database());
        let found = found.chain(self.plain_keys());
        found.chain(self.everybody()).collect()
    }

    fn plain_http(&self) -> Option<String> {
        let is_plain = self.tls.is_none() && is_remote(self.listen);
        let is_managed_here = self.management.enabled && self.management.listen.is_none();
        let what = if is_managed_here {
            "passwords, tokens and the secrets of management"
        } else {
            "passwords and tokens"
        };
        is_plain.then(|| {
            format!(
                "{what} come to {} over HTTP in the clear: configure `tls`, or listen on 127.0.0.1 behind a proxy that ends TLS",
                self.listen
            )
        })
    }

    fn plain_management(&self) -> Option<String> {
        let listen = self.management.own_address().filter(|listen| is_remote(*listen))?;
        self.management.tls.is_none().then(|| {
            format!(
                "the secrets of management come to {listen} over HTTP in the clear: configure `management.tls`, or listen on 127.0.0.1 behind a proxy that ends TLS"
            )
        })
    }

    fn no_management(&self) -> Option<String> {
        let is_off = self.management.listen.is_some() && !self.management.enabled;
        is_off.then(|| {
            "management.enabled is false, so nothing listens on management.listen: leave one of them out".to_owned()
        })
    }

    /// Settings meant for a few proxies that include every address.
    fn everybody(&self) -> Vec<String> {
        let limits = &self.limits;
        let named = [
            (
                "limits.trustedProxies",
                &limits.trusted_proxies,
                "any client chooses the address that is counted",
            ),
            ("limits.exemptPeers", &limits.exempt_peers, "no client's connections are bounded"),
            ("authz.peers", &self.authz.peers, "any client may ask about any request"),
        ];
        let named = named.into_iter().filter(|(_, networks, _)| networks.contain_all());
        named
            .map(|(name, _, so)| format!("{name} is every address, so {so}: name your own"))
            .collect()
    }

    fn plain_keys(&self) -> Option<String> {
        let is_plain = self.database_url.is_some() && self.secrets.key.is_none();
        is_plain.then(|| {
            "the signing keys are in PostgreSQL as they are, so a copy of it signs tokens: configure secrets.key, the same for all servers".to_owned()
        })
    }

    fn plain_database(&self) -> Option<String> {
        let url = self.database_url.as_ref().map(SecretUrl::expose)?;
        // An invalid address is refused when the database is opened.
        let options = PgConnectOptions::from_str(url).ok()?;
        let is_local = options.get_socket().is_some() || is_local(options.get_host());
        let is_encrypted = matches!(
            options.get_ssl_mode(),
            PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull
        );
        (!is_local && !is_encrypted).then(|| {
            format!(
                "signing keys may come from PostgreSQL at {} in the clear: add `?sslmode=verify-full` to databaseUrl",
                options.get_host()
            )
        })
    }
}

/// Whether other machines reach an address.
fn is_remote(listen: SocketAddr) -> bool {
    !listen.ip().to_canonical().is_loopback()
}

/// Whether a host is this machine: a loopback address, its name, or a folder with a socket.
fn is_local(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost"
        || host.starts_with('/')
        || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use scopegate_host::networks::Networks;

    use super::super::{KeySource, Secrets};
    use super::*;
    use scopegate_host::tls::TlsFiles;

    #[test]
    fn networks_of_everybody_are_warned_of() {
        for (networks, expected) in [
            (&["0.0.0.0/0"][..], 3),
            (&["::/0"], 3),
            (&["10.0.0.0/8", "0.0.0.0/0"], 3),
            (&["10.0.0.0/8"], 0),
            (&[], 0),
        ] {
            let networks = Networks::parse(networks.iter().copied()).unwrap();
            let mut config = Config::default();
            config.limits.trusted_proxies = networks.clone();
            config.limits.exempt_peers = networks.clone();
            config.authz.peers = networks;
            assert_eq!(config.warnings().len(), expected, "{config:?}");
        }
    }

    #[test]
    fn plain_http_beyond_this_machine_is_warned_of() {
        for (listen, has_tls, expected) in [
            ("127.0.0.1:5001", false, false),
            ("[::1]:5001", false, false),
            ("[::ffff:127.0.0.1]:5001", false, false),
            ("0.0.0.0:5001", false, true),
            ("[::]:5001", false, true),
            ("192.0.2.1:5001", false, true),
            ("0.0.0.0:5001", true, false),
        ] {
            let tls = TlsFiles { certificate: "c".into(), key: "k".into() };
            let tls = has_tls.then_some(tls);
            let config = Config { listen: listen.parse().unwrap(), tls, ..Config::default() };
            let warnings = config.warnings();
            assert_eq!(warnings.len(), usize::from(expected), "{listen} {warnings:?}");
            assert!(warnings.iter().all(|warning| warning.contains(listen)), "{warnings:?}");
        }
    }

    #[test]
    fn plain_management_beyond_this_machine_is_warned_of() {
        const NONE: [&str; 0] = [];
        for (public, management, has_tls, expected) in [
            ("127.0.0.1:1", None, false, &NONE[..]),
            ("192.0.2.1:1", None, false, &["secrets of management come to 192.0.2.1:1 over HTTP"]),
            ("192.0.2.1:1", Some("127.0.0.1:2"), false, &["passwords and tokens come to 192"]),
            ("127.0.0.1:1", Some("[::ffff:127.0.0.1]:2"), false, &NONE),
            ("127.0.0.1:1", Some("192.0.2.1:2"), false, &["configure `management.tls`"]),
            ("127.0.0.1:1", Some("192.0.2.1:2"), true, &NONE),
            (
                "192.0.2.1:1",
                Some("[::]:2"),
                false,
                &["passwords and tokens come to 192", "secrets of management come to [::]:2"],
            ),
        ] {
            let mut config = Config { listen: public.parse().unwrap(), ..Config::default() };
            config.management.listen = management.map(|listen| listen.parse().unwrap());
            let tls = TlsFiles { certificate: "c".into(), key: "k".into() };
            config.management.tls = has_tls.then_some(tls);
            let warnings = config.warnings();
            assert_eq!(warnings.len(), expected.len(), "{public} {management:?}: {warnings:?}");
            for (warning, expected) in warnings.iter().zip(expected) {
                assert!(warning.contains(expected), "{warning}");
            }
        }
        let mut off = Config { listen: "192.0.2.1:1".parse().unwrap(), ..Config::default() };
        off.management.enabled = false;
        assert!(off.warnings()[0].starts_with("passwords and tokens come"), "{:?}", off.warnings());
        off.management.listen = Some("192.0.2.1:2".parse().unwrap());
        let warnings = off.warnings();
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[1].contains("nothing listens on management.listen"), "{warnings:?}");
    }

    #[test]
    fn signing_keys_that_are_not_encrypted_are_warned_of() {
        let database_url = Some(SecretUrl::parse("postgres://localhost/s").unwrap());
        let warnings = Config { database_url, ..Config::default() }.warnings();
        assert!(warnings.len() == 1 && warnings[0].contains("secrets.key"), "{warnings:?}");
    }

    #[test]
    fn a_database_in_the_clear_is_warned_of() {
        for (url, expected) in [
            ("postgres://u:hunter2@localhost/s", false),
            ("postgres://u:hunter2@127.0.0.1:5433/s", false),
            ("postgres://u:hunter2@[::1]/s", false),
            ("postgres:///s?host=/var/run/postgresql", false),
            ("postgres://u:hunter2@db.example.com/s", true),
            ("postgres://u:hunter2@db.example.com/s?sslmode=disable", true),
            ("postgres://u:hunter2@db.example.com/s?sslmode=prefer", true),
            ("postgres://u:hunter2@db.example.com/s?sslmode=require", false),
            ("postgresql://u:hunter2@192.0.2.1/s?sslmode=verify-full", false),
        ] {
            let database_url = Some(SecretUrl::parse(url).unwrap());
            let key = Some(KeySource::Credential("k".into()));
            let secrets = Secrets { key, ..Secrets::default() };
            let warnings = Config { database_url, secrets, ..Config::default() }.warnings();
            assert_eq!(warnings.len(), usize::from(expected), "{url} {warnings:?}");
            assert!(!warnings.join("").contains("hunter2"), "{warnings:?}");
        }
        assert_eq!(Config::default().warnings(), [""; 0]);
    }
}

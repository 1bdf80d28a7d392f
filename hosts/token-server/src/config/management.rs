//! The management API in the configuration.
//!
//! ```yaml
//! management:
//!   listen: 10.0.0.5:5443                   # then the public address has no management
//!   publicUrl: https://manage.example.com   # where `az` reaches it; by default the above
//!   tls: {certificate: manage.crt, key: manage.key}
//!   clientCertificates:
//!     ca: operators.pem                     # the authorities of clients
//!     crl: operators.crl                    # their revocation lists, one after the other
//!     required: false                       # whether each connection needs a certificate
//!     names:                                # of the subject alternative name
//!       - {name: alice@example.com, roles: [Owner]}
//! ```
//!
//! `management: false` is short for `management: {enabled: false}`, in each source, and `true` for
//! the opposite. Without management the rest says nothing.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{bail, ensure};
use scopegate_core::scope_map::Role;
use scopegate_host::tls::TlsFiles;
use serde::Deserialize;
use url::{Origin, Url};

use super::{REGISTRY_AUDIENCE, is_base, reached_at, values};

/// The management API.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Management {
    /// Whether there is one.
    pub enabled: bool,
    /// An address of its own. With it the public address has only what edges read.
    pub listen: Option<SocketAddr>,
    /// The address under which clients reach management, when it has one of its own. By default
    /// the one that it listens on.
    pub public_url: Option<Url>,
    /// The certificate of its own address. Without it HTTP, which is for loopback and for a proxy
    /// that ends TLS.
    pub tls: Option<TlsFiles>,
    /// The certificates of clients that its own address accepts.
    pub client_certificates: Option<ClientCertificates>,
}

/// The certificates of clients.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ClientCertificates {
    /// The authorities that sign them, PEM.
    pub ca: PathBuf,
    /// The lists of revoked certificates, PEM: one of each authority on the way to a certificate.
    pub crl: Option<PathBuf>,
    /// Whether a connection without a certificate is refused.
    #[serde(default)]
    pub required: bool,
    /// The names that open management.
    #[serde(default)]
    pub names: Vec<CertificateName>,
}

/// The roles of a name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CertificateName {
    /// A name in the subject alternative name of a certificate, compared to the letter: a URI where
    /// it begins with a scheme, as `spiffe://…`, else a mail address where it has an `@`, else a
    /// DNS name. Names of other types are not compared with it.
    pub name: String,
    /// The roles of its holder.
    #[serde(deserialize_with = "values::roles")]
    pub roles: Vec<Role>,
}

impl Default for Management {
    fn default() -> Self {
        Self { enabled: true, listen: None, public_url: None, tls: None, client_certificates: None }
    }
}

impl Management {
    /// The address of its own, where there is management and it has one.
    #[must_use]
    pub fn own_address(&self) -> Option<SocketAddr> {
        self.listen.filter(|_| self.enabled)
    }

    /// Checks the values, beside the audience of the registry's tokens and the public address.
    pub(super) fn check(&self, service: &str, public_url: &str) -> anyhow::Result<()> {
        let Some(listen) = self.listen else { return self.check_shared() };
        if let Some(url) = &self.public_url {
            check_audience("management.publicUrl", url, service)?;
        }
        // Port 0 is a port that no other listener has.
        let is_known = self.public_url.is_some() || listen.port() != 0;
        let url = reached_at(self.public_url.as_ref(), self.tls.is_some(), listen);
        ensure!(
            !is_known || origin(&url) != origin(public_url),
            "management.publicUrl `{url}` has the origin of publicUrl; the playground there shows text of strangers, so give management a host or a port of its own"
        );
        let Some(certificates) = &self.client_certificates else { return Ok(()) };
        ensure!(
            self.tls.is_some(),
            "management.clientCertificates needs management.tls: a client shows its certificate in the TLS handshake"
        );
        certificates.check()
    }

    /// Management on the public address has no settings of another.
    fn check_shared(&self) -> anyhow::Result<()> {
        for (name, is_set) in [
            ("publicUrl", self.public_url.is_some()),
            ("tls", self.tls.is_some()),
            ("clientCertificates", self.client_certificates.is_some()),
        ] {
            if is_set {
                bail!(
                    "management.{name} is for an address of its own; set management.listen as well"
                );
            }
        }
        Ok(())
    }

    /// Whether clients reach its own address over TLS, which may end at a proxy.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.tls.is_some() || self.public_url.as_ref().is_some_and(|url| url.scheme() == "https")
    }
}

impl ClientCertificates {
    fn check(&self) -> anyhow::Result<()> {
        const NAMES: &str = "management.clientCertificates.names";
        ensure!(
            self.required || !self.names.is_empty(),
            "{NAMES} is empty, so no certificate opens anything; name one, or set `required`"
        );
        let mut seen = HashSet::new();
        for CertificateName { name, roles } in &self.names {
            let is_name = !name.is_empty() && !name.contains(char::is_control);
            ensure!(is_name, "{NAMES} has a name that is empty or not printable");
            ensure!(seen.insert(name), "{NAMES} has `{name}` twice");
            ensure!(!roles.is_empty(), "{NAMES} gives `{name}` no role");
        }
        Ok(())
    }
}

fn origin(url: &str) -> Option<Origin> {
    Url::parse(url).ok().map(|url| url.origin())
}

/// Only the audience tells the purpose of a token, so each purpose has an audience of its own.
pub(super) fn check_audience(name: &str, url: &Url, service: &str) -> anyhow::Result<()> {
    ensure!(is_base(url), "{name} `{url}` is not an http or https address without query");
    let audience = url.as_str().trim_end_matches('/');
    ensure!(
        audience != service && audience != REGISTRY_AUDIENCE,
        "{name} `{url}` is the audience of other tokens; choose another registry.service or {name}"
    );
    Ok(())
}

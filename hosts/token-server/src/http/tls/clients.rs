//! Certificates of clients, at management's own address.
//!
//! The TLS library verifies a certificate in the handshake: its authority, its times, its purpose,
//! and that it is not revoked. A connection may last longer than its certificate, or than the list
//! of revoked ones that it was compared with. So a certificate is verified again for each request,
//! with the authorities and lists that are current then, and sessions are not resumed.
//!
//! Where there are revocation lists each authority on the way to a certificate needs one, and a
//! list past its next update refuses every certificate: an old list does not know who was revoked
//! since. Of several lists of an authority the newest counts; parts of one list, which are
//! published at several points, are an error. One from the future is an error: it would hide those
//! that come before its time.
//!
//! The files are read again when they change. Files that cannot be used are left where they are,
//! and the last good ones stay in use.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{CertificateError, Error, RootCertStore};
use scopegate_host::networks::network;
use scopegate_host::rate::{Rate, RateLimit};
use x509_parser::extensions::X509Extension;
use x509_parser::oid_registry::OID_X509_EXT_ISSUER_DISTRIBUTION_POINT;
use x509_parser::parse_x509_crl;
use x509_parser::revocation_list::CertificateRevocationList;

use crate::clock;
use crate::config::management::ClientCertificates;
use crate::domain::principal::{Holder, Holders};
use crate::domain::reason::Reason;

/// How many refusals of one network are logged, at once and a second.
const LOGGED: Rate = Rate { rate: 0.1, burst: 10 };
/// How far the clock of an authority may be ahead, in seconds.
const LEEWAY: i64 = 300;

/// The authorities of clients, what they have revoked, and the configured holders.
#[derive(Debug)]
pub struct Clients {
    config: ClientCertificates,
    holders: Holders,
    current: ArcSwap<Verifier>,
    /// The files when they were last read, or why they could not be: each state is logged once.
    seen: Mutex<Result<Pems, String>>,
    logged: RateLimit,
}

/// What decides about a certificate.
#[derive(Clone, Debug)]
struct Verifier(Arc<dyn ClientCertVerifier>);

/// What the files hold.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pems {
    ca: Vec<u8>,
    /// The revocation lists, the newest first.
    lists: Vec<CertificateRevocationListDer<'static>>,
}

impl Clients {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// When one cannot be read or holds something else.
    pub fn open(config: ClientCertificates) -> anyhow::Result<Self> {
        let pems = Pems::read(&config, clock::now())?;
        let current = ArcSwap::from_pointee(pems.verifier(&config)?);
        let (holders, logged) = (Holders::new(&config.names), RateLimit::new(LOGGED));
        Ok(Self { config, holders, current, seen: Mutex::new(Ok(pems)), logged })
    }

    /// What verifies the certificates of new connections.
    pub(super) fn verifier(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::clone(&self.current.load().0)
    }

    /// Reads changed files, and tells whether they are used now.
    pub(super) fn reload(&self) -> bool {
        // A list from the future is an error of reading, so that it is tried again in its time.
        let read = Pems::read(&self.config, clock::now()).map_err(|error| format!("{error:#}"));
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if read == *seen {
                return false;
            }
            seen.clone_from(&read);
        }
        let verifier =
            read.and_then(|pems| pems.verifier(&self.config).map_err(|error| format!("{error:#}")));
        match verifier {
            Ok(verifier) => {
                self.current.store(Arc::new(verifier));
                tracing::info!("authorities of clients renewed");
                true
            }
            Err(error) => {
                tracing::warn!(
                    error,
                    "authorities of clients not renewed; the last ones stay in use"
                );
                false
            }
        }
    }

    /// Logs a handshake that failed by the client's certificate: the address and the reason, and
    /// nothing that the client chose.
    pub(crate) fn log_handshake(&self, address: IpAddr, error: &std::io::Error) {
        let error = error.get_ref().and_then(|error| error.downcast_ref::<Error>());
        if let Some(reason) = error.and_then(reason) {
            self.log(address, reason);
        }
    }

    fn log(&self, address: IpAddr, reason: &'static str) {
        if self.logged.check(network(address)).is_ok() {
            tracing::warn!(%address, reason, "client certificate refused");
        }
    }
}

impl Pems {
    fn read(config: &ClientCertificates, now: i64) -> anyhow::Result<Self> {
        let read = |path: &Path| {
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
        };
        let lists = config.crl.as_deref().map(|path| {
            let lists = revocation_lists(&read(path)?, now);
            lists.with_context(|| format!("cannot use the revocation lists of {}", path.display()))
        });
        Ok(Self { ca: read(&config.ca)?, lists: lists.transpose()?.unwrap_or_default() })
    }

    fn verifier(&self, config: &ClientCertificates) -> anyhow::Result<Verifier> {
        let path = config.ca.display();
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&self.ca) {
            let certificate =
                certificate.with_context(|| format!("{path} is not a certificate"))?;
            roots.add(certificate).with_context(|| format!("{path} is not an authority"))?;
        }
        ensure!(!roots.is_empty(), "{path} is not a certificate");
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .with_crls(self.lists.iter().cloned())
            .enforce_revocation_expiration();
        let builder = if config.required { builder } else { builder.allow_unauthenticated() };
        builder.build().map(Verifier).context("the authorities or the lists cannot be used")
    }
}

/// The lists in a file, the newest first: the TLS library takes the first of an authority. Of two
/// that were made in one second, the one with the higher number (RFC 5280, section 5.2.3).
fn revocation_lists(
    pem: &[u8],
    now: i64,
) -> anyhow::Result<Vec<CertificateRevocationListDer<'static>>> {
    let mut lists = Vec::new();
    let mut points = HashMap::new();
    for der in CertificateRevocationListDer::pem_slice_iter(pem) {
        let der = der?;
        let (rest, list) = parse_x509_crl(&der)?;
        ensure!(rest.is_empty(), "it has more than a list");
        let made_at = list.last_update().timestamp();
        ensure!(made_at <= now.saturating_add(LEEWAY), "its `thisUpdate` is in the future");
        let age = Reverse((made_at, list.crl_number().cloned()));
        let authority = list.issuer().as_raw().to_vec();
        let is_part = points.insert(authority, point(&list)).is_some_and(|it| it != point(&list));
        ensure!(!is_part, "it has parts of the list of one authority");
        lists.push((age, der));
    }
    ensure!(!lists.is_empty(), "it is empty");
    lists.sort_by(|(left, _), (right, _)| left.cmp(right));
    Ok(lists.into_iter().map(|(_, der)| der).collect())
}

/// Where a list is published (RFC 5280, section 5.2.5), as it is encoded. A certificate that does
/// not name the point of its list is compared with one list of its authority, so lists of two
/// points cannot be used: each has some of the revoked certificates.
fn point(list: &CertificateRevocationList<'_>) -> Option<Vec<u8>> {
    let is_point =
        |extension: &&X509Extension<'_>| extension.oid == OID_X509_EXT_ISSUER_DISTRIBUTION_POINT;
    list.extensions().iter().find(is_point).map(|extension| extension.value.to_vec())
}

/// The certificate that a client has shown on its connection, with those between it and its
/// authority.
#[derive(Clone, Debug)]
pub(crate) struct ShownCertificate {
    clients: Arc<Clients>,
    chain: Arc<[CertificateDer<'static>]>,
}

impl ShownCertificate {
    /// The chain of a connection; `None` where no certificate was shown.
    pub(crate) fn new(
        clients: &Arc<Clients>,
        chain: Option<&[CertificateDer<'static>]>,
    ) -> Option<Self> {
        let chain = chain.filter(|chain| !chain.is_empty())?;
        Some(Self { clients: Arc::clone(clients), chain: Arc::from(chain) })
    }

    /// The holder of the certificate, when it is still valid.
    ///
    /// # Errors
    ///
    /// [`Reason::CertificateInvalid`] for one that has ended or was revoked since the handshake.
    pub(crate) fn holder(
        &self,
        address: IpAddr,
        now: i64,
    ) -> Result<Result<Arc<Holder>, Reason>, Reason> {
        let Some((own, others)) = self.chain.split_first() else {
            return Err(Reason::CertificateInvalid);
        };
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now.unsigned_abs()));
        self.clients.verifier().verify_client_cert(own, others, now).map_err(|error| {
            self.clients.log(address, reason(&error).unwrap_or("invalid"));
            Reason::CertificateInvalid
        })?;
        Ok(self.clients.holders.of(own))
    }
}

/// Why a certificate is refused; `None` when something else is wrong.
fn reason(error: &Error) -> Option<&'static str> {
    let error = match error {
        Error::InvalidCertificate(error) => error,
        Error::NoCertificatesPresented => return Some("missing"),
        _ => return None,
    };
    Some(match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "not valid yet"
        }
        CertificateError::Revoked => "revoked",
        CertificateError::UnknownIssuer => "of another authority",
        CertificateError::UnknownRevocationStatus => "no revocation list of its authority",
        CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => "the revocation list is too old",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "not for clients"
        }
        _ => "invalid",
    })
}

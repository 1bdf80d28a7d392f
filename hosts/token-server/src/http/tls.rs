//! How the server speaks TLS: 1.2 and 1.3, HTTP/1.1 and 2, with a certificate that is read again
//! when its files change, and at management's own address with [certificates of clients](clients).

pub(crate) mod clients;

use std::sync::Arc;

use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::NoServerSessionStorage;
use rustls::version::{TLS12, TLS13};
use scopegate_host::tls::{Certificate, POLL_INTERVAL, TlsFiles, watch};

use crate::config::management::ClientCertificates;
use clients::Clients;

/// The TLS of a listener.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The certificate of the server.
    certificate: Arc<Certificate>,
    /// The certificates of clients, where they count.
    pub(super) clients: Option<Arc<Clients>>,
    /// What new connections get.
    pub(super) config: RustlsConfig,
}

impl Tls {
    /// Reads the certificate of the server, where there is one, and the authorities of clients.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or holds something else.
    pub fn open(
        files: Option<&TlsFiles>,
        clients: Option<&ClientCertificates>,
    ) -> anyhow::Result<Option<Self>> {
        let Some(files) = files else { return Ok(None) };
        let certificate = Arc::new(Certificate::open(files.clone())?);
        let clients = clients.cloned().map(Clients::open).transpose()?;
        Self::new(certificate, clients).map(Some)
    }

    /// TLS with a certificate.
    ///
    /// # Errors
    ///
    /// When the library has no cipher suite for these versions.
    pub fn new(certificate: Arc<Certificate>, clients: Option<Clients>) -> anyhow::Result<Self> {
        let clients = clients.map(Arc::new);
        let config = server_config(&certificate, clients.as_deref())?;
        Ok(Self { certificate, clients, config: RustlsConfig::from_config(Arc::new(config)) })
    }

    /// Reads the files from time to time and whenever the process gets SIGHUP, which does not end
    /// the process from this call on. What is returned never ends.
    pub fn watch(self) -> impl Future<Output = ()> {
        watch(POLL_INTERVAL, move || self.reload())
    }

    /// Reads changed files.
    pub fn reload(&self) {
        self.certificate.reload();
        let Some(clients) = self.clients.as_deref().filter(|clients| clients.reload()) else {
            return;
        };
        match server_config(&self.certificate, Some(clients)) {
            Ok(config) => self.config.reload_from_config(Arc::new(config)),
            Err(error) => tracing::warn!(%error, "authorities of clients not renewed"),
        }
    }
}

fn server_config(
    certificate: &Arc<Certificate>,
    clients: Option<&Clients>,
) -> anyhow::Result<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])?;
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(clients.verifier()),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::clone(certificate) as _);
    if clients.is_some() {
        // A session that is resumed has the certificate of its first handshake, unverified.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

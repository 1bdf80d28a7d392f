//! How the server speaks TLS: 1.2 and 1.3, HTTP/1.1 and 2, with a certificate that is read again
//! when its files change.

use std::sync::Arc;

use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::version::{TLS12, TLS13};
use scopegate_host::tls::Certificate;

/// What gives new connections the current certificate.
///
/// # Errors
///
/// When the library has no cipher suite for these versions.
pub fn server_config(certificate: Arc<Certificate>) -> anyhow::Result<RustlsConfig> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}

//! A certificate authority for one test.
//!
//! Certificates are for `localhost` and 127.0.0.1, which every client resolves by itself. So
//! nothing has to be done to the machine's host names, nor to a client's way of looking them up;
//! what tells servers apart is the port.

use std::path::PathBuf;

use axum_server::tls_rustls::RustlsConfig;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use tempfile::TempDir;

/// An authority that exists as long as its test.
pub(crate) struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "authority of the tests");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.crt"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    /// The authority's own certificate, for clients.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// A certificate and its key in PEM, for a server.
    pub(crate) fn issue(&self) -> (String, String) {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, "localhost");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// The same as lines of our server's configuration.
    pub(crate) fn for_our_server(&self) -> String {
        let (certificate, key) = self.issue();
        let files = [("tls.crt", certificate), ("tls.key", key)].map(|(name, pem)| {
            let path = self.folder.path().join(name);
            std::fs::write(&path, pem).unwrap();
            path.display().to_string()
        });
        format!("tls: {{certificate: {}, key: {}}}\n", files[0], files[1])
    }

    /// The same for a server that is written in Rust.
    pub(crate) async fn for_axum(&self) -> RustlsConfig {
        // Another library may have chosen one already; it is the same one.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (certificate, key) = self.issue();
        RustlsConfig::from_pem(certificate.into_bytes(), key.into_bytes()).await.unwrap()
    }
}

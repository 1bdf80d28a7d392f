//! A provider behind TLS, with a certificate of its own authority.

use jsonwebtoken::Algorithm;
use rcgen::KeyPair;

use super::fake::Fake;
use super::{Key, NOW, unavailable};

#[tokio::test]
async fn a_provider_is_trusted_by_its_private_authority() {
    // Beside the other hosts' tests there are two of them in the library, and it does not choose.
    scopegate_host::tls::install_provider();
    let (ours, other) = (Authority::new(), Authority::new());
    let key = Key::new(Algorithm::ES256, "k");
    let fake = Fake::start_tls(&[&key], &ours).await;
    let token = key.sign(&fake.claims());
    let trusting = |authority: &Authority| format!("caFile: {}", authority.file.path().display());
    assert!(fake.providers(&trusting(&ours)).identify(&token, NOW).await.is_ok());
    unavailable(fake.providers(&trusting(&other)).identify(&token, NOW).await, "certificate");
    unavailable(fake.providers("").identify(&token, NOW).await, "certificate");
}

/// A certificate authority that no system knows.
pub(super) struct Authority {
    issuer: rcgen::Issuer<'static, KeyPair>,
    file: tempfile::NamedTempFile,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), certificate.pem()).unwrap();
        Self { issuer: rcgen::Issuer::new(params, key), file }
    }

    /// A certificate for loopback, and its key.
    pub(super) fn certify(&self) -> (Vec<u8>, Vec<u8>) {
        let key = KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem().into_bytes(), key.serialize_pem().into_bytes())
    }
}

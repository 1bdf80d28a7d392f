//! The gateway's certificate, read again when it changes.
//!
//! Certificates are renewed by other programs while the gateway runs, in two files one after the
//! other: what does not fit together, or is none at all, is left where it is and the last good one
//! goes on. Connections that are open keep theirs.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::time::{MissedTickBehavior, interval};

use crate::config::Tls;

/// How often the files are looked at. They are a few kilobytes, and a renewed certificate is days
/// before the end of the old one.
pub const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The certificate that new connections get.
#[derive(Debug)]
pub struct Certificate {
    files: Tls,
    current: ArcSwap<CertifiedKey>,
}

impl Certificate {
    /// Reads the certificate.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or holds something else, or the key is another certificate's.
    pub fn open(files: Tls) -> anyhow::Result<Self> {
        let current = ArcSwap::from_pointee(Pems::read(&files)?.certified_key(&files)?);
        Ok(Self { files, current })
    }

    /// Looks at the files from time to time. Never returns.
    pub async fn watch(&self, every: Duration) {
        // Each state of the files is spoken of once.
        let mut seen = Pems::read(&self.files).ok();
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let pems = Pems::read(&self.files).ok();
            if pems == seen {
                continue;
            }
            let taken = pems.as_ref().map(|pems| pems.certified_key(&self.files));
            match taken {
                Some(Ok(key)) => {
                    self.current.store(Arc::new(key));
                    tracing::info!("the renewed certificate is used from now on");
                }
                Some(Err(error)) => {
                    let error = format!("{error:#}");
                    tracing::warn!(
                        error,
                        "the renewed certificate cannot be used, the last one stays"
                    );
                }
                None => {
                    tracing::warn!("the certificate cannot be read any more, the last one stays");
                }
            }
            seen = pems;
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

/// What the two files hold.
#[derive(PartialEq, Eq)]
struct Pems {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Pems {
    fn read(files: &Tls) -> anyhow::Result<Self> {
        let read = |path: &Path| {
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
        };
        Ok(Self { certificate: read(&files.certificate)?, key: read(&files.key)? })
    }

    fn certified_key(&self, files: &Tls) -> anyhow::Result<CertifiedKey> {
        let (path, key_path) = (files.certificate.display(), files.key.display());
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .with_context(|| format!("{path} is no certificate"))?;
        ensure!(!chain.is_empty(), "{path} is no certificate");
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .with_context(|| format!("{key_path} is no private key"))?;
        CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
            .with_context(|| format!("{key_path} is not the key of {path}"))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn write(folder: &Path, name: &str) -> String {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        std::fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
        std::fs::copy(folder.join("certificate.pem"), folder.join(name)).unwrap();
        made.cert.pem()
    }

    fn files(folder: &Path) -> Tls {
        let path = |name: &str| -> PathBuf { folder.join(name) };
        Tls { certificate: path("certificate.pem"), key: path("key.pem") }
    }

    fn served(certificate: &Certificate) -> Vec<u8> {
        certificate.current.load().cert[0].to_vec()
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = |files| format!("{:#}", Certificate::open(files).unwrap_err());
        assert!(error(files(folder.path())).contains("certificate.pem"));
        write(folder.path(), "first.pem");
        write(folder.path(), "second.pem");
        assert!(Certificate::open(files(folder.path())).is_ok());
        let other = Tls { certificate: folder.path().join("first.pem"), ..files(folder.path()) };
        assert!(error(other).contains("is not the key of"));
        std::fs::write(folder.path().join("key.pem"), "no key").unwrap();
        assert!(error(files(folder.path())).contains("key.pem is no private key"));
        std::fs::write(folder.path().join("certificate.pem"), "").unwrap();
        assert!(error(files(folder.path())).contains("certificate.pem is no certificate"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_renewed_certificate_is_taken_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "first.pem");
        let certificate = Arc::new(Certificate::open(files(folder.path())).unwrap());
        let first = served(&certificate);
        let watched = Arc::clone(&certificate);
        let watch = tokio::spawn(async move { watched.watch(Duration::from_millis(10)).await });
        let patience = || tokio::time::sleep(Duration::from_millis(100));
        patience().await;
        std::fs::write(folder.path().join("key.pem"), "half of a ke").unwrap();
        patience().await;
        assert_eq!(served(&certificate), first);
        write(folder.path(), "second.pem");
        for _ in 0..100 {
            if served(&certificate) != first {
                break;
            }
            patience().await;
        }
        assert_ne!(served(&certificate), first);
        watch.abort();
    }
}

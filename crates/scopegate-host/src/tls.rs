//! A certificate that is read again when its files change.
//!
//! Certificates are renewed by other programs while a host runs, in two files one after the other.
//! A pair that does not fit together, or cannot be read, is left where it is, and the last good
//! pair stays in use. Open connections keep theirs.
//!
//! Left out: certificates of clients, and the versions and protocols of TLS, which each host sets.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

/// How often the files are read. They are a few kilobytes, and a renewed certificate comes days
/// before the end of the old one.
pub const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// A certificate and its key, as a configuration names them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TlsFiles {
    /// The certificate and those between it and its root, PEM, the host's own first.
    pub certificate: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

/// The certificate that new connections get.
#[derive(Debug)]
pub struct Certificate {
    files: TlsFiles,
    current: ArcSwap<CertifiedKey>,
    /// The files when they were last read: each state of them is logged once.
    seen: Mutex<State>,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Read([u8; 32]),
    Unreadable(String),
}

impl Certificate {
    /// Reads the certificate.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or holds something else, or the key is another certificate's.
    pub fn open(files: TlsFiles) -> anyhow::Result<Self> {
        let pems = Pems::read(&files)?;
        let current = ArcSwap::from_pointee(pems.certified_key()?);
        let seen = Mutex::new(State::Read(pems.digest()));
        Ok(Self { files, current, seen })
    }

    /// Reads the files from time to time and whenever the process gets SIGHUP, which does not end
    /// the process from this call on. What is returned never ends.
    pub fn watch(self: Arc<Self>, every: Duration) -> impl Future<Output = ()> {
        watch(every, move || self.reload())
    }

    /// Loads a changed pair of files, and logs whether it is used.
    pub fn reload(&self) {
        let pems = Pems::read(&self.files);
        let state = match &pems {
            Ok(pems) => State::Read(pems.digest()),
            Err(error) => State::Unreadable(format!("{error:#}")),
        };
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if state == *seen {
                return;
            }
            *seen = state;
        }
        match pems.and_then(|pems| pems.certified_key()) {
            Ok(key) => {
                self.current.store(Arc::new(key));
                tracing::info!("certificate renewed");
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "certificate not renewed; the last one stays in use");
            }
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

/// Calls `reload` from time to time and whenever the process gets SIGHUP, which does not end the
/// process from this call on. What is returned never ends.
pub fn watch(every: Duration, mut reload: impl FnMut()) -> impl Future<Output = ()> {
    let mut hangups = signal(SignalKind::hangup()).ok();
    async move {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let hangup = async {
                match &mut hangups {
                    Some(hangups) => hangups.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = ticks.tick() => {}
                _ = hangup => {}
            }
            reload();
        }
    }
}

/// Makes AWS-LC the implementation of everything that speaks TLS in this process and does not say
/// which.
pub fn install_provider() {
    // An earlier one is this one too: hosts install no other.
    let _ = CryptoProvider::install_default(aws_lc_rs::default_provider());
}

/// What the two files hold.
struct Pems<'a> {
    files: &'a TlsFiles,
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl<'a> Pems<'a> {
    fn read(files: &'a TlsFiles) -> anyhow::Result<Self> {
        let read = |path: &Path| {
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
        };
        Ok(Self { files, certificate: read(&files.certificate)?, key: read(&files.key)? })
    }

    fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(Sha256::digest(&self.certificate));
        digest.update(Sha256::digest(&self.key));
        digest.finalize().into()
    }

    fn certified_key(&self) -> anyhow::Result<CertifiedKey> {
        let (path, key_path) = (self.files.certificate.display(), self.files.key.display());
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .with_context(|| format!("{path} is not a certificate"))?;
        ensure!(!chain.is_empty(), "{path} is not a certificate");
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .with_context(|| format!("{key_path} is not a private key"))?;
        CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
            .with_context(|| format!("{key_path} is not the key of {path}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(files: &TlsFiles, certificate: &str, key: &str) {
        std::fs::write(&files.certificate, certificate).unwrap();
        std::fs::write(&files.key, key).unwrap();
    }

    fn pair() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    fn files(folder: &Path) -> TlsFiles {
        TlsFiles { certificate: folder.join("cert.pem"), key: folder.join("key.pem") }
    }

    #[test]
    fn only_a_matching_pair_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let ((certificate, key), (other_certificate, other_key)) = (pair(), pair());
        write(&files, &certificate, &key);
        let served = Certificate::open(files.clone()).unwrap();
        let mut last = served.current.load_full();
        for (certificate, key, is_renewed) in [
            (certificate.as_str(), key.as_str(), false),
            (&other_certificate, &key, false),
            ("rubbish", &key, false),
            ("", "", false),
            (&other_certificate, "half of a ke", false),
            (&other_certificate, &other_key, true),
            (&other_certificate, &other_key, false),
        ] {
            write(&files, certificate, key);
            served.reload();
            let current = served.current.load_full();
            assert_eq!(!Arc::ptr_eq(&last, &current), is_renewed);
            last = current;
        }
        std::fs::remove_file(&files.key).unwrap();
        served.reload();
        assert!(Arc::ptr_eq(&last, &served.current.load_full()));
    }

    #[test]
    fn errors_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let ((certificate, key), (_, other_key)) = (pair(), pair());
        for (certificate, key, expected) in [
            ("", key.as_str(), "cert.pem is not a certificate"),
            (&certificate, "", "key.pem is not a private key"),
            (&certificate, &other_key, "key.pem is not the key of"),
        ] {
            write(&files, certificate, key);
            let error = Certificate::open(files.clone()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        std::fs::remove_file(&files.certificate).unwrap();
        let error = Certificate::open(files).unwrap_err().to_string();
        assert!(error.starts_with("cannot read"), "{error}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn renewed_files_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let ((certificate, key), (other_certificate, other_key)) = (pair(), pair());
        write(&files, &certificate, &key);
        let served = Arc::new(Certificate::open(files.clone()).unwrap());
        let first = served.current.load_full();
        let watched = Arc::clone(&served);
        let watch = tokio::spawn(watched.watch(Duration::from_millis(10)));
        write(&files, &other_certificate, &other_key);
        for _ in 0..500 {
            if !Arc::ptr_eq(&first, &served.current.load_full()) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(!Arc::ptr_eq(&first, &served.current.load_full()));
        watch.abort();
    }
}

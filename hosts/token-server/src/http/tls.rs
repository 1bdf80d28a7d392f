//! The server's certificate, read again when it changes.
//!
//! TLS 1.2 and 1.3, HTTP/1.1 and 2. Certificates are renewed by other programs while the server
//! runs, in two files one after the other: what does not fit together, or is none at all, is left
//! where it is and the last good one goes on. Connections that are open keep theirs.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use sha2::{Digest as _, Sha256};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use crate::config::TlsFiles;

/// How often the files are looked at. They are a few kilobytes, and a renewed certificate is days
/// before the end of the old one.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The certificate that new connections get.
#[derive(Clone, Debug)]
pub struct Tls {
    files: TlsFiles,
    current: RustlsConfig,
    /// What the files were when they were last looked at: each state of them is spoken of once.
    seen: State,
}

impl Tls {
    /// Reads the certificate.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or holds something else, or the key is another certificate's.
    pub fn open(files: TlsFiles) -> anyhow::Result<Self> {
        let pems = Pems::read(&files)?;
        let current = RustlsConfig::from_config(Arc::new(pems.server_config()?));
        let seen = State::Read(pems.digest());
        Ok(Self { files, current, seen })
    }

    /// What gives new connections the certificate of the moment.
    #[must_use]
    pub fn config(&self) -> RustlsConfig {
        self.current.clone()
    }

    /// Looks at the files from time to time and whenever the process gets SIGHUP. Never returns.
    pub async fn watch(mut self, every: Duration) {
        let mut hangups = signal(SignalKind::hangup()).ok();
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
            self.look();
        }
    }

    /// Takes over what has changed.
    fn look(&mut self) {
        let pems = Pems::read(&self.files);
        let state = match &pems {
            Ok(pems) => State::Read(pems.digest()),
            Err(error) => State::Unreadable(format!("{error:#}")),
        };
        if state == self.seen {
            return;
        }
        self.seen = state;
        match pems.and_then(|pems| pems.server_config()) {
            Ok(config) => {
                self.current.reload_from_config(Arc::new(config));
                tracing::info!("the renewed certificate is used from now on");
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "the renewed certificate cannot be used, the last one stays");
            }
        }
    }
}

/// Makes AWS-LC the implementation of everything that speaks TLS in this process and does not say
/// which.
pub fn install_provider() {
    // When there is one already it was this one: nothing else is compiled in.
    let _ = CryptoProvider::install_default(aws_lc_rs::default_provider());
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Read([u8; 32]),
    Unreadable(String),
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

    fn server_config(&self) -> anyhow::Result<ServerConfig> {
        let (path, key_path) = (self.files.certificate.display(), self.files.key.display());
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .with_context(|| format!("{path} is no certificate"))?;
        ensure!(!chain.is_empty(), "{path} is no certificate");
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .with_context(|| format!("{key_path} is no private key"))?;
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_protocol_versions(&[&TLS13, &TLS12])?
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .with_context(|| format!("{key_path} is not the key of {path}"))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
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
    fn only_what_fits_together_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let ((certificate, key), (other_certificate, other_key)) = (pair(), pair());
        write(&files, &certificate, &key);
        let mut tls = Tls::open(files.clone()).unwrap();
        let mut last = tls.config().get_inner();
        for (certificate, key, renewed) in [
            (certificate.as_str(), key.as_str(), false),
            (&other_certificate, &key, false),
            ("rubbish", &key, false),
            ("", "", false),
            (&other_certificate, &other_key, true),
            (&other_certificate, &other_key, false),
        ] {
            write(&files, certificate, key);
            tls.look();
            let current = tls.config().get_inner();
            assert_eq!(!Arc::ptr_eq(&last, &current), renewed);
            last = current;
        }
        std::fs::remove_file(&files.key).unwrap();
        tls.look();
        assert!(Arc::ptr_eq(&last, &tls.config().get_inner()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let ((certificate, key), (_, other_key)) = (pair(), pair());
        for (certificate, key, expected) in [
            ("", key.as_str(), "cert.pem is no certificate"),
            (&certificate, "", "key.pem is no private key"),
            (&certificate, &other_key, "key.pem is not the key of"),
        ] {
            write(&files, certificate, key);
            let error = Tls::open(files.clone()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        std::fs::remove_file(&files.certificate).unwrap();
        let error = Tls::open(files).unwrap_err().to_string();
        assert!(error.starts_with("cannot read"), "{error}");
    }
}

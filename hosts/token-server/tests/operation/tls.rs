//! TLS.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};
use scopegate_host::tls::{Certificate, TlsFiles, install_provider};
use scopegate_server::testing::config::Limits;

use crate::{Answer, Server, TIMEOUT, connect};

/// Writes a certificate for localhost and its key, and gives the certificate.
fn write_certificate(files: &TlsFiles) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let pem = made.cert.pem();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    std::fs::write(&files.certificate, &pem).unwrap();
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// One request over TLS: the answer, the version and what was agreed on. An error when the
/// certificate is not `trusted`.
fn over_tls(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
    protocol: &str,
) -> std::io::Result<(Answer, Option<Vec<u8>>)> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = connect(address);
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    let agreed = connection.alpn_protocol().map(<[u8]>::to_vec);
    let mut stream = Stream::new(&mut connection, &mut socket);
    if protocol == "http/1.1" {
        stream.write_all(b"GET /v2/ HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        return Ok((Answer::read(&mut stream), agreed));
    }
    Ok((Answer { status: 0, head: String::new(), body: String::new() }, agreed))
}

#[tokio::test]
async fn a_renewed_certificate_is_used_and_a_broken_one_is_not() {
    install_provider();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let files = TlsFiles { certificate: at("cert.pem"), key: at("key.pem") };
    let first = write_certificate(&files);
    let tls = Arc::new(Certificate::open(files.clone()).unwrap());
    let server = Server::start(Limits::default(), Some(&tls)).await;
    let watched = Arc::clone(&tls);
    let watching = tokio::spawn(async move { watched.watch(Duration::from_millis(50)).await });
    let address = server.address;
    let ask = |trusted: &CertificateDer<'static>, protocol: &'static str| {
        let trusted = trusted.clone();
        let asked = tokio::task::spawn_blocking(move || over_tls(address, &trusted, protocol));
        async { asked.await.unwrap() }
    };
    let (answer, agreed) = ask(&first, "http/1.1").await.unwrap();
    assert_eq!((answer.status, agreed.as_deref()), (200, Some(&b"http/1.1"[..])));
    assert!(answer.head.contains("strict-transport-security: max-age="), "{answer:?}");
    let (_, agreed) = ask(&first, "h2").await.unwrap();
    assert_eq!(agreed.as_deref(), Some(&b"h2"[..]));

    std::fs::write(&files.certificate, "rubbish").unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(ask(&first, "http/1.1").await.unwrap().0.status, 200);

    let second = write_certificate(&files);
    let start = Instant::now();
    while ask(&second, "http/1.1").await.is_err() {
        assert!(start.elapsed() < TIMEOUT, "the renewed certificate is not used");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(ask(&first, "http/1.1").await.is_err());
    // No client gets an answer without TLS.
    assert!(server.get("/v2/", "").await.status != 200);
    watching.abort();
}

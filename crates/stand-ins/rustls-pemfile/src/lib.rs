//! Certificates and keys in PEM, RFC 7468, read by `rustls-pki-types`.
//!
//! It replaces the crate of this name, which has no maintainer (RUSTSEC-2025-0134): its reader
//! lives on in `rustls-pki-types`, and only its functions are here. The root manifest patches it
//! in. Pingora 0.9.1 needs it, and rustls-native-certs 0.7, by which Pingora reads the certificates
//! of the system. It can go as soon as a version of Pingora does without both.
//!
//! It has [`read_all`], [`certs`], [`private_key`] and [`Item`] with the kinds of sections that the
//! original knows. An error does not end the items; only one of the reader itself does.
//!
//! Left out: the functions for one kind of section each, `read_one` and `read_one_from_slice`, the
//! original's type of errors, and use without the standard library.
#![forbid(unsafe_code)]

use std::io;

use rustls_pki_types::pem::{Error, PemObject, ReadIter, SectionKind};
use rustls_pki_types::{
    CertificateDer, CertificateRevocationListDer, CertificateSigningRequestDer, PrivateKeyDer,
    PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer, SubjectPublicKeyInfoDer,
};

/// A section of a file. What it holds has not been read.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub enum Item {
    /// `CERTIFICATE`
    X509Certificate(CertificateDer<'static>),
    /// `PUBLIC KEY`
    SubjectPublicKeyInfo(SubjectPublicKeyInfoDer<'static>),
    /// `RSA PRIVATE KEY`
    Pkcs1Key(PrivatePkcs1KeyDer<'static>),
    /// `PRIVATE KEY`
    Pkcs8Key(PrivatePkcs8KeyDer<'static>),
    /// `EC PRIVATE KEY`
    Sec1Key(PrivateSec1KeyDer<'static>),
    /// `X509 CRL`
    Crl(CertificateRevocationListDer<'static>),
    /// `CERTIFICATE REQUEST`
    Csr(CertificateSigningRequestDer<'static>),
}

impl PemObject for Item {
    fn from_pem(kind: SectionKind, der: Vec<u8>) -> Option<Self> {
        Some(match kind {
            SectionKind::Certificate => Self::X509Certificate(der.into()),
            SectionKind::PublicKey => Self::SubjectPublicKeyInfo(der.into()),
            SectionKind::RsaPrivateKey => Self::Pkcs1Key(der.into()),
            SectionKind::PrivateKey => Self::Pkcs8Key(der.into()),
            SectionKind::EcPrivateKey => Self::Sec1Key(der.into()),
            SectionKind::Crl => Self::Crl(der.into()),
            SectionKind::Csr => Self::Csr(der.into()),
            _ => return None,
        })
    }
}

/// Every section of a kind that is known, in the order of the file. Text around them, and sections
/// of other kinds, are passed over.
pub fn read_all(rd: &mut dyn io::BufRead) -> impl Iterator<Item = io::Result<Item>> + '_ {
    ReadIter::new(rd).map(|item| item.map_err(refused))
}

/// The certificates of a file. A section of another kind that cannot be read is an error too.
pub fn certs(
    rd: &mut dyn io::BufRead,
) -> impl Iterator<Item = io::Result<CertificateDer<'static>>> + '_ {
    read_all(rd).filter_map(|item| match item {
        Ok(Item::X509Certificate(certificate)) => Some(Ok(certificate)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

/// The first private key of a file, whatever its kind.
///
/// # Errors
///
/// When the file, or a section before the key, cannot be read.
pub fn private_key(rd: &mut dyn io::BufRead) -> io::Result<Option<PrivateKeyDer<'static>>> {
    for item in read_all(rd) {
        match item? {
            Item::Pkcs1Key(key) => return Ok(Some(key.into())),
            Item::Pkcs8Key(key) => return Ok(Some(key.into())),
            Item::Sec1Key(key) => return Ok(Some(key.into())),
            _ => {}
        }
    }
    Ok(None)
}

fn refused(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}

//! A certificate, with the fields that keys and registries use.
//!
//! Follows RFC 5280. Left out: names but the common one, and every extension but the one that marks
//! an authority.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::parse_x509_certificate;

use crate::domain::keys::public_key::PublicKey;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    pub public_key: PublicKey,
    /// When it begins to be valid, in seconds since 1970.
    pub not_before: i64,
    /// When it ends, in seconds since 1970.
    pub not_after: i64,
    /// Whether it may sign other certificates.
    pub is_authority: bool,
    der: Vec<u8>,
}

impl Certificate {
    #[must_use]
    pub fn read(der: &[u8]) -> Option<Self> {
        let (rest, certificate) = parse_x509_certificate(der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        Some(Self {
            public_key: PublicKey::read(certificate.public_key().raw)?,
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            is_authority: certificate.is_ca(),
            der: der.to_vec(),
        })
    }

    /// Reads the first one of a PEM text.
    #[must_use]
    pub fn read_pem(pem: &str) -> Option<Self> {
        Self::read(&CertificateDer::from_pem_slice(pem.as_bytes()).ok()?)
    }

    /// The certificate in DER.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate in PEM, without the text around it.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let text = STANDARD.encode(&self.der);
        let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, next) = rest.split_at_checked(64).unwrap_or((rest, ""));
            pem.extend([line, "\n"]);
            rest = next;
        }
        pem + "-----END CERTIFICATE-----\n"
    }

    /// The common name of its subject.
    #[must_use]
    pub fn common_name(&self) -> Option<String> {
        let (_, certificate) = parse_x509_certificate(&self.der).ok()?;
        let name = certificate.subject().iter_common_name().next()?;
        name.as_str().ok().map(ToOwned::to_owned)
    }

    /// Whether it is valid at a time.
    #[must_use]
    pub fn is_valid_at(&self, now: i64) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// Whether the other certificate is its issuer, by name and by signature.
    #[must_use]
    pub fn is_signed_by(&self, other: &Self) -> bool {
        let (Ok((_, leaf)), Ok((_, authority))) =
            (parse_x509_certificate(&self.der), parse_x509_certificate(&other.der))
        else {
            return false;
        };
        leaf.issuer().as_raw() == authority.subject().as_raw()
            && leaf.verify_signature(Some(authority.public_key())).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::ParsedExtension;

    use super::*;
    use crate::domain::keys::Authority;

    impl Certificate {
        pub(in super::super) fn serial(&self) -> Vec<u8> {
            parse_x509_certificate(&self.der).unwrap().1.raw_serial().to_vec()
        }

        pub(in super::super) fn key_id(&self) -> Option<Vec<u8>> {
            self.extension(|extension| match extension {
                ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
                _ => None,
            })
        }

        pub(in super::super) fn authority_key_id(&self) -> Option<Vec<u8>> {
            self.extension(|extension| match extension {
                ParsedExtension::AuthorityKeyIdentifier(id) => {
                    id.key_identifier.as_ref().map(|id| id.0.to_vec())
                }
                _ => None,
            })
        }

        fn extension<T>(&self, find: impl Fn(&ParsedExtension<'_>) -> Option<T>) -> Option<T> {
            let (_, certificate) = parse_x509_certificate(&self.der).unwrap();
            certificate.extensions().iter().find_map(|it| find(it.parsed_extension()))
        }
    }

    #[test]
    fn what_stands_beside_a_certificate_is_left_out() {
        let record = Authority::generate("test", 1_800_000_000).unwrap();
        let both = format!("{}{}\nnoise\n", record.private_key, record.certificate);
        let certificate = Certificate::read_pem(&both).unwrap();
        assert_eq!(certificate.to_pem(), record.certificate.replace('\r', ""));
        assert_eq!(Certificate::read(certificate.as_der()).as_ref(), Some(&certificate));
    }

    #[test]
    fn texts_that_are_none() {
        let record = Authority::generate("test", 1_800_000_000).unwrap();
        let broken = record.certificate.replacen("MII", "AAA", 1);
        for pem in ["", "-----BEGIN CERTIFICATE-----", &record.private_key, &broken] {
            assert_eq!(Certificate::read_pem(pem), None, "{pem}");
        }
    }

    #[test]
    fn a_namesake_has_signed_nothing() {
        let make = || {
            Certificate::read_pem(&Authority::generate("same", 1_800_000_000).unwrap().certificate)
        };
        let (one, other) = (make().unwrap(), make().unwrap());
        assert!(one.is_signed_by(&one) && !one.is_signed_by(&other));
        assert!(one.is_valid_at(one.not_before) && one.is_valid_at(one.not_after));
        assert!(!one.is_valid_at(one.not_before - 1) && !one.is_valid_at(one.not_after + 1));
    }
}

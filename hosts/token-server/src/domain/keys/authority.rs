//! The certificate that every key's certificate is signed by.
//!
//! A registry that holds it in its `rootcertbundle`, and gets tokens that carry the certificate of
//! their key (`x5c`), needs no restart after a key rotation. It is made once: replacing it means
//! restarting every registry.
//!
//! Follows RFC 5280 as far as Go's `crypto/x509` checks it: CNCF distribution requires a chain to a
//! trusted certificate, valid now, for any extended key usage. So the authority is marked as one
//! and may sign certificates, the others may sign data, and extended key usages are left out.
//!
//! Left out: revocation, which no registry checks.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, date_time_ymd,
};

use crate::domain::keys::certificate::Certificate;
use crate::store::AuthorityRecord;

/// How long before its creation a certificate is already valid, in seconds: for clocks that are
/// late, and tokens that are back-dated.
const BACK_DATED: i64 = 24 * 60 * 60;
/// The first second of the year 2000: before any clock that is set.
const EARLY: i64 = 946_684_800;
/// The end of the year 9999, which RFC 5280 writes for "no end". No certificate of ours ends later.
const NO_END: i64 = 253_402_300_799;

/// Signs the certificates of keys.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    /// Creates an authority, as a record. `name` becomes the name in its certificate.
    ///
    /// # Errors
    ///
    /// When the operating system has no randomness to give.
    pub fn generate(name: &str) -> anyhow::Result<AuthorityRecord> {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = named(&format!("{name} signing authority"));
        set_validity(&mut params, EARLY, NO_END);
        // It signs keys' certificates, never another authority's.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&pair)?.pem();
        Ok(AuthorityRecord { private_key: pair.serialize_pem(), certificate })
    }

    /// Reads an authority.
    ///
    /// # Errors
    ///
    /// When the record's key or certificate is invalid, or the certificate is another key's.
    pub fn read(record: &AuthorityRecord) -> anyhow::Result<Self> {
        let pair =
            KeyPair::from_pem(&record.private_key).context("the authority's key is not a key")?;
        let certificate = Certificate::read_pem(&record.certificate)
            .context("the authority's certificate is not a certificate")?;
        ensure!(
            certificate.public_key.as_der() == pair.subject_public_key_info(),
            "the authority's certificate is of another key"
        );
        let issuer = Issuer::from_ca_cert_der(&certificate.as_der().into(), pair)
            .context("the authority's certificate is not a certificate")?;
        Ok(Self { issuer, certificate: certificate.to_pem() })
    }

    /// The certificate, PEM.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A certificate for a key, PEM, from a day before `from` until `until`.
    pub(crate) fn certify(
        &self,
        key: &impl PublicKeyData,
        kid: &str,
        from: i64,
        until: i64,
    ) -> anyhow::Result<String> {
        let mut params = named(kid);
        set_validity(&mut params, from.saturating_sub(BACK_DATED), until);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        Ok(params.signed_by(key, &self.issuer)?.pem())
    }
}

/// Leaves the private half out.
impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// A time outside of 1970 to 9999 becomes the nearer end.
fn set_validity(params: &mut CertificateParams, from: i64, until: i64) {
    let since_1970 = |seconds: i64| Duration::from_secs(seconds.clamp(0, NO_END).unsigned_abs());
    params.not_before = date_time_ymd(1970, 1, 1) + since_1970(from);
    params.not_after = date_time_ymd(1970, 1, 1) + since_1970(until);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_read_as_it_was_made() {
        let record = Authority::generate("test").unwrap();
        let authority = Authority::read(&record).unwrap();
        assert_eq!(authority.certificate(), record.certificate.replace('\r', ""));
        let certificate = Certificate::read_pem(&record.certificate).unwrap();
        assert!(certificate.is_authority);
        assert_eq!((certificate.not_before, certificate.not_after), (EARLY, NO_END));
        assert!(certificate.is_signed_by(&certificate));
    }

    #[test]
    fn records_that_are_none() {
        let (one, other) =
            (Authority::generate("one").unwrap(), Authority::generate("other").unwrap());
        for (private_key, certificate, expected) in [
            ("", &*one.certificate, "the authority's key is not a key"),
            (&*one.private_key, "", "the authority's certificate is not a certificate"),
            (
                &*one.private_key,
                &*other.certificate,
                "the authority's certificate is of another key",
            ),
        ] {
            let (private_key, certificate) = (private_key.into(), certificate.into());
            let error = Authority::read(&AuthorityRecord { private_key, certificate }).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn certificates_of_keys_are_signed_and_last_as_long_as_asked() {
        let authority = Authority::read(&Authority::generate("test").unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        for (from, until, not_before, not_after) in [
            (1_800_000_000, 1_900_000_000, 1_799_913_600, 1_900_000_000),
            (0, i64::MAX, 0, NO_END),
            (i64::MIN, -1, 0, 0),
        ] {
            let pem = authority.certify(&key, "kid", from, until).unwrap();
            let certificate = Certificate::read_pem(&pem).unwrap();
            assert_eq!((certificate.not_before, certificate.not_after), (not_before, not_after));
            let by = Certificate::read_pem(authority.certificate()).unwrap();
            assert!(certificate.is_signed_by(&by) && !certificate.is_authority);
            assert_eq!(certificate.public_key.as_der(), key.subject_public_key_info());
        }
    }
}

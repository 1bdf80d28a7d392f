//! The certificate that every key's certificate is signed by.
//!
//! A registry that holds it in its `rootcertbundle`, and gets tokens that carry the certificate of
//! their key (`x5c`), needs no restart after a key rotation.
//!
//! The certificate is valid for ten years and renewed when a third of them is left. The key and the
//! name stay: a registry that holds the former certificate accepts what the renewed one vouches
//! for, and has those three years to read the new bundle. Another key is made only in place of one
//! that has leaked, which means restarting every registry.
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
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SerialNumber, date_time_ymd,
};
use uuid::Uuid;

use crate::domain::keys::certificate::Certificate;
use crate::store::AuthorityRecord;

/// How long before its creation a certificate is already valid, in seconds: for clocks that are
/// late, and tokens that are back-dated.
const BACK_DATED: i64 = 24 * 60 * 60;
/// How long the authority's certificate is valid: ten years.
const LIFE: i64 = 3650 * 24 * 60 * 60;
/// When so much of it is left, it is renewed.
const RENEWED_BEFORE_END: i64 = LIFE / 3;
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
    pub fn generate(name: &str, now: i64) -> anyhow::Result<AuthorityRecord> {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = self_signed(&pair, &format!("{name} signing authority"), now)?;
        Ok(AuthorityRecord { private_key: pair.serialize_pem(), certificate })
    }

    /// Whether its certificate is to be renewed: a third of its life is left, it was made by a
    /// clock that ran ahead, or it has no sensible end, as those of an earlier version.
    #[must_use]
    pub fn is_due(certificate: &str, now: i64) -> bool {
        let longest = now.saturating_add(LIFE).saturating_add(BACK_DATED);
        Certificate::read_pem(certificate).is_some_and(|it| {
            let ends_soon = it.not_after < now.saturating_add(RENEWED_BEFORE_END);
            ends_soon || it.not_before > now || it.not_after > longest
        })
    }

    /// The same authority with a new certificate.
    ///
    /// # Errors
    ///
    /// When the record's key or certificate is invalid.
    pub fn renew(record: &AuthorityRecord, now: i64) -> anyhow::Result<AuthorityRecord> {
        let pair = pair_of(record)?;
        let name = Certificate::read_pem(&record.certificate).and_then(|it| it.common_name());
        let name = name.context("the authority's certificate has no name")?;
        let certificate = self_signed(&pair, &name, now)?;
        Ok(AuthorityRecord { certificate, ..record.clone() })
    }

    /// Reads an authority.
    ///
    /// # Errors
    ///
    /// When the record's key or certificate is invalid, or the certificate is another key's.
    pub fn read(record: &AuthorityRecord) -> anyhow::Result<Self> {
        let pair = pair_of(record)?;
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

fn pair_of(record: &AuthorityRecord) -> anyhow::Result<KeyPair> {
    KeyPair::from_pem(&record.private_key).context("the authority's key is not a key")
}

/// A certificate of an authority, PEM.
fn self_signed(pair: &KeyPair, name: &str, now: i64) -> anyhow::Result<String> {
    let mut params = named(name);
    set_validity(&mut params, now.saturating_sub(BACK_DATED), now.saturating_add(LIFE));
    // By default a digest of the public key, which a renewed certificate would repeat.
    params.serial_number = Some(SerialNumber::from_slice(Uuid::new_v4().as_bytes()));
    // It signs keys' certificates, never another authority's.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    Ok(params.self_signed(pair)?.pem())
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

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn an_authority_is_read_as_it_was_made() {
        let record = Authority::generate("test", NOW).unwrap();
        let authority = Authority::read(&record).unwrap();
        assert_eq!(authority.certificate(), record.certificate.replace('\r', ""));
        let certificate = Certificate::read_pem(&record.certificate).unwrap();
        assert!(certificate.is_authority);
        let life = (NOW - BACK_DATED, NOW + LIFE);
        assert_eq!((certificate.not_before, certificate.not_after), life);
        assert!(certificate.is_signed_by(&certificate));
    }

    #[test]
    fn a_certificate_is_renewed_when_a_third_of_its_life_is_left() {
        let certificate = Authority::generate("test", NOW).unwrap().certificate;
        let year = 365 * 24 * 60 * 60;
        for (now, is_due) in [
            (NOW, false),
            (NOW + 6 * year, false),
            (NOW + 7 * year, true),
            (NOW + 11 * year, true),
            // A clock that is a little late, one that was late, and one that was ahead.
            (NOW - BACK_DATED / 2, false),
            (NOW - 2 * BACK_DATED, true),
            (NOW - year, true),
        ] {
            assert_eq!(Authority::is_due(&certificate, now), is_due, "{}", now - NOW);
        }
        assert!(!Authority::is_due("", NOW), "what cannot be read is not replaced");
    }

    /// A registry that holds the former certificate accepts what the renewed one vouches for, and
    /// the other way round.
    #[test]
    fn a_renewed_authority_is_the_same_to_registries() {
        let record = Authority::generate("a name, O=with commas", NOW).unwrap();
        let renewed = Authority::renew(&record, NOW + LIFE).unwrap();
        assert_eq!(renewed.private_key, record.private_key);
        assert!(!Authority::is_due(&renewed.certificate, NOW + LIFE));
        let certificates = [&record, &renewed].map(|it| Certificate::read_pem(&it.certificate));
        let [former, new] = certificates.map(Option::unwrap);
        assert_ne!(former.serial(), new.serial());
        let key = KeyPair::generate().unwrap();
        for record in [&record, &renewed] {
            let authority = Authority::read(record).unwrap();
            let leaf = authority.certify(&key, "kid", NOW, NOW + 1).unwrap();
            let leaf = Certificate::read_pem(&leaf).unwrap();
            assert!(leaf.is_signed_by(&former) && leaf.is_signed_by(&new));
            assert_eq!(leaf.authority_key_id(), former.key_id());
            assert_eq!(leaf.authority_key_id(), new.key_id());
        }
    }

    #[test]
    fn records_that_are_none() {
        let (one, other) =
            (Authority::generate("one", NOW).unwrap(), Authority::generate("other", NOW).unwrap());
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
        let authority = Authority::read(&Authority::generate("test", NOW).unwrap()).unwrap();
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

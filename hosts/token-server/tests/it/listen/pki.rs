//! Certificates of a server and of clients, and what their authorities have revoked.

use std::time::Duration;

use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    CrlIssuingDistributionPoint, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};
use scopegate_server::testing::clock;

const HOUR: i64 = 3600;

/// A time, in seconds from now. Its type is a library's that this crate does not name.
macro_rules! at {
    ($from_now:expr) => {
        date_time_ymd(1970, 1, 1) + Duration::from_secs((clock::now() + $from_now).unsigned_abs())
    };
}

/// An authority.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) pem: String,
}

/// A client's certificate, before it is signed.
#[derive(Clone, Debug)]
pub(super) struct Client {
    name: SanType,
    serial: u64,
    /// When it begins and ends, in seconds from now.
    valid: (i64, i64),
    usage: ExtendedKeyUsagePurpose,
}

impl Client {
    /// One with a mail address.
    pub(super) fn named(name: &str) -> Self {
        Self {
            name: SanType::Rfc822Name(Ia5String::try_from(name).unwrap()),
            serial: 1,
            valid: (-HOUR, HOUR),
            usage: ExtendedKeyUsagePurpose::ClientAuth,
        }
    }

    pub(super) fn with_serial(self, serial: u64) -> Self {
        Self { serial, ..self }
    }

    pub(super) fn valid(self, from: i64, until: i64) -> Self {
        Self { valid: (from, until), ..self }
    }

    pub(super) fn for_servers(self) -> Self {
        Self { usage: ExtendedKeyUsagePurpose::ServerAuth, ..self }
    }
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = params();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for loopback, and its key, PEM.
    pub(super) fn server(&self) -> (String, String) {
        let mut params = params();
        params.subject_alt_names = vec![SanType::IpAddress("127.0.0.1".parse().unwrap())];
        self.sign(&params)
    }

    /// A client's certificate and its key, one after the other, PEM.
    pub(super) fn client(&self, client: &Client) -> String {
        let mut params = params();
        params.subject_alt_names = vec![client.name.clone()];
        params.serial_number = Some(SerialNumber::from(client.serial));
        params.extended_key_usages = vec![client.usage.clone()];
        (params.not_before, params.not_after) = (at!(client.valid.0), at!(client.valid.1));
        let (certificate, key) = self.sign(&params);
        certificate + &key
    }

    /// The list of revoked certificates, PEM, which was made an hour ago.
    pub(super) fn revocation_list(&self, revoked: &[u64], next_update: i64) -> String {
        self.revocation_list_of((-HOUR, 1), revoked, next_update)
    }

    /// The same, made at a time, in seconds from now, with a number.
    pub(super) fn revocation_list_of(
        &self,
        made: (i64, u64),
        revoked: &[u64],
        next_update: i64,
    ) -> String {
        self.revocation_list_at(None, made, revoked, next_update)
    }

    /// The same, published at a point.
    pub(super) fn revocation_list_at(
        &self,
        point: Option<&str>,
        (this_update, number): (i64, u64),
        revoked: &[u64],
        next_update: i64,
    ) -> String {
        let point = point.map(|uri| CrlIssuingDistributionPoint {
            distribution_point: CrlDistributionPoint { uris: vec![uri.to_owned()] },
            scope: None,
        });
        let revoked_certs = revoked.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: at!(-HOUR),
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: at!(this_update),
            next_update: at!(next_update),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: point,
            revoked_certs: revoked_certs.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }

    fn sign(&self, params: &CertificateParams) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
}

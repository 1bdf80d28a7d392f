//! Holders of client certificates: the names in a certificate, and the roles of a name.
//!
//! Follows RFC 5280: the names are the DNS names, URIs and mail addresses of the subject
//! alternative name (section 4.2.1.6), compared to the letter. The common name of the subject
//! counts only where a certificate has no alternative name at all, as in RFC 6125 (section 6.4.4).
//!
//! Left out: whether a certificate is valid, which the TLS library decides, and the other kinds of
//! names.

use std::collections::HashMap;
use std::sync::Arc;

use scopegate_core::scope_map::Role;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;
use x509_parser::prelude::X509Certificate;

use crate::config::management::CertificateName;
use crate::domain::reason::Reason;

/// The holder of a certificate with a configured name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub name: String,
    pub roles: Vec<Role>,
}

/// The configured holders.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holders {
    by_name: HashMap<String, Arc<Holder>>,
}

impl Holders {
    #[must_use]
    pub(crate) fn new(names: &[CertificateName]) -> Self {
        let holders = names.iter().map(|CertificateName { name, roles }| {
            (name.clone(), Arc::new(Holder { name: name.clone(), roles: roles.clone() }))
        });
        Self { by_name: holders.collect() }
    }

    /// The holder of a certificate, DER.
    ///
    /// # Errors
    ///
    /// [`Reason::CertificateUnknown`] for a certificate without a configured name, and
    /// [`Reason::CertificateAmbiguous`] for one with the names of two holders: which of them sends
    /// a request would be a guess.
    pub(crate) fn of(&self, der: &[u8]) -> Result<Arc<Holder>, Reason> {
        let names = names_of(der);
        let mut found = names.iter().filter_map(|name| self.by_name.get(name));
        let first = found.next().ok_or(Reason::CertificateUnknown)?;
        if found.any(|other| other != first) {
            return Err(Reason::CertificateAmbiguous);
        }
        Ok(Arc::clone(first))
    }
}

/// The names in a certificate; none where it is not one.
fn names_of(der: &[u8]) -> Vec<String> {
    let Ok((rest, certificate)) = parse_x509_certificate(der) else { return Vec::new() };
    if !rest.is_empty() {
        return Vec::new();
    }
    match certificate.subject_alternative_name() {
        Ok(Some(extension)) => {
            extension.value.general_names.iter().filter_map(alternative_name).collect()
        }
        Ok(None) => common_name(&certificate).into_iter().collect(),
        // Two such extensions, or one that cannot be read.
        Err(_) => Vec::new(),
    }
}

fn alternative_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) | GeneralName::URI(name) | GeneralName::RFC822Name(name) => {
            Some((*name).to_owned())
        }
        _ => None,
    }
}

/// The one common name; of two neither.
fn common_name(certificate: &X509Certificate<'_>) -> Option<String> {
    let mut names = certificate.subject().iter_common_name();
    match (names.next(), names.next()) {
        (Some(name), None) => name.as_str().ok().map(ToOwned::to_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::string::Ia5String;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    fn ia5(text: &str) -> Ia5String {
        text.try_into().unwrap()
    }

    /// A certificate with a common name and alternative names.
    fn certificate(common_name: Option<&str>, alternative: &[SanType]) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        if let Some(name) = common_name {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        params.subject_alt_names = alternative.to_vec();
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn a_certificate_has_the_roles_of_its_name() {
        let name = |name: &str, role| CertificateName { name: name.into(), roles: vec![role] };
        let holders = Holders::new(&[
            name("alice@example.com", Role::Owner),
            name("ops.example.com", Role::Contributor),
            name("spiffe://example.com/audit", Role::Reader),
        ]);
        let dns = |name| SanType::DnsName(ia5(name));
        let mail = |name| SanType::Rfc822Name(ia5(name));
        let uri = |name| SanType::URI(ia5(name));
        let address = SanType::IpAddress("192.0.2.1".parse().unwrap());
        let unknown = Err(Reason::CertificateUnknown);
        let ambiguous = Err(Reason::CertificateAmbiguous);
        for (common_name, alternative, expected) in [
            (None, vec![mail("alice@example.com")], Ok("alice@example.com")),
            (None, vec![dns("ops.example.com")], Ok("ops.example.com")),
            (None, vec![uri("spiffe://example.com/audit")], Ok("spiffe://example.com/audit")),
            (
                None,
                vec![dns("x"), address.clone(), mail("alice@example.com")],
                Ok("alice@example.com"),
            ),
            (Some("alice@example.com"), vec![], Ok("alice@example.com")),
            // An alternative name of any kind hides the common name.
            (Some("alice@example.com"), vec![dns("x")], unknown),
            (Some("alice@example.com"), vec![address], unknown),
            (Some("alice@example.com"), vec![dns("ops.example.com")], Ok("ops.example.com")),
            // To the letter.
            (Some("Alice@example.com"), vec![], unknown),
            (Some("alice@example.com "), vec![], unknown),
            (None, vec![dns("OPS.example.com")], unknown),
            (None, vec![dns("*.example.com")], unknown),
            (None, vec![uri("spiffe://example.com/audit/")], unknown),
            (None, vec![dns("ops.example.com"), dns("ops.example.com")], Ok("ops.example.com")),
            (None, vec![dns("ops.example.com"), mail("alice@example.com")], ambiguous),
            (None, vec![], unknown),
        ] {
            let holder = holders.of(&certificate(common_name, &alternative));
            let found = holder.as_ref().map(|holder| holder.name.as_str()).map_err(|error| *error);
            assert_eq!(found, expected, "{common_name:?} {alternative:?}");
        }
        assert_eq!(holders.of(b"no certificate"), Err(Reason::CertificateUnknown));
    }
}

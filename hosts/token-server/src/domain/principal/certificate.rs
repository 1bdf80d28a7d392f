//! Holders of client certificates: the names in a certificate, and the roles of a name.
//!
//! Follows RFC 5280: the names are the DNS names, URIs and mail addresses of the subject
//! alternative name (section 4.2.1.6), compared to the letter. A configured name is of one of these
//! types, and no name of another type is compared with it: name constraints of an authority hold
//! for each type by itself (section 4.2.1.10), so one that is constrained in mail addresses could
//! otherwise write `alice@example.com` as a DNS name.
//!
//! Left out: whether a certificate is valid, which the TLS library decides; the other types of
//! names; and the common name of the subject, which RFC 9525 (section 2) no longer reads, and which
//! no name constraint bounds.

use std::collections::HashMap;
use std::sync::Arc;

use scopegate_core::scope_map::Role;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use crate::config::management::CertificateName;
use crate::domain::reason::Reason;

/// The holder of a certificate with a configured name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub name: String,
    pub roles: Vec<Role>,
}

/// The type of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NameType {
    Dns,
    Mail,
    Uri,
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
    /// [`Reason::CertificateUnknown`] for a certificate without a configured name,
    /// [`Reason::CertificateNameless`] for one without a subject alternative name, and
    /// [`Reason::CertificateAmbiguous`] for one with the names of two holders: which of them sends
    /// a request would be a guess.
    pub(crate) fn of(&self, der: &[u8]) -> Result<Arc<Holder>, Reason> {
        let names = names_of(der)?;
        let names = names.iter().filter(|(name_type, name)| NameType::of(name) == *name_type);
        let mut found = names.filter_map(|(_, name)| self.by_name.get(name));
        let first = found.next().ok_or(Reason::CertificateUnknown)?;
        if found.any(|other| other != first) {
            return Err(Reason::CertificateAmbiguous);
        }
        Ok(Arc::clone(first))
    }
}

impl NameType {
    /// The type of a configured name: a URI by its scheme, a mail address by its `@`.
    fn of(name: &str) -> Self {
        if has_scheme(name) {
            Self::Uri
        } else if name.contains('@') {
            Self::Mail
        } else {
            Self::Dns
        }
    }
}

/// Whether a text begins as a URI (RFC 3986, section 3.1). No mail address does, nor a DNS name.
fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

/// The names in a certificate, with their types.
fn names_of(der: &[u8]) -> Result<Vec<(NameType, String)>, Reason> {
    let (rest, certificate) =
        parse_x509_certificate(der).map_err(|_| Reason::CertificateUnknown)?;
    if !rest.is_empty() {
        return Err(Reason::CertificateUnknown);
    }
    // An error is two such extensions, or one that cannot be read.
    let names = certificate.subject_alternative_name().map_err(|_| Reason::CertificateUnknown)?;
    let names = names.ok_or(Reason::CertificateNameless)?;
    Ok(names.value.general_names.iter().filter_map(typed).collect())
}

fn typed(name: &GeneralName<'_>) -> Option<(NameType, String)> {
    let (name_type, name) = match name {
        GeneralName::DNSName(name) => (NameType::Dns, name),
        GeneralName::RFC822Name(name) => (NameType::Mail, name),
        GeneralName::URI(name) => (NameType::Uri, name),
        _ => return None,
    };
    Some((name_type, (*name).to_owned()))
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
            name("urn:example:a@b", Role::Reader),
        ]);
        let dns = |name| SanType::DnsName(ia5(name));
        let mail = |name| SanType::Rfc822Name(ia5(name));
        let uri = |name| SanType::URI(ia5(name));
        let address = SanType::IpAddress("192.0.2.1".parse().unwrap());
        let unknown = Err(Reason::CertificateUnknown);
        let nameless = Err(Reason::CertificateNameless);
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
            (None, vec![uri("urn:example:a@b")], Ok("urn:example:a@b")),
            // A name of another type.
            (None, vec![dns("alice@example.com")], unknown),
            (None, vec![uri("alice@example.com")], unknown),
            (None, vec![mail("ops.example.com")], unknown),
            (None, vec![uri("ops.example.com")], unknown),
            (None, vec![dns("spiffe://example.com/audit")], unknown),
            (None, vec![mail("spiffe://example.com/audit")], unknown),
            (None, vec![mail("urn:example:a@b")], unknown),
            (
                None,
                vec![dns("alice@example.com"), mail("bob@example.com"), dns("ops.example.com")],
                Ok("ops.example.com"),
            ),
            // The common name is not read.
            (Some("alice@example.com"), vec![], nameless),
            (Some("ops.example.com"), vec![], nameless),
            (Some("alice@example.com"), vec![dns("x")], unknown),
            (Some("alice@example.com"), vec![address], unknown),
            (Some("alice@example.com"), vec![dns("ops.example.com")], Ok("ops.example.com")),
            // To the letter.
            (None, vec![mail("Alice@example.com")], unknown),
            (None, vec![mail("alice@example.com ")], unknown),
            (None, vec![dns("ops.example.com.")], unknown),
            (None, vec![dns("OPS.example.com")], unknown),
            (None, vec![dns("*.example.com")], unknown),
            (None, vec![uri("spiffe://example.com/audit/")], unknown),
            (None, vec![dns("ops.example.com"), dns("ops.example.com")], Ok("ops.example.com")),
            (None, vec![dns("ops.example.com"), mail("alice@example.com")], ambiguous),
            (None, vec![], nameless),
        ] {
            let holder = holders.of(&certificate(common_name, &alternative));
            let found = holder.as_ref().map(|holder| holder.name.as_str()).map_err(|error| *error);
            assert_eq!(found, expected, "{common_name:?} {alternative:?}");
        }
        assert_eq!(holders.of(b"no certificate"), Err(Reason::CertificateUnknown));
    }
}

//! Whether a registry trusts the certificates in a token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Doctor, Registry, Verdict};
use crate::clock::rfc3339;
use crate::domain::keys::certificate::Certificate;

impl Doctor<'_> {
    /// Checks a token that carries its certificate: then the registry ignores the `kid`.
    pub(super) fn certificate(&mut self, registry: &Registry) {
        let get_bundle = self.get_bundle(registry);
        let chain = self.chain();
        let Some(leaf) = chain.first() else {
            return self.find(
                Verdict::Refused,
                "the certificate in the token's header cannot be read",
                "x5c is a list of certificates, each in DER and base64",
                "take a token of this server",
            );
        };
        let Some(bundle) = &registry.bundle else {
            return self.find(
                Verdict::RefusedBy3,
                "the token carries its certificate, and the registry has no rootcertbundle",
                "a certificate goes before the kid, so the key set is not looked at",
                format!("a line `rootcertbundle: /path/of/signing-cert.pem` under auth.token, or a server without x5c; {get_bundle}"),
            );
        };
        if !leads_to(&chain, &bundle.certificates) {
            self.find(
                Verdict::Refused,
                "the token's certificate is signed by no certificate of the registry's bundle",
                "the registry looks for a chain from x5c to its bundle, and does not look at the kid then",
                get_bundle,
            );
        } else if let Some(ended) = self.ended(&chain, &bundle.certificates) {
            self.find(
                Verdict::Refused,
                ended,
                "by its kid alone a registry would take it; in an x5c every certificate must be valid",
                "look at the clock of the registry, and let the token server run, which renews certificates",
            );
        } else if !self.token.is_signed_with(&leaf.public_key) {
            self.find(
                Verdict::Refused,
                "the certificate in the token is of another key than the one that signed it",
                "the token was changed on its way, or cut off, or signed by another issuer",
                "get a fresh token, and compare it with what arrives at the registry",
            );
        }
    }

    pub(super) fn chain(&self) -> Vec<Certificate> {
        let texts = self.token.header.get("x5c").and_then(Value::as_array);
        let read = |text: &Value| Certificate::read(&STANDARD.decode(text.as_str()?).ok()?);
        let chain: Option<Vec<_>> = texts.and_then(|texts| texts.iter().map(read).collect());
        chain.unwrap_or_default()
    }

    /// Finds certificates of a chain, and of its root, that are not valid now.
    pub(super) fn ended(&self, chain: &[Certificate], roots: &[Certificate]) -> Option<String> {
        let root = roots.iter().find(|root| chain.iter().any(|it| is_root(it, root)));
        let ended = chain.iter().chain(root).find(|it| !it.is_valid_at(self.now))?;
        Some(format!(
            "the certificate of the key {} is valid from {} to {}",
            ended.public_key.fingerprint(),
            rfc3339(ended.not_before),
            rfc3339(ended.not_after)
        ))
    }
}

/// Whether a chain leads to one of these certificates, each signed by the next.
fn leads_to(chain: &[Certificate], roots: &[Certificate]) -> bool {
    for (index, certificate) in chain.iter().enumerate() {
        if roots.iter().any(|root| is_root(certificate, root)) {
            return true;
        }
        let next = chain.get(index + 1);
        if !next.is_some_and(|next| next.is_authority && certificate.is_signed_by(next)) {
            return false;
        }
    }
    false
}

/// Whether the registry trusts a certificate by this one of its bundle: it is the same, or signed
/// by it.
fn is_root(certificate: &Certificate, root: &Certificate) -> bool {
    certificate == root || root.is_authority && certificate.is_signed_by(root)
}

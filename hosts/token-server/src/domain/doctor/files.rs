//! Problems in the files of a registry, independent of the token.

use super::{Doctor, Registry, Verdict};
use crate::domain::keys::public_key::Kind;

impl Doctor<'_> {
    /// Finds problems in the registry's files, independent of the token.
    pub(super) fn files(&mut self, registry: &Registry) {
        let get_bundle = self.get_bundle(registry);
        let Some(bundle) = &registry.bundle else {
            return self.find(
                Verdict::RefusedBy2,
                "the registry has no rootcertbundle",
                "version 2.8 knows no other way to a key, and does not start without it",
                format!("a line `rootcertbundle: /path/of/signing-cert.pem` under auth.token; {get_bundle}"),
            );
        };
        let path = &bundle.path;
        if bundle.certificates.is_empty() {
            let found = match bundle.bare_keys {
                0 => "no certificate".to_owned(),
                _ => "a bare public key instead of a certificate".to_owned(),
            };
            self.find(
                if registry.jwks.is_some() { Verdict::RefusedBy2 } else { Verdict::Refused },
                format!("{path} holds {found}"),
                "a registry skips other content, and does not start without a certificate",
                get_bundle.clone(),
            );
        }
        if bundle.broken > 0 {
            self.find(
                Verdict::Refused,
                format!("{path} holds a certificate that cannot be read"),
                "a registry does not start with it",
                get_bundle.clone(),
            );
        }
        if bundle.certificates.iter().any(|it| matches!(it.public_key.kind, Kind::Ed25519 { .. })) {
            self.find(
                Verdict::RefusedBy2,
                format!("{path} holds an Ed25519 certificate"),
                "version 2.8 panics at its start on one, anywhere in the bundle",
                format!("{get_bundle}: the server leaves such certificates out"),
            );
        }
        if bundle.has_private_key {
            self.find(
                Verdict::Possible,
                format!("{path} holds a private key"),
                "every reader of the registry's files can sign tokens",
                format!("{get_bundle}; then `scopegate-server keys rotate`"),
            );
        }
    }
}

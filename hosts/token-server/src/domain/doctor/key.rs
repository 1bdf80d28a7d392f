//! Whether a registry finds the key of a token, and by which id.

use super::{Doctor, Registry, Verdict, listed};
use crate::clock::rfc3339;
use crate::domain::keys::SigningKey;
use crate::domain::keys::certificate::Certificate;
use crate::domain::keys::public_key::{Kind, PublicKey};

impl Doctor<'_> {
    pub(super) fn algorithm(&mut self, registry: &Registry) {
        let algorithm = self.token.in_header("alg").unwrap_or("none").to_owned();
        let what = format!("the token is signed with {algorithm}");
        match algorithm.as_str() {
            "ES256" | "ES384" | "ES512" | "RS256" | "RS384" | "RS512" => {}
            "EdDSA" | "PS256" | "PS384" | "PS512" => self.find(
                Verdict::RefusedBy2,
                what.clone(),
                "version 2.8 knows ES256, ES384, ES512, RS256, RS384 and RS512 only",
                "let the server sign with ES256, or take version 3 of the registry",
            ),
            _ => self.find(
                Verdict::Refused,
                what.clone(),
                "that is not a signature with a private key, so every registry refuses it",
                "let the server sign with ES256",
            ),
        }
        let allowed = &registry.algorithms;
        if !allowed.is_empty() && !allowed.contains(&algorithm) {
            self.find(
                Verdict::RefusedBy3,
                format!("{what}, and the registry allows {}", allowed.join(", ")),
                "version 3 refuses what its signingalgorithms do not name",
                format!("add {algorithm} to signingalgorithms under auth.token"),
            );
        }
    }

    /// Finds the key that the registry verifies the token with. A certificate in the token precedes
    /// its `kid`.
    pub(super) fn key(&mut self, registry: &Registry) {
        if self.token.header.get("x5c").is_some() {
            return self.certificate(registry);
        }
        let Some(kid) = self.token.in_header("kid").map(ToOwned::to_owned) else {
            return self.find(
                Verdict::Refused,
                "the token names no key",
                "its header has no kid and no x5c, so the registry cannot know which key to try",
                "take a token of this server; it names its key always",
            );
        };
        self.kid(&kid, registry);
    }

    pub(super) fn kid(&mut self, kid: &str, registry: &Registry) {
        let none = Vec::new();
        let certificates = registry.bundle.as_ref().map_or(&none, |bundle| &bundle.certificates);
        let by_fingerprint = certificates.iter().find(|it| it.public_key.fingerprint() == kid);
        // Version 3.0 computes the thumbprint of an EC key from the curve and not from the key, so
        // no EC key is ever found by it.
        let by_thumbprint =
            certificates.iter().find(|it| it.public_key.thumbprint().as_deref() == Some(kid));
        let is_rsa = |it: &Certificate| matches!(it.public_key.kind, Kind::Rsa { .. });
        let in_jwks =
            registry.jwks.as_ref().is_some_and(|jwks| jwks.kids.iter().any(|it| it == kid));
        let is_published = self.server.ring.is_some_and(|ring| ring.find(kid).is_some());
        let newer = "the key is one of the server's, so the registry's file is older than the key";
        if let (Some(_), None) = (&registry.bundle, by_fingerprint) {
            let keys: Vec<_> = certificates.iter().map(|it| it.public_key.fingerprint()).collect();
            let knows = format!("the bundle knows {}", listed(&keys));
            match by_thumbprint {
                Some(_) => self.find(
                    Verdict::RefusedBy2,
                    format!("the kid {kid} is the thumbprint of RFC 7638 of a key in the bundle"),
                    format!("version 2.8 looks for libtrust's fingerprint only; {knows}"),
                    "let the token server write libtrust's fingerprint as kid, or the certificate as x5c",
                ),
                None => self.find(
                    Verdict::RefusedBy2,
                    format!("the key {kid} is not in the registry's bundle"),
                    if is_published { format!("{newer}; {knows}") } else { knows },
                    self.get_bundle(registry),
                ),
            }
        }
        if !in_jwks && !by_thumbprint.is_some_and(is_rsa) {
            let why = match (by_fingerprint, is_published, &registry.jwks) {
                (Some(_), _, None) => "the key is in the bundle, but version 3 knows the keys of its bundle by another id, and looks for this one in a JWKS only".to_owned(),
                (_, true, Some(_)) => newer.to_owned(),
                (_, _, Some(jwks)) => format!("the key set knows {}", listed(&jwks.kids)),
                (_, _, None) => "version 3 looks for it in a JWKS, and none is configured".to_owned(),
            };
            self.find(
                Verdict::RefusedBy3,
                format!("the key {kid} is not in a JWKS of the registry"),
                why,
                self.get_jwks(registry),
            );
        }
        let ours = self.server.ring.and_then(|ring| ring.find(kid));
        let known = by_fingerprint.or(ours.filter(|_| in_jwks).map(SigningKey::certificate));
        if let Some(certificate) = known {
            self.signature(&certificate.public_key, kid, registry);
        }
    }

    /// Checks a key that the registry has: it must have signed the token, and the registry must
    /// have read its file since.
    pub(super) fn signature(&mut self, key: &PublicKey, kid: &str, registry: &Registry) {
        if !self.token.is_signed_with(key) {
            return self.find(
                Verdict::Refused,
                format!("the key {kid} did not sign this token"),
                "the token was changed on its way, or cut off, or signed by another issuer",
                "get a fresh token, and compare it with what arrives at the registry",
            );
        }
        let made = self.server.ring.and_then(|ring| ring.find(kid)).map(SigningKey::created_at);
        let Some(made) = made else { return };
        let since = rfc3339(made);
        match registry.started_at {
            Some(started) if started >= made => {}
            Some(started) => self.find(
                Verdict::Refused,
                format!("the registry started before the key {kid} was made"),
                format!("it reads its files only when it starts: it started at {}, the key is of {since}", rfc3339(started)),
                "restart the registry",
            ),
            None => self.find(
                Verdict::Possible,
                format!("a registry that started before {since} does not know the key {kid}"),
                "it reads its files only when it starts",
                "restart the registry if it has been running for longer than that",
            ),
        }
    }
}

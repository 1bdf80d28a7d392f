//! Why does a registry refuse a token? All that it says itself is "token signed by untrusted key".
//!
//! Follows what CNCF distribution 2.8.2 and 3.0.0 do with a token, in their order: the header's algorithm, then the key, by `x5c` or by
//! `kid`, then the claims. Both read their certificates and key sets when they start, and never again.
//!
//! Looking changes nothing, asks nobody, and needs no secret: a token, the public half of the server's keys, and the registry's files.
//!
//! Left out: what the token opens, which is the scope map's matter, and tokens with a `jwk` in their header, which we never write.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::clock::rfc3339;
use crate::issue::LEEWAY;
use crate::keys::certificate::Certificate;
use crate::keys::public_key::{Kind, PublicKey};
use crate::keys::{Algorithm, Ring, SigningKey};

pub mod registry;

pub use registry::Registry;

/// What is known about the token server.
#[derive(Clone, Copy, Debug, Default)]
pub struct Server<'a> {
    /// What it writes into `iss`.
    pub issuer: &'a str,
    /// What it writes into `aud`.
    pub service: &'a str,
    /// The address under which clients reach it, without a path.
    pub public_url: &'a str,
    /// Its keys.
    pub ring: Option<&'a Ring>,
}

/// Something that is wrong, or may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Who minds.
    pub verdict: Verdict,
    /// What it is.
    pub what: String,
    /// Why it matters.
    pub why: String,
    /// The command, or the line of a configuration, that puts it right.
    pub fix: String,
}

/// Who minds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every registry refuses the token.
    Refused,
    /// CNCF distribution 2.8 refuses it, or does not even start.
    RefusedBy2,
    /// CNCF distribution 3 refuses it.
    RefusedBy3,
    /// Nobody, as far as one can see from here.
    Possible,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Refused => "refused",
            Verdict::RefusedBy2 => "refused by version 2.8",
            Verdict::RefusedBy3 => "refused by version 3",
            Verdict::Possible => "worth a look",
        };
        let Self { what, why, fix, .. } = self;
        write!(f, "{verdict}: {what}\n  why: {why}\n  fix: {fix}")
    }
}

/// What makes a registry refuse this token, the most likely first; nothing when all is well.
#[must_use]
pub fn diagnose(
    token: &str,
    server: &Server<'_>,
    registry: Option<&Registry>,
    now: i64,
) -> Vec<Finding> {
    let token = token.trim();
    let Some(token) = Token::read(token.strip_prefix("Bearer ").unwrap_or(token)) else {
        return vec![Finding {
            verdict: Verdict::Refused,
            what: "this is no token".into(),
            why: "a token is three parts of base64url with points between them, and the first two hold JSON objects".into(),
            fix: "take the value of `access_token` from the answer of /oauth2/token, whole".into(),
        }];
    };
    let mut doctor = Doctor { token, server, now, findings: Vec::new() };
    match registry {
        Some(registry) => {
            doctor.files(registry);
            doctor.algorithm(registry);
            doctor.key(registry);
            doctor.names(&registry.issuer, &registry.service, "the registry's configuration");
        }
        None => {
            doctor.algorithm(&Registry::default());
            doctor.names(server.issuer, server.service, "the token server");
        }
    }
    doctor.origin();
    doctor.claims();
    doctor.findings
}

/// A token, taken apart. Nothing in it is trusted.
struct Token {
    header: Value,
    claims: Value,
    message: String,
    signature: Vec<u8>,
}

impl Token {
    fn read(text: &str) -> Option<Self> {
        let (message, signature) = text.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let object =
            |part: &str| serde_json::from_slice(&decode(part)?).ok().filter(Value::is_object);
        Some(Self {
            header: object(header)?,
            claims: object(claims)?,
            message: message.to_owned(),
            signature: decode(signature)?,
        })
    }

    fn in_header(&self, name: &str) -> Option<&str> {
        self.header.get(name)?.as_str()
    }

    /// Whether this key signed it, as far as we know its algorithm.
    fn is_signed_with(&self, key: &PublicKey) -> bool {
        let algorithm = key.algorithm().map(Algorithm::as_str);
        if algorithm != self.in_header("alg") {
            return true;
        }
        let key = key.verifying();
        key.is_some_and(|key| key.verify_sig(self.message.as_bytes(), &self.signature).is_ok())
    }
}

struct Doctor<'a> {
    token: Token,
    server: &'a Server<'a>,
    now: i64,
    findings: Vec<Finding>,
}

impl Doctor<'_> {
    fn find(
        &mut self,
        verdict: Verdict,
        what: impl Into<String>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) {
        let (what, why, fix) = (what.into(), why.into(), fix.into());
        self.findings.push(Finding { verdict, what, why, fix });
    }

    /// The command that gets the bundle of this moment.
    fn get_bundle(&self, registry: &Registry) -> String {
        let path = registry.bundle.as_ref().map_or("signing-cert.pem", |bundle| &bundle.path);
        let url = self.server.public_url.trim_end_matches('/');
        format!("curl -fo {path} {url}/.well-known/token-signing.pem, then restart the registry")
    }

    /// The command that gets the key set of this moment.
    fn get_jwks(&self, registry: &Registry) -> String {
        let url = self.server.public_url.trim_end_matches('/');
        match &registry.jwks {
            Some(jwks) => format!(
                "curl -fo {} {url}/.well-known/jwks.json, then restart the registry",
                jwks.path
            ),
            None => format!(
                "curl -fo jwks.json {url}/.well-known/jwks.json, a line `jwks: /path/of/jwks.json` under auth.token, then restart the registry"
            ),
        }
    }

    /// What is wrong with the registry's files, whatever the token.
    fn files(&mut self, registry: &Registry) {
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
                "a registry skips whatever is no certificate, and does not start when nothing is left",
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
                "version 2.8 panics at its start on one, wherever it stands in the bundle",
                format!("{get_bundle}: the server leaves such certificates out"),
            );
        }
        if bundle.has_private_key {
            self.find(
                Verdict::Possible,
                format!("{path} holds a private key"),
                "whoever can read the registry's files can sign tokens",
                format!("{get_bundle}; then `scopegate-server keys rotate`"),
            );
        }
    }

    fn algorithm(&mut self, registry: &Registry) {
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
                "that is no signature with a private key, so no registry takes it",
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

    /// Which key the registry takes the token to be signed with. A certificate in the token goes before its `kid`.
    fn key(&mut self, registry: &Registry) {
        if self.token.header.get("x5c").is_some() {
            return self.certificate(registry);
        }
        let Some(kid) = self.token.in_header("kid").map(ToOwned::to_owned) else {
            return self.find(
                Verdict::Refused,
                "the token names no key",
                "its header has neither kid nor x5c, so the registry cannot know which key to try",
                "take a token of this server; it names its key always",
            );
        };
        self.kid(&kid, registry);
    }

    fn kid(&mut self, kid: &str, registry: &Registry) {
        let none = Vec::new();
        let certificates = registry.bundle.as_ref().map_or(&none, |bundle| &bundle.certificates);
        let by_fingerprint = certificates.iter().find(|it| it.public_key.fingerprint() == kid);
        // Version 3.0 computes the thumbprint of an EC key from the curve and not from the key, so no EC key is ever found by it.
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

    /// The registry has the key. Then it must be the one that signed, and the registry must have read its file since.
    fn signature(&mut self, key: &PublicKey, kid: &str, registry: &Registry) {
        if !self.token.is_signed_with(key) {
            return self.find(
                Verdict::Refused,
                format!("the key {kid} did not sign this token"),
                "the token was changed on its way, or cut off, or somebody else signed it",
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

    /// A token that carries its certificate: then the `kid` is not looked at.
    fn certificate(&mut self, registry: &Registry) {
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
                "the token was changed on its way, or cut off, or somebody else signed it",
                "get a fresh token, and compare it with what arrives at the registry",
            );
        }
    }

    fn chain(&self) -> Vec<Certificate> {
        let texts = self.token.header.get("x5c").and_then(Value::as_array);
        let read = |text: &Value| Certificate::read(&STANDARD.decode(text.as_str()?).ok()?);
        let chain: Option<Vec<_>> = texts.and_then(|texts| texts.iter().map(read).collect());
        chain.unwrap_or_default()
    }

    /// What is not valid now of a chain and of the certificate that it leads to.
    fn ended(&self, chain: &[Certificate], roots: &[Certificate]) -> Option<String> {
        let root = roots.iter().find(|root| chain.iter().any(|it| is_root(it, root)));
        let ended = chain.iter().chain(root).find(|it| !it.is_valid_at(self.now))?;
        Some(format!(
            "the certificate of the key {} is valid from {} to {}",
            ended.public_key.fingerprint(),
            rfc3339(ended.not_before),
            rfc3339(ended.not_after)
        ))
    }

    /// Whether `iss` and `aud` are what their reader wants.
    fn names(&mut self, issuer: &str, service: &str, reader: &str) {
        let iss = self.token.claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        if iss != issuer {
            self.find(
                Verdict::Refused,
                format!("the token's issuer is `{iss}`, {reader} says `{issuer}`"),
                "both must be the same, letter by letter",
                format!("`issuer: {iss}` under auth.token of the registry, or `--issuer {issuer}` for the server"),
            );
        }
        let aud = self.token.claims.get("aud").cloned();
        let aud = match &aud {
            Some(Value::Array(list)) => {
                self.find(
                    Verdict::RefusedBy2,
                    "the token's audience is a list",
                    "version 2.8 reads one string only",
                    "take a token of this server, which writes a string",
                );
                if list.iter().any(|it| it == service) {
                    return;
                }
                list.first().and_then(Value::as_str)
            }
            aud => aud.as_ref().and_then(Value::as_str),
        };
        let aud = aud.unwrap_or_default().to_owned();
        if aud != service {
            self.find(
                Verdict::Refused,
                format!("the token is for `{aud}`, {reader} is `{service}`"),
                "the audience of a token is the service that the registry names in its challenge",
                format!("`service: {aud}` under auth.token of the registry, or `--service {service}` for the server"),
            );
        }
    }

    /// Whether the token is one of the server's.
    fn origin(&mut self) {
        let Some(ring) = self.server.ring else { return };
        let kid = self.token.in_header("kid").unwrap_or_default();
        if ring.find(kid).is_none() {
            let kids: Vec<_> = ring.keys().map(|key| key.kid().to_owned()).collect();
            self.find(
                Verdict::Possible,
                format!("the token's key `{kid}` is not one of this server's"),
                format!(
                    "its keys are {}; the token is of another server, or of a key that is gone",
                    listed(&kids)
                ),
                "get a fresh token, and look whether the realm of the registry is this server",
            );
        }
    }

    fn claims(&mut self) {
        let claims = &self.token.claims;
        let time = |name: &str| claims.get(name).map(Value::as_i64);
        let (exp, nbf) = (time("exp"), time("nbf"));
        if claims.get("grant_type").is_some_and(|it| it == "refresh_token") {
            self.find(
                Verdict::Refused,
                "this is a refresh token",
                "it gets access tokens, and opens nothing in a registry",
                "take the value of `access_token` from the answer of /oauth2/token",
            );
        }
        match exp {
            None | Some(None) => self.find(
                Verdict::Refused,
                "the token's exp is no whole number",
                "a registry needs the time at which a token ends, in seconds since 1970",
                "take a token of this server",
            ),
            Some(Some(exp)) if exp.saturating_add(LEEWAY) <= self.now => self.find(
                Verdict::Refused,
                format!(
                    "the token ended at {}, {} seconds ago",
                    rfc3339(exp),
                    self.now.saturating_sub(exp)
                ),
                "a registry takes it for a minute longer, not more",
                "get a fresh token; if this one is fresh, set the clocks of both machines",
            ),
            Some(Some(_)) => {}
        }
        match nbf {
            Some(Some(nbf)) if nbf.saturating_sub(LEEWAY) > self.now => self.find(
                Verdict::Refused,
                format!("the token begins at {}, in {} seconds", rfc3339(nbf), nbf.saturating_sub(self.now)),
                "the clock of the token server is ahead, or the one here is late; a minute would not matter",
                "set the clocks of both machines",
            ),
            Some(None) => self.find(
                Verdict::Refused,
                "the token's nbf is no whole number",
                "a registry reads the time at which a token begins in seconds since 1970",
                "take a token of this server",
            ),
            _ => {}
        }
    }
}

/// Whether a chain leads to one of these certificates, each of it signed by the next.
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

/// Whether the registry trusts a certificate by this one of its bundle: it is the same, or signed by it.
fn is_root(certificate: &Certificate, root: &Certificate) -> bool {
    certificate == root || root.is_authority && certificate.is_signed_by(root)
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::registry::{Bundle, Jwks};
    use super::*;
    use crate::issue::{ACCESS_LIFETIME, Issuer, Subject};
    use crate::keys::signing_key::Times;
    use crate::keys::{Authority, KeyRecord, RsaSize};
    use scopegate_api::claims::PrincipalKind;
    use serde_json::json;

    const NOW: i64 = 1_800_000_000;

    struct Case {
        record: KeyRecord,
        authority: Authority,
        issuer: Issuer,
        registry: Registry,
    }

    impl Case {
        /// A server with one key, and a registry that trusts it.
        fn new(algorithm: Algorithm, x5c: bool) -> Self {
            let authority = Authority::read(&Authority::generate("test").unwrap()).unwrap();
            let times = Times { created_at: NOW, signs_from: NOW, certified_until: NOW + 100_000 };
            let size = RsaSize::Bits2048;
            let record = SigningKey::generate(algorithm, size, times, &authority).unwrap();
            let ring = Ring::read(std::slice::from_ref(&record), authority.certificate()).unwrap();
            let registry = Registry {
                issuer: "i".into(),
                service: "s".into(),
                bundle: Some(Bundle::read("b.pem".into(), ring.bundle())),
                jwks: Some(Jwks { path: "j.json".into(), kids: vec![record.kid.clone()] }),
                started_at: Some(NOW),
                ..Registry::default()
            };
            let issuer = Issuer::new("i".into(), "s".into(), x5c, ring);
            Self { record, authority, issuer, registry }
        }

        fn token(&self) -> String {
            let subject = Subject::new("somebody", PrincipalKind::Token, 0);
            self.issuer.access_token(&subject, "r", Vec::new(), ACCESS_LIFETIME, NOW).unwrap()
        }

        fn diagnose(&self, token: &str, now: i64) -> Vec<Finding> {
            let (issuer, ring) = (&self.issuer, self.issuer.ring());
            let server = Server {
                issuer: &issuer.issuer,
                service: &issuer.service,
                public_url: "http://127.0.0.1:5001/",
                ring: Some(&ring),
            };
            diagnose(token, &server, Some(&self.registry), now)
        }

        /// What is found, with `KID` for the key's id: the verdict and the first words.
        #[track_caller]
        fn finds(&self, token: &str, now: i64, expected: &[(Verdict, &str)]) {
            let findings = self.diagnose(token, now);
            let found: Vec<_> = findings
                .iter()
                .map(|it| (it.verdict, it.what.replace(&self.record.kid, "KID")))
                .collect();
            let expected: Vec<_> =
                expected.iter().map(|(verdict, what)| (*verdict, (*what).to_owned())).collect();
            assert_eq!(found, expected);
        }
    }

    use Verdict::{Possible, Refused, RefusedBy2, RefusedBy3};

    #[test]
    fn all_is_well() {
        for (algorithm, x5c) in [
            (Algorithm::Es256, false),
            (Algorithm::Es256, true),
            (Algorithm::Rs256, false),
            (Algorithm::Rs256, true),
        ] {
            let case = Case::new(algorithm, x5c);
            case.finds(&case.token(), NOW, &[]);
            case.finds(&format!("Bearer {}\n", case.token()), NOW, &[]);
        }
    }

    #[test]
    fn texts_that_are_no_tokens() {
        let case = Case::new(Algorithm::Es256, false);
        let token = case.token();
        for text in ["", "a.b.c", "e30.e30", "W10.e30.AA", "e30.W10.AA", &token[1..]] {
            case.finds(text, NOW, &[(Refused, "this is no token")]);
        }
    }

    #[test]
    fn the_registry_started_too_early() {
        let mut case = Case::new(Algorithm::Es256, false);
        case.registry.started_at = Some(NOW - 1);
        let expected = [(Refused, "the registry started before the key KID was made")];
        case.finds(&case.token(), NOW, &expected);
        case.registry.started_at = None;
        let what = "a registry that started before 2027-01-15T08:00:00Z does not know the key KID";
        case.finds(&case.token(), NOW, &[(Possible, what)]);
    }

    #[test]
    fn the_files_are_older_than_the_key() {
        let mut case = Case::new(Algorithm::Es256, false);
        let older = Case::new(Algorithm::Es256, false);
        case.registry.bundle = older.registry.bundle.clone();
        case.registry.jwks = older.registry.jwks.clone();
        case.finds(
            &case.token(),
            NOW,
            &[
                (RefusedBy2, "the key KID is not in the registry's bundle"),
                (RefusedBy3, "the key KID is not in a JWKS of the registry"),
            ],
        );
        let findings = case.diagnose(&case.token(), NOW);
        assert!(findings[0].why.starts_with("the key is one of the server's"), "{}", findings[0]);
        assert!(findings[0].why.contains(&older.record.kid), "{}", findings[0]);
        assert_eq!(
            findings[0].fix,
            "curl -fo b.pem http://127.0.0.1:5001/.well-known/token-signing.pem, then restart the registry"
        );
        assert_eq!(
            findings[1].fix,
            "curl -fo j.json http://127.0.0.1:5001/.well-known/jwks.json, then restart the registry"
        );
    }

    #[test]
    fn what_a_bundle_may_not_hold() {
        let mut case = Case::new(Algorithm::EdDsa, false);
        let pem = format!("{}{}", case.record.private_key, case.record.certificate);
        case.registry.bundle = Some(Bundle::read("b.pem".into(), &pem));
        case.finds(
            &case.token(),
            NOW,
            &[
                (RefusedBy2, "b.pem holds an Ed25519 certificate"),
                (Possible, "b.pem holds a private key"),
                (RefusedBy2, "the token is signed with EdDSA"),
            ],
        );
        let mut case = Case::new(Algorithm::Es256, false);
        let bare = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
        case.registry.bundle = Some(Bundle::read("b.pem".into(), bare));
        case.finds(
            &case.token(),
            NOW,
            &[
                (RefusedBy2, "b.pem holds a bare public key instead of a certificate"),
                (RefusedBy2, "the key KID is not in the registry's bundle"),
            ],
        );
        case.registry.bundle = None;
        case.finds(&case.token(), NOW, &[(RefusedBy2, "the registry has no rootcertbundle")]);
    }

    /// A token of somebody who calls the same key by its thumbprint.
    #[test]
    fn the_kid_is_a_thumbprint() {
        let mut case = Case::new(Algorithm::Rs256, false);
        case.registry.jwks = None;
        let key = Certificate::read_pem(&case.record.certificate).unwrap().public_key;
        let thumbprint = key.thumbprint().unwrap();
        let header = json!({ "alg": "RS256", "kid": thumbprint }).to_string();
        let token = case.token();
        let (_, rest) = token.split_once('.').unwrap();
        let token = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header));
        let first =
            format!("the kid {thumbprint} is the thumbprint of RFC 7638 of a key in the bundle");
        let last = format!("the token's key `{thumbprint}` is not one of this server's");
        case.finds(&token, NOW, &[(RefusedBy2, &first), (Possible, &last)]);
    }

    #[test]
    fn certificates_in_tokens() {
        let mut case = Case::new(Algorithm::Es256, true);
        let bundle = Bundle::read("b.pem".into(), case.authority.certificate());
        case.registry.bundle = Some(bundle.clone());
        case.registry.jwks = None;
        case.finds(&case.token(), NOW, &[]);

        let findings = case.diagnose(&case.token(), NOW + 100_001);
        let what = "the certificate of the key KID is valid from 2027-01-14T08:00:00Z to 2027-01-16T11:46:40Z";
        assert_eq!(findings[0].what.replace(&case.record.kid, "KID"), what);

        case.registry.bundle = Case::new(Algorithm::Es256, true).registry.bundle;
        let what = "the token's certificate is signed by no certificate of the registry's bundle";
        case.finds(&case.token(), NOW, &[(Refused, what)]);

        case.registry.bundle = None;
        case.finds(
            &case.token(),
            NOW,
            &[
                (RefusedBy2, "the registry has no rootcertbundle"),
                (
                    RefusedBy3,
                    "the token carries its certificate, and the registry has no rootcertbundle",
                ),
            ],
        );
    }

    #[test]
    fn names_and_times() {
        let mut case = Case::new(Algorithm::Es256, false);
        let end = NOW + ACCESS_LIFETIME;
        case.finds(&case.token(), end + 59, &[]);
        let what = "the token ended at 2027-01-15T09:00:00Z, 60 seconds ago";
        case.finds(&case.token(), end + 60, &[(Refused, what)]);
        let what = "the token begins at 2027-01-15T08:00:00Z, in 61 seconds";
        case.finds(&case.token(), NOW - 61, &[(Refused, what)]);
        let refresh = Subject::new("somebody", PrincipalKind::Token, 0);
        let refresh = case.issuer.refresh_token(&refresh, "r", NOW).unwrap();
        case.finds(&refresh, NOW, &[(Refused, "this is a refresh token")]);
        (case.registry.issuer, case.registry.service) = ("I".into(), "S".into());
        case.finds(
            &case.token(),
            NOW,
            &[
                (Refused, "the token's issuer is `i`, the registry's configuration says `I`"),
                (Refused, "the token is for `s`, the registry's configuration is `S`"),
            ],
        );
    }

    /// Claims that no server of ours writes.
    #[test]
    fn odd_claims() {
        let case = Case::new(Algorithm::Es256, false);
        let claims = |claims: Value| case.issuer.sign(&claims, NOW).unwrap();
        let exp = NOW + 60;
        case.finds(
            &claims(json!({ "iss": "i", "aud": ["s", "x"], "exp": exp })),
            NOW,
            &[(RefusedBy2, "the token's audience is a list")],
        );
        for odd in [json!(null), json!("1"), json!(1.5)] {
            case.finds(
                &claims(json!({ "iss": "i", "aud": "s", "exp": odd, "nbf": odd })),
                NOW,
                &[
                    (Refused, "the token's exp is no whole number"),
                    (Refused, "the token's nbf is no whole number"),
                ],
            );
        }
        let what = "the token's exp is no whole number";
        case.finds(&claims(json!({ "iss": "i", "aud": "s" })), NOW, &[(Refused, what)]);
        for far in [i64::MIN, i64::MAX] {
            let token = claims(json!({ "iss": "i", "aud": "s", "exp": far, "nbf": far }));
            assert_eq!(case.diagnose(&token, NOW).len(), 1, "{far}");
        }
    }

    /// Without the registry's configuration, what can be said from the server's side.
    #[test]
    fn a_token_alone() {
        let (case, other) =
            (Case::new(Algorithm::EdDsa, false), Case::new(Algorithm::EdDsa, false));
        let ring = other.issuer.ring();
        let server = Server { issuer: "i", service: "other", public_url: "", ring: Some(&ring) };
        let findings = diagnose(&case.token(), &server, None, NOW);
        let found: Vec<_> = findings.iter().map(|it| (it.verdict, it.what.as_str())).collect();
        let stranger = format!("the token's key `{}` is not one of this server's", case.record.kid);
        assert_eq!(
            found,
            [
                (RefusedBy2, "the token is signed with EdDSA"),
                (Refused, "the token is for `s`, the token server is `other`"),
                (Possible, stranger.as_str()),
            ]
        );
        let said = findings[0].to_string();
        assert!(
            said.starts_with("refused by version 2.8: the token is signed with EdDSA\n  why: "),
            "{said}"
        );
    }
}

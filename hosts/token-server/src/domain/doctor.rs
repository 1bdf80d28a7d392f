//! Diagnoses why a registry refuses a token. The registry itself only says "token signed by
//! untrusted key".
//!
//! Follows what CNCF distribution 2.8.2 and 3.0.0 do with a token, in their order: the header's
//! algorithm, then the key, by `x5c` or by `kid`, then the claims. Both read their certificates and
//! key sets when they start, and never again.
//!
//! The diagnosis changes nothing, makes no requests and needs no secret: only a token, the public
//! half of the server's keys, and the registry's files.
//!
//! Left out: the access of the token, which depends on its scope map, and tokens with a `jwk` in
//! their header, which the server never issues.

mod certificate;
mod claims;
mod files;
mod key;
pub(crate) mod registry;
mod token;

use std::fmt;

pub use registry::Registry;
use token::Token;

use crate::domain::keys::Ring;

/// The configuration of the token server.
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

/// A problem, or a possible one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which registries refuse the token for it.
    pub verdict: Verdict,
    pub what: String,
    /// Why it matters.
    pub why: String,
    /// The command, or the line of a configuration, that fixes it.
    pub fix: String,
}

/// Which registries refuse the token for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every registry refuses the token.
    Refused,
    /// CNCF distribution 2.8 refuses it, or does not even start.
    RefusedBy2,
    /// CNCF distribution 3 refuses it.
    RefusedBy3,
    /// None, as far as these files show.
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

/// Why a registry refuses this token, the most likely reason first; empty when it accepts the
/// token.
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
            what: "this is not a token".into(),
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

/// The inputs of a diagnosis, and its findings.
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

    /// The command that fetches the current bundle.
    fn get_bundle(&self, registry: &Registry) -> String {
        let path = registry.bundle.as_ref().map_or("signing-cert.pem", |bundle| &bundle.path);
        let url = self.server.public_url.trim_end_matches('/');
        format!("curl -fo {path} {url}/.well-known/token-signing.pem, then restart the registry")
    }

    /// The command that fetches the current key set.
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
}

/// Names in a sentence.
fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use scopegate_api::claims::PrincipalKind;
    use serde_json::{Value, json};

    use super::registry::{Bundle, Jwks};
    use super::*;
    use crate::domain::issue::{Issuer, Subject};
    use crate::domain::keys::certificate::Certificate;
    use crate::domain::keys::signing_key::Times;
    use crate::domain::keys::{Algorithm, Authority, KeyRecord, RsaSize, SigningKey};
    use crate::domain::lifetimes::ACCESS_LIFETIME;

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
            let authority =
                Authority::read(&Authority::generate("test", 1_800_000_000).unwrap()).unwrap();
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

        /// Checks the findings, with `KID` for the key's id: the verdict and the first words.
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
        for text in ["", "a.b.c", "e30.e30", "W10.e30.AA", "e30.W10.AA", token.get(1..).unwrap()] {
            case.finds(text, NOW, &[(Refused, "this is not a token")]);
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

    /// A token with the same key's thumbprint as its `kid`.
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

    /// Claims that this server never issues.
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
                    (Refused, "the token's exp is not a whole number"),
                    (Refused, "the token's nbf is not a whole number"),
                ],
            );
        }
        let what = "the token's exp is not a whole number";
        case.finds(&claims(json!({ "iss": "i", "aud": "s" })), NOW, &[(Refused, what)]);
        for far in [i64::MIN, i64::MAX] {
            let token = claims(json!({ "iss": "i", "aud": "s", "exp": far, "nbf": far }));
            assert_eq!(case.diagnose(&token, NOW).len(), 1, "{far}");
        }
    }

    /// Without the registry's configuration, only the server's side is diagnosed.
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
        let text = findings[0].to_string();
        assert!(
            text.starts_with("refused by version 2.8: the token is signed with EdDSA\n  why: "),
            "{text}"
        );
    }
}

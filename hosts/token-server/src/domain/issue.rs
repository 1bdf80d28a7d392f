//! Claims, signed and verified.
//!
//! Follows RFC 7519 and the claims of Azure Container Registry. A token is verified by the key of
//! the ring that its `kid` names, with that key's own algorithm and no other: whatever else a
//! header says about keys (`jwk`, `jku`, `x5u`, `x5c`) is not looked at. Which claims are accepted
//! is the rule of [`accept`](mod@scopegate_edge::accept), as at every enforcement point.
//!
//! Left out: who may have a token. Whether its principal still has its rights is for the caller,
//! which compares [`generation`](Subject::generation).

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption, Guard};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scopegate_api::access::AccessEntry;
use scopegate_api::claims::{
    AccessClaims, GrantType, IdentityClaims, Permissions, PrincipalKind, RefreshClaims, UntagClaim,
    VERSION, version,
};
use scopegate_edge::accept::{Registered, Times};
use scopegate_edge::json;
use scopegate_edge::jws::{Jws, decode};
use scopegate_edge::{Epoch, Expected, accept};
use scopegate_host::setting::Compatibility;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::keys::Ring;
use crate::domain::lifetimes::{MAX_LIFETIME, REFRESH_LIFETIME, backdated};

pub(crate) mod ascii;
pub(crate) mod revocable;

/// A token could not be signed; the text is for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignError(pub String);

/// Signs and verifies tokens for one registry.
#[derive(Debug)]
pub struct Issuer {
    /// The `iss` of every token.
    pub issuer: String,
    /// The `aud` of every access and refresh token.
    pub service: String,
    /// Whether tokens carry the certificate of their key, so that a registry that trusts the
    /// authority needs no new bundle and no restart after a key rotation. A token of an ES256 key
    /// is 840 bytes longer then.
    pub x5c: bool,
    /// How long before it is made a token begins, in seconds: its `nbf` and `iat`. See
    /// [`backdated`].
    pub backdated: i64,
    ring: ArcSwap<Ring>,
    /// The epoch of the database, once read: tokens carry it, and those of another epoch are
    /// refused.
    epoch: ArcSwapOption<String>,
}

/// What an access token gives.
#[derive(Clone, Debug, Default)]
pub struct Granted {
    /// The access.
    pub access: Vec<AccessEntry>,
    /// The repositories of the claim [`untag`](UntagClaim).
    pub untag: Vec<String>,
}

/// Without the claim `untag`.
impl From<Vec<AccessEntry>> for Granted {
    fn from(access: Vec<AccessEntry>) -> Self {
        Self { access, untag: Vec::new() }
    }
}

/// The claims of an access token, and `untag` after all others.
#[derive(Serialize)]
struct WithUntag<'a> {
    #[serde(flatten)]
    claims: AccessClaims<&'a str>,
    #[serde(flatten)]
    untag: UntagClaim,
}

/// The subject of a token.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The name.
    pub sub: &'a str,
    pub principal: PrincipalKind,
    /// The principal's generation: tokens of an older one are revoked.
    pub generation: u64,
    /// The application, from the identity provider's token.
    pub appid: Option<&'a str>,
    /// The tenant that the client named.
    pub tenant: Option<&'a str>,
    /// The claims of an identity provider; refresh tokens carry them.
    pub identity: Option<&'a IdentityClaims>,
    /// The identity's provider; access tokens name it.
    pub provider: Option<&'a str>,
    /// The password that it used; refresh tokens name it.
    pub password: Option<&'a str>,
    /// The latest expiry of its tokens.
    pub until: Option<i64>,
    /// A summary of the principal's access, for people who decode a refresh token.
    pub permissions: Option<&'a Permissions>,
}

impl<'a> Subject<'a> {
    /// A subject without an identity provider.
    #[must_use]
    pub fn new(sub: &'a str, principal: PrincipalKind, generation: u64) -> Self {
        Self {
            sub,
            principal,
            generation,
            appid: None,
            tenant: None,
            identity: None,
            provider: None,
            password: None,
            until: None,
            permissions: None,
        }
    }

    /// The expiry of its token with a lifetime of `lifetime` seconds.
    fn end(&self, now: i64, lifetime: i64) -> u64 {
        let end = now.saturating_add(lifetime);
        seconds(self.until.map_or(end, |until| until.min(end)))
    }
}

/// The id (`jti`) of a token that this server has just signed, as it is or in quotation marks. The
/// claims begin with it, so nothing else of the token is decoded.
pub(crate) fn token_id(token: &str) -> Option<String> {
    const BEFORE: &[u8] = b"{\"jti\":\"";
    let (_, payload) = token.split_once('.')?;
    // 45 bytes: the text before the id, and the 36 of a GUID.
    let claims = URL_SAFE_NO_PAD.decode(payload.get(..60)?).ok()?;
    let id = claims.strip_prefix(BEFORE)?.get(..36)?;
    std::str::from_utf8(id).ok().map(ToOwned::to_owned)
}

impl Issuer {
    /// An issuer with these keys.
    #[must_use]
    pub fn new(issuer: String, service: String, x5c: bool, ring: Ring) -> Self {
        let epoch = ArcSwapOption::empty();
        Self { issuer, service, x5c, backdated: 0, ring: ArcSwap::from_pointee(ring), epoch }
    }

    /// The current keys.
    pub fn ring(&self) -> Guard<Arc<Ring>> {
        self.ring.load()
    }

    /// Replaces the keys.
    pub fn replace_ring(&self, ring: Ring) {
        self.ring.store(Arc::new(ring));
    }

    /// The epoch of the database.
    #[must_use]
    pub fn epoch(&self) -> Option<Arc<String>> {
        self.epoch.load_full()
    }

    /// Replaces the epoch after a read of the database. Tokens of the old one are refused.
    pub fn replace_epoch(&self, epoch: &str) {
        self.epoch.store(Some(Arc::new(epoch.to_owned())));
    }

    /// Signs an access token that is valid for `lifetime` seconds:
    /// [`ACCESS_LIFETIME`](crate::domain::lifetimes::ACCESS_LIFETIME) or
    /// [`ANONYMOUS_LIFETIME`](crate::domain::lifetimes::ANONYMOUS_LIFETIME).
    ///
    /// # Errors
    ///
    /// [`SignError`] when the key cannot sign.
    pub fn access_token(
        &self,
        subject: &Subject<'_>,
        rid: &str,
        granted: impl Into<Granted>,
        lifetime: i64,
        now: i64,
    ) -> Result<String, SignError> {
        let Granted { access, untag } = granted.into();
        let mut jti = Uuid::encode_buffer();
        let epoch = self.epoch.load();
        let claims = AccessClaims {
            jti: &*Uuid::new_v4().hyphenated().encode_lower(&mut jti),
            sub: subject.sub,
            nbf: self.begin(now),
            exp: subject.end(now, lifetime),
            iat: self.begin(now),
            iss: &self.issuer,
            aud: &self.service,
            version: version(&access),
            rid,
            access,
            roles: Vec::new(),
            grant_type: GrantType::AccessToken,
            appid: subject.appid,
            principal: Some(subject.principal),
            generation: Some(subject.generation),
            provider: subject.provider,
            epoch: epoch.as_deref().map(String::as_str),
        };
        if untag.is_empty() {
            return self.sign(&claims, now);
        }
        self.sign(&WithUntag { claims, untag: UntagClaim { untag } }, now)
    }

    /// Signs a refresh token.
    ///
    /// # Errors
    ///
    /// [`SignError`] when the key cannot sign.
    pub fn refresh_token(
        &self,
        subject: &Subject<'_>,
        rid: &str,
        now: i64,
    ) -> Result<String, SignError> {
        let claims = RefreshClaims {
            jti: Uuid::new_v4().to_string(),
            sub: subject.sub.to_owned(),
            nbf: self.begin(now),
            exp: subject.end(now, REFRESH_LIFETIME),
            iat: self.begin(now),
            iss: self.issuer.clone(),
            aud: self.service.clone(),
            version: VERSION.to_owned(),
            rid: rid.to_owned(),
            grant_type: GrantType::RefreshToken,
            appid: subject.appid.map(ToOwned::to_owned),
            tenant: subject.tenant.map(ToOwned::to_owned),
            permissions: subject.permissions.cloned().unwrap_or_default(),
            roles: Vec::new(),
            principal: Some(subject.principal),
            generation: Some(subject.generation),
            password: subject.password.map(ToOwned::to_owned),
            identity: subject.identity.cloned(),
            epoch: self.epoch.load().as_deref().cloned(),
        };
        self.sign(&claims, now)
    }

    fn begin(&self, now: i64) -> u64 {
        seconds(now.saturating_sub(self.backdated))
    }

    /// The claims of a refresh token of this server that is valid now.
    #[must_use]
    pub fn verify_refresh(&self, token: &str, now: i64) -> Option<RefreshClaims> {
        let epoch = self.epoch.load();
        let expected = self.expected(Epoch::Is(epoch.as_deref().map(String::as_str)), now);
        let claims: RefreshClaims = self.verify_for(token, &expected)?;
        (claims.grant_type == GrantType::RefreshToken).then_some(claims)
    }

    /// The claims of an access token of this server that is valid now.
    #[must_use]
    pub fn verify_access(&self, token: &str, now: i64) -> Option<AccessClaims> {
        self.accept(&self.open(token)?, now)
    }

    /// The same, and the claim `untag`.
    #[must_use]
    pub fn verify_with_untag(&self, token: &str, now: i64) -> Option<(AccessClaims, UntagClaim)> {
        let payload = self.open(token)?;
        let claims = self.accept(&payload, now)?;
        Some((claims, UntagClaim::read(&payload)))
    }

    fn accept(&self, payload: &[u8], now: i64) -> Option<AccessClaims> {
        let epoch = self.epoch.load();
        let expected = self.expected(Epoch::Is(epoch.as_deref().map(String::as_str)), now);
        accept(payload, &expected).ok()
    }

    /// Signs a token of another type. Its claims need `iss`, `aud`, `nbf` and `exp`, and an
    /// audience that is not the registry.
    ///
    /// # Errors
    ///
    /// [`SignError`] when the key cannot sign.
    pub fn sign(&self, claims: &impl Serialize, now: i64) -> Result<String, SignError> {
        let failed = |reason: &str| SignError(reason.to_owned());
        let payload = ascii::to_vec(claims).map_err(|error| failed(&error.to_string()))?;
        let ring = self.ring();
        let key = ring.signing(now).ok_or_else(|| failed("no key"))?;
        key.sign(&payload, self.x5c).map_err(|_| failed("the key does not sign"))
    }

    /// The claims of a token of another type that this server signed for this audience, valid now.
    ///
    /// Always `None` for the audience of access and refresh tokens: those have functions of their
    /// own.
    #[must_use]
    pub fn verify<T: DeserializeOwned>(&self, token: &str, audience: &str, now: i64) -> Option<T> {
        if audience == self.service {
            return None;
        }
        let expected = Expected { service: audience, ..self.expected(Epoch::Unknown, now) };
        self.verify_for(token, &expected)
    }

    fn verify_for<T: DeserializeOwned>(&self, token: &str, expected: &Expected<'_>) -> Option<T> {
        let payload = self.open(token)?;
        // A claim twice is refused here too, also one that no field below takes.
        json::read(&payload)?.object()?;
        let claims: RegisteredClaims = serde_json::from_slice(&payload).ok()?;
        expected.check_any(claims.registered()).ok()?;
        serde_json::from_slice(&payload).ok()
    }

    fn expected<'a>(&'a self, epoch: Epoch<'a>, now: i64) -> Expected<'a> {
        Expected { issuer: &self.issuer, service: &self.service, epoch, now: seconds(now) }
    }

    /// The payload of a token that a key of the ring signed.
    fn open(&self, token: &str) -> Option<Vec<u8>> {
        let jws = Jws::read(token).ok()?;
        let ring = self.ring();
        let key = ring.find(jws.kid.as_deref()?)?;
        let signed = jws.algorithm == key.algorithm().as_str()
            && key.verifies(jws.message.as_bytes(), &decode(jws.signature)?);
        signed.then(|| jws.payload()).flatten()
    }
}

/// The claims of every token. The types refuse an `aud` that is a list, and times that are not
/// integers.
#[derive(Deserialize)]
struct RegisteredClaims {
    iss: String,
    aud: String,
    nbf: u64,
    exp: u64,
    epoch: Option<String>,
}

impl RegisteredClaims {
    /// What is checked of them. A refresh token that begins before it is made may be longer by as
    /// much, whether or not this server makes such ones: no other verifier takes it, and it ends no
    /// later.
    fn registered(&self) -> Registered<'_> {
        let backdated = backdated(Compatibility::Acr);
        let latest = self.exp.saturating_sub(seconds(MAX_LIFETIME));
        let is_backdated = latest.saturating_sub(self.nbf) <= seconds(backdated);
        let begin = if is_backdated { self.nbf.max(latest) } else { self.nbf };
        Registered {
            issuer: &self.iss,
            audience: &self.aud,
            epoch: self.epoch.as_deref(),
            times: Times { begin, end: self.exp },
        }
    }
}

fn seconds(time: i64) -> u64 {
    u64::try_from(time).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aws_lc_rs::hmac;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::keys::signing_key::Times;
    use crate::domain::keys::{Algorithm, Authority, KeyRecord, RsaSize, SigningKey};
    use crate::domain::lifetimes::{ACCESS_LIFETIME, ANONYMOUS_LIFETIME};

    const NOW: i64 = 1_800_000_000;

    struct Keys {
        authority: String,
        records: Vec<KeyRecord>,
    }

    impl Keys {
        /// Keys that begin to sign an hour apart, the first one now.
        fn new(algorithms: &[Algorithm]) -> Self {
            let authority =
                Authority::read(&Authority::generate("test", 1_800_000_000).unwrap()).unwrap();
            let generate = |(signs_from, algorithm): (i64, &Algorithm)| {
                let times = Times { created_at: NOW, signs_from, certified_until: NOW + 86_400 };
                SigningKey::generate(*algorithm, RsaSize::Bits2048, times, &authority).unwrap()
            };
            let records = (NOW..).step_by(3600).zip(algorithms).map(generate).collect();
            Self { authority: authority.certificate().to_owned(), records }
        }

        fn ring(&self) -> Ring {
            Ring::read(&self.records, &self.authority).unwrap()
        }

        fn issuer(&self, issuer: &str, service: &str) -> Issuer {
            Issuer::new(issuer.into(), service.into(), false, self.ring())
        }
    }

    fn issuer() -> Issuer {
        Keys::new(&[Algorithm::Es256]).issuer("i", "s")
    }

    fn subject() -> Subject<'static> {
        Subject::new("t", PrincipalKind::Token, 7)
    }

    fn access(issuer: &Issuer) -> String {
        issuer.access_token(&subject(), "r", Vec::new(), ACCESS_LIFETIME, NOW).unwrap()
    }

    fn refresh(issuer: &Issuer) -> String {
        issuer.refresh_token(&subject(), "r", NOW).unwrap()
    }

    fn part(token: &str, index: usize) -> Vec<u8> {
        decode(token.split('.').nth(index).unwrap()).unwrap()
    }

    #[test]
    fn times() {
        let issuer = issuer();
        let (access, refresh) = (access(&issuer), refresh(&issuer));
        let anonymous =
            issuer.access_token(&subject(), "r", Vec::new(), ANONYMOUS_LIFETIME, NOW).unwrap();
        for (at, anonymous_valid, access_valid, refresh_valid) in [
            (NOW, true, true, true),
            (NOW - 60, true, true, true),
            (NOW - 61, false, false, false),
            (NOW + ANONYMOUS_LIFETIME + 59, true, true, true),
            (NOW + ANONYMOUS_LIFETIME + 60, false, true, true),
            (NOW + ACCESS_LIFETIME + 59, false, true, true),
            (NOW + ACCESS_LIFETIME + 60, false, false, true),
            (NOW + REFRESH_LIFETIME + 59, false, false, true),
            (NOW + REFRESH_LIFETIME + 60, false, false, false),
        ] {
            assert_eq!(issuer.verify_access(&anonymous, at).is_some(), anonymous_valid, "{at}");
            assert_eq!(issuer.verify_access(&access, at).is_some(), access_valid, "{at}");
            assert_eq!(issuer.verify_refresh(&refresh, at).is_some(), refresh_valid, "{at}");
        }
    }

    #[test]
    fn claims_come_back() {
        let issuer = issuer();
        let claims = BTreeMap::from([("groups".to_owned(), json!(["a", "b"]))]);
        let identity = IdentityClaims { provider: "corp".into(), claims, origin: None };
        let permissions = Permissions { actions: vec!["read".into()], not_actions: None };
        let subject = Subject {
            appid: Some("app"),
            tenant: Some("tenant"),
            identity: Some(&identity),
            permissions: Some(&permissions),
            ..Subject::new("somebody", PrincipalKind::Identity, 9)
        };
        let token = issuer.refresh_token(&subject, "rid", NOW).unwrap();
        let claims = issuer.verify_refresh(&token, NOW).unwrap();
        assert_eq!((claims.sub.as_str(), claims.rid.as_str()), ("somebody", "rid"));
        assert_eq!(
            (claims.appid.as_deref(), claims.tenant.as_deref()),
            (Some("app"), Some("tenant"))
        );
        assert_eq!((claims.principal, claims.generation), (Some(PrincipalKind::Identity), Some(9)));
        assert_eq!(
            (claims.identity, claims.permissions),
            (Some(identity.clone()), permissions.clone())
        );

        let token = issuer.access_token(&subject, "rid", Vec::new(), 300, NOW).unwrap();
        let text = String::from_utf8(part(&token, 1)).unwrap();
        let end = r#""access":[],"roles":[],"grant_type":"access_token","appid":"app","principal":"identity","generation":9}"#;
        assert!(text.ends_with(end), "{text}");
    }

    #[test]
    fn one_kind_of_token_is_not_the_other() {
        let issuer = issuer();
        let (access, refresh) = (access(&issuer), refresh(&issuer));
        assert!(issuer.verify_refresh(&access, NOW).is_none());
        assert!(issuer.verify_access(&refresh, NOW).is_none());
        // A token of another type is for another audience: neither accepts the other's tokens.
        let management = json!({ "iss": "i", "aud": "management", "nbf": NOW, "exp": NOW + 60 });
        let management = issuer.sign(&management, NOW).unwrap();
        let verify = |token: &str, audience| issuer.verify::<Value>(token, audience, NOW);
        assert!(verify(&management, "management").is_some());
        assert!(issuer.verify_access(&management, NOW).is_none());
        assert!(issuer.verify_refresh(&management, NOW).is_none());
        for (token, audience) in [
            (&access, "management"),
            (&refresh, "management"),
            (&access, "s"),
            (&refresh, "s"),
            (&management, "s"),
            (&management, "other"),
        ] {
            assert!(verify(token, audience).is_none(), "{audience}");
        }
    }

    #[test]
    fn the_id_of_a_token_is_read_from_its_beginning() {
        let issuer = issuer();
        let refresh = refresh(&issuer);
        let access =
            issuer.access_token(&subject(), "r", Vec::new(), ACCESS_LIFETIME, NOW).unwrap();
        for token in [refresh, access] {
            let claims: Value = serde_json::from_slice(&part(&token, 1)).unwrap();
            for text in [token.clone(), format!("\"{token}\"")] {
                assert_eq!(token_id(&text).as_deref(), claims["jti"].as_str());
            }
        }
        for text in ["", "a", "a.b.c", &format!("a.{}.b", "A".repeat(90))] {
            assert_eq!(token_id(text), None, "{text}");
        }
    }

    #[test]
    fn tokens_of_others_are_refused() {
        let keys = Keys::new(&[Algorithm::Es256]);
        let token = refresh(&keys.issuer("i", "s"));
        for (issuer, valid) in [
            (keys.issuer("i", "s"), true),
            (Keys::new(&[Algorithm::Es256]).issuer("i", "s"), false),
            (keys.issuer("i", "other"), false),
            (keys.issuer("other", "s"), false),
        ] {
            assert_eq!(issuer.verify_refresh(&token, NOW).is_some(), valid, "{issuer:?}");
        }
    }

    #[test]
    fn keys_follow_each_other_and_old_tokens_stay_valid() {
        let keys = Keys::new(&[Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa]);
        let issuer = keys.issuer("i", "s");
        for (index, at) in [(0, NOW), (0, NOW + 3599), (1, NOW + 3600), (2, NOW + 7200)] {
            let token = issuer.refresh_token(&subject(), "r", at).unwrap();
            let header: Value = serde_json::from_slice(&part(&token, 0)).unwrap();
            assert_eq!(header["kid"], keys.records[index].kid);
            assert_eq!(header["alg"], keys.records[index].algorithm.as_str());
            assert!(issuer.verify_refresh(&token, NOW + 7200).is_some(), "{header}");
        }
        let token = refresh(&issuer);
        let records = keys.records[1..].to_vec();
        issuer.replace_ring(Keys { records, ..keys }.ring());
        assert!(issuer.verify_refresh(&token, NOW).is_none(), "the key is gone");
    }

    /// The Azure SDK for Python reads payloads with the alphabet of plain base64.
    #[test]
    fn payloads_read_the_same_with_both_alphabets() {
        let issuer = issuer();
        for sub in
            ["~~~", "???", ">>>", "日本語", "Zoë~?>", "\u{7f}\u{80}\u{ff}", "🦀", "a\"b\\c", ""]
        {
            for padding in ["", "x", "xx"] {
                let sub = format!("{padding}{sub}");
                let subject = Subject::new(&sub, PrincipalKind::Identity, 0);
                let token = issuer.refresh_token(&subject, &sub, NOW).unwrap();
                let payload = token.split('.').nth(1).unwrap();
                assert_eq!(STANDARD_NO_PAD.decode(payload).unwrap(), part(&token, 1));
                assert_eq!(issuer.verify_refresh(&token, NOW).unwrap().sub, sub);
            }
        }
    }

    /// A forged token of a header, claims and a signing function.
    fn token(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
        signed(&header.to_string(), &claims.to_string(), sign)
    }

    fn signed(header: &str, claims: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
        let [header, claims] = [header, claims].map(|text| URL_SAFE_NO_PAD.encode(text));
        let message = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    fn claims() -> Value {
        serde_json::from_slice(&part(&refresh(&issuer()), 1)).unwrap()
    }

    /// Signs with a key, independent of the header.
    fn by(record: &KeyRecord) -> impl Fn(&[u8]) -> Vec<u8> {
        use aws_lc_rs::rand::SystemRandom;
        use aws_lc_rs::signature as s;
        let (algorithm, pem) = (record.algorithm, record.private_key.clone());
        move |message| {
            let der = rcgen::KeyPair::from_pem(&pem).unwrap().serialize_der();
            if algorithm == Algorithm::Rs256 {
                let pair = s::RsaKeyPair::from_pkcs8(&der).unwrap();
                let mut signature = vec![0; pair.public_modulus_len()];
                let random = SystemRandom::new();
                pair.sign(&s::RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                return signature;
            }
            let pair = s::EcdsaKeyPair::from_pkcs8(&s::ECDSA_P256_SHA256_FIXED_SIGNING, &der);
            pair.unwrap().sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
        }
    }

    fn hmac(secret: &[u8]) -> impl Fn(&[u8]) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        move |message| hmac::sign(&key, message).as_ref().to_vec()
    }

    #[test]
    fn a_claim_twice_is_refused() {
        let ours = Keys::new(&[Algorithm::Es256]);
        let (issuer, key) = (ours.issuer("i", "s"), &ours.records[0]);
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": key.kid }).to_string();
        let claims = claims().to_string();
        for (more, is_good) in [("\"x\":1,", true), ("\"x\":1,\"x\":2,", false)] {
            let claims = claims.replacen('{', &format!("{{{more}"), 1);
            let verified = issuer.verify_refresh(&signed(&header, &claims, by(key)), NOW);
            assert_eq!(verified.is_some(), is_good, "{claims}");
        }
    }

    #[test]
    fn headers_open_nothing() {
        let ours = Keys::new(&[Algorithm::Es256, Algorithm::Rs256]);
        let theirs = Keys::new(&[Algorithm::Es256, Algorithm::Rs256]);
        let issuer = ours.issuer("i", "s");
        let (ec, rsa) = (&ours.records[0], &ours.records[1]);
        let (their_ec, their_rsa) = (&theirs.records[0], &theirs.records[1]);
        let their_ring = theirs.ring();
        let ring = ours.ring();
        let key = ring.find(&ec.kid).unwrap();
        let their_key = their_ring.find(&their_ec.kid).unwrap();
        let certificate = CertificateDer::from_pem_slice(their_ec.certificate.as_bytes()).unwrap();
        let x5c = json!([STANDARD.encode(&certificate)]);
        let claims = &claims();
        let header = |alg: &str, kid: &str| json!({ "alg": alg, "typ": "JWT", "kid": kid });
        let with = |mut header: Value, name: &str, value: Value| {
            header[name] = value;
            header
        };
        let es256 = || header("ES256", &ec.kid);
        let good = token(&es256(), claims, by(ec));
        assert!(issuer.verify_refresh(&good, NOW).is_some(), "the forgeries are well made");
        let (public_der, public_pem, public_jwk) = (
            key.certificate().public_key.as_der().to_vec(),
            ec.certificate.clone(),
            key.jwk().to_string(),
        );
        let none = |_: &[u8]| Vec::new();
        for (name, forged) in [
            ("none", token(&header("none", &ec.kid), claims, none)),
            ("None", token(&header("None", &ec.kid), claims, none)),
            ("none, with a good signature", token(&header("none", &ec.kid), claims, by(ec))),
            ("ES256 without a signature", token(&es256(), claims, none)),
            ("HS256 by DER", token(&header("HS256", &ec.kid), claims, hmac(&public_der))),
            ("HS256 by PEM", token(&header("HS256", &ec.kid), claims, hmac(public_pem.as_bytes()))),
            ("HS256 by JWK", token(&header("HS256", &ec.kid), claims, hmac(public_jwk.as_bytes()))),
            ("HMAC as ES256", token(&es256(), claims, hmac(&public_der))),
            ("another key", token(&es256(), claims, by(their_ec))),
            ("unknown kid", token(&header("ES256", &their_ec.kid), claims, by(their_ec))),
            ("no kid", token(&json!({ "alg": "ES256" }), claims, by(ec))),
            ("kid of another kind", token(&with(es256(), "kid", json!([ec.kid])), claims, by(ec))),
            ("kid as a path", token(&header("ES256", "../../dev/null"), claims, by(ec))),
            (
                "jwk with our kid",
                token(
                    &with(es256(), "jwk", with(their_key.jwk().clone(), "kid", json!(ec.kid))),
                    claims,
                    by(their_ec),
                ),
            ),
            (
                "their jwk",
                token(
                    &with(header("ES256", &their_ec.kid), "jwk", their_key.jwk().clone()),
                    claims,
                    by(their_ec),
                ),
            ),
            ("their x5c", token(&with(es256(), "x5c", x5c), claims, by(their_ec))),
            (
                "x5u",
                token(&with(es256(), "x5u", json!("http://127.0.0.1/x")), claims, by(their_ec)),
            ),
            (
                "jku",
                token(&with(es256(), "jku", json!("http://127.0.0.1/j")), claims, by(their_ec)),
            ),
            ("RS256 on an EC key", token(&header("RS256", &ec.kid), claims, by(rsa))),
            ("RS256 on an EC key, by it", token(&header("RS256", &ec.kid), claims, by(ec))),
            ("ES256 on an RSA key", token(&header("ES256", &rsa.kid), claims, by(ec))),
            ("PS256 on an RSA key", token(&header("PS256", &rsa.kid), claims, by(rsa))),
            ("their RSA key", token(&header("RS256", &rsa.kid), claims, by(their_rsa))),
            ("es256", token(&header("es256", &ec.kid), claims, by(ec))),
            ("no alg", token(&json!({ "kid": ec.kid }), claims, by(ec))),
        ] {
            assert!(issuer.verify_refresh(&forged, NOW).is_none(), "{name}");
        }
        let with_rsa = token(&header("RS256", &rsa.kid), claims, by(rsa));
        assert!(issuer.verify_refresh(&with_rsa, NOW).is_some());
    }

    /// Signed by our own key, and still refused.
    #[test]
    fn claims_that_are_not_ours() {
        let keys = Keys::new(&[Algorithm::Es256]);
        let (issuer, key) = (keys.issuer("i", "s"), &keys.records[0]);
        let header = json!({ "alg": "ES256", "kid": key.kid });
        let verify = |claims: &Value| issuer.verify_refresh(&token(&header, claims, by(key)), NOW);
        assert!(verify(&claims()).is_some());
        for (name, value) in [
            ("aud", json!("other")),
            ("aud", json!(["s"])),
            ("aud", json!(null)),
            ("iss", json!("other")),
            ("iss", json!(["i"])),
            ("sub", json!(7)),
            ("exp", json!(NOW - 60)),
            ("exp", json!(0)),
            ("exp", json!(-1)),
            ("exp", json!((NOW + 60).to_string())),
            ("exp", json!(NOW as f64 + 60.5)),
            ("exp", json!(u64::MAX)),
            ("exp", json!(i64::MAX)),
            ("exp", json!(1e300)),
            ("exp", json!(NOW + REFRESH_LIFETIME + 15 * 60 + 1)),
            ("exp", json!(null)),
            ("nbf", json!(NOW + 61)),
            ("nbf", json!(i64::MIN)),
            ("nbf", json!("0")),
            ("grant_type", json!("access_token")),
            ("grant_type", json!("password")),
            ("principal", json!("root")),
            ("generation", json!(-1)),
        ] {
            let mut claims = claims();
            claims[name] = value.clone();
            assert!(verify(&claims).is_none(), "{name} {value}");
        }
        for name in ["iss", "aud", "nbf", "exp", "sub", "grant_type"] {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(name);
            assert!(verify(&claims).is_none(), "no {name}");
        }
        for name in ["principal", "generation", "identity"] {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(name);
            assert!(verify(&claims).is_some(), "no {name}");
        }
    }

    #[test]
    fn texts_that_are_no_tokens() {
        let issuer = issuer();
        let good = refresh(&issuer);
        let (header, payload) = (good.split('.').next().unwrap(), good.split('.').nth(1).unwrap());
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let texts = [
            String::new(),
            ".".into(),
            "..".into(),
            "...".into(),
            header.into(),
            format!("{header}.{payload}"),
            format!("{header}.{payload}."),
            format!("{none}.{payload}."),
            format!("{none}.{payload}.AAAA"),
            format!("{good}."),
            format!("{good}="),
            format!(" {good}"),
            format!("{good}\n"),
            format!("{good}.{payload}"),
            format!(".{good}"),
            good.replacen('.', "..", 1),
        ];
        let truncated = (1..good.len()).step_by(7).map(|length| good.split_at(length).0.to_owned());
        for text in texts.into_iter().chain(truncated) {
            assert!(issuer.verify_refresh(&text, NOW).is_none(), "{text}");
        }
    }
}

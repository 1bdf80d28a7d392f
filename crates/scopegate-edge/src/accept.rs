//! Whether the claims of a token are accepted, or why not: one rule for every enforcement point.
//!
//! Follows RFC 7519 and the claims of Azure Container Registry ([`scopegate_api::claims`]). The
//! signature is good already. Accepted is a token that
//!
//! | claim | is |
//! |---|---|
//! | each claim | there and of its form: the documented ones always, ours where the issuer writes them |
//! | `iss`, `aud` | exactly the issuer and the service, each one text |
//! | `grant_type` | `access_token`: a refresh token opens no repository |
//! | `nbf` | not after now, by more than [`LEEWAY`] |
//! | `exp` | after now, or before it by less than [`LEEWAY`] |
//! | `exp` − `nbf` | at most [`MAX_LIFETIME`] |
//! | `epoch` | that of the issuer's database, where it is known here |
//!
//! `iat` has to be a time and is not compared with anything: clocks decide `exp` and `nbf` alone.
//!
//! Left out: whether a token was revoked, which [`status`](crate::status) says.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use scopegate_api::access::AccessEntry;
use scopegate_api::claims::{AccessClaims, GrantType, PrincipalKind};

use crate::json::{self, Object, Value, Values};

/// How far two clocks may be apart, in seconds.
pub const LEEWAY: u64 = 60;
/// How long any token may be valid, in seconds. A longer one is refused: a key goes when no token
/// of its own can be valid any more.
pub const MAX_LIFETIME: u64 = 3 * 60 * 60;

/// What a verifier expects of a token whose signature is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected<'a> {
    /// Who issued it.
    pub issuer: &'a str,
    /// The registry that it is for.
    pub service: &'a str,
    /// The epoch of the issuer's database.
    pub epoch: Epoch<'a>,
    /// The time, in seconds since 1970.
    pub now: u64,
}

/// What is known of the epoch of the issuer's database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Epoch<'a> {
    /// Nothing. A revocation feed or a policy bundle may know it.
    #[default]
    Unknown,
    /// It is this one; `None`: tokens carry none.
    Is(Option<&'a str>),
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptError {
    /// A claim is missing, or of another form.
    Malformed,
    /// It is of another issuer.
    Issuer,
    /// It is for another registry.
    Audience,
    /// It is no access token.
    Kind,
    /// It is not valid yet.
    NotYetValid,
    /// It is not valid any more.
    Expired,
    /// It would be valid for longer than any token may be.
    Lifetime,
    /// It is of another epoch.
    Epoch,
}

impl AcceptError {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Malformed,
        Self::Issuer,
        Self::Audience,
        Self::Kind,
        Self::NotYetValid,
        Self::Expired,
        Self::Lifetime,
        Self::Epoch,
    ];

    /// Its name in the corpus and at the boundary of the module.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed_claims",
            Self::Issuer => "wrong_issuer",
            Self::Audience => "wrong_audience",
            Self::Kind => "not_an_access_token",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::Lifetime => "lifetime_too_long",
            Self::Epoch => "wrong_epoch",
        }
    }
}

/// The claims of an access token whose signature is good.
///
/// ```
/// use scopegate_edge::accept::{AcceptError, Epoch, Expected, accept};
///
/// let payload = br#"{"jti":"j","sub":"t","nbf":100,"exp":400,"iat":100,"iss":"i","aud":"r","version":"1.0","rid":"0",
///     "access":[{"type":"repository","name":"app","actions":["pull"]}],"roles":[],"grant_type":"access_token"}"#;
/// let expected = Expected { issuer: "i", service: "r", epoch: Epoch::Unknown, now: 200 };
/// assert!(accept(payload, &expected).is_ok());
/// let refused = |expected| accept(payload, &expected).err();
/// assert_eq!(refused(Expected { now: 460, ..expected }), Some(AcceptError::Expired));
/// assert_eq!(refused(Expected { service: "other", ..expected }), Some(AcceptError::Audience));
/// ```
///
/// # Errors
///
/// See [`AcceptError`].
pub fn accept(payload: &[u8], expected: &Expected<'_>) -> Result<AccessClaims, AcceptError> {
    let claims = read(payload)?;
    expected.check(&claims)?;
    Ok(claims)
}

/// The claims of an access token, for a host that keeps them: whether they are accepted is
/// [checked](Expected::check) each time.
///
/// # Errors
///
/// [`AcceptError::Malformed`], [`AcceptError::Kind`].
pub fn read(payload: &[u8]) -> Result<AccessClaims, AcceptError> {
    let document = json::read(payload).ok_or(AcceptError::Malformed)?;
    let object = document.object().ok_or(AcceptError::Malformed)?;
    let mut form = Form { object, is_whole: true };
    let kind = object.text("grant_type").and_then(GrantType::parse);
    if kind.ok_or(AcceptError::Malformed)? != GrantType::AccessToken {
        return Err(AcceptError::Kind);
    }
    let claims = access_claims(&mut form);
    if form.is_whole { Ok(claims) } else { Err(AcceptError::Malformed) }
}

impl Expected<'_> {
    /// Checks claims that were read.
    ///
    /// # Errors
    ///
    /// See [`AcceptError`].
    pub fn check(&self, claims: &AccessClaims) -> Result<(), AcceptError> {
        if claims.grant_type != GrantType::AccessToken {
            return Err(AcceptError::Kind);
        }
        self.check_any(Registered {
            issuer: &claims.iss,
            audience: &claims.aud,
            epoch: claims.epoch.as_deref(),
            times: Times { begin: claims.nbf, end: claims.exp },
        })
    }

    /// Checks what every token of the issuer says, whatever kind it is of. What it is for is
    /// [`service`](Self::service).
    ///
    /// # Errors
    ///
    /// See [`AcceptError`].
    pub fn check_any(&self, token: Registered<'_>) -> Result<(), AcceptError> {
        if token.issuer != self.issuer {
            return Err(AcceptError::Issuer);
        }
        if token.audience != self.service {
            return Err(AcceptError::Audience);
        }
        match self.epoch {
            Epoch::Is(epoch) if epoch != token.epoch => return Err(AcceptError::Epoch),
            Epoch::Is(_) | Epoch::Unknown => {}
        }
        token.times.check(self.now)
    }
}

/// What every token of an issuer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered<'a> {
    /// `iss`
    pub issuer: &'a str,
    /// `aud`
    pub audience: &'a str,
    /// `epoch`
    pub epoch: Option<&'a str>,
    /// `nbf` and `exp`
    pub times: Times,
}

/// When something signed is valid, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Not before.
    pub begin: u64,
    /// Not from then on.
    pub end: u64,
}

impl Times {
    /// Checks them at a time.
    ///
    /// # Errors
    ///
    /// [`AcceptError::NotYetValid`], [`AcceptError::Expired`], [`AcceptError::Lifetime`].
    pub fn check(self, now: u64) -> Result<(), AcceptError> {
        if self.end.saturating_sub(self.begin) > MAX_LIFETIME {
            return Err(AcceptError::Lifetime);
        }
        if self.begin > now.saturating_add(LEEWAY) {
            return Err(AcceptError::NotYetValid);
        }
        if is_over(self.end, now) { Err(AcceptError::Expired) } else { Ok(()) }
    }
}

/// Whether something that ends at a time has ended, for a clock that may be behind.
#[must_use]
pub fn is_over(end: u64, now: u64) -> bool {
    now >= end.saturating_add(LEEWAY)
}

/// Fields that are read one after the other. Whether all of them were of their form is asked once,
/// at the end: with a way out behind each field the reading of claims is twice as large.
struct Form<'d> {
    object: Object<'d>,
    is_whole: bool,
}

impl<'d> Form<'d> {
    fn needed<T: Default>(&mut self, value: Option<T>) -> T {
        self.is_whole &= value.is_some();
        value.unwrap_or_default()
    }

    fn text(&mut self, field: &str) -> String {
        let text = self.object.text(field);
        self.needed(text).to_owned()
    }

    fn number(&mut self, field: &str) -> u64 {
        let number = self.object.number(field);
        self.needed(number)
    }

    fn list(&mut self, field: &str) -> Values<'d> {
        let list = self.object.field(field).and_then(Value::list);
        self.needed(list)
    }

    fn texts(&mut self, values: Values<'d>) -> Vec<String> {
        let mut texts = Vec::new();
        for value in values {
            texts.push(self.needed(value.text()).to_owned());
        }
        texts
    }

    fn optional_text(&mut self, field: &str) -> Option<String> {
        let text = self.object.optional(field, Value::text);
        self.needed(text).map(str::to_owned)
    }

    /// A name that may be missing. One without letters is none.
    fn optional_name(&mut self, field: &str) -> Option<String> {
        self.optional_text(field).filter(|name| !name.is_empty())
    }
}

fn access_claims(form: &mut Form<'_>) -> AccessClaims {
    let entries = form.list("access");
    let roles = form.list("roles");
    let kind = form.object.optional("principal", principal);
    let generation = form.object.optional("generation", Value::number);
    AccessClaims {
        jti: form.text("jti"),
        sub: form.text("sub"),
        nbf: form.number("nbf"),
        exp: form.number("exp"),
        iat: form.number("iat"),
        iss: form.text("iss"),
        aud: form.text("aud"),
        version: form.text("version"),
        rid: form.text("rid"),
        access: access(form, entries),
        roles: form.texts(roles),
        grant_type: GrantType::AccessToken,
        appid: form.optional_text("appid"),
        principal: form.needed(kind),
        generation: form.needed(generation),
        provider: form.optional_name("provider"),
        epoch: form.optional_name("epoch"),
    }
}

/// The entries of `access`. One without actions grants nothing.
fn access(form: &mut Form<'_>, values: Values<'_>) -> Vec<AccessEntry> {
    let mut entries = Vec::new();
    for value in values {
        let object = form.needed(value.object());
        let mut entry = Form { object, is_whole: true };
        let actions = match object.field("actions") {
            None => Values::default(),
            Some(actions) => entry.needed(actions.list()),
        };
        entries.push(AccessEntry {
            resource_type: entry.text("type"),
            name: entry.text("name"),
            actions: entry.texts(actions),
        });
        form.is_whole &= entry.is_whole;
    }
    entries
}

pub(crate) fn principal(value: Value<'_>) -> Option<PrincipalKind> {
    PrincipalKind::parse(value.text()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &str = r#"{"jti":"j","sub":"s","nbf":1,"exp":3600,"iat":1,"iss":"Azure Container Registry","aud":"r","version":"1.0","rid":"0","access":[{"type":"repository","name":"a","actions":["pull"]}],"roles":[],"grant_type":"access_token"}"#;
    const EXPECTED: Expected<'_> = Expected {
        issuer: "Azure Container Registry",
        service: "r",
        epoch: Epoch::Unknown,
        now: 5,
    };

    fn accepted(token: &str, expected: Expected<'_>) -> Result<(), AcceptError> {
        accept(token.as_bytes(), &expected).map(drop)
    }

    #[test]
    fn expectations() {
        use AcceptError::{Audience, Epoch as OtherEpoch, Expired, Issuer, Lifetime};
        for (expected, result) in [
            (EXPECTED, Ok(())),
            (Expected { now: 3659, ..EXPECTED }, Ok(())),
            (Expected { now: 3660, ..EXPECTED }, Err(Expired)),
            (Expected { now: u64::MAX, ..EXPECTED }, Err(Expired)),
            (Expected { now: 0, ..EXPECTED }, Ok(())),
            (Expected { issuer: "R", ..EXPECTED }, Err(Issuer)),
            (Expected { service: "R", ..EXPECTED }, Err(Audience)),
            (Expected { epoch: Epoch::Is(None), ..EXPECTED }, Ok(())),
            (Expected { epoch: Epoch::Is(Some("e")), ..EXPECTED }, Err(OtherEpoch)),
        ] {
            assert_eq!(accepted(RECORDED, expected), result, "{expected:?}");
        }
        assert_eq!(Times { begin: 0, end: MAX_LIFETIME }.check(0), Ok(()));
        assert_eq!(Times { begin: 0, end: MAX_LIFETIME + 1 }.check(0), Err(Lifetime));
    }

    #[test]
    fn claims_of_another_form() {
        use AcceptError::{Kind, Lifetime, Malformed, NotYetValid};
        for (part, other, result) in [
            (r#""nbf":1"#, r#""nbf":66"#, NotYetValid),
            (r#""exp":3600"#, r#""exp":10802"#, Lifetime),
            (r#""exp":3600"#, r#""exp":3600.5"#, Malformed),
            (r#""exp":3600"#, r#""exp":3600.0"#, Malformed),
            (r#""exp":3600"#, r#""exp":-1"#, Malformed),
            (r#""exp":3600"#, r#""exp":9007199254740992"#, Malformed),
            (r#""exp":3600"#, r#""exp":3600,"exp":3600"#, Malformed),
            (r#""iat":1"#, r#""iat":null"#, Malformed),
            (r#""aud":"r""#, r#""aud":["r"]"#, Malformed),
            ("access_token", "refresh_token", Kind),
            ("access_token", "password", Malformed),
            (r#","grant_type":"access_token""#, "", Malformed),
            (r#""access":["#, r#""access":[7,"#, Malformed),
            (r#"{"type":"#, r#"{"Type":"#, Malformed),
            (r#""name":"#, r#""Name":"#, Malformed),
            (r#""actions":["pull"]"#, r#""actions":"pull""#, Malformed),
            (r#""roles":[]"#, r#""roles":[],"principal":"robot""#, Malformed),
            (r#""roles":[]"#, r#""roles":[],"generation":-1"#, Malformed),
            (r#""roles":[],"#, "", Malformed),
        ] {
            let other = RECORDED.replace(part, other);
            assert_eq!(accepted(&other, EXPECTED), Err(result), "{other}");
        }
        assert_eq!(accepted("[]", EXPECTED), Err(Malformed));
    }

    #[test]
    fn claims_come_as_they_are() {
        let ours = r#""roles":[],"principal":"identity","generation":7,"provider":"ci","epoch":"e","tenant":{}"#;
        for text in [RECORDED.into(), RECORDED.replace(r#""roles":[]"#, ours)] {
            let serde: AccessClaims = serde_json::from_str(&text).unwrap();
            assert_eq!(accept(text.as_bytes(), &EXPECTED), Ok(serde), "{text}");
        }
        let unnamed = RECORDED.replace(r#""roles":[]"#, r#""roles":[],"provider":"","epoch":null"#);
        let claims = accept(unnamed.as_bytes(), &EXPECTED).unwrap();
        assert_eq!((claims.provider, claims.epoch), (None, None));
    }
}

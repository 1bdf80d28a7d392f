//! What a token is to a client that wants it revoked (RFC 7009).
//!
//! The signature comes first: only a token of ours is worth a row in the database, and one that is
//! not costs its sender as much as a wrong password.

use scopegate_api::claims::{GrantType, RefreshClaims};
use scopegate_edge::{Epoch, Expected, json};

use super::{Issuer, RegisteredClaims};

/// A token that is to be revoked.
#[derive(Debug)]
pub(crate) enum Revocable {
    /// A refresh token that is valid now.
    Refresh(Box<RefreshClaims>),
    /// A token of another type that is valid now. It ends with its principal.
    OtherType,
    /// A token of ours that has ended: it has expired, or is of an epoch that was left.
    Ended,
    /// No token of ours.
    Foreign,
}

impl Issuer {
    /// What a token is to a client that wants it revoked.
    #[must_use]
    pub(crate) fn revocable(&self, token: &str, now: i64) -> Revocable {
        let Some(payload) = self.open(token) else { return Revocable::Foreign };
        let is_object = json::read(&payload).is_some_and(|document| document.object().is_some());
        let claims = serde_json::from_slice::<RegisteredClaims>(&payload).ok();
        let Some(claims) = claims.filter(|_| is_object) else { return Revocable::Foreign };
        let epoch = self.epoch();
        let expected = self.expected(Epoch::Is(epoch.as_deref().map(String::as_str)), now);
        // Tokens for management, and bundles, have other audiences.
        let of_any_audience = Expected { service: &claims.aud, ..expected };
        if of_any_audience.check_any(claims.registered()).is_err() {
            return Revocable::Ended;
        }
        let is_ours = claims.aud == self.service;
        let refresh: Option<RefreshClaims> = serde_json::from_slice(&payload).ok();
        match refresh.filter(|claims| is_ours && claims.grant_type == GrantType::RefreshToken) {
            Some(claims) => Revocable::Refresh(Box::new(claims)),
            None => Revocable::OtherType,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use scopegate_api::claims::PrincipalKind;
    use serde_json::json;

    use super::*;
    use crate::domain::issue::Subject;
    use crate::domain::keys::rotation::plan;
    use crate::domain::keys::{Algorithm, Authority, Ring, Rotation, RsaSize, SigningKey};
    use crate::domain::lifetimes::{ACCESS_LIFETIME, LEEWAY, REFRESH_LIFETIME};

    const NOW: i64 = 1_800_000_000;

    fn issuer() -> Issuer {
        let authority = Authority::read(&Authority::generate("test", NOW).unwrap()).unwrap();
        let rotation = Rotation { every: Duration::MAX, ahead: Duration::ZERO };
        let new = plan(&[], Algorithm::Es256, NOW, rotation).generate.unwrap();
        let key = SigningKey::generate(new.algorithm, RsaSize::default(), new.times, &authority);
        let ring = Ring::read(&[key.unwrap()], authority.certificate()).unwrap();
        let issuer = Issuer::new("i".into(), "s".into(), false, ring);
        issuer.replace_epoch("one");
        issuer
    }

    #[test]
    fn only_refresh_tokens_are_revoked() {
        let (issuer, other) = (issuer(), issuer());
        let subject = Subject::new("t", PrincipalKind::Token, 7);
        let refresh = |issuer: &Issuer| issuer.refresh_token(&subject, "r", NOW).unwrap();
        let own = refresh(&issuer);
        let access = issuer.access_token(&subject, "r", Vec::new(), ACCESS_LIFETIME, NOW).unwrap();
        let management = json!({
            "iss": "i", "aud": "management", "nbf": NOW, "exp": NOW + 60, "epoch": "one",
        });
        let management = issuer.sign(&management, NOW).unwrap();
        let no_claims = issuer.sign(&json!({ "iss": "i" }), NOW).unwrap();
        let end = NOW + REFRESH_LIFETIME + LEEWAY;
        for (what, token, now, expected) in [
            ("own", own.as_str(), NOW, "refresh"),
            ("nearly expired", &own, end - 1, "refresh"),
            ("expired", &own, end, "ended"),
            ("access", &access, NOW, "other"),
            ("expired access", &access, end, "ended"),
            ("management", &management, NOW, "other"),
            ("no claims", &no_claims, NOW, "foreign"),
            ("another's", &refresh(&other), NOW, "foreign"),
            ("altered", &format!("{own}A"), NOW, "foreign"),
            ("nothing", "", NOW, "foreign"),
            ("words", "a refresh token", NOW, "foreign"),
        ] {
            let found = match issuer.revocable(token, now) {
                Revocable::Refresh(claims) => {
                    assert_eq!(claims.sub, "t");
                    "refresh"
                }
                Revocable::OtherType => "other",
                Revocable::Ended => "ended",
                Revocable::Foreign => "foreign",
            };
            assert_eq!(found, expected, "{what}");
        }
        issuer.replace_epoch("two");
        assert!(matches!(issuer.revocable(&own, NOW), Revocable::Ended));
    }
}

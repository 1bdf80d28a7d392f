//! Claims, signed and verified.
//!
//! Follows RFC 7519 and the claims of Azure Container Registry. The algorithm is pinned to ES256 and the key to ours: whatever a header
//! says about keys (`jwk`, `jku`, `x5u`, `x5c`) is not looked at.

use jsonwebtoken::{Algorithm, Header, Validation, decode, encode};
use scopegate_api::access::AccessEntry;
use scopegate_api::claims::{
    AccessClaims, GrantType, Permissions, RefreshClaims, VERSION, version,
};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::error::RouteError;
use crate::keys::Keys;

/// How long an access token is valid, in seconds.
pub const ACCESS_LIFETIME: i64 = 60 * 60;
/// How long a refresh token is valid, in seconds.
pub const REFRESH_LIFETIME: i64 = 3 * 60 * 60;
/// How far two clocks may be apart, in seconds.
pub const LEEWAY: u64 = 60;

/// Signs tokens for one registry, and knows its own again.
#[derive(Debug)]
pub struct Issuer {
    /// The `iss` of every token.
    pub issuer: String,
    /// The `aud` of every token.
    pub service: String,
    /// The key.
    pub keys: Keys,
}

impl Issuer {
    /// Signs an access token.
    ///
    /// # Errors
    ///
    /// [`RouteError::Signing`] when the key cannot sign.
    pub fn access_token(
        &self,
        subject: &str,
        rid: &str,
        access: Vec<AccessEntry>,
        now: i64,
    ) -> Result<String, RouteError> {
        self.sign(&AccessClaims {
            jti: Uuid::new_v4().to_string(),
            sub: subject.to_owned(),
            nbf: seconds(now),
            exp: seconds(now.saturating_add(ACCESS_LIFETIME)),
            iat: seconds(now),
            iss: self.issuer.clone(),
            aud: self.service.clone(),
            version: version(&access).to_owned(),
            rid: rid.to_owned(),
            access,
            roles: Vec::new(),
            grant_type: GrantType::AccessToken,
        })
    }

    /// Signs a refresh token.
    ///
    /// # Errors
    ///
    /// [`RouteError::Signing`] when the key cannot sign.
    pub fn refresh_token(&self, subject: &str, rid: &str, now: i64) -> Result<String, RouteError> {
        self.sign(&RefreshClaims {
            jti: Uuid::new_v4().to_string(),
            sub: subject.to_owned(),
            nbf: seconds(now),
            exp: seconds(now.saturating_add(REFRESH_LIFETIME)),
            iat: seconds(now),
            iss: self.issuer.clone(),
            aud: self.service.clone(),
            version: VERSION.to_owned(),
            rid: rid.to_owned(),
            grant_type: GrantType::RefreshToken,
            permissions: Permissions::default(),
            roles: Vec::new(),
        })
    }

    /// The claims of a refresh token that this server signed and that is valid now.
    #[must_use]
    pub fn verify_refresh(&self, token: &str, now: i64) -> Option<RefreshClaims> {
        let claims: RefreshClaims = self.verify(token)?;
        let in_time = is_in_time(claims.nbf, claims.exp, now);
        (claims.grant_type == GrantType::RefreshToken && in_time).then_some(claims)
    }

    /// The claims of an access token that this server signed and that is valid now.
    #[must_use]
    pub fn verify_access(&self, token: &str, now: i64) -> Option<AccessClaims> {
        let claims: AccessClaims = self.verify(token)?;
        let in_time = is_in_time(claims.nbf, claims.exp, now);
        (claims.grant_type == GrantType::AccessToken && in_time).then_some(claims)
    }

    fn sign(&self, claims: &impl serde::Serialize) -> Result<String, RouteError> {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.keys.kid.clone());
        encode(&header, claims, &self.keys.signing)
            .map_err(|error| RouteError::Signing(error.to_string()))
    }

    /// Claims with our signature, issuer and audience. The times are the caller's, who has the clock.
    fn verify<T: DeserializeOwned>(&self, token: &str) -> Option<T> {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.service]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud"]);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        decode(token, &self.keys.verifying, &validation).ok().map(|data| data.claims)
    }
}

fn seconds(time: i64) -> u64 {
    u64::try_from(time).unwrap_or(0)
}

fn is_in_time(nbf: u64, exp: u64, now: i64) -> bool {
    let now = seconds(now);
    nbf <= now.saturating_add(LEEWAY) && now < exp.saturating_add(LEEWAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(name: &str, service: &str) -> Issuer {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path(), name).unwrap();
        Issuer { issuer: name.into(), service: service.into(), keys }
    }

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn times() {
        let issuer = issuer("i", "s");
        let access = issuer.access_token("t", "r", Vec::new(), NOW).unwrap();
        let refresh = issuer.refresh_token("t", "r", NOW).unwrap();
        for (at, access_valid, refresh_valid) in [
            (NOW, true, true),
            (NOW - 60, true, true),
            (NOW - 61, false, false),
            (NOW + ACCESS_LIFETIME + 59, true, true),
            (NOW + ACCESS_LIFETIME + 60, false, true),
            (NOW + REFRESH_LIFETIME + 59, false, true),
            (NOW + REFRESH_LIFETIME + 60, false, false),
        ] {
            assert_eq!(issuer.verify_access(&access, at).is_some(), access_valid, "{at}");
            assert_eq!(issuer.verify_refresh(&refresh, at).is_some(), refresh_valid, "{at}");
        }
    }

    #[test]
    fn one_kind_of_token_is_not_the_other() {
        let issuer = issuer("i", "s");
        let access = issuer.access_token("t", "r", Vec::new(), NOW).unwrap();
        let refresh = issuer.refresh_token("t", "r", NOW).unwrap();
        assert!(issuer.verify_refresh(&access, NOW).is_none());
        assert!(issuer.verify_access(&refresh, NOW).is_none());
    }

    #[test]
    fn tokens_of_others_are_refused() {
        let ours = issuer("i", "s");
        let token = ours.refresh_token("t", "r", NOW).unwrap();
        assert!(issuer("i", "s").verify_refresh(&token, NOW).is_none(), "another key");
        let other_service = Issuer { service: "other".into(), ..ours };
        assert!(other_service.verify_refresh(&token, NOW).is_none(), "another audience");
        let other_issuer = Issuer { service: "s".into(), issuer: "other".into(), ..other_service };
        assert!(other_issuer.verify_refresh(&token, NOW).is_none(), "another issuer");
    }

    /// A header that brings its own key, or asks for no signature, opens nothing.
    #[test]
    fn keys_in_headers_are_not_looked_at() {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let (ours, attacker) = (issuer("i", "s"), issuer("i", "s"));
        let claims = RefreshClaims {
            jti: "j".into(),
            sub: "t".into(),
            nbf: seconds(NOW),
            exp: seconds(NOW + 60),
            iat: seconds(NOW),
            iss: "i".into(),
            aud: "s".into(),
            version: VERSION.into(),
            rid: "r".into(),
            grant_type: GrantType::RefreshToken,
            permissions: Permissions::default(),
            roles: Vec::new(),
        };
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(ours.keys.kid.clone());
        header.jwk = serde_json::from_value(attacker.keys.jwks["keys"][0].clone()).unwrap();
        let forged = encode(&header, &claims, &attacker.keys.signing).unwrap();
        assert!(attacker.verify_refresh(&forged, NOW).is_some(), "the forgery is well made");
        assert!(ours.verify_refresh(&forged, NOW).is_none());

        let good = ours.refresh_token("t", "r", NOW).unwrap();
        let payload = good.split('.').nth(1).unwrap();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        for forged in [
            format!("{none}.{payload}."),
            format!("{none}.{payload}.AAAA"),
            good[..good.len() - 4].into(),
        ] {
            assert!(ours.verify_refresh(&forged, NOW).is_none(), "{forged}");
        }
    }
}

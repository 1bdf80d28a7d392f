//! What `authorize` remembers of a sign-in, in a token that is signed for this alone.
//!
//! The browser keeps it in a cookie until its person comes back. The state that the provider sends
//! back has to be the one inside, so a code is taken only in the browser that began.
//!
//! Left out: encryption. What is inside belongs to the browser's person: the verifier proves
//! nothing without the provider's code for it, and this server's own secret.

use serde::{Deserialize, Serialize};

use crate::domain::issue::{Issuer, SignError};

/// How long a person may take to sign in, in seconds.
pub(crate) const LIFETIME: i64 = 10 * 60;

/// A sign-in that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoginRequest {
    /// The provider, by its name in the configuration.
    pub provider: String,
    /// Our state, nonce and verifier for the provider.
    pub state: String,
    pub nonce: String,
    pub verifier: String,
    /// What the client has asked for.
    pub client: ClientRequest,
}

/// What a client has asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClientRequest {
    pub client_id: String,
    pub redirect_uri: String,
    pub is_form: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    pub code_challenge: String,
    pub scope: String,
}

#[derive(Serialize, Deserialize)]
struct RequestClaims {
    iss: String,
    aud: String,
    nbf: i64,
    exp: i64,
    epoch: Option<String>,
    request: LoginRequest,
}

impl LoginRequest {
    /// Signs it.
    ///
    /// # Errors
    ///
    /// [`SignError`] when the key cannot sign.
    pub(crate) fn sign(self, issuer: &Issuer, now: i64) -> Result<String, SignError> {
        let claims = RequestClaims {
            iss: issuer.issuer.clone(),
            aud: audience(issuer),
            nbf: now,
            exp: now.saturating_add(LIFETIME),
            epoch: issuer.epoch().as_deref().cloned(),
            request: self,
        };
        issuer.sign(&claims, now)
    }

    /// Reads one of this registry's servers, while it is good.
    #[must_use]
    pub(crate) fn verify(token: &str, issuer: &Issuer, now: i64) -> Option<Self> {
        let claims: RequestClaims = issuer.verify(token, &audience(issuer), now)?;
        // The minute that clocks may differ by is for tokens that others issue.
        let is_current = now < claims.exp && claims.epoch.as_ref() == issuer.epoch().as_deref();
        is_current.then_some(claims.request)
    }
}

fn audience(issuer: &Issuer) -> String {
    format!("login-request:{}", issuer.service)
}

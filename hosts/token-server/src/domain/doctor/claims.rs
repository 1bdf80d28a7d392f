//! Whether a registry accepts the claims of a token: names, times, origin.

use serde_json::Value;

use super::{Doctor, Verdict, listed};
use crate::clock::rfc3339;
use crate::domain::lifetimes::LEEWAY;

impl Doctor<'_> {
    /// Whether `iss` and `aud` are the expected ones.
    pub(super) fn names(&mut self, issuer: &str, service: &str, reader: &str) {
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

    /// Whether the token was issued by this server.
    pub(super) fn origin(&mut self) {
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

    pub(super) fn claims(&mut self) {
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
                "the token's exp is not a whole number",
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
                "the token's nbf is not a whole number",
                "a registry reads the time at which a token begins in seconds since 1970",
                "take a token of this server",
            ),
            _ => {}
        }
    }
}

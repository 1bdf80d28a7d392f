//! What becomes of a request: [`scopegate_edge::decide`], by the configuration and the feed.

use std::borrow::Cow;

use scopegate_api::claims::AccessClaims;
use scopegate_core::admission::{self, Authority, Credential, Forward};
use scopegate_edge::{Decision, Edge, StatusSource, answer};

use crate::config::{Config, SERVE_FOR};
use crate::revocation::Feed;
use crate::serialized_map::SerializedMap;

/// A request, as Envoy has it.
#[derive(Clone, Debug)]
pub(crate) struct Request<'r> {
    /// Its method.
    pub(crate) method: &'r str,
    /// Its path and query as they came in.
    pub(crate) target: &'r str,
    /// Its header fields, the method and the target among them.
    pub(crate) headers: &'r SerializedMap<'r>,
}

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome<'r> {
    /// It goes on.
    Forward {
        /// With this target. Borrowed where that is the one that came in.
        target: Cow<'r, str>,
        /// With this `Content-Type`, in place of whatever came; `None`: without one.
        content_type: Option<&'r str>,
    },
    /// It is answered.
    Answer(Answer),
}

/// An answer in the registry's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The value of `WWW-Authenticate`.
    pub(crate) challenge: Option<String>,
    /// The body, JSON.
    pub(crate) body: String,
}

/// Decides about a request at a time, in seconds since 1970. The signature of a token that is valid
/// was verified. What else makes it ours is checked here, whatever `jwt_authn` was told.
#[must_use]
pub(crate) fn decide<'r>(
    config: &Config,
    feed: &Feed,
    now: u64,
    request: &Request<'r>,
    credential: Credential<&AccessClaims>,
) -> Outcome<'r> {
    let edge = Edge {
        issuer: &config.issuer,
        authority: Authority { realm: &config.realm, service: &config.service },
        routes: config.route_settings(),
        catalog: config.catalog,
        can_filter: false,
        status: match &config.revocations {
            Some(source) => feed.source(source.serve_for.unwrap_or(SERVE_FOR)),
            None => StatusSource::Expiry,
        },
    };
    let Request { method, target, headers } = *request;
    let request = admission::Request { method, target, headers: headers.iter() };
    match edge.decide(request, credential, now) {
        Decision::Forward(Forward { target, content_type, .. }) => {
            Outcome::Forward { target, content_type }
        }
        Decision::Base => Outcome::Answer(fixed(answer::BASE)),
        Decision::Refusal(refusal) => Outcome::Answer(Answer {
            status: refusal.status,
            challenge: refusal.challenge,
            body: refusal.body,
        }),
        Decision::Unavailable(_) => Outcome::Answer(unavailable()),
    }
}

/// The answer where no decision can be made.
#[must_use]
pub(crate) fn unavailable() -> Answer {
    fixed(answer::UNAVAILABLE)
}

fn fixed((status, body): (u16, &str)) -> Answer {
    Answer { status, challenge: None, body: body.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_100;

    fn claims(change: impl FnOnce(&mut serde_json::Value)) -> Option<AccessClaims> {
        let mut value = serde_json::json!({
            "jti": "j", "sub": "Reader", "nbf": NOW - 100, "exp": NOW + 3500, "iat": NOW - 100,
            "iss": "scopegate", "aud": "s", "version": "1.0", "rid": "0", "roles": [], "grant_type": "access_token",
            "access": [
                {"type": "repository", "name": "app", "actions": ["pull"]},
                {"type": "registry", "name": "catalog", "actions": ["*"]},
            ],
            "principal": "token", "generation": 7,
        });
        change(&mut value);
        serde_json::from_value(value).ok()
    }

    fn config(more: &str) -> Config {
        Config::read(
            format!(r#"{{"realm": "https://r/oauth2/token", "service": "s"{more}}}"#).as_bytes(),
        )
        .unwrap()
    }

    const REVOCATIONS: &str =
        r#", "revocations": {"cluster": "c", "host": "h", "path": "/g", "authorization": "a"}"#;

    fn said(config: &Config, feed: &Feed, target: &str, claims: Option<AccessClaims>) -> String {
        let credential = claims.as_ref().map_or(Credential::Absent, Credential::Valid);
        let headers = SerializedMap::default();
        let request = Request { method: "GET", target, headers: &headers };
        match decide(config, feed, NOW, &request, credential) {
            Outcome::Forward { target, .. } => target.into_owned(),
            Outcome::Answer(Answer { status, challenge, .. }) => {
                let error =
                    challenge.and_then(|text| text.split("error=").nth(1).map(ToOwned::to_owned));
                format!("{status} {}", error.unwrap_or_default()).trim_end().to_owned()
            }
        }
    }

    #[test]
    fn requests() {
        let (config, feed) = (config(""), Feed::default());
        let pull = "/v2/app/manifests/v1";
        let invalid = r#"401 "invalid_token""#;
        for (target, claims, expected) in [
            (pull, None, "401"),
            (pull, claims(|_| ()), pull),
            ("/v2/%61pp/manifests/v1", claims(|_| ()), pull),
            ("/v2/x/../app/manifests/v1", claims(|_| ()), "400"),
            ("/v2/other/manifests/v1", claims(|_| ()), r#"401 "insufficient_scope""#),
            ("/v2/", claims(|_| ()), "200"),
            ("/v2/_catalog", claims(|_| ()), "/v2/_catalog"),
            (pull, claims(|token| token["iss"] = "other".into()), invalid),
            (pull, claims(|token| token["aud"] = "other".into()), invalid),
            (pull, claims(|token| token["exp"] = (NOW - 60).into()), invalid),
            (pull, claims(|token| token["nbf"] = (NOW + 61).into()), invalid),
            (pull, claims(|token| token["grant_type"] = "refresh_token".into()), invalid),
        ] {
            assert_eq!(said(&config, &feed, target, claims), expected, "{target}");
        }
        let headers = SerializedMap::default();
        let request = Request { method: "GET", target: pull, headers: &headers };
        let outcome = decide(&config, &feed, NOW, &request, Credential::Invalid);
        assert!(matches!(outcome, Outcome::Answer(Answer { status: 401, .. })));
        let closed = self::config(r#", "catalog": "never""#);
        let answer = said(&closed, &feed, "/v2/_catalog", claims(|_| ()));
        assert_eq!(answer, r#"401 "insufficient_scope""#);
    }

    #[test]
    fn revocations() {
        let (config, mut feed) = (config(REVOCATIONS), Feed::default());
        let pull = "/v2/app/manifests/v1";
        assert_eq!(said(&config, &feed, pull, claims(|_| ())), "503");
        // Who brings nothing needs no list to be told where tokens are.
        assert_eq!(said(&config, &feed, pull, None), "401");
        feed.ingest(br#"{"revision": 8, "isEverything": true, "changed": []}"#, NOW);
        assert_eq!(said(&config, &feed, pull, claims(|_| ())), pull);
        let gone = br#"{"revision": 9, "isEverything": false, "changed": [{"principal": "token", "sub": "reader", "generation": 9}]}"#;
        feed.ingest(gone, NOW);
        assert_eq!(said(&config, &feed, pull, claims(|_| ())), r#"401 "invalid_token""#);
        let unnamed = claims(|token| token["generation"] = serde_json::Value::Null);
        assert_eq!(said(&config, &feed, pull, unnamed), r#"401 "invalid_token""#);
    }
}

//! The configuration of the filter, which Envoy gives as JSON.
//!
//! `examples/envoy-filter.yaml` has it in its place.

use scopegate_api::settings;
use scopegate_core::Catalog;
use scopegate_core::route::{Profile, Settings, Untag};
use serde::{Deserialize, Deserializer};

/// For how many seconds requests are let through while nothing is heard of revocations.
pub(crate) const SERVE_FOR: u64 = 60;

/// What a filter is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Config {
    /// Where clients get tokens.
    pub(crate) realm: String,
    /// Whom tokens are for: what the token server calls the registry's `service`.
    pub(crate) service: String,
    /// Who issues them.
    #[serde(default = "issuer")]
    pub(crate) issuer: String,
    /// Where the issuer's keys are published. Without it `jwt_authn` is before the filter in the
    /// chain, and verifies.
    #[serde(default)]
    pub(crate) keys: Option<Source>,
    /// What `jwt_authn` calls the place where it leaves the claims, its `payload_in_metadata`; not
    /// looked at with `keys`.
    #[serde(default = "metadata")]
    pub(crate) metadata: String,
    /// Whose rules hold where registries differ: `acr` or `distribution`.
    #[serde(default, deserialize_with = "settings::profile")]
    pub(crate) profile: Profile,
    /// What removing a tag needs: `delete` or `metadata-write`.
    #[serde(default, deserialize_with = "settings::untag")]
    pub(crate) untag: Untag,
    /// Who may list the repositories: `root` or `never`.
    #[serde(default, deserialize_with = "catalog")]
    pub(crate) catalog: Catalog,
    /// Whether each decision is a line of Envoy's log.
    #[serde(default = "yes")]
    pub(crate) log_decisions: bool,
    /// Where revoked tokens are listed; none are known without it.
    #[serde(default)]
    pub(crate) revocations: Option<Source>,
}

/// What the token server is asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Source {
    /// The cluster of the token server.
    pub(crate) cluster: String,
    /// The host to ask for there.
    pub(crate) host: String,
    /// The path: `/.well-known/jwks.json`, or `/registries/<name>/generations`.
    pub(crate) path: String,
    /// The value of `Authorization` of a client that may read the feed. Keys are public.
    #[serde(default)]
    pub(crate) authorization: Option<String>,
    /// For how many seconds requests are let through when it does not answer; [`SERVE_FOR`] when
    /// left out. Keys are kept until there are others.
    #[serde(default)]
    pub(crate) serve_for: Option<u64>,
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    ///
    /// What is wrong with it, for people: a field that is not known, such as `relm`, or a value
    /// that cannot be.
    pub(crate) fn read(text: &[u8]) -> Result<Self, String> {
        let config: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let printable = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"')
        };
        for (name, text) in [("realm", &config.realm), ("service", &config.service)] {
            if !printable(text) {
                return Err(format!("{name} is not allowed in a challenge"));
            }
        }
        let (keys, revocations) = (&config.keys, &config.revocations);
        for (name, source) in [("keys", keys), ("revocations", revocations)] {
            if source.as_ref().is_some_and(|source| !source.path.starts_with('/')) {
                return Err(format!("{name}.path is not a path"));
            }
        }
        if revocations.as_ref().is_some_and(|source| source.authorization.is_none()) {
            return Err("revocations.authorization is missing".to_owned());
        }
        if keys.as_ref().is_some_and(|source| source.serve_for.is_some()) {
            return Err("keys.serveFor: keys are kept until there are others".to_owned());
        }
        Ok(config)
    }

    /// What routes need to know.
    #[must_use]
    pub(crate) fn route_settings(&self) -> Settings {
        Settings { profile: self.profile, untag: self.untag }
    }
}

/// `filtered` is refused: the filter does not filter the registry's lists.
fn catalog<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Catalog, D::Error> {
    let parse = |text: &str| Catalog::parse(text).filter(|catalog| *catalog != Catalog::Filtered);
    settings::named(deserializer, parse, "root, never")
}

fn issuer() -> String {
    "scopegate".to_owned()
}

const fn yes() -> bool {
    true
}

fn metadata() -> String {
    "scopegate".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_a_default() {
        let text =
            br#"{"realm": "https://auth.example/oauth2/token", "service": "registry.example"}"#;
        assert_eq!(Config::read(text).unwrap().issuer, "scopegate");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (more, expected) in [
            (r#""relm": 1"#, "relm"),
            (r#""profile": "ACR""#, "`ACR` is not one of acr, distribution"),
            (r#""untag": "push""#, "`push` is not one of delete, metadata-write"),
            (r#""catalog": "filtered""#, "`filtered` is not one of root, never"),
            (r#""revocations": {"cluster": "c"}"#, "host"),
            (r#""keys": {"cluster": "c", "host": "h"}"#, "path"),
            (r#""keys": {"cluster": "c", "host": "h", "path": "x"}"#, "keys.path is not a path"),
            (
                r#""keys": {"cluster": "c", "host": "h", "path": "/", "serveFor": 9}"#,
                "keys.serveFor",
            ),
            (
                r#""revocations": {"cluster": "c", "host": "h", "path": "/x"}"#,
                "revocations.authorization is missing",
            ),
            (
                r#""revocations": {"cluster": "c", "host": "h", "path": "x", "authorization": "a"}"#,
                "revocations.path is not a path",
            ),
        ] {
            let text = format!(r#"{{"realm": "r", "service": "s", {more}}}"#);
            let error = Config::read(text.as_bytes()).unwrap_err();
            assert!(error.contains(expected), "{more}: {error}");
        }
        for text in [
            "",
            "{}",
            "[]",
            r#"{"realm": "", "service": "s"}"#,
            r#"{"realm": "r", "service": "a\"b"}"#,
        ] {
            assert!(Config::read(text.as_bytes()).is_err(), "{text}");
        }
    }
}

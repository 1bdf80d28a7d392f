//! OpenID providers in the configuration.
//!
//! ```yaml
//! providers:
//!   - name: ci                         # for the log, and for refresh tokens
//!     issuer: https://token.actions.example
//!     audiences: [https://containerregistry.azure.net]
//!     algorithms: [RS256, ES256]       # default: RS256, ES256, EdDSA, PS256
//!     leeway: 60                       # seconds
//!     subject: sub                     # the claim that becomes the `sub` of our tokens
//!     caFile: provider-ca.pem          # the one authority to trust instead of the system's
//!     clientId: registry               # for grants with a refresh token
//!     clientSecretFile: client-secret
//!     passwordUsers: [token, jwt]      # user names whose password may be one of its tokens
//!     login: true                      # people sign in here by `az login`; at most one provider
//!     bindings:
//!       - match: {repository_owner: octo, ref: refs/heads/main}
//!         scopeMaps: [ci-push]
//!         roles: [AcrPull]
//!       - match: {}
//!         rules: ["repositories/{repository_owner}/*/content/read"]
//! ```
//!
//! This is the syntax alone. The values are checked where they are used:
//! [`Provider::open`](crate::domain::identity::Provider::open) and
//! [`Bindings::read`](crate::domain::identity::Bindings::read). The format is ours, so an unknown
//! field is an error.
//!
//! A reader of YAML may take the bare words `y`, `no`, `on` for booleans. A binding with such a
//! value then matches no text, and so grants nothing; quotes make it a text.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr as _;

use jsonwebtoken::{Algorithm, AlgorithmFamily};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProviderConfig {
    /// Its name in the log and in refresh tokens.
    pub name: String,
    /// The `iss` of its tokens, to the letter, and the address of its discovery document.
    pub issuer: String,
    /// One of these must be an `aud` of a token.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// How its tokens may be signed.
    #[serde(default = "SignatureAlgorithm::usual")]
    pub algorithms: Vec<SignatureAlgorithm>,
    /// How far the provider's clock and ours may be apart, in seconds.
    #[serde(default = "default_leeway")]
    pub leeway: u32,
    /// The claim that becomes the `sub` of our tokens.
    #[serde(default = "default_subject")]
    pub subject: String,
    /// The certificate authority that the provider's certificate must come from; left out, those
    /// that the system trusts.
    pub ca_file: Option<PathBuf>,
    /// Our client id at the provider, for redeeming refresh tokens.
    pub client_id: Option<String>,
    /// The file with the client's secret; left out for a public client.
    pub client_secret_file: Option<PathBuf>,
    /// The user names whose password may be one of its tokens; none by default.
    #[serde(default)]
    pub password_users: Vec<String>,
    /// Whether people sign in there by `az login`.
    #[serde(default)]
    pub login: LoginConfig,
    /// The bindings of its tokens.
    #[serde(default)]
    pub bindings: Vec<BindingConfig>,
}

/// Whether people sign in at a provider by `az login`: `true`, or how.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum LoginConfig {
    Switch(bool),
    Settings(LoginSettings),
}

/// How people sign in at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginSettings {
    /// The scopes that the provider is asked for.
    #[serde(default = "LoginSettings::usual_scopes")]
    pub scopes: Vec<String>,
    /// The values of `prompt` that the provider knows and does not publish. `az` wants
    /// `select_account`, so that one may change the account.
    #[serde(default)]
    pub prompts: Vec<String>,
}

impl Default for LoginConfig {
    fn default() -> Self {
        Self::Switch(false)
    }
}

impl LoginSettings {
    fn usual_scopes() -> Vec<String> {
        ["openid", "profile"].map(ToOwned::to_owned).into()
    }
}

impl LoginConfig {
    /// How people sign in; `None` where they do not.
    #[must_use]
    pub fn settings(&self) -> Option<LoginSettings> {
        match self {
            Self::Switch(false) => None,
            Self::Switch(true) => {
                Some(LoginSettings { scopes: LoginSettings::usual_scopes(), prompts: Vec::new() })
            }
            Self::Settings(settings) => Some(settings.clone()),
        }
    }
}

/// One binding: tokens with these claims get these rights.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BindingConfig {
    /// Claims, each with its required value or a list of accepted values. Not optional: `{}`
    /// matches every token.
    pub r#match: Option<BTreeMap<String, Value>>,
    /// Scope maps by their names.
    #[serde(default)]
    pub scope_maps: Vec<String>,
    /// Roles by their names.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Rules, in which `{claim}` is a placeholder for one component of the repository.
    #[serde(default)]
    pub rules: Vec<String>,
}

/// An algorithm that signs with a private key and verifies with a public one.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SignatureAlgorithm(Algorithm);

impl SignatureAlgorithm {
    /// The algorithm of most providers by default.
    fn usual() -> Vec<Self> {
        [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS256].map(Self).into()
    }

    #[must_use]
    pub const fn algorithm(self) -> Algorithm {
        self.0
    }
}

impl TryFrom<String> for SignatureAlgorithm {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        const INSTEAD: &str =
            "write RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA";
        match Algorithm::from_str(&name) {
            // A shared secret that verifies can also sign; and a public key used as a secret is not
            // secret.
            Ok(algorithm) if algorithm.family() == AlgorithmFamily::Hmac => {
                Err(format!("`{name}` signs with a shared secret: {INSTEAD}"))
            }
            Ok(algorithm) => Ok(Self(algorithm)),
            Err(_) if name.eq_ignore_ascii_case("none") => {
                Err(format!("`{name}` is not a signature: {INSTEAD}"))
            }
            Err(_) => Err(format!("`{name}` is an unknown algorithm: {INSTEAD}")),
        }
    }
}

impl fmt::Debug for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn default_leeway() -> u32 {
    60
}

fn default_subject() -> String {
    "sub".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "name: ci\nissuer: https://i.example\naudiences: [a]\n";

    fn read(more: &str) -> Result<ProviderConfig, String> {
        serde_saphyr::from_str(&format!("{LEAST}{more}")).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_left_out() {
        let config = read("").unwrap();
        assert_eq!(format!("{:?}", config.algorithms), "[RS256, ES256, EdDSA, PS256]");
        assert_eq!((config.leeway, config.subject.as_str()), (60, "sub"));
        assert!(config.bindings.is_empty() && config.client_id.is_none());
        assert!(config.password_users.is_empty());
    }

    #[test]
    fn what_may_be_written() {
        let config = read(
            "algorithms: [ES384]
leeway: 5
subject: /user/id
caFile: ca.pem
clientId: c
clientSecretFile: s
passwordUsers: [token, jwt]
bindings:
  - match: {a: b, /c/d: [1, true]}
    scopeMaps: [some-map]
    roles: [AcrPull]
    rules: ['repositories/{a}/content/read']
",
        )
        .unwrap();
        assert_eq!(format!("{:?}", config.algorithms), "[ES384]");
        assert_eq!(config.password_users, ["token", "jwt"]);
        assert_eq!(config.bindings[0].r#match.as_ref().unwrap().len(), 2);
    }

    #[test]
    fn errors_say_what_to_write_instead() {
        for (more, says) in [
            ("algorithms: [HS256]", "`HS256` signs with a shared secret: write RS256"),
            ("algorithms: [none]", "`none` is not a signature: write RS256"),
            ("algorithms: [None]", "`None` is not a signature: write RS256"),
            ("algorithms: [rs256]", "`rs256` is an unknown algorithm: write RS256"),
            ("audience: [b]", "unknown field `audience`, expected one of"),
            ("bindings: [{when: {}}]", "unknown field `when`, expected one of match"),
        ] {
            let error = read(more).unwrap_err();
            assert!(error.contains(says), "{more}: {error}");
        }
    }
}

//! People who sign in at a provider, in a browser or with a device code.
//!
//! Follows OpenID Connect Core 1.0 (sections 3.1.2.1 and 3.1.3.7) with PKCE (RFC 7636), and RFC
//! 8628. The ID token has to be signed by the provider for our client, and to have the nonce of
//! this sign-in; a device code knows none. Rights follow from the access token where that is a
//! token for one of our audiences of the same subject, as for a refresh token that is redeemed, and
//! else from the ID token.
//!
//! Left out: `at_hash`, because both tokens arrive from the provider itself and are verified; the
//! provider's refresh token, which is asked for only where `login.scopes` says so, and dropped.

use anyhow::ensure;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{Client, GrantError, Granted, Provider, text};
use crate::config::providers::{LoginSettings, ProviderConfig};
use crate::domain::identity::jwt::Jwt;
use crate::domain::identity::{Identity, IdentityError};
use crate::domain::reason::Reason;

/// The grant of RFC 8628.
pub(crate) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// The longest code of a provider that is taken, in bytes.
pub(crate) const MAX_CODE: usize = 2048;
/// The longest code that a person types in, in bytes.
const MAX_USER_CODE: usize = 64;
/// The longest address that a person opens, in bytes.
const MAX_URI: usize = 512;
/// The claims of an ID token that name a person, the best first.
const NAMES: [&str; 3] = ["preferred_username", "email", "upn"];

/// The values of `prompt` (OpenID Connect Core, section 3.1.2.1).
const PROMPTS: [&str; 4] = ["consent", "login", "none", SELECT_ACCOUNT];
const SELECT_ACCOUNT: &str = "select_account";

/// A person who has signed in.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    pub identity: Identity,
    /// The name that is shown; it identifies no one.
    pub username: String,
    /// The full name, or the same.
    pub name: String,
}

/// What a browser is sent to the provider with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AuthorizationRequest<'a> {
    pub redirect_uri: &'a str,
    pub state: &'a str,
    pub nonce: &'a str,
    pub code_challenge: &'a str,
    /// What the client wants the person to be asked, in words separated by spaces.
    pub prompt: Option<&'a str>,
}

/// How a code is redeemed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CodeGrant<'a> {
    pub code: &'a str,
    pub verifier: &'a str,
    pub redirect_uri: &'a str,
    pub nonce: &'a str,
}

/// What a provider says about a sign-in by device code that has begun.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct DeviceAuthorization {
    pub device_code: String,
    pub user_code: String,
    #[serde(alias = "verification_url")]
    pub verification_uri: String,
    pub verification_uri_complete: Option<String>,
    pub expires_in: i64,
    #[serde(default = "default_interval")]
    pub interval: i64,
}

/// Where RFC 8628 (section 3.2) says nothing else.
const fn default_interval() -> i64 {
    5
}

/// Why a device code gets no tokens, yet or at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DeviceError {
    /// The person has not answered yet.
    Pending,
    /// It is asked too often.
    SlowDown,
    /// It has expired, or was used.
    Expired,
    /// The person has refused.
    Denied,
    /// Everything else.
    Other(IdentityError),
}

impl From<IdentityError> for DeviceError {
    fn from(error: IdentityError) -> Self {
        Self::Other(error)
    }
}

/// How people sign in.
#[derive(Debug)]
pub(super) struct Login {
    /// Separated by spaces.
    scopes: String,
    /// The values of `prompt` that the provider knows beside those that it publishes.
    prompts: Vec<String>,
}

impl Login {
    /// Reads a configuration; `None` where people do not sign in.
    pub(super) fn read(config: &ProviderConfig) -> anyhow::Result<Option<Self>> {
        let Some(LoginSettings { scopes, prompts }) = config.login.settings() else {
            return Ok(None);
        };
        ensure!(config.client_id.is_some(), "people sign in with our client: write `clientId`");
        // RFC 6749, section 3.3.
        let is_scope = |scope: &String| {
            let mut bytes = scope.bytes();
            !scope.is_empty() && bytes.all(|b| matches!(b, b'!' | b'#'..=b'[' | b']'..=b'~'))
        };
        ensure!(scopes.iter().all(is_scope), "not a scope: write `scopes: [openid, profile]`");
        ensure!(
            scopes.iter().any(|scope| scope == "openid"),
            "without `openid` there is no ID token: write `scopes: [openid, profile]`"
        );
        let is_prompt = |prompt: &String| PROMPTS.contains(&prompt.as_str());
        ensure!(prompts.iter().all(is_prompt), "not a prompt: write `prompts: [select_account]`");
        Ok(Some(Self { scopes: scopes.join(" "), prompts }))
    }

    /// Of the words of `prompt` those that the provider knows. Many publish none, and refuse
    /// `select_account`; without it they ask as they do by themselves.
    fn known_prompt(&self, prompt: Option<&str>, published: Option<&[String]>) -> Option<String> {
        let has = |list: &[String], value: &str| list.iter().any(|known| known == value);
        let is_known = |value: &&str| {
            let is_published = match published {
                Some(list) => has(list, value),
                None => *value != SELECT_ACCOUNT,
            };
            PROMPTS.contains(value) && (is_published || has(&self.prompts, value))
        };
        let values: Vec<&str> = prompt?.split(' ').filter(is_known).collect();
        (!values.is_empty()).then(|| values.join(" "))
    }
}

impl Provider {
    /// Whether people sign in there.
    #[must_use]
    pub(crate) fn signs_people_in(&self) -> bool {
        self.login.is_some()
    }

    /// The address that a browser is sent to.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Unavailable`] when the provider does not answer, or has no such address.
    pub(crate) async fn authorization_url(
        &self,
        request: &AuthorizationRequest<'_>,
        now: i64,
    ) -> Result<Url, IdentityError> {
        let (client, login) = self.login()?;
        let metadata = self.metadata(now).await?;
        let mut url =
            self.endpoint("authorization_endpoint", metadata.authorization_endpoint.as_deref())?;
        let AuthorizationRequest { redirect_uri, state, nonce, code_challenge, prompt } = *request;
        url.query_pairs_mut().extend_pairs([
            ("client_id", client.id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", redirect_uri),
            ("scope", login.scopes.as_str()),
            ("state", state),
            ("nonce", nonce),
            ("code_challenge", code_challenge),
            ("code_challenge_method", "S256"),
        ]);
        if let Some(prompt) = login.known_prompt(prompt, metadata.prompts.as_deref()) {
            url.query_pairs_mut().append_pair("prompt", &prompt);
        }
        Ok(url)
    }

    /// Checks the issuer that an answer to a browser names, which may be left out only where the
    /// provider does not publish that it names one (RFC 9207, section 2.4).
    ///
    /// # Errors
    ///
    /// [`IdentityError::NotAuthenticated`] for another issuer's answer;
    /// [`IdentityError::Unavailable`] when the provider does not answer.
    pub(crate) async fn check_issuer(
        &self,
        named: Option<&str>,
        now: i64,
    ) -> Result<(), IdentityError> {
        let is_ours = match named {
            Some(issuer) => issuer == self.issuer(),
            None => !self.metadata(now).await?.names_issuer,
        };
        if is_ours { Ok(()) } else { Err(IdentityError::NotAuthenticated(Reason::OtherIssuer)) }
    }

    /// The person of a code.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] when the provider refuses the code, or its tokens are not for this
    /// sign-in.
    pub(crate) async fn redeem_code(
        &self,
        grant: CodeGrant<'_>,
        now: i64,
    ) -> Result<SignedIn, IdentityError> {
        let CodeGrant { code, verifier, redirect_uri, nonce } = grant;
        if code.is_empty() || code.len() > MAX_CODE {
            return Err(IdentityError::NotAuthenticated(Reason::RefusedByProvider));
        }
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        let granted = self.ask_for_tokens(&form, now).await;
        let granted = granted.map_err(|error| self.refused(error))?;
        self.signed_in(&granted, Some(nonce), now).await
    }

    /// Begins a sign-in by device code.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Unavailable`] when the provider does not answer, or has no such sign-in.
    pub(crate) async fn begin_device(
        &self,
        now: i64,
    ) -> Result<DeviceAuthorization, IdentityError> {
        let (client, login) = self.login()?;
        let metadata = self.metadata(now).await?;
        let endpoint = metadata.device_authorization_endpoint.as_deref();
        let endpoint = self.endpoint("device_authorization_endpoint", endpoint)?;
        let begun = self.post(client, &endpoint, &metadata, &[("scope", &login.scopes)]).await;
        let body = begun.map_err(|error| match error {
            GrantError::Refused { status, .. } => {
                self.unavailable(&format!("its device authorization endpoint answers {status}"))
            }
            GrantError::Other(error) => error,
        })?;
        let begun = serde_json::from_slice(&body).ok().filter(is_usable);
        let begun: DeviceAuthorization =
            begun.ok_or_else(|| self.unavailable("its answer to a device cannot be used"))?;
        for uri in [Some(&begun.verification_uri), begun.verification_uri_complete.as_ref()] {
            uri.map(|uri| self.endpoint("verification_uri", Some(uri))).transpose()?;
        }
        Ok(begun)
    }

    /// The person who has entered a device's code.
    ///
    /// # Errors
    ///
    /// [`DeviceError`].
    pub(crate) async fn poll_device(
        &self,
        device_code: &str,
        now: i64,
    ) -> Result<SignedIn, DeviceError> {
        let form = [("grant_type", DEVICE_GRANT), ("device_code", device_code)];
        let granted = match self.ask_for_tokens(&form, now).await {
            Ok(granted) => granted,
            Err(GrantError::Refused { status, error }) => {
                return Err(match error.as_str() {
                    "authorization_pending" => DeviceError::Pending,
                    "slow_down" => DeviceError::SlowDown,
                    "access_denied" => DeviceError::Denied,
                    // The code of another, or one that was used.
                    "expired_token" | "invalid_grant" => DeviceError::Expired,
                    _ => self.unavailable(&format!("its token endpoint answers {status}")).into(),
                });
            }
            Err(GrantError::Other(error)) => return Err(error.into()),
        };
        Ok(self.signed_in(&granted, None, now).await?)
    }

    /// Our client, and how people sign in.
    fn login(&self) -> Result<(&Client, &Login), IdentityError> {
        let login = self.login.as_ref();
        login
            .and_then(|login| Some((self.client.as_ref()?, login)))
            .ok_or_else(|| self.unavailable("people do not sign in there"))
    }

    fn endpoint(&self, name: &str, text: Option<&str>) -> Result<Url, IdentityError> {
        let text = text.ok_or_else(|| self.unavailable(&format!("it has no {name}")))?;
        self.cache.endpoint(name, text).map_err(|reason| self.unavailable(&reason))
    }

    /// Whose tokens these are.
    async fn signed_in(
        &self,
        granted: &Granted,
        nonce: Option<&str>,
        now: i64,
    ) -> Result<SignedIn, IdentityError> {
        let client = self.client()?;
        let id_token = granted.id_token.as_deref();
        let id_token = id_token.ok_or_else(|| self.unavailable("it granted no ID token"))?;
        let jwt = Jwt::parse(id_token)
            .map_err(|text| IdentityError::NotAuthenticated(Reason::MalformedToken(text)))?;
        let person = self.verify_for(std::slice::from_ref(&client.id), jwt, now).await?;
        check_party(&person, &client.id, nonce).map_err(IdentityError::NotAuthenticated)?;
        let named = |names: &[&str]| names.iter().find_map(|name| text(person.claims.get(*name)?));
        let username = named(&NAMES).unwrap_or_else(|| person.subject.clone());
        let name = named(&["name"]).unwrap_or_else(|| username.clone());
        let identity = match &granted.access_token {
            None => person,
            Some(token) => match self.identify(token, now).await {
                Ok(identity) if identity.subject == person.subject => identity,
                Ok(_) => return Err(IdentityError::NotAuthenticated(Reason::TwoIdentities)),
                // Opaque, or for another audience.
                Err(IdentityError::NotAuthenticated(_)) => person,
                Err(error) => return Err(error),
            },
        };
        Ok(SignedIn { identity, username, name })
    }
}

/// What an ID token says beside what every token says (OpenID Connect Core, section 3.1.3.7): of
/// several audiences the party is ours, and the nonce is this sign-in's.
fn check_party(person: &Identity, client: &str, nonce: Option<&str>) -> Result<(), Reason> {
    let claims = &person.claims;
    let has_several = matches!(claims.get("aud"), Some(Value::Array(list)) if list.len() > 1);
    let is_ours = match claims.get("azp") {
        Some(party) => party == client,
        None => !has_several,
    };
    if !is_ours {
        return Err(Reason::OtherParty);
    }
    if nonce.is_some_and(|nonce| claims.get("nonce").and_then(Value::as_str) != Some(nonce)) {
        return Err(Reason::OtherNonce);
    }
    Ok(())
}

/// Whether an answer can be handed on: bounded, and of letters that a terminal prints.
fn is_usable(begun: &DeviceAuthorization) -> bool {
    let is_text = |text: &str, max: usize| {
        !text.is_empty() && text.len() <= max && text.bytes().all(|b| (b' '..=b'~').contains(&b))
    };
    let complete = begun.verification_uri_complete.as_deref();
    is_text(&begun.device_code, MAX_CODE)
        && is_text(&begun.user_code, MAX_USER_CODE)
        && is_text(&begun.verification_uri, MAX_URI)
        && complete.is_none_or(|uri| is_text(uri, MAX_URI))
        && begun.expires_in > 0
        && (0..=60).contains(&begun.interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(yaml: &str) -> Result<Provider, String> {
        let config: ProviderConfig = serde_saphyr::from_str(yaml).unwrap();
        Provider::open(&config).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn settings() {
        let with = |more: &str| {
            open(&format!("{{name: a, issuer: 'https://i.example', audiences: [a], {more}}}"))
        };
        for (more, expected) in [
            ("clientId: c", Ok(None)),
            ("login: false", Ok(None)),
            ("clientId: c, login: true", Ok(Some("openid profile"))),
            ("clientId: c, login: {scopes: [openid, email]}", Ok(Some("openid email"))),
            ("clientId: c, login: {prompts: [select_account]}", Ok(Some("openid profile"))),
            ("clientId: c, login: {prompts: [ask]}", Err("not a prompt")),
            ("login: true", Err("write `clientId`")),
            ("clientId: c, login: {scopes: [profile]}", Err("without `openid`")),
            ("clientId: c, login: {scopes: []}", Err("without `openid`")),
            ("clientId: c, login: {scopes: [openid, 'a b']}", Err("not a scope")),
            ("clientId: c, login: {scopes: [openid, '']}", Err("not a scope")),
        ] {
            match (with(more), expected) {
                (Ok(provider), Ok(scopes)) => {
                    let found = provider.login.as_ref().map(|login| login.scopes.as_str());
                    assert_eq!(found, scopes, "{more}");
                }
                (Err(error), Err(text)) => assert!(error.contains(text), "{more}: {error}"),
                (found, _) => panic!("{more}: {found:?}"),
            }
        }
    }

    #[test]
    fn who_an_id_token_is_for() {
        for (claims, nonce, expected) in [
            (r#"{"aud": "c", "nonce": "n"}"#, Some("n"), Ok(())),
            (r#"{"aud": ["c"], "nonce": "n"}"#, Some("n"), Ok(())),
            (r#"{"aud": ["c", "d"], "azp": "c", "nonce": "n"}"#, Some("n"), Ok(())),
            (r#"{"aud": "c"}"#, None, Ok(())),
            (r#"{"aud": "c"}"#, Some("n"), Err(Reason::OtherNonce)),
            (r#"{"aud": "c", "nonce": "m"}"#, Some("n"), Err(Reason::OtherNonce)),
            (r#"{"aud": "c", "nonce": ["n"]}"#, Some("n"), Err(Reason::OtherNonce)),
            (r#"{"aud": ["c", "d"], "nonce": "n"}"#, Some("n"), Err(Reason::OtherParty)),
            (r#"{"aud": "c", "azp": "d", "nonce": "n"}"#, Some("n"), Err(Reason::OtherParty)),
            (r#"{"aud": "c", "azp": null, "nonce": "n"}"#, Some("n"), Err(Reason::OtherParty)),
        ] {
            let person = Identity {
                provider: "p".into(),
                subject: "s".into(),
                tenant: None,
                appid: None,
                claims: serde_json::from_str(claims).unwrap(),
            };
            assert_eq!(check_party(&person, "c", nonce), expected, "{claims}");
        }
    }

    #[test]
    fn prompts() {
        let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        for (prompt, published, configured, expected) in [
            (None, None, &[][..], None),
            (Some("select_account"), None, &[], None),
            (Some("select_account"), None, &["select_account"], Some("select_account")),
            (Some("login consent"), None, &[], Some("login consent")),
            (Some("select_account"), Some(list(&["none", "login"])), &[], None),
            (Some("select_account"), Some(list(&["select_account"])), &[], Some("select_account")),
            (Some("login x&y"), Some(list(&["login"])), &[], Some("login")),
            (Some("x"), Some(list(&["x"])), &[], None),
        ] {
            let login = Login { scopes: "openid".into(), prompts: list(configured) };
            let found = login.known_prompt(prompt, published.as_deref());
            assert_eq!(found.as_deref(), expected, "{prompt:?} {published:?} {configured:?}");
        }
    }

    #[test]
    fn answers_to_a_device() {
        let good = serde_json::json!({
            "device_code": "d", "user_code": "A-B", "verification_uri": "https://i.example/d",
            "expires_in": 600,
        });
        for (name, value, expected) in [
            ("interval", serde_json::json!(5), true),
            ("interval", serde_json::json!(0), true),
            ("interval", serde_json::json!(61), false),
            ("interval", serde_json::json!(-1), false),
            ("expires_in", serde_json::json!(0), false),
            ("user_code", serde_json::json!(""), false),
            ("user_code", serde_json::json!("A\u{1b}[2J"), false),
            ("user_code", serde_json::json!("A\nB"), false),
            ("user_code", serde_json::json!("A".repeat(65)), false),
            ("device_code", serde_json::json!("d".repeat(MAX_CODE + 1)), false),
            ("verification_uri", serde_json::json!("https://i.example/\u{202e}"), false),
        ] {
            let mut answer = good.clone();
            answer[name] = value.clone();
            let begun: DeviceAuthorization = serde_json::from_value(answer).unwrap();
            assert_eq!(is_usable(&begun), expected, "{name} {value}");
        }
    }
}

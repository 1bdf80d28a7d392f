//! One OpenID provider: verifies its tokens, and binds their claims.
//!
//! Follows RFC 7519 for claims and RFC 8725 for their checks: the algorithm must be allowed by the
//! configuration and fit the key; `iss` must be exactly the provider's, `aud` must be ours; `exp`
//! is required; `nbf` and `iat` are checked when present. Claims are checked before signatures, so
//! an expired token, or one for another audience, never costs a request to the provider.
//!
//! Grants with a refresh token (RFC 6749 section 6) go to the provider's token endpoint, and the
//! returned token is verified like any other.
//!
//! People sign in there too, which is [`login`]'s.
//!
//! Left out: `private_key_jwt` and other client authentication than by secret, and opaque tokens,
//! which need introspection.

pub(crate) mod login;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::Algorithm;
use scopegate_host::client::header::HeaderValue;
use scopegate_host::client::{StatusCode, is_loopback};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::bindings::{Bindings, Bound};
use super::claims::{ClaimName, Claims};
use super::http::Http;
use super::jwt::{Jwt, MAX_TOKEN};
use super::keys::Verdict;
use super::metadata::{Cache, Metadata};
use super::password_users::PasswordUsers;
use super::{Identity, IdentityError};
use crate::config::providers::{ProviderConfig, SignatureAlgorithm};
use crate::domain::reason::Reason;

/// An OpenID provider that the configuration names.
#[derive(Debug)]
pub struct Provider {
    name: String,
    issuer: String,
    audiences: Vec<String>,
    algorithms: Vec<Algorithm>,
    leeway: i64,
    subject: ClaimName,
    bindings: Bindings,
    fingerprint: String,
    origin: String,
    password_users: PasswordUsers,
    client: Option<Client>,
    /// How people sign in, if they do.
    login: Option<login::Login>,
    cache: Arc<Cache>,
}

/// Our client at the provider.
#[derive(Debug)]
struct Client {
    id: String,
    secret: Option<Secret>,
}

/// A secret: our client's, or a refresh token that a provider made.
struct Secret(String);

/// What a provider gave for a refresh token.
#[derive(Debug)]
pub struct Redeemed {
    /// Whose it is.
    pub identity: Identity,
    rotated: Option<Secret>,
}

impl Redeemed {
    /// The refresh token that replaces the redeemed one, where the provider made another. It is its
    /// owner's, for the answer alone.
    #[must_use]
    pub fn into_refresh_token(self) -> Option<String> {
        self.rotated.map(|Secret(token)| token)
    }
}

/// Leaves the secret out.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

fn fingerprint(config: &ProviderConfig) -> anyhow::Result<String> {
    let ProviderConfig { issuer, audiences, subject, bindings, .. } = config;
    digest(&(issuer, audiences, subject, bindings))
}

fn origin(config: &ProviderConfig) -> anyhow::Result<String> {
    let ProviderConfig { issuer, audiences, subject, .. } = config;
    Ok(digest(&(issuer, audiences, subject))?.split_at(32).0.to_owned())
}

fn digest(settings: &impl serde::Serialize) -> anyhow::Result<String> {
    let text = serde_json::to_vec(settings)?;
    Ok(Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Provider {
    /// Reads one provider's configuration and the files that it names. Makes no requests yet.
    ///
    /// # Errors
    ///
    /// When a value or a file is invalid; the text says what to write instead.
    pub fn open(config: &ProviderConfig) -> anyhow::Result<Self> {
        Self::read(config).with_context(|| format!("provider `{}`", config.name))
    }

    fn read(config: &ProviderConfig) -> anyhow::Result<Self> {
        check_name(&config.name)?;
        let issuer = read_issuer(&config.issuer)?;
        if config.audiences.is_empty() || config.audiences.iter().any(String::is_empty) {
            bail!("no audience: write `audiences: [https://containerregistry.azure.net]`");
        }
        if config.algorithms.is_empty() {
            bail!("no algorithm: write `algorithms: [RS256]`, or leave it out");
        }
        if config.leeway > MAX_LEEWAY {
            bail!("leeway {}: write at most {MAX_LEEWAY} seconds", config.leeway);
        }
        let http = Http::new(&issuer, config.ca_file.as_deref()).context("caFile")?;
        Ok(Self {
            name: config.name.clone(),
            issuer: config.issuer.clone(),
            audiences: config.audiences.clone(),
            algorithms: config
                .algorithms
                .iter()
                .copied()
                .map(SignatureAlgorithm::algorithm)
                .collect(),
            leeway: i64::from(config.leeway),
            subject: ClaimName::parse(&config.subject)
                .map_err(anyhow::Error::msg)
                .context("subject")?,
            bindings: Bindings::read(&config.bindings)?,
            fingerprint: fingerprint(config)?,
            origin: origin(config)?,
            password_users: PasswordUsers::read(config).context("passwordUsers")?,
            client: read_client(config)?,
            login: login::Login::read(config).context("login")?,
            cache: Arc::new(Cache::new(http, issuer, config.issuer.clone())),
        })
    }

    /// The name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The `iss` of its tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether it can redeem refresh tokens: the configuration names a client.
    #[must_use]
    pub fn redeems(&self) -> bool {
        self.client.is_some()
    }

    /// The user names under which its tokens are taken as passwords.
    pub fn password_users(&self) -> impl Iterator<Item = &str> {
        self.password_users.iter()
    }

    /// Whether a user's password may be one of its tokens.
    #[must_use]
    pub fn has_password_user(&self, user: &str) -> bool {
        self.password_users.contains(user)
    }

    /// The grants of claims: those of an [`Identity`], or the result of [`Provider::mentioned`].
    #[must_use]
    pub fn bind(&self, claims: &Claims) -> Bound {
        self.bindings.bind(claims)
    }

    /// A fingerprint of the settings that decide its identities' grants: issuer, audiences, subject
    /// claims and bindings. How the provider is reached, and the leeway, do not change grants and
    /// are left out.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// A digest of the settings that say who vouches for an identity, and as whom: issuer,
    /// audiences and subject. What another vouched for under the same name has no rights.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The scope maps that claims are bound to, by name; some more than once.
    pub fn scope_maps(&self) -> impl Iterator<Item = &str> {
        self.bindings.scope_maps()
    }

    /// The claims that bindings mention, for a refresh token to carry: on these, [`Provider::bind`]
    /// has the same result as on all claims.
    ///
    /// # Errors
    ///
    /// [`IdentityError::NotAuthenticated`] when they are too large for a refresh token.
    pub fn mentioned(&self, claims: &Claims) -> Result<BTreeMap<String, Value>, IdentityError> {
        self.bindings
            .mentioned(claims)
            .ok_or(IdentityError::NotAuthenticated(Reason::ClaimsTooLong))
    }

    /// The identity of a token of this provider.
    ///
    /// # Errors
    ///
    /// See [`IdentityError`].
    pub async fn identify(&self, token: &str, now: i64) -> Result<Identity, IdentityError> {
        let jwt = Jwt::parse(token)
            .map_err(|text| IdentityError::NotAuthenticated(Reason::MalformedToken(text)))?;
        self.verify(jwt, now).await
    }

    /// Redeems a refresh token of this provider; returns the identity of the issued token, and the
    /// refresh token that the provider may have made in place of this one.
    ///
    /// The issued token is the access token, or the identity token where the access token is opaque
    /// or for another audience.
    ///
    /// # Errors
    ///
    /// See [`IdentityError`]. A provider that refuses our client is unavailable.
    pub async fn redeem(&self, refresh_token: &str, now: i64) -> Result<Redeemed, IdentityError> {
        if refresh_token.is_empty() || refresh_token.len() > MAX_TOKEN {
            return Err(IdentityError::NotAuthenticated(Reason::NoProviderRefreshToken));
        }
        let granted = self.grant(refresh_token, now).await?;
        let identity = self.identify_granted(&granted, now).await?;
        // One that is longer could not be redeemed.
        let rotated = granted.refresh_token.filter(|new| {
            !new.is_empty() && new.len() <= MAX_TOKEN && new.as_str() != refresh_token
        });
        Ok(Redeemed { identity, rotated: rotated.map(Secret) })
    }

    async fn identify_granted(
        &self,
        granted: &Granted,
        now: i64,
    ) -> Result<Identity, IdentityError> {
        let id_token = granted.id_token.as_deref();
        let Some(access_token) = granted.access_token.as_deref() else {
            let token = id_token.ok_or_else(|| self.unavailable("it granted no token"))?;
            return self.identify(token, now).await;
        };
        match (self.identify(access_token, now).await, id_token) {
            (Err(IdentityError::NotAuthenticated(_)), Some(token)) => {
                self.identify(token, now).await
            }
            (identified, _) => identified,
        }
    }

    /// Fetches the metadata when they are older than ten minutes.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Unavailable`] when the fetch fails.
    pub async fn refresh(&self, now: i64) -> Result<(), IdentityError> {
        self.cache.refresh_when_stale(now).await.map_err(|reason| self.unavailable(&reason))
    }

    /// Checks a token that names this provider as its issuer.
    pub(super) async fn verify(&self, jwt: Jwt<'_>, now: i64) -> Result<Identity, IdentityError> {
        self.verify_for(&self.audiences, jwt, now).await
    }

    /// The same for one of these audiences.
    async fn verify_for(
        &self,
        audiences: &[String],
        jwt: Jwt<'_>,
        now: i64,
    ) -> Result<Identity, IdentityError> {
        if !self.algorithms.contains(&jwt.algorithm) {
            return Err(IdentityError::NotAuthenticated(Reason::AlgorithmNotAllowed));
        }
        let subject =
            self.check_claims(&jwt, audiences, now).map_err(IdentityError::NotAuthenticated)?;
        self.check_signature(&jwt, now).await?;
        Ok(Identity {
            provider: self.name.clone(),
            subject,
            tenant: first_text(&jwt.claims, &["tid"]),
            appid: first_text(&jwt.claims, &["appid", "azp", "client_id"]),
            claims: jwt.claims,
        })
    }

    /// Checks a token that is a password; returns when it expires, too. What it opens ends with it,
    /// so there is no leeway: a token within it would be renewed by itself again and again.
    pub(super) async fn verify_password(
        &self,
        jwt: Jwt<'_>,
        now: i64,
    ) -> Result<(Identity, i64), IdentityError> {
        let expiry = time(&jwt.claims, "exp").and_then(|exp| exp.ok_or(Reason::NoExpiry));
        let expiry = expiry.map_err(IdentityError::NotAuthenticated)?;
        if expiry <= now {
            return Err(IdentityError::NotAuthenticated(Reason::TokenExpired));
        }
        Ok((self.verify(jwt, now).await?, expiry))
    }

    /// Checks everything but the signature; returns the subject.
    fn check_claims(
        &self,
        jwt: &Jwt<'_>,
        audiences: &[String],
        now: i64,
    ) -> Result<String, Reason> {
        if jwt.issuer() != Some(&self.issuer) {
            return Err(Reason::OtherIssuer);
        }
        if !is_for(jwt.claims.get("aud"), audiences) {
            return Err(Reason::OtherAudience);
        }
        // RFC 7800: who has the token alone has nothing.
        if jwt.claims.contains_key("cnf") {
            return Err(Reason::BoundToSender);
        }
        let exp = time(&jwt.claims, "exp")?.ok_or(Reason::NoExpiry)?;
        if now >= exp.saturating_add(self.leeway) {
            return Err(Reason::TokenExpired);
        }
        let latest = now.saturating_add(self.leeway);
        if time(&jwt.claims, "nbf")?.is_some_and(|nbf| nbf > latest) {
            return Err(Reason::NotYetValid);
        }
        if time(&jwt.claims, "iat")?.is_some_and(|iat| iat > latest) {
            return Err(Reason::IssuedInFuture);
        }
        let subject = self.subject.find(&jwt.claims).ok_or(Reason::NoSubject)?;
        text(subject).ok_or(Reason::UnprintableSubject)
    }

    async fn check_signature(&self, jwt: &Jwt<'_>, now: i64) -> Result<(), IdentityError> {
        let known = self.metadata(now).await?;
        let verdict = match known.keys.check(jwt) {
            Verdict::UnknownKey => {
                let newer = self.cache.newer_than(Some(known), now).await;
                let newer = newer.map_err(|reason| self.unavailable(&reason))?;
                newer.map_or(Verdict::UnknownKey, |newer| newer.keys.check(jwt))
            }
            verdict => verdict,
        };
        match verdict {
            Verdict::Signed => Ok(()),
            Verdict::Forged(reason) => {
                Err(IdentityError::NotAuthenticated(Reason::InvalidSignature(reason)))
            }
            Verdict::UnknownKey => Err(IdentityError::NotAuthenticated(Reason::UnknownKey)),
        }
    }

    async fn metadata(&self, now: i64) -> Result<Arc<Metadata>, IdentityError> {
        self.cache.get(now).await.map_err(|reason| self.unavailable(&reason))
    }

    async fn grant(&self, refresh_token: &str, now: i64) -> Result<Granted, IdentityError> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.ask_for_tokens(&form, now).await.map_err(|error| self.refused(error))
    }

    /// Asks the token endpoint, as our client.
    async fn ask_for_tokens(&self, form: &[(&str, &str)], now: i64) -> Result<Granted, GrantError> {
        let client = self.client()?;
        let metadata = self.metadata(now).await?;
        let Some(endpoint) = &metadata.token_endpoint else {
            return Err(self.unavailable("it has no token endpoint").into());
        };
        let body = self.post(client, endpoint, &metadata, form).await?;
        let granted = serde_json::from_slice(&body);
        Ok(granted.map_err(|_| self.unavailable("its token endpoint's answer is not JSON"))?)
    }

    /// Posts a form as our client; returns the body of an answer without an error.
    async fn post(
        &self,
        client: &Client,
        endpoint: &Url,
        metadata: &Metadata,
        form: &[(&str, &str)],
    ) -> Result<Vec<u8>, GrantError> {
        let (authorization, form) = client
            .request(form, metadata.client_authentication.as_deref())
            .map_err(|reason| self.unavailable(reason))?;
        let answer = self.cache.http().post(endpoint, authorization, form).await;
        let (status, body) = answer.map_err(|reason| self.unavailable(&reason))?;
        if status == StatusCode::OK {
            return Ok(body);
        }
        let refusal = serde_json::from_slice::<Refusal>(&body).ok().map(|refusal| refusal.error);
        match refusal {
            // The client is in our configuration: a caller cannot fix it.
            Some(error) if matches!(&*error, "invalid_client" | "unauthorized_client") => Err(self
                .unavailable("it refuses our client: see `clientId` and `clientSecretFile`")
                .into()),
            Some(error) if status.is_client_error() => Err(GrantError::Refused { status, error }),
            _ => Err(self.unavailable(&format!("its token endpoint answers {status}")).into()),
        }
    }

    fn client(&self) -> Result<&Client, IdentityError> {
        self.client.as_ref().ok_or(IdentityError::NotAuthenticated(Reason::RedeemsNothing))
    }

    /// What a refusal of a grant is to its caller.
    fn refused(&self, error: GrantError) -> IdentityError {
        match error {
            GrantError::Refused { error, .. }
                if matches!(&*error, "invalid_grant" | "invalid_scope" | "invalid_request") =>
            {
                IdentityError::NotAuthenticated(Reason::RefusedByProvider)
            }
            GrantError::Refused { status, .. } => {
                self.unavailable(&format!("its token endpoint answers {status}"))
            }
            GrantError::Other(error) => error,
        }
    }

    fn unavailable(&self, reason: &str) -> IdentityError {
        IdentityError::Unavailable(format!("provider `{}`: {reason}", self.name))
    }
}

impl Client {
    /// A request with our client's credentials: its `Authorization`, if any, and its form.
    fn request(
        &self,
        parameters: &[(&str, &str)],
        supported: Option<&[String]>,
    ) -> Result<(Option<HeaderValue>, String), &'static str> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(parameters);
        let Some(secret) = &self.secret else {
            form.append_pair("client_id", &self.id);
            return Ok((None, form.finish()));
        };
        // An absent field means `client_secret_basic`.
        let supports =
            |method| supported.is_some_and(|list| list.iter().any(|name| name == method));
        if supported.is_none() || supports("client_secret_basic") {
            let value = basic(&self.id, &secret.0).ok_or("our client's secret fits no header")?;
            return Ok((Some(value), form.finish()));
        }
        if supports("client_secret_post") {
            form.append_pair("client_id", &self.id);
            form.append_pair("client_secret", &secret.0);
            return Ok((None, form.finish()));
        }
        Err("it takes no client's secret, neither in a header nor in a form")
    }
}

/// RFC 6749 section 2.3.1: both parts are encoded as in a form before they are joined.
fn basic(id: &str, secret: &str) -> Option<HeaderValue> {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let credentials = STANDARD.encode(format!("{}:{}", encode(id), encode(secret)));
    let mut value = HeaderValue::try_from(format!("Basic {credentials}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The answer of a token endpoint.
#[derive(Deserialize)]
struct Granted {
    access_token: Option<String>,
    id_token: Option<String>,
    /// A new one, from a provider that rotates them.
    refresh_token: Option<String>,
}

/// The error of a token endpoint.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// Why a provider grants nothing.
enum GrantError {
    /// It says why, with a word of RFC 6749 (section 5.2) or RFC 8628 (section 3.5).
    Refused { status: StatusCode, error: String },
    /// Everything else.
    Other(IdentityError),
}

impl From<IdentityError> for GrantError {
    fn from(error: IdentityError) -> Self {
        Self::Other(error)
    }
}

/// Whether one of a token's audiences is one of these.
fn is_for(audience: Option<&Value>, audiences: &[String]) -> bool {
    let is_one = |value: &Value| value.as_str().is_some_and(|a| audiences.iter().any(|b| a == b));
    match audience {
        Some(Value::Array(values)) => values.iter().any(is_one),
        Some(value) => is_one(value),
        None => false,
    }
}

/// The maximum leeway, in seconds.
const MAX_LEEWAY: u32 = 300;

fn check_name(name: &str) -> anyhow::Result<()> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if name.is_empty() || name.len() > 50 || !name.bytes().all(allowed) {
        bail!("not a name: write 1 to 50 letters, digits, `-`, `_` and `.`");
    }
    Ok(())
}

fn read_issuer(text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text).with_context(|| {
        format!("issuer `{text}`: write the `iss` of the provider's tokens, an https address")
    })?;
    let local = url.scheme() == "http" && is_loopback(&url);
    if url.scheme() != "https" && !local {
        bail!(
            "issuer `{text}`: write an https address; http is for providers on this machine alone"
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        bail!("issuer `{text}`: write it without `?` and `#`");
    }
    if !url.username().is_empty() || url.password().is_some() {
        bail!("issuer: write it without a user name");
    }
    Ok(url)
}

fn read_client(config: &ProviderConfig) -> anyhow::Result<Option<Client>> {
    match (&config.client_id, &config.client_secret_file) {
        (None, None) => Ok(None),
        (None, Some(_)) => {
            bail!("a secret of no client: write `clientId` beside `clientSecretFile`")
        }
        (Some(id), _) if id.is_empty() => bail!("clientId is empty: write it, or leave it out"),
        (Some(id), None) => Ok(Some(Client { id: id.clone(), secret: None })),
        (Some(id), Some(path)) => {
            let secret = Some(read_secret(path).context("clientSecretFile")?);
            Ok(Some(Client { id: id.clone(), secret }))
        }
    }
}

fn read_secret(path: &Path) -> anyhow::Result<Secret> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        bail!("{} is empty: write the secret into it", path.display());
    }
    Ok(Secret(secret.to_owned()))
}

/// A time in seconds since 1970. RFC 7519 allows fractions; they are truncated.
fn time(claims: &Claims, name: &str) -> Result<Option<i64>, Reason> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => {
            Ok(number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64)))
        }
        Some(_) => Err(Reason::InvalidTime),
    }
}

/// The first of these claims whose text our own tokens can carry.
fn first_text(claims: &Claims, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| text(claims.get(*name)?))
}

/// A text that our own tokens and the log can carry.
fn text(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    ((1..=256).contains(&text.len()) && printable).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_800_000_000;

    fn provider(more: &str) -> Result<Provider, String> {
        let yaml = format!("{{name: ci, issuer: 'https://i.example', audiences: [a, b], {more}}}");
        open(&yaml)
    }

    fn open(yaml: &str) -> Result<Provider, String> {
        let config = serde_saphyr::from_str(yaml).map_err(|error| error.to_string())?;
        Provider::open(&config).map_err(|error| format!("{error:#}"))
    }

    fn jwt(claims: Value) -> Jwt<'static> {
        Jwt {
            algorithm: Algorithm::ES256,
            kid: None,
            claims: serde_json::from_value(claims).unwrap(),
            message: "",
            signature: "",
        }
    }

    #[test]
    fn claims() {
        let provider = provider("leeway: 10").unwrap();
        let good = json!({"iss": "https://i.example", "aud": "a", "exp": NOW + 60, "sub": "octo"});
        for (name, value, expected) in [
            ("more", json!(1), Ok("octo")),
            ("iss", json!("https://i.example/"), Err(Reason::OtherIssuer)),
            ("iss", json!("https://I.example"), Err(Reason::OtherIssuer)),
            ("iss", json!(["https://i.example"]), Err(Reason::OtherIssuer)),
            ("iss", Value::Null, Err(Reason::OtherIssuer)),
            ("aud", json!("b"), Ok("octo")),
            ("aud", json!(["c", "b"]), Ok("octo")),
            ("aud", json!("c"), Err(Reason::OtherAudience)),
            ("aud", json!(["c"]), Err(Reason::OtherAudience)),
            ("aud", json!([]), Err(Reason::OtherAudience)),
            ("aud", json!({"a": "a"}), Err(Reason::OtherAudience)),
            ("aud", Value::Null, Err(Reason::OtherAudience)),
            ("exp", json!(NOW - 9), Ok("octo")),
            ("exp", json!(NOW - 10), Err(Reason::TokenExpired)),
            ("exp", json!(NOW as f64 + 0.5), Ok("octo")),
            ("exp", json!(1e300), Ok("octo")),
            ("exp", json!(-1e300), Err(Reason::TokenExpired)),
            ("exp", json!("1900000000"), Err(Reason::InvalidTime)),
            ("exp", json!(null), Err(Reason::InvalidTime)),
            ("nbf", json!(NOW + 10), Ok("octo")),
            ("nbf", json!(NOW + 11), Err(Reason::NotYetValid)),
            ("nbf", json!("now"), Err(Reason::InvalidTime)),
            ("iat", json!(NOW + 10), Ok("octo")),
            ("iat", json!(NOW + 11), Err(Reason::IssuedInFuture)),
            ("iat", json!(true), Err(Reason::InvalidTime)),
            (
                "sub",
                json!("repo:octo/app:environment:the one"),
                Ok("repo:octo/app:environment:the one"),
            ),
            ("sub", json!(""), Err(Reason::UnprintableSubject)),
            ("sub", json!("x".repeat(257)), Err(Reason::UnprintableSubject)),
            ("sub", json!("é"), Err(Reason::UnprintableSubject)),
            ("sub", json!("a\nb"), Err(Reason::UnprintableSubject)),
            ("sub", json!(7), Err(Reason::UnprintableSubject)),
        ] {
            let mut claims = good.clone();
            claims[name] = value.clone();
            let checked = provider.check_claims(&jwt(claims), &provider.audiences, NOW);
            assert_eq!(checked.as_deref(), expected.as_ref().copied(), "{name}: {value}");
        }
        for (name, error) in [
            ("iss", Reason::OtherIssuer),
            ("aud", Reason::OtherAudience),
            ("exp", Reason::NoExpiry),
            ("sub", Reason::NoSubject),
        ] {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().remove(name);
            assert_eq!(
                provider.check_claims(&jwt(claims), &provider.audiences, NOW),
                Err(error),
                "no {name}"
            );
        }
    }

    #[test]
    fn another_claim_may_be_the_subject() {
        let claims =
            json!({"iss": "https://i.example", "aud": "a", "exp": NOW + 60, "user": {"id": "7"}});
        let provider = provider("subject: /user/id").unwrap();
        assert_eq!(
            provider.check_claims(&jwt(claims), &provider.audiences, NOW).as_deref(),
            Ok("7")
        );
    }

    #[test]
    fn client_authentication() {
        let client = |secret: Option<&str>| Client {
            id: "a b".into(),
            secret: secret.map(|secret| Secret(secret.into())),
        };
        let basic = "Basic YStiOnMlM0F0"; // a+b:s%3At
        let grant = "grant_type=refresh_token&refresh_token=r%26t";
        for (secret, supported, expected) in [
            (Some("s:t"), None, Ok((Some(basic), grant.to_owned()))),
            (
                Some("s:t"),
                Some(vec!["client_secret_post", "client_secret_basic"]),
                Ok((Some(basic), grant.to_owned())),
            ),
            (
                Some("s:t"),
                Some(vec!["private_key_jwt", "client_secret_post"]),
                Ok((None, format!("{grant}&client_id=a+b&client_secret=s%3At"))),
            ),
            (
                Some("s:t"),
                Some(vec!["private_key_jwt"]),
                Err("it takes no client's secret, neither in a header nor in a form"),
            ),
            (None, Some(vec!["none"]), Ok((None, format!("{grant}&client_id=a+b")))),
        ] {
            let supported: Option<Vec<String>> =
                supported.map(|list| list.into_iter().map(str::to_owned).collect());
            let parameters = [("grant_type", "refresh_token"), ("refresh_token", "r&t")];
            let request = client(secret).request(&parameters, supported.as_deref());
            let request =
                request.map(|(value, form)| (value.map(|v| v.to_str().unwrap().to_owned()), form));
            let expected = expected.map(|(value, form)| (value.map(str::to_owned), form));
            assert_eq!(request, expected, "{supported:?}");
        }
        assert_eq!(format!("{:?}", client(Some("s:t")).secret), "Some(Secret(..))");
    }

    #[test]
    fn errors_say_what_to_write_instead() {
        for (yaml, says) in [
            (
                "{name: a b, issuer: 'https://i.example', audiences: [a]}",
                "provider `a b`: not a name: write 1 to 50",
            ),
            (
                "{name: ci, issuer: i.example, audiences: [a]}",
                "issuer `i.example`: write the `iss`",
            ),
            ("{name: ci, issuer: 'http://i.example', audiences: [a]}", "write an https address"),
            ("{name: ci, issuer: 'ftp://127.0.0.1', audiences: [a]}", "write an https address"),
            ("{name: ci, issuer: 'https://i.example?a', audiences: [a]}", "write it without `?`"),
            (
                "{name: ci, issuer: 'https://u:p@i.example', audiences: [a]}",
                "write it without a user name",
            ),
            ("{name: ci, issuer: 'https://i.example'}", "no audience: write `audiences: ["),
            ("{name: ci, issuer: 'https://i.example', audiences: ['']}", "no audience: write"),
            (
                "{name: ci, issuer: 'https://i.example', audiences: [a], algorithms: []}",
                "no algorithm: write",
            ),
            (
                "{name: ci, issuer: 'https://i.example', audiences: [a], leeway: 301}",
                "write at most 300 seconds",
            ),
            (
                "{name: ci, issuer: 'https://i.example', audiences: [a], subject: ''}",
                "subject: `` names no claim",
            ),
            (
                "{name: ci, issuer: 'https://i.example', audiences: [a], caFile: /nothing/ca}",
                "caFile: cannot read /nothing/ca",
            ),
            (
                "{name: ci, issuer: 'https://i.example', audiences: [a], caFile: /dev/null}",
                "caFile: /dev/null holds no certificate: write",
            ),
            (
                "{name: ci, issuer: 'https://i.example', audiences: [a], clientSecretFile: /dev/null}",
                "write `clientId` beside",
            ),
            (
                "{name: ci, issuer: 'https://i.example', audiences: [a], clientId: c, clientSecretFile: /dev/null}",
                "/dev/null is empty: write the secret",
            ),
            (
                "{name: ci, issuer: 'https://i.example', audiences: [a], bindings: [{match: {}, roles: [AcrPull]}]}",
                "provider `ci`: bindings[0]: `match: {}` holds",
            ),
        ] {
            let error = open(yaml).unwrap_err();
            assert!(error.contains(says), "{yaml}: {error}");
        }
    }
}

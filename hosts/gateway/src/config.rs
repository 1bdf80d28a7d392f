//! The configuration: one YAML file, read once, refused as a whole when anything in it is wrong.
//!
//! `examples/gateway.yaml` has every value with its default.
//!
//! Left out: the environment and flags. A gateway is one of several behind one file, and secrets
//! stand in files of their own.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use scopegate_api::settings;
use scopegate_core::route::{Profile, Settings, Untag};
use scopegate_core::{Catalog, RepositoryName};
use scopegate_host::client::is_loopback;
use scopegate_host::networks::{self, Networks};
use scopegate_host::peers::UNPROVEN;
use scopegate_host::setting::{Compatibility, SecretUrl};
use scopegate_host::tls::TlsFiles;
use serde::{Deserialize, Deserializer, de};
use url::Url;

use crate::data_plane::WriteOnce;
use crate::headers::may_be_added;

/// What a gateway is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Config {
    /// The address to listen on.
    #[serde(default = "listen")]
    pub(crate) listen: SocketAddr,
    /// The certificate and its key; HTTP without them.
    #[serde(default)]
    pub(crate) tls: Option<TlsFiles>,
    /// An address for `/metrics`, `/healthz` and `/readyz`; none of them without it.
    #[serde(default)]
    pub(crate) admin: Option<SocketAddr>,
    /// The registry behind: `http://host:port` or `https://host:port`.
    pub(crate) upstream: Url,
    /// Whom tokens are for: what the token server calls the registry's `service`.
    pub(crate) service: String,
    /// Who issues them. By default [`Compatibility::issuer`].
    #[serde(default)]
    pub(crate) issuer: Option<String>,
    /// Whose ways are followed where this gateway's differ: `none`, or `acr` for those of the
    /// service.
    #[serde(default)]
    pub(crate) compatibility: Compatibility,
    /// Where clients get them, and where passwords are asked about.
    pub(crate) realm: Url,
    /// The public keys of the issuer: the address of a JSON web key set, or a file.
    pub(crate) keys: KeySource,
    /// Whose rules hold where registries differ: `acr` or `distribution`.
    #[serde(default, deserialize_with = "settings::profile")]
    pub(crate) profile: Profile,
    /// What removing a tag needs: `delete` or `metadata-write`.
    #[serde(default, deserialize_with = "settings::untag")]
    pub(crate) untag: Untag,
    /// Who may list the repositories: `root`, `never`, or `filtered` for a list of what the token
    /// may read.
    #[serde(default, deserialize_with = "catalog")]
    pub(crate) catalog: Catalog,
    /// Whether names and passwords are taken, by asking the realm.
    #[serde(default = "yes")]
    pub(crate) passwords: bool,
    /// Header fields that go on to the registry beside those of the engine's list, in lower case.
    #[serde(default, deserialize_with = "header_names")]
    pub(crate) forward_headers: Vec<String>,
    /// Where revoked tokens are listed; none are known without it.
    #[serde(default)]
    pub(crate) revocations: Option<FeedConfig>,
    /// Where the policy is, for deciding by the scope maps of this moment; tokens alone decide
    /// without it.
    #[serde(default)]
    pub(crate) bundle: Option<FeedConfig>,
    /// The token server behind this address, for clients to have one address for both.
    #[serde(default)]
    pub(crate) token_server: Option<TokenServerConfig>,
    /// Where the index of a chart repository is: `/helm/v1/<name>/index.yaml` leads there, or is
    /// made of the charts in the registry.
    #[serde(default)]
    pub(crate) helm_index: BTreeMap<String, ChartIndex>,
    /// Where the times and attributes of artifacts are kept, for `/acr/v1`; the registry answers it
    /// without this.
    #[serde(default)]
    pub(crate) index: Option<IndexConfig>,
    /// Authorities to trust beside those of the system, when asking for keys, passwords,
    /// revocations and the policy. Of what is passed to the token server they are trusted alone.
    #[serde(default)]
    pub(crate) authorities: Option<PathBuf>,
    /// How many connections there may be.
    #[serde(default)]
    pub(crate) limits: Limits,
    /// How long things may take.
    #[serde(default)]
    pub(crate) timeouts: Timeouts,
    /// The log.
    #[serde(default)]
    pub(crate) log: Log,
}

/// Where the public keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// At an address; read again every minute, and when a token names a key that is not known.
    Url(Url),
    /// In a file; read once.
    File(PathBuf),
}

/// An index of charts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChartIndex {
    /// It is at an address.
    At(Url),
    /// It is made of the charts in the registry: `generated`, or `below: team/charts`.
    Generated {
        /// The prefix of the repositories' names, with its slash; empty for all.
        below: String,
    },
}

/// Where the token server tells something of itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FeedConfig {
    /// Its address: `https://…/registries/<name>/generations`, or `…/bundle`.
    pub(crate) url: Url,
    /// The client id of a service principal that may read the feed.
    pub(crate) user: String,
    /// A file that holds the secret, and nothing else.
    pub(crate) secret_file: PathBuf,
    /// For how long requests are let through when the feed does not answer.
    #[serde(default = "serve_for", deserialize_with = "scopegate_host::duration::deserialize")]
    pub(crate) serve_for: Duration,
}

/// The token server behind this address.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TokenServerConfig {
    /// Its address: `https://host:port`, or `http://` on loopback.
    pub(crate) url: Url,
    /// The client id of a service principal that may say whose requests are passed; that of
    /// `revocations` or `bundle` without it.
    #[serde(default)]
    pub(crate) user: Option<String>,
    /// A file that holds the secret, and nothing else.
    #[serde(default)]
    pub(crate) secret_file: Option<PathBuf>,
    /// Whether management is passed; not where the token server has it on an address of its own.
    #[serde(default = "yes")]
    pub(crate) management: bool,
}

/// The index of artifacts.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct IndexConfig {
    /// The folder of the SQLite file. With a PostgreSQL it is not needed.
    #[serde(default)]
    pub(crate) data: Option<PathBuf>,
    /// A PostgreSQL instead, which several gateways share.
    #[serde(default)]
    pub(crate) database_url: Option<SecretUrl>,
    /// For how long lists show what the registry said without asking it again.
    #[serde(default = "fresh_for", deserialize_with = "scopegate_host::duration::deserialize")]
    pub(crate) fresh_for: Duration,
    /// How long a write waits for others in its repository.
    #[serde(default = "wait_for", deserialize_with = "scopegate_host::duration::deserialize")]
    pub(crate) wait_for: Duration,
    /// How many artifacts a second are looked at when the whole registry is looked through.
    #[serde(default = "crawl_rate")]
    pub(crate) crawl_rate: u32,
    /// Which tags are written once.
    #[serde(default)]
    pub(crate) write_once: Vec<WriteOnce>,
}

/// How many connections there may be at one time.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Limits {
    /// In all. The next one is closed at once.
    pub(crate) connections: usize,
    /// Of one peer; half of all for one whose credentials were right in the last minute.
    pub(crate) connections_per_peer: usize,
    /// The peers that may have as many as they like: addresses and networks.
    #[serde(deserialize_with = "networks::or_zero")]
    pub(crate) exempt_peers: Networks,
}

impl Default for Limits {
    fn default() -> Self {
        let exempt_peers = Networks::default();
        Self { connections: 4096, connections_per_peer: UNPROVEN, exempt_peers }
    }
}

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Timeouts {
    /// Connecting to the registry.
    #[serde(deserialize_with = "scopegate_host::duration::deserialize")]
    pub(crate) connect: Duration,
    /// Between two pieces that the registry sends or takes.
    #[serde(deserialize_with = "scopegate_host::duration::deserialize")]
    pub(crate) upstream: Duration,
    /// Between two pieces that the client sends or takes, and for the whole head of a request.
    #[serde(deserialize_with = "scopegate_host::duration::deserialize")]
    pub(crate) client: Duration,
    /// Between two requests on a connection.
    #[serde(deserialize_with = "scopegate_host::duration::deserialize")]
    pub(crate) idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let [connect, upstream, client, idle] = [5, 60, 30, 60].map(Duration::from_secs);
        Self { connect, upstream, client, idle }
    }
}

/// The log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Log {
    /// One JSON object a line instead of text.
    pub(crate) json: bool,
    /// One line for each decision.
    pub(crate) decisions: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self { json: false, decisions: true }
    }
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or says something that cannot be: the error names it.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    /// Reads a text.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let config: Self =
            serde_saphyr::from_str(text).map_err(|error| anyhow::anyhow!("{error}"))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(!self.service.is_empty(), "service is empty");
        let printable = |text: &str| text.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
        ensure!(
            printable(&self.service),
            "service `{}` is not allowed in a challenge",
            self.service
        );
        for (name, url) in [("upstream", &self.upstream), ("realm", &self.realm)] {
            ensure!(
                matches!(url.scheme(), "http" | "https"),
                "{name} `{url}` is not an http address"
            );
            let is_bare = url.username().is_empty() && url.password().is_none();
            ensure!(is_bare && url.fragment().is_none(), "{name} holds more than an address");
        }
        ensure!(self.upstream.path() == "/", "upstream `{}` has a path", self.upstream);
        let has_both = self.revocations.is_some() && self.bundle.is_some();
        ensure!(!has_both, "revocations beside bundle, which has them in it");
        let is_filtered = self.catalog == Catalog::Filtered;
        ensure!(!is_filtered || self.bundle.is_some(), "catalog is filtered, which needs bundle");
        if let Some(index) = &self.index {
            ensure!(
                index.data.is_some() || index.database_url.is_some(),
                "index needs data, a folder, or databaseUrl"
            );
            ensure!(!index.fresh_for.is_zero(), "index.freshFor must be longer than zero");
            ensure!(!index.wait_for.is_zero(), "index.waitFor must be longer than zero");
            let is_rate = (1..=100_000).contains(&index.crawl_rate);
            ensure!(is_rate, "index.crawlRate is {}, not between 1 and 100000", index.crawl_rate);
        }
        let Limits { connections, connections_per_peer, .. } = self.limits;
        for (name, number) in
            [("connections", connections), ("connectionsPerPeer", connections_per_peer)]
        {
            let is_one = (1..=1 << 20).contains(&number);
            ensure!(is_one, "limits.{name} is {number}, not between 1 and {}", 1 << 20);
        }
        self.check_token_server()?;
        self.check_helm_index()?;
        let Timeouts { connect, upstream, client, idle } = self.timeouts;
        for (name, time) in
            [("connect", connect), ("upstream", upstream), ("client", client), ("idle", idle)]
        {
            ensure!(!time.is_zero(), "timeouts.{name} must be longer than zero");
        }
        Ok(())
    }

    fn check_helm_index(&self) -> anyhow::Result<()> {
        for (name, index) in &self.helm_index {
            match index {
                ChartIndex::At(url) => {
                    let is_address = matches!(url.scheme(), "http" | "https");
                    ensure!(
                        is_address,
                        "helmIndex.{name} `{}` is not an http address",
                        url.scheme()
                    );
                }
                // Who may read what is known of the policy's holders alone.
                ChartIndex::Generated { .. } => {
                    let has_both = self.index.is_some() && self.bundle.is_some();
                    ensure!(
                        has_both,
                        "helmIndex.{name} is generated, which needs index and bundle"
                    );
                }
            }
        }
        Ok(())
    }

    /// Whether some index of charts is generated.
    #[must_use]
    pub(crate) fn generates_indexes(&self) -> bool {
        let mut all = self.helm_index.values();
        all.any(|index| matches!(index, ChartIndex::Generated { .. }))
    }

    fn check_token_server(&self) -> anyhow::Result<()> {
        let Some(own) = &self.token_server else { return Ok(()) };
        let url = &own.url;
        // The gateway's secret is sent with every request.
        let is_private = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
        ensure!(is_private, "tokenServer.url must be https, or http on loopback");
        let is_bare = url.username().is_empty() && url.password().is_none();
        let is_bare = is_bare && url.path() == "/" && url.query().is_none();
        ensure!(is_bare && url.fragment().is_none(), "tokenServer.url holds more than an address");
        let has_both = own.user.is_some() == own.secret_file.is_some();
        ensure!(has_both, "tokenServer.user and tokenServer.secretFile belong together");
        ensure!(
            self.credentials().is_some(),
            "tokenServer needs user and secretFile, or revocations or bundle, which have them"
        );
        Ok(())
    }

    /// Where a token is asked for with a password: the realm, or the token server behind this
    /// address, for which the realm is the gateway's own address.
    #[must_use]
    pub(crate) fn token_endpoint(&self) -> Url {
        let own = self.token_server.as_ref().and_then(|own| own.url.join("/oauth2/token").ok());
        own.unwrap_or_else(|| self.realm.clone())
    }

    /// Who this gateway is to the token server, and the field of the configuration that says so.
    #[must_use]
    pub(crate) fn credentials(&self) -> Option<(&'static str, &str, &Path)> {
        let own = self.token_server.as_ref().and_then(|own| {
            Some(("tokenServer", own.user.as_deref()?, own.secret_file.as_deref()?))
        });
        own.or_else(|| {
            let feeds = [("revocations", &self.revocations), ("bundle", &self.bundle)];
            let mut known =
                feeds.into_iter().filter_map(|(field, feed)| Some((field, feed.as_ref()?)));
            known
                .next()
                .map(|(field, feed)| (field, feed.user.as_str(), feed.secret_file.as_path()))
        })
    }

    /// Who issues tokens.
    #[must_use]
    pub(crate) fn issuer(&self) -> &str {
        self.issuer.as_deref().unwrap_or(self.compatibility.issuer())
    }

    /// What routes need to know.
    #[must_use]
    pub(crate) fn route_settings(&self) -> Settings {
        Settings { profile: self.profile, untag: self.untag }
    }
}

impl<'de> Deserialize<'de> for KeySource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Self::Url(url)),
            _ if text.is_empty() => Err(de::Error::custom("not an address or a file")),
            _ => Ok(Self::File(text.into())),
        }
    }
}

impl<'de> Deserialize<'de> for ChartIndex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Prefix(Prefix),
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Prefix {
            below: String,
        }
        let form = Form::deserialize(deserializer)
            .map_err(|_| de::Error::custom("not an address, `generated` or `{below: <prefix>}`"))?;
        match form {
            Form::Text(text) if text == "generated" => Ok(Self::Generated { below: String::new() }),
            Form::Text(text) => Url::parse(&text).map(Self::At).map_err(de::Error::custom),
            Form::Prefix(Prefix { below }) => match RepositoryName::parse(&below) {
                Ok(_) => Ok(Self::Generated { below: below + "/" }),
                Err(_) => {
                    Err(de::Error::custom(format!("`{below}` is not a prefix of a repository")))
                }
            },
        }
    }
}

fn catalog<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Catalog, D::Error> {
    settings::named(deserializer, Catalog::parse, "root, never, filtered")
}

fn header_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    let is_one = |name: &String| {
        let is_lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
        is_lower && http::HeaderName::try_from(name.as_str()).is_ok() && may_be_added(name)
    };
    match names.iter().find(|name| !is_one(name)) {
        None => Ok(names),
        Some(name) => Err(de::Error::custom(format!(
            "`{name}` is not a header field that can be forwarded: use lower case, and none of authentication, forwarding, or another method"
        ))),
    }
}

fn listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 5000))
}

fn yes() -> bool {
    true
}

fn fresh_for() -> Duration {
    Duration::from_secs(30)
}

fn wait_for() -> Duration {
    Duration::from_secs(10)
}

fn crawl_rate() -> u32 {
    50
}

fn serve_for() -> Duration {
    Duration::from_secs(60)
}

/// A secret from a file. What ends the line of the file is no part of it.
pub(crate) struct Secret(String);

impl Secret {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is empty.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        match text.trim_end() {
            "" => bail!("{}: no secret in it", path.display()),
            secret => Ok(Self(secret.to_owned())),
        }
    }

    /// The text, to be sent.
    #[must_use]
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "upstream: http://127.0.0.1:5002\nservice: r\nrealm: http://127.0.0.1:5001/oauth2/token\nkeys: http://127.0.0.1:5001/.well-known/jwks.json\n";

    #[test]
    fn the_example_says_the_defaults() {
        let example = Config::parse(include_str!("../../../examples/gateway.yaml")).unwrap();
        let least = format!(
            "upstream: {}\nservice: {}\nrealm: {}\nkeys: {}\n",
            example.upstream,
            example.service,
            example.realm,
            "https://localhost:5001/.well-known/jwks.json"
        );
        assert_eq!(format!("{example:?}"), format!("{:?}", Config::parse(&least).unwrap()));
        let all = include_str!("../../../examples/gateway.yaml").replace("#: ", "");
        let without = |field: &str| {
            let lines = all.lines().filter(|line| !line.starts_with(field));
            Config::parse(&lines.collect::<Vec<_>>().join("\n")).unwrap()
        };
        assert!(without("bundle").revocations.is_some());
        assert!(without("revocations").bundle.is_some());
    }

    #[test]
    fn who_issues_tokens() {
        for (more, expected) in [
            ("", "scopegate"),
            ("compatibility: none", "scopegate"),
            ("compatibility: acr", "Azure Container Registry"),
            ("compatibility: acr\nissuer: us", "us"),
            ("issuer: us", "us"),
        ] {
            let config = Config::parse(&format!("{LEAST}{more}\n")).unwrap();
            assert_eq!(config.issuer(), expected, "{more}");
        }
    }

    #[test]
    fn who_the_gateway_is_to_the_token_server() {
        let feed = "revocations: {url: 'http://127.0.0.1:1/', user: u, secretFile: s}\n";
        let own = "tokenServer: {url: 'https://x', user: v, secretFile: t}\n";
        let bare = "tokenServer: {url: 'https://x'}\n";
        for (more, expected, endpoint) in [
            (String::new(), None, "http://127.0.0.1:5001/oauth2/token"),
            (
                feed.to_owned(),
                Some(("revocations", "u", "s")),
                "http://127.0.0.1:5001/oauth2/token",
            ),
            (own.to_owned(), Some(("tokenServer", "v", "t")), "https://x/oauth2/token"),
            ([feed, own].concat(), Some(("tokenServer", "v", "t")), "https://x/oauth2/token"),
            ([feed, bare].concat(), Some(("revocations", "u", "s")), "https://x/oauth2/token"),
        ] {
            let config = Config::parse(&format!("{LEAST}{more}")).unwrap();
            let found = config.credentials();
            let found = found.map(|(field, user, path)| (field, user, path.to_str().unwrap()));
            assert_eq!(found, expected, "{more}");
            assert_eq!(config.token_endpoint().as_str(), endpoint, "{more}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (more, expected) in [
            ("lisen: x", "lisen"),
            ("listen: here", "listen"),
            ("catalog: filtered", "catalog is filtered, which needs bundle"),
            ("catalog: all", "`all` is not one of root, never, filtered"),
            (
                "bundle: {url: 'http://x/', user: u, secretFile: s}\nrevocations: {url: 'http://x/', user: u, secretFile: s}",
                "revocations beside bundle",
            ),
            ("profile: ACR", "`ACR` is not one of acr, distribution"),
            ("untag: push", "`push` is not one of delete, metadata-write"),
            ("compatibility: azure", "compatibility"),
            ("timeouts: {client: 0s}", "timeouts.client must be longer than zero"),
            ("timeouts: {client: 5}", "`5` is not a duration"),
            ("timeouts: {client: -5s}", "`-5s` is not a duration"),
            ("limits: {connections: 0}", "limits.connections is 0"),
            ("limits: {exemptPeers: [10.0.0.0/33]}", "`10.0.0.0/33` is not an address"),
            ("tls: {certificate: a}", "key"),
            ("index: {}", "index needs data, a folder, or databaseUrl"),
            ("index: {data: x, freshFor: 0s}", "index.freshFor must be longer than zero"),
            ("index: {data: x, crawlRate: 0}", "index.crawlRate is 0, not between"),
            ("revocations: {url: 'http://x/'}", "user"),
            ("tokenServer: {url: 'http://127.0.0.1:1'}", "tokenServer needs user and secretFile"),
            ("tokenServer: {url: 'http://127.0.0.1:1', user: u}", "belong together"),
            (
                "tokenServer: {url: 'http://10.0.0.1', user: u, secretFile: s}",
                "tokenServer.url must be https, or http on loopback",
            ),
            (
                "tokenServer: {url: 'ftp://127.0.0.1', user: u, secretFile: s}",
                "tokenServer.url must be https, or http on loopback",
            ),
            (
                "tokenServer: {url: 'https://x/path', user: u, secretFile: s}",
                "tokenServer.url holds more than an address",
            ),
            (
                "tokenServer: {url: 'https://u:hunter2@x/', user: u, secretFile: s}",
                "tokenServer.url holds more than an address",
            ),
            (
                "helmIndex: {repo: 'file:///etc/passwd'}",
                "helmIndex.repo `file` is not an http address",
            ),
            ("helmIndex: {repo: made}", "helmIndex"),
            ("helmIndex: {repo: {above: a}}", "not an address, `generated`"),
            ("helmIndex: {repo: {below: a/}}", "`a/` is not a prefix of a repository"),
            ("helmIndex: {repo: {below: ''}}", "`` is not a prefix of a repository"),
            ("helmIndex: {repo: generated}", "helmIndex.repo is generated, which needs index"),
            (
                "index: {data: x}\nhelmIndex: {repo: {below: a}}",
                "helmIndex.repo is generated, which needs index and bundle",
            ),
            ("forwardHeaders: [X-Trace]", "`X-Trace` is not a header field that can be forwarded"),
            ("forwardHeaders: [x-forwarded-user]", "`x-forwarded-user` is not a header field"),
            ("forwardHeaders: ['a b']", "`a b` is not a header field"),
        ] {
            let error = format!("{:#}", Config::parse(&format!("{LEAST}{more}\n")).unwrap_err());
            assert!(error.contains(expected), "{more}: {error}");
        }
        for (line, expected) in [
            ("upstream: ftp://x", "upstream `ftp://x/` is not an http address"),
            ("upstream: http://x/path", "upstream `http://x/path` has a path"),
            ("realm: http://u:hunter2@x/", "realm holds more than an address"),
            ("service: 'a\"b'", "service `a\"b` is not allowed in a challenge"),
        ] {
            let name = line.split(':').next().unwrap();
            let kept = LEAST.lines().filter(|other| !other.starts_with(name));
            let text = kept.chain([line]).collect::<Vec<_>>().join("\n");
            let error = format!("{:#}", Config::parse(&text).unwrap_err());
            assert!(error.contains(expected) && !error.contains("hunter2"), "{line}: {error}");
        }
    }
}

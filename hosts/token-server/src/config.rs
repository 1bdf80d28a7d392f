//! The configuration: a file, the environment and flags, each stronger than the one before.
//!
//! | source | how |
//! |---|---|
//! | file | YAML, named by `--config` or `SCOPEGATE_CONFIG`; no default path is searched |
//! | environment | `SCOPEGATE_PUBLIC_URL` for `publicUrl`, `SCOPEGATE_LIMITS__PER_ADDRESS__RATE` for `limits.perAddress.rate` |
//! | flags | the common ones, and `--set limits.perAddress.rate=5` for all others |
//!
//! Unknown names are refused in every source, because a limit with a typing error would not apply.
//! Exempt are the variables that Kubernetes gives to every container for each service
//! (`SCOPEGATE_PORT`, `SCOPEGATE_SERVICE_HOST` and so on).
//!
//! A new setting is a field, its default and its check here. One that requests read is in
//! [`Settings`](crate::app::Settings) as well.
//!
//! Left out: the lifetimes of tokens. An access token lasts 60 minutes, a refresh token 3 hours,
//! and clocks may differ by a minute; clients rely on these.

pub(crate) mod flags;
mod key_source;
mod layers;
pub(crate) mod management;
pub(crate) mod providers;
mod syslog;
mod values;
mod warnings;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{bail, ensure};
use scopegate_core::Catalog;
use scopegate_core::route::{Profile, Untag};
use scopegate_host::networks::{self, Networks};
use scopegate_host::peers::UNPROVEN;
pub use scopegate_host::rate::Rate;
use scopegate_host::setting::{Compatibility, SecretUrl};
use scopegate_host::tls::TlsFiles;
use serde::Deserialize;
use url::Url;

use crate::model::client_id::is_client_id;
use crate::model::password_user::ReservedNames;
use crate::store::Algorithm;
use management::{Management, check_audience};
use providers::ProviderConfig;

pub(crate) use flags::{
    Administrator, Apply, AuditArchive, AuditCommand, AuditVerify, Backup, Command, Doctor, Keys,
    Restore, Revoke, Serve,
};
pub use flags::{Cli, Source};
pub(crate) use key_source::KeySource;
pub(crate) use syslog::SyslogTarget;

/// The audience of tokens that may be exchanged, as Azure's clients ask for it.
pub(crate) const REGISTRY_AUDIENCE: &str = "https://containerregistry.azure.net";

/// Everything that can be configured.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// The folder of the database and of what else must outlive the process. Made when it is
    /// missing.
    pub data: PathBuf,
    /// The database of several servers, `postgres://…`. Without it SQLite in the data folder.
    pub database_url: Option<SecretUrl>,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The address under which clients reach this server, for challenges. By default the one that
    /// it listens on.
    pub public_url: Option<Url>,
    /// The registry that tokens are for.
    pub registry: Registry,
    /// Who signs; what the registry calls its `issuer`. By default [`Compatibility::issuer`].
    pub issuer: Option<String>,
    /// Whose ways are followed where this server's differ: none, or acr for those of the service.
    pub compatibility: Compatibility,
    /// Scope maps and tokens to write into the database before serving.
    pub seed: Option<PathBuf>,
    /// Who may list the repositories of the registry: root, never or filtered.
    #[serde(deserialize_with = "values::catalog")]
    pub catalog: Catalog,
    /// How tokens are signed.
    pub tokens: Tokens,
    /// The encryption of private keys in the database.
    pub secrets: Secrets,
    /// The OpenID providers whose identities may ask for tokens.
    pub providers: Vec<ProviderConfig>,
    /// The management API.
    pub management: Management,
    /// Whether the playground is served at `/`, in a build that includes it.
    pub playground: bool,
    /// `/authz`, where other proxies ask about requests.
    pub authz: Authz,
    /// How long the snapshot serves when the database is unreachable.
    pub snapshot: Snapshot,
    /// The certificate of this server. Without it HTTP, which is for loopback and for a proxy that
    /// ends TLS.
    pub tls: Option<TlsFiles>,
    /// What one client may ask for.
    pub limits: Limits,
    /// The audit trail.
    pub audit: Audit,
    /// The log on standard error.
    pub log: Log,
    /// Metrics for Prometheus.
    pub metrics: Metrics,
    /// Traces for OpenTelemetry.
    pub otlp: Otlp,
}

/// The registry that tokens are for.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Registry {
    /// Its name, 5 to 50 letters and digits; also the user name of its admin.
    pub name: String,
    /// What it calls its `service`: the audience of every token.
    pub service: String,
}

/// How tokens are signed.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Tokens {
    /// The algorithm of keys that are made from now on: ES256, RS256 or EdDSA.
    pub algorithm: Algorithm,
    /// Whether tokens carry the certificate of their key.
    pub x5c: bool,
    /// How long a key signs before the next one takes over.
    #[serde(deserialize_with = "scopegate_host::duration::deserialize")]
    pub rotate_every: Duration,
    /// How long the next key is published before it signs, so that every registry has read it.
    #[serde(deserialize_with = "scopegate_host::duration::deserialize")]
    pub publish_ahead: Duration,
}

/// The encryption of private keys in the database.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Secrets {
    /// The key that encrypts. Without it a file of the data folder for SQLite, and no encryption
    /// for PostgreSQL.
    pub key: Option<KeySource>,
    /// Former keys, which decrypt what was encrypted before.
    pub previous_keys: Vec<KeySource>,
}

/// How long the snapshot serves when the database is unreachable.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Snapshot {
    /// How long tokens are still issued from the last snapshot.
    #[serde(deserialize_with = "scopegate_host::duration::deserialize")]
    pub serve_for: Duration,
}

/// `/authz`, where other proxies ask about requests.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Authz {
    /// The proxies that may call it, as addresses and networks. Without any, `/authz` is off.
    pub peers: Networks,
    /// The profile where registries differ: acr or distribution.
    #[serde(deserialize_with = "values::profile")]
    pub profile: Profile,
    /// What removing a tag needs: delete or metadata-write.
    #[serde(deserialize_with = "values::untag")]
    pub untag: Untag,
}

/// What one client may ask for.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Limits {
    /// Requests from one address; of IPv6 from one network of 64 bits.
    pub per_address: Rate,
    /// Token requests in one name.
    pub per_principal: Rate,
    /// The largest body, in bytes.
    pub body: usize,
    /// The longest query, in bytes.
    pub query: usize,
    /// All header fields of a request together, in bytes.
    pub header: usize,
    /// Connections at one time. The next one is closed at once.
    pub connections: usize,
    /// How long a request may take, with its body and its answer.
    #[serde(deserialize_with = "scopegate_host::duration::deserialize")]
    pub request: Duration,
    /// Connections of one peer at one time; half of all for one that sent valid credentials lately.
    pub connections_per_peer: usize,
    /// The peers without a limit of connections: addresses and networks.
    #[serde(deserialize_with = "networks::or_zero")]
    pub exempt_peers: Networks,
    /// The trusted proxies in front of this server, which append to `X-Forwarded-For`: addresses
    /// and networks. The header of any other peer is ignored.
    #[serde(deserialize_with = "networks::or_zero")]
    pub trusted_proxies: Networks,
}

/// The audit trail.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Audit {
    /// The key that seals the rows. Without it a file of the data folder.
    pub key: Option<KeySource>,
    /// Former keys, which verify what was sealed before, the newest first.
    pub previous_keys: Vec<KeySource>,
    /// How long rows are kept; for ever, when absent.
    #[serde(deserialize_with = "values::optional_duration")]
    pub keep_for: Option<Duration>,
    /// A syslog server that is sent each row: `udp://host:514`, `tcp://host:601`,
    /// `unix:///dev/log`.
    pub syslog: Option<SyslogTarget>,
}

/// The log on standard error.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Log {
    /// As JSON, one object a line.
    pub json: bool,
    /// One line for each decision: the principal, the scopes and the outcome.
    pub decisions: bool,
}

/// Metrics for Prometheus.
///
/// They show the load of a server and the number of wrong passwords, which concern only its
/// operator. So they are off by default. When on, they have an address of their own, unless
/// `public` is set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Metrics {
    /// An address of their own, for `/metrics`, `/healthz` and `/readyz`.
    pub listen: Option<SocketAddr>,
    /// Also `/metrics` on the main address.
    pub public: bool,
}

/// Traces for OpenTelemetry.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Otlp {
    /// The collector's address for OTLP over HTTP, without the path: `http://127.0.0.1:4318`.
    /// Without it there are no traces.
    pub endpoint: Option<SecretUrl>,
}

impl Config {
    /// Merges file, environment and flags, and checks the result.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or a value is unknown, of the wrong type or inconsistent. The
    /// text names the value.
    pub fn load(source: &Source, flags: &[(&'static str, String)]) -> anyhow::Result<Self> {
        let environment = layers::process_environment()?;
        let file = source.config.clone().or_else(|| layers::file_of(&environment));
        let config = layers::extract(file.as_deref(), &environment, &source.layer(flags)?)?;
        config.check()?;
        Ok(config)
    }

    /// Who signs.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.issuer.as_deref().unwrap_or(self.compatibility.issuer())
    }

    fn check(&self) -> anyhow::Result<()> {
        self.registry.check()?;
        self.check_password_users()?;
        self.limits.check()?;
        let service = &self.registry.service;
        if let Some(url) = &self.public_url {
            check_audience("publicUrl", url, service)?;
        }
        let public_url = reached_at(self.public_url.as_ref(), self.tls.is_some(), self.listen);
        self.check_addresses()?;
        self.management.check(service, &public_url)?;
        if let Some(endpoint) = self.otlp.endpoint.as_ref().and_then(SecretUrl::url) {
            ensure!(
                is_base(&endpoint),
                "otlp.endpoint is not an http or https address without query"
            );
        }
        ensure!(!self.issuer().is_empty(), "issuer is empty");
        self.audit.check()?;
        ensure!(
            self.tokens.publish_ahead < self.tokens.rotate_every,
            "tokens.publishAhead is not shorter than tokens.rotateEvery"
        );
        Ok(())
    }

    /// A user whose password is a provider's token is not the registry's admin.
    fn check_password_users(&self) -> anyhow::Result<()> {
        let registry = &self.registry.name;
        for ProviderConfig { name, password_users, .. } in &self.providers {
            let is_listed = password_users.iter().any(|user| user.eq_ignore_ascii_case(registry));
            ensure!(
                !is_listed,
                "provider `{name}`: passwordUsers: `{registry}` is the registry's own name, which is that of its admin: write another name"
            );
        }
        Ok(())
    }

    /// The names that no scope-map token may be created under.
    #[must_use]
    pub fn reserved_names(&self) -> ReservedNames {
        let listed = self.providers.iter().flat_map(|provider| &provider.password_users);
        ReservedNames::new(&self.registry.name).and(listed.map(String::as_str))
    }

    /// Each listener has an address of its own. With port 0 the system chooses one.
    fn check_addresses(&self) -> anyhow::Result<()> {
        let Self { listen, management, metrics, .. } = self;
        let is_shared = |one: Option<SocketAddr>, other: Option<SocketAddr>| {
            one == other && one.is_some_and(|address| address.port() != 0)
        };
        ensure!(
            !is_shared(metrics.listen, Some(*listen)),
            "metrics.listen is the address of listen; set metrics.public instead"
        );
        ensure!(
            !is_shared(management.own_address(), Some(*listen)),
            "management.listen is the address of listen; leave it out, or choose another address"
        );
        ensure!(
            !is_shared(management.own_address(), metrics.listen),
            "management.listen is the address of metrics.listen; choose another address"
        );
        Ok(())
    }

    /// Whether clients reach this server over TLS, which may end at a proxy.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.tls.is_some() || self.public_url.as_ref().is_some_and(|url| url.scheme() == "https")
    }
}

impl Registry {
    fn check(&self) -> anyhow::Result<()> {
        let is_name = matches!(self.name.len(), 5..=50)
            && self.name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        ensure!(is_name, "registry.name `{}` is not 5 to 50 letters and digits", self.name);
        // Such a name is looked up among the service principals, so the admin would never be found.
        ensure!(
            !is_client_id(&self.name),
            "registry.name `{}` is how client ids look; choose another name",
            self.name
        );
        // It is a quoted string in every challenge.
        let is_service = !self.service.is_empty()
            && self
                .service
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"\"\\,".contains(&byte));
        ensure!(is_service, "registry.service `{}` is not a name of a service", self.service);
        ensure!(
            self.service != REGISTRY_AUDIENCE,
            "registry.service `{REGISTRY_AUDIENCE}` is the audience of tokens that are exchanged; choose another name"
        );
        Ok(())
    }
}

impl Audit {
    fn check(&self) -> anyhow::Result<()> {
        // A shorter one deletes rows before an operator has looked at them.
        ensure!(
            self.keep_for.is_none_or(|keep_for| keep_for >= DAY),
            "audit.keepFor is shorter than a day"
        );
        Ok(())
    }
}

impl Limits {
    fn check(&self) -> anyhow::Result<()> {
        for (name, rate) in [("perAddress", self.per_address), ("perPrincipal", self.per_principal)]
        {
            let is_rate = rate.rate.is_finite() && rate.rate >= 0.0 && rate.rate <= 1e9;
            ensure!(is_rate, "limits.{name}.rate is not a number of requests a second");
            ensure!(
                rate.burst > 0,
                "limits.{name}.burst is 0, so that every request would be refused"
            );
        }
        let sizes = [
            ("body", self.body, 1024, 64 * 1024 * 1024),
            // Longer targets than 64 KiB are refused by the HTTP library itself.
            ("query", self.query, 1024, 60 * 1024),
            ("header", self.header, 1024, 1024 * 1024),
            ("connections", self.connections, 1, 1 << 20),
            ("connectionsPerPeer", self.connections_per_peer, 1, 1 << 20),
        ];
        for (name, value, least, most) in sizes {
            if !(least..=most).contains(&value) {
                bail!("limits.{name} is {value}, not between {least} and {most}");
            }
        }
        ensure!(!self.request.is_zero(), "limits.request is zero");
        Ok(())
    }
}

/// The configured address of a listener, or the one that it listens on, without a slash at the end.
pub(crate) fn reached_at(configured: Option<&Url>, has_tls: bool, address: SocketAddr) -> String {
    let scheme = if has_tls { "https" } else { "http" };
    let url = configured.map_or_else(|| format!("{scheme}://{address}"), ToString::to_string);
    url.trim_end_matches('/').to_owned()
}

/// Whether a path can be appended to an address.
fn is_base(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none()
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: "scopegate-data".into(),
            database_url: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 5001)),
            public_url: None,
            registry: Registry::default(),
            issuer: None,
            compatibility: Compatibility::None,
            seed: None,
            catalog: Catalog::Root,
            tokens: Tokens::default(),
            secrets: Secrets::default(),
            providers: Vec::new(),
            management: Management::default(),
            playground: true,
            authz: Authz::default(),
            snapshot: Snapshot::default(),
            tls: None,
            limits: Limits::default(),
            audit: Audit::default(),
            log: Log::default(),
            metrics: Metrics::default(),
            otlp: Otlp::default(),
        }
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self { name: "registry".to_owned(), service: "registry.local".to_owned() }
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self { algorithm: Algorithm::Es256, x5c: false, rotate_every: 90 * DAY, publish_ahead: DAY }
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Self { serve_for: DAY }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A whole build farm behind one address passes, and a guesser does not get far.
            per_address: Rate { rate: 200.0, burst: 2000 },
            // A thousand nodes that start the same deployment in one name pass.
            per_principal: Rate { rate: 100.0, burst: 1000 },
            // The largest form: sixteen thousand bytes of scopes, percent-encoded, and a refresh
            // token.
            body: 64 * 1024,
            // Sixteen thousand bytes of scopes, percent-encoded.
            query: 48 * 1024,
            // A refresh token as a password is 2 KB; identity providers' tokens are up to 16.
            header: 32 * 1024,
            connections: 4096,
            // It takes a millisecond, and longer only where an identity provider is asked.
            request: Duration::from_secs(10),
            connections_per_peer: UNPROVEN,
            exempt_peers: Networks::default(),
            trusted_proxies: Networks::default(),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { json: false, decisions: true }
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use scopegate_core::scope_map::Role;

    use super::*;

    /// The configuration of a file, an environment and a command line. An empty file is not passed.
    fn load(file: &str, environment: &[(&str, &str)], line: &str) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("scopegate.yaml");
        std::fs::write(&path, file)?;
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let words = ["scopegate-server", "serve"].into_iter().chain(line.split_whitespace());
        let Command::Serve(serve) = Cli::try_parse_from(words)?.command else { bail!("serve") };
        let flags = serve.source.layer(&serve.flags())?;
        let file = (!file.is_empty()).then_some(path.as_path());
        let config = layers::extract(file, &environment, &flags)?;
        config.check()?;
        Ok(config)
    }

    #[test]
    fn the_stronger_source_counts() {
        let file = "registry: {service: file, name: fromfile}\nissuer: file\nlisten: 127.0.0.1:1";
        let environment =
            [("SCOPEGATE_REGISTRY__SERVICE", "environment"), ("SCOPEGATE_ISSUER", "environment")];
        let message = |file, environment: &[_], line| {
            let config = load(file, environment, line).unwrap();
            let registry = &config.registry;
            format!("{} {} {} {}", registry.name, registry.service, config.issuer(), config.listen)
        };
        for (file, environment, line, expected) in [
            ("", &[][..], "", "registry registry.local scopegate 127.0.0.1:5001"),
            (file, &[], "", "fromfile file file 127.0.0.1:1"),
            ("", &environment, "", "registry environment environment 127.0.0.1:5001"),
            (file, &environment, "", "fromfile environment environment 127.0.0.1:1"),
            (file, &environment, "--service flag", "fromfile flag environment 127.0.0.1:1"),
            (file, &environment, "--set issuer=set", "fromfile environment set 127.0.0.1:1"),
            (
                "",
                &[],
                "--set issuer=1 --issuer flag",
                "registry registry.local flag 127.0.0.1:5001",
            ),
        ] {
            assert_eq!(message(file, environment, line), expected, "{file} {environment:?} {line}");
        }
    }

    #[test]
    fn every_value_is_read() {
        let file = r#"
data: /var/lib/scopegate
databaseUrl: postgres://scopegate:hunter2@db/scopegate
listen: "[::1]:5001"
publicUrl: https://auth.example.com/base
registry: {name: 12345, service: r.example.com}
issuer: us
compatibility: acr
seed: seed.yaml
catalog: never
tokens: {algorithm: EdDSA, x5c: true, rotateEvery: 30d, publishAhead: 200ms}
secrets:
  key: {command: [get-key, --password, hunter3]}
  previousKeys: [{file: /etc/scopegate/old.key}, {credential: older}]
providers: [{name: ci, issuer: 'https://i.example', audiences: [a]}]
management: {enabled: false}
playground: false
snapshot: {serveFor: 90m}
tls: {certificate: a.pem, key: b.pem}
limits:
  perAddress: {rate: 0.5, burst: 3}
  perPrincipal: {rate: 0, burst: 4}
  body: 2048
  query: 1024
  header: 4096
  connections: 5
  request: 1s
  connectionsPerPeer: 3
  exemptPeers: [192.0.2.0/24]
  trustedProxies: [10.0.0.0/8]
log: {json: true, decisions: false}
metrics: {listen: 127.0.0.1:9100, public: true}
otlp: {endpoint: "http://user:hunter4@127.0.0.1:4318"}
"#;
        let config = load(&file.replace("12345", "'12345'"), &[], "").unwrap();
        assert_eq!(config.registry.name, "12345");
        assert_eq!(config.tokens.rotate_every, 30 * DAY);
        assert_eq!(config.tokens.publish_ahead, Duration::from_millis(200));
        assert_eq!(
            format!("{:?}", config.secrets),
            "Secrets { key: Some(KeySource(the command `get-key`)), previous_keys: [KeySource(the file /etc/scopegate/old.key), KeySource(the credential `older`)] }"
        );
        assert_eq!(config.snapshot.serve_for, Duration::from_secs(90 * 60));
        assert_eq!(config.limits.per_address, Rate { rate: 0.5, burst: 3 });
        assert_eq!(config.catalog, Catalog::Never);
        let url = config.database_url.as_ref().unwrap();
        assert_eq!(url.expose(), "postgres://scopegate:hunter2@db/scopegate");
        assert!(!config.playground);
        assert_eq!(config.providers.len(), 1);
        assert!(config.is_secure());
        let shown = format!("{config:?}");
        assert!(!shown.contains("hunter"), "{shown}");
        assert!(shown.contains("postgres://scopegate:***@db/scopegate"), "{shown}");
    }

    #[test]
    fn the_environment_reaches_every_depth() {
        let environment = [
            ("SCOPEGATE_CONFIG", "not read here"),
            ("SCOPEGATE_DATABASE_URL", "postgres://db/scopegate"),
            ("SCOPEGATE_REGISTRY__NAME", "12345"),
            ("SCOPEGATE_TOKENS__X5C", "true"),
            ("SCOPEGATE_TOKENS__ROTATE_EVERY", "30d"),
            ("SCOPEGATE_LIMITS__PER_ADDRESS__RATE", "7"),
            ("SCOPEGATE_LIMITS__PER_ADDRESS__BURST", "9"),
            ("SCOPEGATE_MANAGEMENT__ENABLED", "false"),
            ("SCOPEGATE_SERVICE_HOST", "10.0.0.1"),
            ("SCOPEGATE_SERVICE_PORT_HTTPS", "443"),
            ("SCOPEGATE_PORT", "tcp://10.0.0.1:443"),
            ("SCOPEGATE_PORT_443_TCP_ADDR", "10.0.0.1"),
            ("SCOPEGATE_SERVER_PORT_443_TCP", "tcp://10.0.0.1:443"),
            ("PATH", "/bin"),
        ];
        let config = load("", &environment, "").unwrap();
        assert_eq!(config.registry.name, "12345");
        assert_eq!(config.limits.per_address, Rate { rate: 7.0, burst: 9 });
        assert_eq!(config.tokens.rotate_every, 30 * DAY);
        assert!(config.tokens.x5c && !config.management.enabled);
        assert_eq!(config.database_url.unwrap().expose(), "postgres://db/scopegate");
    }

    #[test]
    fn flags_of_before_work_as_they_did() {
        let line = "--data d --listen 127.0.0.1:7 --service s --issuer i --public-url http://p/ --seed f --catalog never --log-json";
        let config = load("log: {decisions: false}", &[], line).unwrap();
        assert_eq!(config.data, PathBuf::from("d"));
        assert_eq!(config.listen.port(), 7);
        assert_eq!((config.registry.service.as_str(), config.issuer()), ("s", "i"));
        assert_eq!(config.public_url.unwrap().as_str(), "http://p/");
        assert_eq!((config.seed, config.catalog), (Some("f".into()), Catalog::Never));
        assert!(config.log.json && !config.log.decisions);
    }

    /// What is wrong is named.
    fn is_refused(file: &str, environment: &[(&str, &str)], line: &str, expected: &str) {
        let error = format!("{:#}", load(file, environment, line).unwrap_err());
        assert!(error.contains(expected), "{file} {environment:?} {line}: {error}");
    }

    #[test]
    fn what_no_setting_is_is_named() {
        for (file, expected) in [
            ("lisen: x", "unknown field `lisen`, not one of data, databaseUrl"),
            ("limits: {bodi: 1}", "`bodi`"),
            ("tls: {certificate: a}", "missing field `key`"),
            ("registry: {nme: x}", "scopegate.yaml"),
            ("secrets: {key: {}}", "secrets.key: a key has exactly one of"),
            ("secrets: {key: hunter2}", "secrets.key: text where an object is expected"),
            ("registry: 5", "registry: a number where an object is expected"),
            ("registry: [", "scopegate.yaml"),
            ("just text", "scopegate.yaml"),
        ] {
            is_refused(file, &[], "", expected);
        }
    }

    #[test]
    fn a_wrong_variable_or_flag_is_named() {
        for (name, value) in [
            ("SCOPEGATE_LIMITS__BODI", "1"),
            ("SCOPEGATE_LISTEN", "here"),
            ("SCOPEGATE_LIMITS__", "1"),
            ("SCOPEGATE_MANAGEMENT__AUDIENCES", "[one"),
        ] {
            is_refused("", &[(name, value)], "", name);
        }
        let credential = [("SCOPEGATE_SECRETS__KEY__CREDENTIAL", "b")];
        let two = "a key has exactly one of `file`, `credential` and `command`";
        is_refused("secrets: {key: {file: /a}}", &credential, "", two);
        let much = "--set: limits.body: text where a whole number is expected";
        for (line, expected) in [
            ("--set limits.body", "limits.body"),
            ("--set limits.body=much", much),
            ("--set limits.bodi=1", "`bodi`"),
        ] {
            is_refused("", &[], line, expected);
        }
    }

    #[test]
    fn a_wrong_value_is_named() {
        for (file, expected) in [
            ("tokens: {rotateEvery: 90}", "a duration such as `90d`, `24h` or `200ms`"),
            ("tokens: {rotateEvery: ever}", "a duration such as `90d`, `24h` or `200ms`"),
            ("tokens: {rotateEvery: -1h}", "a duration such as"),
            ("tokens: {rotateEvery: 1mo}", "a duration such as"),
            ("tokens: {rotateEvery: 1h}", "tokens.publishAhead is not shorter"),
            ("tokens: {algorithm: HS256}", "`HS256` is not one of ES256, RS256, EdDSA"),
            ("catalog: all", "root, never or filtered"),
            ("publicUrl: ftp://x/", "publicUrl `ftp://x/`"),
            ("publicUrl: here", "publicUrl"),
            ("databaseUrl: here", "databaseUrl"),
            ("otlp: {endpoint: 'ftp://x'}", "otlp.endpoint"),
            ("limits: {perAddress: {rate: 1, burst: 0}}", "limits.perAddress.burst"),
            ("limits: {perAddress: {rate: -1, burst: 1}}", "limits.perAddress.rate"),
            ("limits: {request: 0s}", "limits.request"),
            ("limits: {body: 1}", "limits.body is 1, not between 1024 and"),
            ("metrics: {listen: '127.0.0.1:5001'}", "metrics.public"),
        ] {
            is_refused(file, &[], "", expected);
        }
    }

    #[test]
    fn a_name_that_is_another_s_is_named() {
        for (file, expected) in [
            ("registry: {name: abc}", "registry.name `abc` is not 5 to 50"),
            ("registry: {service: 'a\"b'}", "registry.service"),
            ("registry: {name: Administrator}", "registry.name `Administrator` is how"),
            (
                "registry: {name: 3f2504e04f8941d39a0c0305e82c3301}",
                "registry.name `3f2504e04f8941d39a0c0305e82c3301` is how client ids look",
            ),
            (
                "registry: {service: 'https://containerregistry.azure.net'}",
                "registry.service `https://containerregistry.azure.net` is the audience",
            ),
            (
                "{publicUrl: 'https://r.example/', registry: {service: 'https://r.example'}}",
                "publicUrl `https://r.example/` is the audience of other tokens",
            ),
            (
                "publicUrl: https://containerregistry.azure.net",
                "publicUrl `https://containerregistry.azure.net/` is the audience",
            ),
        ] {
            is_refused(file, &[], "", expected);
        }
    }

    #[test]
    fn management_is_a_boolean_or_an_object() {
        let any = "{listen: '127.0.0.1:0', management: {listen: '127.0.0.1:0'}}";
        let listens = "management: {listen: '127.0.0.1:5002'}";
        for (file, environment, line, expected) in [
            ("", &[][..], "", "true"),
            ("management: true", &[], "", "true"),
            ("management: false", &[], "", "false"),
            ("management: {}", &[], "", "true"),
            ("management: {enabled: false}", &[], "", "false"),
            ("", &[("SCOPEGATE_MANAGEMENT", "false")], "", "false"),
            ("management: false", &[("SCOPEGATE_MANAGEMENT__ENABLED", "true")], "", "true"),
            (listens, &[], "", "127.0.0.1:5002"),
            (any, &[], "", "127.0.0.1:0"),
            (listens, &[], "--set management=false", "false"),
            // A weaker source has turned it off, and an address does not turn it on.
            (
                "management: false",
                &[("SCOPEGATE_MANAGEMENT__LISTEN", "127.0.0.1:5002")],
                "",
                "false",
            ),
            ("management: false", &[], "--set management.listen=127.0.0.1:5002", "false"),
        ] {
            let management = load(file, environment, line).unwrap().management;
            let address = management.own_address();
            let read = address.map_or(management.enabled.to_string(), |own| own.to_string());
            assert_eq!(read, expected, "{file} {environment:?} {line}");
        }
    }

    #[test]
    fn management_on_an_address_of_its_own_is_read() {
        let file = "
listen: 127.0.0.1:5001
publicUrl: https://auth.example.com
management:
  listen: 127.0.0.1:5443
  publicUrl: https://manage.example.com
  tls: {certificate: m.pem, key: m.key}
  clientCertificates:
    ca: ca.pem
    crl: crl.pem
    names:
      - {name: alice@example.com, roles: [owner]}
      - {name: 'spiffe://example.com/deploy', roles: [Reader, EdgeReader]}
";
        let management = load(file, &[], "").unwrap().management;
        assert!(management.is_secure());
        assert_eq!(management.listen.unwrap().port(), 5443);
        let certificates = management.client_certificates.unwrap();
        assert!(!certificates.required);
        assert_eq!(certificates.crl, Some("crl.pem".into()));
        let [alice, deploy] = &certificates.names[..] else { panic!("{certificates:?}") };
        assert_eq!(
            (alice.name.as_str(), &alice.roles[..]),
            ("alice@example.com", &[Role::Owner][..])
        );
        assert_eq!(deploy.roles, [Role::Reader, Role::EdgeReader]);
    }

    #[test]
    fn what_is_wrong_with_management_is_said() {
        const OWN: &str = "listen: '127.0.0.1:5443', tls: {certificate: c, key: k}";
        let of = |more: &str| format!("management: {{{OWN}, {more}}}");
        let names = |names: &str| of(&format!("clientCertificates: {{ca: a, names: [{names}]}}"));
        for (file, expected) in [
            ("management: 5".to_owned(), "a number where an object is expected"),
            ("management: maybe".into(), "text where an object is expected"),
            ("management: {lisen: x}".into(), "unknown field `lisen`"),
            ("management: {listen: here}".into(), "management.listen"),
            (
                "management: {publicUrl: 'https://m/'}".into(),
                "management.publicUrl is for an address of its own",
            ),
            (
                "management: {tls: {certificate: c, key: k}}".into(),
                "management.tls is for an address",
            ),
            ("management: {clientCertificates: {ca: a}}".into(), "set management.listen as well"),
            (
                "management: {listen: '127.0.0.1:5001'}".into(),
                "management.listen is the address of listen",
            ),
            (
                "{management: {listen: '127.0.0.1:2'}, metrics: {listen: '127.0.0.1:2'}}".into(),
                "management.listen is the address of metrics.listen",
            ),
            (of("publicUrl: 'ftp://x'"), "management.publicUrl `ftp://x/`"),
            (
                of("publicUrl: 'https://containerregistry.azure.net'"),
                "is the audience of other tokens",
            ),
            (
                format!(
                    "{{publicUrl: 'https://r.test/a', {}}}",
                    of("publicUrl: 'https://r.test:443/b'")
                ),
                "has the origin of publicUrl",
            ),
            (
                "{publicUrl: 'http://127.0.0.1:9', management: {listen: '127.0.0.1:9'}}".into(),
                "management.publicUrl `http://127.0.0.1:9` has the origin of publicUrl",
            ),
            (
                "management: {listen: '127.0.0.1:9', publicUrl: 'http://127.0.0.1:5001'}".into(),
                "has the origin",
            ),
            (
                "management: {listen: '127.0.0.1:2', clientCertificates: {ca: a, required: true}}"
                    .into(),
                "management.clientCertificates needs management.tls",
            ),
            (of("clientCertificates: {ca: a}"), "names is empty, so no certificate opens anything"),
            (of("clientCertificates: {required: true}"), "missing field `ca`"),
            (names("{name: a, roles: [Admin]}"), "there is no role `Admin`, only AcrPull"),
            (names("{name: a, roles: []}"), "gives `a` no role"),
            (names("{name: a, roles: [Owner]}, {name: a, roles: [Reader]}"), "has `a` twice"),
            (names("{name: '', roles: [Owner]}"), "a name that is empty"),
            (names("{name: a}"), "missing field `roles`"),
        ] {
            let error = format!("{:#}", load(&file, &[], "").unwrap_err());
            assert!(error.contains(expected), "{file}: {error}");
        }
        load(&of("clientCertificates: {ca: a, required: true}"), &[], "").unwrap();
    }

    #[test]
    fn an_error_does_not_show_a_secret() {
        for (file, environment) in [
            ("databaseUrl: hunter2", &[][..]),
            ("databaseUrl: postgres://u:hunter2@db/\nissuer: [", &[]),
            ("databaseUrl: [hunter2]", &[]),
            ("", &[("SCOPEGATE_DATABASE_URL", "hunter2")]),
            ("", &[("SCOPEGATE_DATABASE_URL", "[\"hunter2\"]")]),
        ] {
            let error = format!("{:#}", load(file, environment, "").unwrap_err());
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn half_a_rate_leaves_the_other() {
        let limits =
            load("limits: {perPrincipal: {burst: 7}}", &[], "--set limits.perAddress.rate=5")
                .unwrap()
                .limits;
        assert_eq!(limits.per_address, Rate { rate: 5.0, burst: 2000 });
        assert_eq!(limits.per_principal, Rate { rate: 100.0, burst: 7 });
    }

    /// The example lists every value with its default, so it must equal the defaults.
    #[test]
    fn the_example_is_the_defaults() {
        let example = include_str!("../../../examples/scopegate.yaml");
        let lines = example.lines().map(|line| line.replacen("#: ", "", 1));
        let without_optional = load(example, &[], "").unwrap();
        assert_eq!(format!("{without_optional:?}"), format!("{:?}", Config::default()));
        let with_optional = lines.collect::<Vec<_>>().join("\n");
        load(&with_optional, &[], "").unwrap();
    }

    #[test]
    fn an_empty_file_changes_nothing() {
        assert_eq!(load("# nothing\n", &[], "").unwrap().issuer(), "scopegate");
    }

    #[test]
    fn who_signs() {
        for (file, issuer) in [
            ("compatibility: none", "scopegate"),
            ("compatibility: acr", "Azure Container Registry"),
            ("{compatibility: acr, issuer: us}", "us"),
            ("{compatibility: acr, issuer: scopegate}", "scopegate"),
            ("issuer: us", "us"),
        ] {
            assert_eq!(load(file, &[], "").unwrap().issuer(), issuer, "{file}");
        }
        for file in ["compatibility: ACR", "compatibility: azure", "compatibility: true"] {
            let error = format!("{:#}", load(file, &[], "").unwrap_err());
            assert!(error.contains("compatibility"), "{error}");
        }
    }
}

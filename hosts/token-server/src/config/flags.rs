//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use scopegate_core::Catalog;

use super::layers::Layer;

/// A token server for container registries.
#[derive(Debug, Parser)]
#[command(name = "scopegate-server", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve tokens.
    Serve(Box<Serve>),
    /// Create the local administrator, or give it a new secret, and print what `az login` needs.
    Administrator(Administrator),
    /// Write a backup into a new file, also while servers run.
    Backup(Backup),
    /// Restore a backup. Without one, begin a new epoch after the database was restored by other
    /// means: every older token ends, and edges read the full state.
    Restore(Restore),
    /// End every token of a principal, an identity or a provider. Passwords and rights stay.
    #[command(subcommand)]
    Revoke(Revoke),
    /// List the signing keys, or create a new one now.
    #[command(subcommand)]
    Keys(Keys),
    /// Verify the audit trail.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Explain why a registry refuses a token: "token signed by untrusted key", for example.
    Doctor(Doctor),
    /// Write scope maps and tokens from a file into the database, also while a server runs.
    Apply(Apply),
}

/// Where the configuration is, and the values that every command needs.
#[derive(Clone, Debug, Default, Args)]
pub struct Source {
    /// The configuration, YAML. Also SCOPEGATE_CONFIG.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder of the database and of what else must outlive the process. Made when it is
    /// missing. [default: scopegate-data]
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// The database of several servers, `postgres://user:password@host/database`. Without it SQLite
    /// in the data folder.
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// Any value of the configuration, `limits.body=100000` for example. May be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

/// `scopegate-server serve`
#[derive(Clone, Debug, Default, Args)]
pub struct Serve {
    /// Where the configuration is.
    #[command(flatten)]
    pub source: Source,
    /// The address to listen on. [default: 127.0.0.1:5001]
    #[arg(long)]
    pub listen: Option<SocketAddr>,
    /// The registry that tokens are for; what it calls its `service`. [default: registry.local]
    #[arg(long)]
    pub service: Option<String>,
    /// The registry's own name, which is the user name of its admin. [default: registry]
    #[arg(long)]
    pub registry_name: Option<String>,
    /// Who signs; what the registry calls its `issuer`. [default: that of `compatibility`]
    #[arg(long)]
    pub issuer: Option<String>,
    /// The address under which clients reach this server, for challenges. By default the address
    /// that it listens on.
    #[arg(long)]
    pub public_url: Option<String>,
    /// Scope maps and tokens to write into the database before serving.
    #[arg(long, value_name = "FILE")]
    pub seed: Option<PathBuf>,
    /// Who may list the repositories of the registry: root, never or filtered. [default: root]
    #[arg(long, value_parser = parse_catalog)]
    pub catalog: Option<Catalog>,
    /// The certificate of this server, PEM.
    #[arg(long, value_name = "FILE")]
    pub tls_certificate: Option<PathBuf>,
    /// The key of the certificate, PEM.
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// An address for metrics, apart from the main one.
    #[arg(long, value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,
    /// Log as JSON, one object a line.
    #[arg(long)]
    pub log_json: bool,
}

/// `scopegate-server administrator`
#[derive(Clone, Debug, Args)]
pub struct Administrator {
    /// Where the configuration is.
    #[command(flatten)]
    pub source: Source,
    /// When the secret expires, such as 2027-01-01T00:00:00Z. Never, when left out.
    #[arg(long, value_name = "TIME")]
    pub expiry: Option<Timestamp>,
}

/// `scopegate-server backup`
#[derive(Clone, Debug, Args)]
pub struct Backup {
    /// Where the configuration is.
    #[command(flatten)]
    pub source: Source,
    /// The new file.
    pub file: PathBuf,
}

/// `scopegate-server restore`
#[derive(Clone, Debug, Args)]
pub struct Restore {
    /// Where the configuration is.
    #[command(flatten)]
    pub source: Source,
    /// The backup.
    pub file: Option<PathBuf>,
    /// Replace a database that is not empty. What was changed since the backup is lost.
    #[arg(long, requires = "file")]
    pub replace: bool,
    /// What was changed since the backup comes back as it was, and not disabled. Needed where the
    /// audit trail does not go on from the backup's.
    #[arg(long, requires = "file")]
    pub as_it_was: bool,
}

/// `scopegate-server revoke`
#[derive(Clone, Debug, Subcommand)]
pub enum Revoke {
    /// Those of a scope-map token, by its name.
    Token(RevokeNamed),
    /// Those of a service principal, by its client id; those for management too.
    ServicePrincipal(RevokeNamed),
    /// Those of the admin account.
    Admin(RevokeKind),
    /// Those of anonymous clients.
    Anonymous(RevokeKind),
    /// Those of one identity of a provider.
    Identity(RevokeIdentity),
    /// Those of every identity of a provider, by its name in the configuration.
    Provider(RevokeNamed),
}

/// `scopegate-server revoke token`, and others with a name
#[derive(Clone, Debug, Args)]
pub struct RevokeNamed {
    /// Where the configuration is.
    #[command(flatten)]
    pub source: Source,
    /// The name.
    pub name: String,
}

/// `scopegate-server revoke admin`, and others of which there is one
#[derive(Clone, Debug, Args)]
pub struct RevokeKind {
    /// Where the configuration is.
    #[command(flatten)]
    pub source: Source,
}

/// `scopegate-server revoke identity`
#[derive(Clone, Debug, Args)]
pub struct RevokeIdentity {
    /// Where the configuration is.
    #[command(flatten)]
    pub source: Source,
    /// The provider's name in the configuration.
    pub provider: String,
    /// The subject.
    pub subject: String,
}

impl Revoke {
    /// Where the configuration is.
    #[must_use]
    pub fn source(&self) -> &Source {
        match self {
            Self::Token(flags) | Self::ServicePrincipal(flags) | Self::Provider(flags) => {
                &flags.source
            }
            Self::Admin(flags) | Self::Anonymous(flags) => &flags.source,
            Self::Identity(flags) => &flags.source,
        }
    }
}

/// `scopegate-server keys`
#[derive(Clone, Debug, Subcommand)]
pub enum Keys {
    /// List the signing keys, the one that signs last first.
    List(KeysList),
    /// Make a new key now.
    Rotate(KeysRotate),
    /// Encrypt the signing keys in the database with `secrets.key`, also while servers run.
    Reencrypt(KeysReencrypt),
}

/// `scopegate-server keys list`
#[derive(Clone, Debug, Args)]
pub struct KeysList {
    /// Where the configuration is.
    #[command(flatten)]
    pub source: Source,
}

/// `scopegate-server keys rotate`
#[derive(Clone, Debug, Args)]
pub struct KeysRotate {
    /// Where the configuration is.
    #[command(flatten)]
    pub source: Source,
    /// Delete every other key and the authority at once: for a key that has leaked, or that cannot
    /// be decrypted because `secrets.key` is lost. All tokens end, and registries need the new
    /// bundle.
    #[arg(long)]
    pub at_once: bool,
}

/// `scopegate-server audit`
#[derive(Clone, Debug, Subcommand)]
pub enum AuditCommand {
    /// Find rows that are missing, altered or moved. Fails when there are any.
    Verify(AuditVerify),
    /// Move the oldest rows into a file, also those that do not verify. Only this gets
    /// `audit.keepFor` past such a row.
    Archive(AuditArchive),
}

/// `scopegate-server audit archive`
#[derive(Clone, Debug, Args)]
pub struct AuditArchive {
    /// Where the configuration is.
    #[command(flatten)]
    pub source: Source,
    /// A file that does not exist yet.
    pub file: PathBuf,
    /// The number of the last row that is moved.
    #[arg(long, value_name = "NUMBER")]
    pub until: i64,
}

/// `scopegate-server audit verify`
#[derive(Clone, Debug, Args)]
pub struct AuditVerify {
    /// Where the configuration is.
    #[command(flatten)]
    pub source: Source,
    /// A head that the log has, `42:9f86…`: shows whether rows were cut off the end since.
    #[arg(long, value_name = "NUMBER:SEAL")]
    pub head: Option<String>,
}

/// `scopegate-server keys reencrypt`
#[derive(Clone, Debug, Args)]
pub struct KeysReencrypt {
    /// Where the configuration is.
    #[command(flatten)]
    pub source: Source,
    /// A file with the key that they are encrypted with now. Not needed for a key of
    /// `secrets.previousKeys`.
    #[arg(long, value_name = "FILE")]
    pub old: Option<PathBuf>,
}

/// `scopegate-server doctor`
#[derive(Clone, Debug, Args)]
pub struct Doctor {
    /// Where the configuration is.
    #[command(flatten)]
    pub source: Source,
    /// The registry that tokens are for; what it calls its `service`.
    #[arg(long)]
    pub service: Option<String>,
    /// Who signs; what the registry calls its `issuer`.
    #[arg(long)]
    pub issuer: Option<String>,
    /// The configuration of the registry that refuses the token: `config.yml` of CNCF distribution.
    #[arg(long, value_name = "FILE")]
    pub registry: Option<PathBuf>,
    /// The version of CNCF distribution; both, when left out.
    #[arg(long, value_name = "VERSION", value_parser = ["2.8", "3"])]
    pub version: Option<String>,
    /// A file that holds the token, or `-` for the standard input.
    pub token: PathBuf,
}

/// `scopegate-server apply`
#[derive(Clone, Debug, Args)]
pub struct Apply {
    /// Where the configuration is.
    #[command(flatten)]
    pub source: Source,
    /// The file, JSON or YAML.
    pub file: PathBuf,
}

impl Serve {
    /// The flags that were given, each with the path of its value.
    #[must_use]
    pub fn flags(&self) -> Vec<(&'static str, String)> {
        let path = |path: &Option<PathBuf>| path.as_deref().map(|path| path.display().to_string());
        let given = [
            ("listen", self.listen.map(|address| address.to_string())),
            ("registry.service", self.service.clone()),
            ("registry.name", self.registry_name.clone()),
            ("issuer", self.issuer.clone()),
            ("publicUrl", self.public_url.clone()),
            ("seed", path(&self.seed)),
            ("catalog", self.catalog.map(|catalog| catalog.as_str().to_owned())),
            ("tls.certificate", path(&self.tls_certificate)),
            ("tls.key", path(&self.tls_key)),
            ("metrics.listen", self.metrics_listen.map(|address| address.to_string())),
            ("log.json", self.log_json.then(|| "true".to_owned())),
        ];
        given.into_iter().filter_map(|(path, value)| Some((path, value?))).collect()
    }
}

impl Doctor {
    /// The flags that were given, each with the path of its value.
    #[must_use]
    pub fn flags(&self) -> Vec<(&'static str, String)> {
        let given = [("registry.service", self.service.clone()), ("issuer", self.issuer.clone())];
        given.into_iter().filter_map(|(path, value)| Some((path, value?))).collect()
    }
}

impl Source {
    /// The flags as layers: `--set` below the flags that have a name.
    pub(super) fn layer(&self, flags: &[(&'static str, String)]) -> anyhow::Result<Vec<Layer>> {
        let mut layers = Vec::new();
        for set in &self.set {
            let (path, value) = set
                .split_once('=')
                .with_context(|| format!("--set {set} is not of the form NAME=VALUE"))?;
            layers.push(Layer::one("--set".to_owned(), path, value)?);
        }
        let data = self.data.as_deref().map(|data| ("data", data.display().to_string()));
        let database = self.database_url.clone().map(|url| ("databaseUrl", url));
        for (path, value) in data.iter().chain(&database).chain(flags) {
            layers.push(Layer::text("the command line".to_owned(), path, value)?);
        }
        Ok(layers)
    }
}

fn parse_catalog(text: &str) -> Result<Catalog, String> {
    Catalog::parse(text).ok_or_else(|| "root, never or filtered".to_owned())
}

//! The Azure SDKs' registry clients: `azure-containerregistry` for Python,
//! `@azure/container-registry` for node, `azcontainerregistry` for Go and
//! `azure-containers-containerregistry` for Java.
//!
//! A program for each calls the SDK and prints what it gives; they take the same arguments, so one
//! table of calls tests them all.
//!
//! Left out: the SDK for .NET, which the machines of the tests cannot run.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::az::environment;
use crate::software::front::Front;
use crate::software::process::run;
use crate::software::server::{is_installed, scripts};

/// Which SDK.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sdk {
    Python,
    Node,
    Go,
    Java,
}

/// How a client says who it is.
pub(crate) enum Credential<'a> {
    /// Not at all.
    Anonymous,
    /// With a token from somewhere, which the SDK takes to the exchange.
    Token(&'a str),
    /// With a client's secret, which `azure-identity` takes to an authority. In Python only.
    Secret { tenant: &'a str, client: &'a str, secret: &'a str },
}

impl Sdk {
    /// All of them whose language the machine has.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        [Self::Python, Self::Node].into_iter().chain(Self::with_content())
    }

    /// Those that the calls for content and for each level are written for.
    pub(crate) fn with_content() -> impl Iterator<Item = Self> {
        let languages = [(Self::Go, "go"), (Self::Java, "mvn")];
        languages.into_iter().filter(|(_, program)| is_installed(program)).map(|(sdk, _)| sdk)
    }

    /// Whether it asks again when it is refused a token, as if the network had failed: for nine
    /// seconds or for ninety.
    pub(crate) const fn repeats_refusals(self) -> bool {
        matches!(self, Self::Go | Self::Java)
    }

    /// Makes calls, one after the other; gives what each returned, or the status of its error: 0
    /// when it was refused before the registry was asked.
    #[track_caller]
    pub(crate) fn call(
        self,
        front: &Front,
        who: &Credential<'_>,
        calls: &[&[&str]],
    ) -> Vec<Result<Value, u64>> {
        let who = match who {
            Credential::Anonymous => serde_json::json!({}),
            Credential::Token(token) => serde_json::json!({ "token": token }),
            Credential::Secret { tenant, client, secret } => {
                serde_json::json!({ "tenant": tenant, "client": client, "secret": secret })
            }
        };
        let asked = serde_json::json!({ "endpoint": front.url(), "who": who, "calls": calls });
        let printed = run(self.command(front).arg(asked.to_string()));
        let outcomes: Vec<Value> = serde_json::from_str(&printed).unwrap();
        outcomes
            .into_iter()
            .map(|mut outcome| match outcome["error"].as_u64() {
                Some(status) => Err(status),
                None => Ok(outcome["value"].take()),
            })
            .collect()
    }

    fn command(self, front: &Front) -> Command {
        let mut command = match self {
            Self::Python => script(environment().join("bin/python"), "sdk.py"),
            Self::Node => script("node".into(), "sdk.mjs"),
            Self::Go => Command::new(built("sdk-go").join("sdk")),
            Self::Java => java(front),
        };
        let trust = match self {
            Self::Python => "REQUESTS_CA_BUNDLE",
            Self::Node => "NODE_EXTRA_CA_CERTS",
            // For Java it is in the arguments.
            Self::Go | Self::Java => "SSL_CERT_FILE",
        };
        command.env(trust, front.certificate());
        command.env("NO_PROXY", "localhost").env("NODE_NO_WARNINGS", "1");
        command
    }
}

fn script(program: PathBuf, name: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(scripts().join(name));
    command
}

/// A folder that `cargo xtask setup` made.
fn built(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/clients").join(name);
    assert!(folder.is_dir(), "no {}: run `cargo xtask setup`", folder.display());
    folder
}

/// Java reads the authorities that it trusts from a file of its own kind.
fn java(front: &Front) -> Command {
    let (certificate, folder) = (front.certificate(), built("sdk-java"));
    let store = certificate.with_extension("p12");
    if !store.exists() {
        let mut keytool = Command::new("keytool");
        keytool.args(["-importcert", "-noprompt", "-alias", "authority", "-file"]).arg(certificate);
        keytool.args(["-storetype", "PKCS12", "-storepass", "of the store", "-keystore"]);
        run(keytool.arg(&store));
    }
    let class_path = format!("{0}:{0}/lib/*", folder.display());
    let mut command = Command::new("java");
    // It ends soon: time spent on fast code is lost.
    command.args(["-XX:TieredStopAtLevel=1", "-Djavax.net.ssl.trustStorePassword=of the store"]);
    command.arg(format!("-Djavax.net.ssl.trustStore={}", store.display()));
    command.args(["-cp", &class_path, "Sdk"]);
    command
}

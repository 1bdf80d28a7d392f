//! `oidc-provider`, the identity provider of the tests, and people with a browser.

use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::process::{Running, eventually, free_port, run};
use super::server::scripts;

/// The audience of its access tokens, which is what the Azure SDKs ask for.
pub(crate) const AUDIENCE: &str = "https://containerregistry.azure.net";
/// A client that logs in by itself, and its secret. Its tokens say `team: core`.
const CLIENT: (&str, &str) = ("svc", "svc-secret");
/// The secret of the client `dev`, which holds a refresh token, and with which people sign in too.
pub(crate) const DEVELOPER_SECRET: &str = "dev/secret: with + and %";
/// The client with which people sign in, and its secret.
const PEOPLE: (&str, &str) = ("people", "secret of people");

/// A provider with a client that logs in by itself.
pub(crate) struct Provider {
    port: u16,
    folder: TempDir,
    running: Running,
}

impl Provider {
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::launch(600, "http://127.0.0.1/return", "no")
    }

    /// A provider whose tokens have this lifetime.
    #[track_caller]
    pub(crate) fn with_lifetime(seconds: u64) -> Self {
        Self::launch(seconds, "http://127.0.0.1/return", "no")
    }

    /// A provider at which people sign in who are sent back to this address.
    #[track_caller]
    pub(crate) fn sending_people_to(address: &str) -> Self {
        Self::launch(600, address, "no")
    }

    /// The same, which replaces a refresh token that is redeemed.
    #[track_caller]
    pub(crate) fn rotating(address: &str) -> Self {
        Self::launch(600, address, "yes")
    }

    #[track_caller]
    fn launch(seconds: u64, address: &str, rotates: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut command = Command::new("node");
        command.arg(scripts().join("oidc-provider.mjs"));
        command.env("PORT", port.to_string()).env("RETURN", address);
        command.env("LIFETIME", seconds.to_string()).env("ROTATE", rotates);
        let running = Running::listening(&mut command, port, folder.path().join("provider.log"));
        Self { port, folder, running }
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Lines of a server's configuration with which people sign in here: `octo` reads, and pulls.
    pub(crate) fn for_people(&self) -> String {
        let secret = self.folder.path().join("secret");
        std::fs::write(&secret, PEOPLE.1).unwrap();
        format!(
            "providers:
  - name: corp
    issuer: {issuer}
    audiences: ['{AUDIENCE}']
    clientId: {client}
    clientSecretFile: {secret}
    login: true
    bindings:
      - match: {{sub: octo}}
        roles: [Reader, AcrPull]
",
            issuer = self.issuer(),
            client = PEOPLE.0,
            secret = secret.display(),
        )
    }

    /// The refresh token of the client `dev`.
    #[track_caller]
    pub(crate) fn refresh_token(&self) -> String {
        eventually(Duration::from_secs(10), || {
            let log = self.running.log();
            let token = log.lines().find(|line| !line.is_empty() && !line.contains(' '));
            token.map(ToOwned::to_owned).ok_or(log)
        })
    }

    /// The process.
    pub(crate) fn process(&self) -> &Running {
        &self.running
    }

    /// An access token.
    #[track_caller]
    pub(crate) fn token(&self) -> String {
        let form = [("grant_type", "client_credentials"), ("scope", "registry")];
        let request = reqwest::blocking::Client::new().post(format!("{}/token", self.issuer()));
        let request = request.basic_auth(CLIENT.0, Some(CLIENT.1));
        let response = request.form(&form).send().unwrap();
        let text = response.text().unwrap();
        let body: serde_json::Value = serde_json::from_str(&text).unwrap();
        body["access_token"].as_str().unwrap_or_else(|| panic!("{text}")).to_owned()
    }
}

/// Lets a person open an address in a real browser, and answer the provider's pages with a name and
/// the code that a device has shown; gives the text of the last page. `deny` is who refuses.
#[track_caller]
pub(crate) fn browse(address: &str, name: &str, code: &str) -> String {
    run(Command::new("node").arg(scripts().join("browser.mjs")).args([address, name, code]))
}

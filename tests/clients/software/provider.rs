//! `oidc-provider`, the identity provider of the tests.

use std::process::Command;

use tempfile::TempDir;

use super::process::{Running, free_port};
use super::server::scripts;

/// The audience of its access tokens, which is what the Azure SDKs ask for.
pub(crate) const AUDIENCE: &str = "https://containerregistry.azure.net";
/// A client that may only pull, by the `roles` claim of its tokens.
pub(crate) const READER: (&str, &str) = ("reader", "reader-secret");
/// A client whose tokens hold no claim that anything is bound to.
pub(crate) const STRANGER: (&str, &str) = ("stranger", "stranger-secret");

/// A provider with clients that log in by themselves.
pub(crate) struct Provider {
    port: u16,
    _folder: TempDir,
    _running: Running,
}

impl Provider {
    #[track_caller]
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut command = Command::new("node");
        command.arg(scripts().join("oidc-provider.mjs")).arg(port.to_string());
        let running = Running::listening(&mut command, port, folder.path().join("provider.log"));
        Self { port, _folder: folder, _running: running }
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// An access token for one of the clients.
    #[track_caller]
    pub(crate) fn token(&self, (client, secret): (&str, &str)) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_secret", secret),
            ("scope", "registry"),
        ];
        let url = format!("{}/token", self.issuer());
        let response = reqwest::blocking::Client::new().post(url).form(&form).send().unwrap();
        let text = response.text().unwrap();
        let body: serde_json::Value = serde_json::from_str(&text).unwrap();
        body["access_token"].as_str().unwrap_or_else(|| panic!("{text}")).to_owned()
    }
}

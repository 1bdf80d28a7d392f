//! `oidc-provider`, the identity provider of the tests.

use std::process::Command;

use tempfile::TempDir;

use super::process::{Running, free_port, run};
use super::server::scripts;

/// The audience of its access tokens, which is what the Azure SDKs ask for.
pub(crate) const AUDIENCE: &str = "https://containerregistry.azure.net";
/// A client that logs in by itself, and its secret. Its tokens say `team: core`.
const CLIENT: (&str, &str) = ("svc", "svc-secret");
/// Makes the key that the provider signs with.
const MAKE_KEY: &str = "const { privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
console.log(JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'first', alg: 'ES256', use: 'sig' }));";

/// A provider with a client that logs in by itself.
pub(crate) struct Provider {
    port: u16,
    _folder: TempDir,
    _running: Running,
}

impl Provider {
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::with_lifetime(600)
    }

    /// A provider whose tokens have this lifetime.
    #[track_caller]
    pub(crate) fn with_lifetime(seconds: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut command = Command::new("node");
        command.arg(scripts().join("oidc-provider.mjs"));
        let key = run(Command::new("node").args(["--eval", MAKE_KEY]));
        command.env("PORT", port.to_string()).env("JWK", key);
        command.env("LIFETIME", seconds.to_string());
        let running = Running::listening(&mut command, port, folder.path().join("provider.log"));
        Self { port, _folder: folder, _running: running }
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
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

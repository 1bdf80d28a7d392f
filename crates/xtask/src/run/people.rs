//! The identity provider of a run with people: oidc-provider on loopback, the one that the tests
//! have. Every name signs in there with any password, so who has which rights is said by the name
//! alone.
//!
//! Left out: anything that a real provider does.

use std::path::Path;

use tokio::process::{Child, Command};
use xshell::Shell;

use super::{free_port, start};
use crate::{node, paths};

/// The folder of the provider and its packages.
const FOLDER: &str = "tests/clients";
/// The secret of our client there, which the provider's script knows. It is on loopback.
const SECRET: &str = "dev/secret: with + and %";

/// A provider, by its port.
pub(super) struct People(u16);

impl People {
    pub(super) fn new(shell: &Shell) -> anyhow::Result<Self> {
        node::install(shell, &paths::root().join(FOLDER), "an identity provider")?;
        Ok(Self(free_port(5003)?))
    }

    /// Lines of the token server's configuration.
    pub(super) fn configuration(&self, shell: &Shell, folder: &Path) -> anyhow::Result<String> {
        let secret = folder.join("provider-secret");
        shell.write_file(&secret, SECRET)?;
        Ok(format!(
            "providers:\n\
             \x20 - name: people\n\
             \x20   issuer: http://127.0.0.1:{port}\n\
             \x20   audiences: [https://containerregistry.azure.net]\n\
             \x20   clientId: dev\n\
             \x20   clientSecretFile: {secret:?}\n\
             \x20   login: true\n\
             \x20   passwordUsers: [token]\n\
             \x20   bindings:\n\
             \x20     - {{match: {{sub: owner}}, roles: [Owner]}}\n\
             \x20     - {{match: {{sub: puller}}, roles: [AcrPull]}}\n",
            port = self.0
        ))
    }

    /// Starts it. Browsers are sent back to the address at `public`.
    pub(super) async fn start(&self, shell: &Shell, public: u16) -> anyhow::Result<Child> {
        let mut command = Command::new(node::program(shell)?);
        command.arg(paths::root().join(FOLDER).join("oidc-provider.mjs"));
        command.env("PORT", self.0.to_string()).env("ROTATE", "yes");
        command.env("RETURN", format!("https://localhost:{public}/common/oauth2/v2.0/return"));
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        start(&mut command, self.0).await
    }
}

//! What the documents are typed against: a token server, a registry, and the gateway that is the
//! address of both, as the guide says that they are set up for clients of Azure's.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::shell::Shell;
use crate::drivers::skopeo::Skopeo;
use crate::software::authority::Authority;
use crate::software::gateway::Gateway;
use crate::software::image;
use crate::software::process::{free_port, run};
use crate::software::provider::{AUDIENCE, DEVELOPER_SECRET, Provider};
use crate::software::registry::Registry;
use crate::software::server::{Administrator, Server, Settings};

/// The registry's name to `az`.
const NAME: &str = "registry";
/// Who fills the registry before a document begins.
const SEED: &str = "scopeMaps:
  - name: everything
    actions: [repositories/*/content/read, repositories/*/content/write, repositories/*/metadata/read]
tokens:
  - {name: Filler, scopeMap: everything}
";

pub(super) struct Scene {
    pub(super) shell: Shell,
    pub(super) host: String,
    /// An image that docker loads, `localhost/image:v1`.
    pub(super) archive: PathBuf,
    layout: PathBuf,
    skopeo: Skopeo,
    // What runs.
    _gateway: Gateway,
    _server: Server,
    _registry: Registry,
    _provider: Provider,
    _authority: Authority,
    _folder: TempDir,
}

impl Scene {
    #[track_caller]
    pub(super) fn new() -> Self {
        let port = free_port();
        let host = format!("localhost:{port}");
        let folder = tempfile::tempdir().unwrap();
        let (authority, registry) = (Authority::new(), Registry::open());
        let provider = Provider::rotating(&format!("https://{host}/common/oauth2/v2.0/return"));
        let settings = Settings {
            service: Some(host.clone()),
            public_url: Some(format!("https://{host}")),
            config: Some(configuration(&provider, &folder)),
            ..Settings::default()
        };
        let (server, passwords) = Server::with(settings, SEED);
        let index = folder.path().join("index");
        let more = format!(
            "compatibility: acr\nindex: {{data: {}, freshFor: 1ms}}\nhelmIndex: {{repo: generated}}\nuntag: metadata-write\n",
            index.display()
        );
        let gateway =
            Gateway::for_both_with_policy(port, registry.port(), &server, &authority, &more);
        let shell = shell(&host, &authority, &provider, &gateway.administrator);
        let layout = image::make(folder.path());
        let archive = folder.path().join("image.tar");
        let (from, to) = (layout.display(), archive.display());
        run(Command::new("skopeo")
            .args(["copy", "--quiet", &format!("oci:{from}:v1")])
            .arg(format!("docker-archive:{to}:localhost/image:v1")));
        let skopeo = Skopeo::trusting(&authority);
        skopeo.login(&host, "Filler", &passwords[0]).unwrap();
        Self {
            shell,
            host,
            archive,
            layout,
            skopeo,
            _gateway: gateway,
            _server: server,
            _registry: registry,
            _provider: provider,
            _authority: authority,
            _folder: folder,
        }
    }

    /// Puts an image into the registry under these names.
    #[track_caller]
    pub(super) fn push(&self, names: &[&str]) {
        for name in names {
            self.skopeo.push(&self.layout, &format!("{}/{name}", self.host)).unwrap();
        }
    }

    /// `az login`, as the README has it.
    #[track_caller]
    pub(super) fn sign_in(&self) {
        let printed = self.shell.types(
            r#"set -e
az cloud register -n Scopegate --endpoint-resource-manager https://$registry
az cloud set -n Scopegate
az config set core.instance_discovery=false core.login_experience_v2=off
az login --service-principal -u $client_id -p "$client_secret" --tenant $tenant -o none"#,
        );
        assert!(printed.ends_with("[0]\n"), "{printed}");
    }
}

/// A provider whose core team owns the registry.
fn configuration(provider: &Provider, folder: &TempDir) -> String {
    let secret = folder.path().join("client-secret");
    std::fs::write(&secret, DEVELOPER_SECRET).unwrap();
    format!(
        "compatibility: acr
providers:
  - name: company
    issuer: {}
    audiences: [{AUDIENCE}]
    leeway: 0
    clientId: dev
    clientSecretFile: {}
    login: true
    bindings: [{{match: {{team: core}}, roles: [Owner]}}]
",
        provider.issuer(),
        secret.display()
    )
}

fn shell(host: &str, authority: &Authority, provider: &Provider, who: &Administrator) -> Shell {
    let java = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/clients/sdk-java");
    let variables = [
        ("name", NAME),
        ("client_id", &who.client_id),
        ("client_secret", &who.secret),
        ("tenant", &who.tenant),
        ("issuer", &provider.issuer()),
        ("dev_secret", "dev%2Fsecret%3A%20with%20%2B%20and%20%25"),
        ("first_refresh_token", &provider.refresh_token()),
        ("JAVA", &java.display().to_string()),
    ];
    Shell::new(host, &authority.certificate(), &variables)
}

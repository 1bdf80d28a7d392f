//! A token of an OpenID provider, or of our own authority, as a password: `docker login -u jwt
//! --password-stdin`, and podman and skopeo the same way, at the gateway.
//!
//! Only docker asks for a refresh token, and keeps it; the others keep the password.

use std::thread::sleep;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::drivers::docker::Docker;
use crate::drivers::podman::Podman;
use crate::drivers::skopeo::Skopeo;
use crate::software::gateway::Gateway;
use crate::software::image;
use crate::software::provider::{AUDIENCE, Provider};
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings, access, seed};
use crate::software::wire::ask;

const READ: &[&str] = &["content/read"];
const WRITE: &[&str] = &["content/read", "content/write"];
/// How long the provider's tokens are valid where a test waits for their end, in seconds.
const SHORT: u64 = 20;
/// The path of an image's manifest.
const MANIFEST: &str = "/v2/team/hello/manifests/v1";
const ACCEPT: &str = "Accept: application/vnd.oci.image.manifest.v1+json";

/// A provider, a token server that takes its tokens as passwords of `jwt`, and a gateway before a
/// registry.
struct Scene {
    provider: Provider,
    server: Server,
    registry: Registry,
    gateway: Gateway,
}

impl Scene {
    fn new(lifetime: u64) -> Self {
        let provider = Provider::with_lifetime(lifetime);
        let config = format!(
            "providers:
  - name: company
    issuer: {}
    audiences: [{AUDIENCE}]
    passwordUsers: [jwt]
    bindings:
      - match: {{team: core}}
        scopeMaps: [MyScopeMap]
",
            provider.issuer()
        );
        let rules = [("team/hello", WRITE), ("team/list", WRITE), ("team/base", READ)];
        let settings = Settings { config: Some(config), ..Settings::default() };
        let (server, _) = Server::with(settings, &seed(&rules));
        let registry = Registry::open();
        let gateway = Gateway::before(registry.port(), &server, "");
        Self { provider, server, registry, gateway }
    }

    fn image(&self, repository: &str) -> String {
        self.gateway.image(repository)
    }

    /// A token of our own authority for the registry.
    fn of_authority(&self) -> String {
        let who = &self.gateway.administrator;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", who.client_id.as_str()),
            ("client_secret", &who.secret),
            ("scope", &format!("{AUDIENCE}/.default")),
        ];
        let url = format!("{}/{}/oauth2/v2.0/token", self.server.url(), who.tenant);
        let text = reqwest::blocking::Client::new().post(url).form(&form).send().unwrap();
        let body: serde_json::Value = serde_json::from_str(&text.text().unwrap()).unwrap();
        body["access_token"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
    }

    /// The status of a request for the manifest with a name and a password, at the gateway.
    fn basic(&self, name: &str, password: &str) -> u16 {
        let credentials = STANDARD.encode(format!("{name}:{password}"));
        let header = format!("Authorization: Basic {credentials}");
        ask(self.gateway.port(), "GET", MANIFEST, &[&header, ACCEPT]).status
    }
}

/// A provider's token logs in, pulls and pushes what the bindings give, and nothing else; under no
/// other name.
#[test]
fn a_provider_s_token_as_a_password() {
    let scene = Scene::new(600);
    let (host, token) = (scene.gateway.host(), scene.provider.token());
    let skopeo = Skopeo::new();
    for (name, password) in [("token", token.as_str()), ("MyToken", &token), ("jwt", "wrong")] {
        skopeo.login_by_stdin(&host, name, password).unwrap_err();
    }
    skopeo.login_by_stdin(&host, "jwt", &token).unwrap();
    let layout = image::make(scene.registry.folder());
    skopeo.push(&layout, &scene.image("team/hello")).unwrap();
    skopeo.pull(&scene.image("team/hello")).unwrap();
    skopeo.push(&layout, &scene.image("team/base")).unwrap_err();
    skopeo.push(&layout, &scene.image("team/other")).unwrap_err();
    skopeo.delete(&scene.image("team/hello")).unwrap_err();

    let podman = Podman::new();
    podman.login_by_stdin(&host, "token", &token).unwrap_err();
    podman.login_by_stdin(&host, "jwt", &token).unwrap();
    podman.pull(&scene.image("team/hello")).unwrap();
    podman.tag(&scene.image("team/hello"), &scene.image("team/list")).unwrap();
    podman.push(&scene.image("team/list")).unwrap();
    podman.tag(&scene.image("team/hello"), &scene.image("team/base")).unwrap();
    podman.push(&scene.image("team/base")).unwrap_err();

    // The gateway asks the token server with what it was sent.
    let statuses = [("jwt", &*token), ("JWT", &token), ("token", &token), ("jwt", "wrong")];
    assert_eq!(statuses.map(|(name, it)| scene.basic(name, it)), [200, 200, 401, 401]);
}

/// docker keeps the refresh token that it is given, and not the password.
#[test]
fn docker_keeps_a_refresh_token() {
    let Some(docker) = Docker::installed() else {
        eprintln!("docker is not installed, so its login is not tried");
        return;
    };
    let scene = Scene::new(SHORT);
    let (host, image) = (scene.gateway.host(), scene.image("team/hello"));
    let of_authority = scene.of_authority();
    let skopeo = Skopeo::new();
    skopeo.login_by_stdin(&host, "token", &of_authority).unwrap();
    let layout = image::make(scene.registry.folder());
    skopeo.push(&layout, &image).unwrap();

    let (token, made) = (scene.provider.token(), Instant::now());
    docker.login_by_stdin(&host, "token", &token).unwrap_err();
    docker.login_by_stdin(&host, "jwt", &token).unwrap();
    let kept = docker.kept(&host);
    let identity_token = kept["identitytoken"].as_str().unwrap_or_else(|| panic!("{kept}"));
    assert_ne!(identity_token, token);
    let auth = STANDARD.decode(kept["auth"].as_str().unwrap()).unwrap();
    assert!(!String::from_utf8_lossy(&auth).contains(&token), "the token itself is kept");
    let podman = Podman::new();
    podman.login_by_stdin(&host, "jwt", &token).unwrap();
    docker.inspect(&image).unwrap();

    sleep(Duration::from_secs(SHORT + 1).saturating_sub(made.elapsed()));
    // It is no password any more, here and for what was remembered of it.
    Docker::installed().unwrap().login_by_stdin(&host, "jwt", &token).unwrap_err();
    podman.pull(&image).unwrap_err();
    assert_eq!(access(&scene.server.url(), "jwt", &token, "repository:team/hello:pull"), None);
    // A long build goes on.
    docker.inspect(&image).unwrap();
    docker.push_list(&scene.image("team/list"), &image).unwrap();
    docker.push_list(&scene.image("team/base"), &image).unwrap_err();
}

/// A token of our own authority needs no setting.
#[test]
fn a_token_of_the_authority_as_a_password() {
    let scene = Scene::new(600);
    let (host, token) = (scene.gateway.host(), scene.of_authority());
    let layout = image::make(scene.registry.folder());
    for user in ["jwt", "MyToken", &scene.gateway.administrator.client_id] {
        Skopeo::new().login_by_stdin(&host, user, &token).unwrap_err();
    }
    let skopeo = Skopeo::new();
    skopeo.login_by_stdin(&host, "token", &token).unwrap();
    skopeo.push(&layout, &scene.image("team/hello")).unwrap();
    let podman = Podman::new();
    podman.login_by_stdin(&host, "token", &token).unwrap();
    podman.pull(&scene.image("team/hello")).unwrap();
    if let Some(docker) = Docker::installed() {
        docker.login_by_stdin(&host, "token", &token).unwrap();
        assert!(docker.kept(&host)["identitytoken"].is_string());
        docker.inspect(&scene.image("team/hello")).unwrap();
    }
    assert_eq!(scene.basic("token", &token), 200);
    assert_eq!(scene.basic("jwt", &token), 401);
}

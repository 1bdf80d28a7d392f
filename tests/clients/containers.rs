//! The container tools, against a real registry that trusts our tokens.

use serde_json::json;

use crate::drivers::buildah::Buildah;
use crate::drivers::docker::Docker;
use crate::drivers::podman::Podman;
use crate::drivers::skopeo::Skopeo;
use crate::software::authority::Authority;
use crate::software::front::Front;
use crate::software::image;
use crate::software::process::free_port;
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings, access, refresh_token, seed};

const READ: &[&str] = &["content/read"];
const WRITE: &[&str] = &["content/read", "content/write"];
const ALL: &[&str] = &["content/read", "content/write", "content/delete", "metadata/read"];
const NULL_GUID: &str = "00000000-0000-0000-0000-000000000000";

/// A server, a registry behind it, and a token named `MyToken`.
struct Scene {
    server: Server,
    registry: Registry,
    password: String,
}

impl Scene {
    fn new(rules: &[(&str, &[&str])]) -> Self {
        Self::with(Settings::default(), rules)
    }

    /// One whose server answers in its own way, and one whose server answers as Azure Container
    /// Registry does.
    fn each(rules: &[(&str, &[&str])]) -> impl Iterator<Item = Self> {
        let configs = [None, Some("compatibility: acr\n".to_owned())];
        let settings = configs.map(|config| Settings { config, ..Settings::default() });
        settings.into_iter().map(|settings| Self::with(settings, rules))
    }

    fn with(settings: Settings, rules: &[(&str, &[&str])]) -> Self {
        let (server, passwords) = Server::with(settings, &seed(rules));
        let registry = Registry::behind(&server);
        let password = passwords.into_iter().next().expect("no password was generated");
        Self { server, registry, password }
    }

    fn host(&self) -> String {
        self.registry.host()
    }
}

/// skopeo pushes, lists, copies with a mount, and deletes where the map says, and nowhere else.
#[test]
fn skopeo_with_a_password() {
    for scene in Scene::each(&[("team/hello", ALL), ("team/copy", WRITE), ("team/base", READ)]) {
        let (skopeo, image) = (Skopeo::new(), image::make(scene.registry.folder()));
        skopeo.login(&scene.host(), "MyToken", "wrong").unwrap_err();
        skopeo.login(&scene.host(), "MyToken", &scene.password).unwrap();
        skopeo_walk(&scene, &skopeo, &image);
    }
}

/// The same with an identity token, which travels in a chunked form with repeated scopes.
#[test]
fn skopeo_with_an_identity_token() {
    for scene in Scene::each(&[("team/hello", ALL), ("team/copy", WRITE), ("team/base", READ)]) {
        let (skopeo, image) = (Skopeo::new(), image::make(scene.registry.folder()));
        let token = refresh_token(&scene.server, "MyToken", &scene.password);
        skopeo.login_with_identity_token(&scene.host(), &token);
        skopeo_walk(&scene, &skopeo, &image);
    }
}

#[track_caller]
fn skopeo_walk(scene: &Scene, skopeo: &Skopeo, image: &std::path::Path) {
    let named = |repository| scene.registry.image(repository);
    skopeo.push(image, &named("team/hello")).unwrap();
    skopeo.push(image, &named("team/base")).unwrap_err();
    skopeo.push(image, &named("team/other")).unwrap_err();
    let tags = skopeo.list_tags(&format!("{}/team/hello", scene.host())).unwrap();
    assert!(tags.contains("v1"), "{tags}");
    skopeo.copy(&named("team/hello"), &named("team/copy")).unwrap();
    skopeo.pull(&named("team/copy")).unwrap();
    skopeo.delete(&named("team/copy")).unwrap_err();
    skopeo.delete(&named("team/hello")).unwrap();
    skopeo.pull(&named("team/hello")).unwrap_err();
}

/// podman logs in with a password and with a refresh token in its place, pulls and pushes, and may
/// not list the registry.
#[test]
fn podman_pulls_and_pushes() {
    for scene in Scene::each(&[("team/hello", WRITE), ("team/copy", WRITE), ("team/base", READ)]) {
        let skopeo = Skopeo::new();
        skopeo.login(&scene.host(), "MyToken", &scene.password).unwrap();
        let layout = image::make(scene.registry.folder());
        skopeo.push(&layout, &scene.registry.image("team/hello")).unwrap();

        let podman = Podman::new();
        let named = |repository| scene.registry.image(repository);
        podman.login(&scene.host(), "MyToken", "wrong").unwrap_err();
        podman.login(&scene.host(), "MyToken", &scene.password).unwrap();
        podman.pull(&named("team/hello")).unwrap();
        podman.tag(&named("team/hello"), &named("team/copy")).unwrap();
        podman.push(&named("team/copy")).unwrap();
        podman.tag(&named("team/hello"), &named("team/base")).unwrap();
        podman.push(&named("team/base")).unwrap_err();
        podman.search(&format!("{}/hello", scene.host())).unwrap_err();

        let podman = Podman::new();
        let token = refresh_token(&scene.server, "MyToken", &scene.password);
        podman.login(&scene.host(), NULL_GUID, "no token").unwrap_err();
        podman.login(&scene.host(), NULL_GUID, &token).unwrap();
        podman.pull(&named("team/copy")).unwrap();
    }
}

/// podman searches when the map opens the whole registry.
#[test]
fn podman_searches_with_the_right_to() {
    let scene = Scene::new(&[("*", ALL)]);
    let skopeo = Skopeo::new();
    skopeo.login(&scene.host(), "MyToken", &scene.password).unwrap();
    let layout = image::make(scene.registry.folder());
    skopeo.push(&layout, &scene.registry.image("team/hello")).unwrap();

    let podman = Podman::new();
    podman.login(&scene.host(), "MyToken", &scene.password).unwrap();
    let found = podman.search(&format!("{}/hello", scene.host())).unwrap();
    assert!(found.contains("team/hello"), "{found}");
}

/// buildah pushes what it built, and pulls it again.
#[test]
fn buildah_pushes_what_it_built() {
    for scene in Scene::each(&[("team/built", WRITE), ("team/base", READ)]) {
        let buildah = Buildah::new();
        let file = scene.registry.folder().join("hello");
        std::fs::write(&file, "hello\n").unwrap();
        buildah.login(&scene.host(), "MyToken", "wrong").unwrap_err();
        buildah.login(&scene.host(), "MyToken", &scene.password).unwrap();
        buildah.build(&file, &scene.registry.image("team/built")).unwrap();
        buildah.push(&scene.registry.image("team/built")).unwrap();
        buildah.pull(&scene.registry.image("team/built")).unwrap();
        buildah.build(&file, &scene.registry.image("team/base")).unwrap();
        buildah.push(&scene.registry.image("team/base")).unwrap_err();
    }
}

/// docker logs in, reads a manifest, and pushes a list with a mount from another repository.
#[test]
fn docker_without_a_daemon() {
    let Some(docker) = Docker::installed() else {
        eprintln!("docker is not installed, so its login is not tried");
        return;
    };
    for scene in Scene::each(&[("team/hello", WRITE), ("team/list", WRITE)]) {
        let skopeo = Skopeo::new();
        skopeo.login(&scene.host(), "MyToken", &scene.password).unwrap();
        let layout = image::make(scene.registry.folder());
        skopeo.push(&layout, &scene.registry.image("team/hello")).unwrap();

        docker.login(&scene.host(), "MyToken", "wrong").unwrap_err();
        docker.login(&scene.host(), "MyToken", &scene.password).unwrap();
        docker_walk(&scene, &docker);
    }
}

/// The same after a login with a refresh token, which docker keeps as its identity token and sends
/// in a form with joined scopes.
#[test]
fn docker_with_a_refresh_token() {
    let Some(docker) = Docker::installed() else {
        eprintln!("docker is not installed, so its login is not tried");
        return;
    };
    for scene in Scene::each(&[("team/hello", WRITE), ("team/list", WRITE)]) {
        let token = refresh_token(&scene.server, "MyToken", &scene.password);
        let skopeo = Skopeo::new();
        skopeo.login_with_identity_token(&scene.host(), &token);
        let layout = image::make(scene.registry.folder());
        skopeo.push(&layout, &scene.registry.image("team/hello")).unwrap();

        docker.login(&scene.host(), NULL_GUID, &token).unwrap();
        assert_eq!(docker.kept(&scene.host())["identitytoken"], json!(token));
        docker_walk(&scene, &docker);
    }
}

#[track_caller]
fn docker_walk(scene: &Scene, docker: &Docker) {
    let named = |repository| scene.registry.image(repository);
    let manifest = docker.inspect(&named("team/hello")).unwrap();
    assert!(manifest.contains("schemaVersion"), "{manifest}");
    docker.inspect(&named("team/secret")).unwrap_err();
    docker.push_list(&named("team/list"), &named("team/hello")).unwrap_or_else(|refusal| {
        panic!("{refusal}\n{}", scene.registry.log());
    });
    docker.push_list(&named("team/other"), &named("team/hello")).unwrap_err();
}

/// Over HTTPS, with a certificate that the client looks at: the registry has its own, and the token
/// server is behind a proxy.
#[test]
fn https_by_a_proxy() {
    let authority = Authority::new();
    let port = free_port();
    let (server, passwords) = Server::with(Settings::default(), &seed(&[("team/hello", WRITE)]));
    let front = Front::start(port, &authority, &server);
    https(&authority, &front.url(), &server, &passwords[0]);
}

/// The same with the server's own certificate.
#[test]
fn https_by_the_server() {
    let authority = Authority::new();
    let settings = Settings { config: Some(authority.for_our_server()), ..Settings::default() };
    let (server, passwords) = Server::with(settings, &seed(&[("team/hello", WRITE)]));
    https(&authority, &server.https_url(), &server, &passwords[0]);
}

#[track_caller]
fn https(authority: &Authority, url: &str, server: &Server, password: &str) {
    let registry = Registry::with_tls(authority, url, server);
    let image = image::make(registry.folder());
    let skopeo = Skopeo::trusting(&Authority::new());
    let refusal = skopeo.login(&registry.host(), "MyToken", password).unwrap_err();
    assert!(refusal.contains("certificate"), "{refusal}");
    let skopeo = Skopeo::trusting(authority);
    skopeo.login(&registry.host(), "MyToken", password).unwrap();
    skopeo.push(&image, &registry.image("team/hello")).unwrap();
    skopeo.pull(&registry.image("team/hello")).unwrap();
    skopeo.push(&image, &registry.image("team/other")).unwrap_err();
}

/// Whatever is asked for, in whatever form, the token holds what may be had.
#[test]
fn a_token_holds_what_may_be_had() {
    let scene = Scene::new(&[("team/hello", WRITE)]);
    let url = scene.server.url();
    let held = |scopes| access(&url, "MyToken", &scene.password, scopes);
    let scopes = "repository:team/hello:pull,push,delete repository:team/other:pull";
    assert_eq!(held(scopes).as_deref(), Some("repository:team/hello:pull,push"));
    assert_eq!(access(&url, "MyToken", "wrong", scopes), None);
}

//! The index that the gateway makes of the charts in CNCF distribution 2.8 and 3.1, as Helm, curl
//! and the script of the service's documentation read it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use reqwest::blocking::Client;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::documents::filled;
use crate::edge::bearer_of;
use crate::software::authority::Authority;
use crate::software::gateway::Gateway;
use crate::software::postgres::Postgres;
use crate::software::process::{attempt, eventually, free_port, run};
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings};

const INDEX: &str = "/helm/v1/repo/index.yaml";
const CHART: &str = "application/vnd.cncf.helm.config.v1+json";
const ARCHIVE: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An owner who may do everything, a reader who pulls everything and lists one repository, and a
/// stranger who may not read the index, which wants a rule on `*`.
const SEED: &str = "scopeMaps:
  - name: everything
    actions: [repositories/*/content/read, repositories/*/content/write, repositories/*/content/delete, repositories/*/metadata/read, repositories/*/metadata/write]
  - name: one-repository
    actions: [repositories/*/content/read, repositories/team/app/metadata/read]
  - name: no-index
    actions: [repositories/team/app/content/read, repositories/team/app/metadata/read]
tokens:
  - {name: Owner, scopeMap: everything}
  - {name: Reader, scopeMap: one-repository}
  - {name: Stranger, scopeMap: no-index}
";

/// A gateway with an index before a registry.
struct Scene {
    gateway: Gateway,
    registry: Registry,
    server: Server,
    /// Of the owner, the reader and the stranger.
    passwords: [String; 3],
    client: Client,
    _data: TempDir,
}

impl Scene {
    fn before(registry: Registry) -> Self {
        let (server, passwords) = Server::with(Settings::default(), SEED);
        let data = tempfile::tempdir().unwrap();
        let more = indexed(&data, "{repo: generated, team: {below: team}}");
        let gateway = Gateway::with_policy(registry.port(), &server, &more);
        let client = Client::builder().timeout(Duration::from_secs(60)).build().unwrap();
        let passwords = passwords.try_into().unwrap();
        Self { gateway, registry, server, passwords, client, _data: data }
    }

    fn password(&self, user: &str) -> &str {
        let [owner, reader, stranger] = &self.passwords;
        match user {
            "Owner" => owner,
            "Reader" => reader,
            _ => stranger,
        }
    }

    /// A request at a port with a password.
    fn send(&self, port: u16, method: &str, target: &str, content: (&str, &str)) -> (u16, String) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, format!("http://127.0.0.1:{port}{target}"));
        let request = request.basic_auth("Owner", Some(self.password("Owner")));
        let request = request.header("content-type", content.0).body(content.1.to_owned());
        let answer = request.send().unwrap();
        let place =
            answer.headers().get("location").map(|place| place.to_str().unwrap().to_owned());
        (answer.status().as_u16(), place.unwrap_or_default())
    }

    /// Uploads a blob at a port; gives its descriptor.
    fn upload(&self, port: u16, repository: &str, media_type: &str, text: &str) -> Value {
        let digest = digest(text);
        let start = format!("/v2/{repository}/blobs/uploads/");
        let (status, place) = self.send(port, "POST", &start, ("", ""));
        assert_eq!(status, 202);
        let place = place.strip_prefix(&format!("http://127.0.0.1:{port}")).unwrap_or(&place);
        let separator = if place.contains('?') { '&' } else { '?' };
        let end = format!("{place}{separator}digest={digest}");
        let (status, _) = self.send(port, "PUT", &end, ("application/octet-stream", text));
        assert_eq!(status, 201);
        json!({ "mediaType": media_type, "digest": digest, "size": text.len() })
    }

    /// Pushes what says that it is a chart, by way of the gateway or around it.
    fn push(&self, port: u16, repository: &str, tag: &str, config: &str) {
        let config = self.upload(port, repository, CHART, config);
        let archive = self.upload(port, repository, ARCHIVE, tag);
        let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [archive] });
        let target = format!("/v2/{repository}/manifests/{tag}");
        let (status, _) = self.send(port, "PUT", &target, (MANIFEST, &manifest.to_string()));
        assert_eq!(status, 201, "{repository}:{tag}");
    }

    /// The same for a chart with nothing but a version.
    fn push_plain(&self, port: u16, repository: &str, version: &str) {
        let name = repository.rsplit('/').next().unwrap();
        let config = json!({ "name": name, "version": version, "apiVersion": "v2" });
        self.push(port, repository, version, &config.to_string());
    }

    fn patch(&self, path: &str, attributes: &Value) {
        let content = ("application/json", attributes.to_string());
        let sent = self.send(self.gateway.port(), "PATCH", path, (content.0, &content.1));
        assert_eq!(sent.0, 200, "{path}");
    }

    /// The index that a user reads.
    fn index(&self, user: &str) -> Value {
        let url = format!("http://{}{INDEX}", self.gateway.host());
        let request = self.client.get(url).basic_auth(user, Some(self.password(user)));
        let answer = request.send().unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/yaml");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        serde_json::from_str(&answer.text().unwrap()).unwrap()
    }

    /// The versions that a user reads: `team/app 1.0.0`.
    fn versions(&self, user: &str) -> Vec<String> {
        let index = self.index(user);
        let entries = index["entries"].as_object().unwrap().iter();
        let of = |(name, versions): (&String, &Value)| {
            let versions = versions.as_array().unwrap().iter();
            let of = |version: &Value| format!("{name} {}", version["version"].as_str().unwrap());
            versions.map(of).collect::<Vec<_>>()
        };
        let mut all: Vec<String> = entries.flat_map(of).collect();
        all.sort_unstable();
        all
    }

    /// Waits until a user reads these versions.
    #[track_caller]
    fn reads(&self, user: &str, expected: &[&str]) {
        eventually(Duration::from_secs(10), || match self.versions(user) {
            found if found == expected => Ok(()),
            found => Err(format!("{found:?}")),
        });
    }
}

/// Helm with a home of its own.
struct Helm {
    program: PathBuf,
    home: TempDir,
}

impl Helm {
    /// None where the machine has no Helm, because it has no Go.
    fn installed() -> Option<Self> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/clients/go/helm");
        program.is_file().then(|| Self { program, home: tempfile::tempdir().unwrap() })
    }

    fn attempt(&self, line: &str) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        command.args(line.split(' ')).current_dir(self.home.path()).env("HOME", self.home.path());
        for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(name, self.home.path().join(name));
        }
        attempt(&mut command)
    }

    #[track_caller]
    fn run(&self, line: &str) -> String {
        self.attempt(line).unwrap_or_else(|said| panic!("helm {line}: {said}"))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Makes an archive of a chart; gives its digest.
    fn package(&self, name: &str, version: &str) -> String {
        self.run(&format!("create {name}"));
        self.run(&format!("package {name} --version {version}"));
        // Helm would take the folder for the chart that it is asked for.
        std::fs::remove_dir_all(self.file(name)).unwrap();
        digest(std::fs::read(self.file(&format!("{name}-{version}.tgz"))).unwrap())
    }
}

fn indexed(data: &TempDir, helm_index: &str) -> String {
    let data = data.path().display();
    format!("index: {{data: {data}, freshFor: 1s}}\nhelmIndex: {helm_index}\n")
}

fn digest(bytes: impl AsRef<[u8]>) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// Both registries, where there are both.
fn registries() -> impl Iterator<Item = Registry> {
    [Some(Registry::open()), Registry::open_of_version_3()].into_iter().flatten()
}

/// What Helm pushed, it finds, pulls and depends on, by the index of all charts and by the one of
/// those below a prefix.
#[test]
fn helm_reads_the_index() {
    for registry in registries() {
        let Some(helm) = Helm::installed() else { return };
        let scene = Scene::before(registry);
        let (host, password) = (scene.gateway.host(), scene.password("Owner"));
        helm.run(&format!("registry login {host} --plain-http -u Owner -p {password}"));
        for version in ["1.0.0", "1.1.0", "2.0.0-rc.1", "1.0.0+b.1"] {
            pushes(&helm, &scene, version);
        }
        for (name, chart) in [("repo", "team/app"), ("team", "app")] {
            let url = format!("http://{host}/helm/v1/{name}");
            let user = format!("--username Owner --password {password}");
            helm.run(&format!("repo add {name} {url} {user}"));
            finds_and_pulls(&helm, name, chart);
            let once = format!("show chart {chart} --repo {url} {user} --plain-http");
            assert!(helm.run(&once).contains("version: 1.1.0"));
        }
        let parent = format!(
            "apiVersion: v2\nname: parent\nversion: 1.0.0\ndependencies: [{{name: app, version: \"~1.1.0\", repository: \"http://{host}/helm/v1/team\"}}]\n"
        );
        std::fs::create_dir(helm.file("parent")).unwrap();
        std::fs::write(helm.file("parent/Chart.yaml"), parent).unwrap();
        helm.run("dependency update parent --plain-http");
        assert!(helm.file("parent/charts/app-1.1.0.tgz").is_file());
        let url = format!("http://{host}/helm/v1/repo");
        helm.attempt(&format!("repo add bad {url} --username Owner --password x")).unwrap_err();
    }
}

/// A chart that Helm pushes is the first of the index, with the digest of its archive.
#[track_caller]
fn pushes(helm: &Helm, scene: &Scene, version: &str) {
    let host = scene.gateway.host();
    let digest = helm.package("app", version);
    helm.run(&format!("push app-{version}.tgz oci://{host}/team --plain-http"));
    let index = scene.index("Owner");
    let newest = &index["entries"]["team/app"][0];
    assert_eq!(digest, format!("sha256:{}", newest["digest"].as_str().unwrap()));
    let tag = version.replace('+', "_");
    assert_eq!(newest["urls"], json!([format!("oci://{host}/team/app:{tag}")]));
}

/// Helm finds all versions, takes the latest release, and pulls what was pushed.
#[track_caller]
fn finds_and_pulls(helm: &Helm, name: &str, chart: &str) {
    // It looks for the chart's own name, and shows the index's.
    let found = helm.run(&format!("search repo {name}/app --versions --devel"));
    let chart = format!("{name}/{chart}");
    for expected in [&chart, "1.0.0", "1.1.0", "2.0.0-rc.1", "1.0.0+b.1", "A Helm chart for Kub"] {
        assert!(found.contains(expected), "{found}");
    }
    let shown = helm.run(&format!("show chart {chart} --plain-http"));
    assert!(shown.contains("version: 1.1.0"), "{shown}");
    std::fs::create_dir(helm.file(name)).unwrap();
    for (version, file) in [("1.0.0", "app-1.0.0"), ("1.0.0+b.1", "app-1.0.0_b.1")] {
        helm.run(&format!("pull {chart} --version {version} --plain-http -d {name}"));
        let pulled = std::fs::read(helm.file(&format!("{name}/{file}.tgz"))).unwrap();
        let pushed = std::fs::read(helm.file(&format!("app-{version}.tgz"))).unwrap();
        assert_eq!(pulled, pushed, "{version}");
    }
}

/// The password of the chart repository opens the index alone: Helm sends the registry the one of
/// `helm registry login`.
#[test]
fn charts_want_a_login_of_their_own() {
    let (Some(helm), Some(other)) = (Helm::installed(), Helm::installed()) else { return };
    let scene = Scene::before(Registry::open());
    let (host, password) = (scene.gateway.host(), scene.password("Owner"));
    let login = format!("registry login {host} --plain-http -u Owner -p {password}");
    helm.run(&login);
    pushes(&helm, &scene, "1.0.0");
    let url = format!("http://{host}/helm/v1/repo");
    other.run(&format!("repo add repo {url} --username Owner --password {password}"));
    let refused = other.attempt("pull repo/team/app --plain-http").unwrap_err();
    assert!(refused.contains("401"), "{refused}");
    other.run(&login);
    other.run("pull repo/team/app --plain-http");
    assert!(other.file("app-1.0.0.tgz").is_file());
}

/// Everything that a chart says is in its entry.
#[test]
fn entries_are_whole() {
    let scene = Scene::before(Registry::open());
    let chart = json!({
        "name": "app", "version": "1.0.0", "apiVersion": "v2", "appVersion": "7", "type": "library",
        "description": "# a: \"b\"\n\u{1f600}", "home": "h", "icon": "i", "sources": ["s"],
        "keywords": ["k"], "maintainers": [{ "name": "m", "email": "e", "url": "u" }],
        "deprecated": true, "annotations": { "a": "b" }, "kubeVersion": ">=1",
        "dependencies": [{ "name": "d", "version": "1", "repository": "r" }],
    });
    scene.push(scene.gateway.port(), "team/app", "1.0.0", &chart.to_string());
    let mut index = scene.index("Owner");
    assert_eq!(index["apiVersion"], "v1");
    assert!(index["generated"].as_str().unwrap().ends_with('Z'));
    let entry = index["entries"]["team/app"][0].as_object_mut().unwrap();
    let created = entry.remove("created").unwrap();
    assert!(created.as_str().unwrap().ends_with('Z'), "{created}");
    let mut expected = chart;
    expected["digest"] = json!(digest("1.0.0").trim_start_matches("sha256:"));
    expected["urls"] = json!([format!("oci://{}/team/app:1.0.0", scene.gateway.host())]);
    assert_eq!(Value::Object(entry.clone()), expected);
}

/// A chart is seen by whom may list and pull its repository at that moment, and by no other user.
#[test]
fn who_sees_which_chart() {
    for registry in registries() {
        let scene = Scene::before(registry);
        let port = scene.gateway.port();
        for repository in ["team/app", "team/other", "zzz"] {
            scene.push_plain(port, repository, "1.0.0");
        }
        let all = ["team/app 1.0.0", "team/other 1.0.0", "zzz 1.0.0"];
        assert_eq!(scene.versions("Owner"), all);
        assert_eq!(scene.versions("Reader"), ["team/app 1.0.0"]);
        let text = scene.index("Reader").to_string();
        for hidden in ["other", "zzz"] {
            assert!(!text.contains(hidden), "{text}");
        }
        let url = format!("http://{}{INDEX}", scene.gateway.host());
        let stranger = scene.client.get(&url).basic_auth("Stranger", Some(&scene.passwords[2]));
        assert_eq!(stranger.send().unwrap().status(), 401);
        assert_eq!(scene.client.get(&url).send().unwrap().status(), 401);
        // A narrower map narrows the index, whatever is out.
        let rules = json!({ "properties": { "actions": ["repositories/*/content/read"] } });
        let (url, path) = (scene.server.url(), "/scopeMaps/one-repository");
        let change = scene.gateway.administrator.ask("PATCH", &url, path, Some(&rules));
        assert_eq!(change.unwrap().0, 200);
        scene.reads("Reader", &[]);
    }
}

/// What may not be listed or pulled is in no index, and comes back when it may.
#[test]
fn locks_hide_charts() {
    let scene = Scene::before(Registry::open());
    let port = scene.gateway.port();
    for version in ["1.0.0", "2.0.0"] {
        scene.push_plain(port, "team/app", version);
    }
    scene.push_plain(port, "zzz", "1.0.0");
    let digest = scene.index("Owner")["entries"].to_string();
    assert!(digest.contains("2.0.0"), "{digest}");
    let all = ["team/app 1.0.0", "team/app 2.0.0", "zzz 1.0.0"];
    for attribute in ["listEnabled", "readEnabled"] {
        for (path, left) in [
            ("/acr/v1/team/app", &all[2..]),
            ("/acr/v1/team/app/_tags/1.0.0", &all[1..]),
            ("/acr/v1/zzz", &all[..2]),
        ] {
            scene.patch(path, &json!({ attribute: false }));
            scene.reads("Owner", left);
            scene.patch(path, &json!({ attribute: true }));
            scene.reads("Owner", &all);
        }
    }
    let manifests = format!("http://127.0.0.1:{port}/acr/v1/zzz/_manifests");
    let asked = scene.client.get(manifests).basic_auth("Owner", Some(scene.password("Owner")));
    let listed: Value = serde_json::from_str(&asked.send().unwrap().text().unwrap()).unwrap();
    let digest = listed["manifests"][0]["digest"].as_str().unwrap();
    scene.patch(&format!("/acr/v1/zzz/_manifests/{digest}"), &json!({ "readEnabled": false }));
    scene.reads("Owner", &all[..2]);
    let (status, _) = scene.send(port, "DELETE", "/acr/v1/team/app/_tags/2.0.0", ("", ""));
    assert_eq!(status, 202);
    scene.reads("Owner", &all[..1]);
}

/// What is pushed as a chart and is not one, or is another's, is left out, said once, and hides no
/// other.
#[test]
fn hostile_charts() {
    for registry in registries() {
        let scene = Scene::before(registry);
        let port = scene.gateway.port();
        scene.push_plain(port, "team/app", "1.0.0");
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        let long = format!("\"{}\"", "x".repeat(300 * 1024));
        let spread = r#"{"name":"app","version":"9.0.0","urls":["https://evil.example/x.tgz"],"keywords":{"a":1}}"#;
        for (number, config) in [
            deep.as_str(),
            &long,
            "\0",
            "[]",
            "{\"name\":\"app\",\"version\":\"latest\"}",
            "{\"name\":\"../../app\",\"version\":\"1.0.0\"}",
            "{\"name\":\"other\",\"version\":\"9.0.0\"}",
            spread,
        ]
        .into_iter()
        .enumerate()
        {
            scene.push(port, "evil/app", &format!("9.0.{number}"), config);
        }
        // A tag that is another version, or none.
        let chart = r#"{"name":"app","version":"3.0.0","apiVersion":"v2"}"#;
        scene.push(port, "evil/app", "9.9.9", chart);
        scene.push(port, "evil/app", "latest", chart);
        for _ in 0..3 {
            assert_eq!(scene.versions("Owner"), ["team/app 1.0.0"]);
        }
        let log = scene.gateway.log();
        assert_eq!(log.matches("a chart is left out of the index").count(), 8, "{log}");
        scene.push(port, "evil/app", "3.0.0", chart);
        assert_eq!(scene.versions("Owner"), ["evil/app 3.0.0", "team/app 1.0.0"]);
    }
}

/// The index follows what happens in a repository of charts around the gateway.
#[test]
fn around_the_gateway() {
    for registry in registries() {
        let scene = Scene::before(registry);
        let (port, behind) = (scene.gateway.port(), scene.registry.port());
        scene.push_plain(port, "team/app", "1.0.0");
        scene.reads("Owner", &["team/app 1.0.0"]);
        scene.push_plain(behind, "team/app", "2.0.0");
        scene.reads("Owner", &["team/app 1.0.0", "team/app 2.0.0"]);
        // A gateway that begins later finds what is there.
        let data = tempfile::tempdir().unwrap();
        let more = indexed(&data, "{repo: generated}");
        let other = Gateway::with_policy(behind, &scene.server, &more);
        let url = format!("http://{}{INDEX}", other.host());
        eventually(Duration::from_secs(10), || {
            let asked = scene.client.get(&url).basic_auth("Reader", Some(&scene.passwords[1]));
            let text = asked.send().unwrap().text().unwrap();
            let has_both = text.contains("1.0.0") && text.contains("2.0.0");
            if has_both { Ok(()) } else { Err(text) }
        });
    }
}

/// What curl prints, with the status at its end.
fn curl(arguments: &[&str]) -> String {
    run(Command::new("curl").args(["-s", "-w", "%{http_code}"]).args(arguments))
}

/// The reader's token, and the address that the index sends it to.
fn address_of_the_reader(scene: &Scene) -> (String, String) {
    let scope = "artifact-repository:repo:pull";
    let header = bearer_of(&scene.server, "Reader", &scene.passwords[1], scope);
    let url = format!("http://{}{INDEX}", scene.gateway.host());
    let redirect = curl(&["-D", "-", "-H", &header, &url]);
    assert!(redirect.starts_with("HTTP/1.1 307") && redirect.contains("Cache-Control: no-store"));
    let (_, address) = redirect.split_once("Location: ").expect(&redirect);
    let address = address.lines().next().unwrap().trim_end().to_owned();
    assert!(!address.contains(header.trim_start_matches("Authorization: Bearer ")), "{address}");
    (header, address)
}

/// A token is sent on to an address that opens the same index without it, and every way there shows
/// what the token's holder may read.
#[test]
fn an_address_that_needs_no_token() {
    let scene = Scene::before(Registry::open());
    for repository in ["team/app", "zzz"] {
        scene.push_plain(scene.gateway.port(), repository, "1.0.0");
    }
    let (header, address) = address_of_the_reader(&scene);
    let url = format!("http://{}{INDEX}", scene.gateway.host());
    let basic = format!("Reader:{}", scene.passwords[1]);
    for way in [
        &[address.as_str()][..],
        &["-u", &basic, &url],
        &["-L", "-H", &header, &url],
        &["-L", "-u", &basic, &url],
    ] {
        let answer = curl(way);
        let text = answer.strip_suffix("200").unwrap_or_else(|| panic!("{way:?}: {answer}"));
        let index: Value = serde_json::from_str(text).unwrap();
        let names: Vec<&String> = index["entries"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["team/app"], "{way:?}");
    }
}

/// The address opens nothing else, is in no log, and is good for no longer than the token.
#[test]
fn what_an_address_does_not_open() {
    let scene = Scene::before(Registry::open());
    scene.push_plain(scene.gateway.port(), "team/app", "1.0.0");
    let (_, address) = address_of_the_reader(&scene);
    let (host, (_, ticket)) = (scene.gateway.host(), address.split_once("?ticket=").unwrap());
    for target in [
        address.replace("ticket=", "ticket=A"),
        format!("{address}&ticket={ticket}"),
        format!("http://{host}/helm/v1/team/index.yaml?ticket={ticket}"),
        format!("http://{host}/helm/v1/other/index.yaml?ticket={ticket}"),
        format!("http://{host}/v2/team/app/manifests/1.0.0?ticket={ticket}"),
        format!("http://{host}/v2/_catalog?ticket={ticket}"),
    ] {
        assert!(curl(&[&target]).ends_with("401"), "{target}");
    }
    assert!(curl(&[&address]).ends_with("200"));
    let log = scene.gateway.log();
    assert!(log.contains(INDEX) && !log.contains(ticket), "{log}");
    let off = json!({ "properties": { "status": "disabled" } });
    let administrator = &scene.gateway.administrator;
    let change = administrator.ask("PATCH", &scene.server.url(), "/tokens/Reader", Some(&off));
    assert_eq!(change.unwrap().0, 200);
    eventually(Duration::from_secs(5), || match curl(&[&address]) {
        answer if answer.ends_with("401") => Ok(()),
        answer => Err(answer),
    });
}

/// Gateways that share PostgreSQL make one index, and open each other's addresses.
#[test]
fn several_gateways() {
    let postgres = Postgres::start();
    let scene = Scene::before(Registry::open());
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, two] = folders.each_ref().map(|folder| {
        let (folder, url) = (folder.path().display(), postgres.url());
        let more = format!(
            "index: {{data: {folder}, databaseUrl: \"{url}\"}}\nhelmIndex: {{repo: generated}}\n"
        );
        Gateway::with_policy(scene.registry.port(), &scene.server, &more)
    });
    scene.push_plain(one.port(), "team/app", "1.0.0");
    scene.push(one.port(), "team/app", "2.0.0", "{}");
    let scope = "artifact-repository:repo:pull";
    let header = bearer_of(&scene.server, "Reader", &scene.passwords[1], scope);
    let redirect = curl(&["-D", "-", "-H", &header, &format!("http://{}{INDEX}", one.host())]);
    let (_, address) = redirect.split_once("Location: ").expect(&redirect);
    let address = address.lines().next().unwrap().trim_end();
    let entries = |address: &str| {
        let text = curl(&[address]);
        let index: Value = serde_json::from_str(text.strip_suffix("200").unwrap()).unwrap();
        index["entries"].to_string().replace(&two.host(), &one.host())
    };
    let own = entries(address);
    assert!(own.contains("team/app:1.0.0") && !own.contains("2.0.0"), "{own}");
    assert_eq!(entries(&address.replace(&one.host(), &two.host())), own);
    assert!(!two.log().contains("a chart is left out"), "it is read once: {}", two.log());
}

/// The script of the service's documentation, as it stands.
#[test]
fn the_script_of_the_documentation() {
    let (port, authority) = (free_port(), Authority::new());
    let host = format!("localhost:{port}");
    let settings = Settings {
        service: Some(host.clone()),
        public_url: Some(format!("https://{host}")),
        ..Settings::default()
    };
    let (server, passwords) = Server::with(settings, SEED);
    let (registry, data) = (Registry::open(), tempfile::tempdir().unwrap());
    let more = indexed(&data, "{repo: generated}");
    let behind = Gateway::with_policy(registry.port(), &server, "");
    let [owner, reader, stranger]: [String; 3] = passwords.try_into().unwrap();
    let values = [("registry", &*host), ("user", "Reader"), ("password", &reader)];
    let script = filled("helm-index.sh", &values);
    let scene = Scene {
        gateway: behind,
        registry,
        server,
        passwords: [owner, reader, stranger],
        client: Client::new(),
        _data: tempfile::tempdir().unwrap(),
    };
    scene.push_plain(scene.registry.port(), "team/app", "1.0.0");
    let upstream = scene.registry.port();
    let _gateway = Gateway::for_both_with_policy(port, upstream, &scene.server, &authority, &more);
    let printed = eventually(Duration::from_secs(10), || {
        let mut command = Command::new("bash");
        command.arg("-c").arg(&script).env("CURL_CA_BUNDLE", authority.certificate());
        let printed = run(&mut command);
        if printed.contains("team/app") { Ok(printed) } else { Err(printed) }
    });
    assert!(printed.contains(&format!("Location=https://{host}{INDEX}?ticket=")), "{printed}");
    let (_, index) = printed.split_once("----------\n").unwrap();
    let index: Value = serde_json::from_str(index).unwrap();
    let url = format!("oci://{host}/team/app:1.0.0");
    assert_eq!(index["entries"]["team/app"][0]["urls"], json!([url]));
}

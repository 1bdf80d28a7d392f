//! The gateway before a registry that asks nobody for anything: what gets through it, in which spelling, and what does not.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::time::Duration;

use scopegate_core::admission::{Admission, Authority, Credential, admit};
use scopegate_core::verify::Grant;
use serde_json::json;

use crate::drivers::buildah::Buildah;
use crate::drivers::podman::Podman;
use crate::drivers::skopeo::Skopeo;
use crate::software::echo::Echo;
use crate::software::gateway::Gateway;
use crate::software::image;
use crate::software::process::{eventually, run};
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings, seed};
use crate::software::wire::{ask, parse, send};

const READ: &[&str] = &["content/read"];
const WRITE: &[&str] = &["content/read", "content/write"];
const ALL: &[&str] = &["content/read", "content/write", "content/delete", "metadata/read"];
const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A token server, an upstream, and a gateway between them and everybody.
struct Scene<U> {
    server: Server,
    upstream: U,
    gateway: Gateway,
    password: String,
}

impl Scene<Registry> {
    fn new(rules: &[(&str, &[&str])]) -> Self {
        Self::with(Registry::open(), Registry::port, rules)
    }
}

impl Scene<Echo> {
    fn echo(size: u64, rules: &[(&str, &[&str])]) -> Self {
        Self::with(Echo::start(size), Echo::port, rules)
    }
}

impl<U> Scene<U> {
    fn with(upstream: U, port: fn(&U) -> u16, rules: &[(&str, &[&str])]) -> Self {
        let (server, passwords) = Server::with(Settings::default(), &seed(rules));
        let gateway = Gateway::before(port(&upstream), &server, "timeouts: {client: 2s}\n");
        let password = passwords.into_iter().next().expect("no password was generated");
        Self { server, upstream, gateway, password }
    }

    /// An access token for these scopes.
    #[track_caller]
    fn token(&self, scopes: &str) -> String {
        let response = reqwest::blocking::Client::new()
            .get(format!("{}/oauth2/token", self.server.url()))
            .query(&[("service", self.server.service()), ("scope", scopes)])
            .basic_auth("MyToken", Some(&self.password))
            .send()
            .unwrap();
        let body: serde_json::Value = serde_json::from_str(&response.text().unwrap()).unwrap();
        body["access_token"].as_str().unwrap().to_owned()
    }

    fn bearer(&self, scopes: &str) -> String {
        format!("Authorization: Bearer {}", self.token(scopes))
    }
}

/// skopeo pushes, lists, mounts and deletes where the map says, and nowhere else.
#[test]
fn skopeo_through_the_gateway() {
    let rules = [("team/hello", ALL), ("team/copy", WRITE), ("team/base", READ)];
    let scene = Scene::new(&rules);
    let (skopeo, image) = (Skopeo::new(), image::make(scene.gateway.folder()));
    let named = |repository| scene.gateway.image(repository);
    skopeo.login(&scene.gateway.host(), "MyToken", "wrong").unwrap_err();
    skopeo.login(&scene.gateway.host(), "MyToken", &scene.password).unwrap();
    skopeo
        .push(&image, &named("team/hello"))
        .unwrap_or_else(|e| panic!("{e}\n{}", scene.gateway.log()));
    skopeo.push(&image, &named("team/base")).unwrap_err();
    skopeo.push(&image, &named("team/other")).unwrap_err();
    let tags = skopeo.list_tags(&format!("{}/team/hello", scene.gateway.host())).unwrap();
    assert!(tags.contains("v1"), "{tags}");
    skopeo.copy(&named("team/hello"), &named("team/copy")).unwrap();
    skopeo.pull(&named("team/copy")).unwrap();
    skopeo.delete(&named("team/copy")).unwrap_err();
    skopeo.delete(&named("team/hello")).unwrap();
    skopeo.pull(&named("team/hello")).unwrap_err();
}

/// buildah pushes an image of 200 MB, and podman pulls it.
#[test]
fn a_large_image_through_the_gateway() {
    let scene = Scene::new(&[("team/large", WRITE)]);
    let file = scene.gateway.folder().join("large");
    // Bytes that no compression makes smaller.
    run(Command::new("openssl").args(["rand", "-out"]).arg(&file).arg((200 << 20).to_string()));
    let buildah = Buildah::new();
    buildah.login(&scene.gateway.host(), "MyToken", &scene.password).unwrap();
    buildah.build(&file, &scene.gateway.image("team/large")).unwrap();
    buildah
        .push(&scene.gateway.image("team/large"))
        .unwrap_or_else(|e| panic!("{e}\n{}", scene.gateway.log()));
    let podman = Podman::new();
    podman.login(&scene.gateway.host(), "MyToken", &scene.password).unwrap();
    podman.pull(&scene.gateway.image("team/large")).unwrap();
    assert!(scene.gateway.peak_memory() < 64 * 1024, "{} KB", scene.gateway.peak_memory());
}

/// Whatever comes in, the upstream hears what the engine lets through, in the engine's spelling, or nothing.
#[test]
fn one_spelling_reaches_the_registry() {
    let scene = Scene::echo(2, &[("team/app", ALL), ("team", ALL)]);
    let scopes = "repository:team/app:pull,push,delete,metadata_read";
    let bearer = scene.bearer(scopes);
    let authority = scene.server.url() + "/oauth2/token";
    let authority = Authority { realm: &authority, service: scene.server.service() };
    let grants = [Grant::read(scopes).unwrap()];
    let targets = targets();
    for (method, target) in &targets {
        let expected =
            admit(method, target, Credential::Valid(grants), authority, &Default::default());
        let answer = ask(scene.gateway.port(), method, target, &[&bearer]);
        let heard: Vec<String> =
            scene.upstream.heard().into_iter().map(|heard| heard.line).collect();
        match expected {
            Admission::Forward(forward) if forward.target == "/v2/" => {
                assert_eq!((answer.status, heard.len()), (200, 0), "{method} {target}");
            }
            Admission::Forward(forward) => {
                assert_eq!(heard, [format!("{method} {} HTTP/1.1", forward.target)], "{target}");
                assert_eq!(answer.status, 200, "{method} {target}");
            }
            Admission::Refusal(refusal) => {
                assert_eq!(heard, [""; 0], "{method} {target}");
                assert_eq!(answer.status, refusal.status, "{method} {target}: {answer:?}");
                assert_eq!(answer.header("www-authenticate"), refusal.challenge.as_deref());
                let body = if *method == "HEAD" { "" } else { &refusal.body };
                assert_eq!(answer.body, body, "{method} {target}");
            }
        }
    }
    assert!(targets.len() > 60);
}

/// Paths that got past other people's proxies, on a repository that the token opens and on one that it does not.
fn targets() -> Vec<(&'static str, String)> {
    const PATHS: &[&str] = &[
        "/v2/",
        "/v2",
        "/v2/N/manifests/v1",
        "/v2/N/manifests/D",
        "/v2/N/blobs/D",
        "/v2//N/manifests/v1",
        "//v2/N/manifests/v1",
        "/v2/N/./manifests/v1",
        "/v2/x/../N/manifests/v1",
        "/v2/N/%2e%2e/secret/manifests/v1",
        "/v2/N%2F..%2Fsecret/manifests/v1",
        "/v2/%74eam/app/manifests/v1",
        "/v2/team%2Fapp/manifests/v1",
        "/v2/team%252Fapp/manifests/v1",
        "/V2/N/manifests/v1",
        "/v2/N/Manifests/v1",
        "/v2/N/manifests/v1/",
        "/v2/N/manifests/v1?x=1",
        "/v2/N/manifests/v1?x=/v2/secret/manifests/v1",
        "/v2/N/manifests%2Fv1",
        "/v2/N/manifests/v1%00",
        "/v2/N/manifests/v1;x",
        "/v2/N\\manifests\\v1",
        "/v2/N/manifests/%zz",
        "/v2/Team/app/manifests/v1",
        "/v3/N",
        "/",
        "/v2/N",
        "/v2/N/manifests/.x",
        "/v2/N/blobs/x",
        "/acr/v1/N",
        "/v2/secret/blobs/D?from=N",
    ];
    let fill = |path: &str, name: &str| path.replace('N', name).replace('D', DIGEST);
    let mut targets: Vec<(&str, String)> = Vec::new();
    for name in ["team/app", "secret"] {
        targets.extend(PATHS.iter().map(|path| ("GET", fill(path, name))));
        targets.push(("HEAD", fill("/v2/N/manifests/v1", name)));
        targets.push(("DELETE", fill("/v2/N/manifests/D", name)));
        targets.push(("POST", fill("/v2/team/app/blobs/uploads/?mount=D&from=N", name)));
        targets.push(("POST", fill("/v2/team/app/blobs/uploads/?%66rom=N&mount=D", name)));
        targets.push(("POST", fill("/v2/team/app/blobs/uploads/?from=N&from=N", name)));
        targets.push(("POST", fill("/v2/team/app/blobs/uploads/?mount=D", name)));
    }
    targets
}

/// What a client says of where it comes from, and its token, stay at the gateway.
#[test]
fn what_the_registry_hears_of_the_client() {
    let scene = Scene::echo(0, &[("team/app", ALL)]);
    let bearer = scene.bearer("repository:team/app:pull");
    let headers = [
        bearer.as_str(),
        "X-Forwarded-For: 10.0.0.1",
        "X-Forwarded-Host: evil",
        "X-Original-URI: /v2/secret/manifests/v1",
        "Forwarded: for=10.0.0.1",
        "Cookie: a=b",
        "TE: trailers",
        "Keep-Alive: timeout=5",
        "Accept: application/json",
    ];
    ask(scene.gateway.port(), "GET", "/v2/team/app/manifests/v1", &headers);
    let heard = scene.upstream.heard();
    let names: Vec<&str> =
        heard[0].headers.iter().map(|line| line.split(':').next().unwrap()).collect();
    for absent in ["authorization", "x-original-uri", "forwarded", "cookie", "te", "keep-alive"] {
        assert!(!names.contains(&absent), "{absent}: {names:?}");
    }
    for present in [
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-host: registry.test",
        "accept: application/json",
    ] {
        assert!(heard[0].headers.iter().any(|line| line == present), "{present}: {heard:?}");
    }
}

/// Requests whose end two readers could see in two places are refused, and nothing of them reaches the registry.
#[test]
fn smuggling() {
    let scene = Scene::echo(0, &[("team/app", ALL)]);
    let bearer = scene.bearer("repository:team/app:pull,push");
    let hidden = "GET /v2/secret/manifests/v1 HTTP/1.1\r\nHost: r\r\n\r\n";
    for headers in [
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
        "Content-Length: 5\r\nContent-Length: 0",
        "Content-Length: 0, 5",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding: identity",
        "X: a\nTransfer-Encoding: chunked",
        "Host: other",
        "Authorization: Bearer other",
        " X: a",
    ] {
        let request = format!(
            "PUT /v2/team/app/manifests/v1 HTTP/1.1\r\nHost: r\r\n{bearer}\r\n{headers}\r\n\r\n0\r\n\r\n{hidden}"
        );
        let bytes = send(scene.gateway.port(), request.as_bytes());
        let answer = parse(&bytes).unwrap_or_else(|| panic!("{headers}: no answer"));
        assert_eq!(answer.status, 400, "{headers}: {answer:?}");
        assert_eq!(scene.upstream.heard(), [], "{headers}");
        let answers = String::from_utf8_lossy(&bytes).matches("HTTP/1.1 ").count();
        assert_eq!(answers, 1, "{headers}: the connection went on");
    }
    for line in [
        "GET http://r/v2/team/app/manifests/v1 HTTP/1.1",
        "GET * HTTP/1.1",
        "CONNECT r:443 HTTP/1.1",
    ] {
        let request = format!("{line}\r\nHost: r\r\n{bearer}\r\n\r\n");
        let answer = parse(&send(scene.gateway.port(), request.as_bytes())).unwrap();
        assert!(matches!(answer.status, 400 | 405), "{line}: {answer:?}");
        assert_eq!(scene.upstream.heard(), [], "{line}");
    }
}

/// A client that stops in the middle is let go.
#[test]
fn slow_clients() {
    let scene = Scene::echo(0, &[("team/app", ALL)]);
    let bearer = scene.bearer("repository:team/app:pull,push");
    let head = format!(
        "PUT /v2/team/app/manifests/v1 HTTP/1.1\r\nHost: r\r\n{bearer}\r\nContent-Length: 100\r\n\r\nhalf"
    );
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, scene.gateway.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the connection was not closed");
    let status = parse(&answer).map(|answer| answer.status);
    assert!(matches!(status, None | Some(408)), "{}", String::from_utf8_lossy(&answer));
}

/// A gigabyte passes in each direction, and the gateway keeps none of it.
#[test]
fn memory_does_not_grow_with_a_body() {
    const SIZE: u64 = 1 << 30;
    let scene = Scene::echo(SIZE, &[("team/app", ALL)]);
    let bearer = scene.bearer("repository:team/app:pull,push");
    let url = |path: &str| format!("http://{}{path}", scene.gateway.host());
    let curl = |arguments: &[&str], path: &str| {
        let mut command = Command::new("curl");
        command.args(["--silent", "--fail", "--output", "/dev/null", "--header", &bearer]);
        run(command.args(arguments).arg(url(path)))
    };
    let got = curl(&["--write-out", "%{size_download}"], &format!("/v2/team/app/blobs/{DIGEST}"));
    assert_eq!(got, SIZE.to_string());
    let file = scene.gateway.folder().join("sparse");
    std::fs::File::create(&file).unwrap().set_len(SIZE).unwrap();
    let upload = "/v2/team/app/blobs/uploads/a-1";
    let file = file.display().to_string();
    curl(
        &["--request", "PATCH", "--header", "Transfer-Encoding: chunked", "--upload-file", &file],
        upload,
    );
    assert_eq!(scene.upstream.heard().last().unwrap().body, SIZE);
    assert!(scene.gateway.peak_memory() < 64 * 1024, "{} KB", scene.gateway.peak_memory());
}

/// A name and a password do what a token would.
#[test]
fn names_and_passwords() {
    let scene = Scene::echo(0, &[("team/app", READ)]);
    let basic = |user: &str, password: &str| {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        format!("Authorization: Basic {text}")
    };
    let good = basic("MyToken", &scene.password);
    for (headers, method, target, status) in [
        (&good, "GET", "/v2/", 200),
        (&good, "GET", "/v2/team/app/manifests/v1", 200),
        (&good, "PUT", "/v2/team/app/manifests/v1", 401),
        (&good, "GET", "/v2/secret/manifests/v1", 401),
        (&good, "GET", "/v2//manifests/v1", 400),
        (&basic("MyToken", "wrong"), "GET", "/v2/", 401),
        (&"Authorization: Basic !!".to_owned(), "GET", "/v2/", 401),
        (&"Authorization: Digest x".to_owned(), "GET", "/v2/", 401),
    ] {
        let answer = ask(scene.gateway.port(), method, target, &[headers]);
        assert_eq!(answer.status, status, "{method} {target}: {answer:?}");
    }
    assert!(!scene.gateway.log().contains(&scene.password));
}

/// A token whose principal was disabled is no good two seconds later, and neither is its password.
#[test]
fn revocation() {
    let scene = Scene::echo(0, &[("team/app", READ)]);
    let bearer = scene.bearer("repository:team/app:pull");
    let pull = || ask(scene.gateway.port(), "GET", "/v2/team/app/manifests/v1", &[&bearer]);
    assert_eq!(pull().status, 200);
    let disabled = json!({ "properties": { "status": "disabled" } });
    let administrator = &scene.gateway.administrator;
    let changed =
        administrator.ask("PATCH", &scene.server.url(), "/tokens/MyToken", Some(&disabled));
    assert_eq!(changed.unwrap().0, 200);
    let answer = eventually(Duration::from_secs(2), || match pull() {
        answer if answer.status == 401 => Ok(answer),
        answer => Err(format!("{answer:?}")),
    });
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.ends_with(r#",error="invalid_token""#), "{challenge}");
}

/// Lists come in pages, whatever the registry thinks of pages, and the next one begins where the last ended.
#[test]
fn lists_page_by_page() {
    let scene = Scene::new(&[("*", ALL)]);
    let (skopeo, image) = (Skopeo::new(), image::make(scene.gateway.folder()));
    skopeo.login(&scene.gateway.host(), "MyToken", &scene.password).unwrap();
    for repository in ["a", "b/c", "b/d"] {
        skopeo.push(&image, &scene.gateway.image(repository)).unwrap();
    }
    for tag in ["v3", "v2", "v10"] {
        skopeo.push(&image, &format!("{}/a:{tag}", scene.gateway.host())).unwrap();
    }
    let bearer = scene.bearer("repository:a:metadata_read registry:catalog:*");
    let pages = |path: &str, n: usize| {
        let (mut target, mut pages) = (format!("{path}?n={n}"), Vec::new());
        loop {
            let answer = ask(scene.gateway.port(), "GET", &target, &[&bearer]);
            assert_eq!(answer.status, 200, "{target}: {answer:?}");
            let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
            let names = body.get("tags").or(body.get("repositories")).unwrap();
            pages.push(serde_json::from_value::<Vec<String>>(names.clone()).unwrap().join(" "));
            let Some(link) = answer.header("link") else { return pages };
            let next = link.strip_prefix('<').unwrap().split_once('>').unwrap();
            assert_eq!(next.1, "; rel=\"next\"");
            assert!(next.0.ends_with(&format!("&n={n}&orderby=")), "{link}");
            target = next.0.to_owned();
        }
    };
    assert_eq!(pages("/v2/a/tags/list", 3), ["v1 v10 v2", "v3"]);
    assert_eq!(pages("/v2/a/tags/list", 4), ["v1 v10 v2 v3"]);
    assert_eq!(pages("/v2/_catalog", 1), ["a", "b/c", "b/d"]);
    assert_eq!(pages("/v2/_catalog", 2), ["a b/c", "b/d"]);
    let refused = ask(scene.gateway.port(), "GET", "/v2/_catalog?n=0", &[&bearer]);
    assert_eq!(refused.status, 400, "{refused:?}");
    let narrow = scene.bearer("repository:a:metadata_read");
    assert_eq!(ask(scene.gateway.port(), "GET", "/v2/_catalog", &[&narrow]).status, 401);
}

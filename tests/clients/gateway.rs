//! The gateway before a registry that asks nobody for anything: what gets through it, in which spelling, and what does not.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::drivers::buildah::Buildah;
use crate::drivers::podman::Podman;
use crate::drivers::skopeo::Skopeo;
use crate::edge::{self, ALL};
use crate::software::echo::Echo;
use crate::software::gateway::Gateway;
use crate::software::image;
use crate::software::process::run;
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings, seed};
use crate::software::wire::{ask, parse, send};

const READ: &[&str] = &["content/read"];
const WRITE: &[&str] = &["content/read", "content/write"];
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

    fn bearer(&self, scopes: &str) -> String {
        edge::bearer(&self.server, &self.password, scopes)
    }
}

/// skopeo pushes, lists, mounts and deletes where the map says, and nowhere else.
#[test]
fn skopeo_through_the_gateway() {
    let scene = Scene::new(&edge::RULES);
    edge::walk(&scene.gateway.host(), scene.gateway.folder(), &scene.password);
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

/// Whatever comes in, the registry hears the engine's spelling of it, or nothing.
#[test]
fn one_spelling_reaches_the_registry() {
    let scene = Scene::echo(2, &[("team/app", ALL), ("team", ALL)]);
    let Scene { server, upstream, gateway, password } = &scene;
    edge::one_spelling(gateway.port(), server, password, upstream);
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

/// A registry that hangs up on a connection which was used before: what reads is asked again, and what writes is not.
#[test]
fn only_reads_are_sent_again() {
    let scene = Scene::with(Moody::start(), |moody| moody.port, &[("team/app", ALL)]);
    let bearer = scene.bearer("repository:team/app:pull,push,delete");
    for (method, status, heard) in
        [("GET", 200, 2), ("HEAD", 200, 2), ("PUT", 502, 1), ("DELETE", 502, 1)]
    {
        let target = format!("/v2/team/app/manifests/{DIGEST}");
        // The first leaves a connection behind, and the second is sent on it.
        assert_eq!(ask(scene.gateway.port(), "GET", &target, &[&bearer]).status, 200);
        scene.upstream.heard.store(0, Ordering::SeqCst);
        let length = ["Content-Length: 0", &bearer];
        let answer = ask(scene.gateway.port(), method, &target, &length);
        assert_eq!(answer.status, status, "{method}: {answer:?}");
        assert_eq!(scene.upstream.heard.load(Ordering::SeqCst), heard, "{method}");
    }
}

/// An upstream that answers one request on each connection, and hangs up after it has read the second.
struct Moody {
    port: u16,
    heard: Arc<AtomicUsize>,
}

impl Moody {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let count = Arc::clone(&count);
                std::thread::spawn(move || Self::answer(stream, &count));
            }
        });
        Self { port, heard }
    }

    fn answer(mut stream: TcpStream, count: &AtomicUsize) -> Option<()> {
        let mut bytes = [0; 8192];
        for is_first in [true, false] {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let read = stream.read(&mut bytes).ok().filter(|read| *read > 0)?;
                head.extend_from_slice(bytes.get(..read)?);
            }
            count.fetch_add(1, Ordering::SeqCst);
            if is_first {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").ok()?;
            }
        }
        None
    }
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
    edge::revocation(scene.gateway.port(), &scene.server, &scene.gateway.administrator, &bearer);
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

//! The gateway before a registry without authentication: what gets through it, in which spelling,
//! and what does not.

use std::io::{BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scopegate_api::access::AccessEntry;
use scopegate_api::claims::PrincipalKind;
use scopegate_server::testing::domain::issue::{Issuer, Subject};
use scopegate_server::testing::domain::keys::Keeper;
use scopegate_server::testing::store;
use serde_json::json;

use crate::drivers::skopeo::Skopeo;
use crate::edge::{self, ALL};
use crate::software::echo::Echo;
use crate::software::gateway::Gateway;
use crate::software::image;
use crate::software::process::{eventually, run};
use crate::software::registry::Registry;
use crate::software::server::{ISSUER, Server, Settings, seed};
use crate::software::wire::{ask, ask_with, parse, read_head, send};

const READ: &[&str] = &["content/read"];
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

/// A write of a chart is challenged with its actions, or as by Azure Container Registry. A token
/// for what the service names opens it either way.
#[test]
fn challenges_of_charts() {
    for (more, scope) in [("", "pull,push"), ("compatibility: acr\n", "*")] {
        let config = Some(more.to_owned());
        let settings = Settings { config, ..Settings::default() };
        let (server, passwords) = Server::with(settings, &seed(&[("*", ALL)]));
        let upstream = Echo::start(0);
        let gateway = Gateway::before(upstream.port(), &server, more);
        let url = format!("http://{}/helm/v1/repo/_blobs/app-1.0.0.tgz", gateway.host());
        let put = |request: reqwest::blocking::RequestBuilder| request.body("x").send().unwrap();
        let client = reqwest::blocking::Client::new();
        let refused = put(client.put(&url));
        let challenge = refused.headers()["www-authenticate"].to_str().unwrap().to_owned();
        let expected = format!("scope=\"artifact-repository:repo:{scope}\"");
        assert!(refused.status() == 401 && challenge.ends_with(&expected), "{challenge}");
        for scope in ["*", "pull,push"] {
            let scope = format!("artifact-repository:repo:{scope}");
            let bearer = edge::bearer(&server, &passwords[0], &scope);
            let (_, value) = bearer.split_once(' ').unwrap();
            let taken = put(client.put(&url).header("authorization", value));
            assert_eq!(taken.status(), 200, "{scope}");
        }
    }
}

/// Whatever comes in, the registry hears the engine's spelling of it, or nothing.
#[test]
fn one_spelling_reaches_the_registry() {
    let scene = Scene::echo(2, &[("team/app", ALL), ("team", ALL)]);
    let Scene { server, upstream, gateway, password } = &scene;
    edge::one_spelling(gateway.port(), server, password, upstream);
}

/// What two readers could read in two ways does not reach the registry, and what a browser would
/// obey does not come back.
#[test]
fn second_readings_and_obedience() {
    let scene = Scene::echo(0, &[("team/app", ALL)]);
    let bearer = scene.bearer("repository:team/app:pull");
    edge::refuses_second_readings(scene.gateway.port(), &scene.upstream, &bearer);
    edge::restrains_answers(scene.gateway.port(), &bearer);
}

/// What a client says of where it comes from, and its token, stay at the gateway.
#[test]
fn what_the_registry_hears_of_the_client() {
    let scene = Scene::echo(0, &[("team/app", ALL)]);
    let bearer = scene.bearer("repository:team/app:pull");
    let these = [bearer.as_str(), "TE: trailers", "Keep-Alive: timeout=5"];
    let heard = edge::keeps_to_itself(scene.gateway.port(), &scene.upstream, &these);
    for present in ["x-forwarded-for: 127.0.0.1", "x-forwarded-host: registry.test"] {
        assert!(heard.iter().any(|line| line == present), "{present}: {heard:?}");
    }
}

/// Requests whose end two readers could see in two places are refused, and nothing of them reaches
/// the registry.
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

/// A client that sends all of its body before it reads anything still hears why it was refused.
#[test]
fn long_bodies_that_nobody_wants() {
    let (server, _) = Server::with(Settings::default(), &seed(&[("team/app", ALL)]));
    let echo = Echo::start(0);
    let gateway = Gateway::before(echo.port(), &server, "timeouts: {client: 20s}\n");
    let body = vec![b' '; 32 << 20];
    let length = format!("Content-Length: {}", body.len());
    let target = "/v2/team/app/manifests/v1";
    let answer = ask_with(gateway.port(), "PUT", target, &[&length], &body);
    assert_eq!(answer.expect("the connection was reset").status, 401);
    assert_eq!(echo.heard(), []);
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

/// A client that sends a byte of its head now and then is let go too, and so is one that sends
/// nothing.
#[test]
fn slow_heads() {
    let (server, _) = Server::with(Settings::default(), &seed(&[("team/app", ALL)]));
    let echo = Echo::start(0);
    let gateway = Gateway::before(echo.port(), &server, "timeouts: {client: 1s, idle: 1s}\n");
    let head =
        b"GET /v2/ HTTP/1.1\r\nHost: registry.test\r\nX: ".iter().chain(std::iter::repeat(&b'a'));
    for mut bytes in [Some(head), None] {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, gateway.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let begun = Instant::now();
        let mut answer = [0; 100];
        // A read that times out says that the connection is still there.
        while stream.read(&mut answer).is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
            assert!(begun.elapsed() < Duration::from_secs(10), "the connection stays");
            if let Some(byte) = bytes.as_mut().and_then(Iterator::next) {
                let _ = stream.write_all(&[*byte]);
            }
        }
    }
}

/// A registry that hangs up on a connection which was used before: what reads is asked again, and
/// what writes is not.
#[test]
fn only_reads_are_sent_again() {
    let scene = Scene::with(Moody::start(), |moody| moody.port, &[("team/app", ALL)]);
    let bearer = scene.bearer("repository:team/app:pull,push,delete");
    for (method, status, heard) in
        [("GET", 200, 2), ("HEAD", 200, 2), ("PUT", 502, 1), ("DELETE", 502, 1)]
    {
        let target = format!("/v2/team/app/manifests/{DIGEST}");
        // The first leaves a connection behind, once the gateway is done with it, and the second is
        // sent on it.
        let first = ask_with(scene.gateway.port(), "GET", &target, &[&bearer], &[]);
        assert_eq!(first.unwrap().status, 200);
        scene.upstream.heard.store(0, Ordering::SeqCst);
        let length = ["Content-Length: 0", &bearer];
        let answer = ask(scene.gateway.port(), method, &target, &length);
        assert_eq!(answer.status, status, "{method}: {answer:?}");
        assert_eq!(scene.upstream.heard.load(Ordering::SeqCst), heard, "{method}");
    }
}

/// An upstream that answers one request on each connection, and hangs up after it has read the
/// second.
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

/// Helm's index wants a right of its own, and the registry's redirect to the stored blob goes on as
/// it is; one to the registry itself leads by way of the gateway.
#[test]
fn the_index_of_helm() {
    for (location, expected) in [
        ("https://storage.example/blob?sig=a%2Fb", "https://storage.example/blob?sig=a%2Fb"),
        ("/v2/repo/blobs/x", "/v2/repo/blobs/x"),
    ] {
        let scene =
            Scene::with(Redirect::start(location), |redirect| redirect.port, &[("*", READ)]);
        let target = "/helm/v1/repo/index.yaml";
        let ask = |headers: &[&str]| ask(scene.gateway.port(), "GET", target, headers);
        let refused = ask(&[]);
        let challenge = refused.header("www-authenticate").unwrap();
        assert_eq!(refused.status, 401, "{refused:?}");
        assert!(challenge.ends_with(r#",scope="artifact-repository:repo:pull""#), "{challenge}");
        let repository = scene.bearer("repository:repo:pull");
        assert_eq!(ask(&[&repository]).status, 401);
        let answer = ask(&[&scene.bearer("artifact-repository:repo:pull")]);
        assert_eq!((answer.status, answer.header("location")), (307, Some(expected)));
    }
}

/// An upstream that sends everybody elsewhere.
struct Redirect {
    port: u16,
}

impl Redirect {
    fn start(location: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                if read_head(&mut reader).is_some() {
                    let answer = format!(
                        "HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    );
                    let _ = stream.write_all(answer.as_bytes());
                }
            }
        });
        Self { port }
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

/// A password goes on while its holder's rights change: what was remembered of it is asked for
/// again.
#[test]
fn a_right_password_is_never_refused() {
    let scene = Scene::echo(0, &[("team/app", ALL)]);
    let text = STANDARD.encode(format!("MyToken:{}", scene.password));
    let good = format!("Authorization: Basic {text}");
    let pull = || ask(scene.gateway.port(), "GET", "/v2/team/app/manifests/v1", &[&good]).status;
    assert_eq!(pull(), 200);
    scene.server.apply(&seed(&[("team/app", READ)]));
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3) {
        assert_eq!(pull(), 200, "after {:?}", start.elapsed());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What is remembered of a password ends with the password, and does not keep it from what it opens
/// since: a scope map that is widened counts after two seconds, with the policy too.
#[test]
fn a_remembered_password_ends_and_grows_with_its_holder() {
    for edge in EDGES {
        let (server, passwords) = Server::with(Settings::default(), &seed(&[("one", READ)]));
        let echo = Echo::start(2);
        let gateway = edge(echo.port(), &server, "");
        let pull = |password: &str, repository: &str| {
            let basic = STANDARD.encode(format!("MyToken:{password}"));
            let target = format!("/v2/{repository}/manifests/v1");
            ask(gateway.port(), "GET", &target, &[&format!("Authorization: Basic {basic}")]).status
        };
        assert_eq!([pull(&passwords[0], "one"), pull(&passwords[0], "two")], [200, 401]);
        server.apply(&seed(&[("one", READ), ("two", READ)]));
        eventually(Duration::from_secs(8), || match pull(&passwords[0], "two") {
            200 => Ok(()),
            status => Err(status),
        });
        let ends_at = jiff::Timestamp::now() + Duration::from_secs(5);
        let id = gateway.administrator.ask("GET", &server.url(), "/tokens/MyToken", None);
        let body = json!({ "tokenId": id.unwrap().1["id"], "name": "password2", "expiry": ends_at.to_string() });
        let made =
            gateway.administrator.ask("POST", &server.url(), "/generateCredentials", Some(&body));
        let made = made.unwrap().1;
        let value =
            made["passwords"].as_array().unwrap().iter().find_map(|one| one["value"].as_str());
        let short = value.unwrap_or_else(|| panic!("{made}"));
        assert_eq!(pull(short, "one"), 200);
        eventually(Duration::from_secs(9), || match pull(short, "one") {
            401 => Ok(()),
            status => Err(status),
        });
        assert_eq!(pull(&passwords[0], "one"), 200);
    }
}

/// A token whose principal was disabled is no good two seconds later, and neither is its password.
#[test]
fn revocation() {
    let scene = Scene::echo(0, &[("team/app", READ)]);
    let bearer = scene.bearer("repository:team/app:pull");
    edge::revocation(scene.gateway.port(), &scene.server, &scene.gateway.administrator, &bearer);
}

/// Lists come in pages, whatever the registry thinks of pages, and the next one begins where the
/// last ended.
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
    let pages = |path: &str, n: usize| pages(scene.gateway.port(), path, n, &bearer);
    assert_eq!(pages("/v2/a/tags/list", 3), ["v1 v10 v2", "v3"]);
    assert_eq!(pages("/v2/a/tags/list", 4), ["v1 v10 v2 v3"]);
    assert_eq!(pages("/v2/_catalog", 1), ["a", "b/c", "b/d"]);
    assert_eq!(pages("/v2/_catalog", 2), ["a b/c", "b/d"]);
    let refused = ask(scene.gateway.port(), "GET", "/v2/_catalog?n=0", &[&bearer]);
    assert_eq!(refused.status, 400, "{refused:?}");
    let narrow = scene.bearer("repository:a:metadata_read");
    assert_eq!(ask(scene.gateway.port(), "GET", "/v2/_catalog", &[&narrow]).status, 401);
}

/// The names of a list, page by page.
#[track_caller]
fn pages(port: u16, path: &str, n: usize, bearer: &str) -> Vec<String> {
    let (mut target, mut pages) = (format!("{path}?n={n}"), Vec::new());
    loop {
        let answer = ask(port, "GET", &target, &[bearer]);
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
}

/// A gateway that holds the policy lists what a token may read and nothing else, on no page and in
/// no link, and follows a change of the scope map within two seconds. Without the token server it
/// goes on for as long as it was told.
#[test]
fn the_policy_of_the_moment() {
    let settings = Settings { config: Some("catalog: filtered\n".into()), ..Settings::default() };
    let (mut server, passwords) = Server::with(
        settings,
        "scopeMaps:
  - {name: team-map, actions: [repositories/team/*/metadata/read, repositories/team/*/content/read]}
  - {name: other-map, actions: [repositories/other/content/read]}
tokens:
  - {name: MyToken, scopeMap: team-map}
  - {name: Pusher, scopeMap: _repositories_admin}
  - {name: Blind, scopeMap: other-map}
",
    );
    let registry = Registry::open();
    let gateway = Gateway::with_policy(registry.port(), &server, "catalog: filtered\n");
    let [password, pusher, blind] = <[String; 3]>::try_from(passwords).unwrap();
    let (skopeo, image) = (Skopeo::new(), image::make(gateway.folder()));
    skopeo.login(&gateway.host(), "Pusher", &pusher).unwrap();
    let all = ["aaa/secret", "team/one", "team/three", "team/two", "zzz/secret"];
    for repository in all {
        skopeo.push(&image, &gateway.image(repository)).unwrap();
    }
    let catalog = "registry:catalog:*";
    let bearer =
        |user: &str, password: &str, scopes: &str| edge::bearer_of(&server, user, password, scopes);
    let mine = bearer("MyToken", &password, &format!("{catalog} repository:team/one:pull"));
    let list = |n: usize, bearer: &str| pages(gateway.port(), "/v2/_catalog", n, bearer);
    assert_eq!(list(1, &mine), ["team/one", "team/three", "team/two"]);
    assert_eq!(list(2, &mine), ["team/one team/three", "team/two"]);
    assert_eq!(list(3, &mine), ["team/one team/three team/two"]);
    assert_eq!(list(10, &bearer("Pusher", &pusher, catalog)), [all.join(" ")]);
    let after_secret = ask(gateway.port(), "GET", "/v2/_catalog?last=team/two", &[&mine]);
    assert_eq!(after_secret.body, r#"{"repositories":[]}"#);
    assert_eq!(after_secret.header("link"), None);
    let head = ask(gateway.port(), "HEAD", "/v2/_catalog?n=1", &[&mine]);
    let link = "</v2/_catalog?last=team%2Fone&n=1&orderby=>; rel=\"next\"";
    assert_eq!((head.status, head.header("link")), (200, Some(link)));
    let elsewhere = ask(gateway.port(), "GET", "/acr/v1/_catalog", &[&mine]);
    assert_eq!(elsewhere.status, 404, "{elsewhere:?}");
    // The same rule, where the gateway answers the registry's own data plane.
    let index = tempfile::tempdir().unwrap();
    let more = format!("catalog: filtered\nindex: {{data: {}}}\n", index.path().display());
    let indexed = Gateway::with_policy(registry.port(), &server, &more);
    for path in ["/v2/_catalog", "/acr/v1/_catalog"] {
        let found = pages(indexed.port(), path, 1, &mine);
        assert_eq!(found, ["team/one", "team/three", "team/two"], "{path}");
    }
    let nothing = bearer("Blind", &blind, catalog);
    assert_eq!(ask(gateway.port(), "GET", "/v2/_catalog", &[&nothing]).status, 401);

    let status = |bearer: &str, name: &str| {
        let headers = ["Accept: application/vnd.oci.image.manifest.v1+json", bearer];
        ask(gateway.port(), "GET", &format!("/v2/team/{name}/manifests/v1"), &headers).status
    };
    assert_eq!((status(&mine, "one"), status(&mine, "two")), (200, 401));
    let rules = json!({"properties": {"actions": ["repositories/team/two/metadata/read", "repositories/team/one/content/read"]}});
    // Each gateway of a test makes a new secret for the administrator.
    let change =
        indexed.administrator.ask("PATCH", &server.url(), "/scopeMaps/team-map", Some(&rules));
    assert_eq!(change.unwrap().0, 200);
    let changed = Instant::now();
    eventually(Duration::from_secs(2), || match status(&mine, "one") {
        401 => Ok(()),
        status => Err(status),
    });
    println!("policy: {} ms from the change to the edge", changed.elapsed().as_millis());
    let mine = bearer("MyToken", &password, &format!("{catalog} repository:team/one:pull"));
    assert_eq!(list(1, &mine), ["team/two"]);
    assert_eq!(status(&mine, "one"), 200);

    server.process().kill();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(status(&mine, "one"), 200, "the last good one stays");
    eventually(Duration::from_secs(8), || match status(&mine, "one") {
        503 => Ok(()),
        status => Err(status),
    });
    server.start();
    eventually(Duration::from_secs(5), || match status(&mine, "one") {
        200 => Ok(()),
        status => Err(status),
    });
}

/// A gateway that holds the policy decides as one that knows revocations alone.
#[test]
fn one_spelling_by_the_policy() {
    let (server, passwords) =
        Server::with(Settings::default(), &seed(&[("team/app", ALL), ("team", ALL)]));
    let echo = Echo::start(2);
    let gateway = Gateway::with_policy(echo.port(), &server, "");
    edge::one_spelling(gateway.port(), &server, &passwords[0], &echo);
    let bearer = edge::bearer(&server, &passwords[0], "repository:team/app:pull");
    edge::revocation(gateway.port(), &server, &gateway.administrator, &bearer);
}

/// A gateway of either kind: with revocations alone, and with the policy.
type Edge = fn(u16, &Server, &str) -> Gateway;
const EDGES: [Edge; 2] = [Gateway::before, Gateway::with_policy];

/// A token that was made a moment ago opens what it says, and so does one whose scope map was
/// widened: the gateway asks for what it does not know yet. What nothing newer gives is refused.
#[test]
fn what_was_just_made_is_good_at_once() {
    for edge in EDGES {
        let (server, _) = Server::with(Settings::default(), "{}");
        let echo = Echo::start(2);
        let gateway = edge(echo.port(), &server, "");
        let manage = |method, path: &str, body| {
            let managed = gateway.administrator.ask(method, &server.url(), path, Some(&body));
            let (status, body) = managed.unwrap();
            assert!(status < 300, "{path}: {body}");
            body
        };
        let pull = |repository: &str, user: &str, password: &str| {
            let scope = format!("repository:{repository}:pull");
            let bearer = edge::bearer_of(&server, user, password, &scope);
            let target = format!("/v2/{repository}/manifests/v1");
            ask(gateway.port(), "GET", &target, &[&bearer]).status
        };
        let map = |rules: &[&str]| {
            let rules: Vec<_> =
                rules.iter().map(|name| format!("repositories/{name}/content/read")).collect();
            json!({ "properties": { "actions": rules } })
        };
        for round in 0..5 {
            let name = format!("Maker{round}");
            let (map_path, token_path) = (format!("/scopeMaps/{name}"), format!("/tokens/{name}"));
            let id = manage("PUT", &map_path, map(&["one"]))["id"].clone();
            let token = json!({ "properties": { "scopeMapId": id } });
            let token = manage("PUT", &token_path, token)["id"].clone();
            let made = manage("POST", "/generateCredentials", json!({ "tokenId": token }));
            let password = made["passwords"][0]["value"].as_str().unwrap();
            assert_eq!(pull("one", &name, password), 200, "{name}");
            assert_eq!(pull("two", &name, password), 401, "{name}");
            manage("PATCH", &map_path, map(&["one", "two"]));
            assert_eq!(pull("two", &name, password), 200, "{name}");
        }
    }
}

/// A database that was restored ends every token from before at the gateway too, and new ones open
/// what they say.
#[test]
fn fault_9_tokens_from_before_a_restore() {
    for edge in EDGES {
        let (server, passwords) = Server::with(Settings::default(), &seed(&[("team/app", ALL)]));
        let echo = Echo::start(2);
        let gateway = edge(echo.port(), &server, "");
        let scope = "repository:team/app:pull";
        let bearer = edge::bearer(&server, &passwords[0], scope);
        let pull = |bearer: &str| {
            ask(gateway.port(), "GET", "/v2/team/app/manifests/v1", &[bearer]).status
        };
        assert_eq!(pull(&bearer), 200);
        server.restore();
        let ends = |bearer: &str, expected: u16| match pull(bearer) {
            status if status == expected => Ok(()),
            status => Err(status),
        };
        eventually(Duration::from_secs(5), || ends(&bearer, 401));
        let fresh = edge::bearer(&server, &passwords[0], scope);
        eventually(Duration::from_secs(5), || ends(&fresh, 200));
        assert_eq!(pull(&bearer), 401);
    }
}

/// The tokens of one identity end at the gateway, and then those of its whole provider.
#[test]
fn fault_7_identities_that_are_revoked() {
    let config = "providers: [{name: ci, issuer: 'https://ci.test', audiences: [x]}]\n";
    let settings = Settings { config: Some(config.into()), ..Settings::default() };
    for edge in EDGES {
        let (server, _) = Server::with(settings.clone(), &seed(&[("team/app", ALL)]));
        let echo = Echo::start(2);
        let gateway = edge(echo.port(), &server, "");
        let [octo, other] = ["octo", "other"].map(|subject| identity(&server, subject));
        let pull = |bearer: &str| {
            ask(gateway.port(), "GET", "/v2/team/app/manifests/v1", &[bearer]).status
        };
        assert_eq!((pull(&octo), pull(&other)), (200, 200));
        let revoke = |path: &str| {
            let path = format!("/identities/{path}/revoke");
            gateway.administrator.ask("POST", &server.url(), &path, None).unwrap().0
        };
        let ends = |bearer: &str| match pull(bearer) {
            401 => Ok(()),
            status => Err(status),
        };
        assert_eq!(revoke("ci/octo"), 204);
        eventually(Duration::from_secs(2), || ends(&octo));
        assert_eq!(pull(&other), 200);
        assert_eq!(revoke("ci"), 204);
        eventually(Duration::from_secs(2), || ends(&other));
        assert_eq!(pull(&identity(&server, "third")), 200);
    }
}

/// A token of an identity, signed with the server's own key: no provider has to run for it.
fn identity(server: &Server, subject: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (ring, registry) = runtime.block_on(async {
        let store = store::open(&server.data(), None).await.unwrap();
        let registry = store.read().await.unwrap().registry().await.unwrap();
        (Keeper::read(&store).await.unwrap(), registry)
    });
    let issuer = Issuer::new(ISSUER.to_owned(), server.service().to_owned(), false, ring);
    issuer.replace_epoch(&registry.epoch);
    let generation = registry.revision.unsigned_abs();
    let subject = Subject {
        provider: Some("ci"),
        ..Subject::new(subject, PrincipalKind::Identity, generation)
    };
    let access = vec![AccessEntry {
        resource_type: "repository".into(),
        name: "team/app".into(),
        actions: vec!["pull".into()],
    }];
    let now = jiff::Timestamp::now().as_second();
    let token = issuer.access_token(&subject, &registry.rid, access, 3600, now).unwrap();
    format!("Authorization: Bearer {token}")
}

//! One address for the registry and the token server: which requests reach whom, and everybody's
//! clients through it.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::documents::filled;
use crate::drivers::az::Az;
use crate::drivers::podman::Podman;
use crate::drivers::skopeo::Skopeo;
use crate::edge::{self, ALL};
use crate::software::authority::Authority;
use crate::software::echo::{Echo, Heard};
use crate::software::gateway::Gateway;
use crate::software::image;
use crate::software::process::{eventually, free_port, run};
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings, seed};
use crate::software::wire::{ask, ask_with, parse, send};

const TENANT: &str = "7d3f1c2e-0000-4a5b-8c9d-0123456789ab";

/// A gateway with an upstream that notes what reaches it on each side.
struct Sides {
    server: Server,
    registry: Echo,
    token_server: Echo,
    gateway: Gateway,
    password: String,
}

impl Sides {
    fn new(more: &str) -> Self {
        let (server, passwords) = Server::with(Settings::default(), &seed(&[("*", ALL)]));
        let (registry, token_server) = (Echo::start(2), Echo::start(2));
        let own = format!("{{url: \"http://127.0.0.1:{}\"{more}}}", token_server.port());
        let config = format!("tokenServer: {own}\ntimeouts: {{client: 2s}}\n");
        let gateway = Gateway::before(registry.port(), &server, &config);
        // It asks for the realm first.
        eventually(Duration::from_secs(10), || match token_server.heard().len() {
            0 => Err("nothing was asked"),
            _ => Ok(()),
        });
        let password = passwords.into_iter().next().unwrap();
        Self { server, registry, token_server, gateway, password }
    }

    fn bearer(&self) -> String {
        let scopes =
            "repository:team/app:pull,push repository:oauth2/token:pull repository:registries:pull";
        edge::bearer(&self.server, &self.password, scopes)
    }

    /// The request lines that each side has heard: the registry's, and the token server's.
    fn heard(&self) -> [Vec<String>; 2] {
        let lines = |heard: Vec<Heard>| heard.into_iter().map(|heard| heard.line).collect();
        [lines(self.registry.heard()), lines(self.token_server.heard())]
    }
}

/// Whatever comes in, it reaches one side or none.
#[test]
fn every_request_has_one_owner() {
    let sides = Sides::new("");
    let bearer = sides.bearer();
    let long = format!("/oauth2/{}", "a".repeat(10_000));
    let registry = [
        "/v2/team/app/manifests/v1",
        "/v2/oauth2/token/manifests/v1",
        "/v2/registries/manifests/v1",
    ];
    let token_server = [
        "/oauth2/token?service=r&scope=repository:a/b:pull&x=%2F..%2f;",
        "/.well-known/jwks.json",
        "/metadata/endpoints?api-version=2022-09-01",
        "//metadata/endpoints?api-version=2022-09-01",
        "/tenants?api-version=2022-12-01",
        "/subscriptions",
        "/subscriptions/s/resources?$filter=name%20eq%20'r'",
        "/registries/registry/generations?since=0",
        "/openapi.json",
        "/TENANT/oauth2/v2.0/token",
        "/",
        "/?x",
        "/assets/a.js",
    ];
    let neither = [
        "/v2/..%2foauth2/token",
        "/v2/../oauth2/token",
        "/v2/team/app/../../../oauth2/token",
        "/oauth2/../v2/team/app/manifests/v1",
        "/oauth2/..%2fv2/team/app/manifests/v1",
        "/oauth2/%2e%2e/v2/team/app/manifests/v1",
        "/oauth2/..;/v2/team/app/manifests/v1",
        "/oauth2/..\\v2/team/app/manifests/v1",
        "/oauth2//token",
        "/oauth2/token;x",
        "/oauth2/token#x",
        "/oauth2/%74oken",
        "/oauth2%2ftoken",
        "/oauth2",
        "/OAUTH2/token",
        "//oauth2/token",
        "//v2/team/app/manifests/v1",
        "///metadata/endpoints",
        "//metadata/endpoints/../../v2/team/app/manifests/v1",
        "/registries",
        "/registries/../authz",
        "/registries/r/../../v2/team/app/manifests/v1",
        "/subscriptionsX",
        "/subscriptions;x",
        "/subscriptions%2f",
        "/TENANT/v2/",
        "/TENANT/oauth2/../../v2/team/app/manifests/v1",
        "/v2/oauth2/v2.0/token",
        "/assets/../v2/team/app/manifests/v1",
        "/authz",
        "/authz/envoy",
        "/healthz",
        "/readyz",
        "/metrics",
        "/favicon.ico",
        "http://registry.test/oauth2/token",
        "http://registry.test/v2/team/app/manifests/v1",
        "*",
        &long,
    ];
    let check = |target: &str, expected: [bool; 2]| {
        let target = target.replace("TENANT", TENANT);
        for method in ["GET", "POST"] {
            // A registry takes no POST at these.
            let is_asked = method == "GET" || !expected[0];
            if !is_asked {
                continue;
            }
            let length = ["Content-Length: 0", &bearer];
            let answer = ask(sides.gateway.port(), method, &target, &length);
            let line = format!("{method} {target} HTTP/1.1");
            let lines = expected.map(|is_heard| Vec::from_iter(is_heard.then(|| line.clone())));
            assert_eq!(sides.heard(), lines, "{method} {target}: {answer:?}");
            let is_passed = expected.contains(&true);
            assert_eq!(answer.status == 200, is_passed, "{method} {target}: {answer:?}");
        }
    };
    registry.iter().for_each(|target| check(target, [true, false]));
    token_server.iter().for_each(|target| check(target, [false, true]));
    neither.iter().for_each(|target| check(target, [false, false]));
}

/// Of a token server with management on an address of its own only what edges read is passed.
#[test]
fn management_that_is_elsewhere() {
    let sides = Sides::new(", management: false");
    for (target, is_passed) in [
        ("/registries/registry/generations?since=0", true),
        ("/registries/registry/bundle", true),
        ("/oauth2/token", true),
        ("/registries/registry/tokens", false),
        ("/registries/registry/bundle/../tokens", false),
        ("/subscriptions", false),
        ("//metadata/endpoints", false),
        ("/openapi.json", false),
        ("/common/oauth2/v2.0/token", false),
    ] {
        let answer = ask(sides.gateway.port(), "GET", target, &[]);
        let [registry, token_server] = sides.heard();
        assert_eq!((registry.len(), token_server.len() == 1), (0, is_passed), "{target}");
        assert_eq!(answer.status == 200, is_passed, "{target}: {answer:?}");
    }
}

/// The token server hears what a client sends, but for what only the gateway may say.
#[test]
fn what_the_token_server_hears_of_the_client() {
    let sides = Sides::new("");
    let sent = [
        "Authorization: Basic eA==",
        "Cookie: a=b",
        "Accept: text/html",
        "Origin: https://evil.example",
        "Sec-Fetch-Site: cross-site",
        "X-Scopegate-Gateway: Basic Zm9yZ2Vk",
        "X_Scopegate_Gateway: Basic Zm9yZ2Vk",
        "X-Forwarded-For: 10.0.0.1",
        "X_Forwarded_For: 10.0.0.1",
        "Forwarded: for=10.0.0.1",
        "X-Real-IP: 10.0.0.1",
        "X-Original-URI: /v2/",
        "TE: trailers",
        "Keep-Alive: timeout=5",
        "Proxy-Authorization: Basic eA==",
        "X-Hop: 10.0.0.1",
        "Connection: X-Hop",
        "Upgrade: h2c",
    ];
    assert_eq!(ask(sides.gateway.port(), "GET", "/oauth2/token", &sent).status, 200);
    let heard = sides.token_server.heard().pop().unwrap();
    for line in &sent[..5] {
        let line = line.to_ascii_lowercase();
        assert!(heard.headers.contains(&line), "{line}: {heard:?}");
    }
    let all = format!("\n{}", heard.headers.join("\n"));
    for absent in ["10.0.0.1", "zm9yz2vk", "x-original", "\nte:", "keep-alive", "proxy-", "upgrade"]
    {
        assert!(!all.contains(absent), "{absent}: {heard:?}");
    }
    for (name, value) in [("x-forwarded-for", "127.0.0.1"), ("x-scopegate-gateway", "basic ")] {
        let prefix = format!("{name}: ");
        let values: Vec<_> = heard.headers.iter().filter_map(|l| l.strip_prefix(&prefix)).collect();
        assert!(values.len() == 1 && values[0].starts_with(value), "{name}: {heard:?}");
    }
}

/// Bodies are bounded, and their ends are seen in one place.
#[test]
fn bodies_for_the_token_server() {
    let sides = Sides::new("");
    let port = sides.gateway.port();
    let post =
        |headers: &[&str], body: &[u8]| ask_with(port, "POST", "/oauth2/token", headers, body);
    let body = vec![b'x'; 100 * 1024];
    let answer = post(&[&format!("Content-Length: {}", body.len())], &body).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(sides.token_server.heard().pop().unwrap().body, 100 * 1024);
    let answer = post(&["Transfer-Encoding: chunked"], b"5\r\n12345\r\n0\r\n\r\n").unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(sides.token_server.heard().pop().unwrap().body, 5);

    let answer = ask(port, "POST", "/oauth2/token", &["Content-Length: 262145"]);
    assert_eq!(answer.status, 413, "{answer:?}");
    let piece = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
    let chunked = piece.repeat(9) + "0\r\n\r\n";
    // The connection may be reset before all is sent.
    if let Ok(answer) = post(&["Transfer-Encoding: chunked"], chunked.as_bytes()) {
        assert_eq!(answer.status, 413, "{answer:?}");
    }
    assert_eq!(sides.heard(), [vec![""; 0], vec![""; 0]]);

    let hidden = "GET /v2/team/app/manifests/v1 HTTP/1.1\r\nHost: r\r\n\r\n";
    for headers in [
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
        "Content-Length: 5\r\nContent-Length: 0",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: identity",
        "X: a\nTransfer-Encoding: chunked",
        "Host: other",
    ] {
        let request =
            format!("POST /oauth2/token HTTP/1.1\r\nHost: r\r\n{headers}\r\n\r\n0\r\n\r\n{hidden}");
        let answer = parse(&send(port, request.as_bytes())).unwrap();
        assert_eq!(answer.status, 400, "{headers}: {answer:?}");
        assert_eq!(sides.heard(), [vec![""; 0], vec![""; 0]], "{headers}");
    }
    // What says where a body ends, or where a request came from, is for no one connection.
    for named in ["host", "x-forwarded-for", "content-length, host"] {
        let named = format!("Connection: {named}");
        let answer = post(&["Content-Length: 5", &named], b"12345").unwrap();
        assert_eq!((answer.status, sides.heard()), (400, Default::default()), "{named}");
    }
    let named = "Connection: content-length, transfer-encoding";
    assert_eq!(post(&["Content-Length: 5", named], b"12345").unwrap().status, 200);
    assert_eq!(sides.token_server.heard().pop().unwrap().body, 5);
}

/// Without the token server what is its own is 503 in the form that its clients read; tokens are
/// good as before, and nothing else opens anything.
#[test]
fn a_token_server_that_is_gone() {
    let (server, passwords) = Server::with(Settings::default(), &seed(&[("team/app", ALL)]));
    let echo = Echo::start(2);
    let config = format!("tokenServer: {{url: \"http://127.0.0.1:{}\"}}\n", free_port());
    let gateway = Gateway::before(echo.port(), &server, &config);
    for (target, expected) in [
        ("/oauth2/token", r#"{"errors":[{"code":"UNAVAILABLE""#),
        ("/subscriptions", r#"{"error":{"code":"ServiceUnavailable""#),
        ("/common/oauth2/v2.0/token", r#"{"error":"temporarily_unavailable""#),
        ("/", "the token server does not answer"),
    ] {
        let answer = ask(gateway.port(), "GET", target, &[]);
        assert_eq!(answer.status, 503, "{target}: {answer:?}");
        assert!(answer.body.starts_with(expected), "{target}: {answer:?}");
        let policy = answer.header("content-security-policy");
        assert_eq!(policy, Some("sandbox; default-src 'none'"), "{target}");
    }
    let target = "/v2/team/app/manifests/v1";
    let bearer = edge::bearer(&server, &passwords[0], "repository:team/app:pull");
    for (headers, status) in
        [(&[bearer.as_str()][..], 200), (&[], 401), (&["Authorization: Basic TXlUb2tlbjp4"], 503)]
    {
        let answer = ask(gateway.port(), "GET", target, headers);
        assert_eq!(answer.status, status, "{headers:?}: {answer:?}");
    }
}

/// Over TLS the token server has to be vouched for by the authority that is configured.
#[test]
fn a_token_server_with_tls() {
    let (authority, other) = (Authority::new(), Authority::new());
    let settings = Settings { config: Some(authority.for_our_server()), ..Settings::default() };
    let (own, _) = Server::with(settings, "{}");
    let (server, _) = Server::with(Settings::default(), "{}");
    let echo = Echo::start(2);
    for (authority, status) in [(&authority, 200), (&other, 503)] {
        let (url, file) = (own.https_url(), authority.certificate());
        let config = format!("tokenServer: {{url: \"{url}\"}}\nauthorities: {}\n", file.display());
        let gateway = Gateway::before(echo.port(), &server, &config);
        let answer = ask(gateway.port(), "GET", "/.well-known/jwks.json", &[]);
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

/// A token server, a registry and a gateway that is the address of both.
struct OneAddress {
    server: Server,
    gateway: Gateway,
    authority: Authority,
    password: String,
    _registry: Registry,
}

impl OneAddress {
    fn new(more: &str) -> Self {
        let port = free_port();
        let host = format!("localhost:{port}");
        let settings = Settings {
            service: Some(host.clone()),
            public_url: Some(format!("https://{host}")),
            ..Settings::default()
        };
        let (server, passwords) = Server::with(settings, &seed(&[("*", ALL)]));
        let (registry, authority) = (Registry::open(), Authority::new());
        let gateway = Gateway::for_both(port, registry.port(), &server, &authority, more);
        let password = passwords.into_iter().next().unwrap();
        Self { server, gateway, authority, password, _registry: registry }
    }

    fn host(&self) -> String {
        format!("localhost:{}", self.gateway.port())
    }

    /// Runs a script of the service's documents, its first lines filled in.
    #[track_caller]
    fn script(&self, script: &str) -> String {
        let filled =
            format!("registry={}\nuser=MyToken\npassword={}\n", self.host(), self.password);
        let mut command = Command::new("bash");
        command.arg("-c").arg(filled + script).env("CURL_CA_BUNDLE", self.authority.certificate());
        run(&mut command)
    }

    /// Puts an image into the registry under these names.
    fn push(&self, names: &[&str]) -> Skopeo {
        let (skopeo, image) =
            (Skopeo::trusting(&self.authority), image::make(self.gateway.folder()));
        skopeo.login(&self.host(), "MyToken", &self.password).unwrap();
        for name in names {
            skopeo.push(&image, &format!("{}/{name}", self.host())).unwrap();
        }
        skopeo
    }
}

/// The script of the service's documentation is sent to the storage that has the index.
#[test]
fn an_index_of_charts_that_is_elsewhere() {
    let storage = Echo::start(3);
    let index = format!("http://127.0.0.1:{}/index.yaml", storage.port());
    let scene = OneAddress::new(&format!("helmIndex: {{repo: \"{index}\"}}\n"));
    let host = scene.host();
    let values = [("registry", &*host), ("user", "MyToken"), ("password", &scene.password)];
    let printed = scene.script(&filled("helm-index.sh", &values));
    for expected in [
        "Scope\nartifact-repository:repo:pull\n",
        &format!("Location={index}\nindex.yaml\n----------\n"),
    ] {
        assert!(printed.contains(expected), "{expected}: {printed}");
    }
    assert!(printed.trim_end().ends_with("xxx"), "{printed}");
    let line = storage.heard().pop().unwrap().line;
    assert_eq!(line, "GET /index.yaml HTTP/1.1");
}

/// In every answer names are spelt as the service spells them; a browser obeys
/// nothing in the registry's, and in the playground's what it is told.
#[test]
fn names_and_policies_of_answers() {
    let scene = OneAddress::new("");
    scene.push(&["team/app:v1"]);
    let ask = |target: &str, more: &str| {
        scene.script(&format!("curl -s -o /dev/null -D - {more} https://$registry{target}"))
    };
    let basic = "-u $user:$password";
    let accept = "-H 'Accept: application/vnd.oci.image.manifest.v1+json'";
    let sandbox = "Content-Security-Policy: sandbox; default-src 'none'";
    for (target, more, expected) in [
        ("/v2/", "", &["HTTP/1.1 401", "Www-Authenticate: Bearer realm=", sandbox][..]),
        (
            "/v2/",
            basic,
            &["HTTP/1.1 200", "Docker-Distribution-Api-Version: registry/2.0", sandbox],
        ),
        (
            "/v2/team/app/manifests/v1",
            &format!("{basic} {accept}"),
            &[
                "HTTP/1.1 200",
                "Docker-Content-Digest: sha256:",
                "Content-Type: ",
                "Etag: ",
                sandbox,
            ],
        ),
        ("'/v2/_catalog?n=0'", basic, &["HTTP/1.1 400", "X-Ms-Correlation-Request-Id: ", sandbox]),
        (
            "/oauth2/token",
            basic,
            &[
                "HTTP/1.1 200",
                "Content-Type: application/json",
                "X-Ms-Correlation-Request-Id: ",
                "Cache-Control: no-store",
                "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
            ],
        ),
        (
            "/",
            "",
            &[
                "HTTP/1.1 200",
                "Content-Security-Policy: default-src 'none'; script-src 'self'",
                "Cross-Origin-Opener-Policy: same-origin",
            ],
        ),
        ("/authz", "", &["HTTP/1.1 404", sandbox]),
        ("/healthz", "", &["HTTP/1.1 404", sandbox]),
    ] {
        let head = ask(target, more);
        let lines = || head.lines().map(str::trim_end);
        for expected in expected {
            assert!(lines().any(|line| line.starts_with(expected)), "{target}: {expected}: {head}");
        }
        let names = lines().filter_map(|line| line.split_once(": ")).map(|(name, _)| name);
        let is_spelt = |name: &str| {
            name.split('-').all(|word| word.starts_with(|c: char| c.is_ascii_uppercase()))
        };
        assert!(names.clone().all(is_spelt), "{target}: {head}");
        assert_eq!(names.filter(|name| *name == "Content-Security-Policy").count(), 1, "{head}");
    }
}

/// The token server believes the gateway, and no other client, from where a request comes.
#[test]
fn the_address_of_the_client() {
    let mut scene = OneAddress::new("");
    let from = |address: &str| format!("curl -s -o /dev/null --interface {address}");
    let url = "-u $user:$password https://$registry/oauth2/token";
    let forged = "-H 'X-Forwarded-For: 203.0.113.7' -H 'X-Scopegate-Gateway: Basic eA=='";
    scene.script(&format!("{} {forged} {url}", from("127.0.0.2")));
    let own = format!("http://127.0.0.1:{}/oauth2/token", scene.server.port());
    scene.script(&format!("{} {forged} -u $user:$password {own}", from("127.0.0.3")));
    let log = scene.server.process().log();
    for (address, is_there) in [("127.0.0.2", true), ("127.0.0.3", true), ("203.0.113.7", false)] {
        assert_eq!(log.contains(address), is_there, "{address}: {log}");
    }
    assert!(!scene.gateway.log().contains("realm is another one"), "{}", scene.gateway.log());
}

/// A token server whose publicUrl is another address is named in the log.
#[test]
fn a_realm_that_leads_elsewhere() {
    let (server, _) = Server::with(Settings::default(), "{}");
    let (registry, authority) = (Echo::start(0), Authority::new());
    let gateway = Gateway::for_both(free_port(), registry.port(), &server, &authority, "");
    eventually(Duration::from_secs(10), || match gateway.log() {
        log if log.contains("realm is another one") => Ok(()),
        log => Err(log),
    });
}

/// podman and skopeo log in, push and pull through the one address.
#[test]
fn containers_through_one_address() {
    let scene = OneAddress::new("");
    let named = |repository: &str| format!("{}/{repository}:v1", scene.host());
    let skopeo = scene.push(&["team/hello:v1"]);
    skopeo.copy(&named("team/hello"), &named("team/copy")).unwrap();
    skopeo.delete(&named("team/copy")).unwrap();
    let podman = Podman::new();
    podman.login(&scene.host(), "MyToken", "wrong").unwrap_err();
    podman.login(&scene.host(), "MyToken", &scene.password).unwrap();
    podman.pull(&named("team/hello")).unwrap();
    podman.tag(&named("team/hello"), &named("team/more")).unwrap();
    podman.push(&named("team/more")).unwrap();
}

/// `az` finds everything at the one address: it registers the cloud, logs in, makes a token, and
/// that token pushes.
#[test]
fn az_through_one_address() {
    let scene = OneAddress::new("");
    let az = Az::trusting(&scene.authority.certificate());
    az.sign_in(&format!("https://{}", scene.host()), &scene.gateway.administrator);
    let acr = |arguments: &[&str]| az.acr(&[arguments, &["-r", "registry"]].concat()).unwrap();
    let create = ["token", "create", "-n", "FromAz", "--repository", "samples/hello-world"];
    let token = acr(&[&create[..], &["content/write", "content/read"]].concat());
    let password = token["credentials"]["passwords"][0]["value"].as_str().unwrap();
    let image = image::make(scene.gateway.folder());
    let skopeo = Skopeo::trusting(&scene.authority);
    skopeo.login(&scene.host(), "FromAz", password).unwrap();
    skopeo.push(&image, &format!("{}/samples/hello-world:v1", scene.host())).unwrap();
    skopeo.push(&image, &format!("{}/samples/nginx:v1", scene.host())).unwrap_err();
    let shown = acr(&["token", "show", "-n", "FromAz"]);
    assert_eq!(shown["status"], json!("enabled"), "{shown}");
    acr(&["token", "delete", "-n", "FromAz", "--yes"]);
    skopeo.login(&scene.host(), "FromAz", password).unwrap_err();
}

/// The connections of all clients of a gateway are those of one client at the token server: one
/// that sends slowly must hold none of them.
#[test]
fn a_body_that_comes_slowly_holds_no_connection_of_the_token_server() {
    let (server, _) = Server::with(Settings::default(), &seed(&[("*", ALL)]));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let connected = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connected);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || std::io::copy(&mut &stream, &mut std::io::sink()));
        }
    });
    let config = format!("tokenServer: {{url: \"{url}\"}}\ntimeouts: {{client: 10s}}\n");
    let gateway = Gateway::before(free_port(), &server, &config);
    // It asks for the realm first.
    let connections = || connected.load(Ordering::SeqCst);
    eventually(Duration::from_secs(10), || if connections() == 0 { Err("none") } else { Ok(()) });
    let before = connections();
    let head = "POST /oauth2/token HTTP/1.1\r\nHost: r\r\n";
    let mut slow: Vec<_> =
        ["Content-Length: 3\r\n\r\na=", "Transfer-Encoding: chunked\r\n\r\n2\r\na=\r\n"]
            .into_iter()
            .map(|rest| {
                let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, gateway.port())).unwrap();
                stream.write_all(format!("{head}{rest}").as_bytes()).unwrap();
                stream
            })
            .collect();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(connections(), before);
    for (stream, end) in slow.iter_mut().zip(["b", "1\r\nb\r\n0\r\n\r\n"]) {
        stream.write_all(end.as_bytes()).unwrap();
    }
    eventually(Duration::from_secs(5), || match connections() - before {
        2 => Ok(()),
        other => Err(format!("{other} connections")),
    });
}

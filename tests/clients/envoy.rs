//! Our filter in Envoy, before a registry without authentication.

use std::io::{BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::edge::{self, ALL};
use crate::software::echo::Echo;
use crate::software::process::{eventually, run};
use crate::software::proxy::{Proxy, filter};
use crate::software::registry::Registry;
use crate::software::server::{Administrator, Server, Settings, seed};
use crate::software::wire::{ask, read_head};

/// A token server, an upstream, and Envoy between them and everybody.
struct Scene<U> {
    server: Server,
    administrator: Administrator,
    upstream: U,
    envoy: Proxy,
    password: String,
}

/// How Envoy is started: before an upstream, with a token server.
type Start = fn(u16, &Server) -> Proxy;

impl<U> Scene<U> {
    fn new(upstream: U, port: fn(&U) -> u16, rules: &[(&str, &[&str])]) -> Self {
        Self::with(Proxy::filter, "ES256", upstream, port, rules)
    }

    /// With keys for an algorithm.
    fn with(
        start: Start,
        algorithm: &str,
        upstream: U,
        port: fn(&U) -> u16,
        rules: &[(&str, &[&str])],
    ) -> Self {
        let config = Some(format!("tokens: {{algorithm: {algorithm}}}\n"));
        let (server, passwords) =
            Server::with(Settings { config, ..Settings::default() }, &seed(rules));
        let administrator = server.administrator();
        let envoy = start(port(&upstream), &server);
        let password = passwords.into_iter().next().expect("no password was generated");
        let scene = Self { server, administrator, upstream, envoy, password };
        edge::decides(scene.envoy.port(), &scene.server, &scene.password);
        scene
    }

    fn bearer(&self, scopes: &str) -> String {
        edge::bearer(&self.server, &self.password, scopes)
    }
}

/// skopeo pushes, lists, mounts and deletes where the map says, and nowhere else.
#[test]
fn skopeo_through_envoy() {
    let scene = Scene::new(Registry::open(), Registry::port, &edge::RULES);
    edge::walk(&scene.envoy.host(), scene.envoy.folder(), &scene.password);
}

/// Whatever comes in, the registry hears the engine's spelling of it, or nothing.
#[test]
fn one_spelling_reaches_the_registry() {
    let rules = [("team/app", ALL), ("team", ALL)];
    let scene = Scene::new(Echo::start(2), Echo::port, &rules);
    edge::one_spelling(scene.envoy.port(), &scene.server, &scene.password, &scene.upstream);
}

/// What two readers could read in two ways does not reach the registry, and what a browser would
/// obey does not come back.
#[test]
fn second_readings_and_obedience() {
    let scene = Scene::new(Echo::start(0), Echo::port, &[("team/app", ALL)]);
    let bearer = scene.bearer("repository:team/app:pull");
    edge::refuses_second_readings(scene.envoy.port(), &scene.upstream, &bearer);
    edge::restrains_answers(scene.envoy.port(), &bearer);
}

/// What a client says of where it comes from, and its token, stay at Envoy.
#[test]
fn what_the_registry_hears_of_the_client() {
    let scene = Scene::new(Echo::start(0), Echo::port, &[("team/app", ALL)]);
    let bearer = scene.bearer("repository:team/app:pull");
    let heard = edge::keeps_to_itself(scene.envoy.port(), &scene.upstream, &[&bearer]);
    assert!(heard.iter().any(|line| line == "x-forwarded-for: 127.0.0.1"), "{heard:?}");
}

/// A token in the query opens nothing, and is not in the log.
#[test]
fn a_token_in_the_query() {
    let scene = Scene::new(Echo::start(0), Echo::port, &[("team/app", ALL)]);
    let bearer = scene.bearer("repository:team/app:pull");
    check_token_in_the_query(&scene.envoy, &bearer);
    assert!(scene.upstream.heard().is_empty());
    // What a registry has put into the address of an upload is for it alone.
    let target = "/v2/team/app/blobs/uploads/u?_state=c2VjcmV0&digest=sha256:0";
    ask(scene.envoy.port(), "PUT", target, &["Content-Length: 0"]);
    is_logged(&scene.envoy, "/v2/team/app/blobs/uploads/u?_state=***&digest=sha256:0");
    assert!(!scene.envoy.log().contains("c2VjcmV0"), "{}", scene.envoy.log());
}

#[track_caller]
fn check_token_in_the_query(envoy: &Proxy, bearer: &str) {
    let token = bearer.trim_start_matches("Authorization: Bearer ");
    for (separator, status) in [('?', 401), ('#', 400), (';', 404)] {
        let target = format!("/v2/team/app/manifests/v1{separator}access_token={token}");
        assert_eq!(ask(envoy.port(), "GET", &target, &[]).status, status, "{separator}");
    }
    is_logged(envoy, "/v2/team/app/manifests/v1?access_token=***");
    let signature = token.rsplit('.').next().unwrap();
    assert!(!envoy.log().contains(signature), "{}", envoy.log());
}

/// Waits until the log has a decision about a target.
#[track_caller]
fn is_logged(envoy: &Proxy, target: &str) {
    let line = format!(" target={target}");
    eventually(Duration::from_secs(5), || {
        let log = envoy.log();
        log.contains(&line).then_some(()).ok_or(log)
    });
}

/// A request with two is refused with a reason: the registry could read the other one.
#[test]
fn two_tokens() {
    let scene = Scene::new(Echo::start(0), Echo::port, &[("team/app", ALL)]);
    let bearer = scene.bearer("repository:team/app:pull");
    let target = "/v2/team/app/manifests/v1";
    for (headers, status) in [(&[&bearer, &bearer][..], 401), (&[&bearer], 200)] {
        let headers: Vec<&str> = headers.iter().map(|header| header.as_str()).collect();
        assert_eq!(ask(scene.envoy.port(), "GET", target, &headers).status, status);
    }
}

/// Two configurations share a module, and a request is decided by that of the listener it came to.
#[test]
fn two_configurations() {
    let (server, passwords) = Server::with(Settings::default(), &seed(&[("team/app", ALL)]));
    let upstream = Echo::start(0);
    let (envoy, other) = Proxy::filter_twice(upstream.port(), &server, "other.example");
    edge::decides(envoy.port(), &server, &passwords[0]);
    let bearer = edge::bearer(&server, &passwords[0], "repository:team/app:pull");
    for _ in 0..20 {
        for (port, status) in [(envoy.port(), 200), (other, 401)] {
            let answer = ask(port, "GET", "/v2/team/app/manifests/v1", &[&bearer]);
            assert_eq!(answer.status, status, "{answer:?}");
        }
    }
}

/// A token whose principal was disabled is no good two seconds later.
#[test]
fn revocation() {
    let scene = Scene::new(Echo::start(0), Echo::port, &[("team/app", ALL)]);
    let bearer = scene.bearer("repository:team/app:pull");
    edge::revocation(scene.envoy.port(), &scene.server, &scene.administrator, &bearer);
}

/// Envoy verifies keys of either type for the filter, each token once; and one that is nearly the
/// same, not at all.
#[test]
fn keys_of_each_type() {
    for algorithm in ["ES256", "RS256"] {
        let rules: [(&str, &[&str]); 1] = [("team/app", ALL)];
        let scene = Scene::with(Proxy::filter, algorithm, Echo::start(0), Echo::port, &rules);
        let good = scene.bearer("repository:team/app:pull");
        let (message, signature) = good.rsplit_once('.').unwrap();
        let letter = if signature.starts_with('A') { "B" } else { "A" };
        let forged = format!("{message}.{letter}{}", &signature[1..]);
        let other = scene.bearer("repository:team/app:push");
        let borrowed = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
        for (bearer, status) in [(&good, 200), (&forged, 401), (&borrowed, 401), (&good, 200)] {
            let answer = ask(scene.envoy.port(), "GET", "/v2/team/app/manifests/v1", &[bearer]);
            assert_eq!(answer.status, status, "{algorithm} {bearer}: {answer:?}");
        }
    }
}

/// Tokens of a key that has leaked end, those of the next are good, and Envoy does not have to be
/// restarted.
#[test]
fn a_key_that_leaked() {
    let scene = Scene::new(Echo::start(0), Echo::port, &[("team/app", ALL)]);
    let pull = |bearer: &str| {
        ask(scene.envoy.port(), "GET", "/v2/team/app/manifests/v1", &[bearer]).status
    };
    let old = scene.bearer("repository:team/app:pull");
    assert_eq!(pull(&old), 200);
    scene.server.replace_keys();
    // The server signs with the next key from a moment later on.
    eventually(Duration::from_secs(20), || {
        let status = pull(&scene.bearer("repository:team/app:pull"));
        (status == 200 && pull(&old) == 401).then_some(()).ok_or(status)
    });
}

/// A token server that stops in the middle of its answers ends no filter: what is known goes on,
/// and what is new is heard afterwards.
#[test]
fn half_answers() {
    let (server, passwords) = Server::with(Settings::default(), &seed(&[("team/app", ALL)]));
    let (echo, between) = (Echo::start(0), Halfway::before(server.port()));
    let administrator = server.administrator();
    let envoy = Proxy::filter_asking(between.port, echo.port(), &server);
    edge::decides(envoy.port(), &server, &passwords[0]);
    let bearer = edge::bearer(&server, &passwords[0], "repository:team/app:pull");
    let misses = || envoy.log().matches("revocation feed fetch failed").count();
    let before = misses();
    between.is_half.store(true, Ordering::SeqCst);
    // Each of the two threads has asked in vain, and one of them twice.
    eventually(Duration::from_secs(10), || {
        (misses() > before + 2).then_some(()).ok_or_else(|| envoy.log())
    });
    for _ in 0..8 {
        let answer = ask(envoy.port(), "GET", "/v2/team/app/manifests/v1", &[&bearer]);
        assert_eq!(answer.status, 200, "{answer:?} {}", envoy.log());
    }
    between.is_half.store(false, Ordering::SeqCst);
    std::thread::sleep(Duration::from_secs(1));
    edge::revocation(envoy.port(), &server, &administrator, &bearer);
    assert!(!envoy.log().contains("RuntimeError"), "{}", envoy.log());
}

/// Hands on each request and its answer, or answers the half of it and hangs up.
struct Halfway {
    port: u16,
    is_half: Arc<AtomicBool>,
}

impl Halfway {
    fn before(upstream: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let is_half = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_half);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let flag = Arc::clone(&flag);
                std::thread::spawn(move || Self::answer(client, upstream, &flag));
            }
        });
        Self { port, is_half }
    }

    fn answer(mut client: TcpStream, upstream: u16, is_half: &AtomicBool) -> Option<()> {
        let (first, headers) = read_head(&mut BufReader::new(client.try_clone().ok()?))?;
        if is_half.load(Ordering::SeqCst) {
            let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{";
            return client.write_all(half).ok();
        }
        let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, upstream)).ok()?;
        let request = [&[first], &headers[..]].concat().join("\r\n");
        server.write_all(format!("{request}\r\nConnection: close\r\n\r\n").as_bytes()).ok()?;
        std::io::copy(&mut server, &mut client).ok().map(drop)
    }
}

/// Where `jwt_authn` verifies, keys of Ed25519 do too.
#[test]
fn by_way_of_jwt_authn() {
    let registry = Registry::open();
    let scene = Scene::with(Proxy::jwt_authn, "EdDSA", registry, Registry::port, &edge::RULES);
    edge::walk(&scene.envoy.host(), scene.envoy.folder(), &scene.password);
    let scene =
        Scene::with(Proxy::jwt_authn, "ES256", Echo::start(0), Echo::port, &[("team/app", ALL)]);
    let bearer = scene.bearer("repository:team/app:pull");
    check_token_in_the_query(&scene.envoy, &bearer);
    edge::revocation(scene.envoy.port(), &scene.server, &scene.administrator, &bearer);
}

/// The filter is refused as a whole when anything in its configuration is wrong, and Envoy does not
/// start without it.
#[test]
fn a_wrong_configuration() {
    let (server, _) = Server::with(Settings::default(), "{}");
    for (from, to, expected) in [
        ("\"realm\"", "\"relm\"", "unknown field `relm`"),
        (
            "\"service\"",
            "\"catalog\": \"filtered\", \"service\"",
            "`filtered` is not one of root, never",
        ),
    ] {
        let said = Proxy::refused(&server, from, to);
        assert!(said.contains(expected), "{said}");
    }
}

/// The module wants nothing of its host but what proxy-wasm has, and is small.
#[test]
fn the_module() {
    let list = "const m = new WebAssembly.Module(require('fs').readFileSync(process.argv[1]));
        for (const { module, name } of WebAssembly.Module.imports(m)) console.log(`${module}.${name}`)";
    let imports = run(Command::new("node").args(["-e", list]).arg(filter()));
    assert!(imports.lines().count() > 5);
    for import in imports.lines() {
        assert!(import.starts_with("env.proxy_"), "{import}");
    }
    let size = filter().metadata().unwrap().len();
    assert!(size <= 130_000, "{size}");
}

//! nginx, Caddy and Envoy before a registry without authentication, each of which asks the token
//! server about every request.

use std::time::{Duration, Instant};

use crate::edge::{self, ALL};
use crate::software::echo::Echo;
use crate::software::proxy::{Kind, Proxy};
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings, seed};
use crate::software::wire::ask;

const EACH: [Kind; 3] = [Kind::Nginx, Kind::Caddy, Kind::Envoy];

/// A token server, an upstream, and a proxy between them and everybody.
struct Scene<U> {
    server: Server,
    upstream: U,
    proxy: Proxy,
    password: String,
}

impl<U> Scene<U> {
    fn new(kind: Kind, upstream: U, port: fn(&U) -> u16, rules: &[(&str, &[&str])]) -> Self {
        let (server, passwords) = Server::with(Settings::asked_by_proxies(), &seed(rules));
        let proxy = Proxy::before(kind, port(&upstream), &server);
        let password = passwords.into_iter().next().expect("no password was generated");
        Self { server, upstream, proxy, password }
    }

    fn bearer(&self, scopes: &str) -> String {
        edge::bearer(&self.server, &self.password, scopes)
    }
}

/// skopeo pushes, lists, mounts and deletes where the map says, and nowhere else.
#[test]
fn skopeo_through_each() {
    for kind in EACH {
        let scene = Scene::new(kind, Registry::open(), Registry::port, &edge::RULES);
        edge::walk(&scene.proxy.host(), scene.proxy.folder(), &scene.password);
    }
}

/// Whatever comes in, the registry hears nothing that was not decided on.
#[test]
fn nothing_else_reaches_the_registry() {
    let rules = [("team/app", ALL), ("team", ALL)];
    for kind in EACH {
        let scene = Scene::new(kind, Echo::start(2), Echo::port, &rules);
        let (port, rewrites) = (scene.proxy.port(), kind == Kind::Nginx);
        edge::nothing_else(port, &scene.server, &scene.password, &scene.upstream, rewrites);
    }
}

/// What two readers could read in two ways does not reach the registry, and what a browser would
/// obey does not come back.
#[test]
fn second_readings_and_obedience() {
    for kind in EACH {
        let scene = Scene::new(kind, Echo::start(0), Echo::port, &[("team/app", ALL)]);
        let bearer = scene.bearer("repository:team/app:pull");
        edge::refuses_second_readings(scene.proxy.port(), &scene.upstream, &bearer);
        edge::restrains_answers(scene.proxy.port(), &bearer);
    }
}

/// What a client says of where it comes from, and its token, stay at the proxy.
#[test]
fn what_the_registry_hears_of_the_client() {
    for kind in EACH {
        let scene = Scene::new(kind, Echo::start(0), Echo::port, &[("team/app", ALL)]);
        let bearer = scene.bearer("repository:team/app:pull");
        let heard = edge::keeps_to_itself(scene.proxy.port(), &scene.upstream, &[&bearer]);
        assert!(
            heard.iter().any(|line| line == "x-forwarded-for: 127.0.0.1"),
            "{kind:?} {heard:?}"
        );
    }
}

/// A token whose principal was disabled is no good any more.
#[test]
fn revocation() {
    for kind in EACH {
        let scene = Scene::new(kind, Echo::start(0), Echo::port, &[("team/app", ALL)]);
        let bearer = scene.bearer("repository:team/app:pull");
        let administrator = scene.server.administrator();
        edge::revocation(scene.proxy.port(), &scene.server, &administrator, &bearer);
    }
}

/// When the token server is gone, nothing goes on.
#[test]
fn without_the_token_server() {
    for kind in EACH {
        let mut scene = Scene::new(kind, Echo::start(0), Echo::port, &[("team/app", ALL)]);
        let bearer = scene.bearer("repository:team/app:pull");
        scene.server.process().kill();
        let answer = ask(scene.proxy.port(), "GET", "/v2/team/app/manifests/v1", &[&bearer]);
        assert!(answer.status >= 500, "{kind:?} {answer:?}");
        assert!(scene.upstream.heard().is_empty(), "{kind:?}");
    }
}

/// A token server that hangs: the proxy waits for it for seconds, and lets nothing through.
#[test]
fn a_token_server_that_hangs_is_given_up() {
    for kind in EACH {
        let mut scene = Scene::new(kind, Echo::start(0), Echo::port, &[("team/app", ALL)]);
        let bearer = scene.bearer("repository:team/app:pull");
        let target = "/v2/team/app/manifests/v1";
        edge::decides(scene.proxy.port(), &scene.server, &scene.password);
        scene.server.process().freeze();
        let began = Instant::now();
        let status = ask(scene.proxy.port(), "GET", target, &[&bearer]).status;
        let took = began.elapsed();
        scene.server.process().thaw();
        assert!(took < Duration::from_secs(9), "{kind:?}: {took:?}");
        let expected: &[u16] = match kind {
            Kind::Nginx => &[503],
            // By its own statuses: it has no decision to translate.
            Kind::Caddy => &[502, 504],
            _ => &[403, 503],
        };
        assert!(expected.contains(&status), "{kind:?}: {status}");
    }
}

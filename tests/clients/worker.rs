//! Our Worker in workerd, before a registry without authentication.

use crate::edge::{self, ALL};
use crate::software::echo::Echo;
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings, seed};
use crate::software::workerd::Workerd;

/// A token server, an upstream, and a Worker between them and everybody.
struct Scene<U> {
    server: Server,
    upstream: U,
    worker: Workerd,
    password: String,
}

impl<U> Scene<U> {
    fn new(upstream: U, port: fn(&U) -> u16, rules: &[(&str, &[&str])]) -> Self {
        let (server, passwords) = Server::with(Settings::default(), &seed(rules));
        let worker = Workerd::before(port(&upstream), &server);
        let password = passwords.into_iter().next().expect("no password was generated");
        Self { server, upstream, worker, password }
    }

    fn bearer(&self, scopes: &str) -> String {
        edge::bearer(&self.server, &self.password, scopes)
    }
}

/// skopeo pushes, lists, mounts and deletes where the map says, and nowhere else.
#[test]
fn skopeo_through_the_worker() {
    let scene = Scene::new(Registry::open(), Registry::port, &edge::RULES);
    edge::walk(&scene.worker.host(), scene.worker.folder(), &scene.password);
}

/// Whatever comes in, the registry hears the engine's spelling of it, or nothing.
#[test]
fn one_spelling_reaches_the_registry() {
    let rules = [("team/app", ALL), ("team", ALL)];
    let scene = Scene::new(Echo::start(2), Echo::port, &rules);
    edge::one_spelling(scene.worker.port(), &scene.server, &scene.password, &scene.upstream);
}

/// What two readers could read in two ways does not reach the registry, and what a browser would
/// obey does not come back.
#[test]
fn second_readings_and_obedience() {
    let scene = Scene::new(Echo::start(0), Echo::port, &[("team/app", ALL)]);
    let bearer = scene.bearer("repository:team/app:pull");
    edge::refuses_second_readings(scene.worker.port(), &scene.upstream, &bearer);
    edge::restrains_answers(scene.worker.port(), &bearer);
}

/// What a client says of where it comes from, and its token, stay at the Worker.
#[test]
fn what_the_registry_hears_of_the_client() {
    let scene = Scene::new(Echo::start(0), Echo::port, &[("team/app", ALL)]);
    let bearer = scene.bearer("repository:team/app:pull");
    let these = [bearer.as_str(), "CF-Connecting-IP: 10.0.0.1"];
    let heard = edge::keeps_to_itself(scene.worker.port(), &scene.upstream, &these);
    let says = |start: &str| heard.iter().any(|line| line.starts_with(start));
    assert!(!says("x-") && !says("cf-"), "{heard:?}");
}

/// A token whose principal was disabled is no good two seconds later.
#[test]
fn revocation() {
    let scene = Scene::new(Echo::start(0), Echo::port, &[("team/app", ALL)]);
    let bearer = scene.bearer("repository:team/app:pull");
    edge::revocation(scene.worker.port(), &scene.server, &scene.worker.administrator, &bearer);
}

/// The example starts as it stands.
#[test]
fn the_example() {
    Workerd::takes_the_example();
}

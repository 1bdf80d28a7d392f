//! Writes that a gateway leaves behind, because it was killed or lost its lock while the registry
//! was at work. Once a lock was answered, none of them arrives, through any gateway; and what was
//! pushed is not deleted by one.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::scene::{ALL, IMAGE, Scene, digest};
use crate::software::postgres::Postgres;
use crate::software::registry::Registry;
use crate::software::slow::Slow;

/// How long the registry takes: longer than a gateway to start, and shorter than locks outlive
/// their holder.
const DELAY: Duration = Duration::from_millis(2500);

/// One gateway whose registry is slow at one method, another that is not, and an image of which
/// `v1` is the first version.
struct Pair {
    slow: Slow,
    first: Scene,
    other: Scene,
    images: [String; 2],
}

impl Pair {
    /// Both share an index in PostgreSQL; without one each has its own.
    fn new(method: &'static str, postgres: Option<&Postgres>) -> Self {
        let more = postgres.map(|postgres| format!(", databaseUrl: \"{}\"", postgres.url()));
        let more = more.unwrap_or_default();
        let other = Scene::with(Registry::open(), &[("*", ALL)], &more);
        other.push("team/app", "v1", "one");
        let images = ["one", "two"].map(|text| other.image("team/app", text));
        let slow = Slow::before(other.registry.port());
        slow.hold(&[method, "/manifests/"], DELAY);
        let (registry, server) = (Arc::clone(&other.registry), Arc::clone(&other.server));
        let data = Arc::new(tempfile::tempdir().unwrap());
        let first = Scene::at(slow.port(), registry, server, other.password.clone(), data, &more);
        Self { slow, first, other, images }
    }

    /// Does something when the registry has read a write of the first gateway.
    fn while_writing(&mut self, method: &str, reference: &str, then: impl FnOnce(&mut Self)) {
        let url = format!("http://{}/v2/team/app/manifests/{reference}", self.first.gateway.host());
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.first.client.request(method, url);
        let request = request.basic_auth("MyToken", Some(&self.first.password));
        let request = request.header("content-type", IMAGE).body(self.images[1].clone());
        // Its client may read an answer or not.
        let writing = std::thread::spawn(move || request.send().map(drop));
        self.slow.wait();
        then(self);
        let _ = writing.join().unwrap();
    }

    /// A lock that is answered holds from then on.
    #[track_caller]
    fn lock(scene: &Scene) {
        let locked = scene.patch("/acr/v1/team/app/_tags/v1", r#"{"writeEnabled":false}"#);
        assert_eq!(locked.status, 200, "{}", locked.body);
        let locked = locked.json()["tag"]["digest"].clone();
        std::thread::sleep(DELAY);
        assert_eq!(at(scene, "v1"), locked, "a push arrived after the lock");
    }
}

/// Where a tag points in the registry.
fn at(scene: &Scene, tag: &str) -> Value {
    scene.get(&format!("/acr/v1/team/app/_tags/{tag}")).json()["tag"]["digest"].clone()
}

/// Ends the connections that hold locks of repositories.
fn end_locks(postgres: &Postgres) {
    let statement = "select count(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory' and granted";
    assert_eq!(postgres.ask(statement), "1");
}

#[test]
fn by_a_gateway_that_was_killed() {
    at_once(&[
        a_push_of_a_gateway_that_was_killed,
        a_deletion_of_a_gateway_that_was_killed,
        a_push_of_another_gateway_that_was_killed,
    ]);
}

#[test]
fn by_a_gateway_that_lost_its_lock() {
    at_once(&[
        a_push_of_another_gateway_that_lost_its_lock,
        a_deletion_of_another_gateway_that_lost_its_lock,
    ]);
}

/// They wait most of their time.
fn at_once(cases: &[fn()]) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(case);
        }
    });
}

fn a_push_of_a_gateway_that_was_killed() {
    Pair::new("PUT", None).while_writing("PUT", "v1", |pair| {
        pair.first.gateway.crash();
        pair.first.gateway.restart();
        Pair::lock(&pair.first);
    });
}

fn a_deletion_of_a_gateway_that_was_killed() {
    let mut pair = Pair::new("DELETE", None);
    let first = digest(&pair.images[0]);
    pair.while_writing("DELETE", &first, |pair| {
        pair.first.gateway.crash();
        pair.first.gateway.restart();
        let pushed = pair.first.put("team/app", "v2", IMAGE, &pair.images[0]);
        assert_eq!(pushed.status, 201, "{}", pushed.body);
        std::thread::sleep(DELAY);
        assert_eq!(pair.first.get("/v2/team/app/manifests/v2").status, 200);
    });
}

fn a_push_of_another_gateway_that_was_killed() {
    let postgres = Postgres::start();
    Pair::new("PUT", Some(&postgres)).while_writing("PUT", "v1", |pair| {
        pair.first.gateway.crash();
        Pair::lock(&pair.other);
    });
}

fn a_push_of_another_gateway_that_lost_its_lock() {
    let postgres = Postgres::start();
    Pair::new("PUT", Some(&postgres)).while_writing("PUT", "v1", |pair| {
        end_locks(&postgres);
        Pair::lock(&pair.other);
        // Nothing is left of it.
        assert_eq!(postgres.ask("select count(*) from pending_writes"), "0");
    });
}

fn a_deletion_of_another_gateway_that_lost_its_lock() {
    let postgres = Postgres::start();
    let mut pair = Pair::new("DELETE", Some(&postgres));
    let first = digest(&pair.images[0]);
    pair.while_writing("DELETE", &first, |pair| {
        end_locks(&postgres);
        let pushed = pair.other.put("team/app", "v2", IMAGE, &pair.images[0]);
        assert_eq!(pushed.status, 201, "{}", pushed.body);
        std::thread::sleep(DELAY);
        assert_eq!(pair.other.get("/v2/team/app/manifests/v2").status, 200);
    });
}

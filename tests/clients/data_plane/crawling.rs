//! Filling the index from a large registry: how long it takes, how much memory, and how many
//! requests the registry gets at one time.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::scene::{ALL, figure, sized};
use crate::edge;
use crate::software::gateway::Gateway;
use crate::software::large::{Large, Size};
use crate::software::server::{Server, Settings, seed};

/// The most requests that the registry gets at one time: 16 for artifacts, and one for a list.
const AT_ONCE: usize = 17;
const TAGS: usize = 20;
const IMAGES_IN_A_PAGE: usize = 100;

struct Scene {
    large: Large,
    gateway: Gateway,
    authorization: String,
    _server: Server,
    data: tempfile::TempDir,
}

impl Scene {
    fn new(size: Size, more: &str) -> Self {
        let (server, passwords) = Server::with(Settings::default(), &seed(&[("*", ALL)]));
        let scopes = "registry:catalog:* repository:r/000000:metadata_read,pull";
        let authorization = edge::bearer(&server, &passwords[0], scopes);
        let large = Large::start(size);
        let data = tempfile::tempdir().unwrap();
        let index = format!("index: {{data: {}{more}}}\n", data.path().display());
        let gateway = Gateway::before(large.port(), &server, &index);
        Self { large, gateway, authorization, _server: server, data }
    }

    fn get(&self, path: &str) -> Value {
        let (name, value) = self.authorization.split_once(": ").unwrap();
        let url = format!("http://{}{path}", self.gateway.host());
        let client = reqwest::blocking::Client::builder().timeout(Duration::from_secs(60)).build();
        let answer = client.unwrap().get(url).header(name, value).send().unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().unwrap()
    }
}

/// A gateway looks through a whole registry when it first starts.
#[test]
fn a_large_registry() {
    let repositories = sized(30, 10_000);
    let size = Size { repositories, tags: TAGS, is_listed: true, delay: Duration::ZERO };
    let begun = Instant::now();
    let scene = Scene::new(size, ", crawlRate: 100000");
    while !scene.gateway.log().contains("the registry was looked through") {
        assert!(begun.elapsed() < sized(Duration::from_secs(60), Duration::from_secs(7200)));
        std::thread::sleep(sized(Duration::from_millis(50), Duration::from_secs(1)));
    }
    let (seconds, megabytes) = (begun.elapsed().as_secs(), scene.gateway.peak_memory() / 1024);
    let (requests, most) = scene.large.asked();
    // A head, a manifest and a configuration for each image.
    assert!((repositories * TAGS * 3..repositories * TAGS * 4).contains(&requests), "{requests}");
    assert!(most <= AT_ONCE, "{most} requests at one time");
    let file = std::fs::metadata(scene.data.path().join("index.db")).unwrap().len() >> 20;
    figure(
        &format!("a crawl of {repositories} repositories with {TAGS} tags each"),
        &format!(
            "{seconds} s, {megabytes} MB at most, {requests} requests, {most} at one time, a file of {file} MB"
        ),
    );
    let shown = scene.get("/acr/v1/r/000000");
    assert_eq!((&shown["tagCount"], &shown["manifestCount"]), (&TAGS.into(), &TAGS.into()));
    assert_eq!(shown["createdTime"], "2023-04-05T06:07:08Z", "{shown}");
}

/// A first look at a repository bounds what it asks of the registry, however many ask for it.
#[test]
fn a_first_look() {
    let delay = Duration::from_millis(2);
    let size = Size { repositories: 1, tags: IMAGES_IN_A_PAGE, is_listed: false, delay };
    let scene = Scene::new(size, ", freshFor: 1h");
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let page = scene.get("/acr/v1/r/000000/_tags?n=100");
                assert_eq!(page["tags"].as_array().unwrap().len(), IMAGES_IN_A_PAGE);
            });
        }
    });
    let (requests, most) = scene.large.asked();
    assert!(requests < IMAGES_IN_A_PAGE * 3 + 10, "{requests}");
    assert!(most <= AT_ONCE, "{most} requests at one time");
    figure(
        "a first look at 100 tags by 8 clients at once, registry 2 ms away",
        &format!("{} ms, {requests} requests, {most} at one time", begun.elapsed().as_millis()),
    );
    scene.get("/acr/v1/r/000000/_tags?n=100");
    assert_eq!(scene.large.asked().0, requests, "what is fresh is asked for again");
}

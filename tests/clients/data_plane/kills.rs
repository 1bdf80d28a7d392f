//! Gateways that are killed at random moments, while clients push, lock, unlock, untag and delete
//! through them.
//!
//! Each client remembers what was answered. After a kill the one request without an answer may have
//! been done or not; everything else is as it was answered. Then the registry is looked through,
//! and what the gateway shows is what the registry has.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::scene::{IMAGE, Scene, digest, figure, sized};
use crate::software::gateway::program;
use crate::software::process::{eventually, run};
use crate::software::registry::Registry;
use crate::software::registry::registries;

const TAGS: [&str; 3] = ["v1", "v2", "v3"];
const IMAGES: usize = 4;
const REPOSITORIES: [&str; 2] = ["team/app", "team/web"];
/// Enough for a slow machine to finish what a gateway left.
const TIMEOUT: Duration = Duration::from_secs(20);

#[test]
fn a_killed_gateway_forgets_nothing() {
    let seed = std::env::var("CLIENTS_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(()));
    println!("CLIENTS_SEED={seed}");
    std::thread::scope(|scope| {
        for ((registry, version), number) in registries().zip(["2.8.2", "3.1.1"]).zip(0..) {
            scope.spawn(move || kill_often(registry, version, seed.wrapping_add(number)));
        }
    });
}

fn kill_often(registry: Registry, version: &str, seed: u64) {
    let mut scene = Scene::before(registry);
    let begun = Instant::now();
    let mut random = Random(seed);
    let mut clients = REPOSITORIES.map(|repository| Client::new(&scene, repository, random.next()));
    let (kills, cut_off) = (sized(2, 50), AtomicUsize::new(0));
    for _ in 0..kills {
        std::thread::scope(|scope| {
            for client in &mut clients {
                scope.spawn(|| {
                    while client.step(&scene).is_ok() {}
                    let is_cut_off = usize::from(client.unanswered.is_some());
                    cut_off.fetch_add(is_cut_off, Ordering::SeqCst);
                });
            }
            std::thread::sleep(Duration::from_millis(100 + random.below(700)));
            scene.gateway.crash();
        });
        scene.gateway.restart();
        for client in &mut clients {
            client.recognise(&scene);
        }
        look_through(&scene);
        for client in &clients {
            client.compare(&scene);
        }
    }
    let steps: usize = clients.iter().map(|client| client.steps).sum();
    let cut_off = cut_off.into_inner();
    assert!(steps > kills * 10 && cut_off > 0, "{steps} steps, {cut_off} cut off");
    figure(
        &format!("{kills} kills of a gateway before CNCF distribution {version}"),
        &format!(
            "nothing lost; {steps} requests, {cut_off} cut off, in {} s",
            begun.elapsed().as_secs()
        ),
    );
}

/// What was deleted while no gateway looked is not counted when the registry was looked through.
#[test]
fn what_is_gone_is_not_counted() {
    let scene = Scene::before(Registry::open());
    let gone = scene.push("team/app", "v1", "one");
    scene.push("team/app", "v2", "two");
    // Of a manifest of which nothing is known yet it is found anyway.
    assert_eq!(scene.get("/acr/v1/team/app/_manifests").status, 200);
    assert_eq!(scene.behind("DELETE", &format!("/v2/team/app/manifests/{gone}"), None), 202);
    look_through(&scene);
    let shown = scene.get("/acr/v1/team/app").json();
    assert_eq!((&shown["tagCount"], &shown["manifestCount"]), (&1.into(), &1.into()), "{shown}");
}

/// Fills the index of the running gateway.
fn look_through(scene: &Scene) {
    run(Command::new(program()).arg("--config").arg(scene.gateway.config()).arg("crawl"));
}

/// A request of a client.
#[derive(Clone, Copy, Debug)]
enum Step {
    Push { tag: &'static str, image: usize },
    Set { tag: &'static str, is_locked: bool },
    Untag { tag: &'static str },
    Delete { image: usize },
}

/// What is in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    /// Where tags point.
    tags: BTreeMap<&'static str, usize>,
    /// Which of them are locked.
    locked: BTreeMap<&'static str, bool>,
    /// Which images are there.
    images: [bool; IMAGES],
}

impl State {
    fn is_locked(&self, tag: &str) -> bool {
        self.locked.get(tag).copied().unwrap_or_default()
    }

    /// The status of a request, and what is true then.
    fn after(&self, step: Step) -> (u16, Self) {
        let mut next = self.clone();
        let status = match step {
            Step::Push { tag, .. } if self.is_locked(tag) => 405,
            Step::Push { tag, image } => {
                next.tags.insert(tag, image);
                next.images[image] = true;
                201
            }
            Step::Set { tag, .. } | Step::Untag { tag } if !self.tags.contains_key(tag) => 404,
            Step::Set { tag, is_locked } => {
                next.locked.insert(tag, is_locked);
                200
            }
            Step::Untag { tag } if self.is_locked(tag) => 405,
            Step::Untag { tag } => {
                next.tags.remove(tag);
                202
            }
            Step::Delete { image } if self.tags_of(image).any(|tag| self.is_locked(tag)) => 405,
            Step::Delete { image } if !self.images[image] => 404,
            Step::Delete { image } => {
                next.tags.retain(|_, of| *of != image);
                next.images[image] = false;
                202
            }
        };
        (status, next)
    }

    fn tags_of(&self, image: usize) -> impl Iterator<Item = &'static str> {
        self.tags.iter().filter(move |(_, of)| **of == image).map(|(tag, _)| *tag)
    }
}

/// How long a gateway may be busy with what a killed one has left.
const BUSY_FOR: Duration = Duration::from_secs(75);

/// Who has a repository for itself.
struct Client {
    repository: &'static str,
    images: Vec<String>,
    random: Random,
    state: State,
    steps: usize,
    unanswered: Option<Step>,
}

impl Client {
    fn new(scene: &Scene, repository: &'static str, seed: u64) -> Self {
        let images = (0..IMAGES).map(|number| scene.image(repository, &number.to_string()));
        let locked = TAGS.map(|tag| (tag, false)).into();
        Self {
            repository,
            images: images.collect(),
            random: Random(seed),
            state: State { tags: BTreeMap::new(), locked, images: [false; IMAGES] },
            steps: 0,
            unanswered: None,
        }
    }

    /// Sends a request.
    ///
    /// # Errors
    ///
    /// When no answer came.
    fn step(&mut self, scene: &Scene) -> reqwest::Result<()> {
        let (tag, image) = (TAGS[self.random.index(TAGS.len())], self.random.index(IMAGES));
        let step = match self.random.below(10) {
            0..4 => Step::Push { tag, image },
            4 => Step::Set { tag, is_locked: true },
            5 | 6 => Step::Set { tag, is_locked: false },
            7 | 8 => Step::Untag { tag },
            _ => Step::Delete { image },
        };
        self.unanswered = Some(step);
        let start = Instant::now();
        let (mut status, mut body) = self.send(scene, step)?;
        // What was cut off is finished first, and until then nothing is done.
        while status == 503 && start.elapsed() < BUSY_FOR {
            sleep(Duration::from_millis(250));
            (status, body) = self.send(scene, step)?;
        }
        self.unanswered = None;
        let (expected, next) = self.state.after(step);
        assert_eq!(status, expected, "{}: {step:?} of {:?}: {body}", self.repository, self.state);
        self.state = next;
        self.steps += 1;
        Ok(())
    }

    fn send(&self, scene: &Scene, step: Step) -> reqwest::Result<(u16, String)> {
        let repository = self.repository;
        let (method, path, body) = match step {
            Step::Push { tag, image } => {
                let path = format!("/v2/{repository}/manifests/{tag}");
                ("PUT", path, self.images[image].clone())
            }
            Step::Set { tag, is_locked } => {
                let path = format!("/acr/v1/{repository}/_tags/{tag}");
                ("PATCH", path, format!("{{\"writeEnabled\":{}}}", !is_locked))
            }
            Step::Untag { tag } => {
                ("DELETE", format!("/acr/v1/{repository}/_tags/{tag}"), String::new())
            }
            Step::Delete { image } => {
                let digest = digest(&self.images[image]);
                ("DELETE", format!("/v2/{repository}/manifests/{digest}"), String::new())
            }
        };
        let content_type = match method {
            "PUT" => IMAGE,
            "PATCH" => "application/json",
            _ => "",
        };
        let answer = scene.try_to(method, &path, content_type, body.into_bytes())?;
        Ok((answer.status, answer.body))
    }

    /// What is there after a kill must be what was answered, with what was cut off or without it.
    #[track_caller]
    fn recognise(&mut self, scene: &Scene) {
        let cut_off = self.unanswered.take();
        let mut possible = vec![self.state.clone()];
        possible.extend(cut_off.map(|step| self.state.after(step).1));
        let context = || format!("{}: {cut_off:?} after {:?}", self.repository, self.state);
        // A gateway finishes what it began when it has started again.
        self.state = eventually(TIMEOUT, || {
            let found = self.look(scene);
            let is_possible = found.as_ref().is_ok_and(|found| possible.contains(found));
            if is_possible { found } else { Err(format!("{found:?}; {}", context())) }
        });
        // The lock does what it says, and changes are possible again from here on.
        for tag in TAGS.iter().filter(|tag| self.state.tags.contains_key(*tag)) {
            let step = Step::Push { tag, image: self.state.tags[tag] };
            let (expected, _) = self.state.after(step);
            assert_eq!(self.send(scene, step).unwrap().0, expected, "{step:?}");
            let step = Step::Set { tag, is_locked: self.state.is_locked(tag) };
            assert_eq!(self.send(scene, step).unwrap().0, 200, "{step:?}");
        }
    }

    /// What the gateway shows, which has to be what the registry has.
    fn look(&self, scene: &Scene) -> Result<State, String> {
        let mut found = self.state.clone();
        for tag in TAGS {
            let shown = scene.get(&format!("/acr/v1/{}/_tags/{tag}", self.repository));
            let held = self.held(scene, tag);
            if shown.status == 404 && held.is_none() {
                found.tags.remove(tag);
                continue;
            }
            let shown = &shown.json()["tag"];
            if shown["digest"].as_str() != held.as_deref() {
                return Err(format!("{tag} is shown as {shown}, and is {held:?}"));
            }
            let of = |image: &String| Some(digest(image)) == held;
            let image = self.images.iter().position(of).ok_or("a manifest of nobody's")?;
            found.tags.insert(tag, image);
            let is_open = shown["changeableAttributes"]["writeEnabled"].as_bool();
            found.locked.insert(tag, is_open == Some(false));
        }
        for (image, is_there) in self.images.iter().zip(&mut found.images) {
            *is_there = self.held(scene, &digest(image)).is_some();
            let path = format!("/v2/{}/manifests/{}", self.repository, digest(image));
            if (scene.ask("HEAD", &path).status == 200) != *is_there {
                return Err(format!("{path} is {is_there}"));
            }
        }
        Ok(found)
    }

    /// The digest of what the registry has.
    fn held(&self, scene: &Scene, reference: &str) -> Option<String> {
        let (port, repository) = (scene.registry.port(), self.repository);
        let url = format!("http://127.0.0.1:{port}/v2/{repository}/manifests/{reference}");
        let answer = scene.client.head(url).header("accept", IMAGE).send().unwrap();
        let digest = answer.headers().get("docker-content-digest");
        digest.filter(|_| answer.status() == 200).map(|digest| digest.to_str().unwrap().to_owned())
    }

    /// What is shown after the registry was looked through: that, and nothing else.
    #[track_caller]
    fn compare(&self, scene: &Scene) {
        let path = format!("/acr/v1/{}", self.repository);
        let State { tags, images, .. } = &self.state;
        let count = images.iter().filter(|is_there| **is_there).count();
        let shown = scene.get(&path);
        if tags.is_empty() && count == 0 {
            assert_eq!(shown.status, 404, "{}", shown.body);
            return;
        }
        let shown = shown.json();
        let counts = ["tagCount", "manifestCount"].map(|name| shown[name].as_u64());
        let expected = [tags.len(), count].map(|count| u64::try_from(count).ok());
        assert_eq!(counts, expected, "{}: {shown}", self.repository);
        let names = |list: &str, name: &str| {
            let page = scene.get(&format!("{path}/_{list}")).json();
            let items = page[list].as_array().cloned().unwrap_or_default();
            let names = items.iter().map(|item| item[name].as_str().unwrap().to_owned());
            names.collect::<Vec<_>>()
        };
        assert_eq!(names("tags", "name"), tags.keys().copied().collect::<Vec<_>>());
        let there = self.images.iter().zip(images).filter(|(_, is_there)| **is_there);
        let mut there: Vec<_> = there.map(|(image, _)| digest(image)).collect();
        there.sort_unstable();
        assert_eq!(names("manifests", "digest"), there);
        let catalog: Value = scene.get("/acr/v1/_catalog").json();
        assert!(catalog.to_string().contains(self.repository), "{catalog}");
    }
}

/// A sequence that a seed gives: SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.next() % length as u64).unwrap()
    }
}

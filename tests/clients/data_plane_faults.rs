//! The data plane while something goes wrong: a registry that is slow or fails, a gateway that
//! ends in the middle, clients that push bad manifests.

use std::process::Command;
use std::sync::Arc;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::software::faulty::{Fault, Faulty};
use crate::software::gateway::{Gateway, program};
use crate::software::postgres::Postgres;
use crate::software::process::{eventually, said};
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings, seed};

const ALL: &[&str] =
    &["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"];
const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// What nothing takes that does not wait.
const QUICK: Duration = Duration::from_secs(3);

/// A gateway with an index before a registry that can fail.
struct Scene {
    gateway: Gateway,
    faulty: Faulty,
    registry: Registry,
    server: Server,
    password: String,
    client: Client,
    data: Arc<TempDir>,
}

impl Scene {
    /// Looks through the registry; gives what it said.
    fn crawl(&self) -> String {
        let mut crawl = Command::new(program());
        crawl.arg("--config").arg(self.gateway.folder().join("gateway.yaml")).arg("crawl");
        said(&mut crawl)
    }

    fn before(registry: Registry, more: &str) -> Self {
        let (server, passwords) = Server::with(Settings::default(), &seed(&[("*", ALL)]));
        let password = passwords.into_iter().next().unwrap();
        let data = Arc::new(tempfile::tempdir().unwrap());
        let faulty = Faulty::before(registry.port());
        let gateway = Gateway::before(faulty.port(), &server, &index(&data, more));
        let client = Client::builder().timeout(Duration::from_secs(60)).build().unwrap();
        Self { gateway, faulty, registry, server, password, client, data }
    }

    /// Another gateway before the same registry, on the same folder.
    fn restart(&mut self, more: &str) {
        self.gateway = Gateway::before(self.faulty.port(), &self.server, &index(&self.data, more));
    }

    fn try_send(&self, method: &str, path: &str, body: &str) -> Result<(u16, String), String> {
        let url = format!("http://{}{path}", self.gateway.host());
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request =
            self.client.request(method, url).basic_auth("MyToken", Some(&self.password));
        request = request.header("accept", IMAGE);
        if !body.is_empty() {
            let kind = if path.starts_with("/acr") { "application/json" } else { IMAGE };
            request = request.header("content-type", kind).body(body.to_owned());
        }
        let answer = request.send().map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        Ok((status, answer.text().map_err(|error| error.to_string())?))
    }

    #[track_caller]
    fn send(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        self.try_send(method, path, body).unwrap()
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.send("GET", path, "")
    }

    /// Uploads a blob around the gateway; gives its descriptor.
    fn upload(&self, repository: &str, media_type: &str, text: &str) -> Value {
        let host = format!("http://127.0.0.1:{}", self.registry.port());
        let start = format!("{host}/v2/{repository}/blobs/uploads/");
        let started = self.client.post(start).body("").send().unwrap();
        let place = started.headers()["location"].to_str().unwrap().to_owned();
        let end = self.client.put(place).query(&[("digest", digest(text))]);
        let ended = end.header("content-type", "application/octet-stream").body(text.to_owned());
        assert_eq!(ended.send().unwrap().status(), 201);
        json!({ "mediaType": media_type, "digest": digest(text), "size": text.len() })
    }

    /// An image that differs by its text.
    fn image(&self, repository: &str, text: &str) -> String {
        self.image_of(repository, text, CONFIG)
    }

    fn image_of(&self, repository: &str, text: &str, config: &str) -> String {
        let body = json!({ "architecture": "amd64", "os": "linux", "x": text }).to_string();
        let config = self.upload(repository, config, &body);
        let layer = self.upload(repository, "application/vnd.oci.image.layer.v1.tar+gzip", text);
        json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": [layer] })
            .to_string()
    }

    /// Pushes an image; gives its digest.
    #[track_caller]
    fn push(&self, repository: &str, tag: &str, text: &str) -> String {
        let image = self.image(repository, text);
        let path = format!("/v2/{repository}/manifests/{tag}");
        let (status, body) = self.send("PUT", &path, &image);
        assert_eq!(status, 201, "{body}");
        digest(&image)
    }

    /// What the registry itself says.
    fn behind(&self, path: &str) -> u16 {
        let url = format!("http://127.0.0.1:{}{path}", self.registry.port());
        self.client.get(url).header("accept", IMAGE).send().unwrap().status().as_u16()
    }
}

/// With a database it has no folder.
fn index(data: &TempDir, more: &str) -> String {
    let data = format!("data: {}, ", data.path().display());
    let data = if more.contains("databaseUrl") { "" } else { &data };
    format!("index: {{{data}freshFor: 1s, waitFor: 10s{more}}}\n")
}

fn digest(text: &str) -> String {
    let hex: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// Both registries, where there are both.
fn registries() -> impl Iterator<Item = Registry> {
    [Some(Registry::open()), Registry::open_of_version_3()].into_iter().flatten()
}

/// What is late by this much when it is about a path.
fn late(path: &'static str, delay: Duration) -> impl Fn(&str) -> Option<Fault> {
    move |request| request.contains(path).then_some(Fault::Late(delay))
}

/// SIGTERM ends nothing that has begun, and takes nothing new.
#[test]
fn requests_in_flight_end_before_the_gateway() {
    for has_index in [true, false] {
        let mut scene = Scene::before(Registry::open(), "");
        if !has_index {
            scene.gateway = Gateway::before(scene.faulty.port(), &scene.server, "");
        }
        scene.push("team/app", "v1", "one");
        let image = scene.image("team/app", "two");
        scene.faulty.on(late("/v2/team/", Duration::from_secs(2)));
        let content = "/v2/team/app/manifests";
        let start = Instant::now();
        scope(|threads| {
            let scene = &scene;
            let pull = threads.spawn(move || scene.try_send("GET", &format!("{content}/v1"), ""));
            let push = threads.spawn(|| scene.try_send("PUT", &format!("{content}/v2"), &image));
            let list = threads.spawn(|| scene.try_send("GET", "/v2/team/app/tags/list", ""));
            for request in ["GET /v2/team/app/manifests", "PUT /v2/", "GET /v2/team/app/tags"] {
                scene.faulty.wait_for(request, "");
            }
            scene.gateway.ask_to_end();
            let expected = [(pull, 200), (push, 201), (list, 200)];
            for (request, expected) in expected {
                let answer = request.join().unwrap();
                assert_eq!(answer.map(|(status, _)| status), Ok(expected));
            }
        });
        assert!(scene.gateway.wait(), "{}", scene.gateway.log());
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
        scene.try_send("GET", "/v2/", "").unwrap_err();
    }
}

/// A connection that is idle keeps no gateway from ending.
#[test]
fn who_asks_nothing_is_not_waited_for() {
    let mut scene = Scene::before(Registry::open(), "");
    assert_eq!(scene.get("/v2/").0, 200);
    let start = Instant::now();
    scene.gateway.ask_to_end();
    assert!(scene.gateway.wait(), "{}", scene.gateway.log());
    assert!(start.elapsed() < QUICK, "{:?}", start.elapsed());
}

/// With PostgreSQL, 28 pushes to one repository, or to as many, while the registry is slow there:
/// who writes elsewhere does not notice.
#[test]
fn who_waits_for_a_repository_stops_no_other() {
    let postgres = Postgres::start();
    let more = format!(", databaseUrl: \"{}\"", postgres.url());
    let scene = Scene::before(Registry::open(), &more);
    let two = Gateway::before(scene.faulty.port(), &scene.server, &index(&scene.data, &more));
    let other = scene.image("other/app", "other");
    let write_elsewhere = || {
        let (status, body) = scene.send("PUT", "/v2/other/app/manifests/v1", &other);
        assert_eq!(status, 201, "{body}");
        let open = r#"{"writeEnabled":true}"#;
        let (status, body) = scene.send("PATCH", "/acr/v1/other/app/_tags/v1", open);
        assert_eq!(status, 200, "{body}");
    };
    // The token server is asked before.
    write_elsewhere();
    let (one, many) = ("team/app".to_owned(), (0..28).map(|number| format!("team/{number}")));
    let many: Vec<String> = many.collect();
    for repositories in [vec![one; 28], many] {
        let images: Vec<_> = repositories.iter().map(|name| scene.image(name, "two")).collect();
        let image = &images[0];
        scene.faulty.on(late("PUT /v2/team/", Duration::from_secs(4)));
        scope(|threads| {
            let scene = &scene;
            let pushes: Vec<_> = repositories
                .iter()
                .map(|name| {
                    let path = format!("/v2/{name}/manifests/v1");
                    threads.spawn(move || scene.try_send("PUT", &path, image))
                })
                .collect();
            scene.faulty.wait_for("PUT /v2/team/", "");
            // Who wants it alone waits for those, and the others after it for this one.
            let path = format!("/acr/v1/{}/_tags/v1", repositories[0]);
            let lock = threads.spawn(move || scene.try_send("PATCH", &path, "{}"));
            sleep(Duration::from_millis(300));
            let start = Instant::now();
            write_elsewhere();
            assert!(start.elapsed() < QUICK, "{:?}", start.elapsed());
            for push in pushes {
                assert_eq!(push.join().unwrap().map(|(status, _)| status), Ok(201));
            }
            let locked = lock.join().unwrap();
            assert!(locked.is_ok(), "{locked:?}");
        });
    }
    drop(two);
}

/// With PostgreSQL, a write waits for another gateway's as long as `waitFor` says, and not as long
/// as a statement of the database may take.
#[test]
fn a_write_waits_for_another_gateway() {
    let postgres = Postgres::start();
    let more = format!(", databaseUrl: \"{}\"", postgres.url());
    let scene = Scene::before(Registry::open(), &more);
    let digest = scene.push("team/app", "v1", "one");
    let two = Gateway::before(scene.faulty.port(), &scene.server, &index(&scene.data, &more));
    let image = scene.image("team/app", "two");
    let delay = Duration::from_secs(7);
    scene.faulty.on(move |request| request.starts_with("PUT ").then_some(Fault::Late(delay)));
    scope(|threads| {
        let scene = &scene;
        let push = threads.spawn(|| scene.try_send("PUT", "/v2/team/app/manifests/v1", &image));
        scene.faulty.wait_for("PUT ", "");
        let start = Instant::now();
        let url = format!("http://{}/acr/v1/team/app/_tags/v1", two.host());
        let request = scene.client.patch(url).basic_auth("MyToken", Some(&scene.password));
        let locked = request.body(r#"{"writeEnabled":false}"#).send().unwrap();
        let (status, body) = (locked.status().as_u16(), locked.text().unwrap());
        assert_eq!(status, 200, "{body}");
        assert!(start.elapsed() > Duration::from_secs(5), "{:?}", start.elapsed());
        // The push came first.
        assert!(!body.contains(&digest) && body.contains(&self::digest(&image)), "{body}");
        assert_eq!(push.join().unwrap().map(|(status, _)| status), Ok(201));
        assert_eq!(scene.send("PUT", "/v2/team/app/manifests/v1", &image).0, 405);
    });
}

/// One manifest with what no database keeps, or with a type of megabytes: neither its repository
/// nor the crawl notices.
#[test]
fn what_a_manifest_says_is_bounded() {
    let postgres = Postgres::start();
    let with_postgres = format!(", databaseUrl: \"{}\"", postgres.url());
    for more in ["", with_postgres.as_str()] {
        let scene = Scene::before(Registry::open(), more);
        let long = format!("application/{}", "x".repeat(1_000_000));
        for (tag, config) in [("nul", "application/x\0y"), ("long", long.as_str())] {
            let image = scene.image_of("team/app", tag, config);
            let (status, body) =
                scene.send("PUT", &format!("/v2/team/app/manifests/{tag}"), &image);
            assert_eq!(status, 201, "{body}");
            let path = format!("/acr/v1/team/app/_manifests/{}", digest(&image));
            let (status, body) = scene.get(&path);
            assert_eq!(status, 200, "{body}");
            assert!(!body.contains("configMediaType"), "{body}");
        }
        sleep(Duration::from_millis(1100));
        for list in ["_tags", "_manifests"] {
            let (status, body) = scene.get(&format!("/acr/v1/team/app/{list}"));
            assert_eq!(status, 200, "{body}");
            assert!(body.contains("long") && body.len() < 10_000, "{body}");
        }
        let said = scene.crawl();
        assert!(said.contains("the registry was looked through"), "{said}");
        assert_eq!(scene.send("DELETE", "/acr/v1/team/app", "").0, 202);
    }
}

/// A registry that fails while a repository is deleted: an error, and the next try does the rest.
#[test]
fn a_deletion_that_breaks_off() {
    for registry in registries() {
        let scene = Scene::before(registry, "");
        let mut digests: Vec<_> =
            (0..5).map(|n| scene.push("team/app", &format!("v{n}"), &n.to_string())).collect();
        digests.sort_unstable();
        let path = format!("DELETE /v2/team/app/manifests/{}", digests[2]);
        scene.faulty.on(move |request| {
            (request == path).then(|| Fault::Answered(500, "", "failed".to_owned()))
        });
        let (status, body) = scene.send("DELETE", "/acr/v1/team/app", "");
        assert_eq!(status, 502, "{body}");
        assert!(body.contains("deleted 2 of 5 manifests") && body.contains("other 3"), "{body}");
        let (_, left) = scene.get("/acr/v1/team/app/_manifests");
        for (number, digest) in digests.iter().enumerate() {
            assert_eq!(left.contains(digest), number >= 2, "{number}: {left}");
        }
        scene.faulty.on(|_| None);
        let broke_off = "the deletion of a repository broke off";
        assert!(scene.crawl().contains(broke_off), "it is reported");
        let (status, body) = scene.send("DELETE", "/acr/v1/team/app", "");
        assert_eq!(status, 202, "{body}");
        assert_eq!(scene.get("/acr/v1/team/app").0, 404);
        assert!(!scene.crawl().contains(broke_off));
    }
}

/// What a registry answers instead of a list is ours to answer, but for its own errors.
#[test]
fn a_registry_without_a_list() {
    let scene = Scene::before(Registry::open(), "");
    let errors = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"x"}]}"#;
    let challenge = "WWW-Authenticate: Basic realm=\"x\"\r\n";
    for (status, lines, body, expected) in [
        (401, challenge, errors, 502),
        (307, "Location: http://192.0.2.1/\r\n", "", 502),
        (500, "", "<html>", 502),
        (500, "", errors, 502),
        (404, "", "<html>", 502),
        (204, "", "", 502),
        (404, "", errors, 404),
        (429, "", errors, 429),
    ] {
        scene.faulty.on(move |_| Some(Fault::Answered(status, lines, body.to_owned())));
        for path in ["/v2/_catalog", "/v2/team/app/tags/list"] {
            let answer = scene.get(path);
            assert_eq!(answer.0, expected, "{path} {status} {body}: {answer:?}");
            let errors: Value = serde_json::from_str(&answer.1).unwrap();
            let code = if expected == 502 { "UNAVAILABLE" } else { "NAME_UNKNOWN" };
            assert_eq!(errors["errors"][0]["code"], code, "{path} {status} {body}");
        }
    }
}

/// A folder belongs to one gateway: a second one waits for it, and serves when the first has
/// ended.
#[test]
fn one_gateway_for_a_folder() {
    let mut scene = Scene::before(Registry::open(), "");
    scene.push("team/app", "v1", "one");
    let image = scene.image("team/app", "two");
    let delay = Duration::from_secs(3);
    scene.faulty.on(move |request| request.starts_with("PUT ").then_some(Fault::Late(delay)));
    scope(|threads| {
        let scene = &scene;
        let push = threads.spawn(|| scene.try_send("PUT", "/v2/team/app/manifests/v1", &image));
        scene.faulty.wait_for("PUT ", "");
        scene.gateway.ask_to_end();
        // The documented reload, in the middle of a push.
        let next = Gateway::before(scene.faulty.port(), &scene.server, &index(&scene.data, ""));
        let pushed = push.join().unwrap();
        assert_eq!(pushed.map(|(status, _)| status), Ok(201));
        let url = format!("http://{}/acr/v1/team/app/_tags/v1", next.host());
        let request = scene.client.patch(url).basic_auth("MyToken", Some(&scene.password));
        let locked = request.body(r#"{"writeEnabled":false}"#).send().unwrap().text().unwrap();
        assert!(locked.contains(&digest(&image)), "{locked}");
        assert!(next.log().contains("waiting for the gateway"), "{}", next.log());
    });
    scene.gateway.wait();
    scene.restart("");
    // Another port, and the same folder.
    let config = scene.gateway.folder().join("gateway.yaml");
    let text = std::fs::read_to_string(&config).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    lines.retain(|line| !line.starts_with("listen:") && !line.starts_with("admin:"));
    let other = scene.gateway.folder().join("other.yaml");
    std::fs::write(&other, format!("listen: 127.0.0.1:0\n{}\n", lines.join("\n"))).unwrap();
    let said = said(Command::new(program()).arg("--config").arg(other));
    assert!(said.contains("error: index: another gateway uses"), "{said}");
}

/// The last step of removing a tag from a registry that has no request for it: the tag is at a
/// manifest of the gateway's own then.
const LAST_STEP: &str = "DELETE /v2/team/app/manifests/sha256:";

/// What happens to the last step. The same request asks before whether the registry deletes.
fn at_last_step(fault: Fault) -> impl Fn(&str) -> Option<Fault> {
    let is_moved = std::cell::Cell::new(false);
    move |request| {
        is_moved.set(is_moved.get() || request.starts_with("PUT /v2/team/app/manifests/v1"));
        (is_moved.get() && request.starts_with(LAST_STEP)).then(|| fault.clone())
    }
}

/// Neither the tag is found, nor what it was moved to.
#[track_caller]
fn assert_no_tag(scene: &Scene) {
    for method in ["GET", "HEAD"] {
        let answer = scene.send(method, "/v2/team/app/manifests/v1", "");
        assert_eq!(answer.0, 404, "{method} {answer:?}");
    }
    assert_eq!(scene.get("/acr/v1/team/app/_tags/v1").0, 404);
    let untag = "dev.scopegate.untag";
    for path in ["/v2/team/app/tags/list", "/acr/v1/team/app/_tags", "/acr/v1/team/app/_manifests"]
    {
        let (status, body) = scene.get(path);
        assert!(
            status == 200 && !body.contains("\"v1\"") && !body.contains(untag),
            "{path} {body}"
        );
        if path.ends_with("_manifests") {
            assert_eq!(body.matches("\"imageSize\"").count(), 2, "{body}");
        }
    }
}

#[test]
fn a_tag_that_is_removed_is_gone_at_once() {
    let scene = Scene::before(Registry::open(), "");
    let kept = scene.push("team/app", "v1", "one");
    scene.push("team/app", "v2", "two");
    scene.faulty.on(at_last_step(Fault::Late(Duration::from_secs(3))));
    scope(|threads| {
        let scene = &scene;
        let untag = threads.spawn(|| scene.try_send("DELETE", "/acr/v1/team/app/_tags/v1", ""));
        scene.faulty.wait_for("PUT /v2/team/app/manifests/v1", "");
        eventually(Duration::from_secs(2), || {
            let status = scene.get("/v2/team/app/manifests/v1").0;
            if status == 404 { Ok(()) } else { Err(status) }
        });
        assert_eq!(scene.behind("/v2/team/app/manifests/v1"), 200);
        assert_no_tag(scene);
        assert_eq!(untag.join().unwrap().map(|(status, _)| status), Ok(202));
    });
    assert_no_tag(&scene);
    assert_eq!(scene.behind("/v2/team/app/manifests/v1"), 404);
    assert_eq!(scene.get(&format!("/v2/team/app/manifests/{kept}")).0, 200);
}

/// What breaks off is finished by the gateway itself, and by the next one.
#[test]
fn an_untag_that_breaks_off() {
    let postgres = Postgres::start();
    let with_postgres = format!(", databaseUrl: \"{}\"", postgres.url());
    for (more, is_killed) in [("", false), ("", true), (with_postgres.as_str(), true)] {
        let mut scene = Scene::before(Registry::open(), more);
        scene.push("team/app", "v1", "one");
        scene.push("team/app", "v2", "two");
        scene.faulty.on(at_last_step(Fault::Answered(500, "", "failed".to_owned())));
        let (status, body) = scene.send("DELETE", "/acr/v1/team/app/_tags/v1", "");
        assert_eq!(status, 502, "{body}");
        assert_eq!(scene.behind("/v2/team/app/manifests/v1"), 200);
        assert_no_tag(&scene);
        if is_killed {
            scene.gateway.kill();
            scene.restart(more);
            assert_no_tag(&scene);
        }
        scene.faulty.on(|_| None);
        eventually(Duration::from_secs(30), || {
            let status = scene.behind("/v2/team/app/manifests/v1");
            if status == 404 { Ok(()) } else { Err(status) }
        });
        assert_no_tag(&scene);
        let again = scene.push("team/app", "v1", "one");
        let (status, body) = scene.get("/acr/v1/team/app/_tags/v1");
        assert!(status == 200 && body.contains(&again), "{body}");
        assert_eq!(scene.get("/v2/team/app/manifests/v1").0, 200);
    }
}

/// A registry that does not move the tag leaves it where it is.
#[test]
fn a_tag_that_cannot_be_moved_stays() {
    let scene = Scene::before(Registry::open(), "");
    let digest = scene.push("team/app", "v1", "one");
    scene.faulty.on(|request| {
        let is_it = request.starts_with("PUT /v2/team/app/manifests/v1");
        is_it.then(|| Fault::Answered(400, "", "no".to_owned()))
    });
    let (status, body) = scene.send("DELETE", "/acr/v1/team/app/_tags/v1", "");
    assert_eq!(status, 502, "{body}");
    scene.faulty.on(|_| None);
    let (status, body) = scene.get("/acr/v1/team/app/_tags/v1");
    assert!(status == 200 && body.contains(&digest), "{body}");
    assert_eq!(scene.get("/v2/team/app/manifests/v1").0, 200);
    assert_eq!(scene.send("DELETE", "/acr/v1/team/app/_tags/v1", "").0, 202);
    assert_eq!(scene.behind("/v2/team/app/manifests/v1"), 404);
}

/// A configuration that is too long to look into is no part of what is known, and no obstacle.
#[test]
fn a_large_configuration() {
    let scene = Scene::before(Registry::open_on_disk(), "");
    let body = "x".repeat(5 * 1024 * 1024);
    let config = scene.upload("team/app", CONFIG, &body);
    for (tag, size) in [("true", json!(body.len())), ("false", json!(2))] {
        let mut config = config.clone();
        config["size"] = size;
        let image =
            json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": [] });
        let image = image.to_string();
        let (status, body) = scene.send("PUT", &format!("/v2/team/app/manifests/{tag}"), &image);
        assert_eq!(status, 201, "{body}");
        let path = format!("/acr/v1/team/app/_manifests/{}", digest(&image));
        let (status, body) = scene.get(&path);
        assert!(status == 200 && body.contains(CONFIG), "{tag} {status} {body}");
        let (status, body) = scene.send("PATCH", &path, r#"{"deleteEnabled":false}"#);
        assert_eq!(status, 200, "{tag} {body}");
    }
}

/// Long lists of a registry take the memory of a few of them, however many clients ask.
#[test]
fn long_lists() {
    let scene = Scene::before(Registry::open(), "");
    assert_eq!(scene.push("team/app", "v1", "one").len(), 71);
    assert_eq!(scene.get("/v2/team/app/tags/list").0, 200);
    assert_eq!(scene.get("/acr/v1/team/app/_tags").0, 200);
    let list = format!(r#"{{"name":"team/app",{}"tags":["v1"]}}"#, " ".repeat(13 * 1024 * 1024));
    scene.faulty.on(move |request| {
        request.contains("/tags/list").then(|| Fault::Answered(200, "", list.clone()))
    });
    sleep(Duration::from_millis(1100));
    let before = scene.gateway.peak_memory();
    scope(|threads| {
        let scene = &scene;
        let lists: Vec<_> = (0..28)
            .map(|n| {
                let path =
                    ["/v2/team/app/tags/list", "/acr/v1/team/app/_tags"][usize::from(n % 7 == 0)];
                threads.spawn(move || scene.try_send("GET", path, "").unwrap().0)
            })
            .collect();
        let statuses: Vec<_> = lists.into_iter().map(|list| list.join().unwrap()).collect();
        // Who does not get a place in time is told so.
        assert!(statuses.contains(&200), "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 502].contains(status)), "{statuses:?}");
    });
    let more = scene.gateway.peak_memory() - before;
    assert!(more < 100_000, "{more} kB");
}

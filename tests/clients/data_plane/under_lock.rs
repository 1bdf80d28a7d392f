//! What a lock has to hold against: other forms of what is locked, its parts, and requests that are
//! under way while it is put on.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::software::gateway::Gateway;
use crate::software::slow::Slow;

const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

impl Scene {
    /// The same, with a relay between gateway and registry.
    fn slowly(registry: Registry) -> (Self, Slow) {
        let mut scene = Self::before(registry);
        let slow = Slow::before(scene.registry.port());
        let data = tempfile::tempdir().unwrap();
        let index =
            format!("index: {{data: {}, freshFor: 1s, waitFor: 8s}}\n", data.path().display());
        scene.data = Arc::new(data);
        scene.gateway = Gateway::before(slow.port(), &scene.server, &index);
        (scene, slow)
    }

    /// Does something that the registry gets two seconds later, and changes attributes meanwhile.
    /// Gives the two statuses, and whether the change waited.
    fn meanwhile(
        &self,
        slow: &Slow,
        [method, path]: [&str; 2],
        [changed, body]: [&str; 2],
    ) -> (u16, u16, bool) {
        slow.hold(&[method, path.split('?').next().unwrap()], Duration::from_secs(2));
        let held = std::thread::scope(|scope| {
            let asked = scope.spawn(|| self.ask(method, path).status);
            slow.wait();
            let start = Instant::now();
            let status = self.patch(changed, body).status;
            let has_waited = start.elapsed() > Duration::from_millis(1500);
            (asked.join().unwrap(), status, has_waited)
        });
        slow.hold(&[], Duration::ZERO);
        held
    }

    /// Pulls a manifest with this `Accept`, or none.
    fn pull(&self, method: &str, reference: &str, accept: &str) -> Answer {
        let url = format!("http://{}/v2/team/app/manifests/{reference}", self.gateway.host());
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, url).basic_auth("MyToken", Some(&self.password));
        let request = if accept.is_empty() { request } else { request.header("accept", accept) };
        let answer = request.send().unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, body: answer.text().unwrap() }
    }

    /// Pushes an image as Docker describes it, which old registries convert; gives its digest.
    fn push_docker(&self, tag: &str, text: &str) -> String {
        let layer =
            self.upload("team/app", "application/vnd.docker.image.rootfs.diff.tar.gzip", text);
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "history": [{ "created_by": text }],
            "rootfs": { "type": "layers", "diff_ids": [layer["digest"]] },
        });
        let media_type = "application/vnd.docker.container.image.v1+json";
        let config = self.upload("team/app", media_type, &config.to_string());
        let image = json!({ "schemaVersion": 2, "mediaType": DOCKER_IMAGE, "config": config, "layers": [layer] });
        let image = image.to_string();
        let pushed = self.put("team/app", tag, DOCKER_IMAGE, &image);
        assert_eq!(pushed.status, 201, "{}", pushed.body);
        digest(&image)
    }
}

/// Whatever a client accepts, it gets no other form of what may not be pulled, and what it gets is
/// what was decided about.
#[test]
fn forms_of_a_manifest() {
    const ACCEPT: [&str; 7] = [
        "",
        "*/*",
        "application/json",
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        DOCKER_IMAGE,
        DOCKER_LIST,
    ];
    for registry in registries() {
        let scene = Scene::before(registry);
        let [hidden, open] = ["hidden", "open"].map(|tag| scene.push_docker(tag, tag));
        for (tag, digest) in [("of-hidden", &hidden), ("of-open", &open)] {
            let platform = json!({ "architecture": "amd64", "os": "linux" });
            let child = json!({ "mediaType": DOCKER_IMAGE, "digest": digest, "size": 9, "platform": platform });
            let list =
                json!({ "schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": [child] });
            let pushed = scene.put("team/app", tag, DOCKER_LIST, &list.to_string());
            assert_eq!(pushed.status, 201, "{}", pushed.body);
        }
        let manifest = format!("/acr/v1/team/app/_manifests/{hidden}");
        assert_eq!(scene.patch(&manifest, r#"{"readEnabled":false}"#).status, 200);
        for accept in ACCEPT {
            for method in ["GET", "HEAD"] {
                assert_eq!(scene.pull(method, "hidden", accept).status, 405, "{accept}");
                assert_eq!(scene.pull(method, &hidden, accept).status, 405, "{accept}");
                assert_eq!(scene.pull(method, "absent", accept).status, 404, "{accept}");
            }
            for tag in ["of-hidden", "open", "of-open"] {
                let pulled = scene.pull("GET", tag, accept);
                // Not the image that a list has for this client, and no conversion of it.
                assert!(!pulled.body.contains("history"), "{tag} {accept}: {}", pulled.body);
                let shown = scene.get(&format!("/acr/v1/team/app/_tags/{tag}")).json();
                let expected = shown["tag"]["digest"].as_str().unwrap().to_owned();
                assert_eq!(
                    (pulled.status, digest(&pulled.body)),
                    (200, expected),
                    "{tag} {accept}"
                );
            }
        }
        scene.patch(&manifest, r#"{"readEnabled":true}"#);
        assert_eq!(scene.pull("GET", "hidden", DOCKER_IMAGE).status, 200);
    }
}

/// A lock waits for the deletion of a blob that is under way, and for a mount, also where the blob
/// comes from; and these wait for no lock that was answered.
#[test]
fn blobs_under_way() {
    const LOCK: &str = r#"{"writeEnabled":false}"#;
    const UNLOCK: &str = r#"{"writeEnabled":true,"readEnabled":true}"#;
    let app = "/acr/v1/team/app";
    for registry in registries() {
        let (scene, slow) = Scene::slowly(registry);
        scene.push("team/app", "v1", "one");
        scene.push("team/base", "v1", "base");
        let layer = format!("/v2/team/app/blobs/{}", digest("one"));
        let mount = format!("/v2/team/app/blobs/uploads/?mount={}&from=team/base", digest("base"));
        // What was under way when the lock was asked for is done when it is answered.
        let mounted = scene.meanwhile(&slow, ["POST", &mount], [app, LOCK]);
        assert_eq!(mounted, (201, 200, true));
        assert_eq!(scene.ask("POST", &mount).status, 405);
        assert_eq!(scene.ask("DELETE", &layer).status, 405);
        scene.patch(app, UNLOCK);
        let base = ["/acr/v1/team/base", r#"{"readEnabled":false}"#];
        assert_eq!(scene.meanwhile(&slow, ["POST", &mount], base), (201, 200, true));
        assert_eq!(scene.ask("POST", &mount).status, 405);
        scene.patch(base[0], UNLOCK);
        assert_eq!(scene.meanwhile(&slow, ["DELETE", &layer], [app, LOCK]), (202, 200, true));
        scene.patch(app, UNLOCK);
        // Where nothing can be mounted an upload begins, and goes on through the gateway.
        let absent = format!("/v2/team/app/blobs/uploads/?mount={}&from=team/base", digest("x"));
        let begun = scene.ask("POST", &absent);
        let place = begun.header("location");
        assert_eq!((begun.status, place.starts_with("/v2/team/app/blobs/uploads/")), (202, true));
        assert!(!begun.header("docker-upload-uuid").is_empty());
        let end = format!("{place}&digest={}", digest("x"));
        let ended = scene.send("PUT", &end, "application/octet-stream", b"x".to_vec());
        assert_eq!(ended.status, 201, "{}", ended.body);
    }
}

/// A blob whose client still sends it when its repository is locked does not arrive.
#[test]
fn an_upload_under_way() {
    for registry in registries() {
        let scene = Scene::before(registry);
        scene.push("team/app", "v1", "one");
        for (text, is_locked) in [("sent slowly", true), ("sent slowly too", false)] {
            for is_chunked in [false, true] {
                let text = format!("{text} {is_chunked}");
                let start = scene.ask("POST", "/v2/team/app/blobs/uploads/");
                let target = format!("{}&digest={}", start.header("location"), digest(&text));
                let (first, rest) = text.split_at(5);
                let credentials = STANDARD.encode(format!("MyToken:{}", scene.password));
                let (framing, first, rest) = if is_chunked {
                    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
                    let framing = "Transfer-Encoding: chunked".to_owned();
                    (framing, chunk(first), chunk(rest) + "0\r\n\r\n")
                } else {
                    let framing = format!("Content-Length: {}", text.len());
                    (framing, first.to_owned(), rest.to_owned())
                };
                let head = format!(
                    "PUT {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {credentials}\r\nContent-Type: application/octet-stream\r\n{framing}\r\nConnection: close\r\n\r\n{first}"
                );
                let mut client = TcpStream::connect(scene.gateway.host()).unwrap();
                client.write_all(head.as_bytes()).unwrap();
                std::thread::sleep(Duration::from_millis(500));
                if is_locked {
                    let locked = scene.patch("/acr/v1/team/app", r#"{"writeEnabled":false}"#);
                    assert_eq!(locked.status, 200);
                }
                client.write_all(rest.as_bytes()).unwrap();
                let mut answer = String::new();
                client.read_to_string(&mut answer).unwrap();
                let expected = if is_locked { " 405 " } else { " 201 " };
                assert!(answer.contains(expected), "{answer}");
                std::thread::sleep(Duration::from_millis(500));
                let blob = format!("/v2/team/app/blobs/{}", digest(&text));
                let there = scene.behind("HEAD", &blob, None);
                assert_eq!(there == 200, !is_locked, "{there}");
                scene.patch("/acr/v1/team/app", r#"{"writeEnabled":true}"#);
            }
        }
    }
}

/// What is locked keeps its parts: the blobs of an image, the images of an index and theirs.
#[test]
fn parts_of_what_is_locked() {
    for registry in registries() {
        let scene = Scene::before(registry);
        let [one, child, other] =
            ["one", "child", "other"].map(|text| scene.push("team/app", text, text));
        let index = json!({
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [{ "mediaType": IMAGE, "digest": child, "size": 9 }],
        });
        assert_eq!(scene.put("team/app", "multi", INDEX, &index.to_string()).status, 201);
        let config =
            digest(&json!({ "architecture": "amd64", "os": "linux", "x": "one" }).to_string());
        let delete = |kind: &str, digest: &str| {
            let answer = scene.ask("DELETE", &format!("/v2/team/app/{kind}/{digest}"));
            let is_locked = answer.body.trim_end() == LOCKED;
            assert_eq!(answer.status == 405, is_locked, "{kind}: {}", answer.body);
            answer.status
        };
        let tags = "/acr/v1/team/app/_tags";
        let manifest = format!("/acr/v1/team/app/_manifests/{one}");
        let (layer, of_child) = (digest("one"), digest("child"));
        for (locked, flag, parts) in [
            (format!("{tags}/one"), "writeEnabled", [("blobs", &layer), ("blobs", &config)]),
            (manifest, "deleteEnabled", [("blobs", &config), ("blobs", &layer)]),
            (
                format!("{tags}/multi"),
                "deleteEnabled",
                [("manifests", &child), ("blobs", &of_child)],
            ),
        ] {
            assert_eq!(scene.patch(&locked, &format!("{{\"{flag}\":false}}")).status, 200);
            for (kind, part) in parts {
                assert_eq!(delete(kind, part), 405, "{locked} {kind} {part}");
                // CNCF distribution 2 deletes a blob by either of these.
                assert_eq!(delete("manifests", part), 405, "{locked} {part}");
                assert_eq!(scene.behind("HEAD", &format!("/v2/team/app/{kind}/{part}"), None), 200);
            }
            // Anything else may be deleted.
            let absent = digest(&locked);
            assert_eq!([delete("blobs", &absent), delete("manifests", &absent)], [404; 2]);
        }
        assert_eq!(delete("blobs", &digest("other")), 202);
        assert_eq!(delete("manifests", &other), 202);
        for locked in [format!("{tags}/multi"), format!("{tags}/one")] {
            let open = r#"{"writeEnabled":true,"deleteEnabled":true}"#;
            assert_eq!(scene.patch(&locked, open).status, 200);
        }
        assert_eq!(delete("manifests", &child), 202);
        assert_eq!(delete("blobs", &of_child), 202);
        assert_eq!(delete("blobs", &layer), 405, "the manifest is still locked");
    }
}

/// What may not be read has no referrers to read; what may not be listed is not named elsewhere.
#[test]
fn what_is_kept_back() {
    for registry in registries() {
        let scene = Scene::before(registry);
        let one = scene.push("team/app", "shown", "one");
        scene.push("team/app", "hidden", "one");
        let manifest = format!("/acr/v1/team/app/_manifests/{one}");
        let referrers = format!("/v2/team/app/referrers/{one}");
        // These registries have no referrers, and say so.
        assert_eq!(scene.get(&referrers).status, 404);
        for locked in ["/acr/v1/team/app", &manifest] {
            assert_eq!(scene.patch(locked, r#"{"readEnabled":false}"#).status, 200);
            assert_eq!(scene.get(&referrers).body.trim_end(), LOCKED, "{locked}");
            assert_eq!(scene.ask("HEAD", &referrers).status, 405, "{locked}");
            assert_eq!(scene.patch(locked, r#"{"readEnabled":true}"#).status, 200);
        }
        let hidden = "/acr/v1/team/app/_tags/hidden";
        assert_eq!(scene.patch(hidden, r#"{"listEnabled":false}"#).status, 200);
        let listed = scene.get("/acr/v1/team/app/_manifests").json();
        assert_eq!(listed["manifests"][0]["tags"], json!(["shown"]), "{listed}");
        let listed = scene.get(&manifest).json();
        assert_eq!(listed["manifest"]["tags"], json!(["shown"]), "{listed}");
        assert_eq!(scene.get(hidden).status, 200);
    }
}

/// A lock stays when what it is on vanishes behind the gateway, and what takes it off says so.
#[test]
fn a_lock_on_what_vanished() {
    const LOCK: &str = r#"{"writeEnabled":false,"deleteEnabled":false}"#;
    let scene = Scene::before(Registry::open());
    let one = scene.push("team/app", "v1", "one");
    scene.push("team/app", "v2", "two");
    let manifest = format!("/acr/v1/team/app/_manifests/{one}");
    let tag = "/acr/v1/team/app/_tags/v1";
    for locked in [tag, &manifest] {
        assert_eq!(scene.patch(locked, LOCK).status, 200);
    }
    assert_eq!(scene.behind("DELETE", &format!("/v2/team/app/manifests/{one}"), None), 202);
    let image = scene.image("team/app", "three");
    for (locked, member) in [(tag, "tag"), (&manifest, "manifest")] {
        // What takes nothing off is about nothing that is there.
        for body in
            ["{}", LOCK, r#"{"readEnabled":false}"#, r#"{"writeEnabled":true,"listEnabled":false}"#]
        {
            assert_eq!(scene.patch(locked, body).status, 404, "{body}");
        }
        assert_eq!(scene.put("team/app", "v1", IMAGE, &image).status, 405);
        // Attributes of the repository are above it.
        scene.patch("/acr/v1/team/app", r#"{"writeEnabled":false}"#);
        assert_eq!(scene.patch(locked, r#"{"writeEnabled":true}"#).status, 405);
        scene.patch("/acr/v1/team/app", r#"{"writeEnabled":true}"#);
        if member == "tag" {
            let lifted = scene.patch(locked, r#"{"deleteEnabled":true}"#);
            assert_eq!(lifted.json()[member]["changeableAttributes"]["writeEnabled"], false);
            assert_eq!(scene.put("team/app", "v1", IMAGE, &image).status, 405);
            continue;
        }
        let lifted = scene.patch(locked, r#"{"writeEnabled":true,"deleteEnabled":true}"#);
        let attributes = &lifted.json()[member]["changeableAttributes"];
        assert_eq!((lifted.status, attributes.to_string().contains("false")), (200, false));
        assert_eq!(scene.patch(locked, "{}").status, 404);
    }
    let lifted = scene.patch(tag, r#"{"writeEnabled":true}"#);
    assert_eq!((lifted.status, &lifted.json()["tag"]["name"]), (200, &json!("v1")));
    assert_eq!(scene.put("team/app", "v1", IMAGE, &image).status, 201);
}

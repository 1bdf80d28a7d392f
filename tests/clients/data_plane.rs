//! The registry's own data plane through the gateway, over CNCF distribution 2.8 and 3.1: what is
//! answered, byte for byte, and what a lock forbids.
//!
//! | module | holds |
//! |---|---|
//! | [`acr_cli`] | what acr-cli sends, and what it reads |
//! | [`charts`] | Helm pushes and pulls charts |
//! | [`notifications`] | a registry's own notifications |
//! | [`regctl`] | regctl |
//! | [`kills`] | gateways that are killed at random moments |
//! | [`left`] | writes that a gateway leaves behind: killed, or without its lock |
//! | [`once`] | tags that are written once |
//! | [`outage`] | a database that goes away under load |
//! | [`scene`] | a gateway with an index before a registry |
//! | [`under_lock`] | other forms and parts of what is locked, and what is under way meanwhile |
//! | [`untag`] | tags that are removed with `metadata/write` |
//! | [`crawling`] | filling an index from a large registry |
//! | [`figures`] | what pages, locks and a large index cost |

mod acr_cli;
mod charts;
mod crawling;
mod figures;
mod kills;
mod left;
mod notifications;
mod once;
mod outage;
mod regctl;
mod scene;
mod under_lock;
mod untag;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use self::scene::{ALL, Answer, IMAGE, INDEX, LOCKED, OPEN, Scene, digest, index};
use crate::drivers::az::environment;
use crate::drivers::skopeo::Skopeo;
use crate::edge;
use crate::software::gateway::program;
use crate::software::image;
use crate::software::postgres::Postgres;
use crate::software::process::{eventually, run, said};
use crate::software::registry::{Registry, registries};

/// Every object, byte for byte but for its times.
#[test]
fn objects_are_those_of_the_service() {
    for registry in registries() {
        let scene = Scene::before(registry);
        let digest = scene.push("team/app", "v1", "hello");
        assert_eq!(
            scene.put("team/app", "latest", IMAGE, &scene.image("team/app", "hello")).status,
            201
        );
        let tag = |name: &str| {
            format!(
                r#"{{"name":"{name}","digest":"{digest}","createdTime":"T","lastUpdateTime":"T","signed":false,"changeableAttributes":{OPEN}}}"#
            )
        };
        let manifest = format!(
            r#"{{"digest":"{digest}","imageSize":5,"createdTime":"T","lastUpdateTime":"T","architecture":"amd64","os":"linux","mediaType":"{IMAGE}","configMediaType":"application/vnd.oci.image.config.v1+json","tags":["latest","v1"],"changeableAttributes":{OPEN}}}"#
        );
        let about = r#""registry":"registry.test","imageName":"team/app""#;
        for (path, expected) in [
            ("_catalog", r#"{"repositories":["team/app"]}"#.to_owned()),
            (
                "team/app",
                format!(
                    r#"{{{about},"createdTime":"T","lastUpdateTime":"T","manifestCount":1,"tagCount":2,"changeableAttributes":{OPEN}}}"#
                ),
            ),
            (
                "team%2Fapp/_tags",
                format!(r#"{{{about},"tags":[{},{}]}}"#, tag("latest"), tag("v1")),
            ),
            (
                "team/app/_tags/v1?api-version=2021-07-01",
                format!(r#"{{{about},"tag":{}}}"#, tag("v1")),
            ),
            ("team/app/_manifests", format!(r#"{{{about},"manifests":[{manifest}]}}"#)),
            (
                &format!("team/app/_manifests/{digest}"),
                format!(r#"{{{about},"manifest":{manifest}}}"#),
            ),
            ("team/app/_tags?last=v1", format!(r#"{{{about},"tags":null}}"#)),
        ] {
            let answer = scene.get(&format!("/acr/v1/{path}"));
            assert_eq!((answer.status, answer.timeless()), (200, expected + "\n"), "{path}");
            assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
            assert_eq!(answer.header("docker-distribution-api-version"), "registry/2.0");
        }
    }
}

/// Every error, byte for byte.
#[test]
fn errors_are_those_of_the_service() {
    let scene = Scene::before(Registry::open());
    scene.push("team/app", "v1", "hello");
    let absent = digest("absent");
    let named = |code: &str, message: &str| {
        format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#) + "\n"
    };
    let no_name = named("NAME_UNKNOWN", r#"repository \"no/such\" is not found"#);
    let no_tag = named("TAG_UNKNOWN", "the specified tag does not exist");
    let no_manifest = named("MANIFEST_UNKNOWN", &format!("manifest {absent} is not found"));
    let no_page = "404 page not found\n".to_owned();
    for (method, path, expected) in [
        ("GET", "no/such", &no_name),
        ("PATCH", "no/such", &no_name),
        ("GET", "no/such/_tags", &no_name),
        ("GET", "no/such/_manifests", &no_name),
        (
            "DELETE",
            "no/such",
            &(r#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry","detail":{"name":"no/such"}}]}"#.to_owned() + "\n"),
        ),
        ("GET", "team/app/_tags/v2", &no_tag),
        ("PATCH", "team/app/_tags/v2", &no_tag),
        ("DELETE", "team/app/_tags/v2", &no_tag),
        ("DELETE", "no/such/_tags/v2", &no_tag),
        ("GET", &format!("team/app/_manifests/{absent}"), &no_manifest),
        ("PATCH", &format!("team/app/_manifests/{absent}"), &no_manifest),
        ("GET", "team/app/_manifests/wrong-digest", &no_page),
    ] {
        let path = format!("/acr/v1/{path}");
        let answer = match method {
            "PATCH" => scene.patch(&path, r#"{"writeEnabled":false}"#),
            _ => scene.ask(method, &path),
        };
        assert_eq!((answer.status, &answer.body), (404, expected), "{method} {path}");
    }
    let answer = scene.ask("DELETE", &format!("/v2/team/app/manifests/{absent}"));
    assert_eq!((answer.status, answer.body), (404, no_manifest));
    let answer = scene.ask("DELETE", "/v2/team/app/manifests/v1");
    let expected = named("UNSUPPORTED", "A manifest can only be deleted by digest.");
    assert_eq!((answer.status, answer.body), (405, expected));
    for query in ["n=0", "n=x", "n=-1", "n=1&n=2"] {
        assert_eq!(scene.get(&format!("/acr/v1/team/app/_tags?{query}")).status, 400, "{query}");
    }
    for body in ["", "[]", r#"{"writeEnabled":1}"#] {
        assert_eq!(scene.patch("/acr/v1/team/app", body).status, 400, "{body}");
    }
}

/// Without a token, and with one that holds too little, each route names the scope that it needs.
#[test]
fn who_may_is_decided_before_anything_else() {
    let rules: [(&str, &[&str]); 1] = [("team/app", &["content/read"])];
    let scene = Scene::with(Registry::open(), &rules, "");
    let url = |path: &str| format!("http://{}/acr/v1/{path}", scene.gateway.host());
    for (method, path, scope) in [
        ("GET", "_catalog", "registry:catalog:*"),
        ("GET", "team/app", "repository:team/app:metadata_read"),
        ("GET", "team/app/_tags", "repository:team/app:metadata_read"),
        ("PATCH", "team/app/_tags/v1", "repository:team/app:metadata_write"),
        ("DELETE", "team/app/_tags/v1", "repository:team/app:delete"),
        ("DELETE", "team/app", "repository:team/app:delete"),
        ("GET", "_deleted/_catalog", "registry:deleted_catalog:*"),
    ] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        for password in [None, Some("wrong"), Some(scene.password.as_str())] {
            // What Go sends on its first try: a change without its body.
            let mut request =
                scene.client.request(method.clone(), url(path)).header("content-length", "0");
            if password.is_some() {
                request = request.basic_auth("MyToken", password);
            }
            let answer = request.send().unwrap();
            assert_eq!(answer.status(), 401, "{method} {path} {password:?}");
            let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
            assert!(challenge.contains(&format!("scope=\"{scope}\"")), "{challenge}");
        }
    }
}

/// Pages of three, in every order, by the links alone.
#[test]
fn pages() {
    let scene = Scene::before(Registry::open());
    let names = ["e", "a", "d", "b", "g", "c", "f"];
    for name in names {
        scene.push("team/app", name, name);
    }
    let walk = |list: &str, query: &str| {
        let mut found = Vec::new();
        let mut path = format!("/acr/v1/team/app/_{list}?n=3{query}");
        loop {
            let answer = scene.get(&path);
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
            let page = answer.json()[list].as_array().unwrap().clone();
            let key = if list == "tags" { "name" } else { "digest" };
            found.extend(page.iter().map(|item| item[key].as_str().unwrap().to_owned()));
            let link = answer.header("link").to_owned();
            let Some(next) = link.strip_prefix('<') else { break found };
            assert!(link.ends_with(">; rel=\"next\"") && page.len() == 3, "{link}");
            path = next.split_once('>').unwrap().0.to_owned();
        }
    };
    assert_eq!(walk("tags", ""), ["a", "b", "c", "d", "e", "f", "g"]);
    assert_eq!(walk("tags", "&orderby=timeasc"), names);
    let latest: Vec<_> = names.iter().rev().copied().collect();
    assert_eq!(walk("tags", "&orderby=timedesc"), latest);
    assert_eq!(
        scene.get("/acr/v1/team/app/_tags?n=1&orderby=timedesc").json()["tags"][0]["name"],
        "f"
    );
    let manifests = walk("manifests", "");
    assert!(manifests.is_sorted() && manifests.len() == 7, "{manifests:?}");
    let by_time = walk("manifests", "&orderby=timedesc");
    assert_eq!(by_time.len(), 7);
    // The tags of one manifest, whose link keeps the filter.
    let first = scene.get("/acr/v1/team/app/_tags/f").json()["tag"]["digest"].clone();
    for tag in ["x1", "x2", "x3"] {
        scene.put("team/app", tag, IMAGE, &scene.image("team/app", "f"));
    }
    let filter = format!("&digest={}", first.as_str().unwrap());
    assert_eq!(walk("tags", &filter), ["f", "x1", "x2", "x3"]);
    // A bare name in the order of times goes on after it, and never begins again.
    let after = scene.get("/acr/v1/team/app/_tags?orderby=timeasc&last=x2").json();
    assert_eq!(after["tags"].as_array().unwrap().len(), 1, "{after}");
    let after = scene.get("/acr/v1/team/app/_tags?orderby=timeasc&last=gone").json();
    assert_eq!(after["tags"], Value::Null);
}

/// A tag that moves between two pages makes no list endless. It is where it is at the time of each
/// page.
#[test]
fn a_tag_that_moves_between_pages() {
    let scene = Scene::before(Registry::open());
    for name in ["a", "b", "c", "d", "e"] {
        scene.push("team/app", name, name);
    }
    for (order, expected) in [("timedesc", "e d c b"), ("timeasc", "a b c d e a")] {
        let mut path = format!("/acr/v1/team/app/_tags?n=2&orderby={order}");
        let mut found = Vec::new();
        for number in 0.. {
            assert!(number < 5, "{order}: {found:?}");
            let answer = scene.get(&path);
            let page = answer.json()["tags"].as_array().unwrap().clone();
            found.extend(page.iter().map(|tag| tag["name"].as_str().unwrap().to_owned()));
            if number == 0 {
                scene.push("team/app", "a", order);
            }
            let Some(next) = answer.header("link").strip_prefix('<') else { break };
            path = next.split_once('>').unwrap().0.to_owned();
        }
        assert_eq!(found.join(" "), expected, "{order}");
        // As it was.
        for name in ["a", "b", "c", "d", "e"] {
            scene.push("team/app", name, &format!("{order} {name}"));
        }
    }
}

/// What a lock forbids, at each level, and that only unlocking ends it.
#[test]
fn locks() {
    for registry in registries() {
        let scene = Scene::before(registry);
        let digest = scene.push("team/app", "v1", "one");
        let other = scene.image("team/app", "two");
        let tag = "/acr/v1/team/app/_tags/v1";
        let manifest = format!("/acr/v1/team/app/_manifests/{digest}");
        let content = format!("/v2/team/app/manifests/{digest}");
        let move_tag = || scene.put("team/app", "v1", IMAGE, &other);
        let refused = |answer: Answer, what: &str| {
            assert_eq!((answer.status, answer.body.trim_end()), (405, LOCKED), "{what}");
        };
        for flag in ["writeEnabled", "deleteEnabled"] {
            let locked = scene.patch(tag, &format!("{{\"{flag}\":false}}"));
            assert_eq!(locked.status, 200, "{}", locked.body);
            assert_eq!(locked.json()["tag"]["changeableAttributes"][flag], false);
            // The levels are independent.
            assert_eq!(scene.get(&manifest).json()["manifest"]["changeableAttributes"][flag], true);
            refused(scene.ask("DELETE", tag), flag);
            refused(scene.ask("DELETE", &content), flag);
            refused(scene.ask("DELETE", "/acr/v1/team/app"), flag);
            if flag == "writeEnabled" {
                refused(move_tag(), flag);
            }
            assert_eq!(scene.patch(tag, &format!("{{\"{flag}\":\"true\"}}")).status, 200);
        }
        scene.patch(&manifest, r#"{"deleteEnabled":false}"#);
        refused(scene.ask("DELETE", &content), "manifest");
        scene.patch(&manifest, r#"{"deleteEnabled":true}"#);

        scene.patch("/acr/v1/team/app", r#"{"writeEnabled":false}"#);
        refused(move_tag(), "repository");
        refused(scene.put("team/app", "new", IMAGE, &other), "a new tag");
        refused(scene.put("team/app", &self::digest(&other), IMAGE, &other), "a new digest");
        refused(scene.ask("POST", "/v2/team/app/blobs/uploads/"), "an upload");
        refused(scene.ask("DELETE", tag), "untag");
        refused(scene.ask("DELETE", &content), "delete");
        refused(scene.patch(tag, r#"{"writeEnabled":false}"#), "a tag's attributes");
        scene.patch("/acr/v1/team/app", r#"{"writeEnabled":true}"#);

        for path in ["/acr/v1/team/app", tag, &manifest] {
            assert_eq!(scene.patch(path, r#"{"readEnabled":false}"#).status, 200);
            refused(scene.get("/v2/team/app/manifests/v1"), path);
            if path != tag {
                refused(scene.get(&content), path);
            }
            assert_eq!(scene.ask("HEAD", "/v2/team/app/manifests/v1").status, 405);
            assert_eq!(scene.patch(path, r#"{"readEnabled":true}"#).status, 200);
            assert_eq!(scene.get("/v2/team/app/manifests/v1").status, 200);
        }
        scene.patch("/acr/v1/team/app", r#"{"listEnabled":false}"#);
        scene.patch(tag, r#"{"listEnabled":false}"#);
        for path in ["/acr/v1/_catalog", "/v2/_catalog"] {
            assert!(!scene.get(path).body.contains("team/app"), "{path}");
        }
        assert_eq!(scene.get("/acr/v1/team/app/_tags").json()["tags"], Value::Null);
        assert!(!scene.get("/v2/team/app/tags/list").body.contains("v1"));
        assert_eq!(scene.get(tag).status, 200);
        scene.patch(tag, r#"{"listEnabled":true}"#);
        assert_eq!(move_tag().status, 201);
    }
}

/// Attributes change no time; a tag that moves keeps when it was made.
#[test]
fn times_of_tags() {
    let scene = Scene::before(Registry::open());
    scene.push("team/app", "v1", "one");
    let times = || {
        let tag = scene.get("/acr/v1/team/app/_tags/v1").json()["tag"].clone();
        ["createdTime", "lastUpdateTime"].map(|name| tag[name].as_str().unwrap().to_owned())
    };
    let [created, updated] = times();
    assert_eq!(created, updated);
    scene.patch("/acr/v1/team/app/_tags/v1", r#"{"deleteEnabled":false}"#);
    assert_eq!(times(), [created.clone(), updated.clone()]);
    scene.push("team/app", "v1", "one");
    assert_eq!(times(), [created.clone(), updated.clone()]);
    scene.push("team/app", "v1", "two");
    let [still, moved] = times();
    assert!(still == created && moved > updated, "{still} {moved}");
}

/// Removing a tag leaves its manifest, and the other tags of it.
#[test]
fn untagging() {
    for registry in registries() {
        let scene = Scene::before(registry);
        let digest = scene.push("team/app", "v1", "one");
        scene.push("team/app", "v2", "one");
        let untagged = scene.ask("DELETE", "/acr/v1/team/app/_tags/v1");
        assert_eq!((untagged.status, untagged.body.as_str()), (202, ""));
        assert_eq!(untagged.header("x-ms-int-docker-content-digest"), digest);
        assert_eq!(scene.behind("GET", "/v2/team/app/manifests/v1", None), 404);
        assert_eq!(scene.get("/acr/v1/team/app/_tags/v1").status, 404);
        let shown = scene.get("/acr/v1/team/app").json();
        assert_eq!(
            (&shown["manifestCount"], &shown["tagCount"]),
            (&json!(1), &json!(1)),
            "{shown}"
        );
        scene.ask("DELETE", "/acr/v1/team/app/_tags/v2");
        let left = scene.get("/acr/v1/team/app/_manifests").json();
        assert_eq!(left["manifests"][0]["digest"], json!(digest), "{left}");
        assert_eq!(left["manifests"][0]["tags"], Value::Null, "{left}");
        assert_eq!(scene.behind("GET", &format!("/v2/team/app/manifests/{digest}"), None), 200);
    }
}

/// Where the registry deletes nothing, nothing is, and no tag is moved for it.
#[test]
fn a_registry_that_deletes_nothing() {
    let scene = Scene::before(Registry::open_without_deletion());
    let digest = scene.push("team/app", "v1", "one");
    for path in [
        "/acr/v1/team/app/_tags/v1".to_owned(),
        "/acr/v1/team/app".to_owned(),
        format!("/v2/team/app/manifests/{digest}"),
    ] {
        assert_eq!(scene.ask("DELETE", &path).status, 405, "{path}");
    }
    let tag = scene.get("/acr/v1/team/app/_tags/v1").json();
    assert_eq!(tag["tag"]["digest"], json!(digest));
    let shown = scene.get("/acr/v1/team/app").json();
    assert_eq!((&shown["manifestCount"], &shown["tagCount"]), (&json!(1), &json!(1)), "{shown}");
}

/// A gateway that ended while it removed a tag finishes it when it starts again.
#[test]
fn an_untag_that_was_cut_off() {
    let mut scene = Scene::before(Registry::open());
    let kept = scene.push("team/app", "v1", "one");
    // The tag was moved to a manifest of its own, which is not deleted yet.
    let own = scene.image("team/app", "own");
    let intent = format!(
        "import sqlite3; index = sqlite3.connect('{}/index.db'); index.execute(\"insert into untags values ('team/app', 'v1', '{}')\"); index.commit()",
        scene.data.path().display(),
        digest(&own)
    );
    run(Command::new(environment().join("bin/python")).args(["-c", &intent]));
    assert_eq!(scene.behind("PUT", "/v2/team/app/manifests/v1", Some((IMAGE, own.clone()))), 201);
    // A folder belongs to one gateway.
    scene.gateway.kill();
    let again = scene.beside(Arc::clone(&scene.data), "");
    eventually(Duration::from_secs(10), || {
        let status = again.behind("GET", "/v2/team/app/manifests/v1", None);
        if status == 404 { Ok(()) } else { Err(status) }
    });
    assert_eq!(again.get("/acr/v1/team/app/_tags/v1").status, 404);
    assert_eq!(again.get(&format!("/acr/v1/team/app/_manifests/{}", digest(&own))).status, 404);
    assert_eq!(again.get(&format!("/acr/v1/team/app/_manifests/{kept}")).status, 200);
}

/// A repository with an index is deleted whole, and is not listed again until it is pushed to.
#[test]
fn deleting_a_repository() {
    for registry in registries() {
        let scene = Scene::before(registry);
        let digests = ["one", "two"].map(|text| {
            let image = scene.image("team/app", text);
            let digest = digest(&image);
            assert_eq!(scene.put("team/app", &digest, IMAGE, &image).status, 201);
            digest
        });
        let each = digests.iter().zip(["amd64", "arm64"]).map(|(digest, architecture)| {
            let platform = json!({ "architecture": architecture, "os": "linux" });
            json!({ "mediaType": IMAGE, "digest": digest, "size": 9, "platform": platform })
        });
        let each: Vec<_> = each.collect();
        let index =
            json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": each }).to_string();
        assert_eq!(scene.put("team/app", "v1", INDEX, &index).status, 201);
        let shown = scene.get(&format!("/acr/v1/team/app/_manifests/{}", digest(&index))).json();
        let manifest = &shown["manifest"];
        assert_eq!(manifest["imageSize"], 6, "{shown}");
        assert_eq!(manifest["references"][1]["architecture"], "arm64", "{shown}");
        assert_eq!(manifest["architecture"], Value::Null, "{shown}");

        let deleted = scene.ask("DELETE", "/acr/v1/team/app");
        let mut all = vec![digest(&index), digests[0].clone(), digests[1].clone()];
        all.sort_unstable();
        let expected = json!({ "manifestsDeleted": all, "tagsDeleted": ["v1"] });
        assert_eq!((deleted.status, deleted.json()), (202, expected));
        assert_eq!(scene.get("/acr/v1/team/app").status, 404);
        assert_eq!(scene.ask("DELETE", "/acr/v1/team/app").status, 404);
        for path in ["/acr/v1/_catalog", "/v2/_catalog"] {
            assert!(!scene.get(path).body.contains("team/app"), "{path}");
        }
        scene.push("team/app", "v1", "three");
        assert!(scene.get("/acr/v1/_catalog").body.contains("team/app"));
    }
}

/// What happens behind the gateway is seen, and is no way around a lock.
#[test]
fn behind_the_gateway() {
    let scene = Scene::before(Registry::open());
    let one = scene.push("team/app", "v1", "one");
    let two = scene.push("team/app", "v2", "two");
    let path = "/acr/v1/team/app/_tags/v1";
    scene.patch(path, r#"{"deleteEnabled":false}"#);
    let image = scene.image("team/app", "two");
    let moved = scene.behind("PUT", "/v2/team/app/manifests/v1", Some((IMAGE, image)));
    assert_eq!(moved, 201);
    // It is locked where it is now.
    assert_eq!(scene.ask("DELETE", &format!("/v2/team/app/manifests/{two}")).status, 405);
    assert_eq!(scene.ask("DELETE", &format!("/v2/team/app/manifests/{one}")).status, 202);
    assert_eq!(scene.get(path).json()["tag"]["digest"], json!(two));
    let gone = scene.behind("DELETE", &format!("/v2/team/app/manifests/{two}"), None);
    assert_eq!(gone, 202);
    assert_eq!(scene.get(path).status, 404);
    eventually(Duration::from_secs(10), || {
        let answer = scene.get("/acr/v1/team/app/_tags");
        if answer.status == 404 { Ok(()) } else { Err(answer.body) }
    });
    // The lock waits for the tag, until it is taken off.
    let image = scene.image("team/app", "three");
    scene.patch(path, r#"{"writeEnabled":false}"#);
    assert_eq!(scene.put("team/app", "v1", IMAGE, &image).status, 201);
    assert_eq!(scene.ask("DELETE", path).status, 405);
}

/// Once a lock was answered, no later push of the tag passes.
#[test]
fn a_lock_that_was_answered_holds() {
    let scene = Scene::before(Registry::open());
    lock_beside_pushes(&scene, &scene);
}

/// Pushes through one gateway while another one locks what is pushed to.
#[track_caller]
fn lock_beside_pushes(pushing: &Scene, locking: &Scene) {
    pushing.push("team/app", "v1", "0");
    let images: Vec<_> = (1..=20).map(|n| pushing.image("team/app", &n.to_string())).collect();
    let (is_locked, is_done) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for images in images.chunks(5) {
            let (is_locked, is_done) = (&is_locked, &is_done);
            scope.spawn(move || {
                while !is_done.load(Ordering::SeqCst) {
                    for image in images {
                        let was_locked = is_locked.load(Ordering::SeqCst);
                        let status = pushing.put("team/app", "v1", IMAGE, image).status;
                        assert!(status == 405 || (status == 201 && !was_locked), "{status}");
                    }
                }
            });
        }
        std::thread::sleep(Duration::from_millis(500));
        let locked = locking.patch("/acr/v1/team/app/_tags/v1", r#"{"writeEnabled":false}"#);
        is_locked.store(true, Ordering::SeqCst);
        let digest = locked.json()["tag"]["digest"].clone();
        std::thread::sleep(Duration::from_millis(500));
        is_done.store(true, Ordering::SeqCst);
        assert_eq!(locked.status, 200);
        let now = locking.get("/acr/v1/team/app/_tags/v1").json();
        assert_eq!(now["tag"]["digest"], digest);
    });
}

/// Gateways that share PostgreSQL share its locks, and refuse writes without it.
#[test]
fn several_gateways() {
    let postgres = Postgres::start();
    let more = format!(", databaseUrl: \"{}\"", postgres.url());
    let rules: [(&str, &[&str]); 1] = [("*", ALL)];
    let one = Scene::with(Registry::open(), &rules, &more);
    let two = one.beside(Arc::new(tempfile::tempdir().unwrap()), &more);
    lock_beside_pushes(&one, &two);
    let path = "/acr/v1/team/app/_tags/v1";
    assert_eq!(one.get(path).json(), two.get(path).json());
    assert_eq!(one.ask("DELETE", path).status, 405);
    for query in ["", "?orderby=timedesc", "?orderby=timeasc&n=1"] {
        for list in ["_tags", "_manifests"] {
            let path = format!("/acr/v1/team/app/{list}{query}");
            let pages = [one.get(&path), two.get(&path)];
            assert_eq!((pages[0].status, &pages[0].body), (200, &pages[1].body), "{path}");
        }
    }
    two.patch(path, r#"{"readEnabled":false}"#);
    eventually(Duration::from_secs(2), || {
        let status = one.get("/v2/team/app/manifests/v1").status;
        if status == 405 { Ok(()) } else { Err(status) }
    });
    postgres.stop();
    let image = Scene::image_of_known_blobs("0");
    assert_eq!(one.put("team/app", "v2", IMAGE, &image).status, 503);
    assert_eq!(one.patch(path, r#"{"writeEnabled":true}"#).status, 503);
    assert_eq!(one.ask("DELETE", path).status, 503);
    // What was known stays so, and what may be read is read.
    assert_eq!(one.get("/v2/team/app/manifests/v1").status, 405);
    let digest = digest(&image);
    assert_eq!(one.get(&format!("/v2/team/app/manifests/{digest}")).status, 200);
    postgres.resume();
    eventually(Duration::from_secs(20), || {
        let answer = one.patch(path, r#"{"writeEnabled":true,"readEnabled":true}"#);
        if answer.status == 200 { Ok(()) } else { Err(answer.body) }
    });
    assert_eq!(two.put("team/app", "v1", IMAGE, &image).status, 201);
    assert_eq!(one.ask("DELETE", "/acr/v1/team/app").status, 202);
    assert_eq!(two.get("/acr/v1/team/app").status, 404);
}

/// What was in the registry before the gateway is found, as old as its maker says.
#[test]
fn a_registry_that_was_there_before() {
    let scene = Scene::before(Registry::open());
    let old = json!({
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": scene.upload("old/app", "application/vnd.oci.empty.v1+json", "{}"),
        "layers": [],
        "annotations": { "org.opencontainers.image.created": "2021-02-03T04:05:06Z" },
    })
    .to_string();
    let pushed = scene.behind("PUT", "/v2/old/app/manifests/v1", Some((IMAGE, old.clone())));
    assert_eq!(pushed, 201);
    let tag = scene.get("/acr/v1/old/app/_tags").json()["tags"][0].clone();
    assert_eq!(tag["createdTime"], "2021-02-03T04:05:06Z", "{tag}");
    assert_eq!(tag["digest"], json!(digest(&old)), "{tag}");
    let shown = scene.get("/acr/v1/old/app").json();
    assert_eq!(shown["createdTime"], "2021-02-03T04:05:06Z", "{shown}");
    // What comes later is new, whatever its maker says.
    let new = old.replace("2021", "2022");
    scene.behind("PUT", "/v2/old/app/manifests/v2", Some((IMAGE, new)));
    let tag = scene.get("/acr/v1/old/app/_tags/v2").json()["tag"].clone();
    assert!(tag["createdTime"].as_str().unwrap() > "2022-12-31", "{tag}");
}

/// The index is filled from a registry's list, and by what it says that happened.
#[test]
fn filling_the_index() {
    let scene = Scene::before(Registry::open());
    let image = scene.image("old/app", "one");
    let config = scene.gateway.folder().join("gateway.yaml");
    let behind = |path: &str| scene.behind("PUT", path, Some((IMAGE, image.clone())));
    assert_eq!(behind("/v2/old/app/manifests/v1"), 201);
    let mut crawl = Command::new(program());
    let said = said(crawl.arg("--config").arg(config).arg("crawl"));
    assert!(said.contains("repository=\"old/app\" tags=1 manifests=1"), "{said}");

    // Untagged, and behind the gateway: only the registry can tell of it.
    let untagged = scene.image("old/app", "two");
    let digest = digest(&untagged);
    let path = format!("/v2/old/app/manifests/{digest}");
    assert_eq!(scene.behind("PUT", &path, Some((IMAGE, untagged))), 201);
    let known = || scene.get("/acr/v1/old/app/_manifests").body.contains(&digest);
    assert!(!known());
    let event = |action: &str, digest: &str| {
        let target = json!({ "mediaType": IMAGE, "digest": digest, "repository": "old/app" });
        let body = json!({ "events": [{ "action": action, "target": target }] });
        let url = format!("{}/events", scene.gateway.admin());
        scene.client.post(url).body(body.to_string()).send().unwrap().status().as_u16()
    };
    assert_eq!(event("push", &digest), 200);
    assert!(known());
    // What is said and not so changes nothing.
    assert_eq!(event("delete", &digest), 200);
    assert_eq!(event("push", &self::digest("absent")), 200);
    assert!(
        known() && !scene.get("/acr/v1/old/app/_manifests").body.contains(&self::digest("absent"))
    );
    assert_eq!(scene.behind("DELETE", &path, None), 202);
    assert_eq!(event("delete", &digest), 200);
    assert!(!known());
}

/// skopeo goes through as it does without an index, and is refused by a lock.
#[test]
fn skopeo() {
    let scene = Scene::with(Registry::open(), &edge::RULES, "");
    edge::walk(&scene.gateway.host(), scene.gateway.folder(), &scene.password);

    for registry in registries() {
        let scene = Scene::before(registry);
        let (host, folder) = (scene.gateway.host(), scene.gateway.folder());
        let [one, two] = ["v1", "v2"].map(|tag| format!("{host}/team/app:{tag}"));
        let (skopeo, layout) = (Skopeo::new(), image::make(folder));
        skopeo.login(&host, "MyToken", &scene.password).unwrap();
        skopeo.push(&layout, &one).unwrap();
        scene.push("team/app", "v2", "two");
        scene.patch("/acr/v1/team/app/_tags/v1", r#"{"writeEnabled":false}"#);
        let refused = skopeo.copy(&two, &one).unwrap_err();
        assert!(refused.contains("405") || refused.contains("disallowed"), "{refused}");
        skopeo.delete(&one).unwrap_err();
        skopeo.pull(&one).unwrap();
    }
}

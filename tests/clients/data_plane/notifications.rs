//! What CNCF distribution itself says of pushes and deletions around the gateway.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{ALL, IMAGE, Scene, digest, index};
use crate::software::gateway::Gateway;
use crate::software::process::{eventually, free_port};
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings, seed};

#[test]
fn a_registry_notifies_of_what_happens_around_the_gateway() {
    let admin = free_port();
    for registry in Registry::notifying(&format!("http://127.0.0.1:{admin}/events")) {
        let scene = scene(admin, registry);
        let [tagged, untagged] = ["one", "two"].map(|text| scene.image("team/app", text));
        let [first, second] = [&tagged, &untagged].map(|image| digest(image));
        assert_eq!(around(&scene, "PUT", "v1", &tagged), 201);
        assert_eq!(around(&scene, "PUT", &second, &untagged), 201);
        // No list of the registry has a manifest without a tag.
        let list = until_it_has(&scene, 2);
        for (digest, tags) in [(&first, json!(["v1"])), (&second, Value::Null)] {
            let mut all = list.iter();
            let manifest = all.find(|manifest| manifest["digest"] == json!(digest)).unwrap();
            assert_eq!(manifest["tags"], tags, "{manifest}");
            assert_eq!((&manifest["imageSize"], &manifest["os"]), (&json!(3), &json!("linux")));
        }
        is_as_old_as_its_event(&scene);
        assert_eq!(around(&scene, "DELETE", &second, ""), 202);
        until_it_has(&scene, 1);
    }
}

/// A gateway that looked through the registry while there was nothing in it.
fn scene(admin: u16, registry: Registry) -> Scene {
    let (server, passwords) = Server::with(Settings::default(), &seed(&[("*", ALL)]));
    let data = Arc::new(tempfile::tempdir().unwrap());
    let gateway = Gateway::told_at(admin, registry.port(), &server, &index(&data, ""));
    eventually(Duration::from_secs(10), || {
        let log = gateway.log();
        if log.contains("the registry was looked through") { Ok(()) } else { Err(log) }
    });
    let (registry, server) = (Arc::new(registry), Arc::new(server));
    Scene::through(gateway, registry, server, passwords[0].clone(), data)
}

/// Asks the registry itself.
fn around(scene: &Scene, method: &str, reference: &str, image: &str) -> u16 {
    let body = (method == "PUT").then(|| (IMAGE, image.to_owned()));
    scene.behind(method, &format!("/v2/team/app/manifests/{reference}"), body)
}

/// The manifests, once there are as many as that.
#[track_caller]
fn until_it_has(scene: &Scene, count: usize) -> Vec<Value> {
    eventually(Duration::from_secs(10), || {
        let answer = scene.get("/acr/v1/team/app/_manifests");
        let list = answer.json()["manifests"].as_array().cloned().unwrap_or_default();
        if list.len() == count { Ok(list) } else { Err(answer.body) }
    })
}

/// What is pushed is as old as the event of it: not as the first look at it, nor as its maker says,
/// in a repository that is new either.
#[track_caller]
fn is_as_old_as_its_event(scene: &Scene) {
    let image = json!({
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": scene.upload("new/app", "application/vnd.oci.empty.v1+json", "{}"),
        "layers": [],
        "annotations": { "org.opencontainers.image.created": "2021-02-03T04:05:06Z" },
    });
    let image = image.to_string();
    let manifest = format!("_manifests/{}", digest(&image));
    let before = jiff::Timestamp::now();
    let pushed = scene.behind("PUT", "/v2/new/app/manifests/v1", Some((IMAGE, image)));
    assert_eq!(pushed, 201);
    std::thread::sleep(Duration::from_secs(2));
    for (path, member) in [("_tags/v1", "tag"), (manifest.as_str(), "manifest"), ("", "")] {
        let shown = scene.get(format!("/acr/v1/new/app/{path}").trim_end_matches('/')).json();
        let of = if member.is_empty() { &shown } else { &shown[member] };
        for name in ["createdTime", "lastUpdateTime"] {
            let time: jiff::Timestamp = of[name].as_str().unwrap().parse().unwrap();
            let lag = time.duration_since(before).as_secs_f64();
            assert!((0.0..1.5).contains(&lag), "{name}: {lag} s in {shown}");
        }
    }
}

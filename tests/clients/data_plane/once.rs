//! Tags that are written once, by rules of the configuration.

use std::sync::Barrier;

use super::scene::{ALL, IMAGE, LOCKED, Scene};
use crate::software::registry::registries;

const RULES: &str = ", writeOnce: [{repository: team/app, tag: 'v*'}, {repository: 'team/*', tag: 'r*', deletable: true}]";

fn scenes() -> impl Iterator<Item = Scene> {
    registries().map(|registry| Scene::with(registry, &[("*", ALL), ("team/app", ALL)], RULES))
}

/// The statuses of requests, each of which is refused as by a lock or does what it says.
#[track_caller]
fn answered(scene: &Scene, requests: &[(&str, &str, u16)]) {
    for (method, path, status) in requests {
        let answer = scene.ask(method, path);
        assert_eq!(answer.status, *status, "{method} {path}: {}", answer.body);
        assert!(answer.status != 405 || answer.body.trim_end() == LOCKED, "{}", answer.body);
    }
}

#[test]
fn a_tag_is_written_once() {
    for scene in scenes() {
        let [one, two] = ["one", "two"].map(|text| scene.image("team/app", text));
        for (tag, image, expected) in [
            ("v1", &one, 201),
            ("v1", &one, 201),
            ("v1", &two, 405),
            ("r1", &two, 201),
            ("r1", &one, 405),
            ("latest", &one, 201),
            ("latest", &two, 201),
        ] {
            let pushed = scene.put("team/app", tag, IMAGE, image);
            assert_eq!(pushed.status, expected, "{tag}: {}", pushed.body);
            assert!(pushed.status != 405 || pushed.body.trim_end() == LOCKED, "{}", pushed.body);
        }
        let [kept, other] = [&one, &two].map(|image| super::digest(image));
        let manifest = |digest: &str| format!("/v2/team/app/manifests/{digest}");
        answered(
            &scene,
            &[
                ("DELETE", "/acr/v1/team/app/_tags/v1", 405),
                ("DELETE", &manifest(&kept), 405),
                ("DELETE", "/acr/v1/team/app", 405),
                ("GET", &manifest("v1"), 200),
                ("DELETE", "/acr/v1/team/app/_tags/r1", 202),
                ("DELETE", &manifest(&other), 202),
            ],
        );
        assert_eq!(scene.put("team/app", "r1", IMAGE, &one).status, 201, "it is a new one");
    }
}

/// Attributes give way to no rule, and of many that push a tag at once one is the first.
#[test]
fn nothing_moves_it() {
    for scene in scenes() {
        let open = r#"{"writeEnabled":true,"deleteEnabled":true}"#;
        scene.push("team/app", "v1", "first");
        assert_eq!(scene.patch("/acr/v1/team/app/_tags/v1", open).status, 200);
        let images = ["a", "b", "c", "d"].map(|text| scene.image("team/app", text));
        let start = Barrier::new(images.len());
        let pushed = std::thread::scope(|threads| {
            let push = |image: &String| {
                let (scene, start, image) = (&scene, &start, image.clone());
                threads.spawn(move || {
                    start.wait();
                    let old = scene.put("team/app", "v1", IMAGE, &image).status;
                    (old, scene.put("team/app", "v2", IMAGE, &image).status)
                })
            };
            let all: Vec<_> = images.iter().map(push).collect();
            all.into_iter().map(|push| push.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(pushed.iter().all(|(old, _)| *old == 405), "{pushed:?}");
        assert_eq!(pushed.iter().filter(|(_, new)| *new == 201).count(), 1, "{pushed:?}");
        assert_eq!(pushed.iter().filter(|(_, new)| *new == 405).count(), 3, "{pushed:?}");
        // One that was pushed around the gateway stays too.
        let manifest = |tag: &str| format!("/v2/team/app/manifests/{tag}");
        assert_eq!(scene.behind("PUT", &manifest("v3"), Some((IMAGE, images[0].clone()))), 201);
        assert_eq!(scene.put("team/app", "v3", IMAGE, &images[1]).status, 405);
        let digest = super::digest(&images[0]);
        answered(&scene, &[("DELETE", &manifest(&digest), 405)]);
    }
}

//! Helm, whose charts the data plane shows as what they are.

use std::process::Command;

use serde_json::Value;

use super::{IMAGE, Scene};
use crate::drivers::built::Built;
use crate::software::registry::registries;

const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const FILE: &str = "app-1.2.3+build.4.tgz";

#[test]
fn helm_pushes_and_pulls_a_chart() {
    for registry in registries() {
        let Some(helm) = Built::installed("helm") else { return };
        let scene = Scene::before(registry);
        let host = scene.gateway.host();
        let run = |line: &str| helm.run(&format!("{line} --plain-http"));
        helm.run("create app").unwrap();
        helm.run("package app --version 1.2.3+build.4").unwrap();
        run(&format!("registry login {host} -u MyToken -p {}", scene.password)).unwrap();
        let push = format!("push {FILE} oci://{host}/charts");
        run(&push).unwrap();
        is_shown(&scene, std::fs::metadata(helm.home().join(FILE)).unwrap().len());

        std::fs::create_dir(helm.home().join("pulled")).unwrap();
        let pull = format!("pull oci://{host}/charts/app --version 1.2.3+build.4 -d pulled");
        run(&pull).unwrap();
        let mut same = Command::new("cmp");
        same.args([FILE, &format!("pulled/{FILE}")]).current_dir(helm.home());
        assert!(same.status().unwrap().success());
        scene.patch("/acr/v1/charts/app/_tags/1.2.3_build.4", r#"{"writeEnabled":false}"#);
        let refused = run(&push).unwrap_err();
        assert!(refused.contains("disallowed"), "{refused}");
    }
}

/// The chart in the lists. Of a version's `+`, which no tag has, Helm makes `_`.
#[track_caller]
fn is_shown(scene: &Scene, size: u64) {
    let tags = scene.get("/acr/v1/charts/app/_tags").json();
    assert_eq!(tags["tags"][0]["name"], "1.2.3_build.4", "{tags}");
    let digest = tags["tags"][0]["digest"].as_str().unwrap();
    let shown = scene.get(&format!("/acr/v1/charts/app/_manifests/{digest}")).json();
    let manifest = &shown["manifest"];
    assert_eq!(manifest["mediaType"], IMAGE, "{shown}");
    assert_eq!(manifest["configMediaType"], CONFIG, "{shown}");
    assert_eq!(manifest["imageSize"], size, "{shown}");
    // It has no platform.
    assert_eq!((&manifest["architecture"], &manifest["os"]), (&Value::Null, &Value::Null));
}

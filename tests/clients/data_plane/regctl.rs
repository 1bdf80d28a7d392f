//! regctl, which removes a tag from a registry that cannot as the gateway does: it moves the tag to
//! a manifest of its own, and deletes that.

use serde_json::json;

use super::Scene;
use crate::drivers::built::Built;
use crate::software::registry::registries;

#[test]
fn regctl_lists_copies_and_untags() {
    for registry in registries() {
        let Some(regctl) = Built::installed("regctl") else { return };
        let scene = Scene::before(registry);
        let digest = scene.push("team/app", "v1", "hello");
        let host = scene.gateway.host();
        let image = format!("{host}/team/app");
        let run = |line: &str| regctl.run(line);
        run(&format!("registry set {host} --tls disabled --skip-check")).unwrap();
        run(&format!("registry login {host} -u MyToken -p {}", scene.password)).unwrap();
        for tag in ["v2", "v3"] {
            run(&format!("image copy {image}:v1 {image}:{tag}")).unwrap();
        }
        run(&format!("image copy {image}:v1 {host}/team/other:v1")).unwrap();
        assert_eq!(run(&format!("repo ls {host}")).unwrap(), "team/app\nteam/other\n");
        assert_eq!(run(&format!("tag ls {image}")).unwrap(), "v1\nv2\nv3\n");
        let head = run(&format!("manifest head {image}:v2")).unwrap();
        assert_eq!(head.trim(), digest);

        run(&format!("tag delete {image}:v2")).unwrap();
        assert_eq!(run(&format!("tag ls {image}")).unwrap(), "v1\nv3\n");
        // The manifest is there, with its other tags, and nothing was left beside it.
        let left = scene.get("/acr/v1/team/app/_manifests").json();
        let manifests = left["manifests"].as_array().unwrap();
        assert_eq!(manifests.len(), 1, "{left}");
        assert_eq!(manifests[0]["digest"], json!(digest), "{left}");
        assert_eq!(manifests[0]["tags"], json!(["v1", "v3"]), "{left}");
        is_refused_by_locks(&scene, &regctl, &digest);
    }
}

/// None of its ways goes around a lock.
#[track_caller]
fn is_refused_by_locks(scene: &Scene, regctl: &Built, digest: &str) {
    let image = format!("{}/team/app", scene.gateway.host());
    scene.push("team/app", "v4", "another");
    scene.patch("/acr/v1/team/app/_tags/v3", r#"{"writeEnabled":false}"#);
    for line in [
        format!("tag delete {image}:v3"),
        format!("manifest delete {image}@{digest}"),
        format!("image copy {image}:v4 {image}:v3"),
    ] {
        regctl.run(&line).unwrap_err();
        let tag = scene.get("/acr/v1/team/app/_tags/v3").json();
        assert_eq!(tag["tag"]["digest"], json!(digest), "{line}");
    }
    scene.patch("/acr/v1/team/app/_tags/v3", r#"{"writeEnabled":true}"#);
    regctl.run(&format!("manifest delete {image}@{digest}")).unwrap();
    assert_eq!(scene.get("/acr/v1/team/app/_tags/v1").status, 404);
}

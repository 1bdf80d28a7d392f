//! What a lock has to hold against: other forms of what is locked, its parts, and requests that are
//! under way while it is put on.

use super::*;

const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

impl Scene {
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

//! Signatures through every edge: cosign signs where a token may push, verifies where it may pull,
//! and nothing more.

use std::path::Path;

use crate::drivers::cosign::{Cosign, Form};
use crate::drivers::skopeo::Skopeo;
use crate::edge::{self, ALL};
use crate::mounts::EDGES;
use crate::software::image;
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings, seed};

const READ: &[&str] = &["content/read", "metadata/read"];

/// Pushes an image, and gives its name by digest: what has a signature is no tag.
fn pushed(host: &str, repository: &str, layout: &Path) -> String {
    let skopeo = Skopeo::new();
    skopeo.push(layout, &format!("{host}/{repository}:v1")).unwrap();
    let index = std::fs::read_to_string(layout.join("index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_str(&index).unwrap();
    format!("{repository}@{}", index["manifests"][0]["digest"].as_str().unwrap())
}

/// Signs one image, verifies it, and fails to sign the other.
#[track_caller]
fn signs(cosign: &Cosign, other: &Cosign, form: Form, [signed, locked]: [&str; 2], edge: &str) {
    cosign.verify(signed, form).unwrap_err();
    cosign.sign(signed, form).unwrap_or_else(|error| panic!("{edge}, {form:?}: {error}"));
    cosign.verify(signed, form).unwrap_or_else(|error| panic!("{edge}, {form:?}: {error}"));
    other.verify(signed, form).unwrap_err();
    let refused = cosign.sign(locked, form).unwrap_err();
    assert!(refused.contains("DENIED") || refused.contains("UNAUTHORIZED"), "{edge}: {refused}");
}

#[test]
fn cosign_signs_where_it_may_push() {
    let (Some(cosign), Some(other)) = (Cosign::installed(), Cosign::installed()) else { return };
    let rules = [("signed/*", ALL), ("locked/*", READ)];
    let (server, passwords) = Server::with(Settings::asked_by_proxies(), &seed(&rules));
    let folder = tempfile::tempdir().unwrap();
    let layout = image::make(folder.path());
    for registry in [Some(Registry::open()), Registry::open_of_version_3()].into_iter().flatten() {
        for (name, start) in EDGES {
            let (port, _edge) = start(registry.port(), &server);
            edge::decides(port, &server, &passwords[0]);
            let host = format!("127.0.0.1:{port}");
            cosign.login(&host, "MyToken", &passwords[0]);
            other.login(&host, "MyToken", &passwords[0]);
            for form in [Form::Tag, Form::Referrer] {
                let named = |access| format!("{access}/{name}-{form:?}").to_lowercase();
                let images = ["signed", "locked"]
                    .map(|access| pushed(&registry.host(), &named(access), &layout))
                    .map(|image| format!("{host}/{image}"));
                signs(&cosign, &other, form, [&images[0], &images[1]], name);
            }
        }
    }
}

//! What acr-cli sends, by hand, and what it reads of the answers
//! (<https://github.com/Azure/acr-cli>: `purge`, `tag` and `manifest`). It speaks HTTPS only, and
//! is not to be had as a module.
//!
//! Left out: annotations, which end nothing, and its choice of tags by a regular expression.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answer, IMAGE, INDEX, Scene, digest};
use crate::software::registry::registries;
use crate::software::server::refresh_token;

const NAME: &str = "team/app";
/// As its generated code writes the name into a path.
const PATH: &str = "team%2Fapp";
const ACCEPT: &str = "*/*, application/vnd.cncf.oras.artifact.manifest.v1+json, application/vnd.oci.artifact.manifest.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

/// acr-cli, which signs in once.
struct AcrCli<'a> {
    scene: &'a Scene,
    authorization: Authorization,
}

#[derive(Clone)]
enum Authorization {
    Basic,
    Bearer(String),
}

/// What `purge` is told beside its filter.
#[derive(Default)]
struct Purge {
    keep: usize,
    is_untagged: bool,
    includes_locked: bool,
}

/// What it says that it did.
#[derive(Debug, Default, PartialEq)]
struct Purged {
    tags: usize,
    skipped: usize,
    manifests: HashSet<String>,
}

impl<'a> AcrCli<'a> {
    fn with_a_password(scene: &'a Scene) -> Self {
        Self { scene, authorization: Authorization::Basic }
    }

    /// With the refresh token of `az acr login`, which it changes for one that may do everything.
    fn with_a_refresh_token(scene: &'a Scene) -> Self {
        let refresh = refresh_token(&scene.server, "MyToken", &scene.password);
        let form = [
            ("grant_type", "refresh_token"),
            ("service", scene.server.service()),
            ("scope", "registry:catalog:* repository:*:*"),
            ("refresh_token", &refresh),
        ];
        let url = format!("{}/oauth2/token", scene.server.url());
        let text = scene.client.post(url).form(&form).send().unwrap().text().unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        let token = answer["access_token"].as_str().unwrap_or_else(|| panic!("{text}"));
        Self { scene, authorization: Authorization::Bearer(token.to_owned()) }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let url = format!("http://{}{path}", self.scene.gateway.host());
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.scene.client.request(method, url).header("accept", ACCEPT);
        request = match &self.authorization {
            Authorization::Basic => request.basic_auth("MyToken", Some(&self.scene.password)),
            Authorization::Bearer(token) => request.bearer_auth(token),
        };
        if !body.is_empty() {
            let content_type = "application/json; charset=utf-8";
            request = request.header("content-type", content_type).body(body.to_owned());
        }
        let answer = request.send().unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, body: answer.text().unwrap() }
    }

    /// One page; nothing where there is none, which ends its loops: it looks for the last item of
    /// what is there.
    fn page(&self, list: &str, query: &str) -> (Option<Vec<Value>>, String) {
        let answer = self.ask("GET", &format!("/acr/v1/{PATH}/_{list}?n=100{query}"), "");
        assert_eq!(answer.status, 200, "{list} {query}: {}", answer.body);
        let page = answer.json()[list].as_array().cloned();
        assert_ne!(page.as_ref().map(Vec::len), Some(0), "{list} {query}");
        (page, answer.header("link").to_owned())
    }

    /// `purge` goes on from what it reads in the link.
    fn tags_by_time(&self) -> Vec<Value> {
        let (mut found, mut last) = (Vec::new(), String::new());
        loop {
            let (page, link) = self.page("tags", &format!("{last}&orderby=timedesc"));
            found.extend(page.unwrap_or_default());
            let Some((_, query)) = link.split_once('?') else { break };
            let query = query.split('>').next().unwrap();
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            let (_, value) = pairs.find(|(name, _)| name == "last").unwrap();
            let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            last = format!("&last={value}");
        }
        found.iter().for_each(has_what_is_read_of_both);
        found
    }

    /// `tag list` and `manifest list`, and `purge` for manifests, go on from the last item until
    /// there is no list.
    fn all(&self, list: &str, key: &str) -> Vec<Value> {
        let (mut found, mut last) = (Vec::<Value>::new(), String::new());
        while let (Some(page), _) = self.page(list, &last) {
            let name = page.last().unwrap()[key].as_str().unwrap();
            last = format!("&last={}", name.replace(':', "%3A"));
            found.extend(page);
        }
        found.iter().for_each(has_what_is_read_of_both);
        found
    }

    fn manifests(&self) -> Vec<Value> {
        let found = self.all("manifests", "digest");
        for manifest in &found {
            let media_type = manifest["mediaType"].as_str();
            assert!(media_type.is_some_and(|of| [IMAGE, INDEX].contains(&of)), "{manifest}");
        }
        found
    }

    fn purge(&self, filter: &str, purge: &Purge) -> Purged {
        let mut purged = Purged::default();
        let tags = self.tags_by_time();
        let chosen = tags.iter().filter(|tag| text(tag, "name").starts_with(filter));
        for tag in chosen.skip(purge.keep) {
            if !self.may_delete(tag, &format!("_tags/{}", text(tag, "name")), purge) {
                purged.skipped += 1;
                continue;
            }
            let path = format!("/acr/v1/{PATH}/_tags/{}", text(tag, "name"));
            assert_eq!(self.ask("DELETE", &path, "").status, 202, "{path}");
            purged.tags += 1;
        }
        if purge.is_untagged {
            self.purge_untagged(purge, &mut purged);
        }
        purged
    }

    /// Those without tags that no index refers to.
    fn purge_untagged(&self, purge: &Purge, purged: &mut Purged) {
        let (tagged, untagged): (Vec<_>, Vec<_>) =
            self.manifests().into_iter().partition(|manifest| !manifest["tags"].is_null());
        let indexes = tagged.iter().filter(|manifest| manifest["mediaType"] == INDEX);
        let referred: HashSet<String> =
            indexes.flat_map(|index| self.referred(text(index, "digest"))).collect();
        for manifest in untagged {
            let digest = text(&manifest, "digest");
            if referred.contains(digest) {
                continue;
            }
            if !self.may_delete(&manifest, &format!("_manifests/{digest}"), purge) {
                purged.skipped += 1;
                continue;
            }
            assert_eq!(self.delete_manifest(digest), 202, "{digest}");
            purged.manifests.insert(digest.to_owned());
        }
    }

    fn referred(&self, index: &str) -> Vec<String> {
        let index = self.ask("GET", &format!("/v2/{PATH}/manifests/{index}"), "").json();
        let manifests = index["manifests"].as_array().unwrap();
        manifests.iter().map(|manifest| text(manifest, "digest").to_owned()).collect()
    }

    /// Whether it tries: what is locked is skipped, or unlocked first.
    fn may_delete(&self, of: &Value, path: &str, purge: &Purge) -> bool {
        let attributes = &of["changeableAttributes"];
        let is_locked = attributes["deleteEnabled"] == false || attributes["writeEnabled"] == false;
        if is_locked && purge.includes_locked {
            let unlock = r#"{"deleteEnabled":true,"writeEnabled":true}"#;
            let answer = self.ask("PATCH", &format!("/acr/v1/{PATH}/{path}"), unlock);
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        }
        !is_locked || purge.includes_locked
    }

    fn delete_manifest(&self, digest: &str) -> u16 {
        let path = format!("/v2/{PATH}/manifests/{}", digest.replace(':', "%3A"));
        self.ask("DELETE", &path, "").status
    }
}

fn text<'v>(of: &'v Value, name: &str) -> &'v str {
    of[name].as_str().unwrap_or_else(|| panic!("no {name}: {of}"))
}

/// It follows these pointers without a look, and reads times as RFC 3339.
#[track_caller]
fn has_what_is_read_of_both(of: &Value) {
    text(of, "digest");
    text(of, "lastUpdateTime").parse::<Timestamp>().unwrap();
    text(of, "createdTime").parse::<Timestamp>().unwrap();
    for flag in ["deleteEnabled", "writeEnabled"] {
        assert!(of["changeableAttributes"][flag].is_boolean(), "{of}");
    }
}

/// What there is to purge.
struct Filled {
    /// Those of the tags `t000` to `t104`, in turn.
    images: [String; 3],
    /// Of the tag and of the manifest that are locked.
    locked: String,
    /// Without a tag, and in no index.
    orphan: String,
    /// Without a tag, in the index `multi`.
    child: String,
}

fn fill(scene: &Scene) -> Filled {
    let [one, two, three] = ["one", "two", "three"].map(|text| scene.image(NAME, text));
    let images = [one, two, three];
    for number in 0..105 {
        let pushed = scene.put(NAME, &format!("t{number:03}"), IMAGE, &images[number % 3]);
        assert_eq!(pushed.status, 201, "{}", pushed.body);
    }
    let by_digest = |text: &str| {
        let image = scene.image(NAME, text);
        assert_eq!(scene.put(NAME, &digest(&image), IMAGE, &image).status, 201);
        digest(&image)
    };
    let (orphan, child) = (by_digest("orphan"), by_digest("child"));
    let of_child = json!({ "mediaType": IMAGE, "digest": child, "size": 9 });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [of_child] });
    assert_eq!(scene.put(NAME, "multi", INDEX, &index.to_string()).status, 201);
    let locked = scene.push(NAME, "locked", "locked");
    let lock = r#"{"deleteEnabled":false,"writeEnabled":false}"#;
    for path in ["_tags/locked", &format!("_manifests/{locked}")] {
        assert_eq!(scene.patch(&format!("/acr/v1/{NAME}/{path}"), lock).status, 200);
    }
    Filled { images: images.each_ref().map(|image| digest(image)), locked, orphan, child }
}

#[test]
fn acr_cli_purges() {
    for registry in registries() {
        let scene = Scene::before(registry);
        let cli = AcrCli::with_a_password(&scene);
        let filled = fill(&scene);
        purges(&cli, &filled);
    }
}

#[test]
fn acr_cli_purges_with_a_refresh_token() {
    for registry in registries() {
        let scene = Scene::before(registry);
        let filled = fill(&scene);
        purges(&AcrCli::with_a_refresh_token(&scene), &filled);
    }
}

#[track_caller]
fn purges(cli: &AcrCli<'_>, filled: &Filled) {
    // Two are kept: the newest, which are of the second image and the third.
    let told = Purge { keep: 2, is_untagged: true, ..Purge::default() };
    let manifests = [&filled.images[0], &filled.orphan].map(Clone::clone).into();
    assert_eq!(cli.purge("t", &told), Purged { tags: 103, skipped: 0, manifests });
    assert_eq!(names(&cli.tags_by_time()), ["locked", "multi", "t104", "t103"]);

    assert_eq!(cli.purge("locked", &told), Purged::default());
    let told = Purge { is_untagged: true, ..Purge::default() };
    assert_eq!(cli.purge("locked", &told), Purged { skipped: 1, ..Purged::default() });
    // What it does not look at beforehand, `tag delete` and `manifest delete`, is refused.
    assert_eq!(cli.ask("DELETE", &format!("/acr/v1/{PATH}/_tags/locked"), "").status, 405);
    assert_eq!(cli.delete_manifest(&filled.locked), 405);
    let told = Purge { includes_locked: true, ..told };
    let manifests = [filled.locked.clone()].into();
    assert_eq!(cli.purge("locked", &told), Purged { tags: 1, skipped: 0, manifests });

    assert_eq!(names(&cli.all("tags", "name")), ["multi", "t103", "t104"]);
    assert_eq!(cli.ask("DELETE", &format!("/acr/v1/{PATH}/_tags/t103"), "").status, 202);
    let left = cli.manifests();
    assert_eq!(left.len(), 4, "{left:?}");
    let child = left.iter().find(|manifest| manifest["digest"] == json!(filled.child));
    assert_eq!(child.unwrap()["tags"], Value::Null);
    assert_eq!(cli.delete_manifest(&filled.images[1]), 202);
    assert_eq!(cli.delete_manifest(&filled.images[1]), 404);
}

fn names(of: &[Value]) -> Vec<&str> {
    of.iter().map(|tag| text(tag, "name")).collect()
}

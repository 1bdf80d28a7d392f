//! Removing a tag with `metadata/write` and `untag: metadata-write`: by the claim of a token for
//! which `delete` was requested, by a password, and nothing else with either.

use std::sync::Arc;

use serde_json::{Value, json};

use super::scene::{ALL, Answer, IMAGE, LOCKED, Scene, index};
use crate::software::gateway::Gateway;
use crate::software::process::eventually;
use crate::software::registry::{Registry, registries};
use crate::software::server::{Server, Settings};

const DELETE: &str = "repository:team/app:delete";
const TAG: &str = "/acr/v1/team/app/_tags/v1";
const METADATA_WRITE: &str = "untag: metadata-write\n";

/// `MyToken` may do everything, `Curator` has `metadata/write` on `team/app` alone.
fn seed(of_curator: &[&str]) -> String {
    let all = ALL.iter().map(|action| format!("repositories/*/{action}")).collect::<Vec<_>>();
    let own = of_curator.iter().map(|action| format!("repositories/team/app/{action}"));
    let own = own.collect::<Vec<_>>();
    json!({
        "scopeMaps": [{"name": "MyScopeMap", "actions": all}, {"name": "CuratorMap", "actions": own}],
        "tokens": [
            {"name": "MyToken", "scopeMap": "MyScopeMap"},
            {"name": "Curator", "scopeMap": "CuratorMap"},
        ],
    })
    .to_string()
}

/// A gateway before a registry, and the password of `Curator`.
struct Untag {
    scene: Scene,
    curator: String,
}

impl Untag {
    fn before(registry: Registry, has_policy: bool, more: &str) -> Self {
        let (server, passwords) = Server::with(Settings::default(), &seed(&["metadata/write"]));
        let [password, curator] = passwords.try_into().unwrap();
        let data = Arc::new(tempfile::tempdir().unwrap());
        let more = index(&data, ", writeOnce: [{repository: team/app, tag: 'once*'}]") + more;
        let start = if has_policy { Gateway::with_policy } else { Gateway::before };
        let gateway = start(registry.port(), &server, &more);
        let scene = Scene::through(gateway, Arc::new(registry), Arc::new(server), password, data);
        Self { scene, curator }
    }

    /// A token of `Curator` for these scopes, or of another name and password.
    fn token_of(&self, (name, password): (&str, &str), scope: &str) -> String {
        let url = format!("{}/oauth2/token", self.scene.server.url());
        let request = self.scene.client.get(url).query(&[("scope", scope)]);
        let answer = request.basic_auth(name, Some(password)).send().unwrap();
        let answer: Value = serde_json::from_str(&answer.text().unwrap()).unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    fn token(&self, scope: &str) -> String {
        self.token_of(("Curator", &self.curator), scope)
    }

    fn ask(&self, method: &str, path: &str, authorize: impl Fn(Request) -> Request) -> Answer {
        let url = format!("http://{}{path}", self.scene.gateway.host());
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.scene.client.request(method.clone(), url).header("accept", IMAGE);
        let request = match method.as_str() {
            "PATCH" => {
                request.header("content-type", "application/json").body(r#"{"writeEnabled":false}"#)
            }
            _ => request,
        };
        let answer = authorize(request).send().unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, body: answer.text().unwrap() }
    }

    fn by_token(&self, method: &str, path: &str, token: &str) -> u16 {
        self.ask(method, path, |request| request.bearer_auth(token)).status
    }

    fn by_password(&self, method: &str, path: &str, (name, password): (&str, &str)) -> u16 {
        self.ask(method, path, |request| request.basic_auth(name, Some(password))).status
    }

    fn push(&self, tag: &str) {
        self.scene.push("team/app", tag, tag);
    }
}

type Request = reqwest::blocking::RequestBuilder;

/// Over both registries, with the feed and with the policy.
#[test]
fn a_tag_is_removed_by_the_claim() {
    for registry in registries() {
        removes(&Untag::before(registry, false, METADATA_WRITE));
    }
    removes(&Untag::before(Registry::open(), true, METADATA_WRITE));
}

#[track_caller]
fn removes(untag: &Untag) {
    let curator = ("Curator", untag.curator.as_str());
    let all = ("MyToken", untag.scene.password.as_str());
    let own = untag.token(DELETE);
    let null_guid = ("00000000-0000-0000-0000-000000000000", own.as_str());
    for (path, is_removed) in [
        (TAG, &(|path: &str| untag.by_token("DELETE", path, &own)) as &dyn Fn(&str) -> u16),
        ("/acr/v1/team%2Fapp/_tags/v1?api-version=2021-07-01", &|path| {
            untag.by_token("DELETE", path, &own)
        }),
        (TAG, &|path| untag.by_password("DELETE", path, curator)),
        (TAG, &|path| untag.by_password("DELETE", path, null_guid)),
        (TAG, &|path| untag.by_token("DELETE", path, &untag.token_of(null_guid, DELETE))),
        (TAG, &|path| {
            untag.by_token("DELETE", path, &untag.token("repository:team/app:metadata_write"))
        }),
        (TAG, &|path| untag.by_token("DELETE", path, &untag.token_of(all, DELETE))),
    ] {
        untag.push("v1");
        assert_eq!(is_removed(path), 202, "{path}: {}", untag.scene.gateway.log());
        assert_eq!(untag.scene.get(TAG).status, 404);
    }
}

/// What `delete` opens beside it, and what `metadata/write` opens, is closed to the claim; so are
/// other repositories, and other tokens of the same principal.
#[test]
fn nothing_else_goes_by_the_claim() {
    let untag = Untag::before(Registry::open(), false, METADATA_WRITE);
    let digest = untag.scene.push("team/app", "v1", "one");
    untag.scene.push("team/other", "v1", "one");
    let own = untag.token(&format!("{DELETE} repository:team/other:delete"));
    let blob = super::digest("one");
    let manifest = format!("/v2/team/app/manifests/{digest}");
    for (method, path) in [
        ("DELETE", manifest.as_str()),
        ("DELETE", "/v2/team/app/manifests/v1"),
        ("GET", &manifest),
        ("PUT", "/v2/team/app/manifests/v2"),
        ("DELETE", "/acr/v1/team/app"),
        ("DELETE", &format!("/acr/v1/team/app/_manifests/{digest}")),
        ("PATCH", "/acr/v1/team/app"),
        ("PATCH", TAG),
        ("PATCH", &format!("/acr/v1/team/app/_manifests/{digest}")),
        ("GET", TAG),
        ("HEAD", TAG),
        ("GET", "/acr/v1/team/app/_tags"),
        ("GET", "/v2/team/app/tags/list"),
        ("DELETE", "/acr/v1/team/app/_metadata/x"),
        ("PUT", "/acr/v1/team/app/_metadata/x"),
        ("DELETE", &format!("/v2/team/app/blobs/{blob}")),
        ("GET", &format!("/v2/team/app/blobs/{blob}")),
        ("POST", "/v2/team/app/blobs/uploads/"),
        ("POST", &format!("/v2/team/app/blobs/uploads/?mount={blob}&from=team/other")),
        ("DELETE", "/v2/team/app/blobs/uploads/00000000-0000-4000-8000-000000000000"),
        ("DELETE", "/acr/v1/team/other/_tags/v1"),
        ("DELETE", "/acr/v1/_deleted/team/app/_tags"),
        ("GET", "/v2/_catalog"),
        ("GET", "/acr/v1/_catalog"),
        ("DELETE", "/helm/v1/team/_charts/app/1.0.0"),
    ] {
        let status = untag.by_token(method, path, &own);
        assert!([401, 404, 405].contains(&status), "{method} {path}: {status}");
    }
    for scope in ["repository:team/app:pull", "repository:team/app:metadata_read", ""] {
        let status = untag.by_token("DELETE", TAG, &untag.token(scope));
        assert_eq!(status, 401, "{scope}");
        let ceiling = untag.token(scope);
        let by_ceiling = ("00000000-0000-0000-0000-000000000000", ceiling.as_str());
        assert_eq!(untag.by_password("DELETE", TAG, by_ceiling), 401, "{scope}");
    }
    for path in [TAG, "/acr/v1/team/other/_tags/v1", &manifest] {
        assert_eq!(untag.scene.get(path).status, 200, "{path}");
    }
}

/// By default removing a tag takes `delete`, and the claim is not read.
#[test]
fn without_the_setting_the_claim_opens_nothing() {
    let untag = Untag::before(Registry::open(), false, "");
    untag.push("v1");
    let curator = ("Curator", untag.curator.as_str());
    assert_eq!(untag.by_token("DELETE", TAG, &untag.token(DELETE)), 401);
    assert_eq!(untag.by_password("DELETE", TAG, curator), 401);
    assert_eq!(untag.scene.ask("DELETE", TAG).status, 202);
}

/// Locks and rules for tags hold for it as for every other client.
#[test]
fn locks_hold() {
    let untag = Untag::before(Registry::open(), false, METADATA_WRITE);
    let own = untag.token(DELETE);
    let refused = |path: &str, what: &str| {
        let answer = untag.ask("DELETE", path, |request| request.bearer_auth(&own));
        assert_eq!((answer.status, answer.body.trim_end()), (405, LOCKED), "{what}");
    };
    untag.push("v1");
    untag.push("once-1");
    refused("/acr/v1/team/app/_tags/once-1", "written once");
    for (path, attribute) in
        [(TAG, "deleteEnabled"), (TAG, "writeEnabled"), ("/acr/v1/team/app", "writeEnabled")]
    {
        let set = |value: bool| {
            let body = json!({ attribute: value }).to_string();
            assert_eq!(untag.scene.patch(path, &body).status, 200, "{path}");
        };
        set(false);
        refused(TAG, attribute);
        set(true);
    }
    assert_eq!(untag.by_token("DELETE", TAG, &own), 202);
}

/// With the policy the claim opens what its holder may have now; a token of before ends with the
/// feed as well.
#[test]
fn it_ends_with_metadata_write() {
    for has_policy in [true, false] {
        let untag = Untag::before(Registry::open(), has_policy, METADATA_WRITE);
        untag.push("v1");
        let own = untag.token(DELETE);
        untag.scene.server.apply(&seed(&["metadata/read"]));
        eventually(std::time::Duration::from_secs(5), || {
            let status = untag.by_token("DELETE", "/acr/v1/team/app/_tags/none", &own);
            if status == 401 { Ok(()) } else { Err(status.to_string()) }
        });
        assert_eq!(untag.by_token("DELETE", TAG, &own), 401, "{has_policy}");
        assert_eq!(untag.scene.get(TAG).status, 200);
    }
}

//! What every edge before a registry has to hold: checked by the tests of each.

use std::time::Duration;

use scopegate_core::admission::{Admission, Authority, Credential, Request, admit};
use scopegate_core::verify::Grant;
use serde_json::json;

use crate::drivers::skopeo::Skopeo;
use crate::software::echo::Echo;
use crate::software::image;
use crate::software::process::eventually;
use crate::software::server::{Administrator, Server};
use crate::software::wire::ask;

const READ: &[&str] = &["content/read"];
const WRITE: &[&str] = &["content/read", "content/write"];
/// Everything that a scope map can give but writing metadata.
pub(crate) const ALL: &[&str] =
    &["content/read", "content/write", "content/delete", "metadata/read"];
const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The rules that [`walk`] needs.
pub(crate) const RULES: [(&str, &[&str]); 3] =
    [("team/hello", ALL), ("team/copy", WRITE), ("team/base", READ)];

/// skopeo pushes, lists, mounts and deletes where [`RULES`] say, and nowhere else.
#[track_caller]
pub(crate) fn walk(host: &str, folder: &std::path::Path, password: &str) {
    let (skopeo, image) = (Skopeo::new(), image::make(folder));
    let named = |repository: &str| format!("{host}/{repository}:v1");
    skopeo.login(host, "MyToken", "wrong").unwrap_err();
    skopeo.login(host, "MyToken", password).unwrap();
    skopeo.push(&image, &named("team/hello")).unwrap();
    skopeo.push(&image, &named("team/base")).unwrap_err();
    skopeo.push(&image, &named("team/other")).unwrap_err();
    let tags = skopeo.list_tags(&format!("{host}/team/hello")).unwrap();
    assert!(tags.contains("v1"), "{tags}");
    skopeo.copy(&named("team/hello"), &named("team/copy")).unwrap();
    skopeo.pull(&named("team/copy")).unwrap();
    skopeo.delete(&named("team/copy")).unwrap_err();
    skopeo.delete(&named("team/hello")).unwrap();
    skopeo.pull(&named("team/hello")).unwrap_err();
}

/// A header with an access token of `MyToken` for these scopes.
#[track_caller]
pub(crate) fn bearer(server: &Server, password: &str, scopes: &str) -> String {
    bearer_of(server, "MyToken", password, scopes)
}

/// The same for another user.
#[track_caller]
pub(crate) fn bearer_of(server: &Server, user: &str, password: &str, scopes: &str) -> String {
    let response = reqwest::blocking::Client::new()
        .get(format!("{}/oauth2/token", server.url()))
        .query(&[("service", server.service()), ("scope", scopes)])
        .basic_auth(user, Some(password))
        .send()
        .unwrap();
    let body: serde_json::Value = serde_json::from_str(&response.text().unwrap()).unwrap();
    format!("Authorization: Bearer {}", body["access_token"].as_str().unwrap())
}

/// Waits until an edge decides: whichever of its threads is asked, it lets no request through
/// before its feeds have been read.
#[track_caller]
pub(crate) fn decides(port: u16, server: &Server, password: &str) {
    let bearer = bearer(server, password, "repository:team/app:pull");
    let asks = || {
        let answers: Vec<u16> =
            (0..16).map(|_| ask(port, "GET", "/v2/", &[&bearer]).status).collect();
        answers.iter().all(|status| *status == 200).then_some(()).ok_or(format!("{answers:?}"))
    };
    eventually(Duration::from_secs(10), asks);
    // All of them may have come to one thread. The others have heard it, too, when each has asked
    // once more.
    std::thread::sleep(Duration::from_millis(1500));
    eventually(Duration::from_secs(10), asks);
}

/// A request without header fields.
fn asked<'a>(method: &'a str, target: &'a str) -> Request<'a, [(&'a [u8], &'a [u8]); 0]> {
    Request { method, target, headers: [] }
}

/// Whatever comes in, the registry hears what the engine lets through, in the engine's spelling, or
/// nothing. Where an HTTP library has refused a request before our code saw it, only that is
/// certain.
#[track_caller]
pub(crate) fn one_spelling(port: u16, server: &Server, password: &str, echo: &Echo) {
    let scopes = "repository:team/app:pull,push,delete,metadata_read";
    let bearer = bearer(server, password, scopes);
    let realm = server.url() + "/oauth2/token";
    let authority = Authority { realm: &realm, service: server.service() };
    let grants = [Grant::read(scopes).unwrap()];
    let targets = targets();
    assert!(targets.len() > 60);
    let mut answered = 0;
    for (method, target) in &targets {
        let expected =
            admit(asked(method, target), Credential::Valid(grants), authority, &Default::default());
        let answer = ask(port, method, target, &[&bearer]);
        let heard: Vec<String> = echo.heard().into_iter().map(|heard| heard.line).collect();
        match expected {
            Admission::Forward(forward) if forward.target == "/v2/" => {
                assert_eq!((answer.status, heard.len()), (200, 0), "{method} {target}");
            }
            Admission::Forward(forward) => {
                assert_eq!(heard, [format!("{method} {} HTTP/1.1", forward.target)], "{target}");
                assert_eq!(answer.status, 200, "{method} {target}");
            }
            Admission::Refusal(refusal) => {
                assert_eq!(heard, [""; 0], "{method} {target}");
                let is_ours = answer.header("docker-distribution-api-version").is_some();
                assert!(is_ours || answer.status == 400, "{method} {target}: {answer:?}");
                if is_ours {
                    assert_eq!(answer.status, refusal.status, "{method} {target}: {answer:?}");
                    assert_eq!(answer.header("www-authenticate"), refusal.challenge.as_deref());
                    let body = if *method == "HEAD" { "" } else { &refusal.body };
                    assert_eq!(answer.body, body, "{method} {target}");
                    answered += 1;
                }
            }
        }
    }
    assert!(answered > 40, "{answered}");
}

/// Whatever comes in, a registry behind a third-party proxy receives nothing but what the engine
/// lets through: in the engine's spelling where the proxy `rewrites`, and otherwise in one that
/// cannot be read in another way.
#[track_caller]
pub(crate) fn nothing_else(
    port: u16,
    server: &Server,
    password: &str,
    echo: &Echo,
    rewrites: bool,
) {
    let scopes = "repository:team/app:pull,push,delete,metadata_read";
    let bearer = bearer(server, password, scopes);
    let realm = server.url() + "/oauth2/token";
    let authority = Authority { realm: &realm, service: server.service() };
    let grants = [Grant::read(scopes).unwrap()];
    let (mut forwarded, mut challenged) = (0, 0);
    for (method, target) in &targets() {
        let expected =
            admit(asked(method, target), Credential::Valid(grants), authority, &Default::default());
        let answer = ask(port, method, target, &[&bearer]);
        let heard: Vec<String> = echo.heard().into_iter().map(|heard| heard.line).collect();
        let about = format!("{method} {target}: {answer:?} {heard:?}");
        match expected {
            Admission::Forward(forward) => {
                let line = |target: &str| format!("{method} {target} HTTP/1.1");
                let path = |target: &str| target.split('?').next().map(ToOwned::to_owned);
                let is_plain = forward.target == *target;
                let is_same = path(&forward.target) == path(target);
                let allowed = if rewrites { line(&forward.target) } else { line(target) };
                match &heard[..] {
                    [] => assert!(!is_plain && !rewrites && answer.status >= 400, "{about}"),
                    [one] => assert!(*one == allowed && (rewrites || is_same), "{about}"),
                    _ => panic!("{about}"),
                }
                forwarded += heard.len();
            }
            Admission::Refusal(refusal) => {
                assert_eq!(heard, [""; 0], "{about}");
                assert!((400..500).contains(&answer.status), "{about}");
                if refusal.status == 401 && answer.status == 401 {
                    assert_eq!(answer.header("www-authenticate"), refusal.challenge.as_deref());
                    challenged += 1;
                }
            }
        }
    }
    assert!(forwarded > 8 && challenged > 8, "{forwarded} {challenged}");
}

/// A token for `team/app` whose principal is disabled is no good two seconds later.
#[track_caller]
pub(crate) fn revocation(port: u16, server: &Server, administrator: &Administrator, bearer: &str) {
    let pull = || ask(port, "GET", "/v2/team/app/manifests/v1", &[bearer]);
    assert_eq!(pull().status, 200);
    let disabled = json!({ "properties": { "status": "disabled" } });
    let changed = administrator.ask("PATCH", &server.url(), "/tokens/MyToken", Some(&disabled));
    assert_eq!(changed.unwrap().0, 200);
    let answer = eventually(Duration::from_secs(2), || match pull() {
        answer if answer.status == 401 => Ok(answer),
        answer => Err(format!("{answer:?}")),
    });
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.ends_with(r#",error="invalid_token""#), "{challenge}");
}

/// What a client says of where it comes from, of what it asks and of who it is stays at the edge,
/// and so do these headers; the rest goes on. Gives the headers that the registry heard.
#[track_caller]
pub(crate) fn keeps_to_itself(port: u16, echo: &Echo, these: &[&str]) -> Vec<String> {
    let stays = [
        "Cookie: a=b",
        "Forwarded: for=10.0.0.1",
        "Proxy: http://evil",
        "Referer: http://evil/",
        "True-Client-IP: 10.0.0.1",
        "Via: 1.1 evil",
        "X-Accel-Redirect: /v2/secret/manifests/v1",
        "X-Client-Cert: evil",
        "X-Client-IP: 10.0.0.1",
        "X-Remote-User: administrator",
        "X-ZOT-API-CLIENT: zot-ui",
        "X-Forwarded-For: 10.0.0.1",
        "X_Forwarded_For: 10.0.0.1",
        "X-Forwarded-Host: evil",
        "X-Forwarded-Method: DELETE",
        "X-Forwarded-Port: 4711",
        "X-Forwarded-Prefix: /secret",
        "X-Forwarded-Server: evil",
        "X-Forwarded-Uri: /v2/secret/manifests/v1",
        "X-Original-Host: evil",
        "X-Original-Method: DELETE",
        "X-Original-URI: /v2/secret/manifests/v1",
        "X-Original-URL: /v2/secret/manifests/v1",
        "X-Real-IP: 10.0.0.1",
        "X_Real_IP: 10.0.0.1",
        "X-Rewrite-URL: /v2/secret/manifests/v1",
    ];
    let headers = [these, &stays, &["Accept: application/json"]].concat();
    let answer = ask(port, "GET", "/v2/team/app/manifests/v1", &headers);
    assert_eq!(answer.status, 200, "{answer:?}");
    let heard = echo.heard().remove(0).headers;
    for line in these.iter().chain(&stays) {
        let (_, value) = line.split_once(": ").unwrap();
        let value = value.to_ascii_lowercase();
        assert!(!heard.iter().any(|heard| heard.ends_with(&value)), "{line}: {heard:?}");
    }
    assert!(heard.iter().any(|line| line == "accept: application/json"), "{heard:?}");
    heard
}

/// A request that names a second method goes nowhere, and neither does one whose body has two types
/// in one line.
#[track_caller]
pub(crate) fn refuses_second_readings(port: u16, echo: &Echo, bearer: &str) {
    for line in [
        "X-HTTP-Method-Override: DELETE",
        "X-HTTP-Method: DELETE",
        "X-Method-Override: DELETE",
        "Content-Type: application/json, multipart/form-data",
    ] {
        let answer = ask(port, "GET", "/v2/team/app/manifests/v1", &[bearer, line]);
        let heard = echo.heard();
        // What a proxy took away before it asked is as good as refused.
        let is_gone = heard.iter().all(|heard| {
            let lines = heard.headers.iter();
            lines
                .filter(|header| header.starts_with("x-") || header.starts_with("content-type"))
                .all(|header| !header.contains("delete") && !header.contains("multipart"))
        });
        assert!(
            is_gone && (heard.is_empty() || answer.status == 200),
            "{line}: {answer:?} {heard:?}"
        );
    }
}

/// What a browser would obey does not come back from the registry.
#[track_caller]
pub(crate) fn restrains_answers(port: u16, bearer: &str) {
    let answer = ask(port, "GET", "/v2/team/app/manifests/v1", &[bearer]);
    assert_eq!(answer.status, 200, "{answer:?}");
    for name in [
        "set-cookie",
        "clear-site-data",
        "refresh",
        "service-worker-allowed",
        "access-control-allow-origin",
        "alt-svc",
        "strict-transport-security",
        "nel",
        "report-to",
        "reporting-endpoints",
    ] {
        assert_eq!(answer.header(name), None, "{answer:?}");
    }
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer:?}");
    let policy = Some("sandbox; default-src 'none'");
    assert_eq!(answer.header("content-security-policy"), policy, "{answer:?}");
}

/// Paths that got past other people's proxies, on a repository that the token opens and on one that
/// it does not.
fn targets() -> Vec<(&'static str, String)> {
    const PATHS: &[&str] = &[
        "/v2/",
        "/v2",
        "/v2/N/manifests/v1",
        "/v2/N/manifests/D",
        "/v2/N/blobs/D",
        "/v2//N/manifests/v1",
        "//v2/N/manifests/v1",
        "/v2/N/./manifests/v1",
        "/v2/x/../N/manifests/v1",
        "/v2/N/%2e%2e/secret/manifests/v1",
        "/v2/N%2F..%2Fsecret/manifests/v1",
        "/v2/%74eam/app/manifests/v1",
        "/v2/team%2Fapp/manifests/v1",
        "/v2/team%252Fapp/manifests/v1",
        "/V2/N/manifests/v1",
        "/v2/N/Manifests/v1",
        "/v2/N/manifests/v1/",
        "/v2/N/manifests/v1?x=1",
        "/v2/N/manifests/v1?x=/v2/secret/manifests/v1",
        "/v2/N/manifests%2Fv1",
        "/v2/N/manifests/v1%00",
        "/v2/N/manifests/v1;x",
        "/v2/N\\manifests\\v1",
        "/v2/N/manifests/%zz",
        "/v2/Team/app/manifests/v1",
        "/v3/N",
        "/",
        "/v2/N",
        "/v2/N/manifests/.x",
        "/v2/N/blobs/x",
        "/acr/v1/N",
        "/v2/secret/blobs/D?from=N",
    ];
    let fill = |path: &str, name: &str| path.replace('N', name).replace('D', DIGEST);
    let mut targets: Vec<(&str, String)> = Vec::new();
    for name in ["team/app", "secret"] {
        targets.extend(PATHS.iter().map(|path| ("GET", fill(path, name))));
        targets.push(("HEAD", fill("/v2/N/manifests/v1", name)));
        targets.push(("DELETE", fill("/v2/N/manifests/D", name)));
        targets.push(("POST", fill("/v2/team/app/blobs/uploads/?mount=D&from=N", name)));
        targets.push(("POST", fill("/v2/team/app/blobs/uploads/?%66rom=N&mount=D", name)));
        targets.push(("POST", fill("/v2/team/app/blobs/uploads/?from=N&from=N", name)));
        targets.push(("POST", fill("/v2/team/app/blobs/uploads/?mount=D", name)));
    }
    targets
}

//! HTTP requests: one canonical path, scopes that a token can satisfy, and nothing sent on that
//! needs more than was decided.

use scopegate_core::admission::{Admission, Authority, Credential, Forward, Request, admit};
use scopegate_core::challenge::{Challenge, unauthorized_body};
use scopegate_core::route::{Endpoint, Profile, Route, Settings, Untag, route};
use scopegate_core::verify::{Grant, verify};
use scopegate_core::{Action, RequiredScope, ResourceType, Scope};

const AUTHORITY: Authority<'_> = Authority { realm: "https://r.example/token", service: "r" };

/// Every method that a registry knows, and two that none does.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "get", "TRACE"];

/// Reads one target with every method and under every setting.
pub fn any_method(target: &str) {
    for method in METHODS {
        for profile in Profile::ALL {
            for untag in [Untag::Delete, Untag::MetadataWrite] {
                one(method, target, &Settings { profile, untag });
            }
        }
    }
}

fn one(method: &str, target: &str, settings: &Settings) {
    is_admitted_as_routed(method, target, settings);
    match route(method, target, settings) {
        Ok(route) => {
            routes_to_itself(method, &route, settings);
            needs_what_a_token_can_hold(&route.scopes);
            is_challenged_for(&route.scopes);
        }
        Err(error) => assert!(error.position() <= target.len(), "{error} in {target:?}"),
    }
}

/// The canonical path is plain, and is the request that was decided on; the query, and so the
/// source of a mount, is not in it.
fn routes_to_itself(method: &str, read: &Route<'_>, settings: &Settings) {
    let again = route(method, &read.path, settings).expect("canonical path");
    assert_eq!((again.endpoint, &again.path), (read.endpoint, &read.path));
    let mount = usize::from(read.endpoint == Endpoint::StartUpload);
    assert!(read.scopes.len() <= 1 + mount);
    assert!(again.scopes.iter().eq(read.scopes.iter().take(1)));
    assert!(!read.path.contains("//") && !read.path.contains(['%', '?', '#', '\\', ' ']));
    assert!(read.path.split('/').all(|segment| segment != "." && segment != ".."));
}

/// Exactly the required actions are enough, and no fewer.
fn needs_what_a_token_can_hold(required: &[RequiredScope<'_>]) {
    for scope in required {
        let text = scope.to_string();
        assert_eq!(Scope::parse(&text).map(|scope| scope.to_string()), Ok(text.clone()));
    }
    let grants: Vec<Grant<'_>> = required.iter().map(exactly).collect();
    assert_eq!(verify(grants.iter().copied(), required, Profile::Acr), Ok(()));
    for (index, scope) in required.iter().enumerate() {
        for action in scope.actions.iter() {
            let mut fewer = grants.clone();
            fewer[index].actions = scope.actions.iter().filter(|other| *other != action).collect();
            let missing = verify(fewer.iter().copied(), required, Profile::Acr)
                .expect_err("an action is missing");
            let actions = [action].into_iter().collect();
            assert_eq!(missing, [RequiredScope { actions, ..scope.clone() }]);
        }
    }
}

fn exactly<'a>(scope: &'a RequiredScope<'_>) -> Grant<'a> {
    Grant { resource_type: scope.resource_type, name: &scope.name, actions: scope.actions.set() }
}

/// A grant allows its own action on its own repository: `*` is every action, and in one profile
/// every repository. Any other type allows nothing.
pub fn grant_is_confined([kind, name, action]: [&str; 3], repository: &str) {
    let actions = [Action::Pull].into_iter().collect();
    let resource_type = ResourceType::Repository;
    let required = [RequiredScope { resource_type, name: repository.into(), actions }];
    let grant = Grant::parse(kind, name, [action]);
    for profile in Profile::ALL {
        let is_everywhere = name == "*" && profile == Profile::Acr;
        let reaches = kind == "repository" && (is_everywhere || name == repository);
        let allows = reaches && (action == "*" || action == "pull");
        let is_allowed = verify(grant, &required, profile).is_ok();
        assert_eq!(is_allowed, allows, "{kind}:{name}:{action} {profile:?}");
    }
}

/// At the edge: nothing goes on without a token, nor with one that opens something else; what goes
/// on with exactly what is needed says the same to the next reader, and names no source of a mount
/// that was not checked.
fn is_admitted_as_routed(method: &str, target: &str, settings: &Settings) {
    let decide = |target, credential| admitted(method, target, credential, settings);
    let other = Grant::parse("repository", "some-other/repository", ["*"]).expect("a grant");
    let Ok(read) = route(method, target, settings) else {
        for credential in [Credential::Absent, Credential::Invalid, Credential::Valid(vec![other])]
        {
            let status = decide(target, credential).expect_err("what is no request goes nowhere");
            assert!(matches!(status, 400 | 404 | 405));
        }
        return;
    };
    let refused = decide(target, Credential::Absent).expect_err("nobody goes on without a token");
    assert_eq!(refused, 401);
    assert_eq!(decide(target, Credential::Invalid), Err(refused));
    if !read.scopes.is_empty() && !read.scopes.iter().any(|scope| scope.name == other.name) {
        assert_eq!(decide(target, Credential::Valid(vec![other])), Err(refused));
    }
    let exact: Vec<Grant<'_>> = read.scopes.iter().map(exactly).collect();
    let (forwarded, _) =
        decide(target, Credential::Valid(exact.clone())).expect("what is needed is enough");
    assert!(forwarded.bytes().all(|byte| byte.is_ascii_graphic()));
    assert_eq!(forwarded.split('?').next(), Some(&*read.path));
    let again = admitted(method, &forwarded, Credential::Valid(exact.clone()), settings);
    assert_eq!(again, Ok((forwarded, read.scopes.len())));
    if let [upload, source] = exact.as_slice() {
        let plain = decide(target, Credential::Valid(vec![*upload])).map(|(target, _)| target);
        let plain = plain.expect("an upload needs no source");
        let without = route(method, &plain, settings).expect("a plain upload");
        assert_eq!(without.scopes.len(), 1);
        assert_eq!(decide(target, Credential::Valid(vec![*source])), Err(401));
    }
}

/// What goes on and how many scopes it needed, or the status of the refusal.
fn admitted(
    method: &str,
    target: &str,
    credential: Credential<Vec<Grant<'_>>>,
    settings: &Settings,
) -> Result<(String, usize), u16> {
    match admit(Request { method, target, headers: [] }, credential, AUTHORITY, settings) {
        Admission::Forward(forward) => {
            Ok((forward.target.into_owned(), forward.route.scopes.len()))
        }
        Admission::Refusal(refusal) => {
            assert_eq!(refusal.challenge.is_some(), refusal.status == 401, "{method} {target:?}");
            let body: serde_json::Value = serde_json::from_str(&refusal.body).expect("JSON");
            assert!(body["errors"][0]["code"].is_string());
            Err(refusal.status)
        }
    }
}

/// The 401 can be read by those who get it.
fn is_challenged_for(required: &[RequiredScope<'_>]) {
    let challenge = Challenge::bearer("https://r.example/token", "r.example", required, None);
    assert_eq!(Challenge::parse_all(&challenge.to_string()), Ok(vec![challenge]));
    let body = unauthorized_body("authentication required", required);
    let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    let detail = body["errors"][0]["detail"].as_array().map_or(0, Vec::len);
    assert_eq!(detail, required.iter().map(|scope| scope.actions.len() as usize).sum::<usize>());
}

/// A whole request, with every method: what goes on needs no more than was decided, in any way that
/// a registry reads it.
///
/// The text is a request as it is written: the target, then a line for each header field, then an
/// empty line and the body.
pub fn reads_no_more_than_was_decided(text: &str) {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.split('\n');
    let target = lines.next().unwrap_or_default();
    let headers: Vec<(&[u8], &[u8])> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    for method in METHODS {
        for profile in Profile::ALL {
            let settings = Settings { profile, ..Settings::default() };
            let token = Grant::parse("repository", "team/app", ["*"]);
            let request = Request { method, target, headers: headers.iter().copied() };
            match admit(request, Credential::Valid(token), AUTHORITY, &settings) {
                Admission::Forward(forward) => names_nothing_else(&forward, body),
                Admission::Refusal(refusal) => assert_ne!(refusal.status, 200),
            }
        }
    }
}

/// A token for one repository sends nothing on in which a reader finds another.
fn names_nothing_else(forward: &Forward<'_>, body: &str) {
    let first = forward.route.scopes.first();
    assert!(first.is_none_or(|scope| scope.name == "team/app"), "{forward:?}");
    let query = forward.target.split_once('?').map_or("", |(_, query)| query);
    let is_read = forward.content_type.is_some_and(is_a_form);
    let body = if is_read { body } else { "" };
    // As Go reads it, as it did until 1.17, and as a reader would for whom the body is what counts.
    for pairs in [query.to_owned(), query.replace(';', "&"), format!("{body}&{query}")] {
        for (key, value) in form_urlencoded::parse(pairs.as_bytes()) {
            let is_elsewhere = match &*key {
                "from" => forward.route.endpoint == Endpoint::StartUpload && value != "team/app",
                "ns" | "origin" | "_method" => true,
                _ => false,
            };
            assert!(!is_elsewhere, "{key}={value} in {forward:?}");
        }
    }
    let has = |name| form_urlencoded::parse(query.as_bytes()).any(|(key, _)| key == name);
    if forward.route.endpoint == Endpoint::StartUpload {
        assert!(has("from") || !has("mount"), "a mount from anywhere in {forward:?}");
    }
}

/// Whether any reader takes a body of this type for parameters: Go, Beego and werkzeug, of all
/// their versions.
fn is_a_form(content_type: &str) -> bool {
    let content_type = content_type.to_ascii_lowercase();
    content_type.contains("multipart/")
        || content_type.contains("application/x-www-form-urlencoded")
        || content_type.contains("application/x-url-encoded")
}

//! HTTP requests: one canonical path, and scopes that a token can satisfy.

use scopegate_core::admission::{Admission, Authority, Credential, admit};
use scopegate_core::challenge::{Challenge, unauthorized_body};
use scopegate_core::route::{Endpoint, Profile, Route, Settings, Untag, route};
use scopegate_core::scope::ResourceType;
use scopegate_core::verify::{Grant, verify};
use scopegate_core::{Action, RequiredScope, Scope};

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

/// The canonical path is plain, and is the request that was decided on; the query, and so the source of a mount, is not in it.
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
    assert_eq!(verify(grants.iter().copied(), required), Ok(()));
    for (index, scope) in required.iter().enumerate() {
        for action in scope.actions.iter() {
            let mut fewer = grants.clone();
            fewer[index].actions = scope.actions.iter().filter(|other| *other != action).collect();
            let missing =
                verify(fewer.iter().copied(), required).expect_err("an action is missing");
            let actions = [action].into_iter().collect();
            assert_eq!(missing, [RequiredScope { actions, ..scope.clone() }]);
        }
    }
}

fn exactly<'a>(scope: &'a RequiredScope<'_>) -> Grant<'a> {
    Grant { resource_type: scope.resource_type, name: &scope.name, actions: scope.actions.set() }
}

/// A grant allows its own action on its own repository: `*` is every action, and every repository. Any other type allows nothing.
pub fn grant_is_confined([kind, name, action]: [&str; 3], repository: &str) {
    let actions = [Action::Pull].into_iter().collect();
    let resource_type = ResourceType::Repository;
    let required = [RequiredScope { resource_type, name: repository.into(), actions }];
    let grant = Grant::parse(kind, name, [action]);
    let reaches = kind == "repository" && (name == "*" || name == repository);
    let allows = reaches && (action == "*" || action == "pull");
    assert_eq!(verify(grant, &required).is_ok(), allows, "{kind}:{name}:{action}");
}

/// At the edge: nothing goes on without a token, nor with one that opens something else; what goes on with exactly what is needed says the
/// same to whoever reads it next, and names no source of a mount that was not checked.
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
    // A query that cannot stand in a request line is refused first.
    let refused = decide(target, Credential::Absent).expect_err("nobody goes on without a token");
    assert!(matches!(refused, 400 | 401));
    assert_eq!(decide(target, Credential::Invalid), Err(refused));
    if !read.scopes.is_empty() && !read.scopes.iter().any(|scope| scope.name == other.name) {
        assert_eq!(decide(target, Credential::Valid(vec![other])), Err(refused));
    }
    let exact: Vec<Grant<'_>> = read.scopes.iter().map(exactly).collect();
    let Ok((forwarded, _)) = decide(target, Credential::Valid(exact.clone())) else {
        assert_eq!(refused, 400);
        return;
    };
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
    const AUTHORITY: Authority<'_> = Authority { realm: "https://r.example/token", service: "r" };
    match admit(method, target, credential, AUTHORITY, settings) {
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

//! HTTP requests: one canonical path, and scopes that a token can satisfy.

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

/// The 401 can be read by those who get it.
fn is_challenged_for(required: &[RequiredScope<'_>]) {
    let challenge = Challenge::bearer("https://r.example/token", "r.example", required, None);
    assert_eq!(Challenge::parse_all(&challenge.to_string()), Ok(vec![challenge]));
    let body = unauthorized_body("authentication required", required);
    let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    let detail = body["errors"][0]["detail"].as_array().map_or(0, Vec::len);
    assert_eq!(detail, required.iter().map(|scope| scope.actions.len() as usize).sum::<usize>());
}

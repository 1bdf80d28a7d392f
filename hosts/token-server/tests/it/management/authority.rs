//! The built-in authority, where service principals get tokens for management.

use axum::http::header;
use scopegate_server::testing::config::{Limits, Rate};

use crate::support::management::{Registry, SECRET, client, expect_status};
use crate::support::{AUDIENCE, Answer, PULL, REGISTRY, Server, Setup, basic, bearer, claims};

/// A tenant that does not exist.
const OTHER_TENANT: &str = "00000000-0000-4000-8000-00000000000a";

#[tokio::test]
async fn the_discovery_document_names_the_token_endpoint() {
    let registry = Registry::start().await;
    let tenant = &registry.server.app.policy().registry.tenant;
    let discovery = format!("/{tenant}/v2.0/.well-known/openid-configuration");
    let document = registry.server.get(&discovery, None).await;
    expect_status(&document, &discovery, 200);
    assert_eq!(
        document.body["token_endpoint"],
        format!("https://r.test/{tenant}/oauth2/v2.0/token")
    );
    let other = discovery.replace(tenant, OTHER_TENANT);
    expect_status(&registry.server.get(&other, None).await, &other, 400);
}

/// A form that gets a token.
fn good_form() -> String {
    let client = client("AcrPull");
    format!(
        "grant_type=client_credentials&client_id={client}&client_secret={SECRET}&scope=https://r.test/.default"
    )
}

#[track_caller]
fn check(answer: &Answer, form: &str, status: u16, error: Option<&str>) {
    expect_status(answer, &form, status);
    assert_eq!(answer.body["error"].as_str(), error, "{form}");
    assert_eq!(answer.body["access_token"].is_string(), error.is_none());
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn a_client_gets_a_token_for_its_secret() {
    let registry = Registry::start().await;
    registry.choose_secret("AcrPull").await;
    let (path, good) = (registry.server.authority(), good_form());
    let tenant = registry.server.app.policy().registry.tenant.to_uppercase();
    let upper = format!("/{tenant}/oauth2/v2.0/token");
    for (target, form) in [
        (&path, good.clone()),
        (&upper, good.clone()),
        (&path, good.replace(".test/", ".test//")),
        (&path, good.replace(".default", ".default openid")),
    ] {
        check(&registry.form(target, &form).await, &form, 200, None);
    }
}

#[tokio::test]
async fn a_wrong_request_for_a_token_is_refused() {
    let registry = Registry::start().await;
    registry.choose_secret("AcrPull").await;
    let (path, good) = (registry.server.authority(), good_form());
    let other = format!("/{OTHER_TENANT}/oauth2/v2.0/token");
    let (request, grant) = ("invalid_request", "unsupported_grant_type");
    let (scope, unknown) = ("invalid_scope", "invalid_client");
    for (target, form, status, error) in [
        (&path, good.clone() + "&claims={}&scope=", 400, request),
        (&path, String::new(), 400, grant),
        (&path, good.replace("client_credentials", "password"), 400, grant),
        (&path, good.replace("r.test", "other.test"), 400, scope),
        (&path, good.replace("/.default", ""), 400, scope),
        (&path, good.replace("everybody", "nobody"), 401, unknown),
        (&path, good.replace("client_secret=", "secret="), 401, unknown),
        (&path, good.replace("000001", "00000f"), 401, unknown),
        (&path, good.replace(client("AcrPull"), "registry"), 401, unknown),
        (&path, good.clone() + "&client_id=other", 400, request),
        (&other, good.clone(), 400, request),
    ] {
        check(&registry.form(target, &form).await, &form, status, Some(error));
    }
}

/// A scope's audience, and what its token opens where the token server has another address than the
/// registry.
#[tokio::test]
async fn a_scope_is_for_management_or_for_the_registry() {
    let setup = Setup { public_url: "https://tokens.test:5001".into(), ..Setup::default() };
    let server = Server::with(setup).await;
    let client = client("Owner");
    let secret = server.put_client(client, "Owner").await;
    for (resource, audience, manages) in [
        ("https://tokens.test:5001", "https://tokens.test:5001", 200),
        ("https://r.test", AUDIENCE, 401),
        ("https://R.test/", AUDIENCE, 401),
        (AUDIENCE, AUDIENCE, 401),
        ("https://other.test", "", 0),
        ("https://r.test:443", "", 0),
        ("http://r.test", "", 0),
        ("r.test", "", 0),
        ("", "", 0),
    ] {
        let form = format!(
            "grant_type=client_credentials&client_id={client}&client_secret={secret}&scope={resource}/.default"
        );
        let answer = server.post_raw(&server.authority(), None, &form).await;
        if audience.is_empty() {
            check(&answer, &form, 400, Some("invalid_scope"));
            continue;
        }
        let token = answer.access_token();
        assert_eq!(claims(&token)["aud"], audience, "{resource}");
        assert_eq!(server.manage(&bearer(&token)).await.status, manages, "{resource}");
        if manages == 401 {
            let refresh = server.exchange(&token).await.refresh_token();
            assert_eq!(server.renew(&refresh, PULL).await.access(), [PULL], "{resource}");
        }
    }
}

/// Where a secret is guessed.
#[derive(Clone, Copy, Debug)]
enum Door {
    Authority,
    Management,
}

async fn guess(server: &Server, door: Door) -> Answer {
    match door {
        Door::Authority => server.client_credentials("administrator", "x").await,
        Door::Management => server.get(REGISTRY, Some(&basic("administrator", "x"))).await,
    }
}

/// Wrong secrets cost their address as much here as at the token endpoint, and their client too.
#[tokio::test]
async fn guesses_are_limited_by_address_and_by_client() {
    let slow = Rate { rate: 0.001, burst: 25 };
    let fast = Rate { rate: 0.0, burst: 1 };
    for (per_address, per_principal) in [(slow, fast), (fast, Rate { burst: 3, ..slow })] {
        let limits = Limits { per_address, per_principal, ..Limits::default() };
        for door in [Door::Management, Door::Authority] {
            let server = Server::bare(Setup { limits: limits.clone(), ..Setup::default() }).await;
            let mut statuses = Vec::new();
            for _ in 0..4 {
                let answer = guess(&server, door).await;
                assert_eq!(answer.headers.contains_key(header::RETRY_AFTER), answer.status == 429);
                statuses.push(answer.status.as_u16());
            }
            assert_eq!(statuses, [401, 401, 401, 429], "{door:?}");
        }
    }
}

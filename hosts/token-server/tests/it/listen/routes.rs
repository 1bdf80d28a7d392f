//! What each address has.

use serde_json::json;

use super::{Program, answer};

#[tokio::test]
async fn the_public_address_has_no_management() {
    let program = Program::start();
    let (client, tenant) = (program.client(None), program.tenant().to_owned());
    let owner = |method: &str, url: &str| {
        client.request(method, url).basic_auth("administrator", Some(program.secret()))
    };
    let (_, list) = answer(owner("GET", &program.management("/subscriptions"))).await;
    let subscription = list["value"][0]["id"].as_str().unwrap().to_owned();
    let group = format!("{subscription}/resourceGroups/scopegate/providers");
    let registries = format!("{group}/Microsoft.ContainerRegistry/registries");
    let authority = format!("/{tenant}/oauth2/v2.0/token");
    let discovery = format!("/{tenant}/v2.0/.well-known/openid-configuration");
    let map = "/registries/registry/scopeMaps/some-map";
    for (method, path, expected) in [
        ("GET", "/registries/registry", 200),
        ("GET", "/registries/registry/tokens", 200),
        ("GET", "/registries/registry/servicePrincipals", 200),
        ("GET", "/registries/registry/audit", 200),
        ("PUT", map, 201),
        ("DELETE", map, 200),
        ("GET", "/subscriptions", 200),
        ("GET", &subscription, 200),
        ("GET", &format!("{subscription}/resources"), 200),
        ("GET", &registries, 200),
        ("GET", &format!("{registries}/registry"), 200),
        ("GET", &format!("{registries}/registry/tokens"), 200),
        ("GET", &format!("{registries}/registry/generations"), 200),
        ("GET", &format!("{registries}/registry/bundle"), 200),
        ("GET", "/metadata/endpoints", 200),
        ("GET", "//metadata/endpoints", 200),
        ("GET", "/openapi.json", 200),
        ("GET", &discovery, 200),
        ("POST", &authority, 400),
    ] {
        let request = |url: &str| match method {
            "PUT" => owner(method, url).json(&json!({"properties": {"actions": []}})),
            _ => owner(method, url),
        };
        let (of_management, body) = answer(request(&program.management(path))).await;
        assert_eq!(of_management / 100, expected / 100, "{method} {path}: {of_management} {body}");
        let (of_public, body) = answer(request(&program.public(path))).await;
        assert_eq!(of_public, 404, "{method} {path}: {body}");
    }
}

#[tokio::test]
async fn the_address_of_management_has_nothing_of_the_registry() {
    let program = Program::start();
    let client = program.client(None);
    for (method, path) in [
        ("GET", "/v2/"),
        ("GET", "/oauth2/token"),
        ("POST", "/oauth2/token"),
        ("POST", "/oauth2/exchange"),
        ("GET", "/.well-known/jwks.json"),
        ("GET", "/.well-known/token-signing.pem"),
        ("GET", "/authz/nginx"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
    ] {
        let status = answer(client.request(method, &program.public(path))).await.0;
        assert_ne!(status, 404, "{method} {path}");
        let status = answer(client.request(method, &program.management(path))).await.0;
        assert_eq!(status, 404, "{method} {path}");
    }
    // The page shows text of strangers.
    for path in ["/", "/index.html", "/sw.js"] {
        assert_eq!(client.get(&program.management(path)).await.unwrap(), 404, "{path}");
    }
}

/// Edges need no second address.
#[tokio::test]
async fn edges_read_at_the_public_address() {
    let program = Program::start();
    let client = program.client(None);
    let owner = |method: &str, url: &str| {
        client.request(method, url).basic_auth("administrator", Some(program.secret()))
    };
    let edge = "3f2504e0-4f89-41d3-9a0c-0305e82c3309";
    let path = format!("/registries/registry/servicePrincipals/{edge}");
    let made = owner("PUT", &program.management(&path)).json(&json!({"roles": ["EdgeReader"]}));
    assert!(answer(made).await.0 < 300);
    let made = owner("POST", &program.management(&format!("{path}/secrets")));
    let secret = answer(made).await.1["secret"].as_str().unwrap().to_owned();
    for path in ["/registries/registry/generations", "/registries/registry/bundle"] {
        for url in [program.public(path), program.management(path)] {
            assert_eq!(client.get(&url).await.unwrap(), 401, "{url}");
            let asked = client.request("GET", &url).basic_auth(edge, Some(&secret));
            assert_eq!(answer(asked).await.0, 200, "{url}");
            let changed = client.request("POST", &url).basic_auth(edge, Some(&secret));
            assert_eq!(answer(changed).await.0, 405, "{url}");
        }
    }
}

/// What `az` is told leads to the address of management.
#[tokio::test]
async fn addresses_that_are_told_are_those_of_management() {
    let program = Program::start();
    let (client, tenant) = (program.client(None), program.tenant());
    let (own, public) = (program.management(""), program.public(""));
    let endpoints =
        answer(client.request("GET", &program.management("/metadata/endpoints"))).await.1;
    assert_eq!(endpoints["resourceManager"], own);
    assert_eq!(endpoints["authentication"]["loginEndpoint"], own);
    assert_eq!(endpoints["authentication"]["audiences"], json!([own]));
    let discovery = format!("/{tenant}/v2.0/.well-known/openid-configuration");
    let discovery = answer(client.request("GET", &program.management(&discovery))).await.1;
    assert_eq!(discovery["token_endpoint"], format!("{own}/{tenant}/oauth2/v2.0/token"));
    assert_eq!(discovery["jwks_uri"], format!("{public}/.well-known/jwks.json"));

    let token_url = discovery["token_endpoint"].as_str().unwrap();
    let form = |audience: &str| {
        client.request("POST", token_url).form(&[
            ("grant_type", "client_credentials"),
            ("client_id", "administrator"),
            ("client_secret", program.secret()),
            ("scope", &format!("{audience}/.default")),
        ])
    };
    assert_eq!(answer(form(&public)).await.0, 400);
    let token = answer(form(&own)).await.1["access_token"].as_str().unwrap().to_owned();
    let maps = program.management("/registries/registry/scopeMaps?$top=1");
    let page = answer(client.request("GET", &maps).bearer_auth(&token)).await.1;
    let next = page["nextLink"].as_str().unwrap();
    assert!(next.starts_with(&format!("{own}/registries/registry/scopeMaps?")), "{next}");
    assert_eq!(answer(client.request("GET", next).bearer_auth(&token)).await.0, 200);
}

/// Pages of the public address, such as the playground, do not manage.
#[tokio::test]
async fn only_pages_of_its_own_origin_manage() {
    let program = Program::start();
    let client = program.client(None);
    let (own, public) = (program.management(""), program.public(""));
    let (registry, bundle) = ("/registries/registry", "/registries/registry/bundle");
    for (url, name, value, expected) in [
        (program.management(registry), "origin", own.as_str(), 200),
        (program.management(registry), "origin", &public, 403),
        (program.management(registry), "sec-fetch-site", "same-origin", 200),
        (program.management(registry), "sec-fetch-site", "same-site", 403),
        (program.management(bundle), "origin", &public, 403),
        (program.public(bundle), "origin", &own, 403),
        (program.public(bundle), "sec-fetch-site", "cross-site", 403),
    ] {
        let request = client.request("GET", &url).header(name, value);
        let request = request.basic_auth("administrator", Some(program.secret()));
        let (status, body) = answer(request).await;
        assert_eq!(status, expected, "{url} {name}: {value}: {body}");
    }
}

//! Names: a principal has nothing of another one that is called alike.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;

use crate::support::{
    NULL_GUID, OWNER, PULL, Provider, REGISTRY, Server, TOKEN, basic, bearer, claims,
};

/// A subject is a name among its kind: an identity called like a token, a client or the registry
/// has nothing of theirs.
#[tokio::test]
async fn an_identity_has_nothing_of_its_namesakes() {
    let provider = Provider::start().await;
    let bindings = "[{match: {groups: readers}, rules: [repositories/only/this/content/read]}]";
    let server = provider.server(bindings).await;
    server.apply("registry: {adminUserEnabled: true}").await.unwrap();
    server.put_client(OWNER, "Owner").await;
    let scope = "repository:samples/a:pull,push repository:only/this:pull";
    for sub in ["Reader", "Writer", "registry", OWNER, "administrator", "acr_anon_pull", NULL_GUID]
    {
        let token = provider.token(sub, &["readers"]);
        let refresh = server.exchange(&token).await.refresh_token();
        let answer = server.renew(&refresh, scope).await;
        assert_eq!(answer.access(), ["repository:only/this:pull"], "{sub}");
        assert_eq!(claims(&answer.access_token())["principal"], "identity");
        let managing = server.get(&format!("{REGISTRY}/scopeMaps"), Some(&bearer(&token))).await;
        assert_eq!(managing.status, StatusCode::FORBIDDEN, "{sub}");
    }
    // And no principal can be created with a name of another kind.
    for seed in [
        format!("tokens: [{{name: '{OWNER}'}}]"),
        "tokens: [{name: 3f2504e04f8941d39a0c0305e82c3301}]".into(),
        "tokens: [{name: Administrator}]".into(),
        "tokens: [{name: REGISTRY}]".into(),
        format!("servicePrincipals: [{{clientId: '{NULL_GUID}'}}]"),
        format!("servicePrincipals: [{{clientId: '{{{OWNER}}}'}}]"),
        "servicePrincipals: [{clientId: 3f2504e04f8941d39a0c0305e82c3301}]".into(),
        "servicePrincipals: [{clientId: Reader}]".into(),
    ] {
        assert!(server.apply(&seed).await.is_err(), "{seed}");
    }
}

/// A GUID has one spelling, in either case: another spelling that a library reads is not the name
/// of a principal, in any parameter.
#[tokio::test]
async fn a_client_id_has_one_spelling() {
    let server = Server::start().await;
    let secret = server.put_client(OWNER, "Owner").await;
    let refresh = server.login("Reader", "secret-one").await;
    let simple = |id: &str| id.replace('-', "");
    for (id, is_one) in [
        (OWNER.to_owned(), true),
        (OWNER.to_uppercase(), true),
        (simple(OWNER), false),
        (format!("{{{OWNER}}}"), false),
        (format!("urn:uuid:{OWNER}"), false),
        (format!(" {OWNER}"), false),
        (format!("{OWNER}\0"), false),
    ] {
        let expected = if is_one { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        assert_eq!(server.by_password(&id, &secret, PULL).await.status, expected, "{id:?}");
        assert_eq!(server.client_credentials(&id, &secret).await.status, expected, "{id:?}");
        let pair = basic(&id, &secret);
        assert_eq!(server.get(TOKEN, Some(&pair)).await.status, expected, "{id:?}");
        assert_eq!(server.get(REGISTRY, Some(&pair)).await.status, expected, "{id:?}");
        assert_eq!(server.exchange(&format!("{id}:{secret}")).await.status, expected, "{id:?}");
    }
    for id in [
        simple(NULL_GUID),
        format!("{{{NULL_GUID}}}"),
        format!("urn:uuid:{NULL_GUID}"),
        format!("{NULL_GUID} "),
    ] {
        assert_eq!(
            server.by_password(&id, &refresh, PULL).await.status,
            StatusCode::UNAUTHORIZED,
            "{id}"
        );
    }
    assert_eq!(
        server.exchange(&format!("{NULL_GUID}:{refresh}")).await.status,
        StatusCode::UNAUTHORIZED
    );
}

/// Harbor CVE-2019-16919: an id in a body is of the registry that the request is for, or it is
/// none.
#[tokio::test]
async fn ids_lead_to_no_other_registry() {
    let server = Server::start().await;
    let secret = server.put_client(OWNER, "Owner").await;
    let subscription = server.app.policy().registry.subscription.clone();
    let base = |registry: &str| {
        format!(
            "/subscriptions/{subscription}/resourceGroups/scopegate/providers/Microsoft.ContainerRegistry/registries/{registry}"
        )
    };
    for (id, status) in [
        (format!("{}/tokens/Reader", base("registry")), 200),
        (format!("{}/tokens/Reader", base("REGISTRY")), 200),
        (format!("{}/tokens/Reader", base("other")), 400),
        (format!("{}/scopeMaps/Reader", base("registry")), 400),
        (format!("{}/tokens/../tokens/Reader", base("registry")), 400),
        (format!("{}/tokens/Reader/", base("registry")), 400),
        (format!("{}/tokens/", base("registry")), 400),
        ("Reader".into(), 400),
    ] {
        let body = json!({"tokenId": id, "name": "password2"}).to_string();
        let request = Request::post(format!("{REGISTRY}/generateCredentials"))
            .header(header::AUTHORIZATION, basic(OWNER, &secret))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body));
        let answer = server.send(request.unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{id} {answer:?}");
    }
    for target in ["/registries/other", &base("other"), "/registries/other/tokens"] {
        let answer = server.get(target, Some(&basic(OWNER, &secret))).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{target}");
    }
}

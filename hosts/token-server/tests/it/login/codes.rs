//! Our codes, and the tokens for them.

use serde_json::json;

use super::{AZ, OTHER, REDIRECT, Scene, VERIFIER, oauth_error};
use crate::support::claims;

#[tokio::test]
async fn a_code_is_for_one_client_address_and_verifier() {
    let scene = Scene::new().await;
    let long = "v".repeat(129);
    for (name, value) in [
        ("client_id", OTHER),
        ("redirect_uri", "http://localhost:8400"),
        ("redirect_uri", "http://localhost:8401/"),
        ("redirect_uri", ""),
        ("code_verifier", "another-verifier-with-at-least-forty-three-letters"),
        ("code_verifier", &super::challenge(VERIFIER)),
        ("code_verifier", ""),
        ("code_verifier", &long),
    ] {
        let code = scene.code("owner").await;
        let answer = scene.redeem(&code, &[(name, value)]).await;
        assert_eq!(oauth_error(&answer), "invalid_grant", "{name}={value}");
        // It is used up.
        assert_eq!(oauth_error(&scene.redeem(&code, &[]).await), "invalid_grant", "{name}");
    }
    for (name, value, expected) in [
        ("client_id", "az", "invalid_request"),
        ("client_id", "", "invalid_request"),
        ("code", "", "invalid_grant"),
        ("code", "made up", "invalid_grant"),
        ("grant_type", "password", "unsupported_grant_type"),
        ("grant_type", "", "unsupported_grant_type"),
    ] {
        let answer = scene.redeem("a code", &[(name, value)]).await;
        assert_eq!(oauth_error(&answer), expected, "{name}={value}");
    }
    let code = scene.code("owner").await;
    let path = "/00000000-0000-4000-8000-00000000000a/oauth2/v2.0/token";
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", AZ),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(oauth_error(&scene.server.post(path, &form).await), "invalid_request");
    let query = format!("{}?code={code}", scene.server.authority());
    assert_eq!(oauth_error(&scene.server.post(&query, &form).await), "invalid_request");
    assert_eq!(scene.redeem(&code, &[]).await.status, 200);
}

/// Used twice, also at one time, a code gives one answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_code_is_good_once() {
    let scene = std::sync::Arc::new(Scene::new().await);
    for _ in 0..5 {
        let code = scene.code("owner").await;
        let each = (0..8).map(|_| {
            let (scene, code) = (std::sync::Arc::clone(&scene), code.clone());
            tokio::spawn(async move { scene.redeem(&code, &[]).await.status.as_u16() })
        });
        let mut found = Vec::new();
        for task in each.collect::<Vec<_>>() {
            found.push(task.await.unwrap());
        }
        found.sort_unstable();
        assert_eq!(found, [200, 400, 400, 400, 400, 400, 400, 400]);
    }
}

/// What `az` reads of an answer.
#[tokio::test]
async fn the_answer_names_the_person() {
    let scene = Scene::new().await;
    let answer = scene.signed_in("owner").await;
    let (tenant, body) = (scene.tenant(), &answer.body);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!((&body["expires_in"], &body["scope"]), (&json!(3600), &json!(super::SCOPE)));
    let id = claims(body["id_token"].as_str().unwrap());
    for (name, expected) in [
        ("iss", json!(format!("https://r.test/{tenant}/v2.0"))),
        ("aud", json!(AZ)),
        ("sub", json!("owner")),
        ("tid", json!(tenant)),
        ("preferred_username", json!("owner@corp.test")),
        ("name", json!("The owner")),
        ("nonce", json!("the nonce")),
    ] {
        assert_eq!(id[name], expected, "{name}");
    }
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let info = URL_SAFE_NO_PAD.decode(body["client_info"].as_str().unwrap()).unwrap();
    let info: serde_json::Value = serde_json::from_slice(&info).unwrap();
    assert_eq!(info, json!({"uid": id["oid"], "utid": tenant}));
    let other = scene.signed_in("reader").await;
    assert_ne!(claims(other.body["id_token"].as_str().unwrap())["oid"], id["oid"]);
    // Nothing that was not asked for.
    let code = scene.code("owner").await;
    let only = [("scope", "https://r.test/.default"), ("client_info", "")];
    let answer = scene.redeem(&code, &only).await;
    for name in ["id_token", "refresh_token", "client_info"] {
        assert!(answer.body.get(name).is_none(), "{name}: {answer:?}");
    }
    let code = scene.code("owner").await;
    let elsewhere = scene.redeem(&code, &[("scope", "https://evil.example/.default")]).await;
    assert_eq!(oauth_error(&elsewhere), "invalid_scope");
    // Nor more than the sign-in began with.
    for more in [super::REGISTRY_SCOPE.to_owned(), format!("{} more", super::SCOPE)] {
        let code = scene.code("owner").await;
        let answer = scene.redeem(&code, &[("scope", &more)]).await;
        assert_eq!(oauth_error(&answer), "invalid_scope", "{more}");
    }
}

/// Who is revoked between the return and the token has nothing.
#[tokio::test]
async fn a_person_who_is_revoked_meanwhile() {
    let scene = Scene::new().await;
    let code = scene.code("owner").await;
    super::tokens::revoke(&scene, "owner").await;
    assert_eq!(oauth_error(&scene.redeem(&code, &[]).await), "invalid_grant");
    assert_eq!(scene.redeem(&scene.code("owner").await, &[]).await.status, 200);
}

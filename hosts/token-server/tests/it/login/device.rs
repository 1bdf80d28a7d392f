//! Sign-ins by device code.

use std::time::{Duration, Instant};

use scopegate_server::testing::clock;
use serde_json::{Value, json};

use super::provider::{Device, Fault};
use super::{AZ, OTHER, SCOPE, Scene, oauth_error};
use crate::support::{Answer, claims};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

impl Scene {
    async fn begin_device(&self, changed: &[(&str, &str)]) -> Answer {
        let form = super::merged(&[("client_id", AZ), ("scope", SCOPE)], changed);
        self.server.post_raw("/organizations/oauth2/v2.0/devicecode", None, &form).await
    }

    async fn device_code(&self) -> String {
        let answer = self.begin_device(&[]).await;
        answer.body["device_code"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    }

    async fn poll(&self, device_code: &str, client_id: &str) -> Answer {
        let form = [
            ("grant_type", GRANT),
            ("client_id", client_id),
            ("device_code", device_code),
            ("client_info", "1"),
        ];
        self.token(&form).await
    }
}

#[tokio::test]
async fn a_device_shows_what_the_provider_says() {
    let scene = Scene::new().await;
    let body = scene.begin_device(&[]).await.body;
    let uri = format!("{}/enter", scene.op.issuer);
    assert_eq!(
        (&body["user_code"], &body["verification_uri"], &body["interval"], &body["expires_in"]),
        (&json!("ABCD-EFGH"), &json!(uri), &json!(2), &json!(600))
    );
    let message = body["message"].as_str().unwrap();
    assert!(message.contains(&uri) && message.contains("ABCD-EFGH"), "{message}");
    for (name, value, status, expected) in [
        ("client_id", "", 400, "invalid_request"),
        ("client_id", "az", 400, "invalid_request"),
        ("scope", "", 400, "invalid_request"),
        ("scope", "openid", 400, "invalid_scope"),
        ("scope", "https://evil.example/.default", 400, "invalid_scope"),
    ] {
        let answer = scene.begin_device(&[(name, value)]).await;
        assert_eq!(answer.status, status, "{name}={value}");
        assert_eq!(oauth_error(&answer), expected, "{name}={value}");
    }
    // A page uses up what its visitor's network may ask.
    for header in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let form = super::merged(&[("client_id", AZ), ("scope", SCOPE)], &[]);
        let request = axum::http::Request::post("/organizations/oauth2/v2.0/devicecode");
        let request = request.header(header.0, header.1).body(form.into()).unwrap();
        let answer = scene.server.send(request).await;
        assert_eq!(oauth_error(&answer), "invalid_request", "{header:?}");
    }
    scene.op.fail(Fault::Status(500));
    let answer = scene.begin_device(&[]).await;
    assert_eq!(
        (answer.status.as_u16(), oauth_error(&answer).as_str()),
        (503, "temporarily_unavailable")
    );
    let without = Scene::with("login: false").await;
    assert_eq!(oauth_error(&without.begin_device(&[]).await), "unauthorized_client");
    assert_eq!(oauth_error(&without.poll("x", AZ).await), "unsupported_grant_type");
}

/// What the provider says about a code, as the client reads it.
#[tokio::test]
async fn what_becomes_of_a_code() {
    let scene = Scene::new().await;
    for (device, expected) in [
        (Device::Error("authorization_pending"), "authorization_pending"),
        (Device::Error("slow_down"), "slow_down"),
        (Device::Error("expired_token"), "expired_token"),
        (Device::Error("invalid_grant"), "expired_token"),
        (Device::Error("access_denied"), "access_denied"),
        (Device::Error("invalid_client"), "temporarily_unavailable"),
        (Device::Error("what_else"), "temporarily_unavailable"),
        (Device::Person("stranger"), "access_denied"),
        (Device::Person("owner"), "none, 200"),
    ] {
        let code = scene.device_code().await;
        scene.op.answer_device(device.clone());
        assert_eq!(oauth_error(&scene.poll(&code, AZ).await), expected, "{device:?}");
    }
    let code = scene.device_code().await;
    scene.op.fail(Fault::Status(503));
    let answer = scene.poll(&code, AZ).await;
    assert_eq!(oauth_error(&answer), "temporarily_unavailable");
    assert_eq!(answer.status, 400, "az shows a stack trace for a 503");
    for fault in [
        Fault::Claim("aud", json!("another")),
        Fault::Claim("azp", json!("another")),
        Fault::Claim("exp", json!(1)),
        Fault::OtherKey,
        Fault::AccessOf("reader"),
    ] {
        scene.op.fail(Fault::None);
        let code = scene.device_code().await;
        scene.op.fail(fault.clone());
        assert_eq!(oauth_error(&scene.poll(&code, AZ).await), "access_denied", "{fault:?}");
    }
}

/// Who asks too fast does not reach the provider.
#[tokio::test]
async fn a_client_that_asks_too_fast() {
    let scene = Scene::new().await;
    let code = scene.device_code().await;
    assert_eq!(oauth_error(&scene.poll(&code, AZ).await), "authorization_pending");
    for _ in 0..3 {
        assert_eq!(oauth_error(&scene.poll(&code, AZ).await), "slow_down");
    }
    assert_eq!(scene.op.asked(), 1);
    let code = scene.device_code().await;
    assert_eq!(oauth_error(&scene.poll(&code, AZ).await), "authorization_pending");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    scene.op.answer_device(Device::Person("owner"));
    let answer = scene.poll(&code, AZ).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(scene.op.asked(), 3);
    let sent = scene.op.state.asked.lock().unwrap().last().unwrap().clone();
    assert!(sent.contains("device_code=of-the-provider"), "{sent}");
    let id = claims(answer.body["id_token"].as_str().unwrap());
    assert_eq!((&id["sub"], id.get("nonce")), (&json!("owner"), None));
}

/// A device code is one of this server's, for this client, while it is good.
#[tokio::test]
async fn other_device_codes() {
    let scene = Scene::new().await;
    scene.op.answer_device(Device::Person("owner"));
    let code = scene.device_code().await;
    let now = clock::now();
    let changed = |changes: &[(&str, Value)]| {
        let mut claims = claims(&code);
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        scene.server.sign(&claims)
    };
    let refresh = scene.signed_in("owner").await.refresh_token();
    let asked = scene.op.asked();
    for (what, code, client, expected) in [
        ("another client", code.clone(), OTHER, "invalid_grant"),
        ("the provider's", "of-the-provider".into(), AZ, "invalid_grant"),
        ("nothing", String::new(), AZ, "invalid_grant"),
        ("altered", format!("{code}A"), AZ, "invalid_grant"),
        ("a refresh token", refresh, AZ, "invalid_grant"),
        (
            "another audience",
            changed(&[("aud", json!("login-request:r.test"))]),
            AZ,
            "invalid_grant",
        ),
        ("another epoch", changed(&[("epoch", json!("other"))]), AZ, "invalid_grant"),
        ("just expired", changed(&[("exp", json!(now - 1))]), AZ, "expired_token"),
        (
            "expired",
            changed(&[("nbf", json!(now - 3000)), ("exp", json!(now - 2000))]),
            AZ,
            "expired_token",
        ),
    ] {
        assert_eq!(oauth_error(&scene.poll(&code, client).await), expected, "{what}");
    }
    assert_eq!(scene.op.asked(), asked);
    assert_eq!(scene.poll(&code, AZ).await.status, 200);
}

/// One network's devices ask the provider sixty times at once, and then once a second.
#[tokio::test]
async fn they_are_limited_by_network() {
    let scene = Scene::new().await;
    let start = Instant::now();
    let mut begun = 0;
    while scene.begin_device(&[]).await.status == 200 {
        begun += 1;
        assert!(begun < 300, "never refused");
    }
    assert_eq!(scene.begin_device(&[]).await.status, 429);
    let most = 61 + start.elapsed().as_secs();
    assert!((60..=most).contains(&begun), "{begun} of at most {most}");
}

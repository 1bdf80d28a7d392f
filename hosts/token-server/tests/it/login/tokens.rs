//! The tokens of a person: what each opens, and when it ends.

use axum::http::header;
use scopegate_server::testing::clock;
use scopegate_server::testing::domain::edit::identities;
use serde_json::{Value, json};

use super::{OTHER, REGISTRY_SCOPE, SCOPE, Scene, oauth_error};
use crate::support::{Answer, Key, PULL, SERVICE, Setup, bearer, claims};

/// Ends what a person has.
pub(super) async fn revoke(scene: &Scene, person: &str) {
    let mut write = scene.server.write().await;
    identities::revoke(&mut write, "corp", person).await.unwrap();
    scene.server.commit(write).await;
}

/// Every token of a person, by its kind.
struct Tokens {
    management: String,
    registry: String,
    refresh: String,
    id: String,
}

impl Tokens {
    async fn of(scene: &Scene, person: &str) -> Self {
        let answer = scene.signed_in(person).await;
        let refresh = answer.refresh_token();
        let registry = scene.refresh(&refresh, REGISTRY_SCOPE).await.access_token();
        let id = answer.body["id_token"].as_str().unwrap().to_owned();
        Self { management: answer.access_token(), registry, refresh, id }
    }
}

impl Scene {
    async fn manages(&self, token: &str) -> u16 {
        self.server.manage(&bearer(token)).await.status.as_u16()
    }

    async fn exchanges(&self, form: &[(&str, &str)]) -> Answer {
        let form = [&[("service", SERVICE)], form].concat();
        self.server.post("/oauth2/exchange", &form).await
    }
}

/// What a person has are its bindings: at management, and at the registry.
#[tokio::test]
async fn a_person_has_what_its_bindings_give() {
    let scene = Scene::new().await;
    for (person, shows, changes, opens) in [
        ("owner", 200, 200, "repository:samples/a:pull"),
        ("reader", 200, 403, "repository:samples/a:pull"),
        ("puller", 200, 403, "repository:samples/a:pull"),
        ("mapped", 200, 403, "repository:samples/a:pull"),
    ] {
        let tokens = Tokens::of(&scene, person).await;
        assert_eq!(scene.manages(&tokens.management).await, shows, "{person}");
        let put = axum::http::Request::put("/registries/registry/scopeMaps/of-a-person")
            .header(header::AUTHORIZATION, bearer(&tokens.management))
            .header(header::CONTENT_TYPE, "application/json")
            .body("{\"properties\": {\"actions\": []}}".into());
        let changed = scene.server.send(put.unwrap()).await.status.as_u16();
        let expected = if changes == 200 { 201 } else { changes };
        assert!(changed == expected || changed == changes, "{person}: {changed}");
        for form in [
            &[("grant_type", "access_token"), ("access_token", tokens.management.as_str())][..],
            &[("grant_type", "access_token"), ("access_token", &tokens.registry)],
            &[("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh)],
            &[
                ("grant_type", "access_token_refresh_token"),
                ("access_token", &tokens.registry),
                ("refresh_token", &tokens.refresh),
            ],
        ] {
            let refresh = scene.exchanges(form).await.refresh_token();
            let renewed = scene.server.renew(&refresh, PULL).await;
            assert_eq!(renewed.verified_access(&scene.server), opens, "{person} {form:?}");
            let found = claims(&renewed.access_token());
            assert_eq!((&found["sub"], &found["provider"]), (&json!(person), &json!("corp")));
        }
    }
}

/// A token of one kind is none of another.
#[tokio::test]
async fn kinds_of_tokens_are_kept_apart() {
    let scene = Scene::new().await;
    let tokens = Tokens::of(&scene, "owner").await;
    let registry_refresh = scene.server.exchange(&tokens.management).await.refresh_token();
    let access = scene.server.renew(&registry_refresh, PULL).await.access_token();
    let request = scene.begin().await.cookie;
    let request = request.split_once('=').unwrap().1.to_owned();
    for (what, token, manages, exchanges, refreshes, exchanges_refresh) in [
        ("management", &tokens.management, 200, 200, 400, 401),
        ("registry", &tokens.registry, 401, 200, 400, 401),
        ("refresh", &tokens.refresh, 401, 401, 200, 200),
        ("ID", &tokens.id, 401, 401, 400, 401),
        ("the registry's refresh", &registry_refresh, 401, 401, 400, 401),
        ("the registry's access", &access, 401, 401, 400, 401),
        ("a request", &request, 401, 401, 400, 401),
    ] {
        assert_eq!(scene.manages(token).await, manages, "{what} at management");
        assert_eq!(scene.server.exchange(token).await.status, exchanges, "{what} in exchange");
        let refreshed = scene.refresh(token, SCOPE).await.status;
        assert_eq!(refreshed, refreshes, "{what} as a refresh token");
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let status = scene.exchanges(&form).await.status.as_u16();
        assert_eq!(status, exchanges_refresh, "{what} as a refresh token in exchange");
        let at_registry = scene.server.get("/v2/", Some(&bearer(token))).await.status;
        let is_access = what == "the registry's access";
        assert_eq!(at_registry, if is_access { 200 } else { 401 }, "{what} at the registry");
    }
    assert_eq!(scene.op.asked(), 1, "the provider was shown a token of ours");
    // Two people are not one.
    let other = Tokens::of(&scene, "reader").await;
    let form = [
        ("grant_type", "access_token_refresh_token"),
        ("access_token", tokens.registry.as_str()),
        ("refresh_token", &other.refresh),
    ];
    assert_eq!(scene.exchanges(&form).await.status, 401);
}

/// Every claim that says whose a token is, and for what, counts.
#[tokio::test]
async fn every_claim_counts() {
    let scene = Scene::new().await;
    let tokens = Tokens::of(&scene, "owner").await;
    let ended = clock::now() - 12 * 3600;
    for (name, value) in [
        ("aud", json!("login-refresh:other")),
        ("aud", json!("login-request:r.test")),
        ("aud", json!("https://other.test")),
        ("aud", json!(["https://r.test"])),
        ("iss", json!("other")),
        ("tid", json!("00000000-0000-4000-8000-00000000000a")),
        ("epoch", json!("other")),
        ("epoch", json!(null)),
        ("exp", json!(1)),
        ("nbf", json!(u32::MAX)),
        ("exp", json!(clock::now() + 4 * 3600)),
        ("auth_time", json!(ended)),
        ("auth_time", json!(null)),
        ("generation", json!(-1)),
        ("identity", json!(null)),
        ("identity", json!({"provider": "other", "claims": {"sub": "owner"}})),
        ("identity", json!({"provider": "corp", "claims": {"sub": "stranger"}})),
        ("identity", json!({"provider": "corp", "claims": {}})),
    ] {
        for token in [&tokens.management, &tokens.refresh] {
            let mut claims = claims(token);
            claims[name] = value.clone();
            let token = scene.server.sign(&claims);
            assert_eq!(scene.manages(&token).await, 401, "{name} {value}");
            assert_eq!(scene.server.exchange(&token).await.status, 401, "{name} {value}");
            assert_eq!(scene.refresh(&token, SCOPE).await.status, 400, "{name} {value}");
        }
    }
    // Nor is a person's token a client's, whatever is added.
    let mut claims = claims(&tokens.management);
    let owner = scene.server.put_client(crate::support::OWNER, "Owner").await;
    assert!(!owner.is_empty());
    claims["appid"] = json!(crate::support::OWNER);
    claims["sub"] = json!(crate::support::OWNER);
    claims["identity"]["claims"]["sub"] = json!("stranger");
    assert_eq!(scene.manages(&scene.server.sign(&claims)).await, 401);
}

/// Twelve hours after the sign-in everything has ended; three hours after its last use a refresh
/// token has.
#[tokio::test]
async fn a_sign_in_ends() {
    let scene = Scene::new().await;
    let refresh = scene.signed_in("owner").await.refresh_token();
    let now = clock::now();
    let lifetime = |token: &str| {
        let claims = claims(token);
        claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap()
    };
    assert_eq!(lifetime(&refresh), 3 * 3600);
    let mut claims = claims(&refresh);
    claims["auth_time"] = json!(now - 12 * 3600 + 600);
    let old = scene.server.sign(&claims);
    let answer = scene.refresh(&old, SCOPE).await;
    let is_about = |seconds: i64| (590..=600).contains(&seconds);
    assert!(is_about(answer.body["expires_in"].as_i64().unwrap()), "{answer:?}");
    for token in [answer.access_token(), answer.refresh_token()] {
        assert!(is_about(lifetime(&token)), "{answer:?}");
    }
    let exchanged = scene.server.exchange(&answer.access_token()).await.refresh_token();
    assert!(is_about(lifetime(&exchanged)));
}

/// `revoke`, and a configuration without its binding or without people.
#[tokio::test]
async fn rights_that_are_taken_away() {
    let scene = Scene::new().await;
    let tokens = Tokens::of(&scene, "owner").await;
    let reader = Tokens::of(&scene, "reader").await;
    revoke(&scene, "owner").await;
    let ends = async |scene: &Scene, tokens: &Tokens| {
        (
            scene.manages(&tokens.management).await,
            scene.server.exchange(&tokens.registry).await.status.as_u16(),
            oauth_error(&scene.refresh(&tokens.refresh, SCOPE).await),
        )
    };
    let ended = (401, 401, "invalid_grant".to_owned());
    assert_eq!(ends(&scene, &tokens).await, ended);
    assert_eq!(ends(&scene, &reader).await, (200, 200, "none, 200".into()));
    assert_eq!(oauth_error(&scene.refresh(&tokens.refresh, REGISTRY_SCOPE).await), "invalid_grant");
    let again = Tokens::of(&scene, "owner").await;
    assert_eq!(ends(&scene, &again).await, (200, 200, "none, 200".into()));
    // A provider at which people do not sign in any more.
    let providers = scene.op.providers("login: false");
    let later = scene.server.another(Setup { providers, ..Setup::default() }).await;
    let later = Scene { server: later, op: super::provider::Op::start().await };
    let (manages, exchanges, refreshed) = ends(&later, &again).await;
    assert_eq!((manages, exchanges), (401, 401));
    assert_eq!(refreshed, "unsupported_grant_type");
}

/// A refresh token is its client's.
#[tokio::test]
async fn a_refresh_token_is_bound_to_its_client() {
    let scene = Scene::new().await;
    let refresh = scene.signed_in("owner").await.refresh_token();
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", OTHER),
        ("refresh_token", refresh.as_str()),
        ("scope", SCOPE),
    ];
    assert_eq!(oauth_error(&scene.token(&form).await), "invalid_grant");
    for (scope, audience) in [
        (SCOPE, "https://r.test"),
        (REGISTRY_SCOPE, "https://containerregistry.azure.net"),
        ("", "https://r.test"),
    ] {
        let answer = scene.refresh(&refresh, scope).await;
        assert_eq!(claims(&answer.access_token())["aud"], audience, "{scope}");
    }
    let elsewhere = scene.refresh(&refresh, "https://evil.example/.default").await;
    assert_eq!(oauth_error(&elsewhere), "invalid_scope");
    let revoked = scene.server.post("/oauth2/revoke", &[("token", refresh.as_str())]).await;
    assert_eq!(oauth_error(&revoked), "unsupported_token_type", "it says that it does not end");
}

/// The tenant that a client does not know, and where it finds it.
#[tokio::test]
async fn the_tenant_has_three_names() {
    let scene = Scene::new().await;
    let tenant = scene.tenant();
    for name in [&tenant, "common", "organizations"] {
        let discovery = format!("/{name}/v2.0/.well-known/openid-configuration");
        let body = scene.server.get(&discovery, None).await.body;
        assert_eq!(body["issuer"], format!("https://r.test/{tenant}/v2.0"), "{name}");
        let authorize = format!("https://r.test/{name}/oauth2/v2.0/authorize");
        assert_eq!(body["authorization_endpoint"], authorize);
        assert_eq!(body["code_challenge_methods_supported"], json!(["S256"]));
    }
    let management = scene.signed_in("puller").await.access_token();
    let target = "/tenants?api-version=2022-12-01";
    let listed = scene.server.get(target, Some(&bearer(&management))).await;
    assert_eq!(listed.body["value"][0]["tenantId"], tenant);
    assert_eq!(scene.server.get("/tenants", None).await.status, 401);
    assert_eq!(claims(&management)["tid"], tenant);
}

/// What one provider has vouched for has no rights under another one of the same name.
#[tokio::test]
async fn another_provider_under_the_same_name() {
    let scene = Scene::new().await;
    let answer = scene.signed_in("owner").await;
    let (token, refresh) = (answer.access_token(), answer.refresh_token());
    let code = scene.code("owner").await;
    assert_eq!(scene.server.manage(&bearer(&token)).await.status, 200);
    let next = super::provider::Op::start().await;
    let setup = Setup { providers: next.providers("login: true"), ..Setup::default() };
    let scene = Scene { server: scene.server.another(setup).await, op: next };
    assert_eq!(scene.server.manage(&bearer(&token)).await.status, 401);
    assert_eq!(scene.server.exchange(&token).await.status, 401);
    assert_eq!(oauth_error(&scene.refresh(&refresh, SCOPE).await), "invalid_grant");
    assert_eq!(oauth_error(&scene.redeem(&code, &[]).await), "invalid_grant");
    let again = scene.signed_in("owner").await.access_token();
    assert_eq!(scene.server.manage(&bearer(&again)).await.status, 200);
}

/// A token of ours by a key that is gone is no business of the provider's.
#[tokio::test]
async fn a_token_by_a_former_key_is_not_sent_on() {
    let scene = Scene::new().await;
    let refresh = scene.signed_in("owner").await.refresh_token();
    let asked = scene.op.asked();
    let former = Key::new("gone").sign("gone", &claims(&refresh));
    let form = [("grant_type", "refresh_token"), ("service", SERVICE), ("refresh_token", &former)];
    let answer = scene.server.post("/oauth2/exchange", &form).await;
    assert_eq!((answer.status.as_u16(), scene.op.asked()), (401, asked));
}

/// No access token of an identity outlasts the refresh token that it is asked for with, which ends
/// with the sign-in.
#[tokio::test]
async fn access_tokens_end_with_the_refresh_token() {
    let scene = Scene::new().await;
    let token = scene.signed_in("owner").await.access_token();
    let refresh = scene.server.exchange(&token).await.refresh_token();
    let mut altered = claims(&refresh);
    altered["exp"] = json!(clock::now() + 600);
    let access = scene.server.renew(&scene.server.sign(&altered), PULL).await.access_token();
    assert_eq!(claims(&access)["exp"], altered["exp"]);
    altered["exp"] = json!(clock::now() - 1);
    let ended = scene.server.renew(&scene.server.sign(&altered), PULL).await;
    assert_eq!(ended.status, 401, "{}", ended.text());
}

/// Who signs in is in the audit trail, and who fails to, by name once the provider has said it.
#[tokio::test]
async fn sign_ins_are_in_the_trail() {
    use scopegate_server::testing::app::audit::save;
    let scene = Scene::new().await;
    scene.signed_in("owner").await;
    scene.back_as("stranger").await;
    scene.come_back(None, &[("state", "x"), ("code", "y")]).await;
    scene.redeem("made up", &[]).await;
    save(&scene.server.app, true).await.unwrap();
    let mut write = scene.server.write().await;
    let rows = write.audit_from(1).await.unwrap();
    let rows = rows.iter().filter(|row| row.entry.object.kind == "management");
    let mut found: Vec<String> = rows
        .map(|row| {
            let (entry, actor) = (&row.entry, &row.entry.actor);
            let after = entry.after.as_deref().unwrap_or("{}");
            let after: Value = serde_json::from_str(after).unwrap();
            let reason = after["reason"].as_str().unwrap_or("-");
            format!("{} {} {} {reason}", entry.operation, actor.kind, actor.name)
        })
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            "sign_in identity owner -",
            "sign_in_failed identity stranger nothing_bound",
            "sign_in_failed unknown  code_unknown",
        ]
    );
}

/// No secret of a sign-in is in the database: of a code there is a digest.
#[tokio::test]
async fn no_code_is_stored() {
    let scene = Scene::new().await;
    let code = scene.code("owner").await;
    let folder = scene.server.folder.path();
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if !path.file_name().unwrap().to_str().unwrap().starts_with("scopegate.db") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(code.len()).any(|part| part == code.as_bytes()), "{path:?}");
        seen += 1;
    }
    assert!(seen > 0, "no database was read");
}

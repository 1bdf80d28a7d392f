//! What is taken away ends what was issued for it.

use axum::http::StatusCode;
use scopegate_api::claims::PrincipalKind;
use scopegate_server::testing::clock;
use scopegate_server::testing::domain::edit::{passwords, registry};
use scopegate_server::testing::domain::issue::Subject;
use scopegate_server::testing::store::PasswordName;

use crate::support::{OWNER, PULL, Server, TOKEN, bearer, claims};

/// A server with a principal of each kind, and what it has issued to them.
struct Issued {
    server: Server,
    /// Refresh tokens of `Reader`, of the client and of the admin account.
    refresh: [String; 3],
    /// Access tokens of `Reader` and of anonymous pulls.
    access: [String; 2],
    management: String,
}

impl Issued {
    async fn start() -> Self {
        let server = Server::start().await;
        let enable = "registry: {adminUserEnabled: true, anonymousPullEnabled: true}";
        server.apply(enable).await.unwrap();
        let secret = server.put_client(OWNER, "Owner").await;
        let mut write = server.write().await;
        let (_, passwords) = registry::admin_passwords(&mut write).await.unwrap();
        server.commit(write).await;
        let refresh = [
            server.login("Reader", "secret-one").await,
            server.login(OWNER, &secret).await,
            server.login("registry", &passwords[0].value).await,
        ];
        let access = [server.reader().await, server.renew("", PULL).await.access_token()];
        let management = server.client_credentials(OWNER, &secret).await.access_token();
        for token in &refresh {
            assert_eq!(server.renew(token, PULL).await.status, StatusCode::OK);
        }
        Self { server, refresh, access, management }
    }

    async fn disable_everybody(&self) {
        let disable = "{registry: {adminUserEnabled: false, anonymousPullEnabled: false}, tokens: [{name: Reader, status: disabled}]}";
        self.server.apply(disable).await.unwrap();
        self.server.put_disabled_client(OWNER, "Owner").await;
    }
}

/// A revocation counts at the next request, with any token from before.
#[tokio::test]
async fn tokens_of_disabled_principals_are_refused() {
    let issued = Issued::start().await;
    issued.disable_everybody().await;
    let server = &issued.server;
    for token in &issued.refresh {
        assert_eq!(server.renew(token, PULL).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(server.by_null_guid(token, PULL).await.status, StatusCode::UNAUTHORIZED);
    }
    for token in &issued.access {
        assert_eq!(server.by_null_guid(token, PULL).await.status, StatusCode::UNAUTHORIZED);
    }
    let managing = server.manage(&bearer(&issued.management)).await;
    assert_eq!(managing.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_principal_that_is_enabled_again_does_not_get_its_tokens_back() {
    let issued = Issued::start().await;
    issued.disable_everybody().await;
    let server = &issued.server;
    server.apply("tokens: [{name: Reader, status: enabled}]").await.unwrap();
    server.put_client(OWNER, "Owner").await;
    let [reader, client, _] = &issued.refresh;
    for token in [reader, client] {
        assert_eq!(server.renew(token, PULL).await.status, StatusCode::UNAUTHORIZED);
    }
    let managing = server.manage(&bearer(&issued.management)).await;
    assert_eq!(managing.status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.by_password("Reader", "secret-one", PULL).await.access(), [PULL]);
}

/// Gives `Writer` a first password.
async fn give_password(server: &Server, expiry: Option<i64>) -> String {
    let mut write = server.write().await;
    let first = Some(PasswordName::Password1);
    let (_, made) = passwords::generate(&mut write, "Writer", first, expiry).await.unwrap();
    server.commit(write).await;
    made[0].value.clone()
}

/// A password that expires takes with it what it made: no token is good for longer.
#[tokio::test]
async fn fault_8_no_token_outlives_its_password() {
    let server = Server::start().await;
    let end = clock::now() + 1000;
    let password = give_password(&server, Some(end)).await;
    let grant = [
        ("grant_type", "password"),
        ("username", "Writer"),
        ("password", &password),
        ("access_type", "offline"),
    ];
    let granted = server.post(TOKEN, &grant).await;
    let exchanged = server.login("Writer", &password).await;
    let refresh = granted.refresh_token();
    assert!(granted.body["expires_in"].as_i64().unwrap() <= 1000);
    for (what, token) in [
        ("access token", granted.access_token()),
        ("refresh token", refresh.clone()),
        ("exchanged", exchanged.clone()),
        ("renewed", server.renew(&refresh, PULL).await.access_token()),
        ("renewed after an exchange", server.by_null_guid(&exchanged, PULL).await.access_token()),
    ] {
        assert!(claims(&token)["exp"].as_i64().unwrap() <= end, "{what}");
    }
    // A password that is replaced ends what it made.
    give_password(&server, None).await;
    assert_eq!(server.renew(&refresh, PULL).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.renew(&exchanged, PULL).await.status, StatusCode::UNAUTHORIZED);
}

/// Reader's first password is good for ever, and its second one has expired.
#[tokio::test]
async fn fault_8_a_refresh_token_of_an_expired_password_is_refused() {
    let server = Server::start().await;
    let policy = server.app.policy();
    let generation = policy.token("Reader").unwrap().generation.unsigned_abs();
    for (password, status) in [
        (Some("password1"), StatusCode::OK),
        (Some("password2"), StatusCode::UNAUTHORIZED),
        (Some("password"), StatusCode::UNAUTHORIZED),
        (None, StatusCode::UNAUTHORIZED),
    ] {
        let subject =
            Subject { password, ..Subject::new("Reader", PrincipalKind::Token, generation) };
        let token = server.app.issuer.refresh_token(&subject, "r", clock::now()).unwrap();
        assert_eq!(server.renew(&token, PULL).await.status, status, "{password:?}");
        assert_eq!(server.by_null_guid(&token, PULL).await.status, status, "{password:?}");
    }
}

/// A file that is applied at every start does not give back what was taken away in an emergency.
#[tokio::test]
async fn a_seed_does_not_enable_what_it_does_not_speak_of() {
    let server = Server::start().await;
    let secret = server.put_disabled_client(OWNER, "Owner").await;
    server.apply("tokens: [{name: Reader, status: disabled}]").await.unwrap();
    let seed = format!(
        "{{tokens: [{{name: Reader, scopeMap: reader-map}}], servicePrincipals: [{{clientId: {OWNER}, roles: [Owner]}}]}}"
    );
    server.apply(&seed).await.unwrap();
    assert_eq!(
        server.by_password("Reader", "secret-one", PULL).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(server.by_password(OWNER, &secret, PULL).await.status, StatusCode::UNAUTHORIZED);
    server.apply("tokens: [{name: Reader, status: enabled}]").await.unwrap();
    assert_eq!(server.by_password("Reader", "secret-one", PULL).await.access(), [PULL]);
}

//! A real provider: `oidc-provider`.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scopegate_server::testing::clock;
use scopegate_server::testing::free_address;
use serde_json::{Value, json};

use super::{providers, refused};

/// `oidc-provider`, which ends with its test.
struct OidcProvider {
    process: Child,
    issuer: String,
    refresh_token: String,
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl OidcProvider {
    fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients");
        let installed = folder.join("node_modules/oidc-provider").is_dir();
        assert!(installed, "oidc-provider is not installed: run `cargo xtask setup`");
        let port = free_address().port();
        let mut process = Command::new("node")
            .arg("oidc-provider.mjs")
            .current_dir(folder)
            .env("PORT", port.to_string())
            .env("JWK", private_jwk().to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node is not installed: run `cargo xtask setup`");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let refresh_token = lines.next().expect("the provider does not start").unwrap();
        Self { process, issuer: format!("http://127.0.0.1:{port}"), refresh_token }
    }

    async fn client_credentials(&self) -> String {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request =
            client.post(format!("{}/token", self.issuer)).basic_auth("svc", Some("svc-secret"));
        let form = [("grant_type", "client_credentials"), ("scope", "registry")];
        let answer: Value = request.form(&form).send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}

fn private_jwk() -> Value {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let secret: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().unwrap();
    let [4, point @ ..] = pair.public_key().as_ref() else { panic!("no uncompressed point") };
    let (x, y) = point.split_at(32);
    let [d, x, y] = [secret.as_ref(), x, y].map(|part| URL_SAFE_NO_PAD.encode(part));
    json!({
        "kty": "EC", "crv": "P-256", "x": x, "y": y, "d": d, "kid": "k", "alg": "ES256", "use": "sig",
    })
}

#[tokio::test]
async fn tokens_of_a_real_provider_are_verified_bound_and_redeemed() {
    let op = OidcProvider::start();
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "dev/secret: with + and %\n").unwrap();
    let more = format!(
        "clientId: dev, clientSecretFile: {},
         bindings: [{{match: {{/realm_access/roles: builder, tid: tenant-1}}, roles: [AcrPull],
                      rules: ['repositories/{{team}}/*/content/write']}}]",
        secret.path().display()
    );
    let providers = providers(&op.issuer, &more);

    let token = op.client_credentials().await;
    let identity = providers.identify(&token, clock::now()).await.unwrap();
    assert_eq!(identity.subject, "svc");
    assert_eq!(identity.tenant.as_deref(), Some("tenant-1"));
    assert_eq!(identity.appid.as_deref(), Some("svc"));

    let provider = providers.by_name(&identity.provider).unwrap();
    let bound = provider.bind(&identity.claims);
    let rules: Vec<_> = bound.rules.iter().map(ToString::to_string).collect();
    assert_eq!(rules, ["repositories/core/*/content/write"]);
    assert_eq!(bound.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(), ["AcrPull"]);
    let mentioned = provider.mentioned(&identity.claims).unwrap();
    assert_eq!(mentioned.keys().collect::<Vec<_>>(), ["realm_access", "team", "tid"]);
    assert_eq!(provider.bind(&mentioned), bound);

    let provider = providers.redeemer(None).unwrap();
    let redeemed = provider.redeem(&op.refresh_token, clock::now()).await.unwrap();
    let identity = &redeemed.identity;
    assert_eq!((identity.subject.as_str(), identity.appid.as_deref()), ("octo", Some("dev")));
    refused(
        provider.redeem("made-up", clock::now()).await,
        "the provider refuses the refresh token",
    );
    // Tokens are for an hour at most, and this one is for ten minutes.
    refused(providers.identify(&token, clock::now() + 3600).await, "the token has expired");
}

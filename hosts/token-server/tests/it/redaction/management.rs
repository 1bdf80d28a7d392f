//! Every way through the authority and management, and the commands beside the server, right and
//! wrong.

use serde_json::{Value, json};

use crate::support::{OWNER, basic, bearer};

use super::exchange::{self, Login};
use super::{SERVICE, Walk};

const GRANT: &str = "grant_type=client_credentials&client_id=administrator";
const CHOSEN: &str = r#"{"secret": "chosen-secret-of-sixteen"}"#;

pub(super) fn walk(walk: &mut Walk<'_>) {
    for secret in [
        "exchanged-secret",
        "client-secret-typed",
        "chosen-secret-of-sixteen",
        "misplaced-secret",
        "value-secret",
    ] {
        walk.knows(secret);
    }
    let administrator = renewed_administrator(walk);
    let authorization = basic("administrator", &administrator.secret);
    walk.knows(authorization.trim_start_matches("Basic "));
    authority(walk, &administrator);
    let owner = Owner { walk: &mut *walk, authorization: &authorization };
    let logins = owner.manage_everything();
    with_wrong_credentials(walk);
    exchange::walk(walk, &logins);
    commands(walk);
}

struct Administrator {
    tenant: String,
    secret: String,
}

/// The administrator, twice: the first secret is an old one then.
fn renewed_administrator(walk: &mut Walk<'_>) -> Administrator {
    let made = [(); 2].map(|()| {
        let (out, error) = walk.server.command(&["administrator"], &[]);
        let value: Value = serde_json::from_str(&out).unwrap();
        walk.learns(&value);
        walk.printed.push_str(&error);
        let text = |name: &str| value[name].as_str().unwrap().to_owned();
        Administrator { tenant: text("tenant"), secret: text("secret") }
    });
    let [_, newer] = made;
    newer
}

fn authority(walk: &mut Walk<'_>, administrator: &Administrator) {
    let Administrator { tenant, secret } = administrator;
    let authority = format!("/{tenant}/oauth2/v2.0/token");
    for (secret, audience) in [
        (secret.as_str(), "https://containerregistry.azure.net/.default"),
        (secret, "misplaced-secret"),
        ("client-secret-typed", "https://containerregistry.azure.net/.default"),
    ] {
        let form = format!("{GRANT}&client_secret={secret}&scope={audience}");
        let answer = walk.server.post_to(&authority, &form);
        let Some(token) = answer["access_token"].as_str() else { continue };
        walk.knows(token);
        let form = format!("grant_type=access_token&{SERVICE}&access_token={token}");
        let answer = walk.server.post_to("/oauth2/exchange", &form);
        walk.knows(answer["refresh_token"].as_str().unwrap());
        walk.server.manage("GET", "", &bearer(token), "");
    }
    let wrong = "grant_type=client_secret&client_secret=client-secret-typed";
    walk.server.post_to(&authority, wrong);
    let form = format!("{GRANT}&client_secret={secret}");
    walk.server.post_to("/value-secret/oauth2/v2.0/token", &form);
}

fn client() -> String {
    format!("/servicePrincipals/{OWNER}")
}

/// Management in the name of the administrator.
struct Owner<'a, 'b> {
    walk: &'a mut Walk<'b>,
    authorization: &'a str,
}

impl Owner<'_, '_> {
    fn send(&self, method: &str, path: &str, body: &str) -> Value {
        self.walk.server.manage(method, path, self.authorization, body)
    }

    /// What a request makes that is secret.
    fn made(&mut self, path: &str, body: &str) -> Vec<String> {
        let answer = self.send("POST", path, body);
        self.walk.learns(&answer)
    }

    /// Gives the names and passwords that it has made.
    fn manage_everything(mut self) -> Vec<Login> {
        let mut logins = self.secrets_of_a_client();
        logins.extend(self.passwords_of_the_admin_account());
        logins.extend(self.passwords_of_a_token());
        self.read();
        logins
    }

    fn secrets_of_a_client(&mut self) -> Vec<Login> {
        let secrets = format!("{}/secrets", client());
        self.send("PUT", &client(), r#"{"roles": ["AcrPull"]}"#);
        let generated = self.made(&secrets, "");
        assert_eq!(generated.len(), 1);
        self.send("POST", &secrets, CHOSEN);
        for wrong in [
            r#""misplaced-secret""#,
            r#"{"secret": ["misplaced-secret"]}"#,
            r#"{"secret": {"misplaced-secret": 1}}"#,
            r#"["misplaced-secret"]"#,
            "misplaced-secret",
            r#"{"secret": "misplaced-secret"#,
        ] {
            self.send("POST", &secrets, wrong);
        }
        vec![Login::new(OWNER, &generated[0]), Login::new(OWNER, "chosen-secret-of-sixteen")]
    }

    fn passwords_of_the_admin_account(&mut self) -> Vec<Login> {
        let set = |settings: Value| json!({ "properties": settings }).to_string();
        self.send("PATCH", "", &set(json!({"adminUserEnabled": "misplaced-secret"})));
        let both = json!({"adminUserEnabled": true, "anonymousPullEnabled": true});
        self.send("PATCH", "", &set(both));
        let admin = self.made("/listCredentials", "");
        assert_eq!(admin.len(), 2);
        let renewed = self.made("/regenerateCredential", r#"{"name": "password"}"#);
        self.send("POST", "/regenerateCredential", r#"{"name": "misplaced-secret"}"#);
        vec![Login::new("registry", &admin[1]), Login::new("registry", &renewed[0])]
    }

    fn passwords_of_a_token(&mut self) -> Vec<Login> {
        let token = self.send("GET", "/tokens/Reader", "");
        let id = token["id"].as_str().unwrap();
        let right = json!({"tokenId": id, "name": "password2"}).to_string();
        let passwords = self.made("/generateCredentials", &right);
        assert_eq!(passwords.len(), 1);
        let wrong = json!({"tokenId": id, "expiry": 7, "name": {"value-secret": 1}}).to_string();
        self.send("POST", "/generateCredentials", &wrong);
        vec![Login::new("Reader", &passwords[0])]
    }

    fn read(&self) {
        for path in [
            "",
            "/tokens",
            "/tokens/Reader",
            "/scopeMaps",
            "/servicePrincipals",
            &client(),
            "/generations?since=misplaced-secret",
            "/tokens?$top=misplaced-secret",
        ] {
            self.send("GET", path, "");
        }
        self.send("POST", "/listCredentials", "");
    }
}

fn with_wrong_credentials(walk: &Walk<'_>) {
    for authorization in [
        "Bearer exchanged-secret",
        "Basic exchanged-secret",
        "exchanged-secret",
        &basic("administrator", "exchanged-secret"),
    ] {
        walk.server.manage("GET", "/tokens", authorization, "");
        walk.server.manage("PUT", &client(), authorization, CHOSEN);
    }
}

/// Commands beside the server.
fn commands(walk: &mut Walk<'_>) {
    for command in [&["keys", "list"][..], &["keys", "rotate"], &["keys", "rotate", "--at-once"]] {
        let (out, error) = walk.server.command(command, &[]);
        walk.printed.push_str(&(out + &error));
    }
    for (name, text) in [
        (
            "digest.yaml",
            "tokens: [{name: Reader, passwords: [{name: password1, sha256: misplaced-secret}]}]",
        ),
        ("whole.yaml", "tokens: [{name: Reader, passwords: [misplaced-secret]}]"),
        ("list.yaml", "tokens: [{name: Reader, passwords: misplaced-secret}]"),
        (
            "client.yaml",
            "servicePrincipals: [{clientId: 3f2504e0-4f89-41d3-9a0c-0305e82c3302, secret: misplaced-secret}]",
        ),
    ] {
        let (out, error) = walk.server.command(&["apply"], &[&walk.server.write(name, text)]);
        assert!(out.is_empty() && error.contains("error: "), "{name}: {out}{error}");
        walk.printed.push_str(&error);
    }
}

//! Tokens of a provider and of the authority as passwords: nothing of them is in the log, the
//! decision log, the audit trail or any other part of the database.

use std::process::Command;

use scopegate_server::testing::clock;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::support::{AUDIENCE, Provider, basic};

use super::{SCOPE, Server, spellings};

/// A claim that no token should leave anywhere.
const NONCE: &str = "n0nce-of-one-token";

#[test]
fn tokens_as_passwords_leave_nothing_behind() {
    let runtime = Runtime::new().unwrap();
    let provider = runtime.block_on(Provider::start());
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.yaml");
    let text = json!({"providers": [{
        "name": "ci", "issuer": provider.issuer, "audiences": [AUDIENCE], "passwordUsers": ["jwt"],
        "bindings": [{"match": {"groups": "readers"}, "scopeMaps": ["reader-map"]}],
    }]});
    std::fs::write(&config, text.to_string()).unwrap();
    let mut server = Server::start(&["--config", &config.display().to_string()]);
    let of_provider = |alter: fn(&mut Value)| {
        let mut claims = provider.claims("octo", &["readers"]);
        (claims["jti"], claims["nonce"]) = (json!("run-4711"), json!(NONCE));
        alter(&mut claims);
        provider.key.sign("k1", &claims)
    };
    let good = of_provider(|_| {});
    let tokens = [
        good.clone(),
        of_provider(|claims| claims["exp"] = json!(clock::now() - 1)),
        of_provider(|claims| claims["aud"] = json!("other")),
        of_provider(|claims| claims["groups"] = json!([])),
        format!("{good}A"),
        of_authority(&server),
    ];
    let mut issued = 0;
    for token in &tokens {
        for name in ["jwt", "token", "Reader"] {
            for answer in at_every_door(&server, name, token) {
                issued += usize::from(answer["access_token"].is_string());
            }
        }
    }
    // The good one of the provider and that of the authority, under its own name each.
    assert_eq!(issued, 8, "{:?}", server.answers.borrow());
    // At its end it writes what it has not yet written into the trail.
    let id = server.process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(server.process.wait().unwrap().success());
    let log = server.read("log");
    assert!(log.contains("run-4711"), "the id is in the decision log: {log}");
    let database = files(&server);
    assert!(contains(&database, b"reader-map") && contains(&database, b"sign_in_failed"));
    for token in &tokens {
        for part in token.split('.').skip(1) {
            for spelling in spellings(part) {
                assert!(!log.contains(&spelling), "{spelling} is in the log");
                assert!(!contains(&database, spelling.as_bytes()), "{spelling} is kept");
            }
        }
    }
    assert!(!log.contains(NONCE) && !contains(&database, NONCE.as_bytes()));
}

/// A token of the built-in authority for the registry.
fn of_authority(server: &Server) -> String {
    let (administrator, _) = server.command(&["administrator"], &[]);
    let administrator: Value = serde_json::from_str(&administrator).unwrap();
    let [client, secret, tenant] =
        ["clientId", "secret", "tenant"].map(|name| administrator[name].as_str().unwrap());
    let form = format!(
        "grant_type=client_credentials&client_id={client}&client_secret={secret}&scope={AUDIENCE}/.default"
    );
    let answer = server.post_to(&format!("/{tenant}/oauth2/v2.0/token"), &form);
    answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// What there is for a name and a token, where they are taken and where they are not.
fn at_every_door(server: &Server, name: &str, token: &str) -> Vec<Value> {
    let basic = basic(name, token);
    let form = format!("grant_type=password&username={name}&password={token}&{SCOPE}");
    let exchange = format!("grant_type=access_token&service=x&access_token={name}:{token}");
    vec![
        server.get(&format!("/oauth2/token?{SCOPE}"), &basic),
        server.get(&format!("/oauth2/token?{SCOPE}&offline_token=true&account={name}"), &basic),
        server.post(&form),
        server.post(&format!("{form}&access_type=offline")),
        server.post_to("/oauth2/exchange", &exchange),
        server
            .post_to("/oauth2/revoke", &format!("client_id={name}&client_secret={token}&token=x")),
        server.manage("GET", "/tokens", &basic, ""),
        server.manage("PUT", "/tokens/other-1", &basic, "{}"),
        server.get("/v2/", &basic),
    ]
}

/// Every byte of the data folder.
fn files(server: &Server) -> Vec<u8> {
    let files = std::fs::read_dir(server.folder.path().join("data")).unwrap();
    let files = files.map(|file| file.unwrap().path()).filter(|path| path.is_file());
    files.flat_map(|path| std::fs::read(path).unwrap()).collect()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    let first = part[0];
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == first) {
        if rest[at..].starts_with(part) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

//! Every way of asking for a token, right and wrong.

use std::path::Path;

use scopegate_server::testing::store;
use serde_json::Value;

use crate::support::{NULL_GUID, basic, bearer};

use super::Walk;

const TARGET: &str = "/oauth2/token?service=registry.local&scope=repository:app:pull";

pub(super) fn walk(walk: &mut Walk<'_>) {
    for secret in ["secret-one", "wrong-secret", "typed-secret", "query-secret", "form-secret"] {
        walk.knows(secret);
    }
    by_header(walk);
    in_the_wrong_field(walk);
    let refresh = by_form(walk);
    by_refresh_token(walk, &refresh);
    by_generated_password(walk);
    for key in private_keys(&walk.server.folder.path().join("data")) {
        walk.secrets.extend(key.lines().filter(|line| !line.starts_with('-')).map(str::to_owned));
    }
}

fn by_header(walk: &mut Walk<'_>) {
    for (name, password) in [
        ("Reader", "secret-one"),
        ("Reader", "wrong-secret"),
        ("nobody", "wrong-secret"),
        ("typed-secret", ""),
        ("typed-secret", "secret-one"),
        (NULL_GUID, "wrong-secret"),
    ] {
        let authorization = basic(name, password);
        let answer = walk.server.get(TARGET, &authorization);
        walk.learns(&answer);
        walk.knows(authorization.strip_prefix("Basic ").unwrap());
    }
}

fn in_the_wrong_field(walk: &mut Walk<'_>) {
    let in_query = format!("{TARGET}&password=query-secret&account=query-secret");
    walk.server.get(&in_query, "Bearer form-secret");
    walk.server.get("/v2/", "Bearer form-secret");
    walk.server.get("/nothing/query-secret?query-secret", "rubbish form-secret");
}

/// Gives a refresh token.
fn by_form(walk: &mut Walk<'_>) -> String {
    let password = "grant_type=password&username=Reader&access_type=offline&service=registry.local";
    let answer = walk.server.post(&format!("{password}&password=secret-one&{}", super::SCOPE));
    walk.learns(&answer);
    walk.server.post(&format!("{password}&password=form-secret"));
    walk.server.post("grant_type=form-secret&password=form-secret");
    walk.server.post("username=form-secret&%");
    answer["refresh_token"].as_str().expect("no refresh token").to_owned()
}

fn by_refresh_token(walk: &mut Walk<'_>, refresh: &str) {
    for token in [refresh, "form-secret", &refresh[..refresh.len() - 4]] {
        let form = format!("grant_type=refresh_token&refresh_token={token}&service=registry.local");
        let answer = walk.server.post(&format!("{form}&{}", super::SCOPE));
        walk.secrets.extend(answer["access_token"].as_str().map(str::to_owned));
        walk.server.get(TARGET, &basic(NULL_GUID, token));
        walk.server.get("/v2/", &bearer(token));
    }
}

/// What a server prints may be a log, so the one place that tells a generated password is a file.
fn by_generated_password(walk: &mut Walk<'_>) {
    assert_eq!(walk.server.read("out"), "");
    let kept = walk.server.read("data/generated-passwords.jsonl");
    let generated: Value = serde_json::from_str(kept.trim()).unwrap();
    let generated = generated.as_object().unwrap()["value"].as_str().unwrap();
    walk.server.get(TARGET, &basic("Generated", generated));
    walk.knows(generated);
}

/// Every private key that the database holds, PEM.
#[tokio::main(flavor = "current_thread")]
async fn private_keys(folder: &Path) -> Vec<String> {
    let store = store::open(folder, None).await.unwrap();
    let keys = store.changes(0).await.unwrap().keys.records().clone();
    let authority = keys.authority.into_iter().map(|authority| authority.private_key);
    let all: Vec<_> = keys.keys.into_iter().map(|key| key.private_key).chain(authority).collect();
    assert!(all.len() >= 2, "no key was made");
    all
}

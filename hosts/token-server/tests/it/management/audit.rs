//! The audit trail as management shows it: in whose name each change was made, and who signed in.

use axum::http::Method;
use scopegate_server::testing::app::audit::save;
use scopegate_server::testing::domain::audit::verify;
use scopegate_server::testing::domain::identity::Providers;
use scopegate_server::testing::model::audit::Row;
use serde_json::{Value, json};

use crate::support::basic;
use crate::support::management::{
    Call, OTHER_CLIENT, Registry, client, delete, expect_refusal, expect_status, get, patch, post,
    put,
};

/// Every row, the first one first.
async fn rows(registry: &Registry) -> Vec<Row> {
    registry.server.app.store.read().await.unwrap().audit_after(0, 1000).await.unwrap()
}

/// The newest row by what it tells of.
async fn last(registry: &Registry) -> Row {
    rows(registry).await.pop().unwrap()
}

/// The rows of the trail that a query selects, as `number operation object`.
async fn listed(registry: &Registry, query: &str) -> Vec<String> {
    let body = registry.must(get(format!("audit?{query}"))).await;
    let line = |row: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        format!("{} {}", text(&row["operation"]), text(&row["object"]["name"]))
    };
    body["value"].as_array().unwrap().iter().map(line).collect()
}

/// Each call that changes something leaves rows in the caller's name, with its address and the id
/// of its answer. A route that writes in the server's name fails here.
#[tokio::test]
async fn fault_5_every_change_is_in_the_name_of_who_made_it() {
    let registry = Registry::start().await;
    registry.set_admin(true).await;
    let empty = json!({"properties": {}});
    let other = |rest: &str| format!("servicePrincipals/{OTHER_CLIENT}{rest}");
    let (token, map) = (
        registry.token_id("first-token"),
        json!({"properties": {"actions": ["repositories/a/content/read"]}}),
    );
    for (call, operation, kind, name) in [
        (
            patch("", json!({"properties": {"anonymousPullEnabled": true}})),
            "update",
            "registry",
            "",
        ),
        (
            patch(
                "",
                json!({"properties": {"policies": {"azureADAuthenticationAsArmPolicy": {"status": "disabled"}}}}),
            ),
            "update",
            "registry",
            "",
        ),
        (put("scopeMaps/first-map", &empty), "create", "scope_map", "first-map"),
        (patch("scopeMaps/first-map", &map), "update", "scope_map", "first-map"),
        (put("tokens/first-token", &empty), "create", "token", "first-token"),
        (
            patch("tokens/first-token", json!({"properties": {"status": "disabled"}})),
            "update",
            "token",
            "first-token",
        ),
        (post("generateCredentials", json!({"tokenId": token})), "update", "token", "first-token"),
        (post("listCredentials", ""), "update", "registry", ""),
        (post("regenerateCredential", json!({"name": "password"})), "update", "registry", ""),
        (
            put(other(""), json!({"properties": {"roles": ["Owner"]}})),
            "create",
            "service_principal",
            OTHER_CLIENT,
        ),
        (post(other("/secrets"), json!({})), "update", "service_principal", OTHER_CLIENT),
        (post("tokens/first-token/revoke", ""), "update", "token", "first-token"),
        (post("admin/revoke", ""), "update", "registry", ""),
        (post("anonymous/revoke", ""), "update", "registry", ""),
        (post(other("/revoke"), ""), "update", "service_principal", OTHER_CLIENT),
        (delete(other("/secrets")), "update", "service_principal", OTHER_CLIENT),
        (delete(other("")), "delete", "service_principal", OTHER_CLIENT),
        (delete("tokens/first-token"), "delete", "token", "first-token"),
        (delete("scopeMaps/first-map"), "delete", "scope_map", "first-map"),
    ] {
        let before = rows(&registry).await.len();
        let answer = registry.owner(&call).await;
        assert!(answer.status.is_success(), "{call}: {}", answer.body);
        let new = rows(&registry).await.split_off(before);
        let [row] = &new[..] else { panic!("{call}: {new:?}") };
        let entry = &row.entry;
        let found =
            (entry.operation.as_str(), entry.object.kind.as_str(), entry.object.name.as_str());
        assert_eq!(found, (operation, kind, name), "{call}");
        let actor = (entry.actor.kind.as_str(), entry.actor.name.as_str());
        assert_eq!(actor, ("service_principal", client("Owner")), "{call}");
        assert!(entry.actor.address.is_some(), "{call}");
        let id = answer.headers["x-ms-correlation-request-id"].to_str().unwrap();
        assert_eq!(entry.actor.correlation_id.as_deref(), Some(id), "{call}");
    }
}

/// Every route of the API's description that is no GET either leaves a row in the table above, or
/// is known to change nothing.
#[tokio::test]
async fn no_route_that_changes_something_is_missing_from_that_test() {
    let registry = Registry::start().await;
    let description = registry.owner(&get("/openapi.json")).await.body;
    let mut changing: Vec<String> = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        let methods = item.as_object().unwrap().keys().filter(|key| {
            Method::from_bytes(key.to_uppercase().as_bytes())
                .is_ok_and(|method| method != Method::GET)
        });
        changing.extend(
            methods
                .filter(|method| ["put", "patch", "post", "delete"].contains(&method.as_str()))
                .map(|method| {
                    format!("{method} {}", path.trim_start_matches("/registries/{registry}"))
                }),
        );
    }
    changing.sort();
    let known = [
        "delete /scopeMaps/{name}",
        "delete /servicePrincipals/{name}",
        "delete /servicePrincipals/{name}/secrets",
        "delete /tokens/{name}",
        "patch ",
        "patch /scopeMaps/{name}",
        "patch /tokens/{name}",
        "post /admin/revoke",
        "post /anonymous/revoke",
        "post /generateCredentials",
        // Revocations of identities have a test of their own.
        "post /identities/{provider}/revoke",
        "post /identities/{provider}/{subject}/revoke",
        "post /listCredentials",
        "post /regenerateCredential",
        "post /servicePrincipals/{name}/revoke",
        "post /servicePrincipals/{name}/secrets",
        "post /tokens/{name}/revoke",
        "put /scopeMaps/{name}",
        "put /servicePrincipals/{name}",
        "put /tokens/{name}",
    ];
    assert_eq!(changing, known);
}

#[tokio::test]
async fn what_was_before_and_after_is_there_and_no_secret() {
    let registry = Registry::start().await;
    registry.must(put("tokens/first-token", json!({"properties": {}}))).await;
    let [first, second] = registry.passwords("first-token").await;
    let entry = last(&registry).await.entry;
    let (before, after) = (entry.before.unwrap(), entry.after.unwrap());
    assert!(before.contains(r#""passwords":[]"#), "{before}");
    assert!(after.contains("password1") && after.contains("createdAt"), "{after}");
    registry.choose_secret("Reader").await;
    let trail: String = rows(&registry).await.iter().map(|row| format!("{row:?}")).collect();
    for secret in [
        &first,
        &second,
        registry.secret("Owner"),
        "a secret for everybody",
        "argon2",
        "sha256",
        "PRIVATE",
    ] {
        assert!(!trail.contains(secret), "{secret}");
    }
    // The same secret again changes the salt, and so the fingerprint.
    assert!(last(&registry).await.entry.after.unwrap().contains(r#""secrets":[{"expiresAt":"#));
}

#[tokio::test]
async fn the_trail_is_read_by_owner_and_audit_reader() {
    let registry = Registry::start().await;
    let secret = registry.server.put_client(OTHER_CLIENT, "AuditReader").await;
    let auditor = basic(OTHER_CLIENT, &secret);
    for (role, expected) in [
        ("AcrPull", 403),
        ("Reader", 403),
        ("Contributor", 403),
        ("EdgeReader", 403),
        ("Owner", 200),
    ] {
        let answer = registry.send(registry.authorization(role), &get("audit")).await;
        expect_status(&answer, &role, expected);
    }
    expect_refusal(&registry.send(None, &get("audit")).await, &"nobody", 401, "");
    expect_status(&registry.send(Some(&auditor), &get("audit")).await, &"AuditReader", 200);
    for call in [
        get(""),
        get("tokens"),
        get("generations"),
        get("bundle"),
        get("/subscriptions"),
        put("scopeMaps/a-map", "{}"),
        post("listCredentials", ""),
    ] {
        expect_refusal(&registry.send(Some(&auditor), &call).await, &call, 403, "");
    }
}

#[tokio::test]
async fn rows_are_found_by_actor_object_and_time_in_pages() {
    let registry = Registry::start().await;
    for name in ["first-map", "second-map", "third-map"] {
        registry.must(put(format!("scopeMaps/{name}"), json!({"properties": {}}))).await;
    }
    registry.must(delete("scopeMaps/second-map")).await;
    let owner = client("Owner");
    assert_eq!(
        listed(&registry, &format!("actor={owner}")).await,
        ["delete second-map", "create third-map", "create second-map", "create first-map"]
    );
    assert_eq!(
        listed(&registry, "objectKind=scope_map&object=second-map").await,
        ["delete second-map", "create second-map"]
    );
    assert_eq!(listed(&registry, "until=2020-01-01T00:00:00Z").await, [""; 0]);
    assert_eq!(
        listed(&registry, &format!("actor={owner}&from=2020-01-01T00:00:00Z&%24top=1")).await,
        ["delete second-map"]
    );
    assert_eq!(listed(&registry, "from=9999-12-31T23:59:59Z").await, [""; 0]);
    assert_eq!(
        listed(&registry, &format!("actor={owner}&until=9999-12-31T23:59:59Z&%24top=1")).await,
        ["delete second-map"]
    );
    assert_eq!(listed(&registry, "object=%00").await, [""; 0]);
    let mut seen = Vec::new();
    let mut next = format!("{}?actor={owner}&%24top=3", get("audit").target());
    loop {
        let page = registry.must(get(&next)).await;
        seen.extend(
            page["value"].as_array().unwrap().iter().map(|row| row["number"].as_i64().unwrap()),
        );
        let Some(link) = page["nextLink"].as_str() else { break };
        next = link.strip_prefix("https://r.test").unwrap().to_owned();
    }
    assert_eq!(seen.len(), 4);
    assert!(seen.is_sorted_by(|a, b| a > b), "{seen:?}");
    for query in ["from=yesterday", "until=", "%24skiptoken=x", "%24top=0"] {
        let answer = registry.owner(&get(format!("audit?{query}"))).await;
        expect_refusal(&answer, &query, 400, "is");
    }
}

/// The sign-ins of the trail, as `operation name reason`.
async fn sign_ins(registry: &Registry) -> Vec<String> {
    save(&registry.server.app, true).await.unwrap();
    let rows = rows(registry).await.into_iter().filter(|row| row.entry.object.kind == "management");
    rows.map(|row| {
        let after: Value = row
            .entry
            .after
            .as_deref()
            .map_or(Value::Null, |text| serde_json::from_str(text).unwrap());
        let (reason, count) = (
            after["reason"].as_str().unwrap_or("-").to_owned(),
            after["count"].as_i64().unwrap_or(1),
        );
        format!("{} {} {reason} {count}", row.entry.operation, row.entry.actor.name)
    })
    .collect()
}

#[tokio::test]
async fn sign_ins_are_in_the_trail_and_a_name_only_if_it_exists() {
    let registry = Registry::start().await;
    let (owner, reader) = (client("Owner"), client("Reader"));
    let begun = sign_ins(&registry).await;
    assert_eq!(begun.len(), 5, "one for each client that has got a token: {begun:?}");
    for _ in 0..3 {
        registry.send(Some(&basic(owner, "a wrong secret")), &get("")).await;
        registry.send(Some(&basic("my-password-in-the-wrong-field", "x")), &get("")).await;
    }
    registry.send(Some(&basic(reader, registry.secret("Reader"))), &get("")).await;
    registry.send(registry.authorization("Owner"), &get("")).await;
    registry.server.client_credentials(owner, "a wrong secret").await;
    registry.send(None, &get("")).await;
    registry
        .send(
            Some(&basic(client("EdgeReader"), registry.secret("EdgeReader"))),
            &get("generations"),
        )
        .await;
    let mut new = sign_ins(&registry).await.split_off(begun.len());
    new.sort();
    let expected = [
        format!("sign_in {reader} - 1"),
        "sign_in_failed  unknown_client 3".to_owned(),
        format!("sign_in_failed {owner} wrong_secret 4"),
    ];
    assert_eq!(new, expected);
    let found = verify(&registry.server.app.store, &[], None).await.unwrap();
    assert_eq!(found.faults.len(), 1, "the test has no key: {:?}", found.faults);
}

/// A login does not wait for the trail: with a database that cannot be written it succeeds, and is
/// written later.
#[tokio::test]
async fn a_sign_in_waits_for_nothing() {
    let registry = Registry::start().await;
    let begun = sign_ins(&registry).await.len();
    let held = registry.server.write().await;
    let by_secret = basic(client("Reader"), registry.secret("Reader"));
    expect_status(&registry.send(Some(&by_secret), &get("")).await, &"held", 200);
    drop(held);
    assert_eq!(sign_ins(&registry).await.len(), begun + 1);
}

#[tokio::test]
async fn a_revoked_identity_is_in_the_trail() {
    let config = json!([{"name": "ci", "issuer": "https://ci.test", "audiences": ["r.test"]}]);
    let providers = Providers::open(&serde_json::from_value::<Vec<_>>(config).unwrap()).unwrap();
    let registry = Registry::with_providers(providers).await;
    let call = Call::new(Method::POST, "identities/ci/somebody/revoke", "");
    expect_status(&registry.owner(&call).await, &call, 204);
    let entry = last(&registry).await.entry;
    assert_eq!(
        (entry.operation.as_str(), entry.object.kind.as_str(), entry.object.name.as_str()),
        ("revoke", "identity", "ci/somebody")
    );
}

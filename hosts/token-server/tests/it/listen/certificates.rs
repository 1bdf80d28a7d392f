//! Certificates of clients.

use std::time::{Duration, Instant};

use serde_json::json;

use super::pki::{Authority, Client as Certificate};
use super::{Program, TIMEOUT, answer};

const REGISTRY: &str = "/registries/registry";
const MAP: &str = "/registries/registry/scopeMaps/some-map";
const CLIENT: &str = "/registries/registry/servicePrincipals/3f2504e0-4f89-41d3-9a0c-0305e82c3309";
const BUNDLE: &str = "/registries/registry/bundle";

#[tokio::test]
async fn a_certificate_has_the_roles_of_its_name() {
    let program = Program::with_certificates("");
    for (name, expected) in [
        // The registry, the bundle, a scope map, a service principal, the subscriptions.
        ("owner@example.com", [200, 200, 200, 200, 200]),
        ("contributor@example.com", [200, 200, 200, 403, 200]),
        ("reader@example.com", [200, 200, 403, 403, 200]),
        ("edge@example.com", [403, 200, 403, 403, 403]),
        ("puller@example.com", [403, 403, 403, 403, 200]),
        ("Owner@example.com", [401; 5]),
        ("stranger@example.com", [401; 5]),
    ] {
        let pem = program.operators.client(&Certificate::named(name));
        let client = program.client(Some(&pem));
        let put = |path: &str, body| client.request("PUT", &program.management(path)).json(&body);
        let get = |path: &str| client.request("GET", &program.management(path));
        let asked = [
            get(REGISTRY),
            get(BUNDLE),
            put(MAP, json!({"properties": {"actions": []}})),
            put(CLIENT, json!({"roles": ["AcrPull"]})),
            get("/subscriptions"),
        ];
        let mut statuses = Vec::new();
        for request in asked {
            let (status, _) = answer(request).await;
            statuses.push(if status == 201 { 200 } else { status });
        }
        assert_eq!(statuses, expected, "{name}");
    }
    let none = program.client(None);
    assert_eq!(none.get(&program.management(REGISTRY)).await.unwrap(), 401);
    assert!(program.log().contains("certificate_unknown"), "{}", program.log());
}

/// The trail names the holder of a certificate as one.
#[tokio::test]
async fn changes_are_in_the_name_of_the_certificate() {
    let program = Program::with_certificates("");
    let pem = program.operators.client(&Certificate::named("owner@example.com"));
    let client = program.client(Some(&pem));
    let map = client.request("PUT", &program.management(MAP));
    let (status, body) = answer(map.json(&json!({"properties": {"actions": []}}))).await;
    assert_eq!(status, 201, "{body}");
    let trail = format!("{REGISTRY}/audit?object=some-map");
    let (status, trail) = answer(client.request("GET", &program.management(&trail))).await;
    assert_eq!(status, 200, "{trail}");
    let row = &trail["value"][0];
    assert_eq!(row["object"]["name"], "some-map", "{trail}");
    assert_eq!(row["actor"]["kind"], "certificate", "{trail}");
    assert_eq!(row["actor"]["name"], "owner@example.com", "{trail}");
    assert_eq!(row["actor"]["address"], "127.0.0.1", "{trail}");
}

/// Two credentials are none. A certificate without a configured name is not one.
#[tokio::test]
async fn a_certificate_and_an_authorization_are_two_credentials() {
    let program = Program::with_certificates("");
    for (name, secret, expected) in [
        ("owner@example.com", program.secret(), 400),
        ("owner@example.com", "wrong", 400),
        ("reader@example.com", program.secret(), 400),
        ("stranger@example.com", program.secret(), 200),
        ("stranger@example.com", "wrong", 401),
    ] {
        let pem = program.operators.client(&Certificate::named(name));
        let request = program.client(Some(&pem)).request("GET", &program.management(REGISTRY));
        let (status, body) = answer(request.basic_auth("administrator", Some(secret))).await;
        assert_eq!(status, expected, "{name} {secret}: {body}");
    }
}

/// A browser shows a certificate for whatever a page asks.
#[tokio::test]
async fn a_page_of_another_site_does_not_use_a_certificate() {
    let program = Program::with_certificates("");
    let pem = program.operators.client(&Certificate::named("owner@example.com"));
    let client = program.client(Some(&pem));
    for (name, value, expected) in [
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "none", 403),
        ("origin", "https://other.test", 403),
        ("sec-fetch-site", "same-origin", 200),
    ] {
        let request = client.request("GET", &program.management(REGISTRY)).header(name, value);
        assert_eq!(answer(request).await.0, expected, "{name}: {value}");
    }
}

#[tokio::test]
async fn a_certificate_opens_nothing_at_the_public_address() {
    let program = Program::with_certificates("");
    let pem = program.operators.client(&Certificate::named("owner@example.com"));
    let client = program.client(Some(&pem));
    assert_eq!(client.get(&program.management(REGISTRY)).await.unwrap(), 200);
    for (path, expected) in [(REGISTRY, 404), (BUNDLE, 401), ("/oauth2/token", 401), ("/v2/", 401)]
    {
        assert_eq!(client.get(&program.public(path)).await.unwrap(), expected, "{path}");
    }
    // The authority, at the address of management, wants a secret.
    let token = format!("/{}/oauth2/v2.0/token", program.tenant());
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "administrator"),
        ("scope", &format!("{}/.default", program.management(""))),
    ];
    let request = client.request("POST", &program.management(&token)).form(&form);
    assert_eq!(answer(request).await.0, 401);
}

#[tokio::test]
async fn a_certificate_that_is_not_valid_fails_the_handshake() {
    let program = Program::with_certificates(", crl: crl.pem");
    let owner = || Certificate::named("owner@example.com");
    let (operators, other) = (&program.operators, Authority::new("others"));
    // It has the name of the authority, and another key.
    let forged = Authority::new("operators");
    let good = program.client(Some(&operators.client(&owner())));
    assert_eq!(good.get(&program.management(REGISTRY)).await.unwrap(), 200);
    for (pem, reason) in [
        (operators.client(&owner().valid(-7200, -3600)), "expired"),
        (operators.client(&owner().valid(3600, 7200)), "not valid yet"),
        (operators.client(&owner().with_serial(7)), "revoked"),
        (other.client(&owner()), "of another authority"),
        (forged.client(&owner()), ""),
        (operators.client(&owner().for_servers()), "not for clients"),
    ] {
        let client = program.client(Some(&pem));
        let refused = client.get(&program.management(REGISTRY)).await;
        assert!(refused.is_err(), "{reason}: {refused:?}");
        let line = format!("client certificate refused address=127.0.0.1 reason=\"{reason}");
        program.wait(|| program.log().contains(&line));
    }
    let log = program.log();
    assert_eq!(log.matches("client certificate refused").count(), 6, "{log}");
    assert!(!log.contains("owner@example.com"), "{log}");
}

#[tokio::test]
async fn where_a_certificate_is_required_none_gets_no_connection() {
    let program = Program::with_certificates(", required: true");
    let client = program.client(None);
    assert!(client.get(&program.management("/metadata/endpoints")).await.is_err());
    program.wait(|| program.log().contains("reason=\"missing\""));
    assert_eq!(client.get(&program.public("/v2/")).await.unwrap(), 401);
    // Its name need not be a credential.
    let pem = program.operators.client(&Certificate::named("stranger@example.com"));
    let request = program.client(Some(&pem)).request("GET", &program.management(REGISTRY));
    let request = request.basic_auth("administrator", Some(program.secret()));
    assert_eq!(answer(request).await.0, 200);
}

/// A connection does not outlive the certificate that it was made with.
#[tokio::test]
async fn a_certificate_that_ends_on_its_connection_opens_nothing() {
    let program = Program::with_certificates("");
    let ending = Certificate::named("owner@example.com").valid(-60, 5);
    let client = program.client(Some(&program.operators.client(&ending)));
    let url = program.management(REGISTRY);
    assert_eq!(client.get(&url).await.unwrap(), 200);
    let start = Instant::now();
    // Each request keeps the connection.
    while client.get(&url).await.unwrap() == 200 {
        assert!(start.elapsed() < TIMEOUT, "it still opens");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let request = client.request("GET", &url).basic_auth("administrator", Some(program.secret()));
    assert_eq!(answer(request).await.0, 401, "with a secret, too");
}

#[tokio::test]
async fn authorities_and_lists_are_read_again() {
    let program = Program::with_certificates(", crl: crl.pem");
    let owner = Certificate::named("owner@example.com").with_serial(8);
    let pem = program.operators.client(&owner);
    let url = program.management(REGISTRY);
    let open = program.client(Some(&pem));
    assert_eq!(open.get(&url).await.unwrap(), 200);

    std::fs::write(program.path("crl.pem"), "rubbish").unwrap();
    program.hang_up();
    program.wait(|| program.log().contains("authorities of clients not renewed"));
    assert_eq!(open.get(&url).await.unwrap(), 200);
    assert_eq!(program.client(Some(&pem)).get(&url).await.unwrap(), 200);

    let list = program.operators.revocation_list(&[7, 8], 3600);
    std::fs::write(program.path("crl.pem"), list).unwrap();
    program.hang_up();
    program.wait(|| program.log().contains("authorities of clients renewed"));
    assert_eq!(open.get(&url).await.unwrap(), 401, "on the open connection");
    assert!(program.client(Some(&pem)).get(&url).await.is_err());

    // Who was revoked since is not known.
    std::fs::write(program.path("crl.pem"), program.operators.revocation_list(&[], -60)).unwrap();
    program.hang_up();
    program.wait(|| program.log().matches("authorities of clients renewed").count() == 2);
    assert!(program.client(Some(&pem)).get(&url).await.is_err());
    program.wait(|| program.log().contains("the revocation list is too old"));

    let other = Authority::new("others");
    std::fs::write(program.path("ca.pem"), &other.pem).unwrap();
    std::fs::write(program.path("crl.pem"), other.revocation_list(&[], 3600)).unwrap();
    program.hang_up();
    program.wait(|| program.log().matches("authorities of clients renewed").count() >= 3);
    assert!(program.client(Some(&pem)).get(&url).await.is_err());
    let pem = other.client(&owner);
    assert_eq!(program.client(Some(&pem)).get(&url).await.unwrap(), 200);
}

/// Of an authority's lists the newest counts, wherever it is in the file, and one from the future
/// is not taken.
#[tokio::test]
async fn the_newest_list_of_an_authority_counts() {
    let program = Program::with_certificates(", crl: crl.pem");
    let pem = program.operators.client(&Certificate::named("owner@example.com").with_serial(8));
    let url = program.management(REGISTRY);
    let opens =
        async || program.client(Some(&pem)).get(&url).await.is_ok_and(|status| status == 200);
    let list = |made: (i64, u64), revoked: &[u64]| {
        program.operators.revocation_list_of(made, revoked, 9000)
    };
    let replace = |lists: &[String], line: &str| {
        let count = program.log().matches(line).count();
        std::fs::write(program.path("crl.pem"), lists.concat()).unwrap();
        program.hang_up();
        program.wait(|| program.log().matches(line).count() > count);
    };
    const RENEWED: &str = "authorities of clients renewed";
    let (older, newer) = (list((-60, 1), &[]), list((-30, 2), &[8]));
    let (first, second) = (list((-20, 3), &[]), list((-20, 4), &[8]));
    let by_another_clock = list((200, 5), &[8]);
    for (lists, is_revoked) in [
        (vec![older.clone()], false),
        (vec![older.clone(), newer.clone()], true),
        (vec![list((-10, 5), &[]), newer.clone()], false),
        (vec![newer.clone(), older.clone()], true),
        (vec![first.clone()], false),
        (vec![first, second], true),
        (vec![older.clone()], false),
        (vec![older.clone(), by_another_clock], true),
    ] {
        replace(&lists, RENEWED);
        let start = Instant::now();
        // New connections have the new lists a moment after the line of the log.
        while opens().await == is_revoked {
            assert!(start.elapsed() < TIMEOUT, "{is_revoked}");
        }
    }
    replace(&[list((3600, 9), &[]), newer], "is in the future");
    assert!(!opens().await, "the last good ones stay in use");
    replace(&[list((-5, 6), &[])], RENEWED);
    replace(&[list((3600, 9), &[8])], "is in the future");
    assert!(opens().await);
}

/// Parts of a list, which are published at several points, are not the whole of it.
#[tokio::test]
async fn parts_of_a_list_are_not_taken_for_the_whole() {
    let program = Program::with_certificates(", crl: crl.pem");
    let pem = program.operators.client(&Certificate::named("owner@example.com").with_serial(8));
    let url = program.management(REGISTRY);
    let list = |point, age: i64, revoked: &[u64]| {
        program.operators.revocation_list_at(point, (-age, 1), revoked, 9000)
    };
    let (one, other) = (Some("http://127.0.0.1/1.crl"), Some("http://127.0.0.1/2.crl"));
    let replace = |lists: &[String], line: &str| {
        let count = program.log().matches(line).count();
        std::fs::write(program.path("crl.pem"), lists.concat()).unwrap();
        program.hang_up();
        program.wait(|| program.log().matches(line).count() > count);
    };
    for (first, second) in [(None, one), (one, None), (one, other)] {
        replace(&[list(first, 60, &[8])], "authorities of clients renewed");
        replace(
            &[list(first, 60, &[8]), list(second, 30, &[])],
            "parts of the list of one authority",
        );
        assert!(program.client(Some(&pem)).get(&url).await.is_err(), "{first:?} {second:?}");
    }
    replace(&[list(one, 60, &[8]), list(one, 30, &[])], "authorities of clients renewed");
    let start = Instant::now();
    while program.client(Some(&pem)).get(&url).await.is_err() {
        assert!(start.elapsed() < TIMEOUT, "the later list of one point counts");
    }
}
